/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_STACK_H
#define LANYARD_STACK_H

/* A stack instance: one host. Everything hangs off it; a process may hold thousands. All memory comes from one region
 * given at creation. Functions return 0 or a negative errno unless their comment says otherwise.
 */

#include "lanyard/buf.h"
#include "lanyard/netif.h"
#include "lanyard/port.h"

/* Sizes, fixed at creation. Start from LAN_CONFIG_DEFAULT. */
struct lan_config {
    struct lan_pool_config pool; /* at least 24 buffers of 768 bytes; views for some of the largest segments, each of
                                  * which takes one for each buffer of the send queue that it shows a part of */
    uint32_t sockets;            /* descriptors */
    uint32_t udp_sockets;        /* of them, at most */
    uint32_t tcp_connections;    /* in any state, TIME_WAIT included; 16 more TCP sockets, such as listeners */
    uint32_t tcp_tables; /* of 7 KiB, lent to connections with many gaps; may be 0. With buffers of 2,048 bytes a
                          * sender tells some 50 gaps apart, with a table 200; a receiver keeps 85 pieces that
                          * lie beyond gaps (on 64 bits), with a table 298. A stack compiled for size has none */
    uint32_t arp_entries;
    uint32_t routes;
    uint32_t send_buffer_bytes;        /* per TCP connection, the default of SO_SNDBUF */
    uint32_t receive_buffer_bytes;     /* per socket, the default of SO_RCVBUF */
    uint32_t send_buffer_max_bytes;    /* up to here a TCP connection's buffers follow its path, ... */
    uint32_t receive_buffer_max_bytes; /* ... unless the socket option is set; 0: they stay as they are */
    uint32_t tcp_ecn;                  /* LAN_TCP_ECN_*, the default of the socket option */

    /* To look like another stack; the defaults need no change. */
    uint32_t tcp_syn_options; /* LAN_TCP_SYN_OPTIONS_* */
    uint32_t tcp_quick_acks;  /* at most 255: the first segments of data of a connection are acknowledged at once */
    uint32_t tcp_rto_min_ms;  /* RFC 6298 (2.4) would have 1000; SRTT + 200 ms is a lower bound in any case */
};

/* How the options of a SYN follow one another. */
enum {
    LAN_TCP_SYN_OPTIONS_ALIGNED = 0, /* MSS, SACK, time stamp, window scale, each padded by itself */
    LAN_TCP_SYN_OPTIONS_LINUX = 1,   /* the same, SACK in the padding of the time stamp */
    LAN_TCP_SYN_OPTIONS_FREEBSD = 2, /* MSS, window scale, SACK, time stamp; padding at the end */
};

/* Explicit congestion notification (RFC 3168), numbered as Linux's tcp_ecn. */
enum {
    LAN_TCP_ECN_OFF = 0,
    LAN_TCP_ECN_ON = 1,      /* ask for it, and agree to it */
    LAN_TCP_ECN_PASSIVE = 2, /* agree when the peer asks */
};

extern const struct lan_config LAN_CONFIG_DEFAULT;

/* Bytes of memory lan_stack_create() needs for `config`. */
size_t lan_stack_size(const struct lan_config *config);

/* Lays a stack out in `memory` (64-byte aligned, at least lan_stack_size() bytes, reachable by the card; the caller
 * keeps it alive and releases it after the last use). `port` is borrowed for the stack's life. NULL if config is
 * impossible: a size of 0 (udp_sockets may be), too small a pool, an unknown LAN_TCP_*, or more memory than given. */
struct lan_stack *lan_stack_create(void *memory, size_t bytes, const struct lan_port *port,
                                   const struct lan_config *config);

struct lan_pool *lan_stack_pool(struct lan_stack *stack);

/* Runs every timer that is due and returns the next deadline in the port's nanoseconds (LAN_NEVER: none). */
uint64_t lan_stack_poll(struct lan_stack *stack);

/* The next deadline, or before it that of a timer cancelled since. */
uint64_t lan_stack_next_deadline(const struct lan_stack *stack);

/* Attaches a driver's interface, once; it stays attached, and is borrowed for the stack's life. -EINVAL: ops missing,
 * mtu out of 68..65535, or without LAN_NETIF_SG a frame (mtu + 18 bytes) does not fit into a buffer of the pool. */
int lan_stack_add_netif(struct lan_stack *stack, struct lan_netif *netif);

/* Address and mask in network byte order; address 0 takes the address away. Adds the connected route. -EINVAL: they
 * make no sense, and all stays as it is; -EEXIST or -ENOBUFS: the route cannot be added, and the address is 0. What has
 * a connection from an address that is gone learns of it by its time-out. */
int lan_netif_set_address(struct lan_netif *netif, uint32_t address, uint32_t netmask);

/* A route: destination & netmask through `gateway` (0: on the link) of `netif`. Longest prefix wins. Network order.
 * -EINVAL: bits of the destination beyond the mask, a mask with gaps, a netif of another stack; -EEXIST; -ENOBUFS.
 * lan_route_delete(): -ESRCH. */
int lan_route_add(struct lan_stack *stack, uint32_t destination, uint32_t netmask, uint32_t gateway,
                  struct lan_netif *netif);
int lan_route_delete(struct lan_stack *stack, uint32_t destination, uint32_t netmask);

/* One counter of the stack, by the names of RFC 4293, 4022, 4113 and Linux's netstat -s, and how to walk them all. */
struct lan_counter {
    const char *name; /* such as "TcpRetransSegs" */
    uint64_t value;
};

/* Fills at most `room` entries and returns how many there are. */
size_t lan_stack_counters(const struct lan_stack *stack, struct lan_counter *out, size_t room);

/* One counter by name; 0 for a name that does not exist is an error in the caller, so it asserts. */
uint64_t lan_stack_counter(const struct lan_stack *stack, const char *name);

#endif
