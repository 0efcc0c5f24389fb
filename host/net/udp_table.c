/* SPDX-License-Identifier: Apache-2.0 */
#include "stack_internal.h"
#include "udp_internal.h"

#include <errno.h>

LAN_RARE struct lan_udp_pcb *lan_udp_alloc(struct lan_stack *stack)
{
    struct lan_udp_pcb *pcb = stack->udp.free;

    if (!pcb)
        return NULL;
    stack->udp.free = pcb->next;
    *pcb = (struct lan_udp_pcb){.receive_buffer = stack->config.receive_buffer_bytes, .ttl = 64};
    return pcb;
}

void lan_udp_release(struct lan_stack *stack, struct lan_udp_pcb *pcb)
{
    pcb->socket = NULL;
    pcb->next = stack->udp.free;
    stack->udp.free = pcb;
}

/* The chain of sockets that are connected to just this peer, or, with 0 and 0, to none: the middle of the product of
 * two sums with secret words (as of NH; Black et al. 1999), as peers choose their addresses and ports. */
LAN_SHARED static struct lan_udp_pcb **chain(struct lan_stack *stack, uint16_t local_port, uint32_t peer,
                                             uint16_t peer_port)
{
    uint32_t a = stack->random.udp_key[0] + peer;
    uint32_t b = stack->random.udp_key[1] + ((uint32_t)local_port << 16 | peer_port);

    return &stack->udp.chains[(uint64_t)a * b >> 32 & stack->udp.chain_mask];
}

void lan_udp_link(struct lan_stack *stack, struct lan_udp_pcb *pcb)
{
    struct lan_udp_pcb **head = chain(stack, pcb->local_port, pcb->peer, pcb->peer_port);

    pcb->next = *head;
    *head = pcb;
}

void lan_udp_unlink(struct lan_stack *stack, struct lan_udp_pcb *pcb)
{
    struct lan_udp_pcb **link = chain(stack, pcb->local_port, pcb->peer, pcb->peer_port);

    while (*link != pcb)
        link = &(*link)->next;
    *link = pcb->next;
}

struct lan_udp_pcb *lan_udp_find(struct lan_stack *stack, uint32_t local, uint16_t local_port, uint32_t peer,
                                 uint16_t peer_port)
{
    struct lan_udp_pcb *any = NULL;

    for (struct lan_udp_pcb *pcb = *chain(stack, local_port, peer, peer_port); pcb; pcb = pcb->next) {
        if (pcb->local_port != local_port || pcb->peer != peer || pcb->peer_port != peer_port)
            continue;
        if (pcb->local == local)
            return pcb;
        if (pcb->local == 0 && !any)
            any = pcb;
    }
    return any || peer == 0 ? any : lan_udp_find(stack, local, local_port, 0, 0);
}

/* Binding is rare, and the connected sockets of a port may be in any chain: walk them all. */
bool lan_udp_port_free(struct lan_stack *stack, const struct lan_udp_pcb *pcb, uint32_t local, uint16_t port)
{
    for (uint32_t i = 0; i < stack->config.udp_sockets; i++) {
        const struct lan_udp_pcb *other = &stack->udp.pcbs[i];

        if (other == pcb || !other->socket || other->local_port != port)
            continue;
        if (other->local && local && other->local != local)
            continue;
        if (!other->reuse || !pcb->reuse)
            return false;
    }
    return true;
}
