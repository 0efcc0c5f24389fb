/* SPDX-License-Identifier: Apache-2.0 */
#include "udp_fixture.h"

#include <errno.h>
#include <string.h>

struct lan_sockaddr_in address(uint32_t ip, uint16_t port)
{
    return (struct lan_sockaddr_in){.sin_family = LAN_AF_INET, .sin_port = net16(port), .sin_addr = ip};
}

int udp_socket(struct fixture *f)
{
    return lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);
}

int bound(struct fixture *f, uint32_t ip, uint16_t port)
{
    struct lan_sockaddr_in local = address(ip, port);
    int fd = udp_socket(f);

    assert_int_equal(lan_bind(f->stack, fd, &local), 0);
    return fd;
}

const uint8_t *udp_of(const struct frame *frame)
{
    assert_int_equal(frame->bytes[ETH + 9], PROTOCOL_UDP);
    return frame->bytes + ETH + IP;
}

void inject_udp(struct fixture *f, uint16_t from, uint16_t to, const char *text)
{
    struct frame frame;

    frame_udp(&frame, from, to, text, (uint32_t)strlen(text));
    inject(f, &frame);
}

void expect_text(struct fixture *f, int fd, const char *text)
{
    char data[128];
    long bytes = lan_recv(f->stack, fd, data, sizeof data, 0);

    assert_int_equal(bytes, strlen(text));
    assert_memory_equal(data, text, strlen(text));
}

void expect_nothing(struct fixture *f, int fd)
{
    char data[8];

    assert_int_equal(lan_recv(f->stack, fd, data, sizeof data, 0), -EAGAIN);
}
