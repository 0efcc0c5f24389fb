/* SPDX-License-Identifier: Apache-2.0 */
#include "icmp.h"
#include "checksum.h"
#include "siphash.h"
#include "stack_internal.h"
#include "tcp.h"
#include "udp.h"

#include <errno.h>

enum { ICMP_HEADER = 8, DEFAULT_TTL = 64 };

/* RFC 1812 4.3.2.3 lets an error quote up to 576 bytes in all; the IP header and 8 bytes are what RFC 792 asks for, and
 * what a reply to a forged packet should not exceed by much. */
enum { QUOTED_MAX = LAN_IP_HEADER_MAX + 8 };

enum {
    TICK_BITS = 12,    /* the limiters' clock: 2^12 ns, for nearly 5 hours */
    ECHO_INTERVAL = 5, /* nearly 50,000 replies a second ... */
    ECHO_BURST = 1000, /* ... and this many at once */
    ERROR_INTERVAL = 20000000 >> TICK_BITS,
    ERROR_BURST = 10,
};

/* Generic cell rate algorithm: yes as long as messages run less than `burst` intervals, in ticks, ahead of one each.
 * `due` is no farther ahead, so what seems to be is past. After nearly 5 hours of silence the past may seem a little
 * ahead for as long as a burst makes up for: that costs the burst. */
LAN_RARE static bool rate_allows(struct lan_stack *stack, uint32_t *due, uint32_t interval, uint32_t burst)
{
    uint32_t now = (uint32_t)(lan_now(stack) >> TICK_BITS);

    if (*due - now >= (burst + 1) * interval)
        *due = now;
    if (*due - now >= burst * interval) {
        LAN_COUNT(stack, icmp_out_rate_limited);
        return false;
    }
    *due += interval;
    return true;
}

static void send(struct lan_stack *stack, struct lan_buf *message, const struct lan_ip_info *cause, uint8_t tos)
{
    struct lan_flow flow;
    uint32_t from = cause->to_group ? 0 : cause->dst;

    if (lan_ip_route(stack, cause->src, from, &flow) < 0) {
        lan_buf_free(message);
        return;
    }
    LAN_COUNT(stack, icmp_out_msgs);
    message->csum_start = message->hdr_len = 0;
    lan_ip_output(stack, &flow, message, LAN_IPPROTO_ICMP, tos, DEFAULT_TTL);
}

/* A buffer that may be written to and sent, with the received message's bytes behind its ICMP header: the message
 * itself where it stands alone and has the room, else a fresh header in front of it. Takes the message; NULL: out of
 * memory. */
static struct lan_buf *as_reply(struct lan_stack *stack, struct lan_buf *message)
{
    if (message->refs == 1 && lan_buf_headroom(message) >= LAN_HEADROOM) {
        message->flags = 0;
        return message;
    }

    struct lan_buf *reply = lan_buf_alloc(stack->pool, LAN_HEADROOM);

    if (!reply) {
        lan_buf_free(message);
        return NULL;
    }
    lan_buf_copy(message, 0, lan_buf_put(reply, ICMP_HEADER), ICMP_HEADER);
    lan_buf_pull(message, ICMP_HEADER);
    reply->next = message;
    return reply;
}

/* RFC 1122 3.2.2.6. Only the type changes, to 0, so the checksum is mended rather than summed again (RFC 1624 (3)):
 * what is gone from the sum is added to its complement. */
static void answer_echo(struct lan_stack *stack, struct lan_buf *message, const struct lan_ip_info *info)
{
    if (info->to_group) {
        lan_drop(message, &stack->counters.icmp_in_ignored);
        return;
    }
    if (!rate_allows(stack, &stack->icmp.echo_due, ECHO_INTERVAL, ECHO_BURST)) {
        lan_buf_free(message);
        return;
    }

    struct lan_buf *reply = as_reply(stack, message);

    if (!reply)
        return;

    uint8_t *icmp = reply->data;
    uint32_t checksum = lan_load16(icmp + 2) + lan_htons(LAN_ICMP_ECHO << 8);

    icmp[0] = LAN_ICMP_ECHO_REPLY;
    lan_store16(icmp + 2, (uint16_t)(checksum + (checksum >> 16)));
    LAN_COUNT(stack, icmp_out_echo_reps);
    send(stack, reply, info, info->tos);
}

int lan_icmp_errno(uint8_t type, uint8_t code)
{
    static const uint8_t BY_CODE[] = {ENETUNREACH,  EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED, EMSGSIZE,
                                      EOPNOTSUPP,   ENETUNREACH,  EHOSTUNREACH, EHOSTUNREACH, ENETUNREACH,
                                      EHOSTUNREACH, ENETUNREACH,  EHOSTUNREACH};

    switch (type) {
    case LAN_ICMP_UNREACHABLE:
        return code < sizeof BY_CODE ? BY_CODE[code] : EHOSTUNREACH;
    case LAN_ICMP_TIME_EXCEEDED:
        return EHOSTUNREACH;
    case LAN_ICMP_PARAMETER_PROBLEM:
        return EPROTO;
    default:
        return 0;
    }
}

/* Only what this stack may have sent itself is passed on: a whole header from one of our addresses, of a first
 * fragment. */
void lan_icmp_deliver_error(struct lan_stack *stack, const uint8_t *quoted, size_t bytes, uint8_t type, uint8_t code,
                            uint32_t mtu)
{
    size_t header_bytes = bytes >= LAN_IP_HEADER ? (quoted[0] & 15u) * 4 : 0;

    if (header_bytes < LAN_IP_HEADER || quoted[0] >> 4 != 4 || bytes < header_bytes + 8 ||
        (lan_load16(quoted + 6) & lan_htons(0x1fff)) || !lan_ip_is_own(stack, lan_load32(quoted + 12))) {
        LAN_COUNT(stack, icmp_in_ignored);
        return;
    }
    if (quoted[9] == LAN_IPPROTO_TCP)
        lan_tcp_icmp_error(stack, quoted, type, code, mtu);
    else if (quoted[9] == LAN_IPPROTO_UDP)
        lan_udp_icmp_error(stack, quoted, bytes, type, code);
    else
        LAN_COUNT(stack, icmp_in_ignored);
}

static void take_error(struct lan_stack *stack, const struct lan_buf *message)
{
    _Alignas(4) uint8_t quoted[QUOTED_MAX];
    uint32_t bytes = lan_buf_copy(message, ICMP_HEADER, quoted, sizeof quoted);
    const uint8_t *icmp = message->data;

    lan_icmp_deliver_error(stack, quoted, bytes, icmp[0], icmp[1], lan_get16(icmp + 6));
}

/* By which counter a message of this type is counted. */
static lan_count *type_counter(struct lan_counters *counters, uint8_t type)
{
    switch (type) {
    case LAN_ICMP_ECHO:
        return &counters->icmp_in_echos;
    case LAN_ICMP_ECHO_REPLY:
        return &counters->icmp_in_echo_reps;
    case LAN_ICMP_UNREACHABLE:
        return &counters->icmp_in_dest_unreachs;
    case LAN_ICMP_TIME_EXCEEDED:
        return &counters->icmp_in_time_excds;
    case LAN_ICMP_PARAMETER_PROBLEM:
        return &counters->icmp_in_parm_probs;
    case LAN_ICMP_REDIRECT: /* RFC 1122 3.2.2.2 would follow it; anyone on the link could send it (RFC 6274 3.2.2.2) */
        return &counters->icmp_in_redirects;
    default:
        return &counters->icmp_in_ignored;
    }
}

static bool is_error(uint8_t type)
{
    return type == LAN_ICMP_UNREACHABLE || type == LAN_ICMP_TIME_EXCEEDED || type == LAN_ICMP_PARAMETER_PROBLEM;
}

void lan_icmp_input(struct lan_stack *stack, struct lan_buf *message, const struct lan_ip_info *info)
{
    LAN_COUNT(stack, icmp_in_msgs);
    if (!lan_buf_pullup(message, ICMP_HEADER)) {
        lan_drop(message, &stack->counters.icmp_in_errors);
        return;
    }
    if (!(info->netif->features & LAN_NETIF_LOOPBACK) &&
        lan_sum_fold(lan_sum_buf(message, 0, info->bytes, 0)) != 0xffff) {
        LAN_COUNT(stack, icmp_in_csum_errors);
        lan_drop(message, &stack->counters.icmp_in_errors);
        return;
    }

    uint8_t type = message->data[0];

    (*type_counter(&stack->counters, type))++;
    if (type == LAN_ICMP_ECHO) {
        answer_echo(stack, message, info);
        return;
    }
    if (is_error(type))
        take_error(stack, message);
    lan_buf_free(message);
}

/* Never about a group's packet, nor about an ICMP error (RFC 1122 3.2.2). That the source is a single host, that the
 * link had it for us alone, and that the packet is whole or a first fragment, was seen to before. */
static bool error_permitted(const struct lan_buf *packet, const struct lan_ip_info *info)
{
    if (info->to_group)
        return false;
    return info->protocol != LAN_IPPROTO_ICMP || (packet->len && packet->data[0] == LAN_ICMP_ECHO);
}

void lan_icmp_error(struct lan_stack *stack, const struct lan_buf *packet, const struct lan_ip_info *info, uint8_t type,
                    uint8_t code)
{
    if (!error_permitted(packet, info))
        return;

    uint32_t bucket = lan_siphash(stack->random.secret, &info->src, sizeof info->src) % LAN_ICMP_BUCKETS;

    if (!rate_allows(stack, &stack->icmp.error_due[bucket], ERROR_INTERVAL, ERROR_BURST))
        return;

    struct lan_buf *message = lan_buf_alloc(stack->pool, LAN_HEADROOM);

    if (!message) {
        LAN_COUNT(stack, link_out_no_buffers);
        return;
    }

    uint8_t *icmp = lan_buf_put(message, ICMP_HEADER + info->header_bytes);

    icmp[0] = type;
    icmp[1] = code;
    lan_store16(icmp + 2, 0);
    lan_store32(icmp + 4, 0);
    memcpy(icmp + ICMP_HEADER, packet->data - info->header_bytes, info->header_bytes);
    message->len += lan_buf_copy(packet, 0, icmp + message->len, 8);
    lan_store16(icmp + 2, (uint16_t)~lan_sum_fold(lan_sum(icmp, message->len, 0)));
    if (type == LAN_ICMP_UNREACHABLE)
        LAN_COUNT(stack, icmp_out_dest_unreachs);
    else
        LAN_COUNT(stack, icmp_out_time_excds);
    send(stack, message, info, 0);
}
