/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps: RFC 7323, RFC 3522. */
#include "peer.h"

#include <string.h>

enum { STAMPED_MSS = MSS - 12, PEER_CLOCK = 100000 };

static void put_host32(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

static uint32_t get_host32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* The peer sends with this stamp. */
static void stamped(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes, uint32_t tsval,
                    uint32_t tsecr)
{
    static struct frame frame;
    uint8_t option[16] = {1, 1, 8, 10};
    put_host32(option + 4, tsval);
    put_host32(option + 8, tsecr);
    memcpy(option + 12, "\x02\x04\x05\xb4", 4);
    peer_frame(p, &frame, flags, seq, ack, option, flags & SYN ? 16 : 12, bytes);
    inject(p->f, &frame);
}

/* The stamp of a segment of the host that is no SYN. */
static uint32_t tsval_of(const struct sent *sent)
{
    assert_int_equal(sent->option_bytes, 12);
    assert_memory_equal(sent->options, "\x01\x01\x08\x0a", 4);
    return get_host32(sent->options + 4);
}

static uint32_t tsecr_of(const struct sent *sent)
{
    tsval_of(sent);
    return get_host32(sent->options + 8);
}

/* A connection with time stamps; returns the host's first. */
static uint32_t open_stamped(struct peer *p)
{
    int listener = listen_on(p->f, p->host_port, 8);
    stamped(p, SYN, 0, 0, 0, PEER_CLOCK, 0);
    p->host_iss = 0;
    struct sent sent = next_sent(p);
    p->host_iss = sent.seq;
    uint32_t stamp = get_host32(sent.options + 8); /* behind the MSS and two NOPs */
    wait_ms(p, 20);
    stamped(p, ACK, 1, 1, 0, PEER_CLOCK + 20, stamp);
    p->fd = lan_accept(p->f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p->fd >= 0);
    return stamp;
}

static int stamped_setup(void **state)
{
    static struct peer peer;
    fixture_setup(state);
    peer = peer_of(*state);
    open_stamped(&peer);
    *state = &peer;
    return 0;
}

static void a_peer_without_time_stamps_gets_none_RFC_7323_3_2(void **state)
{
    struct peer p = peer_of(*state);
    passive_open(&p);
    host_sends(&p, 1, 10);
    assert_int_equal(expect(&p, ACK, 1, 1, 10).option_bytes, 0);
}

static void every_segment_is_stamped_and_full_ones_are_shorter(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 2 * STAMPED_MSS);
    struct sent sent = expect(p, ACK, 1, 1, STAMPED_MSS);
    assert_int_equal(tsecr_of(&sent), PEER_CLOCK + 20);
    sent = expect(p, ACK, 1 + STAMPED_MSS, 1, STAMPED_MSS);
    assert_int_equal(tsecr_of(&sent), PEER_CLOCK + 20);
}

static void the_stamp_of_the_first_segment_that_a_delayed_ack_covers_is_echoed_RFC_7323_4_3(void **state)
{
    struct peer *p = *state;
    stamped(p, ACK, 1, 1, 1000, PEER_CLOCK + 50, 0);
    stamped(p, ACK, 1001, 1, 1000, PEER_CLOCK + 60, 0);
    wait_ms(p, 100);
    struct sent sent = expect(p, ACK, 1, 2001, 0);
    assert_int_equal(tsecr_of(&sent), PEER_CLOCK + 50);
}

static void a_segment_beyond_a_gap_does_not_change_the_echo_RFC_7323_4_3(void **state)
{
    struct peer *p = *state;
    stamped(p, ACK, 1001, 1, 100, PEER_CLOCK + 90, 0);
    struct sent sent = expect(p, ACK, 1, 1, 0);
    assert_int_equal(tsecr_of(&sent), PEER_CLOCK + 20);
}

static void an_old_duplicate_is_dropped_and_answered_RFC_7323_5_3_R1(void **state)
{
    struct peer *p = *state;
    stamped(p, ACK, 1, 1, 100, PEER_CLOCK + 19, 0);
    expect(p, ACK, 1, 1, 0);
    assert_int_equal(counter(p->f, "TcpExtPAWSEstab"), 1);
    stamped(p, ACK, 1, 1, 100, PEER_CLOCK + 20, 0);
    host_reads(p, 1, 100);
}

/* Else who guesses a place in the window could have the peer's own segments taken for old ones (CVE-2005-0356). */
static void a_stamp_counts_only_beside_a_right_acknowledgment(void **state)
{
    struct peer *p = *state;
    stamped(p, ACK, 1, 1 + 100000, 100, PEER_CLOCK + 0x70000000, 0); /* of what was never sent */
    stamped(p, ACK, 1, 1 - 100000, 100, PEER_CLOCK + 0x70000000, 0); /* from long ago */
    skip_sent(p);
    stamped(p, ACK, 1, 1, 100, PEER_CLOCK + 30, 0);
    host_reads(p, 1, 100);
    assert_int_equal(counter(p->f, "TcpExtPAWSEstab"), 0);
}

static void nor_does_one_in_syn_received(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, p.host_port, 8);
    stamped(&p, SYN, 0, 0, 0, PEER_CLOCK, 0);
    p.host_iss = 0;
    p.host_iss = next_sent(&p).seq;
    stamped(&p, ACK, 1, 1 + 100000, 0, PEER_CLOCK + 0x70000000, 0);
    skip_sent(&p);
    stamped(&p, ACK, 1, 1, 0, PEER_CLOCK + 30, 0);
    p.fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p.fd >= 0);
}

static void a_stamp_that_wraps_is_newer(void **state)
{
    struct peer *p = *state;
    uint32_t seq = 1;
    for (uint32_t stamp = PEER_CLOCK; seq < 400; stamp += 0x60000000, seq += 100) { /* once around, and more */
        stamped(p, ACK, seq, 1, 100, stamp + 20, 0);
        wait_ms(p, 100);
    }
    host_reads(p, 1, 400);
    assert_int_equal(counter(p->f, "TcpExtPAWSEstab"), 0);
    skip_sent(p);
}

static void a_reset_needs_no_stamp_but_everything_else_does_RFC_7323_3_2(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 100);
    assert_int_equal(counter(p->f, "TcpExtTCPNoTimestamp"), 1);
    assert_false(lan_ready(p->f->stack, p->fd, LAN_POLLIN));
    from_peer(p, RST, 1, 1, 0);
    assert_true(lan_ready(p->f->stack, p->fd, LAN_POLLIN) & LAN_POLLHUP);
}

static void two_connections_do_not_show_one_clock_RFC_7323_5_4(void **state)
{
    struct peer p = peer_of(*state), q = p;
    q.port++;
    q.host_port++;
    uint32_t a = open_stamped(&p), b = open_stamped(&q);
    assert_true(b - a > 1000);
}

static void a_time_out_that_was_in_vain_is_undone_RFC_3522(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10 * STAMPED_MSS);
    struct sent original = expect(p, ACK, 1, 1, STAMPED_MSS);
    assert_int_equal(skip_sent(p), 9);
    wait_ms(p, 400); /* the round trip has become longer than the time-out */
    expect(p, ACK, 1, 1, STAMPED_MSS);
    expect_quiet(p);
    stamped(p, ACK, 1, 1 + STAMPED_MSS, 0, PEER_CLOCK + 420, tsval_of(&original));
    expect_quiet(p); /* nothing else is sent again */
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 1);
    stamped(p, ACK, 1, 1 + 10 * STAMPED_MSS, 0, PEER_CLOCK + 421, tsval_of(&original));
    host_sends(p, 1 + 10 * STAMPED_MSS, 10 * STAMPED_MSS);
    assert_int_equal(skip_sent(p), 10); /* and the window is what it was */
}

/* A time-out, and the ACK of what it sends again. Returns the next segment, which follows that. */
static struct sent lose_the_first_of_ten(struct peer *p)
{
    host_sends(p, 1, 10 * STAMPED_MSS);
    assert_int_equal(skip_sent(p), 10);
    wait_ms(p, 400);
    struct sent again = expect(p, ACK, 1, 1, STAMPED_MSS);
    stamped(p, ACK, 1, 1 + STAMPED_MSS, 0, PEER_CLOCK + 420, tsval_of(&again));
    return expect(p, ACK, 1 + STAMPED_MSS, 1, STAMPED_MSS);
}

/* Some peers send stamps and echo none (Linux takes no such echo for one either). */
static void an_echo_of_nothing_undoes_nothing(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10 * STAMPED_MSS);
    assert_int_equal(skip_sent(p), 10);
    wait_ms(p, 400);
    expect(p, ACK, 1, 1, STAMPED_MSS);
    stamped(p, ACK, 1, 1 + STAMPED_MSS, 0, PEER_CLOCK + 420, 0);
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 0);
    skip_sent(p);
}

static void a_time_out_that_was_right_is_not_undone(void **state)
{
    struct peer *p = *state;
    lose_the_first_of_ten(p);
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 0);
    skip_sent(p);
}

/* Both have arrived that the first time-out has sent again, and only their ACKs were lost; but not what follows. */
static void a_second_time_out_is_not_undone_by_what_the_first_sent_again(void **state)
{
    struct peer *p = *state;
    struct sent again = lose_the_first_of_ten(p);
    assert_int_equal(skip_sent(p), 1);
    wait_ms(p, 500);
    expect(p, ACK, 1 + STAMPED_MSS, 1, STAMPED_MSS);
    stamped(p, ACK, 1, 1 + 3 * STAMPED_MSS, 0, PEER_CLOCK + 920, tsval_of(&again));
    expect(p, ACK, 1 + 3 * STAMPED_MSS, 1, STAMPED_MSS);
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 0);
    skip_sent(p);
}

/* The peer echoes the stamp of what it had before it asked for that once more. */
static void an_ack_that_waited_for_a_retransmission_measures_nothing_though_it_is_of_the_original(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 3 * STAMPED_MSS);
    struct sent sent = expect(p, ACK, 1, 1, STAMPED_MSS);
    assert_int_equal(skip_sent(p), 2);
    wait_ms(p, 400);
    assert_int_equal(skip_sent(p), 1);
    stamped(p, ACK, 1, 1 + 3 * STAMPED_MSS, 0, PEER_CLOCK + 420, tsval_of(&sent));
    host_sends(p, 1 + 3 * STAMPED_MSS, STAMPED_MSS);
    sent = next_sent(p);
    stamped(p, ACK, 1, 1 + 4 * STAMPED_MSS, 0, PEER_CLOCK + 420, tsval_of(&sent));
    host_sends(p, 1 + 4 * STAMPED_MSS, STAMPED_MSS);
    next_sent(p);
    wait_ms(p, 260);
    expect(p, ACK, 1 + 4 * STAMPED_MSS, 1, STAMPED_MSS);
}

/* Karn's algorithm is for those that cannot tell which transmission an ACK answers. */
static void a_stamp_measures_what_was_sent_again_RFC_6298_3(void **state)
{
    struct peer *p = *state;
    struct sent again;
    host_sends(p, 1, 100);
    skip_sent(p);
    for (int i = 0; i < 4; i++) { /* 16 x backed off */
        silence_ms(p);
        again = expect(p, ACK, 1, 1, 100);
    }
    wait_ms(p, 30);
    stamped(p, ACK, 1, 1 + 100, 0, PEER_CLOCK + 9000, tsval_of(&again));
    host_sends(p, 1 + 100, 100);
    expect(p, ACK, 1 + 100, 1, 100);
    assert_in_range(silence_ms(p), 210, 280);
    skip_sent(p);
}

/* And an echo that no segment of ours can have had measures nothing. */
static void a_stamp_from_nowhere_measures_nothing(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 100);
    skip_sent(p);
    silence_ms(p);
    struct sent again = expect(p, ACK, 1, 1, 100);
    uint64_t backed_off = silence_ms(p);
    expect(p, ACK, 1, 1, 100);
    stamped(p, ACK, 1, 1 + 100, 0, PEER_CLOCK + 9000, tsval_of(&again) + 0x40000000);
    host_sends(p, 1 + 100, 100);
    expect(p, ACK, 1 + 100, 1, 100);
    assert_in_range(silence_ms(p), 2 * backed_off - 4, 2 * backed_off + 4);
    skip_sent(p);
}

static void a_stamp_measures_a_syn_that_was_lost(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    wait_ms(&p, 1000);
    struct sent again = expect(&p, SYN, 0, 0, 0);
    wait_ms(&p, 30);
    stamped(&p, SYN | ACK, 0, 1, 0, PEER_CLOCK, get_host32(again.options + 12)); /* behind MSS and SACK */
    expect(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, STAMPED_MSS);
    expect(&p, ACK, 1, 1, STAMPED_MSS);
    assert_in_range(silence_ms(&p), 200, 300);
    skip_sent(&p);
}

static void a_newer_stamp_ends_time_wait_for_the_next_connection_RFC_6191(void **state)
{
    struct peer *p = *state;
    lan_close(p->f->stack, p->fd);
    expect(p, FIN | ACK, 1, 1, 0);
    stamped(p, FIN | ACK, 1, 2, 0, PEER_CLOCK + 30, 0);
    expect(p, ACK, 2, 2, 0);
    p->iss -= 1000; /* the sequence number alone says nothing */
    stamped(p, SYN, 0, 0, 0, PEER_CLOCK + 30, 0);
    skip_sent(p);
    stamped(p, SYN, 5000, 0, 0, PEER_CLOCK + 29, 0); /* nor if the stamp is older */
    skip_sent(p);
    assert_int_equal(counter(p->f, "TcpExtTWRecycled"), 0);
    stamped(p, SYN, 0, 0, 0, PEER_CLOCK + 31, 0);
    assert_int_equal(next_sent(p).flags, SYN | ACK);
    assert_int_equal(counter(p->f, "TcpExtTWRecycled"), 1);
}

#define TEST_STAMPED(name) cmocka_unit_test_setup_teardown(name, stamped_setup, peer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_peer_without_time_stamps_gets_none_RFC_7323_3_2),
        TEST_STAMPED(every_segment_is_stamped_and_full_ones_are_shorter),
        TEST_STAMPED(the_stamp_of_the_first_segment_that_a_delayed_ack_covers_is_echoed_RFC_7323_4_3),
        TEST_STAMPED(a_segment_beyond_a_gap_does_not_change_the_echo_RFC_7323_4_3),
        TEST_STAMPED(an_old_duplicate_is_dropped_and_answered_RFC_7323_5_3_R1),
        TEST_STAMPED(a_stamp_counts_only_beside_a_right_acknowledgment),
        TEST(nor_does_one_in_syn_received),
        TEST_STAMPED(a_stamp_that_wraps_is_newer),
        TEST_STAMPED(a_reset_needs_no_stamp_but_everything_else_does_RFC_7323_3_2),
        TEST(two_connections_do_not_show_one_clock_RFC_7323_5_4),
        TEST_STAMPED(a_time_out_that_was_in_vain_is_undone_RFC_3522),
        TEST_STAMPED(an_echo_of_nothing_undoes_nothing),
        TEST_STAMPED(a_time_out_that_was_right_is_not_undone),
        TEST_STAMPED(a_second_time_out_is_not_undone_by_what_the_first_sent_again),
        TEST_STAMPED(an_ack_that_waited_for_a_retransmission_measures_nothing_though_it_is_of_the_original),
        TEST_STAMPED(a_stamp_measures_what_was_sent_again_RFC_6298_3),
        TEST_STAMPED(a_stamp_from_nowhere_measures_nothing),
        TEST(a_stamp_measures_a_syn_that_was_lost),
        TEST_STAMPED(a_newer_stamp_ends_time_wait_for_the_next_connection_RFC_6191),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
