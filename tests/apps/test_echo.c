/* SPDX-License-Identifier: Apache-2.0 */
/* Echo and discard, on TCP and UDP. */
#include "lanyard/acceptor.h"
#include "lanyard/bulk.h"
#include "lanyard/echo.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 4 };

static struct lan_echo *echo, *discard;

static int set_up(void **state)
{
    int error;
    world_set_up(state);
    struct world *world = *state;
    echo = lan_echo_create(malloc(lan_echo_size(CONNECTIONS)), &world->loop, LAN_ECHO_PORT, CONNECTIONS, &error);
    assert_non_null(echo);
    discard =
        lan_discard_create(malloc(lan_discard_size(CONNECTIONS)), &world->loop, LAN_DISCARD_PORT, CONNECTIONS, &error);
    assert_non_null(discard);
    return 0;
}

static int tear_down(void **state)
{
    lan_echo_destroy(echo);
    lan_echo_destroy(discard);
    assert_int_equal(lan_echo_stats(echo)->open, 0);
    free(echo);
    free(discard);
    return world_tear_down(state);
}

static void a_stream_comes_back_octet_for_octet(void **state)
{
    static uint8_t data[500000];
    struct client *client = client_connect(*state, LAN_ECHO_PORT);
    lan_bulk_pattern(3, 0, data, sizeof data);
    for (size_t sent = 0; sent < sizeof data; sent += 20000) {
        client_send_bytes(client, data + sent, 20000);
        client_receive(client);
    }
    lan_shutdown(client->world->stack, client->fd, LAN_SHUT_WR);
    client_expect_end(client);
    assert_int_equal(client->error, 0);
    assert_int_equal(client->bytes, sizeof data);
    assert_memory_equal(client->data, data, sizeof data);
    client_close(client);
    assert_int_equal(lan_echo_stats(echo)->bytes, sizeof data);
}

static void a_client_that_does_not_read_is_not_read_either(void **state)
{
    struct world *world = *state;
    static uint8_t data[4096];
    struct client *client = client_connect(world, LAN_ECHO_PORT);
    uint64_t sent = 0;
    for (int idle = 0; idle < 20;) {
        long result = lan_send(world->stack, client->fd, data, sizeof data, 0);
        idle = result < 0 ? idle + 1 : 0;
        sent += result > 0 ? (uint64_t)result : 0;
        world_pass_ms(world, 100);
    }
    assert_true(sent < 600000); /* four socket buffers, of which the sending ones may grow, and what lies between */
    client_expect_bytes(client, sent);
    client_close(client);
}

static void discard_takes_all_and_says_nothing(void **state)
{
    static uint8_t data[300000];
    struct client *client = client_connect(*state, LAN_DISCARD_PORT);
    client_send_bytes(client, data, sizeof data);
    lan_shutdown(client->world->stack, client->fd, LAN_SHUT_WR);
    client_expect_end(client);
    assert_int_equal(client->bytes, 0);
    client_close(client);
    assert_int_equal(lan_echo_stats(discard)->bytes, sizeof data);
}

static void more_clients_wait_until_one_leaves(void **state)
{
    struct client *clients[CONNECTIONS + 1];
    for (int i = 0; i <= CONNECTIONS; i++) {
        clients[i] = client_connect(*state, LAN_ECHO_PORT);
        client_send(clients[i], "x");
    }
    world_pass_ms(*state, 100);
    assert_int_equal(lan_echo_stats(echo)->open, CONNECTIONS);
    client_close(clients[0]);
    client_expect_bytes(clients[CONNECTIONS], 1);
    for (int i = 1; i <= CONNECTIONS; i++)
        client_close(clients[i]);
}

static void a_client_that_resets_leaves_nothing_behind(void **state)
{
    for (int i = 0; i < 10; i++) {
        struct client *client = client_connect(*state, LAN_ECHO_PORT);
        client_send(client, "x");
        if (i % 2)
            world_pass_ms(*state, 10);
        client_abort(client);
    }
    world_pass_ms(*state, 1000);
    assert_int_equal(lan_echo_stats(echo)->open, 0);
}

/* A UDP socket on this port (0: any). */
static int open_udp(struct world *world, uint16_t port)
{
    struct lan_sockaddr_in address = lan_sockaddr(0x7f000001, port);
    int fd = lan_socket(world->stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);
    assert_int_equal(lan_bind(world->stack, fd, &address), 0);
    return fd;
}

static void datagrams_come_back_whole(void **state)
{
    struct world *world = *state;
    static uint8_t data[9000], back[65536];
    static const size_t SIZES[] = {0, 1, 1472, 1473, 9000};
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, LAN_ECHO_PORT), from;
    int fd = open_udp(world, 5000);
    lan_bulk_pattern(9, 0, data, sizeof data);
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        assert_int_equal(lan_sendto(world->stack, fd, data, SIZES[i], 0, &to), SIZES[i]);
        world_pass_ms(world, 10);
        assert_int_equal(lan_recvfrom(world->stack, fd, back, sizeof back, 0, &from), SIZES[i]);
        assert_memory_equal(back, data, SIZES[i]);
        assert_int_equal(from.sin_port, to.sin_port);
    }
    assert_int_equal(lan_echo_stats(echo)->datagrams, sizeof SIZES / sizeof *SIZES);
    lan_close(world->stack, fd);
}

static void discard_answers_no_datagram(void **state)
{
    struct world *world = *state;
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, LAN_DISCARD_PORT);
    char byte = 0;
    int fd = open_udp(world, 5000);
    assert_int_equal(lan_sendto(world->stack, fd, &byte, 1, 0, &to), 1);
    world_pass_ms(world, 1000);
    assert_int_equal(lan_recv(world->stack, fd, &byte, 1, 0), -EAGAIN);
    assert_int_equal(lan_echo_stats(discard)->datagrams, 1);
    lan_close(world->stack, fd);
}

static void two_echo_services_do_not_answer_each_other_for_ever(void **state)
{
    struct world *world = *state;
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, LAN_ECHO_PORT), any = lan_sockaddr(0, LAN_ECHO_PORT);
    int error;
    /* A datagram from port 7 to port 7: on one host, the sender's socket gives way to the service before it arrives. */
    int fd = lan_socket(world->stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);
    lan_echo_destroy(echo);
    assert_int_equal(lan_bind(world->stack, fd, &any), 0);
    assert_int_equal(lan_sendto(world->stack, fd, "x", 1, 0, &to), 1);
    lan_close(world->stack, fd);
    echo = lan_echo_create(echo, &world->loop, LAN_ECHO_PORT, CONNECTIONS, &error);
    world_pass_ms(world, 10);
    assert_int_equal(lan_echo_stats(echo)->datagrams, 1);
    assert_int_equal(lan_echo_stats(echo)->datagrams_unanswered, 1);
}

static void a_port_in_use_leaves_nothing_open(void **state)
{
    struct world *world = *state;
    static uint64_t memory[16384];
    struct lan_acceptor taken;
    int error = 0;
    assert_int_equal(lan_acceptor_open(&taken, &world->loop, 2007, 1, 1, NULL), 0);
    assert_null(lan_echo_create(memory, &world->loop, 2007, 1, &error));
    assert_int_equal(error, -EADDRINUSE);
    lan_acceptor_close(&taken);
    lan_close(world->stack, open_udp(world, 2007));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stream_comes_back_octet_for_octet),
        TEST(a_client_that_does_not_read_is_not_read_either),
        TEST(discard_takes_all_and_says_nothing),
        TEST(more_clients_wait_until_one_leaves),
        TEST(a_client_that_resets_leaves_nothing_behind),
        TEST(datagrams_come_back_whole),
        TEST(discard_answers_no_datagram),
        TEST(two_echo_services_do_not_answer_each_other_for_ever),
        TEST(a_port_in_use_leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
