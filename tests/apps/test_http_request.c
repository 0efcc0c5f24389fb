/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests, good and bad. */
#include "cmocka_all.h"
#include "http_fields.h"
#include "http_request.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parser gets a copy of exactly the head's size, so that valgrind and the sanitizers see a look beyond it. */
static char *memory;

static int parse_bytes(const char *text, size_t bytes, struct lan_http_request *request)
{
    free(memory);
    memory = malloc(bytes);
    memcpy(memory, text, bytes);
    return lan_http_request_parse(memory, bytes, request);
}

static int parse(const char *text, struct lan_http_request *request)
{
    return parse_bytes(text, strlen(text), request);
}

static int free_memory(void **state)
{
    (void)state;
    free(memory);
    memory = NULL;
    return 0;
}

#define HOST " HTTP/1.1\r\nHost: a\r\n"

static void malformed_requests_get_their_status(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int status;
    } TABLE[] = {
        /* request line */
        {"\r\n", 400},
        {"GET\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400}, /* HTTP/0.9 */
        {"GET / \r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
        {" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/11\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/a.b\r\nHost: a\r\n\r\n", 400},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / FTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\rX\r\nHost: a\r\n\r\n", 400},
        {"G\x01T /" HOST "\r\n", 400},
        {"(GET) /" HOST "\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
        {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        {"BREW /" HOST "\r\n", 501},
        {"get /" HOST "\r\n", 501},
        {"POST /" HOST "\r\n", 405},
        {"PUT /" HOST "\r\n", 405},
        {"DELETE /" HOST "\r\n", 405},
        {"OPTIONS *" HOST "\r\n", 405},
        {"TRACE /" HOST "\r\n", 405},
        {"CONNECT a:80" HOST "\r\n", 405},
        /* target */
        {"GET index.html" HOST "\r\n", 400},
        {"GET *" HOST "\r\n", 400},
        {"GET http:///x" HOST "\r\n", 400},
        {"GET ftp://a/x" HOST "\r\n", 400},
        {"GET /a#b" HOST "\r\n", 400},
        {"GET /a\x7f" HOST "\r\n", 400},
        {"GET /%" HOST "\r\n", 400},
        {"GET /%4" HOST "\r\n", 400},
        {"GET /%zz" HOST "\r\n", 400},
        {"GET /%4g" HOST "\r\n", 400},
        {"GET /a%00.html" HOST "\r\n", 400},
        {"GET /.." HOST "\r\n", 403},
        {"GET /../etc/passwd" HOST "\r\n", 403},
        {"GET /a/../../b" HOST "\r\n", 403},
        {"GET /%2e%2e/b" HOST "\r\n", 403},
        {"GET /.%2E/b" HOST "\r\n", 403},
        {"GET /..%2fb" HOST "\r\n", 403},
        {"GET /a%2f..%2f..%2fb" HOST "\r\n", 403},
        {"GET //../b" HOST "\r\n", 403},
        {"GET /./../b" HOST "\r\n", 403},
        {"GET http://a/../b" HOST "\r\n", 403},
        /* fields */
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"GET /" HOST "X : y\r\n\r\n", 400},
        {"GET /" HOST "X\r\n\r\n", 400},
        {"GET /" HOST ": y\r\n\r\n", 400},
        {"GET /" HOST " folded: y\r\n\r\n", 400},
        {"GET /" HOST "X: y\r\n folded\r\n\r\n", 400},
        {"GET /" HOST "X: a\rb\r\n\r\n", 400},
        {"GET /" HOST "X: a\x01\r\n\r\n", 400},
        {"GET /" HOST "Content-Length: -1\r\n\r\n", 400},
        {"GET /" HOST "Content-Length: +1\r\n\r\n", 400},
        {"GET /" HOST "Content-Length: 1,1\r\n\r\n", 400},
        {"GET /" HOST "Content-Length:\r\n\r\n", 400},
        {"GET /" HOST "Content-Length: 18446744073709551616\r\n\r\n", 400},
        {"GET /" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"GET /" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"GET /" HOST "Transfer-Encoding: gzip\r\n\r\n", 501},
    };
    struct lan_http_request request;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        int status = parse(TABLE[i].head, &request);
        if (status != TABLE[i].status)
            fail_msg("%s gave %d, not %d", TABLE[i].head, status, TABLE[i].status);
    }
}

static void a_nul_anywhere_is_a_bad_request(void **state)
{
    (void)state;
    static const char GOOD[] = "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    char bad[sizeof GOOD];
    struct lan_http_request request;
    assert_int_equal(parse(GOOD, &request), 0);
    for (size_t i = 0; i < sizeof GOOD - 3; i++) {
        memcpy(bad, GOOD, sizeof GOOD);
        bad[i] = '\0';
        assert_int_equal(parse_bytes(bad, sizeof GOOD - 1, &request), 400);
    }
}

static void targets_become_paths_inside_the_tree(void **state)
{
    (void)state;
    static const struct {
        const char *target, *path;
        bool folder;
    } TABLE[] = {
        {"/", "", true},
        {"/a", "a", false},
        {"/a/", "a", true},
        {"/a/b.html", "a/b.html", false},
        {"//a///b", "a/b", false},
        {"/./a/./b/.", "a/b", true},
        {"/a/../b", "b", false},
        {"/a/b/..", "a", true},
        {"/a/b/../..", "", true},
        {"/...", "...", false},
        {"/a?x=/../..", "a", false},
        {"/?", "", true},
        {"/a%20b", "a b", false},
        {"/%41%2Fb", "A/b", false},
        {"/%252e%252e/", "%2e%2e", true},
        {"/\xc3\xa4", "\xc3\xa4", false},
        {"http://host", "", true},
        {"http://host?x", "", true},
        {"HTTP://host:80/a", "a", false},
    };
    char head[256];
    struct lan_http_request request;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        snprintf(head, sizeof head, "GET %s" HOST "\r\n", TABLE[i].target);
        assert_int_equal(parse(head, &request), 0);
        if (strcmp(request.path, TABLE[i].path) != 0 || request.folder != TABLE[i].folder)
            fail_msg("%s became %s", TABLE[i].target, request.path);
    }
}

static void connections_persist_as_version_and_fields_say(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        bool keep_alive;
    } TABLE[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nconnection: TE , Close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", false},
        {"GET / HTTP/1.7\r\nHost: a\r\n\r\n", true},
    };
    struct lan_http_request request;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        assert_int_equal(parse(TABLE[i].head, &request), 0);
        if (request.keep_alive != TABLE[i].keep_alive)
            fail_msg("%s", TABLE[i].head);
    }
}

static void ranges_are_one_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum lan_http_range range;
        uint64_t first, last;
    } TABLE[] = {
        {"bytes=0-0", LAN_HTTP_RANGE_FROM, 0, 0},
        {"bytes=5-9", LAN_HTTP_RANGE_FROM, 5, 9},
        {"Bytes=5-", LAN_HTTP_RANGE_FROM, 5, UINT64_MAX},
        {"bytes=-7", LAN_HTTP_RANGE_SUFFIX, 0, 7},
        {"bytes=-0", LAN_HTTP_RANGE_SUFFIX, 0, 0},
        {"bytes=-", LAN_HTTP_RANGE_NONE, 0, 0},
        {"bytes=", LAN_HTTP_RANGE_NONE, 0, 0},
        {"bytes=9-5", LAN_HTTP_RANGE_NONE, 0, 0},
        {"bytes=a-b", LAN_HTTP_RANGE_NONE, 0, 0},
        {"bytes=0-1,5-6", LAN_HTTP_RANGE_NONE, 0, 0},
        {"bytes=0--1", LAN_HTTP_RANGE_NONE, 0, 0},
        {"bytes=99999999999999999999-", LAN_HTTP_RANGE_NONE, 0, 0},
        {"lines=0-1", LAN_HTTP_RANGE_NONE, 0, 0},
        {"bytes", LAN_HTTP_RANGE_NONE, 0, 0},
        {"", LAN_HTTP_RANGE_NONE, 0, 0},
    };
    char head[256];
    struct lan_http_request request;
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        snprintf(head, sizeof head, "GET /" HOST "Range: %s\r\n\r\n", TABLE[i].value);
        assert_int_equal(parse(head, &request), 0);
        if (request.range != TABLE[i].range)
            fail_msg("%s", TABLE[i].value);
        if (request.range == LAN_HTTP_RANGE_FROM)
            assert_int_equal(request.first, TABLE[i].first);
        if (request.range != LAN_HTTP_RANGE_NONE)
            assert_true(request.last == TABLE[i].last);
    }
}

static void if_range_and_head_make_a_range_void(void **state)
{
    (void)state;
    struct lan_http_request request;
    assert_int_equal(parse("GET /" HOST "Range: bytes=0-1\r\nIf-Range: \"x\"\r\n\r\n", &request), 0);
    assert_int_equal(request.range, LAN_HTTP_RANGE_NONE);
    assert_int_equal(parse("HEAD /" HOST "Range: bytes=0-1\r\n\r\n", &request), 0);
    assert_int_equal(request.range, LAN_HTTP_RANGE_NONE);
    assert_true(request.head);
}

static void if_none_match_outweighs_if_modified_since(void **state)
{
    (void)state;
    struct lan_http_request request;
    assert_int_equal(parse("GET /" HOST "If-Modified-Since: Thu, 01 Jan 1970 00:00:09 GMT\r\n\r\n", &request), 0);
    assert_int_equal(request.modified_since, 9);
    assert_int_equal(parse("GET /" HOST "If-Modified-Since: yesterday\r\n\r\n", &request), 0);
    assert_int_equal(request.modified_since, -1);
    assert_int_equal(parse("GET /" HOST
                           "If-None-Match: \"x\"\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:09 GMT\r\n\r\n",
                           &request),
                     0);
    assert_int_equal(request.modified_since, -1);
}

static void lines_may_end_in_a_bare_line_feed(void **state)
{
    (void)state;
    struct lan_http_request request;
    assert_int_equal(parse("GET /a HTTP/1.1\nHost: a\n\n", &request), 0);
    assert_string_equal(request.path, "a");
}

static void a_head_that_comes_octet_by_octet_ends_at_its_empty_line(void **state)
{
    (void)state;
    static const char *const HEADS[] = {"GET / HTTP/1.1\r\nA: b\r\n\r\n", "GET / HTTP/1.1\n\n", "G\r\n\n", "G\n\r\n"};
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
        size_t scanned = 0, bytes = strlen(HEADS[i]);
        for (size_t n = 0; n < bytes; n++) {
            assert_int_equal(lan_http_head_length(HEADS[i], n, &scanned), 0);
            assert_int_equal(scanned, n); /* nothing is looked at twice */
        }
        assert_int_equal(lan_http_head_length(HEADS[i], bytes, &scanned), bytes);
    }
}

static void what_follows_a_head_is_not_part_of_it(void **state)
{
    (void)state;
    size_t scanned = 0;
    assert_int_equal(lan_http_head_length("A\r\n\r\nB\r\n\r\n", 10, &scanned), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_requests_get_their_status),
        cmocka_unit_test(a_nul_anywhere_is_a_bad_request),
        cmocka_unit_test(targets_become_paths_inside_the_tree),
        cmocka_unit_test(connections_persist_as_version_and_fields_say),
        cmocka_unit_test(ranges_are_one_or_none),
        cmocka_unit_test(if_range_and_head_make_a_range_void),
        cmocka_unit_test(if_none_match_outweighs_if_modified_since),
        cmocka_unit_test(lines_may_end_in_a_bare_line_feed),
        cmocka_unit_test(a_head_that_comes_octet_by_octet_ends_at_its_empty_line),
        cmocka_unit_test(what_follows_a_head_is_not_part_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, free_memory);
}
