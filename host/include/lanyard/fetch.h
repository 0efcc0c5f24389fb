/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_FETCH_H
#define LANYARD_FETCH_H

/* Fetches one http://address[:port]/path over a connection of its own (HTTP/1.1, GET); the body may come with a length,
 * in chunks, or up to the end of the connection.
 */

#include "lanyard/loop.h"

enum { LAN_FETCH_BUFFER_BYTES = 4096, LAN_FETCH_URL_BYTES = 1024 };

struct lan_fetch {
    /* The caller's; set before lan_fetch_start(). */
    void *arg;
    /* The next piece of the body (of any status); false: no more is wanted, done() follows with -ECANCELED. NULL: the
     * body is only counted. */
    bool (*data)(struct lan_fetch *fetch, const void *data, size_t bytes);
    /* Once, at the end: 0 when the whole body came, else a negative errno: -EPROTO (not HTTP), -EPIPE (cut off),
     * -ETIMEDOUT, -ECONNREFUSED, -ECONNRESET, -ECANCELED ... The structure is free again when it is called. */
    void (*done)(struct lan_fetch *fetch, int error);
    uint64_t timeout_ns; /* longest time without progress; 0: 30 s */

    /* The outcome; `status` and `content_length` are valid from the first data() on. */
    int status;             /* 200, 404 ...; 0: no answer came */
    int64_t content_length; /* -1: not announced */
    uint64_t body_bytes;
    uint64_t start_ns, end_ns; /* the port's time, from lan_fetch_start() to the last progress, and in the end done() */

    /* fetch.c's. */
    struct lan_source source;
    char request[LAN_FETCH_URL_BYTES + 128];
    size_t request_len, request_sent;
    char buffer[LAN_FETCH_BUFFER_BYTES];
    size_t buffered, scanned;
    int state;
    uint64_t left; /* octets of the body, or of this chunk, still to come */
};

/* 0: done() will be called, never from inside this call. -EINVAL: the URL is not of the form above or too long; else
 * what lan_socket() or lan_connect() said. */
int lan_fetch_start(struct lan_fetch *fetch, struct lan_loop *loop, const char *url);

/* Gives up; done() is not called. Allowed at any time after lan_fetch_start(), also when it is over, and from data(),
 * which must then neither start it anew nor release it. */
void lan_fetch_cancel(struct lan_fetch *fetch);

#endif
