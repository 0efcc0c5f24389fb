/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_REASSEMBLY_H
#define LANYARD_REASSEMBLY_H

/* Reassembly of IPv4 fragments (RFC 791 3.2, RFC 815's problem, RFC 5722's answer to overlaps), bounded on every side:
 * datagrams under way, by source and in all; fragments, by datagram and in all.
 */

#include "ipv4.h"
#include "timer.h"

enum {
    LAN_REASSEMBLY_DATAGRAMS = 32,
    LAN_REASSEMBLY_PER_SOURCE = 8,
    LAN_REASSEMBLY_FRAGMENTS = 128, /* per datagram; 64 KiB over an MTU of 576 takes 119 */
};

/* Its timer runs as long as it is under way. */
struct lan_datagram {
    struct lan_ip_info info;   /* of its first fragment, or until that is here of any; src 0: free */
    struct lan_buf *fragments; /* by offset, joined by `link`, each with its IP header in front of its data */
    uint32_t received, total;  /* bytes of payload; total 0 until the last fragment has come */
    uint16_t id;               /* in network order */
    uint8_t count;
    uint8_t ecn_seen; /* bit n: a fragment with ECN codepoint n */
    bool poisoned;    /* overlapping or impossible fragments: nothing more is kept until the time is over */
    struct lan_timer timer;
};

struct lan_reassembly {
    uint32_t fragments; /* buffers held by all datagrams */
    struct lan_datagram datagrams[LAN_REASSEMBLY_DATAGRAMS];
};

/* Takes one fragment (data behind its valid IP header, trimmed to its total length) and what is known of it. Returns
 * the whole datagram behind the first fragment's header, and `info` about it, when this was the piece that was missing,
 * else NULL. */
struct lan_buf *lan_reassemble(struct lan_buf *fragment, struct lan_ip_info *info);

#endif
