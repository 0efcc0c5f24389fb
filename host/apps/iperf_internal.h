/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_IPERF_INTERNAL_H
#define LANYARD_IPERF_INTERNAL_H

/* iperf.c: the connections, which are the same at both ends   iperf_json.c: reading JSON
 * iperf_server.c, iperf_client.c: what follows what */

#include "lanyard/iperf.h"
#include "text.h"

/* The states of the control connection, one octet each. */
enum {
    IPERF_TEST_START = 1,
    IPERF_TEST_RUNNING = 2,
    IPERF_TEST_END = 4,
    IPERF_PARAM_EXCHANGE = 9,
    IPERF_CREATE_STREAMS = 10,
    IPERF_SERVER_TERMINATE = 11,
    IPERF_CLIENT_TERMINATE = 12,
    IPERF_EXCHANGE_RESULTS = 13,
    IPERF_DISPLAY_RESULTS = 14,
    IPERF_DONE = 16,
    IPERF_SERVER_ERROR = 254,
    IPERF_ACCESS_DENIED = 255,
};

enum iperf_phase { IPERF_WANT_COOKIE, IPERF_WANT_STATE, IPERF_WANT_LENGTH, IPERF_WANT_JSON };

/* What has come over the control connection: test->in, by test->phase. */
void lan_iperf_server_take(struct lan_iperf *test);
void lan_iperf_client_take(struct lan_iperf *test);

/* Starts a test on a control connection. */
void lan_iperf_begin(struct lan_iperf *test, struct lan_loop *loop, int fd);

/* Ends it: all connections are closed, and done() is called. */
void lan_iperf_end(struct lan_iperf *test, int error);
static inline bool lan_iperf_active(const struct lan_iperf *test)
{
    return test->control.loop != NULL;
}

void lan_iperf_want(struct lan_iperf *test, enum iperf_phase phase);
void lan_iperf_say(struct lan_iperf *test, const void *octets, size_t bytes);
void lan_iperf_say_state(struct lan_iperf *test, uint8_t state);
void lan_iperf_say_json(struct lan_iperf *test, const struct lan_text *json);
void lan_iperf_say_results(struct lan_iperf *test);
void lan_iperf_take_results(struct lan_iperf *test);

/* A data connection; false: there are as many as the test has. */
bool lan_iperf_add_stream(struct lan_iperf *test, int fd);
bool lan_iperf_all_ready(const struct lan_iperf *test);
void lan_iperf_run(struct lan_iperf *test);
void lan_iperf_stop(struct lan_iperf *test); /* sends no more */

/* What follows `"key":` in `json` from there on, or NULL; the number there: true is 1, what is none is 0. */
const char *lan_iperf_find(const char *json, const char *key);
uint64_t lan_iperf_number(const char *value);

#endif
