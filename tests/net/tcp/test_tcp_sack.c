/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery with SACK: RFC 2018, RFC 2883, RFC 6675, RFC 6937, RFC 8985. */
#include "clock.h"
#include "sack_peer.h"
#include "sound.h"

#include <errno.h>
#include <string.h>

static void three_segments_beyond_a_hole_send_the_hole_again(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 10);
    sack(p, 2, 3, 4);
    sack(p, 2, 3, 5);
    expect_quiet(p);
    sack(p, 2, 3, 6);
    expect_segment(p, 2);
    expect_quiet(p);
    from_peer(p, ACK, 1, seq_of(10), 0);
    wait_ms(p, 5000);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpRetransSegs"), 1);
}

static void every_hole_is_sent_again_and_nothing_else(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 12);
    struct block blocks[] = {{seq_of(9), seq_of(12)}, {seq_of(5), seq_of(8)}, {seq_of(3), seq_of(4)}};
    sack_bytes(p, seq_of(2), blocks, 3);
    expect_segment(p, 2);
    expect_segment(p, 4);
    expect_segment(p, 8);
    expect_quiet(p);
}

static void a_retransmission_that_is_lost_is_sent_again_without_a_time_out_RFC_8985(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 12);
    sack(p, 2, 3, 8);
    expect_segment(p, 2);
    host_sends(p, seq_of(12), 4 * MSS);
    wait_ms(p, 5);
    sack(p, 2, 3, 12);
    while (frames_waiting(p->f))
        assert_true(next_sent(p).seq >= seq_of(12));
    wait_ms(p, RTT_MS);
    sack(p, 2, 3, 14); /* these were sent after the retransmission, and have arrived */
    wait_ms(p, RTT_MS);
    expect_segment(p, 2);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 0);
}

/* A segment whose retransmissions are lost, too, while others arrive: the time-out counts from the last of them, so
 * that there is none as long as they leave every round trip. */
static void a_retransmission_of_the_first_segment_starts_the_time_out_anew_RFC_6675_6(void **state)
{
    struct peer *p = *state;
    uint32_t end = 12;
    send_flight(p, 2, end);
    sack(p, 2, 3, end);
    for (; end < 42; end += 3) {
        expect_segment(p, 2);
        wait_ms(p, 1);
        send_flight(p, end, end + 3);
        sack(p, 2, 3, end + 3); /* these were sent after the retransmission, and have arrived */
        wait_ms(p, RTT_MS / 2);
    }
    expect_segment(p, 2);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 0);
    wait_ms(p, 200);
    expect_quiet(p);
    wait_ms(p, 50);
    expect_segment(p, 2);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 1);
}

static void one_segment_out_of_order_waits_for_the_reordering_window_RFC_8985_6_2(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 4);
    sack(p, 2, 3, 4);
    wait_ms(p, RTT_MS / 4 - 1);
    expect_quiet(p);
    wait_ms(p, 2);
    expect_segment(p, 2);
    assert_int_equal(counter(p->f, "TcpExtTCPFastRetrans"), 1);
}

static void a_lost_tail_is_probed_after_two_round_trips_RFC_8985_7(void **state)
{
    struct peer *p = *state;
    host_sends(p, seq_of(2), 4 * MSS);
    assert_int_equal(skip_sent(p), 4);
    wait_ms(p, 2 * RTT_MS - 1);
    expect_quiet(p);
    wait_ms(p, 2);
    expect_segment(p, 5);
    assert_int_equal(counter(p->f, "TcpExtTCPLossProbes"), 1);
    wait_ms(p, RTT_MS);
    sack(p, 4, 5, 6); /* only segment 4 is missing */
    wait_ms(p, RTT_MS);
    expect_segment(p, 4);
    assert_int_equal(counter(p->f, "TcpExtTCPTimeouts"), 0);
}

static uint8_t ca_state(const struct peer *p)
{
    struct lan_tcp_info info;
    uint32_t bytes = sizeof info;
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes), 0);
    return info.ca_state;
}

/* Nothing but the number in its ACK field says so. */
static void a_plain_ack_of_everything_ends_a_recovery(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 12);
    sack(p, 2, 3, 6);
    expect_segment(p, 2);
    from_peer(p, ACK, 1, seq_of(6), 0); /* and of SACK nothing is left */
    assert_int_equal(ca_state(p), LAN_TCP_CA_RECOVERY);
    from_peer(p, ACK, 1, seq_of(12), 0);
    assert_int_equal(ca_state(p), LAN_TCP_CA_OPEN);
}

static void a_plain_ack_of_everything_ends_what_a_time_out_began(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 6);
    wait_ms(p, 500); /* probe and time-out */
    skip_sent(p);
    from_peer(p, ACK, 1, seq_of(3), 0);
    from_peer(p, ACK, 1, seq_of(5), 0);
    assert_int_equal(ca_state(p), LAN_TCP_CA_LOSS);
    from_peer(p, ACK, 1, seq_of(6), 0);
    assert_int_equal(ca_state(p), LAN_TCP_CA_OPEN);
    skip_sent(p);
}

static void a_plain_ack_beyond_a_probe_tells_of_the_loss_that_it_mended_RFC_8985_7_4(void **state)
{
    struct peer *p = *state;
    host_sends(p, seq_of(2), 4 * MSS);
    skip_sent(p);
    wait_ms(p, 2 * RTT_MS + 1);
    expect_segment(p, 5);
    host_sends(p, seq_of(6), MSS);
    expect_segment(p, 6);
    from_peer(p, ACK, 1, seq_of(7), 0);
    assert_int_equal(counter(p->f, "TcpExtTCPLossProbeRecovery"), 1);
}

/* Lost without a recovery, and found by the timer of the reordering window. */
static void what_an_ack_leaves_beyond_a_hole_is_still_looked_at(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 8);
    sack(p, 4, 5, 6);
    from_peer(p, ACK, 1, seq_of(4), 0);
    wait_ms(p, RTT_MS);
    expect_segment(p, 4);
    from_peer(p, ACK, 1, seq_of(8), 0);
}

/* The SYN was lost, so no round trip is known and the time-out is 3 s (RFC 6298 (5.7)): the probe goes long before. */
static void without_a_round_trip_time_a_tail_is_probed_after_a_second_RFC_8985_7_2(void **state)
{
    struct peer p = peer_of(((struct peer *)*state)->f);
    p.port = PEER_PORT + 1;
    start_connect(&p);
    wait_ms(&p, 1000);
    expect(&p, SYN, 0, 0, 0);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4\x04\x02\x01\x01", 8);
    expect(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, MSS);
    expect(&p, ACK, 1, 1, MSS);
    wait_ms(&p, 999);
    expect_quiet(&p);
    wait_ms(&p, 2);
    expect(&p, ACK, 1, 1, MSS);
    assert_int_equal(counter(p.f, "TcpExtTCPLossProbes"), 1);
    skip_sent(&p);
}

static void a_probe_prefers_new_data_RFC_8985_7_3(void **state)
{
    struct peer *p = *state;
    host_sends(p, seq_of(2), 12 * MSS); /* more than the initial window */
    for (uint32_t i = 2; i < 12; i++)
        expect_segment(p, i);
    expect_quiet(p);
    wait_ms(p, 2 * RTT_MS + 1);
    expect_segment(p, 12);
    expect_quiet(p);
}

static void what_sack_has_told_is_not_sent_again_after_a_time_out(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 6);
    sack(p, 2, 4, 6);
    wait_ms(p, 2000); /* the retransmissions are lost, too */
    while (frames_waiting(p->f))
        assert_true(next_sent(p).seq < seq_of(4));
    assert_true(counter(p->f, "TcpExtTCPTimeouts") > 0);
    from_peer(p, ACK, 1, seq_of(3), 0);
    expect_segment(p, 3);
    expect_quiet(p);
}

static void a_peer_that_reneges_gets_everything_again_RFC_2018_8(void **state)
{
    struct peer *p = *state;
    send_flight(p, 2, 6);
    sack(p, 2, 4, 6);
    wait_ms(p, 20);
    skip_sent(p);
    from_peer(p, ACK, 1, seq_of(4), 0); /* 4 and 5 it has thrown away */
    wait_ms(p, 1000);
    expect_segment(p, 4);
    skip_sent(p);
    from_peer(p, ACK, 1, seq_of(5), 0);
    expect_segment(p, 5);
    assert_int_equal(counter(p->f, "TcpExtTCPSACKReneging"), 1);
}

static void the_window_shrinks_by_half_in_proportion_RFC_6937(void **state)
{
    struct peer *p = *state;
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, "newreno", 8);
    host_sends(p, seq_of(2), 40 * MSS);
    assert_int_equal(skip_sent(p), 10);
    wait_ms(p, RTT_MS);
    uint32_t sent = 0;
    for (uint32_t end = 4; end <= 12; end++) { /* segment 2 is lost, 3 to 11 arrive */
        sack(p, 2, 3, end);
        sent += skip_sent(p);
    }
    /* Two by limited transmit before the loss is clear; then one for every two that arrive. */
    assert_in_range(sent, 2 + 7 / 2, 2 + 7 / 2 + 1);
}

static void a_duplicate_report_takes_the_reduction_back_RFC_2883(void **state)
{
    struct peer *p = *state;
    host_sends(p, seq_of(2), 40 * MSS);
    assert_int_equal(skip_sent(p), 10);
    wait_ms(p, RTT_MS);
    sack(p, 2, 3, 12); /* 2 was only late */
    skip_sent(p);
    wait_ms(p, 2);
    struct block duplicate = {seq_of(2), seq_of(3)};
    sack_bytes(p, seq_of(12), &duplicate, 1);
    assert_int_equal(counter(p->f, "TcpExtTCPDSACKRecv"), 1);
    assert_int_equal(counter(p->f, "TcpExtTCPFullUndo"), 1);
}

static void a_segment_that_arrives_twice_is_reported_once_RFC_2883(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, seq_of(2), 100);
    wait_ms(p, 100);
    skip_sent(p);
    from_peer(p, ACK, 1, seq_of(2), 100);
    struct sent sent = expect(p, ACK, seq_of(2), 101, 0);
    uint8_t option[12] = {1, 1, 5, 10};
    put_seq(option + 4, p->iss + 1);
    put_seq(option + 8, p->iss + 101);
    assert_int_equal(sent.option_bytes, 12);
    assert_memory_equal(sent.options, option, 12);
    from_peer(p, ACK, 301, seq_of(2), 100);
    sent = expect(p, ACK, seq_of(2), 101, 0);
    put_seq(option + 4, p->iss + 301);
    put_seq(option + 8, p->iss + 401);
    assert_memory_equal(sent.options, option, 12);
}

/* Data carry the acknowledgment, but no SACK; so an ACK goes before them. */
static void a_duplicate_is_reported_though_data_follow_at_once_RFC_2883_4(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, seq_of(2), 100);
    host_sends(p, seq_of(2), 12 * MSS);
    skip_sent(p);
    from_peer(p, ACK, 1, seq_of(4), 200); /* the first half again; and the congestion window opens */
    struct sent sent = expect(p, ACK, seq_of(12), 201, 0);
    assert_int_equal(sent.option_bytes, 12);
    assert_int_equal(sent.options[2], 5);
    expect(p, ACK, seq_of(12), 201, MSS);
    skip_sent(p);
}

/* A duplicate that could not be told any more, and how far its path reordered. */
static void a_socket_s_next_connection_knows_nothing_of_the_one_before(void **state)
{
    struct peer p = peer_of(*state);
    active_open(&p);
    struct lan_tcb *tcb = lan_socket_find(p.f->stack, p.fd)->pcb;
    lan_tcp_note_duplicate(tcb, p.iss + 1, p.iss + 101);
    tcb->reorder_steps = 5;
    from_peer(&p, RST, 1, 0, 0);
    char byte;
    assert_int_equal(lan_recv(p.f->stack, p.fd, &byte, 1, 0), -ECONNRESET);
    start_connect(&p);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4\x04\x02\x01\x01", 8);
    assert_int_equal(expect(&p, ACK, 1, 1, 0).option_bytes, 0);
    assert_int_equal(tcb->reorder_steps, 0);
}

static void a_part_that_has_arrived_beyond_a_gap_is_reported_RFC_2883_4_2(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 201, 1, 100);
    skip_sent(p);
    from_peer(p, ACK, 201, 1, 200);
    struct sent sent = next_sent(p);
    uint8_t option[20] = {1, 1, 5, 18};
    put_seq(option + 4, p->iss + 201);
    put_seq(option + 8, p->iss + 301);
    put_seq(option + 12, p->iss + 201);
    put_seq(option + 16, p->iss + 401);
    assert_int_equal(sent.option_bytes, sizeof option);
    assert_memory_equal(sent.options, option, sizeof option);
    from_peer(p, ACK, 401, 1, 100); /* adjacent: nothing twice */
    sent = next_sent(p);
    option[3] = 10;
    put_seq(option + 8, p->iss + 501);
    assert_int_equal(sent.option_bytes, 12);
    assert_memory_equal(sent.options, option, 12);
}

static void blocks_that_no_honest_peer_sends_change_nothing(void **state)
{
    struct peer *p = *state;
    static const struct block bad[] = {
        {1 + 4 * MSS, 1 + 3 * MSS},          /* backwards */
        {1 + 4 * MSS, 1 + 4 * MSS},          /* empty */
        {1 + 4 * MSS, 1 + 900 * MSS},        /* never sent */
        {0x80000000, 0x80000010},            /* far away */
        {1 + 4 * MSS, 1 + 2 * MSS},          /* to SND.UNA */
        {1 + 2 * MSS, 1 + 2 * MSS + 100000}, /* from SND.UNA beyond SND.NXT */
    };
    send_flight(p, 2, 10);
    for (uint32_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (int again = 0; again < 4; again++)
            sack_bytes(p, seq_of(2), &bad[i], 1);
        assert_sound(p->f->stack);
    }
    expect_quiet(p);
    from_peer(p, ACK, 1, seq_of(10), 0);
    wait_ms(p, 5000);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpRetransSegs"), 0);
}

/* 2^31 further on is before and behind at once: such a block must not leave a run of no octets, which memory behind the
 * scoreboard's might have to hold, and which could be sent again for ever. */
static void nor_does_a_block_that_ends_at_the_far_side_of_all_numbers(void **state)
{
    struct peer *p = *state;
    const struct block blocks[] = {{seq_of(9), seq_of(10)}, {seq_of(10), seq_of(10) + 0x80000000}};
    send_flight(p, 2, 10);
    sack_bytes(p, seq_of(2), blocks, 2);
    assert_sound(p->f->stack);
    from_peer(p, ACK, 1, seq_of(10), 0);
    skip_sent(p);
}

static void a_sack_of_every_other_byte_stays_bounded_and_the_data_arrives(void **state)
{
    struct peer *p = *state;
    uint32_t buffers = lan_pool_free_buffers(lan_stack_pool(p->f->stack));
    send_flight(p, 2, 12);
    for (uint32_t i = 0; i < 5 * MSS; i += 2) {
        struct block block = {seq_of(3) + i, seq_of(3) + i + 1};
        sack_bytes(p, seq_of(2), &block, 1);
        skip_sent(p);
    }
    assert_true(counter(p->f, "TcpExtTCPSACKDiscard") > 0);
    from_peer(p, ACK, 1, seq_of(12), 0);
    skip_sent(p);
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(p->f->stack)), buffers);
    send_flight(p, 12, 14);
}

/* The scoreboard alone: 600 segments sent 10 us apart, every other one lost, as after an overflow of a queue. */
static void a_scoreboard_that_is_full_forgets_nothing_that_it_knows(void **state)
{
    enum { SEGMENTS = 600 };
    struct fixture *f = *state;
    struct lan_tcb tcb = {.stack = f->stack,
                          .flags = TCB_SACK,
                          .mss = MSS,
                          .srtt = LAN_TCP_TICKS(20 * LAN_MS),
                          .opt.congestion = &LAN_TCP_CUBIC};
    struct lan_tcp_ack ack = {0};
    struct lan_tcp_block lost;
    assert_true(lan_tcp_sender_open(&tcb));
    for (uint32_t i = 0; i < SEGMENTS; i++, tcb.snd_nxt += MSS, let_pass(f->stack, LAN_MS / 100))
        lan_tcp_sent(&tcb, i * MSS, (i + 1) * MSS);
    for (uint32_t i = 1; i < SEGMENTS; i += 2) {
        struct lan_tcp_segment segment = {.sacks = 1, .sack = {{i * MSS, (i + 1) * MSS}}};
        lan_tcp_scoreboard_sacked(&tcb, &segment, &ack);
    }
    uint32_t known = tcb.sender->sacked;
    assert_true(known >= 20 * MSS);
    lan_tcp_mark_lost(&tcb, SEGMENTS * MSS);
    assert_int_equal(tcb.sender->lost, SEGMENTS * MSS - known);
    for (; lan_tcp_next_lost(&tcb, &lost); let_pass(f->stack, LAN_MS))
        lan_tcp_sent(&tcb, lost.start, lost.end - lost.start < MSS ? lost.end : lost.start + MSS);
    assert_int_equal(tcb.sender->sacked, known);
    assert_int_equal(lan_tcp_pipe(&tcb), SEGMENTS * MSS - known);
    lan_tcp_scoreboard_acked(&tcb, tcb.snd_nxt, &ack);
    assert_int_equal(tcb.sender->sacked, 0);
    lan_tcp_sender_close(&tcb);
}

/* A sender with nothing under way, whose round trip is 20 ms. */
static struct lan_tcb lone_sender(struct fixture *f)
{
    struct lan_tcb tcb = {.stack = f->stack,
                          .flags = TCB_SACK,
                          .mss = MSS,
                          .srtt = LAN_TCP_TICKS(20 * LAN_MS),
                          .opt.congestion = &LAN_TCP_CUBIC};
    assert_true(lan_tcp_sender_open(&tcb));
    return tcb;
}

/* As pacing sends them: hardly two at the same time. */
static void sack_is_taken_though_the_scoreboard_is_full_of_times(void **state)
{
    enum { SEGMENTS = 110 };
    struct fixture *f = *state;
    struct lan_tcb tcb = lone_sender(f);
    struct lan_tcp_ack ack = {0};
    for (uint32_t i = 0; i < SEGMENTS; i++, tcb.snd_nxt += MSS, let_pass(f->stack, LAN_MS / 2))
        lan_tcp_sent(&tcb, i * MSS, (i + 1) * MSS);
    for (uint32_t i = 2; i < SEGMENTS; i += 6) {
        struct lan_tcp_segment segment = {.sacks = 1, .sack = {{i * MSS, (i + 1) * MSS}}};
        lan_tcp_scoreboard_sacked(&tcb, &segment, &ack);
        if (i == 2) /* no round trip is measured by a time that gave way: this one took 54 ms */
            assert_false(tcb.sender->min_rtt && tcb.sender->min_rtt < LAN_TCP_TICKS(54 * LAN_MS) - 1);
    }
    assert_int_equal(tcb.sender->sacked, (SEGMENTS - 2) / 6 * MSS);
    assert_int_equal(counter(f, "TcpExtTCPSACKDiscard"), 0);
    lan_tcp_sender_close(&tcb);
}

/* Segments 2 and 3 are one run of the scoreboard, 0.2 ms apart, and 0 was sent again between them. */
static void what_may_have_left_after_a_segment_that_arrived_is_not_lost(void **state)
{
    struct fixture *f = *state;
    struct lan_tcb tcb = lone_sender(f);
    let_pass(f->stack, LAN_S);
    uint64_t start_ns = f->stack->tcp.now_ns;
    for (uint32_t i = 0; i < 2; i++, tcb.snd_nxt += MSS)
        lan_tcp_sent(&tcb, i * MSS, (i + 1) * MSS);
    let_pass(f->stack, 30 * LAN_MS);
    for (uint32_t i = 2; i < 4; i++, tcb.snd_nxt += MSS, let_pass(f->stack, LAN_MS / 10)) {
        lan_tcp_sent(&tcb, i * MSS, (i + 1) * MSS);
        let_pass(f->stack, LAN_MS / 10);
        if (i == 2)
            lan_tcp_sent(&tcb, 0, MSS);
    }
    struct lan_tcp_ack ack = {0};
    lan_tcp_scoreboard_acked(&tcb, 2 * MSS, &ack);
    lan_tcp_set_clock(&f->stack->tcp, start_ns + 50 * LAN_MS + LAN_MS / 10);
    uint32_t again = lan_tcp_now(&tcb) - tcb.srtt;
    uint32_t wait = lan_tcp_lose_older(&tcb, again, MSS, tcb.srtt);
    assert_int_equal(tcb.sender->lost, 0);
    assert_in_range(wait, 1, LAN_TCP_TICKS(LAN_MS));
    let_pass(f->stack, (uint64_t)wait << LAN_TCP_TICK_BITS);
    lan_tcp_lose_older(&tcb, again, MSS, tcb.srtt);
    assert_int_equal(tcb.sender->lost, 2 * MSS);
    lan_tcp_sender_close(&tcb);
}

#define TEST_SACK(name) cmocka_unit_test_setup_teardown(name, sack_setup, peer_teardown)

/* As over a loopback of a simulated host. */
static void nothing_is_lost_in_the_instant_that_it_leaves(void **state)
{
    struct peer p = peer_of(*state);
    passive_open_with(&p, "\x02\x04\x05\xb4\x01\x01\x04\x02", 8, 0);
    host_sends(&p, seq_of(0), 8 * MSS);
    assert_int_equal(skip_sent(&p), 8);
    for (int i = 0; i < 20; i++)
        sack(&p, 0, 4, 8);
    wait_ms(&p, 1);
    for (int i = 0; i < 20; i++)
        sack(&p, 0, 4, 8);
    assert_in_range(skip_sent(&p), 1, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_SACK(three_segments_beyond_a_hole_send_the_hole_again),
        TEST_SACK(every_hole_is_sent_again_and_nothing_else),
        TEST_SACK(a_retransmission_that_is_lost_is_sent_again_without_a_time_out_RFC_8985),
        TEST_SACK(a_retransmission_of_the_first_segment_starts_the_time_out_anew_RFC_6675_6),
        TEST_SACK(one_segment_out_of_order_waits_for_the_reordering_window_RFC_8985_6_2),
        TEST_SACK(a_lost_tail_is_probed_after_two_round_trips_RFC_8985_7),
        TEST_SACK(a_plain_ack_of_everything_ends_a_recovery),
        TEST_SACK(a_plain_ack_of_everything_ends_what_a_time_out_began),
        TEST_SACK(a_plain_ack_beyond_a_probe_tells_of_the_loss_that_it_mended_RFC_8985_7_4),
        TEST_SACK(what_an_ack_leaves_beyond_a_hole_is_still_looked_at),
        TEST_SACK(without_a_round_trip_time_a_tail_is_probed_after_a_second_RFC_8985_7_2),
        TEST_SACK(a_probe_prefers_new_data_RFC_8985_7_3),
        TEST_SACK(what_sack_has_told_is_not_sent_again_after_a_time_out),
        TEST_SACK(a_peer_that_reneges_gets_everything_again_RFC_2018_8),
        TEST_SACK(the_window_shrinks_by_half_in_proportion_RFC_6937),
        TEST_SACK(a_duplicate_report_takes_the_reduction_back_RFC_2883),
        TEST_SACK(a_segment_that_arrives_twice_is_reported_once_RFC_2883),
        TEST_SACK(a_duplicate_is_reported_though_data_follow_at_once_RFC_2883_4),
        TEST(a_socket_s_next_connection_knows_nothing_of_the_one_before),
        TEST_SACK(a_part_that_has_arrived_beyond_a_gap_is_reported_RFC_2883_4_2),
        TEST_SACK(blocks_that_no_honest_peer_sends_change_nothing),
        TEST_SACK(nor_does_a_block_that_ends_at_the_far_side_of_all_numbers),
        TEST_SACK(a_sack_of_every_other_byte_stays_bounded_and_the_data_arrives),
        TEST(nothing_is_lost_in_the_instant_that_it_leaves),
        TEST(a_scoreboard_that_is_full_forgets_nothing_that_it_knows),
        TEST(sack_is_taken_though_the_scoreboard_is_full_of_times),
        TEST(what_may_have_left_after_a_segment_that_arrived_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
