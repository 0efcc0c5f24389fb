/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that say anything: pieces of what would be right in any order, with noise in them, in parts of any length. The
 * applications and the stack below them are built with the address and undefined-behaviour sanitizers: nothing that a
 * peer says may reach one.
 */
#include "http_fixture.h"
#include "lanyard/fetch.h"
#include "lanyard/iperf.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 8000, PIECES = 12, PIECE_BYTES = 128, PORT = 81 };

struct piece {
    const char *octets;
    size_t bytes;
};

#define PIECE(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof text - 1                                                                                          \
    }

static uint64_t seed;

static uint32_t draw(size_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % below);
}

/* `first`, as a rule, then others of the pieces; a few octets are replaced. Says it all, or what the peer takes. */
static void say(struct client *client, const struct piece *first, const struct piece *pieces, size_t count)
{
    char text[PIECES * PIECE_BYTES];
    size_t bytes = 0;
    for (uint32_t i = 0, all = 1 + draw(PIECES); i < all; i++) {
        const struct piece *piece = i == 0 && draw(8) ? first : &pieces[draw(count)];
        assert_true(piece->bytes <= PIECE_BYTES);
        memcpy(text + bytes, piece->octets, piece->bytes);
        bytes += piece->bytes;
    }
    for (uint32_t noise = draw(4); noise > 0; noise--)
        text[draw(bytes)] = (char)draw(256);
    for (size_t said = 0; said < bytes;) {
        size_t part = draw(2) ? bytes - said : 1 + draw(bytes - said);
        long sent = lan_send(client->world->stack, client->fd, text + said, part, 0);
        if (sent < 0)
            return;
        said += (size_t)sent;
        if (draw(3) == 0)
            world_pass_ms(client->world, 1);
    }
    if (draw(3))
        world_pass_ms(client->world, 1);
}

static void hang_up(struct client *client)
{
    if (draw(2))
        client_close(client);
    else
        client_abort(client);
}

/* A server of the test's, on PORT. */
static int open_listener(struct world *world)
{
    struct lan_sockaddr_in any = lan_sockaddr(0, PORT);
    int listener = lan_socket(world->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    assert_int_equal(lan_bind(world->stack, listener, &any), 0);
    assert_int_equal(lan_listen(world->stack, listener, LAN_IPERF_STREAMS), 0);
    return listener;
}

/* The next who has connected to it, or NULL. */
static struct client *accept_one(struct world *world, int listener)
{
    int fd = lan_accept(world->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    if (fd < 0)
        return NULL;
    struct client *client = calloc(1, sizeof *client);
    client->world = world;
    client->fd = fd;
    return client;
}

static bool over;

static bool is_over(void *arg)
{
    (void)arg;
    return over;
}

static bool take_data(struct lan_fetch *fetch, const void *data, size_t bytes)
{
    char *copy = malloc(bytes); /* reads all of them */
    memcpy(copy, data, bytes);
    free(copy);
    if (draw(200) == 0) {
        lan_fetch_cancel(fetch);
        over = true;
    }
    return draw(200) != 0;
}

static void take_done(struct lan_fetch *fetch, int error)
{
    (void)fetch, (void)error;
    assert_false(over);
    over = true;
}

static void a_fetch_outlives_any_answer(void **state)
{
    static const struct piece OK = PIECE("HTTP/1.1 200 OK\r\n");
    static const struct piece PIECES_OF_ANSWERS[] = {
        PIECE("HTTP/1.1 100 Continue\r\n\r\n"),
        PIECE("HTTP/1.0 204 None\r\n"),
        PIECE("Content-Length: 10\r\n"),
        PIECE("Content-Length: 5, 5\r\n"),
        PIECE("Content-Length: 18446744073709551615\r\n"),
        PIECE("Transfer-Encoding: chunked\r\n"),
        PIECE("Transfer-Encoding: gzip, chunked\r\n"),
        PIECE("Connection: close\r\n"),
        PIECE("\r\n"),
        PIECE("\r\n"),
        PIECE("5\r\nabcde\r\n"),
        PIECE("a;name=\"\r\n\"\r\n0123456789\r\n"),
        PIECE("ffffffffffffffff\r\n"),
        PIECE("0\r\nTrailer: x\r\n\r\n"),
        PIECE("\0\r\n"),
        PIECE("0123456789"),
    };
    struct world *world = *state;
    int listener = open_listener(world);
    for (int round = 0; round < ROUNDS; round++) {
        struct lan_fetch *fetch = calloc(1, sizeof *fetch);
        fetch->data = take_data;
        fetch->done = take_done;
        over = false;
        assert_int_equal(lan_fetch_start(fetch, &world->loop, "http://127.0.0.1:81/x"), 0);
        world_pass_ms(world, 5);
        struct client *server = accept_one(world, listener);
        assert_non_null(server);
        say(server, &OK, PIECES_OF_ANSWERS, sizeof PIECES_OF_ANSWERS / sizeof *PIECES_OF_ANSWERS);
        hang_up(server);
        world_until(world, is_over, NULL);
        free(fetch);
    }
    lan_close(world->stack, listener);
}

static void the_web_server_outlives_any_request(void **state)
{
    static const struct piece GET = PIECE("GET /a.txt HTTP/1.1\r\nHost: a\r\n");
    static const struct piece PIECES_OF_REQUESTS[] = {
        PIECE("GET /list/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        PIECE("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"),
        PIECE("HEAD /big.bin HTTP/1.0\r\n"),
        PIECE("POST "),
        PIECE("http://a/docs"),
        PIECE("/%2e%2E/%00?x#"),
        PIECE(" HTTP/1.1\r\n"),
        PIECE("Range: bytes=-5\r\n"),
        PIECE("Range: bytes=1-18446744073709551615\r\n"),
        PIECE("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        PIECE("Connection: keep-alive, close\r\n"),
        PIECE("Content-Length: 3\r\n"),
        PIECE("\r\n"),
        PIECE("\r\n\r\n"),
        PIECE("\0\n"),
    };
    struct world *world = *state;
    for (int round = 0; round < ROUNDS; round++) {
        struct client *client = client_connect(world, 80);
        say(client, &GET, PIECES_OF_REQUESTS, sizeof PIECES_OF_REQUESTS / sizeof *PIECES_OF_REQUESTS);
        if (draw(3) == 0)
            lan_shutdown(world->stack, client->fd, LAN_SHUT_WR);
        client_receive(client);
        hang_up(client);
    }
    world_pass_ms(world, http.config.idle_timeout_ms);
    assert_int_equal(http.stats->open, 0);
    assert_int_equal(http.tree.open, 0);
    assert_true(http.stats->responses[2] > ROUNDS / 10);
}

static void count_test(struct lan_iperf *test, const struct lan_iperf_result *result)
{
    (void)test;
    over = true;
    assert_int_equal(result->error, 0);
}

static void the_iperf_server_outlives_any_client(void **state)
{
    static const struct piece COOKIE = PIECE("abcdefghijklmnopqrstuvwxyz0123456789\0");
    static const struct piece PIECES_OF_TESTS[] = {
        PIECE("\0\0\0\x19{\"tcp\":true,\"parallel\":1}"),
        PIECE("\0\0\0\x28{\"tcp\":true,\"parallel\":2,\"reverse\":true}"),
        PIECE("\0\0\0\x22{\"tcp\":true,\"parallel\":4294967297}"),
        PIECE("\0\0\0\x23{\"streams\":[{\"id\":1,\"bytes\":1000}]}"),
        PIECE("\0\0\0\0"),
        PIECE("\xff\xff\xff\xff"),
        PIECE("\x01\x02"), /* states */
        PIECE("\x04"),
        PIECE("\x10"),
        PIECE("\x0c"),
    };
    struct world *world = *state;
    static struct lan_iperf_server server;
    static struct lan_iperf client;
    struct lan_iperf_config config = {.bytes = 20000, .streams = 2};
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, LAN_IPERF_PORT);
    assert_int_equal(lan_iperf_listen(&server, &world->loop, LAN_IPERF_PORT), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct client *control = client_connect(world, LAN_IPERF_PORT), *data[4];
        int streams = 0;
        say(control, &COOKIE, PIECES_OF_TESTS, 3);
        while (streams < 4 && draw(4)) {
            data[streams] = client_connect(world, LAN_IPERF_PORT);
            say(data[streams++], &COOKIE, &COOKIE, 1);
        }
        say(control, &PIECES_OF_TESTS[draw(10)], PIECES_OF_TESTS, sizeof PIECES_OF_TESTS / sizeof *PIECES_OF_TESTS);
        hang_up(control);
        while (streams > 0)
            hang_up(data[--streams]);
    }
    world_pass_ms(world, 60000); /* whoever has said half of it is given up by then */
    client.done = count_test;
    over = false;
    assert_int_equal(lan_iperf_connect(&client, &world->loop, &to, &config), 0);
    world_until(world, is_over, NULL);
    lan_iperf_server_close(&server);
}

static void note_end(struct lan_iperf *test, const struct lan_iperf_result *result)
{
    (void)test, (void)result;
    assert_false(over);
    over = true;
}

static void an_iperf_client_outlives_any_server(void **state)
{
    static const struct piece PARAM_EXCHANGE = PIECE("\x09");
    static const struct piece STATES[] = {
        PIECE("\x0a"), PIECE("\x01\x02"), PIECE("\x0d\0\0\0\x23{\"streams\":[{\"id\":1,\"bytes\":1000}]}"),
        PIECE("\x0e"), PIECE("\xff"),     PIECE("\xfe\0\0\0\x0d\0\0\0\0"),
    };
    struct world *world = *state;
    int listener = open_listener(world);
    for (int round = 0; round < ROUNDS; round++) {
        struct lan_iperf *test = calloc(1, sizeof *test);
        struct lan_iperf_config config = {.bytes = 5000, .streams = 1 + draw(LAN_IPERF_STREAMS), .reverse = draw(2)};
        struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, PORT);
        test->done = note_end;
        over = false;
        assert_int_equal(lan_iperf_connect(test, &world->loop, &to, &config), 0);
        world_pass_ms(world, 5);
        struct client *control = accept_one(world, listener), *data;
        assert_non_null(control);
        for (uint32_t i = 0; i < sizeof STATES / sizeof *STATES && draw(8); i++) {
            say(control, i == 0 ? &PARAM_EXCHANGE : &STATES[i - 1], STATES, draw(4) ? 1 + i : 6);
            world_pass_ms(world, 1);
        }
        hang_up(control);
        while ((data = accept_one(world, listener)) != NULL)
            hang_up(data);
        world_until(world, is_over, NULL);
        free(test);
    }
    lan_close(world->stack, listener);
}

/* The seed may be given on the command line, to look at another part of the space or to repeat one. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_fetch_outlives_any_answer),
        HTTP_TEST(the_web_server_outlives_any_request),
        HTTP_TEST(the_iperf_server_outlives_any_client),
        HTTP_TEST(an_iperf_client_outlives_any_server),
    };
    seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
