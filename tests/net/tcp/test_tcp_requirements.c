/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements of RFC 9293 that no other test needs; docs/rfc9293.md has the whole table. */
#include "peer.h"

#include <errno.h>
#include <string.h>

static void set_option(struct fixture *f, int fd, int level, int option, int value)
{
    assert_int_equal(lan_setsockopt(f->stack, fd, level, option, &value, sizeof value), 0);
}

static struct lan_sockaddr_in name_of(uint32_t address, uint16_t port)
{
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = address};
    put16((uint8_t *)&name.sin_port, port);
    return name;
}

static uint32_t bytes_sent(struct peer *p)
{
    uint32_t bytes = 0;
    while (frames_waiting(p->f))
        bytes += next_sent(p).bytes;
    return bytes;
}

static void a_window_above_32767_is_used_in_full_MUST_1_REC_1(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1;
    for (uint32_t segments = 10; segments <= 20; segments *= 2) { /* opens the congestion window */
        host_sends(p, seq, segments * MSS);
        for (uint32_t i = 0; i < segments; i++)
            from_peer(p, ACK, 1, seq += MSS, 0);
    }
    skip_sent(p);
    host_sends(p, seq, 45000);
    assert_int_equal(bytes_sent(p), 45000);
}

static void every_segment_sent_has_right_checksums_MUST_2(void **state)
{
    struct peer *p = *state;
    uint32_t segments = 0;
    host_sends(p, 1, 2 * MSS + 33);
    from_peer(p, ACK | PSH, 1, 1, 7);
    wait_ms(p, 100);
    lan_shutdown(p->f->stack, p->fd, LAN_SHUT_WR);
    from_peer(p, ACK, 8, 1 + 2 * MSS + 33, 0);
    from_peer(p, ACK, 8, 90000, 0); /* a challenge */
    for (; frames_waiting(p->f); segments++)
        assert_true(frame_valid(expect_frame(p->f)));
    assert_in_range(segments, 5, 20);
}

static void options_are_taken_in_any_segment_MUST_5(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    peer_frame(p, &frame, ACK, 1, 1, "\x01\xfd\x03\x00", 4, 100);
    inject(p->f, &frame);
    host_reads(p, 1, 100);
}

static void what_follows_the_end_of_options_means_nothing_MUST_69(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    peer_frame(p, &frame, ACK, 1, 1, "\x00\x02\x00\xff", 4, 100);
    inject(p->f, &frame);
    host_reads(p, 1, 100);
}

static void the_user_timeout_bounds_the_syn_too_MUST_22(void **state)
{
    struct peer p = peer_of(*state);
    p.fd = open_socket(p.f);
    set_option(p.f, p.fd, LAN_IPPROTO_TCP, LAN_TCP_USER_TIMEOUT, 10000);
    start_connect(&p);
    wait_ms(&p, 9000);
    assert_int_equal(socket_error(&p), 0);
    wait_ms(&p, 11000);
    assert_int_equal(socket_error(&p), ETIMEDOUT);
    skip_sent(&p);
}

static void keep_alive_can_be_switched_off_again_MUST_24(void **state)
{
    struct peer *p = *state;
    set_option(p->f, p->fd, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, 1);
    set_option(p->f, p->fd, LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE, 10);
    wait_ms(p, 10000);
    expect(p, ACK, 0, 1, 0);
    from_peer(p, ACK, 1, 1, 0);
    set_option(p->f, p->fd, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, 0);
    wait_ms(p, 100000);
    expect_quiet(p);
}

static void keep_alive_can_be_switched_off_when_half_closed_MUST_24(void **state)
{
    struct peer *p = *state;
    set_option(p->f, p->fd, LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE, 10);
    set_option(p->f, p->fd, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, 1);
    lan_shutdown(p->f->stack, p->fd, LAN_SHUT_WR);
    expect(p, FIN | ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 2, 0); /* FIN-WAIT-2 */
    set_option(p->f, p->fd, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, 0);
    wait_ms(p, 100000);
    expect_quiet(p);
}

static void a_window_that_shrinks_to_zero_is_probed_MUST_35(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 2 * MSS);
    assert_int_equal(bytes_sent(p), 2 * MSS);
    p->window = 0;
    from_peer(p, ACK, 1, 1 + MSS, 0);
    wait_ms(p, 3000);
    assert_int_not_equal(skip_sent(p), 0);
    p->window = 65535;
    from_peer(p, ACK, 1, 1 + 2 * MSS, 0);
    host_sends(p, 1 + 2 * MSS, 100);
    expect(p, ACK, 1 + 2 * MSS, 1, 100);
}

static void a_passive_open_leaves_connections_alone_MUST_41(void **state)
{
    struct peer p = peer_of(*state);
    passive_open(&p);
    listen_on(p.f, 81, 1);
    from_peer(&p, ACK, 1, 1, 100);
    host_reads(&p, 1, 100);
}

static void a_port_can_be_listened_on_while_it_connects_MUST_42(void **state)
{
    struct peer p = peer_of(*state);
    struct lan_sockaddr_in own = name_of(HOST, 7777);
    int listener = open_socket(p.f);
    p.fd = open_socket(p.f);
    set_option(p.f, p.fd, LAN_SOL_SOCKET, LAN_SO_REUSEADDR, 1);
    set_option(p.f, listener, LAN_SOL_SOCKET, LAN_SO_REUSEADDR, 1);
    assert_int_equal(lan_bind(p.f->stack, p.fd, &own), 0);
    start_connect(&p);
    assert_int_equal(lan_bind(p.f->stack, listener, &own), 0);
    assert_int_equal(lan_listen(p.f->stack, listener, 1), 0);
    from_peer(&p, SYN | ACK, 0, 1, 0);
    expect(&p, ACK, 1, 1, 0);
}

static void a_connection_leaves_from_the_address_it_is_bound_to_MUST_43(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in own = name_of(HOST, 0), foreign = name_of(ADDRESS(198, 51, 100, 1), 0), seen;
    int fd = open_socket(f);
    assert_int_equal(lan_bind(f->stack, fd, &foreign), -EADDRNOTAVAIL);
    assert_int_equal(lan_bind(f->stack, fd, &own), 0);
    assert_int_equal(lan_getsockname(f->stack, fd, &seen), 0);
    assert_int_equal(seen.sin_addr, HOST);
}

static void the_local_address_is_chosen_before_the_first_syn_and_kept_MUST_44_MUST_45(void **state)
{
    struct peer p = peer_of(*state);
    struct lan_sockaddr_in own;
    start_connect(&p);
    assert_int_equal(lan_getsockname(p.f->stack, p.fd, &own), 0);
    assert_int_equal(own.sin_addr, HOST);
    wait_ms(&p, 1500);
    assert_int_equal(get32(expect_frame(p.f)->bytes + ETH + 12), HOST); /* the SYN again */
}

static void the_application_sets_dscp_and_ttl_MUST_48_MUST_49_SHLD_21_SHLD_22(void **state)
{
    struct peer *p = *state;
    set_option(p->f, p->fd, LAN_IPPROTO_IP, LAN_IP_TOS, 0xb8);
    set_option(p->f, p->fd, LAN_IPPROTO_IP, LAN_IP_TTL, 7);
    host_sends(p, 1, 10);
    const struct frame *frame = expect_frame(p->f);
    assert_int_equal(frame->bytes[ETH + 1], 0xb8);
    assert_int_equal(frame->bytes[ETH + 8], 7);
}

static void unknown_ip_options_do_no_harm_MUST_50(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    peer_frame(p, &frame, ACK, 1, 1, NULL, 0, 100);
    frame_ip_options(&frame, "\x9e\x04\x00\x00", 4);
    inject(p->f, &frame);
    host_reads(p, 1, 100);
}

static void source_quench_is_ignored_MUST_55(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    uint8_t quoted[IP + 8];
    host_sends(p, 1, MSS);
    memcpy(quoted, expect_frame(p->f)->bytes + ETH, sizeof quoted);
    frame_icmp(&frame, 4, 0, quoted, sizeof quoted);
    inject(p->f, &frame);
    assert_int_equal(socket_error(p), 0);
    host_sends(p, 1 + MSS, 9 * MSS);
    assert_int_equal(bytes_sent(p), 9 * MSS); /* the whole of the first window */
}

static void a_syn_from_an_address_that_is_nobodys_is_ignored_MUST_63(void **state)
{
    static const uint32_t sources[] = {0, ADDRESS(192, 0, 2, 255), ADDRESS(255, 255, 255, 255), ADDRESS(224, 0, 0, 1),
                                       ADDRESS(240, 0, 0, 1)};
    struct peer p = peer_of(*state);
    static struct frame frame;
    listen_on(p.f, HOST_PORT, 5);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        peer_frame(&p, &frame, SYN, 0, 0, NULL, 0, 0);
        memcpy(frame.bytes + ETH + 12, &sources[i], 4);
        fix_ip(&frame);
        fix_l4(&frame);
        inject(p.f, &frame);
        wait_ms(&p, 2000);
        expect_quiet(&p);
    }
}

static void a_reset_may_carry_data_SHLD_2(void **state)
{
    struct peer *p = *state;
    from_peer(p, RST, 1, 0, 50);
    expect_quiet(p);
    assert_int_equal(socket_error(p), ECONNRESET);
}

static void the_first_probe_of_a_closed_window_waits_for_the_rto_SHLD_29(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 100);
    wait_ms(p, 150);
    expect_quiet(p);
    wait_ms(p, 3000);
    assert_int_not_equal(skip_sent(p), 0);
}

static uint32_t events;

static void count_event(void *arg)
{
    (void)arg;
    events++;
}

static int soft_error(struct peer *p)
{
    int error;
    uint32_t bytes = sizeof error;
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_SOFT_ERROR, &error, &bytes), 0);
    return error;
}

static void the_application_is_told_that_the_peer_does_not_answer_after_r1_SHLD_9(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10);
    lan_set_notify(p->f->stack, p->fd, count_event, NULL);
    events = 0;
    assert_int_equal(soft_error(p), 0);
    while (counter(p->f, "TcpExtTCPTimeouts") < 2)
        wait_ms(p, 100);
    assert_int_equal(events, 0);
    assert_int_equal(soft_error(p), 0);
    while (counter(p->f, "TcpExtTCPTimeouts") < 3)
        wait_ms(p, 100);
    assert_int_equal(events, 1);
    assert_int_equal(soft_error(p), ETIMEDOUT);
    skip_sent(p);
    from_peer(p, ACK, 1, 11, 0); /* it does again */
    assert_int_equal(soft_error(p), 0);
    lan_set_notify(p->f->stack, p->fd, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(a_window_above_32767_is_used_in_full_MUST_1_REC_1),
        TEST_CONNECTED(every_segment_sent_has_right_checksums_MUST_2),
        TEST_CONNECTED(options_are_taken_in_any_segment_MUST_5),
        TEST_CONNECTED(what_follows_the_end_of_options_means_nothing_MUST_69),
        TEST(the_user_timeout_bounds_the_syn_too_MUST_22),
        TEST_CONNECTED(keep_alive_can_be_switched_off_again_MUST_24),
        TEST_CONNECTED(keep_alive_can_be_switched_off_when_half_closed_MUST_24),
        TEST_CONNECTED(a_window_that_shrinks_to_zero_is_probed_MUST_35),
        TEST(a_passive_open_leaves_connections_alone_MUST_41),
        TEST(a_port_can_be_listened_on_while_it_connects_MUST_42),
        TEST(a_connection_leaves_from_the_address_it_is_bound_to_MUST_43),
        TEST(the_local_address_is_chosen_before_the_first_syn_and_kept_MUST_44_MUST_45),
        TEST_CONNECTED(the_application_sets_dscp_and_ttl_MUST_48_MUST_49_SHLD_21_SHLD_22),
        TEST_CONNECTED(unknown_ip_options_do_no_harm_MUST_50),
        TEST_CONNECTED(source_quench_is_ignored_MUST_55),
        TEST(a_syn_from_an_address_that_is_nobodys_is_ignored_MUST_63),
        TEST_CONNECTED(a_reset_may_carry_data_SHLD_2),
        TEST_CONNECTED(the_first_probe_of_a_closed_window_waits_for_the_rto_SHLD_29),
        TEST_CONNECTED(the_application_is_told_that_the_peer_does_not_answer_after_r1_SHLD_9),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
