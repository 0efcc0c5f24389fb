/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TCP_INFO_H
#define LANYARD_TCP_INFO_H

/* What a connection knows of itself: lan_getsockopt(LAN_IPPROTO_TCP, LAN_TCP_INFO). Linux's TCP_INFO in content, with
 * bytes where that counts segments. What is not known is 0.
 */

#include <stdint.h>

enum lan_tcp_state {
    LAN_TCP_CLOSED,
    LAN_TCP_LISTEN,
    LAN_TCP_SYN_SENT,
    LAN_TCP_SYN_RECEIVED,
    LAN_TCP_ESTABLISHED,
    LAN_TCP_FIN_WAIT_1,
    LAN_TCP_FIN_WAIT_2,
    LAN_TCP_CLOSE_WAIT,
    LAN_TCP_CLOSING,
    LAN_TCP_LAST_ACK,
    LAN_TCP_TIME_WAIT,
};

/* The state as netstat writes it: "ESTABLISHED", "SYN_RECV". */
const char *lan_tcp_state_name(enum lan_tcp_state state);

/* lan_tcp_info.options: what both ends have agreed to, with Linux's values. */
enum {
    LAN_TCPI_OPT_TIMESTAMPS = 1,
    LAN_TCPI_OPT_SACK = 2,
    LAN_TCPI_OPT_WSCALE = 4,
    LAN_TCPI_OPT_ECN = 8,
};

/* lan_tcp_info.ca_state, with Linux's values. */
enum { LAN_TCP_CA_OPEN = 0, LAN_TCP_CA_DISORDER = 1, LAN_TCP_CA_CWR = 2, LAN_TCP_CA_RECOVERY = 3, LAN_TCP_CA_LOSS = 4 };

struct lan_tcp_info {
    uint8_t state; /* enum lan_tcp_state */
    uint8_t ca_state;
    uint8_t options;     /* LAN_TCPI_OPT_* */
    uint8_t retransmits; /* time-outs or window probes without an answer */
    uint8_t probes;      /* keep-alive probes without an answer */
    uint8_t snd_wscale, rcv_wscale;
    uint8_t reordering; /* the path has delivered out of order */

    uint32_t rto_us, rtt_us, rttvar_us; /* to two microseconds */
    uint32_t min_rtt_us;                /* of the last 5 minutes in which something was sent */

    uint32_t snd_mss, rcv_mss, advmss, pmtu;
    uint32_t snd_wnd, rcv_wnd; /* bytes that peer and host may send now */
    uint32_t snd_cwnd, snd_ssthresh;

    uint32_t unacked;         /* bytes sent and not acknowledged, of which ... */
    uint32_t sacked, lost;    /* ... have arrived beyond a gap, and are lost and not sent again */
    uint32_t notsent, unread; /* bytes in the send queue behind those; in the receive queue */
    uint32_t snd_buf, rcv_buf;
    uint32_t total_retrans; /* segments sent again since the connection was last quiet for 10 s */

    uint64_t pacing_rate;   /* bytes a second; UINT64_MAX: not paced */
    uint64_t delivery_rate; /* the same, where congestion control samples it */
    char congestion[16];
};

#endif
