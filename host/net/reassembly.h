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

struct lan_datagram {
    struct lan_stack *stack; /* NULL: free */
    struct lan_netif *netif;
    struct lan_buf *fragments; /* by offset, joined by `link`, each with its IP header */
    uint32_t src, dst;
    uint32_t received, total; /* bytes of payload; total 0 until the last fragment has come */
    uint16_t id;
    uint8_t protocol;
    uint8_t count;
    uint8_t ecn_seen; /* bit n: a fragment with ECN codepoint n */
    bool to_group;
    bool poisoned; /* overlapping or impossible fragments: nothing more is kept until the time is over */
    struct lan_timer timer;
};

struct lan_reassembly {
    struct lan_datagram datagrams[LAN_REASSEMBLY_DATAGRAMS];
    uint32_t fragments, fragments_max; /* buffers held by all of them */
};

void lan_reassembly_init(struct lan_stack *stack);

/* Takes one fragment (data at its valid IP header, trimmed to its total length) and what is known of it. Returns the
 * whole datagram with the first fragment's header, and `info` about it, when this was the piece that was missing, else
 * NULL. */
struct lan_buf *lan_reassemble(struct lan_buf *fragment, struct lan_ip_info *info);

#endif
