/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, blocking and options, over UDP sockets; what TCP does beneath them is tested with TCP. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

static int udp_socket(struct fixture *f, int flags)
{
    return lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM | flags, 0);
}

static int receiver(struct fixture *f, int flags)
{
    struct lan_sockaddr_in any = {.sin_family = LAN_AF_INET, .sin_port = net16(7)};
    int fd = udp_socket(f, flags);

    assert_int_equal(lan_bind(f->stack, fd, &any), 0);
    return fd;
}

static void inject_datagram(struct fixture *f)
{
    struct frame frame;

    frame_udp(&frame, 1234, 7, "data", 4);
    inject(f, &frame);
}

static void descriptors_are_the_lowest_free_ones(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 70; i++)
        assert_int_equal(udp_socket(f, 0), i);
    lan_close(f->stack, 65);
    lan_close(f->stack, 3);
    lan_close(f->stack, 8);
    assert_int_equal(udp_socket(f, 0), 3);
    assert_int_equal(udp_socket(f, 0), 8);
    assert_int_equal(udp_socket(f, 0), 65);
}

static void descriptors_run_out(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 10; i++)
        assert_int_equal(lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_STREAM, 0), i);
    for (int i = 10; i < 80; i++)
        assert_int_equal(udp_socket(f, 0), i);
    assert_int_equal(udp_socket(f, 0), -EMFILE);
    lan_close(f->stack, 79);
    assert_int_equal(udp_socket(f, 0), 79);
}

static void udp_sockets_run_out_by_themselves(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 70; i++)
        assert_int_equal(udp_socket(f, 0), i);
    assert_int_equal(udp_socket(f, 0), -ENOBUFS);
    lan_close(f->stack, 5);
    assert_int_equal(udp_socket(f, 0), 5);
}

static void only_known_kinds_of_sockets_can_be_made(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(lan_socket(f->stack, 10, LAN_SOCK_DGRAM, 0), -EAFNOSUPPORT);
    assert_int_equal(lan_socket(f->stack, LAN_AF_INET, 3, 0), -EINVAL);
    assert_int_equal(lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, LAN_IPPROTO_TCP), -EPROTONOSUPPORT);
    assert_int_equal(lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_STREAM, LAN_IPPROTO_UDP), -EPROTONOSUPPORT);
    assert_int_equal(lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, LAN_IPPROTO_UDP), 0);
}

static void calls_on_no_socket_say_so(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in address = {.sin_family = LAN_AF_INET};
    static const int bad[] = {-1, 0, 79, 80, 1000000};
    int value = 0;
    uint32_t bytes = sizeof value;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int fd = bad[i];

        assert_int_equal(lan_bind(f->stack, fd, &address), -EBADF);
        assert_int_equal(lan_listen(f->stack, fd, 1), -EBADF);
        assert_int_equal(lan_accept(f->stack, fd, NULL, 0), -EBADF);
        assert_int_equal(lan_connect(f->stack, fd, &address), -EBADF);
        assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -EBADF);
        assert_int_equal(lan_sendto(f->stack, fd, "x", 1, 0, &address), -EBADF);
        assert_int_equal(lan_recv(f->stack, fd, &value, 1, 0), -EBADF);
        assert_int_equal(lan_recvfrom(f->stack, fd, &value, 1, 0, &address), -EBADF);
        assert_int_equal(lan_shutdown(f->stack, fd, LAN_SHUT_RD), -EBADF);
        assert_int_equal(lan_close(f->stack, fd), -EBADF);
        assert_int_equal(lan_fcntl(f->stack, fd, LAN_F_GETFL, 0), -EBADF);
        assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &value, sizeof value), -EBADF);
        assert_int_equal(lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_ERROR, &value, &bytes), -EBADF);
        assert_int_equal(lan_getsockname(f->stack, fd, &address), -EBADF);
        assert_int_equal(lan_getpeername(f->stack, fd, &address), -EBADF);
        assert_int_equal(lan_set_notify(f->stack, fd, NULL, NULL), -EBADF);
        assert_int_equal(lan_ready(f->stack, fd, LAN_POLLIN), LAN_POLLNVAL);
    }
}

static void a_closed_descriptor_is_gone(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f, 0);

    assert_int_equal(lan_close(f->stack, fd), 0);
    assert_int_equal(lan_close(f->stack, fd), -EBADF);
}

static void a_nonblocking_call_does_not_wait(void **state)
{
    struct fixture *f = *state;
    char data[8];
    int fd = receiver(f, LAN_SOCK_NONBLOCK);

    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -EAGAIN);
    assert_int_equal(lan_fcntl(f->stack, fd, LAN_F_GETFL, 0) & LAN_O_NONBLOCK, LAN_O_NONBLOCK);
    assert_int_equal(lan_fcntl(f->stack, fd, LAN_F_SETFL, 0), 0);
    assert_int_equal(lan_fcntl(f->stack, fd, LAN_F_GETFL, 0) & LAN_O_NONBLOCK, 0);
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, LAN_MSG_DONTWAIT), -EAGAIN);
    assert_int_equal(lan_fcntl(f->stack, fd, 99, 0), -EINVAL);
}

static void a_blocking_receive_waits_for_a_datagram(void **state)
{
    struct fixture *f = *state;
    char data[8];
    int fd = receiver(f, 0);

    f->on_block = inject_datagram;
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), 4);
}

static int closed_meanwhile;

static void close_it(struct fixture *f)
{
    assert_int_equal(lan_close(f->stack, closed_meanwhile), 0);
}

static void a_sleeper_on_a_closed_socket_wakes_up(void **state)
{
    struct fixture *f = *state;
    char data[8];

    closed_meanwhile = receiver(f, 0);
    f->on_block = close_it;
    assert_int_equal(lan_recv(f->stack, closed_meanwhile, data, sizeof data, 0), -EBADF);
}

static void reopen_it(struct fixture *f)
{
    close_it(f);
    assert_int_equal(receiver(f, 0), closed_meanwhile);
}

static void a_descriptor_used_again_does_not_fool_a_sleeper(void **state)
{
    struct fixture *f = *state;
    char data[8];

    closed_meanwhile = receiver(f, 0);
    f->on_block = reopen_it;
    assert_int_equal(lan_recv(f->stack, closed_meanwhile, data, sizeof data, 0), -EBADF);
}

static void a_receive_timeout_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    struct lan_timeval timeout = {.tv_sec = 1, .tv_usec = 500000}, back;
    uint32_t bytes = sizeof back;
    uint64_t start = f->now_ns;
    char data[8];
    int fd = receiver(f, 0);

    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -EAGAIN);
    assert_int_equal(f->now_ns - start, 1500000000);
    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &back, &bytes), 0);
    assert_int_equal(back.tv_sec, 1);
    assert_int_equal(back.tv_usec, 500000);
}

static void make_room(struct fixture *f)
{
    f->transmit_result = 0;
    lan_netif_tx_ready(&f->netif);
}

static int stopped_sender(struct fixture *f)
{
    struct lan_sockaddr_in to = {.sin_family = LAN_AF_INET, .sin_port = net16(7), .sin_addr = PEER};
    int fd = udp_socket(f, 0);

    meet_peer(f);
    lan_connect(f->stack, fd, &to);
    f->transmit_result = -ENOBUFS;
    while (lan_send(f->stack, fd, "x", 1, LAN_MSG_DONTWAIT) == 1)
        ;
    return fd;
}

static void a_blocking_send_waits_for_the_link(void **state)
{
    struct fixture *f = *state;
    int fd = stopped_sender(f);

    f->on_block = make_room;
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), 1);
}

static void lose_link(struct fixture *f)
{
    lan_netif_set_link(&f->netif, false);
    f->transmit_result = -ENETDOWN;
}

static void a_blocking_send_does_not_wait_for_a_link_that_is_lost(void **state)
{
    struct fixture *f = *state;
    int fd = stopped_sender(f);

    f->on_block = lose_link;
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -ENETDOWN);
    assert_int_equal(lan_ready(f->stack, fd, LAN_POLLOUT), LAN_POLLOUT);
}

static void a_send_timeout_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    struct lan_timeval timeout = {.tv_usec = 1};
    uint64_t start = f->now_ns;
    int fd = stopped_sender(f);

    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_SNDTIMEO, &timeout, sizeof timeout), 0);
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -EAGAIN);
    assert_int_equal(f->now_ns - start, 1000000); /* rounded up to a millisecond */
}

static void impossible_timeouts_are_refused(void **state)
{
    struct fixture *f = *state;
    struct lan_timeval timeout = {.tv_usec = 1000000};
    int fd = udp_socket(f, 0);

    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &timeout, sizeof timeout), -EDOM);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &timeout, 8), -EINVAL);
}

static void the_type_of_a_socket_is_told(void **state)
{
    struct fixture *f = *state;
    int value = 0, fd = udp_socket(f, LAN_SOCK_NONBLOCK);
    uint32_t bytes = sizeof value;

    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_TYPE, &value, &bytes), 0);
    assert_int_equal(value, LAN_SOCK_DGRAM);
    assert_int_equal(bytes, sizeof value);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_TYPE, &value, bytes), -ENOPROTOOPT);
    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_ACCEPTCONN, &value, &bytes), 0);
    assert_int_equal(value, 0);
}

static void a_short_option_buffer_is_not_overrun(void **state)
{
    struct fixture *f = *state;
    uint8_t room[8];
    int fd = udp_socket(f, 0), value = 1;
    uint32_t bytes = 2;

    memset(room, 0xee, sizeof room);
    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_TYPE, room, &bytes), 0);
    assert_int_equal(bytes, 2);
    assert_int_equal(room[2], 0xee);
    bytes = sizeof room;
    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_TYPE, room, &bytes), 0);
    assert_int_equal(bytes, sizeof(int));
    assert_int_equal(room[sizeof(int)], 0xee);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_BROADCAST, &value, 2), -EINVAL);
}

static void unknown_options_are_refused(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f, 0), value = 1;
    uint32_t bytes = sizeof value;

    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, 999, &value, sizeof value), -ENOPROTOOPT);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, &value, sizeof value),
                     -ENOPROTOOPT);
    assert_int_equal(lan_getsockopt(f->stack, fd, 77, 1, &value, &bytes), -ENOPROTOOPT);
}

static void linger_is_kept_as_it_was_set(void **state)
{
    struct fixture *f = *state;
    struct lan_linger linger = {.l_onoff = 1, .l_linger = 5};
    uint32_t bytes = sizeof linger;
    int fd = udp_socket(f, 0);

    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, sizeof linger), 0);
    memset(&linger, 0, sizeof linger);
    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, &bytes), 0);
    assert_int_equal(linger.l_onoff, 1);
    assert_int_equal(linger.l_linger, 5);
    assert_int_equal(lan_close(f->stack, fd), 0); /* nothing to wait for */
}

static void the_time_of_a_linger_that_is_off_does_not_matter(void **state)
{
    struct fixture *f = *state;
    struct lan_linger linger = {.l_onoff = 0, .l_linger = -1};
    int fd = udp_socket(f, 0);

    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, sizeof linger), 0);
    linger.l_onoff = 1;
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, sizeof linger), -EINVAL);
}

static void what_follows_the_value_of_an_option_does_not_matter(void **state)
{
    struct fixture *f = *state;
    struct {
        struct lan_linger linger;
        uint8_t more[100];
    } linger = {.linger = {.l_onoff = 1, .l_linger = 5}};
    struct {
        struct lan_timeval time;
        uint8_t more[4];
    } timeout = {.time = {.tv_sec = 1}};
    int fd = udp_socket(f, 0);

    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVTIMEO, &timeout, 15), -EINVAL);
}

static void a_receive_buffer_of_nothing_is_the_smallest(void **state)
{
    struct fixture *f = *state;
    int none = 0, value;
    uint32_t bytes = sizeof value;
    int fd = udp_socket(f, 0);

    assert_int_equal(lan_setsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &none, sizeof none), 0);
    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &value, &bytes), 0);
    assert_in_range(value, 1, 1000);
}

static void datagram_sockets_do_not_listen(void **state)
{
    struct fixture *f = *state;
    int fd = receiver(f, 0);

    assert_int_equal(lan_listen(f->stack, fd, 5), -EOPNOTSUPP);
    assert_int_equal(lan_accept(f->stack, fd, NULL, 0), -EOPNOTSUPP);
}

static void impossible_shutdowns_are_refused(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(lan_shutdown(f->stack, udp_socket(f, 0), 3), -EINVAL);
}

static void names_are_told(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in peer = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = PEER}, name;
    int fd = receiver(f, 0);

    assert_int_equal(lan_getsockname(f->stack, fd, &name), 0);
    assert_int_equal(name.sin_port, net16(7));
    assert_int_equal(lan_getpeername(f->stack, fd, &name), -ENOTCONN);
    lan_connect(f->stack, fd, &peer);
    assert_int_equal(lan_getpeername(f->stack, fd, &name), 0);
    assert_int_equal(name.sin_addr, PEER);
    assert_int_equal(name.sin_port, net16(9));
    lan_getsockname(f->stack, fd, &name);
    assert_int_equal(name.sin_addr, HOST);
}

/* Two instances in one process know nothing of each other. */
static void two_stacks_live_side_by_side(void **state)
{
    struct fixture *f = *state;
    struct fixture *other = fixture_create(&f->config, LAN_NETIF_SG);
    char data[8];
    int fd = receiver(f, LAN_SOCK_NONBLOCK);

    assert_int_equal(receiver(other, LAN_SOCK_NONBLOCK), fd);
    inject_datagram(other);
    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -EAGAIN);
    assert_int_equal(lan_recv(other->stack, fd, data, sizeof data, 0), 4);
    assert_int_equal(counter(f, "UdpInDatagrams"), 0);
    fixture_destroy(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(descriptors_are_the_lowest_free_ones),
        TEST(descriptors_run_out),
        TEST(udp_sockets_run_out_by_themselves),
        TEST(only_known_kinds_of_sockets_can_be_made),
        TEST(calls_on_no_socket_say_so),
        TEST(a_closed_descriptor_is_gone),
        TEST(a_nonblocking_call_does_not_wait),
        TEST(a_blocking_receive_waits_for_a_datagram),
        TEST(a_sleeper_on_a_closed_socket_wakes_up),
        TEST(a_descriptor_used_again_does_not_fool_a_sleeper),
        TEST(a_receive_timeout_ends_the_wait),
        TEST(a_blocking_send_waits_for_the_link),
        TEST(a_blocking_send_does_not_wait_for_a_link_that_is_lost),
        TEST(a_send_timeout_ends_the_wait),
        TEST(impossible_timeouts_are_refused),
        TEST(the_type_of_a_socket_is_told),
        TEST(a_short_option_buffer_is_not_overrun),
        TEST(unknown_options_are_refused),
        TEST(linger_is_kept_as_it_was_set),
        TEST(the_time_of_a_linger_that_is_off_does_not_matter),
        TEST(what_follows_the_value_of_an_option_does_not_matter),
        TEST(a_receive_buffer_of_nothing_is_the_smallest),
        TEST(datagram_sockets_do_not_listen),
        TEST(impossible_shutdowns_are_refused),
        TEST(names_are_told),
        TEST(two_stacks_live_side_by_side),
    };

    return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
