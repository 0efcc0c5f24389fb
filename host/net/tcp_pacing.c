/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing (draft-ietf-ccwg-bbr 5.6.2): what may be sent leaves in quanta, and after each one comes a pause of as long as
 * the rate takes for it. So in any span of time no more than the rate leaves, and a quantum beyond. */

#include "tcp_internal.h"

enum { QUANTUM_MAX = 65536, QUANTA_A_SECOND = 1000, LATE = 8 };

uint32_t lan_tcp_pacing_rate(const struct lan_tcb *tcb)
{
    uint32_t rate = tcb->sender && tcb->sender->pacing_rate ? tcb->sender->pacing_rate : UINT32_MAX;
    return rate < tcb->opt.pacing_limit ? rate : tcb->opt.pacing_limit;
}

/* 5.6.3. */
uint32_t lan_tcp_send_quantum(const struct lan_tcb *tcb)
{
    uint32_t least = 2u * tcb->mss, quantum = lan_tcp_pacing_rate(tcb) / QUANTA_A_SECOND;
    quantum = quantum < QUANTUM_MAX ? quantum : QUANTUM_MAX;
    return quantum > least ? quantum : least;
}

static uint64_t pause_for(const struct lan_tcb *tcb, uint32_t bytes)
{
    return lan_divide(bytes * LAN_S, lan_tcp_pacing_rate(tcb));
}

/* A pause lasts no longer than the present rate takes for a quantum: it may have begun at a far lower one. */
uint32_t lan_tcp_pace(struct lan_tcb *tcb, uint32_t room)
{
    uint32_t quantum = lan_tcp_send_quantum(tcb);
    if (lan_tcp_pauses(tcb)) {
        uint64_t latest_ns = lan_tcp_of(tcb)->now_ns + pause_for(tcb, quantum);
        if (tcb->sender->pace_ns > latest_ns)
            tcb->sender->pace_ns = latest_ns;
        lan_tcp_arm_at(tcb, LAN_TCP_PACE, tcb->sender->pace_ns);
        return 0;
    }
    return room < quantum ? room : quantum;
}

/* A timer that fires a little late costs nothing of the rate. */
void lan_tcp_paced(struct lan_tcb *tcb, uint32_t bytes)
{
    uint64_t now_ns = lan_tcp_of(tcb)->now_ns, pause_ns = pause_for(tcb, bytes);
    uint64_t *pace_ns = &tcb->sender->pace_ns;
    *pace_ns = (now_ns < *pace_ns + pause_ns / LATE ? *pace_ns : now_ns) + pause_ns;
}

bool lan_tcp_on_pace(struct lan_tcb *tcb)
{
    lan_tcp_output(tcb);
    return true;
}
