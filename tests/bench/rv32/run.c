/* SPDX-License-Identifier: Apache-2.0 */
/* What a segment costs on RV32: two stacks on one core, joined by a card that does checksums and moves frames by
 * itself. The instructions retired inside the stack are counted for either end, without the card's and the
 * application's own. Runs bare on QEMU's virt machine with -icount, where minstret counts exactly. Prints one JSON
 * object.
 */

#include "lanyard/socket.h"
#include "lanyard/stack.h"

#include <stdbool.h>
#include <string.h>

enum {
    PORT = 0x8913,
    BUFFER = 2048,
    CHAIN = 8,
    WARM_UP = 2000,
    SEGMENTS = 4000,
    RING = 256,
    MEMORY = 6 << 20,
    TICK_NS = 120000
};
enum { CARD = LAN_NETIF_SG | LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM | LAN_NETIF_RX_CSUM | CARD_CUTS };

struct host {
    struct lan_stack *stack;
    struct lan_netif netif;
    struct host *peer;
    struct lan_buf *ring[RING]; /* received, not yet handed to the stack */
    uint32_t head, tail;
    uint32_t instructions; /* inside the stack */
    uint32_t entered;      /* what the counter said */
    uint32_t segments;     /* received, with data */
};

static uint8_t memory[2][MEMORY] __attribute__((aligned(64)));
static struct host hosts[2];
static uint64_t clock_ns = 1;

static uint32_t retired(void)
{
    uint32_t count;

    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstret\n.option pop" : "=r"(count)::"memory");
    return count;
}

/* Between these two the host's instructions count. */
static void enter(struct host *host)
{
    host->entered = retired();
}

static void leave(struct host *host)
{
    host->instructions += retired() - host->entered;
}

static void put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
    put16(to, value >> 16);
    put16(to + 2, value);
}

/* The card writes a frame into a buffer of the other host: the headers, and `bytes` bytes at `offset` of `frame`. */
static void deliver(struct host *host, const struct lan_buf *frame, const uint8_t *headers, uint32_t header_bytes,
                    uint32_t offset, uint32_t bytes)
{
    struct lan_buf *copy = host->stack ? lan_buf_alloc(lan_stack_pool(host->stack), 2) : NULL;

    if (!copy || host->head - host->tail == RING) {
        lan_buf_free(copy);
        return;
    }
    memcpy(lan_buf_put(copy, header_bytes), headers, header_bytes);
    lan_buf_copy(frame, offset, lan_buf_put(copy, bytes), bytes);
    copy->flags = LAN_BUF_IP_OK | LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK;
    host->ring[host->head++ % RING] = copy;
    host->segments += bytes > 0;
}

/* The card cuts what is longer than a segment. */
static void put_on_wire(struct host *to, const struct lan_buf *frame)
{
    enum { IP_LENGTH = 16, TCP_SEQ = 38, HEADERS_MAX = 134 };
    uint8_t headers[HEADERS_MAX];
    bool large = frame->flags & LAN_BUF_TSO;
    uint32_t total = lan_buf_total(frame), header_bytes = large ? frame->hdr_len : frame->len;
    uint32_t piece = large ? frame->gso_size : total;

    memcpy(headers, frame->data, header_bytes);

    uint32_t sequence = (uint32_t)headers[TCP_SEQ] << 24 | (uint32_t)headers[TCP_SEQ + 1] << 16 |
                        (uint32_t)headers[TCP_SEQ + 2] << 8 | headers[TCP_SEQ + 3];
    uint32_t offset = header_bytes;

    do {
        uint32_t bytes = total - offset < piece ? total - offset : piece;

        if (large) {
            put16(headers + IP_LENGTH, header_bytes - 14 + bytes);
            put32(headers + TCP_SEQ, sequence);
        }
        deliver(to, frame, headers, header_bytes, offset, bytes);
        sequence += bytes;
        offset += bytes;
    } while (offset < total);
}

static int transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    struct host *host = netif->driver;

    leave(host);
    put_on_wire(host->peer, frame);
    enter(host);
    lan_buf_free(frame); /* by the driver, but what it costs is the stack's */
    return 0;
}

static uint64_t now_ns(void *ctx)
{
    (void)ctx;
    return clock_ns;
}

static void fill_random(void *ctx, void *out, size_t bytes)
{
    static uint32_t state = 1;

    (void)ctx;
    for (uint8_t *to = out; bytes > 0; bytes--)
        *to++ = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    (void)ctx;
    (void)deadline_ns; /* polled */
}

static const struct lan_port PORT_OPS = {.now_ns = now_ns, .random = fill_random, .set_alarm = set_alarm};
static const struct lan_netif_ops OPS = {.transmit = transmit};

static const struct lan_config CONFIG = {.pool = {.buffers = 1024, .buffer_bytes = BUFFER, .views = 2048},
                                         .sockets = 4,
                                         .udp_sockets = 1,
                                         .tcp_connections = 4,
                                         .arp_entries = 4,
                                         .routes = 2,
                                         .send_buffer_bytes = 65536,
                                         .receive_buffer_bytes = 65536};

static bool attach(int i)
{
    struct host *host = &hosts[i];

    host->peer = &hosts[!i];
    host->netif = (struct lan_netif){.ops = &OPS,
                                     .driver = host,
                                     .name = "sim",
                                     .mac = {2, 0, 0, 0, 0, (uint8_t)i},
                                     .mtu = 1500,
                                     .features = CARD,
                                     .max_fragments = 16,
                                     .link_up = true};
    return lan_stack_add_netif(host->stack, &host->netif) == 0 &&
           lan_netif_set_address(&host->netif, 0x000200c0u | (uint32_t)(i + 1) << 24, 0x00ffffff) == 0;
}

/* Everything that has arrived goes into the stack, and its timers run. */
static void serve(struct host *host)
{
    enter(host);
    struct lan_buf *frames = NULL, **end = &frames;
    for (; host->tail != host->head; end = &(*end)->link)
        *end = host->ring[host->tail++ % RING];
    if (frames)
        lan_netif_input(&host->netif, frames);
    lan_stack_poll(host->stack);
    leave(host);
}

/* A chain of the stack's buffers, as the application has filled it. */
static struct lan_buf *filled(struct host *host)
{
    struct lan_buf *chain = NULL;

    for (int i = 0; i < CHAIN; i++) {
        enter(host);
        struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(host->stack), 0);
        leave(host);
        if (!buf)
            break;
        memset(lan_buf_put(buf, BUFFER), 7, BUFFER);
        buf->next = chain;
        chain = buf;
    }
    return chain;
}

static void send(struct host *host, int fd)
{
    while (lan_ready(host->stack, fd, LAN_POLLOUT)) {
        struct lan_buf *chain = filled(host);

        enter(host);
        if (!chain || lan_send_buf(host->stack, fd, chain, 0) < 0)
            lan_buf_free(chain);
        leave(host);
        if (!chain)
            return;
    }
}

static void receive(struct host *host, int fd)
{
    struct lan_buf *chain;

    enter(host);
    while (lan_recv_buf(host->stack, fd, &chain, 1 << 20) > 0)
        lan_buf_free(chain);
    leave(host);
}

static void put(const char *text)
{
    while (*text)
        *(volatile uint8_t *)0x10000000 = (uint8_t)*text++; /* the UART */
}

static void put_number(uint32_t value)
{
    char digits[11], *at = digits + 10;

    *at = 0;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    put(at);
}

int main(void)
{
    struct host *sender = &hosts[0], *receiver = &hosts[1];
    struct lan_sockaddr_in address = {.sin_family = LAN_AF_INET, .sin_port = PORT, .sin_addr = 0x020200c0u};

    for (int i = 0; i < 2; i++)
        hosts[i].stack = lan_stack_create(memory[i], MEMORY, &PORT_OPS, &CONFIG);
    if (!sender->stack || !receiver->stack || !attach(0) || !attach(1)) {
        put("no memory\n");
        return 1;
    }

    int listener = lan_socket(receiver->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    int from = lan_socket(sender->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0), to = -1;
    bool warm = false;

    lan_bind(receiver->stack, listener, &address);
    lan_listen(receiver->stack, listener, 1);
    lan_connect(sender->stack, from, &address);
    while (receiver->segments < SEGMENTS) {
        clock_ns += TICK_NS;
        if (to < 0)
            to = lan_accept(receiver->stack, listener, NULL, LAN_SOCK_NONBLOCK);
        if (to >= 0) {
            send(sender, from);
            receive(receiver, to);
        }
        serve(receiver);
        serve(sender);
        if (!warm && receiver->segments >= WARM_UP) {
            warm = true;
            receiver->segments = sender->instructions = receiver->instructions = 0;
        }
    }
    put("{\"segments\": ");
    put_number(receiver->segments);
    put(", \"sent\": ");
    put_number(sender->instructions);
    put(", \"received\": ");
    put_number(receiver->instructions);
    put("}\n");
    *(volatile uint32_t *)0x100000 = 0x5555; /* the machine's off switch */
    return 0;
}
