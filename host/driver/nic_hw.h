/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_NIC_HW_H
#define LANYARD_NIC_HW_H

/* The card as software meets it: descriptors and rings as docs/card.md defines them; registers come from nic_regs.h. */

#include <stddef.h>

#include "nic_regs.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "descriptors are little-endian and are stored as they are");

#define NIC_REGISTER(name) ((uint32_t)offsetof(nic_t, name))

/* Both rings have the same six registers, here from their BASE. */
enum {
    RING_BASE = 0,
    RING_SIZE = offsetof(nic_t, TX_SIZE) - offsetof(nic_t, TX_BASE),
    RING_TAIL = offsetof(nic_t, TX_TAIL) - offsetof(nic_t, TX_BASE),
    RING_CONTROL = offsetof(nic_t, TX_CONTROL) - offsetof(nic_t, TX_BASE),
    RING_STATUS = offsetof(nic_t, TX_STATUS) - offsetof(nic_t, TX_BASE),
};
static_assert(offsetof(nic_t, RX_STATUS) - offsetof(nic_t, RX_BASE) ==
                  offsetof(nic_t, TX_STATUS) - offsetof(nic_t, TX_BASE),
              "the rings' register blocks differ");

struct lan_nic_descriptor {
    volatile uint32_t address;
    volatile uint32_t
        checksum;             /* transmit: where it goes, and the headers' length; receive: the raw sum, and the tag */
    volatile uint32_t stamp;  /* transmit: segment size and tag; written back, both ways: timestamp_ns */
    volatile uint32_t status; /* length and bits; the card writes it last */
};
static_assert(sizeof(struct lan_nic_descriptor) == 16, "descriptor size");

/* Bits of `status`. */
enum {
    DESC_LEN = 0xffff,
    DESC_CSUM_OFFSET_BIT = 8, /* of `checksum`, transmit */
    DESC_HDR_LEN_BIT = 16,
    DESC_RX_TCI_BIT = 16, /* of `checksum`, receive */
    DESC_TX_TCI_BIT = 16, /* of `stamp`, transmit; the segment size is below */

    TX_EOP = 1 << 16,
    TX_IRQ = 1 << 17,
    TX_IP_CSUM = 1 << 18,
    TX_L4_CSUM = 1 << 19,
    TX_TSO = 1 << 20,
    TX_VLAN = 1 << 21,
    TX_ERROR = 0xf << 24,
    TX_ERROR_BIT = 24,

    RX_SOP = 1 << 16,
    RX_EOP = 1 << 17,
    RX_IP_OK = 1 << 18,
    RX_L4_CHECKED = 1 << 19,
    RX_L4_OK = 1 << 20,
    RX_FCS_ERR = 1 << 21,
    RX_ALIGN_ERR = 1 << 22,
    RX_BCAST = 1 << 23,
    RX_MCAST = 1 << 24,
    RX_VLAN = 1 << 25,
};
#define DESC_DONE (1u << 31)

/* Error codes of a transmit descriptor, and of a ring's status. */
enum { TX_EXCESSIVE_COLLISIONS = 1, TX_LATE_COLLISION, TX_MALFORMED };
enum { RING_OK, RING_DESCRIPTOR_BUS_ERROR, RING_DATA_BUS_ERROR, RING_MALFORMED };

#endif
