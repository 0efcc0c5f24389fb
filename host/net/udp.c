/* SPDX-License-Identifier: Apache-2.0 */
#include "udp.h"
#include "checksum.h"
#include "icmp.h"
#include "netif_internal.h"
#include "stack_internal.h"
#include "udp_internal.h"

#include <errno.h>

enum { FIELD_SRC = 0, FIELD_DST = 2, FIELD_LENGTH = 4, FIELD_CHECKSUM = 6 };

/* What keeping a datagram costs beside its bytes, so that a flood of small ones meets the bound of the queue, too. */
enum { DATAGRAM_OVERHEAD = 256 };

/* The one place where lengths of UDP are checked; leaves the datagram as long as its header says. */
static bool header_valid(struct lan_buf *datagram, const struct lan_ip_info *info)
{
    if (!lan_buf_pullup(datagram, LAN_UDP_HEADER))
        return false;

    uint32_t length = lan_get16(datagram->data + FIELD_LENGTH);

    if (length < LAN_UDP_HEADER || length > info->bytes)
        return false;
    if (length < info->bytes) {
        lan_buf_trim(datagram, length);
        datagram->flags &= ~(uint32_t)LAN_BUF_L4_CHECKED; /* what the card summed may have been more */
    }
    return true;
}

static void queue(struct lan_stack *stack, struct lan_udp_pcb *pcb, struct lan_buf *datagram, uint32_t from,
                  uint16_t from_port)
{
    uint32_t charge = lan_buf_total(datagram) + DATAGRAM_OVERHEAD;

    if (pcb->shut_read || pcb->queued >= pcb->receive_buffer) { /* one may exceed it, or a large one never came in */
        LAN_COUNT(stack, udp_rcvbuf_errors);
        lan_drop(datagram, &stack->counters.udp_in_errors);
        return;
    }
    /* Sockets that nobody reads must not starve the rest of the stack of buffers. */
    if (lan_pool_free_buffers(stack->pool) < stack->config.pool.buffers / 8) {
        LAN_COUNT(stack, udp_mem_errors);
        lan_drop(datagram, &stack->counters.udp_in_errors);
        return;
    }
    LAN_COUNT(stack, udp_in_datagrams);
    datagram->scratch[LAN_UDP_FROM] = from;
    datagram->scratch[LAN_UDP_FROM_PORT] = from_port;
    datagram->scratch[LAN_UDP_CHARGE] = charge;
    datagram->link = NULL;
    if (pcb->head)
        pcb->tail->link = datagram;
    else
        pcb->head = datagram;
    pcb->tail = datagram;
    pcb->queued += charge;
    lan_socket_event(pcb->socket);
}

void lan_udp_input(struct lan_stack *stack, struct lan_buf *datagram, const struct lan_ip_info *info)
{
    if (!header_valid(datagram, info)) {
        lan_drop(datagram, &stack->counters.udp_in_errors);
        return;
    }

    const uint8_t *udp = datagram->data;
    uint16_t from_port = lan_load16(udp + FIELD_SRC);

    if (lan_load16(udp + FIELD_CHECKSUM) && !lan_l4_checksum_ok(datagram, info)) { /* RFC 768: zero means none */
        LAN_COUNT(stack, udp_in_csum_errors);
        lan_drop(datagram, &stack->counters.udp_in_errors);
        return;
    }

    struct lan_udp_pcb *pcb = lan_udp_find(stack, info->dst, lan_load16(udp + FIELD_DST), info->src, from_port);

    if (!pcb) {
        lan_icmp_error(stack, datagram, info, LAN_ICMP_UNREACHABLE, LAN_UNREACHABLE_PORT);
        lan_drop(datagram, &stack->counters.udp_no_ports);
        return;
    }
    lan_buf_pull(datagram, LAN_UDP_HEADER);
    queue(stack, pcb, datagram, info->src, from_port);
}

void lan_udp_icmp_error(struct lan_stack *stack, const uint8_t *quoted, size_t bytes, uint8_t type, uint8_t code)
{
    size_t header_bytes = (quoted[0] & 15u) * 4;
    int error = lan_icmp_errno(type, code);

    if (bytes < header_bytes + LAN_UDP_HEADER || !error)
        return;

    const uint8_t *udp = quoted + header_bytes;
    uint32_t peer = lan_load32(quoted + 16);
    uint16_t peer_port = lan_load16(udp + FIELD_DST);
    struct lan_udp_pcb *pcb =
        lan_udp_find(stack, lan_load32(quoted + 12), lan_load16(udp + FIELD_SRC), peer, peer_port);

    /* Only a connected socket knows whom an error is about (RFC 1122 4.1.3.3, and as BSD and Linux do). */
    if (pcb && pcb->peer == peer && pcb->peer_port == peer_port)
        lan_socket_error(pcb->socket, error);
}

void lan_udp_tx_ready(struct lan_netif *netif)
{
    struct lan_udp *udp = &netif->stack->udp;

    if (!udp->stopped || netif->tx_queue_len > LAN_TX_QUEUE_FRAMES / 4)
        return;
    udp->stopped = false;
    for (uint32_t i = 0; i < netif->stack->config.udp_sockets; i++) {
        struct lan_udp_pcb *pcb = &udp->pcbs[i];

        if (pcb->stopped) {
            pcb->stopped = false;
            lan_socket_event(pcb->socket);
        }
    }
}

/* The bytes of one datagram in buffers of the pool, with room for the headers in the first. */
static struct lan_buf *fill(struct lan_stack *stack, const uint8_t *data, size_t bytes)
{
    struct lan_buf *first = lan_buf_alloc(stack->pool, LAN_HEADROOM + LAN_UDP_HEADER);
    struct lan_buf *buf = first;

    while (buf) {
        uint32_t room = lan_buf_tailroom(buf);
        uint32_t take = bytes < room ? (uint32_t)bytes : room;

        if (take)
            memcpy(lan_buf_put(buf, take), data, take);
        data += take;
        bytes -= take;
        if (bytes == 0)
            return first;
        buf->next = lan_buf_alloc(stack->pool, 0);
        buf = buf->next;
    }
    lan_buf_free(first);
    return NULL;
}

static int find_flow(struct lan_stack *stack, struct lan_udp_pcb *pcb, uint32_t dst)
{
    if (pcb->flow_valid && pcb->flow.dst == dst)
        return 0;

    int result = lan_ip_route(stack, dst, pcb->bound, &pcb->flow);

    pcb->flow_valid = result == 0;
    return result;
}

long lan_udp_output(struct lan_stack *stack, struct lan_udp_pcb *pcb, const void *data, size_t bytes, uint32_t dst,
                    uint16_t port)
{
    int result = find_flow(stack, pcb, dst);

    if (result < 0)
        return result;
    if (pcb->flow.netif->tx_queue_len >= LAN_TX_QUEUE_FRAMES / 2) {
        pcb->stopped = stack->udp.stopped = true;
        return -EAGAIN;
    }

    struct lan_buf *datagram = fill(stack, data, bytes);

    if (!datagram) {
        LAN_COUNT(stack, udp_sndbuf_errors);
        return -ENOBUFS;
    }

    uint32_t length = LAN_UDP_HEADER + (uint32_t)bytes;
    uint8_t *udp = lan_buf_push(datagram, LAN_UDP_HEADER);

    lan_store16(udp + FIELD_SRC, pcb->local_port);
    lan_store16(udp + FIELD_DST, port);
    lan_put16(udp + FIELD_LENGTH, (uint16_t)length);
    lan_store16(udp + FIELD_CHECKSUM, lan_sum_fold(lan_sum_pseudo(pcb->flow.src, dst, LAN_IPPROTO_UDP, length)));
    datagram->flags = LAN_BUF_L4_CSUM;
    datagram->csum_start = datagram->hdr_len = 0;
    datagram->csum_offset = FIELD_CHECKSUM;
    result = lan_ip_output(stack, &pcb->flow, datagram, LAN_IPPROTO_UDP, pcb->tos, pcb->ttl);
    if (result < 0) {
        pcb->flow_valid = false; /* the address it was from may be gone */
        return result;
    }
    LAN_COUNT(stack, udp_out_datagrams);
    return (long)bytes;
}
