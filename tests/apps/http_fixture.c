/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lanyard/bulk.h"

struct http_fixture http;
const char *big;

static char big_data[BIG_BYTES];
static struct tree_entry entries[16];

#define FILE_ENTRY(path, text)                                                                                         \
    {                                                                                                                  \
        path, text, sizeof text - 1, 784111777                                                                         \
    }
#define FOLDER_ENTRY(path)                                                                                             \
    {                                                                                                                  \
        path, NULL, 0, 784111777                                                                                       \
    }

static void plant(void)
{
    static const struct tree_entry ENTRIES[] = {
        FOLDER_ENTRY(""),
        FILE_ENTRY("index.html", "<p>home"),
        FILE_ENTRY("a.txt", "0123456789"),
        FILE_ENTRY("empty.txt", ""),
        {"big.bin", big_data, BIG_BYTES, 784111777},
        FOLDER_ENTRY("docs"),
        FILE_ENTRY("docs/index.html", "docs"),
        FOLDER_ENTRY("list"),
        FILE_ENTRY("list/q&a <1>.txt", "q"),
        FOLDER_ENTRY("list/sub"),
        FILE_ENTRY("list/x.txt", "x"),
        FOLDER_ENTRY("void"),
    };
    memcpy(entries, ENTRIES, sizeof ENTRIES);
    tree_init(&http.tree, entries, sizeof ENTRIES / sizeof *ENTRIES);
    lan_bulk_pattern(1, 0, big_data, BIG_BYTES);
    big = big_data;
}

static void start(void)
{
    int error;
    http.httpd = lan_httpd_create(malloc(lan_httpd_size(&http.config)), &http.world->loop, &http.tree.content,
                                  &http.config, &error);
    assert_non_null(http.httpd);
    http.stats = lan_httpd_stats(http.httpd);
}

int http_set_up(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.sockets = 2100;
    config.tcp_connections = 4200;
    config.pool.buffers = 16384;
    memset(&http, 0, sizeof http);
    plant();
    http.world = world_create(&config);
    http.config = LAN_HTTPD_CONFIG_DEFAULT;
    start();
    *state = http.world;
    return 0;
}

static void stop(void)
{
    lan_httpd_destroy(http.httpd);
    assert_int_equal(http.stats->open, 0);
    assert_int_equal(http.tree.open, 0);
    free(http.httpd);
}

int http_tear_down(void **state)
{
    stop();
    return world_tear_down(state);
}

void http_restart(void)
{
    stop();
    start();
}

const char *http_field(const struct response *response, const char *name)
{
    static char value[512];
    char line[128];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strstr(response->head, line);
    if (!at)
        return NULL;
    at += strlen(line);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static bool head_has_come(void *arg)
{
    struct client *client = arg;
    client_receive(client);
    return client->ended || client->error || (client->bytes && memmem(client->data, client->bytes, "\r\n\r\n", 4));
}

/* Takes the chunked coding off, in place; returns the octets it took. */
static size_t unchunk(struct client *client, size_t at, size_t *body_bytes)
{
    size_t start = at, to = at;
    for (;;) {
        char *end = NULL;
        while (client->bytes < at + 5)
            client_expect_bytes(client, at + 5);
        size_t size = strtoul(client->data + at, &end, 16);
        assert_memory_equal(end, "\r\n", 2);
        at = (size_t)(end - client->data) + 2;
        client_expect_bytes(client, at + size + 2);
        memmove(client->data + to, client->data + at, size);
        assert_memory_equal(client->data + at + size, "\r\n", 2);
        at += size + 2;
        to += size;
        if (size == 0)
            break;
    }
    *body_bytes = to - start;
    return at;
}

struct response http_response(struct client *client, bool head)
{
    struct response response = {0};
    world_until(client->world, head_has_come, client);
    char *end = client->bytes ? memmem(client->data, client->bytes, "\r\n\r\n", 4) : NULL;
    assert_non_null(end);
    size_t head_bytes = (size_t)(end - client->data) + 4;
    assert_true(head_bytes < sizeof response.head);
    memcpy(response.head, client->data, head_bytes);
    assert_int_equal(sscanf(response.head, "HTTP/1.1 %d ", &response.status), 1);

    const char *length = http_field(&response, "Content-Length");
    response.bytes = head_bytes;
    if (head || response.status == 304)
        return response;
    if (http_field(&response, "Transfer-Encoding")) {
        response.bytes = unchunk(client, head_bytes, &response.body_bytes);
    } else if (length) {
        response.body_bytes = strtoul(length, NULL, 10);
        response.bytes = head_bytes + response.body_bytes;
        client_expect_bytes(client, response.bytes);
    } else {
        client_expect_end(client);
        response.bytes = client->bytes;
        response.body_bytes = client->bytes - head_bytes;
    }
    response.body = client->data + head_bytes;
    return response;
}

struct response http_expect(struct client *client, int status)
{
    struct response response = http_response(client, false);
    assert_int_equal(response.status, status);
    return response;
}

struct response http_get(const char *head, struct client **client)
{
    *client = client_connect(http.world, 80);
    client_send(*client, head);
    return http_response(*client, false);
}
