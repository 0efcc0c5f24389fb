/* SPDX-License-Identifier: Apache-2.0 */
#include "model_run.h"
#include "tcp_internal.h"

#include <stdio.h>
#include <string.h>

enum { WRITE_BYTES = 10, PEER_WINDOW = 65535, WAIT_MS = 30, WAITS_MAX = 8 };

/* Where a segment stands against the window. */
static uint32_t seq_at(const struct run *r, const struct event *event, uint32_t right_edge)
{
    const uint32_t next = r->model.rcv_nxt;

    switch (event->seq_place) {
    case SEQ_JUST_BEFORE:
        return next - 1;
    case SEQ_BEFORE:
        return next - 5;
    case SEQ_NEXT:
        return next + 1;
    case SEQ_BEYOND:
        return next + 20;
    case SEQ_LAST:
        return right_edge - 1;
    case SEQ_RIGHT:
        return right_edge + 1;
    case SEQ_IRS:
        return r->model.irs;
    case SEQ_OPPOSITE:
        return next + 0x80000000u;
    case SEQ_FAR:
        return event->far;
    default:
        return next;
    }
}

static uint32_t ack_at(const struct run *r, const struct event *event)
{
    const struct model *m = &r->model;

    switch (event->ack_place) {
    case ACK_UNA:
        return m->snd_una;
    case ACK_OLD:
        return m->snd_una - 1;
    case ACK_UNSENT:
        return m->snd_nxt + 1;
    case ACK_HALF:
        return m->snd_una + (m->snd_nxt - m->snd_una) / 2;
    case ACK_LEFT:
        return m->snd_una - PEER_WINDOW - 2;
    case ACK_FAR:
        return event->far;
    default:
        return m->snd_nxt;
    }
}

static struct lan_tcb *tcb_of(const struct run *r)
{
    uint16_t own = (uint16_t)(r->peer.host_port << 8 | r->peer.host_port >> 8);
    uint16_t other = (uint16_t)(r->peer.port << 8 | r->peer.port >> 8);

    return lan_tcp_find(&r->f->stack->tcp, HOST, own, PEER, other);
}

static void complain(struct run *r, const char *what, uint32_t got, uint32_t expected)
{
    if (!*r->problem)
        snprintf(r->problem, sizeof r->problem, "%s %u, expected %u", what, got, expected);
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Looks at all that the stack has sent since the last time. */
static void check_sent(struct run *r, const struct model_answer *answer, uint32_t una_before)
{
    bool reset = false, acked = false, bare = false, syn = false;

    while (frames_waiting(r->f)) {
        const struct frame *frame = expect_frame(r->f);
        const uint8_t *tcp = frame->bytes + ETH + IP;
        uint32_t seq = word(tcp + 4), ack = word(tcp + 8);
        uint32_t bytes = get16(frame->bytes + ETH + 2) - IP - (tcp[12] >> 4 << 2);

        if (get16(frame->bytes + 12) != TYPE_IP)
            continue;
        if (tcp[13] & SEG_RST) {
            reset = true;
            if (answer->reset && seq != answer->reset_seq)
                complain(r, "reset with SEQ", seq, answer->reset_seq);
            continue;
        }
        if (tcp[13] & SEG_SYN) {
            syn = true;
            if (r->model.state == M_SYN_RECEIVED && r->model.passive && answer->syn) {
                r->model.iss = r->model.snd_una = seq;
                r->model.snd_nxt = seq + 1;
            }
            continue;
        }
        if (ack != r->model.rcv_nxt)
            complain(r, "a segment acknowledges", ack, r->model.rcv_nxt);
        acked = true;
        bare |= !bytes && !(tcp[13] & SEG_FIN); /* else it sends again what is not acknowledged */
        if (bytes && (lan_seq_lt(seq, una_before) || lan_seq_lt(r->model.snd_nxt, seq + bytes)))
            complain(r, "data sent at", seq, r->model.snd_una);
    }
    if (reset != answer->reset)
        complain(r, "resets", reset, answer->reset);
    if (syn != answer->syn)
        complain(r, "SYNs", syn, answer->syn);
    if (answer->must_ack && !acked)
        complain(r, "ACKs", acked, 1);
    if (bare && !answer->must_ack && !answer->may_ack)
        complain(r, "ACKs", bare, 0);
}

static void check_state(struct run *r)
{
    const struct model *m = &r->model;
    const struct lan_tcb *tcb = tcb_of(r);
    enum model_state state = tcb ? (enum model_state)tcb->state : m->listener ? M_LISTEN : M_CLOSED;

    if (state != m->state && !*r->problem)
        snprintf(r->problem, sizeof r->problem, "state %s, expected %s", model_state_name(state),
                 model_state_name(m->state));
    if (r->forbids && state == r->forbidden && !*r->problem)
        snprintf(r->problem, sizeof r->problem, "state %s, which is forbidden", model_state_name(state));
    if (!tcb || *r->problem)
        return;
    if (tcb->snd_una != m->snd_una)
        complain(r, "SND.UNA", tcb->snd_una - m->iss, m->snd_una - m->iss);
    if (tcb->snd_nxt != m->snd_nxt)
        complain(r, "SND.NXT", tcb->snd_nxt - m->iss, m->snd_nxt - m->iss);
    if (m->state != M_SYN_SENT && tcb->rcv_nxt != m->rcv_nxt)
        complain(r, "RCV.NXT", tcb->rcv_nxt - m->irs, m->rcv_nxt - m->irs);
}

static void segment(struct run *r, const struct event *event)
{
    static struct frame frame;
    const struct lan_tcb *tcb = tcb_of(r);
    bool window_known = tcb && tcb->state > LAN_TCP_SYN_SENT;
    uint32_t right_edge = window_known ? tcb->rcv_adv : 0;
    struct model_segment arriving = {.flags = event->flags, .bytes = event->bytes};

    arriving.seq = seq_at(r, event, right_edge);
    arriving.ack = event->flags & M_ACK ? ack_at(r, event) : 0;
    if (arriving.flags & M_SYN)
        arriving.bytes = 0; /* text on a SYN is the stack's to take or to leave */
    if (r->model.state == M_SYN_SENT)
        right_edge = arriving.seq + 1 + PEER_WINDOW;
    r->peer.iss = r->peer.host_iss = 0;
    peer_frame(&r->peer, &frame, arriving.flags, arriving.seq, arriving.ack, NULL, 0, arriving.bytes);

    r->cell = cell_of(&r->model, &arriving, right_edge);
    r->visits[r->cell.state][r->cell.kind][r->cell.place]++;

    uint32_t una_before = r->model.snd_una;

    r->answer = model_segment(&r->model, &arriving, right_edge);
    inject(r->f, &frame);
    if (r->cell.state == M_TIME_WAIT && r->model.state == M_SYN_RECEIVED) { /* another connection than fd's */
        if (r->fd >= 0)
            lan_close(r->f->stack, r->fd);
        r->fd = -1;
        r->shut = false;
    }
    check_sent(r, &r->answer, una_before);
}

static bool may_send(const struct run *r)
{
    return r->fd >= 0 && !r->shut && (r->model.state == M_ESTABLISHED || r->model.state == M_CLOSE_WAIT);
}

static void read_all(struct run *r)
{
    static uint8_t data[65536];

    while (r->fd >= 0 && lan_recv(r->f->stack, r->fd, data, sizeof data, LAN_MSG_DONTWAIT) > 0)
        continue;
}

/* A call of the application, where it has one to make. */
static void application(struct run *r, const struct event *event)
{
    static const uint8_t DATA[WRITE_BYTES];
    struct model_answer answer = {.may_ack = true};
    uint32_t una_before = r->model.snd_una;

    if (event->kind == WRITE && may_send(r) && r->model.snd_nxt - r->model.snd_una < 5 * WRITE_BYTES) {
        if (lan_send(r->f->stack, r->fd, DATA, sizeof DATA, LAN_MSG_DONTWAIT) != sizeof DATA)
            complain(r, "a write was taken by", 0, sizeof DATA);
        model_sent(&r->model, WRITE_BYTES);
    } else if (event->kind == SHUTDOWN && may_send(r)) {
        lan_shutdown(r->f->stack, r->fd, LAN_SHUT_WR);
        r->shut = true;
        model_fin(&r->model);
    } else if (event->kind == CLOSE && (may_send(r) || (r->fd >= 0 && r->shut && r->model.state != M_CLOSED))) {
        read_all(r);
        if (!r->shut)
            model_fin(&r->model);
        lan_close(r->f->stack, r->fd);
        r->fd = -1;
        r->model.application = false;
    } else if (event->kind == READ) {
        read_all(r);
    } else if (event->kind == ACCEPT && r->listener >= 0 && r->fd < 0 && r->model.application) {
        r->fd = lan_accept(r->f->stack, r->listener, NULL, LAN_SOCK_NONBLOCK);
        if (r->fd >= 0)
            lan_setsockopt(r->f->stack, r->fd, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, &(int){1}, sizeof(int));
    } else if (event->kind == WAIT && r->waits++ < WAITS_MAX) {
        advance_ms(r->f, WAIT_MS);
    } else if (event->kind == EXPIRE && r->model.state == M_TIME_WAIT) {
        advance_ms(r->f, 61000);
        model_expire(&r->model);
    }
    check_sent(r, &answer, una_before);
}

/* The connection that fd was is over: the application lets it go. */
static void let_go(struct run *r)
{
    if (r->fd >= 0 && !tcb_of(r)) {
        lan_close(r->f->stack, r->fd);
        r->fd = -1;
    }
    if (!tcb_of(r))
        r->shut = false;
}

static void begin(struct run *r, bool passive, uint16_t port)
{
    r->peer = peer_of(r->f);
    r->peer.port = port;
    r->peer.window = PEER_WINDOW;
    r->listener = r->fd = -1;
    model_reset(&r->model, passive);
    r->model.max_window = PEER_WINDOW;
    if (passive) {
        r->listener = listen_on(r->f, HOST_PORT, 4);
        return;
    }
    start_connect(&r->peer);
    r->fd = r->peer.fd;
    lan_setsockopt(r->f->stack, r->fd, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, &(int){1}, sizeof(int));
    model_connect(&r->model, r->peer.host_iss);
}

/* Nothing of this sequence may reach into the next one. */
static void end(struct run *r)
{
    struct lan_linger abort = {1, 0};

    if (r->fd >= 0) {
        lan_setsockopt(r->f->stack, r->fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &abort, sizeof abort);
        lan_close(r->f->stack, r->fd);
    }
    if (r->listener >= 0)
        lan_close(r->f->stack, r->listener);

    struct lan_tcb *tcb = tcb_of(r);

    if (tcb)
        lan_tcb_free(tcb);
    while (frames_waiting(r->f))
        expect_frame(r->f);
}

bool run_play(struct run *r, const struct event *events, unsigned count, bool passive, unsigned *at)
{
    static uint16_t port = 1024;

    port = port == 65535 ? 1024 : port + 1;
    r->shut = false;
    r->waits = 0;
    *r->problem = '\0';
    begin(r, passive, port);
    for (*at = 0; *at < count && !*r->problem; ++*at) {
        if (events[*at].kind == SEGMENT)
            segment(r, &events[*at]);
        else
            application(r, &events[*at]);
        r->model.max_window = PEER_WINDOW;
        check_state(r);
        let_go(r);
    }
    end(r);
    return !*r->problem;
}

static struct event arrival(uint8_t flags, enum ack_place ack)
{
    return (struct event){.kind = SEGMENT, .flags = flags, .seq_place = SEQ_AT, .ack_place = (uint8_t)ack};
}

int run_path(enum model_state state, bool passive, struct event events[PATH_MAX_EVENTS])
{
    const struct event SHUT = {.kind = SHUTDOWN};
    int n = 0;

    if (passive ? state == M_CLOSED || state == M_SYN_SENT : state == M_LISTEN)
        return -1;
    if (state == M_CLOSED)
        events[n++] = arrival(M_RST | M_ACK, ACK_ALL);
    if (state <= M_SYN_SENT)
        return n;
    if (state == M_SYN_RECEIVED || passive)
        events[n++] = arrival(M_SYN, ACK_ALL);
    else
        events[n++] = arrival(M_SYN | M_ACK, ACK_ALL);
    if (state == M_SYN_RECEIVED)
        return n;
    if (passive) {
        events[n++] = arrival(M_ACK, ACK_ALL);
        events[n++] = (struct event){.kind = ACCEPT};
    }
    if (state == M_CLOSE_WAIT || state == M_LAST_ACK)
        events[n++] = arrival(M_FIN | M_ACK, ACK_ALL);
    if (state != M_ESTABLISHED && state != M_CLOSE_WAIT)
        events[n++] = SHUT;
    if (state == M_CLOSING)
        events[n++] = arrival(M_FIN | M_ACK, ACK_UNA);
    if (state == M_FIN_WAIT_2)
        events[n++] = arrival(M_ACK, ACK_ALL);
    if (state == M_TIME_WAIT)
        events[n++] = arrival(M_FIN | M_ACK, ACK_ALL);
    return n;
}
