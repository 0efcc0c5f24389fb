/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_SOCKET_H
#define LANYARD_SOCKET_H

/* Sockets: POSIX's calls, arguments and behaviours, with the stack as the first argument and a negative errno instead
 * of -1. The constants have Linux's values, so that a preload library needs no table; the names are our own, so that
 * this header and <sys/socket.h> can stand in one file. Addresses and ports are in network byte order.
 *
 * A socket is blocking unless LAN_SOCK_NONBLOCK or LAN_O_NONBLOCK is set. A call on a blocking socket may run the
 * port's block() and with it other work of this host; when that closes the socket, the call returns -EBADF.
 *
 * A pointer may be NULL where this says so; that to data, where there are none. What is not a socket is -EBADF, what
 * the kind of socket cannot do -EOPNOTSUPP. A pending error (LAN_SO_ERROR) is told once, by that option or by the next
 * call that sends, receives or (TCP) connects; if such a call has moved bytes before, by the one after it.
 */

#include "lanyard/stack.h"

enum { LAN_AF_UNSPEC = 0, LAN_AF_INET = 2 };
enum { LAN_SOCK_STREAM = 1, LAN_SOCK_DGRAM = 2, LAN_SOCK_NONBLOCK = 04000 };
enum { LAN_IPPROTO_IP = 0, LAN_IPPROTO_ICMP = 1, LAN_IPPROTO_TCP = 6, LAN_IPPROTO_UDP = 17 };
enum { LAN_SHUT_RD = 0, LAN_SHUT_WR = 1, LAN_SHUT_RDWR = 2 };

/* Other flags are ignored. */
enum {
    LAN_MSG_OOB = 0x1, /* TCP, send: urgent data (RFC 6093); it is received in line, and -EINVAL otherwise */
    LAN_MSG_PEEK = 0x2,
    LAN_MSG_TRUNC = 0x20, /* UDP: recv returns the bytes of the datagram, not those that fit */
    LAN_MSG_DONTWAIT = 0x40,
    LAN_MSG_WAITALL = 0x100, /* TCP; not with LAN_MSG_PEEK, nor across the urgent mark */
    LAN_MSG_MORE = 0x8000    /* TCP: more follows, hold a partial segment back for it */
};

enum { LAN_F_GETFL = 3, LAN_F_SETFL = 4, LAN_O_NONBLOCK = 04000 };
enum {
    LAN_POLLIN = 0x1,
    LAN_POLLPRI = 0x2, /* there is urgent data, maybe further on in the stream */
    LAN_POLLOUT = 0x4,
    LAN_POLLERR = 0x8,
    LAN_POLLHUP = 0x10,
    LAN_POLLNVAL = 0x20
};
enum { LAN_POLLRDHUP = 0x2000 };

/* Levels and options; each is an int unless said otherwise. -ENOPROTOOPT: the socket has no such option, or it is to be
 * read only; -EINVAL: too few bytes, or a value out of range. What bytes follow the value does not matter; of one that
 * is read as many come as there is room for. Accepted sockets begin with what their listener has. */
enum { LAN_SOL_SOCKET = 1 };
enum {
    LAN_SO_REUSEADDR = 2,        /* sockets that all have it may be bound to one port, while none listens */
    LAN_SO_TYPE = 3,             /* to be read only */
    LAN_SO_ERROR = 4,            /* to be read only, which clears it */
    LAN_SO_BROADCAST = 6,        /* UDP */
    LAN_SO_SNDBUF = 7,           /* TCP; bytes, the nearest that is possible: of payload, nothing is doubled */
    LAN_SO_RCVBUF = 8,           /* the same, UDP too */
    LAN_SO_KEEPALIVE = 9,        /* TCP */
    LAN_SO_OOBINLINE = 10,       /* TCP; always on */
    LAN_SO_LINGER = 13,          /* struct lan_linger */
    LAN_SO_RCVTIMEO = 20,        /* struct lan_timeval; of accept(), too; 0: for ever */
    LAN_SO_SNDTIMEO = 21,        /* struct lan_timeval; of connect(), too; 0: for ever */
    LAN_SO_ACCEPTCONN = 30,      /* to be read only */
    LAN_SO_MAX_PACING_RATE = 47, /* TCP: payload bytes a second at most, uint32_t; UINT32_MAX: any number */
};
enum { LAN_IP_TOS = 1 /* of TCP without its ECN bits */, LAN_IP_TTL = 2 };
enum { LAN_TCP_INFO = 11 /* struct lan_tcp_info (tcp_info.h); to be read only */ };
enum { LAN_TCP_CORK = 3 /* no partial segment, but after a time-out with nothing under way, until it is cleared */ };
enum { LAN_TCP_NODELAY = 1, LAN_TCP_USER_TIMEOUT = 18 /* ms; 0, as at first: 2 minutes, of a SYN 3 */ };
enum { LAN_TCP_MAXSEG = 2 /* set: a bound both ways, from 64; read: what is sent at most, 536 before connect() */ };
enum { LAN_TCP_CONGESTION = 13 /* a name: "cubic", "newreno", "bbr"; -ENOENT: another */ };
enum { LAN_TCP_ECN = 256 /* not in Linux: LAN_TCP_ECN_*, before connect() or listen(), for children too */ };
enum { LAN_TCP_KEEPIDLE = 4 /* s */, LAN_TCP_KEEPINTVL = 5 /* s */, LAN_TCP_KEEPCNT = 6 };

/* Ours, to be read only. */
enum {
    LAN_TCP_URGENT = 512,     /* bytes from the next one to read to the end of the urgent data */
    LAN_TCP_SOFT_ERROR = 513, /* why the peer does not answer (a positive errno, 0: it does), while it still may: an
                               * ICMP error, or ETIMEDOUT after three retransmissions */
};

struct lan_sockaddr_in {
    uint16_t sin_family; /* LAN_AF_INET */
    uint16_t sin_port;
    uint32_t sin_addr;
    uint8_t sin_zero[8];
};

/* Off: close() returns at once, and what was sent arrives if it can. Otherwise close() of a blocking socket waits so
 * long for that; 0 throws it away and resets the connection. */
struct lan_linger {
    int l_onoff;
    int l_linger; /* seconds, at most 32767 */
};

/* Rounded up to milliseconds. Negative, or a million microseconds and more: -EDOM. */
struct lan_timeval {
    int64_t tv_sec;
    int64_t tv_usec;
};

struct lan_pollfd {
    int fd; /* negative: ignored */
    int16_t events;
    int16_t revents;
};

/* Returns the descriptor (lowest free one, from 0), or -EAFNOSUPPORT, -EINVAL (type), -EPROTONOSUPPORT, -EMFILE,
 * -ENOBUFS (no more sockets of this kind, stack.h). */
int lan_socket(struct lan_stack *stack, int domain, int type, int protocol);

/* Port 0: any from 49152 on. -EADDRINUSE: another socket is bound to it (a connection, or one in TIME-WAIT, is no
 * hindrance); -EADDRNOTAVAIL: not an address of this host; -EINVAL: bound or connected already. */
int lan_bind(struct lan_stack *stack, int fd, const struct lan_sockaddr_in *address);

/* `backlog`: connections that wait for accept(), from 1 to 4096. Without bind() on any port. On a listener it changes
 * the backlog. -EINVAL: the socket has, or has had, a connection; -EADDRINUSE: another one listens there. */
int lan_listen(struct lan_stack *stack, int fd, int backlog);

/* Returns the new descriptor; `peer` may be NULL. `flags`: LAN_SOCK_NONBLOCK for the new socket. -EINVAL: not a
 * listener. What was reset while it waited is not handed out, so LAN_POLLIN does not promise that there is one. */
int lan_accept(struct lan_stack *stack, int fd, struct lan_sockaddr_in *peer, int flags);

/* Non-blocking: -EINPROGRESS, then LAN_POLLOUT and LAN_SO_ERROR tell, or the next connect(): -EALREADY, how it has
 * ended, or -EISCONN. A blocking one may time out with -EINPROGRESS or -EALREADY. A socket whose connection has ended
 * may connect again. -EADDRNOTAVAIL: no port is free, or address or port are 0; -EADDRINUSE: the bound port has a
 * connection to there. UDP: LAN_AF_UNSPEC dissolves the association. */
int lan_connect(struct lan_stack *stack, int fd, const struct lan_sockaddr_in *address);

/* Bytes sent or received (0 from recv: end of stream, an empty datagram, or `bytes` was 0), or a negative errno.
 * -ENOTCONN: there was no connection yet; -EPIPE: it has ended, or its sending half. A stream that was cut off has no
 * end: recv returns why each time. After LAN_SHUT_RD what has arrived can still be read. */
long lan_send(struct lan_stack *stack, int fd, const void *data, size_t bytes, int flags);
long lan_sendto(struct lan_stack *stack, int fd, const void *data, size_t bytes, int flags,
                const struct lan_sockaddr_in *to);
long lan_recv(struct lan_stack *stack, int fd, void *data, size_t bytes, int flags);
long lan_recvfrom(struct lan_stack *stack, int fd, void *data, size_t bytes, int flags, struct lan_sockaddr_in *from);

/* TCP without a copy; these two never block. lan_send_buf() puts a chain of the stack's own pool (lan_stack_pool()) on
 * the send queue, whole or not at all, and returns its bytes; then it is the stack's, and its bytes must stay as they
 * are (pieces of up to 128 are copied together where that takes less). The caller holds its only reference: to send
 * bytes again, send views of them. On an error the caller keeps it: -EAGAIN as long as LAN_POLLOUT does not hold,
 * -EMSGSIZE beyond SO_SNDBUF, -EINVAL for an empty or a shared chain. `flags`: LAN_MSG_MORE. lan_recv_buf() takes up to
 * `bytes` off the receive queue as a chain, which the caller frees; 0: end of stream, -ENOBUFS: the pool has no view to
 * divide a fragment with. Other sockets: -EOPNOTSUPP. */
long lan_send_buf(struct lan_stack *stack, int fd, struct lan_buf *chain, int flags);
long lan_recv_buf(struct lan_stack *stack, int fd, struct lan_buf **chain, size_t bytes);

/* 1: the next byte to read is the last one of the urgent data. No receive call reads across this mark. 0: it is not.
 * -ENOPROTOOPT: not TCP. */
int lan_sockatmark(struct lan_stack *stack, int fd);

/* -ENOTCONN: there is no connection, or not yet; a listener, too. */
int lan_shutdown(struct lan_stack *stack, int fd, int how);

/* Afterwards the descriptor is free, whatever becomes of the connection. With bytes unread the connection is reset (RFC
 * 9293 SHLD-3). */
int lan_close(struct lan_stack *stack, int fd);

/* LAN_F_GETFL returns 2 (O_RDWR), with LAN_O_NONBLOCK if that is set; LAN_F_SETFL sets or clears it. -EINVAL: another
 * command. */
int lan_fcntl(struct lan_stack *stack, int fd, int command, int argument);

/* `*bytes` is the room at `value`, and then how much of it was used. */
int lan_setsockopt(struct lan_stack *stack, int fd, int level, int option, const void *value, uint32_t bytes);
int lan_getsockopt(struct lan_stack *stack, int fd, int level, int option, void *value, uint32_t *bytes);

/* This end's address and port, 0 as long as they are not chosen; the other end's, or -ENOTCONN where there is none. */
int lan_getsockname(struct lan_stack *stack, int fd, struct lan_sockaddr_in *address);
int lan_getpeername(struct lan_stack *stack, int fd, struct lan_sockaddr_in *address);

/* Waits until one of `count` sockets is ready, `timeout_ms` passes (negative: for ever, 0: look only) or returns at
 * once; the number of entries with revents set. -ENOMEM: there are no waiters left, of which a stack has 16 more than
 * descriptors and each entry takes one. */
int lan_poll(struct lan_stack *stack, struct lan_pollfd *fds, uint32_t count, int timeout_ms);

/* Calls `notify(arg)` from inside the stack whenever the readiness of fd may have changed, so that an event loop with
 * thousands of sockets need not scan them (host/apps/loop.c). notify must not call back into the stack, but for
 * lan_wake(). NULL ends it. */
int lan_set_notify(struct lan_stack *stack, int fd, void (*notify)(void *arg), void *arg);

/* Which of `events` (and ERR, HUP, NVAL) hold for fd now. */
int lan_ready(struct lan_stack *stack, int fd, int events);

/* Sleeps the caller until *w is woken or the deadline is reached, through the port. For event loops. */
void lan_wait(struct lan_stack *stack, struct lan_wakeup *w, uint64_t deadline_ns);
void lan_wake(struct lan_stack *stack, struct lan_wakeup *w);

#endif
