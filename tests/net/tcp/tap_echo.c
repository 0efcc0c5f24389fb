/* SPDX-License-Identifier: Apache-2.0 */
/* A host on a TAP device that echoes TCP streams: those that come to port 7, and those it opens to 192.0.2.1 for each
 * line "PORT" on its standard input. For test_tap_tcp.py. Ends with its standard input.
 */
#include "lanyard/posix.h"
#include "lanyard/socket.h"
#include "lanyard/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STREAMS = 200, CHUNK = 16384 };

struct stream {
    int fd; /* -1: free */
    uint32_t have, sent;
    uint8_t data[CHUNK];
};

static const uint8_t MAC[6] = {0x02, 0, 0, 0, 0, 0x02};
static struct lan_stack *stack;
static struct stream streams[STREAMS];
static struct lan_pollfd polled[STREAMS + 1]; /* the listener first; a stream's negative when free */

static void receive_frames(void *tap)
{
    lan_tap_receive(tap);
}

static void adopt(int fd)
{
    for (int i = 0; i < STREAMS; i++) {
        if (streams[i].fd < 0) {
            streams[i].fd = fd;
            streams[i].have = streams[i].sent = 0;
            return;
        }
    }
    lan_close(stack, fd);
}

static void read_command(void *unused)
{
    char line[32];
    long n = read(0, line, sizeof line - 1);
    (void)unused;
    if (n <= 0)
        exit(0);
    line[n] = 0;
    struct lan_sockaddr_in peer = {
        .sin_family = LAN_AF_INET, .sin_port = htons((uint16_t)atoi(line)), .sin_addr = inet_addr("192.0.2.1")};
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    if (fd >= 0 && lan_connect(stack, fd, &peer) == -EINPROGRESS)
        adopt(fd);
}

/* Echoes until there is nothing to read or no room to write; closes at the end of the stream. */
static void serve(struct stream *s)
{
    for (;;) {
        long n;
        if (s->sent < s->have) {
            n = lan_send(stack, s->fd, s->data + s->sent, s->have - s->sent, 0);
            if (n > 0)
                s->sent += (uint32_t)n;
        } else {
            n = lan_recv(stack, s->fd, s->data, sizeof s->data, 0);
            if (n > 0)
                s->have = (uint32_t)n, s->sent = 0;
        }
        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            lan_close(stack, s->fd);
            s->fd = -1;
            return;
        }
    }
}

static void run(int listener)
{
    polled[0] = (struct lan_pollfd){.fd = listener, .events = LAN_POLLIN};
    for (;;) {
        for (int i = 0; i < STREAMS; i++) {
            const struct stream *s = &streams[i];
            polled[i + 1] = (struct lan_pollfd){.fd = s->fd, .events = s->sent < s->have ? LAN_POLLOUT : LAN_POLLIN};
        }
        lan_poll(stack, polled, STREAMS + 1, 50);
        if (polled[0].revents)
            for (int fd; (fd = lan_accept(stack, listener, NULL, LAN_SOCK_NONBLOCK)) >= 0;)
                adopt(fd);
        for (int i = 0; i < STREAMS; i++)
            if (streams[i].fd >= 0)
                serve(&streams[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: tap_echo DEVICE ADDRESS\n");
        return 2;
    }
    size_t bytes = lan_stack_size(&LAN_CONFIG_DEFAULT);
    struct lan_posix *posix = lan_posix_create();
    stack =
        lan_stack_create(aligned_alloc(64, (bytes + 63) & ~63ul), bytes, lan_posix_port(posix), &LAN_CONFIG_DEFAULT);
    struct lan_tap tap;
    int result = lan_tap_open(&tap, argv[1], MAC, lan_stack_pool(stack));
    if (result < 0) {
        fprintf(stderr, "tap_echo: %s: %s\n", argv[1], strerror(-result));
        return 1;
    }
    lan_posix_attach(posix, stack);
    lan_posix_watch(posix, tap.fd, receive_frames, &tap);
    lan_posix_watch(posix, 0, read_command, NULL);
    lan_stack_add_netif(stack, &tap.netif);
    lan_netif_set_address(&tap.netif, inet_addr(argv[2]), inet_addr("255.255.255.0"));
    for (int i = 0; i < STREAMS; i++)
        streams[i].fd = -1;
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_port = htons(7)};
    int listener = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    if (listener < 0 || lan_bind(stack, listener, &name) < 0 || lan_listen(stack, listener, 128) < 0)
        return 1;
    puts("ready");
    fflush(stdout);
    run(listener);
}
