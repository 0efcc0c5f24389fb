/* SPDX-License-Identifier: Apache-2.0 */
/* CUBIC (RFC 9438), in its words: after a loss the window grows as a cubic function of time, flat around W_max, where
 * the loss was, and never slower than a Reno flow would. Windows are bytes here, times milliseconds. C is 0.4 segments
 * a cubic second, beta 0.7. */

#include "tcp_internal.h"

enum { DISTANCE_MAX_MS = 100000 /* its cube times a segment still fits 64 bits */ };
#define CUBIC_MS_PER_S UINT64_C(1000000000) /* cubic milliseconds in a cubic second */

static uint32_t cube_root(uint64_t x)
{
    uint64_t root = 0;
    for (int bit = 20; bit >= 0; bit--) {
        uint64_t more = root | UINT64_C(1) << bit;
        if (more * more * more <= x)
            root = more;
    }
    return (uint32_t)root;
}

static void cubic_init(struct lan_tcb *tcb)
{
    tcb->sender->cubic = (struct lan_tcp_cubic){0};
    lan_tcp_hystart_init(tcb);
}

/* 4.2: the first ACK in congestion avoidance after a loss, or after slow start. */
static void begin_epoch(struct lan_tcb *tcb)
{
    struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    cubic->epoch_ns = lan_tcp_now(tcb);
    cubic->w_est = tcb->cwnd;
    if (cubic->w_max < tcb->cwnd)
        cubic->w_max = tcb->cwnd;
    cubic->k_ms = cube_root((cubic->w_max - tcb->cwnd) * CUBIC_MS_PER_S / 2 * 5 / tcb->mss);
}

/* W_cubic(t), Figure 1. */
static uint32_t w_cubic(const struct lan_tcb *tcb, uint64_t t_ms)
{
    const struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    bool before = t_ms < cubic->k_ms;
    uint64_t distance = before ? cubic->k_ms - t_ms : t_ms - cubic->k_ms;
    if (distance > DISTANCE_MAX_MS)
        distance = DISTANCE_MAX_MS;
    uint64_t bytes = distance * distance * distance / 5 * 2 / 1000 * tcb->mss / (CUBIC_MS_PER_S / 1000);
    if (before)
        return bytes < cubic->w_max ? cubic->w_max - (uint32_t)bytes : 0;
    return bytes < UINT32_MAX - cubic->w_max ? cubic->w_max + (uint32_t)bytes : UINT32_MAX;
}

/* 4.3: what a Reno flow with the same loss would have; alpha is 9/17, and 1 from where the loss was on. */
static void grow_w_est(struct lan_tcb *tcb, uint32_t acked)
{
    struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    uint64_t growth = (uint64_t)acked * tcb->mss + cubic->w_est_rest;
    uint64_t divisor = cubic->w_est < cubic->cwnd_prior ? (uint64_t)tcb->cwnd * 17 / 9 : tcb->cwnd;
    uint32_t more = (uint32_t)(growth / divisor);
    cubic->w_est += more;
    cubic->w_est_rest = (uint32_t)(growth - more * divisor);
}

static void cubic_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    if (tcb->cwnd < tcb->ssthresh) {
        lan_tcp_hystart_acked(tcb, ack);
        return;
    }
    if (!cubic->epoch_ns)
        begin_epoch(tcb);
    grow_w_est(tcb, ack->acked);
    uint64_t t_ms = (lan_tcp_now(tcb) - cubic->epoch_ns) / LAN_MS;
    if (w_cubic(tcb, t_ms) < cubic->w_est) {
        tcb->cwnd = tcb->cwnd > cubic->w_est ? tcb->cwnd : cubic->w_est;
        return;
    }
    uint32_t target = w_cubic(tcb, t_ms + tcb->srtt_ns / LAN_MS), most = tcb->cwnd + tcb->cwnd / 2;
    target = target < most ? target : most;
    if (target <= tcb->cwnd)
        return;
    uint64_t growth =
        (uint64_t)(target - tcb->cwnd) * ack->acked + tcb->sender->cwnd_acked; /* a part of a byte is kept */
    uint32_t more = (uint32_t)(growth / tcb->cwnd);
    tcb->sender->cwnd_acked = (uint32_t)(growth - (uint64_t)more * tcb->cwnd);
    tcb->cwnd += more;
}

/* 4.6, 4.7: multiplicative decrease and fast convergence. */
static uint32_t cubic_ssthresh(struct lan_tcb *tcb)
{
    struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    uint32_t flight = tcb->snd_nxt - tcb->snd_una, window = flight < tcb->cwnd ? flight : tcb->cwnd;
    uint32_t least = 2u * tcb->mss, reduced = (uint32_t)((uint64_t)window * 7 / 10);
    tcb->sender->cubic_before = *cubic;
    cubic->cwnd_prior = window;
    cubic->w_max = window < cubic->w_max ? (uint32_t)((uint64_t)window * 17 / 20) : window;
    cubic->epoch_ns = 0;
    return reduced > least ? reduced : least;
}

static void cubic_undone(struct lan_tcb *tcb)
{
    tcb->sender->cubic = tcb->sender->cubic_before;
}

const struct lan_tcp_congestion LAN_TCP_CUBIC = {
    .name = "cubic",
    .init = cubic_init,
    .acked = cubic_acked,
    .ssthresh = cubic_ssthresh,
    .undone = cubic_undone,
    .restart = lan_tcp_restart_window,
};
