/* SPDX-License-Identifier: Apache-2.0 */
#include "iperf_internal.h"

#include <errno.h>
#include <string.h>

enum { BACKLOG = 16, STRANGERS = 2 /* connections beside those of a test that may say who they are */ };

/* What it asks for that we have not got; iperf3 shows the text that belongs to the number. */
static void refuse(struct lan_iperf *test)
{
    enum { UNIMPLEMENTED_OPTION = 13 };
    static const uint8_t ERROR[] = {IPERF_SERVER_ERROR, 0, 0, 0, UNIMPLEMENTED_OPTION, 0, 0, 0, 0};
    lan_iperf_say(test, ERROR, sizeof ERROR);
    lan_iperf_end(test, -EOPNOTSUPP);
}

static void take_parameters(struct lan_iperf *test)
{
    uint64_t streams = lan_iperf_number(lan_iperf_find(test->in, "parallel"));
    test->config = (struct lan_iperf_config){.streams = streams ? (uint32_t)streams : 1};
    test->config.reverse = lan_iperf_number(lan_iperf_find(test->in, "reverse"));
    if (streams > LAN_IPERF_STREAMS || !lan_iperf_number(lan_iperf_find(test->in, "tcp")) ||
        lan_iperf_number(lan_iperf_find(test->in, "bidirectional"))) {
        refuse(test);
        return;
    }
    if (test->config.reverse)
        test->config.bytes = lan_iperf_number(lan_iperf_find(test->in, "num"));
    test->sends = test->result.reverse = test->config.reverse;
    test->result.streams = test->config.streams;
    lan_iperf_say_state(test, IPERF_CREATE_STREAMS);
    lan_iperf_want(test, IPERF_WANT_STATE);
}

static void take_state(struct lan_iperf *test)
{
    switch ((uint8_t)test->in[0]) {
    case IPERF_TEST_END:
        lan_iperf_stop(test);
        lan_iperf_say_state(test, IPERF_EXCHANGE_RESULTS);
        lan_iperf_want(test, IPERF_WANT_LENGTH);
        break;
    case IPERF_DONE:
        lan_iperf_end(test, 0);
        break;
    case IPERF_CLIENT_TERMINATE:
        lan_iperf_end(test, -ECONNABORTED);
        break;
    default:
        lan_iperf_end(test, -EPROTO);
    }
}

void lan_iperf_server_take(struct lan_iperf *test)
{
    switch (test->phase) {
    case IPERF_WANT_COOKIE:
        memcpy(test->cookie, test->in, LAN_IPERF_COOKIE);
        lan_iperf_say_state(test, IPERF_PARAM_EXCHANGE);
        lan_iperf_want(test, IPERF_WANT_LENGTH);
        break;
    case IPERF_WANT_JSON:
        if (test->config.streams == 0) {
            take_parameters(test);
            break;
        }
        lan_iperf_take_results(test);
        lan_iperf_say_results(test);
        lan_iperf_say_state(test, IPERF_DISPLAY_RESULTS);
        lan_iperf_want(test, IPERF_WANT_STATE);
        break;
    default:
        take_state(test);
    }
}

static void accepted(struct lan_acceptor *acceptor, int fd)
{
    static const uint8_t DENIED = IPERF_ACCESS_DENIED;
    struct lan_iperf *test = &((struct lan_iperf_server *)acceptor)->test;
    if (!lan_iperf_active(test)) {
        test->config = (struct lan_iperf_config){0};
        lan_iperf_begin(test, acceptor->source.loop, fd);
        lan_iperf_want(test, IPERF_WANT_COOKIE);
        return;
    }
    if (!test->running && test->result.start_ns == 0 && lan_iperf_add_stream(test, fd))
        return;
    lan_send(acceptor->source.loop->stack, fd, &DENIED, 1, 0);
    lan_close(acceptor->source.loop->stack, fd);
    lan_acceptor_release(acceptor);
}

int lan_iperf_listen(struct lan_iperf_server *server, struct lan_loop *loop, uint16_t port)
{
    server->test.acceptor = &server->acceptor;
    server->test.control.loop = NULL;
    for (int i = 0; i < LAN_IPERF_STREAMS; i++)
        server->test.streams[i].source.loop = NULL;
    return lan_acceptor_open(&server->acceptor, loop, port, BACKLOG, 1 + LAN_IPERF_STREAMS + STRANGERS, accepted);
}

void lan_iperf_server_close(struct lan_iperf_server *server)
{
    lan_iperf_cancel(&server->test);
    lan_acceptor_close(&server->acceptor);
}
