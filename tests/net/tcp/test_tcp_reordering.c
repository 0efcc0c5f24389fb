/* SPDX-License-Identifier: Apache-2.0 */
/* A path that delivers out of order, as RACK learns it (RFC 8985 6.2) from duplicates that are reported (RFC 2883). */
#include "clock.h"
#include "sack_peer.h"

#include <string.h>

/* The host sends segments [first, end), and a round trip later all but the first have arrived. */
static void overtake(struct peer *p, uint32_t first, uint32_t end)
{
    send_flight(p, first, end);
    sack(p, first, first + 1, end);
}

/* The first comes late, when it has just been sent again, and then once more. */
static void arrive_twice(struct peer *p, uint32_t first, uint32_t end)
{
    expect_segment(p, first);
    from_peer(p, ACK, 1, seq_of(end), 0);
    wait_ms(p, RTT_MS);
    sack(p, end, first, first + 1);
}

/* [first, end) as above, and `first` is sent again `ms` after it was overtaken. */
static void expect_patience_ms(struct peer *p, uint32_t first, uint32_t end, uint64_t ms)
{
    overtake(p, first, end);
    wait_ms(p, ms - 1);
    expect_quiet(p);
    wait_ms(p, 2);
    arrive_twice(p, first, end);
}

static void what_was_sent_again_in_vain_shows_that_the_path_reorders_RFC_8985_6_2(void **state)
{
    struct peer *p = *state;
    overtake(p, 2, 7);
    arrive_twice(p, 2, 7); /* at once: three segments have overtaken it */
    assert_int_equal(counter(p->f, "TcpExtTCPFullUndo"), 1);
    expect_patience_ms(p, 7, 12, 2 * RTT_MS / 4);
    expect_patience_ms(p, 12, 17, 3 * RTT_MS / 4);
    expect_patience_ms(p, 17, 22, RTT_MS);
    expect_patience_ms(p, 22, 27, RTT_MS); /* no longer than a round trip */
}

static void a_duplicate_of_an_earlier_recovery_does_not_undo_the_next(void **state)
{
    struct peer *p = *state;
    overtake(p, 2, 12);
    expect_segment(p, 2);
    from_peer(p, ACK, 1, seq_of(12), 0);
    overtake(p, 12, 17);
    expect_segment(p, 12);
    sack(p, 12, 2, 3); /* the first recovery was in vain; of the second nothing is known yet */
    assert_int_equal(counter(p->f, "TcpExtTCPDSACKRecv"), 1);
    assert_int_equal(counter(p->f, "TcpExtTCPFullUndo"), 0);
    sack(p, 17, 12, 13);
    assert_int_equal(counter(p->f, "TcpExtTCPFullUndo"), 1);
}

/* `segment` is lost until a time-out, and then its round trip is measured by the next one, so the time-out is short
 * again. */
static void time_out(struct peer *p, uint32_t segment)
{
    uint64_t before = counter(p->f, "TcpExtTCPTimeouts");
    host_sends(p, seq_of(segment), MSS);
    while (counter(p->f, "TcpExtTCPTimeouts") == before)
        wait_ms(p, 10);
    from_peer(p, ACK, 1, seq_of(segment + 1), 0);
    host_sends(p, seq_of(segment + 1), MSS);
    skip_sent(p);
    wait_ms(p, RTT_MS);
    from_peer(p, ACK, 1, seq_of(segment + 2), 0);
}

static void sixteen_recoveries_without_a_duplicate_make_it_forget_RFC_8985_6_2(void **state)
{
    struct peer *p = *state;
    uint32_t next = 7;
    overtake(p, 2, next);
    arrive_twice(p, 2, next);
    for (int i = 0; i < 15; i++, next += 2)
        time_out(p, next);
    expect_patience_ms(p, next, next + 2, 2 * RTT_MS / 4);
    next += 2;
    for (int i = 0; i < 16; i++, next += 2)
        time_out(p, next);
    expect_patience_ms(p, next, next + 2, RTT_MS / 4);
}

/* A sender with nothing under way, whose round trip is 20 ms. */
static struct lan_tcb lone_sender(struct fixture *f)
{
    struct lan_tcb tcb = {.stack = f->stack,
                          .flags = TCB_SACK,
                          .mss = MSS,
                          .srtt = LAN_TCP_TICKS(RTT_MS * LAN_MS),
                          .opt.congestion = &LAN_TCP_CUBIC};
    assert_true(lan_tcp_sender_open(&tcb));
    let_pass(f->stack, LAN_S);
    return tcb;
}

static void a_duplicate_counts_once_a_round_though_the_last_was_2_gb_ago(void **state)
{
    struct lan_tcb tcb = lone_sender(*state);
    tcb.snd_nxt = 2 * MSS;
    lan_tcp_rack_dsack(&tcb);
    lan_tcp_rack_dsack(&tcb);
    assert_int_equal(tcb.reorder_steps, 1);
    tcb.snd_una = 2 * MSS + 0x80000001;
    tcb.snd_nxt = tcb.snd_una + 2 * MSS;
    lan_tcp_rack_dsack(&tcb);
    assert_int_equal(tcb.reorder_steps, 2);
    lan_tcp_sender_close(&tcb);
}

/* Segment 1 is sent again 0.1 ms before segment 0, then `more` new ones, and segment 1 arrives. */
static void send_again_backwards(struct fixture *f, uint32_t more)
{
    struct lan_tcb tcb = lone_sender(f);
    lan_tcp_sent(&tcb, 0, 2 * MSS);
    tcb.snd_nxt = 2 * MSS;
    let_pass(f->stack, 30 * LAN_MS);
    uint32_t again = lan_tcp_now(&tcb);
    lan_tcp_sent(&tcb, MSS, 2 * MSS);
    let_pass(f->stack, LAN_MS / 10);
    lan_tcp_sent(&tcb, 0, MSS);
    for (uint32_t i = 0; i < more; i++, tcb.snd_nxt += MSS, let_pass(f->stack, LAN_MS / 2))
        lan_tcp_sent(&tcb, tcb.snd_nxt, tcb.snd_nxt + MSS);
    let_pass(f->stack, RTT_MS * LAN_MS);
    struct lan_tcp_segment segment = {.sacks = 1, .sack = {{MSS, 2 * MSS}}};
    struct lan_tcp_ack ack = {0};
    lan_tcp_scoreboard_sacked(&tcb, &segment, &ack);
    assert_int_equal(ack.last_sent, again);
    lan_tcp_lose_older(&tcb, tcb.sender->rack_sent, tcb.sender->rack_end, tcb.sender->rack_rtt);
    assert_int_equal(tcb.sender->lost, 0);
    lan_tcp_sender_close(&tcb);
}

static void what_was_sent_again_later_is_not_lost_with_what_was_sent_before(void **state)
{
    send_again_backwards(*state, 0);
}

static void nor_is_it_when_the_scoreboard_is_full(void **state)
{
    send_again_backwards(*state, 130);
}

enum { SINCE_MS = RTT_MS + 5 };

/* Eight segments have left, a round trip later segment 0 once more, and since then SINCE_MS have passed. */
static struct lan_tcb first_of_eight_sent_again(struct fixture *f)
{
    struct lan_tcb tcb = lone_sender(f);
    tcb.sender->min_rtt = LAN_TCP_TICKS(RTT_MS * LAN_MS);
    lan_tcp_sent(&tcb, 0, 8 * MSS);
    tcb.snd_nxt = 8 * MSS;
    let_pass(f->stack, RTT_MS * LAN_MS);
    lan_tcp_sent(&tcb, 0, MSS);
    let_pass(f->stack, SINCE_MS * LAN_MS);
    return tcb;
}

/* Segment 0 is sent again. Its original arrives even later than a retransmission would, as the time stamp of the ACK
 * tells, whichever recovery has sent it; of the rest, which was sent before that, nothing is heard yet. */
static void an_original_that_arrives_after_a_round_trip_tells_nothing_of_the_rest_RFC_8985_6_2(void **state)
{
    struct lan_tcb tcb = first_of_eight_sent_again(*state);
    struct lan_tcp_ack ack = {.stamp_age = LAN_TCP_COARSE((SINCE_MS + 3) * LAN_MS)};
    lan_tcp_scoreboard_acked(&tcb, MSS, &ack);
    assert_int_equal(ack.delivered, MSS);
    lan_tcp_lose_older(&tcb, tcb.sender->rack_sent, tcb.sender->rack_end, tcb.sender->rack_rtt);
    assert_int_equal(tcb.sender->lost, 0);
    lan_tcp_sender_close(&tcb);
}

/* The same where header prediction takes the ACK. */
static void nor_does_an_ack_that_was_predicted(void **state)
{
    struct lan_tcb tcb = first_of_eight_sent_again(*state);
    tcb.flags |= TCB_TIMESTAMPS;
    uint32_t answered = lan_tcp_timestamp(&tcb) - LAN_TCP_COARSE((SINCE_MS + 3) * LAN_MS);
    assert_true(lan_tcp_acknowledge_new(&tcb, MSS, answered));
    assert_int_equal(tcb.snd_una, MSS);
    assert_int_equal(tcb.sender->rack_sent, 0);
    lan_timer_cancel(&tcb.timer);
    lan_tcp_sender_close(&tcb);
}

/* The same without a time stamp, or with that of the retransmission. */
static void but_what_was_sent_again_and_has_arrived_does(void **state)
{
    const uint32_t ages[] = {LAN_TCP_NEVER, LAN_TCP_COARSE(SINCE_MS * LAN_MS) + 1};
    for (int i = 0; i < 2; i++) {
        struct lan_tcb tcb = first_of_eight_sent_again(*state);
        struct lan_tcp_ack ack = {.stamp_age = ages[i]};
        lan_tcp_scoreboard_acked(&tcb, MSS, &ack);
        lan_tcp_lose_older(&tcb, tcb.sender->rack_sent, tcb.sender->rack_end, tcb.sender->rack_rtt);
        assert_int_equal(tcb.sender->lost, 7 * MSS);
        lan_tcp_sender_close(&tcb);
    }
}

/* Two segments 0.31 ms apart are one run of the scoreboard; then the round trip shortens. */
static void what_is_one_run_stays_so_when_the_round_trip_shortens(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = lone_sender(f);
    uint64_t apart_ns = 31 * LAN_MS / 100;
    lan_tcp_sent(&tcb, 0, MSS);
    let_pass(f->stack, apart_ns);
    tcb.snd_nxt = MSS;
    lan_tcp_sent(&tcb, MSS, 2 * MSS);
    tcb.snd_nxt = 2 * MSS;
    assert_int_equal(tcb.sender->run_count, 1);
    uint32_t second = lan_tcp_now(&tcb);
    tcb.srtt = LAN_TCP_TICKS(15 * LAN_MS);
    let_pass(f->stack, 15 * LAN_MS);
    lan_tcp_lose_older(&tcb, second, MSS, tcb.srtt); /* sent with the second, which may be on its way */
    assert_int_equal(tcb.sender->lost, 0);
    lan_tcp_sender_close(&tcb);
}

/* Segments 1 and 2 are one run, between which segment 0 is sent again; and the answers come with gaps of 2 ms. */
static void what_was_sent_after_a_retransmission_that_has_arrived_is_not_lost(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = lone_sender(f);
    lan_tcp_sent(&tcb, 0, MSS);
    tcb.snd_nxt = MSS;
    let_pass(f->stack, RTT_MS * LAN_MS);
    lan_tcp_sent(&tcb, MSS, 2 * MSS);
    tcb.snd_nxt = 2 * MSS;
    let_pass(f->stack, LAN_MS / 10);
    lan_tcp_sent(&tcb, 0, MSS);
    let_pass(f->stack, LAN_MS / 10);
    lan_tcp_sent(&tcb, 2 * MSS, 3 * MSS);
    tcb.snd_nxt = 3 * MSS;
    assert_int_equal(tcb.sender->run_count, 2);
    let_pass(f->stack, RTT_MS * LAN_MS);
    struct lan_tcp_ack ack = {.stamp_age = LAN_TCP_NEVER};
    lan_tcp_scoreboard_acked(&tcb, 2 * MSS, &ack);
    let_pass(f->stack, 2 * LAN_MS);
    lan_tcp_lose_older(&tcb, tcb.sender->rack_sent, tcb.sender->rack_end, tcb.sender->rack_rtt);
    assert_int_equal(tcb.sender->lost, 0);
    lan_tcp_sender_close(&tcb);
}

#define TEST_SACK(name) cmocka_unit_test_setup_teardown(name, sack_setup, peer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_SACK(what_was_sent_again_in_vain_shows_that_the_path_reorders_RFC_8985_6_2),
        TEST_SACK(a_duplicate_of_an_earlier_recovery_does_not_undo_the_next),
        TEST_SACK(sixteen_recoveries_without_a_duplicate_make_it_forget_RFC_8985_6_2),
        TEST(a_duplicate_counts_once_a_round_though_the_last_was_2_gb_ago),
        TEST(what_was_sent_again_later_is_not_lost_with_what_was_sent_before),
        TEST(nor_is_it_when_the_scoreboard_is_full),
        TEST(an_original_that_arrives_after_a_round_trip_tells_nothing_of_the_rest_RFC_8985_6_2),
        TEST(nor_does_an_ack_that_was_predicted),
        TEST(but_what_was_sent_again_and_has_arrived_does),
        TEST(what_was_sent_after_a_retransmission_that_has_arrived_is_not_lost),
        TEST(what_is_one_run_stays_so_when_the_round_trip_shortens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
