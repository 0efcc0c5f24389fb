/* SPDX-License-Identifier: Apache-2.0 */
/* Segments on their way out: when to send (RFC 9293 3.8.6.2.1), and how a segment is built. A segment is one buffer
 * with headers, and behind it views of the send queue. */

#include "tcp_internal.h"

enum {
    CHECKSUM_OFFSET = 16,
    FRAME_MAX = LAN_ETH_HEADER + 65535, /* what an IP total length can say */
    HEADER_AND_ENDS = 3,                /* fragments of a large segment beside those that show a whole buffer */
    POOL_SHARE = 8, /* of what is left in the pool, the part that one large segment may take in pieces */
};

/* Takes `option_bytes` of options, written behind the header so far, into it. */
static void add_options(struct lan_buf *packet, uint32_t option_bytes)
{
    lan_buf_put(packet, option_bytes);
    packet->data[12] = (uint8_t)(packet->len / 4 << 4); /* data offset in words */
}

/* A header with room for those below it. NULL: the pool is empty, and the caller arranges to come back. */
static struct lan_buf *start_segment(struct lan_tcb *tcb, uint32_t seq, uint8_t flags)
{
    struct lan_buf *packet = lan_buf_alloc(tcb->stack->pool, LAN_HEADROOM);
    if (!packet) {
        LAN_COUNT(tcb->stack, tcp_ext_no_buffers);
        return NULL;
    }
    uint8_t *header = lan_buf_put(packet, LAN_TCP_HEADER), *options = header + LAN_TCP_HEADER;
    lan_store16(header, tcb->local_port);
    lan_store16(header + 2, tcb->remote_port);
    lan_put32(header + 4, seq);
    lan_put32(header + 8, tcb->rcv_nxt);
    lan_store16(header + 12, lan_htons(flags));
    lan_store16(header + 14, 0); /* the window ... */
    lan_store32(header + 16, 0); /* ... checksum and urgent pointer */
    add_options(packet, flags & SEG_SYN ? lan_tcp_put_syn_options(tcb, options) : lan_tcp_put_timestamp(tcb, options));
    return packet;
}

/* Hands a segment to IP. `fresh`: how many it is cut into, but for what only repeats (RFC 4022). */
static int send_segment(struct lan_tcb *tcb, struct lan_buf *packet, uint8_t ecn, uint32_t fresh)
{
    struct lan_flow *flow = &tcb->flow;
    uint32_t bytes = lan_buf_total(packet);
    lan_store16(packet->data + CHECKSUM_OFFSET,
                lan_sum_fold(lan_sum_pseudo(flow->src, flow->dst, LAN_IPPROTO_TCP, bytes)));
    packet->flags = LAN_BUF_L4_CSUM | (packet->flags & LAN_BUF_TSO);
    packet->csum_start = 0;
    packet->csum_offset = CHECKSUM_OFFSET;
    int result = lan_ip_output(tcb->stack, flow, packet, LAN_IPPROTO_TCP, tcb->opt.tos | ecn, tcb->opt.ttl);
    if (result == 0)
        tcb->stack->counters.tcp_out_segs += fresh;
    return result;
}

uint32_t lan_tcp_window_edge(const struct lan_tcb *tcb)
{
    if (tcb->rcv_queued >= tcb->opt.rcv_limit ||
        lan_pool_free_buffers(tcb->stack->pool) < lan_tcp_of(tcb)->memory_critical)
        return tcb->rcv_adv;
    uint32_t space = tcb->opt.rcv_limit - tcb->rcv_queued;
    uint32_t most = (uint32_t)UINT16_MAX << tcb->rcv_scale;
    uint32_t edge = tcb->rcv_nxt + (space < most ? space : most);
    uint32_t step = tcb->opt.rcv_limit / 2 < tcb->mss ? tcb->opt.rcv_limit / 2 : tcb->mss;
    return lan_seq_lt(edge, tcb->rcv_adv + step) ? tcb->rcv_adv : edge;
}

/* Everything that we owe the peer goes with every segment: acknowledgment and window. */
static void put_ack(struct lan_tcb *tcb, uint8_t *header)
{
    uint32_t unit = 1u << tcb->rcv_scale;
    uint32_t window = (lan_tcp_window_edge(tcb) - tcb->rcv_nxt + unit - 1) >> tcb->rcv_scale; /* up: never shrinks */
    lan_put16(header + 14, (uint16_t)window);
    header[13] |= tcb->ecn & ECN_ECE_OWED ? SEG_ECE : 0;
    if (tcb->flags & TCB_URGENT_OUT)
        lan_tcp_urgent_put(tcb, header);
    tcb->rcv_adv = tcb->rcv_nxt + (window << tcb->rcv_scale);
    tcb->rcv_acked = tcb->rcv_nxt;
    tcb->flags &= ~(uint32_t)(TCB_ACK_NOW | TCB_ACK_LATER);
    if (!(tcb->flags & TCB_STARVED))
        lan_tcp_disarm(tcb, LAN_TCP_SEND_LATER);
}

static bool has_sack(const struct lan_tcb *tcb)
{
    return tcb->rcv_islands || tcb->dsack_start != tcb->dsack_end;
}

static void send_control(struct lan_tcb *tcb, uint32_t seq, uint8_t flags)
{
    struct lan_buf *packet = start_segment(tcb, seq, flags);
    if (packet) {
        put_ack(tcb, packet->data);
        if (has_sack(tcb))
            add_options(packet, lan_tcp_put_sack(tcb, packet->data + packet->len));
        if (send_segment(tcb, packet, 0, 1) != -ENOBUFS)
            return;
    }
    if (!(flags & SEG_RST)) {
        tcb->flags |= TCB_ACK_NOW;
        lan_tcp_await_memory(tcb);
    }
}

void lan_tcp_send_ack(struct lan_tcb *tcb)
{
    send_control(tcb, tcb->snd_nxt, SEG_ACK);
}

void lan_tcp_send_challenge(struct lan_tcb *tcb)
{
    uint32_t now = lan_tcp_now_coarse(tcb);
    if (tcb->challenge_at && now - tcb->challenge_at < LAN_TCP_CHALLENGE_INTERVAL) {
        LAN_COUNT(tcb->stack, tcp_ext_challenge_skipped);
        return;
    }
    /* At random, so that nobody learns from ours whether a guess of his has had one (CVE-2016-5696). */
    uint32_t earlier = lan_random32(tcb->stack) % (LAN_TCP_CHALLENGE_INTERVAL / 2);
    tcb->challenge_at = now - earlier ? now - earlier : 1;
    LAN_COUNT(tcb->stack, tcp_ext_challenge_acks);
    lan_tcp_send_ack(tcb);
}

void lan_tcp_send_keepalive(struct lan_tcb *tcb)
{
    send_control(tcb, tcb->snd_una - 1, SEG_ACK); /* RFC 9293 3.8.4: without the garbage octet */
}

static void send_reset(struct lan_tcb *tcb, uint8_t flags)
{
    LAN_COUNT(tcb->stack, tcp_out_rsts);
    send_control(tcb, tcb->snd_nxt, flags);
}

LAN_RARE void lan_tcp_send_reset(struct lan_tcb *tcb)
{
    send_reset(tcb, SEG_RST | SEG_ACK);
}

void lan_tcp_refuse(struct lan_stack *stack, const struct lan_tcp_segment *segment)
{
    bool acks = segment->flags & SEG_ACK;
    uint32_t end = acks ? 0 : segment->seq + segment->len;
    /* For as long as it takes to send the RST. */
    struct lan_tcb nobody = {.stack = stack,
                             .local_port = segment->destination_port,
                             .remote_port = segment->source_port,
                             .opt.ttl = 64,
                             .snd_nxt = acks ? segment->ack : 0,
                             .rcv_nxt = end,
                             .rcv_adv = end};
    if (segment->flags & SEG_RST || lan_ip_route(stack, segment->info->src, segment->info->dst, &nobody.flow) < 0)
        return;
    send_reset(&nobody, acks ? SEG_RST : SEG_RST | SEG_ACK);
}

int lan_tcp_send_syn(struct lan_tcb *tcb)
{
    bool reply = tcb->state == LAN_TCP_SYN_RECEIVED;
    uint8_t flags = (reply ? SEG_SYN | SEG_ACK : SEG_SYN) | lan_tcp_ecn_syn(tcb);
    struct lan_buf *packet = start_segment(tcb, tcb->snd_una, flags);
    bool fresh = tcb->snd_nxt == tcb->snd_una;
    tcb->syn_sent = fresh ? lan_tcp_now(tcb) : 0; /* Karn's algorithm */
    tcb->snd_nxt = tcb->snd_una + 1;
    lan_tcp_arm_retransmit(tcb);
    if (!packet)
        return 0; /* the retransmission timer comes back */
    lan_put16(packet->data + 14, (uint16_t)lan_tcp_syn_window(tcb));
    int error = send_segment(tcb, packet, 0, fresh);
    return error == -EHOSTUNREACH || error == -ENETUNREACH ? error : 0;
}

int lan_tcp_resend_syn(struct lan_tcb *tcb)
{
    LAN_COUNT(tcb->stack, tcp_retrans_segs);
    LAN_COUNT(tcb->stack, tcp_ext_syn_retrans);
    return lan_tcp_send_syn(tcb);
}

/* What the interface's segmentation can take at once. A card gathers from the buffers of the queue, of which the first
 * and the last may show little. Software takes a buffer and some views for each piece (offload.c). */
static uint32_t max_segmented(const struct lan_tcb *tcb)
{
    const struct lan_netif *netif = tcb->flow.netif;
    uint32_t buffer_bytes = tcb->stack->config.pool.buffer_bytes;
    if (netif->features & LAN_NETIF_TSO)
        return netif->max_fragments > HEADER_AND_ENDS ? (netif->max_fragments - HEADER_AND_ENDS) * buffer_bytes : 0;
    if (!LAN_FOR_SPEED)
        return 0;
    uint32_t buffers = lan_pool_free_buffers(tcb->stack->pool);
    uint32_t views = lan_pool_free_views(tcb->stack->pool) / (HEADER_AND_ENDS + tcb->mss / buffer_bytes);
    return (buffers < views ? buffers : views) / POOL_SHARE * tcb->mss;
}

/* Payload bytes to hand down at once, a multiple of the MSS. */
static uint32_t max_payload(const struct lan_tcb *tcb)
{
    enum { HEADERS = LAN_ETH_HEADER + LAN_IP_HEADER + LAN_TCP_HEADER_MAX };
    if (tcb->flags & TCB_URGENT_OUT) /* whoever cuts a large segment repeats its urgent pointer */
        return tcb->mss;
    uint32_t frame = tcb->flow.netif->max_tso_bytes;
    uint32_t most = frame && frame < FRAME_MAX ? frame : FRAME_MAX;
    uint32_t segmented = max_segmented(tcb);
    most -= most < HEADERS ? most : HEADERS;
    most = most < segmented ? most : segmented;
    return most > tcb->mss ? most - most % tcb->mss : tcb->mss;
}

/* The first retransmission of a recovery. If it is not of what the next ACK will be for, that may answer one of an
 * earlier recovery, whose time stamp proves nothing: then none is old enough. */
static void begin_undo(struct lan_tcb *tcb, uint32_t seq)
{
    tcb->sender->undo_stamp = lan_tcp_timestamp(tcb) - (seq == tcb->snd_una ? 0 : INT32_MAX / 2);
}

/* It is not for the first time that what begins at `seq` leaves. */
static void note_repeated(struct lan_tcb *tcb, uint32_t seq, uint32_t n, uint32_t segments)
{
    struct lan_tcp_sender *sender = tcb->sender;
    tcb->stack->counters.tcp_retrans_segs += segments;
    sender->retransmitted += segments;
    if (!sender->undo_bytes)
        begin_undo(tcb, seq);
    sender->undo_bytes += n;
}

/* [seq, end) has left in as many segments, `n` bytes of data and maybe a FIN. */
static inline void note_sent(struct lan_tcb *tcb, uint32_t seq, uint32_t end, uint32_t n, uint32_t segments)
{
    if (lan_seq_lt(seq, tcb->snd_nxt))
        note_repeated(tcb, seq, n, segments);
    if (n < tcb->mss)
        tcb->snd_small = end;
    tcb->sender->prr_out += end - seq;
    lan_tcp_sent(tcb, seq, end);
    if (lan_seq_lt(tcb->snd_nxt, end))
        tcb->snd_nxt = end;
    if (lan_tcp_is_paced(tcb)) {
        lan_tcp_paced(tcb, n);
        if (tcb->opt.congestion->sampled) /* whatever takes samples paces */
            lan_tcp_rate_sent(tcb, end - seq);
    }
    bool first = seq == tcb->snd_una; /* its repair begins the time anew (RFC 6675 6) */
    if (first || !lan_tcp_armed(tcb, LAN_TCP_RETRANSMIT))
        lan_tcp_arm_retransmit(tcb);
}

static bool send_data(struct lan_tcb *tcb, uint32_t seq, uint32_t n)
{
    bool last = seq + n == lan_tcp_data_end(tcb);
    /* FIN takes its place in the window, too; alone it may probe a closed one. */
    bool fin = last && tcb->flags & TCB_FIN_QUEUED && (!n || lan_seq_lt(seq + n, tcb->snd_una + tcb->snd_wnd));
    uint8_t flags = SEG_ACK | (last && n ? SEG_PSH : 0) | (fin ? SEG_FIN : 0);
    uint8_t ecn = n ? lan_tcp_ecn_data(tcb, seq, &flags) : 0;
    if (!lan_tcp_sender_open(tcb))
        return false;
    struct lan_buf *packet = start_segment(tcb, seq, flags);
    if (!packet)
        return false;
    uint16_t header = (uint16_t)packet->len;
    if (n && !lan_tcp_queue_put(tcb, packet, seq, n)) {
        LAN_COUNT(tcb->stack, tcp_ext_no_buffers);
        lan_buf_free(packet);
        return false;
    }
    uint32_t segments = 1;
    if (n > tcb->mss) {
        packet->flags |= LAN_BUF_TSO;
        packet->gso_size = tcb->mss;
        packet->hdr_len = header;
        segments = (n + tcb->mss - 1) / tcb->mss;
    }
    put_ack(tcb, packet->data);
    uint32_t end = seq + n + fin;
    int result = send_segment(tcb, packet, ecn, lan_seq_lt(tcb->snd_nxt, end) ? segments : 0);
    if (result == -EMSGSIZE)
        lan_tcp_set_mss(tcb);
    if (result == -ENOBUFS || (result == -EMSGSIZE && n > tcb->mss)) {
        tcb->flags |= TCB_ACK_NOW; /* what it would have told is still owed */
        return result == -EMSGSIZE && send_data(tcb, seq, tcb->mss);
    }
    if (flags & SEG_CWR)
        tcb->ecn &= (uint8_t)~ECN_CWR_OWED;
    note_sent(tcb, seq, end, n, segments);
    return true;
}

bool lan_tcp_send_data(struct lan_tcb *tcb, uint32_t seq, uint32_t n)
{
    bool sent = send_data(tcb, seq, n);
    if (!sent)
        lan_tcp_await_memory(tcb);
    return sent;
}

/* Whether a last segment of less than the MSS may go (Nagle, RFC 9293 3.7.4): not while another such one is under way.
 * Full ones do not count (Minshall 1999), or the end of each large write would wait for a delayed ACK; but they do when
 * the application is about to send the rest of what it was refused. */
static bool may_send_partial(const struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    bool small_under_way = tcb->snd_small - tcb->snd_una - 1 < flight;
    if (tcb->flags & (TCB_FIN_QUEUED | TCB_URGENT_OUT))
        return true;
    if (tcb->flags & TCB_MORE || tcb->opt.asked & ASKED_CORK)
        return false;
    return !flight || tcb->flags & TCB_NODELAY || !(small_under_way || tcb->flags & TCB_REFUSED);
}

/* How many bytes are worth sending (silly window avoidance, RFC 9293 3.8.6.2.1) of the `fitting` that the windows allow
 * of the `unsent`. */
static uint32_t worth_sending(const struct lan_tcb *tcb, uint32_t fitting, uint32_t unsent)
{
    if (tcb->mss && fitting >= tcb->mss) { /* what is left over is looked at by itself, when this is under way */
        uint32_t most = max_payload(tcb);
        return fitting < most ? fitting - fitting % tcb->mss : most;
    }
    if (fitting == unsent && may_send_partial(tcb))
        return fitting;
    return fitting < unsent && fitting >= tcb->snd_max_wnd / 2 ? fitting : 0;
}

/* Bytes from `seq` to the edge of the peer's window. */
static uint32_t offered_from(const struct lan_tcb *tcb, uint32_t seq)
{
    uint32_t used = seq - tcb->snd_una;
    return used < tcb->snd_wnd ? tcb->snd_wnd - used : 0;
}

/* Sends one segment of what is lost. The last one may take up new data behind it. False: a window, pacing or the lack
 * of memory holds it. */
static bool send_lost(struct lan_tcb *tcb, const struct lan_tcp_block *lost, uint32_t room)
{
    uint32_t end = lost->end == tcb->snd_nxt ? lan_tcp_data_end(tcb) : lost->end; /* a FIN is behind the data */
    uint32_t n = end - lost->start, offered = offered_from(tcb, lost->start);
    n = n < tcb->mss ? n : tcb->mss;
    n = n < offered ? n : offered;
    return offered && room >= n && lan_tcp_send_data(tcb, lost->start, n);
}

/* The same, small or large, of what has not been sent; Nagle may hold that, too. */
static bool send_new(struct lan_tcb *tcb, uint32_t room)
{
    bool fin = tcb->flags & TCB_FIN_QUEUED;
    uint32_t used = tcb->snd_nxt - tcb->snd_una;
    if (used == tcb->snd_queued + fin)
        return false;
    uint32_t unsent = tcb->snd_queued - used, offered = offered_from(tcb, tcb->snd_nxt);
    uint32_t fitting = unsent < room ? unsent : room;
    fitting = fitting < offered ? fitting : offered;
    uint32_t n = worth_sending(tcb, fitting, unsent);
    return (n || (fin && !unsent && room && offered)) && lan_tcp_send_data(tcb, tcb->snd_nxt, n);
}

/* What was lost goes first (RFC 6675 4). */
static bool send_next(struct lan_tcb *tcb)
{
    struct lan_tcp_block lost;
    uint32_t pipe = lan_tcp_pipe(tcb);
    uint32_t room = pipe < tcb->cwnd ? tcb->cwnd - pipe : 0;
    if (room && lan_tcp_is_paced(tcb))
        room = lan_tcp_pace(tcb, room);
    bool sent = lan_tcp_next_lost(tcb, &lost) ? send_lost(tcb, &lost, room) : send_new(tcb, room);
    if (sent && tcb->flags & TCB_PROBING)
        lan_tcp_end_probing(tcb);
    return sent;
}

/* Whether something lost or not sent yet waits for windows and memory. */
static inline bool waits_to_be_sent(const struct lan_tcb *tcb)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una, queued = tcb->snd_queued + !!(tcb->flags & TCB_FIN_QUEUED);
    return tcb->state >= LAN_TCP_ESTABLISHED && (flight != queued || (flight && tcb->sender->lost)) &&
           !(tcb->flags & TCB_FIN_ACKED);
}

static void note_limited(struct lan_tcb *tcb)
{
    bool limited = lan_tcp_pipe(tcb) + tcb->mss > tcb->cwnd;
    tcb->flags = limited ? tcb->flags | TCB_CWND_LIMITED : tcb->flags & ~(uint32_t)TCB_CWND_LIMITED;
}

static void send_queue(struct lan_tcb *tcb)
{
    if (tcb->snd_nxt == tcb->snd_una)
        tcb->opt.congestion->restart(tcb);
    if (tcb->sender)
        tcb->sender->turn_bytes = 0;
    while (send_next(tcb) && waits_to_be_sent(tcb)) {
    }
    note_limited(tcb);
    /* Something waits and nothing is under way that would bring an ACK: the override timer of 3.8.6.2.1, which is the
     * window probe's (3.8.6.1) too. */
    if (tcb->snd_nxt == tcb->snd_una && !lan_tcp_armed(tcb, LAN_TCP_RETRANSMIT) && !lan_tcp_armed(tcb, LAN_TCP_PACE)) {
        tcb->flags |= TCB_PROBING;
        lan_tcp_arm_retransmit(tcb);
    }
}

/* Whether a few bytes that the application sends now are one segment that may leave, and nothing else does. */
static inline bool leave_at_once(const struct lan_tcb *tcb, size_t bytes)
{
    return bytes - 1 < LAN_TCP_FEW_BYTES && bytes < tcb->mss && bytes <= tcb->snd_wnd && bytes <= tcb->cwnd &&
           bytes <= tcb->opt.snd_limit / 2 && tcb->state == LAN_TCP_ESTABLISHED && !tcb->snd_queued &&
           !(tcb->flags & (TCB_PROBING | TCB_ACK_NOW)) && !(tcb->opt.asked & ASKED_CORK) && !(tcb->ecn & ~ECN_WISHES) &&
           tcb->sender && !lan_tcp_is_paced(tcb) &&
           lan_pool_free_buffers(tcb->stack->pool) > tcb->stack->tcp.memory_low;
}

/* The first segment of a queue that a few bytes have just begun. False: it has not left. */
LAN_FLAT static bool send_few(struct lan_tcb *tcb, const uint8_t *data, uint32_t bytes)
{
    uint32_t seq = tcb->snd_nxt;
    struct lan_buf *packet = start_segment(tcb, seq, SEG_ACK | SEG_PSH);
    if (!packet)
        return false;
    memcpy(lan_buf_put(packet, bytes), data, bytes);
    put_ack(tcb, packet->data);
    int result = send_segment(tcb, packet, 0, 1);
    if (result == -ENOBUFS || result == -EMSGSIZE)
        return false;
    note_sent(tcb, seq, seq + bytes, bytes, 1);
    note_limited(tcb);
    lan_tcp_probe_arm(tcb);
    return true;
}

bool lan_tcp_send_at_once(struct lan_tcb *tcb, const uint8_t *data, size_t bytes, int flags)
{
    if (flags & (LAN_MSG_MORE | LAN_MSG_OOB) || !leave_at_once(tcb, bytes))
        return false;
    lan_tcp_enter(tcb->stack);
    bool path_is_old = lan_tcp_silent(tcb) > LAN_TCP_COARSE_OF(tcb->rto);
    if (path_is_old || !lan_tcp_queue_begin(tcb, data, (uint32_t)bytes))
        return false;
    if (!send_few(tcb, data, (uint32_t)bytes)) { /* what to do then the general way knows */
        lan_tcp_after_send(tcb, flags, false);
        lan_tcp_output(tcb);
    }
    return true;
}

void lan_tcp_output(struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_ACK_NOW && has_sack(tcb)) /* data would carry it, but no SACK (RFC 2018 4, RFC 2883 4) */
        lan_tcp_send_ack(tcb);
    if (waits_to_be_sent(tcb))
        send_queue(tcb);
    if (tcb->sender)
        lan_tcp_probe_arm(tcb);
    lan_tcp_output_ack(tcb);
}
