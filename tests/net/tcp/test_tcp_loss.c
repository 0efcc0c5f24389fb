/* SPDX-License-Identifier: Apache-2.0 */
/* Retransmission and congestion control: RFC 6298, RFC 5681, RFC 6582, RFC 3042, RFC 6928. */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>

/* Sends `segments` full segments and takes them. */
static void send_segments(struct peer *p, uint32_t seq, uint32_t segments)
{
    host_sends(p, seq, segments * MSS);
    for (uint32_t i = 0; i < segments; i++)
        expect(p, ACK, seq + i * MSS, 1, MSS);
}

static void a_lost_segment_is_sent_again_with_doubling_time_outs_MUST_18_MUST_19(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 500);
    expect(p, ACK, 1, 1, 500);
    uint64_t rto = silence_ms(p);
    assert_in_range(rto, 200, 1000);
    expect(p, ACK, 1, 1, 500);
    for (int i = 0; i < 5; i++) {
        uint64_t next = silence_ms(p);
        assert_in_range(next, 2 * rto - 2, 2 * rto + 2);
        rto = next;
        expect(p, ACK, 1, 1, 500);
    }
    assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 6);
    assert_int_equal(counter(p->f, "TcpRetransSegs"), 6);
}

static void after_r2_the_application_gets_etimedout_MUST_20(void **state)
{
    struct peer *p = *state;
    send_segments(p, 1, 1);
    wait_ms(p, 100000);
    assert_int_equal(socket_error(p), 0); /* SHLD-11: R2 is at least 100 s */
    wait_ms(p, 21000);
    assert_int_equal(socket_error(p), ETIMEDOUT);
    skip_sent(p);
    from_peer(p, ACK, 1, 1, 0);
    expect(p, RST, 1, 0, 0);
}

static void the_user_timeout_sets_r2_MUST_21(void **state)
{
    struct peer *p = *state;
    int ms = 5000;
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, &ms, sizeof ms);
    send_segments(p, 1, 1);
    wait_ms(p, 4999);
    assert_int_equal(socket_error(p), 0);
    wait_ms(p, 1);
    assert_int_equal(socket_error(p), ETIMEDOUT);
    skip_sent(p);
}

static void the_shortest_user_timeout_lasts_a_millisecond(void **state)
{
    struct peer *p = *state;
    int ms = 1;
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, &ms, sizeof ms);
    send_segments(p, 1, 1);
    advance(p->f, 900000);
    assert_int_equal(socket_error(p), 0);
    advance(p->f, 200000);
    assert_int_equal(socket_error(p), ETIMEDOUT);
    skip_sent(p);
}

static void progress_starts_the_user_timeout_anew(void **state)
{
    struct peer *p = *state;
    int ms = 5000, mss = 500;
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, &ms, sizeof ms);
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_MAXSEG, &mss, sizeof mss);
    host_sends(p, 1, 1000);
    wait_ms(p, 4950);
    skip_sent(p);
    from_peer(p, ACK, 1, 501, 0);
    expect(p, ACK, 501, 1, 500);
    wait_ms(p, 200);
    expect_quiet(p); /* nor does the old one cut the time-out short */
    wait_ms(p, 3000);
    assert_int_equal(socket_error(p), 0);
    skip_sent(p);
}

static void the_rto_follows_the_measured_round_trip(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1;
    for (int i = 0; i < 40; i++, seq += MSS) {
        send_segments(p, seq, 1);
        wait_ms(p, 500); /* longer than the first time-outs: retransmissions are not timed (Karn) */
        skip_sent(p);
        from_peer(p, ACK, 1, seq + MSS, 0);
        skip_sent(p);
    }
    send_segments(p, seq, 1);
    assert_in_range(silence_ms(p), 690, 1000);
    skip_sent(p);
}

static void a_backed_off_rto_stays_until_something_new_is_timed(void **state)
{
    struct peer *p = *state;
    send_segments(p, 1, 1);
    uint64_t first = silence_ms(p);
    skip_sent(p);
    silence_ms(p);
    skip_sent(p); /* 4 x backed off */
    from_peer(p, ACK, 1, 1461, 0);
    send_segments(p, 1461, 1);
    assert_in_range(silence_ms(p), 4 * first - 4, 4 * first + 4);
    skip_sent(p);
}

/* What waited at the peer behind a hole was not long under way. */
static void an_ack_of_what_was_sent_again_measures_nothing_beyond_it_RFC_6298_3(void **state)
{
    struct peer *p = *state;
    send_segments(p, 1, 3);
    uint64_t first = silence_ms(p);
    expect(p, ACK, 1, 1, MSS);
    from_peer(p, ACK, 1, 1 + 3 * MSS, 0);
    send_segments(p, 1 + 3 * MSS, 1);
    from_peer(p, ACK, 1, 1 + 4 * MSS, 0);
    send_segments(p, 1 + 4 * MSS, 1);
    assert_in_range(silence_ms(p), 200, first);
    skip_sent(p);
}

static void but_what_left_after_it_is_measured(void **state)
{
    struct peer *p = *state;
    send_segments(p, 1, 2);
    uint64_t first = silence_ms(p);
    expect(p, ACK, 1, 1, MSS);
    silence_ms(p); /* backed off twice */
    expect(p, ACK, 1, 1, MSS);
    host_sends(p, 1 + 2 * MSS, MSS);
    from_peer(p, ACK, 1, 1 + MSS, 0);
    expect(p, ACK, 1 + MSS, 1, MSS);
    expect(p, ACK, 1 + 2 * MSS, 1, MSS);
    from_peer(p, ACK, 1, 1 + 3 * MSS, 0);
    send_segments(p, 1 + 3 * MSS, 1);
    assert_in_range(silence_ms(p), 200, first);
    skip_sent(p);
}

static void three_duplicate_acks_send_the_first_segment_again(void **state)
{
    struct peer *p = *state;
    send_segments(p, 1, 6);
    from_peer(p, ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 1, 0);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1, 1, MSS);
    assert_int_equal(counter(p->f, "TcpExtTCPFastRetrans"), 1);
    from_peer(p, ACK, 1, 1 + 6 * MSS, 0);
    wait_ms(p, 10000);
    expect_quiet(p);
}

static void the_first_two_duplicate_acks_let_new_segments_go_RFC_3042(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 20 * MSS);
    for (int i = 0; i < 10; i++) /* the initial window, RFC 6928 */
        expect(p, ACK, 1 + i * MSS, 1, MSS);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1 + 10 * MSS, 1, MSS);
    from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1 + 11 * MSS, 1, MSS);
    expect_quiet(p);
}

static void acks_with_data_or_a_new_window_are_no_duplicates(void **state)
{
    struct peer *p = *state;
    send_segments(p, 1, 6);
    for (uint32_t i = 0; i < 5; i++)
        from_peer(p, ACK, 1 + 10 * i, 1, 10);
    for (int i = 0; i < 5; i++) {
        p->window -= 100;
        from_peer(p, ACK, 51, 1, 0);
    }
    wait_ms(p, 100);
    expect(p, ACK, 1 + 6 * MSS, 51, 0);
    expect_quiet(p);
}

static void a_partial_ack_sends_the_next_hole_RFC_6582(void **state)
{
    struct peer *p = *state;
    send_segments(p, 1, 8);
    for (int i = 0; i < 3; i++)
        from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1, 1, MSS);
    from_peer(p, ACK, 1, 1 + 3 * MSS, 0);
    expect(p, ACK, 1 + 3 * MSS, 1, MSS);
    from_peer(p, ACK, 1, 1 + 8 * MSS, 0);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpExtTCPFastRetrans"), 1);
}

/* A connection whose round trip has been measured: the first two segments have arrived. Ten more are under way, and one
 * round trip old, when three duplicate ACKs come, and the first of them is sent again. */
static struct peer sent_again_by_duplicates(struct fixture *f)
{
    struct peer p = peer_of(f);
    passive_open_with(&p, "\x02\x04\x05\xb4", 4, 20);
    send_segments(&p, 1, 2);
    wait_ms(&p, 20);
    from_peer(&p, ACK, 1, 1 + 2 * MSS, 0);
    send_segments(&p, 1 + 2 * MSS, 10);
    wait_ms(&p, 20);
    for (int i = 0; i < 3; i++)
        from_peer(&p, ACK, 1, 1 + 2 * MSS, 0);
    expect(&p, ACK, 1 + 2 * MSS, 1, MSS);
    return p;
}

/* Else each ACK of the flight would send the next segment again, and their duplicates begin the next recovery. */
static void an_ack_sooner_than_a_round_trip_shows_that_duplicates_announced_no_loss(void **state)
{
    struct peer p = sent_again_by_duplicates(*state);
    wait_ms(&p, 9);
    for (int i = 3; i <= 12; i++) {
        from_peer(&p, ACK, 1, 1 + i * MSS, 0);
        expect_quiet(&p);
    }
    assert_int_equal(counter(p.f, "TcpExtTCPFullUndo"), 1);
    host_sends(&p, 1 + 12 * MSS, 20 * MSS);
    assert_true(skip_sent(&p) >= 12);
}

static void but_not_when_it_acknowledges_the_next_hole(void **state)
{
    struct peer p = sent_again_by_duplicates(*state);
    wait_ms(&p, 20);
    from_peer(&p, ACK, 1, 1 + 5 * MSS, 0);
    expect(&p, ACK, 1 + 5 * MSS, 1, MSS);
    wait_ms(&p, 1);
    from_peer(&p, ACK, 1, 1 + 7 * MSS, 0);
    expect(&p, ACK, 1 + 7 * MSS, 1, MSS);
    assert_int_equal(counter(p.f, "TcpExtTCPFullUndo"), 0);
}

static void recovery_halves_the_window(void **state)
{
    struct peer *p = *state;
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, "newreno", 8);
    host_sends(p, 1, 20 * MSS);
    for (int i = 0; i < 10; i++)
        expect(p, ACK, 1 + i * MSS, 1, MSS);
    for (int i = 0; i < 3; i++)
        from_peer(p, ACK, 1, 1, 0);
    for (int i = 0; i < 2; i++)
        expect(p, ACK, 1 + (10 + i) * MSS, 1, MSS);
    expect(p, ACK, 1, 1, MSS);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1 + 12 * MSS, 0); /* all: FlightSize was 12, half of it but no burst (RFC 6582 (3)) */
    expect(p, ACK, 1 + 12 * MSS, 1, MSS);
    expect(p, ACK, 1 + 13 * MSS, 1, MSS);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1 + 14 * MSS, 0);
    assert_in_range(skip_sent(p), 2, 4);
}

static void after_a_time_out_one_segment_goes_and_slow_start_begins(void **state)
{
    struct peer *p = *state;
    send_segments(p, 1, 8);
    silence_ms(p);
    expect(p, ACK, 1, 1, MSS);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1461, 0);
    expect(p, ACK, 1 + 1 * MSS, 1, MSS);
    expect(p, ACK, 1 + 2 * MSS, 1, MSS);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1 + 8 * MSS, 0); /* the rest had arrived */
    expect_quiet(p);
    wait_ms(p, 10000);
    expect_quiet(p);
}

static void slow_start_doubles_and_congestion_avoidance_adds_a_segment(void **state)
{
    struct peer *p = *state;
    uint8_t *data = calloc(1, 65536);
    int limit = 1 << 20;
    uint32_t seq = 1, flight[12];
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, &limit, sizeof limit);
    for (uint32_t i = 0; i < 65536; i++)
        data[i] = 0;
    for (int round = 0; round < 4; round++) {
        while (lan_send(p->f->stack, p->fd, data, 65536, 0) > 0) {
        }
        flight[round] = 0;
        while (frames_waiting(p->f)) {
            expect_frame(p->f);
            flight[round]++;
        }
        uint32_t end = seq + flight[round] * MSS;
        for (seq += 2 * MSS; (int32_t)(end - seq) >= 0; seq += 2 * MSS)
            from_peer(p, ACK, 1, seq, 0);
        seq = end;
    }
    assert_int_equal(flight[0], 10);
    assert_int_equal(flight[1], 20);
    assert_int_equal(flight[2], 40);
    assert_int_equal(flight[3], 65535 / MSS); /* the peer's window */
    free(data);
    skip_sent(p);
}

static void after_an_idle_time_the_window_starts_small_again(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1;
    for (int i = 0; i < 3; i++) { /* opens cwnd to 40 */
        host_sends(p, seq, (10u << i) * MSS);
        assert_int_equal(skip_sent(p), 10 << i);
        for (int n = 0; n < (10 << i) / 2; n++)
            from_peer(p, ACK, 1, seq += 2 * MSS, 0);
    }
    wait_ms(p, 60000);
    host_sends(p, seq, 40 * MSS);
    assert_int_equal(skip_sent(p), 10);
}

/* It may be the first one that is acknowledged: no round trip is known, and the time-out stays what it began with. */
static void the_ack_of_a_syn_that_left_twice_measures_nothing_RFC_6298_3(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 1);
    from_peer(&p, SYN, 0, 0, 0);
    p.host_iss = next_sent(&p).seq;
    wait_ms(&p, 400);
    from_peer(&p, SYN, 0, 0, 0);
    expect(&p, SYN | ACK, 0, 1, 0);
    from_peer(&p, ACK, 1, 1, 0);
    p.fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    host_sends(&p, 1, 100);
    expect(&p, ACK, 1, 1, 100);
    assert_in_range(silence_ms(&p), 999, 1001);
    skip_sent(&p);
}

static void a_lost_syn_starts_with_one_segment_and_an_rto_of_3_s_RFC_6298_5_7(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    wait_ms(&p, 1000);
    expect(&p, SYN, 0, 0, 0);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4", 4);
    expect(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, 3 * MSS);
    expect(&p, ACK, 1, 1, MSS);
    expect_quiet(&p);
    assert_in_range(silence_ms(&p), 2999, 3001);
    skip_sent(&p);
}

static void an_icmp_error_does_not_end_a_connection_MUST_56(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    uint8_t quoted[IP + 8];
    send_segments(p, 1, 1);
    const uint8_t *segment = p->f->sent[(p->f->sent_tail - 1) % FIXTURE_SENT_MAX].bytes + ETH;
    for (int i = 0; i < IP + 8; i++)
        quoted[i] = segment[i];
    frame_icmp(&frame, 3, 1, quoted, sizeof quoted);
    inject(p->f, &frame);
    assert_int_equal(socket_error(p), 0);
    wait_ms(p, 2000);
    int reason;
    uint32_t bytes = sizeof reason;
    lan_getsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_SOFT_ERROR, &reason, &bytes);
    assert_int_equal(reason, EHOSTUNREACH); /* MUST-47: the application may learn it meanwhile */
    skip_sent(p);
    wait_ms(p, 119000);
    assert_int_equal(socket_error(p), EHOSTUNREACH); /* but it is why the connection ended in the end, SHLD-25 */
    skip_sent(p);
}

static void fragmentation_needed_lowers_the_segment_size_RFC_1191(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    uint8_t quoted[IP + 8];
    send_segments(p, 1, 2);
    const uint8_t *segment = p->f->sent[(p->f->sent_tail - 2) % FIXTURE_SENT_MAX].bytes + ETH;
    for (int i = 0; i < IP + 8; i++)
        quoted[i] = segment[i];
    frame_icmp(&frame, 3, 4, quoted, sizeof quoted);
    put16(frame.bytes + ETH + IP + 6, 1000);
    fix_l4(&frame);
    inject(p->f, &frame);
    expect(p, ACK, 1, 1, 960);
    expect(p, ACK, 961, 1, 960);
    expect(p, ACK, 1921, 1, 960);
    skip_sent(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(a_lost_segment_is_sent_again_with_doubling_time_outs_MUST_18_MUST_19),
        TEST_CONNECTED(after_r2_the_application_gets_etimedout_MUST_20),
        TEST_CONNECTED(the_user_timeout_sets_r2_MUST_21),
        TEST_CONNECTED(the_shortest_user_timeout_lasts_a_millisecond),
        TEST_CONNECTED(progress_starts_the_user_timeout_anew),
        TEST_CONNECTED(the_rto_follows_the_measured_round_trip),
        TEST_CONNECTED(a_backed_off_rto_stays_until_something_new_is_timed),
        TEST_CONNECTED(an_ack_of_what_was_sent_again_measures_nothing_beyond_it_RFC_6298_3),
        TEST_CONNECTED(but_what_left_after_it_is_measured),
        TEST_CONNECTED(three_duplicate_acks_send_the_first_segment_again),
        TEST_CONNECTED(the_first_two_duplicate_acks_let_new_segments_go_RFC_3042),
        TEST_CONNECTED(acks_with_data_or_a_new_window_are_no_duplicates),
        TEST_CONNECTED(a_partial_ack_sends_the_next_hole_RFC_6582),
        TEST(an_ack_sooner_than_a_round_trip_shows_that_duplicates_announced_no_loss),
        TEST(but_not_when_it_acknowledges_the_next_hole),
        TEST_CONNECTED(recovery_halves_the_window),
        TEST_CONNECTED(after_a_time_out_one_segment_goes_and_slow_start_begins),
        TEST_CONNECTED(slow_start_doubles_and_congestion_avoidance_adds_a_segment),
        TEST_CONNECTED(after_an_idle_time_the_window_starts_small_again),
        TEST(the_ack_of_a_syn_that_left_twice_measures_nothing_RFC_6298_3),
        TEST(a_lost_syn_starts_with_one_segment_and_an_rto_of_3_s_RFC_6298_5_7),
        TEST_CONNECTED(an_icmp_error_does_not_end_a_connection_MUST_56),
        TEST_CONNECTED(fragmentation_needed_lowers_the_segment_size_RFC_1191),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
