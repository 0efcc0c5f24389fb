/* SPDX-License-Identifier: Apache-2.0 */
/* Congestion control: NewReno (RFC 5681, RFC 6582). The recovery itself is in tcp_recovery.c. */

#include "tcp_internal.h"

uint32_t lan_tcp_initial_window(const struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_SYN_LOST) /* RFC 5681 3.1 */
        return tcb->mss;
    uint32_t ten = 10u * tcb->mss, two = 2u * tcb->mss;
    uint32_t bound = two > 14600 ? two : 14600;
    return ten < bound ? ten : bound;
}

LAN_RARE void lan_tcp_start_congestion(struct lan_tcb *tcb)
{
    tcb->sender->pacing_rate = 0;
    tcb->opt.congestion->init(tcb);
}

LAN_RARE void lan_tcp_reduce_window(struct lan_tcb *tcb)
{
    tcb->ssthresh = tcb->opt.congestion->ssthresh(tcb);
    if (tcb->cwnd > tcb->ssthresh)
        tcb->cwnd = tcb->ssthresh;
}

/* After an idle time of one RTO the path may have changed. */
void lan_tcp_restart_window(struct lan_tcb *tcb)
{
    if (lan_tcp_silent(tcb) <= LAN_TCP_COARSE_OF(tcb->rto))
        return;
    uint32_t restart = lan_tcp_initial_window(tcb);
    if (tcb->cwnd > restart)
        tcb->cwnd = restart;
}

uint32_t lan_tcp_used_window(const struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    return flight < tcb->cwnd ? flight : tcb->cwnd;
}

LAN_SHARED uint32_t lan_tcp_reduced(const struct lan_tcb *tcb, uint32_t twentieths)
{
    uint32_t window = lan_tcp_used_window(tcb), least = 2u * tcb->mss;
    uint32_t reduced = window / 20 * twentieths + window % 20 * twentieths / 20; /* as exact as in 64 bits */
    return reduced > least ? reduced : least;
}

static void newreno_init(struct lan_tcb *tcb)
{
    tcb->sender->cwnd_acked = 0;
}

static void newreno_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    uint32_t bytes = ack->acked;
    if (tcb->cwnd < tcb->ssthresh) {
        uint32_t most = 2u * tcb->mss; /* RFC 3465: an ACK may stand for two segments */
        tcb->cwnd += bytes < most ? bytes : most;
        return;
    }
    tcb->sender->cwnd_acked += bytes; /* congestion avoidance: one segment a window */
    if (tcb->sender->cwnd_acked >= tcb->cwnd) {
        tcb->sender->cwnd_acked -= tcb->cwnd;
        tcb->cwnd += tcb->mss;
    }
}

static uint32_t newreno_ssthresh(struct lan_tcb *tcb)
{
    return lan_tcp_reduced(tcb, tcb->ecn & ECN_REDUCED ? 16 : 10); /* RFC 8511, RFC 5681 (4) */
}

const struct lan_tcp_congestion LAN_TCP_NEWRENO = {
    .name = "newreno",
    .init = newreno_init,
    .acked = newreno_acked,
    .ssthresh = newreno_ssthresh,
    .restart = lan_tcp_restart_window,
};

LAN_RARE const struct lan_tcp_congestion *lan_tcp_congestion_named(const char *name)
{
    static const struct lan_tcp_congestion *const all[] = {&LAN_TCP_CUBIC, &LAN_TCP_NEWRENO, &LAN_TCP_BBR, NULL};
    for (size_t i = 0; all[i]; i++)
        if (memcmp(all[i]->name, name, strlen(all[i]->name) + 1) == 0)
            return all[i];
    return NULL;
}
