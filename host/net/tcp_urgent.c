/* SPDX-License-Identifier: Apache-2.0 */
/* Urgent data as RFC 6093 wants it: a mark in the stream, never bytes beside it. The urgent pointer names the octet
 * after the last urgent one; for sockets the mark is before that last one, as BSD's and Linux's have it. */

#include "tcp_internal.h"

void lan_tcp_urgent_send(struct lan_tcb *tcb)
{
    tcb->snd_up = lan_tcp_data_end(tcb);
    tcb->flags |= TCB_URGENT_OUT | TCB_ACK_NOW; /* even a closed window lets the notice pass */
}

void lan_tcp_urgent_put(struct lan_tcb *tcb, uint8_t *header)
{
    uint32_t ahead = tcb->snd_up - lan_get32(header + 4);
    if (lan_seq_leq(tcb->snd_up, tcb->snd_una)) {
        tcb->flags &= ~(uint32_t)TCB_URGENT_OUT;
        return;
    }
    if ((int32_t)ahead <= 0 || header[13] & SEG_RST)
        return;
    header[13] |= SEG_URG;
    lan_put16(header + 18, ahead < UINT16_MAX ? (uint16_t)ahead : UINT16_MAX); /* later segments tell of the rest */
}

static uint32_t next_to_read(const struct lan_tcb *tcb)
{
    return tcb->rcv_nxt - !!(tcb->flags & TCB_EOF) - tcb->rcv_queued;
}

uint32_t lan_tcp_urgent_ahead(const struct lan_tcb *tcb)
{
    return tcb->flags & TCB_URGENT_IN ? tcb->rcv_up - next_to_read(tcb) : 0;
}

/* RFC 9293 3.10.7.4, sixth. The pointer may lie: it is compared, and nothing else. */
void lan_tcp_urgent_arrived(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    uint32_t up = segment->seq + segment->urgent;
    if (lan_seq_leq(up, tcb->flags & TCB_URGENT_IN ? tcb->rcv_up : next_to_read(tcb)))
        return;
    LAN_COUNT(tcb->stack, tcp_ext_urgent);
    tcb->rcv_up = up;
    tcb->flags |= TCB_URGENT_IN;
    lan_socket_event(tcb->socket);
}

uint32_t lan_tcp_urgent_bound(const struct lan_tcb *tcb, uint32_t bytes)
{
    uint32_t before_mark = lan_tcp_urgent_ahead(tcb) - 1;
    return before_mark && before_mark < bytes ? before_mark : bytes;
}

void lan_tcp_urgent_read(struct lan_tcb *tcb)
{
    if (lan_seq_leq(tcb->rcv_up, next_to_read(tcb)))
        tcb->flags &= ~(uint32_t)TCB_URGENT_IN;
}
