/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"
#include "siphash.h"

/* Of the vectors published with the algorithm those of whole words: key 00 01 .. 0f, message 00 01 .. of 4 n bytes. */
static const uint64_t VECTORS[16] = {
    0x726fdb47dd0e0e31, 0xcf2794e0277187b7, 0x93f5f5799a932462, 0x751e8fbc860ee5fb,
    0x3f2acc7f57c29bdb, 0xbed65cf21aa2ee98, 0xb8ad50c6f649af94, 0xde4daaaca71dc9a5,
    0x7127512f72f27cce, 0x314dffbe0815a3b4, 0x0e3ea96b5304a7d0, 0xf935451de4f21df2,
    0xe612a3cb9ecba951, 0x0a8787bf8ecb74b2, 0xb78dbfaf3a8d83bd, 0x6ca4ecb15c5f91e1,
};

static void siphash_gives_the_published_vectors(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    _Alignas(4) uint8_t message[64];
    for (uint8_t i = 0; i < sizeof message; i++)
        message[i] = i;
    for (size_t n = 0; n < 16; n++)
        assert_int_equal(lan_siphash(key, message, 4 * n), VECTORS[n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_published_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
