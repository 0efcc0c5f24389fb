/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS UINT64_C(1000000)
#define HOUR_NS (UINT64_C(3600000) * MS_NS)

static uint64_t now_ns(void *ctx)
{
    const struct world *world = ctx;
    return world->now_ns;
}

static void random_bytes(void *ctx, void *out, size_t bytes)
{
    struct world *world = ctx;
    for (uint8_t *to = out; bytes > 0; bytes--) {
        world->random = world->random * 6364136223846793005u + 1442695040888963407u;
        *to++ = (uint8_t)(world->random >> 56);
    }
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    struct world *world = ctx;
    world->alarm_ns = deadline_ns;
}

/* One event: packets that wait, else the next deadline. */
static void block(void *ctx, struct lan_wakeup *w, uint64_t deadline_ns)
{
    struct world *world = ctx;
    (void)w;
    if (world->packets_wait) {
        world->packets_wait = false;
        lan_loopback_deliver(&world->loopback);
        return;
    }
    uint64_t next = deadline_ns < world->alarm_ns ? deadline_ns : world->alarm_ns;
    assert_true(next != LAN_NEVER); /* or this sleep would never end */
    if (next > world->now_ns)
        world->now_ns = next;
    if (world->alarm_ns <= world->now_ns)
        lan_stack_poll(world->stack);
}

static void unblock(void *ctx, struct lan_wakeup *w)
{
    (void)ctx, (void)w;
}

static void packets_wait(void *arg)
{
    struct world *world = arg;
    world->packets_wait = true;
}

struct world *world_create(const struct lan_config *config)
{
    struct world *world = calloc(1, sizeof *world);
    size_t bytes = (lan_stack_size(config) + 63) & ~(size_t)63;
    assert_non_null(world);
    world->memory = aligned_alloc(64, bytes);
    assert_non_null(world->memory);
    world->port = (struct lan_port){world, now_ns, random_bytes, set_alarm, block, unblock};
    world->alarm_ns = LAN_NEVER;
    world->next_port = 20000;
    world->now_ns = 1000 * MS_NS;
    world->stack = lan_stack_create(world->memory, bytes, &world->port, config);
    assert_non_null(world->stack);
    world->free_buffers = lan_pool_free_buffers(lan_stack_pool(world->stack));
    world->free_views = lan_pool_free_views(lan_stack_pool(world->stack));

    lan_loopback_init(&world->loopback, packets_wait, world);
    assert_int_equal(lan_stack_add_netif(world->stack, &world->loopback.netif), 0);
    struct lan_sockaddr_in self = lan_sockaddr(0x7f000001, 0), mask = lan_sockaddr(0xff000000, 0);
    assert_int_equal(lan_netif_set_address(&world->loopback.netif, self.sin_addr, mask.sin_addr), 0);
    lan_loop_init(&world->loop, world->stack, &world->port);
    return world;
}

int world_set_up(void **state)
{
    *state = world_create(&LAN_CONFIG_DEFAULT);
    return 0;
}

int world_tear_down(void **state)
{
    struct world *world = *state;
    world_pass_ms(world, 3600 * 1000);
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(world->stack)), world->free_buffers);
    assert_int_equal(lan_pool_free_views(lan_stack_pool(world->stack)), world->free_views);
    free(world->memory);
    free(world);
    return 0;
}

/* A turn of the loop, then one event if the loop would sleep; not past `end_ns`. */
static void turn(struct world *world, uint64_t end_ns)
{
    uint64_t deadline_ns = lan_loop_turn(&world->loop);
    if (deadline_ns != 0)
        block(world, NULL, deadline_ns < end_ns ? deadline_ns : end_ns);
}

void world_pass_ms(struct world *world, uint64_t ms)
{
    uint64_t end_ns = world->now_ns + ms * MS_NS;
    while (world->now_ns < end_ns)
        turn(world, end_ns);
    lan_loop_turn(&world->loop); /* what is due just now */
}

void world_until(struct world *world, bool (*condition)(void *arg), void *arg)
{
    uint64_t end_ns = world->now_ns + HOUR_NS;
    while (!condition(arg)) {
        assert_true(world->now_ns < end_ns);
        turn(world, end_ns);
    }
}

static bool writable(void *arg)
{
    const struct client *client = arg;
    return lan_ready(client->world->stack, client->fd, LAN_POLLOUT) != 0;
}

struct client *client_connect(struct world *world, uint16_t port)
{
    struct lan_sockaddr_in to = lan_sockaddr(0x7f000001, port), from = lan_sockaddr(0, world->next_port++);
    struct client *client = calloc(1, sizeof *client);
    assert_non_null(client);
    client->world = world;
    client->fd = lan_socket(world->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    assert_true(client->fd >= 0);
    assert_int_equal(lan_bind(world->stack, client->fd, &from), 0);
    assert_int_equal(lan_connect(world->stack, client->fd, &to), -EINPROGRESS);
    world_until(world, writable, client);
    return client;
}

void client_close(struct client *client)
{
    lan_close(client->world->stack, client->fd);
    free(client->data);
    free(client);
}

void client_abort(struct client *client)
{
    struct lan_linger linger = {.l_onoff = 1};
    lan_setsockopt(client->world->stack, client->fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, sizeof linger);
    client_close(client);
}

void client_send_bytes(struct client *client, const void *data, size_t bytes)
{
    const char *from = data;
    while (bytes > 0) {
        long sent = lan_send(client->world->stack, client->fd, from, bytes, 0);
        if (sent == -EAGAIN) {
            world_until(client->world, writable, client);
            continue;
        }
        assert_true(sent > 0);
        from += sent;
        bytes -= (size_t)sent;
    }
}

void client_send(struct client *client, const char *text)
{
    client_send_bytes(client, text, strlen(text));
}

void client_receive(struct client *client)
{
    enum { PIECE = 65536 };
    while (!client->ended && !client->error) {
        if (client->room - client->bytes < PIECE) {
            client->room = client->room * 2 + 2 * PIECE;
            client->data = realloc(client->data, client->room);
            assert_non_null(client->data);
        }
        long got = lan_recv(client->world->stack, client->fd, client->data + client->bytes, PIECE, 0);
        if (got == -EAGAIN)
            return;
        client->ended = got == 0;
        client->error = got < 0 ? (int)got : 0;
        client->bytes += got > 0 ? (size_t)got : 0;
    }
}

struct expectation {
    struct client *client;
    size_t bytes;
};

static bool has_bytes(void *arg)
{
    const struct expectation *expectation = arg;
    struct client *client = expectation->client;
    client_receive(client);
    return client->bytes >= expectation->bytes || client->ended || client->error;
}

void client_expect_bytes(struct client *client, size_t bytes)
{
    struct expectation expectation = {client, bytes};
    world_until(client->world, has_bytes, &expectation);
    assert_true(client->bytes >= bytes);
}

void client_expect_end(struct client *client)
{
    struct expectation expectation = {client, SIZE_MAX};
    world_until(client->world, has_bytes, &expectation);
}

void client_take(struct client *client, size_t bytes)
{
    client->bytes -= bytes;
    if (client->bytes)
        memmove(client->data, client->data + bytes, client->bytes);
}
