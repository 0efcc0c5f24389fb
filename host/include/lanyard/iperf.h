/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_IPERF_H
#define LANYARD_IPERF_H

/* Both ends of iperf3's TCP test, as its version 3.12 speaks it: a control connection that exchanges states and JSON,
 * and data connections beside it. Understood: the number of streams, the time or the number of bytes, and the reverse
 * direction. Refused: UDP, SCTP and both directions at once.
 */

#include "lanyard/acceptor.h"

enum { LAN_IPERF_PORT = 5201, LAN_IPERF_STREAMS = 8, LAN_IPERF_COOKIE = 37, LAN_IPERF_TEXT = 4096 };

struct lan_iperf_config {
    uint64_t duration_ns; /* how long to test; whole seconds are told to the server */
    uint64_t bytes;       /* if not 0: how much to move instead */
    uint32_t streams;     /* 1 to LAN_IPERF_STREAMS */
    bool reverse;         /* the server sends */
};

struct lan_iperf_result {
    int error; /* 0, or a negative errno; -EBUSY: the server has another test, -EPROTO: the peer made no sense,
                * -ETIMEDOUT: nothing happened for half a minute */
    bool reverse;
    uint32_t streams;
    uint64_t bytes;            /* that this end sent or received */
    uint64_t peer_bytes;       /* that the peer says it did */
    uint64_t start_ns, end_ns; /* of the test proper */
};

struct lan_iperf;

struct lan_iperf_stream {
    struct lan_source source;
    struct lan_iperf *test;
    uint64_t bytes;
    uint32_t cookie_bytes; /* that have come or gone */
    char cookie[LAN_IPERF_COOKIE];
    bool ready;
};

/* One test. */
struct lan_iperf {
    /* The caller's; done is called once at the end of a test (may be NULL), and the structure is free again then. */
    void (*done)(struct lan_iperf *test, const struct lan_iperf_result *result);
    void *arg;

    struct lan_iperf_result result; /* may be read at any time */

    /* iperf.c's. */
    struct lan_iperf_config config;
    struct lan_acceptor *acceptor; /* the server's; NULL: this is a client */
    struct lan_source control;
    struct lan_iperf_stream streams[LAN_IPERF_STREAMS];
    char cookie[LAN_IPERF_COOKIE];
    uint32_t phase, wanted; /* what is to come over the control connection, and how many octets that is */
    uint32_t in_bytes, out_bytes, out_sent;
    uint32_t number;     /* of the test, so that the end of one is seen */
    uint64_t seen_bytes; /* moved when the patience began */
    bool connecting, sends, running;
    char in[LAN_IPERF_TEXT + 1], out[LAN_IPERF_TEXT];
};

/* Serves one test after another; meanwhile others are told that it is busy. test.done and test.arg are the caller's. */
struct lan_iperf_server {
    struct lan_acceptor acceptor;
    struct lan_iperf test;
};

/* `port` in host byte order. 0, or what the socket calls said. */
int lan_iperf_listen(struct lan_iperf_server *server, struct lan_loop *loop, uint16_t port);
void lan_iperf_server_close(struct lan_iperf_server *server);

/* 0, -EINVAL for a configuration that is none, or what the socket calls said; done() comes later. `to` is copied. */
int lan_iperf_connect(struct lan_iperf *test, struct lan_loop *loop, const struct lan_sockaddr_in *to,
                      const struct lan_iperf_config *config);

/* Ends it at once; done() is not called. Allowed at any time after a lan_iperf_connect() that gave 0, also when it is
 * over. */
void lan_iperf_cancel(struct lan_iperf *test);

/* Bits per second; 0 when no time has passed. */
uint64_t lan_iperf_rate(const struct lan_iperf_result *result);

#endif
