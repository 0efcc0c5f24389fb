/* SPDX-License-Identifier: Apache-2.0 */
/* A host on a TAP device that echoes UDP datagrams on port 7, for test_tap.py. Ends with its standard input. */
#include "lanyard/posix.h"
#include "lanyard/socket.h"
#include "lanyard/tap.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t MAC[6] = {0x02, 0, 0, 0, 0, 0x02};

static void readable(void *tap)
{
    lan_tap_receive(tap);
}

static void standard_input(void *unused)
{
    (void)unused;
    exit(getchar() == EOF ? 0 : 1);
}

static int fail(const char *what, int error)
{
    fprintf(stderr, "tap_host: %s: %s\n", what, strerror(-error));
    return 1;
}

static int echo(struct lan_stack *stack)
{
    static uint8_t data[65536];
    struct lan_sockaddr_in address = {.sin_family = LAN_AF_INET, .sin_port = htons(7)};
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);

    lan_bind(stack, fd, &address);
    puts("ready");
    fflush(stdout);
    for (;;) {
        long bytes = lan_recvfrom(stack, fd, data, sizeof data, 0, &address);

        if (bytes < 0)
            return fail("recvfrom", (int)bytes);
        lan_sendto(stack, fd, data, (size_t)bytes, 0, &address);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: tap_host DEVICE ADDRESS\n");
        return 2;
    }

    size_t bytes = lan_stack_size(&LAN_CONFIG_DEFAULT);
    struct lan_posix *posix = lan_posix_create();
    struct lan_stack *stack =
        lan_stack_create(aligned_alloc(64, (bytes + 63) & ~63ul), bytes, lan_posix_port(posix), &LAN_CONFIG_DEFAULT);
    struct lan_tap tap;
    int result = lan_tap_open(&tap, argv[1], MAC, lan_stack_pool(stack));

    if (result < 0)
        return fail("tap", result);
    lan_posix_attach(posix, stack);
    lan_posix_watch(posix, tap.fd, readable, &tap);
    lan_posix_watch(posix, 0, standard_input, NULL);
    lan_stack_add_netif(stack, &tap.netif);
    result = lan_netif_set_address(&tap.netif, inet_addr(argv[2]), inet_addr("255.255.255.0"));
    return result < 0 ? fail("address", result) : echo(stack);
}
