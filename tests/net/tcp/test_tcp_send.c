/* SPDX-License-Identifier: Apache-2.0 */
/* Sending: segmentation, Nagle, windows, silly window avoidance, window probes, keep-alive. */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>

static void set_option(struct peer *p, int level, int option, int value)
{
    assert_int_equal(lan_setsockopt(p->f->stack, p->fd, level, option, &value, sizeof value), 0);
}

static void data_goes_in_full_segments_and_the_last_one_has_psh_MUST_61(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 2 * MSS);
    assert_int_equal(expect(p, ACK, 1, 1, MSS).flags & PSH, 0);
    assert_int_equal(expect(p, ACK, 1461, 1, MSS).flags & PSH, PSH);
}

static void nagle_holds_a_small_segment_while_data_is_under_way_SHLD_7(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10);
    expect(p, ACK, 1, 1, 10);
    host_sends(p, 11, 10);
    host_sends(p, 21, 10);
    expect_quiet(p);
    from_peer(p, ACK, 1, 11, 0);
    expect(p, ACK, 11, 1, 20);
}

static void nagle_does_not_hold_a_full_segment(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10);
    expect(p, ACK, 1, 1, 10);
    host_sends(p, 11, 2000);
    expect(p, ACK, 11, 1, MSS);
    expect_quiet(p);
}

static void nagle_lets_the_small_end_of_a_large_write_go(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 2000);
    expect(p, ACK, 1, 1, MSS);
    expect(p, ACK, 1461, 1, 540);
    host_sends(p, 2001, 10); /* but only one small segment at a time */
    expect_quiet(p);
    from_peer(p, ACK, 1, 2001, 0);
    expect(p, ACK, 2001, 1, 10);
}

static void nodelay_sends_at_once_MUST_17(void **state)
{
    struct peer *p = *state;
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, 1);
    host_sends(p, 1, 10);
    expect(p, ACK, 1, 1, 10);
    host_sends(p, 11, 10);
    expect(p, ACK, 11, 1, 10);
}

static void setting_nodelay_releases_what_nagle_held(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10);
    host_sends(p, 11, 10);
    expect(p, ACK, 1, 1, 10);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, 1);
    expect(p, ACK, 11, 1, 10);
}

static void msg_more_holds_a_small_segment_until_more_comes(void **state)
{
    struct peer *p = *state;
    uint8_t data[10];
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = stream_byte(1 + i);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, sizeof data, LAN_MSG_MORE), sizeof data);
    expect_quiet(p);
    host_sends(p, 11, 10);
    expect(p, ACK, 1, 1, 20);
}

static void msg_more_does_not_hold_for_ever(void **state)
{
    struct peer *p = *state;
    uint8_t byte = stream_byte(1);
    lan_send(p->f->stack, p->fd, &byte, 1, LAN_MSG_MORE);
    wait_ms(p, 1000);
    expect(p, ACK, 1, 1, 1);
}

static void no_more_than_the_peers_window_is_sent(void **state)
{
    struct peer *p = *state;
    p->window = 4 * MSS;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 20000);
    for (int i = 0; i < 4; i++)
        expect(p, ACK, 1 + i * MSS, 1, MSS);
    expect_quiet(p);
    p->window = MSS; /* the right edge moves by one segment */
    from_peer(p, ACK, 1, 1 + 4 * MSS, 0);
    expect(p, ACK, 1 + 4 * MSS, 1, MSS);
    expect_quiet(p);
}

static void an_old_segment_does_not_change_the_window(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 100);
    p->window = 10;
    from_peer(p, ACK, 1, 1, 100); /* a duplicate */
    skip_sent(p);
    host_sends(p, 1, 2 * MSS);
    expect(p, ACK, 1, 101, MSS);
    expect(p, ACK, 1461, 101, MSS);
}

/* Nor does one that fills a gap, which is older than what came from beyond it (RFC 9293 3.10.7.4, SND.WL1). */
static void nor_does_one_that_fills_a_gap(void **state)
{
    struct peer *p = *state;
    p->window = 3000;
    from_peer(p, ACK, 101, 1, 100);
    expect(p, ACK, 1, 1, 0);
    p->window = 1000;
    from_peer(p, ACK, 1, 1, 100);
    expect(p, ACK, 1, 201, 0);
    host_sends(p, 1, 4000);
    expect(p, ACK, 1, 201, MSS);
    expect(p, ACK, 1461, 201, MSS);
    expect_quiet(p);
    host_reads(p, 1, 200);
}

static void a_window_of_less_than_a_segment_waits_for_the_override_timer_MUST_38(void **state)
{
    struct peer *p = *state;
    p->window = 1000;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 2000);
    expect_quiet(p);
    wait_ms(p, 1000);
    expect(p, ACK, 1, 1, 1000);
}

static void half_of_the_largest_window_is_worth_sending_MUST_38(void **state)
{
    struct peer p = peer_of(*state);
    p.window = 1000;
    active_open(&p);
    host_sends(&p, 1, 2000);
    expect(&p, ACK, 1, 1, 1000);
    p.window = 499;
    from_peer(&p, ACK, 1, 1001, 0);
    expect_quiet(&p);
    p.window = 500;
    from_peer(&p, ACK, 1, 1001, 0);
    expect(&p, ACK, 1001, 1, 500);
}

static void a_closed_window_is_probed_with_back_off_MUST_36_SHLD_30(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 2000);
    expect_quiet(p);
    uint64_t last = p->f->now_ns, gap = 0;
    for (int i = 0; i < 8; i++) {
        while (!skip_sent(p))
            wait_ms(p, 10);
        assert_true(p->f->now_ns - last >= gap);
        gap = (p->f->now_ns - last) * 19 / 10 < UINT64_C(50000000000) ? (p->f->now_ns - last) * 19 / 10 : gap;
        last = p->f->now_ns;
        from_peer(p, ACK, 1, 1, 0);
    }
    assert_int_equal(counter(p->f, "TcpExtTCPWinProbe"), 8);
}

static void a_probe_carries_one_byte_and_the_rest_follows_when_the_window_opens(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 2 * MSS);
    wait_ms(p, 250);
    expect(p, ACK, 1, 1, 1);
    from_peer(p, ACK, 1, 1, 0); /* refused */
    p->window = 65535;
    from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1, 1, MSS);
    expect(p, ACK, 1461, 1, MSS);
}

static void a_probe_that_is_taken_moves_on(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 2000);
    wait_ms(p, 250);
    expect(p, ACK, 1, 1, 1);
    from_peer(p, ACK, 1, 2, 0);
    wait_ms(p, 1000);
    expect(p, ACK, 2, 1, 1);
    p->window = 65535;
    from_peer(p, ACK, 1, 3, 0);
    expect(p, ACK, 3, 1, MSS);
}

static void a_loss_after_a_probe_that_took_the_last_byte_is_a_loss(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 1);
    wait_ms(p, 250);
    expect(p, ACK, 1, 1, 1);
    p->window = 65535;
    from_peer(p, ACK, 1, 2, 0);
    host_sends(p, 2, 10);
    expect(p, ACK, 2, 1, 10);
    wait_ms(p, 300);
    expect(p, ACK, 2, 1, 10);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 1);
    assert_int_equal(counter(p->f, "TcpExtTCPWinProbe"), 1);
}

static void the_connection_stays_while_probes_are_acknowledged_MUST_37(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 2000);
    for (int s = 0; s < 3600; s++) {
        wait_ms(p, 1000);
        if (skip_sent(p))
            from_peer(p, ACK, 1, 1, 0);
    }
    assert_int_equal(socket_error(p), 0);
    p->window = 65535;
    from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1, 1, MSS);
}

static void a_peer_that_answers_no_probe_is_given_up(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 2000);
    wait_ms(p, 121000);
    assert_int_equal(socket_error(p), ETIMEDOUT);
    skip_sent(p);
}

static void a_window_that_shrinks_below_what_is_under_way_is_survived_MUST_34(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 3 * MSS);
    for (int i = 0; i < 3; i++)
        expect(p, ACK, 1 + i * MSS, 1, MSS);
    p->window = 0;
    from_peer(p, ACK, 1, 1461, 0);
    expect_quiet(p);
    wait_ms(p, 1000);
    assert_true(skip_sent(p) > 0);
    p->window = 65535;
    from_peer(p, ACK, 1, 1461, 0);
    expect(p, ACK, 1461, 1, MSS);
    expect(p, ACK, 2921, 1, MSS);
    from_peer(p, ACK, 1, 4381, 0);
    expect_quiet(p);
}

static void the_senders_numbers_wrap(void **state)
{
    struct peer *p = *state;
    struct peer q = *p;
    uint32_t left = UINT32_MAX - 5000 - p->host_iss; /* the ISN clock ticks every 4.096 us */
    lan_close(p->f->stack, p->fd);
    from_peer(p, RST, 1, 1, 0);
    wait_ms(p, left * UINT64_C(4096) / 1000000);
    skip_sent(p);
    handshake_to(&q);
    assert_true(q.host_iss > UINT32_MAX - 10000);
    q.fd = lan_accept(q.f->stack, 0, NULL, LAN_SOCK_NONBLOCK);
    assert_true(q.fd >= 0);
    host_sends(&q, 1, 10 * MSS);
    for (int i = 0; i < 10; i++)
        expect(&q, ACK, 1 + i * MSS, 1, MSS);
    from_peer(&q, ACK, 1, 1 + 5 * MSS, 0);
    from_peer(&q, ACK, 1, 1 + 10 * MSS, 0);
    wait_ms(&q, 10000);
    expect_quiet(&q);
}

static void a_full_send_buffer_says_again_and_then_writable(void **state)
{
    struct peer *p = *state;
    static uint8_t data[65536];
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = stream_byte(1 + i);
    set_option(p, LAN_SOL_SOCKET, LAN_SO_SNDBUF, 20000);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, sizeof data, 0), 20000);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, 1, 0), -EAGAIN);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), 0);
    skip_sent(p);
    from_peer(p, ACK, 1, 1 + 10 * MSS, 0);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), LAN_POLLOUT);
    skip_sent(p);
}

static void note(void *arg)
{
    ++*(int *)arg;
}

static void a_write_that_just_fits_is_followed_by_a_notice_when_there_is_room(void **state)
{
    struct peer *p = *state;
    static uint8_t data[20000];
    int told = 0;
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = stream_byte(1 + i);
    set_option(p, LAN_SOL_SOCKET, LAN_SO_SNDBUF, sizeof data);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, sizeof data, 0), sizeof data);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), 0);
    skip_sent(p);
    lan_set_notify(p->f->stack, p->fd, note, &told);
    from_peer(p, ACK, 1, 1 + 10 * MSS, 0);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), LAN_POLLOUT);
    assert_int_equal(told, 1);
    lan_set_notify(p->f->stack, p->fd, NULL, NULL);
    skip_sent(p);
}

static void a_write_taken_in_part_goes_in_full_segments(void **state)
{
    struct peer *p = *state;
    static uint8_t data[8000];
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = stream_byte(1 + i);
    set_option(p, LAN_SOL_SOCKET, LAN_SO_SNDBUF, 4000);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, sizeof data, 0), 4000);
    expect(p, ACK, 1, 1, MSS);
    expect(p, ACK, 1461, 1, MSS);
    expect_quiet(p); /* the rest of 8,000 bytes is about to come */
    from_peer(p, ACK, 1, 2921, 0);
    expect(p, ACK, 2921, 1, 1080);
}

static void a_driver_without_room_delays_data_and_loses_none(void **state)
{
    struct peer *p = *state;
    p->f->transmit_result = -ENOBUFS;
    host_sends(p, 1, 3 * MSS);
    expect_quiet(p);
    p->f->transmit_result = 0;
    lan_netif_tx_ready(&p->f->netif);
    for (int i = 0; i < 3; i++)
        expect(p, ACK, 1 + i * MSS, 1, MSS);
}

/* A connection with SACK, over which the host has sent ten bytes, and memory enough to fill the queue below TCP. */
static struct peer peer_with_much_memory(void)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.pool.buffers = 2048;
    struct peer p = peer_of(fixture_create(&config, LAN_NETIF_SG));
    passive_open_with(&p, "\x02\x04\x05\xb4\x04\x02\x01\x01", 8, 0);
    host_sends(&p, 1, 10);
    expect(&p, ACK, 1, 1, 10);
    return p;
}

static void fill_queue(struct peer *p)
{
    static struct frame request;
    frame_arp(&request, 1, PEER_MAC, PEER, HOST);
    p->f->transmit_result = -ENOBUFS;
    for (int i = 0; i < 1100; i++)
        inject(p->f, &request);
    assert_true(counter(p->f, "LinkOutQueueFull") > 0);
}

static void empty_queue(struct peer *p)
{
    p->f->transmit_result = 0;
    lan_netif_tx_ready(&p->f->netif);
    p->f->sent_tail = p->f->sent_head;
}

/* Nor does a full queue below TCP, and the ACK that was to leave with the data is still owed. */
static void nor_does_a_full_queue_lose_a_few_bytes(void **state)
{
    (void)state;
    struct peer p = peer_with_much_memory();
    from_peer(&p, ACK, 1, 11, 100);
    fill_queue(&p);
    uint64_t full = counter(p.f, "LinkOutQueueFull");
    host_sends(&p, 11, 10);
    assert_true(counter(p.f, "LinkOutQueueFull") > full);
    empty_queue(&p);
    wait_ms(&p, 30);
    expect(&p, ACK, 11, 101, 10);
    expect_quiet(&p);
    host_reads(&p, 1, 100);
    fixture_destroy(p.f);
}

/* An ACK with SACK blocks that found no room goes before the next data, which carry none (RFC 2018 4). */
static void nor_do_a_few_bytes_take_the_place_of_sack(void **state)
{
    (void)state;
    struct peer p = peer_with_much_memory();
    from_peer(&p, ACK, 1, 11, 0);
    fill_queue(&p);
    from_peer(&p, ACK, 101, 11, 100);
    empty_queue(&p);
    host_sends(&p, 11, 10);
    assert_int_equal(expect(&p, ACK, 11, 1, 0).option_bytes, 12);
    expect(&p, ACK, 11, 1, 10);
    expect_quiet(&p);
    fixture_destroy(p.f);
}

static void keep_alive_is_off_by_default_MUST_25(void **state)
{
    struct peer *p = *state;
    wait_ms(p, 24 * 3600 * 1000);
    expect_quiet(p);
}

static void keep_alive_probes_an_idle_peer_and_one_lost_probe_is_not_death_MUST_26_MUST_29(void **state)
{
    struct peer *p = *state;
    set_option(p, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, 1);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE, 60);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPINTVL, 10);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_KEEPCNT, 3);
    wait_ms(p, 59999);
    expect_quiet(p);
    wait_ms(p, 1);
    expect(p, ACK, 0, 1, 0);
    wait_ms(p, 10000);
    expect(p, ACK, 0, 1, 0);
    from_peer(p, ACK, 1, 1, 0); /* alive */
    wait_ms(p, 59999);
    expect_quiet(p);
    wait_ms(p, 1);
    expect(p, ACK, 0, 1, 0);
    wait_ms(p, 20000);
    expect(p, ACK, 0, 1, 0);
    expect(p, ACK, 0, 1, 0);
    assert_int_equal(socket_error(p), 0);
    wait_ms(p, 10000);
    expect(p, RST | ACK, 1, 1, 0);
    assert_int_equal(socket_error(p), ETIMEDOUT);
}

static void the_default_keep_alive_time_is_two_hours_MUST_28(void **state)
{
    struct peer *p = *state;
    set_option(p, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, 1);
    wait_ms(p, 7200 * 1000 - 1);
    expect_quiet(p);
    wait_ms(p, 1);
    expect(p, ACK, 0, 1, 0);
}

static void a_keep_alive_probe_from_the_peer_is_answered(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 0, 1, 0);
    expect(p, ACK, 1, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(data_goes_in_full_segments_and_the_last_one_has_psh_MUST_61),
        TEST_CONNECTED(nagle_holds_a_small_segment_while_data_is_under_way_SHLD_7),
        TEST_CONNECTED(nagle_does_not_hold_a_full_segment),
        TEST_CONNECTED(nagle_lets_the_small_end_of_a_large_write_go),
        TEST_CONNECTED(nodelay_sends_at_once_MUST_17),
        TEST_CONNECTED(setting_nodelay_releases_what_nagle_held),
        TEST_CONNECTED(msg_more_holds_a_small_segment_until_more_comes),
        TEST_CONNECTED(msg_more_does_not_hold_for_ever),
        TEST_CONNECTED(no_more_than_the_peers_window_is_sent),
        TEST_CONNECTED(an_old_segment_does_not_change_the_window),
        TEST_CONNECTED(nor_does_one_that_fills_a_gap),
        TEST_CONNECTED(a_window_of_less_than_a_segment_waits_for_the_override_timer_MUST_38),
        TEST(half_of_the_largest_window_is_worth_sending_MUST_38),
        TEST_CONNECTED(a_closed_window_is_probed_with_back_off_MUST_36_SHLD_30),
        TEST_CONNECTED(a_probe_carries_one_byte_and_the_rest_follows_when_the_window_opens),
        TEST_CONNECTED(a_probe_that_is_taken_moves_on),
        TEST_CONNECTED(a_loss_after_a_probe_that_took_the_last_byte_is_a_loss),
        TEST_CONNECTED(the_connection_stays_while_probes_are_acknowledged_MUST_37),
        TEST_CONNECTED(a_peer_that_answers_no_probe_is_given_up),
        TEST_CONNECTED(a_window_that_shrinks_below_what_is_under_way_is_survived_MUST_34),
        TEST_CONNECTED(the_senders_numbers_wrap),
        TEST_CONNECTED(a_full_send_buffer_says_again_and_then_writable),
        TEST_CONNECTED(a_write_that_just_fits_is_followed_by_a_notice_when_there_is_room),
        TEST_CONNECTED(a_write_taken_in_part_goes_in_full_segments),
        TEST_CONNECTED(a_driver_without_room_delays_data_and_loses_none),
        cmocka_unit_test(nor_does_a_full_queue_lose_a_few_bytes),
        cmocka_unit_test(nor_do_a_few_bytes_take_the_place_of_sack),
        TEST_CONNECTED(keep_alive_is_off_by_default_MUST_25),
        TEST_CONNECTED(keep_alive_probes_an_idle_peer_and_one_lost_probe_is_not_death_MUST_26_MUST_29),
        TEST_CONNECTED(the_default_keep_alive_time_is_two_hours_MUST_28),
        TEST_CONNECTED(a_keep_alive_probe_from_the_peer_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
