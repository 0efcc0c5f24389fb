/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_NIC_INTERNAL_H
#define LANYARD_NIC_INTERNAL_H

/* The driver's state and how its files share the work: nic.c finds, starts and stops the card and takes its
 * interrupts, nic_tx.c sends, nic_rx.c receives, nic_ring.c is what both directions have in common; nic_settings.c is
 * what can be set while the card runs, nic_link.c the PHY, nic_statistics.c the counters.
 */

#include "lanyard/nic.h"
#include "nic_ring.h"

/* Restarts of a ring without one good completion in between, after which the card is given up as broken. */
enum { NIC_FAILURES_MAX = 8 };

enum { ETH_HEADER_BYTES = 14, VLAN_TAG_BYTES = 4, FCS_BYTES = 4, HASH_BITS = 64 };

/* Where the work on the PHY stands; nic_link.c. */
struct lan_nic_phy {
    enum {
        PHY_ABSENT,
        PHY_SEARCHING,   /* reads the identifier of PHY `address` */
        PHY_RESTING,     /* between two looks */
        PHY_CHECKING,    /* reads whether the link has been up all the time */
        PHY_LOOKING,     /* reads all that matters, one register after the other */
        PHY_ADVERTISING, /* writes what is advertised, */
        PHY_COMMANDING,  /* and the basic control register */
        PHY_DRAINING,    /* waits until the card is idle, to change duplex */
    } step;
    enum { PHY_SET, PHY_TO_BE_COMPARED, PHY_TO_BE_SET } setting; /* of modes and negotiate */
    uint8_t address;
    uint8_t looked;   /* registers read by PHY_LOOKING so far */
    uint16_t seen[6]; /* registers of clause 22, by number */
    uint32_t modes;   /* LAN_NIC_* wanted */
    bool negotiate;
    bool has_interrupt;
    bool attention;               /* its interrupt has come */
    uint32_t polls;               /* of the present step, in vain */
    struct lan_nic_link resolved; /* what the link becomes as soon as the card is idle */
};

struct lan_nic {
    struct lan_netif netif;
    const struct lan_bus *bus;
    struct lan_pool *pool;
    struct lan_nic_counters counters;
    struct lan_nic_ring tx, rx;
    uint32_t card_features; /* FEATURES */

    uint32_t filter; /* LAN_NIC_BROADCAST ... */
    uint16_t hash_users[HASH_BITS];
    enum lan_nic_loopback loopback;
    struct lan_nic_coalesce coalesce;
    struct lan_nic_link link;
    struct lan_nic_phy phy;

    uint32_t tx_unmarked; /* descriptors since the last one that asks for an interrupt */
    bool tx_blocked;      /* the stack waits for lan_netif_tx_ready() */
    bool in_interrupt;
    bool stopped; /* for good: destroyed, or the card is broken */

    struct lan_buf *rx_frame, *rx_last; /* the buffers so far of a frame that goes on */
    uint32_t rx_frame_bytes;
    uint32_t rx_frame_limit; /* octets of the longest frame that may stand in the ring */
};

static inline uint32_t lan_nic_read(const struct lan_nic *nic, uint32_t offset)
{
    return nic->bus->read(nic->bus->ctx, offset);
}

static inline void lan_nic_write(const struct lan_nic *nic, uint32_t offset, uint32_t value)
{
    nic->bus->write(nic->bus->ctx, offset, value);
}

/* Octets of the longest frame, without tag and FCS. */
static inline uint32_t lan_nic_frame_limit(const struct lan_nic *nic)
{
    return ETH_HEADER_BYTES + (uint32_t)nic->netif.mtu;
}

int lan_nic_transmit(struct lan_netif *netif, struct lan_buf *frame);

/* Releases frames that have left the card. */
void lan_nic_tx_reclaim(struct lan_nic *nic);

/* Lets the stack send again when it waits and there is room. */
void lan_nic_tx_resume(struct lan_nic *nic);

/* Starts the empty ring and fills it. */
void lan_nic_rx_start(struct lan_nic *nic);

/* Hands on what had been received when the call began. false: the card broke the rules, the ring must be restarted. */
bool lan_nic_rx_deliver(struct lan_nic *nic);

/* Posts buffers as long as the pool has some, a quarter of the ring at least, so that doorbells are few. */
void lan_nic_rx_refill(struct lan_nic *nic);

/* Drops the part of a frame that has come. */
void lan_nic_rx_drop_partial(struct lan_nic *nic);

/* Writes every setting to the card, which has just been reset. */
void lan_nic_apply_settings(struct lan_nic *nic);

/* Writes CONTROL as settings and link want it. */
void lan_nic_apply_control(struct lan_nic *nic);

/* Tells the stack whether the link is up. */
void lan_nic_apply_link(struct lan_nic *nic);

/* The link as it is before a PHY has spoken. */
void lan_nic_link_start(struct lan_nic *nic, bool phy_interrupt);

#endif
