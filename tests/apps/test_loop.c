/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: order, fairness, cost. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 5000 };

struct probe {
    struct lan_source source;
    struct world *world;
    uint32_t calls;
    int ready;
    uint64_t called_ns;
    void (*act)(struct probe *probe);
    struct probe *other;
};

static void note(struct lan_source *source, int ready)
{
    struct probe *probe = (struct probe *)source;
    probe->calls++;
    probe->ready = ready;
    probe->called_ns = probe->world->now_ns;
    if (probe->act)
        probe->act(probe);
}

static void add_timer(struct world *world, struct probe *probe, uint64_t delay_ns)
{
    probe->world = world;
    lan_loop_add(&world->loop, &probe->source, -1, 0, note);
    if (delay_ns)
        lan_source_deadline(&probe->source, world->now_ns + delay_ns);
}

static void deadlines_come_in_order_and_once(void **state)
{
    struct world *world = *state;
    struct probe *probes = calloc(MANY, sizeof *probes);
    uint64_t start_ns = world->now_ns, random = 1;
    for (int i = 0; i < MANY; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        add_timer(world, &probes[i], 1 + (random >> 33) % 1000000);
    }
    for (int i = 0; i < MANY; i += 3) /* some are taken away, some moved */
        lan_source_deadline(&probes[i].source, LAN_NEVER);
    for (int i = 1; i < MANY; i += 3)
        lan_source_deadline(&probes[i].source, start_ns + 2000000 + (uint64_t)i);
    for (int i = 2; i < MANY; i += 6)
        lan_loop_remove(&probes[i].source);

    uint64_t *wanted = calloc(MANY, sizeof *wanted);
    for (int i = 0; i < MANY; i++)
        wanted[i] = probes[i].source.loop ? probes[i].source.deadline_ns : LAN_NEVER;
    world_pass_ms(world, 10);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(probes[i].calls, wanted[i] != LAN_NEVER);
        if (probes[i].calls)
            assert_int_equal(probes[i].called_ns, wanted[i]);
        lan_loop_remove(&probes[i].source);
    }
    free(wanted);
    free(probes);
}

static void set_again(struct probe *probe)
{
    lan_source_deadline(&probe->source, probe->world->now_ns + 1000000);
}

static void a_deadline_may_be_set_again_by_its_handler(void **state)
{
    struct probe probe = {.act = set_again};
    add_timer(*state, &probe, 1000000);
    world_pass_ms(*state, 10);
    assert_int_equal(probe.calls, 10);
    lan_loop_remove(&probe.source);
}

static void remove_both(struct probe *probe)
{
    lan_loop_remove(&probe->other->source);
    lan_loop_remove(&probe->source);
}

static void a_handler_may_remove_itself_and_others(void **state)
{
    struct world *world = *state;
    struct probe a = {.act = remove_both}, b = {.act = remove_both, .other = &a};
    a.other = &b;
    add_timer(world, &a, 1000);
    add_timer(world, &b, 1000);
    world_pass_ms(world, 1);
    assert_int_equal(a.calls + b.calls, 1);
    assert_null(world->loop.timers);
}

/* A UDP socket that is readable, watched by `probe`. */
static void add_readable(struct world *world, struct probe *probe)
{
    struct lan_sockaddr_in any = lan_sockaddr(0x7f000001, 0);
    int fd = lan_socket(world->stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);
    assert_int_equal(lan_bind(world->stack, fd, &any), 0);
    assert_int_equal(lan_getsockname(world->stack, fd, &any), 0);
    assert_int_equal(lan_sendto(world->stack, fd, "x", 1, 0, &any), 1);
    probe->world = world;
    lan_loop_add(&world->loop, &probe->source, fd, LAN_POLLIN, note);
}

static void remove_socket(struct probe *probe)
{
    if (!probe->source.loop)
        return;
    lan_loop_remove(&probe->source);
    lan_close(probe->world->stack, probe->source.fd);
}

static void a_source_is_called_while_it_is_ready(void **state)
{
    struct world *world = *state;
    struct probe probe = {0};
    char byte;
    add_readable(world, &probe);
    lan_loop_turn(&world->loop); /* the datagram is still on its way */
    assert_int_equal(probe.calls, 0);
    world->port.block(world, NULL, 0);
    for (uint32_t i = 1; i <= 5; i++) {
        assert_int_equal(lan_loop_turn(&world->loop), 0);
        assert_int_equal(probe.calls, i);
        assert_int_equal(probe.ready, LAN_POLLIN);
    }
    assert_int_equal(lan_recv(world->stack, probe.source.fd, &byte, 1, 0), 1);
    lan_loop_turn(&world->loop);
    assert_int_equal(probe.calls, 5);
    assert_true(lan_loop_turn(&world->loop) == LAN_NEVER);
    remove_socket(&probe);
}

static void sources_that_stay_ready_take_turns(void **state)
{
    struct world *world = *state;
    struct probe probes[3] = {{.calls = 0}};
    for (int i = 0; i < 3; i++)
        add_readable(world, &probes[i]);
    while (world->packets_wait)
        world->port.block(world, NULL, 0);
    for (uint32_t turn = 1; turn <= 4; turn++) {
        lan_loop_turn(&world->loop);
        for (int i = 0; i < 3; i++)
            assert_int_equal(probes[i].calls, turn);
    }
    for (int i = 0; i < 3; i++)
        remove_socket(&probes[i]);
}

static void remove_other(struct probe *probe)
{
    remove_socket(probe->other);
}

static void a_ready_source_that_another_removes_is_not_called(void **state)
{
    struct world *world = *state;
    struct probe a = {.act = remove_other}, b = {.act = remove_other, .other = &a};
    a.other = &b;
    add_readable(world, &a);
    add_readable(world, &b);
    while (world->packets_wait)
        world->port.block(world, NULL, 0);
    lan_loop_turn(&world->loop);
    assert_int_equal(a.calls + b.calls, 1);
    remove_socket(&a);
    remove_socket(&b);
}

static void events_decide_what_counts_as_ready(void **state)
{
    struct world *world = *state;
    struct probe probe = {0};
    add_readable(world, &probe);
    lan_source_events(&probe.source, 0);
    while (world->packets_wait)
        world->port.block(world, NULL, 0);
    lan_loop_turn(&world->loop);
    assert_int_equal(probe.calls, 0);
    lan_source_events(&probe.source, LAN_POLLIN);
    lan_loop_turn(&world->loop);
    assert_int_equal(probe.calls, 1);
    remove_socket(&probe);
}

static void yield_twice(struct probe *probe)
{
    if (probe->calls <= 2)
        lan_source_yield(&probe->source);
}

static void a_source_that_yields_is_called_though_not_ready(void **state)
{
    struct world *world = *state;
    struct probe probe = {.act = yield_twice};
    char byte;
    add_readable(world, &probe);
    world->port.block(world, NULL, 0);
    assert_int_equal(lan_loop_turn(&world->loop), 0);
    assert_int_equal(lan_recv(world->stack, probe.source.fd, &byte, 1, 0), 1);
    assert_int_equal(lan_loop_turn(&world->loop), 0);
    assert_true(lan_loop_turn(&world->loop) == LAN_NEVER);
    assert_int_equal(probe.calls, 3);
    assert_int_equal(probe.ready, LAN_POLLIN);
    remove_socket(&probe);
}

static void stop_loop(struct probe *probe)
{
    lan_loop_stop(&probe->world->loop);
}

static void run_returns_when_it_is_stopped(void **state)
{
    struct world *world = *state;
    struct probe probe = {.act = stop_loop}, later = {0};
    add_timer(world, &probe, 5000000);
    add_timer(world, &later, 5000000);
    lan_loop_run(&world->loop);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(later.calls, 0);
    lan_loop_stop(&world->loop); /* beforehand */
    lan_loop_run(&world->loop);
    assert_int_equal(later.calls, 0);
    lan_loop_remove(&probe.source);
    lan_loop_remove(&later.source);
}

static void a_turn_looks_at_what_is_ready_and_not_at_the_rest(void **state)
{
    struct world *world = *state;
    enum { IDLE = 50 };
    struct probe idle[IDLE], busy = {0};
    memset(idle, 0, sizeof idle);
    for (int i = 0; i < IDLE; i++) {
        add_readable(world, &idle[i]);
        lan_source_events(&idle[i].source, 0);
    }
    add_readable(world, &busy);
    while (world->packets_wait)
        world->port.block(world, NULL, 0);
    lan_loop_turn(&world->loop);
    assert_ptr_equal(world->loop.ready_head, &busy.source);
    assert_ptr_equal(world->loop.ready_tail, &busy.source);
    for (int i = 0; i < IDLE; i++)
        remove_socket(&idle[i]);
    remove_socket(&busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(deadlines_come_in_order_and_once),
        WORLD_TEST(a_deadline_may_be_set_again_by_its_handler),
        WORLD_TEST(a_handler_may_remove_itself_and_others),
        WORLD_TEST(a_source_is_called_while_it_is_ready),
        WORLD_TEST(sources_that_stay_ready_take_turns),
        WORLD_TEST(a_ready_source_that_another_removes_is_not_called),
        WORLD_TEST(events_decide_what_counts_as_ready),
        WORLD_TEST(a_source_that_yields_is_called_though_not_ready),
        WORLD_TEST(run_returns_when_it_is_stopped),
        WORLD_TEST(a_turn_looks_at_what_is_ready_and_not_at_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
