/* SPDX-License-Identifier: Apache-2.0 */
/* Closing: RFC 9293 3.6, 3.10.4 to 3.10.6, and what FIN and RST mean in each state. */
#include "peer.h"

#include <errno.h>

static int close_host(struct peer *p)
{
    return lan_close(p->f->stack, p->fd);
}

static int shut_host(struct peer *p)
{
    return lan_shutdown(p->f->stack, p->fd, LAN_SHUT_WR);
}

static long read_host(struct peer *p)
{
    char byte;
    return lan_recv(p->f->stack, p->fd, &byte, 1, 0);
}

static int ready(struct peer *p)
{
    return lan_ready(p->f->stack, p->fd, LAN_POLLIN | LAN_POLLOUT | LAN_POLLRDHUP);
}

/* The connection does not exist any more: its segments are answered with RST. */
static void assert_gone(struct peer *p, uint32_t seq, uint32_t ack)
{
    from_peer(p, ACK, seq, ack, 0);
    expect(p, RST, ack, 0, 0);
}

static void the_host_closes_first_and_stays_in_time_wait_for_2_msl_MUST_13(void **state)
{
    struct peer *p = *state;
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 2, 0);
    from_peer(p, FIN | ACK, 1, 2, 0);
    expect(p, ACK, 2, 2, 0);
    wait_ms(p, 59999);
    from_peer(p, FIN | ACK, 1, 2, 0);
    expect(p, ACK, 2, 2, 0); /* still there, and 2 MSL start anew */
    wait_ms(p, 59999);
    from_peer(p, FIN | ACK, 1, 2, 0);
    expect(p, ACK, 2, 2, 0);
    wait_ms(p, 60000);
    assert_gone(p, 2, 2);
}

static void the_peer_closes_first(void **state)
{
    struct peer *p = *state;
    from_peer(p, FIN | ACK, 1, 1, 0);
    expect(p, ACK, 1, 2, 0);
    assert_int_equal(ready(p), LAN_POLLIN | LAN_POLLOUT | LAN_POLLRDHUP);
    assert_int_equal(read_host(p), 0);
    close_host(p);
    expect(p, FIN | ACK, 1, 2, 0);
    from_peer(p, ACK, 2, 2, 0);
    assert_gone(p, 2, 2);
}

static void a_half_closed_host_goes_on_receiving_MAY_1(void **state)
{
    struct peer *p = *state;
    assert_int_equal(shut_host(p), 0);
    expect(p, FIN | ACK, 1, 1, 0);
    assert_int_equal(lan_send(p->f->stack, p->fd, "x", 1, 0), -EPIPE);
    from_peer(p, ACK, 1, 2, 500); /* FIN-WAIT-2 */
    host_reads(p, 1, 500);
    from_peer(p, ACK | FIN, 501, 2, 500);
    expect(p, ACK, 2, 1002, 0);
    host_reads(p, 501, 500);
    assert_int_equal(read_host(p), 0);
}

static void a_half_closed_host_receives_before_its_fin_is_acknowledged(void **state)
{
    struct peer *p = *state;
    shut_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 1, 500); /* FIN-WAIT-1 */
    host_reads(p, 1, 500);
}

static void a_half_closed_peer_goes_on_receiving(void **state)
{
    struct peer *p = *state;
    from_peer(p, FIN | ACK, 1, 1, 0);
    expect(p, ACK, 1, 2, 0);
    host_sends(p, 1, 100); /* CLOSE-WAIT */
    expect(p, ACK, 1, 2, 100);
    from_peer(p, ACK, 2, 101, 0);
    close_host(p);
    expect(p, FIN | ACK, 101, 2, 0);
}

static void both_close_at_once_and_meet_in_time_wait(void **state)
{
    struct peer *p = *state;
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, FIN | ACK, 1, 1, 0);
    expect(p, ACK, 2, 2, 0);
    wait_ms(p, 250);
    expect(p, FIN | ACK, 1, 2, 0); /* CLOSING: ours is not acknowledged yet */
    from_peer(p, ACK, 2, 2, 0);
    wait_ms(p, 59000);
    from_peer(p, FIN | ACK, 1, 1, 0);
    expect(p, ACK, 2, 2, 0); /* TIME-WAIT */
    wait_ms(p, 61000);
    assert_gone(p, 2, 2);
}

static void fin_and_its_acknowledgment_in_one_segment_lead_to_time_wait(void **state)
{
    struct peer *p = *state;
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, FIN | ACK, 1, 2, 0);
    expect(p, ACK, 2, 2, 0);
    assert_int_equal(counter(p->f, "TcpExtTW"), 1);
}

static void fin_follows_the_last_byte_and_rides_with_it(void **state)
{
    struct peer *p = *state;
    p->window = MSS;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, MSS + 500);
    expect(p, ACK, 1, 1, MSS);
    close_host(p);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1461, 0);
    expect(p, FIN | ACK, 1461, 1, 500);
}

static void fin_respects_the_window(void **state)
{
    struct peer *p = *state;
    p->window = 1000;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 1000);
    expect(p, ACK, 1, 1, 1000);
    close_host(p);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1001, 0);
    expect(p, FIN | ACK, 1001, 1, 0);
}

static void fin_does_not_ride_beyond_the_window(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 1000);
    close_host(p);
    p->window = 1000;
    from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1, 1, 1000);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1001, 0);
    expect(p, FIN | ACK, 1001, 1, 0);
}

static void a_lost_fin_is_sent_again(void **state)
{
    struct peer *p = *state;
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    wait_ms(p, 250);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 2, 0);
    wait_ms(p, 10000);
    expect_quiet(p);
}

static void a_lost_last_ack_is_sent_again(void **state)
{
    struct peer *p = *state;
    from_peer(p, FIN | ACK, 1, 1, 0);
    expect(p, ACK, 1, 2, 0);
    close_host(p);
    expect(p, FIN | ACK, 1, 2, 0);
    wait_ms(p, 250);
    expect(p, FIN | ACK, 1, 2, 0); /* LAST-ACK */
}

static void fin_ahead_of_missing_data_waits_for_it(void **state)
{
    struct peer *p = *state;
    from_peer(p, FIN | ACK, 101, 1, 100);
    expect(p, ACK, 1, 1, 0);
    assert_int_equal(read_host(p), -EAGAIN);
    from_peer(p, ACK, 1, 1, 100);
    expect(p, ACK, 1, 202, 0);
    host_reads(p, 1, 200);
    assert_int_equal(read_host(p), 0);
}

static void a_fin_in_the_middle_of_the_stream_does_not_hide_the_real_one(void **state)
{
    struct peer *p = *state;
    from_peer(p, FIN | ACK, 51, 1, 50); /* behind a gap, and the stream goes on beyond it */
    from_peer(p, ACK, 1, 1, 200);
    from_peer(p, FIN | ACK, 201, 1, 100);
    skip_sent(p);
    host_reads(p, 1, 300);
    assert_int_equal(read_host(p), 0);
}

static void a_repeated_fin_is_acknowledged_again_each_time(void **state)
{
    struct peer *p = *state;
    for (int i = 0; i < 5; i++) {
        from_peer(p, FIN | ACK, 1, 1, 0);
        expect(p, ACK, 1, 2, 0);
    }
}

static void a_fin_just_beyond_a_full_window_is_taken(void **state)
{
    struct peer *p = *state;
    for (uint32_t seq = 1; seq < 65536; seq += 1285)
        from_peer(p, ACK, seq, 1, 1285);
    skip_sent(p);
    from_peer(p, FIN | ACK, 65536, 1, 0);
    expect(p, ACK, 1, 65537, 0);
}

static void a_reset_ends_the_connection_and_the_application_learns_it_MUST_12(void **state)
{
    struct peer *p = *state;
    from_peer(p, RST, 1, 0, 0);
    assert_int_equal(read_host(p), -ECONNRESET);
    assert_int_equal(lan_send(p->f->stack, p->fd, "x", 1, 0), -EPIPE);
    assert_gone(p, 1, 1);
}

static void what_arrived_before_a_reset_can_be_read(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 10);
    from_peer(p, RST, 11, 0, 0);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLIN) & LAN_POLLIN, LAN_POLLIN);
    int error = 0;
    uint32_t bytes = sizeof error;
    lan_getsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_ERROR, &error, &bytes);
    assert_int_equal(error, ECONNRESET);
    host_reads(p, 1, 10);
}

static void a_reset_ends_every_closing_state(void **state)
{
    struct peer *p = *state;
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 2, 0);
    from_peer(p, FIN | ACK, 1, 2, 0);
    expect(p, ACK, 2, 2, 0);
    from_peer(p, RST, 2, 0, 0); /* TIME-WAIT */
    assert_gone(p, 2, 2);
}

static void close_with_unread_data_resets_SHLD_3(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 10);
    close_host(p);
    expect(p, RST | ACK, 1, 11, 0);
    assert_gone(p, 11, 1);
}

static void data_after_close_is_answered_with_reset(void **state)
{
    struct peer *p = *state;
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 2, 0);
    from_peer(p, ACK, 1, 2, 10);
    expect(p, RST, 2, 0, 0);
    assert_gone(p, 11, 2);
    assert_int_equal(counter(p->f, "TcpExtTCPAbortOnData"), 1);
}

static void linger_0_aborts(void **state)
{
    struct peer *p = *state;
    struct lan_linger linger = {1, 0};
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, sizeof linger);
    host_sends(p, 1, 10);
    expect(p, ACK, 1, 1, 10);
    close_host(p);
    expect(p, RST | ACK, 11, 1, 0);
}

static void close_sends_what_is_queued_first(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 3000);
    close_host(p);
    p->window = 10000;
    from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1, 1, MSS);
    expect(p, ACK, 1461, 1, MSS);
    expect(p, FIN | ACK, 2921, 1, 80);
}

static void fin_wait_2_without_an_application_ends_after_a_minute(void **state)
{
    struct peer *p = *state;
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 2, 0);
    wait_ms(p, 61000);
    assert_gone(p, 1, 2);
}

static void a_closed_window_does_not_hold_a_closed_connection_for_ever(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 100);
    close_host(p);
    for (int s = 0; s < 300; s++) {
        wait_ms(p, 1000);
        skip_sent(p);
        from_peer(p, ACK, 1, 1, 0);
    }
    assert_true(counter(p->f, "TcpExtTCPAbortOnTimeout") == 1);
}

/* Leaves the connection in TIME-WAIT with rcv_nxt 2. */
static void to_time_wait(struct peer *p)
{
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, FIN | ACK, 1, 2, 0);
    expect(p, ACK, 2, 2, 0);
}

static void a_newer_syn_reopens_a_connection_in_time_wait_above_its_numbers_MAY_2(void **state)
{
    struct peer *p = *state;
    uint32_t old_iss = p->host_iss;
    to_time_wait(p);
    p->host_iss = 0;
    from_peer(p, SYN, 1000, 0, 0);
    struct sent sent = next_sent(p);
    assert_int_equal(sent.flags, SYN | ACK);
    assert_true((int32_t)(sent.seq - (old_iss + 2)) > 0);
}

static void only_the_fin_that_comes_again_prolongs_time_wait(void **state)
{
    struct peer *p = *state;
    to_time_wait(p);
    wait_ms(p, 40000);
    from_peer(p, FIN | ACK, 1, 2, 0);
    expect(p, ACK, 2, 2, 0);
    wait_ms(p, 40000);
    from_peer(p, FIN | ACK, 0x1000, 2, 10); /* in the window */
    from_peer(p, FIN | ACK, 0x80000000, 2, 0);
    from_peer(p, FIN | ACK, 1 - 100, 2, 50);
    skip_sent(p);
    wait_ms(p, 20001);
    from_peer(p, ACK, 2, 2, 0);
    expect(p, RST, 2, 0, 0); /* it is gone */
}

static void an_older_syn_does_not_reopen_time_wait(void **state)
{
    struct peer *p = *state;
    to_time_wait(p);
    from_peer(p, SYN, 1, 0, 0);
    expect(p, ACK, 2, 2, 0);
}

static void a_syn_that_a_full_queue_drops_does_not_end_time_wait(void **state)
{
    struct peer *p = *state;
    struct peer other = *p;
    to_time_wait(p);
    for (int i = 0; i < 8; i++) {
        other.port++;
        handshake_to(&other);
    }
    from_peer(p, SYN, 1000, 0, 0);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpExtListenOverflows"), 1);
    from_peer(p, FIN | ACK, 1, 2, 0);
    expect(p, ACK, 2, 2, 0);
}

static void time_wait_gives_way_when_every_connection_is_taken(void **state)
{
    struct peer *p = *state;
    to_time_wait(p);
    for (int i = 0; i < 30; i++)
        assert_true(open_socket(p->f) >= 0);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeWaitOverflow"), 0);
    assert_true(open_socket(p->f) >= 0);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeWaitOverflow"), 1);
}

static void shutdown_before_a_simultaneous_open_completes_sends_fin_afterwards(void **state)
{
    struct peer *p = *state;
    close_host(p);
    expect(p, FIN | ACK, 1, 1, 0);
    struct peer q = peer_of(p->f);
    q.port = 5555;
    start_connect(&q);
    from_peer(&q, SYN, 0, 0, 0);
    expect(&q, SYN | ACK, 0, 1, 0);
    assert_int_equal(shut_host(&q), 0);
    from_peer(&q, ACK, 1, 1, 0);
    expect(&q, FIN | ACK, 1, 1, 0);
}

/* As recv has an end to tell at once. Linux reports these, too. */
static void shutdown_before_a_simultaneous_open_completes_makes_readable(void **state)
{
    static const struct {
        int how, events, received;
    } cases[] = {
        {LAN_SHUT_RD, LAN_POLLIN | LAN_POLLRDHUP, 0},
        {LAN_SHUT_WR, 0, -EAGAIN},
        {LAN_SHUT_RDWR, LAN_POLLIN | LAN_POLLRDHUP | LAN_POLLHUP, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct peer p = peer_of(*state);
        start_connect(&p);
        from_peer(&p, SYN, 0, 0, 0);
        expect(&p, SYN | ACK, 0, 1, 0);
        assert_int_equal(ready(&p), 0);
        assert_int_equal(lan_shutdown(p.f->stack, p.fd, cases[i].how), 0);
        assert_int_equal(ready(&p), cases[i].events);
        assert_int_equal(read_host(&p), cases[i].received);
        close_host(&p);
        from_peer(&p, RST | ACK, 1, 1, 0);
        skip_sent(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(the_host_closes_first_and_stays_in_time_wait_for_2_msl_MUST_13),
        TEST_CONNECTED(the_peer_closes_first),
        TEST_CONNECTED(a_half_closed_host_goes_on_receiving_MAY_1),
        TEST_CONNECTED(a_half_closed_host_receives_before_its_fin_is_acknowledged),
        TEST_CONNECTED(a_half_closed_peer_goes_on_receiving),
        TEST_CONNECTED(both_close_at_once_and_meet_in_time_wait),
        TEST_CONNECTED(fin_and_its_acknowledgment_in_one_segment_lead_to_time_wait),
        TEST_CONNECTED(fin_follows_the_last_byte_and_rides_with_it),
        TEST_CONNECTED(fin_respects_the_window),
        TEST_CONNECTED(fin_does_not_ride_beyond_the_window),
        TEST_CONNECTED(a_lost_fin_is_sent_again),
        TEST_CONNECTED(a_lost_last_ack_is_sent_again),
        TEST_CONNECTED(fin_ahead_of_missing_data_waits_for_it),
        TEST_CONNECTED(a_fin_in_the_middle_of_the_stream_does_not_hide_the_real_one),
        TEST_CONNECTED(a_repeated_fin_is_acknowledged_again_each_time),
        TEST_CONNECTED(a_fin_just_beyond_a_full_window_is_taken),
        TEST_CONNECTED(a_reset_ends_the_connection_and_the_application_learns_it_MUST_12),
        TEST_CONNECTED(what_arrived_before_a_reset_can_be_read),
        TEST_CONNECTED(a_reset_ends_every_closing_state),
        TEST_CONNECTED(close_with_unread_data_resets_SHLD_3),
        TEST_CONNECTED(data_after_close_is_answered_with_reset),
        TEST_CONNECTED(linger_0_aborts),
        TEST_CONNECTED(close_sends_what_is_queued_first),
        TEST_CONNECTED(fin_wait_2_without_an_application_ends_after_a_minute),
        TEST_CONNECTED(a_closed_window_does_not_hold_a_closed_connection_for_ever),
        TEST_CONNECTED(a_newer_syn_reopens_a_connection_in_time_wait_above_its_numbers_MAY_2),
        TEST_CONNECTED(only_the_fin_that_comes_again_prolongs_time_wait),
        TEST_CONNECTED(an_older_syn_does_not_reopen_time_wait),
        TEST_CONNECTED(a_syn_that_a_full_queue_drops_does_not_end_time_wait),
        TEST_CONNECTED(time_wait_gives_way_when_every_connection_is_taken),
        TEST_CONNECTED(shutdown_before_a_simultaneous_open_completes_sends_fin_afterwards),
        TEST(shutdown_before_a_simultaneous_open_completes_makes_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
