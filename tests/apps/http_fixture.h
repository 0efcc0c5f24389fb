/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

/* A web server in a world, over a small tree, and what it answers. */

#include "lanyard/httpd.h"
#include "tree.h"
#include "world.h"

enum { BIG_BYTES = 3000000 };

struct http_fixture {
    struct world *world;
    struct tree tree;
    struct lan_httpd_config config;
    struct lan_httpd *httpd;
    const struct lan_httpd_stats *stats;
};

/* The tree: index.html ("<p>home"), a.txt ("0123456789"), empty.txt, big.bin (a pattern), and the folders docs (with an
 * index.html, "docs"), list (without: "q&a <1>.txt", sub, x.txt) and void. */
extern struct http_fixture http;
extern const char *big;

int http_set_up(void **state);
int http_tear_down(void **state);

/* Ends the server and starts one with http.config. */
void http_restart(void);

struct response {
    int status;
    char head[2048]; /* with its empty line */
    char *body;      /* in the client's memory, until its next call */
    size_t body_bytes;
    size_t bytes; /* of the whole response */
};

/* Waits for the next response on this connection: a body by Content-Length, in chunks, or (with neither) up to the end.
 * A response to HEAD has none. */
struct response http_response(struct client *client, bool head);

/* The same, and checks the status. */
struct response http_expect(struct client *client, int status);

/* The value of a field, or NULL. */
const char *http_field(const struct response *response, const char *name);

/* A whole exchange on a connection of its own. */
struct response http_get(const char *head, struct client **client);

#define HTTP_TEST(f) cmocka_unit_test_setup_teardown(f, http_set_up, http_tear_down)

#endif
