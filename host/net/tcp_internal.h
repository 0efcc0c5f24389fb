/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TCP_INTERNAL_H
#define LANYARD_TCP_INTERNAL_H

/* TCP from the inside, in the words of RFC 9293: a connection is its transmission control block (TCB), SND.UNA is
 * snd_una. Sequence numbers are in host byte order, addresses and ports in network byte order, times in the units of
 * tcp_tcb.h.
 *
 * tcp_input.c      arriving segments, in the order of RFC 9293 3.10.7    tcp_header.c     the header, parsed
 * tcp_predict.c    packets that need no such care
 * tcp_output.c     building and sending segments                         tcp_queue.c      the send queue
 * tcp_reassembly.c the receive queue and what arrived out of order       tcp_ack.c        the ACK field and the window
 * tcp_retransmit.c retransmission time-out, probes, round-trip time      tcp_congestion.c congestion control: NewReno
 * tcp_cubic.c      CUBIC                                                 tcp_hystart.c    its slow start
 * tcp_sack.c       the scoreboard of what is under way                   tcp_rack.c       RACK-TLP, which finds losses
 * tcp_sender.c     what is known while something is under way: tcp_sender.h
 * tcp_recovery.c   recovery from losses                                  tcp_timestamp.c  the time stamps option
 * tcp_rate.c       samples of the delivery rate                          tcp_pacing.c     when the next segment may go
 * tcp_bbr.c        BBR: its states                                       tcp_bbr_model.c  and its model of the path
 * tcp_timer.c      deadlines of a connection, keep-alive                 tcp_tcb.c        the life of a TCB
 * tcp_demux.c      which connection a segment belongs to, ports          tcp_listen.c     listeners and their children
 * tcp_socket.c     the socket calls                                      tcp_icmp.c       ICMP errors
 * tcp_ecn.c        explicit congestion notification                      tcp_frto.c       was the time-out spurious?
 * tcp_cookie.c     SYN cookies                                           tcp_port.c       ports of what we open
 * tcp_pmtu.c       the path's MTU                                        tcp_urgent.c     urgent data
 * tcp_autotune.c   sizes of the buffers                                  tcp_info.c       LAN_TCP_INFO
 * tcp_zerocopy.c   the socket calls without a copy                       tcp_tcb.h        constants, the TCB
 */

#include <errno.h>

#include "arithmetic.h"
#include "bytes.h"
#include "checksum.h"
#include "lanyard/tcp_info.h"
#include "tcp_sender.h"

/* tcp_header.c */

/* Parses the header of a segment and pulls it off its payload. False: malformed, and counted. Options are parsed in any
 * segment, and unknown or illegal ones skipped. Borrows. */
bool lan_tcp_parse(struct lan_stack *stack, struct lan_buf *buf, const struct lan_ip_info *info,
                   struct lan_tcp_segment *segment);

/* Writes the options of a SYN or SYN-ACK at `out` and returns their length, a multiple of 4. */
uint32_t lan_tcp_put_syn_options(const struct lan_tcb *tcb, uint8_t *out);

/* The same for the time stamp of any other segment; 0 where the connection has none. */
uint32_t lan_tcp_put_timestamp(const struct lan_tcb *tcb, uint8_t *out);

/* The same for the selective acknowledgment of an ACK; 0 when there is nothing to tell. */
uint32_t lan_tcp_put_sack(struct lan_tcb *tcb, uint8_t *out);

/* tcp_tcb.c */

/* A TCB in CLOSED, zeroed but for its defaults; NULL: all in use and none in TIME-WAIT. */
struct lan_tcb *lan_tcb_new(struct lan_stack *stack);

/* What lan_tcb_new() makes of the TCB it has found; for one that never enters a table. */
void lan_tcb_init(struct lan_tcb *tcb, struct lan_stack *stack);

/* Takes a TCB out of all tables and lists, stops its timer, frees its queues, and gives it back. */
void lan_tcb_free(struct lan_tcb *tcb);

/* The connection is over: reports `error` (positive errno, 0: in order) to the application, which keeps the TCB and
 * what is left to read until it closes the socket. Without an application the TCB is gone when this returns. */
void lan_tcp_finish(struct lan_tcb *tcb, int error);
void lan_tcp_give_up(struct lan_tcb *tcb); /* the peer does not answer: why, ICMP may have said */

/* To and from ESTABLISHED and CLOSE-WAIT, which are counted. */
void lan_tcp_set_state(struct lan_tcb *tcb, enum lan_tcp_state state);

/* Enters TIME-WAIT: everything but the sequence numbers is let go. The TCB stays while its socket is open. */
void lan_tcp_time_wait(struct lan_tcb *tcb);

/* Chooses sequence numbers and windows for a connection whose flow and ports are set. */
void lan_tcp_start(struct lan_tcb *tcb);
void lan_tcp_set_iss(struct lan_tcb *tcb, uint32_t iss);

/* The same, and puts it into the table, maybe instead of one in TIME-WAIT; `passive`: the peer's SYN may follow it.
 * -EADDRINUSE: there is such a connection already. */
int lan_tcp_open(struct lan_tcb *tcb, bool passive);

/* What the peer's SYN says: its options and first window. */
void lan_tcp_take_syn(struct lan_tcb *tcb, const struct lan_tcp_segment *segment);

/* The connection is established: starts congestion control and tells whoever waits. */
void lan_tcp_established(struct lan_tcb *tcb);

/* The MSS to announce: what fits the interface (RFC 9293 MUST-67). */
uint32_t lan_tcp_mss_of_interface(const struct lan_tcb *tcb);

/* The window of a SYN, which is never scaled (RFC 7323 2.2). */
static inline uint32_t lan_tcp_syn_window(const struct lan_tcb *tcb)
{
    return tcb->opt.rcv_limit < UINT16_MAX ? tcb->opt.rcv_limit : UINT16_MAX;
}

/* Recomputes mss after the path's MTU or the limits changed. */
void lan_tcp_set_mss(struct lan_tcb *tcb);

void lan_tcb_list_init(struct lan_tcb_list *list);
void lan_tcb_list_append(struct lan_tcb_list *list, struct lan_tcb *tcb);
void lan_tcb_list_remove(struct lan_tcb_list *list, struct lan_tcb *tcb);

/* tcp_demux.c */

/* The connection of these addresses and ports (network order), or NULL. */
struct lan_tcb *lan_tcp_find(const struct lan_tcp *tcp, uint32_t local, uint16_t local_port, uint32_t remote,
                             uint16_t remote_port);

/* The connection in the table that has the addresses and ports of `tcb`, or NULL. */
struct lan_tcb *lan_tcp_find_twin(const struct lan_tcb *tcb);

/* The listener for a SYN to this address and port: one bound to the address before one bound to any. */
struct lan_tcb *lan_tcp_find_listener(const struct lan_tcp *tcp, uint32_t local, uint16_t local_port);

void lan_tcp_insert(struct lan_tcb *tcb); /* into the table of connections */
void lan_tcp_remove(struct lan_tcb *tcb); /* from whichever table holds it */

/* Binds to flow.src (0: any) and a port (0: chooses one). -EADDRINUSE. */
int lan_tcp_bind_port(struct lan_tcb *tcb, uint32_t local, uint16_t port);

/* Whether the port is taken for `tcb` by a socket bound to the same address or to any. */
bool lan_tcp_port_taken(const struct lan_tcb *tcb, uint32_t local, uint16_t port);

/* Of the TCB's addresses and ports, keyed: nobody can tell the one purpose's from the other's. */
enum lan_tcp_purpose { LAN_TCP_FOR_ISS, LAN_TCP_FOR_STAMP, LAN_TCP_FOR_COOKIE, LAN_TCP_FOR_PORT };
uint64_t lan_tcp_hash(const struct lan_tcb *tcb, enum lan_tcp_purpose purpose);

/* tcp_port.c */

/* Chooses the local port of a connection whose flow and remote port are set; false: none is left. */
bool lan_tcp_choose_port(struct lan_tcb *tcb);

/* Whether a new connection of ours may take the place of this one, which is in TIME-WAIT. */
bool lan_tcp_may_succeed(const struct lan_tcb *old);

/* tcp_listen.c */

/* A segment for a listener. `old`: the new connection may follow this one, which is in TIME-WAIT; else NULL. Returns
 * the connection that the segment has opened by its cookie, and is for then; or NULL. Borrows the payload. */
struct lan_tcb *lan_tcp_input_listen(struct lan_tcb *listener, const struct lan_tcp_segment *segment,
                                     struct lan_tcb *old);

/* Gives a new TCB the addresses and ports of `segment` and the listener's settings. Negative: no way to the peer. */
int lan_tcp_child_init(struct lan_tcb *child, const struct lan_tcb *listener, const struct lan_tcp_segment *segment);

/* A half-open connection in the table and among the listener's. NULL: no TCB, no way, or there is such a one. */
struct lan_tcb *lan_tcp_child_new(struct lan_tcb *listener, const struct lan_tcp_segment *segment);
bool lan_tcp_accept_full(const struct lan_tcb *listener); /* and counts, if it is */

/* The handshake of a child is complete: queues it for accept(). False when the queue is full. */
bool lan_tcp_child_ready(struct lan_tcb *child);
void lan_tcp_child_leave(struct lan_tcb *child); /* takes it out of its listener's lists, if it is in one */
void lan_tcp_listen_close(struct lan_tcb *listener);

/* tcp_urgent.c */

/* What the application has sent ends with urgent data. */
void lan_tcp_urgent_send(struct lan_tcb *tcb);

/* Tells the peer of the urgent data that lies before it, in a header whose sequence number is set. */
void lan_tcp_urgent_put(struct lan_tcb *tcb, uint8_t *header);
void lan_tcp_urgent_arrived(struct lan_tcb *tcb, const struct lan_tcp_segment *segment);

/* Bytes from the next one to read to the end of the urgent data; 0: there is none. */
uint32_t lan_tcp_urgent_ahead(const struct lan_tcb *tcb);

/* How many of `bytes` one call may read; and after it has. */
uint32_t lan_tcp_urgent_bound(const struct lan_tcb *tcb, uint32_t bytes);
void lan_tcp_urgent_read(struct lan_tcb *tcb);

/* tcp_cookie.c */

/* Answers a SYN and keeps nothing of it. */
void lan_tcp_cookie_send(struct lan_tcb *listener, const struct lan_tcp_segment *syn);

/* The half-open connection that an ACK's cookie tells of; NULL: there is none, and the segment was answered. */
struct lan_tcb *lan_tcp_cookie_take(struct lan_tcb *listener, const struct lan_tcp_segment *segment);

/* tcp_queue.c */

/* So many are copied, as a fragment of their own would cost the card and us more. */
enum { LAN_TCP_FEW_BYTES = 128 };
_Static_assert(LAN_HEADROOM + LAN_TCP_HEADER_MAX + LAN_TCP_FEW_BYTES <= LAN_TCP_BUFFER_BYTES_MIN,
               "in the first buffer");

/* Appends up to `bytes` of the application's data; returns how many were taken. */
uint32_t lan_tcp_queue_append(struct lan_tcb *tcb, const uint8_t *data, uint32_t bytes);

/* The same of a few bytes where the queue is empty; false: there is no buffer. */
bool lan_tcp_queue_begin(struct lan_tcb *tcb, const uint8_t *data, uint32_t bytes);

/* Appends a chain, which is the queue's from now on. */
void lan_tcp_queue_take(struct lan_tcb *tcb, struct lan_buf *chain);

/* Room for the application's data, enough to be worth waking it. */
bool lan_tcp_has_space(const struct lan_tcb *tcb);

/* The application waits for room (TCB_WANT_SPACE): tells it if there is some, or sees that somebody looks again. */
void lan_tcp_offer_space(struct lan_tcb *tcb);

/* Frees the first n bytes, which were acknowledged. */
void lan_tcp_queue_release(struct lan_tcb *tcb, uint32_t n);

/* Puts [seq, seq + n) behind the headers of `packet`: a few bytes themselves, more as views. False: the pool has no
 * view left, and the packet is as it was or longer; the caller frees it. */
bool lan_tcp_queue_put(struct lan_tcb *tcb, struct lan_buf *packet, uint32_t seq, uint32_t n);

static inline uint32_t lan_tcp_data_end(const struct lan_tcb *tcb)
{
    return tcb->snd_una + tcb->snd_queued;
}

/* tcp_output.c */

/* Sends whatever windows, Nagle and memory allow, and owed ACKs: the last thing in each turn. */
void lan_tcp_output(struct lan_tcb *tcb);

/* What tcp_send() and lan_tcp_output() come to for a few bytes where nothing is queued, under way or held back: they
 * leave as one segment. False, and nothing has been done: it is not so. */
bool lan_tcp_send_at_once(struct lan_tcb *tcb, const uint8_t *data, size_t bytes, int flags);

/* Sends n bytes at `seq`, FIN with them if they reach its place; false when memory ran out: output looks again soon. */
bool lan_tcp_send_data(struct lan_tcb *tcb, uint32_t seq, uint32_t n);

/* SYN or SYN-ACK, as the state demands. -EHOSTUNREACH, -ENETUNREACH: there is no way to the peer. */
int lan_tcp_send_syn(struct lan_tcb *tcb);
int lan_tcp_resend_syn(struct lan_tcb *tcb);
void lan_tcp_send_ack(struct lan_tcb *tcb);
void lan_tcp_send_challenge(struct lan_tcb *tcb); /* an ACK, if there has been none lately */
void lan_tcp_send_keepalive(struct lan_tcb *tcb);
void lan_tcp_send_reset(struct lan_tcb *tcb);

/* RST in reply to a segment that belongs nowhere (RFC 9293 3.10.7.1). */
void lan_tcp_refuse(struct lan_stack *stack, const struct lan_tcp_segment *segment);

/* The window edge to promise now (RFC 9293 3.8.6.2.2): advances in steps worth a segment. */
uint32_t lan_tcp_window_edge(const struct lan_tcb *tcb);

/* tcp_ack.c */

/* The ACK field and window of an acceptable segment. False: the segment is to be dropped. */
bool lan_tcp_acknowledge(struct lan_tcb *tcb, const struct lan_tcp_segment *segment);

/* The same for a segment that acknowledges something new and has nothing else to tell but `tsecr`, the stamp that it
 * brings back, or 0. False, and nothing has been done: more has to be known of it. */
bool lan_tcp_acknowledge_new(struct lan_tcb *tcb, uint32_t seq, uint32_t tsecr);

/* tcp_info.c */

void lan_tcp_tell(const struct lan_tcb *tcb, struct lan_tcp_info *info); /* LAN_TCP_INFO */

/* tcp_timestamp.c */

void lan_tcp_timestamp_open(struct lan_tcb *tcb);
uint32_t lan_tcp_timestamp(const struct lan_tcb *tcb); /* now */

/* How long ago what an ACK answers has left, by the stamp that it brings back, in coarse ticks; LAN_TCP_NEVER: it has
 * none, or 0, as peers send that stamp but echo nothing. From one that makes stamps up it may be any number. */
uint32_t lan_tcp_stamp_age(const struct lan_tcb *tcb, uint32_t tsecr);
uint32_t lan_tcp_timestamp_age(const struct lan_tcb *tcb);  /* of TS.Recent, in units of LAN_TCP_AGE() */
bool lan_tcp_timestamp_outdated(const struct lan_tcb *tcb); /* it is no measure any more (RFC 7323 5.5) */

/* tcp_ecn.c */

int lan_tcp_ecn_set(struct lan_tcb *tcb, uint32_t mode); /* LAN_TCP_ECN; -EINVAL: there is no such mode */
uint32_t lan_tcp_ecn_mode(const struct lan_tcb *tcb);
uint8_t lan_tcp_ecn_syn(const struct lan_tcb *tcb); /* SEG_ECE, SEG_CWR of a SYN or SYN-ACK */

/* A RST answers our SYN. True: it may be meant for ECN, and the next SYN, which does not ask for it, has left. */
bool lan_tcp_ecn_refused(struct lan_tcb *tcb);
void lan_tcp_ecn_take_syn(struct lan_tcb *tcb, const struct lan_tcp_segment *segment);
void lan_tcp_ecn_arrived(struct lan_tcb *tcb, const struct lan_tcp_segment *segment); /* an acceptable one */

/* Before snd_una moves, on a connection that is ECN_CAPABLE: whether the ACK tells of congestion. */
bool lan_tcp_ecn_acked(struct lan_tcb *tcb, const struct lan_tcp_segment *segment);

/* For data at `seq`: the ECN bits of its TOS octet; adds SEG_CWR to `flags` where it is owed. */
uint8_t lan_tcp_ecn_data(struct lan_tcb *tcb, uint32_t seq, uint8_t *flags);

/* cwnd is reduced, for whatever reason. */
static inline void lan_tcp_ecn_owe_cwr(struct lan_tcb *tcb)
{
    tcb->ecn |= tcb->ecn & ECN_CAPABLE ? ECN_CWR_OWED : 0;
}

/* tcp_pmtu.c */

void lan_tcp_pmtu_open(struct lan_tcb *tcb);

/* A router has dropped a packet of `packet_bytes` as larger than `mtu` (0: it does not say). */
void lan_tcp_pmtu_told(struct lan_tcb *tcb, uint32_t mtu, uint32_t packet_bytes);
void lan_tcp_pmtu_timed_out(struct lan_tcb *tcb); /* detects black holes; before what is lost is sent again */
void lan_tcp_pmtu_grow_old(struct lan_tcb *tcb);  /* flow.mtu is below the interface's: more is tried after a while */
void lan_tcp_pmtu_reroute(struct lan_tcb *tcb, const struct lan_flow *flow); /* another way to the peer, maybe */

/* tcp_autotune.c */

uint32_t lan_tcp_receive_limit_max(const struct lan_tcb *tcb); /* what rcv_limit may become: for the window scale */
void lan_tcp_tune_start(struct lan_tcb *tcb);                  /* the connection is established */
void lan_tcp_tune_receive(struct lan_tcb *tcb);                /* the application has read */
void lan_tcp_tune_send(struct lan_tcb *tcb);                   /* the application waits for room */

/* tcp_retransmit.c */

void lan_tcp_rtt_measured(struct lan_tcb *tcb, uint32_t rtt);
void lan_tcp_syn_acked(struct lan_tcb *tcb, const struct lan_tcp_segment *segment); /* measures the round trip by it */
void lan_tcp_arm_retransmit(struct lan_tcb *tcb);
void lan_tcp_end_probing(struct lan_tcb *tcb);          /* the window is open again */
uint32_t lan_tcp_soft_error(const struct lan_tcb *tcb); /* LAN_TCP_SOFT_ERROR */
bool lan_tcp_on_retransmit(struct lan_tcb *tcb);        /* the deadline has come; false: the TCB may be gone */

/* tcp_socket.c */

/* To be called before the send queue grows; negative: it must not. And after: `refused` says that not all was taken. */
int lan_tcp_before_send(struct lan_tcb *tcb);
void lan_tcp_after_send(struct lan_tcb *tcb, int flags, bool refused);

int lan_tcp_nothing_read(const struct lan_tcb *tcb); /* what to return when the receive queue is empty */

/* tcp_zerocopy.c */
long lan_tcp_send_buf(struct lan_stack *stack, void *pcb, struct lan_buf *chain, int flags);
long lan_tcp_recv_buf(struct lan_stack *stack, void *pcb, struct lan_buf **chain, size_t bytes);

/* tcp_timer.c */

void lan_tcp_enter(struct lan_stack *stack); /* to be called on each entry into TCP: looks what time it is */
void lan_tcp_set_clock(struct lan_tcp *tcp, uint64_t now_ns);

void lan_tcp_arm(struct lan_tcb *tcb, enum lan_tcp_deadline which, uint32_t ticks); /* from now */
void lan_tcp_arm_at(struct lan_tcb *tcb, enum lan_tcp_deadline which, uint64_t deadline_ns);
void lan_tcp_await_memory(struct lan_tcb *tcb); /* nobody tells when it is back: output looks again before long */
void lan_tcp_fire(struct lan_timer *timer);
void lan_tcp_arm_keepalive(struct lan_tcb *tcb); /* to be called when the option changes, and on each segment */

static inline uint64_t *lan_tcp_deadline(struct lan_tcb *tcb, enum lan_tcp_deadline which)
{
    if (which < LAN_TCP_OWN_DEADLINES)
        return &tcb->deadline_ns[which];
    return &tcb->sender->deadline_ns[which - LAN_TCP_OWN_DEADLINES];
}

static inline void lan_tcp_disarm(struct lan_tcb *tcb, enum lan_tcp_deadline which)
{
    tcb->armed &= (uint8_t) ~(1u << which); /* the wheel's timer finds out when it fires */
}

static inline bool lan_tcp_armed(const struct lan_tcb *tcb, enum lan_tcp_deadline which)
{
    return tcb->armed >> which & 1;
}

/* tcp_reassembly.c */

/* A segment has come with as much payload. */
static inline void lan_tcp_note_size(struct lan_tcb *tcb, uint32_t bytes)
{
    if (bytes > tcb->rcv_mss)
        tcb->rcv_mss = (uint16_t)(bytes < tcb->mss ? bytes : tcb->mss);
}

/* Takes the payload of segments, trimmed to the window: `bytes` bytes at `seq`, not before rcv_nxt. */
void lan_tcp_receive(struct lan_tcb *tcb, struct lan_buf *payload, uint32_t seq, uint32_t bytes);
void lan_tcp_islands_free(struct lan_tcb *tcb);

/* What arrived beyond gaps, the latest first, then its neighbours below (RFC 2018 4); returns how many. */
uint32_t lan_tcp_islands(const struct lan_tcb *tcb, struct lan_tcp_block blocks[LAN_TCP_SACK_BLOCKS]);
uint32_t lan_tcp_receive_copy(struct lan_tcb *tcb, uint8_t *out, uint32_t bytes, bool peek);
void lan_tcp_after_read(struct lan_tcb *tcb); /* the application has read: the window may open */

/* [start, end) has arrived twice (RFC 2883). */
static inline void lan_tcp_note_duplicate(struct lan_tcb *tcb, uint32_t start, uint32_t end)
{
    tcb->dsack_start = start;
    tcb->dsack_end = end;
}

static inline struct lan_tcp *lan_tcp_of(const struct lan_tcb *tcb)
{
    return &tcb->stack->tcp;
}

/* The present, in ticks: never 0, so that this can say that there is no such instant. */
static inline uint32_t lan_tcp_now(const struct lan_tcb *tcb)
{
    return tcb->stack->tcp.now;
}

static inline uint32_t lan_tcp_now_coarse(const struct lan_tcb *tcb)
{
    return tcb->stack->tcp.now_coarse;
}

static inline uint32_t lan_tcp_now_age(const struct lan_tcb *tcb)
{
    return tcb->stack->tcp.now_age;
}

static inline uint64_t lan_tcp_ns(uint32_t ticks)
{
    return (uint64_t)ticks << LAN_TCP_TICK_BITS;
}

/* The deadline in `ticks` from now. */
static inline uint64_t lan_tcp_in(const struct lan_tcb *tcb, uint32_t ticks)
{
    return tcb->stack->tcp.now_ns + lan_tcp_ns(ticks);
}

/* For how long the peer has acknowledged nothing, in coarse ticks. */
static inline uint32_t lan_tcp_silent(const struct lan_tcb *tcb)
{
    return lan_tcp_now_coarse(tcb) - tcb->progress;
}

static inline void lan_tcp_timestamp_take(struct lan_tcb *tcb, uint32_t tsval)
{
    tcb->ts_recent = tsval;
    tcb->ts_recent_at = lan_tcp_now_age(tcb);
}

/* RFC 7323 5.3 R1. */
static inline bool lan_tcp_timestamp_old(const struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    return lan_seq_lt(segment->tsval, tcb->ts_recent) && !lan_tcp_timestamp_outdated(tcb);
}

/* R3: takes the stamp of a segment that has passed the check of its sequence number and is not old. */
static inline void lan_tcp_timestamp_update(struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    if (lan_seq_leq(segment->seq, tcb->rcv_acked))
        lan_tcp_timestamp_take(tcb, segment->tsval);
}

/* Sends an owed ACK, or sees that it leaves in time: what lan_tcp_output() does where there is nothing to send. */
static inline void lan_tcp_output_ack(struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_ACK_NOW)
        lan_tcp_send_ack(tcb);
    else if (tcb->flags & TCB_ACK_LATER && !lan_tcp_armed(tcb, LAN_TCP_SEND_LATER))
        lan_tcp_arm(tcb, LAN_TCP_SEND_LATER, LAN_TCP_ACK_DELAY);
}

static inline bool lan_tcp_memory_low(const struct lan_stack *stack)
{
    return lan_pool_free_buffers(stack->pool) < stack->tcp.memory_low;
}

#endif
