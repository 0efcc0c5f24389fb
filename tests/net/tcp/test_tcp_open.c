/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a connection: RFC 9293 3.5, 3.7.1, 3.10.7.1 to 3.10.7.3. */
#include "peer.h"

#include <errno.h>
#include <string.h>

static int ready(struct peer *p)
{
    return lan_ready(p->f->stack, p->fd, LAN_POLLIN | LAN_POLLOUT);
}

static void active_open_sends_syn_and_acknowledges_the_answer(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    assert_int_equal(ready(&p), 0);
    from_peer(&p, SYN | ACK, 0, 1, 0);
    expect(&p, ACK, 1, 1, 0);
    assert_int_equal(ready(&p), LAN_POLLOUT);
    assert_int_equal(socket_error(&p), 0);
}

static void passive_open_answers_syn_and_queues_for_accept(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 1);
    assert_int_equal(lan_accept(p.f->stack, listener, NULL, 0), -EAGAIN);
    handshake_to(&p);
    struct lan_sockaddr_in name;
    p.fd = lan_accept(p.f->stack, listener, &name, LAN_SOCK_NONBLOCK);
    assert_true(p.fd >= 0);
    assert_int_equal(name.sin_addr, PEER);
    assert_int_equal(get16((uint8_t *)&name.sin_port), PEER_PORT);
}

static void nobody_is_accepted_before_the_handshake_is_complete(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 1);
    from_peer(&p, SYN, 0, 0, 0);
    next_sent(&p);
    assert_int_equal(lan_accept(p.f->stack, listener, NULL, 0), -EAGAIN);
}

static void simultaneous_open_connects_MUST_10(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer(&p, SYN, 0, 0, 0);
    expect(&p, SYN | ACK, 0, 1, 0);
    from_peer(&p, SYN | ACK, 0, 1, 0); /* figure 7: that is all it takes */
    expect_quiet(&p);
    assert_int_equal(ready(&p), LAN_POLLOUT);
    from_peer(&p, ACK, 1, 1, 10);
    host_reads(&p, 1, 10);
}

/* As of a peer that drops a SYN-ACK whose SYN it has, as 3.10.7.4 can be read. */
static void an_ack_completes_a_simultaneous_open_too(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer(&p, SYN, 0, 0, 0);
    expect(&p, SYN | ACK, 0, 1, 0);
    from_peer(&p, SYN | ACK, 0, 2, 0); /* of another attempt */
    expect(&p, RST, 2, 0, 0);
    assert_int_equal(ready(&p), 0);
    from_peer(&p, ACK, 1, 1, 0);
    assert_int_equal(ready(&p), LAN_POLLOUT);
}

/* Both ends scale windows; the peer's SYN-ACK offers `window`. */
static struct peer open_simultaneously(void **state, uint16_t window)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer_options(&p, SYN, 0, 0, "\x02\x04\x05\xb4\x01\x03\x03\x07", 8);
    next_sent(&p);
    p.window = window;
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4\x01\x03\x03\x07", 8);
    return p;
}

static void the_window_of_a_simultaneous_open_is_not_scaled_RFC_7323_2_2(void **state)
{
    struct peer p = open_simultaneously(state, 4000);
    host_sends(&p, 1, 5 * MSS);
    expect(&p, ACK, 1, 1, MSS);
    expect(&p, ACK, 1 + MSS, 1, MSS);
    expect_quiet(&p);
}

static void a_small_window_of_a_simultaneous_open_is_not_none(void **state)
{
    struct peer p = open_simultaneously(state, 100);
    host_sends(&p, 1, 1000);
    expect(&p, ACK, 1, 1, 100);
    expect_quiet(&p);
}

static void a_reset_ends_a_simultaneous_open_MUST_11(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer(&p, SYN, 0, 0, 0);
    next_sent(&p);
    from_peer(&p, RST, 1, 0, 0);
    assert_int_equal(socket_error(&p), ECONNREFUSED);
}

static void a_reset_returns_a_passive_open_to_listen_MUST_11(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 1);
    from_peer(&p, SYN, 0, 0, 0);
    next_sent(&p);
    from_peer(&p, RST, 1, 0, 0);
    from_peer(&p, ACK, 1, 1, 0);
    assert_int_equal(next_sent(&p).flags, RST);
    assert_int_equal(lan_accept(p.f->stack, listener, NULL, 0), -EAGAIN);
    handshake_to(&p);
    assert_true(lan_accept(p.f->stack, listener, NULL, 0) >= 0);
}

static void a_closed_port_answers_syn_with_reset_at_once(void **state)
{
    struct peer p = peer_of(*state);
    from_peer(&p, SYN, 0, 0, 0);
    struct sent sent = next_sent(&p);
    assert_int_equal(sent.flags, RST | ACK);
    assert_int_equal(sent.seq + p.host_iss, 0);
    assert_int_equal(sent.ack, 1);
    assert_int_equal(counter(p.f, "TcpOutRsts"), 1);
}

static void a_closed_port_answers_ack_with_reset_at_its_number(void **state)
{
    struct peer p = peer_of(*state);
    from_peer(&p, ACK, 100, 12345, 0);
    expect(&p, RST, 12345, 0, 0);
}

static void a_closed_port_does_not_answer_reset(void **state)
{
    struct peer p = peer_of(*state);
    from_peer(&p, RST, 100, 0, 0);
    expect_quiet(&p);
}

static void a_reset_to_our_syn_refuses_the_connection(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer(&p, RST | ACK, 0, 1, 0);
    assert_int_equal(socket_error(&p), ECONNREFUSED);
    assert_int_equal(lan_send(p.f->stack, p.fd, "x", 1, 0), -EPIPE);
}

static void a_reset_that_acknowledges_nothing_of_ours_is_ignored_in_syn_sent(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer(&p, RST, 0, 0, 0);
    from_peer(&p, RST | ACK, 0, 2, 0);
    from_peer(&p, SYN | ACK, 0, 1, 0);
    expect(&p, ACK, 1, 1, 0);
}

static void an_ack_of_what_was_never_sent_is_reset_in_syn_sent(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer(&p, ACK, 55, 99, 0);
    expect(&p, RST, 99, 0, 0);
    from_peer(&p, SYN | ACK, 0, 1, 0);
    expect(&p, ACK, 1, 1, 0);
}

static void an_ack_to_a_listener_is_reset(void **state)
{
    struct peer p = peer_of(*state);
    listen_on(p.f, HOST_PORT, 1);
    from_peer(&p, ACK, 1, 77, 0);
    expect(&p, RST, 77, 0, 0);
}

static void a_wrong_ack_in_syn_received_is_reset_and_changes_nothing(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 1);
    from_peer(&p, SYN, 0, 0, 0);
    p.host_iss = next_sent(&p).seq;
    from_peer(&p, ACK, 1, 2, 0);
    expect(&p, RST, 2, 0, 0);
    from_peer(&p, ACK, 1, 1, 0);
    assert_true(lan_accept(p.f->stack, listener, NULL, 0) >= 0);
}

static void a_syn_is_sent_again_with_back_off_for_three_minutes_and_then_given_up_MUST_23(void **state)
{
    struct peer p = peer_of(*state);
    static const uint32_t after_s[] = {1, 2, 4, 8, 16, 32, 60};
    start_connect(&p);
    for (size_t i = 0; i < sizeof after_s / sizeof *after_s; i++) {
        wait_ms(&p, after_s[i] * 1000 - 1);
        expect_quiet(&p);
        wait_ms(&p, 1);
        expect(&p, SYN, 0, 0, 0);
    }
    wait_ms(&p, 56999);
    assert_int_equal(socket_error(&p), 0);
    wait_ms(&p, 1);
    assert_int_equal(socket_error(&p), ETIMEDOUT);
    expect_quiet(&p);
}

static void a_repeated_syn_gets_the_same_syn_ack(void **state)
{
    struct peer p = peer_of(*state);
    listen_on(p.f, HOST_PORT, 1);
    from_peer(&p, SYN, 0, 0, 0);
    p.host_iss = next_sent(&p).seq;
    from_peer(&p, SYN, 0, 0, 0);
    expect(&p, SYN | ACK, 0, 1, 0);
}

static void a_lost_syn_ack_is_sent_again(void **state)
{
    struct peer p = peer_of(*state);
    listen_on(p.f, HOST_PORT, 1);
    from_peer(&p, SYN, 0, 0, 0);
    p.host_iss = next_sent(&p).seq;
    wait_ms(&p, 1000);
    expect(&p, SYN | ACK, 0, 1, 0);
}

static void the_backlog_bounds_what_waits_for_accept(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 2);
    for (int i = 0; i < 2; i++, p.port++)
        handshake_to(&p);
    from_peer(&p, SYN, 0, 0, 0);
    expect_quiet(&p);
    assert_int_equal(counter(p.f, "TcpExtListenOverflows"), 1);
    assert_true(lan_accept(p.f->stack, listener, NULL, 0) >= 0);
    handshake_to(&p);
}

static void half_open_connections_are_bounded_and_their_memory_comes_back(void **state)
{
    struct peer p = peer_of(*state);
    listen_on(p.f, HOST_PORT, 1000);
    for (int i = 0; i < 500; i++, p.port++)
        from_peer(&p, SYN, 0, 0, 0);
    uint64_t cookies = counter(p.f, "TcpExtTCPReqQFullDoCookies");
    assert_in_range(500 - cookies, 1, (16 + 16) / 2);
    assert_int_equal(skip_sent(&p), 500);
    wait_ms(&p, 181000);
    skip_sent(&p);
    from_peer(&p, SYN, 0, 0, 0);
    assert_int_equal(next_sent(&p).flags, SYN | ACK);
    assert_int_equal(counter(p.f, "TcpExtTCPReqQFullDoCookies"), cookies);
}

static void an_honest_peer_gets_through_a_flood_of_syns(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 1000);
    for (int i = 0; i < 3000; i++, p.port++) { /* 1,000 a second for three seconds, answered by nobody */
        from_peer(&p, SYN, 0, 0, 0);
        wait_ms(&p, 1);
        skip_sent(&p);
    }
    p.port = PEER_PORT - 1;
    p.host_iss = 0;
    for (int tries = 0; tries < 10 && !p.host_iss; tries++) { /* as its own time-outs would */
        from_peer(&p, SYN, 0, 0, 0);
        if (frames_waiting(p.f))
            p.host_iss = next_sent(&p).seq;
        else
            wait_ms(&p, 1000);
    }
    from_peer(&p, ACK, 1, 1, 0);
    assert_true(lan_accept(p.f->stack, listener, NULL, 0) >= 0);
}

static void closing_a_listener_resets_its_children(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 4);
    handshake_to(&p);
    lan_close(p.f->stack, listener);
    expect(&p, RST | ACK, 1, 1, 0);
    from_peer(&p, ACK, 1, 1, 0);
    expect(&p, RST, 1, 0, 0);
}

static void a_child_that_is_reset_is_not_accepted(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 4);
    handshake_to(&p);
    from_peer(&p, RST, 1, 0, 0);
    assert_int_equal(lan_accept(p.f->stack, listener, NULL, 0), -EAGAIN);
}

static void data_that_arrives_before_accept_is_kept(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 4);
    handshake_to(&p);
    from_peer(&p, ACK, 1, 1, 100);
    p.fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    host_reads(&p, 1, 100);
}

static void initial_sequence_numbers_differ_between_connections_and_grow_with_time_MUST_8(void **state)
{
    struct peer p = peer_of(*state);
    listen_on(p.f, HOST_PORT, 8);
    uint32_t iss[3];
    for (int i = 0; i < 3; i++) {
        p.port = i < 2 ? PEER_PORT + 1 : PEER_PORT + 2;
        from_peer(&p, SYN, 0, 0, 0);
        p.host_iss = 0;
        iss[i] = next_sent(&p).seq;
        p.host_iss = iss[i];
        from_peer(&p, RST, 1, 0, 0);
        p.host_iss = 0;
        wait_ms(&p, 4);
    }
    assert_in_range(iss[1] - iss[0], 976, 977); /* the same tuple 4 ms later: ticks of 4.096 us */
    assert_true(iss[2] - iss[1] > 100000 && iss[1] - iss[2] > 100000);
}

static void connecting_to_broadcast_or_multicast_fails_MUST_46(void **state)
{
    struct peer p = peer_of(*state);
    static const uint32_t groups[] = {ADDRESS(255, 255, 255, 255), ADDRESS(192, 0, 2, 255), ADDRESS(224, 0, 0, 1)};
    for (int i = 0; i < 3; i++) {
        struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_port = 1, .sin_addr = groups[i]};
        int fd = open_socket(p.f);
        assert_int_equal(lan_connect(p.f->stack, fd, &name), -ENETUNREACH);
    }
    expect_quiet(&p);
}

static void a_syn_to_broadcast_is_dropped_MUST_57(void **state)
{
    struct peer p = peer_of(*state);
    static struct frame frame;
    uint32_t broadcast = ADDRESS(192, 0, 2, 255);
    listen_on(p.f, HOST_PORT, 1);
    peer_frame(&p, &frame, SYN, 0, 0, NULL, 0, 0);
    memcpy(frame.bytes + ETH + 16, &broadcast, 4);
    memcpy(frame.bytes, BROADCAST_MAC, 6);
    fix_ip(&frame);
    fix_l4(&frame);
    inject(p.f, &frame);
    expect_quiet(&p);
    assert_int_equal(counter(p.f, "TcpExtTCPGroup"), 1);
}

static void two_listeners_on_one_port_are_refused(void **state)
{
    struct peer p = peer_of(*state);
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET};
    put16((uint8_t *)&name.sin_port, HOST_PORT);
    int first = listen_on(p.f, HOST_PORT, 1), second = open_socket(p.f);
    assert_int_equal(lan_bind(p.f->stack, second, &name), -EADDRINUSE);
    lan_close(p.f->stack, first);
    assert_int_equal(lan_bind(p.f->stack, second, &name), 0);
}

static void connect_twice_is_already_and_then_is_connected(void **state)
{
    struct peer p = peer_of(*state);
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = PEER, .sin_port = 1};
    start_connect(&p);
    assert_int_equal(lan_connect(p.f->stack, p.fd, &name), -EALREADY);
    from_peer(&p, SYN | ACK, 0, 1, 0);
    next_sent(&p);
    assert_int_equal(lan_connect(p.f->stack, p.fd, &name), -EISCONN);
}

static void a_socket_whose_connection_was_refused_may_connect_again(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer(&p, RST | ACK, 0, 1, 0);
    assert_int_equal(socket_error(&p), ECONNREFUSED);
    active_open(&p);
    host_sends(&p, 1, 10);
    expect(&p, ACK, 1, 1, 10);
}

/* The first peer agreed to window scaling and was reset, the second has no such option. */
static void what_the_first_attempt_agreed_to_does_not_bind_the_second(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4\x01\x03\x03\x07", 8);
    expect(&p, ACK, 1, 1, 0);
    from_peer(&p, RST, 1, 0, 0);
    assert_int_equal(socket_error(&p), ECONNRESET);
    p.window = 2 * MSS;
    active_open(&p);
    from_peer(&p, ACK, 1, 1, 0); /* in a SYN no window is scaled */
    host_sends(&p, 1, 10 * MSS);
    uint32_t sent = 0;
    while (frames_waiting(p.f))
        sent += next_sent(&p).bytes;
    assert_int_equal(sent, 2 * MSS);
}

static void a_full_table_of_connections_refuses_and_evicts_nobody(void **state)
{
    struct peer p = peer_of(*state);
    int fds[64], n = 0;
    active_open(&p);
    while (n < 64 && (fds[n] = lan_socket(p.f->stack, LAN_AF_INET, LAN_SOCK_STREAM, 0)) >= 0)
        n++;
    assert_int_equal(fds[n], -ENOBUFS);
    host_sends(&p, 1, 10);
    expect(&p, ACK, 1, 1, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(active_open_sends_syn_and_acknowledges_the_answer),
        TEST(passive_open_answers_syn_and_queues_for_accept),
        TEST(nobody_is_accepted_before_the_handshake_is_complete),
        TEST(simultaneous_open_connects_MUST_10),
        TEST(an_ack_completes_a_simultaneous_open_too),
        TEST(the_window_of_a_simultaneous_open_is_not_scaled_RFC_7323_2_2),
        TEST(a_small_window_of_a_simultaneous_open_is_not_none),
        TEST(a_reset_ends_a_simultaneous_open_MUST_11),
        TEST(a_reset_returns_a_passive_open_to_listen_MUST_11),
        TEST(a_closed_port_answers_syn_with_reset_at_once),
        TEST(a_closed_port_answers_ack_with_reset_at_its_number),
        TEST(a_closed_port_does_not_answer_reset),
        TEST(a_reset_to_our_syn_refuses_the_connection),
        TEST(a_reset_that_acknowledges_nothing_of_ours_is_ignored_in_syn_sent),
        TEST(an_ack_of_what_was_never_sent_is_reset_in_syn_sent),
        TEST(an_ack_to_a_listener_is_reset),
        TEST(a_wrong_ack_in_syn_received_is_reset_and_changes_nothing),
        TEST(a_syn_is_sent_again_with_back_off_for_three_minutes_and_then_given_up_MUST_23),
        TEST(a_repeated_syn_gets_the_same_syn_ack),
        TEST(a_lost_syn_ack_is_sent_again),
        TEST(the_backlog_bounds_what_waits_for_accept),
        TEST(half_open_connections_are_bounded_and_their_memory_comes_back),
        TEST(an_honest_peer_gets_through_a_flood_of_syns),
        TEST(closing_a_listener_resets_its_children),
        TEST(a_child_that_is_reset_is_not_accepted),
        TEST(data_that_arrives_before_accept_is_kept),
        TEST(initial_sequence_numbers_differ_between_connections_and_grow_with_time_MUST_8),
        TEST(connecting_to_broadcast_or_multicast_fails_MUST_46),
        TEST(a_syn_to_broadcast_is_dropped_MUST_57),
        TEST(two_listeners_on_one_port_are_refused),
        TEST(connect_twice_is_already_and_then_is_connected),
        TEST(a_socket_whose_connection_was_refused_may_connect_again),
        TEST(what_the_first_attempt_agreed_to_does_not_bind_the_second),
        TEST(a_full_table_of_connections_refuses_and_evicts_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
