/* SPDX-License-Identifier: Apache-2.0 */
#include "connector.h"
#include "iperf_internal.h"

#include <errno.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

static void say_parameters(struct lan_iperf *test)
{
    char room[256];
    struct lan_text json = lan_text(room, sizeof room);
    lan_text_add(&json, "{\"tcp\":true,\"omit\":0,\"time\":");
    lan_text_number(&json, test->config.bytes ? 0 : (test->config.duration_ns + SECOND_NS - 1) / SECOND_NS);
    if (test->config.bytes) {
        lan_text_add(&json, ",\"num\":");
        lan_text_number(&json, test->config.bytes);
    }
    lan_text_add(&json, ",\"parallel\":");
    lan_text_number(&json, test->config.streams);
    if (test->config.reverse)
        lan_text_add(&json, ",\"reverse\":true");
    lan_text_add(&json, ",\"len\":131072,\"pacing_timer\":1000,\"client_version\":\"3.12\"}");
    lan_iperf_say_json(test, &json);
}

static void open_streams(struct lan_iperf *test)
{
    struct lan_stack *stack = test->control.loop->stack;
    struct lan_sockaddr_in to;
    int result = lan_getpeername(stack, test->control.fd, &to);
    for (uint32_t i = 0; result == 0 && i < test->config.streams; i++) {
        int fd = lan_connector_open(stack, &to);
        if (fd < 0) {
            result = fd;
        } else if (!lan_iperf_add_stream(test, fd)) { /* the server has asked for them before */
            lan_close(stack, fd);
            result = -EPROTO;
        }
    }
    if (result < 0)
        lan_iperf_end(test, result);
}

static void take_state(struct lan_iperf *test)
{
    switch ((uint8_t)test->in[0]) {
    case IPERF_PARAM_EXCHANGE:
        say_parameters(test);
        break;
    case IPERF_CREATE_STREAMS:
        open_streams(test);
        break;
    case IPERF_TEST_START:
        break;
    case IPERF_TEST_RUNNING:
        if (lan_iperf_all_ready(test))
            lan_iperf_run(test);
        else
            lan_iperf_end(test, -EPROTO);
        break;
    case IPERF_EXCHANGE_RESULTS:
        lan_iperf_say_results(test);
        lan_iperf_want(test, IPERF_WANT_LENGTH);
        break;
    case IPERF_DISPLAY_RESULTS:
        lan_iperf_say_state(test, IPERF_DONE);
        lan_iperf_end(test, 0);
        break;
    case IPERF_ACCESS_DENIED:
        lan_iperf_end(test, -EBUSY);
        break;
    case IPERF_SERVER_TERMINATE:
        lan_iperf_end(test, -ECONNABORTED);
        break;
    default:
        lan_iperf_end(test, -EPROTO);
    }
}

void lan_iperf_client_take(struct lan_iperf *test)
{
    if (test->phase == IPERF_WANT_STATE) {
        take_state(test);
        return;
    }
    lan_iperf_take_results(test);
    lan_iperf_want(test, IPERF_WANT_STATE);
}

/* Tells this test from others: 36 characters of RFC 4648's base 32 alphabet and a zero. */
static void make_cookie(struct lan_iperf *test, const struct lan_port *port)
{
    port->random(port->ctx, test->cookie, LAN_IPERF_COOKIE - 1);
    for (int i = 0; i < LAN_IPERF_COOKIE - 1; i++)
        test->cookie[i] = "abcdefghijklmnopqrstuvwxyz234567"[test->cookie[i] & 31];
    test->cookie[LAN_IPERF_COOKIE - 1] = '\0';
}

int lan_iperf_connect(struct lan_iperf *test, struct lan_loop *loop, const struct lan_sockaddr_in *to,
                      const struct lan_iperf_config *config)
{
    if (config->streams == 0 || config->streams > LAN_IPERF_STREAMS || (!config->bytes && !config->duration_ns))
        return -EINVAL;
    int fd = lan_connector_open(loop->stack, to);
    if (fd < 0)
        return fd;
    test->acceptor = NULL;
    test->config = *config;
    for (int i = 0; i < LAN_IPERF_STREAMS; i++)
        test->streams[i].source.loop = NULL;
    make_cookie(test, loop->port);
    lan_iperf_begin(test, loop, fd);
    test->connecting = true;
    test->sends = !config->reverse;
    test->result.reverse = config->reverse;
    test->result.streams = config->streams;
    lan_source_events(&test->control, LAN_POLLIN | LAN_POLLOUT);
    lan_iperf_say(test, test->cookie, LAN_IPERF_COOKIE);
    lan_iperf_want(test, IPERF_WANT_STATE);
    return 0;
}
