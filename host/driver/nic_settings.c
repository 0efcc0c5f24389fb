/* SPDX-License-Identifier: Apache-2.0 */
/* What can be set while the card runs. Each setting stands in struct lan_nic; one function makes CONTROL of them all,
 * so that none depends on what was set before it.
 */
#include <errno.h>
#include <string.h>

#include "nic_internal.h"

enum {
    CHECKSUMS = LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM,
    MTU_MIN = 68,           /* RFC 791: what every internet module forwards */
    MODERATION_UNIT = 1024, /* ns */
    MODERATION_USECS_MAX = NIC__MODERATION__TIME_bm / (1 << NIC__MODERATION__TIME_bp) * MODERATION_UNIT / 1000,
    MODERATION_FRAMES_MAX = NIC__MODERATION__COUNT_bm,
};

static bool has(const struct lan_nic *nic, uint32_t feature)
{
    return (nic->card_features & feature) != 0;
}

static uint32_t control(const struct lan_nic *nic)
{
    uint32_t value = 0;
    /* HALF_DUPLEX changes only while both are off and the card is idle (docs/registers.md). */
    if (nic->phy.step != PHY_DRAINING)
        value |= NIC__CONTROL__TX_ENABLE_bm | NIC__CONTROL__RX_ENABLE_bm;
    if (nic->filter & LAN_NIC_BROADCAST)
        value |= NIC__CONTROL__BROADCAST_bm;
    if (nic->filter & LAN_NIC_PROMISCUOUS)
        value |= NIC__CONTROL__PROMISCUOUS_bm;
    if (nic->netif.features & LAN_NETIF_VLAN_RX)
        value |= NIC__CONTROL__VLAN_STRIP_bm;
    if (!nic->link.full_duplex)
        value |= NIC__CONTROL__HALF_DUPLEX_bm;
    if (nic->link.pause_rx)
        value |= NIC__CONTROL__PAUSE_RX_bm;
    if (nic->link.pause_tx)
        value |= NIC__CONTROL__PAUSE_TX_bm;
    if (nic->loopback == LAN_NIC_LOOPBACK_MAC)
        value |= NIC__CONTROL__LOOPBACK_MAC_bm;
    if (nic->loopback == LAN_NIC_LOOPBACK_MII)
        value |= NIC__CONTROL__LOOPBACK_MII_bm;
    return value;
}

void lan_nic_apply_control(struct lan_nic *nic)
{
    if (!nic->stopped)
        lan_nic_write(nic, NIC_REGISTER(CONTROL), control(nic));
}

static void apply_mac(struct lan_nic *nic)
{
    const uint8_t *mac = nic->netif.mac;
    lan_nic_write(nic, NIC_REGISTER(MAC_LO),
                  mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24);
    lan_nic_write(nic, NIC_REGISTER(MAC_HI), mac[4] | (uint32_t)mac[5] << 8);
}

static void apply_max_frame(struct lan_nic *nic)
{
    lan_nic_write(nic, NIC_REGISTER(MAX_FRAME), lan_nic_frame_limit(nic) + FCS_BYTES);
}

static void apply_hash(struct lan_nic *nic)
{
    uint32_t words[2] = {0, 0};
    for (uint32_t bit = 0; bit < HASH_BITS; bit++) {
        if (nic->hash_users[bit] || (nic->filter & LAN_NIC_ALL_MULTICAST))
            words[bit / 32] |= 1u << bit % 32;
    }
    lan_nic_write(nic, NIC_REGISTER(HASH_LO), words[0]);
    lan_nic_write(nic, NIC_REGISTER(HASH_HI), words[1]);
}

static uint32_t moderation(uint32_t usecs, uint32_t frames)
{
    uint32_t units = (usecs * 1000 + MODERATION_UNIT - 1) / MODERATION_UNIT;
    return frames << NIC__MODERATION__COUNT_bp | units << NIC__MODERATION__TIME_bp;
}

static void apply_coalesce(struct lan_nic *nic)
{
    const struct lan_nic_coalesce *c = &nic->coalesce;
    lan_nic_write(nic, NIC_REGISTER(TX_MODERATION), moderation(c->tx_usecs, c->tx_frames));
    lan_nic_write(nic, NIC_REGISTER(RX_MODERATION), moderation(c->rx_usecs, c->rx_frames));
}

void lan_nic_apply_settings(struct lan_nic *nic)
{
    apply_max_frame(nic);
    apply_hash(nic);
    apply_coalesce(nic);
    lan_nic_apply_control(nic);
}

uint32_t lan_nic_features(const struct lan_nic *nic)
{
    static const struct {
        uint32_t card, netif;
    } TABLE[] = {
        {NIC__FEATURES__TX_CSUM_bm, CHECKSUMS},
        {NIC__FEATURES__RX_CSUM_bm, LAN_NETIF_RX_CSUM},
        {NIC__FEATURES__TSO_bm, LAN_NETIF_TSO},
        {NIC__FEATURES__VLAN_bm, LAN_NETIF_VLAN_TX | LAN_NETIF_VLAN_RX},
    };
    uint32_t features = LAN_NETIF_SG;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        if (has(nic, TABLE[i].card))
            features |= TABLE[i].netif;
    }
    return features;
}

/* Transmit features bind the stack only: the driver sends whatever the card can, so frames that wait in a queue go out
 * as they were made. */
int lan_nic_set_features(struct lan_nic *nic, uint32_t features)
{
    if (features & ~lan_nic_features(nic))
        return -EOPNOTSUPP;
    if ((features & LAN_NETIF_TSO) && (~features & (LAN_NETIF_SG | CHECKSUMS)))
        return -EINVAL;
    nic->netif.features = features;
    lan_nic_apply_control(nic);
    return 0;
}

int lan_nic_set_mac(struct lan_nic *nic, const uint8_t mac[6])
{
    static const uint8_t NONE[6];
    if ((mac[0] & 1) || memcmp(mac, NONE, 6) == 0)
        return -EADDRNOTAVAIL;
    memcpy(nic->netif.mac, mac, 6);
    apply_mac(nic);
    lan_netif_set_link(&nic->netif, nic->netif.link_up); /* the stack tells its neighbours */
    return 0;
}

/* A tagged frame with its FCS must fit into either frame buffer of the card, and be shorter than the card counts. */
static uint32_t mtu_max(const struct lan_nic *nic)
{
    uint32_t tx =
        1u << (nic->card_features & NIC__FEATURES__TX_BUFFER_LOG2_bm) / (1u << NIC__FEATURES__TX_BUFFER_LOG2_bp);
    uint32_t rx =
        1u << (nic->card_features & NIC__FEATURES__RX_BUFFER_LOG2_bm) / (1u << NIC__FEATURES__RX_BUFFER_LOG2_bp);
    uint32_t limit = (tx < rx ? tx : rx) - 1;
    if (limit > NIC__MAX_FRAME__BYTES_bm - 1)
        limit = NIC__MAX_FRAME__BYTES_bm - 1;
    return limit - ETH_HEADER_BYTES - VLAN_TAG_BYTES - FCS_BYTES;
}

int lan_nic_set_mtu(struct lan_nic *nic, uint32_t mtu)
{
    if (mtu < MTU_MIN || mtu > mtu_max(nic))
        return -ERANGE;
    nic->netif.mtu = (uint16_t)mtu;
    /* It never shrinks: frames of before may stand in the ring. */
    if (nic->rx_frame_limit < lan_nic_frame_limit(nic) + VLAN_TAG_BYTES)
        nic->rx_frame_limit = lan_nic_frame_limit(nic) + VLAN_TAG_BYTES;
    apply_max_frame(nic);
    return 0;
}

int lan_nic_set_filter(struct lan_nic *nic, uint32_t accept)
{
    if (accept & ~(uint32_t)(LAN_NIC_BROADCAST | LAN_NIC_ALL_MULTICAST | LAN_NIC_PROMISCUOUS))
        return -EINVAL;
    nic->filter = accept;
    apply_hash(nic);
    lan_nic_apply_control(nic);
    return 0;
}

/* The number of an address's bit: the top six of its CRC-32 (802.3 3.2.9, most significant bit first), as
 * docs/card.md says. */
static uint32_t hash_bit(const uint8_t address[6])
{
    uint32_t crc = UINT32_MAX;
    for (int bit = 0; bit < 48; bit++) {
        uint32_t feedback = crc >> 31 ^ (address[bit / 8] >> bit % 8 & 1u);
        crc = crc << 1 ^ (feedback ? 0x04c11db7u : 0);
    }
    return crc >> 26;
}

int lan_nic_join(struct lan_nic *nic, const uint8_t group[6])
{
    uint16_t *users = &nic->hash_users[hash_bit(group)];
    if (!(group[0] & 1) || *users == UINT16_MAX)
        return -EINVAL;
    ++*users;
    apply_hash(nic);
    return 0;
}

int lan_nic_leave(struct lan_nic *nic, const uint8_t group[6])
{
    uint16_t *users = &nic->hash_users[hash_bit(group)];
    if (!(group[0] & 1) || *users == 0)
        return -EINVAL;
    --*users;
    apply_hash(nic);
    return 0;
}

int lan_nic_set_loopback(struct lan_nic *nic, enum lan_nic_loopback where)
{
    if (where > LAN_NIC_LOOPBACK_MII)
        return -EINVAL;
    if (where != LAN_NIC_LOOPBACK_OFF && !has(nic, NIC__FEATURES__LOOPBACK_bm))
        return -EOPNOTSUPP;
    nic->loopback = where;
    lan_nic_apply_control(nic);
    lan_nic_apply_link(nic);
    return 0;
}

const struct lan_nic_coalesce *lan_nic_coalesce(const struct lan_nic *nic)
{
    return &nic->coalesce;
}

static int check_coalesce(uint32_t usecs, uint32_t frames)
{
    if (usecs > MODERATION_USECS_MAX || frames > MODERATION_FRAMES_MAX)
        return -ERANGE;
    return usecs == 0 && frames > 1 ? -EINVAL : 0;
}

int lan_nic_set_coalesce(struct lan_nic *nic, const struct lan_nic_coalesce *coalesce)
{
    int error = check_coalesce(coalesce->tx_usecs, coalesce->tx_frames);
    if (error == 0)
        error = check_coalesce(coalesce->rx_usecs, coalesce->rx_frames);
    if (error)
        return error;
    nic->coalesce = *coalesce;
    apply_coalesce(nic);
    return 0;
}
