/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_PACKETDRILL_ADAPTER_H
#define LANYARD_PACKETDRILL_ADAPTER_H

/* What the parts of the adapter share: the machine, and which real descriptor stands for which socket of the stack.
 * packetdrill closes leftovers with the C library, so every descriptor it is given is one of the process.
 */

#include "interface.h"
#include "machine.h"

enum { ADAPTER_FDS = 1024, NOT_A_SOCKET = -1 };

struct adapter {
    struct machine *machine;
    int sockets[ADAPTER_FDS];          /* of the stack, or NOT_A_SOCKET */
    uint64_t taken[ADAPTER_FDS];       /* bytes read from each */
    struct watch *epolls[ADAPTER_FDS]; /* lists of what is watched; wait_calls.c's */
};

/* A real descriptor for a socket of the stack, which is closed if there is none. -1 and errno. */
int adapter_open(struct adapter *a, int socket);

/* The socket behind a descriptor, or NOT_A_SOCKET. */
int adapter_socket(const struct adapter *a, int fd);

/* -1 with errno for a negative errno of the stack, else the result itself. */
long adapter_result(long result);

/* Copies an address of the stack out as POSIX does: as much as there is room for in `*bytes`, which becomes its size.
 * `out` and `bytes` may be NULL: it is not wanted. */
void adapter_give_address(const struct lan_sockaddr_in *address, void *out, socklen_t *bytes);

/* Ends what the epoll descriptor fd watches. */
void adapter_forget_watches(struct adapter *a, int fd);

/* getsockopt(TCP_INFO) of Linux; 0 or a negative errno. Between machine_enter() and machine_leave(). */
int adapter_tcp_info(struct adapter *a, int fd, void *value, socklen_t *bytes);

/* Fill in their part of the table. */
void adapter_socket_calls(struct packetdrill_interface *interface);
void adapter_stream_calls(struct packetdrill_interface *interface);
void adapter_wait_calls(struct packetdrill_interface *interface);

#endif
