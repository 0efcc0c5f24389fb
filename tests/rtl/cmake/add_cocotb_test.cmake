# SPDX-License-Identifier: Apache-2.0
#
# add_cocotb_test(NAME <name> TOP <module> MODULE <python module> SOURCES <file>...
#                 [INCLUDES <folder>...] [PARAMETERS <NAME=value>...] [TIMEOUT <seconds>] [SIM icarus|verilator])
#
# Registers the CTest test <name> ("mac.transmit"), labelled with the folder under tests/ ("rtl/mac"): it compiles
# SOURCES with the Verilog module TOP on top and runs every cocotb test of the Python module MODULE on it. The test
# fails when one of them fails, when there is none, and after TIMEOUT seconds (180).
#
#   MODULE      looked for in the calling folder, then in tests/rtl, where helpers for several folders live
#   SOURCES     files; a relative path counts from rtl/
#   INCLUDES    folders for `include; a relative path counts from rtl/
#   PARAMETERS  parameters of TOP; one test per set, so give each its own NAME
#   SIM         icarus (default) starts at once; verilator compiles for 10 seconds or more, then runs faster
#
# Simulations run at 1 ns units and 1 ps precision, and with a fixed RANDOM_SEED: set it in the environment for
# another. WAVES=1 in the environment leaves an FST in the test's folder under the build folder.

set(LANYARD_PYTHON python3 CACHE FILEPATH "Python interpreter that has cocotb and the other packages of the tests")
set(RUN_COCOTB ${CMAKE_CURRENT_LIST_DIR}/run_cocotb.py)

function(add_cocotb_test)
  cmake_parse_arguments(ARG "" "NAME;TOP;MODULE;TIMEOUT;SIM" "SOURCES;INCLUDES;PARAMETERS" ${ARGN})
  foreach(required NAME TOP MODULE SOURCES)
    if(NOT ARG_${required})
      message(FATAL_ERROR "add_cocotb_test: ${required} is missing")
    endif()
  endforeach()
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "add_cocotb_test(${ARG_NAME}): unknown argument ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 180)
  endif()
  if(NOT ARG_SIM)
    set(ARG_SIM icarus)
  endif()
  set(sources)
  foreach(source ${ARG_SOURCES})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${RTL_DIR})
    list(APPEND sources ${source})
  endforeach()
  set(includes)
  foreach(include ${ARG_INCLUDES})
    cmake_path(ABSOLUTE_PATH include BASE_DIRECTORY ${RTL_DIR})
    list(APPEND includes --include=${include})
  endforeach()
  list(TRANSFORM ARG_PARAMETERS PREPEND --parameter=)
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})

  add_test(NAME ${ARG_NAME}
    COMMAND ${LANYARD_PYTHON} ${RUN_COCOTB} --sim=${ARG_SIM} --top=${ARG_TOP} --module=${ARG_MODULE}
      --path=${CMAKE_CURRENT_SOURCE_DIR} --build=${CMAKE_CURRENT_BINARY_DIR}/${ARG_NAME}
      ${includes} ${ARG_PARAMETERS} ${sources})
  set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS ${folder})
endfunction()
