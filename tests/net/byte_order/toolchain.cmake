# SPDX-License-Identifier: Apache-2.0
# 32-bit PowerPC, which has the most significant byte first, by Debian's compiler and C library.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR powerpc)
set(CMAKE_C_COMPILER powerpc-linux-gnu-gcc)
