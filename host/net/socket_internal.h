/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_SOCKET_INTERNAL_H
#define LANYARD_SOCKET_INTERNAL_H

/* Between the socket layer (socket.c, poll.c) and the protocols below it (TCP, UDP). The socket layer owns descriptors,
 * blocking, time-outs, the pending error and wait lists; a protocol owns everything else, and never blocks.
 */

#include "lanyard/socket.h"
#include "lanyard/tcp_info.h"

#include <stddef.h>

struct lan_socket;
struct lan_waiter;

/* Beside the LAN_POLL* bits in what ready() returns: nothing that was sent is still unacknowledged (SO_LINGER). */
enum { LAN_READY_DRAINED = 0x10000 };

/* Level and option in one number, for levels below 8 and options below 2^13: there are no others. */
#define LAN_OPTION(level, option) ((option) << 3 | (level))

/* Whatever an option's value may be. */
union lan_option_value {
    int number;
    char name[16];
    struct lan_linger linger;
    struct lan_timeval time;
    struct lan_tcp_info info;
};

enum lan_option_kind {
    LAN_OPTION_NUMBER,  /* from `least` to `most` */
    LAN_OPTION_BOUNDED, /* the same, and what is beyond becomes the nearest that is not */
    LAN_OPTION_FLAG,    /* the bits `most` of the field, on or off */
};

/* An option that is a field of the pcb. */
struct lan_option {
    uint16_t option; /* LAN_OPTION() */
    uint16_t offset; /* LAN_FIELD(): where the field is, and its bytes: 1, 2 or 4 */
    uint8_t bytes;
    uint8_t kind;
    uint16_t least;
    uint32_t most;
};

#define LAN_FIELD(type, name) offsetof(type, name), sizeof(((type *)0)->name)

/* set() and get() of what stands in a table, whose last row is empty. */
int lan_option_set(const struct lan_option *row, void *pcb, uint32_t option, int value);
int lan_option_get(const struct lan_option *row, const void *pcb, uint32_t option, union lan_option_value *value);

/* What a protocol does for a socket. All calls return at once; -EAGAIN where a blocking socket would wait. `pcb` is
 * what open() or accept() stored in socket->pcb. Options that a protocol does not know: -ENOPROTOOPT. */
struct lan_protocol_ops {
    /* Makes the protocol's part of a new socket and stores it in socket->pcb. -ENOBUFS when its pool is empty. */
    int (*open)(struct lan_stack *stack, struct lan_socket *socket);

    /* The address is one of ours, or 0. */
    int (*bind)(struct lan_stack *stack, void *pcb, uint32_t address, uint16_t port);
    int (*listen)(struct lan_stack *stack, void *pcb, int backlog);

    /* Hands the next established connection over to `child` (stores its pcb there) and tells its peer. */
    int (*accept)(struct lan_stack *stack, void *pcb, struct lan_socket *child, struct lan_sockaddr_in *peer);

    /* 0 when connected at once; -EINPROGRESS, then -EALREADY until it is decided; then ready() says LAN_POLLOUT, and
     * the pending error tells how it ended. -EISCONN afterwards. LAN_AF_UNSPEC dissolves an association (UDP). */
    int (*connect)(struct lan_stack *stack, void *pcb, const struct lan_sockaddr_in *address);

    /* `to` is NULL for send(). Short counts are allowed for streams. */
    long (*send)(struct lan_stack *stack, void *pcb, const void *data, size_t bytes, int flags,
                 const struct lan_sockaddr_in *to);

    /* 0: end of stream (or an empty datagram). `from` may be NULL. When there is nothing to read, now or never again,
     * and the stream did not end in order: a negative errno, which the socket layer replaces by the pending error. */
    long (*recv)(struct lan_stack *stack, void *pcb, void *data, size_t bytes, int flags, struct lan_sockaddr_in *from);

    /* The same for chains of the pool, as lan_send_buf() and lan_recv_buf() have it. NULL: it cannot. */
    long (*send_buf)(struct lan_stack *stack, void *pcb, struct lan_buf *chain, int flags);
    long (*recv_buf)(struct lan_stack *stack, void *pcb, struct lan_buf **chain, size_t bytes);

    int (*shutdown)(struct lan_stack *stack, void *pcb, int how);

    /* The socket is gone: the protocol must forget it, and free the pcb now or when its work is done. `abort`: now,
     * without manners (TCP sends RST). */
    void (*close)(struct lan_stack *stack, void *pcb, bool abort);

    /* LAN_POLL* and LAN_READY_* that hold now. LAN_POLLERR for a pending error is added by the socket layer. */
    int (*ready)(struct lan_stack *stack, const void *pcb);

    /* -ENOTCONN if there is no peer. */
    int (*name)(struct lan_stack *stack, const void *pcb, bool peer, struct lan_sockaddr_in *address);

    /* Every option (LAN_OPTION()) but SO_TYPE, SO_ERROR, SO_LINGER, SO_RCVTIMEO and SO_SNDTIMEO. What set() is given
     * ends in zeroes; get() returns the bytes of the value. */
    int (*set)(struct lan_stack *stack, void *pcb, uint32_t option, const union lan_option_value *value);
    int (*get)(struct lan_stack *stack, const void *pcb, uint32_t option, union lan_option_value *value);
};

struct lan_socket {
    const struct lan_protocol_ops *ops; /* NULL: this descriptor is free */
    void *pcb;
    struct lan_stack *stack;
    struct lan_waiter *waiters; /* sleepers in this socket's calls, and polls that watch it */
    void (*notify)(void *arg);
    void *notify_arg;
    uint32_t receive_timeout_ms, send_timeout_ms; /* 0: for ever */
    int linger_s;                                 /* -1: SO_LINGER off */
    int16_t error;                                /* pending, positive errno, 0: none */
    uint8_t type;                                 /* LAN_SOCK_STREAM or LAN_SOCK_DGRAM */
    bool nonblocking;
};

/* From a protocol: the readiness of `socket` may have changed. NULL (a connection not accepted yet) is allowed. */
void lan_socket_event(struct lan_socket *socket);

/* From a protocol: `error` (positive errno) is pending now; includes the event. NULL is allowed. */
void lan_socket_error(struct lan_socket *socket, int error);

void lan_sockaddr_put(struct lan_sockaddr_in *out, uint32_t address, uint16_t port);

/* A random ephemeral port (RFC 6056 3.3.1 over the range of RFC 6335) for which `usable` says yes; 0
 * if there is none. */
uint16_t lan_port_pick(struct lan_stack *stack, bool (*usable)(void *ctx, uint16_t port), void *ctx);

#endif
