/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_NIC_INTERNAL_H
#define LANYARD_NIC_INTERNAL_H

/* The driver's state and how its files share the work: nic.c finds, starts and stops the card and takes its
 * interrupts, nic_tx.c sends, nic_rx.c receives, nic_ring.c is what both directions have in common.
 */

#include "lanyard/nic.h"
#include "nic_ring.h"

/* Restarts of a ring without one good completion in between, after which the card is given up as broken. */
enum { NIC_FAILURES_MAX = 8 };

struct lan_nic {
    struct lan_netif netif;
    const struct lan_bus *bus;
    struct lan_pool *pool;
    struct lan_nic_counters counters;
    struct lan_nic_ring tx, rx;
    uint32_t card_features;

    uint32_t tx_unmarked; /* descriptors since the last one that asks for an interrupt */
    bool tx_blocked;      /* the stack waits for lan_netif_tx_ready() */
    bool in_interrupt;
    bool stopped; /* for good: destroyed, or the card is broken */

    struct lan_buf *rx_frame, *rx_last; /* the buffers so far of a frame that goes on */
    uint32_t rx_frame_bytes;
};

/* Octets of the longest frame, without FCS. */
static inline uint32_t lan_nic_frame_limit(const struct lan_nic *nic)
{
    return 14u + nic->netif.mtu;
}

int lan_nic_transmit(struct lan_netif *netif, struct lan_buf *frame);

/* Releases frames that have left the card. */
void lan_nic_tx_reclaim(struct lan_nic *nic);

/* Lets the stack send again when it waits and there is room. */
void lan_nic_tx_resume(struct lan_nic *nic);

/* Hands on what had been received when the call began. false: the card broke the rules, the ring must be restarted. */
bool lan_nic_rx_deliver(struct lan_nic *nic);

/* Posts buffers as long as the pool has some, a quarter of the ring at least, so that doorbells are few. */
void lan_nic_rx_refill(struct lan_nic *nic);

/* Drops the part of a frame that has come. */
void lan_nic_rx_drop_partial(struct lan_nic *nic);

#endif
