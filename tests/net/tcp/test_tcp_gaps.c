/* SPDX-License-Identifier: Apache-2.0 */
/* What has arrived beyond a gap: kept, told by SACK, and bounded. */
#include "peer.h"

static void a_gap_is_acknowledged_at_once_and_filled_in_any_order_SHLD_31(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 201, 1, 100);
    expect(p, ACK, 1, 1, 0);
    from_peer(p, ACK, 401, 1, 100);
    expect(p, ACK, 1, 1, 0);
    from_peer(p, ACK, 301, 1, 100);
    expect(p, ACK, 1, 1, 0);
    from_peer(p, ACK, 101, 1, 100);
    expect(p, ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 1, 100);
    expect(p, ACK, 1, 501, 0);
    host_reads(p, 1, 500);
}

static void overlapping_pieces_give_the_stream_once(void **state)
{
    struct peer *p = *state;
    static const uint16_t pieces[][2] = {{300, 200}, {250, 100}, {450, 100}, {100, 100}, {150, 500}, {50, 20},
                                         {600, 300}, {20, 100},  {1, 30},    {60, 50},   {540, 70}};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        from_peer(p, ACK, pieces[i][0], 1, pieces[i][1]);
    host_reads(p, 1, 899);
    skip_sent(p);
}

static void a_segment_that_covers_islands_is_kept_whole_SHLD_31(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 101, 1, 50);
    from_peer(p, ACK, 201, 1, 50);
    from_peer(p, ACK, 281, 1, 40);
    skip_sent(p);
    from_peer(p, ACK, 51, 1, 250);
    from_peer(p, ACK, 1, 1, 50);
    skip_sent(p);
    host_reads(p, 1, 320);
}

/* A connection whose peer takes SACK. */
static struct peer open_with_sack(struct fixture *f)
{
    struct peer p = peer_of(f);
    start_connect(&p);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4\x01\x01\x04\x02", 8);
    expect(&p, ACK, 1, 1, 0);
    return p;
}

static uint32_t option32(const struct peer *p, const struct sent *sent, int at)
{
    return ((uint32_t)get16(sent->options + at) << 16 | get16(sent->options + at + 2)) - p->iss;
}

static void gaps_are_told_with_the_latest_block_first_RFC_2018(void **state)
{
    struct peer p = open_with_sack(*state);
    static const uint16_t starts[] = {1001, 3001, 5001, 7001, 9001};
    struct sent sent;
    for (int i = 0; i < 5; i++) {
        from_peer(&p, ACK, starts[i], 1, 500);
        sent = expect(&p, ACK, 1, 1, 0);
        assert_int_equal(option32(&p, &sent, 4), starts[i]);
        assert_int_equal(option32(&p, &sent, 8), starts[i] + 500);
    }
    assert_int_equal(sent.option_bytes, 4 + 4 * 8); /* no more fit */
    assert_int_equal(sent.options[3], 2 + 4 * 8);
    assert_int_equal(option32(&p, &sent, 12), 7001);
    from_peer(&p, ACK, 3501, 1, 100); /* extends a block: that one is the latest now */
    sent = expect(&p, ACK, 1, 1, 0);
    assert_int_equal(option32(&p, &sent, 4), 3001);
    assert_int_equal(option32(&p, &sent, 8), 3601);
    from_peer(&p, ACK, 1, 1, 10000);
    assert_int_equal(expect(&p, ACK, 1, 10001, 0).option_bytes, 0);
}

/* A segment of 500 arrives at seq, and the host answers with an ACK and these blocks; 0 ends them. Numbers are those
 * of RFC 2018 7. */
struct sack_step {
    uint16_t seq, ack;
    uint16_t blocks[5][2];
};

static void plays_sack(struct peer *p, const struct sack_step *steps, size_t n)
{
    enum { FIRST = 4999, BYTES = 500, DELAYED_ACK_MS = 200 };
    for (size_t i = 0; i < n; i++) {
        from_peer(p, ACK, steps[i].seq - FIRST, 1, BYTES);
        wait_ms(p, DELAYED_ACK_MS);
        struct sent sent = expect(p, ACK, 1, steps[i].ack - FIRST, 0);
        uint32_t blocks = 0;
        for (; steps[i].blocks[blocks][0]; blocks++) {
            assert_int_equal(option32(p, &sent, 4 + 8 * (int)blocks) + FIRST, steps[i].blocks[blocks][0]);
            assert_int_equal(option32(p, &sent, 8 + 8 * (int)blocks) + FIRST, steps[i].blocks[blocks][1]);
        }
        assert_int_equal(sent.option_bytes, blocks ? 4 + 8 * blocks : 0);
    }
}
#define PLAYS_SACK(p, steps) plays_sack(p, steps, sizeof(steps) / sizeof *(steps))

static void the_last_four_of_eight_are_lost_RFC_2018_7(void **state)
{
    struct peer p = open_with_sack(*state);
    static const struct sack_step steps[] = {
        {5000, 5500, {{0}}}, {5500, 6000, {{0}}}, {6000, 6500, {{0}}}, {6500, 7000, {{0}}}};
    PLAYS_SACK(&p, steps);
}

static void the_first_of_eight_is_lost_RFC_2018_7(void **state)
{
    struct peer p = open_with_sack(*state);
    static const struct sack_step steps[] = {
        {5500, 5000, {{5500, 6000}}}, {6000, 5000, {{5500, 6500}}}, {6500, 5000, {{5500, 7000}}},
        {7000, 5000, {{5500, 7500}}}, {7500, 5000, {{5500, 8000}}}, {8000, 5000, {{5500, 8500}}},
        {8500, 5000, {{5500, 9000}}},
    };
    PLAYS_SACK(&p, steps);
}

static void every_second_of_eight_is_lost_RFC_2018_7(void **state)
{
    struct peer p = open_with_sack(*state);
    static const struct sack_step steps[] = {
        {5000, 5500, {{0}}},
        {6000, 5500, {{6000, 6500}}},
        {7000, 5500, {{7000, 7500}, {6000, 6500}}},
        {8000, 5500, {{8000, 8500}, {7000, 7500}, {6000, 6500}}},
        {6500, 5500, {{6000, 7500}, {8000, 8500}}},
        {5500, 7500, {{8000, 8500}}},
    };
    PLAYS_SACK(&p, steps);
}

static void what_was_reported_last_is_repeated_first_RFC_2018_4(void **state)
{
    struct peer p = open_with_sack(*state);
    static const struct sack_step steps[] = {
        {9000, 5000, {{9000, 9500}}},
        {7000, 5000, {{7000, 7500}, {9000, 9500}}},
        {11000, 5000, {{11000, 11500}, {7000, 7500}, {9000, 9500}}},
        {9500, 5000, {{9000, 10000}, {11000, 11500}, {7000, 7500}}},
        {6000, 5000, {{6000, 6500}, {9000, 10000}, {11000, 11500}, {7000, 7500}}},
        {13000, 5000, {{13000, 13500}, {6000, 6500}, {9000, 10000}, {11000, 11500}}},
        {9000, 5000, {{9000, 9500}, {9000, 10000}, {13000, 13500}, {6000, 6500}}},   /* RFC 2883 4.1: a duplicate */
        {6500, 5000, {{6000, 7500}, {9000, 10000}, {13000, 13500}, {11000, 11500}}}, /* two have become one */
        {5000, 5500, {{6000, 7500}, {9000, 10000}, {13000, 13500}, {11000, 11500}}},
        {5500, 7500, {{9000, 10000}, {13000, 13500}, {11000, 11500}}},
    };
    PLAYS_SACK(&p, steps);
}

/* So an ACK may be lost, and another one (RFC 2018 4): in any order, with stamps that leave room for three. */
static void each_block_is_told_in_three_acks_RFC_2018_4(void **state)
{
    enum { GAPS = 30, STEP = 7 /* has no factor in common with it */, STAMP = 12, REPEATS = 3 };
    static const char stamp[] = "\x01\x01\x08\x0a\0\0\0\x01\0\0\0";
    static struct frame frame;
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x01\x08\x0a\0\0\0\x01\0\0\0", 20);
    expect(&p, ACK, 1, 1, 0);
    uint32_t told[GAPS] = {0};
    for (uint32_t i = 0; i < GAPS; i++) {
        peer_frame(&p, &frame, ACK, 101 + i * STEP % GAPS * 200, 1, stamp, STAMP, 100);
        inject(p.f, &frame);
        struct sent sent = expect(&p, ACK, 1, 1, 0);
        for (uint32_t at = STAMP + 4; at < sent.option_bytes; at += 8)
            told[(option32(&p, &sent, (int)at) - 101) / 200]++;
    }
    for (uint32_t i = 0; i <= GAPS - REPEATS; i++)
        assert_in_range(told[i * STEP % GAPS], REPEATS, GAPS);
}

static void tells_gaps_at_the_smallest_mtu(struct fixture *f, const void *options, uint32_t bytes, const void *stamp,
                                           uint32_t stamp_bytes)
{
    static struct frame frame;
    struct peer p = peer_of(f);
    start_connect(&p);
    from_peer_options(&p, SYN | ACK, 0, 1, options, bytes);
    skip_sent(&p);
    for (uint32_t seq = 11; seq < 111; seq += 20) {
        peer_frame(&p, &frame, ACK, seq, 1, stamp, stamp_bytes, 10);
        inject(f, &frame);
        struct sent sent = expect(&p, ACK, 1, 1, 0);
        assert_in_range(sent.option_bytes, stamp_bytes + 4 + 8, 28);
        assert_int_equal(option32(&p, &sent, (int)stamp_bytes + 4), seq);
    }
    lan_close(f->stack, p.fd);
    skip_sent(&p);
}

/* RFC 791 3.2 lets an MTU be 68. All blocks that there is room for in a header do not fit into that. */
static void gaps_are_told_at_the_smallest_mtu(void **state)
{
    struct fixture *f = *state;
    f->netif.mtu = 68;
    tells_gaps_at_the_smallest_mtu(f, "\x02\x04\x05\xb4\x01\x01\x04\x02", 8, NULL, 0);
    tells_gaps_at_the_smallest_mtu(f, "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x01\x08\x0a\0\0\0\x01\0\0\0", 20,
                                   "\x01\x01\x08\x0a\0\0\0\x01\0\0\0", 12);
}

/* Data takes no SACK along, and is no duplicate ACK. */
static void a_gap_is_told_before_data_that_could_go_RFC_2018_4(void **state)
{
    struct peer p = open_with_sack(*state);
    host_sends(&p, 1, 20 * MSS);
    skip_sent(&p);
    from_peer(&p, ACK, 1001, 1 + 2 * MSS, 500); /* lets new data go, too */
    struct sent sent = expect(&p, ACK, 1 + 10 * MSS, 1, 0);
    assert_int_equal(option32(&p, &sent, 4), 1001);
    expect(&p, ACK, 1 + 10 * MSS, 1, MSS);
    skip_sent(&p);
}

static void gaps_are_not_told_to_a_peer_that_did_not_permit_it(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1001, 1, 500);
    assert_int_equal(expect(p, ACK, 1, 1, 0).option_bytes, 0);
}

static void segments_with_one_byte_gaps_take_bounded_memory(void **state)
{
    struct peer *p = *state;
    struct lan_pool *pool = lan_stack_pool(p->f->stack);
    uint32_t before = lan_pool_free_buffers(pool);
    for (uint32_t seq = 60001; seq > 1; seq -= 2) {
        from_peer(p, ACK, seq, 1, 1);
        expect(p, ACK, 1, 1, 0);
    }
    assert_true(before - lan_pool_free_buffers(pool) <= 2048 / 24 + 1);
    assert_true(counter(p->f, "TcpExtOfoPruned") > 0);
    for (uint32_t seq = 1; seq < 60001; seq += 1000)
        from_peer(p, ACK, seq, 1, 1000);
    host_reads(p, 1, 60000);
    skip_sent(p);
}

static void the_farthest_bytes_give_way_when_there_are_too_many_gaps(void **state)
{
    struct peer *p = *state;
    for (uint32_t seq = 3; seq < 2000; seq += 2) {
        from_peer(p, ACK, seq, 1, 1);
        expect(p, ACK, 1, 1, 0);
    }
    assert_true(counter(p->f, "TcpExtOfoPruned") > 0);
    from_peer(p, ACK, 1, 1, 2);
    expect(p, ACK, 1, 4, 0); /* the nearest was kept */
    from_peer(p, ACK, 4, 1, 2000);
    host_reads(p, 1, 2003);
    skip_sent(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(a_gap_is_acknowledged_at_once_and_filled_in_any_order_SHLD_31),
        TEST_CONNECTED(overlapping_pieces_give_the_stream_once),
        TEST_CONNECTED(a_segment_that_covers_islands_is_kept_whole_SHLD_31),
        TEST(gaps_are_told_with_the_latest_block_first_RFC_2018),
        TEST(the_last_four_of_eight_are_lost_RFC_2018_7),
        TEST(the_first_of_eight_is_lost_RFC_2018_7),
        TEST(every_second_of_eight_is_lost_RFC_2018_7),
        TEST(what_was_reported_last_is_repeated_first_RFC_2018_4),
        TEST(each_block_is_told_in_three_acks_RFC_2018_4),
        TEST(gaps_are_told_at_the_smallest_mtu),
        TEST(a_gap_is_told_before_data_that_could_go_RFC_2018_4),
        TEST_CONNECTED(gaps_are_not_told_to_a_peer_that_did_not_permit_it),
        TEST_CONNECTED(segments_with_one_byte_gaps_take_bounded_memory),
        TEST_CONNECTED(the_farthest_bytes_give_way_when_there_are_too_many_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
