/* SPDX-License-Identifier: Apache-2.0 */
#include "nic_statistics.h"
#include "nic_internal.h"

static const struct {
    uint32_t offset;
    const char *name;
} CARD[] = {
#define COUNTER(reg, name) {NIC_REGISTER(reg), name},
    NIC_STATISTICS(COUNTER)
#undef COUNTER
};

static const struct {
    size_t offset;
    const char *name;
} DRIVER[] = {
#define COUNTER(name)                                                                                                  \
    {                                                                                                                  \
        offsetof(struct lan_nic_counters, name), #name                                                                 \
    }
    COUNTER(interrupts),
    COUNTER(tx_ring_full),
    COUNTER(tx_refused),
    COUNTER(tx_errors),
    COUNTER(tx_excessive_collisions),
    COUNTER(tx_late_collisions),
    COUNTER(tx_malformed),
    COUNTER(rx_errors),
    COUNTER(bus_errors),
    COUNTER(rx_no_buffer),
    COUNTER(rx_bad_completion),
    COUNTER(rx_overflows),
    COUNTER(ring_resets),
    COUNTER(link_changes),
    COUNTER(mdio_timeouts),
#undef COUNTER
};

enum { CARD_COUNTERS = sizeof CARD / sizeof *CARD, DRIVER_COUNTERS = sizeof DRIVER / sizeof *DRIVER };
static_assert(sizeof(struct lan_nic_counters) == DRIVER_COUNTERS * sizeof(uint64_t), "a counter has no name");

const struct lan_nic_counters *lan_nic_counters(const struct lan_nic *nic)
{
    return &nic->counters;
}

/* The first register freezes the others (docs/registers.md). */
const char *lan_nic_statistic(struct lan_nic *nic, uint32_t index, uint64_t *value)
{
    if (!(nic->card_features & NIC__FEATURES__STATISTICS_bm) || index >= CARD_COUNTERS)
        return NULL;
    *value = lan_nic_read(nic, CARD[index].offset);
    return CARD[index].name;
}

const char *lan_nic_counter(const struct lan_nic *nic, uint32_t index, uint64_t *value)
{
    if (index >= DRIVER_COUNTERS)
        return NULL;
    *value = *(const uint64_t *)((const uint8_t *)&nic->counters + DRIVER[index].offset);
    return DRIVER[index].name;
}
