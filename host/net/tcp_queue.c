/* SPDX-License-Identifier: Apache-2.0 */
/* The send queue. The application's bytes are copied once, into buffers that the card can reach; segments are views of
 * them, and a buffer goes back to the pool when its bytes are acknowledged and no frame shows them any more. */

#include "tcp_internal.h"

static uint32_t first_seq(const struct lan_buf *buf)
{
    return buf->scratch[0];
}

LAN_SHARED static void append(struct lan_tcb *tcb, struct lan_buf *buf)
{
    buf->link = NULL;
    buf->scratch[0] = lan_tcp_data_end(tcb);
    if (tcb->snd_tail)
        tcb->snd_tail->link = buf;
    else
        tcb->snd_head = buf;
    tcb->snd_tail = buf;
}

static struct lan_buf *new_tail(struct lan_tcb *tcb)
{
    if (lan_tcp_memory_low(tcb->stack))
        return NULL;
    struct lan_buf *buf = lan_buf_alloc(tcb->stack->pool, 0);
    if (buf)
        append(tcb, buf);
    return buf;
}

bool lan_tcp_queue_begin(struct lan_tcb *tcb, const uint8_t *data, uint32_t bytes)
{
    struct lan_buf *buf = lan_buf_alloc(tcb->stack->pool, 0);
    if (!buf)
        return false;
    append(tcb, buf);
    memcpy(lan_buf_put(buf, bytes), data, bytes);
    tcb->snd_queued = bytes;
    return true;
}

uint32_t lan_tcp_queue_append(struct lan_tcb *tcb, const uint8_t *data, uint32_t bytes)
{
    uint32_t room = tcb->opt.snd_limit > tcb->snd_queued ? tcb->opt.snd_limit - tcb->snd_queued : 0;
    uint32_t left = bytes < room ? bytes : room;
    uint32_t taken = 0;
    struct lan_buf *tail = tcb->snd_tail;
    while (left) {
        uint32_t n = tail ? lan_buf_tailroom(tail) : 0;
        if (!n) {
            tail = new_tail(tcb);
            if (!tail)
                break;
            continue;
        }
        if (n > left)
            n = left;
        memcpy(lan_buf_put(tail, n), data + taken, n);
        tcb->snd_queued += n;
        taken += n;
        left -= n;
    }
    return taken;
}

/* Copies a fragment of a few bytes behind what is in the queue, lest a segment take more views than there are. False:
 * it has more, or has room itself for the next ones, or there is no memory. */
static bool copy_small(struct lan_tcb *tcb, const struct lan_buf *buf)
{
    if (buf->len > LAN_TCP_FEW_BYTES)
        return false;
    struct lan_buf *tail = tcb->snd_tail;
    if (!tail || lan_buf_tailroom(tail) < buf->len) {
        tail = lan_buf_tailroom(buf) || lan_tcp_memory_low(tcb->stack) ? NULL : lan_buf_alloc(tcb->stack->pool, 0);
        if (!tail)
            return false;
        append(tcb, tail);
    }
    memcpy(lan_buf_put(tail, buf->len), buf->data, buf->len);
    tcb->snd_queued += buf->len;
    return true;
}

void lan_tcp_queue_take(struct lan_tcb *tcb, struct lan_buf *chain)
{
    while (chain) {
        struct lan_buf *buf = chain;
        chain = buf->next;
        buf->next = NULL;
        if (!buf->len || copy_small(tcb, buf)) {
            lan_buf_free(buf);
            continue;
        }
        append(tcb, buf);
        tcb->snd_queued += buf->len;
    }
}

bool lan_tcp_has_space(const struct lan_tcb *tcb)
{
    return tcb->snd_queued < tcb->opt.snd_limit - tcb->opt.snd_limit / 3 && !lan_tcp_memory_low(tcb->stack);
}

void lan_tcp_offer_space(struct lan_tcb *tcb)
{
    lan_tcp_tune_send(tcb);
    if (lan_tcp_has_space(tcb)) {
        tcb->flags &= ~(uint32_t)TCB_WANT_SPACE;
        lan_socket_event(tcb->socket);
    } else if (lan_tcp_memory_low(tcb->stack)) { /* nobody tells when memory comes back: look again */
        lan_tcp_await_memory(tcb);
    }
}

void lan_tcp_queue_release(struct lan_tcb *tcb, uint32_t n)
{
    tcb->snd_queued -= n;
    for (struct lan_buf *head = tcb->snd_head; head && n; head = tcb->snd_head) {
        if (n < head->len) {
            head->scratch[0] += n;
            lan_buf_pull(head, n);
            return;
        }
        n -= head->len;
        tcb->snd_head = head->link;
        if (!tcb->snd_head)
            tcb->snd_tail = NULL;
        if (tcb->sender && tcb->sender->cursor == head)
            tcb->sender->cursor = NULL;
        lan_buf_free(head);
    }
}

bool lan_tcp_queue_put(struct lan_tcb *tcb, struct lan_buf *packet, uint32_t seq, uint32_t n)
{
    struct lan_buf *from = tcb->sender->cursor;
    bool copied = n <= LAN_TCP_FEW_BYTES;
    bool behind = from && lan_seq_lt(seq, first_seq(from)); /* a retransmission: the cursor stays where it is */
    if (!from || behind)
        from = tcb->snd_head;
    struct lan_buf *last = packet;
    for (;;) {
        uint32_t offset = seq - first_seq(from);
        if (offset < from->len) {
            uint32_t part = from->len - offset < n ? from->len - offset : n;
            if (copied) {
                memcpy(lan_buf_put(packet, part), from->data + offset, part);
            } else {
                last->next = lan_buf_view(from, offset, part);
                if (!last->next)
                    return false;
                last = last->next;
            }
            seq += part;
            n -= part;
            if (!n)
                break;
        }
        from = from->link;
    }
    if (!behind)
        tcb->sender->cursor = from;
    return true;
}
