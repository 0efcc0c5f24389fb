/* SPDX-License-Identifier: Apache-2.0 */
#include "reassembly.h"
#include "icmp.h"
#include "stack_internal.h"

enum { TIMEOUT_S = 30 };

/* Where a fragment lies in its datagram; kept in the scratch words of its buffer. */
enum { BEGIN, END };

enum { MORE_FRAGMENTS = 0x2000, OFFSET_MASK = 0x1fff };
enum { NOT_ECT = 0, CE = 3, CODEPOINT = 3 }; /* RFC 3168 5 */

LAN_RARE static void free_fragments(struct lan_stack *stack, struct lan_datagram *d)
{
    while (d->fragments) {
        struct lan_buf *fragment = d->fragments;

        d->fragments = fragment->link;
        lan_buf_free(fragment);
    }
    stack->reassembly.fragments -= d->count;
    d->count = 0;
}

static void release(struct lan_stack *stack, struct lan_datagram *d)
{
    free_fragments(stack, d);
    lan_timer_cancel(&d->timer);
    *d = (struct lan_datagram){0};
}

/* RFC 1122 3.3.2: the sender is told, but only when the first fragment is here to be quoted. */
static void timer_fired(struct lan_timer *timer)
{
    struct lan_datagram *d = (struct lan_datagram *)(void *)((uint8_t *)timer - offsetof(struct lan_datagram, timer));
    struct lan_stack *stack = d->info.netif->stack;

    LAN_COUNT(stack, ip_reasm_timeout);
    LAN_COUNT(stack, ip_reasm_fails);
    if (d->fragments && d->fragments->scratch[BEGIN] == 0)
        lan_icmp_error(stack, d->fragments, &d->info, LAN_ICMP_TIME_EXCEEDED, LAN_TIME_REASSEMBLY);
    release(stack, d);
}

/* The oldest datagram of a source, 0: of all, and then a free one is older than any; and how many there are. */
LAN_RARE static struct lan_datagram *oldest(struct lan_reassembly *reassembly, uint32_t src, int *count)
{
    struct lan_datagram *found = NULL;

    *count = 0;
    for (int i = 0; i < LAN_REASSEMBLY_DATAGRAMS; i++) {
        struct lan_datagram *d = &reassembly->datagrams[i];

        if (src && d->info.src != src)
            continue;
        (*count)++;
        if (!found || d->timer.deadline_ns < found->timer.deadline_ns)
            found = d;
    }
    return found;
}

/* A slot for a new datagram: a free one, else the oldest; for a source with its full share the oldest of its own. */
static struct lan_datagram *make_room(struct lan_stack *stack, uint32_t src)
{
    int count;
    struct lan_datagram *d = oldest(&stack->reassembly, src, &count);

    if (count < LAN_REASSEMBLY_PER_SOURCE)
        d = oldest(&stack->reassembly, 0, &count);
    if (d->info.src) {
        LAN_COUNT(stack, ip_reasm_evicted);
        LAN_COUNT(stack, ip_reasm_fails);
        release(stack, d);
    }
    return d;
}

static struct lan_datagram *find_or_create(struct lan_stack *stack, const struct lan_ip_info *info, uint16_t id)
{
    struct lan_datagram *d = stack->reassembly.datagrams;

    for (; d < stack->reassembly.datagrams + LAN_REASSEMBLY_DATAGRAMS; d++)
        if (d->info.src == info->src && d->info.dst == info->dst && d->info.protocol == info->protocol && d->id == id)
            return d;
    d = make_room(stack, info->src);
    d->info = *info;
    d->id = id;
    d->timer.fire = timer_fired;
    lan_stack_set_timer(stack, &d->timer, TIMEOUT_S);
    return d;
}

/* RFC 5722, as for IPv6: nobody honest sends overlapping fragments, so the datagram is given up, and what still comes
 * of it is dropped until its time is over. */
static void poison(struct lan_stack *stack, struct lan_datagram *d)
{
    LAN_COUNT(stack, ip_reasm_fails);
    free_fragments(stack, d);
    d->poisoned = true;
}

/* RFC 3168 5.3: a mark on any fragment marks the whole. But who sends what cannot be marked must not be told by a mark.
 */
static bool ecn_consistent(const struct lan_datagram *d)
{
    return !(d->ecn_seen >> NOT_ECT & 1) || !(d->ecn_seen >> CE & 1);
}

/* Puts a fragment in its place. NULL: it is there; else what to count, and but for a duplicate the datagram is spoiled.
 */
static lan_count *insert(struct lan_counters *counters, struct lan_datagram *d, struct lan_buf *fragment, bool last,
                         uint8_t tos)
{
    uint32_t begin = fragment->scratch[BEGIN], end = fragment->scratch[END];
    struct lan_buf **place = &d->fragments;

    while (*place && (*place)->scratch[BEGIN] < begin) {
        if ((*place)->scratch[END] > begin)
            return &counters->ip_reasm_overlaps;
        place = &(*place)->link;
    }
    if (*place && (*place)->scratch[BEGIN] == begin && (*place)->scratch[END] == end)
        return &counters->ip_reasm_duplicates;
    if (*place && (*place)->scratch[BEGIN] < end)
        return &counters->ip_reasm_overlaps;
    if (d->total ? last || end > d->total : last && *place)
        return &counters->ip_reasm_overlaps; /* two ends, or bytes behind the end */
    d->ecn_seen |= (uint8_t)(1u << (tos & CODEPOINT));
    if (!ecn_consistent(d))
        return &counters->ip_reasm_ecn;
    if (last)
        d->total = end;
    fragment->link = *place;
    *place = fragment;
    d->received += end - begin;
    d->count++;
    return NULL;
}

/* Joins the fragments to one packet, behind the IP header of the first. */
static struct lan_buf *join(struct lan_datagram *d, struct lan_ip_info *info)
{
    struct lan_buf *packet = d->fragments;
    struct lan_buf *tail = packet;

    *info = d->info;
    info->bytes = d->total;
    if (d->ecn_seen >> CE & 1)
        info->tos |= CE;
    for (struct lan_buf *fragment = packet->link; fragment; fragment = fragment->link) {
        while (tail->next)
            tail = tail->next;
        tail->next = fragment;
    }
    d->fragments = NULL;
    packet->flags &= ~(uint32_t)(LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK); /* no card sums over fragments */
    return packet;
}

/* Half a datagram may wait for half a minute: not in the memory that is for the rest of the stack. */
static bool memory_is_short(const struct lan_stack *stack)
{
    return stack->reassembly.fragments >= stack->config.pool.buffers / 4 ||
           lan_pool_free_buffers(stack->pool) < stack->config.pool.buffers / 8;
}

/* Whether the fragment's place makes sense; stores it in the fragment. */
static bool locate(struct lan_buf *fragment, const struct lan_ip_info *info, uint32_t field)
{
    uint32_t begin = (field & OFFSET_MASK) * 8;

    fragment->scratch[BEGIN] = begin;
    fragment->scratch[END] = begin + info->bytes;
    return info->bytes > 0 && (!(field & MORE_FRAGMENTS) || info->bytes % 8 == 0) &&
           info->header_bytes + begin + info->bytes <= UINT16_MAX;
}

struct lan_buf *lan_reassemble(struct lan_buf *fragment, struct lan_ip_info *info)
{
    struct lan_stack *stack = info->netif->stack;
    const uint8_t *ip = fragment->data - info->header_bytes;
    uint32_t field = lan_get16(ip + 6);

    LAN_COUNT(stack, ip_reasm_reqds);
    if (!locate(fragment, info, field)) {
        lan_drop(fragment, &stack->counters.ip_reasm_fails);
        return NULL;
    }

    struct lan_datagram *d = find_or_create(stack, info, lan_load16(ip + 4));

    if (d->poisoned || d->count == LAN_REASSEMBLY_FRAGMENTS || memory_is_short(stack)) {
        lan_drop(fragment, &stack->counters.ip_in_discards);
        return NULL;
    }

    lan_count *fault = insert(&stack->counters, d, fragment, !(field & MORE_FRAGMENTS), info->tos);

    if (fault) {
        lan_drop(fragment, fault);
        if (fault != &stack->counters.ip_reasm_duplicates)
            poison(stack, d);
        return NULL;
    }
    stack->reassembly.fragments++;
    if (fragment == d->fragments)
        d->info = *info;
    if (!d->total || d->received != d->total)
        return NULL;
    LAN_COUNT(stack, ip_reasm_oks);

    struct lan_buf *packet = join(d, info);

    release(stack, d);
    return packet;
}
