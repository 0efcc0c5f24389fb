/* SPDX-License-Identifier: Apache-2.0 */
/* Valid frames with random damage, by the million, into a stack with all its sockets open, built with the
 * address and undefined-behaviour sanitizers and with assertions: nothing that comes from the wire may reach one.
 * Checksums are mended half the time, or hardly anything would get past them.
 */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 1000000, TCP = 20 };

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

static void frame_tcp(struct frame *frame)
{
    uint8_t segment[TCP + 40 + 200];
    uint32_t options = draw(3) ? 0 : draw(11) * 4, bytes = draw(4) ? 0 : draw(200);

    for (size_t i = 0; i < sizeof segment; i++)
        segment[i] = (uint8_t)draw(draw(2) ? 10 : 256);
    put16(segment, (uint16_t)(1000 + draw(4)));
    put16(segment + 2, draw(8) ? 80 : (uint16_t)draw(65536));
    segment[12] = (uint8_t)((TCP + options) / 4 << 4);
    segment[13] = draw(4) ? (uint8_t)(1 << draw(6) | 1 << draw(6)) : (uint8_t)draw(256);
    if (draw(3) == 0)
        segment[13] = 2;
    frame_ip(frame, PEER, HOST, PROTOCOL_TCP, segment, TCP + options + bytes);
    fix_l4(frame);
}

/* An ICMP error about a packet that the host might have sent. */
static void frame_icmp_error(struct frame *frame)
{
    static struct frame quoted;
    static const uint8_t types[] = {3, 5, 11, 12};

    if (draw(2))
        frame_tcp(&quoted);
    else
        frame_udp(&quoted, 7, 1000, "quoted data", 11);
    put32(quoted.bytes + ETH + 12, HOST);
    put32(quoted.bytes + ETH + 16, PEER);
    frame_icmp(frame, types[draw(4)], (uint8_t)draw(16), quoted.bytes + ETH, 20 + draw(60));
}

/* The next fragment of a datagram; mostly the next in order, so that some datagrams get whole. */
static void frame_next_fragment(struct frame *frame)
{
    static struct frame whole;
    static uint32_t offset, payload;
    static uint8_t data[6000];
    uint32_t bytes, left;

    if (offset >= payload) {
        if (draw(2))
            frame_udp(&whole, 1000, 7, data, draw(sizeof data));
        else
            frame_icmp(&whole, 8, 0, data, draw(sizeof data));
        put16(whole.bytes + ETH + 4, (uint16_t)draw(64));
        payload = whole.len - ETH - IP;
        offset = 0;
    }
    if (draw(32) == 0)
        offset = draw(payload) & ~7u;
    left = payload - offset;
    bytes = 8 + draw(1472) / 8 * 8;
    frame_fragment(frame, &whole, offset, bytes < left ? bytes : left, bytes < left);
    offset += draw(32) ? bytes : 0;
}

static void add_options(struct frame *frame)
{
    uint8_t options[40];

    for (int i = 0; i < 40; i++)
        options[i] = (uint8_t)(draw(2) ? draw(9) : draw(256));
    frame_ip_options(frame, options, draw(11) * 4);
}

static void build(struct frame *frame)
{
    static uint8_t data[1400];

    switch (draw(8)) {
    case 0:
        frame_arp(frame, (uint16_t)(1 + draw(2)), PEER_MAC, ADDRESS(192, 0, 2, draw(256)), HOST);
        return;
    case 1:
        frame_icmp(frame, 8, 0, data, draw(draw(2) ? 64 : sizeof data));
        break;
    case 2:
        frame_icmp_error(frame);
        break;
    case 3:
        frame_udp(frame, (uint16_t)draw(65536), 7, data, draw(sizeof data));
        break;
    case 4:
        frame_next_fragment(frame);
        break;
    default:
        frame_tcp(frame);
    }
    if (draw(16) == 0)
        add_options(frame);
}

static void damage(struct frame *frame)
{
    uint32_t places = draw(2) ? draw(4) : 0;

    for (uint32_t i = 0; i < places; i++) {
        uint32_t at = draw(draw(2) && frame->len > 60 ? 60 : frame->len);

        frame->bytes[at] = draw(2) ? (uint8_t)draw(256) : (uint8_t)(frame->bytes[at] ^ 1 << draw(8));
    }
    if (draw(16) == 0)
        frame->len = draw(frame->len + 1);
    else if (draw(16) == 0)
        frame->len += draw(64);
    if (draw(2) && frame->len >= ETH + IP && get16(frame->bytes + 12) == TYPE_IP) {
        uint32_t header = (frame->bytes[ETH] & 15u) * 4, total = get16(frame->bytes + ETH + 2);

        bool whole = (get16(frame->bytes + ETH + 6) & 0x3fff) == 0;

        if (header >= IP && total >= header + 20 && ETH + total <= frame->len && ETH + header <= frame->len) {
            fix_ip(frame);
            if (whole)
                fix_l4(frame);
        }
    }
}

/* What applications do meanwhile: they read, answer, accept and close. */
static void applications(struct fixture *f, int udp, int listener)
{
    static uint8_t data[70000];
    struct lan_sockaddr_in peer = {.sin_family = LAN_AF_INET, .sin_port = net16(1000), .sin_addr = PEER};
    long bytes = lan_recv(f->stack, udp, data, sizeof data, LAN_MSG_DONTWAIT);
    int fd = lan_accept(f->stack, listener, NULL, LAN_SOCK_NONBLOCK);

    if (bytes >= 0)
        lan_sendto(f->stack, udp, data, (size_t)bytes, LAN_MSG_DONTWAIT, &peer);
    for (int i = 0; i < 8; i++) {
        int other = 2 + (int)draw(20);

        bytes = lan_recv(f->stack, other, data, sizeof data, LAN_MSG_DONTWAIT);
        lan_send(f->stack, other, data, draw(3000), LAN_MSG_DONTWAIT);
        if (bytes == 0 || draw(16) == 0)
            lan_close(f->stack, other);
    }
    if (fd < 0 && draw(8) == 0) {
        fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
        lan_connect(f->stack, fd, &peer);
    }
}

static void damaged_frames_do_no_harm(void **state)
{
    struct fixture *f = *state;
    static struct frame frame;
    struct lan_sockaddr_in echo = {.sin_family = LAN_AF_INET, .sin_port = net16(7)};
    struct lan_sockaddr_in web = {.sin_family = LAN_AF_INET, .sin_port = net16(80)};
    int udp = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);
    int listener = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);

    assert_int_equal(lan_bind(f->stack, udp, &echo), 0);
    assert_int_equal(lan_bind(f->stack, listener, &web), 0);
    assert_int_equal(lan_listen(f->stack, listener, 8), 0);
    for (uint32_t i = 0; i < FRAMES; i++) {
        build(&frame);
        damage(&frame);
        if (lan_pool_free_buffers(lan_stack_pool(f->stack)) > 64)
            inject_in_pieces(f, &frame, draw(8) ? 4096 : 40 + draw(100));
        if (i % 16 == 0) {
            applications(f, udp, listener);
            advance_ms(f, draw(8) ? draw(5) : draw(20000));
        }
        f->sent_tail = f->sent_head; /* what it answers is not looked at here */
        f->transmit_result = draw(64) ? 0 : -ENOBUFS;
        if (f->transmit_result == 0)
            lan_netif_tx_ready(&f->netif);
        f->sent_tail = f->sent_head;
    }
    print_message("%u frames: %lu IP, %lu UDP, %lu TCP segments, %lu reassembled, %lu echoed\n", FRAMES,
                  (unsigned long)counter(f, "IpInDelivers"), (unsigned long)counter(f, "UdpInDatagrams"),
                  (unsigned long)counter(f, "TcpInSegs"), (unsigned long)counter(f, "IpReasmOKs"),
                  (unsigned long)counter(f, "IcmpOutEchoReps"));
    assert_true(counter(f, "UdpInDatagrams") > FRAMES / 100);
    assert_true(counter(f, "TcpPassiveOpens") > 0);
    assert_true(counter(f, "IpReasmOKs") > 0);
}

/* The seed may be given on the command line, to look at another part of the space or to repeat one. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {TEST(damaged_frames_do_no_harm)};

    seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
