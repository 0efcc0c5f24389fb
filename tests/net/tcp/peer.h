/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_PEER_H
#define LANYARD_TESTS_NET_TCP_PEER_H

/* The other end of one TCP connection, played by the test segment by segment. Sequence numbers are relative: 0 is the
 * SYN, 1 the first byte of data, on both sides. Byte n of either stream is stream_byte(n).
 */

#include "../cmocka_all.h"
#include "../fixture.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };
enum { MSS = 1460, HOST_PORT = 80, PEER_PORT = 40000 };

struct peer {
    struct fixture *f;
    uint32_t iss, host_iss;
    uint16_t port, host_port;
    uint16_t window; /* announced by every segment */
    uint8_t tos;     /* of the packets that carry them */
    int fd;          /* the host's socket of this connection */
};

/* What the host sent, seq and ack relative. */
struct sent {
    uint8_t flags, tos;
    bool dont_fragment;
    uint32_t seq, ack, bytes;
    uint16_t window;
    uint8_t options[40];
    uint32_t option_bytes;
};

uint8_t stream_byte(uint32_t n);

/* What sequence numbers begin with: `otherwise`, or what the environment says (peer_wrap.c). */
uint32_t peer_first_number(uint32_t otherwise);

/* A peer that has not opened a connection yet; the host knows its MAC address. */
struct peer peer_of(struct fixture *f);

/* The peer sends. `bytes` of its stream from `seq` on. */
void from_peer(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes);
void from_peer_options(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, const void *options, uint32_t bytes);

/* Builds the frame only; the test changes it and injects it. */
void peer_frame(const struct peer *p, struct frame *frame, uint8_t flags, uint32_t seq, uint32_t ack,
                const void *options, uint32_t option_bytes, uint32_t bytes);

/* The next segment from the host is this one; PSH is not compared. */
#define expect(p, flags, seq, ack, bytes) expect_at(p, flags, seq, ack, bytes, __FILE__, __LINE__)
struct sent expect_at(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes, const char *file,
                      int line);

/* The next segment from the host, whatever it is. */
struct sent next_sent(struct peer *p);

/* Whether there is one. */
bool has_sent(struct peer *p);

/* Takes everything that the host has sent; returns how many segments that were. */
uint32_t skip_sent(struct peer *p);

/* The host has sent nothing more. */
#define expect_quiet(p) expect_quiet_at(p, __FILE__, __LINE__)
void expect_quiet_at(struct peer *p, const char *file, int line);

/* Lets time pass. The peer answers ARP meanwhile, which never shows in the calls above. */
void wait_ms(struct peer *p, uint64_t ms);

/* Waits until the host sends something by itself; returns how long that was, to a millisecond. */
uint64_t silence_ms(struct peer *p);

/* LAN_SO_ERROR of the host's socket, which reading clears. */
int socket_error(struct peer *p);

/* Ways to a connection. listen_on() and the opens leave the socket non-blocking, with nothing waiting. */
int listen_on(struct fixture *f, uint16_t port, int backlog);
int open_socket(struct fixture *f);
void start_connect(struct peer *p); /* the host's SYN has been seen */
void active_open(struct peer *p);   /* p->fd is ESTABLISHED */
void passive_open(struct peer *p);
void passive_open_with(struct peer *p, const void *options, uint32_t bytes, uint64_t rtt_ms); /* of the peer's SYN */
void handshake_to(struct peer *p); /* the peer connects to a listener on host_port; not accepted yet */

/* The host's application sends `bytes` more of its stream, from `seq` on; all must be taken. */
void host_sends(struct peer *p, uint32_t seq, uint32_t bytes);

/* The host's application reads exactly `bytes`, which are the peer's stream from `seq` on. */
void host_reads(struct peer *p, uint32_t seq, uint32_t bytes);

/* For cmocka: state is a struct peer * with a connection that the peer opened, MSS 1460. Teardown as the fixture's. */
int peer_setup(void **state);
int peer_teardown(void **state);

#define TEST_CONNECTED(name) cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)

#endif
