/* SPDX-License-Identifier: Apache-2.0 */
#include "sound.h"
#include "../cmocka_all.h"
#include "tcp_internal.h"

enum { WINDOW_MAX = 1 << 30 }; /* no path takes more */

static void assert_send_queue(const struct lan_tcb *tcb)
{
    uint32_t bytes = 0;
    const struct lan_buf *last = NULL;
    for (const struct lan_buf *buf = tcb->snd_head; buf; buf = buf->link) {
        assert_int_equal(buf->scratch[0], tcb->snd_una + bytes);
        bytes += buf->len;
        last = buf;
    }
    assert_int_equal(bytes, tcb->snd_queued);
    assert_ptr_equal(last, tcb->snd_tail);
}

static void assert_receive_queue(const struct lan_tcb *tcb)
{
    assert_int_equal(tcb->rcv_head ? lan_buf_total(tcb->rcv_head) : 0, tcb->rcv_queued);
    assert_true(lan_seq_leq(tcb->rcv_nxt, tcb->rcv_adv));
    struct lan_tcp_block blocks[LAN_TCP_SACK_BLOCKS];
    for (uint32_t n = lan_tcp_islands(tcb, blocks), i = 0; i < n; i++) {
        assert_true(lan_seq_lt(tcb->rcv_nxt, blocks[i].start) && lan_seq_lt(blocks[i].start, blocks[i].end));
        assert_true(lan_seq_leq(blocks[i].end, tcb->rcv_adv));
        for (uint32_t k = 0; k < i; k++)
            assert_true(lan_seq_lt(blocks[i].end, blocks[k].start) || lan_seq_lt(blocks[k].end, blocks[i].start));
    }
}

static void assert_scoreboard(const struct lan_tcb *tcb)
{
    const struct lan_tcp_sender *sender = tcb->sender;
    uint32_t at = tcb->snd_una, sacked = 0, lost = 0;
    assert_ptr_equal(sender->runs, sender->table ? (void *)sender->table->store : sender->own_runs);
    assert_in_range(sender->first_run + sender->run_count, 0, sender->run_room);
    for (uint32_t i = 0; i < sender->run_count; i++) {
        const struct lan_tcp_run *run = &sender->runs[sender->first_run + i];
        assert_true(lan_seq_lt(at, run->end));
        sacked += run->flags & RUN_SACKED ? run->end - at : 0;
        lost += run->flags & RUN_LOST ? run->end - at : 0;
        at = run->end;
    }
    assert_int_equal(at, tcb->snd_nxt);
    assert_int_equal(lost, sender->lost);
    if (tcb->flags & TCB_SACK) /* else it is a guess */
        assert_int_equal(sacked, sender->sacked);
    assert_in_range(tcb->cwnd, 1, WINDOW_MAX);
}

static void assert_deadlines(struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una, fin = !!(tcb->flags & TCB_FIN_QUEUED);
    bool later = lan_tcp_armed(tcb, LAN_TCP_SEND_LATER);
    assert_in_range(flight, 0, tcb->snd_queued + fin);
    if (flight)
        assert_true(lan_tcp_armed(tcb, LAN_TCP_RETRANSMIT));
    else if (tcb->snd_queued)
        assert_true(later || lan_tcp_armed(tcb, LAN_TCP_RETRANSMIT) || lan_tcp_armed(tcb, LAN_TCP_PACE));
    if (tcb->flags & (TCB_ACK_NOW | TCB_ACK_LATER))
        assert_true(later);
    for (int i = 0; i < LAN_TCP_DEADLINES; i++)
        if (lan_tcp_armed(tcb, i)) {
            assert_true(lan_timer_running(&tcb->timer));
            assert_true(tcb->timer.deadline_ns <= *lan_tcp_deadline(tcb, i));
        }
}

void assert_sound(const struct lan_stack *stack)
{
    for (uint32_t i = 0; i <= stack->tcp.connections_mask; i++)
        for (struct lan_tcb *tcb = stack->tcp.connections[i]; tcb; tcb = tcb->hash_next) {
            if (tcb->state < LAN_TCP_ESTABLISHED || tcb->state == LAN_TCP_TIME_WAIT)
                continue;
            assert_send_queue(tcb);
            assert_receive_queue(tcb);
            assert_deadlines(tcb);
            if (tcb->sender)
                assert_scoreboard(tcb);
        }
}
