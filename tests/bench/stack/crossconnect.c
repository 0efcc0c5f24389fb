/* SPDX-License-Identifier: Apache-2.0 */

/* host/net as a plug-in of the cross-connect bench, a harness that joins two copies of a stack through rings in memory.
 * The contract is the bench's own header stackabi.h, which is not part of this project.
 *
 * LANYARD_OFFLOAD=1 in the environment: checksums are left to an imaginary card. LANYARD_WINDOW: bytes of each socket
 * buffer. LANYARD_CONGESTION: name of the sender's congestion control. LANYARD_UDP=1: datagrams instead of streams, for
 * an echo between one client and the server.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lanyard/socket.h"
#include "stackabi.h"

enum { MAX_FRAGMENTS = 32, CONNECTIONS = 110000, BUFFERS = 2 * CONNECTIONS /* for what each may have under way */ };
enum { HEADROOM = 2 /* puts the IP header on a 4-byte boundary */ };

static const struct host_ops *host;
static struct lan_stack *stack;
static struct lan_netif netif;
static struct lan_buf *arrived, **arrived_end = &arrived; /* since the harness asked for anything else */
static bool offload, datagrams;
static struct lan_sockaddr_in client; /* whom the datagrams came from, where they are served */

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return host->now_us(host->ctx) * 1000;
}

static void fill_random(void *ctx, void *out, size_t bytes)
{
    (void)ctx;
    if (getrandom(out, bytes, 0) != (ssize_t)bytes) {
        abort();
    }
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    (void)ctx;
    (void)deadline_ns; /* the harness asks sleep_us() */
}

static const struct lan_port port = {.now_ns = now_ns, .random = fill_random, .set_alarm = set_alarm};

static int transmit(struct lan_netif *self, struct lan_buf *frame)
{
    struct hx_iov fragments[MAX_FRAGMENTS];
    int count = 0;

    (void)self;
    for (const struct lan_buf *buf = frame; buf; buf = buf->next) {
        fragments[count++] = (struct hx_iov){buf->data, buf->len};
    }
    host->tx(host->ctx, fragments, count);
    lan_buf_free(frame);
    return 0;
}

static const struct lan_netif_ops netif_ops = {.transmit = transmit};

static int init(const struct host_ops *ops, const uint8_t mac[6], uint32_t address, uint32_t netmask)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    const char *bulk_window = getenv("LANYARD_WINDOW");
    size_t bytes;

    host = ops;
    offload = getenv("LANYARD_OFFLOAD") != NULL;
    datagrams = getenv("LANYARD_UDP") != NULL;
    config.sockets = config.tcp_connections = CONNECTIONS;
    config.pool = (struct lan_pool_config){.buffers = BUFFERS, .buffer_bytes = 2048, .views = 16384};
    config.send_buffer_bytes = config.receive_buffer_bytes = bulk_window ? (uint32_t)atol(bulk_window) : 65536;
    config.send_buffer_max_bytes = config.receive_buffer_max_bytes = 0;
    bytes = (lan_stack_size(&config) + 63) & ~(size_t)63;
    stack = lan_stack_create(aligned_alloc(64, bytes), bytes, &port, &config);
    if (!stack) {
        return -1;
    }
    netif = (struct lan_netif){.ops = &netif_ops,
                               .name = "hx0",
                               .mtu = 1500,
                               .features = LAN_NETIF_SG,
                               .max_fragments = MAX_FRAGMENTS,
                               .link_up = true};
    if (offload) {
        netif.features |= LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM | LAN_NETIF_RX_CSUM;
    }
    memcpy(netif.mac, mac, sizeof(netif.mac));
    return lan_stack_add_netif(stack, &netif) || lan_netif_set_address(&netif, address, netmask);
}

static void input(const uint8_t *frame, size_t len)
{
    struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(stack), HEADROOM);

    if (!buf) {
        return;
    }
    memcpy(lan_buf_put(buf, (uint32_t)len), frame, len);
    if (offload) {
        buf->flags = LAN_BUF_IP_OK | LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK;
    }
    *arrived_end = buf;
    arrived_end = &buf->link;
}

/* What has arrived together is handed on together, as drivers do. */
static void deliver(void)
{
    if (arrived) {
        struct lan_buf *frames = arrived;

        arrived = NULL;
        arrived_end = &arrived;
        lan_netif_input(&netif, frames);
    }
}

static void poll(void)
{
    deliver();
    lan_stack_poll(stack);
}

static uint64_t sleep_us(void)
{
    uint64_t deadline = lan_stack_next_deadline(stack), now = now_ns(NULL);

    return deadline <= now ? 0 : (deadline - now + 999) / 1000;
}

/* The harness knows handles as pointers; 0 must mean none. */
static void *handle(int fd)
{
    return fd < 0 ? NULL : (void *)(intptr_t)(fd + 1);
}

static int descriptor(const void *handle)
{
    return (int)(intptr_t)handle - 1;
}

static struct lan_sockaddr_in endpoint(uint32_t address, uint16_t number)
{
    uint16_t swapped = (uint16_t)(number << 8 | number >> 8);

    return (struct lan_sockaddr_in){.sin_family = LAN_AF_INET, .sin_port = swapped, .sin_addr = address};
}

static int open_socket(void)
{
    return lan_socket(stack, LAN_AF_INET, (datagrams ? LAN_SOCK_DGRAM : LAN_SOCK_STREAM) | LAN_SOCK_NONBLOCK, 0);
}

static void *open_listener(uint16_t number)
{
    struct lan_sockaddr_in local = endpoint(0, number);
    int fd = open_socket();

    if (lan_bind(stack, fd, &local)) {
        return NULL;
    }
    return datagrams || lan_listen(stack, fd, 128) == 0 ? handle(fd) : NULL;
}

static void *accept_one(void *listener)
{
    return datagrams ? listener : handle(lan_accept(stack, descriptor(listener), NULL, LAN_SOCK_NONBLOCK));
}

static void *open_connection(uint32_t address, uint16_t number)
{
    struct lan_sockaddr_in peer = endpoint(address, number);
    int fd = open_socket();

    if (getenv("LANYARD_CONGESTION")) {
        const char *name = getenv("LANYARD_CONGESTION");

        if (lan_setsockopt(stack, fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, name, (uint32_t)strlen(name)) < 0) {
            abort();
        }
    }
    lan_connect(stack, fd, &peer); /* -EINPROGRESS; what comes of it state() tells */
    return handle(fd);
}

static int state(void *connection)
{
    int ready = lan_ready(stack, descriptor(connection), LAN_POLLOUT | LAN_POLLIN | LAN_POLLRDHUP);
    struct lan_sockaddr_in peer;

    if (ready & (LAN_POLLERR | LAN_POLLHUP)) {
        return -1;
    }
    if (ready & LAN_POLLRDHUP) {
        return 2;
    }
    return lan_getpeername(stack, descriptor(connection), &peer) == 0;
}

static void nodelay(void *connection)
{
    int on = 1;

    lan_setsockopt(stack, descriptor(connection), LAN_IPPROTO_TCP, LAN_TCP_NODELAY, &on, sizeof(on));
}

static long send_bytes(void *connection, const void *data, size_t bytes)
{
    int fd = descriptor(connection);
    long sent = client.sin_port ? lan_sendto(stack, fd, data, bytes, 0, &client) : lan_send(stack, fd, data, bytes, 0);

    return sent < 0 ? 0 : sent;
}

static long recv_bytes(void *connection, void *data, size_t bytes)
{
    int fd = descriptor(connection);

    deliver();

    long received = datagrams ? lan_recvfrom(stack, fd, data, bytes, 0, &client) : lan_recv(stack, fd, data, bytes, 0);

    return received < 0 ? 0 : received;
}

static void close_connection(void *connection)
{
    lan_close(stack, descriptor(connection));
}

static void info(void *connection, char *out, size_t bytes)
{
    (void)connection;
    snprintf(out, bytes, "retransmitted=%llu timeouts=%llu",
             (unsigned long long)lan_stack_counter(stack, "TcpRetransSegs"),
             (unsigned long long)lan_stack_counter(stack, "TcpExtTCPTimeouts"));
}

const struct stack_ops *stack_get(void)
{
    static const struct stack_ops ops = {
        .name = "lanyard",
        .init = init,
        .input = input,
        .poll = poll,
        .sleep_us = sleep_us,
        .listen = open_listener,
        .accept = accept_one,
        .connect = open_connection,
        .state = state,
        .nodelay = nodelay,
        .send = send_bytes,
        .recv = recv_bytes,
        .close = close_connection,
        .info = info,
    };

    return &ops;
}
