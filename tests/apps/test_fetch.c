/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching: from our own server, and from one that the test plays. */
#include "http_fixture.h"
#include "lanyard/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct lan_fetch fetch;
static char body[BIG_BYTES];
static size_t body_bytes;
static int error_of_done;
static bool over, refuse_data, cancel_at_data;

static bool take_data(struct lan_fetch *which, const void *data, size_t bytes)
{
    assert_ptr_equal(which, &fetch);
    assert_true(which->status != 0);
    assert_true(body_bytes + bytes <= sizeof body);
    memcpy(body + body_bytes, data, bytes);
    body_bytes += bytes;
    if (cancel_at_data)
        lan_fetch_cancel(which);
    return !refuse_data;
}

static void take_done(struct lan_fetch *which, int error)
{
    assert_ptr_equal(which, &fetch);
    assert_false(over);
    error_of_done = error;
    over = true;
}

static bool is_over(void *arg)
{
    (void)arg;
    return over;
}

static int start(const char *url)
{
    fetch = (struct lan_fetch){.data = take_data, .done = take_done};
    body_bytes = 0;
    over = refuse_data = cancel_at_data = false;
    return lan_fetch_start(&fetch, &http.world->loop, url);
}

static void finish(int error)
{
    world_until(http.world, is_over, NULL);
    assert_int_equal(error_of_done, error);
}

/* A server for one connection, which answers with `answer` and closes. */
static int listener = -1;

static void serve_bytes(const char *answer, size_t bytes, bool octet_by_octet)
{
    struct lan_stack *stack = http.world->stack;
    struct lan_sockaddr_in address = lan_sockaddr(0, 81);
    listener = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    assert_int_equal(lan_bind(stack, listener, &address), 0);
    assert_int_equal(lan_listen(stack, listener, 1), 0);
    assert_int_equal(start("http://127.0.0.1:81/x"), 0);
    world_pass_ms(http.world, 100);
    int fd = lan_accept(stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(fd >= 0);
    char request[1024];
    assert_true(lan_recv(stack, fd, request, sizeof request, 0) > 0);
    for (size_t at = 0, step = octet_by_octet ? 1 : bytes; at < bytes && !over; at += step) {
        lan_send(stack, fd, answer + at, step, 0);
        world_pass_ms(http.world, 1);
    }
    lan_close(stack, fd);
    lan_close(stack, listener);
}

static void serve(const char *answer, bool octet_by_octet)
{
    serve_bytes(answer, strlen(answer), octet_by_octet);
}

static void expect_answer(const char *answer, int error, int status, const char *text)
{
    for (int octet_by_octet = 0; octet_by_octet <= 1; octet_by_octet++) {
        serve(answer, octet_by_octet);
        finish(error);
        assert_int_equal(fetch.status, status);
        assert_int_equal(body_bytes, strlen(text));
        assert_memory_equal(body, text, strlen(text));
    }
}

static void a_file_of_our_own_server_arrives_whole(void **state)
{
    (void)state;
    assert_int_equal(start("http://127.0.0.1/big.bin"), 0);
    finish(0);
    assert_int_equal(fetch.status, 200);
    assert_int_equal(fetch.content_length, BIG_BYTES);
    assert_int_equal(fetch.body_bytes, BIG_BYTES);
    assert_int_equal(body_bytes, BIG_BYTES);
    assert_memory_equal(body, big, BIG_BYTES);
    assert_true(fetch.end_ns >= fetch.start_ns);
}

static void a_listing_arrives_out_of_its_chunks(void **state)
{
    (void)state;
    assert_int_equal(start("http://127.0.0.1:80/list/"), 0);
    finish(0);
    assert_int_equal(fetch.content_length, -1);
    assert_memory_equal(body, "<!DOCTYPE html>", 15);
    assert_memory_equal(body + body_bytes - 6, "</ul>\n", 6);
}

static void a_missing_file_is_a_status_and_no_error(void **state)
{
    (void)state;
    assert_int_equal(start("http://127.0.0.1/nothing"), 0);
    finish(0);
    assert_int_equal(fetch.status, 404);
}

static void bodies_of_every_framing_arrive(void **state)
{
    (void)state;
    expect_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 200, "hello");
    expect_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", 0, 200, "hello");
    expect_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 200, "");
    expect_answer("HTTP/1.0 200 OK\r\n\r\nhello", 0, 200, "hello");
    expect_answer("HTTP/1.1 200\r\n\r\n", 0, 200, "");
    expect_answer("HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", 0, 200, "hello");
    expect_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", 0, 200,
                  "hello");
    expect_answer(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 9\r\n\r\n005\r\nhello\r\n0\r\nTrailer: "
        "x\r\n\r\n",
        0, 200, "hello");
    expect_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                  0, 200, "hello");
    expect_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 200, "");
    expect_answer("HTTP/1.1 204 No Content\r\n\r\n", 0, 204, "");
    expect_answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 0, 200, "hi");
    expect_answer("HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nhi", 0, 301, "hi");
}

static void what_is_cut_off_is_an_error(void **state)
{
    (void)state;
    expect_answer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", -EPIPE, 200, "hello");
    expect_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", -EPIPE, 200, "hello");
    expect_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", -EPIPE, 200, "hello");
    expect_answer("HTTP/1.1 200 O", -EPIPE, 0, "");
}

static void what_is_not_http_is_an_error(void **state)
{
    (void)state;
    static const char *const ANSWERS[] = {
        "SSH-2.0-x\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
    };
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        serve(ANSWERS[i], false);
        finish(-EPROTO);
        assert_int_equal(body_bytes, 0);
    }
    expect_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", -EPROTO, 200,
                  "hello");
}

static void a_zero_octet_in_a_line_is_an_error(void **state)
{
    (void)state;
    static const char HEAD[] = "HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n";
    static const char SIZE[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\0\r\nhello\r\n0\r\n\r\n";
    static const char TRAILER[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: \0\r\n\r\n";
    for (int octet_by_octet = 0; octet_by_octet <= 1; octet_by_octet++) {
        serve_bytes(HEAD, sizeof HEAD - 1, octet_by_octet);
        finish(-EPROTO);
        serve_bytes(SIZE, sizeof SIZE - 1, octet_by_octet);
        finish(-EPROTO);
        serve_bytes(TRAILER, sizeof TRAILER - 1, octet_by_octet);
        finish(-EPROTO);
        assert_int_equal(body_bytes, 0);
    }
}

static void a_head_without_end_is_an_error(void **state)
{
    (void)state;
    static char answer[LAN_FETCH_BUFFER_BYTES + 100];
    memset(answer, 'a', sizeof answer - 1);
    memcpy(answer, "HTTP/1.1 200 OK\r\nX: ", 20);
    serve(answer, false);
    finish(-EPROTO);
}

static void silence_ends_in_a_time_out(void **state)
{
    (void)state;
    struct lan_stack *stack = http.world->stack;
    struct lan_sockaddr_in address = lan_sockaddr(0, 81);
    listener = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    lan_bind(stack, listener, &address);
    lan_listen(stack, listener, 1);
    assert_int_equal(start("http://127.0.0.1:81"), 0);
    fetch.timeout_ns = 0;
    finish(-ETIMEDOUT);
    assert_int_equal((fetch.end_ns - fetch.start_ns) / 1000000000, 30);
    lan_close(stack, listener);
}

static void a_port_nobody_listens_on_is_refused(void **state)
{
    (void)state;
    assert_int_equal(start("http://127.0.0.1:82/"), 0);
    finish(-ECONNREFUSED);
    assert_int_equal(fetch.status, 0);
}

static void a_caller_that_wants_no_more_gets_no_more(void **state)
{
    (void)state;
    assert_int_equal(start("http://127.0.0.1/big.bin"), 0);
    refuse_data = true;
    finish(-ECANCELED);
    assert_true(body_bytes <= LAN_FETCH_BUFFER_BYTES);
}

static void a_cancelled_fetch_is_silent(void **state)
{
    (void)state;
    assert_int_equal(start("http://127.0.0.1/big.bin"), 0);
    world_pass_ms(http.world, 0);
    lan_fetch_cancel(&fetch);
    lan_fetch_cancel(&fetch);
    world_pass_ms(http.world, 100000);
    assert_false(over);
}

static void a_fetch_may_be_cancelled_while_it_hands_on_data(void **state)
{
    (void)state;
    for (int refuse = 0; refuse <= 1; refuse++) {
        assert_int_equal(start("http://127.0.0.1/big.bin"), 0);
        cancel_at_data = true;
        refuse_data = refuse;
        world_pass_ms(http.world, 100000);
        assert_false(over);
        assert_true(body_bytes > 0 && body_bytes <= LAN_FETCH_BUFFER_BYTES);
    }
}

static void bad_urls_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "127.0.0.1/",
        "https://127.0.0.1/",
        "http://",
        "http:///x",
        "http://example/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1x/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nX: y",
        "http://127.0.0.1/a#b",
    };
    static char longest[LAN_FETCH_URL_BYTES + 2];
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        assert_int_equal(start(BAD[i]), -EINVAL);
    memset(longest, 'a', sizeof longest - 1);
    memcpy(longest, "http://127.0.0.1/", 17);
    assert_int_equal(start(longest), -EINVAL);
    longest[LAN_FETCH_URL_BYTES] = '\0';
    assert_int_equal(start(longest), 0);
    finish(0);
    assert_int_equal(fetch.status, 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_file_of_our_own_server_arrives_whole),
        HTTP_TEST(a_listing_arrives_out_of_its_chunks),
        HTTP_TEST(a_missing_file_is_a_status_and_no_error),
        HTTP_TEST(bodies_of_every_framing_arrive),
        HTTP_TEST(what_is_cut_off_is_an_error),
        HTTP_TEST(what_is_not_http_is_an_error),
        HTTP_TEST(a_zero_octet_in_a_line_is_an_error),
        HTTP_TEST(a_head_without_end_is_an_error),
        HTTP_TEST(silence_ends_in_a_time_out),
        HTTP_TEST(a_port_nobody_listens_on_is_refused),
        HTTP_TEST(a_caller_that_wants_no_more_gets_no_more),
        HTTP_TEST(a_cancelled_fetch_is_silent),
        HTTP_TEST(a_fetch_may_be_cancelled_while_it_hands_on_data),
        HTTP_TEST(bad_urls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
