/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving without a copy: buffers of the pool go over into the send queue and come out of the receive
 * queue as they are. */

#include "tcp_internal.h"

/* Whether somebody else holds a part of a chain: the queue takes it apart, and may write behind its end. */
static bool shared(const struct lan_buf *chain)
{
    while (chain && chain->refs == 1)
        chain = chain->next;
    return chain != NULL;
}

long lan_tcp_send_buf(struct lan_stack *stack, void *pcb, struct lan_buf *chain, int flags)
{
    struct lan_tcb *tcb = pcb;
    uint32_t bytes = lan_buf_total(chain);
    if (tcb->flags & TCB_FIN_QUEUED || (tcb->state == LAN_TCP_CLOSED && tcb->error))
        return -EPIPE;
    int result = lan_tcp_not_connected(tcb);
    if (result < 0)
        return result;
    if (!bytes || shared(chain))
        return -EINVAL;
    if (bytes > tcb->snd_limit)
        return -EMSGSIZE;
    lan_tcp_enter(stack);
    bool room = lan_tcp_has_space(tcb);
    if (room) {
        if (tcb->congestion->sampled && tcb->sender)
            lan_tcp_rate_check(tcb);
        lan_tcp_queue_take(tcb, chain);
        tcb->flags &= ~(uint32_t)(TCB_MORE | TCB_REFUSED);
        if (flags & LAN_MSG_MORE)
            tcb->flags |= TCB_MORE;
    }
    if (!lan_tcp_has_space(tcb)) {
        tcb->flags |= TCB_WANT_SPACE;
        lan_tcp_offer_space(tcb);
    }
    if (!room)
        return -EAGAIN;
    lan_tcp_output(tcb);
    return (long)bytes;
}

long lan_tcp_recv_buf(struct lan_stack *stack, void *pcb, struct lan_buf **chain, size_t bytes)
{
    struct lan_tcb *tcb = pcb;
    struct lan_buf front = {.next = NULL}; /* what is taken hangs behind it */
    (void)stack;
    if (!bytes)
        return 0;
    if (!tcb->rcv_queued) {
        int result = lan_tcp_not_connected(tcb);
        if (tcb->flags & (TCB_EOF | TCB_RCV_SHUT))
            return 0;
        return result < 0 ? result : -EAGAIN;
    }
    uint32_t most = bytes < tcb->rcv_queued ? (uint32_t)bytes : tcb->rcv_queued;
    if (tcb->flags & TCB_URGENT_IN)
        most = lan_tcp_urgent_bound(tcb, most);
    lan_buf_append_cut(&front, &tcb->rcv_head, most);
    if (!tcb->rcv_head)
        tcb->rcv_tail = NULL;
    if (!front.next)
        return -ENOBUFS;
    most = lan_buf_total(front.next);
    tcb->rcv_queued -= most;
    *chain = front.next;
    if (tcb->flags & TCB_URGENT_IN)
        lan_tcp_urgent_read(tcb);
    lan_tcp_tune_receive(tcb);
    lan_tcp_window_update(tcb);
    return (long)most;
}
