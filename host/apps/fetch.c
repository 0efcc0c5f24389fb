/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/fetch.h"

#include <errno.h>
#include <string.h>

#include "connector.h"
#include "http_fields.h"
#include "lanyard/address.h"
#include "text.h"

#define TIMEOUT_NS_DEFAULT UINT64_C(30000000000)

enum { STEPS = 32 };

/* Where we are: the body's framing (RFC 9112 6.3) is part of it. */
enum state { CONNECTING, REQUEST, HEAD, LENGTH, UNTIL_CLOSE, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER, ENDED };

/* What a step came to, when not a negative errno. */
enum { GO_ON = 0, WAIT = 1 };

static struct lan_stack *stack_of(const struct lan_fetch *fetch)
{
    return fetch->source.loop->stack;
}

static void note_progress(struct lan_fetch *fetch)
{
    fetch->end_ns = lan_loop_now(fetch->source.loop);
    lan_source_deadline(&fetch->source, fetch->end_ns + (fetch->timeout_ns ? fetch->timeout_ns : TIMEOUT_NS_DEFAULT));
}

static int connect_step(struct lan_fetch *fetch)
{
    if (!lan_ready(stack_of(fetch), fetch->source.fd, LAN_POLLOUT))
        return WAIT;
    fetch->state = REQUEST;
    return lan_connector_result(stack_of(fetch), fetch->source.fd);
}

static int request_step(struct lan_fetch *fetch)
{
    long sent = lan_send(stack_of(fetch), fetch->source.fd, fetch->request + fetch->request_sent,
                         fetch->request_len - fetch->request_sent, 0);
    if (sent == -EAGAIN)
        return WAIT;
    if (sent < 0)
        return (int)sent;
    note_progress(fetch);
    fetch->request_sent += (size_t)sent;
    if (fetch->request_sent == fetch->request_len) {
        fetch->state = HEAD;
        lan_source_events(&fetch->source, LAN_POLLIN);
    }
    return GO_ON;
}

static void consume(struct lan_fetch *fetch, size_t bytes)
{
    fetch->buffered -= bytes;
    memmove(fetch->buffer, fetch->buffer + bytes, fetch->buffered);
    fetch->scanned = 0;
}

static int parse_status_line(const char *line, int *status)
{
    *status = 0;
    if (strncmp(line, "HTTP/1.", 7) != 0 || line[7] == '\0' || line[8] != ' ')
        return -EPROTO;
    for (int i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return -EPROTO;
        *status = *status * 10 + (line[i] - '0');
    }
    return line[12] == ' ' || line[12] == '\0' ? 0 : -EPROTO;
}

static int parse_field(struct lan_fetch *fetch, const char *name, const char *value)
{
    if (lan_http_same(name, "Transfer-Encoding")) {
        fetch->state = CHUNK_SIZE;
        return lan_http_same(value, "chunked") ? 0 : -EPROTO;
    }
    if (lan_http_same(name, "Content-Length")) {
        uint64_t length;
        if (!lan_http_decimal(value, &length) || length > INT64_MAX ||
            (fetch->content_length >= 0 && (uint64_t)fetch->content_length != length))
            return -EPROTO;
        fetch->content_length = (int64_t)length;
    }
    return 0;
}

/* RFC 9112 6.3: no body with 204 and 304, then chunks before a length, and without either the end of the connection. */
static void choose_framing(struct lan_fetch *fetch)
{
    if (fetch->status == 204 || fetch->status == 304) {
        fetch->state = ENDED;
    } else if (fetch->state == CHUNK_SIZE) {
        fetch->content_length = -1;
    } else if (fetch->content_length >= 0) {
        fetch->state = fetch->content_length ? LENGTH : ENDED;
        fetch->left = (uint64_t)fetch->content_length;
    } else {
        fetch->state = UNTIL_CLOSE;
    }
}

static int head_step(struct lan_fetch *fetch)
{
    size_t bytes = lan_http_head_length(fetch->buffer, fetch->buffered, &fetch->scanned);
    if (bytes == 0)
        return fetch->buffered < sizeof fetch->buffer ? WAIT : -EPROTO;
    if (memchr(fetch->buffer, '\0', bytes))
        return -EPROTO;

    char *at = fetch->buffer;
    int error = parse_status_line(lan_http_next_line(&at), &fetch->status);
    fetch->content_length = -1;
    for (char *line; error == 0 && *(line = lan_http_next_line(&at));) {
        char *value = lan_http_split_field(line);
        error = value ? parse_field(fetch, line, value) : -EPROTO;
    }
    if (error)
        return error;
    if (fetch->status / 100 == 1) /* an interim response; the real one follows */
        fetch->state = HEAD;
    else
        choose_framing(fetch);
    consume(fetch, bytes);
    return GO_ON;
}

/* Hands on what is buffered of the next `left` octets of the body, and changes to `next` behind the last of them. */
static int data_step(struct lan_fetch *fetch, uint64_t left, enum state next)
{
    size_t bytes = fetch->buffered < left ? fetch->buffered : (size_t)left;
    if (bytes == 0)
        return WAIT;
    fetch->body_bytes += bytes;
    fetch->left = left - bytes;
    if (fetch->left == 0)
        fetch->state = next;
    bool wanted = !fetch->data || fetch->data(fetch, fetch->buffer, bytes);
    if (!wanted || !fetch->source.loop) /* data() may have cancelled the fetch */
        return -ECANCELED;
    consume(fetch, bytes);
    return GO_ON;
}

static int parse_chunk_size(const char *line, uint64_t *size)
{
    int digits = 0;
    for (*size = 0; lan_http_hex(line[digits]) >= 0; digits++) {
        if (*size >> 60)
            return -EPROTO;
        *size = *size << 4 | (unsigned)lan_http_hex(line[digits]);
    }
    char behind = line[digits]; /* extensions are ignored (RFC 9112 7.1.1) */
    return digits > 0 && (behind == '\0' || behind == ';' || behind == ' ' || behind == '\t') ? 0 : -EPROTO;
}

/* A line of the chunked coding: the size of a chunk, what ends one, or a field of the trailer. */
static int chunk_line_step(struct lan_fetch *fetch)
{
    char *end = memchr(fetch->buffer, '\n', fetch->buffered), *at = fetch->buffer;
    if (!end)
        return fetch->buffered < sizeof fetch->buffer ? WAIT : -EPROTO;
    size_t bytes = (size_t)(end - fetch->buffer) + 1;
    if (memchr(fetch->buffer, '\0', bytes))
        return -EPROTO;

    const char *line = lan_http_next_line(&at);
    int error = 0;
    if (fetch->state == CHUNK_SIZE) {
        error = parse_chunk_size(line, &fetch->left);
        fetch->state = fetch->left ? CHUNK_DATA : TRAILER;
    } else if (fetch->state == CHUNK_END) {
        error = *line ? -EPROTO : 0;
        fetch->state = CHUNK_SIZE;
    } else if (!*line) {
        fetch->state = ENDED;
    }
    consume(fetch, bytes);
    return error;
}

static int parse_step(struct lan_fetch *fetch)
{
    switch ((enum state)fetch->state) {
    case HEAD:
        return head_step(fetch);
    case LENGTH:
        return data_step(fetch, fetch->left, ENDED);
    case UNTIL_CLOSE:
        return data_step(fetch, UINT64_MAX, ENDED);
    case CHUNK_DATA:
        return data_step(fetch, fetch->left, CHUNK_END);
    default:
        return chunk_line_step(fetch);
    }
}

static int receive_step(struct lan_fetch *fetch)
{
    int result = parse_step(fetch);
    if (result != WAIT)
        return result;
    long got = lan_recv(stack_of(fetch), fetch->source.fd, fetch->buffer + fetch->buffered,
                        sizeof fetch->buffer - fetch->buffered, 0);
    if (got == -EAGAIN)
        return WAIT;
    if (got < 0)
        return (int)got;
    if (got == 0) {
        bool whole = fetch->state == UNTIL_CLOSE;
        fetch->state = ENDED;
        return whole ? GO_ON : -EPIPE;
    }
    note_progress(fetch);
    fetch->buffered += (size_t)got;
    return GO_ON;
}

static int take_step(struct lan_fetch *fetch)
{
    switch ((enum state)fetch->state) {
    case CONNECTING:
        return connect_step(fetch);
    case REQUEST:
        return request_step(fetch);
    default:
        return receive_step(fetch);
    }
}

static void handle(struct lan_source *source, int ready)
{
    struct lan_fetch *fetch = (struct lan_fetch *)((char *)source - offsetof(struct lan_fetch, source));
    int result = ready ? GO_ON : -ETIMEDOUT;
    for (int steps = 0; result == GO_ON && fetch->state != ENDED && steps < STEPS; steps++)
        result = take_step(fetch);
    if (!source->loop) /* cancelled meanwhile */
        return;
    if (result >= 0 && fetch->state != ENDED) {
        if (result == GO_ON)
            lan_source_yield(source);
        return;
    }
    fetch->end_ns = lan_loop_now(source->loop);
    lan_fetch_cancel(fetch);
    fetch->done(fetch, result < 0 ? result : 0);
}

/* "http://address[:port][/path]"; false when it is not. */
static bool build_request(struct lan_fetch *fetch, const char *url, struct lan_sockaddr_in *address)
{
    static const char SCHEME[] = "http://";
    size_t length = strlen(url), scheme = sizeof SCHEME - 1;
    if (length > LAN_FETCH_URL_BYTES || strncmp(url, SCHEME, scheme) != 0)
        return false;
    const char *authority = url + scheme;
    size_t authority_bytes = lan_sockaddr_parse(authority, 80, address);
    const char *path = authority + authority_bytes;
    if (authority_bytes == 0 || (*path && *path != '/'))
        return false;
    for (const char *at = path; *at; at++) {
        if (*at <= ' ' || *at == 0x7f || *at == '#')
            return false;
    }
    struct lan_text text = lan_text(fetch->request, sizeof fetch->request);
    lan_text_add(&text, "GET ");
    lan_text_add(&text, *path ? path : "/");
    lan_text_add(&text, " HTTP/1.1\r\nHost: ");
    lan_text_bytes(&text, authority, authority_bytes);
    lan_text_add(&text, "\r\nUser-Agent: Lanyard\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    fetch->request_len = text.len;
    return !text.cut;
}

int lan_fetch_start(struct lan_fetch *fetch, struct lan_loop *loop, const char *url)
{
    struct lan_sockaddr_in address;
    fetch->source.loop = NULL;
    if (!build_request(fetch, url, &address))
        return -EINVAL;
    int fd = lan_connector_open(loop->stack, &address);
    if (fd < 0)
        return fd;
    fetch->status = 0;
    fetch->content_length = -1;
    fetch->body_bytes = fetch->left = 0;
    fetch->request_sent = fetch->buffered = fetch->scanned = 0;
    fetch->state = CONNECTING;
    fetch->start_ns = lan_loop_now(loop);
    lan_loop_add(loop, &fetch->source, fd, LAN_POLLOUT, handle);
    note_progress(fetch);
    return 0;
}

void lan_fetch_cancel(struct lan_fetch *fetch)
{
    struct lan_loop *loop = fetch->source.loop;
    if (!loop)
        return;
    lan_loop_remove(&fetch->source);
    lan_close(loop->stack, fetch->source.fd);
}
