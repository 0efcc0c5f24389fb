/* SPDX-License-Identifier: Apache-2.0 */
/* The TCP header and its options (RFC 9293 3.1, 3.2): the one place where their lengths are checked. */

#include "tcp_internal.h"

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_SACK = 5,
    OPTION_TIMESTAMP = 8
};
enum { MSS_BYTES = 4, SCALE_BYTES = 3, SACK_PERMITTED_BYTES = 2, SACK_BLOCK_BYTES = 8, TIMESTAMP_BYTES = 10 };
_Static_assert(LAN_TCP_PADDED_TIMESTAMP ==
                   (OPTION_NOP << 24 | OPTION_NOP << 16 | OPTION_TIMESTAMP << 8 | TIMESTAMP_BYTES),
               "RFC 7323 appendix A");

static void take_timestamp(const uint8_t *stamps, struct lan_tcp_segment *segment)
{
    segment->stamped = true;
    segment->tsval = lan_get32(stamps);
    segment->tsecr = lan_get32(stamps + 4);
}

static void take_sack(const uint8_t *option, struct lan_tcp_segment *segment)
{
    uint32_t blocks = (option[1] - 2u) / SACK_BLOCK_BYTES;
    segment->sacks = (uint8_t)(blocks < LAN_TCP_SACK_BLOCKS ? blocks : LAN_TCP_SACK_BLOCKS);
    for (uint32_t i = 0; i < segment->sacks; i++) {
        const uint8_t *block = option + 2 + i * SACK_BLOCK_BYTES;
        segment->sack[i] = (struct lan_tcp_block){lan_get32(block), lan_get32(block + 4)};
    }
}

/* False: an option of illegal length (RFC 9293 MUST-7). */
static bool parse_options(const uint8_t *option, const uint8_t *end, struct lan_tcp_segment *segment)
{
    while (option < end && *option != OPTION_END) {
        if (*option == OPTION_NOP) {
            option++;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option)
            return false;
        /* These count in a SYN only, so nobody looks at them elsewhere (MUST-65, RFC 7323 2.2). */
        if (option[0] == OPTION_MSS && option[1] == MSS_BYTES)
            segment->mss = lan_get16(option + 2);
        else if (option[0] == OPTION_SCALE && option[1] == SCALE_BYTES)
            segment->scale = option[2] > LAN_TCP_SCALE_MAX ? LAN_TCP_SCALE_MAX + 1 : option[2] + 1;
        else if (option[0] == OPTION_SACK_PERMITTED && option[1] == SACK_PERMITTED_BYTES)
            segment->sack_permitted = true;
        else if (option[0] == OPTION_TIMESTAMP && option[1] == TIMESTAMP_BYTES)
            take_timestamp(option + 2, segment);
        else if (option[0] == OPTION_SACK)
            take_sack(option, segment);
        option += option[1];
    }
    return true;
}

static bool parse(struct lan_stack *stack, const uint8_t *header, struct lan_buf *buf, const struct lan_ip_info *info,
                  struct lan_tcp_segment *segment)
{
    uint32_t header_bytes = info->bytes >= LAN_TCP_HEADER ? header[12] >> 4 << 2 : 0;
    if (header_bytes < LAN_TCP_HEADER || header_bytes > info->bytes) {
        LAN_COUNT(stack, tcp_ext_bad_header);
        return false;
    }
    segment->info = info;
    segment->source_port = lan_load16(header);
    segment->destination_port = lan_load16(header + 2);
    segment->seq = lan_get32(header + 4);
    segment->ack = lan_get32(header + 8);
    segment->flags = header[13] & (uint8_t) ~(SEG_ECE | SEG_CWR);
    segment->ecn = header[13] & (SEG_ECE | SEG_CWR);
    segment->window = lan_get16(header + 14);
    segment->urgent = lan_get16(header + 18);
    segment->scale = 0;
    segment->sacks = 0;
    segment->stamped = false;
    segment->mss = 0;
    segment->sack_permitted = false;
    if (!parse_options(header + LAN_TCP_HEADER, header + header_bytes, segment)) {
        LAN_COUNT(stack, tcp_ext_bad_options);
        return false;
    }
    if (segment->flags & SEG_SYN && segment->flags & (SEG_FIN | SEG_RST)) {
        LAN_COUNT(stack, tcp_ext_bad_flags);
        return false;
    }
    lan_buf_pull(buf, header_bytes);
    segment->payload = buf;
    segment->bytes = info->bytes - header_bytes;
    segment->len = segment->bytes + (segment->flags >> 1 & 1) + (segment->flags & 1); /* SYN and FIN */
    return true;
}

bool lan_tcp_parse(struct lan_stack *stack, struct lan_buf *buf, const struct lan_ip_info *info,
                   struct lan_tcp_segment *segment)
{
    uint8_t copy[LAN_TCP_HEADER_MAX]; /* of a header that may lie in several fragments */
    bool scattered = buf->len < LAN_TCP_HEADER_MAX && buf->next;
    if (scattered)
        lan_buf_copy(buf, 0, copy, sizeof copy);
    return parse(stack, scattered ? copy : buf->data, buf, info, segment);
}

uint32_t lan_tcp_put_timestamp(const struct lan_tcb *tcb, uint8_t *out)
{
    if (!(tcb->flags & TCB_TIMESTAMPS))
        return 0;
    lan_put32(out, LAN_TCP_PADDED_TIMESTAMP);
    lan_put32(out + 4, lan_tcp_timestamp(tcb));
    lan_put32(out + 8, tcb->ts_recent);
    return LAN_TCP_STAMP_BYTES;
}

static uint8_t *put_scale(const struct lan_tcb *tcb, uint8_t *next)
{
    if (!(tcb->flags & TCB_SCALING))
        return next;
    next[0] = OPTION_NOP;
    next[1] = OPTION_SCALE;
    next[2] = SCALE_BYTES;
    next[3] = tcb->rcv_scale;
    return next + 1 + SCALE_BYTES;
}

static uint8_t *put_sack_and_timestamp(const struct lan_tcb *tcb, uint8_t *next, uint32_t order)
{
    uint8_t *sack = next;
    bool joined = tcb->flags & TCB_TIMESTAMPS && order != LAN_TCP_SYN_OPTIONS_ALIGNED;
    if (tcb->flags & TCB_SACK && !joined) {
        bool behind = order == LAN_TCP_SYN_OPTIONS_FREEBSD;
        uint8_t *padding = next + 2 * behind;
        padding[0] = padding[1] = behind ? OPTION_END : OPTION_NOP;
        sack += 2 * !behind;
        next += 2 + SACK_PERMITTED_BYTES;
    }
    next += lan_tcp_put_timestamp(tcb, next);
    if (tcb->flags & TCB_SACK) { /* joined: in the place of the time stamp's padding */
        sack[0] = OPTION_SACK_PERMITTED;
        sack[1] = SACK_PERMITTED_BYTES;
    }
    return next;
}

uint32_t lan_tcp_put_syn_options(const struct lan_tcb *tcb, uint8_t *out)
{
    uint32_t order = tcb->stack->config.tcp_syn_options;
    uint8_t *next = out;
    next[0] = OPTION_MSS;
    next[1] = MSS_BYTES;
    lan_put16(next + 2, (uint16_t)lan_tcp_mss_of_interface(tcb));
    next += MSS_BYTES;
    if (order == LAN_TCP_SYN_OPTIONS_FREEBSD)
        next = put_scale(tcb, next);
    next = put_sack_and_timestamp(tcb, next, order);
    if (order != LAN_TCP_SYN_OPTIONS_FREEBSD)
        next = put_scale(tcb, next);
    return (uint32_t)(next - out);
}

uint32_t lan_tcp_put_sack(struct lan_tcb *tcb, uint8_t *out)
{
    struct lan_tcp_block blocks[LAN_TCP_SACK_BLOCKS + 1];
    uint32_t n = 0;
    if (!(tcb->flags & TCB_SACK))
        return 0;
    if (tcb->dsack_start != tcb->dsack_end) { /* RFC 2883 4: told once, and first */
        if (lan_seq_lt(tcb->dsack_start, tcb->rcv_nxt))
            LAN_COUNT(tcb->stack, tcp_ext_dsack_old_sent);
        else
            LAN_COUNT(tcb->stack, tcp_ext_dsack_ofo_sent);
        blocks[n++] = (struct lan_tcp_block){tcb->dsack_start, tcb->dsack_end};
        tcb->dsack_start = tcb->dsack_end;
    }
    n += lan_tcp_islands(tcb, blocks + n);
    uint32_t most = LAN_TCP_SACK_BLOCKS - !!(tcb->flags & TCB_TIMESTAMPS);
    if (tcb->flow.mtu < LAN_IP_HEADER + LAN_TCP_HEADER_MAX)
        most = 1; /* there is room for that, always */
    n = n < most ? n : most;
    if (!n)
        return 0;
    out[0] = out[1] = OPTION_NOP;
    out[2] = OPTION_SACK;
    out[3] = (uint8_t)(2 + n * SACK_BLOCK_BYTES);
    for (uint32_t i = 0; i < n; i++) {
        lan_put32(out + 4 + i * SACK_BLOCK_BYTES, blocks[i].start);
        lan_put32(out + 8 + i * SACK_BLOCK_BYTES, blocks[i].end);
    }
    return 4 + n * SACK_BLOCK_BYTES;
}
