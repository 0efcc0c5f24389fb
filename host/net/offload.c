/* SPDX-License-Identifier: Apache-2.0 */
/* What a netif cannot do, done in software just above the driver: TCP segmentation, checksums, VLAN tags, and joining
 * fragments. Each step leaves a frame with one request less, so a netif with any set of features gets what it can take.
 */
#include "checksum.h"
#include "netif_internal.h"
#include "stack_internal.h"

#include <errno.h>

enum { IP_OFFSET = LAN_ETH_HEADER, HEADERS_MAX = LAN_ETH_HEADER + 60 + 60 /* of IP and TCP, all options */ };
enum { ADDRESSES = 12, TAG_BYTES = 4, ETH_VLAN = 0x8100 };
enum { TCP_SEQ = 4, TCP_FLAGS = 13, TCP_CHECKSUM = 16, UDP_CHECKSUM = 6 };
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80 };

static int no_buffers(struct lan_netif *netif, struct lan_buf *frame)
{
    lan_netif_drop(netif, frame, &netif->stack->counters.link_out_no_buffers);
    return -ENOBUFS;
}

void lan_fill_l4_checksum(struct lan_buf *frame)
{
    uint8_t *field = frame->data + frame->csum_start + frame->csum_offset;
    uint32_t bytes = lan_buf_total(frame) - frame->csum_start;
    uint16_t checksum = (uint16_t)~lan_sum_fold(lan_sum_buf(frame, frame->csum_start, bytes, 0));

    if (checksum == 0 && frame->csum_offset == UDP_CHECKSUM) /* RFC 768: zero means none */
        checksum = 0xffff;
    lan_store16(field, checksum);
    frame->flags &= ~(uint32_t)LAN_BUF_L4_CSUM;
}

static void fill_ip_checksum(struct lan_buf *frame)
{
    uint8_t *ip = frame->data + IP_OFFSET;

    lan_store16(ip + 10, 0);
    lan_store16(ip + 10, (uint16_t)~lan_sum_fold(lan_sum(ip, (ip[0] & 15u) * 4, 0)));
    frame->flags &= ~(uint32_t)LAN_BUF_IP_CSUM;
}

/* IEEE 802.1Q: behind the addresses. The offload fields would count from another place now, so none may be left. */
static void insert_tag(struct lan_buf *frame)
{
    uint8_t *start = lan_buf_push(frame, TAG_BYTES);

    memmove(start, start + TAG_BYTES, ADDRESSES);
    lan_put16(start + ADDRESSES, ETH_VLAN);
    lan_put16(start + ADDRESSES + 2, frame->vlan_tci);
    frame->flags &= ~(uint32_t)LAN_BUF_VLAN;
}

/* The frame in one fragment, with room for a tag; NULL when there is no buffer or it does not fit into one. */
static struct lan_buf *joined(struct lan_stack *stack, const struct lan_buf *frame)
{
    uint32_t bytes = lan_buf_total(frame);
    struct lan_buf *whole = lan_buf_alloc(stack->pool, TAG_BYTES);

    if (!whole || bytes > lan_buf_tailroom(whole)) {
        lan_buf_free(whole);
        return NULL;
    }
    lan_buf_copy(frame, 0, lan_buf_put(whole, bytes), bytes);
    whole->flags = frame->flags;
    whole->csum_start = frame->csum_start;
    whole->csum_offset = frame->csum_offset;
    whole->vlan_tci = frame->vlan_tci;
    return whole;
}

static int transmit_mended(struct lan_netif *netif, struct lan_buf *frame, uint32_t lacks)
{
    bool tag = lacks & LAN_NETIF_VLAN_TX;

    if (lacks & LAN_NETIF_TX_L4_CSUM)
        lan_fill_l4_checksum(frame);
    if (lacks & LAN_NETIF_TX_IP_CSUM)
        fill_ip_checksum(frame);
    if (lacks & LAN_NETIF_SG || (tag && lan_buf_headroom(frame) < TAG_BYTES)) {
        struct lan_buf *whole = joined(netif->stack, frame);

        if (!whole)
            return no_buffers(netif, frame);
        lan_buf_free(frame);
        frame = whole;
    }
    if (tag)
        insert_tag(frame);
    return lan_netif_send(netif, frame);
}

/* A large TCP frame on its way to be cut: the headers as the next segment has them, and the payload left. */
struct large {
    struct lan_buf *payload;
    uint32_t flags;
    uint16_t hdr_len, csum_start, vlan_tci;
    uint8_t headers[HEADERS_MAX];
};
_Static_assert((offsetof(struct large, headers) + IP_OFFSET) % 4 == 0, "IP headers stand on 4-byte boundaries");

/* Sets what depends on the number of payload bytes. */
static void set_length(struct large *large, uint32_t bytes)
{
    uint8_t *ip = large->headers + IP_OFFSET;
    uint32_t l4_bytes = large->hdr_len - large->csum_start + bytes;

    lan_put16(ip + 2, (uint16_t)(large->csum_start - IP_OFFSET + l4_bytes));
    lan_store16(large->headers + large->csum_start + TCP_CHECKSUM,
                lan_sum_fold(lan_sum_pseudo(lan_load32(ip + 12), lan_load32(ip + 16), ip[9], l4_bytes)));
}

static struct lan_buf *cut_segment(struct lan_stack *stack, struct large *large, uint32_t bytes)
{
    struct lan_buf *segment = lan_buf_alloc(stack->pool, TAG_BYTES);

    if (!segment)
        return NULL;
    memcpy(lan_buf_put(segment, large->hdr_len), large->headers, large->hdr_len);
    segment->flags = large->flags;
    segment->vlan_tci = large->vlan_tci;
    segment->csum_start = large->csum_start;
    segment->csum_offset = TCP_CHECKSUM;
    if (lan_buf_append_cut(segment, &large->payload, bytes))
        return segment;
    lan_buf_free(segment);
    return NULL;
}

/* Takes the headers off a frame. What is left of its first fragment may be nothing. */
static void open_large(struct lan_buf *frame, struct large *large)
{
    large->payload = frame;
    large->flags = LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM | (frame->flags & LAN_BUF_VLAN);
    large->hdr_len = frame->hdr_len;
    large->csum_start = frame->csum_start;
    large->vlan_tci = frame->vlan_tci;
    memcpy(large->headers, frame->data, frame->hdr_len);
    lan_buf_pull(frame, frame->hdr_len);
    if (frame->len == 0) {
        large->payload = frame->next;
        frame->next = NULL;
        lan_buf_free(frame);
    }
}

/* Cuts segment after segment off the front. FIN and PSH go with the last, CWR with the first. The result is that of the
 * first segment: what fails behind it is lost like a frame on the wire, and its sender must not take it for unsent. */
static int transmit_segments(struct lan_netif *netif, struct lan_buf *frame)
{
    uint32_t gso_size = frame->gso_size, left = lan_buf_total(frame) - frame->hdr_len;
    struct large large;
    int first_result = 0;

    open_large(frame, &large);

    uint8_t *id = large.headers + IP_OFFSET + 4, *tcp = large.headers + large.csum_start;
    uint8_t end_flags = tcp[TCP_FLAGS] & (TCP_FIN | TCP_PSH);

    tcp[TCP_FLAGS] ^= end_flags;
    set_length(&large, gso_size);
    for (bool first = true; left; first = false) {
        uint32_t bytes = left > gso_size ? gso_size : left;

        left -= bytes;
        if (!left) {
            tcp[TCP_FLAGS] |= end_flags;
            set_length(&large, bytes);
        }
        struct lan_buf *segment = cut_segment(netif->stack, &large, bytes);
        int result = segment ? lan_netif_transmit(netif, segment) : no_buffers(netif, NULL);

        if (first)
            first_result = result;
        if (result < 0)
            break;
        lan_put16(id, (uint16_t)(lan_get16(id) + 1));
        lan_put32(tcp + TCP_SEQ, lan_get32(tcp + TCP_SEQ) + bytes);
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    }
    lan_buf_free(large.payload);
    return first_result;
}

/* A stack compiled for size cuts nothing: its TCP sends large segments to those netifs only that take them. */
int lan_offload_transmit(struct lan_netif *netif, struct lan_buf *frame, uint32_t lacks)
{
    if (!(lacks & LAN_NETIF_TSO))
        return transmit_mended(netif, frame, lacks);
    if (LAN_FOR_SPEED)
        return transmit_segments(netif, frame);
    lan_netif_drop(netif, frame, &netif->stack->counters.link_out_too_large);
    return -EMSGSIZE;
}
