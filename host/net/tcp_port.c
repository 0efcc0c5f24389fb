/* SPDX-License-Identifier: Apache-2.0 */
/* The local ports of outgoing connections: RFC 6056 3.3.4, over the range of its 3.2. A keyed hash over the destination
 * says where to begin, a counter how far we have come: nobody else can tell the next port, and to one destination a
 * port comes up again only when the others have had their turn.
 *
 * With 64,512 ports and a TIME-WAIT of a minute a thousand connections a second would use them up. So a port is free
 * again before, if the time stamps tell the old connection's segments from the new one's: the peer's clock must have
 * ticked since, and the slowest that RFC 7323 5.4 allows does once a second. That is RFC 6191's reason, for the side
 * that sends the SYN.
 */

#include "tcp_internal.h"

enum { FIRST = 1024, COUNT = 65536 - FIRST };
enum { STEP_MASK = 3 }; /* 3.3.5: what others learn of the counter by their own connections is not exact */

bool lan_tcp_may_succeed(const struct lan_tcb *old)
{
    return old->state == LAN_TCP_TIME_WAIT && old->flags & TCB_TIMESTAMPS && lan_tcp_timestamp_age(old) > 1;
}

static bool usable(const struct lan_tcb *tcb)
{
    if (lan_tcp_port_taken(tcb, tcb->flow.src, tcb->local_port))
        return false;
    const struct lan_tcb *old = lan_tcp_find_twin(tcb);
    return !old || lan_tcp_may_succeed(old);
}

LAN_RARE bool lan_tcp_choose_port(struct lan_tcb *tcb)
{
    tcb->local_port = 0;
    uint64_t hash = lan_tcp_hash(tcb, LAN_TCP_FOR_PORT);
    uint32_t *counter = &lan_tcp_of(tcb)->random.port_counters[hash >> 32 & (LAN_TCP_PORT_COUNTERS - 1)];
    for (uint32_t i = 0; i < COUNT; i++) {
        tcb->local_port = lan_htons((uint16_t)(FIRST + ((uint32_t)hash + *counter + i) % COUNT));
        if (usable(tcb)) {
            *counter += i + 1 + (lan_random32(tcb->stack) & STEP_MASK);
            return true;
        }
    }
    tcb->local_port = 0;
    return false;
}
