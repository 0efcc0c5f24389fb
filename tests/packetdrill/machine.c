/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

enum { ETH_BYTES = 14, ARP_BYTES = 28, HEADROOM = 2 /* the IP header on a 4-byte boundary */ };
enum { TYPE_IP = 0x0800, TYPE_ARP = 0x0806, ARP_REPLY = 2 };

static const uint8_t OWN_MAC[6] = {2, 0, 0, 0, 0, 1}, GATEWAY_MAC[6] = {2, 0, 0, 0, 0, 2};

/* A thread in a call that blocks. */
struct sleeper {
    struct sleeper *next;
    struct lan_wakeup *wakeup;
    uint64_t deadline_ns;
    bool conductor, roused;
};

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void rouse(struct machine *m, struct sleeper *sleeper)
{
    if (sleeper->roused)
        return;
    sleeper->roused = true;
    if (!sleeper->conductor)
        m->running++;
    pthread_cond_broadcast(&m->changed);
}

/* An Ethernet frame into the stack. */
static void deliver(struct machine *m, unsigned type, const void *payload, size_t bytes)
{
    struct lan_buf *frame = lan_buf_alloc(lan_stack_pool(m->stack), HEADROOM);

    if (!frame || bytes + ETH_BYTES > lan_buf_tailroom(frame)) {
        lan_buf_free(frame);
        return;
    }
    uint8_t *p = lan_buf_put(frame, (uint32_t)(ETH_BYTES + bytes));

    memcpy(p, OWN_MAC, 6);
    memcpy(p + 6, GATEWAY_MAC, 6);
    put16(p + 12, type);
    memcpy(p + ETH_BYTES, payload, bytes);
    lan_netif_input(&m->netif, frame);
}

/* Every address of the link has the gateway's MAC address. */
static void answer_arp(struct machine *m)
{
    static const uint8_t ETHERNET_AND_IPV4[] = {0, 1, 8, 0, 6, 4};
    uint8_t arp[ARP_BYTES];

    if (!m->asked)
        return;
    m->asked = false;
    memcpy(arp, ETHERNET_AND_IPV4, sizeof ETHERNET_AND_IPV4);
    put16(arp + 6, ARP_REPLY);
    memcpy(arp + 8, GATEWAY_MAC, 6);
    memcpy(arp + 14, &m->asked_for, 4);
    memcpy(arp + 18, OWN_MAC, 6);
    memcpy(arp + 24, &m->asked_from, 4);
    deliver(m, TYPE_ARP, arp, sizeof arp);
}

static int transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    struct machine *m = netif->driver;
    uint32_t bytes = lan_buf_total(frame);
    uint8_t header[ETH_BYTES];

    lan_buf_copy(frame, 0, header, sizeof header);
    if (header[12] == TYPE_ARP >> 8 && header[13] == (TYPE_ARP & 255)) {
        lan_buf_copy(frame, ETH_BYTES + 14, &m->asked_from, 4);
        lan_buf_copy(frame, ETH_BYTES + 24, &m->asked_for, 4);
        m->asked = m->asked_from != m->asked_for; /* else it only announces itself */
    } else {
        struct packet *packet = malloc(sizeof *packet + bytes);

        if (!packet)
            abort();
        *packet = (struct packet){.sent_ns = m->now_ns, .bytes = bytes - ETH_BYTES};
        lan_buf_copy(frame, ETH_BYTES, packet->data, (uint32_t)packet->bytes);
        *m->last = packet;
        m->last = &packet->next;
    }
    lan_buf_free(frame);
    return 0;
}

static const struct lan_netif_ops OPERATIONS = {.transmit = transmit};

/* Conductor: nothing runs but itself, and the stack knows what it asked for. */
static void settle(struct machine *m)
{
    answer_arp(m);
    while (m->running)
        pthread_cond_wait(&m->changed, &m->lock);
    answer_arp(m);
}

static uint64_t next_event(const struct machine *m)
{
    uint64_t next = m->alarm_ns;

    for (const struct sleeper *s = m->sleepers; s; s = s->next) {
        if (s->deadline_ns < next)
            next = s->deadline_ns;
    }
    return next;
}

/* Conductor: to the next thing that time brings, or to `until_ns`. */
static void step(struct machine *m, uint64_t until_ns)
{
    uint64_t next = next_event(m);

    if (next > until_ns)
        next = until_ns;
    if (next > m->now_ns)
        m->now_ns = next;
    if (m->alarm_ns <= m->now_ns)
        m->alarm_ns = lan_stack_poll(m->stack);
    for (struct sleeper *s = m->sleepers; s; s = s->next) {
        if (s->deadline_ns <= m->now_ns)
            rouse(m, s);
    }
    settle(m);
}

static uint64_t now_ns(void *ctx)
{
    return ((struct machine *)ctx)->now_ns;
}

/* SplitMix64: every run of a script draws the same. */
static void random_bytes(void *ctx, void *out, size_t bytes)
{
    struct machine *m = ctx;

    for (uint8_t *p = out; bytes--;) {
        uint64_t z = m->random += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        *p++ = (uint8_t)(z >> 56);
    }
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    ((struct machine *)ctx)->alarm_ns = deadline_ns;
}

static void block(void *ctx, struct lan_wakeup *wakeup, uint64_t deadline_ns)
{
    struct machine *m = ctx;
    struct sleeper sleeper = {m->sleepers, wakeup, deadline_ns, pthread_equal(pthread_self(), m->conductor), false};

    answer_arp(m);
    if (wakeup->woken)
        return;
    wakeup->task = &sleeper;
    m->sleepers = &sleeper;
    if (!sleeper.conductor) {
        m->running--;
        pthread_cond_broadcast(&m->changed);
    }
    while (!sleeper.roused) {
        if (sleeper.conductor && next_event(m) != LAN_NEVER)
            step(m, LAN_NEVER);
        else
            pthread_cond_wait(&m->changed, &m->lock);
    }
    for (struct sleeper **link = &m->sleepers; *link; link = &(*link)->next) {
        if (*link == &sleeper) {
            *link = sleeper.next;
            break;
        }
    }
    wakeup->task = NULL;
}

static void unblock(void *ctx, struct lan_wakeup *wakeup)
{
    if (wakeup->task)
        rouse(ctx, wakeup->task);
}

static struct lan_stack *create_stack(struct machine *m, const struct lan_config *config)
{
    size_t bytes = (lan_stack_size(config) + 63) & ~(size_t)63;

    m->memory = aligned_alloc(64, bytes);
    return m->memory ? lan_stack_create(m->memory, bytes, &m->port, config) : NULL;
}

struct machine *machine_create(const struct machine_config *config)
{
    struct machine *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->changed, NULL);
    m->conductor = pthread_self();
    m->alarm_ns = LAN_NEVER;
    m->last = &m->first;
    m->port = (struct lan_port){m, now_ns, random_bytes, set_alarm, block, unblock};
    m->netif = (struct lan_netif){.ops = &OPERATIONS, .driver = m, .name = "pd0", .mtu = 1500, .link_up = true};
    memcpy(m->netif.mac, OWN_MAC, 6);
    m->stack = create_stack(m, &config->stack);
    if (!m->stack || lan_stack_add_netif(m->stack, &m->netif) ||
        lan_netif_set_address(&m->netif, config->address, config->netmask) ||
        lan_route_add(m->stack, 0, 0, config->gateway, &m->netif)) {
        machine_destroy(m);
        return NULL;
    }
    return m;
}

void machine_destroy(struct machine *m)
{
    while (m->first) {
        struct packet *packet = m->first;

        m->first = packet->next;
        free(packet);
    }
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    free(m->memory);
    free(m);
}

void machine_enter(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    if (!pthread_equal(pthread_self(), m->conductor))
        m->running++;
}

void machine_leave(struct machine *m)
{
    answer_arp(m);
    if (!pthread_equal(pthread_self(), m->conductor)) {
        m->running--;
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->lock);
}

void machine_advance(struct machine *m, uint64_t ns)
{
    pthread_mutex_lock(&m->lock);
    settle(m);
    for (uint64_t until_ns = m->now_ns + ns; m->now_ns < until_ns;)
        step(m, until_ns);
    pthread_mutex_unlock(&m->lock);
}

void machine_receive(struct machine *m, const void *packet, size_t bytes)
{
    pthread_mutex_lock(&m->lock);
    settle(m);
    deliver(m, TYPE_IP, packet, bytes);
    settle(m);
    pthread_mutex_unlock(&m->lock);
}

struct packet *machine_sent(struct machine *m, uint64_t limit_ns)
{
    pthread_mutex_lock(&m->lock);
    settle(m);
    for (uint64_t until_ns = m->now_ns + limit_ns; !m->first && m->now_ns < until_ns;)
        step(m, until_ns);

    struct packet *packet = m->first;

    if (packet) {
        m->first = packet->next;
        if (!m->first)
            m->last = &m->first;
    }
    pthread_mutex_unlock(&m->lock);
    return packet;
}
