/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_BYTE_ORDER_CMOCKA_H
#define LANYARD_TESTS_NET_BYTE_ORDER_CMOCKA_H

/* What the world's checks need of cmocka, which is not to be had for every machine. */

#include <stdio.h>
#include <stdlib.h>

#define assert_true(holds)                                                                                             \
    do {                                                                                                               \
        if (!(holds)) {                                                                                                \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #holds);                                  \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)
#define assert_int_equal(a, b) assert_true((a) == (b))
#define assert_non_null(p) assert_true((p) != NULL)

#endif
