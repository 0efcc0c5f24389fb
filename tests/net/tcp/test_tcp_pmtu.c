/* SPDX-License-Identifier: Apache-2.0 */
/* The path's MTU: RFC 1191, RFC 2923, and the ICMP errors that tell of it, true and forged (RFC 5927). */
#include "../start.h"
#include "peer.h"
#include "world.h"

#include <errno.h>
#include <string.h>

enum { UNREACHABLE = 3, FRAGMENTATION_NEEDED = 4, HEADERS = 40, QUOTED = IP + 8 };

/* The start of the frame that the host sent `back` frames ago, as a router quotes it. */
static void quote(struct peer *p, uint32_t back, uint8_t quoted[QUOTED])
{
    memcpy(quoted, p->f->sent[(p->f->sent_tail - back) % FIXTURE_SENT_MAX].bytes + ETH, QUOTED);
}

static void too_large(struct peer *p, const uint8_t quoted[QUOTED], uint16_t mtu)
{
    static struct frame frame;
    frame_icmp(&frame, UNREACHABLE, FRAGMENTATION_NEEDED, quoted, QUOTED);
    put16(frame.bytes + ETH + IP + 6, mtu);
    fix_l4(&frame);
    inject(p->f, &frame);
}

/* The host sends a full segment, and a router says that it is larger than `mtu`. */
static void drop_one(struct peer *p, uint32_t seq, uint16_t mtu)
{
    uint8_t quoted[QUOTED];
    host_sends(p, seq, MSS);
    expect(p, ACK, seq, 1, MSS);
    quote(p, 1, quoted);
    too_large(p, quoted, mtu);
}

static void a_router_that_names_its_mtu_is_believed_at_once(void **state)
{
    struct peer *p = *state;
    drop_one(p, 1, 1000);
    assert_true(expect(p, ACK, 1, 1, 1000 - HEADERS).dont_fragment);
    expect(p, ACK, 961, 1, 500);
}

static void a_router_that_names_none_makes_it_the_next_plateau_RFC_1191_7_1(void **state)
{
    struct peer *p = *state;
    drop_one(p, 1, 0);
    expect(p, ACK, 1, 1, 1492 - HEADERS);
    skip_sent(p);
}

/* As if it had been of no length: below the last plateau. */
static void a_quoted_length_of_0_makes_it_the_floor(void **state)
{
    struct peer *p = *state;
    uint8_t quoted[QUOTED];
    host_sends(p, 1, MSS);
    expect(p, ACK, 1, 1, MSS);
    quote(p, 1, quoted);
    put16(quoted + 2, 0);
    too_large(p, quoted, 0);
    expect(p, ACK, 1, 1, 552 - HEADERS);
    skip_sent(p);
}

static void one_flight_steps_down_one_plateau_only(void **state)
{
    struct peer *p = *state;
    uint8_t quoted[3][QUOTED];
    host_sends(p, 1, 3 * MSS);
    for (int i = 0; i < 3; i++)
        expect(p, ACK, 1 + i * MSS, 1, MSS);
    for (int i = 0; i < 3; i++)
        quote(p, 3 - i, quoted[i]);
    for (int i = 0; i < 3; i++)
        too_large(p, quoted[i], 0);
    while (frames_waiting(p->f))
        assert_in_range(next_sent(p).bytes, 1, 1492 - HEADERS);
    from_peer(p, ACK, 1, 1 + 3 * MSS, 0);
    host_sends(p, 1 + 3 * MSS, 1492 - HEADERS);
    expect(p, ACK, 1 + 3 * MSS, 1, 1492 - HEADERS);
}

static void an_mtu_below_the_floor_is_the_floor_without_df(void **state)
{
    struct peer *p = *state;
    static const uint16_t tiny[] = {1, 20, 67, 68, 551};
    for (int i = 0; i < 5; i++) {
        uint8_t quoted[QUOTED];
        host_sends(p, 1 + i * MSS, MSS);
        struct sent sent = expect(p, ACK, 1 + i * MSS, 1, i == 0 ? MSS : 552 - HEADERS);
        quote(p, 1, quoted);
        skip_sent(p);
        too_large(p, quoted, tiny[i]);
        if (i == 0)
            sent = expect(p, ACK, 1, 1, 552 - HEADERS);
        assert_false(sent.dont_fragment);
        skip_sent(p);
        from_peer(p, ACK, 1, 1 + (i + 1) * MSS, 0);
    }
}

static void an_mtu_that_is_no_less_changes_nothing(void **state)
{
    struct peer *p = *state;
    drop_one(p, 1, 1500);
    expect_quiet(p);
    from_peer(p, ACK, 1, 1 + MSS, 0);
    drop_one(p, 1 + MSS, 65535);
    expect_quiet(p);
}

static void what_quotes_no_segment_under_way_changes_nothing_RFC_5927_4_1(void **state)
{
    struct peer *p = *state;
    uint8_t good[QUOTED], quoted[QUOTED];
    host_sends(p, 1, MSS);
    expect(p, ACK, 1, 1, MSS);
    quote(p, 1, good);
    static const int ports_and_addresses[] = {IP, IP + 3, 15, 19};
    for (int i = 0; i < 4; i++) {
        memcpy(quoted, good, QUOTED);
        quoted[ports_and_addresses[i]] ^= 0x40;
        too_large(p, quoted, 600);
        expect_quiet(p);
    }
    static const int sequence[] = {-1, MSS, MSS + 1, 1 << 30, -(1 << 30)}; /* off the segment's */
    for (int i = 0; i < 5; i++) {
        memcpy(quoted, good, QUOTED);
        uint32_t seq = ((uint32_t)get16(good + IP + 4) << 16 | get16(good + IP + 6)) + (uint32_t)sequence[i];
        put16(quoted + IP + 4, (uint16_t)(seq >> 16));
        put16(quoted + IP + 6, (uint16_t)seq);
        too_large(p, quoted, 600);
        expect_quiet(p);
    }
    assert_int_equal(counter(p->f, "TcpExtOutOfWindowIcmps"), 8); /* one was not from us at all */
    from_peer(p, ACK, 1, 1 + MSS, 0);
    too_large(p, good, 600); /* acknowledged: it has not been dropped */
    host_sends(p, 1 + MSS, MSS);
    expect(p, ACK, 1 + MSS, 1, MSS);
}

static void a_quote_that_is_cut_short_changes_nothing(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    uint8_t quoted[QUOTED];
    host_sends(p, 1, MSS);
    expect(p, ACK, 1, 1, MSS);
    quote(p, 1, quoted);
    for (uint32_t bytes = 0; bytes < QUOTED; bytes++) {
        frame_icmp(&frame, UNREACHABLE, FRAGMENTATION_NEEDED, quoted, bytes);
        put16(frame.bytes + ETH + IP + 6, 600);
        fix_l4(&frame);
        inject(p->f, &frame);
    }
    quoted[0] = 0x4f; /* an IP header that goes on behind the message's end */
    too_large(p, quoted, 600);
    quoted[0] = 0x43;
    too_large(p, quoted, 600);
    quoted[0] = 0x65;
    too_large(p, quoted, 600);
    expect_quiet(p);
}

static void a_syn_learns_it_too(void **state)
{
    struct peer p = peer_of(*state);
    uint8_t quoted[QUOTED];
    start_connect(&p);
    quote(&p, 1, quoted);
    too_large(&p, quoted, 1000);
    expect_quiet(&p);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4", 4);
    expect(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, 2000);
    expect(&p, ACK, 1, 1, 1000 - HEADERS);
    skip_sent(&p);
}

/* The host sends some full segments, which are acknowledged; returns how large they are. */
static uint32_t full_segment(struct peer *p, uint32_t *seq)
{
    uint32_t largest = 0, end = *seq + 3 * MSS;
    host_sends(p, *seq, 3 * MSS);
    while (*seq < end) {
        while (frames_waiting(p->f)) {
            struct sent sent = next_sent(p);
            largest = sent.bytes > largest ? sent.bytes : largest;
            *seq = sent.seq + sent.bytes;
        }
        wait_ms(p, 10);
        from_peer(p, ACK, 1, *seq, 0);
    }
    return largest;
}

static void after_ten_minutes_more_is_tried_RFC_1191_6_3(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1 + MSS;
    drop_one(p, 1, 1000);
    skip_sent(p);
    from_peer(p, ACK, 1, seq, 0);
    for (int i = 0; i < 59; i++) {
        assert_int_equal(full_segment(p, &seq), 1000 - HEADERS);
        wait_ms(p, 10000);
    }
    wait_ms(p, 20000);
    full_segment(p, &seq); /* its ACK finds that the time is over */
    assert_int_equal(full_segment(p, &seq), MSS);
}

/* Lets `n` time-outs happen. */
static void time_outs(struct peer *p, uint64_t n)
{
    for (n += counter(p->f, "TcpExtTCPTimeouts"); counter(p->f, "TcpExtTCPTimeouts") < n;)
        wait_ms(p, 1);
}

/* Full segments vanish without a word; smaller ones arrive. */
static void fall_into_black_hole(struct peer *p, uint32_t seq)
{
    host_sends(p, seq, 3 * MSS);
    for (int i = 0; i < 3; i++)
        expect(p, ACK, seq + i * MSS, 1, MSS);
    for (int i = 0; i < 2; i++) {
        time_outs(p, 1);
        expect(p, ACK, seq, 1, MSS);
    }
    time_outs(p, 1);
    assert_true(expect(p, ACK, seq, 1, 1024).dont_fragment);
    expect_quiet(p);
}

static void after_three_time_outs_segments_get_smaller_RFC_2923_2_1(void **state)
{
    struct peer *p = *state;
    fall_into_black_hole(p, 1);
    from_peer(p, ACK, 1, 1025, 0);
    expect(p, ACK, 1025, 1, 1024);
    assert_int_equal(counter(p->f, "TcpExtTCPPMTUBlackHoles"), 1);
    from_peer(p, ACK, 1, 1 + 3 * MSS, 0);
    skip_sent(p);
    host_sends(p, 1 + 3 * MSS, MSS);
    expect(p, ACK, 1 + 3 * MSS, 1, 1024);
    skip_sent(p);
}

static void and_smaller_still_down_to_what_every_host_takes(void **state)
{
    struct peer *p = *state;
    fall_into_black_hole(p, 1);
    time_outs(p, 1);
    expect(p, ACK, 1, 1, 536);
    time_outs(p, 1);
    expect(p, ACK, 1, 1, 536);
    assert_int_equal(counter(p->f, "TcpExtTCPPMTUBlackHoles"), 2);
}

static void a_route_that_is_looked_up_again_does_not_forget_what_a_router_said(void **state)
{
    struct peer *p = *state;
    drop_one(p, 1, 576);
    skip_sent(p);
    time_outs(p, 4);
    while (frames_waiting(p->f))
        assert_int_equal(next_sent(p).bytes, 536);
}

static void small_segments_that_vanish_say_nothing_of_the_mtu(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 1024);
    expect(p, ACK, 1, 1, 1024);
    time_outs(p, 4);
    skip_sent(p);
    from_peer(p, ACK, 1, 1025, 0);
    host_sends(p, 1025, MSS);
    expect(p, ACK, 1025, 1, MSS);
}

static void a_guess_is_tried_again_after_a_minute_and_given_up_at_the_first_time_out(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1 + 3 * MSS;
    fall_into_black_hole(p, 1);
    from_peer(p, ACK, 1, seq, 0);
    skip_sent(p);
    for (int i = 0; i < 5; i++) {
        wait_ms(p, 9000);
        assert_int_equal(full_segment(p, &seq), 1024);
    }
    wait_ms(p, 15000);
    full_segment(p, &seq);
    host_sends(p, seq, 2 * MSS);
    expect(p, ACK, seq, 1, MSS); /* this one is swallowed, too */
    skip_sent(p);
    time_outs(p, 1);
    expect(p, ACK, seq, 1, 1024);
}

static void another_mtu_of_the_interface_reaches_the_connection(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, MSS);
    expect(p, ACK, 1, 1, MSS);
    from_peer(p, ACK, 1, 1 + MSS, 0);
    p->f->netif.mtu = 1000;
    assert_int_equal(lan_route_add(p->f->stack, ADDRESS(198, 51, 100, 0), NETMASK, PEER, &p->f->netif), 0);
    host_sends(p, 1 + MSS, 3 * MSS);
    wait_ms(p, 1);
    for (uint32_t seq = 1 + MSS; seq < 1 + 4 * MSS; seq += 960)
        expect(p, ACK, seq, 1, 1 + 4 * MSS - seq < 960 ? 1 + 4 * MSS - seq : 960);
}

static void maxseg_clamps_both_ways(void **state)
{
    struct peer p = peer_of(*state);
    int limit = 700;
    p.fd = open_socket(p.f);
    assert_int_equal(lan_setsockopt(p.f->stack, p.fd, LAN_IPPROTO_TCP, LAN_TCP_MAXSEG, &limit, sizeof limit), 0);
    start_connect(&p);
    const uint8_t *syn = p.f->sent[(p.f->sent_tail - 1) % FIXTURE_SENT_MAX].bytes + ETH + IP;
    assert_memory_equal(syn + 20, "\x02\x04\x02\xbc", 4);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4", 4);
    expect(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, 1400);
    expect(&p, ACK, 1, 1, 700);
    expect(&p, ACK, 701, 1, 700);
}

/* A router on the way drops what is larger than 1100 and says nothing. */
static void a_transfer_gets_through_a_black_hole(void **state)
{
    (void)state;
    static uint8_t data[65536];
    struct world_config config = WORLD_DEFAULT;
    config.wire.largest = 1100;
    config.wire.delay_ns = 5000000;
    struct world *world = world_create(&config);
    int listener = world_listen(world, 80, 4), fd = world_connect(world, 80), child = -1;
    uint32_t sent = 0, received = 0;
    while (received < 1000000 && world_step(world, start_ns() + UINT64_C(29000000000))) {
        long n = sent < 1000000 ? lan_send(world->hosts[0].stack, fd, data, 1000000 - sent, 0) : 0;
        sent += n > 0 ? (uint32_t)n : 0;
        if (child < 0)
            child = lan_accept(world->hosts[1].stack, listener, NULL, LAN_SOCK_NONBLOCK);
        n = child >= 0 ? lan_recv(world->hosts[1].stack, child, data, sizeof data, 0) : 0;
        received += n > 0 ? (uint32_t)n : 0;
    }
    assert_int_equal(received, 1000000);
    assert_true(world->now_ns - start_ns() < UINT64_C(3000000000));
    lan_close(world->hosts[0].stack, fd);
    lan_close(world->hosts[1].stack, child);
    lan_close(world->hosts[1].stack, listener);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(a_router_that_names_its_mtu_is_believed_at_once),
        TEST_CONNECTED(a_router_that_names_none_makes_it_the_next_plateau_RFC_1191_7_1),
        TEST_CONNECTED(a_quoted_length_of_0_makes_it_the_floor),
        TEST_CONNECTED(one_flight_steps_down_one_plateau_only),
        TEST_CONNECTED(an_mtu_below_the_floor_is_the_floor_without_df),
        TEST_CONNECTED(an_mtu_that_is_no_less_changes_nothing),
        TEST_CONNECTED(what_quotes_no_segment_under_way_changes_nothing_RFC_5927_4_1),
        TEST_CONNECTED(a_quote_that_is_cut_short_changes_nothing),
        TEST(a_syn_learns_it_too),
        TEST_CONNECTED(after_ten_minutes_more_is_tried_RFC_1191_6_3),
        TEST_CONNECTED(after_three_time_outs_segments_get_smaller_RFC_2923_2_1),
        TEST_CONNECTED(and_smaller_still_down_to_what_every_host_takes),
        TEST_CONNECTED(a_route_that_is_looked_up_again_does_not_forget_what_a_router_said),
        TEST_CONNECTED(small_segments_that_vanish_say_nothing_of_the_mtu),
        TEST_CONNECTED(a_guess_is_tried_again_after_a_minute_and_given_up_at_the_first_time_out),
        TEST_CONNECTED(another_mtu_of_the_interface_reaches_the_connection),
        TEST(maxseg_clamps_both_ways),
        cmocka_unit_test(a_transfer_gets_through_a_black_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
