/* SPDX-License-Identifier: Apache-2.0 */
/* Receiving: order, windows, acknowledgments. */
#include "peer.h"

#include <errno.h>

enum { WINDOW = 65535 };

static void data_in_order_is_delivered(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK | PSH, 1, 1, 100);
    host_reads(p, 1, 100);
    char byte;
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), -EAGAIN);
}

static void one_segment_is_acknowledged_late_but_within_200_ms_SHLD_18_MUST_40(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, MSS);
    expect_quiet(p);
    wait_ms(p, 200);
    expect(p, ACK, 1, 1461, 0);
    wait_ms(p, 1000);
    expect_quiet(p);
}

static void every_second_full_segment_is_acknowledged_at_once_SHLD_19(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, MSS);
    from_peer(p, ACK, 1461, 1, MSS);
    expect(p, ACK, 1, 2921, 0);
    from_peer(p, ACK, 2921, 1, MSS);
    expect_quiet(p);
    from_peer(p, ACK, 4381, 1, MSS);
    expect(p, ACK, 1, 5841, 0);
    wait_ms(p, 1000);
    expect_quiet(p);
}

static void a_delayed_ack_rides_on_data(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 100);
    host_sends(p, 1, 50);
    expect(p, ACK, 1, 101, 50);
    from_peer(p, ACK, 101, 51, 0);
    wait_ms(p, 1000);
    expect_quiet(p);
}

static void old_data_is_acknowledged_at_once_and_its_new_tail_taken(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 100);
    from_peer(p, ACK, 1, 1, 100);
    expect(p, ACK, 1, 101, 0);
    from_peer(p, ACK, 51, 1, 100);
    expect(p, ACK, 1, 151, 0);
    host_reads(p, 1, 150);
}

static void fill_window(struct peer *p)
{
    for (uint32_t seq = 1; seq <= WINDOW; seq += 1285)
        from_peer(p, ACK, seq, 1, 1285);
    skip_sent(p);
}

static void data_beyond_the_window_is_cut_off(void **state)
{
    struct peer *p = *state;
    for (uint32_t seq = 1; seq < WINDOW - 1000; seq += 1000)
        from_peer(p, ACK, seq, 1, 1000);
    skip_sent(p);
    from_peer(p, ACK, 65001, 1, 1000);
    assert_int_equal(expect(p, ACK, 1, 65536, 0).window, 0);
    host_reads(p, 1, 3000);
    skip_sent(p);
    from_peer(p, ACK, 65536, 1, 100);
    host_reads(p, 3001, 62635);
}

static void a_full_window_is_announced_as_zero_and_a_probe_is_answered_MUST_36(void **state)
{
    struct peer *p = *state;
    fill_window(p);
    from_peer(p, ACK, 65536, 1, 1);
    assert_int_equal(expect(p, ACK, 1, 65536, 0).window, 0);
    host_reads(p, 1, 65535);
}

static void an_ack_counts_even_while_the_window_is_closed_MUST_66(void **state)
{
    struct peer *p = *state;
    fill_window(p);
    host_sends(p, 1, 100);
    expect(p, ACK, 1, 65536, 100);
    from_peer(p, ACK, 65536, 101, 0);
    wait_ms(p, 5000);
    expect_quiet(p);
}

static void a_reset_counts_even_while_the_window_is_closed_MUST_66(void **state)
{
    struct peer *p = *state;
    fill_window(p);
    from_peer(p, RST, 65536, 0, 0);
    from_peer(p, ACK, 65536, 1, 0);
    expect(p, RST, 1, 0, 0);
}

static void the_window_opens_again_in_one_update_worth_a_segment_MUST_39(void **state)
{
    struct peer *p = *state;
    fill_window(p);
    host_reads(p, 1, 1000);
    expect_quiet(p); /* less than a segment: not told */
    host_reads(p, 1001, 458);
    expect_quiet(p);
    host_reads(p, 1459, 1); /* the buffer holds one byte more than the window could say */
    assert_int_equal(expect(p, ACK, 1, 65536, 0).window, MSS);
}

static void the_windows_right_edge_never_retreats_SHLD_14(void **state)
{
    struct peer *p = *state;
    int less = 4096;
    from_peer(p, ACK, 1, 1, MSS);
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &less, sizeof less);
    from_peer(p, ACK, 1461, 1, MSS);
    assert_int_equal(expect(p, ACK, 1, 2921, 0).window, WINDOW - 2920);
    for (uint32_t seq = 2921; seq <= WINDOW; seq += 1285)
        from_peer(p, ACK, seq, 1, 1285);
    skip_sent(p);
    host_reads(p, 1, WINDOW);
}

static void reading_as_it_comes_causes_no_extra_updates(void **state)
{
    struct peer *p = *state;
    for (uint32_t seq = 1; seq < 20 * MSS; seq += 2 * MSS) {
        from_peer(p, ACK, seq, 1, MSS);
        from_peer(p, ACK, seq + MSS, 1, MSS);
        expect(p, ACK, 1, seq + 2 * MSS, 0);
        host_reads(p, seq, 2 * MSS);
        expect_quiet(p);
    }
}

static void a_small_receive_buffer_gives_a_small_window(void **state)
{
    struct peer p = peer_of(*state);
    int bytes = 1000;
    p.fd = open_socket(p.f);
    lan_setsockopt(p.f->stack, p.fd, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &bytes, sizeof bytes);
    start_connect(&p);
    from_peer(&p, SYN | ACK, 0, 1, 0);
    assert_int_equal(expect(&p, ACK, 1, 1, 0).window, 1000);
    from_peer(&p, ACK, 1, 1, 1000);
    wait_ms(&p, 100);
    assert_int_equal(expect(&p, ACK, 1, 1001, 0).window, 0);
    host_reads(&p, 1, 499);
    expect_quiet(&p);
    host_reads(&p, 500, 1);
    assert_int_equal(expect(&p, ACK, 1, 1001, 0).window, 500);
}

static void peeking_leaves_the_data_in_place(void **state)
{
    struct peer *p = *state;
    uint8_t data[100];
    from_peer(p, ACK, 1, 1, 60);
    from_peer(p, ACK, 61, 1, 40);
    assert_int_equal(lan_recv(p->f->stack, p->fd, data, sizeof data, LAN_MSG_PEEK), 100);
    assert_int_equal(data[99], stream_byte(100));
    host_reads(p, 1, 100);
}

static void sequence_numbers_wrap(void **state)
{
    struct peer p = peer_of(*state);
    p.iss = UINT32_MAX - 2000;
    active_open(&p);
    from_peer(&p, ACK, 1501, 1, 1000); /* across the wrap, out of order */
    expect(&p, ACK, 1, 1, 0);
    from_peer(&p, ACK, 1, 1, 1500);
    expect(&p, ACK, 1, 2501, 0);
    from_peer(&p, FIN | ACK, 2501, 1, 0);
    expect(&p, ACK, 1, 2502, 0);
    host_reads(&p, 1, 2500);
}

static void a_segment_spread_over_small_buffers_is_received(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    uint32_t seq = 1;
    static const uint32_t pieces[] = {16, 40, 55, 61, 200};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++, seq += 300) {
        peer_frame(p, &frame, ACK, seq, 1, "\x01\x01\x01\x01", 4, 300);
        inject_in_pieces(p->f, &frame, pieces[i]);
    }
    host_reads(p, 1, 1500);
    skip_sent(p);
}

static void small_segments_share_buffers(void **state)
{
    struct peer *p = *state;
    struct lan_pool *pool = lan_stack_pool(p->f->stack);
    uint32_t before = lan_pool_free_buffers(pool);
    for (uint32_t seq = 1; seq <= 20000; seq += 10)
        from_peer(p, ACK, seq, 1, 10);
    assert_true(before - lan_pool_free_buffers(pool) <= 2 * 20000 / 2048 + 2);
    host_reads(p, 1, 20000);
    skip_sent(p);
}

static void old_data_is_acknowledged_each_time(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 100);
    for (int i = 0; i < 5; i++) {
        from_peer(p, ACK, 1, 1, 100);
        expect(p, ACK, 1, 101, 0);
    }
}

static void shut_reading_gives_end_of_stream(void **state)
{
    struct peer *p = *state;
    char byte;
    lan_shutdown(p->f->stack, p->fd, LAN_SHUT_RD);
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), 0);
}

static void the_urgent_pointer_is_never_taken_for_a_length_MUST_31(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    static const uint16_t pointers[] = {0, 1, 50, 100, 101, 65535};
    for (uint32_t i = 0; i < 6; i++) {
        peer_frame(p, &frame, ACK | URG, 1 + 100 * i, 1, NULL, 0, 100);
        put16(frame.bytes + ETH + IP + 18, pointers[i]);
        fix_l4(&frame);
        inject(p->f, &frame);
    }
    host_reads(p, 1, 600);
    skip_sent(p);
}

static struct lan_buf *held[4096];
static uint32_t held_count;

/* Takes buffers from the host's pool until `left` are free. */
static void exhaust_pool(struct peer *p, uint32_t left)
{
    struct lan_pool *pool = lan_stack_pool(p->f->stack);
    while (lan_pool_free_buffers(pool) > left)
        held[held_count++] = lan_buf_alloc(pool, 0);
}

static void refill_pool(void)
{
    while (held_count)
        lan_buf_free(held[--held_count]);
}

static void without_memory_new_data_is_dropped_and_taken_when_it_comes_again(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 1000);
    from_peer(p, ACK, 5001, 1, 1000);
    exhaust_pool(p, 20);
    from_peer(p, ACK, 1001, 1, 1000);
    from_peer(p, ACK, 3001, 1, 1000);
    assert_int_equal(counter(p->f, "TcpExtTCPRcvQDrop"), 1);
    assert_int_equal(counter(p->f, "TcpExtTCPOFODrop"), 1);
    refill_pool();
    skip_sent(p);
    from_peer(p, ACK, 1001, 1, 1000);
    host_reads(p, 1, 2000);
    skip_sent(p);
}

/* The last buffer may go for the table of what lies beyond gaps, and none be left for what is to stand in it. */
static void a_gap_is_answered_however_little_memory_there_is(void **state)
{
    struct peer p = peer_of(*state);
    passive_open_with(&p, "\x02\x04\x05\xb4\x01\x01\x04\x02", 8, 0);
    for (uint32_t left = 100; left < 160; left++) {
        exhaust_pool(&p, left);
        from_peer(&p, ACK, 1001, 1, 1000);
        expect(&p, ACK, 1, 1, 0);
        refill_pool();
        from_peer(&p, ACK, 1, 1, 1000);
        from_peer(&p, ACK, 1001, 1, 1000);
        host_reads(&p, 1, 2000);
        skip_sent(&p);
        p.iss += 2000;
    }
}

static void an_ack_that_finds_no_buffer_is_sent_when_there_is_one(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 100);
    exhaust_pool(p, 0);
    wait_ms(p, 1000);
    expect_quiet(p);
    refill_pool();
    wait_ms(p, 20);
    expect(p, ACK, 1, 101, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(data_in_order_is_delivered),
        TEST_CONNECTED(one_segment_is_acknowledged_late_but_within_200_ms_SHLD_18_MUST_40),
        TEST_CONNECTED(every_second_full_segment_is_acknowledged_at_once_SHLD_19),
        TEST_CONNECTED(a_delayed_ack_rides_on_data),
        TEST_CONNECTED(old_data_is_acknowledged_at_once_and_its_new_tail_taken),
        TEST_CONNECTED(data_beyond_the_window_is_cut_off),
        TEST_CONNECTED(a_full_window_is_announced_as_zero_and_a_probe_is_answered_MUST_36),
        TEST_CONNECTED(an_ack_counts_even_while_the_window_is_closed_MUST_66),
        TEST_CONNECTED(a_reset_counts_even_while_the_window_is_closed_MUST_66),
        TEST_CONNECTED(the_window_opens_again_in_one_update_worth_a_segment_MUST_39),
        TEST_CONNECTED(the_windows_right_edge_never_retreats_SHLD_14),
        TEST_CONNECTED(reading_as_it_comes_causes_no_extra_updates),
        TEST(a_small_receive_buffer_gives_a_small_window),
        TEST_CONNECTED(peeking_leaves_the_data_in_place),
        TEST(sequence_numbers_wrap),
        TEST_CONNECTED(a_segment_spread_over_small_buffers_is_received),
        TEST_CONNECTED(small_segments_share_buffers),
        TEST_CONNECTED(old_data_is_acknowledged_each_time),
        TEST_CONNECTED(shut_reading_gives_end_of_stream),
        TEST_CONNECTED(the_urgent_pointer_is_never_taken_for_a_length_MUST_31),
        TEST_CONNECTED(without_memory_new_data_is_dropped_and_taken_when_it_comes_again),
        TEST(a_gap_is_answered_however_little_memory_there_is),
        TEST_CONNECTED(an_ack_that_finds_no_buffer_is_sent_when_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
