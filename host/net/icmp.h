/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_ICMP_H
#define LANYARD_ICMP_H

/* ICMP (RFC 792, RFC 1122 3.2.2): answers echo requests, reports errors at a bounded rate, and hands the errors it
 * receives to the transport that caused them.
 */

#include "ipv4.h"

enum {
    LAN_ICMP_ECHO_REPLY = 0,
    LAN_ICMP_UNREACHABLE = 3,
    LAN_ICMP_REDIRECT = 5,
    LAN_ICMP_ECHO = 8,
    LAN_ICMP_TIME_EXCEEDED = 11,
    LAN_ICMP_PARAMETER_PROBLEM = 12,
};

enum {
    LAN_UNREACHABLE_NET = 0,
    LAN_UNREACHABLE_HOST = 1,
    LAN_UNREACHABLE_PROTOCOL = 2,
    LAN_UNREACHABLE_PORT = 3,
    LAN_UNREACHABLE_FRAGMENTATION = 4,
    LAN_UNREACHABLE_SOURCE_ROUTE = 5,
};

enum { LAN_TIME_REASSEMBLY = 1 };

enum { LAN_ICMP_BUCKETS = 32 };

/* When the next message would be due if all went out evenly spaced; a burst may run ahead of it (GCRA). */
struct lan_icmp {
    uint32_t echo_due;
    uint32_t error_due[LAN_ICMP_BUCKETS]; /* by keyed hash of the receiver, so that no stranger can probe another's */
};

void lan_icmp_input(struct lan_stack *stack, struct lan_buf *message, const struct lan_ip_info *info);

/* Sends an ICMP error about a received packet (borrowed; data at the L4 header, its IP header in front of it), unless
 * RFC 1122 3.2.2 forbids it or the rate is used up. */
void lan_icmp_error(struct lan_stack *stack, const struct lan_buf *packet, const struct lan_ip_info *info, uint8_t type,
                    uint8_t code);

/* Tells the transport that sent `quoted` (an IP header and at least 8 bytes) of an error: one that came in, or one of
 * our own making (no answer to ARP). `mtu`: of meaning with LAN_UNREACHABLE_FRAGMENTATION. */
void lan_icmp_deliver_error(struct lan_stack *stack, const uint8_t *quoted, size_t bytes, uint8_t type, uint8_t code,
                            uint32_t mtu);

/* The errno for an ICMP error as sockets see it; 0 where it is none of theirs. */
int lan_icmp_errno(uint8_t type, uint8_t code);

#endif
