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
    (void)stack;
    int result = lan_tcp_before_send(tcb);
    if (result < 0)
        return result;
    if (!bytes || shared(chain))
        return -EINVAL;
    if (bytes > tcb->opt.snd_limit)
        return -EMSGSIZE;
    bool room = lan_tcp_has_space(tcb);
    if (room)
        lan_tcp_queue_take(tcb, chain);
    lan_tcp_after_send(tcb, flags, !room);
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
    if (!tcb->rcv_queued)
        return lan_tcp_nothing_read(tcb);
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
    lan_tcp_after_read(tcb);
    return (long)most;
}
