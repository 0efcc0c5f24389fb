/* SPDX-License-Identifier: Apache-2.0 */
/* Urgent data (RFC 6093): a mark in the stream that both sides know of as soon as can be. */
#include "peer.h"

#include <errno.h>
#include <string.h>

static void host_sends_urgent(struct peer *p, uint32_t seq, uint32_t bytes)
{
    static uint8_t data[200000];
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = stream_byte(seq + i);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, bytes, LAN_MSG_OOB), bytes);
}

/* The next segment, and its urgent pointer; 0: it has none. */
static struct sent next_urgent(struct peer *p, uint16_t *pointer)
{
    struct sent sent = next_sent(p);
    const struct frame *frame = &p->f->sent[(p->f->sent_tail - 1) % FIXTURE_SENT_MAX];
    *pointer = get16(frame->bytes + ETH + IP + 18);
    assert_int_equal(!(sent.flags & URG), !*pointer);
    return sent;
}

static void expect_urgent(struct peer *p, uint32_t seq, uint32_t bytes, uint16_t pointer)
{
    uint16_t got;
    struct sent sent = next_urgent(p, &got);
    assert_int_equal(sent.seq, seq);
    assert_int_equal(sent.bytes, bytes);
    assert_int_equal(got, pointer);
}

static void urgent_from_peer(struct peer *p, uint8_t flags, uint32_t seq, uint32_t bytes, uint16_t pointer)
{
    static struct frame frame;
    peer_frame(p, &frame, flags | URG | ACK, seq, 1, NULL, 0, bytes);
    put16(frame.bytes + ETH + IP + 18, pointer);
    fix_l4(&frame);
    inject(p->f, &frame);
}

static int urgent_left(struct peer *p)
{
    int left;
    uint32_t bytes = sizeof left;
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_URGENT, &left, &bytes), 0);
    return left;
}

static bool notice(struct peer *p)
{
    return lan_ready(p->f->stack, p->fd, LAN_POLLPRI) == LAN_POLLPRI;
}

static void the_urgent_pointer_names_the_octet_after_the_urgent_data_MUST_30_MUST_62(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10);
    expect(p, ACK, 1, 1, 10);
    host_sends_urgent(p, 11, 5); /* at once, though something is under way */
    expect_urgent(p, 11, 5, 5);
    from_peer(p, ACK, 1, 16, 0);
    host_sends(p, 16, 10); /* and no longer */
    expect_urgent(p, 16, 10, 0);
}

static void urgent_data_of_any_length_is_marked_in_every_segment_MUST_31(void **state)
{
    struct peer *p = *state;
    p->window = 65535;
    for (uint32_t round = 0; round < 8; round++) { /* open the congestion window */
        host_sends(p, 1 + round * 30 * MSS, 30 * MSS);
        for (uint32_t acked = 0; acked < 30; acked += 10) {
            skip_sent(p);
            from_peer(p, ACK, 1, 1 + (round * 30 + acked + 10) * MSS, 0);
        }
    }
    enum { BASE = 1 + 240 * MSS, BYTES = 65000 };
    host_sends_urgent(p, BASE, BYTES);
    uint32_t seq = BASE;
    while (frames_waiting(p->f)) {
        uint16_t pointer;
        struct sent sent = next_urgent(p, &pointer);
        assert_int_equal(sent.seq, seq);
        assert_int_equal(pointer, BASE + BYTES - seq);
        seq += sent.bytes;
    }
    assert_true(seq > BASE + 20 * MSS);
}

static void a_pointer_that_does_not_reach_says_so_and_later_ones_do(void **state)
{
    struct peer *p = *state;
    int bytes = 1 << 20;
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, &bytes, sizeof bytes);
    host_sends_urgent(p, 1, 100000);
    for (int i = 0; i < 10; i++)
        expect_urgent(p, 1 + (uint32_t)i * MSS, MSS, 65535);
    for (uint32_t acked = 10; acked < 30; acked += 10) {
        skip_sent(p);
        from_peer(p, ACK, 1, 1 + acked * MSS, 0);
    }
    uint16_t pointer;
    struct sent sent = next_urgent(p, &pointer);
    assert_int_equal(sent.seq + pointer, 1 + 100000);
    skip_sent(p);
}

static void a_retransmission_is_as_urgent(void **state)
{
    struct peer *p = *state;
    host_sends_urgent(p, 1, 5);
    expect_urgent(p, 1, 5, 5);
    wait_ms(p, 1500);
    expect_urgent(p, 1, 5, 5);
}

static void urgent_data_does_not_wait_for_more(void **state)
{
    struct peer *p = *state;
    lan_send(p->f->stack, p->fd, (uint8_t[]){stream_byte(1)}, 1, LAN_MSG_MORE);
    expect_quiet(p);
    host_sends_urgent(p, 2, 1);
    expect_urgent(p, 1, 2, 2);
}

static void the_notice_passes_a_closed_window(void **state)
{
    struct peer *p = *state;
    p->window = 0;
    from_peer(p, ACK, 1, 1, 0);
    host_sends_urgent(p, 1, 5);
    expect_urgent(p, 1, 0, 5);
}

static void a_card_is_given_no_large_segment_that_is_urgent(void **state)
{
    (void)state;
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.pool = (struct lan_pool_config){.buffers = 256, .buffer_bytes = 2048, .views = 512};
    struct fixture *f =
        fixture_create(&config, LAN_NETIF_SG | LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM | LAN_NETIF_TSO);
    struct peer p = {.f = f, .iss = 7000, .port = PEER_PORT, .host_port = HOST_PORT, .window = 65535, .fd = -1};
    static struct frame frame;
    frame_arp(&frame, 1, PEER_MAC, PEER, HOST);
    inject(f, &frame);
    int listener = listen_on(f, HOST_PORT, 1);
    from_peer_options(&p, SYN, 0, 0, "\x02\x04\x05\xb4", 4);
    const uint8_t *syn = f->sent[(f->sent_head - 1) % FIXTURE_SENT_MAX].bytes + ETH + IP;
    p.host_iss = (uint32_t)get16(syn + 4) << 16 | get16(syn + 6);
    from_peer(&p, ACK, 1, 1, 0);
    p.fd = lan_accept(f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    f->sent_tail = f->sent_head;
    host_sends_urgent(&p, 1, 5 * MSS);
    assert_int_equal(frames_waiting(f), 5);
    for (; frames_waiting(f); f->sent_tail++)
        assert_int_equal(f->sent[f->sent_tail % FIXTURE_SENT_MAX].len, ETH + IP + 20 + MSS);
    from_peer(&p, ACK, 1, 1 + 5 * MSS, 0);
    host_sends(&p, 1 + 5 * MSS, 5 * MSS); /* afterwards as ever */
    assert_true(frames_waiting(f) < 5);
    fixture_destroy(f);
}

static uint32_t events;

static void count_event(void *arg)
{
    (void)arg;
    events++;
}

static void the_application_is_told_when_the_pointer_advances_MUST_32(void **state)
{
    struct peer *p = *state;
    assert_false(notice(p));
    lan_set_notify(p->f->stack, p->fd, count_event, NULL);
    events = 0;
    urgent_from_peer(p, 0, 1, 0, 100); /* long before the data */
    assert_int_equal(events, 1);
    assert_true(notice(p));
    urgent_from_peer(p, 0, 1, 0, 100);
    urgent_from_peer(p, 0, 1, 0, 50);
    assert_int_equal(events, 1);
    urgent_from_peer(p, 0, 1, 0, 101);
    assert_int_equal(events, 2);
    assert_int_equal(counter(p->f, "TcpExtTCPUrgent"), 2);
    from_peer(p, ACK, 1, 1, 101);
    host_reads(p, 1, 100);
    assert_true(notice(p));
    host_reads(p, 101, 1);
    assert_false(notice(p));
    skip_sent(p);
}

static void the_application_learns_how_much_is_urgent_and_where_it_ends_MUST_33(void **state)
{
    struct peer *p = *state;
    char data[100];
    assert_int_equal(urgent_left(p), 0);
    assert_int_equal(lan_sockatmark(p->f->stack, p->fd), 0);
    urgent_from_peer(p, 0, 1, 30, 20);
    assert_int_equal(urgent_left(p), 20);
    assert_int_equal(lan_recv(p->f->stack, p->fd, data, 5, 0), 5);
    assert_int_equal(urgent_left(p), 15);
    assert_int_equal(lan_recv(p->f->stack, p->fd, data, sizeof data, LAN_MSG_PEEK), 14);
    lan_fcntl(p->f->stack, p->fd, LAN_F_SETFL, 0); /* blocking: even who waits for all gets it up to the mark */
    uint64_t before_ns = p->f->now_ns;
    assert_int_equal(lan_recv(p->f->stack, p->fd, data, sizeof data, LAN_MSG_WAITALL), 14);
    assert_int_equal(p->f->now_ns, before_ns);
    assert_int_equal(lan_sockatmark(p->f->stack, p->fd), 1);
    assert_int_equal(urgent_left(p), 1);
    assert_int_equal(lan_recv(p->f->stack, p->fd, data, sizeof data, 0), 11); /* in line */
    assert_int_equal((uint8_t)data[0], stream_byte(20));
    assert_int_equal((uint8_t)data[1], stream_byte(21));
    assert_int_equal(urgent_left(p), 0);
    assert_int_equal(lan_sockatmark(p->f->stack, p->fd), 0);
    skip_sent(p);
}

static void urgent_data_is_received_in_line_only_RFC_6093(void **state)
{
    struct peer *p = *state;
    char byte;
    int value = 0;
    uint32_t bytes = sizeof value;
    urgent_from_peer(p, 0, 1, 1, 1);
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, LAN_MSG_OOB), -EINVAL);
    assert_int_equal(lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_OOBINLINE, &value, sizeof value),
                     -EINVAL);
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_OOBINLINE, &value, &bytes), 0);
    assert_int_equal(value, 1);
    host_reads(p, 1, 1);
}

static void the_urgent_pointer_counts_even_while_the_window_is_closed_MUST_66(void **state)
{
    struct peer *p = *state;
    for (uint32_t seq = 1; seq < 65536; seq += 1365)
        from_peer(p, ACK, seq, 1, seq + 1365 < 65536 ? 1365 : 65536 - seq);
    assert_int_equal(skip_sent(p) > 0, true);
    urgent_from_peer(p, 0, 65536, 1, 1); /* a probe */
    assert_true(notice(p));
    assert_int_equal(urgent_left(p), 65536);
    host_reads(p, 1, 65535);
    skip_sent(p);
}

static void the_notice_does_not_wait_for_a_gap_to_close(void **state)
{
    struct peer *p = *state;
    urgent_from_peer(p, 0, 101, 100, 100);
    assert_true(notice(p));
    assert_int_equal(urgent_left(p), 200);
    from_peer(p, ACK, 1, 1, 100);
    host_reads(p, 1, 199);
    host_reads(p, 200, 1);
    assert_false(notice(p));
    skip_sent(p);
}

static void a_pointer_into_what_was_read_already_is_no_news(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 100);
    host_reads(p, 1, 100);
    urgent_from_peer(p, 0, 1, 100, 100);
    urgent_from_peer(p, 0, 101, 0, 0);
    assert_false(notice(p));
    skip_sent(p);
}

static void urgent_data_may_end_with_the_stream(void **state)
{
    struct peer *p = *state;
    char byte;
    urgent_from_peer(p, FIN, 1, 10, 10);
    assert_int_equal(urgent_left(p), 10);
    host_reads(p, 1, 9);
    assert_int_equal(lan_sockatmark(p->f->stack, p->fd), 1);
    host_reads(p, 10, 1);
    assert_false(notice(p));
    assert_int_equal(lan_recv(p->f->stack, p->fd, &byte, 1, 0), 0);
    skip_sent(p);
}

static void marks_are_found_across_the_wrap_of_sequence_numbers(void **state)
{
    struct peer p = peer_of(*state);
    p.iss = UINT32_MAX - 5;
    passive_open(&p);
    urgent_from_peer(&p, 0, 1, 20, 15);
    assert_int_equal(urgent_left(&p), 15);
    host_reads(&p, 1, 14);
    assert_int_equal(lan_sockatmark(p.f->stack, p.fd), 1);
    host_reads(&p, 15, 6);
    assert_false(notice(&p));
    skip_sent(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(the_urgent_pointer_names_the_octet_after_the_urgent_data_MUST_30_MUST_62),
        TEST_CONNECTED(urgent_data_of_any_length_is_marked_in_every_segment_MUST_31),
        TEST_CONNECTED(a_pointer_that_does_not_reach_says_so_and_later_ones_do),
        TEST_CONNECTED(a_retransmission_is_as_urgent),
        TEST_CONNECTED(urgent_data_does_not_wait_for_more),
        TEST_CONNECTED(the_notice_passes_a_closed_window),
        cmocka_unit_test(a_card_is_given_no_large_segment_that_is_urgent),
        TEST_CONNECTED(the_application_is_told_when_the_pointer_advances_MUST_32),
        TEST_CONNECTED(the_application_learns_how_much_is_urgent_and_where_it_ends_MUST_33),
        TEST_CONNECTED(urgent_data_is_received_in_line_only_RFC_6093),
        TEST_CONNECTED(the_urgent_pointer_counts_even_while_the_window_is_closed_MUST_66),
        TEST_CONNECTED(the_notice_does_not_wait_for_a_gap_to_close),
        TEST_CONNECTED(a_pointer_into_what_was_read_already_is_no_news),
        TEST_CONNECTED(urgent_data_may_end_with_the_stream),
        TEST(marks_are_found_across_the_wrap_of_sequence_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
