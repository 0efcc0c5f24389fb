/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"
#include "bytes.h"

/* The sum runs over machine words with end-around carry; 2^16 - 1 divides 2^32 - 1 and 2^64 - 1, so folding a word's
 * sum gives the sum of its 16-bit halves or quarters. For size it runs over those, which are less to put together from
 * bytes. */
#ifdef __OPTIMIZE_SIZE__
typedef uint16_t word;
#else
typedef uintptr_t word;
#endif

static inline word load_word(const uint8_t *p)
{
    typedef word __attribute__((may_alias, aligned(1))) unaligned;

    return *(const unaligned *)p;
}

/* The first bytes of a word. */
static inline word load_part(const uint8_t *p, size_t bytes)
{
    word w = 0;
    memcpy(&w, p, bytes);
    return w;
}

/* A sum with its carries counted apart, which is what lets compilers make two instructions of each word. */
struct sum {
    uintptr_t words, carries;
};

static inline void add_word(struct sum *sum, word w)
{
    sum->words += w;
    sum->carries += sum->words < w;
}

/* Eight words. */
static inline void add_block(struct sum *sum, const uint8_t *p)
{
#if defined(__x86_64__) /* one instruction a word, which compilers do not find by themselves */
    unsigned long long words = sum->words;
    unsigned char carry = 0;

#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++)
        carry = __builtin_ia32_addcarryx_u64(carry, words, load_word(p + i * sizeof(word)), &words);
    sum->words = words;
    sum->carries += carry;
#else
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++)
        add_word(sum, load_word(p + i * sizeof(word)));
#endif
}

static uint32_t fold_words(struct sum sum)
{
    uint32_t high = (uint32_t)((uint64_t)sum.words >> 32);

    return lan_sum_add(lan_sum_add((uint32_t)sum.words, high), (uint32_t)sum.carries);
}

uint32_t lan_sum(const void *data, size_t bytes, uint32_t initial)
{
    const uint8_t *p = data;
    struct sum sum = {initial, 0};

    for (; LAN_FOR_SPEED && bytes >= 8 * sizeof(word); bytes -= 8 * sizeof(word), p += 8 * sizeof(word))
        add_block(&sum, p);
    for (; bytes >= sizeof(word); bytes -= sizeof(word), p += sizeof(word))
        add_word(&sum, load_word(p));
    if (sizeof(word) > 4 && bytes & 4) {
        add_word(&sum, load_part(p, 4));
        p += 4;
    }
    if (sizeof(word) > 2 && bytes & 2) {
        add_word(&sum, load_part(p, 2));
        p += 2;
    }
    if (bytes & 1)
        add_word(&sum, load_part(p, 1));
    return fold_words(sum);
}

/* What a fragment behind an odd number of bytes adds: the same, with the two bytes of each pair exchanged, which is 2^8
 * times as much. */
static uint32_t swap_pairs(uint32_t sum)
{
    return sum << 8 | sum >> 24;
}

uint32_t lan_sum_buf(const struct lan_buf *buf, uint32_t offset, uint32_t bytes, uint32_t initial)
{
    bool odd = false;
    uint32_t sum = initial;

    for (; bytes; buf = buf->next) {
        if (offset >= buf->len) {
            offset -= buf->len;
            continue;
        }
        uint32_t take = buf->len - offset < bytes ? buf->len - offset : bytes;
        uint32_t part = lan_sum(buf->data + offset, take, 0);

        sum = lan_sum_add(sum, odd ? swap_pairs(part) : part);
        odd ^= take & 1;
        bytes -= take;
        offset = 0;
    }
    return sum;
}

LAN_SHARED uint32_t lan_sum_pseudo(uint32_t src, uint32_t dst, uint8_t protocol, uint32_t l4_bytes)
{
    return lan_sum_add(lan_sum_add(src, dst), (l4_bytes + protocol) * lan_htons(1)); /* as memory has it */
}
