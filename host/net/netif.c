/* SPDX-License-Identifier: Apache-2.0 */
#include "netif_internal.h"
#include "stack_internal.h"

#include <errno.h>

LAN_RARE void lan_netif_drop(struct lan_netif *netif, struct lan_buf *frame, lan_count *reason)
{
    netif->stats.out_discards++;
    lan_drop(frame, reason);
}

static int enqueue(struct lan_netif *netif, struct lan_buf *frame)
{
    if (netif->tx_queue_len == LAN_TX_QUEUE_FRAMES) {
        lan_netif_drop(netif, frame, &netif->stack->counters.link_out_queue_full);
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
    struct lan_stack *stack = netif->stack;
    uint32_t bytes = lan_buf_total(frame); /* before the driver may free it */

    stack->transmitting++;
    int result = netif->ops->transmit(netif, frame);
    stack->transmitting--;

    if (result == 0) {
        netif->stats.out_frames++;
        netif->stats.out_bytes += bytes;
    }
    return result;
}

static void drop_without_link(struct lan_netif *netif, struct lan_buf *frame)
{
    lan_netif_drop(netif, frame, &netif->stack->counters.link_out_no_link);
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

static bool too_many_fragments(const struct lan_netif *netif, const struct lan_buf *frame)
{
    uint32_t room = netif->features & LAN_NETIF_SG ? netif->max_fragments : 1;

    for (; frame && room; frame = frame->next)
        room--;
    return frame != NULL;
}

/* Which features the driver would need for the frame as it is, and has not. It would sum and cut at the wrong place if
 * it had to be given the tag in the frame. */
static inline uint32_t missing(const struct lan_netif *netif, const struct lan_buf *frame)
{
    uint32_t needed = frame->flags & (LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM | LAN_BUF_TSO | LAN_BUF_VLAN);
    uint32_t lacks = needed & ~netif->features;

    if (needed & LAN_BUF_TSO && netif->max_tso_bytes && lan_buf_total(frame) > netif->max_tso_bytes)
        lacks |= LAN_NETIF_TSO;
    if (lacks & LAN_NETIF_VLAN_TX)
        lacks = needed;
    if (frame->next && too_many_fragments(netif, frame)) /* what is large is cut before it is joined */
        lacks |= LAN_NETIF_SG | (needed & LAN_NETIF_TSO);
    return lacks;
}

int lan_netif_transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    uint32_t lacks = netif->features & LAN_NETIF_LOOPBACK ? 0 : missing(netif, frame);

    return lacks ? lan_offload_transmit(netif, frame, lacks) : send(netif, frame);
}

void lan_netif_tx_ready(struct lan_netif *netif)
{
    struct lan_buf *frame;

    while ((frame = netif->tx_queue_head) != NULL) {
        netif->tx_queue_head = frame->link; /* before the driver may free it, or the stack send more */
        netif->tx_queue_len--;

        int result = netif->link_up ? hand_over(netif, frame) : -ENETDOWN;

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
    if (!netif->stack)
        return;
    if (up && netif->address)
        lan_arp_announce(netif);
    lan_netif_tx_ready(netif); /* without a link it drops the queue, and who waits for that is told */
}

struct lan_buf *lan_netif_take(struct lan_netif *netif)
{
    struct lan_buf *frame = netif->arrived;

    netif->arrived = frame->link;
    netif->stats.in_frames++;
    netif->stats.in_bytes += lan_buf_total(frame);
    return frame;
}

/* A wire without delay may deliver while it is asked to transmit. Whoever sends is in the middle of something then, so
 * the frames wait for lan_stack_poll(). */
void lan_netif_input(struct lan_netif *netif, struct lan_buf *frames)
{
    struct lan_stack *stack = netif->stack;
    struct lan_buf **end = &netif->arrived;

    while (*end)
        end = &(*end)->link;
    *end = frames;
    if (stack->transmitting) {
        lan_stack_wants_poll(stack);
        return;
    }
    while (netif->arrived) {
        struct lan_buf *frame = lan_netif_take(netif);

        if (netif->features & LAN_NETIF_LOOPBACK) {
            frame->flags = LAN_BUF_IP_OK | LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK;
            lan_ip_input(netif, frame);
        } else {
            lan_eth_input(netif, frame);
        }
    }
    lan_stack_leave(stack);
}

int lan_stack_add_netif(struct lan_stack *stack, struct lan_netif *netif)
{
    enum { MTU_MIN = 68, BESIDES = LAN_ETH_HEADER + 4 /* of a VLAN */ };
    bool gathers = netif->features & (LAN_NETIF_SG | LAN_NETIF_LOOPBACK); /* else in one buffer (offload.c) */

    if (!netif->ops || !netif->ops->transmit || netif->mtu < MTU_MIN ||
        (!gathers && (uint32_t)netif->mtu + BESIDES > stack->config.pool.buffer_bytes))
        return -EINVAL;
    netif->stack = stack;
    netif->next = stack->netifs;
    stack->netifs = netif;
    return 0;
}
