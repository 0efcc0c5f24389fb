# SPDX-License-Identifier: Apache-2.0
# RV32IM bare metal, by Debian's compiler and picolibc.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_C_FLAGS_INIT "--specs=picolibc.specs -march=rv32im -mabi=ilp32")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
