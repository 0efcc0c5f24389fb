/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_HTTPD_H
#define LANYARD_HTTPD_H

/* An HTTP/1.1 file server (RFC 9110, RFC 9112): GET and HEAD, persistent connections, pipelining, single ranges,
 * If-Modified-Since, folder listings. Memory is fixed at creation.
 */

#include "lanyard/content.h"
#include "lanyard/loop.h"

/* Start from LAN_HTTPD_CONFIG_DEFAULT. */
struct lan_httpd_config {
    uint16_t port;               /* host byte order */
    uint16_t backlog;            /* of the listening socket */
    uint32_t connections;        /* served at once; more wait in the backlog */
    uint32_t request_bytes;      /* longest request line with its header fields; longer is 414 or 431 */
    uint32_t request_timeout_ms; /* from the first octet of a request to the last of its head; later is 408 */
    uint32_t idle_timeout_ms;    /* between requests, and without progress of a response */
};

extern const struct lan_httpd_config LAN_HTTPD_CONFIG_DEFAULT;

struct lan_httpd_stats {
    uint64_t connections;  /* accepted so far */
    uint64_t open;         /* now */
    uint64_t requests;     /* heads parsed or refused */
    uint64_t responses[6]; /* by the first digit of the status; [0]: cut off before their end */
    uint64_t body_bytes;   /* handed to TCP, without heads */
    uint64_t timeouts;     /* connections ended by a time limit */
};

struct lan_httpd;

size_t lan_httpd_size(const struct lan_httpd_config *config);

/* Listens and serves `content` as soon as the loop runs. `memory` (lan_httpd_size() bytes, aligned as malloc() does),
 * `loop` and `content` are borrowed until lan_httpd_destroy(). NULL with a negative errno in *error: -EINVAL for an
 * impossible configuration, or what lan_socket(), lan_bind() or lan_listen() said. */
struct lan_httpd *lan_httpd_create(void *memory, struct lan_loop *loop, struct lan_content *content,
                                   const struct lan_httpd_config *config, int *error);

/* Closes every connection, finished or not. */
void lan_httpd_destroy(struct lan_httpd *httpd);

const struct lan_httpd_stats *lan_httpd_stats(const struct lan_httpd *httpd);

#endif
