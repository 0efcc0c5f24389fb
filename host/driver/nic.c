/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/nic.h"

#include <errno.h>
#include <string.h>

#include "nic_internal.h"

enum {
    ALIGNMENT = 64,
    MAX_FRAGMENTS = 64, /* 64 KiB in buffers of 1 KiB and more */
    IDLE_READS = 10000, /* of STATUS; the longest frame at 10 Mb/s has gone before */
    TSO_BYTES_MAX = ETH_HEADER_BYTES + 65535,
    DONE_CAUSES = NIC__IRQ_CAUSE__TX_DONE_bm | NIC__IRQ_CAUSE__RX_DONE_bm,
    RARE_CAUSES = NIC__IRQ_CAUSE__TX_ERROR_bm | NIC__IRQ_CAUSE__RX_ERROR_bm | NIC__IRQ_CAUSE__RX_OVERFLOW_bm |
                  NIC__IRQ_CAUSE__PHY_bm,
};

const struct lan_nic_config LAN_NIC_CONFIG_DEFAULT = {.tx_ring_log2 = 7, .rx_ring_log2 = 6};

static const struct lan_netif_ops OPERATIONS = {.transmit = lan_nic_transmit};

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static bool log2_in_range(uint8_t log2)
{
    return log2 >= 2 && log2 <= 12;
}

static bool possible(const struct lan_nic_config *config)
{
    return log2_in_range(config->tx_ring_log2) && log2_in_range(config->rx_ring_log2);
}

/* State, then for each ring its descriptors and its table of buffers. */
size_t lan_nic_size(const struct lan_nic_config *config)
{
    if (!possible(config))
        return 0;
    size_t descriptors = ((size_t)1 << config->tx_ring_log2) + ((size_t)1 << config->rx_ring_log2);
    return aligned(sizeof(struct lan_nic)) + descriptors * sizeof(struct lan_nic_descriptor) +
           descriptors * sizeof(struct lan_buf *);
}

static uint8_t *lay_out_ring(struct lan_nic_ring *ring, uint8_t *memory, const struct lan_bus *bus, uint32_t registers,
                             uint32_t size)
{
    ring->bus = bus;
    ring->registers = registers;
    ring->size = size;
    ring->descriptors = (struct lan_nic_descriptor *)memory;
    ring->buffers = (struct lan_buf **)(memory + size * sizeof(struct lan_nic_descriptor));
    return (uint8_t *)(ring->buffers + size);
}

static int identify(struct lan_nic *nic)
{
    if (lan_nic_read(nic, NIC_REGISTER(ID)) != NIC__ID__MAGIC_reset)
        return -ENODEV;
    uint32_t major = lan_nic_read(nic, NIC_REGISTER(VERSION)) >> NIC__VERSION__MAJOR_bp;
    if (major != NIC__VERSION__MAJOR_reset)
        return -EPROTONOSUPPORT;

    uint32_t mac_lo = lan_nic_read(nic, NIC_REGISTER(MAC_LO)), mac_hi = lan_nic_read(nic, NIC_REGISTER(MAC_HI));
    for (int i = 0; i < 4; i++)
        nic->netif.mac[i] = (uint8_t)(mac_lo >> 8 * i);
    for (int i = 0; i < 2; i++)
        nic->netif.mac[4 + i] = (uint8_t)(mac_hi >> 8 * i);
    if ((mac_lo | (mac_hi & NIC__MAC_HI__OCTETS_bm)) == 0 || (nic->netif.mac[0] & 1))
        return -EADDRNOTAVAIL;
    return 0;
}

static void describe(struct lan_nic *nic)
{
    struct lan_netif *netif = &nic->netif;
    nic->card_features = lan_nic_read(nic, NIC_REGISTER(FEATURES));
    netif->ops = &OPERATIONS;
    netif->driver = nic;
    memcpy(netif->name, "eth0", 5);
    netif->mtu = 1500;
    netif->features = lan_nic_features(nic);
    /* A frame must fit into half a ring, which lan_nic_tx_resume() waits for. */
    netif->max_fragments = nic->tx.size / 2 < MAX_FRAGMENTS ? (uint16_t)(nic->tx.size / 2) : MAX_FRAGMENTS;
    netif->max_tso_bytes = TSO_BYTES_MAX;
}

/* Duplex may only change when the last frame has left the card. */
static void leave_half_duplex(struct lan_nic *nic)
{
    for (int reads = 0; reads < IDLE_READS; reads++) {
        if (lan_nic_read(nic, NIC_REGISTER(STATUS)) & NIC__STATUS__IDLE_bm)
            break;
    }
    lan_nic_write(nic, NIC_REGISTER(CONTROL), 0);
}

/* Quiet, whatever the card did before. */
static bool quiesce(struct lan_nic *nic)
{
    lan_nic_write(nic, NIC_REGISTER(IRQ_ENABLE), 0);
    uint32_t half_duplex = lan_nic_read(nic, NIC_REGISTER(CONTROL)) & NIC__CONTROL__HALF_DUPLEX_bm;
    lan_nic_write(nic, NIC_REGISTER(CONTROL), half_duplex);
    bool tx_stopped = lan_nic_ring_reset(&nic->tx), rx_stopped = lan_nic_ring_reset(&nic->rx);
    lan_nic_rx_drop_partial(nic);
    if (half_duplex)
        leave_half_duplex(nic);
    return tx_stopped && rx_stopped;
}

static void start(struct lan_nic *nic)
{
    lan_nic_write(nic, NIC_REGISTER(IRQ_CAUSE), DONE_CAUSES | RARE_CAUSES);
    lan_nic_ring_start(&nic->tx);
    lan_nic_rx_start(nic);
    lan_nic_write(nic, NIC_REGISTER(IRQ_ENABLE), DONE_CAUSES | RARE_CAUSES);
    lan_nic_apply_settings(nic);
}

struct lan_nic *lan_nic_create(void *memory, const struct lan_bus *bus, struct lan_pool *pool,
                               const struct lan_nic_config *config, int *error)
{
    if (!possible(config)) {
        *error = -EINVAL;
        return NULL;
    }
    memset(memory, 0, lan_nic_size(config));
    struct lan_nic *nic = memory;
    nic->bus = bus;
    nic->pool = pool;
    uint8_t *rings = (uint8_t *)memory + aligned(sizeof *nic);
    rings = lay_out_ring(&nic->tx, rings, bus, NIC_REGISTER(TX_BASE), 1u << config->tx_ring_log2);
    lay_out_ring(&nic->rx, rings, bus, NIC_REGISTER(RX_BASE), 1u << config->rx_ring_log2);

    *error = identify(nic);
    if (*error == 0 && !quiesce(nic))
        *error = -EIO;
    if (*error)
        return NULL;
    describe(nic);
    lan_nic_link_start(nic, config->phy_interrupt);
    nic->filter = LAN_NIC_BROADCAST | (config->promiscuous ? LAN_NIC_PROMISCUOUS : 0);
    start(nic);
    return nic;
}

struct lan_netif *lan_nic_netif(struct lan_nic *nic)
{
    return &nic->netif;
}

static void stop(struct lan_nic *nic)
{
    nic->stopped = true;
    quiesce(nic);
    lan_netif_set_link(&nic->netif, false);
}

/* The card's own word for why a ring stopped; none after a bad completion, which the driver found. */
static void count_reason(struct lan_nic *nic, const struct lan_nic_ring *ring)
{
    uint32_t status = lan_nic_read(nic, ring->registers + RING_STATUS);
    switch ((status & NIC__RING_STATUS__ERROR_bm) >> NIC__RING_STATUS__ERROR_bp) {
    case RING_DESCRIPTOR_BUS_ERROR:
    case RING_DATA_BUS_ERROR:
        nic->counters.bus_errors++;
        break;
    case RING_MALFORMED:
        nic->counters.tx_malformed += ring == &nic->tx;
        break;
    default:
        break;
    }
}

static void restart(struct lan_nic *nic, struct lan_nic_ring *ring)
{
    count_reason(nic, ring);
    nic->counters.ring_resets++;
    /* A card that fails again and again is switched off, or its interrupts would never end. */
    if (++ring->failures > NIC_FAILURES_MAX || !lan_nic_ring_reset(ring)) {
        stop(nic);
        return;
    }
    if (ring == &nic->rx) {
        lan_nic_rx_drop_partial(nic);
        lan_nic_rx_start(nic);
    } else {
        nic->tx_unmarked = 0;
        lan_nic_ring_start(ring);
    }
}

static void handle(struct lan_nic *nic, uint32_t rare_causes)
{
    lan_nic_tx_reclaim(nic);
    bool rx_sane = lan_nic_rx_deliver(nic);
    if (rare_causes & NIC__IRQ_CAUSE__RX_OVERFLOW_bm)
        nic->counters.rx_overflows++;
    if (rare_causes & NIC__IRQ_CAUSE__TX_ERROR_bm) {
        nic->counters.tx_errors++;
        restart(nic, &nic->tx);
    }
    if (!nic->stopped && (!rx_sane || (rare_causes & NIC__IRQ_CAUSE__RX_ERROR_bm))) {
        nic->counters.rx_errors++;
        restart(nic, &nic->rx);
    }
    if (!nic->stopped) {
        lan_nic_rx_refill(nic);
        lan_nic_tx_resume(nic);
    }
}

bool lan_nic_interrupt(struct lan_nic *nic)
{
    nic->counters.interrupts++;
    if (nic->stopped)
        return false;

    /* The causes are cleared before the rings are looked at, never after: what completed before the clearing stands in
     * memory by now and is found below, what completes later raises the line again. With moderation the same holds for
     * events that the card has not told yet: the clearing forgets them, and they are found below too. The
     * acknowledgement is posted, and only the read behind it proves that it has arrived; so one read is enough. */
    lan_nic_write(nic, NIC_REGISTER(IRQ_CAUSE), DONE_CAUSES);
    uint32_t rare_causes = lan_nic_read(nic, NIC_REGISTER(IRQ_CAUSE)) & RARE_CAUSES;
    if (rare_causes)
        lan_nic_write(nic, NIC_REGISTER(IRQ_CAUSE), rare_causes);

    nic->in_interrupt = true;
    handle(nic, rare_causes);
    nic->in_interrupt = false;
    if (!nic->stopped && (rare_causes & NIC__IRQ_CAUSE__PHY_bm))
        nic->phy.attention = true;
    return nic->phy.attention;
}

void lan_nic_destroy(struct lan_nic *nic)
{
    stop(nic);
}
