/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/loopback.h"
#include "udp_fixture.h"

#include <errno.h>
#include <string.h>

#define LOCALHOST ADDRESS(127, 0, 0, 1)

static struct lan_loopback loopback;
static int wanted_calls;

static void wanted(void *arg)
{
    (void)arg;
    wanted_calls++;
}

static int setup(void **state)
{
    int result = fixture_setup(state);
    struct fixture *f = *state;

    wanted_calls = 0;
    lan_loopback_init(&loopback, wanted, NULL);
    assert_int_equal(lan_stack_add_netif(f->stack, &loopback.netif), 0);
    assert_int_equal(lan_netif_set_address(&loopback.netif, LOCALHOST, ADDRESS(255, 0, 0, 0)), 0);
    assert_int_equal(loopback.waiting, 0); /* nobody there to hear an announcement */
    return result;
}

static int server(struct fixture *f)
{
    return bound(f, 0, 7);
}

static long send_to(struct fixture *f, uint32_t ip, const void *data, size_t bytes)
{
    struct lan_sockaddr_in to = address(ip, 7);
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);

    return lan_sendto(f->stack, fd, data, bytes, 0, &to);
}

static void a_packet_waits_until_it_is_delivered(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in from;
    char data[8];
    int fd = server(f);

    assert_int_equal(send_to(f, LOCALHOST, "hi", 2), 2);
    assert_int_equal(wanted_calls, 1);
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -EAGAIN);
    lan_loopback_deliver(&loopback);
    assert_int_equal(lan_recvfrom(f->stack, fd, data, sizeof data, 0, &from), 2);
    assert_int_equal(from.sin_addr, LOCALHOST);
    expect_silence(f);
}

static void our_own_address_does_not_leave_the_host(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in from;
    char data[8];
    int fd = server(f);

    assert_int_equal(send_to(f, HOST, "hi", 2), 2);
    lan_loopback_deliver(&loopback);
    assert_int_equal(lan_recvfrom(f->stack, fd, data, sizeof data, 0, &from), 2);
    assert_int_equal(from.sin_addr, HOST);
    expect_silence(f);
}

static void the_largest_datagram_comes_back(void **state)
{
    struct fixture *f = *state;
    static uint8_t data[65507], back[65507];
    int fd = server(f);

    memset(data, 0x5a, sizeof data);
    assert_int_equal(send_to(f, LOCALHOST, data, sizeof data), sizeof data);
    lan_loopback_deliver(&loopback);
    assert_int_equal(lan_recv(f->stack, fd, back, sizeof back, 0), sizeof data);
    assert_memory_equal(back, data, sizeof data);
}

static void a_full_loopback_queues_in_the_stack(void **state)
{
    struct fixture *f = *state;
    char data[8];
    int fd = server(f), received = 0;

    loopback.waiting = 1024; /* as if so many were there */
    for (int i = 0; i < 60; i++)
        assert_int_equal(send_to(f, LOCALHOST, "x", 1), 1);
    assert_int_equal(loopback.netif.tx_queue_len, 60);
    lan_loopback_deliver(&loopback);
    lan_loopback_deliver(&loopback);
    while (lan_recv(f->stack, fd, data, sizeof data, 0) == 1)
        received++;
    assert_int_equal(received, 60);
}

static void loopback_addresses_from_the_wire_are_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    char data[8];
    int fd = server(f);

    frame_udp(&frame, 1234, 7, "x", 1);
    put32(frame.bytes + ETH + 16, LOCALHOST);
    fix_ip(&frame);
    fix_l4(&frame);
    inject(f, &frame);
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -EAGAIN);
    assert_int_equal(counter(f, "IpInAddrErrors"), 1);
}

static void a_closed_port_refuses_our_own_datagram(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in to = address(LOCALHOST, 7);
    char data[8];
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);

    lan_connect(f->stack, fd, &to);
    lan_send(f->stack, fd, "x", 1, 0);
    lan_loopback_deliver(&loopback); /* the datagram */
    lan_loopback_deliver(&loopback); /* the error about it */
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -ECONNREFUSED);
}

static void without_a_loopback_there_is_no_way_to_ourselves(void **state)
{
    struct fixture *f = *state;

    lan_route_add(f->stack, 0, 0, PEER, &f->netif); /* not that way */
    assert_int_equal(send_to(f, HOST, "hi", 2), -ENETUNREACH);
    assert_int_equal(send_to(f, LOCALHOST, "hi", 2), -ENETUNREACH);
}

#define LOOPBACK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOPBACK_TEST(a_packet_waits_until_it_is_delivered),
        LOOPBACK_TEST(our_own_address_does_not_leave_the_host),
        LOOPBACK_TEST(the_largest_datagram_comes_back),
        LOOPBACK_TEST(a_full_loopback_queues_in_the_stack),
        LOOPBACK_TEST(loopback_addresses_from_the_wire_are_dropped),
        LOOPBACK_TEST(a_closed_port_refuses_our_own_datagram),
        TEST(without_a_loopback_there_is_no_way_to_ourselves),
    };

    return cmocka_run_group_tests_name("loopback", tests, NULL, NULL);
}
