/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_BULK_H
#define LANYARD_BULK_H

/* Bulk transfer over TCP, one way per connection, to measure goodput and to prove that every octet arrives: the sender
 * sends a pseudo-random pattern made from a seed, the receiver makes the same and compares. Either end may be the one
 * that listens.
 */

#include "lanyard/acceptor.h"

enum lan_bulk_role { LAN_BULK_SEND, LAN_BULK_RECEIVE };

#define LAN_BULK_ALL_RIGHT UINT64_MAX

struct lan_bulk_config {
    enum lan_bulk_role role;
    uint64_t seed;        /* of the pattern; the same at both ends */
    uint64_t bytes;       /* sender: how many to send; 0: until duration_ns is over */
    uint64_t duration_ns; /* sender: longest time to send; 0: no limit */
};

struct lan_bulk_result {
    int error;         /* 0, or a negative errno (-ECONNREFUSED, -ECONNRESET, -ETIMEDOUT ...) */
    uint64_t bytes;    /* sent and taken in by the peer, or received */
    uint64_t start_ns; /* connection established */
    uint64_t end_ns;   /* receiver: the last octet; sender: the peer's end of stream, so all has arrived */
    uint64_t wrong_at; /* receiver: offset of the first octet that differs from the pattern, or LAN_BULK_ALL_RIGHT */
};

/* One connection. */
struct lan_bulk {
    /* The caller's; done is called once at the end of a connection (may be NULL); the structure is free again then. */
    void (*done)(struct lan_bulk *bulk, const struct lan_bulk_result *result);
    void *arg;

    struct lan_bulk_result result; /* may be read at any time */

    /* bulk.c's. */
    struct lan_bulk_config config;
    struct lan_bulk_server *server;
    struct lan_bulk *next_free;
    struct lan_source source;
    bool connecting, finishing;
};

/* A listening end: every connection runs in one of `count` structures of the caller; more wait in the backlog. */
struct lan_bulk_server {
    struct lan_acceptor acceptor;
    struct lan_bulk_config config;
    struct lan_bulk *streams, *free;
    uint32_t count;
};

/* 0, or what the socket calls said; done() comes later. `to` is copied. */
int lan_bulk_connect(struct lan_bulk *bulk, struct lan_loop *loop, const struct lan_sockaddr_in *to,
                     const struct lan_bulk_config *config);

/* Ends it at once; done() is not called. Allowed at any time after a lan_bulk_connect() that gave 0, also when it is
 * over. */
void lan_bulk_cancel(struct lan_bulk *bulk);

/* `port` in host byte order. Sets every stream up but for done and arg, which are the caller's. */
int lan_bulk_listen(struct lan_bulk_server *server, struct lan_loop *loop, uint16_t port,
                    const struct lan_bulk_config *config, struct lan_bulk *streams, uint32_t count);
void lan_bulk_server_close(struct lan_bulk_server *server);

/* Bits per second; 0 when no time has passed. */
uint64_t lan_bulk_goodput(const struct lan_bulk_result *result);

/* Octets offset..offset+bytes of the pattern of `seed`. */
void lan_bulk_pattern(uint64_t seed, uint64_t offset, void *out, size_t bytes);

#endif
