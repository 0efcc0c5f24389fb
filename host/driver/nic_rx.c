/* SPDX-License-Identifier: Apache-2.0 */
#include "nic_internal.h"

/* With the 14 octets of the Ethernet header behind it, the IP header stands on a 4-byte boundary. */
enum { HEADROOM = 2 };

static uint32_t posted_bytes(const struct lan_buf *buf)
{
    uint32_t room = lan_buf_tailroom(buf) & ~1u;
    return room < DESC_LEN ? room : DESC_LEN - 1;
}

void lan_nic_rx_refill(struct lan_nic *nic)
{
    struct lan_nic_ring *ring = &nic->rx;
    if (lan_nic_ring_room(ring) < ring->size / 4)
        return;
    while (lan_nic_ring_room(ring) > 0) {
        struct lan_buf *buf = lan_buf_alloc(nic->pool, HEADROOM);
        if (!buf) {
            nic->counters.rx_no_buffer++;
            break;
        }
        uint32_t index = lan_nic_ring_index(ring, ring->tail++);
        struct lan_nic_descriptor *descriptor = &ring->descriptors[index];
        descriptor->address = ring->bus->dma_address(ring->bus->ctx, buf->data);
        descriptor->checksum = 0;
        descriptor->stamp = 0;
        descriptor->status = posted_bytes(buf);
        ring->buffers[index] = buf;
    }
    lan_nic_ring_doorbell(ring);
}

void lan_nic_rx_start(struct lan_nic *nic)
{
    nic->rx_frame_limit = lan_nic_frame_limit(nic) + VLAN_TAG_BYTES;
    lan_nic_ring_start(&nic->rx);
    lan_nic_rx_refill(nic);
}

void lan_nic_rx_drop_partial(struct lan_nic *nic)
{
    lan_buf_free(nic->rx_frame);
    nic->rx_frame = nic->rx_last = NULL;
    nic->rx_frame_bytes = 0;
}

/* Flags of the finished frame; false for a combination that docs/card.md rules out. Frames with errors come only with
 * KEEP_BAD, which is never set. */
static bool finish(struct lan_nic *nic, struct lan_buf *frame, uint32_t status, const struct lan_nic_descriptor *last)
{
    if (status & (RX_FCS_ERR | RX_ALIGN_ERR) || ((status & RX_L4_OK) && !(status & RX_L4_CHECKED)) ||
        ((status & RX_VLAN) && !(nic->card_features & NIC__FEATURES__VLAN_bm)))
        return false;

    static const struct {
        uint32_t status, flag;
    } table[] = {
        {RX_IP_OK, LAN_BUF_IP_OK},     {RX_L4_CHECKED, LAN_BUF_L4_CHECKED}, {RX_L4_OK, LAN_BUF_L4_OK},
        {RX_BCAST, LAN_BUF_BROADCAST}, {RX_MCAST, LAN_BUF_MULTICAST},       {RX_VLAN, LAN_BUF_VLAN},
    };
    frame->flags = LAN_BUF_TIMESTAMP;
    frame->timestamp_ns = last->stamp;
    frame->vlan_tci = (uint16_t)(last->checksum >> DESC_RX_TCI_BIT);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (status & table[i].status)
            frame->flags |= table[i].flag;
    }
    if (!(nic->netif.features & LAN_NETIF_RX_CSUM))
        frame->flags &= ~(uint32_t)(LAN_BUF_IP_OK | LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK);
    return true;
}

/* Takes the completed descriptor at the head, and links the frame that it ends to `*arrived`; false when its contents
 * cannot be true. */
static bool take(struct lan_nic *nic, struct lan_buf ***arrived)
{
    struct lan_nic_ring *ring = &nic->rx;
    uint32_t index = lan_nic_ring_index(ring, ring->head);
    uint32_t status = ring->descriptors[index].status, len = status & DESC_LEN;
    struct lan_buf *buf = ring->buffers[index];

    bool first = nic->rx_frame == NULL;
    if (len == 0 || len > posted_bytes(buf) || len > nic->rx_frame_limit - nic->rx_frame_bytes ||
        first != !!(status & RX_SOP))
        return false;

    ring->buffers[index] = NULL;
    ring->head++;
    lan_buf_put(buf, len);
    if (first)
        nic->rx_frame = buf;
    else
        nic->rx_last->next = buf;
    nic->rx_last = buf;
    nic->rx_frame_bytes += len;
    if (!(status & RX_EOP))
        return true;

    struct lan_buf *frame = nic->rx_frame;
    if (!finish(nic, frame, status, &ring->descriptors[index]))
        return false;
    nic->rx_frame = nic->rx_last = NULL;
    nic->rx_frame_bytes = 0;
    ring->failures = 0;
    **arrived = frame;
    *arrived = &frame->link;
    return true;
}

bool lan_nic_rx_deliver(struct lan_nic *nic)
{
    struct lan_nic_ring *ring = &nic->rx;
    uint32_t end = ring->head;
    while (end != ring->rung && (ring->descriptors[lan_nic_ring_index(ring, end)].status & DESC_DONE))
        end++;
    if (end == ring->head)
        return true;

    ring->bus->barrier(ring->bus->ctx);
    struct lan_buf *frames = NULL, **arrived = &frames;
    bool sane = true;
    while (sane && ring->head != end)
        sane = take(nic, &arrived);
    if (frames)
        lan_netif_input(&nic->netif, frames);
    if (!sane) {
        nic->counters.rx_bad_completion++;
        nic->netif.stats.in_errors++;
    }
    return sane;
}
