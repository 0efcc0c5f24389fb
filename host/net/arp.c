/* SPDX-License-Identifier: Apache-2.0 */
#include "arp.h"
#include "icmp.h"
#include "netif_internal.h"
#include "stack_internal.h"

#include <errno.h>

/* A packet as it stands in a frame (RFC 826). */
struct arp_packet {
    uint8_t begin[6];      /* ETHERNET_AND_IPV4 */
    lan_field16 operation; /* in network order */
    uint8_t sender_mac[6];
    uint8_t sender[4];
    uint8_t target_mac[6];
    uint8_t target[4];
};

/* Hardware and protocol, and the sizes of their addresses. */
static const uint8_t ETHERNET_AND_IPV4[] = {0x00, 0x01, 0x08, 0x00, 6, 4};

enum { OP_REQUEST = 1, OP_REPLY = 2 };

enum {
    REACHABLE_S = 60,
    RETRY_S = 1, /* RFC 1122 2.3.2.1: at most one request per second and destination */
    FAILED_S = 1,
    DEFEND_S = 10, /* RFC 5227 2.4: DEFEND_INTERVAL */
};

enum {
    TRIES = 3,
    PENDING_PER_NEIGHBOUR = 64, /* a fragmented datagram of 64 KiB fits */
    SEARCH_STEPS = 32,          /* how many entries a search for a victim looks at */
};

static void timer_fired(struct lan_timer *timer);

void lan_arp_init(struct lan_stack *stack)
{
    struct lan_arp *arp = &stack->arp;

    arp->free = arp->entries;
    arp->pending_max = stack->config.pool.buffers / 16 + 1;
    arp->group.state = LAN_NEIGHBOUR_REACHABLE;
}

/* The chain of an address: the middle of its product with a secret number, so that neighbouring addresses fall apart,
 * and nobody can aim at one chain. */
LAN_SHARED static struct lan_neighbour **bucket(struct lan_stack *stack, uint32_t address)
{
    return &stack->arp.buckets[(stack->random.arp_key * address) >> 32 & stack->arp.bucket_mask];
}

static struct lan_neighbour *find(struct lan_netif *netif, uint32_t address)
{
    struct lan_neighbour *n = *bucket(netif->stack, address);

    while (n && (n->address != address || n->netif != netif))
        n = n->next;
    return n;
}

/* Takes the packets that wait, joined by `link`. */
LAN_RARE static struct lan_buf *take_pending(struct lan_neighbour *n)
{
    struct lan_buf *packets = n->pending_head;

    n->netif->stack->arp.pending -= n->pending_count;
    n->pending_head = NULL;
    n->pending_count = 0;
    return packets;
}

static void expect_within(struct lan_neighbour *n, uint32_t seconds)
{
    lan_stack_set_timer(n->netif->stack, &n->timer, seconds);
}

static void release(struct lan_neighbour *n)
{
    struct lan_stack *stack = n->netif->stack;
    struct lan_neighbour **link = bucket(stack, n->address);

    lan_timer_cancel(&n->timer);
    for (struct lan_buf *packet = take_pending(n), *next; packet; packet = next) {
        next = packet->link;
        lan_drop(packet, &stack->counters.arp_pending_drops);
    }
    while (*link != n)
        link = &(*link)->next;
    *link = n->next;
    n->generation++;
    n->state = LAN_NEIGHBOUR_FREE;
    n->next = stack->arp.free;
    stack->arp.free = n;
}

/* How little would be lost with an entry: 0, it is in use. */
static int expendability(const struct lan_neighbour *n)
{
    return n->state >= LAN_NEIGHBOUR_INCOMPLETE ? n->state : !n->used;
}

/* Frees the most expendable of the next entries under the hand, if it is at least as expendable as asked. */
static void replace_one(struct lan_stack *stack, int at_least)
{
    struct lan_arp *arp = &stack->arp;
    uint32_t count = stack->config.arp_entries;
    struct lan_neighbour *victim = NULL;

    for (uint32_t i = 0; i < SEARCH_STEPS && i < count; i++) {
        struct lan_neighbour *n = &arp->entries[arp->hand];

        arp->hand = arp->hand + 1 == count ? 0 : arp->hand + 1;
        if (expendability(n) >= at_least) {
            victim = n;
            at_least = expendability(n) + 1;
        }
    }
    if (victim)
        release(victim);
}

/* A new entry in state INCOMPLETE; NULL if that would cost one that is worth more than `at_least` allows. */
static struct lan_neighbour *create(struct lan_netif *netif, uint32_t address, int at_least)
{
    struct lan_stack *stack = netif->stack;
    struct lan_arp *arp = &stack->arp;

    if (!arp->free)
        replace_one(stack, at_least);

    struct lan_neighbour *n = arp->free;
    if (!n) {
        LAN_COUNT(stack, arp_table_full);
        return NULL;
    }
    struct lan_neighbour **chain = bucket(stack, address);

    arp->free = n->next;
    n->netif = netif;
    n->address = address;
    n->timer.fire = timer_fired;
    n->state = LAN_NEIGHBOUR_INCOMPLETE;
    n->tries = 0;
    n->used = false;
    n->next = *chain;
    *chain = n;
    return n;
}

struct lan_neighbour *lan_arp_entry(struct lan_netif *netif, uint32_t address)
{
    struct lan_neighbour *n = find(netif, address);

    return n ? n : create(netif, address, 0);
}

void lan_arp_invalidate_flows(struct lan_stack *stack)
{
    stack->arp.group.generation++;
    for (uint32_t i = 0; i < stack->config.arp_entries; i++)
        stack->arp.entries[i].generation++;
}

/* A request's target is whom it looks for, a reply's whom it goes to. */
static void send_arp(struct lan_netif *netif, uint16_t operation, const uint8_t *to_mac, uint32_t target)
{
    struct lan_buf *frame = lan_buf_alloc(netif->stack->pool, LAN_HEADROOM);

    if (!frame) {
        LAN_COUNT(netif->stack, link_out_no_buffers);
        return;
    }

    struct arp_packet *arp = (void *)lan_buf_put(frame, sizeof *arp);

    memcpy(arp->begin, ETHERNET_AND_IPV4, sizeof arp->begin);
    arp->operation = lan_htons(operation);
    memcpy(arp->sender_mac, netif->mac, 6);
    memcpy(arp->sender, &netif->address, 4);
    memset(arp->target_mac, 0, 6);
    lan_store32(arp->target, target);
    if (operation == OP_REQUEST) {
        LAN_COUNT(netif->stack, arp_out_requests);
    } else {
        memcpy(arp->target_mac, to_mac, 6);
        LAN_COUNT(netif->stack, arp_out_replies);
    }
    lan_eth_output(netif, frame, to_mac, LAN_ETH_ARP);
}

/* RFC 5227 2.3: a request for our own address. */
void lan_arp_announce(struct lan_netif *netif)
{
    if (!(netif->features & LAN_NETIF_LOOPBACK))
        send_arp(netif, OP_REQUEST, LAN_ETH_BROADCAST, netif->address);
}

/* Asks once more, everybody or just the one who used to answer (RFC 1122 2.3.2.1 (2)), and waits a second. */
static void ask(struct lan_neighbour *n)
{
    n->tries++;
    send_arp(n->netif, OP_REQUEST, n->state == LAN_NEIGHBOUR_PROBE ? n->mac : LAN_ETH_BROADCAST, n->address);
    expect_within(n, RETRY_S);
}

static void start_asking(struct lan_neighbour *n, enum lan_neighbour_state state)
{
    if (state == LAN_NEIGHBOUR_INCOMPLETE)
        n->generation++; /* flows must wait with their packets now */
    n->state = (uint8_t)state;
    n->tries = 0;
    ask(n);
}

/* Nobody answered: whoever sent the packets that waited learns it as from a router (RFC 1122 2.3.2.2). */
static void fail(struct lan_neighbour *n)
{
    struct lan_stack *stack = n->netif->stack;

    LAN_COUNT(stack, arp_unresolved);
    n->state = LAN_NEIGHBOUR_FAILED;
    expect_within(n, FAILED_S);
    for (struct lan_buf *packet = take_pending(n), *next; packet; packet = next) {
        next = packet->link;
        lan_icmp_deliver_error(stack, packet->data, packet->len, LAN_ICMP_UNREACHABLE, LAN_UNREACHABLE_HOST, 0);
        lan_buf_free(packet);
    }
}

static void timer_fired(struct lan_timer *timer)
{
    struct lan_neighbour *n =
        (struct lan_neighbour *)(void *)((uint8_t *)timer - offsetof(struct lan_neighbour, timer));

    switch (n->state) {
    case LAN_NEIGHBOUR_REACHABLE:
        if (n->used)
            start_asking(n, LAN_NEIGHBOUR_PROBE);
        else
            release(n);
        break;
    case LAN_NEIGHBOUR_PROBE:
        if (n->tries < TRIES)
            ask(n);
        else
            start_asking(n, LAN_NEIGHBOUR_INCOMPLETE);
        break;
    case LAN_NEIGHBOUR_INCOMPLETE:
        if (n->tries < TRIES)
            ask(n);
        else
            fail(n);
        break;
    default:
        release(n);
    }
}

int lan_arp_wait(struct lan_neighbour *n, struct lan_buf *packet)
{
    struct lan_stack *stack = n->netif->stack;

    if (n->state == LAN_NEIGHBOUR_FAILED) {
        lan_buf_free(packet);
        return -EHOSTUNREACH;
    }
    if (n->pending_count == PENDING_PER_NEIGHBOUR || stack->arp.pending == stack->arp.pending_max) {
        lan_drop(packet, &stack->counters.arp_pending_drops);
    } else {
        packet->link = NULL;
        if (n->pending_head)
            n->pending_tail->link = packet;
        else
            n->pending_head = packet;
        n->pending_tail = packet;
        n->pending_count++;
        stack->arp.pending++;
    }
    if (n->tries == 0)
        ask(n);
    return 0;
}

/* `mac` is what we believe from now on; packets that waited go out. */
static void confirm(struct lan_neighbour *n, const uint8_t mac[6])
{
    struct lan_netif *netif = n->netif;

    memcpy(n->mac, mac, 6);
    n->state = LAN_NEIGHBOUR_REACHABLE;
    n->used = n->pending_count > 0;
    expect_within(n, REACHABLE_S);
    for (struct lan_buf *packet = take_pending(n), *next; packet; packet = next) {
        next = packet->link;
        lan_eth_output(netif, packet, mac, LAN_ETH_IPV4);
    }
}

/* Somebody says that `n`'s address is his. A live entry is not given up on his word: the one we know is asked, and only
 * when he is silent everybody is (so a forged announcement diverts nothing, and a host that moved is found soon). */
static void hear(struct lan_neighbour *n, const uint8_t mac[6])
{
    if (!lan_neighbour_resolved(n) || lan_same_mac(n->mac, mac)) {
        confirm(n, mac);
    } else if (n->state == LAN_NEIGHBOUR_REACHABLE) {
        LAN_COUNT(n->netif->stack, arp_in_conflicts);
        start_asking(n, LAN_NEIGHBOUR_PROBE);
    }
}

static bool is_host_mac(const uint8_t *mac)
{
    return !(mac[0] & 1) && (lan_load16(mac) | lan_load16(mac + 2) | lan_load16(mac + 4));
}

static bool is_request(const struct arp_packet *arp)
{
    return arp->operation == lan_htons(OP_REQUEST);
}

static bool valid(const struct lan_netif *netif, const struct arp_packet *arp, uint32_t sender)
{
    if (memcmp(arp->begin, ETHERNET_AND_IPV4, sizeof arp->begin) != 0)
        return false;
    if (!is_request(arp) && arp->operation != lan_htons(OP_REPLY))
        return false;
    if (!is_host_mac(arp->sender_mac))
        return false;
    if (sender == 0) /* a probe, RFC 5227 1.1 */
        return is_request(arp);
    return ((sender ^ netif->address) & netif->netmask) == 0 && !lan_ip_is_group(netif->stack, sender);
}

/* Another host uses our address (RFC 5227 2.4 (b)): we say once in a while that it is ours. */
static void defend(struct lan_netif *netif)
{
    struct lan_stack *stack = netif->stack;
    uint64_t now = lan_now(stack);

    LAN_COUNT(stack, arp_in_conflicts);
    if (now < stack->arp.defend_again_ns)
        return;
    stack->arp.defend_again_ns = now + DEFEND_S * LAN_SECOND_NS;
    lan_arp_announce(netif);
}

static void handle(struct lan_netif *netif, const struct arp_packet *arp, uint32_t sender)
{
    bool asks_us = is_request(arp) && lan_load32(arp->target) == netif->address;
    struct lan_neighbour *n = sender ? find(netif, sender) : NULL;

    if (sender == netif->address) {
        if (!lan_same_mac(arp->sender_mac, netif->mac))
            defend(netif);
        return;
    }
    /* RFC 826: who asks for us will hear from us, so his address is worth an entry; what nobody asked for is not. */
    if (!n && asks_us && sender)
        n = create(netif, sender, 1);
    if (n)
        hear(n, arp->sender_mac);
    if (asks_us)
        send_arp(netif, OP_REPLY, arp->sender_mac, sender);
}

LAN_RARE void lan_arp_input(struct lan_netif *netif, struct lan_buf *packet)
{
    struct lan_stack *stack = netif->stack;
    bool good = netif->address && lan_buf_pullup(packet, sizeof(struct arp_packet));
    const struct arp_packet *arp = (const void *)packet->data;
    uint32_t sender;

    if (good)
        memcpy(&sender, arp->sender, 4);
    if (!good || !valid(netif, arp, sender)) {
        LAN_COUNT(stack, arp_in_errors);
    } else {
        if (is_request(arp))
            LAN_COUNT(stack, arp_in_requests);
        else
            LAN_COUNT(stack, arp_in_replies);
        handle(netif, arp, sender);
    }
    lan_buf_free(packet);
}
