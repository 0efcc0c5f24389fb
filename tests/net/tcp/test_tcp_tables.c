/* SPDX-License-Identifier: Apache-2.0 */
/* A connection with more gaps than one buffer has room for borrows a table of the stack's: 100 Mb/s, 100 ms, where for
 * two round trips a fifth of what is sent is lost. */
#include "flows.h"
#include "sound.h"
#include "tcp_internal.h"

#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

enum { PERIOD = 65521 /* of the stream's bytes */, TABLES = 2 };

static uint8_t stream[2 * PERIOD];

struct transfers {
    struct flows flows;
    uint64_t sent[FLOWS_MAX], steps;
    uint32_t fewest[2]; /* tables that a host had left */
    bool returned[2];   /* and later all of them */
};

static struct transfers begin(uint32_t tables, const char *congestion, int count)
{
    struct world_config config = flows_config(50 * MS);
    config.stack.pool = (struct lan_pool_config){.buffers = 16384, .buffer_bytes = 2048, .views = 16384};
    config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = 2560 * 1024;
    config.stack.tcp_tables = tables;
    for (uint32_t i = 0; i < sizeof stream; i++)
        stream[i] = (uint8_t)(i % PERIOD * 2654435761u >> 13);
    struct transfers all = {.flows.world = world_create(&config), .fewest = {tables, tables}};
    for (int i = 0; i < count; i++) {
        flows_add(&all.flows, congestion);
        all.flows.flows[i].pauses = true; /* what goes over it comes from here */
    }
    return all;
}

static uint32_t free_tables(const struct transfers *all, int host)
{
    return lan_pool_free_buffers(all->flows.world->hosts[host].stack->tcp.tables);
}

/* Sends as much of the stream as there is room for; what arrives is that, whole and in order. */
static void move(struct transfers *all, int i)
{
    static uint8_t in[PERIOD];
    struct flow *flow = &all->flows.flows[i];
    struct host *hosts = all->flows.world->hosts;
    for (long n; (n = lan_send(hosts[0].stack, flow->from, stream + all->sent[i] % PERIOD, PERIOD, 0)) > 0;)
        all->sent[i] += (uint64_t)n;
    for (long n; (n = lan_recv(hosts[1].stack, flow->to, in, PERIOD, 0)) > 0; flow->received += (uint64_t)n)
        assert_memory_equal(in, stream + flow->received % PERIOD, (size_t)n);
}

static void run(struct transfers *all, uint64_t ns)
{
    for (uint64_t end_ns = all->flows.world->now_ns + ns; world_step(all->flows.world, end_ns); all->steps++) {
        for (int i = 0; i < all->flows.count; i++)
            move(all, i);
        for (int host = 0; host < 2; host++) {
            if (all->steps % 16 == 0)
                assert_sound(all->flows.world->hosts[host].stack);
            uint32_t left = free_tables(all, host), most = all->flows.world->config.stack.tcp_tables;
            all->returned[host] = left >= all->fewest[host] && (left == most || all->returned[host]);
            all->fewest[host] = left < all->fewest[host] ? left : all->fewest[host];
        }
    }
}

/* Loses a fifth of the data for two round trips. */
static void lose_much(struct transfers *all)
{
    struct impairment *wire = &all->flows.world->config.wire;
    wire->forward = true;
    wire->drop = 0.2;
    run(all, 200 * MS);
    wire->drop = 0;
}

/* All that was lost arrives in the end, and all tables come back while more is sent. */
static void expect_whole(struct transfers *all)
{
    uint64_t before[FLOWS_MAX];
    for (int i = 0; i < all->flows.count; i++)
        before[i] = all->sent[i];
    run(all, 15 * S);
    for (int i = 0; i < all->flows.count; i++)
        assert_true(all->flows.flows[i].received > before[i]);
    assert_true(all->returned[0] && all->returned[1]);
}

static uint64_t forgotten(const struct transfers *all)
{
    return world_counter(all->flows.world, "TcpExtTCPSACKDiscard");
}

static uint64_t thrown_away(const struct transfers *all)
{
    return world_counter(all->flows.world, "TcpExtOfoPruned");
}

static void many_gaps_are_told_apart_on_borrowed_tables(void **state)
{
    static const char *const names[] = {"newreno", "cubic"}; /* BBR makes yet more when it begins */
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct transfers all = begin(TABLES, names[i], 1);
        run(&all, 3 * S);
        lose_much(&all);
        expect_whole(&all);
        assert_int_equal(all.fewest[0], TABLES - 1);
        assert_int_equal(all.fewest[1], TABLES - 1);
        assert_int_equal(forgotten(&all), 0);
        assert_int_equal(thrown_away(&all), 0);
        flows_destroy(&all.flows);
    }
}

static void without_a_table_much_is_sent_again_and_all_arrives(void **state)
{
    struct transfers all = begin(0, "cubic", 1);
    (void)state;
    run(&all, 3 * S);
    lose_much(&all);
    expect_whole(&all);
    assert_true(forgotten(&all) > 0);
    assert_true(thrown_away(&all) > 0);
    flows_destroy(&all.flows);
}

/* Receivers leave half of the tables to senders; of these some find none. */
static void who_comes_late_does_without(void **state)
{
    struct transfers all = begin(TABLES, "bbr", FLOWS_MAX);
    (void)state;
    run(&all, 3 * S);
    lose_much(&all);
    expect_whole(&all);
    assert_int_equal(all.fewest[0], 0);
    assert_int_equal(all.fewest[1], TABLES - 1);
    flows_destroy(&all.flows);
}

static void a_reset_gives_it_back(void **state)
{
    struct transfers all = begin(TABLES, "bbr", 1);
    struct lan_stack *from = all.flows.world->hosts[0].stack;
    const struct lan_linger none = {.l_onoff = 1};
    (void)state;
    run(&all, 3 * S);
    lose_much(&all);
    assert_int_equal(free_tables(&all, 0), TABLES - 1);
    assert_int_equal(free_tables(&all, 1), TABLES - 1);
    lan_setsockopt(from, all.flows.flows[0].from, LAN_SOL_SOCKET, LAN_SO_LINGER, &none, sizeof none);
    lan_close(from, all.flows.flows[0].from);
    run(&all, S);
    assert_int_equal(free_tables(&all, 0), TABLES);
    assert_int_equal(free_tables(&all, 1), TABLES);
    flows_destroy(&all.flows);
}

/* Larger buffers than tables make them useless. */
static void a_table_is_never_smaller_than_a_buffer(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    (void)state;
    config.pool.buffer_bytes = LAN_TCP_TABLE_BYTES;
    size_t with = lan_stack_size(&config);
    config.tcp_tables = 0;
    assert_int_equal(lan_stack_size(&config), with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_gaps_are_told_apart_on_borrowed_tables),
        cmocka_unit_test(without_a_table_much_is_sent_again_and_all_arrives),
        cmocka_unit_test(who_comes_late_does_without),
        cmocka_unit_test(a_reset_gives_it_back),
        cmocka_unit_test(a_table_is_never_smaller_than_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
