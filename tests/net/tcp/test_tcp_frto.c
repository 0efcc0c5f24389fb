/* SPDX-License-Identifier: Apache-2.0 */
/* Time-outs that were in vain, without time stamps: RFC 5682, RFC 4015. */
#include "../start.h"
#include "sack_peer.h"

enum { FLIGHT = 10 };

static void ack(struct peer *p, uint32_t segment)
{
    from_peer(p, ACK, 1, seq_of(segment), 0);
}

/* A connection with a round trip of RTT_MS that has FLIGHT segments under way and more to send, and a time-out. */
static struct peer *time_out(void **state, const char *syn_options, uint32_t option_bytes)
{
    static struct peer peer;
    fixture_setup(state);
    peer = peer_of(*state);
    struct peer *p = &peer;
    passive_open_with(p, syn_options, option_bytes, RTT_MS);
    host_sends(p, 1, 30 * MSS);
    for (uint32_t i = 0; i < FLIGHT; i++)
        expect_segment(p, i);
    while (!counter(p->f, "TcpExtTCPTimeouts"))
        wait_ms(p, 1);
    *state = p;
    return p;
}

static int setup(void **state)
{
    struct peer *p = time_out(state, "\x02\x04\x05\xb4", 4);
    expect_segment(p, 0);
    expect_quiet(p);
    return 0;
}

static int timed_out_with_sack(void **state)
{
    struct peer *p = time_out(state, "\x02\x04\x05\xb4\x04\x02\x01\x01", 8);
    expect_segment(p, FLIGHT); /* the tail loss probe */
    expect_segment(p, 0);
    expect_quiet(p);
    return 0;
}

static void acks_of_what_was_not_sent_again_show_that_nothing_was_lost(void **state)
{
    struct peer *p = *state;
    ack(p, 1);
    expect_segment(p, FLIGHT); /* step 2b */
    expect_segment(p, FLIGHT + 1);
    expect_quiet(p);
    ack(p, 2);
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 1);
    for (uint32_t i = 3; i <= FLIGHT; i++)
        ack(p, i);
    for (uint32_t i = FLIGHT + 2; frames_waiting(p->f); i++)
        expect_segment(p, i);
    assert_int_equal(counter(p->f, "TcpRetransSegs"), 1);
}

static void the_window_is_what_it_was(void **state)
{
    struct peer *p = *state;
    ack(p, 1);
    skip_sent(p);
    ack(p, 2); /* of the window of 10, FLIGHT are under way */
    ack(p, 4);
    expect_segment(p, FLIGHT + 2);
    expect_segment(p, FLIGHT + 3);
    skip_sent(p);
}

static void the_late_round_trip_makes_the_next_time_out_longer_RFC_4015_3_3(void **state)
{
    struct peer *p = *state;
    uint64_t waited_ms = (p->f->now_ns - start_ns()) / 1000000 - RTT_MS;
    ack(p, 1);
    ack(p, 2);
    skip_sent(p);
    for (uint32_t i = 3; i <= FLIGHT; i++)
        ack(p, i);
    skip_sent(p);
    wait_ms(p, waited_ms);
    expect_quiet(p);
    wait_ms(p, waited_ms);
    skip_sent(p);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 2);
}

static void a_duplicate_ack_after_new_data_shows_that_the_loss_was_real(void **state)
{
    struct peer *p = *state;
    ack(p, 1);
    expect_segment(p, FLIGHT);
    expect_segment(p, FLIGHT + 1);
    ack(p, 1); /* step 3a */
    expect_segment(p, 1);
    expect_quiet(p);
    ack(p, 2);
    expect_segment(p, 2);
    expect_segment(p, 3);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 0);
}

static void a_duplicate_ack_at_first_leaves_slow_start_to_recover(void **state)
{
    struct peer *p = *state;
    ack(p, 0); /* step 2a */
    expect_quiet(p);
    ack(p, 1);
    expect_segment(p, 1);
    expect_segment(p, 2);
    expect_quiet(p);
}

static void a_second_time_out_leaves_slow_start_to_recover(void **state)
{
    struct peer *p = *state;
    wait_ms(p, 1000);
    expect_segment(p, 0);
    expect_quiet(p);
    ack(p, 1);
    expect_segment(p, 1);
    expect_segment(p, 2);
    expect_quiet(p);
}

static void an_ack_of_the_whole_flight_ends_the_recovery(void **state)
{
    struct peer *p = *state;
    ack(p, FLIGHT);
    expect_segment(p, FLIGHT);
    expect_segment(p, FLIGHT + 1); /* the loss was real: slow start goes on */
    assert_in_range(skip_sent(p), 0, 7);
    ack(p, FLIGHT + 1);
    skip_sent(p);
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 0);
}

static void without_room_in_the_window_slow_start_recovers(void **state)
{
    struct peer *p = *state;
    p->window = (FLIGHT - 1) * MSS;
    from_peer(p, ACK, 1, 1, 0);
    ack(p, 1);
    expect_segment(p, 1);
    skip_sent(p);
}

static void a_sack_of_what_was_not_sent_again_shows_that_nothing_was_lost(void **state)
{
    struct peer *p = *state;
    ack(p, 1);
    expect_segment(p, FLIGHT + 1);
    expect_segment(p, FLIGHT + 2);
    expect_quiet(p);
    sack(p, 1, 2, 3); /* reordered, too */
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 1);
    ack(p, FLIGHT);
    assert_int_equal(counter(p->f, "TcpRetransSegs"), 1);
    skip_sent(p);
}

static void a_sack_of_new_data_shows_that_the_loss_was_real(void **state)
{
    struct peer *p = *state;
    ack(p, 1);
    expect_segment(p, FLIGHT + 1);
    expect_segment(p, FLIGHT + 2);
    sack(p, 1, FLIGHT + 1, FLIGHT + 2);
    expect_segment(p, 1);
    assert_int_equal(counter(p->f, "TcpExtTCPSpuriousRTOs"), 0);
    skip_sent(p);
}

static void everything_arrives_when_all_but_the_first_is_lost(void **state)
{
    struct peer *p = *state;
    uint32_t next = 1;
    ack(p, 1);
    skip_sent(p); /* the new data are lost, too */
    for (int i = 0; i < 100 && next < 30; i++) {
        wait_ms(p, 300);
        while (frames_waiting(p->f)) {
            struct sent sent = next_sent(p);
            if (sent.seq == seq_of(next)) {
                next++;
                ack(p, next);
            }
        }
    }
    assert_int_equal(next, 30);
}

#define TEST_FRTO(name) cmocka_unit_test_setup_teardown(name, setup, peer_teardown)
#define TEST_SACK(name) cmocka_unit_test_setup_teardown(name, timed_out_with_sack, peer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_FRTO(acks_of_what_was_not_sent_again_show_that_nothing_was_lost),
        TEST_FRTO(the_window_is_what_it_was),
        TEST_FRTO(the_late_round_trip_makes_the_next_time_out_longer_RFC_4015_3_3),
        TEST_FRTO(a_duplicate_ack_after_new_data_shows_that_the_loss_was_real),
        TEST_FRTO(a_duplicate_ack_at_first_leaves_slow_start_to_recover),
        TEST_FRTO(a_second_time_out_leaves_slow_start_to_recover),
        TEST_FRTO(an_ack_of_the_whole_flight_ends_the_recovery),
        TEST_FRTO(without_room_in_the_window_slow_start_recovers),
        TEST_FRTO(everything_arrives_when_all_but_the_first_is_lost),
        TEST_SACK(a_sack_of_what_was_not_sent_again_shows_that_nothing_was_lost),
        TEST_SACK(a_sack_of_new_data_shows_that_the_loss_was_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
