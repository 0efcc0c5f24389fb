/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_HTTP_REQUEST_H
#define LANYARD_HTTP_REQUEST_H

/* The head of a request, parsed (RFC 9110, RFC 9112). Knows no connection and no file; everything in it came from the
 * wire.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lan_http_range { LAN_HTTP_RANGE_NONE, LAN_HTTP_RANGE_FROM, LAN_HTTP_RANGE_SUFFIX };

struct lan_http_request {
    bool head;        /* HEAD, not GET */
    bool http_1_0;    /* the sender's version is 1.0 */
    bool keep_alive;  /* the connection may serve another request */
    const char *path; /* decoded, in the parsed memory; as lan_content wants it */
    bool folder;      /* the path ended in a slash */
    enum lan_http_range range;
    uint64_t first, last;   /* FROM: octets first..last (UINT64_MAX: to the end); SUFFIX: the last `last` octets */
    int64_t modified_since; /* -1: no condition */
};

/* Parses a whole head of `bytes` octets, changing the memory: `request` points into it. Returns 0 or the status to
 * answer with (400, 403, 405, 501, 505), after which the connection must be closed. */
int lan_http_request_parse(char *data, size_t bytes, struct lan_http_request *request);

#endif
