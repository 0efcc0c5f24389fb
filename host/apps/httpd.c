/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/httpd.h"

#include <errno.h>
#include <string.h>

#include "httpd_internal.h"

#define MS_NS UINT64_C(1000000)

enum {
    STEPS = 32, /* of one connection, before others have their turn */
    DRAIN_TIMEOUT_MS = 2000,
    REQUEST_BYTES_MIN = 256,
    REQUEST_BYTES_MAX = 1 << 20,
};

const struct lan_httpd_config LAN_HTTPD_CONFIG_DEFAULT = {
    .port = 80,
    .backlog = 128,
    .connections = 256,
    .request_bytes = 12288, /* RFC 9112 3: request lines of 8,000 octets, and then some fields */
    .request_timeout_ms = 20000,
    .idle_timeout_ms = 60000,
};

/* What a step of a connection came to. */
enum step { GO_ON, WAIT, CLOSE, ABORT };

static struct lan_stack *stack_of(const struct http_connection *c)
{
    return c->source.loop->stack;
}

static void set_timeout(struct http_connection *c, uint32_t ms)
{
    lan_source_deadline(&c->source, lan_loop_now(c->source.loop) + ms * MS_NS);
}

static void close_connection(struct http_connection *c)
{
    struct lan_httpd *httpd = c->httpd;
    struct lan_stack *stack = stack_of(c);
    if (c->phase == HTTP_SENDING)
        httpd->stats.responses[0]++;
    lan_httpd_end_body(c);
    lan_loop_remove(&c->source);
    lan_close(stack, c->source.fd);
    c->next_free = httpd->free;
    httpd->free = c;
    httpd->stats.open--;
    lan_acceptor_release(&httpd->acceptor);
}

/* With a reset, so that the peer knows that what it has is not the whole, and the send queue is free at once. */
static void abort_connection(struct http_connection *c)
{
    struct lan_linger linger = {.l_onoff = 1, .l_linger = 0};
    lan_setsockopt(stack_of(c), c->source.fd, LAN_SOL_SOCKET, LAN_SO_LINGER, &linger, sizeof linger);
    close_connection(c);
}

static enum step start_reading(struct http_connection *c)
{
    c->phase = HTTP_READING;
    c->in_scanned = 0;
    set_timeout(c, c->in_len ? c->httpd->config.request_timeout_ms : c->httpd->config.idle_timeout_ms);
    return GO_ON;
}

static enum step start_sending(struct http_connection *c)
{
    c->phase = HTTP_SENDING;
    c->httpd->stats.requests++;
    set_timeout(c, c->httpd->config.idle_timeout_ms);
    return GO_ON;
}

/* RFC 9112 9.6: closing at once, with octets of the client unread, would reset the connection and might destroy the
 * answer on its way; so our half is closed first, and the client's is read to its end. */
static enum step start_draining(struct http_connection *c)
{
    c->phase = HTTP_DRAINING;
    if (lan_shutdown(stack_of(c), c->source.fd, LAN_SHUT_WR) < 0)
        return CLOSE;
    set_timeout(c, DRAIN_TIMEOUT_MS);
    return GO_ON;
}

static enum step refuse(struct http_connection *c, int status, bool head)
{
    lan_httpd_refuse(c, status, head);
    return start_sending(c);
}

/* Drops octets from the front of what was read. */
static void consume(struct http_connection *c, size_t bytes)
{
    c->in_len -= bytes;
    memmove(c->in, c->in + bytes, c->in_len);
}

static enum step receive(struct http_connection *c)
{
    size_t room = c->httpd->config.request_bytes - c->in_len;
    if (room == 0)
        return refuse(c, memchr(c->in, '\n', c->in_len) ? 431 : 414, false);
    long got = lan_recv(stack_of(c), c->source.fd, c->in + c->in_len, room, 0);
    if (got <= 0)
        return got == -EAGAIN ? WAIT : CLOSE;
    bool first = c->in_len == 0;
    c->in_len += (size_t)got;
    if (first)
        consume(c, lan_http_empty_lines(c->in, c->in_len));
    if (first && c->in_len)
        set_timeout(c, c->httpd->config.request_timeout_ms);
    return GO_ON;
}

static enum step read_request(struct http_connection *c)
{
    size_t bytes = lan_http_head_length(c->in, c->in_len, &c->in_scanned);
    if (bytes == 0)
        return receive(c);
    struct lan_http_request request;
    int status = lan_http_request_parse(c->in, bytes, &request);
    if (status)
        return refuse(c, status, request.head);
    lan_httpd_respond(c, &request);
    consume(c, bytes);
    consume(c, lan_http_empty_lines(c->in, c->in_len));
    return start_sending(c);
}

/* Octets taken by TCP; WAIT or ABORT in *step when that were not all. */
static size_t send_some(struct http_connection *c, const void *data, size_t bytes, bool more, enum step *step)
{
    long sent = lan_send(stack_of(c), c->source.fd, data, bytes, more ? LAN_MSG_MORE : 0);
    *step = sent < 0 && sent != -EAGAIN ? ABORT : sent == (long)bytes ? GO_ON : WAIT;
    if (sent <= 0)
        return 0;
    set_timeout(c, c->httpd->config.idle_timeout_ms);
    return (size_t)sent;
}

static enum step send_out(struct http_connection *c)
{
    enum step step;
    c->out_sent += send_some(c, c->out + c->out_sent, c->out_len - c->out_sent, c->body != HTTP_BODY_NONE, &step);
    return step;
}

/* What TCP does not take is read again later: cheaper than a buffer for every connection. */
static enum step send_file(struct http_connection *c)
{
    struct lan_httpd *httpd = c->httpd;
    uint64_t left = c->end - c->offset;
    size_t want = left < SCRATCH_BYTES ? (size_t)left : SCRATCH_BYTES;
    const void *data;
    long got = httpd->content->read(httpd->content, &c->file, c->offset, httpd->scratch, want, &data);
    if (got <= 0)
        return ABORT; /* it has shrunk, and its length has been promised */
    enum step step;
    size_t sent = send_some(c, data, (size_t)got, (uint64_t)got < left, &step);
    c->offset += sent;
    httpd->stats.body_bytes += sent;
    if (c->offset == c->end)
        lan_httpd_end_body(c);
    return step;
}

static enum step send_response(struct http_connection *c)
{
    if (c->out_sent < c->out_len)
        return send_out(c);
    if (c->body == HTTP_BODY_FILE)
        return send_file(c);
    if (c->body == HTTP_BODY_LISTING)
        return lan_httpd_list(c) ? GO_ON : ABORT;
    c->httpd->stats.responses[c->status / 100]++;
    return c->keep_alive ? start_reading(c) : start_draining(c);
}

static enum step drain(struct http_connection *c)
{
    long got = lan_recv(stack_of(c), c->source.fd, c->httpd->scratch, SCRATCH_BYTES, 0);
    return got > 0 ? GO_ON : got == -EAGAIN ? WAIT : CLOSE;
}

static enum step take_step(struct http_connection *c)
{
    switch (c->phase) {
    case HTTP_READING:
        return read_request(c);
    case HTTP_SENDING:
        return send_response(c);
    default:
        return drain(c);
    }
}

static enum step time_out(struct http_connection *c)
{
    c->httpd->stats.timeouts++;
    if (c->phase == HTTP_READING && c->in_len > 0)
        return refuse(c, 408, false);
    return c->phase == HTTP_SENDING ? ABORT : CLOSE;
}

static void handle(struct lan_source *source, int ready)
{
    struct http_connection *c = (struct http_connection *)source;
    enum step step = ready ? GO_ON : time_out(c);
    for (int steps = 0; step == GO_ON && steps < STEPS; steps++)
        step = take_step(c);

    if (step == CLOSE)
        close_connection(c);
    else if (step == ABORT)
        abort_connection(c);
    else
        lan_source_events(source, c->phase == HTTP_SENDING ? LAN_POLLOUT : LAN_POLLIN);
    if (step == GO_ON)
        lan_source_yield(source);
}

static void accepted(struct lan_acceptor *acceptor, int fd)
{
    struct lan_httpd *httpd = (struct lan_httpd *)acceptor;
    struct http_connection *c = httpd->free;
    int on = 1;
    httpd->free = c->next_free;
    httpd->stats.connections++;
    httpd->stats.open++;
    c->in_len = c->out_len = c->out_sent = 0;
    c->body = HTTP_BODY_NONE;
    /* Heads are held back by MSG_MORE, so nothing is gained by Nagle's waiting for acknowledgements. */
    lan_setsockopt(acceptor->source.loop->stack, fd, LAN_IPPROTO_TCP, LAN_TCP_NODELAY, &on, sizeof on);
    lan_loop_add(acceptor->source.loop, &c->source, fd, LAN_POLLIN, handle);
    start_reading(c);
}

static bool possible(const struct lan_httpd_config *config)
{
    return config->connections > 0 && config->backlog > 0 && config->request_bytes >= REQUEST_BYTES_MIN &&
           config->request_bytes <= REQUEST_BYTES_MAX;
}

size_t lan_httpd_size(const struct lan_httpd_config *config)
{
    return sizeof(struct lan_httpd) +
           config->connections * (sizeof(struct http_connection) + (size_t)config->request_bytes);
}

struct lan_httpd *lan_httpd_create(void *memory, struct lan_loop *loop, struct lan_content *content,
                                   const struct lan_httpd_config *config, int *error)
{
    struct lan_httpd *httpd = memory;
    if (!possible(config)) {
        *error = -EINVAL;
        return NULL;
    }
    memset(httpd, 0, sizeof *httpd);
    httpd->content = content;
    httpd->config = *config;
    httpd->connections = (struct http_connection *)(httpd + 1);
    char *requests = (char *)(httpd->connections + config->connections);
    for (uint32_t i = config->connections; i-- > 0;) {
        struct http_connection *c = &httpd->connections[i];
        memset(c, 0, sizeof *c);
        c->httpd = httpd;
        c->in = requests + (size_t)i * config->request_bytes;
        c->next_free = httpd->free;
        httpd->free = c;
    }
    *error = lan_acceptor_open(&httpd->acceptor, loop, config->port, config->backlog, config->connections, accepted);
    return *error ? NULL : httpd;
}

void lan_httpd_destroy(struct lan_httpd *httpd)
{
    for (uint32_t i = 0; i < httpd->config.connections; i++) {
        if (httpd->connections[i].source.loop)
            abort_connection(&httpd->connections[i]);
    }
    lan_acceptor_close(&httpd->acceptor);
}

const struct lan_httpd_stats *lan_httpd_stats(const struct lan_httpd *httpd)
{
    return &httpd->stats;
}
