/* SPDX-License-Identifier: Apache-2.0 */
/* Two stacks over a bad wire: every byte arrives once, in order, in bounded time, and every buffer comes back. */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, PORT = 5001, SEEDS = 4 };
#define LIMIT_NS UINT64_C(600000000000)

/* One end of a connection: sends `left_to_send` bytes, then FIN; reads until end of stream, then closes. */
struct end {
    struct lan_stack *stack;
    int fd; /* -1: not there, or done */
    uint32_t seed;
    uint32_t sent, received, total;
    bool shut;
    uint64_t done_ns;
};

static uint8_t stream_byte(uint32_t seed, uint32_t n)
{
    return (uint8_t)((n + seed) * 2654435761u >> 24);
}

static void pump_out(struct end *end)
{
    static uint8_t chunk[8192];
    while (end->sent < end->total) {
        uint32_t n = end->total - end->sent < sizeof chunk ? end->total - end->sent : sizeof chunk;
        for (uint32_t i = 0; i < n; i++)
            chunk[i] = stream_byte(end->seed, end->sent + i);
        long taken = lan_send(end->stack, end->fd, chunk, n, 0);
        if (taken == -EAGAIN)
            return;
        assert_true(taken > 0);
        end->sent += (uint32_t)taken;
    }
    if (!end->shut)
        assert_int_equal(lan_shutdown(end->stack, end->fd, LAN_SHUT_WR), 0);
    end->shut = true;
}

static void pump_in(struct end *end, uint64_t now_ns)
{
    static uint8_t chunk[8192];
    for (;;) {
        long n = lan_recv(end->stack, end->fd, chunk, sizeof chunk, 0);
        if (n == -EAGAIN)
            return;
        assert_true(n >= 0);
        if (n == 0)
            break;
        for (long i = 0; i < n; i++)
            assert_int_equal(chunk[i], stream_byte(!end->seed, end->received + (uint32_t)i));
        end->received += (uint32_t)n;
    }
    assert_int_equal(end->received, end->total);
    if (!end->shut)
        return;
    assert_int_equal(lan_close(end->stack, end->fd), 0);
    end->fd = -1;
    end->done_ns = now_ns;
}

static void pump(struct end *end, uint64_t now_ns)
{
    if (end->fd < 0 || !(lan_ready(end->stack, end->fd, LAN_POLLOUT | LAN_POLLIN)))
        return;
    pump_out(end);
    pump_in(end, now_ns);
}

static void set_buffers(struct end *end, int bytes)
{
    lan_setsockopt(end->stack, end->fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, &bytes, sizeof bytes);
    lan_setsockopt(end->stack, end->fd, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &bytes, sizeof bytes);
}

/* `bytes` each way at the same time; returns the time it took in nanoseconds. */
static uint64_t transfer(struct world *world, uint32_t bytes, int buffers)
{
    struct end ends[2] = {{.stack = world->hosts[0].stack, .seed = 0, .total = bytes},
                          {.stack = world->hosts[1].stack, .seed = 1, .total = bytes, .fd = -1}};
    int listener = world_listen(world, PORT, 4);
    uint64_t start_ns = world->now_ns;
    struct end listening = {.stack = ends[1].stack, .fd = listener};
    if (buffers)
        set_buffers(&listening, buffers);
    ends[0].fd = world_connect(world, PORT);
    if (buffers)
        set_buffers(&ends[0], buffers);
    while (ends[0].fd >= 0 || ends[1].fd >= 0 || !ends[1].done_ns) {
        assert_true(world_step(world, start_ns + LIMIT_NS));
        if (ends[1].fd < 0 && !ends[1].done_ns)
            ends[1].fd = lan_accept(ends[1].stack, listener, NULL, LAN_SOCK_NONBLOCK);
        pump(&ends[0], world->now_ns);
        pump(&ends[1], world->now_ns);
    }
    lan_close(ends[1].stack, listener);
    return (ends[0].done_ns > ends[1].done_ns ? ends[0].done_ns : ends[1].done_ns) - start_ns;
}

static void report(const struct world *world, uint32_t bytes, uint64_t took_ns)
{
    print_message("    seed %u: %.2f s, %.2f Mb/s each way, %u retransmissions, %u time-outs\n",
                  (unsigned)world->config.seed, (double)took_ns / 1e9, (double)bytes * 8e3 / (double)took_ns,
                  (unsigned)world_counter(world, "TcpRetransSegs"),
                  (unsigned)world_counter(world, "TcpExtTCPTimeouts"));
}

static void transfers(struct world_config config, uint32_t bytes, int buffers, double most_s)
{
    for (config.seed = 1; config.seed <= SEEDS; config.seed++) {
        struct world *world = world_create(&config);
        uint64_t took_ns = transfer(world, bytes, buffers);
        report(world, bytes, took_ns);
        assert_true((double)took_ns / 1e9 < most_s);
        world_destroy(world);
    }
}

static void a_mebibyte_crosses_a_clean_wire_both_ways(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    transfers(config, MIB, 0, 0.2);
}

static void a_mebibyte_crosses_with_1_percent_loss(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.drop = 0.01;
    transfers(config, MIB, 0, 10);
}

static void a_mebibyte_crosses_with_10_percent_loss(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.drop = 0.1;
    transfers(config, MIB, 0, 120);
}

static void reordered_frames_arrive_in_order(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.reorder = 0.1;
    config.wire.reorder_ns = 1500000;
    transfers(config, MIB, 0, 10);
}

static void duplicated_frames_arrive_once(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.duplicate = 0.2;
    transfers(config, MIB, 0, 5);
}

static void corrupted_frames_never_reach_the_application(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.corrupt = 0.02;
    transfers(config, MIB, 0, 30);
}

static void everything_at_once(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire = (struct impairment){.rate_bps = 10000000,
                                      .delay_ns = 5000000,
                                      .queue_bytes = 30000,
                                      .drop = 0.03,
                                      .duplicate = 0.03,
                                      .corrupt = 0.01,
                                      .reorder = 0.05,
                                      .reorder_ns = 20000000};
    transfers(config, MIB / 4, 0, 120);
}

static void tiny_windows_still_move(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    static const int sizes[] = {256, 536, 1000, 1460, 1461, 2920, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct world *world = world_create(&config);
        report(world, MIB / 32, transfer(world, MIB / 32, sizes[i]));
        world_destroy(world);
    }
}

static void tiny_windows_move_over_a_lossy_wire(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.drop = 0.02;
    transfers(config, MIB / 64, 700, 600);
}

static void a_window_of_a_mebibyte_fills_a_long_path(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.delay_ns = 20000000;
    config.stack.pool.buffers = 4096;
    config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = MIB;
    transfers(config, 8 * MIB, 0, 1.6);
}

static void small_mtus_work(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.mtu = 576;
    transfers(config, MIB / 2, 0, 2);
}

static void a_pool_that_is_far_too_small_slows_down_but_does_not_stop(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.stack.pool = (struct lan_pool_config){.buffers = 48, .buffer_bytes = 2048, .views = 24};
    transfers(config, MIB / 4, 0, 300);
}

/* Each end could fill its pool with what the other one has no memory to receive. */
static void two_ends_that_both_send_more_than_they_have_memory_for_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    for (uint32_t buffers = 32; buffers <= 128; buffers *= 2) {
        config.stack.pool.buffers = buffers;
        transfers(config, MIB / 4, MIB, 0.1);
    }
}

static void a_pool_of_small_buffers_works(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.stack.pool = (struct lan_pool_config){.buffers = 2048, .buffer_bytes = 1600, .views = 8192};
    config.wire.drop = 0.01;
    transfers(config, MIB / 2, 0, 10);
}

static void the_smallest_buffers_carry_what_is_lost_too(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.stack.pool = (struct lan_pool_config){.buffers = 2048, .buffer_bytes = 768, .views = 8192};
    config.mtu = 576;
    config.wire.drop = 0.05;
    transfers(config, MIB / 8, 0, 30);
}

/* One way, so that nothing but the payload's own ACKs shares the wire. */
static void a_clean_100_mbit_wire_carries_99_percent_of_what_1448_byte_segments_allow(void **state)
{
    (void)state;
    enum { TOTAL = 16 * MIB };
    struct world *world = world_create(&WORLD_DEFAULT);
    struct end sender = {.stack = world->hosts[0].stack, .total = TOTAL}, receiver = {.stack = world->hosts[1].stack};
    static uint8_t chunk[65536];
    int listener = world_listen(world, PORT, 1);
    sender.fd = world_connect(world, PORT);
    receiver.fd = -1;
    uint64_t start_ns = world->now_ns;
    while (receiver.received < TOTAL) {
        assert_true(world_step(world, start_ns + LIMIT_NS));
        if (receiver.fd < 0)
            receiver.fd = lan_accept(receiver.stack, listener, NULL, LAN_SOCK_NONBLOCK);
        if (lan_ready(sender.stack, sender.fd, LAN_POLLOUT))
            pump_out(&sender);
        for (long n; receiver.fd >= 0 && (n = lan_recv(receiver.stack, receiver.fd, chunk, sizeof chunk, 0)) > 0;)
            receiver.received += (uint32_t)n;
    }
    double mbps = TOTAL * 8e3 / (double)(world->now_ns - start_ns);
    print_message("    %.3f Mb/s of 94.15\n", mbps);
    assert_true(mbps >= 0.99 * 94.15);
    assert_int_equal(world_counter(world, "TcpRetransSegs"), 0);
    lan_close(sender.stack, sender.fd);
    lan_close(receiver.stack, receiver.fd);
    lan_close(receiver.stack, listener);
    world_destroy(world);
}

static void thousands_of_short_connections_leave_nothing_behind(void **state)
{
    (void)state;
    enum { CONNECTIONS = 5000, AT_ONCE = 20 };
    struct world *world = world_create(&WORLD_DEFAULT);
    struct lan_stack *client = world->hosts[0].stack, *server = world->hosts[1].stack;
    int listener = world_listen(world, PORT, 64), served[AT_ONCE];
    for (int done = 0; done < CONNECTIONS; done += AT_ONCE) {
        int fds[AT_ONCE];
        char byte;
        for (int i = 0; i < AT_ONCE; i++)
            fds[i] = world_connect(world, PORT);
        uint64_t end = world->now_ns + 5000000;
        while (world_step(world, end)) {
        }
        for (int i = 0; i < AT_ONCE; i++) {
            served[i] = lan_accept(server, listener, NULL, LAN_SOCK_NONBLOCK);
            assert_true(served[i] >= 0);
            assert_int_equal(lan_send(client, fds[i], "x", 1, 0), 1);
        }
        end += 5000000;
        while (world_step(world, end)) {
        }
        for (int i = 0; i < AT_ONCE; i++) {
            assert_int_equal(lan_recv(server, served[i], &byte, 1, 0), 1);
            lan_close(server, served[i]);
            lan_close(client, fds[i]);
        }
        end += 5000000;
        while (world_step(world, end)) {
        }
    }
    lan_close(server, listener);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mebibyte_crosses_a_clean_wire_both_ways),
        cmocka_unit_test(a_mebibyte_crosses_with_1_percent_loss),
        cmocka_unit_test(a_mebibyte_crosses_with_10_percent_loss),
        cmocka_unit_test(reordered_frames_arrive_in_order),
        cmocka_unit_test(duplicated_frames_arrive_once),
        cmocka_unit_test(corrupted_frames_never_reach_the_application),
        cmocka_unit_test(everything_at_once),
        cmocka_unit_test(tiny_windows_still_move),
        cmocka_unit_test(tiny_windows_move_over_a_lossy_wire),
        cmocka_unit_test(a_window_of_a_mebibyte_fills_a_long_path),
        cmocka_unit_test(small_mtus_work),
        cmocka_unit_test(a_pool_that_is_far_too_small_slows_down_but_does_not_stop),
        cmocka_unit_test(two_ends_that_both_send_more_than_they_have_memory_for_do_not_wait_for_each_other),
        cmocka_unit_test(a_pool_of_small_buffers_works),
        cmocka_unit_test(the_smallest_buffers_carry_what_is_lost_too),
        cmocka_unit_test(a_clean_100_mbit_wire_carries_99_percent_of_what_1448_byte_segments_allow),
        cmocka_unit_test(thousands_of_short_connections_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
