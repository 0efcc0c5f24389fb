/* SPDX-License-Identifier: Apache-2.0 */
/* SYN cookies (RFC 4987 3.6): when a listener has no room for another half-open connection, its SYN-ACK carries what
 * it would have to remember, and the ACK brings it back.
 *
 * The initial sequence number holds a code of the peer's MSS, one bit of the time and 28 bits of a keyed hash over
 * them, the addresses, ports, the peer's own number and its options. Those fit into the lowest bits of the time stamp,
 * which the peer echoes; a peer without time stamps gets neither window scaling nor selective acknowledgments.
 */

#include "siphash.h"
#include "tcp_internal.h"

#define SLOT (UINT64_C(1) << 36) /* ns, 69 s: a cookie is good in the slot in which it was sent and the next */

enum { SLOT_SHIFT = 3, MSS_MASK = 7, HASH_MASK = ~15 }; /* of a cookie */
enum { SCALE_MASK = LAN_TCP_SCALE_MAX + 1, SACK_PERMITTED = 1 << 4, ECN = 1 << 5, OPTIONS_MASK = 63, STAMPED = 1 << 6 };

/* Of an MSS in between the next smaller one is used. What is usual in tunnels and on Ethernet stands close together. */
static const uint16_t MSS[MSS_MASK + 1] = {LAN_TCP_MSS_MIN, LAN_TCP_MSS_DEFAULT, 1220, 1360, 1400, 1440, 1460, 8960};

/* The same again from the SYN and from the ACK. */
struct cookie {
    uint32_t irs, slot;
    uint32_t mss;     /* index into MSS */
    uint32_t options; /* 0: no time stamps */
};

static uint32_t encode(struct lan_stack *stack, const struct lan_tcp_segment *segment, const struct cookie *cookie)
{
    const struct {
        uint32_t local, remote;
        uint16_t local_port, remote_port;
        struct cookie cookie;
        uint32_t purpose; /* beside the initial sequence number's and the time stamp's */
    } all = {segment->info->dst, segment->info->src, segment->destination_port, segment->source_port, *cookie,
             LAN_TCP_FOR_COOKIE};
    uint32_t hash = (uint32_t)lan_siphash(stack->random.secret, &all, sizeof all);
    return (hash & HASH_MASK) | (cookie->slot & 1) << SLOT_SHIFT | cookie->mss;
}

/* What of the peer's SYN the cookie remembers, as if no more had been in it. */
static void take_syn(struct lan_tcb *child, const struct lan_tcp_segment *segment, const struct cookie *cookie)
{
    struct lan_tcp_segment syn = *segment;
    syn.flags = SEG_SYN;
    syn.seq = cookie->irs;
    syn.mss = MSS[cookie->mss];
    syn.scale = cookie->options & SCALE_MASK;
    syn.sack_permitted = cookie->options & SACK_PERMITTED;
    syn.ecn = cookie->options & ECN ? SEG_ECE | SEG_CWR : 0;
    lan_tcp_take_syn(child, &syn);
}

static uint32_t slot_now(const struct lan_stack *stack)
{
    return (uint32_t)(stack->tcp.now_ns / SLOT);
}

static struct cookie cookie_of_syn(const struct lan_stack *stack, const struct lan_tcp_segment *syn)
{
    struct cookie cookie = {.irs = syn->seq, .slot = slot_now(stack), .mss = MSS_MASK};
    uint32_t mss = syn->mss ? syn->mss : LAN_TCP_MSS_DEFAULT;
    while (cookie.mss && MSS[cookie.mss] > mss)
        cookie.mss--;
    if (syn->stamped)
        cookie.options = STAMPED | syn->scale | (syn->sack_permitted ? SACK_PERMITTED : 0) |
                         (syn->ecn == (SEG_ECE | SEG_CWR) ? ECN : 0);
    return cookie;
}

void lan_tcp_cookie_send(struct lan_tcb *listener, const struct lan_tcp_segment *syn)
{
    struct lan_stack *stack = listener->stack;
    struct cookie cookie = cookie_of_syn(stack, syn);
    struct lan_tcb child; /* for as long as it takes to send the SYN-ACK */
    LAN_COUNT(stack, tcp_ext_do_cookies);
    lan_tcb_init(&child, stack);
    if (lan_tcp_child_init(&child, listener, syn) < 0)
        return;
    lan_tcp_start(&child);
    lan_tcp_set_iss(&child, encode(stack, syn, &cookie));
    child.state = LAN_TCP_SYN_RECEIVED;
    child.listener = listener;
    take_syn(&child, syn, &cookie);
    /* A little earlier than it is, so that no later stamp is smaller. */
    child.ts_offset -= (lan_tcp_timestamp(&child) - cookie.options) & OPTIONS_MASK;
    lan_tcp_send_syn(&child);
    lan_timer_cancel(&child.timer);
    listener->listen.cookies_until = cookie.slot + 2;
    LAN_COUNT(stack, tcp_ext_cookies_sent);
}

/* False: the ACK has no cookie of ours, or one that is too old. */
static bool cookie_of_ack(struct lan_stack *stack, const struct lan_tcp_segment *segment, struct cookie *cookie)
{
    uint32_t value = segment->ack - 1, now = slot_now(stack);
    *cookie = (struct cookie){.irs = segment->seq - 1,
                              .slot = now - ((now ^ value >> SLOT_SHIFT) & 1),
                              .mss = value & MSS_MASK,
                              .options = segment->stamped ? STAMPED | (segment->tsecr & OPTIONS_MASK) : 0};
    return encode(stack, segment, cookie) == value;
}

struct lan_tcb *lan_tcp_cookie_take(struct lan_tcb *listener, const struct lan_tcp_segment *segment)
{
    struct lan_stack *stack = listener->stack;
    struct cookie cookie;
    bool expected = slot_now(stack) < listener->listen.cookies_until; /* or nobody could guess in vain */
    if (!expected || !cookie_of_ack(stack, segment, &cookie)) {
        if (expected)
            LAN_COUNT(stack, tcp_ext_cookies_failed);
        lan_tcp_refuse(stack, segment);
        return NULL;
    }
    LAN_COUNT(stack, tcp_ext_cookies_recv);
    struct lan_tcb *child = lan_tcp_accept_full(listener) ? NULL : lan_tcp_child_new(listener, segment);
    if (!child)
        return NULL;
    take_syn(child, segment, &cookie);
    lan_tcp_set_iss(child, segment->ack - 1);
    child->snd_nxt = segment->ack;
    return child;
}
