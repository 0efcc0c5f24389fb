/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TESTS_NET_TCP_WORLD_H
#define LANYARD_TESTS_NET_TCP_WORLD_H

/* Two hosts in virtual time, joined by a wire that delays, limits the rate, drops, reorders, duplicates and corrupts,
 * all by one seed. 192.0.2.1 is host 0, 192.0.2.2 host 1.
 */

#include "../cmocka_all.h"
#include "lanyard/socket.h"

struct impairment {
    uint64_t rate_bps;    /* 0: infinite */
    uint64_t delay_ns;    /* one way */
    uint32_t queue_bytes; /* waiting for the wire; more is dropped. 0: no bound */
    uint32_t largest;     /* IP packets that are longer are dropped. 0: no bound */
    double drop, duplicate, corrupt;
    double mark;    /* share of what is ECT that is marked CE */
    uint32_t burst; /* frames that are dropped in a row; 0: 1 */
    double reorder; /* share of frames that are held back by reorder_ns */
    uint64_t reorder_ns;
    bool forward;      /* drops, duplicates and holds back what host 0 sends only */
    uint64_t bunch_ns; /* and what host 1 sends then arrives together, at multiples of this; 0: as it comes */
};

struct world_config {
    struct lan_config stack; /* of each host */
    uint16_t mtu;
    uint32_t features; /* with LAN_NETIF_TSO the wire's end segments as a card does */
    uint32_t max_tso_bytes;
    struct impairment wire; /* the same both ways */
    uint64_t seed;
    void (*random)(void *ctx, void *out, size_t bytes); /* what the stacks draw; NULL: numbers by `seed` */
    uint64_t start_ns;                                  /* the time that it begins at; 0: start_ns() */
};

extern const struct world_config WORLD_DEFAULT; /* 100 Mb/s, 100 us, no faults */

struct flight { /* a frame on the wire */
    uint64_t due_ns, order;
    int to;
    uint32_t len;
    uint8_t bytes[];
};

struct host {
    struct world *world;
    struct lan_stack *stack;
    struct lan_netif netif;
    struct lan_port port;
    void *memory;
    uint64_t alarm_ns;
    uint32_t burst_left;   /* frames that are still to be dropped */
    uint64_t wire_free_ns; /* when the wire out of this host has sent what it has */
    uint32_t free_buffers, free_views;
};

struct world {
    struct world_config config;
    void (*sniff)(struct world *world, int from, const uint8_t *frame,
                  uint32_t len); /* each frame sent; NULL: nobody */
    void *sniffer;               /* for sniff() */
    uint64_t now_ns, random, order;
    struct host hosts[2];
    struct flight **flights; /* binary heap, the next one due first */
    uint32_t flight_count, flight_room;
    uint64_t dropped, held_back; /* frames, by the impairment */
};

struct world *world_create(const struct world_config *config);

/* Checks that every buffer has come back to its pool after the last connection has gone, and frees the world. */
void world_destroy(struct world *world);

/* Runs the next thing that happens: a frame arrives, a timer fires. False: nothing is left to happen before `until_ns`,
 * which is the time now. */
bool world_step(struct world *world, uint64_t until_ns);

/* Listens on `port` of host 1, non-blocking; connects to it from host 0, and returns the connecting socket. */
int world_listen(struct world *world, uint16_t port, int backlog);
int world_connect(struct world *world, uint16_t port);

uint64_t world_counter(const struct world *world, const char *name); /* both hosts together */
uint32_t world_draw(struct world *world, uint32_t below);

#endif
