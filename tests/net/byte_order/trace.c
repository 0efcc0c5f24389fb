/* SPDX-License-Identifier: Apache-2.0 */
/* Each frame on the wire between two stacks, a line each: when it left in ns, which host's it is, its length and a hash
 * of its bytes. Whatever the machine has for byte order and word size, every line must be the same. */

#include "../frames.h"
#include "flows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ECHO = 7, CLOSED = 9 };

/* The stacks draw keys and numbers of two, four and eight bytes. All bytes of one are alike, so that it is the same
 * number in either order. */
static void draw_palindromes(void *ctx, void *out, size_t bytes)
{
    static uint8_t last;
    uint8_t *to = out;
    (void)ctx;
    for (size_t i = 0; i < bytes; i++) {
        if (i % 8 == 0)
            last = (uint8_t)(last * 5 + 113);
        to[i] = last;
    }
}

static void print_frame(struct world *world, int from, const uint8_t *frame, uint32_t len)
{
    uint32_t hash = 2166136261;
    for (uint32_t i = 0; i < len; i++)
        hash = (hash ^ frame[i]) * 16777619;
    printf("%" PRIu64 " %d %" PRIu32 " %08" PRIx32 "\n", world->now_ns, from, len, hash);
}

static struct world *start(uint32_t features)
{
    struct world_config config = flows_config(2000000);
    config.random = draw_palindromes;
    config.features = features;
    config.wire.drop = 0.01;
    config.wire.duplicate = 0.01;
    config.wire.corrupt = 0.005;
    config.wire.reorder = 0.02;
    config.wire.reorder_ns = 1500000;
    struct world *world = world_create(&config);
    world->sniff = print_frame;
    return world;
}

static int udp_socket(struct lan_stack *stack, uint16_t port)
{
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_port = net16(port)};
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(lan_bind(stack, fd, &name), 0);
    return fd;
}

static void pass(struct world *world, uint64_t ns)
{
    for (uint64_t end = world->now_ns + ns; world_step(world, end);) {
    }
}

/* Datagrams of all sorts of lengths, whole and in fragments, and back; and some to where nobody listens (ICMP). */
static void exchange_datagrams(struct world *world)
{
    static uint8_t data[9000];
    struct lan_stack *a = world->hosts[0].stack, *b = world->hosts[1].stack;
    int client = udp_socket(a, 1000), server = udp_socket(b, ECHO);
    for (uint32_t bytes = 0; bytes < sizeof data; bytes = bytes * 2 + 1) {
        struct lan_sockaddr_in to = {
            .sin_family = LAN_AF_INET, .sin_port = net16(ECHO), .sin_addr = ADDRESS(192, 0, 2, 2)};
        memset(data, (int)bytes, bytes);
        lan_sendto(a, client, data, bytes, 0, &to);
        pass(world, 20000000);
        struct lan_sockaddr_in from;
        long n = lan_recvfrom(b, server, data, sizeof data, 0, &from);
        if (n >= 0)
            lan_sendto(b, server, data, (size_t)n, 0, &from);
        to.sin_port = net16(CLOSED);
        lan_sendto(a, client, data, bytes, 0, &to);
        pass(world, 20000000);
        lan_recvfrom(a, client, data, sizeof data, 0, &from);
    }
    lan_close(a, client);
    lan_close(b, server);
}

int main(void)
{
    static const char *const congestion[] = {"newreno", "cubic", "bbr"};
    for (int i = 0; i < 3; i++) {
        struct flows flows = {.world =
                                  start(i == 1 ? LAN_NETIF_SG | LAN_NETIF_TSO | LAN_NETIF_TX_L4_CSUM : LAN_NETIF_SG)};
        exchange_datagrams(flows.world);
        flows_add(&flows, congestion[i]);
        flows_run(&flows, UINT64_C(500000000));
        flows_destroy(&flows);
    }
    return 0;
}
