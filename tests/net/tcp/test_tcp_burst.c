/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that arrive together: whatever one alone means, it means among others. */
#include "peer.h"

#include <errno.h>
#include <string.h>

enum { FULL = 1400, SMALL = 100 };

/* `n` segments of `bytes` each from `seq` on, the last one with `flags`; they arrive with whatever else is held. */
static void segments(struct peer *p, uint32_t seq, uint32_t n, uint32_t bytes, uint8_t flags)
{
    for (uint32_t i = 0; i < n; i++)
        from_peer(p, i + 1 == n ? ACK | flags : ACK, seq + i * bytes, 1, bytes);
}

static void segments_that_arrive_together_are_taken_before_one_ACK_MUST_58_MUST_59(void **state)
{
    struct peer *p = *state;
    uint64_t segments_before = counter(p->f, "TcpInSegs"), packets_before = counter(p->f, "IpInDelivers"),
             frames_before = p->f->netif.stats.in_frames;
    hold(p->f, 8);
    segments(p, 1, 8, FULL, PSH);
    expect(p, ACK, 1, 1 + 8 * FULL, 0);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpInSegs") - segments_before, 8);
    assert_int_equal(counter(p->f, "IpInDelivers") - packets_before, 8);
    assert_int_equal(p->f->netif.stats.in_frames - frames_before, 8);
    host_reads(p, 1, 8 * FULL);
}

static void fewer_than_two_full_segments_are_acknowledged_late_as_ever(void **state)
{
    struct peer *p = *state;
    segments(p, 1, 4, FULL, 0); /* full ones are known */
    skip_sent(p);
    hold(p->f, 2);
    from_peer(p, ACK, 1 + 4 * FULL, 1, 1024); /* half a buffer, so that they may join */
    from_peer(p, ACK, 1025 + 4 * FULL, 1, 1024);
    expect_quiet(p);
    wait_ms(p, 40);
    expect(p, ACK, 1, 2049 + 4 * FULL, 0);
    host_reads(p, 1, 4 * FULL + 2048);
}

static void the_largest_segment_not_the_largest_burst_makes_ACKs_due(void **state)
{
    struct peer *p = *state;
    hold(p->f, 4);
    segments(p, 1, 4, 1024, 0);
    expect(p, ACK, 1, 4097, 0);
    from_peer(p, ACK, 4097, 1, 1024);
    from_peer(p, ACK, 5121, 1, 1024);
    expect(p, ACK, 1, 6145, 0);
    host_reads(p, 1, 6144);
}

static void a_FIN_behind_others_ends_the_stream(void **state)
{
    struct peer *p = *state;
    char byte;
    hold(p->f, 4);
    segments(p, 1, 3, FULL, 0);
    from_peer(p, ACK | FIN, 1 + 3 * FULL, 1, FULL);
    skip_sent(p);
    host_reads(p, 1, 4 * FULL);
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), 0);
}

static void urgent_data_among_others_are_told(void **state)
{
    static struct frame frame;
    struct peer *p = *state;
    hold(p->f, 3);
    from_peer(p, ACK, 1, 1, FULL);
    peer_frame(p, &frame, ACK | URG, 1 + FULL, 1, NULL, 0, FULL);
    put16(frame.bytes + ETH + IP + 18, 10);
    fix_l4(&frame);
    inject(p->f, &frame);
    from_peer(p, ACK, 1 + 2 * FULL, 1, FULL);
    skip_sent(p);
    assert_true(lan_ready(p->f->stack, p->fd, LAN_POLLPRI) & LAN_POLLPRI);
    host_reads(p, 1, FULL + 9); /* a read stops at the mark */
    host_reads(p, 1 + FULL + 9, 2 * FULL - 9);
}

static void a_reset_behind_others_resets(void **state)
{
    struct peer *p = *state;
    char byte;
    hold(p->f, 3);
    segments(p, 1, 2, FULL, 0);
    from_peer(p, RST, 1 + 2 * FULL, 0, 0);
    skip_sent(p);
    host_reads(p, 1, 2 * FULL);
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), -ECONNRESET);
}

static void drop_sent(struct peer *p)
{
    while (frames_waiting(p->f))
        expect_frame(p->f);
}

/* What one frame in the middle means that is not the segment it looks like: the first two are taken, the rest waits. */
static void third_of_five_is_lost(struct peer *p, const struct frame *broken, uint32_t piece)
{
    char byte;
    hold(p->f, 5);
    segments(p, 1, 2, FULL, 0);
    inject_in_pieces(p->f, broken, piece);
    segments(p, 1 + 3 * FULL, 2, FULL, 0);
    drop_sent(p);
    host_reads(p, 1, 2 * FULL);
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), -EAGAIN);
    from_peer(p, ACK, 1 + 2 * FULL, 1, FULL);
    drop_sent(p);
    host_reads(p, 1 + 2 * FULL, 3 * FULL);
}

static void a_damaged_segment_ends_what_is_taken_together(void **state)
{
    static struct frame frame;
    struct peer *p = *state;
    peer_frame(p, &frame, ACK, 1 + 2 * FULL, 1, NULL, 0, FULL);
    frame.bytes[frame.len - 7] ^= 0x10;
    third_of_five_is_lost(p, &frame, UINT32_MAX);
    assert_int_equal(counter(p->f, "TcpInCsumErrors"), 1);
}

static void a_damaged_packet_ends_what_is_taken_together(void **state)
{
    static struct frame frame;
    struct peer *p = *state;
    peer_frame(p, &frame, ACK, 1 + 2 * FULL, 1, NULL, 0, FULL);
    frame.bytes[ETH + 5] ^= 0x10; /* the identification, which nobody compares */
    third_of_five_is_lost(p, &frame, UINT32_MAX);
    assert_int_equal(counter(p->f, "IpExtInCsumErrors"), 1);
}

static void a_frame_of_something_else_is_not_taken(void **state)
{
    static const uint16_t other_bits[][2] = {
        {5, 1},          /* the host's MAC address */
        {13, 1},         /* EtherType */
        {ETH + 6, 0x20}, /* more fragments follow */
        {ETH + 9, 1},    /* protocol */
        {ETH + 15, 4},   /* addresses */
        {ETH + 19, 4},
        {ETH + IP + 1, 4}, /* ports */
        {ETH + IP + 3, 4},
        {ETH + IP + 4, 4}, /* sequence number */
    };
    static struct frame frame;
    for (size_t i = 0; i < sizeof other_bits / sizeof *other_bits; i++) {
        peer_setup(state);
        struct peer *p = *state;
        peer_frame(p, &frame, ACK, 1 + 2 * FULL, 1, NULL, 0, FULL);
        frame.bytes[other_bits[i][0]] ^= (uint8_t)other_bits[i][1];
        fix_ip(&frame);
        fix_l4(&frame);
        third_of_five_is_lost(p, &frame, UINT32_MAX);
        peer_teardown(state);
    }
}

static void a_frame_of_another_network_is_not_taken(void **state)
{
    struct peer *p = *state;
    char byte;
    hold(p->f, 4);
    segments(p, 1, 3, FULL, 0);
    p->f->held->link->flags = LAN_BUF_VLAN;
    p->f->held->link->vlan_tci = 7;
    from_peer(p, ACK, 1 + 3 * FULL, 1, FULL);
    drop_sent(p);
    host_reads(p, 1, FULL);
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), -EAGAIN);
}

/* As if a card had found all sums right. */
static void what_sums_do_not_tell_is_looked_at(void **state)
{
    for (int i = 0; i < 2; i++) {
        peer_setup(state);
        struct peer *p = *state;
        char byte;
        hold(p->f, 4);
        segments(p, 1, 3, FULL, 0);
        struct lan_buf *second = p->f->held->link;
        second->flags = LAN_BUF_IP_OK | LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK;
        if (i == 0)
            second->len--;
        else
            second->data[ETH + 9] = PROTOCOL_UDP;
        from_peer(p, ACK, 1 + 3 * FULL, 1, FULL);
        drop_sent(p);
        host_reads(p, 1, FULL);
        assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), -EAGAIN);
        peer_teardown(state);
    }
}

static void a_packet_shorter_than_its_headers_is_not_taken(void **state)
{
    static const uint16_t lengths[] = {0, IP - 1, IP, IP + 19, IP + 20};
    static struct frame frame;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        peer_setup(state);
        struct peer *p = *state;
        peer_frame(p, &frame, ACK, 1 + 2 * FULL, 1, NULL, 0, FULL);
        put16(frame.bytes + ETH + 2, lengths[i]);
        fix_ip(&frame);
        third_of_five_is_lost(p, &frame, UINT32_MAX);
        peer_teardown(state);
    }
}

/* Three segments, each with padding behind it; `pad_apart` holds the second one's in a fragment of its own. */
static void padded_segments(struct peer *p, bool pad_apart)
{
    enum { PADDING = 9 };
    static struct frame frame;
    hold(p->f, 3);
    for (uint32_t i = 0; i < 3; i++) {
        peer_frame(p, &frame, ACK, 1 + i * FULL, 1, NULL, 0, FULL);
        uint32_t packet_end = frame.len;
        memset(frame.bytes + packet_end, 0xee, PADDING);
        frame.len += PADDING;
        inject_in_pieces(p->f, &frame, pad_apart && i == 1 ? packet_end : UINT32_MAX);
    }
}

static void a_segment_in_pieces_is_taken_by_itself(void **state)
{
    struct peer *p = *state;
    padded_segments(p, true);
    skip_sent(p);
    host_reads(p, 1, 3 * FULL);
}

static void padding_behind_packets_is_not_data(void **state)
{
    struct peer *p = *state;
    padded_segments(p, false);
    expect(p, ACK, 1, 1 + 3 * FULL, 0);
    host_reads(p, 1, 3 * FULL);
}

static void nothing_beyond_the_window_is_taken(void **state)
{
    struct peer *p = *state;
    const uint32_t limit = UINT16_MAX, fit = limit / FULL; /* no window scale */
    hold(p->f, fit + 5);
    segments(p, 1, fit + 5, FULL, 0);
    struct sent last = {0};
    while (frames_waiting(p->f))
        last = next_sent(p);
    assert_int_equal(last.ack, 1 + limit);
    assert_int_equal(last.window, 0);
    host_reads(p, 1, limit);
    skip_sent(p);
}

static void connections_that_take_turns_do_not_mix(void **state)
{
    struct peer *p = *state, other = peer_of(p->f);
    other.port = PEER_PORT + 1;
    active_open(&other);
    hold(p->f, 8);
    for (uint32_t i = 0; i < 4; i++) {
        from_peer(p, ACK, 1 + i * FULL, 1, FULL);
        from_peer(&other, ACK, 1 + i * FULL, 1, FULL);
    }
    host_reads(p, 1, 4 * FULL);
    host_reads(&other, 1, 4 * FULL);
    while (frames_waiting(p->f))
        expect_frame(p->f);
}

static void an_ACK_among_data_counts(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 500);
    expect(p, ACK, 1, 1, 500);
    hold(p->f, 3);
    from_peer(p, ACK, 1, 1, FULL);
    from_peer(p, ACK, 1 + FULL, 201, FULL); /* tells more than the first */
    from_peer(p, ACK, 1 + 2 * FULL, 501, FULL);
    skip_sent(p);
    host_reads(p, 1, 3 * FULL);
    wait_ms(p, 40);
    expect(p, ACK, 501, 1 + 3 * FULL, 0);
    wait_ms(p, 3000);
    expect_quiet(p); /* all of it is acknowledged */
}

static void a_window_among_data_counts(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    hold(p->f, 3);
    from_peer(p, ACK, 1, 1, FULL);
    from_peer(p, ACK, 1 + FULL, 1, FULL);
    p->window = 2000;
    from_peer(p, ACK, 1 + 2 * FULL, 1, FULL);
    skip_sent(p);
    host_reads(p, 1, 3 * FULL);
    host_sends(p, 1, 1000);
    expect(p, ACK, 1, 1 + 3 * FULL, 1000);
    from_peer(p, ACK, 1 + 3 * FULL, 1001, 0);
}

static void small_segments_are_copied_together(void **state)
{
    struct peer *p = *state;
    uint32_t before = lan_pool_free_buffers(lan_stack_pool(p->f->stack));
    hold(p->f, 60);
    segments(p, 1, 60, SMALL, 0);
    skip_sent(p);
    assert_in_range(before - lan_pool_free_buffers(lan_stack_pool(p->f->stack)), 3, 4);
    host_reads(p, 1, 60 * SMALL);
}

static void time_stamps_that_differ_are_all_taken(void **state)
{
    static struct frame frame;
    struct peer p = peer_of(*state);
    uint8_t stamp[12] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0}; /* TSecr 0 answers nothing */
    start_connect(&p);
    from_peer_options(&p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4\x01\x01\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x00", 16);
    expect(&p, ACK, 1, 1, 0);
    hold(p.f, 4);
    for (uint32_t i = 0; i < 4; i++) {
        stamp[7] = (uint8_t)(1 + i / 2);
        peer_frame(&p, &frame, ACK, 1 + i * FULL, 1, stamp, 12, FULL);
        inject(p.f, &frame);
    }
    expect(&p, ACK, 1, 1 + 2 * FULL, 0);
    struct sent sent = expect(&p, ACK, 1, 1 + 4 * FULL, 0);
    assert_int_equal(sent.options[11], 2); /* the stamp echoed is the latest */
    host_reads(&p, 1, 4 * FULL);
}

/* Any pieces of the stream in any order and company: in the end it is there, once. */
static void any_burst_gives_the_stream(void **state)
{
    enum { PIECE = 300, PIECES = 40, ROUNDS = 200 };
    struct peer *p = *state;
    uint32_t start = 1, draw = 1;
    for (int round = 0; round < ROUNDS; round++, start += PIECES * PIECE) {
        for (int left = 60; left;) {
            draw = draw * 1664525 + 1013904223;
            uint32_t burst = 1 + (draw >> 28) % (uint32_t)left, at = (draw >> 8) % PIECES, n = 1 + (draw >> 16) % 5;
            hold(p->f, burst);
            for (uint32_t i = 0; i < burst; i++, at = (at + n) % PIECES) {
                uint32_t pieces = at + n > PIECES ? PIECES - at : n;
                from_peer(p, draw >> 20 & 1 ? ACK | PSH : ACK, start + at * PIECE, 1, pieces * PIECE);
            }
            left -= (int)burst;
        }
        hold(p->f, PIECES);
        segments(p, start, PIECES, PIECE, 0);
        host_reads(p, start, PIECES * PIECE);
        skip_sent(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(segments_that_arrive_together_are_taken_before_one_ACK_MUST_58_MUST_59),
        TEST_CONNECTED(fewer_than_two_full_segments_are_acknowledged_late_as_ever),
        TEST_CONNECTED(the_largest_segment_not_the_largest_burst_makes_ACKs_due),
        TEST_CONNECTED(a_FIN_behind_others_ends_the_stream),
        TEST_CONNECTED(urgent_data_among_others_are_told),
        TEST_CONNECTED(a_reset_behind_others_resets),
        TEST_CONNECTED(a_damaged_segment_ends_what_is_taken_together),
        TEST_CONNECTED(a_damaged_packet_ends_what_is_taken_together),
        cmocka_unit_test(a_frame_of_something_else_is_not_taken),
        TEST_CONNECTED(a_frame_of_another_network_is_not_taken),
        cmocka_unit_test(what_sums_do_not_tell_is_looked_at),
        cmocka_unit_test(a_packet_shorter_than_its_headers_is_not_taken),
        TEST_CONNECTED(a_segment_in_pieces_is_taken_by_itself),
        TEST_CONNECTED(padding_behind_packets_is_not_data),
        TEST_CONNECTED(nothing_beyond_the_window_is_taken),
        TEST_CONNECTED(connections_that_take_turns_do_not_mix),
        TEST_CONNECTED(an_ACK_among_data_counts),
        TEST_CONNECTED(a_window_among_data_counts),
        TEST_CONNECTED(small_segments_are_copied_together),
        TEST(time_stamps_that_differ_are_all_taken),
        TEST_CONNECTED(any_burst_gives_the_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
