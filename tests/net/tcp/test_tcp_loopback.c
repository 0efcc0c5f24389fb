/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a connection in one stack: segments of up to 64 KiB, whose payload stays in the sender's own buffers. */
#include "../start.h"
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

/* A simultaneous open, transfer and close with oneself. */
static void a_socket_that_connects_to_itself_hears_itself(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = LOCALHOST};
    uint8_t out[CHUNK], in[CHUNK];
    int fd = open_socket(f);
    put16((uint8_t *)&name.sin_port, HOST_PORT);
    assert_int_equal(lan_bind(f->stack, fd, &name), 0);
    assert_int_equal(lan_connect(f->stack, fd, &name), -EINPROGRESS);
    settle(f);
    assert_int_equal(lan_ready(f->stack, fd, LAN_POLLOUT), LAN_POLLOUT);
    for (uint32_t i = 0; i < CHUNK; i++)
        out[i] = stream_byte(i);
    assert_int_equal(lan_send(f->stack, fd, out, CHUNK, LAN_MSG_OOB), CHUNK);
    assert_int_equal(lan_shutdown(f->stack, fd, LAN_SHUT_WR), 0);
    uint32_t received = 0;
    for (long n = 1; n; received += n > 0 ? (uint32_t)n : 0) {
        settle(f);
        n = lan_recv(f->stack, fd, in + received, CHUNK - received, 0);
        assert_true(n >= 0 || n == -EAGAIN);
    }
    assert_int_equal(received, CHUNK);
    assert_memory_equal(in, out, CHUNK);
}

/* What the receiver has not read are the sender's own buffers. */
static void a_small_pool_carries_both_ends(void **state)
{
    struct fixture *f = *state;
    struct lan_pool *pool = lan_stack_pool(f->stack);
    static struct lan_buf *held[1024];
    static uint8_t out[CHUNK], in[CHUNK];
    uint32_t sent[2] = {0}, received[2] = {0}, n = 0;
    int ends[2];
    ends[0] = connect_local(f, &ends[1]);
    while (lan_pool_free_buffers(pool) > f->config.pool.buffers / 8 + 16)
        held[n++] = lan_buf_alloc(pool, 0);
    for (int i = 0; received[0] < TOTAL || received[1] < TOTAL; i = !i) {
        uint32_t bytes = TOTAL - sent[i] < CHUNK ? TOTAL - sent[i] : CHUNK;
        for (uint32_t k = 0; k < bytes; k++)
            out[k] = stream_byte(sent[i] + k);
        long taken = bytes ? lan_send(f->stack, ends[i], out, bytes, 0) : 0;
        sent[i] += taken > 0 ? (uint32_t)taken : 0;
        settle(f);
        for (long got; (got = lan_recv(f->stack, ends[i], in, sizeof in, 0)) > 0;)
            for (long k = 0; k < got; k++)
                assert_int_equal(in[k], stream_byte(received[i]++));
        assert_true(f->now_ns - start_ns() < UINT64_C(59000000000));
    }
    while (n)
        lan_buf_free(held[--n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mebibyte_goes_around_in_little_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_local_port_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(a_socket_that_connects_to_itself_hears_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_small_pool_carries_both_ends, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
