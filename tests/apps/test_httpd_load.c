/* SPDX-License-Identifier: Apache-2.0 */
/* The web server with many clients, slow ones, and ones that misbehave. */
#include "http_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GET(path) "GET /" path " HTTP/1.1\r\nHost: a\r\n\r\n"

enum { MANY = 1000 };

static struct client *clients[MANY + 1];

static void connect_many(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        clients[i] = client_connect(http.world, 80);
}

static void close_many(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        client_close(clients[i]);
}

static void a_thousand_connections_are_served_side_by_side(void **state)
{
    (void)state;
    http.config.connections = MANY;
    http_restart();
    connect_many(MANY);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            client_send(clients[i], i % 2 ? GET("a.txt") : GET("docs/"));
        for (int i = 0; i < MANY; i++) {
            struct response response = http_expect(clients[i], 200);
            assert_memory_equal(response.body, i % 2 ? "0123" : "docs", 4);
            client_take(clients[i], response.bytes);
        }
    }
    assert_int_equal(http.stats->open, MANY);
    assert_int_equal(http.stats->requests, 3 * MANY);
    close_many(MANY);
    world_pass_ms(http.world, 1000);
    assert_int_equal(http.stats->open, 0);
}

static void more_clients_than_connections_wait_their_turn(void **state)
{
    (void)state;
    enum { CLIENTS = 40 };
    http.config.connections = 8;
    http_restart();
    connect_many(CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        client_send(clients[i], "GET /a.txt HTTP/1.0\r\n\r\n");
    for (int i = 0; i < CLIENTS; i++) {
        http_expect(clients[i], 200);
        client_close(clients[i]);
        assert_true(http.stats->open <= 8);
    }
    assert_int_equal(http.stats->responses[2], CLIENTS);
}

static void large_files_to_many_clients_share_the_server(void **state)
{
    (void)state;
    enum { CLIENTS = 20 };
    connect_many(CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        client_send(clients[i], GET("big.bin"));
    for (int i = 0; i < CLIENTS; i++) {
        struct response response = http_expect(clients[i], 200);
        assert_memory_equal(response.body, big, BIG_BYTES);
    }
    close_many(CLIENTS);
}

static void a_client_that_stops_reading_delays_nobody_and_is_cut_off(void **state)
{
    (void)state;
    struct client *stuck = client_connect(http.world, 80), *other = client_connect(http.world, 80);
    client_send(stuck, GET("big.bin"));
    world_pass_ms(http.world, 1000);
    client_send(other, GET("a.txt"));
    http_expect(other, 200);
    assert_int_equal(http.stats->open, 2);
    assert_int_equal(http.tree.open, 1);
    world_pass_ms(http.world, http.config.idle_timeout_ms);
    assert_int_equal(http.stats->open, 0);
    assert_int_equal(http.tree.open, 0);
    assert_true(http.stats->timeouts >= 1);
    client_expect_end(stuck);
    assert_int_equal(stuck->error, -ECONNRESET);
    client_close(stuck);
    client_close(other);
}

static void a_client_that_reads_slowly_but_steadily_gets_it_all(void **state)
{
    (void)state;
    struct client *slow = client_connect(http.world, 80);
    char piece[20000];
    size_t total = 0;
    client_send(slow, GET("big.bin"));
    while (total < BIG_BYTES) {
        long got = lan_recv(http.world->stack, slow->fd, piece, sizeof piece, 0);
        assert_true(got > 0 || got == -EAGAIN);
        total += got > 0 ? (size_t)got : 0;
        world_pass_ms(http.world, http.config.idle_timeout_ms / 10);
    }
    assert_int_equal(http.stats->responses[0], 0);
    client_close(slow);
}

static void a_request_that_does_not_end_in_time_is_408(void **state)
{
    (void)state;
    struct client *slow = client_connect(http.world, 80);
    /* An octet now and then does not buy more time. */
    for (int i = 0; i < 10; i++) {
        client_send(slow, i ? "a" : "GET /");
        world_pass_ms(http.world, http.config.request_timeout_ms / 10 - 1);
    }
    assert_int_equal(http.stats->timeouts, 0);
    world_pass_ms(http.world, 100);
    assert_int_equal(http.stats->timeouts, 1);
    http_expect(slow, 408);
    client_expect_end(slow);
    assert_int_equal(slow->error, 0);
    client_close(slow);
}

static void an_idle_connection_is_closed_without_a_word(void **state)
{
    (void)state;
    struct client *idle = client_connect(http.world, 80);
    client_send(idle, GET("a.txt"));
    struct response response = http_expect(idle, 200);
    client_take(idle, response.bytes);
    world_pass_ms(http.world, http.config.idle_timeout_ms - 100);
    assert_int_equal(http.stats->open, 1);
    world_pass_ms(http.world, 200);
    assert_int_equal(http.stats->open, 0);
    client_expect_end(idle);
    assert_int_equal(idle->bytes, 0);
    client_close(idle);
}

static void a_client_that_never_closes_is_not_waited_for(void **state)
{
    (void)state;
    struct client *client = client_connect(http.world, 80);
    client_send(client, "GET /a.txt HTTP/1.0\r\n\r\n");
    http_expect(client, 200);
    world_pass_ms(http.world, 3000);
    assert_int_equal(http.stats->open, 0);
    client_close(client);
}

static void cut_off_requests_leave_nothing_behind(void **state)
{
    (void)state;
    static const char HEAD[] = "GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t bytes = 0; bytes < sizeof HEAD; bytes++) {
        struct client *client = client_connect(http.world, 80);
        client_send_bytes(client, HEAD, bytes);
        if (bytes % 2)
            client_close(client);
        else
            client_abort(client);
    }
    world_pass_ms(http.world, 10000);
    assert_int_equal(http.stats->open, 0);
    assert_int_equal(http.tree.open, 0);
}

static void a_client_that_resets_in_the_middle_leaves_nothing_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct client *client = client_connect(http.world, 80);
        client_send(client, GET("big.bin"));
        client_expect_bytes(client, 1 + (size_t)i * 100000);
        client_abort(client);
    }
    world_pass_ms(http.world, 10000);
    assert_int_equal(http.stats->open, 0);
    assert_int_equal(http.tree.open, 0);
    assert_int_equal(http.stats->responses[0], 10);
}

static void noise_never_hurts(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 300; i++) {
        static const char *const PIECES[] = {
            "GET ",      "/",    "a.txt",   "..",       "%2e", "%00", " HTTP/1.1",
            " HTTP/1.0", "\r\n", "Host: a", "\r\n\r\n", "\n",  ":",   "Range: bytes=1-",
            " ",         "\t",   "HEAD "};
        struct client *client = client_connect(http.world, 80);
        for (int k = 0; k < 60; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            const char *piece = PIECES[(random >> 33) % (sizeof PIECES / sizeof *PIECES)];
            if (lan_send(http.world->stack, client->fd, piece, strlen(piece), 0) < 0)
                break;
            if (random >> 60 == 0)
                world_pass_ms(http.world, 1);
        }
        client_close(client);
    }
    world_pass_ms(http.world, 100000);
    assert_int_equal(http.stats->open, 0);
    assert_int_equal(http.tree.open, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_thousand_connections_are_served_side_by_side),
        HTTP_TEST(more_clients_than_connections_wait_their_turn),
        HTTP_TEST(large_files_to_many_clients_share_the_server),
        HTTP_TEST(a_client_that_stops_reading_delays_nobody_and_is_cut_off),
        HTTP_TEST(a_client_that_reads_slowly_but_steadily_gets_it_all),
        HTTP_TEST(a_request_that_does_not_end_in_time_is_408),
        HTTP_TEST(an_idle_connection_is_closed_without_a_word),
        HTTP_TEST(a_client_that_never_closes_is_not_waited_for),
        HTTP_TEST(cut_off_requests_leave_nothing_behind),
        HTTP_TEST(a_client_that_resets_in_the_middle_leaves_nothing_behind),
        HTTP_TEST(noise_never_hurts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
