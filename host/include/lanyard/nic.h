/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_NIC_H
#define LANYARD_NIC_H

/* The card's driver: a lan_netif over a lan_bus. How to bring a card up: docs/driver.md; register map and descriptors:
 * docs/card.md and docs/registers.md.
 *
 * A setting can be changed at any time between lan_nic_create() and lan_nic_destroy(), and frames under way keep what
 * they were promised. Functions that return int give 0 or a negative errno, with nothing changed; what the card lacks
 * is refused with -EOPNOTSUPP. One execution context at a time, the stack's.
 */

#include "lanyard/bus.h"
#include "lanyard/netif.h"
#include "lanyard/port.h"

struct lan_nic_config {
    uint8_t tx_ring_log2; /* descriptors, 2^n, n from 2 to 12 */
    uint8_t rx_ring_log2;
    bool promiscuous;
    bool phy_interrupt; /* the PHY's interrupt is wired to the card: nobody needs to ask for changes of the link */
};

extern const struct lan_nic_config LAN_NIC_CONFIG_DEFAULT;

/* Counters of the driver itself; the card's own are read with lan_nic_statistic(). */
struct lan_nic_counters {
    uint64_t interrupts;
    uint64_t tx_ring_full;            /* transmit() refused with -ENOBUFS */
    uint64_t tx_refused;              /* frames dropped that the card would call malformed or cannot send at all */
    uint64_t tx_errors;               /* frames that the card could not send, and stops of the ring */
    uint64_t tx_excessive_collisions; /* of the frames: 16 attempts in vain (802.3 4.2.3.2.5) */
    uint64_t tx_late_collisions;      /* of the frames: collision behind the slot time; not tried again */
    uint64_t tx_malformed;            /* frames and stops: the card says that their descriptors contradict themselves */
    uint64_t rx_errors;               /* stops of the ring, by the card or after a bad completion */
    uint64_t bus_errors;              /* stops of either ring: the memory answered with an error */
    uint64_t rx_no_buffer;            /* refills cut short by an empty pool */
    uint64_t rx_bad_completion;       /* descriptors whose contents cannot be true */
    uint64_t rx_overflows;            /* interrupts that told of dropped frames */
    uint64_t ring_resets;
    uint64_t link_changes;  /* the link came up or went down */
    uint64_t mdio_timeouts; /* PHYs given up, as the card's MDIO master never ended a frame */
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
 * that breaks its rules again and again is switched off: the link goes down for good.
 * true: the PHY has something to tell, so lan_nic_poll_link() is due at once. */
bool lan_nic_interrupt(struct lan_nic *nic);

/* Stops both rings, gives every buffer back and takes the link down; a stack that has the interface may live on. */
void lan_nic_destroy(struct lan_nic *nic);

/* Features: LAN_NETIF_* (netif.h). lan_nic_features() tells all that the card has, and at first all of them are on;
 * what is on stands in the interface's `features`. -EINVAL: TSO without scatter-gather and both transmit checksums. */
uint32_t lan_nic_features(const struct lan_nic *nic);
int lan_nic_set_features(struct lan_nic *nic, uint32_t features);

/* The station's address. -EADDRNOTAVAIL: a group address, or all zeros. */
int lan_nic_set_mac(struct lan_nic *nic, const uint8_t mac[6]);

/* Bytes of IP packet, from 68 to what the card's frame buffers hold (9,000 and more if it was built so). -ERANGE. */
int lan_nic_set_mtu(struct lan_nic *nic, uint32_t mtu);

/* What is received besides the station's own address and the groups joined; at first LAN_NIC_BROADCAST. -EINVAL. */
enum { LAN_NIC_BROADCAST = 1 << 0, LAN_NIC_ALL_MULTICAST = 1 << 1, LAN_NIC_PROMISCUOUS = 1 << 2 };
int lan_nic_set_filter(struct lan_nic *nic, uint32_t accept);

/* Group addresses. Each join is undone by one leave. The card sorts by a hash of 64 values, so frames to other groups
 * may come too. -EINVAL: no group address, or a leave without a join. */
int lan_nic_join(struct lan_nic *nic, const uint8_t group[6]);
int lan_nic_leave(struct lan_nic *nic, const uint8_t group[6]);

/* Where sent frames turn round and come back; the wire sees nothing of them meanwhile. -EINVAL;
 * -EOPNOTSUPP: the card cannot. */
enum lan_nic_loopback { LAN_NIC_LOOPBACK_OFF, LAN_NIC_LOOPBACK_MAC, LAN_NIC_LOOPBACK_MII };
int lan_nic_set_loopback(struct lan_nic *nic, enum lan_nic_loopback where);

/* Interrupt moderation per direction: an interrupt comes `usecs` after the first frame not told yet, or with the
 * `frames`-th one (0: by time only). usecs 0, as at first: each frame that asks has its interrupt. Errors are told at
 * once. -ERANGE: usecs over 1,047 or frames over 255; -EINVAL: more than one frame without a time, which might never
 * come. */
struct lan_nic_coalesce {
    uint32_t tx_usecs, tx_frames;
    uint32_t rx_usecs, rx_frames;
};
const struct lan_nic_coalesce *lan_nic_coalesce(const struct lan_nic *nic);
int lan_nic_set_coalesce(struct lan_nic *nic, const struct lan_nic_coalesce *coalesce);

/* The link, as the PHY tells it. Without a PHY, or an MDIO master in the card: up, 100 Mb/s, full duplex. */
struct lan_nic_link {
    bool up;
    bool full_duplex;
    bool pause_tx, pause_rx; /* as resolved (802.3 annex 28B), and in force */
    uint16_t mbps;           /* 10 or 100 */
    int phy;                 /* its address, or negative: none found (yet) */
};
const struct lan_nic_link *lan_nic_link(const struct lan_nic *nic);

/* Looks for the PHY, reads and follows it, in steps that never wait. Call it at first and whenever the nanoseconds that
 * it returned have passed (LAN_NEVER: no more), or lan_nic_interrupt() returned true. While it has something under way
 * it asks to be called within a millisecond, at rest after a second, or with phy_interrupt not at all. */
uint64_t lan_nic_poll_link(struct lan_nic *nic);

/* What is advertised in auto-negotiation, which starts anew; or, with `negotiate` false, the one mode to be forced. The
 * next lan_nic_poll_link(), due at once, begins with it. -ENODEV: no PHY (yet). -EINVAL: no mode, or more than the one
 * to be forced. */
enum {
    LAN_NIC_10_HALF = 1 << 0,
    LAN_NIC_10_FULL = 1 << 1,
    LAN_NIC_100_HALF = 1 << 2,
    LAN_NIC_100_FULL = 1 << 3,
    LAN_NIC_PAUSE = 1 << 5,      /* 802.3 annex 28B: PAUSE */
    LAN_NIC_ASYM_PAUSE = 1 << 6, /* and ASM_DIR */
};
int lan_nic_set_link(struct lan_nic *nic, bool negotiate, uint32_t modes);

/* The card's statistics by index from 0; NULL name past the last, or if the card has none. Names are those of RFC 2819
 * and 802.3 clause 30 where there is one; values wrap at 2^32. Index 0 freezes all of them, so a walk is consistent. */
const char *lan_nic_statistic(struct lan_nic *nic, uint32_t index, uint64_t *value);

/* The driver's counters, whole or by index in the same way. */
const struct lan_nic_counters *lan_nic_counters(const struct lan_nic *nic);
const char *lan_nic_counter(const struct lan_nic *nic, uint32_t index, uint64_t *value);

#endif
