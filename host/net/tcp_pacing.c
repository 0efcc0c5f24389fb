/* SPDX-License-Identifier: Apache-2.0 */
/* Pacing (draft-ietf-ccwg-bbr 5.6.2): a turn of output may send a quantum, as one large segment or as many small ones,
 * and then comes a pause until the rate has made up for it. So in any span of time no more than the rate leaves, and a
 * quantum beyond. */

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
    struct lan_tcp_sender *sender = tcb->sender;
    uint32_t quantum = lan_tcp_send_quantum(tcb);
    if (sender && lan_tcp_ahead(tcb)) {
        if (!sender->turn_bytes || sender->turn_bytes + tcb->mss > quantum) {
            uint64_t latest_ns = lan_tcp_of(tcb)->now_ns + pause_for(tcb, quantum);
            if (sender->pace_ns > latest_ns)
                sender->pace_ns = latest_ns;
            lan_tcp_arm_at(tcb, LAN_TCP_PACE, sender->pace_ns);
            return 0;
        }
        quantum -= sender->turn_bytes;
    }
    return room < quantum ? room : quantum;
}

/* A timer that fires a little late costs nothing of the rate; but the next turn is in another tick, as RACK takes what
 * was sent in one for sent in order. */
void lan_tcp_paced(struct lan_tcb *tcb, uint32_t bytes)
{
    struct lan_tcp_sender *sender = tcb->sender;
    uint64_t now_ns = lan_tcp_of(tcb)->now_ns, next_ns = sender->pace_ns;
    if (!lan_tcp_ahead(tcb) && now_ns >= next_ns + pause_for(tcb, lan_tcp_send_quantum(tcb)) / LATE)
        next_ns = now_ns;
    next_ns += pause_for(tcb, bytes);
    now_ns += lan_tcp_ns(1);
    sender->pace_ns = next_ns > now_ns ? next_ns : now_ns;
    sender->turn_bytes += bytes;
}

bool lan_tcp_on_pace(struct lan_tcb *tcb)
{
    lan_tcp_output(tcb);
    return true;
}
