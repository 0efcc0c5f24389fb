/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TCP_TCB_H
#define LANYARD_TCP_TCB_H

/* What TCP keeps and hands about: its constants, the transmission control block, a segment as it arrived. What is done
 * with them: tcp_internal.h. */

#include "stack_internal.h"
#include "tcp.h"

enum {
    LAN_TCP_HEADER = 20,
    LAN_TCP_HEADER_MAX = 60,
    LAN_TCP_MSS_DEFAULT = 536,             /* RFC 9293 MUST-15 */
    LAN_TCP_MSS_MIN = 64,                  /* a peer that asks for less would have us send nothing but headers */
    LAN_TCP_SCALE_MAX = 14,                /* RFC 7323 2.3 */
    LAN_TCP_SACK_BLOCKS = 4,               /* what fits into the options, RFC 2018 3; with a time stamp one less */
    LAN_TCP_STAMP_BYTES = 12,              /* of a segment with a time stamp, padded */
    LAN_TCP_PADDED_TIMESTAMP = 0x0101080a, /* NOP, NOP, kind and length: how everybody pads a time stamp */
    LAN_TCP_SPARE_TCBS = 16,               /* room for the usual handful of listeners beside the connections */
};

#define LAN_MS 1000000ull
#define LAN_S 1000000000ull

/* Time inside TCP. Where a name does not say otherwise an instant or a span of time is 32 bits of ticks of 2^10 ns, a
 * microsecond nearly. They wrap after 73 minutes, so instants are compared modulo 2^32, as sequence numbers are, and
 * none may grow old: whoever keeps one sees to that. Instants that may grow old are counted in one of two coarser
 * units, or are nanoseconds (_ns), as deadlines are, which the timing wheel takes. */
enum {
    LAN_TCP_TICK_BITS = 10,
    LAN_TCP_COARSE_BITS = 20, /* coarse ticks: a millisecond nearly, for 52 days */
    LAN_TCP_AGE_BITS = 30,    /* a second nearly, for 146 years */
};
#define LAN_TCP_TICKS(ns) ((uint32_t)((ns) >> LAN_TCP_TICK_BITS))
#define LAN_TCP_COARSE(ns) ((uint32_t)((ns) >> LAN_TCP_COARSE_BITS))
#define LAN_TCP_AGE(ns) ((uint32_t)((ns) >> LAN_TCP_AGE_BITS))
#define LAN_TCP_NEVER UINT32_MAX
#define LAN_TCP_COARSE_OF(ticks) ((ticks) >> (LAN_TCP_COARSE_BITS - LAN_TCP_TICK_BITS))
#define LAN_TCP_TICKS_OF(coarse) ((coarse) << (LAN_TCP_COARSE_BITS - LAN_TCP_TICK_BITS))

#define LAN_TCP_RTO_FIRST LAN_TCP_TICKS(1 * LAN_S)          /* RFC 6298 (2.1) */
#define LAN_TCP_RTO_AFTER_SYN_LOSS LAN_TCP_TICKS(3 * LAN_S) /* RFC 6298 (5.7) */
#define LAN_TCP_RTO_MARGIN_MIN LAN_TCP_TICKS(200 * LAN_MS)  /* RTO >= SRTT + this: a delayed ACK is no loss */
#define LAN_TCP_RTO_MAX LAN_TCP_TICKS(60 * LAN_S)           /* RFC 6298 (2.5) */
#define LAN_TCP_R2 LAN_TCP_COARSE(120 * LAN_S)              /* RFC 9293 SHLD-11: at least 100 s */
#define LAN_TCP_R2_SYN LAN_TCP_COARSE(180 * LAN_S)          /* RFC 9293 MUST-23 */
#define LAN_TCP_ACK_DELAY LAN_TCP_TICKS(40 * LAN_MS)        /* RFC 9293 MUST-40: below 500 ms */
#define LAN_TCP_PEER_ACK_DELAY LAN_TCP_TICKS(200 * LAN_MS)  /* what to expect of others, RFC 8985 7.2 */
#define LAN_TCP_PROBE_UNMEASURED LAN_TCP_TICKS(1 * LAN_S)   /* tail loss probe with no round trip, RFC 8985 7.2 */
#define LAN_TCP_MEMORY_RETRY LAN_TCP_TICKS(10 * LAN_MS)     /* after a segment that found no buffer */
#define LAN_TCP_2MSL LAN_TCP_TICKS(60 * LAN_S)
#define LAN_TCP_FIN_WAIT LAN_TCP_TICKS(60 * LAN_S)              /* FIN-WAIT-2 without an application */
#define LAN_TCP_SENDER_KEEP LAN_TCP_TICKS(10 * LAN_S)           /* what is known of the path is outdated then */
#define LAN_TCP_CHALLENGE_INTERVAL LAN_TCP_COARSE(500 * LAN_MS) /* of a connection, RFC 5961 7 */
enum { LAN_TCP_R1 = 3 }; /* retransmissions before the route is looked up again (SHLD-10) */
enum { LAN_TCP_KEEP_IDLE_S = 7200, LAN_TCP_KEEP_INTERVAL_S = 75, LAN_TCP_KEEP_PROBES = 9 };

/* Sequence numbers are compared modulo 2^32 (RFC 9293 3.4). */
static inline bool lan_seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool lan_seq_leq(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

enum { SEG_FIN = 1, SEG_SYN = 2, SEG_RST = 4, SEG_PSH = 8, SEG_ACK = 16, SEG_URG = 32, SEG_ECE = 64, SEG_CWR = 128 };

/* Deadlines of a connection; one timer on the wheel serves them all. Those behind LAN_TCP_OWN_DEADLINES stand in the
 * sender, as there are none without it. */
enum lan_tcp_deadline {
    LAN_TCP_RETRANSMIT, /* retransmission and window probes */
    LAN_TCP_SEND_LATER, /* a delayed ACK, or output that found no memory */
    LAN_TCP_LIFE,       /* keep-alive; the end of FIN-WAIT-2 and TIME-WAIT */
    LAN_TCP_OWN_DEADLINES,
    LAN_TCP_REORDER = LAN_TCP_OWN_DEADLINES, /* RACK: what is late now is lost then */
    LAN_TCP_TAIL_PROBE,                      /* TLP: nothing was heard of the end of the flight */
    LAN_TCP_PACE,                            /* pacing lets the next segments go */
    LAN_TCP_QUIET,                           /* nothing has been under way for LAN_TCP_SENDER_KEEP */
    LAN_TCP_DEADLINES,
};

/* tcb->flags. The first eleven are those that an instruction of RISC-V can name: what the program asks for most. */
enum {
    TCB_ACK_NOW = 1u << 0,         /* an ACK is to leave with or after this turn's output */
    TCB_FAST_RECOVERY = 1u << 1,   /* RFC 6582, until recover is acknowledged */
    TCB_LOSS_RECOVERY = 1u << 2,   /* after a time-out, until recover is acknowledged */
    TCB_PROBING = 1u << 3,         /* the send window is too small: window probes instead of retransmission */
    TCB_SACK = 1u << 4,            /* the peer takes selective acknowledgments */
    TCB_TIMESTAMPS = 1u << 5,      /* each segment carries a time stamp */
    TCB_FIN_QUEUED = 1u << 6,      /* the application has finished sending: FIN follows the queue */
    TCB_URGENT_IN = 1u << 7,       /* the application has not read up to rcv_up yet */
    TCB_WANT_SPACE = 1u << 8,      /* there is no room for a send(): not writable until that is reported */
    TCB_MORE = 1u << 9,            /* LAN_MSG_MORE: hold a partial segment back */
    TCB_SYN_LOST = 1u << 10,       /* our SYN had to be sent again */
    TCB_MTU_GUESSED = 1u << 11,    /* no router has said so: it swallows large segments */
    TCB_ACK_LATER = 1u << 12,      /* a delayed ACK is owed */
    TCB_FIN_ACKED = 1u << 13,      /* and the peer has it */
    TCB_FIN_ARRIVED = 1u << 14,    /* the peer's FIN stands at rcv_fin, maybe behind a gap */
    TCB_EOF = 1u << 15,            /* everything up to the peer's FIN has arrived */
    TCB_RCV_SHUT = 1u << 16,       /* the application will read no more */
    TCB_NODELAY = 1u << 17,        /* no Nagle algorithm */
    TCB_REFUSED = 1u << 18,        /* the last send() was taken in part only: the rest will come */
    TCB_KEEPALIVE = 1u << 19,      /* SO_KEEPALIVE */
    TCB_REUSE = 1u << 20,          /* SO_REUSEADDR */
    TCB_CWND_LIMITED = 1u << 21,   /* the last output used all of cwnd: it may grow */
    TCB_SCALING = 1u << 22,        /* the window scale option is ours to use */
    TCB_BOUND = 1u << 23,          /* the application chose the local port */
    TCB_IN_PORTS = 1u << 24,       /* stands in the table of ports */
    TCB_IN_CONNECTIONS = 1u << 25, /* stands in the table of connections */
    TCB_REORDERING = 1u << 26,     /* the path has delivered out of order */
    TCB_TAIL_PROBED = 1u << 27,    /* a tail loss probe is under way, until tail_end is acknowledged */
    TCB_TAIL_REPEATED = 1u << 28,  /* and it was a retransmission */
    TCB_UNDO = 1u << 29,           /* the last recovery can be undone */
    TCB_URGENT_OUT = 1u << 30,     /* what is sent before snd_up is urgent */
    TCB_STARVED = INT32_MIN,       /* 1 << 31: output, or the application, waits for memory */

    /* What makes sense with a sender only. */
    TCB_SENDER_FLAGS = TCB_FAST_RECOVERY | TCB_LOSS_RECOVERY | TCB_TAIL_PROBED | TCB_TAIL_REPEATED | TCB_UNDO,
};

/* tcb->ecn */
enum {
    ECN_REQUEST = LAN_TCP_ECN_ON,                      /* the option: our SYN asks for it */
    ECN_WISHES = LAN_TCP_ECN_ON | LAN_TCP_ECN_PASSIVE, /* either: we agree when the peer asks */
    ECN_ECHO = 1u << 2,                                /* the peer may send ECT: it is told of CE */
    ECN_CAPABLE = 1u << 3,                             /* so may we: new data are ECT, and ECE counts */
    ECN_ECE_OWED = 1u << 4,                            /* CE has arrived: told until the peer says CWR */
    ECN_CWR_OWED = 1u << 5,                            /* cwnd was reduced: the next new data say so */
    ECN_REDUCED = 1u << 6,                             /* for ECE, until recover is acknowledged */
};

/* tcb->opt.asked: options that the application has set. */
enum {
    ASKED_RECEIVE_BUFFER = 1u << 0, /* SO_RCVBUF, SO_SNDBUF: no autotuning */
    ASKED_SEND_BUFFER = 1u << 1,
    ASKED_CORK = 1u << 2, /* TCP_CORK: no partial segment */
};

struct lan_tcb;
struct lan_tcp_congestion;
struct lan_tcp_sender;

struct lan_tcp_listen {
    struct lan_tcb_list embryonic; /* SYN-RECEIVED */
    struct lan_tcb_list ready;     /* wait for accept() */
    uint32_t backlog;
    uint32_t cookies_until; /* ACKs may carry a cookie before that slot (tcp_cookie.c) */
};

/* What the application may set beside flags; a listener's children inherit it. */
struct lan_tcp_options {
    const struct lan_tcp_congestion *congestion;
    uint32_t snd_limit, rcv_limit; /* bytes of the queues; autotuning raises them */
    uint32_t pacing_limit;         /* LAN_SO_MAX_PACING_RATE, bytes a second; UINT32_MAX: none */
    uint32_t user_timeout_ms;      /* 0: LAN_TCP_R2 */
    uint16_t keep_idle_s, keep_interval_s;
    uint16_t mss_limit; /* LAN_TCP_MAXSEG; bounds both ways */
    uint8_t keep_probes;
    uint8_t tos, ttl;
    uint8_t asked; /* ASKED_* */
};

struct lan_tcb {
    struct lan_tcb *hash_next; /* in the table of connections or of ports, or in the free list */
    struct lan_stack *stack;
    struct lan_socket *socket;    /* NULL: not accepted yet, or the application has closed it */
    struct lan_tcb *listener;     /* not accepted yet: whose child this is */
    struct lan_tcb *next, **link; /* in a list of the listener, or in that of TIME-WAIT */
    struct lan_timer timer;
    uint64_t deadline_ns[LAN_TCP_OWN_DEADLINES];
    struct lan_flow flow; /* flow.src is the local address, flow.dst the remote one */
    uint16_t local_port, remote_port;
    uint32_t flags;           /* TCB_* */
    uint8_t state;            /* enum lan_tcp_state */
    uint8_t ecn;              /* ECN_* */
    int8_t error, soft_error; /* how the connection ended, what ICMP reported; positive errno */
    uint8_t snd_scale, rcv_scale;
    uint8_t dupacks;
    uint8_t retries; /* retransmissions or probes without an answer */
    uint8_t reorder_steps, reorder_persist;
    uint8_t keep_probes_sent;
    uint8_t quick_acks; /* segments of data still to be acknowledged at once */
    uint8_t armed;      /* bit n: lan_tcp_deadline n is set */
    uint16_t mss;       /* payload bytes of the largest segment to send */
    uint16_t rcv_mss;   /* largest segment received: two of them make an ACK due */
    uint16_t peer_mss;  /* as its SYN said */
    uint16_t pmtu_at;   /* when flow.mtu was set, in units of LAN_TCP_AGE() */
    uint16_t tune_at;   /* when the application's present round trip began (tcp_autotune.c) */
    struct lan_tcp_options opt;

    /* Send sequence space (RFC 9293 3.3.1). */
    uint32_t snd_una, snd_nxt; /* ISS is snd_una until the SYN is acknowledged */
    uint32_t snd_wnd, snd_wl1, snd_wl2, snd_max_wnd;
    uint32_t snd_small; /* where the last segment of less than the MSS ended (Nagle) */

    /* Receive sequence space. RCV.WND is rcv_adv - rcv_nxt: the right edge once promised is never taken back. */
    uint32_t rcv_nxt, rcv_adv; /* IRS is rcv_nxt - 1 until there is data */
    uint32_t rcv_acked;        /* the last acknowledgment sent */
    union {
        uint32_t tune_seq; /* what the application had read at tune_at ... */
        uint32_t rcv_fin;  /* ... until a FIN arrives: there is nothing left to tune */
    };
    uint32_t snd_up, rcv_up;         /* the octet after the urgent data: SND.UP, RCV.UP */
    uint32_t ts_offset, ts_recent;   /* RFC 7323 4.3: TS.Recent */
    uint32_t ts_recent_at;           /* when that came, in units of LAN_TCP_AGE() */
    uint32_t dsack_start, dsack_end; /* what arrived twice, and is to be told; equal: nothing */

    /* The send queue: bytes [snd_una, snd_una + snd_queued) in buffers joined by `link`; `scratch[0]` holds a buffer's
     * first sequence number. */
    uint32_t snd_queued;
    struct lan_buf *snd_head, *snd_tail;

    /* The receive queue: a chain of fragments that ends at rcv_nxt. What arrived beyond a gap: tcp_reassembly.c. */
    uint32_t rcv_queued;
    struct lan_buf *rcv_head, *rcv_tail, *rcv_islands;

    uint32_t challenge_at; /* when the last challenge ACK left, or a bit before; in coarse ticks; 0: none yet */

    union {
        struct lan_tcp_listen listen; /* in LISTEN */
        struct {
            uint32_t srtt, rttvar; /* 0: not measured yet */
            uint32_t rto;          /* backed off as it stands */
            uint32_t rtt_seq;      /* an ACK from here on measures the round trip once more */
            uint32_t syn_sent;     /* 0: more than once, or as a cookie */
            uint32_t progress; /* coarse: when the peer last acknowledged something, or what it has not first left */
            uint32_t cwnd, ssthresh;
        };
    };
    struct lan_tcp_sender *sender; /* NULL: nothing is under way, nor was lately */
};

_Static_assert(sizeof(struct lan_tcb) <= (sizeof(void *) == 4 ? 320 : 512), "what an idle connection may cost");

/* Contiguous bytes [start, end). */
struct lan_tcp_block {
    uint32_t start, end;
};

/* A received segment. The header's fields as RFC 9293 3.3.1 has them, then its options. */
struct lan_tcp_segment {
    const struct lan_ip_info *info;
    struct lan_buf *payload; /* NULL once somebody took it */
    uint32_t seq, ack;
    uint32_t window; /* scaled, but for that of a SYN (RFC 7323 2.2) */
    uint32_t bytes;  /* of payload */
    uint32_t len;    /* SEG.LEN: payload, SYN and FIN */
    uint16_t source_port, destination_port;
    uint16_t urgent; /* SEG.UP, with SEG_URG */
    uint8_t flags;   /* without ... */
    uint8_t ecn;     /* ... SEG_ECE and SEG_CWR */
    uint8_t scale;   /* the option plus one, 0: absent */
    uint8_t sacks;   /* how many of `sack` */
    bool stamped;    /* tsval and tsecr are there */
    bool sack_permitted;
    uint16_t mss; /* 0: absent */
    uint32_t tsval, tsecr;
    struct lan_tcp_block sack[LAN_TCP_SACK_BLOCKS];
};

static inline struct lan_buf *lan_tcp_take_payload(struct lan_tcp_segment *segment)
{
    struct lan_buf *payload = segment->payload;
    segment->payload = NULL;
    return payload;
}

#endif
