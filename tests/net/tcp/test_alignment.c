/* SPDX-License-Identifier: Apache-2.0 */
/* Wherever a driver puts a frame, odd addresses included, the stack answers it alike (netif.h). */
#include "peer.h"

#include <errno.h>
#include <string.h>

/* What a run has sent, byte by byte. */
struct log {
    uint32_t len;
    uint8_t bytes[65536];
};

static void note(struct log *log, const struct frame *sent)
{
    assert_true(sent->len <= sizeof log->bytes - log->len);
    memcpy(log->bytes + log->len, sent->bytes, sent->len);
    log->len += sent->len;
}

static void note_sent(struct fixture *f, struct log *log)
{
    while (frames_waiting(f))
        note(log, expect_frame(f));
}

/* Whole, and in buffers that end within headers. */
enum { WAYS = 6 };

static void inject_all_ways(struct fixture *f, const struct frame *frame)
{
    static const uint32_t PIECES[WAYS] = {UINT32_MAX, 1, 14, 15, 17, 35};

    for (int i = 0; i < WAYS; i++)
        inject_in_pieces(f, frame, PIECES[i]);
}

/* Neighbours, pings, and errors with quotations. */
static void run_network(struct fixture *f, struct log *log)
{
    static struct frame frame, whole;

    frame_arp(&frame, 1, PEER_MAC, PEER, HOST);
    inject_all_ways(f, &frame);
    frame_icmp(&frame, 8, 0, "odd", 3);
    inject_all_ways(f, &frame);
    frame_ip_options(&frame, (const uint8_t[]){1, 1, 1, 0}, 4);
    inject_all_ways(f, &frame);
    frame_icmp(&whole, 8, 0, "a ping in three fragments", 25);
    for (uint32_t offset = 0; offset < 33; offset += 16) {
        frame_fragment(&frame, &whole, offset, offset < 32 ? 16 : 1, offset < 32);
        inject(f, &frame);
    }
    frame_udp(&frame, 7, 9, "nobody is there", 15);
    inject_all_ways(f, &frame);
    note_sent(f, log);
}

/* A datagram each way, and the refusal of ours. */
static void run_udp(struct fixture *f, struct log *log)
{
    struct lan_sockaddr_in here = {.sin_family = LAN_AF_INET, .sin_port = net16(5000)};
    struct lan_sockaddr_in there = {.sin_family = LAN_AF_INET, .sin_port = net16(7), .sin_addr = PEER};
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);
    static struct frame frame;
    char text[16];

    assert_int_equal(lan_bind(f->stack, fd, &here), 0);
    assert_int_equal(lan_connect(f->stack, fd, &there), 0);
    frame_udp(&frame, 7, 5000, "a datagram", 10);
    inject_all_ways(f, &frame);
    for (int i = 0; i < WAYS; i++) {
        assert_int_equal(lan_recv(f->stack, fd, text, sizeof text, LAN_MSG_DONTWAIT), 10);
        assert_memory_equal(text, "a datagram", 10);
    }
    assert_int_equal(lan_send(f->stack, fd, "an answer", 9, 0), 9);

    const struct frame *sent = expect_frame(f);

    note(log, sent);
    frame_icmp(&frame, 3, 3, sent->bytes + ETH, IP + UDP);
    inject(f, &frame);
    assert_int_equal(lan_send(f->stack, fd, "again", 5, 0), -ECONNREFUSED);
    lan_close(f->stack, fd);
}

/* A connection from its beginning to its end; some of its segments come together. */
static void run_tcp(struct fixture *f, struct log *log)
{
    static const uint8_t OPTIONS[] = {2, 4, 5, 180, 1, 3, 3, 7};
    static struct frame frame;
    struct peer p = peer_of(f);

    passive_open_with(&p, OPTIONS, sizeof OPTIONS, 1);
    for (uint32_t seq = 1; seq < 301; seq += 100) {
        peer_frame(&p, &frame, ACK, seq, 1, NULL, 0, 100);
        inject_all_ways(f, &frame);
    }
    host_reads(&p, 1, 300);
    hold(f, 3);
    for (uint32_t seq = 301; seq < 3901; seq += 1200)
        from_peer(&p, ACK, seq, 1, 1200);
    host_reads(&p, 301, 3600);
    skip_sent(&p); /* fewer ACKs where they come together */
    host_sends(&p, 1, 5000);
    from_peer(&p, FIN | ACK, 3901, 5001, 0);
    note_sent(f, log);
    lan_close(f->stack, p.fd);
    note_sent(f, log);
}

static void run(struct log *log, uint32_t headroom)
{
    void *state;

    fixture_setup(&state);

    struct fixture *f = state;

    log->len = 0;
    f->headroom = headroom;
    run_network(f, log);
    run_udp(f, log);
    run_tcp(f, log);
    fixture_teardown(&state);
}

static void frames_at_any_address_are_answered_alike(void **state)
{
    static struct log expected, found;

    (void)state;
    run(&expected, 2);
    for (uint32_t headroom = 0; headroom < 6; headroom++) {
        run(&found, headroom);
        assert_int_equal(found.len, expected.len);
        assert_memory_equal(found.bytes, expected.bytes, expected.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_at_any_address_are_answered_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
