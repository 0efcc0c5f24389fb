/* SPDX-License-Identifier: Apache-2.0 */
/* The least firmware that has all of the stack: a netif, a port, and a use of everything that applications may call but
 * the names of the counters. It is linked to be weighed, not to be run. */

#include "lanyard/socket.h"
#include "lanyard/stack.h"

static uint8_t memory[1 << 20] __attribute__((aligned(64)));
static uint64_t clock_ns;
static volatile int result;

static int transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    (void)netif;
    lan_buf_free(frame);
    return 0;
}

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return clock_ns++;
}

static void fill_random(void *ctx, void *out, size_t bytes)
{
    (void)ctx;
    for (uint8_t *to = out; bytes > 0; bytes--)
        *to++ = 4;
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    (void)ctx;
    clock_ns = deadline_ns;
}

static void block(void *ctx, struct lan_wakeup *wakeup, uint64_t deadline_ns)
{
    set_alarm(ctx, deadline_ns);
    wakeup->woken = true;
}

static void unblock(void *ctx, struct lan_wakeup *wakeup)
{
    (void)ctx;
    (void)wakeup;
}

static const struct lan_port PORT = {
    .now_ns = now_ns, .random = fill_random, .set_alarm = set_alarm, .block = block, .unblock = unblock};
static const struct lan_netif_ops OPS = {.transmit = transmit};
static struct lan_netif netif = {.ops = &OPS, .mtu = 1500, .link_up = true};

static void use_sockets(struct lan_stack *stack)
{
    static uint8_t data[64];
    struct lan_sockaddr_in peer = {.sin_family = LAN_AF_INET, .sin_port = 0x5000, .sin_addr = 0x010200c0};
    struct lan_pollfd poll = {.events = LAN_POLLIN};
    struct lan_buf *chain;
    uint32_t bytes = sizeof data;
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM, 0);

    result = lan_bind(stack, fd, &peer);
    result = lan_listen(stack, fd, 4);
    result = lan_accept(stack, fd, &peer, 0);
    result = lan_connect(stack, fd, &peer);
    result = (int)lan_send(stack, fd, data, sizeof data, 0);
    result = (int)lan_sendto(stack, fd, data, sizeof data, 0, &peer);
    result = (int)lan_recv(stack, fd, data, sizeof data, 0);
    result = (int)lan_recvfrom(stack, fd, data, sizeof data, 0, &peer);
    result = (int)lan_send_buf(stack, fd, lan_buf_alloc(lan_stack_pool(stack), 0), 0);
    result = (int)lan_recv_buf(stack, fd, &chain, sizeof data);
    result = lan_sockatmark(stack, fd);
    result = lan_fcntl(stack, fd, LAN_F_GETFL, 0);
    result = lan_setsockopt(stack, fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, data, bytes);
    result = lan_getsockopt(stack, fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, data, &bytes);
    result = lan_getsockname(stack, fd, &peer);
    result = lan_getpeername(stack, fd, &peer);
    result = lan_poll(stack, &poll, 1, 100);
    result = lan_set_notify(stack, fd, NULL, NULL);
    result = lan_ready(stack, fd, LAN_POLLIN);
    result = lan_shutdown(stack, fd, LAN_SHUT_WR);
    result = lan_close(stack, fd);
}

int main(void)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    struct lan_stack *stack = lan_stack_create(memory, sizeof memory, &PORT, &config);

    result = lan_stack_add_netif(stack, &netif);
    result = lan_netif_set_address(&netif, 0x010200c0, 0x00ffffff);
    result = lan_route_add(stack, 0, 0, 0x020200c0, &netif);
    result = lan_route_delete(stack, 0, 0);
    lan_netif_set_link(&netif, true);
    for (;;) {
        lan_netif_input(&netif, lan_buf_alloc(lan_stack_pool(stack), 2));
        lan_netif_tx_ready(&netif);
        clock_ns = lan_stack_poll(stack) + lan_stack_next_deadline(stack);
        use_sockets(stack);
    }
}
