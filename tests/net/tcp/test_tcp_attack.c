/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that no honest peer sends: each is dropped or answered as its RFC says, counted, and changes nothing else.
 */
#include "peer.h"

#include <errno.h>
#include <string.h>

/* The connection works as if nothing had happened; the peer's next byte is `seq`, the host's `ack`. */
static void assert_unharmed(struct peer *p, uint32_t seq, uint32_t ack)
{
    wait_ms(p, 100); /* a delayed ACK */
    skip_sent(p);
    wait_ms(p, 2000);
    expect_quiet(p);
    from_peer(p, ACK, seq, ack, 100);
    host_reads(p, seq, 100);
    host_sends(p, ack, 10);
    expect(p, ACK, ack, seq + 100, 10);
    from_peer(p, ACK, seq + 100, ack + 10, 0);
}

static void a_reset_in_the_window_but_not_at_its_edge_is_challenged_RFC_5961(void **state)
{
    struct peer *p = *state;
    from_peer(p, RST, 2, 0, 0);
    expect(p, ACK, 1, 1, 0);
    from_peer(p, RST | ACK, 60000, 1, 0);
    expect_quiet(p); /* at most one challenge in half a second */
    wait_ms(p, 500);
    from_peer(p, RST, 60000, 0, 0);
    expect(p, ACK, 1, 1, 0);
    assert_unharmed(p, 1, 1);
}

static void a_reset_outside_the_window_is_dropped(void **state)
{
    struct peer *p = *state;
    from_peer(p, RST, 0, 0, 0);
    from_peer(p, RST, 1 + 65535 + 1, 0, 0);
    from_peer(p, RST, 0x80000000, 0, 0);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpExtTCPOutOfWindow"), 3);
    assert_unharmed(p, 1, 1);
}

static void a_syn_in_the_window_is_challenged_RFC_5961(void **state)
{
    struct peer *p = *state;
    from_peer(p, SYN, 1, 0, 0);
    expect(p, ACK, 1, 1, 0);
    assert_unharmed(p, 1, 1);
}

static void an_old_syn_is_acknowledged(void **state)
{
    struct peer *p = *state;
    from_peer(p, SYN, 0, 0, 0);
    expect(p, ACK, 1, 1, 0);
    assert_unharmed(p, 1, 1);
}

static void syns_anywhere_are_challenged_at_a_limited_rate_RFC_5961_4_2(void **state)
{
    struct peer *p = *state;
    for (uint32_t i = 0; i < 1000; i++)
        from_peer(p, i % 2 ? SYN : SYN | ACK, i * 0x418937, 1, i % 3);
    assert_int_equal(skip_sent(p), 1);
    assert_int_equal(counter(p->f, "TcpExtTCPChallengeACK"), 1);
    assert_int_equal(counter(p->f, "TcpExtTCPACKSkippedChallenge"), 999);
    assert_unharmed(p, 1, 1);
}

static void challenges_are_limited_by_connection_and_at_random(void **state)
{
    struct peer *p = *state;
    uint32_t spread[4] = {0};
    for (int round = 0; round < 200; round++) {
        from_peer(p, RST, 60000, 0, 0);
        expect(p, ACK, 1, 1, 0);
        uint64_t challenges = counter(p->f, "TcpExtTCPChallengeACK");
        uint32_t waited = 0;
        while (counter(p->f, "TcpExtTCPChallengeACK") == challenges) {
            wait_ms(p, 10);
            waited += 10;
            from_peer(p, RST, 60000, 0, 0);
        }
        assert_in_range(waited, 250, 500);
        spread[(waited - 1 - 250) / 63 < 4 ? (waited - 1 - 250) / 63 : 0]++;
        skip_sent(p);
        wait_ms(p, 500);
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(spread[i], 25, 85);
    from_peer(p, RST, 60000, 0, 0);
    skip_sent(p);
    struct peer other = *p; /* whose challenge is not used up by that */
    other.port++;
    other.fd = -1;
    handshake_to(&other);
    from_peer(&other, RST, 60000, 0, 0);
    expect(&other, ACK, 1, 1, 0);
}

static void an_ack_of_what_was_never_sent_is_challenged(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 2, 100);
    expect(p, ACK, 1, 1, 0);
    char byte;
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), -EAGAIN); /* its data is not taken */
    assert_int_equal(counter(p->f, "TcpExtTCPBadAck"), 1);
    assert_unharmed(p, 1, 1);
}

static void data_with_an_ack_from_long_ago_is_challenged_RFC_5961(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1 - 65536, 100);
    expect(p, ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 1 - 65535, 100); /* within the largest window seen: possible, so taken */
    host_reads(p, 1, 100);
    assert_unharmed(p, 101, 1);
}

static void a_segment_without_ack_is_dropped(void **state)
{
    struct peer *p = *state;
    from_peer(p, 0, 1, 0, 100);
    from_peer(p, FIN, 1, 0, 100);
    from_peer(p, FIN | PSH | URG, 1, 0, 100);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpExtTCPBadFlags"), 3);
    assert_unharmed(p, 1, 1);
}

static void syn_with_fin_or_rst_is_dropped_in_any_state(void **state)
{
    struct peer *p = *state;
    struct peer other = *p;
    other.port = 9;
    from_peer(p, SYN | FIN, 1, 0, 0);
    from_peer(p, SYN | RST, 1, 0, 0);
    from_peer(&other, SYN | FIN, 0, 0, 0); /* to the listener */
    other.host_port = 81;
    from_peer(&other, SYN | FIN | ACK, 0, 1, 0); /* to nobody */
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpExtTCPBadFlags"), 4);
    assert_unharmed(p, 1, 1);
}

static void a_wrong_checksum_is_counted_and_dropped_MUST_3(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    peer_frame(p, &frame, ACK, 1, 1, NULL, 0, 100);
    frame.bytes[frame.len - 1] ^= 1;
    inject(p->f, &frame);
    assert_int_equal(counter(p->f, "TcpInCsumErrors"), 1);
    assert_unharmed(p, 1, 1);
}

static void a_data_offset_below_5_or_past_the_end_is_counted_and_dropped(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    for (int words = 0; words < 16; words++) {
        peer_frame(p, &frame, ACK, 1, 1, NULL, 0, 0);
        frame.bytes[ETH + IP + 12] = (uint8_t)(words << 4);
        fix_l4(&frame);
        if (words != 5)
            inject(p->f, &frame);
    }
    assert_int_equal(counter(p->f, "TcpExtTCPBadHeader"), 15);
    assert_unharmed(p, 1, 1);
}

static void segments_shorter_than_a_header_are_counted_and_dropped(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    static const uint8_t bytes[20] = {0};
    for (uint32_t n = 0; n < 20; n++) {
        frame_ip(&frame, PEER, HOST, PROTOCOL_TCP, bytes, n);
        if (n >= 18)
            fix_l4(&frame);
        inject(p->f, &frame);
    }
    assert_int_equal(counter(p->f, "TcpInErrs"), 20);
    assert_unharmed(p, 1, 1);
}

static void window_scale_and_mss_after_the_handshake_change_nothing(void **state)
{
    struct peer *p = *state;
    from_peer_options(p, ACK, 1, 1, "\x02\x04\x00\x40\x03\x03\x0e\x00", 8);
    host_sends(p, 1, MSS);
    expect(p, ACK, 1, 1, MSS);
    from_peer(p, ACK, 1, 1 + MSS, 0);
    assert_unharmed(p, 1, 1 + MSS);
}

static void an_excessive_window_scale_is_14_RFC_7323(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, HOST_PORT, 1);
    from_peer_options(&p, SYN, 0, 0, "\x02\x04\x05\xb4\x01\x03\x03\xff", 8);
    p.host_iss = next_sent(&p).seq;
    p.window = 1; /* 16 KiB with a shift of 14 */
    from_peer(&p, ACK, 1, 1, 0);
    p.fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    host_sends(&p, 1, 30000);
    assert_int_equal(skip_sent(&p), 10); /* the initial congestion window */
    from_peer(&p, ACK, 1, 1 + 10 * MSS, 0);
    assert_int_equal(skip_sent(&p), 11); /* all that is left */
}

static void a_segment_from_ourselves_to_ourselves_does_no_harm(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    uint32_t host = HOST;
    peer_frame(p, &frame, SYN, 0, 0, NULL, 0, 0);
    memcpy(frame.bytes + ETH + 12, &host, 4);
    put16(frame.bytes + ETH + IP, HOST_PORT);
    fix_ip(&frame);
    fix_l4(&frame);
    inject(p->f, &frame);
    assert_unharmed(p, 1, 1);
}

static void a_forged_icmp_error_with_a_wrong_sequence_number_is_ignored(void **state)
{
    struct peer *p = *state;
    static struct frame frame;
    host_sends(p, 1, MSS);
    expect(p, ACK, 1, 1, MSS);
    uint8_t quoted[IP + 8];
    memcpy(quoted, p->f->sent[(p->f->sent_tail - 1) % FIXTURE_SENT_MAX].bytes + ETH, sizeof quoted);
    quoted[IP + 4] ^= 0x40;
    frame_icmp(&frame, 3, 4, quoted, sizeof quoted);
    put16(frame.bytes + ETH + IP + 6, 600);
    fix_l4(&frame);
    inject(p->f, &frame);
    assert_int_equal(counter(p->f, "TcpExtOutOfWindowIcmps"), 1);
    from_peer(p, ACK, 1, 1 + MSS, 0);
    host_sends(p, 1 + MSS, MSS);
    expect(p, ACK, 1 + MSS, 1, MSS);
}

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z >> 32) * below >> 32);
}

/* A number near one of the places where something is decided. */
static uint32_t near(uint32_t window)
{
    static const uint32_t far[] = {0x7fffffff, 0x80000000, 0xffffffff};
    switch (draw(5)) {
    case 0:
        return draw(4);
    case 1:
        return window + draw(4) - 2;
    case 2:
        return draw(window);
    case 3:
        return far[draw(3)] + draw(3);
    default:
        return draw(4000);
    }
}

static void random_call(struct fixture *f, int fd)
{
    static char data[20000];
    switch (draw(12)) {
    case 0:
        lan_shutdown(f->stack, fd, (int)draw(3));
        break;
    case 1:
        lan_close(f->stack, fd);
        break;
    case 2:
    case 3:
    case 4:
        lan_recv(f->stack, fd, data, draw(sizeof data), 0);
        break;
    default:
        lan_send(f->stack, fd, data, draw(sizeof data), draw(4) ? 0 : LAN_MSG_MORE);
    }
}

/* Every kind of segment in every state, at every interesting place: nothing may crash, leak or hang. */
static void a_storm_of_random_segments(void **state)
{
    struct fixture *f = *state;
    static struct frame frame;
    for (uint32_t round = 0; round < 400; round++) {
        struct peer p = peer_of(f);
        random_state = round;
        int listener = listen_on(f, HOST_PORT, 4);
        p.iss = draw(2) ? UINT32_MAX - draw(3000) : draw(1000000);
        if (draw(2))
            active_open(&p);
        else
            handshake_to(&p);
        for (int step = 0; step < 100; step++) {
            uint8_t options[40];
            uint32_t option_bytes = draw(3) ? 0 : 4 * draw(11);
            for (uint32_t i = 0; i < option_bytes; i++)
                options[i] = draw(2) ? (uint8_t)draw(9) : (uint8_t)draw(256);
            uint8_t flags = draw(2) ? ACK : (uint8_t)draw(64);
            p.window = draw(2) ? (uint16_t)draw(65536) : (uint16_t)draw(3);
            peer_frame(&p, &frame, flags, near(65535), near(20000), options, option_bytes, draw(2) ? 0 : draw(1400));
            if (draw(20) == 0)
                frame.bytes[ETH + IP + draw(20)] ^= (uint8_t)(1 << draw(8));
            if (draw(10))
                fix_l4(&frame);
            inject_in_pieces(f, &frame, draw(4) ? UINT32_MAX : 14 + draw(100));
            if (draw(3) == 0)
                random_call(f, (int)draw(8));
            if (draw(10) == 0)
                wait_ms(&p, draw(2) ? draw(100) : draw(100000));
            skip_sent(&p);
        }
        lan_close(f->stack, listener);
        for (int fd = 0; fd < 16; fd++)
            lan_close(f->stack, fd);
        wait_ms(&p, 300000);
        skip_sent(&p);
        assert_int_equal(lan_pool_free_buffers(lan_stack_pool(f->stack)), f->free_buffers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(a_reset_in_the_window_but_not_at_its_edge_is_challenged_RFC_5961),
        TEST_CONNECTED(a_reset_outside_the_window_is_dropped),
        TEST_CONNECTED(a_syn_in_the_window_is_challenged_RFC_5961),
        TEST_CONNECTED(an_old_syn_is_acknowledged),
        TEST_CONNECTED(syns_anywhere_are_challenged_at_a_limited_rate_RFC_5961_4_2),
        TEST_CONNECTED(challenges_are_limited_by_connection_and_at_random),
        TEST_CONNECTED(an_ack_of_what_was_never_sent_is_challenged),
        TEST_CONNECTED(data_with_an_ack_from_long_ago_is_challenged_RFC_5961),
        TEST_CONNECTED(a_segment_without_ack_is_dropped),
        TEST_CONNECTED(syn_with_fin_or_rst_is_dropped_in_any_state),
        TEST_CONNECTED(a_wrong_checksum_is_counted_and_dropped_MUST_3),
        TEST_CONNECTED(a_data_offset_below_5_or_past_the_end_is_counted_and_dropped),
        TEST_CONNECTED(segments_shorter_than_a_header_are_counted_and_dropped),
        TEST_CONNECTED(window_scale_and_mss_after_the_handshake_change_nothing),
        TEST(an_excessive_window_scale_is_14_RFC_7323),
        TEST_CONNECTED(a_segment_from_ourselves_to_ourselves_does_no_harm),
        TEST_CONNECTED(a_forged_icmp_error_with_a_wrong_sequence_number_is_ignored),
        TEST(a_storm_of_random_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
