/* SPDX-License-Identifier: Apache-2.0 */
/* The path's MTU: what routers say of it (RFC 1191), what their silence says (RFC 2923 2.1), and when to try more. */

#include "tcp_internal.h"

enum { SUSPICIOUS_TIME_OUTS = 3 };
#define RECENT LAN_TCP_AGE(10 * LAN_S)
#define RAISE_AFTER LAN_TCP_AGE(600 * LAN_S) /* RFC 1191 6.3 */
#define GUESS_AFTER LAN_TCP_AGE(60 * LAN_S)  /* a guess may be wrong */

static uint16_t age(const struct lan_tcb *tcb)
{
    return (uint16_t)(lan_tcp_now_age(tcb) - tcb->pmtu_at);
}

LAN_RARE static void set_mtu(struct lan_tcb *tcb, uint32_t mtu)
{
    tcb->flow.mtu = (uint16_t)mtu;
    tcb->pmtu_at = (uint16_t)lan_tcp_now_age(tcb);
    lan_tcp_set_mss(tcb);
}

void lan_tcp_pmtu_open(struct lan_tcb *tcb)
{
    tcb->pmtu_at = (uint16_t)(lan_tcp_now_age(tcb) - RECENT);
}

/* RFC 1191 7.1: usual MTUs, for routers that do not name theirs. */
static const uint16_t PLATEAUS[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 0};

/* What to try when full segments vanish: Ethernet's MTU, an MSS of 1024, what every host takes (RFC 1122 3.3.3). */
static const uint16_t GUESSES[] = {1500, 1024 + LAN_IP_HEADER + LAN_TCP_HEADER, 576, 0};

/* The next smaller one; 0: there is none. */
LAN_RARE static uint32_t next_below(uint32_t mtu, const uint16_t *mtus)
{
    while (*mtus && *mtus >= mtu)
        mtus++;
    return *mtus;
}

void lan_tcp_pmtu_told(struct lan_tcb *tcb, uint32_t mtu, uint32_t packet_bytes)
{
    if (!mtu) /* below what was too large, not below what is known: a flight brings many such errors */
        mtu = next_below(packet_bytes, PLATEAUS);
    if (mtu < LAN_IP_MTU_FLOOR) /* nobody may make us send nothing but headers; routers cut what is larger, then */
        mtu = LAN_IP_MTU_FLOOR;
    if (mtu >= tcb->flow.mtu)
        return;
    set_mtu(tcb, mtu);
    tcb->flags &= ~(uint32_t)TCB_MTU_GUESSED;
    lan_tcp_mark_lost(tcb, UINT32_MAX);
    lan_tcp_output(tcb);
}

/* One time-out is enough soon after a change. */
void lan_tcp_pmtu_timed_out(struct lan_tcb *tcb)
{
    uint32_t guess = next_below(tcb->flow.mtu, GUESSES);
    uint32_t full = (uint32_t)tcb->mss + LAN_IP_HEADER + LAN_TCP_HEADER;
    if (full <= guess || tcb->snd_nxt - tcb->snd_una < tcb->mss || !guess || tcb->sender->sacked)
        return; /* by what SACK tells, large ones do arrive */
    if (tcb->retries + 1 < SUSPICIOUS_TIME_OUTS && age(tcb) >= RECENT)
        return;
    LAN_COUNT(tcb->stack, tcp_ext_black_holes);
    set_mtu(tcb, guess);
    tcb->flags |= TCB_MTU_GUESSED;
}

void lan_tcp_pmtu_grow_old(struct lan_tcb *tcb)
{
    if (age(tcb) >= (tcb->flags & TCB_MTU_GUESSED ? GUESS_AFTER : RAISE_AFTER))
        set_mtu(tcb, tcb->flow.netif->mtu);
}

void lan_tcp_pmtu_reroute(struct lan_tcb *tcb, const struct lan_flow *flow)
{
    uint16_t known = tcb->flow.mtu;
    tcb->flow = *flow;
    if (known < flow->mtu)
        tcb->flow.mtu = known;
    lan_tcp_set_mss(tcb);
}
