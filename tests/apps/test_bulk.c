/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk transfer: every octet is compared, and the time is the port's. */
#include "lanyard/bulk.h"
#include "world.h"

#include <errno.h>
#include <string.h>

enum { STREAMS = 3, PORT = 5001 };

static struct lan_bulk streams[STREAMS], client;
static struct lan_bulk_server server;
static uint32_t done_calls;

static void count_done(struct lan_bulk *bulk, const struct lan_bulk_result *result)
{
    (void)bulk, (void)result;
    done_calls++;
}

static bool all_done(void *arg)
{
    return done_calls >= *(uint32_t *)arg;
}

static void listen_as(struct world *world, enum lan_bulk_role role, uint64_t seed, uint64_t bytes)
{
    struct lan_bulk_config config = {.role = role, .seed = seed, .bytes = bytes};
    done_calls = 0;
    for (int i = 0; i < STREAMS; i++)
        streams[i].done = count_done;
    client.done = count_done;
    assert_int_equal(lan_bulk_listen(&server, &world->loop, PORT, &config, streams, STREAMS), 0);
}

static void run_client(struct world *world, const struct lan_bulk_config *config, uint32_t calls)
{
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, PORT);
    assert_int_equal(lan_bulk_connect(&client, &world->loop, &to, config), 0);
    world_until(world, all_done, &calls);
}

static void a_client_sends_and_the_server_verifies(void **state)
{
    struct lan_bulk_config config = {.role = LAN_BULK_SEND, .seed = 42, .bytes = 1234567};
    listen_as(*state, LAN_BULK_RECEIVE, 42, 0);
    run_client(*state, &config, 2);
    assert_int_equal(client.result.error, 0);
    assert_int_equal(client.result.bytes, 1234567);
    assert_int_equal(streams[0].result.bytes, 1234567);
    assert_true(streams[0].result.wrong_at == LAN_BULK_ALL_RIGHT);
    lan_bulk_server_close(&server);
}

static void a_server_sends_and_the_client_verifies(void **state)
{
    struct lan_bulk_config config = {.role = LAN_BULK_RECEIVE, .seed = 42};
    listen_as(*state, LAN_BULK_SEND, 42, 300001);
    run_client(*state, &config, 2);
    assert_int_equal(client.result.bytes, 300001);
    assert_true(client.result.wrong_at == LAN_BULK_ALL_RIGHT);
    lan_bulk_server_close(&server);
}

static void the_first_wrong_octet_is_found(void **state)
{
    struct world *world = *state;
    uint8_t data[10000];
    uint32_t calls = 1;
    listen_as(world, LAN_BULK_RECEIVE, 7, 0);
    lan_bulk_pattern(7, 0, data, sizeof data);
    data[8191] ^= 1;
    struct client *peer = client_connect(world, PORT);
    client_send_bytes(peer, data, sizeof data);
    client_close(peer);
    world_until(world, all_done, &calls);
    assert_int_equal(streams[0].result.wrong_at, 8191);
    assert_int_equal(streams[0].result.bytes, sizeof data);
    lan_bulk_server_close(&server);
}

static void a_transfer_by_time_ends_in_time(void **state)
{
    struct lan_bulk_config config = {.role = LAN_BULK_SEND, .seed = 1, .duration_ns = 50000000};
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, PORT);
    struct world *world = *state;
    uint32_t calls = 2;
    listen_as(world, LAN_BULK_RECEIVE, 1, 0);
    assert_int_equal(lan_bulk_connect(&client, &world->loop, &to, &config), 0);
    /* Nothing takes time on this loopback: a slow reader's place is taken by the clock itself. */
    while (done_calls < calls) {
        lan_loop_turn(&world->loop);
        world->port.block(world, NULL, world->now_ns);
        world->now_ns += 100000;
    }
    assert_true(client.result.end_ns - client.result.start_ns >= config.duration_ns);
    assert_true(client.result.end_ns - client.result.start_ns < config.duration_ns + 10000000);
    assert_int_equal(client.result.bytes, streams[0].result.bytes);
    assert_true(client.result.bytes > 0);
    lan_bulk_server_close(&server);
}

static void refused_connections_are_reported(void **state)
{
    struct lan_bulk_config config = {.role = LAN_BULK_SEND, .bytes = 1};
    client.done = count_done;
    done_calls = 0;
    run_client(*state, &config, 1);
    assert_int_equal(client.result.error, -ECONNREFUSED);
}

static void a_reset_is_reported_and_the_place_is_free_again(void **state)
{
    struct world *world = *state;
    listen_as(world, LAN_BULK_RECEIVE, 7, 0);
    for (uint32_t i = 1; i <= STREAMS * 3; i++) {
        struct client *peer = client_connect(world, PORT);
        client_send(peer, "x");
        world_pass_ms(world, 10);
        client_abort(peer);
        world_until(world, all_done, &i);
        assert_int_equal(streams[0].result.error, -ECONNRESET);
    }
    lan_bulk_server_close(&server);
}

static void the_pattern_is_the_same_from_any_offset(void **state)
{
    (void)state;
    uint8_t whole[200], part[200];
    lan_bulk_pattern(5, 0, whole, sizeof whole);
    for (size_t offset = 0; offset < 20; offset++) {
        for (size_t bytes = 0; bytes < 40; bytes++) {
            lan_bulk_pattern(5, offset, part, bytes);
            assert_memory_equal(part, whole + offset, bytes);
        }
    }
    lan_bulk_pattern(6, 0, part, sizeof part);
    assert_memory_not_equal(part, whole, 8);
}

static void goodput_is_bits_over_time(void **state)
{
    (void)state;
    struct lan_bulk_result result = {.bytes = 1250000, .start_ns = 1000000000, .end_ns = 1100000000};
    assert_int_equal(lan_bulk_goodput(&result), 100000000);
    result.end_ns = result.start_ns;
    assert_int_equal(lan_bulk_goodput(&result), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_client_sends_and_the_server_verifies),
        WORLD_TEST(a_server_sends_and_the_client_verifies),
        WORLD_TEST(the_first_wrong_octet_is_found),
        WORLD_TEST(a_transfer_by_time_ends_in_time),
        WORLD_TEST(refused_connections_are_reported),
        WORLD_TEST(a_reset_is_reported_and_the_place_is_free_again),
        WORLD_TEST(the_pattern_is_the_same_from_any_offset),
        WORLD_TEST(goodput_is_bits_over_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
