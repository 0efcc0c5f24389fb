/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that follow the path (dynamic right-sizing, Fisk and Feng 2001): the receive limit is twice what the
 * application drains in a round trip, so the window never bounds a sender that may still double its rate; the send
 * limit is twice the congestion window. Neither grows where the application has set it, beyond the configuration, or
 * into the half of the pool that is for everybody. */

#include "tcp_internal.h"

enum { UNIT_BITS = 8 }; /* a round is measured in 16 bits of 2^8 ticks, which are 17 s */
#define RTT_UNKNOWN LAN_TCP_TICKS(100 * LAN_MS)
#define RTT_MIN LAN_TCP_TICKS(2 * LAN_MS) /* below, what is drained in a round trip says nothing */

static uint16_t now_units(const struct lan_tcb *tcb)
{
    return (uint16_t)(lan_tcp_now(tcb) >> UNIT_BITS);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Bytes that may still be kept in the pool, `per_buffer` of them in a buffer. */
static uint32_t spare(const struct lan_tcb *tcb, uint32_t per_buffer)
{
    uint32_t buffers = lan_pool_free_buffers(tcb->stack->pool), kept = lan_tcp_of(tcb)->memory_plenty;
    return buffers > kept ? (buffers - kept) * per_buffer : 0;
}

uint32_t lan_tcp_receive_limit_max(const struct lan_tcb *tcb)
{
    const struct lan_config *config = &tcb->stack->config;
    size_t pool_bytes = (size_t)config->pool.buffers * config->pool.buffer_bytes; /* all of it in memory */
    uint32_t most = config->receive_buffer_max_bytes;
    most = most < pool_bytes ? most : (uint32_t)pool_bytes;
    return tcb->opt.asked & ASKED_RECEIVE_BUFFER ? tcb->opt.rcv_limit : larger(tcb->opt.rcv_limit, most);
}

void lan_tcp_tune_start(struct lan_tcb *tcb)
{
    tcb->tune_seq = tcb->rcv_nxt;
    tcb->tune_at = now_units(tcb);
}

/* The handshake has measured the round trip; a queue on the way makes it longer, and there the window need not grow. */
void lan_tcp_tune_receive(struct lan_tcb *tcb)
{
    uint32_t rtt = larger(tcb->srtt ? tcb->srtt : RTT_UNKNOWN, RTT_MIN) >> UNIT_BITS;
    uint16_t elapsed = (uint16_t)(now_units(tcb) - tcb->tune_at);
    uint32_t read = tcb->rcv_nxt - tcb->rcv_queued;
    if (elapsed < rtt || tcb->flags & TCB_FIN_ARRIVED)
        return;
    uint32_t drained = (read - tcb->tune_seq) / elapsed * rtt; /* exact enough, to `rtt` bytes */
    tcb->tune_seq = read;
    tcb->tune_at = now_units(tcb);
    if (2 * drained <= tcb->opt.rcv_limit)
        return;
    uint32_t scaled = (uint32_t)UINT16_MAX << tcb->rcv_scale;
    uint32_t most = smaller(lan_tcp_receive_limit_max(tcb), smaller(scaled, spare(tcb, tcb->rcv_mss)));
    tcb->opt.rcv_limit = larger(tcb->opt.rcv_limit, smaller(2 * drained, most));
}

void lan_tcp_tune_send(struct lan_tcb *tcb)
{
    uint32_t wanted = smaller(tcb->cwnd, UINT32_MAX / 2) * 2, most = tcb->stack->config.send_buffer_max_bytes;
    if (tcb->opt.asked & ASKED_SEND_BUFFER || wanted <= tcb->opt.snd_limit || !tcb->sender)
        return;
    most = smaller(most, tcb->snd_queued + spare(tcb, tcb->stack->config.pool.buffer_bytes));
    tcb->opt.snd_limit = larger(tcb->opt.snd_limit, smaller(wanted, most));
}
