/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/echo.h"

#include <errno.h>
#include <string.h>

#include "lanyard/acceptor.h"
#include "lanyard/address.h"

enum {
    STREAM_BYTES = 4096,
    DATAGRAM_BYTES = 65507, /* the longest payload of UDP over IPv4 */
    STEPS = 16,             /* of one socket, before others have their turn */
    BACKLOG = 64,
};

/* A TCP connection. Discard has no buffer of its own. */
struct stream {
    struct lan_source source;
    struct lan_echo *echo;
    struct stream *next_free;
    uint8_t *buffer;
    uint32_t first, end; /* received and not sent back: buffer[first..end) */
};

struct lan_echo {
    struct lan_acceptor acceptor;
    struct lan_source udp;
    struct lan_echo_stats stats;
    bool answers;  /* echo, not discard */
    uint16_t port; /* network byte order */
    uint32_t count;
    struct stream *streams, *free;
    uint8_t scratch[DATAGRAM_BYTES];
};

static size_t service_size(uint32_t connections, size_t buffer_bytes)
{
    return sizeof(struct lan_echo) + connections * (sizeof(struct stream) + buffer_bytes);
}

size_t lan_echo_size(uint32_t connections)
{
    return service_size(connections, STREAM_BYTES);
}

size_t lan_discard_size(uint32_t connections)
{
    return service_size(connections, 0);
}

static void close_stream(struct stream *stream)
{
    struct lan_echo *echo = stream->echo;
    struct lan_stack *stack = stream->source.loop->stack;
    lan_loop_remove(&stream->source);
    lan_close(stack, stream->source.fd);
    stream->next_free = echo->free;
    echo->free = stream;
    echo->stats.open--;
    lan_acceptor_release(&echo->acceptor);
}

static long receive(struct stream *stream, void *buffer, size_t bytes)
{
    long got = lan_recv(stream->source.loop->stack, stream->source.fd, buffer, bytes, 0);
    if (got > 0)
        stream->echo->stats.bytes += (uint64_t)got;
    return got;
}

/* Receives only when everything has gone back, so that a client that does not read is not read either. */
static long echo_step(struct stream *stream)
{
    if (stream->first == stream->end) {
        long got = receive(stream, stream->buffer, STREAM_BYTES);
        stream->first = 0;
        stream->end = got > 0 ? (uint32_t)got : 0;
        return got;
    }
    long sent = lan_send(stream->source.loop->stack, stream->source.fd, stream->buffer + stream->first,
                         stream->end - stream->first, 0);
    stream->first += sent > 0 ? (uint32_t)sent : 0;
    return sent;
}

static long discard_step(struct stream *stream)
{
    return receive(stream, stream->echo->scratch, DATAGRAM_BYTES);
}

static void handle_stream(struct lan_source *source, int ready)
{
    struct stream *stream = (struct stream *)source;
    long result = 1;
    (void)ready;
    for (int steps = 0; result > 0 && steps < STEPS; steps++)
        result = stream->echo->answers ? echo_step(stream) : discard_step(stream);
    if (result == 0 || (result < 0 && result != -EAGAIN))
        close_stream(stream);
    else
        lan_source_events(source, stream->first == stream->end ? LAN_POLLIN : LAN_POLLOUT);
    if (result > 0)
        lan_source_yield(source);
}

static void accepted(struct lan_acceptor *acceptor, int fd)
{
    struct lan_echo *echo = (struct lan_echo *)acceptor;
    struct stream *stream = echo->free;
    echo->free = stream->next_free;
    stream->first = stream->end = 0;
    echo->stats.connections++;
    echo->stats.open++;
    lan_loop_add(acceptor->source.loop, &stream->source, fd, LAN_POLLIN, handle_stream);
}

/* Two echo services that answer each other would never stop: what comes from our own port number is not answered. */
static void answer(struct lan_echo *echo, size_t bytes, const struct lan_sockaddr_in *from)
{
    if (from->sin_port == echo->port ||
        lan_sendto(echo->udp.loop->stack, echo->udp.fd, echo->scratch, bytes, 0, from) < 0)
        echo->stats.datagrams_unanswered++;
}

static void handle_udp(struct lan_source *source, int ready)
{
    struct lan_echo *echo = (struct lan_echo *)((char *)source - offsetof(struct lan_echo, udp));
    struct lan_sockaddr_in from;
    (void)ready;
    for (int steps = 0; steps < STEPS; steps++) {
        long got = lan_recvfrom(source->loop->stack, source->fd, echo->scratch, sizeof echo->scratch, 0, &from);
        if (got == -EAGAIN)
            return;
        if (got < 0) /* such as an ICMP error about an answer */
            continue;
        echo->stats.datagrams++;
        if (echo->answers)
            answer(echo, (size_t)got, &from);
    }
}

static int open_udp(struct lan_echo *echo, struct lan_loop *loop, const struct lan_sockaddr_in *address)
{
    int fd = lan_socket(loop->stack, LAN_AF_INET, LAN_SOCK_DGRAM | LAN_SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    int result = lan_bind(loop->stack, fd, address);
    if (result < 0) {
        lan_close(loop->stack, fd);
        return result;
    }
    lan_loop_add(loop, &echo->udp, fd, LAN_POLLIN, handle_udp);
    return 0;
}

static struct lan_echo *create(void *memory, struct lan_loop *loop, uint16_t port, uint32_t connections, bool answers,
                               int *error)
{
    struct lan_echo *echo = memory;
    struct lan_sockaddr_in address = lan_sockaddr(0, port);
    memset(echo, 0, sizeof *echo);
    echo->answers = answers;
    echo->port = address.sin_port;
    echo->count = connections;
    echo->streams = (struct stream *)(echo + 1);
    uint8_t *buffers = (uint8_t *)(echo->streams + connections);
    for (uint32_t i = connections; i-- > 0;) {
        echo->streams[i] = (struct stream){.echo = echo, .next_free = echo->free};
        if (answers)
            echo->streams[i].buffer = buffers + (size_t)i * STREAM_BYTES;
        echo->free = &echo->streams[i];
    }
    *error = open_udp(echo, loop, &address);
    if (*error)
        return NULL;
    *error = lan_acceptor_open(&echo->acceptor, loop, port, BACKLOG, connections, accepted);
    if (*error) {
        lan_echo_destroy(echo);
        return NULL;
    }
    return echo;
}

struct lan_echo *lan_echo_create(void *memory, struct lan_loop *loop, uint16_t port, uint32_t connections, int *error)
{
    return create(memory, loop, port, connections, true, error);
}

struct lan_echo *lan_discard_create(void *memory, struct lan_loop *loop, uint16_t port, uint32_t connections,
                                    int *error)
{
    return create(memory, loop, port, connections, false, error);
}

void lan_echo_destroy(struct lan_echo *echo)
{
    struct lan_stack *stack = echo->udp.loop->stack;
    for (uint32_t i = 0; i < echo->count; i++) {
        if (echo->streams[i].source.loop)
            close_stream(&echo->streams[i]);
    }
    lan_acceptor_close(&echo->acceptor);
    lan_loop_remove(&echo->udp);
    lan_close(stack, echo->udp.fd);
}

const struct lan_echo_stats *lan_echo_stats(const struct lan_echo *echo)
{
    return &echo->stats;
}
