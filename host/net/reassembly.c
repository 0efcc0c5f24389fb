/* SPDX-License-Identifier: Apache-2.0 */
#include "reassembly.h"
#include "icmp.h"
#include "stack_internal.h"

#include <assert.h>

#define TIMEOUT_NS UINT64_C(30000000000)

/* Where a fragment lies in its datagram; kept in the scratch words of its buffer. */
enum { BEGIN, END, HEADER_BYTES };

enum { MORE_FRAGMENTS = 0x2000, OFFSET_MASK = 0x1fff };
enum { NOT_ECT = 0, CE = 3, CODEPOINT = 3 }; /* RFC 3168 5 */

static void timer_fired(struct lan_timer *timer);

void lan_reassembly_init(struct lan_stack *stack)
{
    stack->reassembly.fragments_max = stack->config.pool.buffers / 4;
    for (int i = 0; i < LAN_REASSEMBLY_DATAGRAMS; i++)
        stack->reassembly.datagrams[i].timer.fire = timer_fired;
}

static void free_fragments(struct lan_datagram *d)
{
    while (d->fragments) {
        struct lan_buf *fragment = d->fragments;

        d->fragments = fragment->link;
        lan_buf_free(fragment);
    }
    d->stack->reassembly.fragments -= d->count;
    d->count = 0;
}

static void release(struct lan_datagram *d)
{
    free_fragments(d);
    lan_timer_cancel(&d->timer);
    d->stack = NULL;
}

static void fill_info(const struct lan_datagram *d, struct lan_ip_info *info)
{
    *info = (struct lan_ip_info){.netif = d->netif,
                                 .src = d->src,
                                 .dst = d->dst,
                                 .bytes = d->fragments->scratch[END],
                                 .header_bytes = (uint8_t)d->fragments->scratch[HEADER_BYTES],
                                 .tos = d->fragments->data[1],
                                 .ttl = d->fragments->data[8],
                                 .protocol = d->protocol,
                                 .to_group = d->to_group};
}

/* RFC 1122 3.3.2: the sender is told, but only when the first fragment is here to be quoted. */
static void timer_fired(struct lan_timer *timer)
{
    struct lan_datagram *d = (struct lan_datagram *)(void *)((uint8_t *)timer - offsetof(struct lan_datagram, timer));
    struct lan_stack *stack = d->stack;

    LAN_COUNT(stack, ip_reasm_timeout);
    LAN_COUNT(stack, ip_reasm_fails);
    if (d->fragments && d->fragments->scratch[BEGIN] == 0) {
        struct lan_ip_info info;

        fill_info(d, &info);
        lan_buf_pull(d->fragments, info.header_bytes);
        lan_icmp_error(stack, d->fragments, &info, LAN_ICMP_TIME_EXCEEDED, LAN_TIME_REASSEMBLY);
    }
    release(d);
}

static bool matches(const struct lan_datagram *d, const uint8_t *ip)
{
    return d->stack && d->id == lan_get16(ip + 4) && d->protocol == ip[9] && d->src == lan_load32(ip + 12) &&
           d->dst == lan_load32(ip + 16);
}

static bool older(const struct lan_datagram *a, const struct lan_datagram *b)
{
    return !b || a->timer.deadline_ns < b->timer.deadline_ns;
}

/* A slot for a new datagram: a free one, else the oldest; for a source with its full share the oldest of its own. */
static struct lan_datagram *make_room(struct lan_stack *stack, uint32_t src)
{
    struct lan_datagram *vacant = NULL, *oldest = NULL, *oldest_of_source = NULL;
    int of_source = 0;

    for (int i = 0; i < LAN_REASSEMBLY_DATAGRAMS; i++) {
        struct lan_datagram *d = &stack->reassembly.datagrams[i];

        if (!d->stack) {
            vacant = d;
            continue;
        }
        if (older(d, oldest))
            oldest = d;
        if (d->src != src)
            continue;
        of_source++;
        if (older(d, oldest_of_source))
            oldest_of_source = d;
    }

    struct lan_datagram *victim = of_source >= LAN_REASSEMBLY_PER_SOURCE ? oldest_of_source : oldest;

    if (vacant && of_source < LAN_REASSEMBLY_PER_SOURCE)
        return vacant;
    LAN_COUNT(stack, ip_reasm_evicted);
    LAN_COUNT(stack, ip_reasm_fails);
    release(victim);
    return victim;
}

static struct lan_datagram *find_or_create(struct lan_netif *netif, const struct lan_buf *fragment, bool to_group)
{
    struct lan_stack *stack = netif->stack;
    const uint8_t *ip = fragment->data;
    struct lan_datagram *d;

    for (int i = 0; i < LAN_REASSEMBLY_DATAGRAMS; i++)
        if (matches(&stack->reassembly.datagrams[i], ip))
            return &stack->reassembly.datagrams[i];

    d = make_room(stack, lan_load32(ip + 12));
    *d = (struct lan_datagram){.stack = stack,
                               .netif = netif,
                               .src = lan_load32(ip + 12),
                               .dst = lan_load32(ip + 16),
                               .id = lan_get16(ip + 4),
                               .protocol = ip[9],
                               .to_group = to_group,
                               .timer = {.fire = timer_fired}};
    lan_timer_set(&stack->timers, &d->timer, lan_now(stack) + TIMEOUT_NS);
    return d;
}

/* RFC 5722, as for IPv6: nobody honest sends overlapping fragments, so the datagram is given up, and what still comes
 * of it is dropped until its time is over. */
static void poison(struct lan_datagram *d)
{
    LAN_COUNT(d->stack, ip_reasm_fails);
    free_fragments(d);
    d->poisoned = true;
}

enum verdict { KEPT, DUPLICATE, IMPOSSIBLE };

/* Puts a fragment in its place. */
static enum verdict insert(struct lan_datagram *d, struct lan_buf *fragment, bool last)
{
    uint32_t begin = fragment->scratch[BEGIN], end = fragment->scratch[END];
    struct lan_buf **place = &d->fragments;

    while (*place && (*place)->scratch[BEGIN] < begin) {
        if ((*place)->scratch[END] > begin)
            return IMPOSSIBLE;
        place = &(*place)->link;
    }
    if (*place && (*place)->scratch[BEGIN] == begin && (*place)->scratch[END] == end)
        return DUPLICATE;
    if (*place && (*place)->scratch[BEGIN] < end)
        return IMPOSSIBLE;
    if (d->total ? last || end > d->total : last && *place)
        return IMPOSSIBLE; /* two ends, or bytes behind the end */
    if (last)
        d->total = end;
    fragment->link = *place;
    *place = fragment;
    d->received += end - begin;
    d->count++;
    d->stack->reassembly.fragments++;
    return KEPT;
}

/* RFC 3168 5.3: a mark on any fragment marks the whole. But who sends what cannot be marked must not be told by a mark.
 */
static bool ecn_consistent(const struct lan_datagram *d)
{
    return !(d->ecn_seen >> NOT_ECT & 1) || !(d->ecn_seen >> CE & 1);
}

/* Joins the fragments to one packet, with the IP header of the first. */
static struct lan_buf *join(struct lan_datagram *d, struct lan_ip_info *info)
{
    struct lan_buf *packet = d->fragments;
    struct lan_buf *tail = packet;

    fill_info(d, info);
    if (d->ecn_seen >> CE & 1)
        info->tos |= CE;
    for (struct lan_buf *fragment = packet->link; fragment; fragment = fragment->link) {
        lan_buf_pull(fragment, fragment->scratch[HEADER_BYTES]);
        while (tail->next)
            tail = tail->next;
        tail->next = fragment;
    }
    d->fragments = NULL;
    packet->flags &= ~(uint32_t)(LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK); /* no card sums over fragments */
    info->bytes = lan_buf_total(packet) - info->header_bytes;
    return packet;
}

/* Whether the fragment's place makes sense; stores it in the fragment. */
static bool locate(struct lan_buf *fragment, uint32_t header_bytes, bool *last)
{
    uint16_t field = lan_get16(fragment->data + 6);
    uint32_t bytes = lan_buf_total(fragment) - header_bytes;
    uint32_t begin = (field & OFFSET_MASK) * 8u;

    *last = !(field & MORE_FRAGMENTS);
    fragment->scratch[BEGIN] = begin;
    fragment->scratch[END] = begin + bytes;
    fragment->scratch[HEADER_BYTES] = header_bytes;
    return bytes > 0 && (*last || bytes % 8 == 0) && header_bytes + begin + bytes <= UINT16_MAX;
}

/* Half a datagram may wait for half a minute: not in the memory that is for the rest of the stack. */
static bool memory_is_short(const struct lan_stack *stack)
{
    return stack->reassembly.fragments >= stack->reassembly.fragments_max ||
           lan_pool_free_buffers(stack->pool) < stack->config.pool.buffers / 8;
}

struct lan_buf *lan_reassemble(struct lan_buf *fragment, struct lan_ip_info *info)
{
    struct lan_stack *stack = info->netif->stack;
    struct lan_buf *packet = NULL;
    bool last;

    LAN_COUNT(stack, ip_reasm_reqds);
    if (!locate(fragment, info->header_bytes, &last)) {
        LAN_COUNT(stack, ip_reasm_fails);
        lan_buf_free(fragment);
        return NULL;
    }

    struct lan_datagram *d = find_or_create(info->netif, fragment, info->to_group);

    if (d->poisoned || d->count == LAN_REASSEMBLY_FRAGMENTS || memory_is_short(stack)) {
        LAN_COUNT(stack, ip_in_discards);
        lan_buf_free(fragment);
        return NULL;
    }
    switch (insert(d, fragment, last)) {
    case DUPLICATE:
        LAN_COUNT(stack, ip_reasm_duplicates);
        lan_buf_free(fragment);
        break;
    case IMPOSSIBLE:
        LAN_COUNT(stack, ip_reasm_overlaps);
        lan_buf_free(fragment);
        poison(d);
        break;
    case KEPT:
        d->ecn_seen |= (uint8_t)(1u << (info->tos & CODEPOINT));
        if (!ecn_consistent(d)) {
            LAN_COUNT(stack, ip_reasm_ecn);
            poison(d);
        } else if (d->total && d->received == d->total) {
            LAN_COUNT(stack, ip_reasm_oks);
            packet = join(d, info);
            release(d);
        }
    }
    return packet;
}
