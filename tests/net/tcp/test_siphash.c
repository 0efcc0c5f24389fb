/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"
#include "siphash.h"

/* The first 16 of the vectors published with the algorithm: key 00 01 .. 0f, message 00 01 .. of n bytes. */
static const uint64_t VECTORS[16] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
};

static void siphash_gives_the_published_vectors(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t message[16];
    for (uint8_t n = 0; n < 16; n++) {
        assert_int_equal(lan_siphash(key, message, n), VECTORS[n]);
        message[n] = n;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_published_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
