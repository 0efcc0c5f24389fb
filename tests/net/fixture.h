/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_FIXTURE_H
#define LANYARD_TESTS_NET_FIXTURE_H

/* One stack in virtual time behind an interface that the test holds: inject() puts a frame in, expect_frame() takes out
 * what the stack has sent, advance() lets time pass. Peer and host share 192.0.2.0/24.
 */

#include "cmocka_all.h"
#include "frames.h"
#include "lanyard/socket.h"

enum { FIXTURE_SENT_MAX = 4096 };

struct fixture {
    struct lan_stack *stack;
    struct lan_netif netif;
    struct lan_port port;
    struct lan_config config;
    uint64_t now_ns, alarm_ns;
    uint64_t random; /* state of the generator */
    void *memory;
    struct lan_buf *held, **held_end; /* injected, and to arrive with the next `to_hold` */
    uint32_t to_hold;
    uint32_t headroom;  /* in front of what is injected: 2, as drivers have it */
    struct frame *sent; /* ring */
    uint32_t sent_head, sent_tail;
    uint32_t transmit_room;             /* frames that the driver takes before it says -ENOBUFS */
    int transmit_result;                /* what the driver answers: 0, -ENOBUFS, -ENETDOWN */
    void (*on_block)(struct fixture *); /* called once when a call blocks, then cleared */
    uint32_t free_buffers, free_views;  /* when the fixture was set up */
};

/* What the next fixture's random numbers begin with. */
extern uint64_t fixture_seed;

/* The time that it begins at; 0: start_ns(). */
extern uint64_t fixture_start_ns;

/* For cmocka: state is a struct fixture *. Teardown checks that every buffer has come back. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The same with a configuration and features of the test's own. */
struct fixture *fixture_create(const struct lan_config *config, uint32_t features);
void fixture_destroy(struct fixture *f);

void inject(struct fixture *f, const struct frame *frame);

/* The same with the frame spread over buffers of at most `piece` bytes, as a card with small buffers would. */
void inject_in_pieces(struct fixture *f, const struct frame *frame, uint32_t piece);

/* Frames that arrive together: the n-th call after hold(n) hands them all on. */
void hold(struct fixture *f, uint32_t frames);

/* Lets time pass, firing alarms on their way. */
void advance(struct fixture *f, uint64_t ns);
void advance_ms(struct fixture *f, uint64_t ms);

/* The oldest frame sent and not yet looked at; fails the test when there is none. Valid until the next call. */
const struct frame *expect_frame(struct fixture *f);
void expect_silence(struct fixture *f);
uint32_t frames_waiting(const struct fixture *f);

/* Makes the peer known by the request that a real one would send first. */
void meet_peer(struct fixture *f);

/* Answers the ARP request that was sent last, so that packets to the peer flow. */
void learn_peer(struct fixture *f);

/* A test with a fixture of its own. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

uint64_t counter(const struct fixture *f, const char *name);

#endif
