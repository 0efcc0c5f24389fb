/* SPDX-License-Identifier: Apache-2.0 */
/* The port to a POSIX process: its loop, and a stack on it that talks to itself. */
#include "../net/cmocka_all.h"
#include "lanyard/loopback.h"
#include "lanyard/posix.h"
#include "lanyard/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

struct world {
    struct lan_posix *posix;
    struct lan_stack *stack;
    struct lan_loopback loopback;
    void *memory;
    int calls;
};

static uint64_t now_ns(const struct world *w)
{
    const struct lan_port *port = lan_posix_port(w->posix);
    return port->now_ns(port->ctx);
}

static void deliver(void *arg)
{
    lan_loopback_deliver(arg);
}

/* Called from inside the stack. */
static void deliver_later(void *arg)
{
    struct world *w = arg;
    assert_int_equal(lan_posix_later(w->posix, deliver, &w->loopback), 0);
}

static void ignore(void *arg)
{
    (void)arg;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    size_t bytes = (lan_stack_size(&LAN_CONFIG_DEFAULT) + 63) & ~(size_t)63;
    w->posix = lan_posix_create();
    w->memory = aligned_alloc(64, bytes);
    w->stack = lan_stack_create(w->memory, bytes, lan_posix_port(w->posix), &LAN_CONFIG_DEFAULT);
    assert_non_null(w->stack);
    lan_posix_attach(w->posix, w->stack);
    lan_loopback_init(&w->loopback, deliver_later, w);
    assert_int_equal(lan_stack_add_netif(w->stack, &w->loopback.netif), 0);
    assert_int_equal(lan_netif_set_address(&w->loopback.netif, htonl(INADDR_LOOPBACK), htonl(0xff000000)), 0);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    lan_posix_destroy(w->posix);
    free(w->memory);
    free(w);
    return 0;
}

static void count(void *arg)
{
    struct world *w = arg;
    w->calls++;
}

static void count_twice(void *arg)
{
    struct world *w = arg;
    count(w);
    assert_int_equal(lan_posix_later(w->posix, count, w), 0);
}

static void what_is_put_off_is_done_once_and_before_the_loop_sleeps(void **state)
{
    struct world *w = *state;
    assert_int_equal(lan_posix_later(w->posix, count_twice, w), 0);
    assert_int_equal(lan_posix_later(w->posix, count, w), 0);
    lan_posix_turn(w->posix, LAN_NEVER);
    assert_int_equal(w->calls, 2);
    lan_posix_turn(w->posix, LAN_NEVER); /* what the work has put off itself */
    assert_int_equal(w->calls, 3);
    lan_posix_turn(w->posix, now_ns(w));
    assert_int_equal(w->calls, 3);
}

static void what_is_put_off_and_never_done_is_forgotten(void **state)
{
    struct world *w = *state;
    assert_int_equal(lan_posix_later(w->posix, count, w), 0);
    assert_int_equal(w->calls, 0);
}

static void a_turn_ends_at_its_deadline(void **state)
{
    struct world *w = *state;
    uint64_t end_ns = now_ns(w) + 5 * MS;
    while (now_ns(w) < end_ns)
        lan_posix_turn(w->posix, end_ns);
    assert_int_equal(w->calls, 0);
}

static void only_descriptors_with_something_to_read_are_told(void **state)
{
    struct world *w = *state;
    int quiet[2], busy[2];
    assert_int_equal(pipe(quiet), 0);
    assert_int_equal(pipe(busy), 0);
    assert_int_equal(lan_posix_watch(w->posix, quiet[0], count_twice, w), 0);
    assert_int_equal(lan_posix_watch(w->posix, busy[0], count, w), 0);
    lan_posix_turn(w->posix, now_ns(w));
    assert_int_equal(w->calls, 0);
    assert_int_equal(write(busy[1], "", 1), 1);
    lan_posix_turn(w->posix, LAN_NEVER);
    assert_int_equal(w->calls, 1);
    for (int i = 0; i < 2; i++) {
        close(quiet[i]);
        close(busy[i]);
    }
}

/* All of it by calls that block, which turn the loop; what loops back is put off to the next turn. */
static void blocking_calls_serve_a_connection_over_the_loopback(void **state)
{
    struct world *w = *state;
    struct lan_sockaddr_in name = {
        .sin_family = LAN_AF_INET, .sin_port = htons(80), .sin_addr = htonl(INADDR_LOOPBACK)};
    char data[8];
    int listener = lan_socket(w->stack, LAN_AF_INET, LAN_SOCK_STREAM, 0);
    int client = lan_socket(w->stack, LAN_AF_INET, LAN_SOCK_STREAM, 0);
    assert_int_equal(lan_bind(w->stack, listener, &name), 0);
    assert_int_equal(lan_listen(w->stack, listener, 1), 0);
    assert_int_equal(lan_connect(w->stack, client, &name), 0);
    int server = lan_accept(w->stack, listener, NULL, 0);
    assert_true(server >= 0);
    assert_int_equal(lan_send(w->stack, client, "hello", 5, 0), 5);
    assert_int_equal(lan_recv(w->stack, server, data, sizeof data, 0), 5);
    assert_memory_equal(data, "hello", 5);
    struct lan_timeval soon = {.tv_usec = 5000};
    assert_int_equal(lan_setsockopt(w->stack, server, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &soon, sizeof soon), 0);
    assert_int_equal(lan_recv(w->stack, server, data, sizeof data, 0), -EAGAIN);
    assert_int_equal(lan_close(w->stack, client), 0);
    assert_int_equal(lan_recv(w->stack, server, data, sizeof data, 0), 0);
}

/* Nobody is there to answer: only the stack's own deadline, which set_alarm() tells the loop, ends the silence. */
static void the_loop_keeps_the_deadlines_of_the_stack(void **state)
{
    struct world *w = *state;
    struct lan_sockaddr_in name = {
        .sin_family = LAN_AF_INET, .sin_port = htons(80), .sin_addr = htonl(INADDR_LOOPBACK)};
    w->loopback.wanted = ignore;
    int client = lan_socket(w->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    assert_int_equal(lan_connect(w->stack, client, &name), -EINPROGRESS);
    while (!lan_stack_counter(w->stack, "TcpRetransSegs"))
        lan_posix_turn(w->posix, LAN_NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_off_is_done_once_and_before_the_loop_sleeps),
        TEST(what_is_put_off_and_never_done_is_forgotten),
        TEST(a_turn_ends_at_its_deadline),
        TEST(only_descriptors_with_something_to_read_are_told),
        TEST(blocking_calls_serve_a_connection_over_the_loopback),
        TEST(the_loop_keeps_the_deadlines_of_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
