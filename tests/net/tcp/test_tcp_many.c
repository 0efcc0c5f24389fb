/* SPDX-License-Identifier: Apache-2.0 */
/* Many connections between two hosts: in a row, with TIME-WAIT kept by the book, and at once; and what
 * a hundred that send have of a link. */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SERVER = 1, PORT = 80, ROW = 200000, AT_ONCE = 8000, CROWD = 100, TCP_SYN = 2 };
#define SECOND UINT64_C(1000000000)
#define TIME_WAIT (60 * SECOND)

/* When each port of the client was heard of last, and how often a SYN came before its TIME-WAIT was over. */
struct reuse {
    uint64_t last_ns[65536];
    uint64_t soonest_ns;
    uint32_t times;
};

static void watch_ports(struct world *world, int from, const uint8_t *frame, uint32_t len)
{
    struct reuse *reuse = world->sniffer;
    const uint8_t *tcp = frame + 34;
    if (len < 54 || frame[12] != 8 || frame[13] != 0)
        return;
    uint32_t port = from ? (uint32_t)tcp[2] << 8 | tcp[3] : (uint32_t)tcp[0] << 8 | tcp[1];
    if (tcp[13] == TCP_SYN && reuse->last_ns[port] && world->now_ns - reuse->last_ns[port] < TIME_WAIT) {
        uint64_t age_ns = world->now_ns - reuse->last_ns[port];
        reuse->soonest_ns = age_ns < reuse->soonest_ns ? age_ns : reuse->soonest_ns;
        reuse->times++;
    }
    reuse->last_ns[port] = world->now_ns;
}

static struct world *world_of(uint32_t connections, uint32_t sockets, uint32_t buffers)
{
    struct world_config config = WORLD_DEFAULT;
    config.stack.tcp_connections = connections;
    config.stack.sockets = sockets;
    config.stack.pool.buffers = config.stack.pool.views = buffers;
    return world_create(&config);
}

static void run_until(struct world *world, bool (*done)(struct world *, int fd), int fd)
{
    uint64_t end = world->now_ns + SECOND / 10; /* nothing is lost on this wire, so nothing may wait */
    while (!done(world, fd))
        assert_true(world_step(world, end));
}

static bool client_at_end(struct world *world, int fd)
{
    return lan_ready(world->hosts[0].stack, fd, LAN_POLLRDHUP) != 0;
}

static bool server_ready(struct world *world, int fd)
{
    return lan_ready(world->hosts[SERVER].stack, fd, LAN_POLLIN) != 0;
}

static bool server_at_end(struct world *world, int fd)
{
    return lan_ready(world->hosts[SERVER].stack, fd, LAN_POLLRDHUP) != 0;
}

/* A word one way, and the end. */
static void one_connection(struct world *world, int listener, bool client_closes_first)
{
    char data[4];
    int client = world_connect(world, PORT);
    struct lan_stack *near = world->hosts[0].stack, *far = world->hosts[SERVER].stack;
    run_until(world, server_ready, listener);
    int server = lan_accept(far, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(server >= 0);
    if (client_closes_first) {
        assert_int_equal(lan_send(near, client, "ask", 3, 0), 3);
        lan_close(near, client);
        run_until(world, server_at_end, server);
        assert_int_equal(lan_recv(far, server, data, sizeof data, 0), 3);
        lan_close(far, server);
    } else {
        assert_int_equal(lan_send(far, server, "say", 3, 0), 3);
        lan_close(far, server);
        run_until(world, client_at_end, client);
        assert_int_equal(lan_recv(near, client, data, sizeof data, 0), 3);
        lan_close(near, client);
    }
}

/* Both ends have room for every port in TIME-WAIT, so nothing but the rules ends one. */
static void connections_in_a_row(bool client_closes_first)
{
    struct world *world = world_of(66000, 8, 1024);
    static struct reuse reuse;
    memset(&reuse, 0, sizeof reuse);
    reuse.soonest_ns = LAN_NEVER;
    world->sniff = watch_ports;
    world->sniffer = &reuse;
    int listener = world_listen(world, PORT, 8);
    uint64_t start_ns = world->now_ns;
    for (uint32_t i = 0; i < ROW; i++)
        one_connection(world, listener, client_closes_first);
    double seconds = (double)(world->now_ns - start_ns) / 1e9;
    print_message("%d connections in %.1f s, %u ports used again within a minute, the soonest after %.1f s\n", ROW,
                  seconds, reuse.times, (double)reuse.soonest_ns / 1e9);
    assert_true(ROW / seconds > 64512 / 60.0); /* faster than a minute of TIME-WAIT each would allow */
    assert_true(reuse.soonest_ns > SECOND);
    for (uint64_t end = world->now_ns + SECOND; world_step(world, end);) { /* the last one's FIN */
    }
    assert_int_equal(world_counter(world, "TcpActiveOpens"), ROW);
    assert_int_equal(world_counter(world, "TcpPassiveOpens"), ROW);
    assert_int_equal(world_counter(world, "TcpExtTW"), ROW);
    assert_int_equal(world_counter(world, "TcpExtTWRecycled"), reuse.times);
    assert_int_equal(world_counter(world, "TcpExtTCPTimeWaitOverflow"), 0);
    assert_int_equal(world_counter(world, "TcpAttemptFails"), 0);
    assert_int_equal(world_counter(world, "TcpOutRsts"), 0);
    assert_int_equal(world_counter(world, "TcpRetransSegs"), 0);
    lan_close(world->hosts[SERVER].stack, listener);
    world_destroy(world);
}

static void connections_200000_in_a_row_whose_client_closes_first(void **state)
{
    (void)state;
    connections_in_a_row(true);
}

static void connections_200000_in_a_row_whose_server_closes_first(void **state)
{
    (void)state;
    connections_in_a_row(false);
}

static void thousands_of_connections_at_once(void **state)
{
    (void)state;
    struct world *world = world_of(AT_ONCE, AT_ONCE + 1, 4 * AT_ONCE);
    struct lan_stack *near = world->hosts[0].stack, *far = world->hosts[SERVER].stack;
    static int clients[AT_ONCE], servers[AT_ONCE];
    char byte;
    uint32_t connected = 0, accepted = 0;
    int listener = world_listen(world, PORT, 4096);
    uint64_t end = world->now_ns + 10 * SECOND;
    while (accepted < AT_ONCE) {
        for (uint32_t burst = 0; burst < 50 && connected < AT_ONCE; burst++) /* what the wire carries in 0.5 ms */
            clients[connected++] = world_connect(world, PORT);
        assert_true(world_step(world, end));
        int fd = lan_accept(far, listener, NULL, LAN_SOCK_NONBLOCK);
        if (fd >= 0)
            servers[accepted++] = fd;
    }
    for (uint32_t i = 0; i < AT_ONCE; i++)
        assert_int_equal(lan_send(near, clients[i], "x", 1, 0), 1);
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        run_until(world, server_ready, servers[i]);
        assert_int_equal(lan_recv(far, servers[i], &byte, 1, 0), 1);
    }
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        lan_close(near, clients[i]);
        lan_close(far, servers[i]);
    }
    assert_int_equal(world_counter(world, "TcpExtSyncookiesFailed"), 0);
    assert_int_equal(world_counter(world, "TcpAttemptFails"), 0);
    lan_close(far, listener);
    world_destroy(world);
}

/* Bulk transfers that begin together. */
struct crowd {
    struct world *world;
    int from[CROWD], to[CROWD];
    uint64_t received[CROWD];
};

/* Lets so many milliseconds pass; applications look at their sockets once in each. */
static void run_crowd(struct crowd *crowd, uint32_t ms)
{
    static uint8_t chunk[65536];
    struct world *world = crowd->world;
    for (uint64_t end_ns = world->now_ns + ms * (SECOND / 1000); world->now_ns < end_ns;) {
        for (int i = 0; i < CROWD; i++) {
            while (lan_send(world->hosts[0].stack, crowd->from[i], chunk, sizeof chunk, 0) > 0) {
            }
            for (long n; (n = lan_recv(world->hosts[SERVER].stack, crowd->to[i], chunk, sizeof chunk, 0)) > 0;)
                crowd->received[i] += (uint64_t)n;
        }
        for (uint64_t next_ns = world->now_ns + SECOND / 1000; world_step(world, next_ns);) {
        }
    }
}

/* Each has segments of a size of its own, which `draw` shifts, or whoever is in phase would have the queue to himself.
 */
static void gather(struct crowd *crowd, const char *congestion, int draw)
{
    struct lan_stack *client = crowd->world->hosts[0].stack, *server = crowd->world->hosts[SERVER].stack;
    int listener = world_listen(crowd->world, PORT, CROWD);
    for (int i = 0; i < CROWD; i++) {
        int mss = 700 + (i * 7919 + draw * 131) % 760, fd = crowd->from[i] = world_connect(crowd->world, PORT);
        assert_int_equal(lan_setsockopt(client, fd, LAN_IPPROTO_TCP, LAN_TCP_MAXSEG, &mss, sizeof mss), 0);
        assert_int_equal(
            lan_setsockopt(client, fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, congestion, (uint32_t)strlen(congestion)),
            0);
    }
    for (uint64_t end_ns = crowd->world->now_ns + 3 * SECOND; world_step(crowd->world, end_ns);) {
    }
    for (int i = 0; i < CROWD; i++) {
        crowd->to[i] = lan_accept(server, listener, NULL, LAN_SOCK_NONBLOCK);
        assert_true(crowd->to[i] >= 0);
    }
    lan_close(server, listener);
}

static void disperse(struct crowd *crowd)
{
    const struct lan_linger none = {.l_onoff = 1};
    for (int i = 0; i < CROWD; i++) {
        lan_setsockopt(crowd->world->hosts[0].stack, crowd->from[i], LAN_SOL_SOCKET, LAN_SO_LINGER, &none, sizeof none);
        lan_close(crowd->world->hosts[0].stack, crowd->from[i]);
        lan_close(crowd->world->hosts[SERVER].stack, crowd->to[i]);
    }
    world_destroy(crowd->world);
}

/* Jain's index of what they receive in ten seconds; and in all, in Mb/s. */
static double share_fairly(const char *congestion, int draw, double *mbps)
{
    struct world_config config = WORLD_DEFAULT;
    config.stack.tcp_connections = config.stack.sockets = 2 * CROWD;
    config.stack.pool.buffers = config.stack.pool.views = 20000;
    config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = 65536;
    config.wire.delay_ns = SECOND / 100;
    config.wire.queue_bytes = 250000;
    struct crowd crowd = {.world = world_create(&config)};
    gather(&crowd, congestion, draw);
    run_crowd(&crowd, 10000);
    memset(crowd.received, 0, sizeof crowd.received);
    run_crowd(&crowd, 10000);
    double sum = 0, squares = 0;
    for (int i = 0; i < CROWD; i++) {
        sum += (double)crowd.received[i];
        squares += (double)crowd.received[i] * (double)crowd.received[i];
    }
    disperse(&crowd);
    *mbps = sum * 8e-6 / 10;
    return sum * sum / (CROWD * squares);
}

/* There are three segments for each on the path and in its queue: time-outs are many, and must not last. */
static void a_hundred_transfers_share_a_link(void **state)
{
    enum { DRAWS = 8 };
    static const char *const names[] = {"cubic", "newreno", "bbr"};
    (void)state;
    for (int k = 0; k < 3; k++) {
        double jain = 0, mbps;
        for (int draw = 0; draw < DRAWS; draw++) {
            jain += share_fairly(names[k], draw, &mbps) / DRAWS;
            assert_true(mbps > 90);
        }
        print_message("    %s: Jain index %.3f, at least 0.88\n", names[k], jain);
        assert_true(jain >= 0.88);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_200000_in_a_row_whose_client_closes_first),
        cmocka_unit_test(connections_200000_in_a_row_whose_server_closes_first),
        cmocka_unit_test(thousands_of_connections_at_once),
        cmocka_unit_test(a_hundred_transfers_share_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
