/* SPDX-License-Identifier: Apache-2.0 */
#include "udp_fixture.h"

#include <errno.h>
#include <string.h>

enum { PORT = 5000, DATAGRAM = 4000 };

static uint8_t data[65536], received[65536];

static int receiver(struct fixture *f)
{
    return bound(f, 0, PORT);
}

/* A whole datagram of `bytes` bytes of data, from which tests cut their fragments. */
static void whole_datagram(struct frame *whole, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(i * 31 + i / 256);
    frame_udp(whole, 1234, PORT, data, bytes);
}

static bool arrived(struct fixture *f, int fd, uint32_t bytes)
{
    return lan_recv(f->stack, fd, received, sizeof received, 0) == (long)bytes && memcmp(received, data, bytes) == 0;
}

static void inject_fragment(struct fixture *f, const struct frame *whole, uint32_t offset, uint32_t bytes, bool more)
{
    static struct frame fragment;

    frame_fragment(&fragment, whole, offset, bytes, more);
    inject(f, &fragment);
}

/* All of `whole` in pieces of `piece` bytes, in an order given by a permutation of the pieces. */
static void inject_all(struct fixture *f, const struct frame *whole, uint32_t piece,
                       uint32_t (*order)(uint32_t, uint32_t))
{
    uint32_t bytes = whole->len - ETH - IP;
    uint32_t pieces = (bytes + piece - 1) / piece;

    for (uint32_t i = 0; i < pieces; i++) {
        uint32_t offset = order(i, pieces) * piece;
        bool last = bytes - offset <= piece;

        inject_fragment(f, whole, offset, last ? bytes - offset : piece, !last);
    }
}

static uint32_t in_order(uint32_t i, uint32_t pieces)
{
    (void)pieces;
    return i;
}

static uint32_t backwards(uint32_t i, uint32_t pieces)
{
    return pieces - 1 - i;
}

static uint32_t odd_first(uint32_t i, uint32_t pieces)
{
    uint32_t odd = pieces / 2;

    return i < odd ? 2 * i + 1 : 2 * (i - odd);
}

static void fragments_join_in_any_order(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    int fd = receiver(f);

    whole_datagram(&whole, DATAGRAM);
    inject_all(f, &whole, 1480, in_order);
    assert_true(arrived(f, fd, DATAGRAM));
    inject_all(f, &whole, 1480, backwards);
    assert_true(arrived(f, fd, DATAGRAM));
    inject_all(f, &whole, 800, odd_first);
    assert_true(arrived(f, fd, DATAGRAM));
    assert_int_equal(counter(f, "IpReasmOKs"), 3);
}

static void the_first_fragment_may_have_options_that_the_others_have_not_RFC_791_3_1(void **state)
{
    struct fixture *f = *state;
    static struct frame whole, fragment;
    int fd = receiver(f);

    whole_datagram(&whole, DATAGRAM);
    for (int first_comes_last = 0; first_comes_last < 2; first_comes_last++) {
        for (int i = 0; i < 2; i++) {
            bool first = i == first_comes_last;

            if (first) {
                frame_fragment(&fragment, &whole, 0, 1480, true);
                frame_ip_options(&fragment, "\x07\x07\x08\x00\x00\x00\x00\x00", 8); /* record route: not copied */
            } else {
                frame_fragment(&fragment, &whole, 1480, UDP + DATAGRAM - 1480, false);
            }
            inject(f, &fragment);
        }
        assert_true(arrived(f, fd, DATAGRAM));
    }
}

static void the_largest_datagram_joins(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    int fd = receiver(f);

    whole_datagram(&whole, 65507);
    inject_all(f, &whole, 1480, odd_first);
    assert_true(arrived(f, fd, 65507));
    inject_all(f, &whole, 552, backwards);
    assert_true(arrived(f, fd, 65507));
}

static void eight_byte_fragments_join(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    int fd = receiver(f);

    whole_datagram(&whole, 100);
    inject_all(f, &whole, 8, odd_first);
    assert_true(arrived(f, fd, 100));
}

static void options_of_every_fragment_are_cut_off(void **state)
{
    struct fixture *f = *state;
    static struct frame whole, fragment;
    int fd = receiver(f);

    whole_datagram(&whole, 1000);
    for (uint32_t offset = 0; offset < 1008; offset += 504) {
        frame_fragment(&fragment, &whole, offset, 504, offset == 0);
        frame_ip_options(&fragment, "\x01\x01\x01\x00", 4);
        inject(f, &fragment);
    }
    assert_true(arrived(f, fd, 1000));
}

/* Two datagrams that differ in one field of their identity, cut and mixed. */
static void expect_unmixed(struct fixture *f, const struct frame *a, const struct frame *b)
{
    uint64_t joined = counter(f, "IpReasmOKs");

    inject_fragment(f, a, 0, 504, true);
    inject_fragment(f, b, 0, 504, true);
    inject_fragment(f, a, 504, 504, false);
    assert_int_equal(counter(f, "IpReasmOKs"), joined + 1);
    inject_fragment(f, b, 504, 504, false);
    assert_int_equal(counter(f, "IpReasmOKs"), joined + 2);
    assert_int_equal(counter(f, "IpExtReasmOverlaps"), 0);
    assert_int_equal(counter(f, "IpReasmDuplicates"), 0);
}

static void datagrams_under_way_do_not_mix(void **state)
{
    struct fixture *f = *state;
    static struct frame a, b;
    int fd = receiver(f);

    whole_datagram(&a, 1000);
    b = a;
    put16(b.bytes + ETH + 4, 77);
    expect_unmixed(f, &a, &b);
    b = a;
    put32(b.bytes + ETH + 12, ADDRESS(192, 0, 2, 9));
    fix_l4(&b);
    expect_unmixed(f, &a, &b);
    b = a;
    b.bytes[ETH + 9] = PROTOCOL_TCP;
    expect_unmixed(f, &a, &b);
    for (int i = 0; i < 5; i++)
        assert_true(arrived(f, fd, 1000));
    assert_false(arrived(f, fd, 1000));
    while (frames_waiting(f))
        expect_frame(f);
}

static void an_exact_duplicate_does_no_harm(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    int fd = receiver(f);

    whole_datagram(&whole, 1000);
    inject_fragment(f, &whole, 504, 504, false);
    inject_fragment(f, &whole, 504, 504, false);
    inject_fragment(f, &whole, 0, 504, true);
    assert_true(arrived(f, fd, 1000));
    assert_int_equal(counter(f, "IpReasmDuplicates"), 1);
}

struct piece {
    uint32_t offset, bytes;
    bool more;
};

/* Fragments that contradict each other spoil the datagram, also for what comes later. */
static void expect_spoiled(struct fixture *f, const struct piece *pieces, size_t count)
{
    static struct frame whole;
    static uint16_t id = 100;
    int fd = receiver(f);
    uint64_t before = counter(f, "IpExtReasmOverlaps");

    whole_datagram(&whole, 1000);
    put16(whole.bytes + ETH + 4, id++);
    for (size_t i = 0; i < count; i++)
        inject_fragment(f, &whole, pieces[i].offset, pieces[i].bytes, pieces[i].more);
    assert_int_equal(counter(f, "IpExtReasmOverlaps"), before + 1);
    inject_all(f, &whole, 504, in_order);
    assert_int_equal(lan_recv(f->stack, fd, received, sizeof received, 0), -EAGAIN);
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(f->stack)), f->free_buffers);
    lan_close(f->stack, fd);
    advance_ms(f, 30000);
    while (frames_waiting(f))
        expect_frame(f);
}

static void overlaps_spoil_the_datagram(void **state)
{
    struct fixture *f = *state;

    expect_spoiled(f, (struct piece[]){{0, 504, true}, {496, 512, false}}, 2);              /* head onto a tail */
    expect_spoiled(f, (struct piece[]){{496, 512, false}, {0, 504, true}}, 2);              /* tail onto a head */
    expect_spoiled(f, (struct piece[]){{0, 800, true}, {80, 80, true}}, 2);                 /* inside: teardrop */
    expect_spoiled(f, (struct piece[]){{80, 80, true}, {0, 800, true}}, 2);                 /* around */
    expect_spoiled(f, (struct piece[]){{0, 504, true}, {0, 496, true}}, 2);                 /* shorter twin */
    expect_spoiled(f, (struct piece[]){{0, 496, true}, {0, 504, true}}, 2);                 /* longer twin */
    expect_spoiled(f, (struct piece[]){{0, 80, true}, {160, 80, true}, {72, 96, true}}, 3); /* over a gap */
}

static void a_contradictory_end_spoils_the_datagram(void **state)
{
    struct fixture *f = *state;

    expect_spoiled(f, (struct piece[]){{504, 504, false}, {400, 96, false}}, 2); /* two ends */
    expect_spoiled(f, (struct piece[]){{400, 96, false}, {504, 504, true}}, 2);  /* bytes behind the end */
    expect_spoiled(f, (struct piece[]){{504, 504, true}, {400, 96, false}}, 2);  /* an end before bytes */
}

static void impossible_fragments_are_dropped(void **state)
{
    struct fixture *f = *state;
    static struct frame whole, fragment;
    int fd = receiver(f);

    whole_datagram(&whole, 1000);
    inject_fragment(f, &whole, 0, 0, true);  /* empty */
    inject_fragment(f, &whole, 0, 7, true);  /* not a multiple of 8, with more to come */
    inject_fragment(f, &whole, 8, 0, false); /* an empty end */
    frame_fragment(&fragment, &whole, 0, 100, false);
    put16(fragment.bytes + ETH + 6, 0x1fff); /* ends behind byte 65,535 */
    fix_ip(&fragment);
    inject(f, &fragment);
    assert_int_equal(counter(f, "IpReasmFails"), 4);
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(f->stack)), f->free_buffers);
    inject_all(f, &whole, 504, in_order);
    assert_true(arrived(f, fd, 1000)); /* nothing of them was kept */
}

static void an_incomplete_datagram_goes_after_30_seconds(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    int fd = receiver(f);

    whole_datagram(&whole, 1000);
    inject_fragment(f, &whole, 504, 504, false);
    advance_ms(f, 29999);
    assert_int_equal(counter(f, "IpReasmTimeout"), 0);
    advance_ms(f, 1);
    assert_int_equal(counter(f, "IpReasmTimeout"), 1);
    expect_silence(f); /* without the first fragment nobody is told */
    inject_fragment(f, &whole, 0, 504, true);
    assert_false(arrived(f, fd, 1000));
}

static void the_sender_of_a_first_fragment_learns_of_the_timeout(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;

    whole_datagram(&whole, 1000);
    inject_fragment(f, &whole, 0, 504, true);
    advance_ms(f, 30000);
    expect_frame(f);
    learn_peer(f);

    const uint8_t *ip = expect_frame(f)->bytes + ETH;

    assert_int_equal(ip[9], PROTOCOL_ICMP);
    assert_int_equal(ip[IP], 11);
    assert_int_equal(ip[IP + 1], 1);
    assert_int_equal(get32(ip + IP + ICMP + 12), PEER);
    assert_memory_equal(ip + IP + ICMP + IP, whole.bytes + ETH + IP, 8);
}

static void one_source_cannot_fill_the_table(void **state)
{
    struct fixture *f = *state;
    static struct frame whole, other;
    int fd = receiver(f);

    whole_datagram(&other, 1000);
    put32(other.bytes + ETH + 12, ADDRESS(192, 0, 2, 77));
    fix_l4(&other);
    inject_fragment(f, &other, 0, 504, true);
    advance_ms(f, 1);
    whole_datagram(&whole, 1000);
    for (uint16_t id = 0; id < 1000; id++) {
        put16(whole.bytes + ETH + 4, id);
        inject_fragment(f, &whole, 504, 504, false);
    }
    assert_true(lan_pool_free_buffers(lan_stack_pool(f->stack)) >= f->free_buffers - 9);
    inject_fragment(f, &other, 504, 504, false);
    assert_true(arrived(f, fd, 1000));
}

static void many_sources_hold_bounded_memory(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;

    whole_datagram(&whole, 1000);
    for (uint32_t i = 0; i < 5000; i++) {
        put32(whole.bytes + ETH + 12, ADDRESS(198, 51, 100, 1 + i % 250));
        put16(whole.bytes + ETH + 4, (uint16_t)i);
        inject_fragment(f, &whole, 504, 504, false);
    }
    assert_true(lan_pool_free_buffers(lan_stack_pool(f->stack)) >= f->free_buffers * 3 / 4);
    assert_true(counter(f, "IpReasmEvicted") > 4900);
}

static void fragments_of_one_datagram_are_counted_off(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    int fd = receiver(f);

    whole_datagram(&whole, 8000);
    inject_all(f, &whole, 8, odd_first); /* 1001 of them */
    assert_true(lan_pool_free_buffers(lan_stack_pool(f->stack)) >= f->free_buffers - 128);
    assert_false(arrived(f, fd, 8000));
}

static void fragments_of_all_datagrams_hold_bounded_memory(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;

    whole_datagram(&whole, 1000);
    for (uint16_t id = 0; id < 8; id++)
        for (uint32_t offset = 8; offset < 1000; offset += 16) {
            put16(whole.bytes + ETH + 4, id);
            inject_fragment(f, &whole, offset, 8, true);
        }
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(f->stack)), f->free_buffers - f->config.pool.buffers / 4);
}

static void fragments_leave_an_eighth_of_the_memory_alone(void **state)
{
    struct fixture *f = *state;
    struct lan_pool *pool = lan_stack_pool(f->stack);
    static struct lan_buf *held[1024];
    static struct frame whole;
    uint32_t n = 0, eighth = f->config.pool.buffers / 8;

    while (lan_pool_free_buffers(pool) > eighth + 10)
        held[n++] = lan_buf_alloc(pool, 0);
    whole_datagram(&whole, 1000);
    for (uint32_t offset = 8; offset < 1000; offset += 16)
        inject_fragment(f, &whole, offset, 8, true);
    assert_true(lan_pool_free_buffers(pool) >= eighth);
    assert_true(counter(f, "IpInDiscards") > 0);
    while (n)
        lan_buf_free(held[--n]);
}

static void lengths_are_checked_after_reassembly_too(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    int fd = receiver(f);

    whole_datagram(&whole, 1000);
    put16(whole.bytes + ETH + IP + 4, 2000);
    fix_l4(&whole);
    inject_all(f, &whole, 504, backwards);
    assert_false(arrived(f, fd, 1000));
    assert_int_equal(counter(f, "UdpInErrors"), 1);
}

static void a_bad_checksum_over_fragments_is_seen(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    int fd = receiver(f);

    whole_datagram(&whole, 1000);
    whole.bytes[ETH + IP + UDP + 700] ^= 1;
    inject_all(f, &whole, 504, in_order);
    assert_false(arrived(f, fd, 1000));
    assert_int_equal(counter(f, "UdpInCsumErrors"), 1);
}

/* What a card says of a checksum in a fragment is not worth anything (and no right card says it). */
static void a_verdict_of_the_card_on_a_fragment_is_ignored(void **state)
{
    struct fixture *f = *state;
    static struct frame whole, fragment;
    int fd = receiver(f);

    whole_datagram(&whole, 1000);
    whole.bytes[ETH + IP + UDP + 700] ^= 1;
    for (uint32_t offset = 0; offset < 1008; offset += 504) {
        struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(f->stack), 2);

        frame_fragment(&fragment, &whole, offset, 504, offset == 0);
        memcpy(lan_buf_put(buf, fragment.len), fragment.bytes, fragment.len);
        buf->flags = LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK;
        lan_netif_input(&f->netif, buf);
    }
    assert_false(arrived(f, fd, 1000));
    assert_int_equal(counter(f, "UdpInCsumErrors"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fragments_join_in_any_order),
        TEST(the_first_fragment_may_have_options_that_the_others_have_not_RFC_791_3_1),
        TEST(the_largest_datagram_joins),
        TEST(eight_byte_fragments_join),
        TEST(options_of_every_fragment_are_cut_off),
        TEST(datagrams_under_way_do_not_mix),
        TEST(an_exact_duplicate_does_no_harm),
        TEST(overlaps_spoil_the_datagram),
        TEST(a_contradictory_end_spoils_the_datagram),
        TEST(impossible_fragments_are_dropped),
        TEST(an_incomplete_datagram_goes_after_30_seconds),
        TEST(the_sender_of_a_first_fragment_learns_of_the_timeout),
        TEST(one_source_cannot_fill_the_table),
        TEST(many_sources_hold_bounded_memory),
        TEST(fragments_of_one_datagram_are_counted_off),
        TEST(fragments_of_all_datagrams_hold_bounded_memory),
        TEST(fragments_leave_an_eighth_of_the_memory_alone),
        TEST(lengths_are_checked_after_reassembly_too),
        TEST(a_bad_checksum_over_fragments_is_seen),
        TEST(a_verdict_of_the_card_on_a_fragment_is_ignored),
    };

    return cmocka_run_group_tests_name("reassembly", tests, NULL, NULL);
}
