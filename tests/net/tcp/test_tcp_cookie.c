/* SPDX-License-Identifier: Apache-2.0 */
/* SYN cookies (RFC 4987 3.6): a listener in a flood keeps nothing of a SYN, and whoever answers is connected all the
 * same. */
#include "peer.h"

#include <errno.h>
#include <string.h>

enum { HALF_OPEN = 16 /* what the fixture's stack keeps */, PEER_CLOCK = 5000, PEER_SCALE = 7 };

static uint32_t get_host32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put_host32(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

/* Every place for a half-open connection is taken, by peers that do not answer. */
static int listen_in_flood(struct peer *p, int backlog)
{
    int listener = listen_on(p->f, HOST_PORT, backlog);
    struct peer flood = *p;
    flood.port = 1000;
    for (int i = 0; i < HALF_OPEN; i++, flood.port++)
        from_peer(&flood, SYN, 0, 0, 0);
    assert_int_equal(skip_sent(&flood), HALF_OPEN);
    assert_int_equal(counter(p->f, "TcpExtSyncookiesSent"), 0);
    return listener;
}

/* The peer's SYN with every option; returns the host's time stamp. */
static uint32_t stamped_syn(struct peer *p, uint8_t flags, struct sent *answer)
{
    uint8_t options[20] = {2, 4, 0, 0, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, PEER_SCALE};
    put16(options + 2, MSS);
    put_host32(options + 8, PEER_CLOCK);
    from_peer_options(p, flags, 0, 0, options, sizeof options);
    p->host_iss = 0;
    *answer = next_sent(p);
    assert_int_equal(answer->flags & (SYN | ACK), SYN | ACK);
    assert_int_equal(answer->ack, 1);
    p->host_iss = answer->seq;
    return get_host32(answer->options + 12); /* behind MSS and SACK permitted */
}

static void stamped_ack(struct peer *p, uint32_t ack, uint32_t tsecr, uint32_t bytes)
{
    static struct frame frame;
    uint8_t options[12] = {1, 1, 8, 10};
    put_host32(options + 4, PEER_CLOCK + 1);
    put_host32(options + 8, tsecr);
    peer_frame(p, &frame, ACK, 1, ack, options, sizeof options, bytes);
    inject(p->f, &frame);
}

static void accept_from(struct peer *p, int listener)
{
    p->fd = lan_accept(p->f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p->fd >= 0);
}

static void assert_refused(struct peer *p, uint32_t ack)
{
    expect(p, RST, ack, 0, 0);
    expect_quiet(p);
}

static void a_cookie_keeps_every_option_in_the_time_stamp(void **state)
{
    struct peer p = peer_of(*state);
    struct sent syn_ack;
    int listener = listen_in_flood(&p, 64);
    uint32_t stamp = stamped_syn(&p, SYN | ECE | CWR, &syn_ack);
    assert_int_equal(syn_ack.flags, SYN | ACK | ECE);
    assert_int_equal(syn_ack.option_bytes, 24); /* MSS, SACK permitted, time stamp, window scale */
    assert_int_equal(counter(p.f, "TcpExtTCPReqQFullDoCookies"), 1);
    assert_int_equal(counter(p.f, "TcpExtSyncookiesSent"), 1);
    p.window = 1000;
    stamped_ack(&p, 1, stamp, 0);
    expect_quiet(&p);
    assert_int_equal(counter(p.f, "TcpExtSyncookiesRecv"), 1);
    accept_from(&p, listener);
    host_sends(&p, 1, 10 * (MSS - 12)); /* the initial window: only a scaled one takes it */
    for (int i = 0; i < 10; i++) {
        struct sent sent = expect(&p, ACK, 1 + (uint32_t)i * (MSS - 12), 1, MSS - 12);
        assert_int_equal(sent.tos, 2); /* ECT(0) */
        assert_int_equal(get_host32(sent.options + 8), PEER_CLOCK + 1);
        assert_true((int32_t)(get_host32(sent.options + 4) - stamp) >= 0); /* its clock does not run backwards */
    }
    static struct frame frame;
    uint8_t options[12] = {1, 1, 8, 10};
    put_host32(options + 4, PEER_CLOCK + 2);
    peer_frame(&p, &frame, ACK, 101, 1 + 10 * (MSS - 12), options, sizeof options, 100);
    inject(p.f, &frame);
    struct sent gap = next_sent(&p);
    assert_memory_equal(gap.options + 12, "\x01\x01\x05\x0a", 4); /* a SACK block beside the stamp */
}

static void a_cookies_windows_are_those_of_any_connection(void **state)
{
    struct peer p = peer_of(*state);
    struct sent syn_ack, plain, cookie;
    int listener = listen_on(p.f, HOST_PORT, 64);
    uint32_t stamp = stamped_syn(&p, SYN, &plain);
    stamped_ack(&p, 1, stamp, 100);
    accept_from(&p, listener);
    wait_ms(&p, 500);
    plain = next_sent(&p);
    lan_close(p.f->stack, listener);
    p.port++;
    listener = listen_in_flood(&p, 64);
    stamp = stamped_syn(&p, SYN, &syn_ack);
    assert_int_equal(counter(p.f, "TcpExtSyncookiesSent"), 1);
    stamped_ack(&p, 1, stamp, 100);
    accept_from(&p, listener);
    wait_ms(&p, 500);
    cookie = next_sent(&p);
    assert_int_equal(cookie.window, plain.window);
    assert_int_equal(cookie.ack, 101);
}

static void without_time_stamps_a_cookie_keeps_the_mss_only(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_in_flood(&p, 64);
    from_peer_options(&p, SYN, 0, 0, "\x02\x04\x05\x78\x01\x03\x03\x07\x04\x02\x00\x00", 12); /* MSS 1,400 */
    p.host_iss = 0;
    struct sent syn_ack = next_sent(&p);
    p.host_iss = syn_ack.seq;
    assert_int_equal(syn_ack.option_bytes, 4); /* it must not promise what it will have forgotten */
    p.window = 3000;
    from_peer(&p, ACK, 1, 1, 0);
    accept_from(&p, listener);
    host_sends(&p, 1, 3000);
    expect(&p, ACK, 1, 1, 1400);
    expect(&p, ACK, 1401, 1, 1400);
    wait_ms(&p, 1100); /* nothing is known of the round trip: RFC 6298 (2.1) */
    assert_true(skip_sent(&p) >= 1);
    from_peer(&p, ACK, 1, 2801, 0);
    expect(&p, ACK, 2801, 1, 200);
    from_peer(&p, ACK, 1, 3001, 0);
    wait_ms(&p, 250000); /* the others go away, and this one stays */
    skip_sent(&p);
    from_peer(&p, ACK, 1, 3001, 10);
    host_reads(&p, 1, 10);
}

static void every_mss_is_rounded_down_to_one_that_a_cookie_can_tell(void **state)
{
    static const struct {
        uint16_t announced, used;
    } cases[] = {{0, 536},     {1, 64},      {535, 64},    {536, 536},   {1219, 536},
                 {1300, 1220}, {1459, 1440}, {1460, 1460}, {65535, 1460}};
    struct peer p = peer_of(*state);
    int listener = listen_in_flood(&p, 64);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++, p.port++) {
        uint8_t options[4] = {2, 4};
        put16(options + 2, cases[i].announced);
        from_peer_options(&p, SYN, 0, 0, options, 4);
        p.host_iss = 0;
        p.host_iss = next_sent(&p).seq;
        from_peer(&p, ACK, 1, 1, 0);
        accept_from(&p, listener);
        host_sends(&p, 1, 4000);
        assert_int_equal(next_sent(&p).bytes, cases[i].used);
        skip_sent(&p);
        from_peer(&p, RST, 1, 0, 0);
        lan_close(p.f->stack, p.fd);
    }
}

static void data_with_the_ack_of_a_cookie_is_taken(void **state)
{
    struct peer p = peer_of(*state);
    struct sent syn_ack;
    int listener = listen_in_flood(&p, 64);
    uint32_t stamp = stamped_syn(&p, SYN, &syn_ack);
    stamped_ack(&p, 1, stamp, 100); /* the first ACK was lost */
    accept_from(&p, listener);
    host_reads(&p, 1, 100);
}

static void a_cookie_is_good_for_a_minute_and_refused_after_two(void **state)
{
    struct peer p = peer_of(*state);
    struct sent syn_ack;
    int listener = listen_in_flood(&p, 64);
    uint32_t stamp = stamped_syn(&p, SYN, &syn_ack);
    wait_ms(&p, 63000);
    skip_sent(&p);
    stamped_ack(&p, 1, stamp, 0);
    accept_from(&p, listener);

    p.port++;
    for (int i = 0; i < HALF_OPEN; i++) { /* the first ones are still there, or these take their places */
        struct peer flood = p;
        flood.port = (uint16_t)(2000 + i);
        from_peer(&flood, SYN, 0, 0, 0);
    }
    skip_sent(&p);
    stamp = stamped_syn(&p, SYN, &syn_ack);
    wait_ms(&p, 100000);
    skip_sent(&p);
    struct peer later = p;
    later.port = 999;
    for (int i = 0; i < HALF_OPEN + 1; i++, later.port--) /* cookies are still being sent */
        from_peer(&later, SYN, 0, 0, 0);
    wait_ms(&p, 28001);
    skip_sent(&p);
    stamped_ack(&p, 1, stamp, 0);
    assert_refused(&p, 1);
    assert_int_equal(counter(p.f, "TcpExtSyncookiesFailed"), 1);
    assert_int_equal(lan_accept(p.f->stack, listener, NULL, 0), -EAGAIN);
}

static void a_cookie_is_good_for_its_connection_only(void **state)
{
    struct peer p = peer_of(*state);
    struct sent syn_ack;
    int listener = listen_in_flood(&p, 64);
    uint32_t stamp = stamped_syn(&p, SYN, &syn_ack);
    for (int bit = 0; bit < 32; bit++) {
        stamped_ack(&p, 1 + (1u << bit), stamp, 0);
        assert_refused(&p, 1 + (1u << bit));
    }
    for (int bit = 0; bit < 6; bit++) { /* what the stamp says of the options cannot be changed either */
        stamped_ack(&p, 1, stamp ^ 1u << bit, 0);
        assert_refused(&p, 1);
    }
    from_peer(&p, ACK, 1, 1, 0); /* nor left out */
    assert_refused(&p, 1);
    struct peer other = p;
    other.port++;
    stamped_ack(&other, 1, stamp, 0);
    assert_refused(&other, 1);
    other = p;
    other.iss++;
    stamped_ack(&other, 1, stamp, 0);
    assert_refused(&other, 1);
    assert_int_equal(counter(p.f, "TcpExtSyncookiesFailed"), 32 + 6 + 1 + 2);
    assert_int_equal(lan_accept(p.f->stack, listener, NULL, 0), -EAGAIN);
    stamped_ack(&p, 1, stamp, 0);
    accept_from(&p, listener);
}

static void nobody_may_guess_cookies_when_there_is_no_flood(void **state)
{
    struct peer p = peer_of(*state);
    struct sent syn_ack;
    int listener = listen_in_flood(&p, 64);
    uint32_t stamp = stamped_syn(&p, SYN, &syn_ack);
    lan_close(p.f->stack, listener);
    skip_sent(&p);
    listener = listen_on(p.f, HOST_PORT, 64); /* which has sent none */
    stamped_ack(&p, 1, stamp, 0);
    assert_refused(&p, 1);
    assert_int_equal(counter(p.f, "TcpExtSyncookiesRecv"), 0);
    assert_int_equal(counter(p.f, "TcpExtSyncookiesFailed"), 0);
}

static void a_full_accept_queue_lets_a_cookie_wait(void **state)
{
    struct peer p = peer_of(*state);
    struct sent syn_ack;
    int listener = listen_in_flood(&p, 1);
    uint32_t stamp = stamped_syn(&p, SYN, &syn_ack);
    struct peer other = p;
    other.port++;
    uint32_t other_stamp = stamped_syn(&other, SYN, &syn_ack);
    stamped_ack(&other, 1, other_stamp, 0);
    stamped_ack(&p, 1, stamp, 0); /* the queue has one place */
    expect_quiet(&p);
    assert_int_equal(counter(p.f, "TcpExtListenOverflows"), 1);
    accept_from(&other, listener);
    stamped_ack(&p, 1, stamp, 10); /* which its data finds free */
    accept_from(&p, listener);
    host_reads(&p, 1, 10);
}

/* SYNs from everywhere: the way back goes through the peer. */
static void flood(struct peer *p, uint32_t first, uint32_t syns)
{
    static struct frame frame;
    for (uint32_t i = first; i < first + syns; i++) {
        peer_frame(p, &frame, SYN, i, 0, "\x02\x04\x05\xb4", 4, 0);
        put32(frame.bytes + ETH + 12, ADDRESS(198, 51, 100, 0) + (i % 254 + 1) * ADDRESS(0, 0, 0, 1));
        put16(frame.bytes + ETH + IP, (uint16_t)(1024 + i / 254));
        fix_ip(&frame);
        fix_l4(&frame);
        inject(p->f, &frame);
        while (frames_waiting(p->f))
            expect_frame(p->f);
    }
}

static void a_flood_of_100000_syns_takes_no_memory_and_keeps_nobody_out(void **state)
{
    struct peer p = peer_of(*state);
    struct sent syn_ack;
    int listener = listen_on(p.f, HOST_PORT, 1024);
    lan_route_add(p.f->stack, 0, 0, PEER, &p.f->netif);
    uint32_t buffers = lan_pool_free_buffers(lan_stack_pool(p.f->stack));
    for (uint32_t round = 0; round < 10; round++, p.port++) {
        flood(&p, round * 10000, 10000);
        uint32_t stamp = stamped_syn(&p, SYN, &syn_ack);
        flood(&p, 200000 + round * 100, 100);
        stamped_ack(&p, 1, stamp, 10);
        accept_from(&p, listener);
        host_reads(&p, 1, 10);
        host_sends(&p, 1, MSS - 12);
        assert_int_equal(expect(&p, ACK, 1, 11, MSS - 12).option_bytes, 12);
        from_peer(&p, RST, 11, 0, 0);
        lan_close(p.f->stack, p.fd);
        p.fd = -1;
        advance_ms(p.f, 100);
        while (frames_waiting(p.f))
            expect_frame(p.f);
    }
    assert_int_equal(counter(p.f, "TcpExtSyncookiesSent"), 100000 + 1000 + 10 - HALF_OPEN);
    assert_int_equal(counter(p.f, "TcpExtSyncookiesRecv"), 10);
    assert_int_equal(counter(p.f, "TcpPassiveOpens"), HALF_OPEN + 10);
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(p.f->stack)), buffers);
}

static void a_flood_ends_neither_connections_nor_time_wait(void **state)
{
    struct peer p = peer_of(*state);
    passive_open(&p);
    struct peer waiting[4];
    for (int i = 0; i < 4; i++) {
        waiting[i] = p;
        waiting[i].fd = -1;
        waiting[i].port = (uint16_t)(100 + i);
        start_connect(&waiting[i]);
        from_peer(&waiting[i], SYN | ACK, 0, 1, 0);
        expect(&waiting[i], ACK, 1, 1, 0);
        lan_close(p.f->stack, waiting[i].fd);
        expect(&waiting[i], FIN | ACK, 1, 1, 0);
        from_peer(&waiting[i], FIN | ACK, 1, 2, 0);
        expect(&waiting[i], ACK, 2, 2, 0);
    }
    int fds[64], n = 0;
    while ((uint32_t)n < 16 + 16 - 2 - 4 - 5) /* a listener, a connection, TIME-WAIT; and five are left */
        fds[n++] = open_socket(p.f);
    lan_route_add(p.f->stack, 0, 0, PEER, &p.f->netif);
    flood(&p, 0, 1000);
    assert_int_equal(counter(p.f, "TcpExtTCPTimeWaitOverflow"), 0);
    for (int i = 0; i < 4; i++) { /* each still answers a FIN that comes again */
        from_peer(&waiting[i], FIN | ACK, 1, 2, 0);
        expect(&waiting[i], ACK, 2, 2, 0);
    }
    from_peer(&p, ACK, 1, 1, 10);
    host_reads(&p, 1, 10);
    assert_true(n > 0 && fds[0] >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cookie_keeps_every_option_in_the_time_stamp),
        TEST(a_cookies_windows_are_those_of_any_connection),
        TEST(without_time_stamps_a_cookie_keeps_the_mss_only),
        TEST(every_mss_is_rounded_down_to_one_that_a_cookie_can_tell),
        TEST(data_with_the_ack_of_a_cookie_is_taken),
        TEST(a_cookie_is_good_for_a_minute_and_refused_after_two),
        TEST(a_cookie_is_good_for_its_connection_only),
        TEST(nobody_may_guess_cookies_when_there_is_no_flood),
        TEST(a_full_accept_queue_lets_a_cookie_wait),
        TEST(a_flood_of_100000_syns_takes_no_memory_and_keeps_nobody_out),
        TEST(a_flood_ends_neither_connections_nor_time_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
