/* SPDX-License-Identifier: Apache-2.0 */
/* iperf3's test between a client and a server of ours, and peers that make no sense. */
#include "iperf_internal.h"
#include "lanyard/iperf.h"
#include "world.h"

#include <errno.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static struct lan_iperf_server server;
static struct lan_iperf client;
static struct lan_iperf_result server_result, client_result;
static uint32_t done_calls;

static void server_done(struct lan_iperf *test, const struct lan_iperf_result *result)
{
    (void)test;
    server_result = *result;
    done_calls++;
}

static void client_done(struct lan_iperf *test, const struct lan_iperf_result *result)
{
    (void)test;
    client_result = *result;
    done_calls++;
}

static bool all_done(void *arg)
{
    return done_calls >= *(uint32_t *)arg;
}

static void serve(struct world *world)
{
    done_calls = 0;
    server.test.done = server_done;
    client.done = client_done;
    assert_int_equal(lan_iperf_listen(&server, &world->loop, LAN_IPERF_PORT), 0);
}

static void run_client(struct world *world, const struct lan_iperf_config *config, uint32_t calls)
{
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, LAN_IPERF_PORT);
    assert_int_equal(lan_iperf_connect(&client, &world->loop, &to, config), 0);
    world_until(world, all_done, &calls);
}

static void expect_results(const struct lan_iperf_result *sender, const struct lan_iperf_result *receiver)
{
    assert_int_equal(client_result.error, 0);
    assert_int_equal(server_result.error, 0);
    assert_true(sender->bytes > 0);
    assert_true(receiver->bytes <= sender->bytes);
    assert_true(receiver->peer_bytes == sender->bytes);
    assert_true(sender->peer_bytes == receiver->bytes);
}

static void the_client_sends_for_a_number_of_bytes(void **state)
{
    struct lan_iperf_config config = {.bytes = 1234567, .streams = 1};
    serve(*state);
    run_client(*state, &config, 2);
    expect_results(&client_result, &server_result);
    assert_int_equal(client_result.bytes, 1234567);
    lan_iperf_server_close(&server);
}

static void the_server_sends_in_reverse(void **state)
{
    struct lan_iperf_config config = {.bytes = 1234567, .streams = 1, .reverse = true};
    serve(*state);
    run_client(*state, &config, 2);
    expect_results(&server_result, &client_result);
    assert_true(server_result.reverse);
    assert_int_equal(client_result.bytes, 1234567);
    lan_iperf_server_close(&server);
}

static void several_streams_share_the_test(void **state)
{
    struct lan_iperf_config config = {.bytes = 3000000, .streams = LAN_IPERF_STREAMS};
    serve(*state);
    run_client(*state, &config, 2);
    expect_results(&client_result, &server_result);
    for (int i = 0; i < LAN_IPERF_STREAMS; i++)
        assert_true(server.test.streams[i].bytes > 0);
    lan_iperf_server_close(&server);
}

static void a_server_serves_one_test_after_another(void **state)
{
    struct lan_iperf_config config = {.bytes = 1000, .streams = 2};
    serve(*state);
    for (uint32_t i = 1; i <= 20; i++)
        run_client(*state, &config, 2 * i);
    assert_int_equal(client_result.error, 0);
    lan_iperf_server_close(&server);
}

/* What a peer has been sent begins with this. */
static void expect_octets(struct client *peer, const char *octets, size_t bytes)
{
    client_expect_bytes(peer, bytes);
    assert_memory_equal(peer->data, octets, bytes);
}

static struct client *cookie_sent(struct world *world)
{
    struct client *peer = client_connect(world, LAN_IPERF_PORT);
    client_send_bytes(peer, "abcdefghijklmnopqrstuvwxyz0123456789", LAN_IPERF_COOKIE);
    expect_octets(peer, "\x09", 1); /* PARAM_EXCHANGE */
    return peer;
}

static void send_json(struct client *peer, const char *json)
{
    client_send_bytes(peer, (const char[]){0, 0, 0, (char)strlen(json)}, 4);
    client_send(peer, json);
}

static void while_there_is_a_test_others_are_turned_away(void **state)
{
    struct lan_iperf_config config = {.bytes = 1000, .streams = 1};
    serve(*state);
    struct client *peer = cookie_sent(*state);
    run_client(*state, &config, 1);
    assert_int_equal(client_result.error, -EBUSY);
    client_close(peer);
    lan_iperf_server_close(&server);
}

static void a_stream_with_another_cookie_is_turned_away(void **state)
{
    serve(*state);
    struct client *peer = cookie_sent(*state);
    send_json(peer, "{\"tcp\":true,\"parallel\":1}");
    expect_octets(peer, "\x09\x0a", 2); /* CREATE_STREAMS */
    struct client *stranger = client_connect(*state, LAN_IPERF_PORT);
    client_send_bytes(stranger, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", LAN_IPERF_COOKIE);
    expect_octets(stranger, "\xff", 1);
    client_close(stranger);
    client_close(peer);
    lan_iperf_server_close(&server);
}

/* As iperf3 does in reverse: the news may overtake the message. */
static void a_stream_that_is_reset_before_the_end_is_told_does_no_harm(void **state)
{
    uint32_t calls = 1;
    serve(*state);
    struct client *peer = cookie_sent(*state);
    send_json(peer, "{\"tcp\":true,\"reverse\":true}");
    expect_octets(peer, "\x09\x0a", 2);
    struct client *stream = client_connect(*state, LAN_IPERF_PORT);
    client_send_bytes(stream, "abcdefghijklmnopqrstuvwxyz0123456789", LAN_IPERF_COOKIE);
    expect_octets(peer, "\x09\x0a\x01\x02", 4); /* TEST_START, TEST_RUNNING */
    client_expect_bytes(stream, 1);
    client_abort(stream);
    world_pass_ms(*state, 10);
    client_send_bytes(peer, "\x04", 1); /* TEST_END */
    expect_octets(peer, "\x09\x0a\x01\x02\x0d", 5);
    send_json(peer, "{\"streams\":[{\"bytes\":7}]}");
    client_send_bytes(peer, "\x10", 1); /* IPERF_DONE */
    world_until(*state, all_done, &calls);
    assert_int_equal(server_result.error, 0);
    assert_int_equal(server_result.peer_bytes, 7);
    client_close(peer);
    lan_iperf_server_close(&server);
}

/* iperf3 reads whole blocks: in the midst of one it would wait for ever. */
static void a_server_that_stops_ends_its_streams(void **state)
{
    serve(*state);
    struct client *peer = cookie_sent(*state);
    send_json(peer, "{\"tcp\":true,\"reverse\":true}");
    expect_octets(peer, "\x09\x0a", 2);
    struct client *stream = client_connect(*state, LAN_IPERF_PORT);
    client_send_bytes(stream, "abcdefghijklmnopqrstuvwxyz0123456789", LAN_IPERF_COOKIE);
    client_expect_bytes(stream, 1);
    client_send_bytes(peer, "\x04", 1); /* TEST_END */
    client_expect_end(stream);
    client_close(stream);
    client_close(peer);
    lan_iperf_server_close(&server);
}

static void expect_refusal(struct world *world, const char *json)
{
    serve(world);
    struct client *peer = cookie_sent(world);
    send_json(peer, json);
    expect_octets(peer, "\x09\xfe", 2); /* SERVER_ERROR */
    assert_int_equal(server_result.error, -EOPNOTSUPP);
    client_close(peer);
    lan_iperf_server_close(&server);
}

static void what_is_not_there_is_refused(void **state)
{
    expect_refusal(*state, "{\"udp\":true}");
    expect_refusal(*state, "{\"tcp\":true,\"parallel\":9}");
    expect_refusal(*state, "{\"tcp\":true,\"bidirectional\":1}");
    expect_refusal(*state, "{\"tcp\":true,\"parallel\":18446744073709551617}");
}

static void a_text_too_long_ends_the_test(void **state)
{
    static const char LENGTHS[][4] = {{0, 0, 0x10, 1}, {0x7f, -1, -1, -1}, {-1, -1, -1, -1}, {0, 0, 0, 0}};
    uint32_t calls = 1;
    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        serve(*state);
        struct client *peer = cookie_sent(*state);
        client_send_bytes(peer, LENGTHS[i], 4);
        world_until(*state, all_done, &calls);
        assert_int_equal(server_result.error, -EPROTO);
        client_close(peer);
        lan_iperf_server_close(&server);
    }
}

static void a_state_that_is_none_ends_the_test(void **state)
{
    uint32_t calls = 1;
    serve(*state);
    struct client *peer = cookie_sent(*state);
    send_json(peer, "{\"tcp\":true}");
    client_send_bytes(peer, "\x63", 1);
    world_until(*state, all_done, &calls);
    assert_int_equal(server_result.error, -EPROTO);
    client_close(peer);
    lan_iperf_server_close(&server);
}

static void a_client_that_says_nothing_does_not_hold_the_server(void **state)
{
    struct lan_iperf_config config = {.bytes = 1000, .streams = 1};
    serve(*state);
    struct client *peer = client_connect(*state, LAN_IPERF_PORT);
    world_pass_ms(*state, 31000);
    assert_int_equal(server_result.error, -ETIMEDOUT);
    run_client(*state, &config, 3);
    assert_int_equal(client_result.error, 0);
    client_close(peer);
    lan_iperf_server_close(&server);
}

static int open_socket(struct world *world)
{
    return lan_socket(world->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
}

static void a_server_that_wants_the_streams_twice_ends_the_test(void **state)
{
    struct world *world = *state;
    struct lan_iperf_config config = {.bytes = 1000, .streams = 3};
    struct lan_sockaddr_in any = lan_sockaddr(0, LAN_IPERF_PORT), to = lan_sockaddr(0x7f000001, LAN_IPERF_PORT);
    uint32_t calls = 1;
    int listener = open_socket(world);
    assert_int_equal(lan_bind(world->stack, listener, &any), 0);
    assert_int_equal(lan_listen(world->stack, listener, 16), 0);
    done_calls = 0;
    client.done = client_done;
    assert_int_equal(lan_iperf_connect(&client, &world->loop, &to, &config), 0);
    world_pass_ms(world, 10);
    int control = lan_accept(world->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_int_equal(lan_send(world->stack, control, "\x0a\x0a", 2, 0), 2); /* CREATE_STREAMS */
    world_until(world, all_done, &calls);
    assert_int_equal(client_result.error, -EPROTO);
    lan_close(world->stack, control);
    lan_close(world->stack, listener);
    int lowest = open_socket(world);
    assert_int_equal(lowest, 0); /* all others are closed */
    lan_close(world->stack, lowest);
}

static void nobody_there_is_reported(void **state)
{
    struct lan_iperf_config config = {.bytes = 1000, .streams = 1};
    done_calls = 0;
    client.done = client_done;
    run_client(*state, &config, 1);
    assert_int_equal(client_result.error, -ECONNREFUSED);
}

static void an_impossible_test_is_refused(void **state)
{
    struct world *world = *state;
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, LAN_IPERF_PORT);
    struct lan_iperf_config none = {.streams = 1}, many = {.bytes = 1, .streams = LAN_IPERF_STREAMS + 1},
                            empty = {.duration_ns = SECOND};
    assert_int_equal(lan_iperf_connect(&client, &world->loop, &to, &none), -EINVAL);
    assert_int_equal(lan_iperf_connect(&client, &world->loop, &to, &many), -EINVAL);
    assert_int_equal(lan_iperf_connect(&client, &world->loop, &to, &empty), -EINVAL);
}

static void members_of_json_are_found(void **state)
{
    const char *json = "{ \"a\" : 12, \"bc\":\"a\", \"d\":true,\"e\":{\"f\": 3.7}, \"g\":-1, \"h\":null";
    (void)state;
    assert_int_equal(lan_iperf_number(lan_iperf_find(json, "a")), 12);
    assert_int_equal(lan_iperf_number(lan_iperf_find(json, "d")), 1);
    assert_int_equal(lan_iperf_number(lan_iperf_find(json, "f")), 3);
    assert_int_equal(lan_iperf_number(lan_iperf_find(json, "g")), 0);
    assert_int_equal(lan_iperf_number(lan_iperf_find(json, "h")), 0);
    assert_null(lan_iperf_find(json, "b"));
    assert_null(lan_iperf_find("\"a", "a"));
    assert_null(lan_iperf_find("\"a\"", "a"));
    assert_true(lan_iperf_number("99999999999999999999999") == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(the_client_sends_for_a_number_of_bytes),
        WORLD_TEST(the_server_sends_in_reverse),
        WORLD_TEST(several_streams_share_the_test),
        WORLD_TEST(a_server_serves_one_test_after_another),
        WORLD_TEST(while_there_is_a_test_others_are_turned_away),
        WORLD_TEST(a_stream_with_another_cookie_is_turned_away),
        WORLD_TEST(a_stream_that_is_reset_before_the_end_is_told_does_no_harm),
        WORLD_TEST(a_server_that_stops_ends_its_streams),
        WORLD_TEST(what_is_not_there_is_refused),
        WORLD_TEST(a_text_too_long_ends_the_test),
        WORLD_TEST(a_state_that_is_none_ends_the_test),
        WORLD_TEST(a_client_that_says_nothing_does_not_hold_the_server),
        WORLD_TEST(a_server_that_wants_the_streams_twice_ends_the_test),
        WORLD_TEST(nobody_there_is_reported),
        WORLD_TEST(an_impossible_test_is_refused),
        cmocka_unit_test(members_of_json_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
