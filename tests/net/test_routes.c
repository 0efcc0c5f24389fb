/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#define FAR ADDRESS(198, 51, 100, 7)

/* The address that the stack asks for on its way to `to`, 0 if it will not go there. */
static uint32_t next_hop(struct fixture *f, uint32_t to)
{
    struct lan_sockaddr_in address = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = to};
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);
    long result = lan_sendto(f->stack, fd, "x", 1, 0, &address);

    lan_close(f->stack, fd);
    if (result == -ENETUNREACH)
        return 0;
    assert_int_equal(result, 1);

    const struct frame *frame = expect_frame(f);

    assert_int_equal(get16(frame->bytes + 12), TYPE_ARP);
    advance_ms(f, 10000); /* until the neighbour is forgotten */
    while (frames_waiting(f))
        expect_frame(f);
    return get32(frame->bytes + ETH + 24);
}

static void the_connected_network_is_reached_directly(void **state)
{
    assert_int_equal(next_hop(*state, ADDRESS(192, 0, 2, 200)), ADDRESS(192, 0, 2, 200));
}

static void without_a_route_there_is_no_way(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(next_hop(f, FAR), 0);
    assert_int_equal(counter(f, "IpOutNoRoutes"), 1);
}

static void the_default_route_leads_to_its_gateway(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(lan_route_add(f->stack, 0, 0, PEER, &f->netif), 0);
    assert_int_equal(next_hop(f, FAR), PEER);
}

static void the_longest_prefix_wins_in_whatever_order(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t destination, netmask;
        uint8_t gateway;
    } routes[] = {{ADDRESS(198, 51, 100, 0), ADDRESS(255, 255, 255, 0), 24},
                  {0, 0, 10},
                  {ADDRESS(198, 51, 100, 4), ADDRESS(255, 255, 255, 252), 30},
                  {ADDRESS(198, 51, 0, 0), ADDRESS(255, 255, 0, 0), 16},
                  {FAR, ADDRESS(255, 255, 255, 255), 32}};

    for (int i = 0; i < 5; i++)
        assert_int_equal(lan_route_add(f->stack, routes[i].destination, routes[i].netmask,
                                       ADDRESS(192, 0, 2, routes[i].gateway), &f->netif),
                         0);
    assert_int_equal(next_hop(f, FAR), ADDRESS(192, 0, 2, 32));
    assert_int_equal(next_hop(f, ADDRESS(198, 51, 100, 5)), ADDRESS(192, 0, 2, 30));
    assert_int_equal(next_hop(f, ADDRESS(198, 51, 100, 9)), ADDRESS(192, 0, 2, 24));
    assert_int_equal(next_hop(f, ADDRESS(198, 51, 1, 1)), ADDRESS(192, 0, 2, 16));
    assert_int_equal(next_hop(f, ADDRESS(203, 0, 113, 1)), ADDRESS(192, 0, 2, 10));
    assert_int_equal(lan_route_delete(f->stack, FAR, ADDRESS(255, 255, 255, 255)), 0);
    assert_int_equal(next_hop(f, FAR), ADDRESS(192, 0, 2, 30));
}

static void impossible_routes_are_refused(void **state)
{
    struct fixture *f = *state;
    uint32_t mask = ADDRESS(255, 255, 255, 0);

    assert_int_equal(lan_route_add(f->stack, FAR, mask, PEER, &f->netif), -EINVAL); /* host bits */
    assert_int_equal(lan_route_add(f->stack, 0, ADDRESS(255, 0, 255, 0), PEER, &f->netif), -EINVAL);
    assert_int_equal(lan_route_add(f->stack, HOST & mask, mask, PEER, &f->netif), -EEXIST);
    assert_int_equal(lan_route_delete(f->stack, 0, 0), -ESRCH);
    for (uint32_t i = 1; i < 16; i++)
        assert_int_equal(lan_route_add(f->stack, ADDRESS(203, 0, 113, i), 0xffffffff, PEER, &f->netif), 0);
    assert_int_equal(lan_route_add(f->stack, ADDRESS(203, 0, 113, 99), 0xffffffff, PEER, &f->netif), -ENOBUFS);
}

static void a_warm_flow_follows_a_changed_route(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in far = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = FAR};
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);

    lan_route_add(f->stack, 0, 0, PEER, &f->netif);
    lan_connect(f->stack, fd, &far);
    lan_send(f->stack, fd, "x", 1, 0);
    expect_frame(f);
    learn_peer(f);
    assert_memory_equal(expect_frame(f)->bytes, PEER_MAC, 6);
    lan_send(f->stack, fd, "x", 1, 0);
    assert_memory_equal(expect_frame(f)->bytes, PEER_MAC, 6);
    lan_route_delete(f->stack, 0, 0);
    lan_route_add(f->stack, 0, 0, ADDRESS(192, 0, 2, 9), &f->netif);
    lan_send(f->stack, fd, "x", 1, 0);
    assert_int_equal(get32(expect_frame(f)->bytes + ETH + 24), ADDRESS(192, 0, 2, 9));
    lan_route_delete(f->stack, 0, 0);
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -ENETUNREACH);
}

static void a_bound_address_that_is_gone_sends_no_more(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in local = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = HOST};
    struct lan_sockaddr_in peer = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = PEER};
    int bound = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);
    int connected = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);

    assert_int_equal(lan_bind(f->stack, bound, &local), 0);
    assert_int_equal(lan_connect(f->stack, connected, &peer), 0);
    lan_netif_set_address(&f->netif, ADDRESS(192, 0, 2, 50), NETMASK);
    expect_frame(f);
    assert_int_equal(lan_sendto(f->stack, bound, "x", 1, 0, &peer), -EADDRNOTAVAIL);
    assert_int_equal(lan_send(f->stack, connected, "x", 1, 0), -ENETUNREACH);
    expect_silence(f);
}

static void a_warm_broadcast_follows_the_address(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in all = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = 0xffffffff};
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0), one = 1;

    lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_BROADCAST, &one, sizeof one);
    lan_sendto(f->stack, fd, "x", 1, 0, &all);
    expect_frame(f);
    lan_netif_set_address(&f->netif, 0, 0);
    assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &all), -ENETUNREACH);
    lan_netif_set_address(&f->netif, ADDRESS(192, 0, 2, 50), NETMASK);
    expect_frame(f);
    assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &all), 1);
    assert_int_equal(get32(expect_frame(f)->bytes + ETH + 12), ADDRESS(192, 0, 2, 50));
}

static void an_address_taken_away_takes_its_network_along(void **state)
{
    struct fixture *f = *state;

    struct lan_sockaddr_in far = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = FAR};
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);

    lan_route_add(f->stack, 0, 0, ADDRESS(192, 0, 2, 9), &f->netif);
    lan_netif_set_address(&f->netif, 0, 0);
    assert_int_equal(next_hop(f, PEER), 0);
    assert_int_equal(next_hop(f, FAR), 0);
    assert_int_equal(lan_connect(f->stack, fd, &far), -ENETUNREACH);
    assert_int_equal(lan_netif_set_address(&f->netif, HOST, NETMASK), 0);
    expect_frame(f);
    assert_int_equal(next_hop(f, PEER), PEER);
}

static void one_network_is_connected_once(void **state)
{
    struct fixture *f = *state;
    static struct lan_netif second; /* the stack keeps it */

    second = (struct lan_netif){.ops = f->netif.ops, .driver = f, .mtu = 1500};
    assert_int_equal(lan_stack_add_netif(f->stack, &second), 0);
    assert_int_equal(lan_netif_set_address(&second, ADDRESS(192, 0, 2, 9), NETMASK), -EEXIST);
    assert_int_equal(second.address, 0);
}

static void impossible_addresses_are_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(lan_netif_set_address(&f->netif, ADDRESS(224, 0, 0, 1), NETMASK), -EINVAL);
    assert_int_equal(lan_netif_set_address(&f->netif, 0xffffffff, NETMASK), -EINVAL);
    assert_int_equal(lan_netif_set_address(&f->netif, HOST, ADDRESS(255, 0, 255, 0)), -EINVAL);
    assert_int_equal(next_hop(f, PEER), PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_connected_network_is_reached_directly),
        TEST(without_a_route_there_is_no_way),
        TEST(the_default_route_leads_to_its_gateway),
        TEST(the_longest_prefix_wins_in_whatever_order),
        TEST(impossible_routes_are_refused),
        TEST(a_warm_flow_follows_a_changed_route),
        TEST(a_bound_address_that_is_gone_sends_no_more),
        TEST(a_warm_broadcast_follows_the_address),
        TEST(an_address_taken_away_takes_its_network_along),
        TEST(one_network_is_connected_once),
        TEST(impossible_addresses_are_refused),
    };

    return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
