/* SPDX-License-Identifier: Apache-2.0 */
/* The deadlines of a connection. Putting one off, which every ACK does, is one store: the timer on the wheel is moved
 * only to come earlier, and finds the rest when it fires. */

#include "tcp_internal.h"

void lan_tcp_set_clock(struct lan_tcp *tcp, uint64_t now_ns)
{
    uint32_t ticks = LAN_TCP_TICKS(now_ns);
    tcp->now_ns = now_ns;
    tcp->now = ticks + !ticks;
    tcp->now_coarse = LAN_TCP_COARSE(now_ns);
    tcp->now_age = LAN_TCP_AGE(now_ns);
}

LAN_SHARED void lan_tcp_enter(struct lan_stack *stack)
{
    lan_tcp_set_clock(&stack->tcp, lan_now(stack));
}

/* LAN_NEVER: it is not armed. */
LAN_RARE static uint64_t due_at(struct lan_tcb *tcb, enum lan_tcp_deadline which)
{
    return lan_tcp_armed(tcb, which) ? *lan_tcp_deadline(tcb, which) : LAN_NEVER;
}

void lan_tcp_arm_at(struct lan_tcb *tcb, enum lan_tcp_deadline which, uint64_t deadline_ns)
{
    *lan_tcp_deadline(tcb, which) = deadline_ns;
    tcb->armed |= (uint8_t)(1u << which);
    if (!lan_timer_running(&tcb->timer) || deadline_ns < tcb->timer.deadline_ns)
        lan_timer_set(&tcb->stack->timers, &tcb->timer, deadline_ns);
}

void lan_tcp_arm(struct lan_tcb *tcb, enum lan_tcp_deadline which, uint32_t ticks)
{
    lan_tcp_arm_at(tcb, which, lan_tcp_in(tcb, ticks));
}

/* Keep-alive may wait for hours. */
static void arm_life(struct lan_tcb *tcb, uint32_t seconds)
{
    lan_tcp_arm_at(tcb, LAN_TCP_LIFE, lan_tcp_of(tcb)->now_ns + seconds * LAN_S);
}

void lan_tcp_arm_keepalive(struct lan_tcb *tcb)
{
    if (tcb->state < LAN_TCP_ESTABLISHED || tcb->state == LAN_TCP_TIME_WAIT || !tcb->socket)
        return; /* nothing is probed, and LIFE may be for something else */
    if (tcb->flags & TCB_KEEPALIVE) {
        tcb->keep_probes_sent = 0;
        arm_life(tcb, tcb->opt.keep_idle_s);
    } else {
        lan_tcp_disarm(tcb, LAN_TCP_LIFE);
    }
}

/* Enough probes without an answer; a user timeout counts from the last sign of life instead. */
static bool probed_in_vain(const struct lan_tcb *tcb)
{
    uint32_t silent_s = tcb->opt.keep_idle_s + (uint32_t)tcb->keep_probes_sent * tcb->opt.keep_interval_s;
    if (tcb->opt.user_timeout_ms)
        return tcb->keep_probes_sent && silent_s >= (tcb->opt.user_timeout_ms + 999) / 1000;
    return tcb->keep_probes_sent >= tcb->opt.keep_probes;
}

/* RFC 9293 3.8.4. False: the peer is dead. */
static bool keep_alive(struct lan_tcb *tcb)
{
    if (tcb->snd_nxt != tcb->snd_una) { /* MUST-26: data under way finds out by itself */
        lan_tcp_arm_keepalive(tcb);
        return true;
    }
    if (probed_in_vain(tcb)) {
        lan_tcp_send_reset(tcb);
        lan_tcp_give_up(tcb);
        return false;
    }
    LAN_COUNT(tcb->stack, tcp_ext_keep_alive);
    if (tcb->keep_probes_sent < UINT8_MAX)
        tcb->keep_probes_sent++;
    lan_tcp_send_keepalive(tcb);
    arm_life(tcb, tcb->opt.keep_interval_s);
    return true;
}

static bool on_life(struct lan_tcb *tcb)
{
    if (tcb->state != LAN_TCP_TIME_WAIT && tcb->socket)
        return keep_alive(tcb);
    lan_tcp_finish(tcb, 0); /* 2 MSL in TIME-WAIT; or FIN-WAIT-2, and nobody left who would read */
    return false;
}

void lan_tcp_await_memory(struct lan_tcb *tcb)
{
    tcb->flags |= (uint32_t)TCB_STARVED;
    if (lan_tcp_in(tcb, LAN_TCP_MEMORY_RETRY) < due_at(tcb, LAN_TCP_SEND_LATER))
        lan_tcp_arm(tcb, LAN_TCP_SEND_LATER, LAN_TCP_MEMORY_RETRY);
}

static bool on_send_later(struct lan_tcb *tcb)
{
    tcb->flags &= ~(uint32_t)TCB_STARVED;
    if (tcb->flags & TCB_ACK_LATER) {
        LAN_COUNT(tcb->stack, tcp_ext_delayed_acks);
        tcb->flags |= TCB_ACK_NOW;
    }
    if (tcb->flags & TCB_WANT_SPACE)
        lan_tcp_offer_space(tcb);
    lan_tcp_output(tcb);
    return true;
}

void lan_tcp_fire(struct lan_timer *timer)
{
    static bool (*const due[LAN_TCP_DEADLINES])(struct lan_tcb *) = {
        [LAN_TCP_RETRANSMIT] = lan_tcp_on_retransmit,
        [LAN_TCP_SEND_LATER] = on_send_later,
        [LAN_TCP_LIFE] = on_life,
        [LAN_TCP_REORDER] = lan_tcp_on_reorder,
        [LAN_TCP_TAIL_PROBE] = lan_tcp_on_tail_probe,
        [LAN_TCP_PACE] = lan_tcp_on_pace,
        [LAN_TCP_QUIET] = lan_tcp_on_quiet,
    };
    struct lan_tcb *tcb = (struct lan_tcb *)((char *)timer - offsetof(struct lan_tcb, timer));
    lan_tcp_enter(tcb->stack);
    uint64_t now_ns = lan_tcp_of(tcb)->now_ns, earliest_ns = LAN_NEVER;
    for (int i = 0; i < LAN_TCP_DEADLINES; i++) {
        if (due_at(tcb, i) > now_ns)
            continue;
        lan_tcp_disarm(tcb, i);
        if (!due[i](tcb))
            return;
    }
    for (int i = 0; i < LAN_TCP_DEADLINES; i++) {
        uint64_t due_ns = due_at(tcb, i);
        earliest_ns = due_ns < earliest_ns ? due_ns : earliest_ns;
    }
    if (earliest_ns != LAN_NEVER)
        lan_timer_set(&tcb->stack->timers, &tcb->timer, earliest_ns);
}
