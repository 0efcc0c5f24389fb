/* SPDX-License-Identifier: Apache-2.0 */
/* The link, as the PHY behind the card's MDIO master tells it (802.3 clause 22, clause 28 and annex 28B). A frame on
 * MDIO takes longer than any interrupt handler should, so the work is a chain of steps: lan_nic_poll_link() takes what
 * the last step has read and starts the next.
 */
#include <errno.h>

#include "nic_internal.h"

enum {
    /* 802.3 22.2.4: registers and their bits */
    BMCR = 0,
    BMCR_FULL_DUPLEX = 1 << 8,
    BMCR_RESTART = 1 << 9,
    BMCR_NEGOTIATE = 1 << 12,
    BMCR_100 = 1 << 13,
    BMSR = 1,
    BMSR_LINK = 1 << 2, /* latched low: reads 0 once after every loss of the link */
    BMSR_CAN_NEGOTIATE = 1 << 3,
    BMSR_NEGOTIATED = 1 << 5,
    BMSR_10_HALF_BIT = 11, /* and 10 full, 100 half, 100 full above it, in the order of LAN_NIC_* */
    PHY_ID = 2,
    ANAR = 4,   /* what this side advertises, */
    ANLPAR = 5, /* and what the other */
    AN_SELECTOR_802_3 = 1,
    AN_MODES_BIT = 5, /* LAN_NIC_* in their order */
};

enum {
    PHYS = 32,
    DUPLEX_MODES = LAN_NIC_10_HALF | LAN_NIC_10_FULL | LAN_NIC_100_HALF | LAN_NIC_100_FULL,
    HALF_MODES = LAN_NIC_10_HALF | LAN_NIC_100_HALF,
    PAUSE_MODES = LAN_NIC_PAUSE | LAN_NIC_ASYM_PAUSE,
    STEP_NS = 30000, /* a frame at 2.5 MHz: 64 bits of 400 ns */
    REST_NS = 1000000000,
    POLLS_MAX = 1000, /* of one step; the slowest MDC ends its frame before */
    DRAIN_NS = 1000000,
    DRAIN_POLLS_MAX = 4000, /* the longest pause is over before: 65,535 quanta of 51.2 us (802.3 31B.2) */
};

/* The status twice, as the first read tells of a loss in the past. */
static const uint8_t LOOK_AT[] = {BMSR, BMSR, BMCR, ANAR, ANLPAR};
enum { LOOKS = sizeof LOOK_AT / sizeof *LOOK_AT };

static uint32_t card_modes(const struct lan_nic *nic)
{
    uint32_t modes = LAN_NIC_10_FULL | LAN_NIC_100_FULL;
    if (nic->card_features & NIC__FEATURES__HALF_DUPLEX_bm)
        modes |= HALF_MODES;
    if (nic->card_features & NIC__FEATURES__PAUSE_bm)
        modes |= PAUSE_MODES;
    return modes;
}

void lan_nic_link_start(struct lan_nic *nic, bool phy_interrupt)
{
    nic->link = (struct lan_nic_link){.up = true, .full_duplex = true, .mbps = 100, .phy = -1};
    nic->netif.link_up = true;
    nic->phy = (struct lan_nic_phy){
        .setting = PHY_TO_BE_COMPARED, .modes = card_modes(nic), .negotiate = true, .has_interrupt = phy_interrupt};
    if (nic->card_features & NIC__FEATURES__MDIO_bm)
        nic->phy.step = PHY_RESTING;
}

const struct lan_nic_link *lan_nic_link(const struct lan_nic *nic)
{
    return &nic->link;
}

/* What is looped back needs no link. */
void lan_nic_apply_link(struct lan_nic *nic)
{
    bool up = !nic->stopped && (nic->link.up || nic->loopback != LAN_NIC_LOOPBACK_OFF);
    if (up != nic->netif.link_up)
        lan_netif_set_link(&nic->netif, up);
}

static uint64_t start(struct lan_nic *nic, int step, uint32_t frame)
{
    nic->phy.step = step;
    nic->phy.polls = 0;
    lan_nic_write(nic, NIC_REGISTER(MDIO), frame | (uint32_t)nic->phy.address << NIC__MDIO__PHY_bp);
    return STEP_NS;
}

static uint64_t start_read(struct lan_nic *nic, int step, uint32_t reg)
{
    return start(nic, step, reg << NIC__MDIO__REG_bp);
}

static uint64_t start_write(struct lan_nic *nic, int step, uint32_t reg, uint32_t value)
{
    return start(nic, step, NIC__MDIO__WRITE_bm | reg << NIC__MDIO__REG_bp | value);
}

static uint64_t rest(struct lan_nic *nic)
{
    nic->phy.step = PHY_RESTING;
    if (nic->phy.attention)
        return 0;
    return nic->phy.has_interrupt ? LAN_NEVER : REST_NS;
}

static uint64_t give_up(struct lan_nic *nic)
{
    nic->phy.step = PHY_ABSENT;
    nic->link.phy = -1;
    return LAN_NEVER;
}

/* What this side advertises: what is wanted and the PHY can. */
static uint16_t advertisement(const struct lan_nic_phy *phy)
{
    uint32_t able = (phy->seen[BMSR] >> BMSR_10_HALF_BIT & DUPLEX_MODES) | PAUSE_MODES;
    return (uint16_t)(AN_SELECTOR_802_3 | (phy->modes & able) << AN_MODES_BIT);
}

static uint16_t command(const struct lan_nic_phy *phy)
{
    if (phy->negotiate)
        return BMCR_NEGOTIATE | BMCR_RESTART;
    return (phy->modes & (LAN_NIC_100_HALF | LAN_NIC_100_FULL) ? BMCR_100 : 0) |
           (phy->modes & (LAN_NIC_10_FULL | LAN_NIC_100_FULL) ? BMCR_FULL_DUPLEX : 0);
}

/* Whether the PHY is as it should be already, as after power-up with the usual straps: a link that stands is not
 * interrupted. */
static bool as_wanted(const struct lan_nic_phy *phy)
{
    bool negotiates = phy->seen[BMCR] & BMCR_NEGOTIATE;
    if (phy->negotiate && (phy->seen[BMSR] & BMSR_CAN_NEGOTIATE))
        return negotiates && phy->seen[ANAR] == advertisement(phy);
    return !negotiates;
}

/* 802.3 28B.3: the common modes by priority; parallel detection leaves its one mode in the partner's register. */
static void resolve_negotiated(uint32_t ours, uint32_t theirs, struct lan_nic_link *link)
{
    uint32_t common = ours & theirs;
    link->up = common & DUPLEX_MODES;
    link->mbps = common & (LAN_NIC_100_HALF | LAN_NIC_100_FULL) ? 100 : 10;
    link->full_duplex = (common & LAN_NIC_100_FULL) || ((common & LAN_NIC_10_FULL) && !(common & LAN_NIC_100_HALF));
    if (!link->full_duplex)
        return;

    /* 802.3 table 28B-3 */
    bool symmetric = common & LAN_NIC_PAUSE, asymmetric = common & LAN_NIC_ASYM_PAUSE;
    link->pause_rx = symmetric || (asymmetric && (ours & LAN_NIC_PAUSE));
    link->pause_tx = symmetric || (asymmetric && (theirs & LAN_NIC_PAUSE));
}

static struct lan_nic_link resolve(const struct lan_nic_phy *phy)
{
    struct lan_nic_link link = {.phy = phy->address};
    bool negotiates = phy->seen[BMCR] & BMCR_NEGOTIATE;
    if (!(phy->seen[BMSR] & BMSR_LINK) || (negotiates && !(phy->seen[BMSR] & BMSR_NEGOTIATED))) {
        link.up = false;
    } else if (negotiates) {
        resolve_negotiated(phy->seen[ANAR] >> AN_MODES_BIT, phy->seen[ANLPAR] >> AN_MODES_BIT, &link);
    } else {
        link.up = true;
        link.mbps = phy->seen[BMCR] & BMCR_100 ? 100 : 10;
        link.full_duplex = phy->seen[BMCR] & BMCR_FULL_DUPLEX;
    }
    return link;
}

/* CONTROL goes out once more with the card enabled. */
static uint64_t conclude(struct lan_nic *nic)
{
    nic->counters.link_changes += nic->link.up != nic->phy.resolved.up;
    nic->link = nic->phy.resolved;
    uint64_t again = rest(nic);
    lan_nic_apply_control(nic);
    lan_nic_apply_link(nic);
    return again;
}

/* HALF_DUPLEX may only change while the card stands still. What is posted waits in the ring meanwhile. */
static uint64_t drain(struct lan_nic *nic)
{
    bool idle = lan_nic_read(nic, NIC_REGISTER(STATUS)) & NIC__STATUS__IDLE_bm;
    if (!idle && ++nic->phy.polls < DRAIN_POLLS_MAX)
        return DRAIN_NS;
    nic->link.full_duplex = nic->phy.resolved.full_duplex;
    lan_nic_apply_control(nic);
    return conclude(nic);
}

static uint64_t adopt(struct lan_nic *nic)
{
    struct lan_nic_phy *phy = &nic->phy;
    phy->resolved = resolve(phy);
    phy->polls = 0;
    /* Without a link there is no duplex to speak of: the card keeps what it has. */
    if (!phy->resolved.up) {
        phy->resolved.full_duplex = nic->link.full_duplex;
        phy->resolved.mbps = nic->link.mbps;
    }
    if (phy->resolved.full_duplex == nic->link.full_duplex)
        return conclude(nic);
    phy->step = PHY_DRAINING;
    lan_nic_apply_control(nic);
    return DRAIN_NS;
}

static uint64_t look(struct lan_nic *nic)
{
    struct lan_nic_phy *phy = &nic->phy;
    if (phy->looked < LOOKS)
        return start_read(nic, PHY_LOOKING, LOOK_AT[phy->looked]);
    bool write = phy->setting == PHY_TO_BE_SET || (phy->setting == PHY_TO_BE_COMPARED && !as_wanted(phy));
    phy->setting = PHY_SET;
    return write ? start_write(nic, PHY_ADVERTISING, ANAR, advertisement(phy)) : adopt(nic);
}

/* The next step after one whose frame has ended with `data`. */
static uint64_t advance(struct lan_nic *nic, uint16_t data)
{
    struct lan_nic_phy *phy = &nic->phy;
    switch (phy->step) {
    case PHY_SEARCHING:
        if (data != 0 && data != 0xffff) {
            nic->link.phy = phy->address;
            phy->looked = 0;
            return look(nic);
        }
        return ++phy->address < PHYS ? start_read(nic, PHY_SEARCHING, PHY_ID) : give_up(nic);
    case PHY_CHECKING:
        if ((data & BMSR_LINK) && nic->link.up)
            return rest(nic);
        phy->looked = 0;
        return look(nic);
    case PHY_LOOKING:
        phy->seen[LOOK_AT[phy->looked++]] = data;
        return look(nic);
    case PHY_ADVERTISING:
        return start_write(nic, PHY_COMMANDING, BMCR, command(phy));
    default: /* PHY_COMMANDING: what came of it */
        phy->looked = 0;
        return look(nic);
    }
}

/* What a look begins with. */
static uint64_t begin(struct lan_nic *nic)
{
    struct lan_nic_phy *phy = &nic->phy;
    phy->attention = false;
    if (nic->link.phy < 0)
        return start_read(nic, PHY_SEARCHING, PHY_ID);
    if (phy->setting == PHY_SET)
        return start_read(nic, PHY_CHECKING, BMSR);
    phy->looked = 0;
    return look(nic);
}

uint64_t lan_nic_poll_link(struct lan_nic *nic)
{
    if (nic->stopped || nic->phy.step == PHY_ABSENT)
        return LAN_NEVER;
    if (nic->phy.step == PHY_RESTING)
        return begin(nic);
    if (nic->phy.step == PHY_DRAINING)
        return drain(nic);

    uint32_t mdio = lan_nic_read(nic, NIC_REGISTER(MDIO));
    if (!(mdio & NIC__MDIO__BUSY_bm))
        return advance(nic, (uint16_t)(mdio & NIC__MDIO__DATA_bm));
    if (++nic->phy.polls < POLLS_MAX)
        return STEP_NS;
    nic->counters.mdio_timeouts++;
    return give_up(nic);
}

int lan_nic_set_link(struct lan_nic *nic, bool negotiate, uint32_t modes)
{
    uint32_t able = nic->phy.seen[BMSR];
    if (nic->link.phy < 0 || able == 0)
        return -ENODEV;
    if (!(modes & DUPLEX_MODES) || (modes & ~(uint32_t)(DUPLEX_MODES | PAUSE_MODES)) ||
        (!negotiate && (modes & (modes - 1))))
        return -EINVAL;
    if ((modes & ~card_modes(nic)) || !(modes & able >> BMSR_10_HALF_BIT) ||
        (negotiate && !(able & BMSR_CAN_NEGOTIATE)))
        return -EOPNOTSUPP;
    nic->phy.modes = modes;
    nic->phy.negotiate = negotiate;
    nic->phy.setting = PHY_TO_BE_SET;
    nic->phy.attention = true;
    return 0;
}
