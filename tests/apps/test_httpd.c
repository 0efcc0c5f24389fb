/* SPDX-License-Identifier: Apache-2.0 */
/* What the web server answers to one client. */
#include "http_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOST " HTTP/1.1\r\nHost: a\r\n"

static struct client *client;

/* A request on the connection of the test, which is opened if need be. */
static struct response ask(const char *head)
{
    if (!client)
        client = client_connect(http.world, 80);
    client_take(client, client->bytes);
    client_send(client, head);
    return http_response(client, strncmp(head, "HEAD ", 5) == 0);
}

static void hang_up(void)
{
    client_close(client);
    client = NULL;
}

static int tear_down(void **state)
{
    if (client)
        hang_up();
    return http_tear_down(state);
}

static void expect_body(const struct response *response, const char *text)
{
    assert_int_equal(response->body_bytes, strlen(text));
    assert_memory_equal(response->body, text, strlen(text));
}

static void a_file_comes_with_length_type_and_date(void **state)
{
    (void)state;
    struct response response = ask("GET /a.txt" HOST "\r\n");
    assert_int_equal(response.status, 200);
    expect_body(&response, "0123456789");
    assert_string_equal(http_field(&response, "Content-Length"), "10");
    assert_string_equal(http_field(&response, "Content-Type"), "text/plain; charset=utf-8");
    assert_string_equal(http_field(&response, "Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(http_field(&response, "Accept-Ranges"), "bytes");
}

static void head_gives_the_same_head_and_no_body(void **state)
{
    (void)state;
    struct response get = ask("GET /a.txt" HOST "\r\n");
    struct response head = ask("HEAD /a.txt" HOST "\r\n");
    assert_string_equal(head.head, get.head);
    assert_int_equal(client->bytes, head.bytes);
    assert_int_equal(ask("GET /a.txt" HOST "\r\n").status, 200); /* and nothing stands in the way of the next */
}

static void an_empty_file_has_length_zero(void **state)
{
    (void)state;
    struct response response = ask("GET /empty.txt" HOST "\r\n");
    assert_int_equal(response.status, 200);
    assert_string_equal(http_field(&response, "Content-Length"), "0");
    assert_int_equal(ask("GET /a.txt" HOST "\r\n").status, 200);
}

static void a_large_file_arrives_whole(void **state)
{
    (void)state;
    struct response response = ask("GET /big.bin" HOST "\r\n");
    assert_int_equal(response.body_bytes, BIG_BYTES);
    assert_memory_equal(response.body, big, BIG_BYTES);
    assert_string_equal(http_field(&response, "Content-Type"), "application/octet-stream");
    assert_int_equal(http.stats->body_bytes, BIG_BYTES);
}

static void ranges_give_their_part(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        int status;
        const char *body, *content_range;
    } TABLE[] = {
        {"bytes=0-0", 206, "0", "bytes 0-0/10"},
        {"bytes=2-5", 206, "2345", "bytes 2-5/10"},
        {"bytes=7-", 206, "789", "bytes 7-9/10"},
        {"bytes=7-99", 206, "789", "bytes 7-9/10"},
        {"bytes=-3", 206, "789", "bytes 7-9/10"},
        {"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=0-18446744073709551615", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=10-", 416, "Range Not Satisfiable\n", "bytes */10"},
        {"bytes=-0", 416, "Range Not Satisfiable\n", "bytes */10"},
        {"bytes=0-1,3-4", 200, "0123456789", NULL},
        {"bytes=5-2", 200, "0123456789", NULL},
    };
    char head[256];
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        snprintf(head, sizeof head, "GET /a.txt" HOST "Range: %s\r\n\r\n", TABLE[i].range);
        struct response response = ask(head);
        assert_int_equal(response.status, TABLE[i].status);
        expect_body(&response, TABLE[i].body);
        const char *content_range = http_field(&response, "Content-Range");
        assert_int_equal(content_range != NULL, TABLE[i].content_range != NULL);
        if (content_range)
            assert_string_equal(content_range, TABLE[i].content_range);
    }
}

static void no_range_of_an_empty_file_can_be_satisfied(void **state)
{
    (void)state;
    assert_int_equal(ask("GET /empty.txt" HOST "Range: bytes=0-\r\n\r\n").status, 416);
    assert_int_equal(ask("GET /empty.txt" HOST "Range: bytes=-1\r\n\r\n").status, 416);
    assert_int_equal(ask("GET /empty.txt" HOST "\r\n").status, 200);
}

static void a_range_in_the_middle_of_a_large_file_is_right(void **state)
{
    (void)state;
    struct response response = ask("GET /big.bin" HOST "Range: bytes=1000001-2000000\r\n\r\n");
    assert_int_equal(response.body_bytes, 1000000);
    assert_memory_equal(response.body, big + 1000001, 1000000);
}

static void an_unchanged_file_is_not_sent_again(void **state)
{
    (void)state;
    struct response response = ask("GET /a.txt" HOST "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    assert_int_equal(response.status, 304);
    assert_null(http_field(&response, "Content-Length"));
    assert_int_equal(ask("HEAD /a.txt" HOST "If-Modified-Since: Sun Nov  6 08:49:38 1994\r\n\r\n").status, 304);
    assert_int_equal(ask("GET /a.txt" HOST "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n\r\n").status, 200);
}

static void what_is_missing_is_404_and_the_connection_lives(void **state)
{
    (void)state;
    assert_int_equal(ask("GET /nothing" HOST "\r\n").status, 404);
    assert_int_equal(ask("GET /a.txt/" HOST "\r\n").status, 404);
    assert_int_equal(ask("HEAD /nothing" HOST "\r\n").status, 404);
    assert_int_equal(ask("GET /a.txt" HOST "\r\n").status, 200);
    assert_int_equal(http.stats->connections, 1);
}

static void errors_of_the_content_have_their_status(void **state)
{
    (void)state;
    static const struct {
        int error, status;
    } TABLE[] = {{-ENOENT, 404}, {-ENOTDIR, 404}, {-ENAMETOOLONG, 404}, {-EACCES, 403},
                 {-ELOOP, 403},  {-EMFILE, 503},  {-ENOMEM, 503},       {-EIO, 500}};
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        http.tree.open_error = TABLE[i].error;
        assert_int_equal(ask("GET /a.txt" HOST "\r\n").status, TABLE[i].status);
    }
}

static void a_folder_is_its_index(void **state)
{
    (void)state;
    struct response response = ask("GET /" HOST "\r\n");
    expect_body(&response, "<p>home");
    assert_string_equal(http_field(&response, "Content-Type"), "text/html; charset=utf-8");
    response = ask("GET /docs/" HOST "\r\n");
    expect_body(&response, "docs");
}

static void a_folder_without_slash_is_redirected(void **state)
{
    (void)state;
    struct response response = ask("GET /list/sub" HOST "\r\n");
    assert_int_equal(response.status, 301);
    assert_string_equal(http_field(&response, "Location"), "./sub/");
}

static void a_folder_without_index_is_listed_and_escaped(void **state)
{
    (void)state;
    struct response response = ask("GET /list/" HOST "\r\n");
    assert_int_equal(response.status, 200);
    assert_string_equal(http_field(&response, "Transfer-Encoding"), "chunked");
    expect_body(&response, "<!DOCTYPE html>\n<title>Index</title>\n<ul>\n<li><a href=\"../\">../</a>\n"
                           "<li><a href=\"./q%26a%20%3C1%3E.txt\">q&amp;a &lt;1&gt;.txt</a>\n"
                           "<li><a href=\"./sub/\">sub/</a>\n<li><a href=\"./x.txt\">x.txt</a>\n</ul>\n");
    response = ask("GET /void/" HOST "\r\n");
    expect_body(&response, "<!DOCTYPE html>\n<title>Index</title>\n<ul>\n<li><a href=\"../\">../</a>\n</ul>\n");
    assert_int_equal(ask("HEAD /list/" HOST "\r\n").status, 200);
    assert_int_equal(ask("GET /a.txt" HOST "\r\n").status, 200);
}

static void a_listing_for_http_1_0_ends_with_the_connection(void **state)
{
    (void)state;
    struct response response = ask("GET /list/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_null(http_field(&response, "Transfer-Encoding"));
    assert_string_equal(http_field(&response, "Connection"), "close");
    assert_memory_equal(response.body + response.body_bytes - 6, "</ul>\n", 6);
}

static void connections_close_when_version_or_client_say_so(void **state)
{
    (void)state;
    static const char *const HEADS[] = {
        "GET /a.txt HTTP/1.0\r\n\r\n",
        "GET /a.txt" HOST "Connection: close\r\n\r\n",
        "GET /a.txt" HOST "Content-Length: 3\r\n\r\nxyz",
    };
    for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
        struct response response = ask(HEADS[i]);
        expect_body(&response, "0123456789");
        assert_string_equal(http_field(&response, "Connection"), "close");
        client_expect_end(client);
        assert_int_equal(client->error, 0);
        hang_up();
    }
    struct response response = ask("GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_string_equal(http_field(&response, "Connection"), "keep-alive");
    assert_int_equal(ask("GET /a.txt HTTP/1.0\r\n\r\n").status, 200);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    client = client_connect(http.world, 80);
    for (int i = 0; i < COUNT; i++)
        client_send(client, i % 3 ? "GET /a.txt" HOST "Range: bytes=3-4\r\n\r\n" : "GET /nothing" HOST "\r\n");
    for (int i = 0; i < COUNT; i++) {
        struct response response = http_expect(client, i % 3 ? 206 : 404);
        client_take(client, response.bytes);
    }
    assert_int_equal(client->bytes, 0);
    assert_int_equal(http.stats->requests, COUNT);
}

static void empty_lines_between_requests_are_skipped(void **state)
{
    (void)state;
    assert_int_equal(ask("\r\n\r\nGET /a.txt" HOST "\r\n\r\n\r\n").status, 200);
    assert_int_equal(ask("GET /a.txt" HOST "\r\n").status, 200);
}

static void bad_requests_are_answered_and_the_connection_closed(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int status;
    } TABLE[] = {
        {"NONSENSE\r\n\r\n", 400},       {"GET /../x" HOST "\r\n", 403}, {"GET /%2e%2e/x" HOST "\r\n", 403},
        {"GET /%00" HOST "\r\n", 400},   {"BREW /" HOST "\r\n", 501},    {"GET / HTTP/3.0\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\n\r\n", 400},
    };
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        assert_int_equal(ask(TABLE[i].head).status, TABLE[i].status);
        client_expect_end(client);
        assert_int_equal(client->error, 0);
        hang_up();
    }
    assert_int_equal(http.stats->responses[4], 5);
    assert_int_equal(http.stats->responses[5], 2);
}

static void other_methods_are_told_what_is_allowed(void **state)
{
    (void)state;
    struct response response = ask("DELETE /a.txt" HOST "\r\n");
    assert_int_equal(response.status, 405);
    assert_string_equal(http_field(&response, "Allow"), "GET, HEAD");
}

static void a_refused_upload_still_gets_its_answer(void **state)
{
    (void)state;
    client = client_connect(http.world, 80);
    client_send(client, "POST /x" HOST "Content-Length: 500000\r\n\r\n");
    for (int i = 0; i < 50; i++)
        client_send_bytes(client, big, 10000);
    http_expect(client, 405);
    client_expect_end(client);
    assert_int_equal(client->error, 0); /* no reset that would have destroyed the answer */
}

static void too_long_a_line_is_414_and_too_long_a_head_431(void **state)
{
    (void)state;
    char line[512];
    memset(line, 'a', sizeof line);
    http.config.request_bytes = 1024;
    http_restart();
    client = client_connect(http.world, 80);
    client_send(client, "GET /");
    client_send_bytes(client, line, sizeof line);
    client_send_bytes(client, line, sizeof line);
    http_expect(client, 414);
    hang_up();

    client = client_connect(http.world, 80);
    client_send(client, "GET /" HOST);
    for (int i = 0; i < 100; i++)
        client_send(client, "X: 0123456789\r\n");
    http_expect(client, 431);
}

static void a_request_of_just_the_limit_is_served(void **state)
{
    (void)state;
    char head[1025];
    http.config.request_bytes = 1024;
    http_restart();
    int zeros = (int)(http.config.request_bytes - strlen("GET /a.txt" HOST "X: \r\n\r\n"));
    snprintf(head, sizeof head, "GET /a.txt" HOST "X: %0*d\r\n\r\n", zeros, 0);
    assert_int_equal(strlen(head), http.config.request_bytes);
    assert_int_equal(ask(head).status, 200);
}

static void a_request_may_come_octet_by_octet(void **state)
{
    (void)state;
    static const char HEAD[] = "GET /a.txt" HOST "Range: bytes=1-1\r\n\r\n";
    client = client_connect(http.world, 80);
    for (size_t i = 0; i < sizeof HEAD - 1; i++) {
        client_send_bytes(client, HEAD + i, 1);
        world_pass_ms(http.world, 10);
    }
    http_expect(client, 206);
}

static void a_client_that_closes_its_half_still_gets_its_file(void **state)
{
    (void)state;
    client = client_connect(http.world, 80);
    client_send(client, "GET /big.bin" HOST "\r\n");
    lan_shutdown(http.world->stack, client->fd, LAN_SHUT_WR);
    struct response response = http_expect(client, 200);
    assert_int_equal(response.body_bytes, BIG_BYTES);
    client_expect_end(client);
    assert_int_equal(client->error, 0);
}

static void a_file_that_shrinks_meanwhile_ends_in_a_reset(void **state)
{
    (void)state;
    client = client_connect(http.world, 80);
    client_send(client, "GET /big.bin" HOST "\r\n");
    client_expect_bytes(client, 1000);
    http.tree.entries[4].size = 500000;
    client_expect_end(client);
    assert_int_equal(client->error, -ECONNRESET);
    assert_true(client->bytes < BIG_BYTES);
    assert_int_equal(http.stats->responses[0], 1);
    assert_int_equal(http.tree.open, 0);
}

static void a_file_that_grows_meanwhile_keeps_its_promised_length(void **state)
{
    (void)state;
    http.tree.entries[4].size = 1000000;
    client = client_connect(http.world, 80);
    client_send(client, "GET /big.bin" HOST "\r\n");
    client_expect_bytes(client, 1000);
    http.tree.entries[4].size = BIG_BYTES;
    assert_int_equal(http_expect(client, 200).body_bytes, 1000000);
    world_pass_ms(http.world, 1000);
    client_receive(client);
    assert_int_equal(http.stats->responses[2], 1);
}

static void impossible_configurations_are_refused(void **state)
{
    (void)state;
    struct lan_httpd_config config = LAN_HTTPD_CONFIG_DEFAULT;
    int error = 0;
    config.connections = 0;
    assert_null(lan_httpd_create(NULL, &http.world->loop, &http.tree.content, &config, &error));
    assert_int_equal(error, -EINVAL);
}

static void a_port_in_use_is_an_error(void **state)
{
    (void)state;
    static char memory[1 << 16];
    struct lan_httpd_config config = LAN_HTTPD_CONFIG_DEFAULT;
    int error = 0;
    config.connections = 1;
    assert_null(lan_httpd_create(memory, &http.world->loop, &http.tree.content, &config, &error));
    assert_int_equal(error, -EADDRINUSE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, http_set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_comes_with_length_type_and_date),
        TEST(head_gives_the_same_head_and_no_body),
        TEST(an_empty_file_has_length_zero),
        TEST(a_large_file_arrives_whole),
        TEST(ranges_give_their_part),
        TEST(no_range_of_an_empty_file_can_be_satisfied),
        TEST(a_range_in_the_middle_of_a_large_file_is_right),
        TEST(an_unchanged_file_is_not_sent_again),
        TEST(what_is_missing_is_404_and_the_connection_lives),
        TEST(errors_of_the_content_have_their_status),
        TEST(a_folder_is_its_index),
        TEST(a_folder_without_slash_is_redirected),
        TEST(a_folder_without_index_is_listed_and_escaped),
        TEST(a_listing_for_http_1_0_ends_with_the_connection),
        TEST(connections_close_when_version_or_client_say_so),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(empty_lines_between_requests_are_skipped),
        TEST(bad_requests_are_answered_and_the_connection_closed),
        TEST(other_methods_are_told_what_is_allowed),
        TEST(a_refused_upload_still_gets_its_answer),
        TEST(too_long_a_line_is_414_and_too_long_a_head_431),
        TEST(a_request_of_just_the_limit_is_served),
        TEST(a_request_may_come_octet_by_octet),
        TEST(a_client_that_closes_its_half_still_gets_its_file),
        TEST(a_file_that_shrinks_meanwhile_ends_in_a_reset),
        TEST(a_file_that_grows_meanwhile_keeps_its_promised_length),
        TEST(impossible_configurations_are_refused),
        TEST(a_port_in_use_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
