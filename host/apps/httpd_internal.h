/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_HTTPD_INTERNAL_H
#define LANYARD_HTTPD_INTERNAL_H

/* A connection of the web server, between the two files that work on it: httpd.c moves octets and keeps time,
 * httpd_response.c decides what to answer.
 */

#include "http_fields.h"
#include "http_request.h"
#include "lanyard/acceptor.h"
#include "lanyard/httpd.h"

enum {
    SCRATCH_BYTES = 32768,
    NAME_BYTES = 256,
    /* A row of a listing is the longest piece: a name twice, escaped for a URL and for HTML. */
    ROW_BYTES = 3 * NAME_BYTES + 5 * NAME_BYTES + 64,
    OUT_BYTES = 4096,
};

_Static_assert(OUT_BYTES >= ROW_BYTES + 256, "a part of a listing is a row at least, and what stands around it");

enum http_phase { HTTP_READING, HTTP_SENDING, HTTP_DRAINING };

/* What follows when `out` has been sent. */
enum http_body { HTTP_BODY_NONE, HTTP_BODY_FILE, HTTP_BODY_LISTING };

struct http_connection {
    struct lan_source source;
    struct lan_httpd *httpd;
    struct http_connection *next_free;
    enum http_phase phase;

    char *in; /* config.request_bytes */
    size_t in_len, in_scanned;

    char out[OUT_BYTES]; /* the head, a short body, or a part of a listing */
    size_t out_len, out_sent;

    int status;
    bool keep_alive, chunked;
    enum http_body body;
    struct lan_content_file file; /* open while body is not NONE */
    uint64_t offset, end;         /* of a file: still to be sent */
    uint32_t row;                 /* of a listing: next entry */
};

struct lan_httpd {
    struct lan_acceptor acceptor;
    struct lan_content *content;
    struct lan_httpd_config config;
    struct lan_httpd_stats stats;
    struct http_connection *free;
    struct http_connection *connections;
    char scratch[SCRATCH_BYTES]; /* for whoever runs; holds nothing between two calls */
};

/* Puts the answer to a request into out, and opens the body that follows. */
void lan_httpd_respond(struct http_connection *c, const struct lan_http_request *request);

/* The answer to what is no request: the connection is closed behind it. */
void lan_httpd_refuse(struct http_connection *c, int status, bool head);

/* Puts the next part of a listing into out; body is NONE behind the last. false: the folder cannot be read. */
bool lan_httpd_list(struct http_connection *c);

/* Closes the file behind the body. */
void lan_httpd_end_body(struct http_connection *c);

#endif
