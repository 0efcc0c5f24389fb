/* SPDX-License-Identifier: Apache-2.0 */
/* UDP datagrams: what they carry, what is dropped, and what is bounded. */
#include "udp_fixture.h"

#include <errno.h>
#include <string.h>

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

    for (uint16_t i = 0; i < 10; i++)
        bound(f, 0, (uint16_t)(6000 + i));
    for (int i = 0; i < 3000; i++)
        inject_udp(f, 7, (uint16_t)(6000 + i % 10), "x");
    assert_true(lan_pool_free_buffers(lan_stack_pool(f->stack)) >= f->config.pool.buffers / 8 - 1);
    assert_true(counter(f, "UdpMemErrors") > 0);
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
        TEST(the_receive_queue_is_bounded_and_counted),
        TEST(the_receive_buffer_can_be_set),
        TEST(sockets_that_nobody_reads_leave_buffers_for_others),
        TEST(a_full_link_stops_the_sender_without_loss),
    };

    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
