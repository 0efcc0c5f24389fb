/* SPDX-License-Identifier: Apache-2.0 */
/* Header prediction (Jacobson 1988): in a transfer nearly every segment is the one that had to come. On an established
 * connection, next in order, with no option but the time stamp, no flag but ACK and PSH, all of it within the window:
 * what the steps of RFC 9293 3.10.7.4 would find is known then. Whatever is not so goes their way, and must come to the
 * same where both apply. */

#include "tcp_internal.h"

enum { STAMPED_HEADER = LAN_TCP_HEADER + LAN_TCP_STAMP_BYTES, CE = 3 /* of the IP header's TOS octet */ };

/* Under way beside the plain transfer. */
enum { UNPREDICTABLE = TCB_FIN_ARRIVED | TCB_PROBING };

/* Data offset, reserved bits and flags of a header with nothing unusual; PSH may be set or not. */
static inline uint16_t plain(uint32_t header_bytes)
{
    return lan_htons((uint16_t)(header_bytes << 10 | SEG_ACK));
}

static inline bool is_plain(const struct lan_tcb *tcb, const uint8_t *header, uint32_t *header_bytes)
{
    uint16_t word = lan_load16(header + 12) & lan_htons((uint16_t)~SEG_PSH);
    bool stamped = tcb->flags & TCB_TIMESTAMPS;
    *header_bytes = stamped ? STAMPED_HEADER : LAN_TCP_HEADER;
    return stamped ? word == plain(STAMPED_HEADER) && lan_get32(header + LAN_TCP_HEADER) == LAN_TCP_PADDED_TIMESTAMP
                   : word == plain(LAN_TCP_HEADER);
}

/* Hands lan_tcp_acknowledge() what it needs to know of the segment. */
static void acknowledge(struct lan_tcb *tcb, const struct lan_ip_info *info, const uint8_t *header, uint32_t bytes)
{
    struct lan_tcp_segment segment;
    segment.info = info;
    segment.seq = tcb->rcv_nxt;
    segment.ack = lan_get32(header + 8);
    segment.window = lan_get16(header + 14);
    segment.bytes = segment.len = bytes;
    segment.flags = SEG_ACK;
    segment.ecn = segment.sacks = 0;
    segment.stamped = tcb->flags & TCB_TIMESTAMPS;
    segment.tsecr = segment.stamped ? lan_get32(header + LAN_TCP_HEADER + 8) : 0;
    lan_tcp_acknowledge(tcb, &segment);
}

static inline void take_window(struct lan_tcb *tcb, uint32_t window)
{
    tcb->snd_wnd = window;
    tcb->snd_wl1 = tcb->rcv_nxt;
    tcb->snd_wl2 = tcb->snd_una;
    if (window > tcb->snd_max_wnd)
        tcb->snd_max_wnd = window;
}

bool lan_tcp_predicted(struct lan_stack *stack, struct lan_buf *buf, const struct lan_ip_info *info)
{
    const uint8_t *header = buf->data;
    uint32_t header_bytes;
    if (buf->len < STAMPED_HEADER)
        return false;
    struct lan_tcb *tcb = lan_tcp_find(stack->tcp, info->dst, lan_load16(header + 2), info->src, lan_load16(header));
    if (!tcb || tcb->state != LAN_TCP_ESTABLISHED || tcb->flags & UNPREDICTABLE || !tcb->socket ||
        (info->tos & CE) == CE || !is_plain(tcb, header, &header_bytes) || lan_get32(header + 4) != tcb->rcv_nxt)
        return false;
    uint32_t bytes = info->bytes - header_bytes, news = lan_get32(header + 8) - tcb->snd_una;
    if (info->bytes < header_bytes || bytes > tcb->rcv_adv - tcb->rcv_nxt || news > tcb->snd_nxt - tcb->snd_una ||
        !(bytes || news))
        return false;
    if (tcb->flags & TCB_TIMESTAMPS) {
        uint32_t tsval = lan_get32(header + LAN_TCP_HEADER + 4);
        if (lan_seq_lt(tsval, tcb->ts_recent))
            return false;
        if (lan_seq_leq(tcb->rcv_nxt, tcb->rcv_acked))
            lan_tcp_timestamp_take(tcb, tsval);
    }
    if (tcb->flags & TCB_KEEPALIVE)
        lan_tcp_arm_keepalive(tcb);
    if (news)
        acknowledge(tcb, info, header, bytes);
    else
        take_window(tcb, (uint32_t)lan_get16(header + 14) << tcb->snd_scale);
    lan_buf_pull(buf, header_bytes);
    if (bytes)
        lan_tcp_receive(tcb, buf, tcb->rcv_nxt, bytes);
    else
        lan_buf_free(buf);
    if (tcb->snd_queued)
        lan_tcp_output(tcb);
    else
        lan_tcp_output_ack(tcb);
    return true;
}
