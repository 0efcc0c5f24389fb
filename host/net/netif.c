/* SPDX-License-Identifier: Apache-2.0 */
#include "netif_internal.h"
#include "stack_internal.h"

#include <errno.h>

static int enqueue(struct lan_netif *netif, struct lan_buf *frame)
{
    if (netif->tx_queue_len == LAN_TX_QUEUE_FRAMES) {
        netif->stats.out_discards++;
        LAN_COUNT(netif->stack, link_out_queue_full);
        lan_buf_free(frame);
        return -ENOBUFS;
    }
    frame->link = NULL;
    if (netif->tx_queue_head)
        netif->tx_queue_tail->link = frame;
    else
        netif->tx_queue_head = frame;
    netif->tx_queue_tail = frame;
    netif->tx_queue_len++;
    LAN_COUNT(netif->stack, link_out_queued);
    return 0;
}

/* Hands a frame to the driver; the caller keeps it unless 0 is returned. */
static inline int hand_over(struct lan_netif *netif, struct lan_buf *frame)
{
    uint32_t bytes = lan_buf_total(frame); /* before the driver may free it */
    int result = netif->ops->transmit(netif, frame);

    if (result == 0) {
        netif->stats.out_frames++;
        netif->stats.out_bytes += bytes;
    }
    return result;
}

static void drop_without_link(struct lan_netif *netif, struct lan_buf *frame)
{
    netif->stats.out_discards++;
    LAN_COUNT(netif->stack, link_out_no_link);
    lan_buf_free(frame);
}

static inline int send(struct lan_netif *netif, struct lan_buf *frame)
{
    if (netif->tx_queue_head) /* frames leave in order */
        return enqueue(netif, frame);

    int result = hand_over(netif, frame);

    if (result == -ENOBUFS)
        return enqueue(netif, frame);
    if (result < 0)
        drop_without_link(netif, frame);
    return result;
}

int lan_netif_send(struct lan_netif *netif, struct lan_buf *frame)
{
    return send(netif, frame);
}

_Static_assert((int)LAN_BUF_IP_CSUM == LAN_NETIF_TX_IP_CSUM && (int)LAN_BUF_L4_CSUM == LAN_NETIF_TX_L4_CSUM,
               "a request for a checksum and the feature are the same bit");

static bool driver_can_segment(const struct lan_netif *netif, const struct lan_buf *frame)
{
    return (netif->features & LAN_NETIF_TSO) && (!netif->max_tso_bytes || lan_buf_total(frame) <= netif->max_tso_bytes);
}

/* Whether the driver can take the frame as it is. */
static inline bool driver_can(const struct lan_netif *netif, const struct lan_buf *frame)
{
    uint32_t requests = frame->flags, features = netif->features;

    if (requests & (LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM) & ~features)
        return false;
    if ((requests & LAN_BUF_TSO) && !driver_can_segment(netif, frame))
        return false;
    if ((requests & LAN_BUF_VLAN) && !(features & LAN_NETIF_VLAN_TX))
        return false;
    return !frame->next || !lan_netif_too_many_fragments(netif, frame);
}

int lan_netif_transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    if ((netif->features & LAN_NETIF_LOOPBACK) || driver_can(netif, frame))
        return send(netif, frame);
    return lan_offload_transmit(netif, frame);
}

static struct lan_buf *dequeue(struct lan_netif *netif)
{
    struct lan_buf *frame = netif->tx_queue_head;

    netif->tx_queue_head = frame->link;
    netif->tx_queue_len--;
    return frame;
}

void lan_netif_tx_ready(struct lan_netif *netif)
{
    while (netif->tx_queue_head) {
        struct lan_buf *frame = dequeue(netif);
        int result = hand_over(netif, frame);

        if (result == -ENOBUFS) {
            frame->link = netif->tx_queue_head;
            netif->tx_queue_head = frame;
            netif->tx_queue_len++;
            break;
        }
        if (result < 0)
            drop_without_link(netif, frame);
    }
    lan_udp_tx_ready(netif);
    lan_stack_leave(netif->stack);
}

void lan_netif_set_link(struct lan_netif *netif, bool up)
{
    netif->link_up = up;
    if (!up)
        while (netif->tx_queue_head)
            drop_without_link(netif, dequeue(netif));
    else if (netif->stack && netif->address)
        lan_arp_announce(netif);
    if (netif->stack)
        lan_stack_leave(netif->stack);
}

struct lan_buf *lan_netif_take(struct lan_netif *netif)
{
    struct lan_buf *frame = netif->arrived;

    netif->arrived = frame->link;
    netif->stats.in_frames++;
    netif->stats.in_bytes += lan_buf_total(frame);
    return frame;
}

void lan_netif_input(struct lan_netif *netif, struct lan_buf *frames)
{
    struct lan_buf *outer = netif->arrived; /* a driver may deliver while it is asked to transmit */

    netif->arrived = frames;
    while (netif->arrived) {
        struct lan_buf *frame = lan_netif_take(netif);

        if (netif->features & LAN_NETIF_LOOPBACK) {
            frame->flags = LAN_BUF_IP_OK | LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK;
            lan_ip_input(netif, frame);
        } else {
            lan_eth_input(netif, frame);
        }
    }
    netif->arrived = outer;
    lan_stack_leave(netif->stack);
}

int lan_stack_add_netif(struct lan_stack *stack, struct lan_netif *netif)
{
    if (!netif->ops || !netif->ops->transmit || netif->mtu < 68)
        return -EINVAL;
    netif->stack = stack;
    netif->next = stack->netifs;
    stack->netifs = netif;
    return 0;
}
