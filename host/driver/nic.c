/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/nic.h"

#include <errno.h>
#include <string.h>

#include "nic_internal.h"

enum {
    ALIGNMENT = 64,
    MAX_FRAGMENTS = 16,
    FCS_BYTES = 4,
    DONE_CAUSES = NIC__IRQ_CAUSE__TX_DONE_bm | NIC__IRQ_CAUSE__RX_DONE_bm,
    RARE_CAUSES = NIC__IRQ_CAUSE__TX_ERROR_bm | NIC__IRQ_CAUSE__RX_ERROR_bm | NIC__IRQ_CAUSE__RX_OVERFLOW_bm,
};

const struct lan_nic_config LAN_NIC_CONFIG_DEFAULT = {.tx_ring_log2 = 7, .rx_ring_log2 = 6};

static const struct lan_netif_ops OPERATIONS = {.transmit = lan_nic_transmit};

static uint32_t read_register(const struct lan_nic *nic, uint32_t offset)
{
    return nic->bus->read(nic->bus->ctx, offset);
}

static void write_register(const struct lan_nic *nic, uint32_t offset, uint32_t value)
{
    nic->bus->write(nic->bus->ctx, offset, value);
}

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
    if (read_register(nic, NIC_REGISTER(ID)) != NIC__ID__MAGIC_reset)
        return -ENODEV;
    uint32_t major = read_register(nic, NIC_REGISTER(VERSION)) >> NIC__VERSION__MAJOR_bp;
    if (major != NIC__VERSION__MAJOR_reset)
        return -EPROTONOSUPPORT;

    uint32_t mac_lo = read_register(nic, NIC_REGISTER(MAC_LO)), mac_hi = read_register(nic, NIC_REGISTER(MAC_HI));
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
    nic->card_features = read_register(nic, NIC_REGISTER(FEATURES));
    netif->ops = &OPERATIONS;
    netif->driver = nic;
    memcpy(netif->name, "eth0", 5);
    netif->mtu = 1500;
    netif->features = LAN_NETIF_SG;
    if (nic->card_features & NIC__FEATURES__TX_CSUM_bm)
        netif->features |= LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM;
    if (nic->card_features & NIC__FEATURES__RX_CSUM_bm)
        netif->features |= LAN_NETIF_RX_CSUM;
    /* A frame must fit into half a ring, which lan_nic_tx_resume() waits for. */
    netif->max_fragments = nic->tx.size / 2 < MAX_FRAGMENTS ? (uint16_t)(nic->tx.size / 2) : MAX_FRAGMENTS;
    netif->link_up = true;
}

/* Quiet, whatever the card did before. */
static bool quiesce(struct lan_nic *nic)
{
    write_register(nic, NIC_REGISTER(IRQ_ENABLE), 0);
    write_register(nic, NIC_REGISTER(CONTROL), 0);
    bool tx_stopped = lan_nic_ring_reset(&nic->tx), rx_stopped = lan_nic_ring_reset(&nic->rx);
    lan_nic_rx_drop_partial(nic);
    return tx_stopped && rx_stopped;
}

static void start(struct lan_nic *nic, bool promiscuous)
{
    write_register(nic, NIC_REGISTER(MAX_FRAME), lan_nic_frame_limit(nic) + FCS_BYTES);
    write_register(nic, NIC_REGISTER(IRQ_CAUSE), DONE_CAUSES | RARE_CAUSES);
    lan_nic_ring_start(&nic->tx);
    lan_nic_ring_start(&nic->rx);
    lan_nic_rx_refill(nic);
    write_register(nic, NIC_REGISTER(IRQ_ENABLE), DONE_CAUSES | RARE_CAUSES);
    write_register(nic, NIC_REGISTER(CONTROL),
                   NIC__CONTROL__TX_ENABLE_bm | NIC__CONTROL__RX_ENABLE_bm | NIC__CONTROL__BROADCAST_bm |
                       (promiscuous ? NIC__CONTROL__PROMISCUOUS_bm : 0));
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
    start(nic, config->promiscuous);
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

static void restart(struct lan_nic *nic, struct lan_nic_ring *ring)
{
    nic->counters.ring_resets++;
    /* A card that fails again and again is switched off, or its interrupts would never end. */
    if (++ring->failures > NIC_FAILURES_MAX || !lan_nic_ring_reset(ring)) {
        stop(nic);
        return;
    }
    if (ring == &nic->rx)
        lan_nic_rx_drop_partial(nic);
    else
        nic->tx_unmarked = 0;
    lan_nic_ring_start(ring);
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

void lan_nic_interrupt(struct lan_nic *nic)
{
    nic->counters.interrupts++;
    if (nic->stopped)
        return;

    /* The acknowledgement is posted: only the read behind it proves that it has arrived. What completes later raises
     * the line again, what completed before stands in memory by now; so one read is enough and nothing is lost. */
    write_register(nic, NIC_REGISTER(IRQ_CAUSE), DONE_CAUSES);
    uint32_t rare_causes = read_register(nic, NIC_REGISTER(IRQ_CAUSE)) & RARE_CAUSES;
    if (rare_causes)
        write_register(nic, NIC_REGISTER(IRQ_CAUSE), rare_causes);

    nic->in_interrupt = true;
    handle(nic, rare_causes);
    nic->in_interrupt = false;
}

void lan_nic_destroy(struct lan_nic *nic)
{
    stop(nic);
}

const struct lan_nic_counters *lan_nic_counters(const struct lan_nic *nic)
{
    return &nic->counters;
}

static const struct {
    uint32_t offset;
    const char *name;
} STATISTICS[] = {
    {NIC_REGISTER(STAT_TX_FRAMES), "aFramesTransmittedOK"},
    {NIC_REGISTER(STAT_TX_OCTETS), "aOctetsTransmittedOK"},
    {NIC_REGISTER(STAT_RX_FRAMES), "aFramesReceivedOK"},
    {NIC_REGISTER(STAT_RX_OCTETS), "aOctetsReceivedOK"},
    {NIC_REGISTER(STAT_RX_BROADCAST), "aBroadcastFramesReceivedOK"},
    {NIC_REGISTER(STAT_RX_MULTICAST), "aMulticastFramesReceivedOK"},
    {NIC_REGISTER(STAT_RX_FCS_ERRORS), "aFrameCheckSequenceErrors"},
    {NIC_REGISTER(STAT_RX_ALIGNMENT_ERRORS), "aAlignmentErrors"},
    {NIC_REGISTER(STAT_RX_DRIBBLE), "dribbleFrames"},
    {NIC_REGISTER(STAT_RX_SYMBOL_ERRORS), "aSymbolErrorDuringCarrier"},
    {NIC_REGISTER(STAT_RX_UNDERSIZE), "etherStatsUndersizePkts"},
    {NIC_REGISTER(STAT_RX_FRAGMENTS), "etherStatsFragments"},
    {NIC_REGISTER(STAT_RX_OVERSIZE), "etherStatsOversizePkts"},
    {NIC_REGISTER(STAT_RX_JABBERS), "etherStatsJabbers"},
    {NIC_REGISTER(STAT_RX_FILTERED), "filteredFrames"},
    {NIC_REGISTER(STAT_RX_DROPPED), "etherStatsDropEvents"},
};

const char *lan_nic_statistic(struct lan_nic *nic, uint32_t index, uint32_t *value)
{
    if (!(nic->card_features & NIC__FEATURES__STATISTICS_bm) || index >= sizeof STATISTICS / sizeof *STATISTICS)
        return NULL;
    *value = read_register(nic, STATISTICS[index].offset);
    return STATISTICS[index].name;
}
