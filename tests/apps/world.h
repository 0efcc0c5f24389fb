/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WORLD_H
#define WORLD_H

/* One stack in virtual time that talks to itself over its loopback interface: applications run on its loop, and a test
 * plays their peer with plain sockets. Time passes only when nobody has anything left to do.
 */

#include "cmocka_all.h"
#include "lanyard/address.h"
#include "lanyard/loop.h"
#include "lanyard/loopback.h"

struct world {
    struct lan_stack *stack;
    struct lan_loop loop;
    uint64_t now_ns;

    struct lan_port port;
    struct lan_loopback loopback;
    struct lan_config config;
    uint64_t alarm_ns, random;
    bool packets_wait;
    uint16_t next_port; /* of the clients, one after the other */
    void *memory;
    uint32_t free_buffers, free_views;
};

/* For cmocka: *state is a struct world *. Taking it down lets the last connections die and checks that every buffer is
 * back. */
int world_set_up(void **state);
int world_tear_down(void **state);

struct world *world_create(const struct lan_config *config);

/* Runs the applications for this long. */
void world_pass_ms(struct world *world, uint64_t ms);

/* Runs them until the condition holds; fails the test when it does not within an hour. */
void world_until(struct world *world, bool (*condition)(void *arg), void *arg);

/* A peer's end of a TCP connection. */
struct client {
    struct world *world;
    int fd;
    char *data; /* what was received and not taken yet */
    size_t bytes, room;
    bool ended;
    int error; /* of a receive, such as -ECONNRESET */
};

struct client *client_connect(struct world *world, uint16_t port);
void client_close(struct client *client);

/* Closes with a reset. */
void client_abort(struct client *client);

/* Sends it all, letting the world run where there is no room. */
void client_send_bytes(struct client *client, const void *data, size_t bytes);
void client_send(struct client *client, const char *text);

/* Receives what is there now. */
void client_receive(struct client *client);

/* Runs the world until this many octets have come, or the end. */
void client_expect_bytes(struct client *client, size_t bytes);
void client_expect_end(struct client *client);

/* Drops octets from the front of what was received. */
void client_take(struct client *client, size_t bytes);

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)

#endif
