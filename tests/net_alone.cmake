# SPDX-License-Identifier: Apache-2.0
# What host/net, added as a part of a project of its own (`root` is where to find it), has of the one around it.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS OFF)
set(root ${CMAKE_CURRENT_LIST_DIR}/..)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(lanyard_warnings INTERFACE)
target_compile_options(lanyard_warnings INTERFACE -Wall -Wextra -Werror)
add_library(lanyard_api INTERFACE)
target_include_directories(lanyard_api INTERFACE ${root}/host/include)
