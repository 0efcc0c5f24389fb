/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_NIC_H
#define LANYARD_NIC_H

/* The card's driver: a lan_netif over a lan_bus. Register map and descriptors: docs/card.md and docs/registers.md.
 */

#include "lanyard/bus.h"
#include "lanyard/netif.h"

struct lan_nic_config {
    uint8_t tx_ring_log2; /* descriptors, 2^n, n from 2 to 12 */
    uint8_t rx_ring_log2;
    bool promiscuous;
};

extern const struct lan_nic_config LAN_NIC_CONFIG_DEFAULT;

/* Counters of the driver itself; the card's own are read with lan_nic_statistic(). */
struct lan_nic_counters {
    uint64_t interrupts;
    uint64_t tx_ring_full;      /* transmit() refused with -ENOBUFS */
    uint64_t tx_refused;        /* frames dropped: too long, too many fragments, or a checksum the card cannot place */
    uint64_t tx_errors;         /* frames that the card could not send, and stops of the ring */
    uint64_t rx_errors;         /* stops of the ring, by the card or after a bad completion */
    uint64_t rx_no_buffer;      /* refills cut short by an empty pool */
    uint64_t rx_bad_completion; /* descriptors whose contents cannot be true */
    uint64_t rx_overflows;      /* interrupts that told of dropped frames */
    uint64_t ring_resets;
};

struct lan_nic; /* lives in memory given to lan_nic_create() */

/* Bytes of DMA memory the driver needs for its state and rings; 0 for an impossible configuration. */
size_t lan_nic_size(const struct lan_nic_config *config);

/* Finds and starts the card: identifies it, lays rings out in `memory` (64-byte aligned, in the stack's region so that
 * bus->dma_address() covers it), posts receive buffers from `pool`. Returns NULL and stores a negative errno in *error
 * if there is no card (-ENODEV), it is of another version (-EPROTONOSUPPORT), has no usable MAC address
 * (-EADDRNOTAVAIL), does not answer a reset (-EIO), or the configuration is impossible (-EINVAL). `bus` and `pool` are
 * borrowed for the driver's life. */
struct lan_nic *lan_nic_create(void *memory, const struct lan_bus *bus, struct lan_pool *pool,
                               const struct lan_nic_config *config, int *error);

/* The interface to hand to lan_stack_add_netif(), before the first lan_nic_interrupt(). */
struct lan_netif *lan_nic_netif(struct lan_nic *nic);

/* Call while irq is high: reads and acknowledges the causes, reclaims sent frames, delivers received ones, posts fresh
 * buffers, and restarts a ring that stopped on an error. The line falls before it returns, or has a new cause. A card
 * that breaks its rules again and again is switched off: the link goes down for good. */
void lan_nic_interrupt(struct lan_nic *nic);

/* Stops both rings, gives every buffer back and takes the link down; a stack that has the interface may live on. */
void lan_nic_destroy(struct lan_nic *nic);

const struct lan_nic_counters *lan_nic_counters(const struct lan_nic *nic);

/* The card's statistics, by index from 0; NULL name past the last. Names are RFC 2819's and clause 30's. */
const char *lan_nic_statistic(struct lan_nic *nic, uint32_t index, uint32_t *value);

#endif
