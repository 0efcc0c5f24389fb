/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/bulk.h"

#include <errno.h>

#include "connector.h"

enum {
    CHUNK_BYTES = 2048, /* two of them stand on the stack */
    STEPS = 32,         /* of one connection, before others have their turn */
    BACKLOG = 64,
};

/* Word `index` of the pattern: a counter through the finaliser of SplitMix64, so that any part can be made by itself.
 */
static uint64_t pattern_word(uint64_t seed, uint64_t index)
{
    uint64_t word = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

void lan_bulk_pattern(uint64_t seed, uint64_t offset, void *out, size_t bytes)
{
    uint8_t *to = out;
    while (bytes > 0) {
        uint64_t word = pattern_word(seed, offset / 8);
        for (unsigned i = offset % 8; i < 8 && bytes > 0; i++, offset++, bytes--)
            *to++ = (uint8_t)(word >> 8 * i);
    }
}

uint64_t lan_bulk_goodput(const struct lan_bulk_result *result)
{
    uint64_t ns = result->end_ns - result->start_ns;
    if (result->end_ns <= result->start_ns)
        return 0;
    return (uint64_t)((double)result->bytes * 8e9 / (double)ns);
}

static struct lan_stack *stack_of(const struct lan_bulk *bulk)
{
    return bulk->source.loop->stack;
}

static uint64_t now(const struct lan_bulk *bulk)
{
    return lan_loop_now(bulk->source.loop);
}

void lan_bulk_cancel(struct lan_bulk *bulk)
{
    struct lan_loop *loop = bulk->source.loop;
    if (!loop)
        return;
    lan_loop_remove(&bulk->source);
    lan_close(loop->stack, bulk->source.fd);
    if (bulk->server) {
        bulk->next_free = bulk->server->free;
        bulk->server->free = bulk;
        lan_acceptor_release(&bulk->server->acceptor);
    }
}

/* A step returns octets moved, 0 at the end, or a negative errno. */
static long send_step(struct lan_bulk *bulk)
{
    uint8_t chunk[CHUNK_BYTES];
    uint64_t left = bulk->config.bytes ? bulk->config.bytes - bulk->result.bytes : CHUNK_BYTES;
    size_t bytes = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
    if (bytes == 0)
        return 0;
    lan_bulk_pattern(bulk->config.seed, bulk->result.bytes, chunk, bytes);
    long sent = lan_send(stack_of(bulk), bulk->source.fd, chunk, bytes, 0);
    bulk->result.bytes += sent > 0 ? (uint64_t)sent : 0;
    return sent;
}

static void verify(struct lan_bulk *bulk, const uint8_t *data, size_t bytes)
{
    uint8_t expected[CHUNK_BYTES];
    lan_bulk_pattern(bulk->config.seed, bulk->result.bytes, expected, bytes);
    for (size_t i = 0; i < bytes && bulk->result.wrong_at == LAN_BULK_ALL_RIGHT; i++) {
        if (data[i] != expected[i])
            bulk->result.wrong_at = bulk->result.bytes + i;
    }
}

static long receive_step(struct lan_bulk *bulk)
{
    uint8_t chunk[CHUNK_BYTES];
    long got = lan_recv(stack_of(bulk), bulk->source.fd, chunk, sizeof chunk, 0);
    if (got <= 0)
        return got;
    verify(bulk, chunk, (size_t)got);
    bulk->result.bytes += (uint64_t)got;
    bulk->result.end_ns = now(bulk);
    return got;
}

/* The sender has sent all: when the receiver, too, closes its half, it has read all. */
static long finish_step(struct lan_bulk *bulk)
{
    uint8_t nothing;
    long got = lan_recv(stack_of(bulk), bulk->source.fd, &nothing, sizeof nothing, 0);
    if (got == 0)
        bulk->result.end_ns = now(bulk);
    return got;
}

static void start_finishing(struct lan_bulk *bulk)
{
    bulk->finishing = true;
    lan_source_deadline(&bulk->source, LAN_NEVER);
    lan_shutdown(stack_of(bulk), bulk->source.fd, LAN_SHUT_WR);
    lan_source_events(&bulk->source, LAN_POLLIN);
}

static void end(struct lan_bulk *bulk, int error)
{
    bulk->result.error = error;
    lan_bulk_cancel(bulk);
    if (bulk->done)
        bulk->done(bulk, &bulk->result);
}

static void start_transfer(struct lan_bulk *bulk)
{
    bool sends = bulk->config.role == LAN_BULK_SEND;
    bulk->connecting = false;
    bulk->result.start_ns = bulk->result.end_ns = now(bulk);
    lan_source_events(&bulk->source, sends ? LAN_POLLOUT : LAN_POLLIN);
    if (sends && bulk->config.duration_ns)
        lan_source_deadline(&bulk->source, bulk->result.start_ns + bulk->config.duration_ns);
}

static long connect_step(struct lan_bulk *bulk)
{
    int error = lan_connector_result(stack_of(bulk), bulk->source.fd);
    if (error)
        return error;
    start_transfer(bulk);
    return 1;
}

static long take_step(struct lan_bulk *bulk)
{
    if (bulk->connecting)
        return connect_step(bulk);
    if (bulk->config.role == LAN_BULK_RECEIVE)
        return receive_step(bulk);
    if (bulk->finishing)
        return finish_step(bulk);
    long sent = send_step(bulk);
    if (sent != 0)
        return sent;
    start_finishing(bulk);
    return 1;
}

static void handle(struct lan_source *source, int ready)
{
    struct lan_bulk *bulk = (struct lan_bulk *)((char *)source - offsetof(struct lan_bulk, source));
    long result = 1;
    if (ready == 0) /* the time to send is over */
        start_finishing(bulk);
    for (int steps = 0; result > 0 && steps < STEPS; steps++)
        result = take_step(bulk);
    if (result == 0 || (result < 0 && result != -EAGAIN))
        end(bulk, (int)result);
    else if (result > 0)
        lan_source_yield(source);
}

static void begin(struct lan_bulk *bulk, struct lan_loop *loop, int fd, const struct lan_bulk_config *config)
{
    bulk->config = *config;
    bulk->result = (struct lan_bulk_result){.wrong_at = LAN_BULK_ALL_RIGHT};
    bulk->connecting = bulk->finishing = false;
    lan_loop_add(loop, &bulk->source, fd, LAN_POLLOUT, handle);
}

int lan_bulk_connect(struct lan_bulk *bulk, struct lan_loop *loop, const struct lan_sockaddr_in *to,
                     const struct lan_bulk_config *config)
{
    int fd = lan_connector_open(loop->stack, to);
    if (fd < 0)
        return fd;
    bulk->server = NULL;
    begin(bulk, loop, fd, config);
    bulk->connecting = true;
    return 0;
}

static void accepted(struct lan_acceptor *acceptor, int fd)
{
    struct lan_bulk_server *server = (struct lan_bulk_server *)acceptor;
    struct lan_bulk *bulk = server->free;
    server->free = bulk->next_free;
    begin(bulk, acceptor->source.loop, fd, &server->config);
    start_transfer(bulk);
}

int lan_bulk_listen(struct lan_bulk_server *server, struct lan_loop *loop, uint16_t port,
                    const struct lan_bulk_config *config, struct lan_bulk *streams, uint32_t count)
{
    server->config = *config;
    server->streams = streams;
    server->count = count;
    server->free = NULL;
    for (uint32_t i = count; i-- > 0;) {
        streams[i].server = server;
        streams[i].source.loop = NULL;
        streams[i].next_free = server->free;
        server->free = &streams[i];
    }
    return lan_acceptor_open(&server->acceptor, loop, port, BACKLOG, count, accepted);
}

void lan_bulk_server_close(struct lan_bulk_server *server)
{
    for (uint32_t i = 0; i < server->count; i++)
        lan_bulk_cancel(&server->streams[i]);
    lan_acceptor_close(&server->acceptor);
}
