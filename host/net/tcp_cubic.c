/* SPDX-License-Identifier: Apache-2.0 */
/* CUBIC (RFC 9438), in its words: after a loss the window grows as a cubic function of time, flat around W_max, where
 * the loss was, and never slower than a Reno flow would. Windows are bytes here, times coarse ticks. C is 0.4 segments
 * a cubic second, beta 0.7. */

#include "tcp_internal.h"

enum { TIME_BITS = 16 };
#define TICKS_CUBED_PER_C UINT64_C(2168404345) /* cubic ticks in which a window grows by one segment */

/* What a window grows by from where it is flat. The cube over TICKS_CUBED_PER_C as a product with its inverse, in 47
 * bits behind the point; no step leaves 64 bits. */
LAN_SHARED static uint64_t bytes_after(uint32_t ticks, uint32_t mss)
{
    if (ticks >> TIME_BITS)
        ticks = (1u << TIME_BITS) - 1;
    uint64_t cube = (uint64_t)(ticks * ticks) * ticks;
    return (cube >> 16) * mss * (((UINT64_C(1) << 47) / TICKS_CUBED_PER_C) + 1) >> 31;
}

/* The inverse. */
static uint32_t ticks_until(uint32_t bytes, uint32_t mss)
{
    uint32_t ticks = 0;
    for (uint32_t bit = 1u << (TIME_BITS - 1); bit; bit >>= 1)
        if (bytes_after(ticks | bit, mss) < bytes)
            ticks |= bit;
    return ticks;
}

static void cubic_init(struct lan_tcb *tcb)
{
    tcb->sender->cubic = (struct lan_tcp_cubic){0};
    lan_tcp_hystart_init(tcb);
}

/* 4.2: the first ACK in congestion avoidance after a loss or slow start, or after a time in which the window was not
 * used up (5.8): that must not count as time in which it could have grown. */
static void begin_epoch(struct lan_tcb *tcb)
{
    struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    cubic->epoch = lan_tcp_now_coarse(tcb) - !lan_tcp_now_coarse(tcb);
    cubic->w_est = tcb->cwnd;
    if (cubic->w_max < tcb->cwnd)
        cubic->w_max = tcb->cwnd;
    cubic->k = ticks_until(cubic->w_max - tcb->cwnd, tcb->mss);
}

/* W_cubic(t), Figure 1. */
static uint32_t w_cubic(const struct lan_tcb *tcb, uint32_t t)
{
    const struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    uint64_t bytes = bytes_after(t < cubic->k ? cubic->k - t : t - cubic->k, tcb->mss);
    if (t < cubic->k)
        return bytes < cubic->w_max ? cubic->w_max - (uint32_t)bytes : 0;
    return bytes < UINT32_MAX - cubic->w_max ? cubic->w_max + (uint32_t)bytes : UINT32_MAX;
}

/* Of `growth` a window, what `acked` bytes of it bring; a part of a byte is kept for the next time. */
static uint32_t share(uint32_t growth, uint32_t acked, uint32_t window, uint32_t *part)
{
    uint64_t product = (uint64_t)growth * acked + *part;
    uint32_t bytes = (uint32_t)lan_divide(product, window);
    *part = (uint32_t)product - bytes * window;
    return bytes;
}

/* 4.3: what a Reno flow with the same loss would have; alpha is 9/17, and 1 from where the loss was on. */
static void grow_w_est(struct lan_tcb *tcb, uint32_t acked)
{
    struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    uint32_t window = cubic->w_est < cubic->cwnd_prior ? tcb->cwnd / 9 * 17 : tcb->cwnd;
    cubic->w_est += share(tcb->mss, acked, window, &cubic->w_est_part);
}

static void cubic_acked(struct lan_tcb *tcb, const struct lan_tcp_ack *ack)
{
    struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    if (tcb->cwnd < tcb->ssthresh) {
        lan_tcp_hystart_acked(tcb, ack);
        return;
    }
    uint32_t now = lan_tcp_now_coarse(tcb), unused = now - cubic->used_at;
    cubic->used_at = now;
    if (!cubic->epoch || unused > LAN_TCP_COARSE_OF(tcb->rto))
        begin_epoch(tcb);
    grow_w_est(tcb, ack->acked);
    uint32_t t = now - cubic->epoch;
    if (w_cubic(tcb, t) < cubic->w_est) {
        tcb->cwnd = tcb->cwnd > cubic->w_est ? tcb->cwnd : cubic->w_est;
        return;
    }
    uint32_t target = w_cubic(tcb, t + (tcb->srtt >> (LAN_TCP_COARSE_BITS - LAN_TCP_TICK_BITS))),
             most = tcb->cwnd + tcb->cwnd / 2;
    target = target < most ? target : most;
    if (tcb->cwnd < target)
        tcb->cwnd += share(target - tcb->cwnd, ack->acked, tcb->cwnd, &tcb->sender->cwnd_acked);
}

/* 4.6, 4.7: multiplicative decrease (for a mark: RFC 8511) and fast convergence. */
static uint32_t cubic_ssthresh(struct lan_tcb *tcb)
{
    struct lan_tcp_cubic *cubic = &tcb->sender->cubic;
    uint32_t window = lan_tcp_used_window(tcb), reduced = lan_tcp_reduced(tcb, tcb->ecn & ECN_REDUCED ? 17 : 14);
    tcb->sender->cubic_before = *cubic;
    cubic->cwnd_prior = window;
    cubic->w_max = window < cubic->w_max ? window / 2 + reduced / 2 : window;
    cubic->epoch = 0;
    return reduced;
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
