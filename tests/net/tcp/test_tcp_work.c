/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment costs, whatever a peer sends and however many connections there are: not in time, but in basic blocks
 * that the stack runs and bytes that it moves. A block is some five instructions. */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

static uint64_t work;

void __sanitizer_cov_trace_pc(void);
void *__wrap_memmove(void *to, const void *from, size_t bytes);
void *__wrap_memcpy(void *to, const void *from, size_t bytes);
void *__wrap_memset(void *to, int value, size_t bytes);
void *__real_memmove(void *to, const void *from, size_t bytes);
void *__real_memcpy(void *to, const void *from, size_t bytes);
void *__real_memset(void *to, int value, size_t bytes);

void __sanitizer_cov_trace_pc(void)
{
    work++;
}

enum { BLOCK_BYTES = 64 }; /* moved for what a block costs, at least */

void *__wrap_memmove(void *to, const void *from, size_t bytes)
{
    work += bytes / BLOCK_BYTES;
    return __real_memmove(to, from, bytes);
}

void *__wrap_memcpy(void *to, const void *from, size_t bytes)
{
    work += bytes / BLOCK_BYTES;
    return __real_memcpy(to, from, bytes);
}

void *__wrap_memset(void *to, int value, size_t bytes)
{
    work += bytes / BLOCK_BYTES;
    return __real_memset(to, value, bytes);
}

static uint64_t random_state;

static uint32_t draw(uint32_t below)
{
    uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z >> 32) * below >> 32);
}

static void forget_sent(struct peer *p)
{
    p->f->sent_tail = p->f->sent_head;
}

/* What the stack does with one segment of the peer. */
static uint64_t cost_of(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, const void *options,
                        uint32_t option_bytes, uint32_t bytes)
{
    static struct frame frame;
    peer_frame(p, &frame, flags, seq, ack, options, option_bytes, bytes);
    work = 0;
    inject(p->f, &frame);
    uint64_t cost = work;
    forget_sent(p);
    return cost;
}

static struct fixture *fixture_of(uint32_t connections, uint32_t buffers, uint32_t window)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.pool = (struct lan_pool_config){.buffers = buffers, .buffer_bytes = 2048, .views = 1024};
    config.tcp_connections = connections;
    config.sockets = connections + 16;
    config.send_buffer_bytes = config.receive_buffer_bytes = window;
    return fixture_create(&config, LAN_NETIF_SG | LAN_NETIF_RX_CSUM);
}

enum { WINDOW = 1 << 20 };

/* A connection with scaled windows of 1 MiB. */
static struct peer wide_peer(struct fixture *f, uint16_t mss)
{
    struct peer p = peer_of(f);
    int listener = listen_on(f, HOST_PORT, 8);
    uint8_t options[] = {2, 4, 0, 0, 1, 3, 3, 5, 1, 1, 4, 2};
    put16(options + 2, mss);
    from_peer_options(&p, SYN, 0, 0, options, sizeof options);
    p.host_iss = 0;
    p.host_iss = next_sent(&p).seq;
    p.window = WINDOW >> 5;
    from_peer(&p, ACK, 1, 1, 0);
    p.fd = lan_accept(f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p.fd >= 0);
    return p;
}

static void end_of(struct peer *p)
{
    struct fixture *f = p->f;
    for (int fd = 0; fd < 16; fd++)
        lan_close(f->stack, fd);
    for (int i = 0; i < 200; i++) {
        advance_ms(f, 1000);
        forget_sent(p);
    }
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(f->stack)), f->free_buffers);
    fixture_destroy(f);
}

/* The dearest of the segments so far. */
static uint64_t worst(uint64_t before, uint64_t cost)
{
    return cost > before ? cost : before;
}

static void one_byte_gaps_cost_no_more_the_more_there_are(void **state)
{
    enum { GAPS = WINDOW / 2 - 100, STEP = 7 };
    static const char *const ways[] = {"upwards", "downwards", "at random"};
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct peer p = wide_peer(fixture_of(16, 1024, WINDOW), MSS);
        uint32_t free_before = lan_pool_free_buffers(lan_stack_pool(p.f->stack));
        uint64_t dearest = 0;
        for (uint32_t i = 0; i < GAPS; i += STEP) {
            uint32_t place = way == 0 ? i : way == 1 ? GAPS - i : draw(GAPS);
            dearest = worst(dearest, cost_of(&p, ACK, 3 + 2 * place, 1, NULL, 0, 1));
        }
        uint32_t held = free_before - lan_pool_free_buffers(lan_stack_pool(p.f->stack));
        print_message("%u one-byte gaps %s: %u blocks a segment at most, %u buffers held\n", GAPS / STEP, ways[way],
                      (uint32_t)dearest, held);
        assert_true(dearest < 800);
        assert_true(held < 100);
        end_of(&p);
    }
}

static void put_block(uint8_t *out, uint32_t start, uint32_t end)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(start >> (24 - 8 * i));
        out[4 + i] = (uint8_t)(end >> (24 - 8 * i));
    }
}

/* 350 segments under way; returns where they begin. */
static uint32_t fill_flight(struct peer *p, uint32_t mss)
{
    static uint8_t data[WINDOW];
    uint32_t acked = 0, sent = 0;
    while (sent < acked + 350) {
        lan_send(p->f->stack, p->fd, data, sizeof data, 0);
        sent += frames_waiting(p->f);
        forget_sent(p);
        acked += 2;
        from_peer(p, ACK, 1, 1 + acked * mss, 0);
    }
    return 1 + acked * mss;
}

/* `mss`: what the peer asks for, and what it gets. */
static void sack_flood(uint16_t asked, uint32_t mss)
{
    enum { ACKS = 20000 };
    struct peer p = wide_peer(fixture_of(16, 2048, WINDOW), asked);
    uint32_t una = fill_flight(&p, mss);
    uint64_t dearest = 0, early = 0, late = 0;
    for (uint32_t i = 0; i < ACKS; i++) {
        uint8_t options[36] = {1, 1, 5, 34};
        for (int block = 0; block < 4; block++) {
            uint32_t start = p.host_iss + una + 1 + draw(300 * mss);
            put_block(options + 4 + 8 * block, start, start + 1 + draw(3));
        }
        uint64_t cost = cost_of(&p, ACK, 1, una, options, sizeof options, 0);
        dearest = worst(dearest, cost);
        early += i / 1000 == 1 ? cost : 0;
        late += i / 1000 == ACKS / 1000 - 1 ? cost : 0;
    }
    print_message("%u ACKs with four wild SACK blocks: %u blocks an ACK at most\n", ACKS, (uint32_t)dearest);
    assert_true(counter(p.f, "TcpExtTCPSACKDiscard") > 0); /* the scoreboard was full */
    assert_in_range(late, 1, early + early / 50);
    assert_true(dearest < 4000);
    from_peer(&p, RST, 1, 0, 0);
    end_of(&p);
}

static void sack_blocks_cost_no_more_the_more_there_are(void **state)
{
    (void)state;
    sack_flood(MSS, MSS);
}

static void nor_do_they_when_segments_are_tiny(void **state)
{
    (void)state;
    sack_flood(1, 64);
}

static void a_flood_of_syns_costs_the_same_from_first_to_last(void **state)
{
    (void)state;
    struct peer p = peer_of(fixture_of(1024, 1024, 65536));
    listen_on(p.f, HOST_PORT, 4096);
    lan_route_add(p.f->stack, 0, 0, PEER, &p.f->netif);
    uint64_t early = 0, late = 0;
    static struct frame frame;
    for (uint32_t i = 0; i < 100000; i++) {
        peer_frame(&p, &frame, SYN, i, 0, "\x02\x04\x05\xb4", 4, 0);
        put32(frame.bytes + ETH + 12, ADDRESS(198, 51, 100, 0) + (i % 254 + 1) * ADDRESS(0, 0, 0, 1));
        put16(frame.bytes + ETH + IP, (uint16_t)(1024 + i / 254));
        fix_ip(&frame);
        fix_l4(&frame);
        work = 0;
        inject(p.f, &frame);
        early += i / 1000 == 1 ? work : 0;
        late += i / 1000 == 99 ? work : 0;
        forget_sent(&p);
    }
    print_message("100000 SYNs: %u blocks each in the second thousand, %u in the last\n", (uint32_t)(early / 1000),
                  (uint32_t)(late / 1000));
    assert_in_range(late, early - 999, early + 999); /* less than a block each */
    assert_true(early / 1000 < 800);
    end_of(&p);
}

enum { PORTS = 60000 };

/* Connection i of many: two listeners, as many peers' ports as there are. */
static void place(struct peer *p, uint32_t i)
{
    p->port = (uint16_t)(1000 + i % PORTS);
    p->host_port = (uint16_t)(HOST_PORT + i / PORTS);
    p->iss = i * 2654435761u;
}

static uint32_t host_isses[100000];

static void connect_many(struct peer *p, const int *listeners, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        place(p, i);
        handshake_to(p);
        host_isses[i] = p->host_iss;
        advance(p->f, 100000);
        assert_true(lan_accept(p->f->stack, listeners[i / PORTS], NULL, LAN_SOCK_NONBLOCK) >= 0);
    }
}

/* The mean of two thousand in-order segments, each pair for another connection, and of the reads that follow. */
static uint64_t cost_among(struct peer *p, uint32_t connections)
{
    enum { PAIRS = 1000 };
    uint64_t sum = 0;
    static uint32_t arrived[100000];
    for (uint32_t n = 0; n < 2 * PAIRS; n++) {
        static uint32_t i;
        char data[100];
        if (n % 2 == 0)
            i = draw(connections);
        place(p, i);
        p->host_iss = host_isses[i];
        sum += cost_of(p, ACK, 1 + 100 * arrived[i]++, 1, NULL, 0, 100);
        work = 0;
        assert_int_equal(lan_recv(p->f->stack, 2 + (int)i, data, sizeof data, 0), sizeof data);
        sum += work;
    }
    return sum / (2 * PAIRS);
}

static void a_segment_costs_the_same_among_100000_connections_and_their_timers(void **state)
{
    static const uint32_t counts[] = {1, 100, 10000, 100000};
    uint64_t costs[4];
    (void)state;
    struct peer p = peer_of(fixture_of(100000, 4096, 65536));
    uint32_t buffers = lan_pool_free_buffers(lan_stack_pool(p.f->stack));
    const int listeners[] = {listen_on(p.f, HOST_PORT, 128), listen_on(p.f, HOST_PORT + 1, 128)};
    const int on = 1;
    for (int i = 0; i < 2; i++)
        lan_setsockopt(p.f->stack, listeners[i], LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, &on, sizeof on);
    for (uint32_t step = 0, done = 0; step < 4; done = counts[step++]) {
        connect_many(&p, listeners, done, counts[step]);
        costs[step] = cost_among(&p, counts[step]);
        advance_ms(p.f, 1000); /* delayed ACKs */
        forget_sent(&p);
        print_message("%u connections: %u blocks a segment\n", counts[step], (uint32_t)costs[step]);
    }
    for (int step = 1; step < 4; step++)
        assert_in_range(costs[step], 1, costs[0] + costs[0] / 50);
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(p.f->stack)), buffers); /* the idle hold none */

    uint32_t probes = 0;
    advance_ms(p.f, 7180000);
    static struct frame request;
    frame_arp(&request, 1, PEER_MAC, PEER, HOST); /* the host still knows where the peer is */
    inject(p.f, &request);
    forget_sent(&p);
    work = 0;
    while (probes < 100000) { /* two hours later each of them fires once */
        uint32_t before = p.f->sent_head;
        assert_int_not_equal(p.f->alarm_ns, LAN_NEVER);
        advance(p.f, p.f->alarm_ns - p.f->now_ns);
        probes += p.f->sent_head - before;
        forget_sent(&p);
    }
    print_message("100000 keep-alive timers: %u blocks each, probe and all\n", (uint32_t)(work / 100000));
    assert_true(work / 100000 < 500);
    fixture_destroy(p.f);
}

static void a_request_and_its_answer_cost_little(void **state)
{
    enum { ROUNDS = 1000, BYTES = 64 };
    uint8_t data[BYTES] = {0};
    uint64_t sum = 0;
    (void)state;
    struct peer p = wide_peer(fixture_of(16, 1024, 65536), MSS);
    for (uint32_t at = 1; at < ROUNDS * BYTES; at += BYTES) {
        sum += cost_of(&p, ACK | PSH, at, at, NULL, 0, BYTES);
        work = 0;
        assert_int_equal(lan_recv(p.f->stack, p.fd, data, BYTES, 0), BYTES);
        assert_int_equal(lan_send(p.f->stack, p.fd, data, BYTES, 0), BYTES);
        sum += work;
        assert_int_equal(frames_waiting(p.f), 1);
        forget_sent(&p);
        advance(p.f, 1000000);
    }
    print_message("64 bytes received, and 64 in answer: %u blocks\n", (uint32_t)(sum / ROUNDS));
    assert_true(sum / ROUNDS < 460);
    from_peer(&p, RST, 1 + ROUNDS * BYTES, 0, 0);
    end_of(&p);
}

static void an_idle_connection_takes_at_most_512_bytes(void **state)
{
    struct lan_config few = LAN_CONFIG_DEFAULT, many = LAN_CONFIG_DEFAULT;
    (void)state;
    few.tcp_connections = 65536 - 16;
    many.tcp_connections = 131072 - 16;
    assert_true((lan_stack_size(&many) - lan_stack_size(&few)) / 65536 <= 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_gaps_cost_no_more_the_more_there_are),
        cmocka_unit_test(sack_blocks_cost_no_more_the_more_there_are),
        cmocka_unit_test(nor_do_they_when_segments_are_tiny),
        cmocka_unit_test(a_flood_of_syns_costs_the_same_from_first_to_last),
        cmocka_unit_test(a_segment_costs_the_same_among_100000_connections_and_their_timers),
        cmocka_unit_test(a_request_and_its_answer_cost_little),
        cmocka_unit_test(an_idle_connection_takes_at_most_512_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
