/* SPDX-License-Identifier: Apache-2.0 */
/* Which TCB a segment belongs to. Connections stand in a hash table over the peer's address and both ports, listeners
 * and bound sockets in one over the local port. Both are sized at creation for the most entries there can be.
 */

#include "siphash.h"
#include "tcp_internal.h"

/* Pair-multiply-shift (Dietzfelbinger 1996; Lemire and Kaser 2014): with random keys two tuples collide with a
 * probability of about one in the table's size, whoever chose them, at the price of a multiplication. Local addresses
 * have no part in it, as there are few. Returns what points at the connection, or at NULL where it would stand. */
static inline struct lan_tcb **connection_slot(const struct lan_tcp *tcp, uint32_t local, uint16_t local_port,
                                               uint32_t remote, uint16_t remote_port)
{
    const uint64_t *key = tcp->random.connections_key;
    uint32_t ports = (uint32_t)local_port << 16 | remote_port;
    uint64_t hash = (key[0] + remote) * (key[1] + ports);
    struct lan_tcb **link = &tcp->connections[(uint32_t)(hash >> 32) & tcp->connections_mask], *tcb;
    while ((tcb = *link) && (tcb->remote_port != remote_port || tcb->flow.dst != remote ||
                             tcb->local_port != local_port || tcb->flow.src != local))
        link = &tcb->hash_next;
    return link;
}

struct lan_tcb *lan_tcp_find(const struct lan_tcp *tcp, uint32_t local, uint16_t local_port, uint32_t remote,
                             uint16_t remote_port)
{
    return *connection_slot(tcp, local, local_port, remote, remote_port);
}

static struct lan_tcb **twin_slot(const struct lan_tcb *tcb)
{
    return connection_slot(lan_tcp_of(tcb), tcb->flow.src, tcb->local_port, tcb->flow.dst, tcb->remote_port);
}

struct lan_tcb *lan_tcp_find_twin(const struct lan_tcb *tcb)
{
    return *twin_slot(tcb);
}

static struct lan_tcb **port_slot(const struct lan_tcp *tcp, uint16_t port)
{
    return &tcp->ports[(port ^ port >> 8) & tcp->ports_mask]; /* the low bits, whichever byte has them */
}

struct lan_tcb *lan_tcp_find_listener(const struct lan_tcp *tcp, uint32_t local, uint16_t local_port)
{
    struct lan_tcb *any = NULL;
    for (struct lan_tcb *tcb = *port_slot(tcp, local_port); tcb; tcb = tcb->hash_next) {
        if (tcb->local_port != local_port || tcb->state != LAN_TCP_LISTEN)
            continue;
        if (tcb->flow.src == local)
            return tcb;
        if (!tcb->flow.src)
            any = tcb;
    }
    return any;
}

static struct lan_tcb **slot_of(const struct lan_tcb *tcb)
{
    return tcb->flags & TCB_IN_PORTS ? port_slot(lan_tcp_of(tcb), tcb->local_port) : twin_slot(tcb);
}

static void insert(struct lan_tcb *tcb, uint32_t flag)
{
    tcb->flags |= flag;
    struct lan_tcb **slot = slot_of(tcb);
    tcb->hash_next = *slot;
    *slot = tcb;
}

void lan_tcp_insert(struct lan_tcb *tcb)
{
    insert(tcb, TCB_IN_CONNECTIONS);
}

void lan_tcp_remove(struct lan_tcb *tcb)
{
    if (!(tcb->flags & (TCB_IN_PORTS | TCB_IN_CONNECTIONS)))
        return;
    struct lan_tcb **link = slot_of(tcb);
    while (*link != tcb)
        link = &(*link)->hash_next;
    *link = tcb->hash_next;
    tcb->flags &= ~(uint32_t)(TCB_IN_PORTS | TCB_IN_CONNECTIONS);
}

/* Two sockets that both set SO_REUSEADDR may share a port as long as none listens. */
bool lan_tcp_port_taken(const struct lan_tcb *tcb, uint32_t local, uint16_t port)
{
    for (const struct lan_tcb *other = *port_slot(lan_tcp_of(tcb), port); other; other = other->hash_next) {
        if (other == tcb || other->local_port != port || (local && other->flow.src && other->flow.src != local))
            continue;
        if (other->state == LAN_TCP_LISTEN || !(tcb->flags & other->flags & TCB_REUSE))
            return true;
    }
    return false;
}

static bool usable_to_bind(void *ctx, uint16_t port)
{
    const struct lan_tcb *tcb = ctx;
    return !lan_tcp_port_taken(tcb, tcb->flow.src, port);
}

int lan_tcp_bind_port(struct lan_tcb *tcb, uint32_t local, uint16_t port)
{
    if (port && lan_tcp_port_taken(tcb, local, port))
        return -EADDRINUSE;
    tcb->flow.src = local;
    if (!port)
        port = lan_port_pick(tcb->stack, usable_to_bind, tcb);
    if (!port)
        return -EADDRINUSE;
    tcb->local_port = port;
    tcb->flags |= TCB_BOUND;
    insert(tcb, TCB_IN_PORTS);
    return 0;
}

uint64_t lan_tcp_hash(const struct lan_tcb *tcb, enum lan_tcp_purpose purpose)
{
    const struct {
        uint32_t local, remote;
        uint16_t local_port, remote_port;
        uint8_t purpose, zero[3];
    } tuple = {tcb->flow.src, tcb->flow.dst, tcb->local_port, tcb->remote_port, (uint8_t)purpose, {0}};
    return lan_siphash(tcb->stack->random.secret, &tuple, sizeof tuple);
}
