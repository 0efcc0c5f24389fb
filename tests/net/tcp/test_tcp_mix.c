/* SPDX-License-Identifier: Apache-2.0 */
/* Everything together: by each seed a pool, a path and a use of the sockets is drawn that no test would put together:
 * copies and chains, urgent data, peeks, marks, pacing, options that change under way, scarce memory, a bad wire.
 * Whatever it is, both streams arrive whole and in order, every connection is sound at all times, and every buffer
 * comes back.
 *
 *     test_tcp_mix            a few seeds
 *     test_tcp_mix N SEED     N of them from SEED on
 */
#include "../frames.h"
#include "sound.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT = 5001, RUNS = 250, MOST = 20000, MOST_OCTETS = 500000, MOST_PAUSES_MS = 300 };
#define PATIENCE_NS UINT64_C(3600000000000)

static uint32_t runs = RUNS;
static uint64_t first_seed = 1, under_way;

/* One allocation of so many fails; 0: none. */
static uint32_t failing;
static struct world *dice_of;

struct lan_buf *__real_lan_buf_alloc(struct lan_pool *pool, uint32_t headroom);
struct lan_buf *__wrap_lan_buf_alloc(struct lan_pool *pool, uint32_t headroom);
struct lan_buf *__real_lan_buf_view(struct lan_buf *from, uint32_t offset, uint32_t len);
struct lan_buf *__wrap_lan_buf_view(struct lan_buf *from, uint32_t offset, uint32_t len);

static bool fails(void)
{
    return failing && world_draw(dice_of, failing) == 0;
}

struct lan_buf *__wrap_lan_buf_alloc(struct lan_pool *pool, uint32_t headroom)
{
    return fails() ? NULL : __real_lan_buf_alloc(pool, headroom);
}

struct lan_buf *__wrap_lan_buf_view(struct lan_buf *from, uint32_t offset, uint32_t len)
{
    return fails() ? NULL : __real_lan_buf_view(from, offset, len);
}

static uint8_t octet(uint32_t key, uint32_t n)
{
    return (uint8_t)((n + key) * 2654435761u >> 24);
}

struct end {
    struct world *world;
    struct lan_stack *stack;
    int fd;       /* -1: not there yet, or closed */
    uint32_t key; /* of the stream that it sends; the other's is its complement */
    uint32_t total, sent, received;
    uint64_t pause_end_ns;
    bool shut, eof, done;
};

static uint32_t draw(struct end *end, uint32_t below)
{
    return world_draw(end->world, below);
}

/* Small more often than large. */
static uint32_t draw_size(struct end *end, uint32_t most)
{
    return 1 + draw(end, 1 + draw(end, most));
}

static void set(struct end *end, int level, int option, int value)
{
    assert_int_equal(lan_setsockopt(end->stack, end->fd, level, option, &value, sizeof value), 0);
}

static void choose_congestion(struct end *end)
{
    static const char *const names[] = {"cubic", "newreno", "bbr"};
    const char *name = names[draw(end, 3)];
    assert_int_equal(
        lan_setsockopt(end->stack, end->fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, name, (uint32_t)strlen(name)), 0);
}

static void change_an_option(struct end *end)
{
    switch (draw(end, 8)) {
    case 0:
        set(end, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, (int)draw(end, 2));
        break;
    case 1:
        set(end, LAN_IPPROTO_TCP, LAN_TCP_CORK, (int)draw(end, 2));
        break;
    case 2:
        set(end, LAN_SOL_SOCKET, LAN_SO_SNDBUF, (int)draw_size(end, 60000));
        break;
    case 3:
        set(end, LAN_SOL_SOCKET, LAN_SO_RCVBUF, (int)draw_size(end, 60000));
        break;
    case 4:
        set(end, LAN_SOL_SOCKET, LAN_SO_MAX_PACING_RATE, draw(end, 2) ? -1 : 50000 + (int)draw(end, 2000000));
        break;
    case 5:
        choose_congestion(end);
        break;
    case 6:
        set(end, LAN_SOL_SOCKET, LAN_SO_KEEPALIVE, (int)draw(end, 2));
        set(end, LAN_IPPROTO_TCP, LAN_TCP_KEEPIDLE, 1 + (int)draw(end, 3));
        break;
    default:
        set(end, LAN_IPPROTO_TCP, LAN_TCP_MAXSEG, 64 + (int)draw(end, 1500));
    }
}

static long send_chain(struct end *end, uint32_t bytes)
{
    struct lan_buf *first = NULL, **link = &first;
    uint32_t seq = end->sent;
    while (bytes) {
        struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(end->stack), draw(end, 100));
        uint32_t n = 1 + draw(end, 1400);
        if (!buf)
            break;
        n = n < bytes ? n : bytes;
        n = n < lan_buf_tailroom(buf) ? n : lan_buf_tailroom(buf);
        uint8_t *to = lan_buf_put(buf, n);
        for (uint32_t i = 0; i < n; i++)
            to[i] = octet(end->key, seq++);
        bytes -= n;
        *link = buf;
        link = &buf->next;
    }
    if (!first)
        return -EAGAIN;
    long taken = lan_send_buf(end->stack, end->fd, first, draw(end, 2) ? LAN_MSG_MORE : 0);
    if (taken < 0)
        lan_buf_free(first);
    return taken == -EMSGSIZE ? -EAGAIN : taken;
}

static long send_copy(struct end *end, uint32_t bytes)
{
    static const int flags[] = {0, 0, 0, LAN_MSG_MORE, LAN_MSG_OOB};
    static uint8_t data[MOST];
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = octet(end->key, end->sent + i);
    return lan_send(end->stack, end->fd, data, bytes, flags[draw(end, 5)]);
}

static void send_some(struct end *end)
{
    for (uint32_t i = draw(end, 4); i && end->sent < end->total; i--) {
        uint32_t left = end->total - end->sent, bytes = draw_size(end, MOST - 1);
        bytes = bytes < left ? bytes : left;
        long taken = draw(end, 3) ? send_copy(end, bytes) : send_chain(end, bytes < 4000 ? bytes : 4000);
        if (taken == -EAGAIN)
            return;
        assert_true(taken > 0);
        end->sent += (uint32_t)taken;
    }
    if (end->sent == end->total && !end->shut) {
        set(end, LAN_IPPROTO_TCP, LAN_TCP_CORK, 0);
        assert_int_equal(lan_shutdown(end->stack, end->fd, LAN_SHUT_WR), 0);
        end->shut = true;
    }
}

static void check(struct end *end, const uint8_t *data, long n)
{
    for (long i = 0; i < n; i++)
        assert_int_equal(data[i], octet(~end->key, end->received + (uint32_t)i));
}

static long receive_chain(struct end *end, uint8_t *data, uint32_t bytes)
{
    struct lan_buf *chain = NULL;
    long n = lan_recv_buf(end->stack, end->fd, &chain, bytes);
    if (n > 0)
        assert_int_equal(lan_buf_copy(chain, 0, data, bytes), n);
    lan_buf_free(chain);
    return n;
}

static void receive_some(struct end *end)
{
    static uint8_t data[MOST];
    for (uint32_t i = draw(end, 4); i && !end->eof; i--) {
        uint32_t bytes = draw_size(end, MOST - 1);
        if (draw(end, 4) == 0)
            check(end, data, lan_recv(end->stack, end->fd, data, bytes, LAN_MSG_PEEK));
        long n = draw(end, 2) ? lan_recv(end->stack, end->fd, data, bytes, 0) : receive_chain(end, data, bytes);
        if (n == -EAGAIN || n == -ENOBUFS)
            return;
        assert_true(n >= 0);
        check(end, data, n);
        end->received += (uint32_t)n;
        end->eof = n == 0;
    }
}

static void use(struct end *end)
{
    if (end->fd < 0 || end->world->now_ns < end->pause_end_ns)
        return;
    if (draw(end, 30) == 0)
        end->pause_end_ns = end->world->now_ns + draw(end, MOST_PAUSES_MS) * UINT64_C(1000000);
    if (draw(end, 20) == 0)
        change_an_option(end);
    if (!lan_ready(end->stack, end->fd, LAN_POLLIN | LAN_POLLOUT))
        return;
    send_some(end);
    receive_some(end);
    if (end->eof && end->shut) {
        lan_close(end->stack, end->fd);
        end->fd = -1;
        end->done = true;
    }
}

static struct world_config drawn(struct world *dice)
{
    static const uint32_t features[] = {0, LAN_NETIF_SG, LAN_NETIF_SG | LAN_NETIF_TSO};
    static const uint16_t mtus[] = {576, 1000, 1500};
    struct world_config config = WORLD_DEFAULT;
    config.stack.pool = (struct lan_pool_config){.buffers = 32 + world_draw(dice, 1 + world_draw(dice, 500)),
                                                 .buffer_bytes = 1600 + 64 * world_draw(dice, 16),
                                                 .views = 24 + world_draw(dice, 1 + world_draw(dice, 500))};
    config.stack.send_buffer_bytes = 1000 + world_draw(dice, 60000);
    config.stack.receive_buffer_bytes = 1000 + world_draw(dice, 60000);
    config.stack.send_buffer_max_bytes = config.stack.receive_buffer_max_bytes = world_draw(dice, 2) * 500000;
    config.stack.tcp_connections = 16;
    config.stack.tcp_ecn = world_draw(dice, 3);
    config.stack.tcp_quick_acks = world_draw(dice, 2) * 16;
    config.features = features[world_draw(dice, 3)];
    config.max_tso_bytes = 65536;
    config.mtu = mtus[world_draw(dice, 3)];
    config.wire.rate_bps = UINT64_C(100000000) >> world_draw(dice, 7);
    config.wire.delay_ns = 100000u << world_draw(dice, 9);
    config.wire.queue_bytes = world_draw(dice, 2) ? 0 : 20000 + world_draw(dice, 50000);
    config.wire.drop = world_draw(dice, 3) ? 0 : world_draw(dice, 6) * 0.01;
    config.wire.burst = world_draw(dice, 4);
    config.wire.duplicate = world_draw(dice, 3) ? 0 : 0.05;
    config.wire.corrupt = world_draw(dice, 4) ? 0 : 0.01;
    config.wire.mark = world_draw(dice, 3) ? 0 : 0.05;
    config.wire.reorder = world_draw(dice, 3) ? 0 : 0.05;
    config.wire.reorder_ns = 1000000 + world_draw(dice, 20000000);
    return config;
}

/* Looks again every now and then, whatever happens: with so little memory a notice may well be what gets lost. */
static void run(uint64_t seed)
{
    struct world dice = {.random = seed};
    struct world_config config = drawn(&dice);
    config.seed = seed;
    failing = 0;
    struct world *world = world_create(&config);
    dice_of = &dice;
    failing = world_draw(&dice, 3) ? 0 : 50 + world_draw(&dice, 300);
    uint32_t key = world_draw(world, UINT32_MAX);
    struct end client = {.world = world, .stack = world->hosts[0].stack, .key = key},
               server = {.world = world, .stack = world->hosts[1].stack, .key = ~key, .fd = -1};
    client.total = draw_size(&client, MOST_OCTETS);
    server.total = draw_size(&server, MOST_OCTETS);
    int listener = world_listen(world, PORT, 4);
    client.fd = world_connect(world, PORT);
    uint64_t limit_ns = world->now_ns + PATIENCE_NS;
    while (!client.done || !server.done) {
        world_step(world, world->now_ns + 20000000);
        if (world->now_ns > limit_ns)
            fail_msg("seed %llu: the transfer hangs, %u of %u and %u of %u bytes there", (unsigned long long)seed,
                     server.received, client.total, client.received, server.total);
        if (server.fd < 0 && !server.done)
            server.fd = lan_accept(server.stack, listener, NULL, LAN_SOCK_NONBLOCK);
        use(&client);
        use(&server);
        assert_sound(client.stack);
        assert_sound(server.stack);
    }
    assert_int_equal(server.received, client.total);
    assert_int_equal(client.received, server.total);
    lan_close(server.stack, listener);
    world_destroy(world);
}

enum { CALLS = 4000, DESCRIPTORS = 12, CALLS_PORT = 0x1300 };

/* One call of the socket layer with whatever arguments, legal or not. */
static void call(struct end *any)
{
    static uint8_t data[MOST];
    struct lan_stack *stack = any->world->hosts[draw(any, 2)].stack;
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET,
                                   .sin_port = net16((uint16_t)(CALLS_PORT | draw(any, 2))),
                                   .sin_addr = draw(any, 6) ? ADDRESS(192, 0, 2, 1 + draw(any, 2)) : 0};
    struct lan_linger linger = {.l_onoff = (int)draw(any, 2), .l_linger = (int)draw(any, 2)};
    struct lan_pollfd polled = {.fd = (int)draw(any, DESCRIPTORS), .events = (int16_t)draw(any, 64)};
    struct lan_buf *chain = NULL;
    int fd = (int)draw(any, DESCRIPTORS), value = (int)draw(any, UINT32_MAX) >> draw(any, 32),
        options = (int)draw(any, 40);
    uint32_t bytes = draw_size(any, MOST - 1);
    memcpy(data, &value, sizeof value);
    switch (draw(any, 22)) {
    case 0:
    case 1:
        lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
        break;
    case 2:
        lan_bind(stack, fd, &name);
        break;
    case 3:
        lan_listen(stack, fd, (int)draw(any, 4) - 1);
        break;
    case 4:
    case 5:
        lan_connect(stack, fd, &name);
        break;
    case 6:
    case 7:
        lan_accept(stack, fd, draw(any, 2) ? &name : NULL, LAN_SOCK_NONBLOCK);
        break;
    case 8:
    case 9:
        lan_send(stack, fd, data, draw(any, 8) ? bytes : 0, (int)draw(any, 2) * LAN_MSG_OOB | LAN_MSG_DONTWAIT);
        break;
    case 10:
    case 11:
        lan_recv(stack, fd, data, draw(any, 8) ? bytes : 0, (int)draw(any, 2) * LAN_MSG_PEEK | LAN_MSG_DONTWAIT);
        break;
    case 12:
        if (lan_recv_buf(stack, fd, &chain, bytes) > 0)
            lan_buf_free(chain);
        break;
    case 13:
        lan_shutdown(stack, fd, (int)draw(any, 4));
        break;
    case 14:
        if (draw(any, 2) == 0)
            lan_close(stack, fd);
        break;
    case 15:
        lan_setsockopt(stack, fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, sizeof linger);
        break;
    case 16:
        lan_setsockopt(stack, fd, LAN_IPPROTO_TCP, options, data, draw(any, 20));
        break;
    case 17:
        lan_setsockopt(stack, fd, LAN_SOL_SOCKET, options, data, draw(any, 20));
        break;
    case 18:
        lan_getsockopt(stack, fd, draw(any, 2) ? LAN_SOL_SOCKET : LAN_IPPROTO_TCP, options, data, &bytes);
        break;
    case 19:
        lan_getpeername(stack, fd, &name);
        lan_getsockname(stack, fd, &name);
        break;
    case 20:
        lan_poll(stack, &polled, 1, 0);
        break;
    default:
        lan_sockatmark(stack, fd);
    }
}

static void run_calls(uint64_t seed)
{
    struct world dice = {.random = seed};
    struct world_config config = drawn(&dice);
    config.seed = seed;
    config.stack.tcp_connections = 1 + world_draw(&dice, 12);
    config.stack.sockets = 4 + world_draw(&dice, DESCRIPTORS);
    failing = 0;
    struct world *world = world_create(&config);
    struct end any = {.world = world};
    dice_of = &dice;
    failing = world_draw(&dice, 3) ? 0 : 50 + world_draw(&dice, 300);
    world_listen(world, CALLS_PORT, 2); /* until it is closed */
    for (int i = 0; i < CALLS; i++) {
        call(&any);
        uint64_t end = world->now_ns + (draw(&any, 50) ? draw(&any, 2000000) : draw(&any, UINT32_MAX) * UINT64_C(20));
        while (draw(&any, 8) && world_step(world, end)) {
        }
        assert_sound(world->hosts[0].stack);
        assert_sound(world->hosts[1].stack);
    }
    for (int host = 0; host < 2; host++)
        for (int fd = 0; fd < (int)config.stack.sockets; fd++) {
            struct lan_linger off = {0};
            lan_setsockopt(world->hosts[host].stack, fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &off, sizeof off);
            lan_close(world->hosts[host].stack, fd);
        }
    failing = 0;
    world_destroy(world);
}

/* Whatever an application calls, nothing is lost and nobody waits for ever. */
static void any_calls_in_any_order_leave_nothing_behind(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + runs; seed++) {
        under_way = seed;
        run_calls(seed);
    }
}

static void whatever_is_put_together_both_streams_arrive(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + runs; seed++) {
        under_way = seed;
        run(seed);
    }
}

/* An assertion does not say by itself which seed it was. */
static void tell_seed(void)
{
    if (under_way)
        fprintf(stderr, "the last seed was %llu\n", (unsigned long long)under_way);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_is_put_together_both_streams_arrive),
                                       cmocka_unit_test(any_calls_in_any_order_leave_nothing_behind)};
    atexit(tell_seed);
    if (argc == 3) {
        runs = (uint32_t)strtoul(argv[1], NULL, 0);
        first_seed = strtoull(argv[2], NULL, 0);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
