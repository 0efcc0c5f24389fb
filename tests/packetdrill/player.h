/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_PACKETDRILL_PLAYER_H
#define LANYARD_PACKETDRILL_PLAYER_H

/* Plays the part of packetdrill: loads the shared object, makes calls on a second thread where they block, and sends
 * and receives IP packets. The peer is 192.0.2.1, the stack 192.168.0.1. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>

#include "cmocka_all.h"
#include "frames.h"
#include "interface.h"

enum { F_FIN = 1, F_SYN = 2, F_RST = 4, F_PSH = 8, F_ACK = 16 };
enum { SERVER_PORT = 8080, PEER_PORT = 40000, SEGMENT = 1460, SEGMENT_MOST = 8 * SEGMENT };

struct play {
    struct packetdrill_interface i;
    uint16_t peer_port, own_port;
    uint32_t own_iss; /* the stack's first sequence number; the peer's is 0 */
};

struct seen {
    uint8_t flags;
    uint32_t seq, ack, bytes; /* seq relative */
    uint8_t options[40];
    uint32_t option_bytes;
    long long time_us;
};

/* A call that blocks, on a thread of its own. */
struct call {
    struct play *p;
    pthread_t thread;
    int fd;
    ssize_t result;
    char data[4096];
};

/* The entry of the object, which stays loaded; fails the test if there is none. */
void (*play_load(void))(const char *, struct packetdrill_interface *);

void *play_symbol(const char *name); /* of the object */

bool play_has_flag(const char *flag);

/* For cmocka: state is a struct play *. */
int play_setup(void **state);
int play_teardown(void **state);

#define TEST_PLAY(name) cmocka_unit_test_setup_teardown(name, play_setup, play_teardown)

/* `options` of them, a multiple of 4. */
void send_segment_with(struct play *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes, const void *options,
                       uint32_t option_bytes);
void send_segment(struct play *p, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes);
struct seen next_segment(struct play *p);
struct seen expect_segment(struct play *p, uint8_t flags, uint32_t seq, uint32_t bytes); /* PSH is not compared */

struct sockaddr_in at(uint32_t address, uint16_t number);
int listener(struct play *p);
int accepted(struct play *p);                     /* a connection that the peer opens */
int connecting(struct play *p, struct seen *syn); /* one that the stack opens; its SYN has been seen */

void begin(struct call *call, void *(*body)(void *));
ssize_t end(struct call *call);
void *accept_one(void *call);
void *read_some(void *call);

/* Runs each test in a process of its own, as packetdrill runs each script. `object`, `flags`: what is loaded, and with
 * which --so_flags (NULL: none). */
int play_all(const struct CMUnitTest *tests, size_t count, const char *object, const char *flags);

#endif
