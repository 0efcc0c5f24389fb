/* SPDX-License-Identifier: Apache-2.0 */
/* The bare stack: an interface whose other end is the script, and a clock that only the script moves. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

enum { HEADROOM = 2 /* the IP header on a 4-byte boundary */ };

struct world {
    uint64_t alarm_ns, random;
    struct lan_netif netif;
    struct lan_port port;
    void *memory;
    bool asked; /* the stack asked for a MAC address */
    uint8_t question[WORLD_ARP_BYTES];
};

const bool WORLD_HAS_CARD = false;

/* An Ethernet frame into the stack; a script may send packets larger than the interface's MTU, as if merged on the way.
 */
static void deliver(struct machine *m, unsigned type, const void *payload, size_t bytes)
{
    struct lan_buf *frame = NULL, **link = &frame;
    size_t at = 0;

    while (at < bytes && (*link = lan_buf_alloc(lan_stack_pool(m->stack), HEADROOM)) != NULL) {
        if (!at)
            world_put_header(lan_buf_put(frame, WORLD_ETH_BYTES), type);

        size_t room = lan_buf_tailroom(*link), n = bytes - at < room ? bytes - at : room;

        memcpy(lan_buf_put(*link, (uint32_t)n), (const uint8_t *)payload + at, n);
        at += n;
        link = &(*link)->next;
    }
    if (at == bytes)
        lan_netif_input(&m->world->netif, frame);
    else
        lan_buf_free(frame);
}

static int transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    struct machine *m = netif->driver;
    uint32_t bytes = lan_buf_total(frame);
    uint8_t *data = malloc(bytes);

    if (!data)
        abort();
    lan_buf_copy(frame, 0, data, bytes);
    lan_buf_free(frame);
    if (data[12] == WORLD_TYPE_ARP >> 8 && data[13] == (WORLD_TYPE_ARP & 255)) {
        m->world->asked = true;
        memcpy(m->world->question, data + WORLD_ETH_BYTES, WORLD_ARP_BYTES);
    } else {
        machine_emit(m, data + WORLD_ETH_BYTES, bytes - WORLD_ETH_BYTES, m->now_ns);
    }
    free(data);
    return 0;
}

static const struct lan_netif_ops OPERATIONS = {.transmit = transmit};

void world_settle(struct machine *m)
{
    uint8_t answer[WORLD_ARP_BYTES];

    if (!m->world->asked)
        return;
    m->world->asked = false;
    if (world_answer_arp(m->world->question, answer))
        deliver(m, WORLD_TYPE_ARP, answer, sizeof answer);
}

uint64_t world_next(const struct machine *m)
{
    return m->world->alarm_ns;
}

void world_step(struct machine *m, uint64_t until_ns)
{
    if (until_ns > m->now_ns)
        m->now_ns = until_ns;
    if (m->world->alarm_ns <= m->now_ns)
        m->world->alarm_ns = lan_stack_poll(m->stack);
}

void world_receive(struct machine *m, const void *packet, size_t bytes)
{
    deliver(m, WORLD_TYPE_IP, packet, bytes);
}

static uint64_t now_ns(void *ctx)
{
    return ((struct machine *)ctx)->now_ns;
}

static void random_bytes(void *ctx, void *out, size_t bytes)
{
    machine_random(&((struct machine *)ctx)->world->random, out, bytes);
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    ((struct machine *)ctx)->world->alarm_ns = deadline_ns;
}

static void block(void *ctx, struct lan_wakeup *wakeup, uint64_t deadline_ns)
{
    machine_block(ctx, wakeup, deadline_ns);
}

static void unblock(void *ctx, struct lan_wakeup *wakeup)
{
    machine_unblock(ctx, wakeup);
}

bool world_create(struct machine *m, const struct machine_config *config)
{
    struct world *w = calloc(1, sizeof *w);
    size_t bytes = (lan_stack_size(&config->stack) + 63) & ~(size_t)63;

    m->world = w;
    if (!w || !(w->memory = aligned_alloc(64, bytes)))
        return false;
    w->alarm_ns = LAN_NEVER;
    w->port = (struct lan_port){m, now_ns, random_bytes, set_alarm, block, unblock};
    w->netif = (struct lan_netif){.ops = &OPERATIONS, .driver = m, .name = "pd0", .mtu = 1500, .link_up = true};
    memcpy(w->netif.mac, WORLD_OWN_MAC, 6);
    m->stack = lan_stack_create(w->memory, bytes, &w->port, &config->stack);
    return m->stack && !lan_stack_add_netif(m->stack, &w->netif) &&
           !lan_netif_set_address(&w->netif, config->address, config->netmask) &&
           !lan_route_add(m->stack, 0, 0, config->gateway, &w->netif);
}

void world_destroy(struct machine *m)
{
    if (m->world)
        free(m->world->memory);
    free(m->world);
}
