/* SPDX-License-Identifier: Apache-2.0 */
/* What the other tests leave of docs/hostile.md: options, storms and replays that no honest peer sends. */
#include "peer.h"

#include <errno.h>
#include <string.h>

/* A connection whose SYN had these options. */
static void open_with(struct peer *p, const void *options, uint32_t bytes)
{
    int listener = listen_on(p->f, p->host_port, 8);
    from_peer_options(p, SYN, 0, 0, options, bytes);
    p->host_iss = 0;
    p->host_iss = next_sent(p).seq;
    from_peer(p, ACK, 1, 1, 0);
    p->fd = lan_accept(p->f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p->fd >= 0);
}

static void the_last_of_options_that_come_twice_counts(void **state)
{
    struct peer p = peer_of(*state);
    open_with(&p, "\x02\x04\x05\xb4\x02\x04\x02\x58\x03\x03\x07\x03\x03\x00\x00\x00", 16);
    p.window = 2000; /* with a shift of 0 */
    from_peer(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, 10000);
    assert_int_equal(next_sent(&p).bytes, 600);
    uint32_t sent = 600;
    for (skip_sent(&p); frames_waiting(p.f);)
        sent += next_sent(&p).bytes;
    assert_true(sent <= 2000);
}

static void forty_bytes_of_padding_are_skipped(void **state)
{
    struct peer p = peer_of(*state);
    uint8_t padding[40];
    memset(padding, 1, sizeof padding);
    open_with(&p, padding, sizeof padding);
    from_peer_options(&p, ACK, 1, 1, padding, sizeof padding);
    from_peer(&p, ACK, 1, 1, 10);
    host_reads(&p, 1, 10);
}

static void sack_permitted_counts_in_a_syn_only(void **state)
{
    struct peer *p = *state;
    from_peer_options(p, ACK, 1, 1, "\x04\x02\x01\x01", 4);
    from_peer(p, ACK, 101, 1, 100);
    assert_int_equal(expect(p, ACK, 1, 1, 0).option_bytes, 0);
}

/* Eifel detection (RFC 3522) would take back what a time-out has done. */
static void a_time_stamp_that_nobody_agreed_to_means_nothing(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 3 * MSS);
    skip_sent(p);
    while (!counter(p->f, "TcpExtTCPTimeouts"))
        wait_ms(p, 10);
    skip_sent(p);
    for (uint32_t i = 0; i < 64; i++) {
        uint8_t option[12] = {1, 1, 8, 10, 0, 0, 0, 1, (uint8_t)(i << 2)};
        from_peer_options(p, ACK, 1, 1 + 100 * (i + 1) / 64, option, sizeof option);
    }
    assert_int_equal(counter(p->f, "TcpExtTCPFullUndo"), 0);
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 0);
    from_peer_options(p, ACK, 1, 1 + 3 * MSS, "\x01\x01\x08\x0a\0\0\0\0\0\0\0", 12); /* nor is it too old for PAWS */
    host_sends(p, 1 + 3 * MSS, 10);
    expect(p, ACK, 1 + 3 * MSS, 1, 10);
}

static void options_split_over_any_boundary_are_read_the_same(void **state)
{
    struct fixture *f = *state;
    static struct frame frame;
    listen_on(f, HOST_PORT, 64);
    for (uint32_t piece = 14; piece < 80; piece++) {
        struct peer p = peer_of(f);
        p.port = (uint16_t)(1000 + piece);
        peer_frame(&p, &frame, SYN, 0, 0,
                   "\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\x01\x03\x03\x07\x01\x01\x01\x01", 24, 0);
        inject_in_pieces(f, &frame, piece);
        p.host_iss = 0;
        struct sent sent = next_sent(&p);
        assert_int_equal(sent.flags, SYN | ACK);
        assert_int_equal(sent.option_bytes, 24); /* it has understood them all */
        p.host_iss = sent.seq;
        from_peer(&p, RST, 1, 0, 0);
    }
}

static void a_window_of_a_gigabyte_is_no_overflow(void **state)
{
    struct peer p = peer_of(*state);
    open_with(&p, "\x02\x04\x05\xb4\x03\x03\xff\x00", 8); /* a shift of 255 is one of 14 */
    p.window = 0xffff;
    from_peer(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, 10 * MSS);
    assert_int_equal(skip_sent(&p), 10);
    from_peer(&p, ACK, 1, 1 - 0x3fff0000 + 10, 100); /* within the largest window seen: an old ACK */
    host_reads(&p, 1, 100);
    from_peer(&p, ACK, 101, 1 + 10 * MSS, 0);
    host_sends(&p, 1 + 10 * MSS, 10);
    assert_int_equal(next_sent(&p).bytes, 10);
}

/* A thousand of them bring one answer. */
static void assert_storm_is_nothing(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack)
{
    wait_ms(p, 1000);
    skip_sent(p);
    for (int i = 0; i < 1000; i++)
        from_peer(p, flags, seq, ack, 0);
    assert_in_range(skip_sent(p), 0, 1);
}

static void storms_of_resets_probes_and_acks_bring_one_answer(void **state)
{
    struct peer *p = *state;
    assert_storm_is_nothing(p, RST, 2, 0);
    assert_storm_is_nothing(p, RST, 0x80000000, 0);
    assert_storm_is_nothing(p, ACK, 0, 1);          /* keep-alive probes */
    assert_storm_is_nothing(p, ACK, 1, 2);          /* of data never sent */
    assert_storm_is_nothing(p, ACK, 1, 0x80000000); /* nor ever acknowledged */
    assert_storm_is_nothing(p, ACK, 1 + 70000, 1);  /* beyond the window */
    assert_storm_is_nothing(p, SYN | ACK, 0, 1);
    assert_storm_is_nothing(p, FIN | SYN | ACK, 1, 1);
    assert_storm_is_nothing(p, 0, 1, 1);
    assert_storm_is_nothing(p, FIN | PSH | URG, 1, 1);
    from_peer(p, ACK, 1, 1, 100);
    host_reads(p, 1, 100);
}

static void data_and_urgent_pointer_of_a_syn_are_left_for_later(void **state)
{
    struct peer p = peer_of(*state);
    static struct frame frame;
    int listener = listen_on(p.f, HOST_PORT, 8);
    peer_frame(&p, &frame, SYN | URG, 0, 0, NULL, 0, 100);
    put16(frame.bytes + ETH + IP + 18, 50);
    fix_l4(&frame);
    inject(p.f, &frame);
    p.host_iss = 0;
    struct sent sent = next_sent(&p);
    p.host_iss = sent.seq;
    assert_int_equal(sent.ack, 1); /* the SYN alone */
    from_peer(&p, ACK, 1, 1, 100);
    p.fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_false(lan_ready(p.f->stack, p.fd, LAN_POLLPRI));
    host_reads(&p, 1, 100);
}

static void a_replay_in_last_ack_is_acknowledged_and_changes_nothing(void **state)
{
    struct peer *p = *state;
    from_peer(p, FIN | ACK, 1, 1, 100);
    host_reads(p, 1, 100);
    skip_sent(p);
    lan_close(p->f->stack, p->fd);
    expect(p, FIN | ACK, 1, 102, 0);
    for (int i = 0; i < 10; i++) {
        from_peer(p, FIN | ACK, 1, 1, 100);
        expect(p, ACK, 2, 102, 0);
    }
    from_peer(p, ACK, 102, 2, 0);
    from_peer(p, FIN | ACK, 1, 1, 100); /* it is gone */
    expect(p, RST, 1, 0, 0);
}

/* The end of what the host has sent in order behind `end`. */
static uint32_t sent_up_to(struct peer *p, uint32_t end)
{
    while (has_sent(p)) {
        struct sent sent = next_sent(p);
        if (sent.seq <= end && sent.seq + sent.bytes + (sent.flags & FIN) > end)
            end = sent.seq + sent.bytes + (sent.flags & FIN);
    }
    return end;
}

static void a_window_that_stays_closed_costs_a_probe_a_minute(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 1000);
    uint32_t probes = 0;
    for (int second = 0; second < 3600; second++) {
        wait_ms(p, 1000);
        for (uint32_t n = skip_sent(p); n; n--, probes++)
            from_peer(p, ACK, 1, 1, 0);
    }
    assert_in_range(probes, 55, 75);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLHUP), 0); /* MUST-37 */
    p->window = 1000;
    from_peer(p, ACK, 1, 1, 0);
    assert_true(skip_sent(p) >= 1);
}

/* To BBR a peer that has room for an octet or two at a time is a path of a few octets a second. When it has more, and
 * loses the first of it, the rest leaves within seconds nevertheless, and so does the FIN. */
static void windows_of_two_octets_do_not_slow_bbr_down_for_long(void **state)
{
    enum { ROUND_MS = 150, ROUNDS = 30, BYTES = 10 * MSS, DONE_MS = 10000 };
    struct peer peer = peer_of(*state), *p = &peer;
    uint32_t acked = 1;
    p->window = 2;
    passive_open_with(p, "\x02\x04\x05\xb4", 4, ROUND_MS);
    assert_int_equal(lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, "bbr", 3), 0);
    host_sends(p, 1, BYTES);
    lan_shutdown(p->f->stack, p->fd, LAN_SHUT_WR);
    for (int i = 0; i < ROUNDS; i++) {
        wait_ms(p, ROUND_MS);
        acked = sent_up_to(p, acked);
        from_peer(p, ACK, 1, acked, 0);
    }
    p->window = 65535;
    from_peer(p, ACK, 1, acked, 0);
    wait_ms(p, ROUND_MS);
    skip_sent(p);
    for (uint32_t waited = ROUND_MS; acked < 1 + BYTES + 1; waited += ROUND_MS) {
        assert_in_range(waited, 0, DONE_MS);
        wait_ms(p, ROUND_MS);
        acked = sent_up_to(p, acked);
        from_peer(p, ACK, 1, acked, 0);
    }
}

static void memory_comes_back_when_a_gap_never_closes(void **state)
{
    struct peer *p = *state;
    struct lan_pool *pool = lan_stack_pool(p->f->stack);
    uint32_t before = lan_pool_free_buffers(pool);
    for (uint32_t seq = 3; seq < 60000; seq += 2) {
        from_peer(p, ACK, seq, 1, 1);
        skip_sent(p);
    }
    assert_true(lan_pool_free_buffers(pool) < before);
    from_peer(p, RST, 1, 0, 0);
    assert_int_equal(lan_pool_free_buffers(pool), before);
}

/* Gaps on every connection at once take what TCP may have and no more: the card and the rest of the host go on. */
static void gaps_everywhere_leave_memory_for_everybody_else(void **state)
{
    struct peer p = peer_of(*state);
    struct lan_pool *pool = lan_stack_pool(p.f->stack);
    int listener = listen_on(p.f, HOST_PORT, 16);
    uint32_t before = lan_pool_free_buffers(pool);
    struct peer open[12];
    for (int i = 0; i < 12; i++) {
        open[i] = p;
        open[i].port = (uint16_t)(1000 + i);
        handshake_to(&open[i]);
        open[i].fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    }
    for (uint32_t seq = 1001; seq < 60000; seq += 600) {
        for (int i = 0; i < 12; i++) {
            from_peer(&open[i], ACK, seq, 1, 500);
            skip_sent(&open[i]);
        }
    }
    assert_true(lan_pool_free_buffers(pool) >= before / 8);
    for (int i = 0; i < 12; i++) { /* nobody lost a connection, and each still receives in order */
        from_peer(&open[i], ACK, 1, 1, 1000);
        host_reads(&open[i], 1, 1000);
        from_peer(&open[i], RST, 1001, 0, 0);
        from_peer(&open[i], RST, 1501, 0, 0);
    }
    skip_sent(&p);
}

enum { CROWD = 300 };

/* A crowd of connections over a pool that has fewer buffers than there are of them. */
#define TEST_CROWDED(name) cmocka_unit_test_setup_teardown(name, crowd_setup, fixture_teardown)

static int crowd_setup(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.pool = (struct lan_pool_config){.buffers = 256, .buffer_bytes = 2048, .views = 512};
    config.sockets = CROWD + 16;
    config.tcp_connections = CROWD + 16;
    *state = fixture_create(&config, LAN_NETIF_SG);
    return 0;
}

static void gather(struct peer *p, struct peer crowd[CROWD])
{
    int listener = listen_on(p->f, HOST_PORT, 16);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = *p;
        crowd[i].port = (uint16_t)(1000 + i);
        handshake_to(&crowd[i]);
        crowd[i].fd = lan_accept(p->f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
        assert_true(crowd[i].fd >= 0);
    }
}

/* Whether there is memory to hear a ping, and to answer it. */
static void still_answers(struct peer *p)
{
    static struct frame ping;
    skip_sent(p);
    assert_true(lan_pool_free_buffers(lan_stack_pool(p->f->stack)) > 0);
    frame_icmp(&ping, 8, 0, "12345678", 8);
    inject(p->f, &ping);
    assert_int_equal(expect_frame(p->f)->bytes[ETH + IP], 0);
}

static void a_byte_on_every_connection_leaves_memory_for_the_rest(void **state)
{
    struct peer p = peer_of(*state);
    static struct peer crowd[CROWD];
    gather(&p, crowd);
    for (int i = 0; i < CROWD && lan_pool_free_buffers(lan_stack_pool(p.f->stack)); i++) {
        from_peer(&crowd[i], ACK, 1, 1, 1);
        skip_sent(&crowd[i]);
    }
    still_answers(&p);
}

static void connections_that_all_close_leave_memory_for_the_rest(void **state)
{
    struct peer p = peer_of(*state);
    static struct peer crowd[CROWD];
    gather(&p, crowd);
    for (int i = 0; i < CROWD; i++) {
        lan_close(p.f->stack, crowd[i].fd);
        skip_sent(&p);
    }
    still_answers(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_of_options_that_come_twice_counts),
        TEST(forty_bytes_of_padding_are_skipped),
        TEST_CONNECTED(sack_permitted_counts_in_a_syn_only),
        TEST_CONNECTED(a_time_stamp_that_nobody_agreed_to_means_nothing),
        TEST(options_split_over_any_boundary_are_read_the_same),
        TEST(a_window_of_a_gigabyte_is_no_overflow),
        TEST_CONNECTED(storms_of_resets_probes_and_acks_bring_one_answer),
        TEST(data_and_urgent_pointer_of_a_syn_are_left_for_later),
        TEST_CONNECTED(a_replay_in_last_ack_is_acknowledged_and_changes_nothing),
        TEST_CONNECTED(a_window_that_stays_closed_costs_a_probe_a_minute),
        TEST(windows_of_two_octets_do_not_slow_bbr_down_for_long),
        TEST_CONNECTED(memory_comes_back_when_a_gap_never_closes),
        TEST(gaps_everywhere_leave_memory_for_everybody_else),
        TEST_CROWDED(a_byte_on_every_connection_leaves_memory_for_the_rest),
        TEST_CROWDED(connections_that_all_close_leave_memory_for_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
