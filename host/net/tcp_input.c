/* SPDX-License-Identifier: Apache-2.0 */
/* SEGMENT ARRIVES: RFC 9293 3.10.7, in its order, with the checks of RFC 5961 against blind attacks. */

#include "tcp_internal.h"

static bool has_state(const struct lan_tcb *tcb, uint32_t states)
{
    return states >> tcb->state & 1;
}

/* RFC 9293 3.10.7.4: where text is still taken; where both ends have closed. */
enum {
    RECEIVING = 1 << LAN_TCP_ESTABLISHED | 1 << LAN_TCP_FIN_WAIT_1 | 1 << LAN_TCP_FIN_WAIT_2,
    CLOSED_IN_ORDER = 1 << LAN_TCP_CLOSING | 1 << LAN_TCP_LAST_ACK | 1 << LAN_TCP_TIME_WAIT,
};

/* Everything up to the peer's FIN has arrived. */
static void take_fin(struct lan_tcb *tcb)
{
    tcb->flags |= TCB_EOF | TCB_ACK_NOW;
    tcb->rcv_nxt++;
    if (lan_seq_lt(tcb->rcv_adv, tcb->rcv_nxt)) /* a FIN needs no room: one just beyond a full window is taken, too */
        tcb->rcv_adv = tcb->rcv_nxt;
    if (tcb->state == LAN_TCP_ESTABLISHED)
        tcb->state = LAN_TCP_CLOSE_WAIT;
    else if (tcb->state == LAN_TCP_FIN_WAIT_1)
        tcb->state = LAN_TCP_CLOSING;
    else
        lan_tcp_time_wait(tcb);
    lan_socket_event(tcb->socket);
}

/* Seventh and eighth: text and FIN of an acceptable segment, so that something of it is neither before RCV.NXT nor
 * beyond the window. `seq` is where the text starts. False: the TCB is gone. */
static bool take_text(struct lan_tcb *tcb, struct lan_tcp_segment *segment, uint32_t seq)
{
    uint32_t bytes = segment->bytes;
    bool fin = segment->flags & SEG_FIN;
    if (!has_state(tcb, RECEIVING))
        return true;
    lan_tcp_note_size(tcb, bytes);
    if (lan_seq_lt(seq, tcb->rcv_nxt)) {
        uint32_t known = tcb->rcv_nxt - seq;
        lan_tcp_note_duplicate(tcb, seq, tcb->rcv_nxt);
        lan_buf_pull(segment->payload, known);
        seq = tcb->rcv_nxt;
        bytes -= known;
        tcb->flags |= TCB_ACK_NOW;
    }
    if (lan_seq_lt(tcb->rcv_adv, seq + bytes)) {
        LAN_COUNT(tcb->stack, tcp_ext_beyond_window);
        bytes = tcb->rcv_adv - seq;
        lan_buf_trim(segment->payload, bytes);
        fin = false;
        tcb->flags |= TCB_ACK_NOW;
    }
    if (bytes && !tcb->socket && !tcb->listener) { /* the application has closed: nobody will ever read this */
        LAN_COUNT(tcb->stack, tcp_ext_abort_on_data);
        lan_tcp_refuse(tcb->stack, segment);
        lan_tcp_finish(tcb, ECONNRESET);
        return false;
    }
    if (fin && (!(tcb->flags & TCB_FIN_ARRIVED) || lan_seq_lt(tcb->rcv_fin, tcb->rcv_nxt))) {
        tcb->flags |= TCB_FIN_ARRIVED | TCB_ACK_NOW;
        tcb->rcv_fin = seq + bytes;
    }
    if (bytes)
        lan_tcp_receive(tcb, lan_tcp_take_payload(segment), seq, bytes);
    if (tcb->flags & TCB_FIN_ARRIVED && tcb->rcv_nxt == tcb->rcv_fin)
        take_fin(tcb);
    return true;
}

static void reset_arrived(struct lan_tcb *tcb)
{
    if (tcb->state == LAN_TCP_SYN_RECEIVED)
        lan_tcp_finish(tcb, ECONNREFUSED);
    else
        lan_tcp_finish(tcb, has_state(tcb, CLOSED_IN_ORDER) ? 0 : ECONNRESET);
}

/* RFC 9293 3.10.7.3. */
static void syn_sent(struct lan_tcb *tcb, struct lan_tcp_segment *segment)
{
    bool acks = segment->flags & SEG_ACK;
    if (acks && segment->ack != tcb->snd_nxt) {
        lan_tcp_refuse(tcb->stack, segment);
        return;
    }
    if (segment->flags & SEG_RST) {
        if (acks && !lan_tcp_ecn_refused(tcb))
            lan_tcp_finish(tcb, ECONNREFUSED);
        return;
    }
    if (!(segment->flags & SEG_SYN))
        return;
    lan_tcp_take_syn(tcb, segment);
    if (!acks) { /* a simultaneous open */
        tcb->state = LAN_TCP_SYN_RECEIVED;
        lan_tcp_send_syn(tcb);
        return;
    }
    lan_tcp_syn_acked(tcb, segment);
    tcb->snd_una = segment->ack;
    lan_tcp_established(tcb);
    tcb->flags |= TCB_ACK_NOW;
    if (take_text(tcb, segment, segment->seq + 1))
        lan_tcp_output(tcb);
}

/* First: the sequence number. With a closed window ACK and RST count all the same (RFC 9293 MUST-66), and so does an
 * ACK that follows a whole window that was lost. */
static bool acceptable(const struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    if (segment->seq == tcb->rcv_nxt)
        return true;
    if (!segment->len)
        return lan_seq_lt(tcb->rcv_nxt, segment->seq) && lan_seq_leq(segment->seq, tcb->rcv_adv);
    return lan_seq_lt(segment->seq, tcb->rcv_adv) && lan_seq_lt(tcb->rcv_nxt, segment->seq + segment->len);
}

static void reject(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    LAN_COUNT(tcb->stack, tcp_ext_out_of_window);
    if (segment->flags & SEG_RST)
        return;
    bool repeats = segment->flags & SEG_FIN && segment->seq + segment->len == tcb->rcv_nxt;
    if (tcb->state == LAN_TCP_TIME_WAIT && repeats)
        lan_tcp_arm(tcb, LAN_TCP_LIFE, LAN_TCP_2MSL);
    if (segment->len && !(segment->flags & SEG_SYN)) {
        if (lan_seq_leq(segment->seq + segment->bytes, tcb->rcv_nxt))
            lan_tcp_note_duplicate(tcb, segment->seq, segment->seq + segment->bytes);
        lan_tcp_send_ack(tcb); /* the peer sends it again until it hears that it has arrived */
    } else {
        lan_tcp_send_challenge(tcb);
    }
}

/* RFC 7323 3.2 and 5.3 R1, which a RST is exempt from. False: the segment is dropped. */
static bool stamp_fine(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    if (!(tcb->flags & TCB_TIMESTAMPS) || segment->flags & SEG_RST)
        return true;
    if (!segment->stamped) {
        LAN_COUNT(tcb->stack, tcp_ext_no_timestamp);
        return false;
    }
    if (!lan_tcp_timestamp_old(tcb, segment))
        return true;
    LAN_COUNT(tcb->stack, tcp_ext_paws);
    reject(tcb, segment);
    return false;
}

/* Fifth, in SYN-RECEIVED. False: the segment is dropped. */
static bool complete_handshake(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    if (segment->ack != tcb->snd_nxt) {
        lan_tcp_refuse(tcb->stack, segment);
        return false;
    }
    if (!lan_tcp_child_ready(tcb))
        return false;
    lan_tcp_syn_acked(tcb, segment);
    tcb->snd_una = segment->ack;
    tcb->snd_wl1 = segment->seq; /* its window counts, and of those so far none, as the SYN's was not scaled */
    tcb->snd_wl2 = segment->ack;
    tcb->snd_max_wnd = 0;
    lan_tcp_established(tcb);
    return true;
}

/* What an acknowledged FIN of ours means. False: the TCB is gone. */
static bool fin_acked(struct lan_tcb *tcb)
{
    switch (tcb->state) {
    case LAN_TCP_FIN_WAIT_1:
        tcb->state = LAN_TCP_FIN_WAIT_2;
        if (!tcb->socket)
            lan_tcp_arm(tcb, LAN_TCP_LIFE, LAN_TCP_FIN_WAIT);
        return true;
    case LAN_TCP_CLOSING:
        lan_tcp_time_wait(tcb);
        return true;
    case LAN_TCP_LAST_ACK:
        lan_tcp_finish(tcb, 0);
        return false;
    default:
        return true;
    }
}

/* Second to fifth: RST (RFC 5961 3.2), SYN (4.2), and no ACK. */
static void without_ack(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    bool passive = tcb->state == LAN_TCP_SYN_RECEIVED && tcb->listener;
    if (segment->flags & SEG_RST && segment->seq == tcb->rcv_nxt)
        reset_arrived(tcb);
    else if (segment->flags & SEG_SYN && !(segment->flags & SEG_RST) && passive)
        lan_tcb_free(tcb);
    else if (segment->flags & (SEG_RST | SEG_SYN))
        lan_tcp_send_challenge(tcb);
    else
        LAN_COUNT(tcb->stack, tcp_ext_bad_flags);
}

/* RFC 9293 3.10.7.4. */
static void synchronized(struct lan_tcb *tcb, struct lan_tcp_segment *segment)
{
    if (!(segment->flags & SEG_SYN)) /* whose window never is (RFC 7323 2.2) */
        segment->window <<= tcb->snd_scale;
    if (tcb->state == LAN_TCP_SYN_RECEIVED && segment->flags & SEG_SYN && segment->seq + 1 == tcb->rcv_nxt) {
        if (segment->flags == SEG_SYN) { /* our SYN-ACK was lost */
            lan_tcp_send_syn(tcb);
            return;
        }
        segment->flags &= ~SEG_SYN; /* a simultaneous open (figure 7): its ACK counts */
        segment->seq++;
        segment->len--;
    }
    if (!stamp_fine(tcb, segment))
        return;
    if (!acceptable(tcb, segment)) {
        reject(tcb, segment);
        return;
    }
    if ((segment->flags & (SEG_RST | SEG_SYN | SEG_ACK)) != SEG_ACK) {
        without_ack(tcb, segment);
        return;
    }
    if (tcb->state == LAN_TCP_SYN_RECEIVED && !complete_handshake(tcb, segment))
        return;
    if (!lan_tcp_acknowledge(tcb, segment))
        return;
    if (tcb->flags & TCB_TIMESTAMPS) /* not before: who only guesses must not make the peer's own stamps old ones */
        lan_tcp_timestamp_update(tcb, segment);
    if (tcb->flags & TCB_KEEPALIVE)
        lan_tcp_arm_keepalive(tcb);
    if (tcb->flags & TCB_FIN_ACKED && !fin_acked(tcb))
        return;
    lan_tcp_ecn_arrived(tcb, segment);
    if (segment->flags & SEG_URG && has_state(tcb, RECEIVING)) /* sixth */
        lan_tcp_urgent_arrived(tcb, segment);
    if ((segment->bytes || segment->flags & SEG_FIN) && !take_text(tcb, segment, segment->seq))
        return;
    lan_tcp_output(tcb);
}

/* A SYN that is surely newer than a connection in TIME-WAIT may begin the next one (RFC 9293 MAY-2). Where both have
 * time stamps these decide (RFC 6191 2). */
static bool may_follow(const struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    bool later = lan_seq_lt(tcb->rcv_nxt, segment->seq);
    if (tcb->state != LAN_TCP_TIME_WAIT || segment->flags != SEG_SYN)
        return false;
    if (!segment->stamped || !(tcb->flags & TCB_TIMESTAMPS))
        return later;
    return lan_seq_lt(tcb->ts_recent, segment->tsval) || (segment->tsval == tcb->ts_recent && later);
}

static void dispatch(struct lan_stack *stack, struct lan_tcp_segment *segment)
{
    const struct lan_ip_info *info = segment->info;
    struct lan_tcb *tcb =
        lan_tcp_find(&stack->tcp, info->dst, segment->destination_port, info->src, segment->source_port);
    if (!tcb || may_follow(tcb, segment)) {
        struct lan_tcb *listener = lan_tcp_find_listener(&stack->tcp, info->dst, segment->destination_port);
        if (listener) {
            tcb = lan_tcp_input_listen(listener, segment, tcb);
            if (!tcb)
                return;
        }
    }
    if (!tcb) {
        LAN_COUNT(stack, tcp_ext_no_ports);
        lan_tcp_refuse(stack, segment);
    } else if (tcb->state == LAN_TCP_SYN_SENT) {
        syn_sent(tcb, segment);
    } else {
        synchronized(tcb, segment);
    }
}

void lan_tcp_input(struct lan_stack *stack, struct lan_buf *buf, const struct lan_ip_info *info)
{
    struct lan_tcp_segment segment;
    lan_tcp_enter(stack);
    LAN_COUNT(stack, tcp_in_segs);
    segment.payload = buf;
    if (info->to_group) { /* RFC 9293 MUST-57 */
        LAN_COUNT(stack, tcp_ext_group);
    } else if (!lan_l4_checksum_ok(buf, info)) {
        LAN_COUNT(stack, tcp_in_csum_errors);
        LAN_COUNT(stack, tcp_in_errs);
    } else if (!lan_tcp_parse(stack, buf, info, &segment)) {
        LAN_COUNT(stack, tcp_in_errs);
    } else {
        dispatch(stack, &segment);
    }
    if (segment.payload)
        lan_buf_free(segment.payload);
}
