/* SPDX-License-Identifier: Apache-2.0 */
/* What only saves time changes nothing: each conversation is held twice, with the short ways (of a few bytes to send,
 * of packets that were foreseen, of an ACK of all that is under way) and without them. Either way the same frames leave
 * at the same times.
 *
 *     test_tcp_shortcuts            a few conversations
 *     test_tcp_shortcuts N SEED     N of them from SEED on
 */
#include "../start.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { PORT = 5001, RUNS = 300, TURNS = 400, MOST = 300 };

static uint32_t runs = RUNS;
static uint64_t first_seed;
static bool short_ways;
static uint64_t taken_sending, taken_receiving, taken_acks;

struct lan_tcb;
struct lan_tcp_ack;

bool __real_lan_tcp_send_at_once(struct lan_tcb *tcb, const uint8_t *data, size_t bytes, int flags);
bool __wrap_lan_tcp_send_at_once(struct lan_tcb *tcb, const uint8_t *data, size_t bytes, int flags);
bool __real_lan_tcp_predicted(struct lan_netif *netif, struct lan_buf *packet);
bool __wrap_lan_tcp_predicted(struct lan_netif *netif, struct lan_buf *packet);
bool __real_lan_tcp_all_acked(struct lan_tcb *tcb, uint32_t una, struct lan_tcp_ack *ack);
bool __wrap_lan_tcp_all_acked(struct lan_tcb *tcb, uint32_t una, struct lan_tcp_ack *ack);

bool __wrap_lan_tcp_send_at_once(struct lan_tcb *tcb, const uint8_t *data, size_t bytes, int flags)
{
    bool taken = short_ways && __real_lan_tcp_send_at_once(tcb, data, bytes, flags);
    taken_sending += taken;
    return taken;
}

bool __wrap_lan_tcp_predicted(struct lan_netif *netif, struct lan_buf *packet)
{
    bool taken = short_ways && __real_lan_tcp_predicted(netif, packet);
    taken_receiving += taken;
    return taken;
}

bool __wrap_lan_tcp_all_acked(struct lan_tcb *tcb, uint32_t una, struct lan_tcp_ack *ack)
{
    bool taken = short_ways && __real_lan_tcp_all_acked(tcb, una, ack);
    taken_acks += taken;
    return taken;
}

static struct {
    uint64_t hash;
    uint32_t frames;
} seen;

static void note(uint64_t value)
{
    seen.hash = (seen.hash ^ value) * UINT64_C(1099511628211);
}

static void note_frame(struct world *world, int from, const uint8_t *frame, uint32_t len)
{
    seen.frames++;
    note(world->now_ns);
    note((uint64_t)from);
    for (uint32_t i = 0; i < len; i++)
        note(frame[i]);
}

static void set(struct lan_stack *stack, int fd, int level, int option, int value)
{
    lan_setsockopt(stack, fd, level, option, &value, sizeof value);
}

static void choose_congestion(struct world *world, struct lan_stack *stack, int fd)
{
    static const char *const names[] = {"cubic", "newreno", "bbr"};
    const char *name = names[world_draw(world, 3)];
    lan_setsockopt(stack, fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, name, (uint32_t)strlen(name));
}

static void change_an_option(struct world *world, struct lan_stack *stack, int fd)
{
    switch (world_draw(world, 6)) {
    case 0:
        set(stack, fd, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, (int)world_draw(world, 2));
        break;
    case 1:
        set(stack, fd, LAN_IPPROTO_TCP, LAN_TCP_CORK, (int)world_draw(world, 2));
        break;
    case 2:
        set(stack, fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, 1 + (int)world_draw(world, 600));
        break;
    case 3:
        set(stack, fd, LAN_SOL_SOCKET, LAN_SO_MAX_PACING_RATE, world_draw(world, 2) ? -1 : 10000);
        break;
    case 4:
        set(stack, fd, LAN_IPPROTO_TCP, LAN_TCP_MAXSEG, 64 + (int)world_draw(world, 200));
        break;
    default:
        choose_congestion(world, stack, fd);
    }
}

/* How a conversation is held. */
struct manner {
    bool busy;   /* both may speak at a time, and more than once */
    bool fickle; /* options change */
};

/* One side reads, and may say something. What the calls return is part of what is seen. */
static void take_turn(struct world *world, struct manner manner, struct lan_stack *stack, int fd)
{
    static const int flags[] = {0, 0, 0, 0, 0, 0, LAN_MSG_MORE, LAN_MSG_OOB};
    static uint8_t data[MOST];
    if (manner.fickle && world_draw(world, 40) == 0)
        change_an_option(world, stack, fd);
    if (world_draw(world, 2 * TURNS) == 0)
        note((uint64_t)lan_shutdown(stack, fd, (int)world_draw(world, 3)));
    note((uint64_t)lan_recv(stack, fd, data, 1 + world_draw(world, MOST), 0));
    for (uint32_t i = manner.busy ? world_draw(world, 3) : world_draw(world, 3) == 0; i; i--)
        note((uint64_t)lan_send(stack, fd, data, 1 + world_draw(world, 1 + world_draw(world, MOST - 1)),
                                manner.fickle ? flags[world_draw(world, sizeof flags / sizeof *flags)] : 0));
    note((uint64_t)lan_ready(stack, fd, LAN_POLLIN | LAN_POLLOUT));
}

static struct world_config drawn(uint64_t seed)
{
    struct world dice = {.random = seed};
    struct world_config config = WORLD_DEFAULT;
    bool bad = world_draw(&dice, 2);
    config.seed = seed;
    config.stack.pool.buffers = 32 + world_draw(&dice, 200);
    config.stack.tcp_ecn = world_draw(&dice, 3);
    config.stack.tcp_quick_acks = world_draw(&dice, 2) * 16;
    config.stack.send_buffer_bytes = 1 + world_draw(&dice, 1 + world_draw(&dice, 20000));
    config.stack.receive_buffer_bytes = 1 + world_draw(&dice, 1 + world_draw(&dice, 20000));
    config.wire.delay_ns = 10000u << world_draw(&dice, 12);
    config.wire.drop = bad * world_draw(&dice, 6) * 0.01;
    config.wire.duplicate = bad * 0.02;
    config.wire.reorder = bad * 0.05;
    config.wire.reorder_ns = 1000000 + world_draw(&dice, 20000000);
    config.wire.mark = bad * 0.05;
    return config;
}

/* `wire`: other luck on the wire for the same talk. */
static void converse(uint64_t seed, uint64_t wire)
{
    struct world_config config = drawn(seed);
    config.seed += wire;
    struct world *world = world_create(&config);
    struct lan_stack *client = world->hosts[0].stack, *server = world->hosts[1].stack;
    struct world dice = {.random = seed + 1}; /* of its own, so that a frame more is a difference and no other talk */
    struct manner manner = {.busy = world_draw(&dice, 2), .fickle = world_draw(&dice, 2)};
    int listener = world_listen(world, PORT, 4), near = world_connect(world, PORT), far = -1;
    world->sniff = note_frame;
    choose_congestion(&dice, client, near);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        uint64_t end = world->now_ns + (1000u << world_draw(&dice, 22));
        while (world_step(world, end)) {
        }
        if (far < 0)
            far = lan_accept(server, listener, NULL, LAN_SOCK_NONBLOCK);
        take_turn(&dice, manner, client, near);
        if (far >= 0)
            take_turn(&dice, manner, server, far);
    }
    world->sniff = NULL;
    lan_close(client, near);
    lan_close(server, far);
    lan_close(server, listener);
    world_destroy(world);
}

static void compare(uint64_t seed, uint64_t wire)
{
    seen.hash = seen.frames = 0;
    short_ways = false;
    converse(seed, wire);
    uint64_t hash = seen.hash;
    uint32_t frames = seen.frames;
    seen.hash = seen.frames = 0;
    short_ways = true;
    converse(seed, wire);
    if (seen.hash != hash)
        fail_msg("seed %llu, wire %llu: %u frames without the short ways, %u with them, or other ones",
                 (unsigned long long)seed, (unsigned long long)wire, frames, seen.frames);
}

static void the_short_ways_come_to_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + runs; seed++)
        compare(seed, 0);
    print_message("%u conversations; by the short ways: %llu segments sent, %llu received, %llu ACKs of all\n", runs,
                  (unsigned long long)taken_sending, (unsigned long long)taken_receiving,
                  (unsigned long long)taken_acks);
    assert_true(taken_sending > 10 * (uint64_t)runs);
    assert_true(taken_receiving > 10 * (uint64_t)runs);
    assert_true(taken_acks > 10 * (uint64_t)runs);
}

/* Header prediction did not measure by the ACK of what an undone recovery had sent again. */
static void so_they_do_where_they_once_did_not(void **state)
{
    (void)state;
    compare(53027, 176);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_short_ways_come_to_the_same),
                                       cmocka_unit_test(so_they_do_where_they_once_did_not)};
    first_seed = start_seed(0) * RUNS;
    if (argc == 3) {
        runs = (uint32_t)strtoul(argv[1], NULL, 10);
        first_seed = strtoull(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
