/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "nic_internal.h"

enum {
    ETH_TYPE = 12,
    ETH_IPV4 = 0x0800,
    ETH_VLAN = 0x8100,
    IPV4_MIN = 20,
    IPV4_TCP = 6,
    TCP_MIN = 20,
    TCP_CHECKSUM = 16
};

static uint32_t get16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

/* Octets that one frame on the wire may have: a tag that stands in the frame comes on top. */
static uint32_t wire_limit(const struct lan_nic *nic, const struct lan_buf *frame)
{
    bool tagged = frame->len >= ETH_HEADER_BYTES && get16(frame->data + ETH_TYPE) == ETH_VLAN;
    return lan_nic_frame_limit(nic) + (tagged ? VLAN_TAG_BYTES : 0);
}

/* Whether the card can cut the frame: its headers (RFC 791 3.1, RFC 9293 3.1) stand in the first fragment and say the
 * same as the packet's fields. Anything else would stop the ring, or send nonsense. */
static bool can_segment(const struct lan_nic *nic, const struct lan_buf *frame, uint64_t total)
{
    uint32_t l4 = frame->csum_start, headers = frame->hdr_len;
    if (!(nic->card_features & NIC__FEATURES__TSO_bm) || frame->gso_size == 0 || headers > UINT8_MAX ||
        headers > frame->len || headers >= total || headers < ETH_HEADER_BYTES + IPV4_MIN + TCP_MIN)
        return false;

    const uint8_t *ip = frame->data + ETH_HEADER_BYTES;
    if (get16(frame->data + ETH_TYPE) != ETH_IPV4 || ip[0] >> 4 != 4 || ip[9] != IPV4_TCP ||
        get16(ip + 2) != total - ETH_HEADER_BYTES || l4 != ETH_HEADER_BYTES + (ip[0] & 15u) * 4 ||
        l4 < ETH_HEADER_BYTES + IPV4_MIN || l4 + TCP_MIN > headers || frame->csum_offset != TCP_CHECKSUM ||
        headers != l4 + (frame->data[l4 + 12] >> 4) * 4u)
        return false;
    return headers + frame->gso_size <= lan_nic_frame_limit(nic);
}

/* Whether the card can do what the packet asks for. What the interface's features say does not matter: they may have
 * changed since the packet was made. */
static bool can_send(const struct lan_nic *nic, const struct lan_buf *frame, uint64_t total)
{
    uint32_t flags = frame->flags;
    if ((flags & (LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM)) && !(nic->card_features & NIC__FEATURES__TX_CSUM_bm))
        return false;
    if ((flags & LAN_BUF_L4_CSUM) && (frame->csum_start > UINT8_MAX || frame->csum_offset > UINT8_MAX ||
                                      frame->csum_start + frame->csum_offset + 2u > total))
        return false;
    if ((flags & LAN_BUF_VLAN) && !(nic->card_features & NIC__FEATURES__VLAN_bm))
        return false;
    return flags & LAN_BUF_TSO ? can_segment(nic, frame, total) : total <= wire_limit(nic, frame);
}

/* Descriptors that a frame takes; 0 if the card cannot send it at all. */
static uint32_t descriptors_of(const struct lan_nic *nic, const struct lan_buf *frame)
{
    uint64_t total = 0;
    uint32_t count = 0, lengths = 0;
    const struct lan_buf *fragment = frame;
    do {
        total += fragment->len;
        lengths |= fragment->len;
        count += fragment->len > 0; /* an empty fragment has no descriptor: length 0 stops the ring */
        fragment = fragment->next;
    } while (fragment);
    if (lengths > DESC_LEN || count > nic->netif.max_fragments) /* DESC_LEN is a mask */
        return 0;
    return can_send(nic, frame, total) ? count : 0;
}

static uint32_t offloads(const struct lan_buf *frame)
{
    static const struct {
        uint32_t flag, status;
    } TABLE[] = {
        {LAN_BUF_IP_CSUM, TX_IP_CSUM},
        {LAN_BUF_L4_CSUM, TX_L4_CSUM},
        {LAN_BUF_TSO, TX_TSO | TX_IP_CSUM | TX_L4_CSUM},
        {LAN_BUF_VLAN, TX_VLAN},
    };
    uint32_t status = 0;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        if (frame->flags & TABLE[i].flag)
            status |= TABLE[i].status;
    }
    return status;
}

static void fill(struct lan_nic *nic, struct lan_buf *frame, uint32_t count)
{
    struct lan_nic_ring *ring = &nic->tx;
    uint32_t offload = offloads(frame);
    uint32_t checksum = frame->csum_start | (uint32_t)frame->csum_offset << DESC_CSUM_OFFSET_BIT |
                        (uint32_t)frame->hdr_len << DESC_HDR_LEN_BIT;
    uint32_t stamp = frame->gso_size | (uint32_t)frame->vlan_tci << DESC_TX_TCI_BIT;

    for (struct lan_buf *fragment = frame; fragment; fragment = fragment->next) {
        if (fragment->len == 0)
            continue;
        uint32_t index = lan_nic_ring_index(ring, ring->tail++);
        struct lan_nic_descriptor *descriptor = &ring->descriptors[index];
        bool last = --count == 0;
        descriptor->address = ring->bus->dma_address(ring->bus->ctx, fragment->data);
        descriptor->checksum = checksum;
        descriptor->stamp = stamp;
        descriptor->status = fragment->len | offload | (last ? TX_EOP : 0);
        ring->buffers[index] = last ? frame : NULL; /* so the buffer marks its frame's end */
        offload = 0;
    }
}

/* The last frame in front of a doorbell always asks for an interrupt, so none stays unreclaimed; in a long batch each
 * quarter of the ring does, so the ring does not run dry while the batch is on its way. */
static void mark_last(struct lan_nic *nic)
{
    nic->tx.descriptors[lan_nic_ring_index(&nic->tx, nic->tx.tail - 1)].status |= TX_IRQ;
    nic->tx_unmarked = 0;
}

static void doorbell(struct lan_nic *nic)
{
    if (nic->tx_unmarked)
        mark_last(nic);
    lan_nic_ring_doorbell(&nic->tx);
}

int lan_nic_transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    struct lan_nic *nic = netif->driver;
    struct lan_nic_ring *ring = &nic->tx;
    if (!netif->link_up)
        return -ENETDOWN;
    lan_nic_rx_refill(nic); /* in case the pool was empty when the last interrupt tried */

    uint32_t count = descriptors_of(nic, frame);
    if (count == 0) {
        nic->counters.tx_refused++;
        netif->stats.out_errors++;
        lan_buf_free(frame);
        return 0;
    }
    if (count > lan_nic_ring_room(ring))
        lan_nic_tx_reclaim(nic);
    if (count > lan_nic_ring_room(ring)) {
        nic->counters.tx_ring_full++;
        nic->tx_blocked = true;
        return -ENOBUFS;
    }

    fill(nic, frame, count);
    nic->tx_unmarked += count;
    if (nic->tx_unmarked >= ring->size / 4 || (frame->flags & LAN_BUF_TX_TIMESTAMP))
        mark_last(nic);

    /* While the card has frames to send, the doorbell of those that follow can wait for the end of the interrupt
     * handler; the wire does not notice. */
    if (!nic->in_interrupt || ring->head == ring->rung)
        doorbell(nic);
    return 0;
}

static void count_error(struct lan_nic *nic, uint32_t code)
{
    nic->counters.tx_errors++;
    nic->netif.stats.out_errors++;
    nic->counters.tx_excessive_collisions += code == TX_EXCESSIVE_COLLISIONS;
    nic->counters.tx_late_collisions += code == TX_LATE_COLLISION;
    nic->counters.tx_malformed += code == TX_MALFORMED;
}

/* The frame behind a completed descriptor goes back; who kept a reference may read its time stamp. */
static void complete(struct lan_nic *nic, struct lan_buf *frame, uint32_t status, uint32_t stamp)
{
    uint32_t error = (status & TX_ERROR) >> TX_ERROR_BIT;
    if (error) {
        count_error(nic, error);
    } else if (frame->flags & LAN_BUF_TX_TIMESTAMP) {
        frame->timestamp_ns = stamp;
        frame->flags |= LAN_BUF_TIMESTAMP;
    }
    lan_buf_free(frame);
}

void lan_nic_tx_reclaim(struct lan_nic *nic)
{
    struct lan_nic_ring *ring = &nic->tx;
    while (ring->head != ring->rung) {
        uint32_t last = ring->head;
        while (!ring->buffers[lan_nic_ring_index(ring, last)])
            last++;
        uint32_t index = lan_nic_ring_index(ring, last);
        uint32_t status = ring->descriptors[index].status;
        if (!(status & DESC_DONE))
            break;
        struct lan_buf *frame = ring->buffers[index];
        ring->buffers[index] = NULL;
        ring->head = last + 1;
        ring->failures = 0;
        complete(nic, frame, status, ring->descriptors[index].stamp);
    }
}

void lan_nic_tx_resume(struct lan_nic *nic)
{
    /* Half a ring at a time, so that doorbells and interrupts are shared by many frames; the other half keeps the wire
     * busy meanwhile. */
    if (nic->tx_blocked && lan_nic_ring_room(&nic->tx) >= nic->tx.size / 2) {
        nic->tx_blocked = false;
        lan_netif_tx_ready(&nic->netif);
    }
    doorbell(nic);
}
