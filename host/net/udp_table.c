/* SPDX-License-Identifier: Apache-2.0 */
#include "siphash.h"
#include "stack_internal.h"
#include "udp_internal.h"

#include <errno.h>

size_t lan_udp_memory(const struct lan_config *config)
{
    uint32_t buckets = lan_hash_buckets(config->udp_sockets);

    return lan_carve_size(config->udp_sockets * sizeof(struct lan_udp_pcb)) +
           2 * lan_carve_size(buckets * sizeof(struct lan_udp_pcb *));
}

void lan_udp_init(struct lan_stack *stack)
{
    struct lan_udp *udp = &stack->udp;
    uint32_t buckets = lan_hash_buckets(stack->config.udp_sockets);

    udp->bucket_mask = buckets - 1;
    udp->count = stack->config.udp_sockets;
    udp->pcbs = lan_stack_carve(stack, udp->count * sizeof *udp->pcbs);
    udp->by_port = lan_stack_carve(stack, buckets * sizeof(struct lan_udp_pcb *));
    udp->by_peer = lan_stack_carve(stack, buckets * sizeof(struct lan_udp_pcb *));
    for (uint32_t i = udp->count; i-- > 0;) {
        udp->pcbs[i].next = udp->free;
        udp->free = &udp->pcbs[i];
    }
}

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

static struct lan_udp_pcb **port_chain(struct lan_stack *stack, uint16_t local_port)
{
    return &stack->udp.by_port[lan_htons(local_port) & stack->udp.bucket_mask];
}

/* A keyed hash: peers choose their addresses and ports. */
static struct lan_udp_pcb **peer_chain(struct lan_stack *stack, uint32_t local, uint16_t local_port, uint32_t peer,
                                       uint16_t peer_port)
{
    uint32_t key[3] = {local, peer, (uint32_t)local_port << 16 | peer_port};

    return &stack->udp.by_peer[lan_siphash(stack->secret, key, sizeof key) & stack->udp.bucket_mask];
}

static struct lan_udp_pcb **chain_of(struct lan_stack *stack, const struct lan_udp_pcb *pcb)
{
    if (pcb->peer_port)
        return peer_chain(stack, pcb->local, pcb->local_port, pcb->peer, pcb->peer_port);
    return port_chain(stack, pcb->local_port);
}

void lan_udp_link(struct lan_stack *stack, struct lan_udp_pcb *pcb)
{
    struct lan_udp_pcb **chain = chain_of(stack, pcb);

    pcb->next = *chain;
    *chain = pcb;
    stack->udp.connected += pcb->peer_port != 0;
}

void lan_udp_unlink(struct lan_stack *stack, struct lan_udp_pcb *pcb)
{
    struct lan_udp_pcb **link = chain_of(stack, pcb);

    while (*link != pcb)
        link = &(*link)->next;
    *link = pcb->next;
    stack->udp.connected -= pcb->peer_port != 0;
}

struct lan_udp_pcb *lan_udp_find(struct lan_stack *stack, uint32_t local, uint16_t local_port, uint32_t peer,
                                 uint16_t peer_port)
{
    struct lan_udp_pcb *pcb, *any = NULL;

    if (stack->udp.connected)
        for (pcb = *peer_chain(stack, local, local_port, peer, peer_port); pcb; pcb = pcb->next)
            if (pcb->local == local && pcb->local_port == local_port && pcb->peer == peer &&
                pcb->peer_port == peer_port)
                return pcb;
    for (pcb = *port_chain(stack, local_port); pcb; pcb = pcb->next) {
        if (pcb->local_port != local_port)
            continue;
        if (pcb->local == local)
            return pcb;
        if (pcb->local == 0 && !any)
            any = pcb;
    }
    return any;
}

/* Binding is rare, and the connected sockets of a port may be in any chain: walk them all. */
bool lan_udp_port_free(struct lan_stack *stack, const struct lan_udp_pcb *pcb, uint32_t local, uint16_t port)
{
    for (uint32_t i = 0; i < stack->udp.count; i++) {
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
