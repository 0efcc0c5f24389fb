/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection knows while it sends: the scoreboard, recovery, congestion control's own state. It takes a buffer
 * of the pool when the first byte leaves, and gives it back when the connection has been quiet for so long that the
 * path has to be found anew (RFC 5681 4.1); sooner when memory is not plenty. */

#include "tcp_internal.h"

bool lan_tcp_sender_open(struct lan_tcb *tcb)
{
    if (tcb->sender)
        return true;
    if (lan_pool_free_buffers(tcb->stack->pool) <= lan_tcp_of(tcb)->memory_critical + 1) /* an ACK takes one, too */
        return false;
    struct lan_buf *buf = lan_buf_alloc(tcb->stack->pool, 0);
    if (!buf)
        return false;
    tcb->sender = (struct lan_tcp_sender *)buf->store;
    *tcb->sender = (struct lan_tcp_sender){
        .buf = buf,
        .runs = tcb->sender->own_runs,
        .run_room = lan_tcp_own_room(buf),
        .recover = tcb->snd_una,
        .rack_fack = tcb->snd_una,
        .reorder_round = tcb->snd_una,
    };
    lan_tcp_start_congestion(tcb);
    return true;
}

LAN_RARE void lan_tcp_sender_close(struct lan_tcb *tcb)
{
    if (!tcb->sender)
        return;
    tcb->flags &= ~(uint32_t)TCB_SENDER_FLAGS;
    lan_buf_free(tcb->sender->table);
    lan_buf_free(tcb->sender->buf);
    tcb->sender = NULL;
    tcb->armed &= (1u << LAN_TCP_OWN_DEADLINES) - 1;
}

void lan_tcp_sender_rest(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    sender->first_run = sender->run_count = sender->sacked = sender->lost = 0;
    lan_tcp_scoreboard_shrink(tcb);
    sender->rack_sent = 0;
    lan_tcp_disarm(tcb, LAN_TCP_TAIL_PROBE);
    lan_tcp_rate_rest(tcb);
    if (lan_pool_free_buffers(tcb->stack->pool) < lan_tcp_of(tcb)->memory_plenty && !lan_tcp_ahead(tcb))
        lan_tcp_sender_close(tcb);
    else
        lan_tcp_arm(tcb, LAN_TCP_QUIET, LAN_TCP_SENDER_KEEP);
}

/* Instants must not outlive the clock: of what goes on for so long only that it does is remembered. */
LAN_RARE void lan_tcp_sender_forget(struct lan_tcb *tcb)
{
    tcb->sender->rack_sent = 0;
    lan_tcp_rate_rest(tcb);
    lan_tcp_scoreboard_blur(tcb);
}

bool lan_tcp_on_quiet(struct lan_tcb *tcb)
{
    if (lan_tcp_ahead(tcb))
        lan_tcp_arm_at(tcb, LAN_TCP_QUIET, tcb->sender->pace_ns);
    else if (tcb->snd_una == tcb->snd_nxt)
        lan_tcp_sender_close(tcb);
    return true;
}
