/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

static uint16_t net16(uint16_t v)
{
    return (uint16_t)(v >> 8 | v << 8);
}

static struct lan_sockaddr_in address(uint32_t ip, uint16_t port)
{
    return (struct lan_sockaddr_in){.sin_family = LAN_AF_INET, .sin_port = net16(port), .sin_addr = ip};
}

static int udp_socket(struct fixture *f)
{
    return lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);
}

static int bound(struct fixture *f, uint32_t ip, uint16_t port)
{
    struct lan_sockaddr_in local = address(ip, port);
    int fd = udp_socket(f);

    assert_int_equal(lan_bind(f->stack, fd, &local), 0);
    return fd;
}

static void meet_peer(struct fixture *f)
{
    struct frame request;

    frame_arp(&request, 1, PEER_MAC, PEER, HOST);
    inject(f, &request);
    expect_frame(f);
}

static const uint8_t *udp_of(const struct frame *frame)
{
    assert_int_equal(frame->bytes[ETH + 9], PROTOCOL_UDP);
    return frame->bytes + ETH + IP;
}

static void inject_udp(struct fixture *f, uint16_t from, uint16_t to, const char *text)
{
    struct frame frame;

    frame_udp(&frame, from, to, text, (uint32_t)strlen(text));
    inject(f, &frame);
}

static void expect_text(struct fixture *f, int fd, const char *text)
{
    char data[128];
    long bytes = lan_recv(f->stack, fd, data, sizeof data, 0);

    assert_int_equal(bytes, strlen(text));
    assert_memory_equal(data, text, strlen(text));
}

static void expect_nothing(struct fixture *f, int fd)
{
    char data[8];

    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -EAGAIN);
}

static void a_datagram_carries_its_ports_and_data(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in to = address(PEER, 7);
    int fd = bound(f, 0, 5000);

    meet_peer(f);
    assert_int_equal(lan_sendto(f->stack, fd, "hello", 5, 0, &to), 5);

    const struct frame *frame = expect_frame(f);
    const uint8_t *udp = udp_of(frame);

    assert_int_equal(get32(frame->bytes + ETH + 12), HOST);
    assert_int_equal(get32(frame->bytes + ETH + 16), PEER);
    assert_int_equal(get16(udp), 5000);
    assert_int_equal(get16(udp + 2), 7);
    assert_int_equal(get16(udp + 4), UDP + 5);
    assert_memory_equal(udp + UDP, "hello", 5);
}

static void every_size_arrives_whole(void **state)
{
    struct fixture *f = *state;
    static struct frame whole;
    static uint8_t data[65507], back[65507];
    static const uint32_t sizes[] = {0, 1, 2, 3, 17, 1471, 1472, 1473, 2952, 2953, 9000, 65506, 65507};
    int fd = bound(f, 0, 5000);
    struct lan_sockaddr_in to = address(PEER, 7);

    meet_peer(f);
    for (size_t k = 0; k < sizeof data; k++)
        data[k] = (uint8_t)(k * 11 + k / 256);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t bytes = sizes[i];
        uint32_t total = 0;

        assert_int_equal(lan_sendto(f->stack, fd, data, bytes, 0, &to), bytes);
        while (frames_waiting(f)) { /* put the fragments together, turned around, and send them back */
            const struct frame *frame = expect_frame(f);
            uint32_t offset = (get16(frame->bytes + ETH + 6) & 0x1fff) * 8u;

            assert_true(frame->len <= 1514);
            assert_int_equal(get16(frame->bytes + ETH + 6) & 0x2000, frames_waiting(f) ? 0x2000 : 0);
            memcpy(whole.bytes + ETH + IP + offset, frame->bytes + ETH + IP, frame->len - ETH - IP);
            total += frame->len - ETH - IP;
        }
        assert_int_equal(total, UDP + bytes);

        memcpy(back, whole.bytes + ETH + IP + UDP, bytes);
        frame_udp(&whole, 7, 5000, back, bytes);
        for (uint32_t offset = 0; offset < total; offset += 1480) {
            static struct frame fragment;
            uint32_t left = total - offset;

            frame_fragment(&fragment, &whole, offset, left < 1480 ? left : 1480, left > 1480);
            inject(f, &fragment);
        }
        memset(back, 0, sizeof back);
        assert_int_equal(lan_recv(f->stack, fd, back, sizeof back, 0), bytes);
        assert_memory_equal(back, data, bytes);
    }
}

/* The checksum of cut datagrams is made in software even when the card could sum: it never sees the whole. */
static void a_fragmented_datagram_has_a_right_checksum(void **state)
{
    struct fixture *f = *state;
    static uint8_t datagram[4096];
    static uint8_t ip[IP];
    struct lan_sockaddr_in to = address(PEER, 7);
    int fd = bound(f, 0, 5000);
    static uint8_t data[3001];

    meet_peer(f);
    memset(data, 0xa5, sizeof data);
    f->netif.features |= LAN_NETIF_TX_L4_CSUM;
    assert_int_equal(lan_sendto(f->stack, fd, data, sizeof data, 0, &to), sizeof data);
    while (frames_waiting(f)) {
        const struct frame *frame = expect_frame(f);

        memcpy(ip, frame->bytes + ETH, IP);
        memcpy(datagram + (get16(frame->bytes + ETH + 6) & 0x1fff) * 8u, frame->bytes + ETH + IP,
               frame->len - ETH - IP);
    }
    assert_int_equal(internet_checksum(datagram, UDP + sizeof data, pseudo_sum(ip, UDP + sizeof data)), 0);
}

static void fragments_end_on_multiples_of_8_at_any_mtu(void **state)
{
    struct fixture *f = *state;
    static const uint8_t data[3000];
    struct lan_sockaddr_in to = address(PEER, 7);
    uint32_t total = 0;

    meet_peer(f);
    f->netif.mtu = 1003;
    assert_int_equal(lan_sendto(f->stack, udp_socket(f), data, sizeof data, 0, &to), sizeof data);
    while (frames_waiting(f)) {
        const struct frame *frame = expect_frame(f);

        assert_int_equal((get16(frame->bytes + ETH + 6) & 0x1fff) * 8, total);
        total += frame->len - ETH - IP;
        assert_true(frame->len <= ETH + 1003);
    }
    assert_int_equal(total, UDP + sizeof data);
}

static void a_way_with_a_smaller_mtu_makes_more_fragments(void **state)
{
    struct fixture *f = *state;
    static const uint8_t data[1000];
    struct lan_sockaddr_in to = address(PEER, 7);
    int fd = udp_socket(f);

    meet_peer(f);
    lan_connect(f->stack, fd, &to);
    f->netif.mtu = 576;
    lan_send(f->stack, fd, data, sizeof data, 0);
    assert_int_equal(frames_waiting(f), 2);
    expect_frame(f);
    expect_frame(f);
}

static void more_than_65507_bytes_are_refused(void **state)
{
    struct fixture *f = *state;
    static uint8_t data[65508];
    struct lan_sockaddr_in to = address(PEER, 7);

    assert_int_equal(lan_sendto(f->stack, udp_socket(f), data, sizeof data, 0, &to), -EMSGSIZE);
}

static void a_checksum_of_zero_is_sent_as_all_ones(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in to = address(PEER, 7);
    int fd = bound(f, 0, 5000);
    uint8_t data[2] = {0, 0};

    meet_peer(f);
    lan_sendto(f->stack, fd, data, 2, 0, &to);
    memcpy(data, udp_of(expect_frame(f)) + 6, 2); /* data that brings the sum to zero */
    lan_sendto(f->stack, fd, data, 2, 0, &to);
    assert_int_equal(get16(udp_of(expect_frame(f)) + 6), 0xffff);
}

static void a_datagram_without_checksum_is_accepted(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = bound(f, 0, 5000);

    frame_udp(&frame, 7, 5000, "unsummed", 8);
    put16(frame.bytes + ETH + IP + 6, 0);
    inject(f, &frame);
    expect_text(f, fd, "unsummed");
}

static void a_wrong_checksum_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = bound(f, 0, 5000);

    frame_udp(&frame, 7, 5000, "corrupt", 7);
    frame.bytes[ETH + IP + UDP + 6] ^= 4;
    inject(f, &frame);
    expect_nothing(f, fd);
    assert_int_equal(counter(f, "UdpInCsumErrors"), 1);
    expect_silence(f);
}

static void inject_with_verdict(struct fixture *f, const struct frame *frame, uint32_t flags)
{
    struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(f->stack), 2);

    memcpy(lan_buf_put(buf, frame->len), frame->bytes, frame->len);
    buf->flags = flags;
    lan_netif_input(&f->netif, buf);
}

static void the_card_s_verdict_is_believed(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = bound(f, 0, 5000);

    frame_udp(&frame, 7, 5000, "x", 1);
    frame.bytes[ETH + IP + UDP] = 'y';
    inject_with_verdict(f, &frame, LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK);
    expect_text(f, fd, "y");
    fix_l4(&frame);
    inject_with_verdict(f, &frame, LAN_BUF_L4_CHECKED);
    expect_nothing(f, fd);
    assert_int_equal(counter(f, "UdpInCsumErrors"), 1);
}

static void wrong_lengths_are_dropped(void **state)
{
    struct fixture *f = *state;
    static const uint16_t lengths[] = {0, 1, 7, 14, 100, 65535};
    int fd = bound(f, 0, 5000);

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct frame frame;

        frame_udp(&frame, 7, 5000, "hello", 5);
        put16(frame.bytes + ETH + IP + 4, lengths[i]);
        put16(frame.bytes + ETH + IP + 6, 0);
        inject(f, &frame);
        expect_nothing(f, fd);
        assert_int_equal(counter(f, "UdpInErrors"), i + 1);
    }
}

static void bytes_behind_the_udp_length_are_cut_off(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = bound(f, 0, 5000);

    frame_udp(&frame, 7, 5000, "hello and more", 14);
    put16(frame.bytes + ETH + IP + 4, UDP + 5);
    put16(frame.bytes + ETH + IP + 6, 0);
    put16(frame.bytes + ETH + IP + 6,
          internet_checksum(frame.bytes + ETH + IP, UDP + 5, pseudo_sum(frame.bytes + ETH, UDP + 5)));
    inject(f, &frame);
    expect_text(f, fd, "hello");
    inject_with_verdict(f, &frame, LAN_BUF_L4_CHECKED); /* a card that summed the rest along */
    expect_text(f, fd, "hello");
}

static void the_sender_s_address_is_told(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in from;
    char data[8];
    int fd = bound(f, 0, 5000);

    inject_udp(f, 1234, 5000, "x");
    assert_int_equal(lan_recvfrom(f->stack, fd, data, sizeof data, 0, &from), 1);
    assert_int_equal(from.sin_family, LAN_AF_INET);
    assert_int_equal(from.sin_addr, PEER);
    assert_int_equal(from.sin_port, net16(1234));
}

static void datagrams_stay_apart_and_in_order(void **state)
{
    struct fixture *f = *state;
    int fd = bound(f, 0, 5000);

    inject_udp(f, 7, 5000, "one");
    inject_udp(f, 7, 5000, "");
    inject_udp(f, 7, 5000, "three");
    expect_text(f, fd, "one");
    expect_text(f, fd, "");
    expect_text(f, fd, "three");
    expect_nothing(f, fd);
}

static void a_short_buffer_loses_the_rest_and_trunc_tells(void **state)
{
    struct fixture *f = *state;
    char data[3];
    int fd = bound(f, 0, 5000);

    inject_udp(f, 7, 5000, "abcdef");
    inject_udp(f, 7, 5000, "ghijkl");
    inject_udp(f, 7, 5000, "m");
    assert_int_equal(lan_recv(f->stack, fd, data, 3, 0), 3);
    assert_int_equal(lan_recv(f->stack, fd, data, 3, LAN_MSG_TRUNC), 6);
    assert_memory_equal(data, "ghi", 3);
    expect_text(f, fd, "m");
}

static void peek_leaves_the_datagram(void **state)
{
    struct fixture *f = *state;
    char data[8];
    int fd = bound(f, 0, 5000);

    inject_udp(f, 7, 5000, "stay");
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, LAN_MSG_PEEK), 4);
    expect_text(f, fd, "stay");
    expect_nothing(f, fd);
}

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
        struct lan_sockaddr_in name;

        assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &all), -EACCES);
        lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_BROADCAST, &one, sizeof one);
        assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &all), 1);

        const struct frame *frame = expect_frame(f);

        assert_memory_equal(frame->bytes, BROADCAST_MAC, 6);
        assert_int_equal(get32(frame->bytes + ETH + 16), to[i]);
        lan_getsockname(f->stack, fd, &name);
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

static void the_receive_queue_is_bounded_and_counted(void **state)
{
    struct fixture *f = *state;
    char data[8];
    int fd = bound(f, 0, 5000), arrived = 0;

    for (int i = 0; i < 1000; i++)
        inject_udp(f, 7, 5000, "x");
    while (lan_recv(f->stack, fd, data, sizeof data, 0) == 1)
        arrived++;
    assert_true(arrived > 100 && arrived < 300);
    assert_int_equal(counter(f, "UdpRcvbufErrors"), 1000 - arrived);
}

static void the_receive_buffer_can_be_set(void **state)
{
    struct fixture *f = *state;
    char data[8];
    int fd = bound(f, 0, 5000), bytes = 1000, arrived = 0;

    lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &bytes, sizeof bytes);
    for (int i = 0; i < 100; i++)
        inject_udp(f, 7, 5000, "x");
    while (lan_recv(f->stack, fd, data, sizeof data, 0) == 1)
        arrived++;
    assert_int_equal(arrived, 4);
}

static void sockets_that_nobody_reads_leave_buffers_for_others(void **state)
{
    struct fixture *f = *state;
    int fds[10];

    for (uint16_t i = 0; i < 10; i++)
        fds[i] = bound(f, 0, (uint16_t)(6000 + i));
    for (int i = 0; i < 3000; i++)
        inject_udp(f, 7, (uint16_t)(6000 + i % 10), "x");
    assert_true(lan_pool_free_buffers(lan_stack_pool(f->stack)) >= f->config.pool.buffers / 8 - 1);
    assert_true(counter(f, "UdpMemErrors") > 0);
    (void)fds;
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

/* A sender faster than the link is stopped and started again, and loses nothing in its own host. */
static void a_full_link_stops_the_sender_without_loss(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in peer = address(PEER, 7);
    int fd = udp_socket(f), sent = 0;

    meet_peer(f);
    f->transmit_result = -ENOBUFS;
    while (lan_sendto(f->stack, fd, "x", 1, 0, &peer) == 1)
        sent++;
    assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &peer), -EAGAIN);
    assert_int_equal(lan_ready(f->stack, fd, LAN_POLLOUT), 0);
    f->transmit_result = 0;
    f->transmit_room = 10;
    lan_netif_tx_ready(&f->netif);
    assert_int_equal(lan_ready(f->stack, fd, LAN_POLLOUT), 0); /* room for ten is not worth waking up for */
    f->transmit_room = UINT32_MAX;
    lan_netif_tx_ready(&f->netif);
    assert_int_equal(lan_ready(f->stack, fd, LAN_POLLOUT), LAN_POLLOUT);
    assert_int_equal(frames_waiting(f), sent);
    while (frames_waiting(f))
        expect_frame(f);
    assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &peer), 1);
    expect_frame(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_datagram_carries_its_ports_and_data),
        TEST(every_size_arrives_whole),
        TEST(a_fragmented_datagram_has_a_right_checksum),
        TEST(fragments_end_on_multiples_of_8_at_any_mtu),
        TEST(a_way_with_a_smaller_mtu_makes_more_fragments),
        TEST(more_than_65507_bytes_are_refused),
        TEST(a_checksum_of_zero_is_sent_as_all_ones),
        TEST(a_datagram_without_checksum_is_accepted),
        TEST(a_wrong_checksum_is_dropped),
        TEST(the_card_s_verdict_is_believed),
        TEST(wrong_lengths_are_dropped),
        TEST(bytes_behind_the_udp_length_are_cut_off),
        TEST(the_sender_s_address_is_told),
        TEST(datagrams_stay_apart_and_in_order),
        TEST(a_short_buffer_loses_the_rest_and_trunc_tells),
        TEST(peek_leaves_the_datagram),
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
        TEST(the_receive_queue_is_bounded_and_counted),
        TEST(the_receive_buffer_can_be_set),
        TEST(sockets_that_nobody_reads_leave_buffers_for_others),
        TEST(port_unreachable_is_connection_refused),
        TEST(an_error_in_small_buffers_is_understood),
        TEST(an_unconnected_socket_hears_no_errors),
        TEST(an_error_about_another_peer_is_not_ours),
        TEST(ttl_and_tos_can_be_set),
        TEST(shutdown_ends_reading_and_writing),
        TEST(a_full_link_stops_the_sender_without_loss),
    };

    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
