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
};
static_assert(offsetof(nic_t, RX_STATUS) - offsetof(nic_t, RX_BASE) ==
                  offsetof(nic_t, TX_STATUS) - offsetof(nic_t, TX_BASE),
              "the rings' register blocks differ");

struct lan_nic_descriptor {
    volatile uint32_t address;
    volatile uint32_t checksum; /* transmit: where it goes; receive: the raw sum */
    volatile uint32_t stamp;    /* written back: timestamp_ns */
    volatile uint32_t status;   /* length and bits; the card writes it last */
};
static_assert(sizeof(struct lan_nic_descriptor) == 16, "descriptor size");

/* Bits of `status`. */
enum {
    DESC_LEN = 0xffff,
    DESC_CSUM_OFFSET_BIT = 8, /* of `checksum` */

    TX_EOP = 1 << 16,
    TX_IRQ = 1 << 17,
    TX_IP_CSUM = 1 << 18,
    TX_L4_CSUM = 1 << 19,
    TX_ERROR = 0xf << 24,

    RX_SOP = 1 << 16,
    RX_EOP = 1 << 17,
    RX_IP_OK = 1 << 18,
    RX_L4_CHECKED = 1 << 19,
    RX_L4_OK = 1 << 20,
    RX_FCS_ERR = 1 << 21,
    RX_ALIGN_ERR = 1 << 22,
    RX_BCAST = 1 << 23,
    RX_MCAST = 1 << 24,
};
#define DESC_DONE (1u << 31)

#endif
