/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TCP_HEADER = 20 };

static uint32_t get32_host(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put32_host(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

uint8_t stream_byte(uint32_t n)
{
    return (uint8_t)(n * 2654435761u >> 24);
}

uint32_t peer_first_number(uint32_t otherwise)
{
    const char *octets = getenv("LANYARD_WRAP_OCTETS");
    return octets ? 0u - (uint32_t)strtoul(octets, NULL, 10) : otherwise;
}

struct peer peer_of(struct fixture *f)
{
    struct peer p = {
        .f = f, .iss = peer_first_number(7000), .port = PEER_PORT, .host_port = HOST_PORT, .window = 65535, .fd = -1};
    struct frame frame;
    frame_arp(&frame, 1, PEER_MAC, PEER, HOST); /* a request teaches the host where the peer is */
    inject(f, &frame);
    while (frames_waiting(f))
        expect_frame(f);
    return p;
}

void peer_frame(const struct peer *p, struct frame *frame, uint8_t flags, uint32_t seq, uint32_t ack,
                const void *options, uint32_t option_bytes, uint32_t bytes)
{
    static uint8_t segment[TCP_HEADER + 40 + 65535];
    uint32_t header_bytes = TCP_HEADER + option_bytes;
    put16(segment, p->port);
    put16(segment + 2, p->host_port);
    put32_host(segment + 4, p->iss + seq);
    put32_host(segment + 8, flags & ACK ? p->host_iss + ack : 0);
    segment[12] = (uint8_t)(header_bytes / 4 << 4);
    segment[13] = flags;
    put16(segment + 14, p->window);
    put32_host(segment + 16, 0);
    if (option_bytes)
        memcpy(segment + TCP_HEADER, options, option_bytes);
    for (uint32_t i = 0; i < bytes; i++)
        segment[header_bytes + i] = stream_byte(seq + i);
    frame_ip(frame, PEER, HOST, PROTOCOL_TCP, segment, header_bytes + bytes);
    frame->bytes[ETH + 1] = p->tos;
    fix_ip(frame);
    fix_l4(frame);
}

void from_peer_options(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, const void *options, uint32_t bytes)
{
    static struct frame frame;
    peer_frame(p, &frame, flags, seq, ack, options, bytes, 0);
    inject(p->f, &frame);
}

void from_peer(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    static struct frame frame;
    peer_frame(p, &frame, flags, seq, ack, NULL, 0, bytes);
    inject(p->f, &frame);
}

static bool is_arp(const struct frame *frame)
{
    return get16(frame->bytes + 12) == TYPE_ARP;
}

/* Takes ARP requests that stand at the front away and answers them. */
static void skip_arp(struct peer *p)
{
    static struct frame reply;
    while (frames_waiting(p->f) && is_arp(&p->f->sent[p->f->sent_tail % FIXTURE_SENT_MAX])) {
        expect_frame(p->f);
        frame_arp(&reply, 2, PEER_MAC, PEER, HOST);
        inject(p->f, &reply);
    }
}

void wait_ms(struct peer *p, uint64_t ms)
{
    static struct frame reply;
    uint64_t end_ns = p->f->now_ns + ms * 1000000;
    uint32_t seen = p->f->sent_head;
    while (p->f->now_ns < end_ns) {
        uint64_t step = end_ns - p->f->now_ns;
        uint64_t next = p->f->alarm_ns > p->f->now_ns ? p->f->alarm_ns - p->f->now_ns : 0;
        advance(p->f, next < step ? next : step);
        for (; seen != p->f->sent_head; seen++) {
            if (is_arp(&p->f->sent[seen % FIXTURE_SENT_MAX])) {
                frame_arp(&reply, 2, PEER_MAC, PEER, HOST);
                inject(p->f, &reply);
            }
        }
    }
}

void expect_quiet_at(struct peer *p, const char *file, int line)
{
    skip_arp(p);
    if (frames_waiting(p->f)) {
        struct sent sent = next_sent(p);
        print_error("%s:%d: expected silence, got flags %02x seq %u ack %u bytes %u\n", file, line, sent.flags,
                    sent.seq, sent.ack, sent.bytes);
        _fail(file, line);
    }
}

bool has_sent(struct peer *p)
{
    skip_arp(p);
    return frames_waiting(p->f);
}

uint32_t skip_sent(struct peer *p)
{
    uint32_t segments = 0;
    for (skip_arp(p); frames_waiting(p->f); skip_arp(p), segments++)
        expect_frame(p->f);
    return segments;
}

struct sent next_sent(struct peer *p)
{
    skip_arp(p);
    const uint8_t *tcp = expect_frame(p->f)->bytes + ETH + IP;
    uint32_t ip_bytes = get16(tcp - IP + 2);
    uint32_t header_bytes = tcp[12] >> 4 << 2;
    struct sent sent = {.flags = tcp[13],
                        .tos = tcp[1 - IP],
                        .dont_fragment = get16(tcp + 6 - IP) >> 14 & 1,
                        .seq = get32_host(tcp + 4) - p->host_iss,
                        .ack = get32_host(tcp + 8) - p->iss,
                        .bytes = ip_bytes - IP - header_bytes,
                        .window = get16(tcp + 14),
                        .option_bytes = header_bytes - TCP_HEADER};
    assert_int_equal(tcp[9 - IP], PROTOCOL_TCP);
    assert_int_equal(get16(tcp), p->host_port);
    assert_int_equal(get16(tcp + 2), p->port);
    memcpy(sent.options, tcp + TCP_HEADER, sent.option_bytes);
    for (uint32_t i = 0; i < sent.bytes; i++)
        assert_int_equal(tcp[header_bytes + i], stream_byte(sent.seq + i));
    return sent;
}

struct sent expect_at(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes, const char *file,
                      int line)
{
    skip_arp(p);
    if (!frames_waiting(p->f)) {
        print_error("%s:%d: expected a segment, the host sent none\n", file, line);
        _fail(file, line);
    }
    struct sent sent = next_sent(p);
    uint32_t known_ack = flags & ACK ? sent.ack : ack;
    if ((sent.flags & ~PSH) != flags || sent.seq != seq || known_ack != ack || sent.bytes != bytes) {
        print_error("%s:%d: expected flags %02x seq %u ack %u bytes %u, got flags %02x seq %u ack %u bytes %u\n", file,
                    line, flags, seq, ack, bytes, sent.flags, sent.seq, sent.ack, sent.bytes);
        _fail(file, line);
    }
    return sent;
}

int open_socket(struct fixture *f)
{
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    return fd;
}

static struct lan_sockaddr_in address_of(uint32_t address, uint16_t port)
{
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = address};
    put16((uint8_t *)&name.sin_port, port);
    return name;
}

uint64_t silence_ms(struct peer *p)
{
    uint64_t start = p->f->now_ns;
    while (!frames_waiting(p->f)) {
        wait_ms(p, 1);
        assert_true(p->f->now_ns - start < UINT64_C(200000000000));
    }
    return (p->f->now_ns - start) / 1000000;
}

int socket_error(struct peer *p)
{
    int error = -1;
    uint32_t bytes = sizeof error;
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_ERROR, &error, &bytes), 0);
    return error;
}

int listen_on(struct fixture *f, uint16_t port, int backlog)
{
    int fd = open_socket(f);
    struct lan_sockaddr_in name = address_of(0, port);
    assert_int_equal(lan_bind(f->stack, fd, &name), 0);
    assert_int_equal(lan_listen(f->stack, fd, backlog), 0);
    return fd;
}

void start_connect(struct peer *p)
{
    struct lan_sockaddr_in name = address_of(PEER, p->port);
    if (p->fd < 0)
        p->fd = open_socket(p->f);
    assert_int_equal(lan_connect(p->f->stack, p->fd, &name), -EINPROGRESS);
    struct lan_sockaddr_in own;
    assert_int_equal(lan_getsockname(p->f->stack, p->fd, &own), 0);
    p->host_port = get16((uint8_t *)&own.sin_port);
    p->host_iss = 0;
    p->host_iss = next_sent(p).seq;
}

void active_open(struct peer *p)
{
    start_connect(p);
    from_peer_options(p, SYN | ACK, 0, 1, "\x02\x04\x05\xb4", 4);
    expect(p, ACK, 1, 1, 0);
}

static void handshake_with(struct peer *p, const void *options, uint32_t bytes, uint64_t rtt_ms)
{
    from_peer_options(p, SYN, 0, 0, options, bytes);
    p->host_iss = 0;
    struct sent sent = next_sent(p);
    assert_int_equal(sent.flags, SYN | ACK);
    assert_int_equal(sent.ack, 1);
    p->host_iss = sent.seq;
    wait_ms(p, rtt_ms);
    from_peer(p, ACK, 1, 1, 0);
    expect_quiet(p);
}

void handshake_to(struct peer *p)
{
    handshake_with(p, "\x02\x04\x05\xb4", 4, 0);
}

void passive_open_with(struct peer *p, const void *options, uint32_t bytes, uint64_t rtt_ms)
{
    int listener = listen_on(p->f, p->host_port, 8);
    handshake_with(p, options, bytes, rtt_ms);
    p->fd = lan_accept(p->f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p->fd >= 0);
}

void passive_open(struct peer *p)
{
    passive_open_with(p, "\x02\x04\x05\xb4", 4, 0);
}

void host_sends(struct peer *p, uint32_t seq, uint32_t bytes)
{
    uint8_t *data = malloc(bytes);
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = stream_byte(seq + i);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, bytes, 0), bytes);
    free(data);
}

void host_reads(struct peer *p, uint32_t seq, uint32_t bytes)
{
    uint8_t data[512];
    while (bytes) {
        uint32_t n = bytes < sizeof data ? bytes : sizeof data;
        assert_int_equal(lan_recv(p->f->stack, p->fd, data, n, 0), n);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(data[i], stream_byte(seq + i));
        seq += n;
        bytes -= n;
    }
}

int peer_setup(void **state)
{
    static struct peer peer;
    fixture_setup(state);
    peer = peer_of(*state);
    passive_open(&peer);
    *state = &peer;
    return 0;
}

int peer_teardown(void **state)
{
    struct peer *p = *state;
    *state = p->f;
    return fixture_teardown(state);
}
