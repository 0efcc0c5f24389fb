/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a connection in one stack: segments of up to 64 KiB, whose payload stays in the sender's own buffers. */
#include "lanyard/loopback.h"
#include "peer.h"

#include <errno.h>

#define LOCALHOST ADDRESS(127, 0, 0, 1)
enum { TOTAL = 1 << 20, CHUNK = 30000 };

static struct lan_loopback loopback;

static void wanted(void *arg)
{
    (void)arg;
}

static int setup(void **state)
{
    int result = fixture_setup(state);
    struct fixture *f = *state;
    lan_loopback_init(&loopback, wanted, NULL);
    assert_int_equal(lan_stack_add_netif(f->stack, &loopback.netif), 0);
    assert_int_equal(lan_netif_set_address(&loopback.netif, LOCALHOST, ADDRESS(255, 0, 0, 0)), 0);
    return result;
}

static void settle(struct fixture *f)
{
    while (loopback.waiting)
        lan_loopback_deliver(&loopback);
    advance_ms(f, 1);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int fd = 0; fd < (int)f->config.sockets; fd++)
        lan_close(f->stack, fd);
    for (int i = 0; i < 1000; i++)
        settle(f);
    return fixture_teardown(state);
}

/* A connection to 127.0.0.1; the accepting end is returned in *server. */
static int connect_local(struct fixture *f, int *server)
{
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = LOCALHOST};
    int listener = listen_on(f, HOST_PORT, 1), client = open_socket(f);
    put16((uint8_t *)&name.sin_port, HOST_PORT);
    assert_int_equal(lan_connect(f->stack, client, &name), -EINPROGRESS);
    settle(f);
    *server = lan_accept(f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(*server >= 0);
    return client;
}

static void a_mebibyte_goes_around_in_little_time(void **state)
{
    struct fixture *f = *state;
    static uint8_t out[CHUNK], in[CHUNK];
    int server, client = connect_local(f, &server);
    uint32_t sent = 0, received = 0;
    uint64_t start = f->now_ns;
    while (received < TOTAL) {
        uint32_t n = TOTAL - sent < CHUNK ? TOTAL - sent : CHUNK;
        for (uint32_t i = 0; i < n; i++)
            out[i] = stream_byte(sent + i);
        long taken = lan_send(f->stack, client, out, n, 0);
        sent += taken > 0 ? (uint32_t)taken : 0;
        settle(f);
        for (long got; (got = lan_recv(f->stack, server, in, sizeof in, 0)) > 0;)
            for (long i = 0; i < got; i++)
                assert_int_equal(in[i], stream_byte(received++));
    }
    assert_true(f->now_ns - start < UINT64_C(1000000000));
}

static void a_closed_local_port_refuses(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = LOCALHOST, .sin_port = 1};
    int fd = open_socket(f), error = 0;
    uint32_t bytes = sizeof error;
    assert_int_equal(lan_connect(f->stack, fd, &name), -EINPROGRESS);
    settle(f);
    lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_ERROR, &error, &bytes);
    assert_int_equal(error, ECONNREFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mebibyte_goes_around_in_little_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_local_port_refuses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
