/* SPDX-License-Identifier: Apache-2.0 */
/* UDP sockets: whom a datagram belongs to, and what an application may ask for. */
#include "udp_fixture.h"

#include <errno.h>
#include <string.h>

static void a_connected_socket_hears_only_its_peer(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in peer = address(PEER, 7);
    int fd = bound(f, 0, 5000);

    meet_peer(f);
    assert_int_equal(lan_connect(f->stack, fd, &peer), 0);
    inject_udp(f, 8, 5000, "stranger");
    expect_nothing(f, fd);
    expect_frame(f); /* port unreachable for the stranger */
    inject_udp(f, 7, 5000, "peer");
    expect_text(f, fd, "peer");
}

static void a_connected_socket_goes_before_a_bound_one(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in peer = address(PEER, 7), local = address(0, 5000);
    int server = udp_socket(f), one = 1, child = udp_socket(f);

    lan_setsockopt(f->stack, server, LAN_SOL_SOCKET, LAN_SO_REUSEADDR, &one, sizeof one);
    lan_setsockopt(f->stack, child, LAN_SOL_SOCKET, LAN_SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(lan_bind(f->stack, server, &local), 0);
    assert_int_equal(lan_bind(f->stack, child, &local), 0);
    assert_int_equal(lan_connect(f->stack, child, &peer), 0);
    inject_udp(f, 7, 5000, "child");
    inject_udp(f, 8, 5000, "server");
    expect_text(f, child, "child");
    expect_text(f, server, "server");
}

static void a_bound_address_goes_before_any(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in any = address(0, 5000), own = address(HOST, 5000);
    int wide = udp_socket(f), one = 1, narrow = udp_socket(f);

    lan_setsockopt(f->stack, wide, LAN_SOL_SOCKET, LAN_SO_REUSEADDR, &one, sizeof one);
    lan_setsockopt(f->stack, narrow, LAN_SOL_SOCKET, LAN_SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(lan_bind(f->stack, narrow, &own), 0);
    assert_int_equal(lan_bind(f->stack, wide, &any), 0);
    inject_udp(f, 7, 5000, "narrow");
    expect_text(f, narrow, "narrow");
    lan_close(f->stack, narrow);
    inject_udp(f, 7, 5000, "wide");
    expect_text(f, wide, "wide");
}

static void many_connected_sockets_share_a_port(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in local = address(0, 5000);
    int fds[60], one = 1;

    for (uint16_t i = 0; i < 60; i++) {
        struct lan_sockaddr_in peer = address(PEER, (uint16_t)(2000 + i));

        fds[i] = udp_socket(f);
        lan_setsockopt(f->stack, fds[i], LAN_SOL_SOCKET, LAN_SO_REUSEADDR, &one, sizeof one);
        assert_int_equal(lan_bind(f->stack, fds[i], &local), 0);
        assert_int_equal(lan_connect(f->stack, fds[i], &peer), 0);
    }
    for (uint16_t i = 0; i < 60; i++) {
        inject_udp(f, (uint16_t)(2000 + i), 5000, "mine");
        expect_text(f, fds[i], "mine");
    }
}

static void connect_can_be_undone(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in peer = address(PEER, 7), none = {.sin_family = LAN_AF_UNSPEC}, name;
    int fd = bound(f, 0, 5000);

    lan_connect(f->stack, fd, &peer);
    assert_int_equal(lan_connect(f->stack, fd, &none), 0);
    assert_int_equal(lan_getpeername(f->stack, fd, &name), -ENOTCONN);
    lan_getsockname(f->stack, fd, &name);
    assert_int_equal(name.sin_addr, 0);
    inject_udp(f, 8, 5000, "anyone");
    expect_text(f, fd, "anyone");
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -EDESTADDRREQ);
}

static void a_port_in_use_is_refused(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in any = address(0, 5000), own = address(HOST, 5000);
    int fd = udp_socket(f);

    bound(f, 0, 5000);
    assert_int_equal(lan_bind(f->stack, fd, &any), -EADDRINUSE);
    assert_int_equal(lan_bind(f->stack, fd, &own), -EADDRINUSE);
    own.sin_port = net16(5001);
    assert_int_equal(lan_bind(f->stack, fd, &own), 0);
}

static void a_port_is_shared_only_by_consent_of_both(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in any = address(0, 5000);
    int fd = udp_socket(f), one = 1;

    bound(f, 0, 5000);
    lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(lan_bind(f->stack, fd, &any), -EADDRINUSE);
}

static void a_port_is_free_again_after_close(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in any = address(0, 5000);
    int first = bound(f, 0, 5000), second = udp_socket(f);

    lan_close(f->stack, first);
    assert_int_equal(lan_bind(f->stack, second, &any), 0);
}

static void sockets_of_two_addresses_have_the_same_port_apart(void **state)
{
    struct fixture *f = *state;
    int old = bound(f, HOST, 5000), new;

    lan_netif_set_address(&f->netif, ADDRESS(192, 0, 2, 50), NETMASK);
    expect_frame(f);
    inject_udp(f, 7, 5000, "old"); /* to the address that is gone */
    new = bound(f, ADDRESS(192, 0, 2, 50), 5000);
    lan_netif_set_address(&f->netif, HOST, NETMASK);
    expect_frame(f);
    inject_udp(f, 7, 5000, "for HOST");
    expect_nothing(f, new);
    expect_text(f, old, "for HOST");
    lan_close(f->stack, old);
    inject_udp(f, 7, 5000, "for nobody");
    expect_nothing(f, new);
    assert_int_equal(counter(f, "UdpNoPorts"), 1);
    expect_frame(f); /* the ARP request for the error */
}

static void an_address_that_is_not_ours_cannot_be_bound(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in theirs = address(PEER, 5000);

    assert_int_equal(lan_bind(f->stack, udp_socket(f), &theirs), -EADDRNOTAVAIL);
}

static void a_socket_is_bound_once(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in any = address(0, 5001);

    assert_int_equal(lan_bind(f->stack, bound(f, 0, 5000), &any), -EINVAL);
}

static void ephemeral_ports_are_spread_over_their_range(void **state)
{
    struct fixture *f = *state;
    uint32_t quarters[4] = {0};
    struct lan_sockaddr_in any = address(0, 0), name;

    for (int i = 0; i < 64; i++) {
        int fd = udp_socket(f);

        assert_int_equal(lan_bind(f->stack, fd, &any), 0);
        lan_getsockname(f->stack, fd, &name);
        assert_true(net16(name.sin_port) >= 49152);
        quarters[(net16(name.sin_port) - 49152) / 4096]++;
    }
    for (int i = 0; i < 4; i++)
        assert_true(quarters[i] > 4); /* expected 16 */
}

static void broadcast_needs_permission(void **state)
{
    struct fixture *f = *state;
    static const uint32_t to[] = {ADDRESS(255, 255, 255, 255), ADDRESS(192, 0, 2, 255)};
    int fd = udp_socket(f), one = 1;

    for (int i = 0; i < 2; i++) {
        struct lan_sockaddr_in all = address(to[i], 7);

        assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &all), -EACCES);
        lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_BROADCAST, &one, sizeof one);
        assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &all), 1);

        const struct frame *frame = expect_frame(f);

        assert_memory_equal(frame->bytes, BROADCAST_MAC, 6);
        assert_int_equal(get32(frame->bytes + ETH + 16), to[i]);
        fd = udp_socket(f);
    }
}

static void multicast_goes_to_its_mac(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in group = address(ADDRESS(239, 129, 2, 3), 7);

    assert_int_equal(lan_sendto(f->stack, udp_socket(f), "x", 1, 0, &group), 1);
    assert_memory_equal(expect_frame(f)->bytes, "\x01\x00\x5e\x01\x02\x03", 6);
}

static void destinations_that_make_no_sense_are_refused(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in port_zero = address(PEER, 0), nowhere = address(0, 7), v6 = address(PEER, 7);
    int fd = udp_socket(f);

    v6.sin_family = 10;
    assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &port_zero), -EINVAL);
    assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &nowhere), -EINVAL);
    assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &v6), -EAFNOSUPPORT);
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -EDESTADDRREQ);
}

static void port_unreachable_is_connection_refused(void **state)
{
    struct fixture *f = *state;
    static struct frame error;
    struct lan_sockaddr_in peer = address(PEER, 7);
    char data[8];
    int fd = bound(f, 0, 5000);

    meet_peer(f);
    lan_connect(f->stack, fd, &peer);
    lan_send(f->stack, fd, "x", 1, 0);

    const struct frame *sent = expect_frame(f);

    frame_icmp(&error, 3, 3, sent->bytes + ETH, IP + UDP);
    inject(f, &error);
    assert_int_equal(lan_ready(f->stack, fd, LAN_POLLIN) & LAN_POLLERR, LAN_POLLERR);
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -ECONNREFUSED);
    expect_nothing(f, fd); /* once */
    inject(f, &error);
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -ECONNREFUSED);
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), 1);
    expect_frame(f);
}

static void an_error_in_small_buffers_is_understood(void **state)
{
    struct fixture *f = *state;
    static struct frame error;
    struct lan_sockaddr_in peer = address(PEER, 7);
    char data[8];
    int fd = bound(f, 0, 5000);

    meet_peer(f);
    lan_connect(f->stack, fd, &peer);
    lan_send(f->stack, fd, "x", 1, 0);
    frame_icmp(&error, 3, 3, expect_frame(f)->bytes + ETH, IP + UDP);
    inject_in_pieces(f, &error, 20);
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -ECONNREFUSED);
}

static void an_unconnected_socket_hears_no_errors(void **state)
{
    struct fixture *f = *state;
    static struct frame error;
    struct lan_sockaddr_in peer = address(PEER, 7);
    int fd = bound(f, 0, 5000);

    meet_peer(f);
    lan_sendto(f->stack, fd, "x", 1, 0, &peer);
    frame_icmp(&error, 3, 3, expect_frame(f)->bytes + ETH, IP + UDP);
    inject(f, &error);
    expect_nothing(f, fd);
}

static void an_error_about_another_peer_is_not_ours(void **state)
{
    struct fixture *f = *state;
    static struct frame error, quoted;
    struct lan_sockaddr_in peer = address(PEER, 7);
    int fd = bound(f, 0, 5000);

    meet_peer(f);
    lan_connect(f->stack, fd, &peer);
    lan_send(f->stack, fd, "x", 1, 0);
    quoted = *expect_frame(f);
    put16(quoted.bytes + ETH + IP + 2, 8);
    frame_icmp(&error, 3, 3, quoted.bytes + ETH, IP + UDP);
    inject(f, &error);
    expect_nothing(f, fd);
}

static void ttl_and_tos_can_be_set(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in peer = address(PEER, 7);
    int fd = udp_socket(f), ttl = 3, tos = 0x10, bad = 256, value;
    uint32_t bytes = sizeof value;

    meet_peer(f);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_IPPROTO_IP, LAN_IP_TTL, &ttl, sizeof ttl), 0);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_IPPROTO_IP, LAN_IP_TOS, &tos, sizeof tos), 0);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_IPPROTO_IP, LAN_IP_TTL, &bad, sizeof bad), -EINVAL);
    bad = 0;
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_IPPROTO_IP, LAN_IP_TTL, &bad, sizeof bad), -EINVAL);
    lan_sendto(f->stack, fd, "x", 1, 0, &peer);

    const uint8_t *ip = expect_frame(f)->bytes + ETH;

    assert_int_equal(ip[8], 3);
    assert_int_equal(ip[1], 0x10);
    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_IPPROTO_IP, LAN_IP_TTL, &value, &bytes), 0);
    assert_int_equal(value, 3);
}

static void shutdown_ends_reading_and_writing(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in peer = address(PEER, 7);
    char data[8];
    int fd = udp_socket(f);

    assert_int_equal(lan_shutdown(f->stack, fd, LAN_SHUT_RDWR), -ENOTCONN);
    lan_connect(f->stack, fd, &peer);
    assert_int_equal(lan_shutdown(f->stack, fd, LAN_SHUT_RDWR), 0);
    lan_getsockname(f->stack, fd, &peer);
    inject_udp(f, 7, net16(peer.sin_port), "too late");
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), 0);
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -EPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connected_socket_hears_only_its_peer),
        TEST(a_connected_socket_goes_before_a_bound_one),
        TEST(a_bound_address_goes_before_any),
        TEST(many_connected_sockets_share_a_port),
        TEST(connect_can_be_undone),
        TEST(a_port_in_use_is_refused),
        TEST(a_port_is_shared_only_by_consent_of_both),
        TEST(a_port_is_free_again_after_close),
        TEST(sockets_of_two_addresses_have_the_same_port_apart),
        TEST(an_address_that_is_not_ours_cannot_be_bound),
        TEST(a_socket_is_bound_once),
        TEST(ephemeral_ports_are_spread_over_their_range),
        TEST(broadcast_needs_permission),
        TEST(multicast_goes_to_its_mac),
        TEST(destinations_that_make_no_sense_are_refused),
        TEST(port_unreachable_is_connection_refused),
        TEST(an_error_in_small_buffers_is_understood),
        TEST(an_unconnected_socket_hears_no_errors),
        TEST(an_error_about_another_peer_is_not_ours),
        TEST(ttl_and_tos_can_be_set),
        TEST(shutdown_ends_reading_and_writing),
    };

    return cmocka_run_group_tests_name("udp_sockets", tests, NULL, NULL);
}
