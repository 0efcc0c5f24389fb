/* SPDX-License-Identifier: Apache-2.0 */
#include "connector.h"
#include "iperf_internal.h"

#include <errno.h>
#include <string.h>

enum {
    CHUNK_BYTES = 2048, /* stands on the stack */
    STEPS = 32,         /* of one connection, before others have their turn */
};
#define PATIENCE_NS UINT64_C(30000000000) /* with a peer that does nothing */

uint64_t lan_iperf_rate(const struct lan_iperf_result *result)
{
    if (result->end_ns <= result->start_ns)
        return 0;
    return (uint64_t)((double)result->bytes * 8e9 / (double)(result->end_ns - result->start_ns));
}

static struct lan_stack *stack_of(const struct lan_iperf *test)
{
    return test->control.loop->stack;
}

static void close_source(struct lan_iperf *test, struct lan_source *source)
{
    struct lan_loop *loop = source->loop;
    if (!loop)
        return;
    lan_loop_remove(source);
    lan_close(loop->stack, source->fd);
    if (test->acceptor)
        lan_acceptor_release(test->acceptor);
}

void lan_iperf_cancel(struct lan_iperf *test)
{
    for (int i = 0; i < LAN_IPERF_STREAMS; i++)
        close_source(test, &test->streams[i].source);
    close_source(test, &test->control);
}

void lan_iperf_end(struct lan_iperf *test, int error)
{
    test->result.error = error;
    lan_iperf_cancel(test);
    if (test->done)
        test->done(test, &test->result);
}

/* The control connection. */

void lan_iperf_want(struct lan_iperf *test, enum iperf_phase phase)
{
    static const uint8_t BYTES[] = {LAN_IPERF_COOKIE, 1, 4};
    test->phase = phase;
    if (phase != IPERF_WANT_JSON)
        test->wanted = BYTES[phase];
}

static int flush(struct lan_iperf *test)
{
    while (test->out_sent < test->out_bytes) {
        long sent =
            lan_send(stack_of(test), test->control.fd, test->out + test->out_sent, test->out_bytes - test->out_sent, 0);
        if (sent < 0 && sent != -EAGAIN)
            return (int)sent;
        if (sent < 0)
            break;
        test->out_sent += (uint32_t)sent;
    }
    if (test->out_sent == test->out_bytes)
        test->out_sent = test->out_bytes = 0;
    lan_source_events(&test->control, LAN_POLLIN | (test->out_bytes ? LAN_POLLOUT : 0));
    return 0;
}

/* What an end has to say before the other answers fits `out` by far. */
void lan_iperf_say(struct lan_iperf *test, const void *octets, size_t bytes)
{
    if (bytes > sizeof test->out - test->out_bytes)
        return;
    memcpy(test->out + test->out_bytes, octets, bytes);
    test->out_bytes += (uint32_t)bytes;
    if (!test->connecting)
        flush(test);
}

void lan_iperf_say_state(struct lan_iperf *test, uint8_t state)
{
    lan_iperf_say(test, &state, 1);
}

void lan_iperf_say_json(struct lan_iperf *test, const struct lan_text *json)
{
    const uint8_t length[4] = {0, 0, (uint8_t)(json->len >> 8), (uint8_t)json->len};
    lan_iperf_say(test, length, sizeof length);
    lan_iperf_say(test, json->data, json->len);
}

static void take(struct lan_iperf *test)
{
    test->in[test->wanted] = '\0';
    test->in_bytes = 0;
    if (test->phase == IPERF_WANT_LENGTH) {
        const uint8_t *length = (const uint8_t *)test->in;
        test->wanted = (uint32_t)length[0] << 24 | (uint32_t)length[1] << 16 | (uint32_t)length[2] << 8 | length[3];
        if (test->wanted == 0 || test->wanted > LAN_IPERF_TEXT)
            lan_iperf_end(test, -EPROTO);
        else
            lan_iperf_want(test, IPERF_WANT_JSON);
    } else if (test->acceptor) {
        lan_iperf_server_take(test);
    } else {
        lan_iperf_client_take(test);
    }
}

static void be_patient(struct lan_iperf *test)
{
    test->seen_bytes = test->result.bytes;
    lan_source_deadline(&test->control, lan_loop_now(test->control.loop) + PATIENCE_NS);
}

static bool has_duration(const struct lan_iperf *test)
{
    return !test->acceptor && !test->config.bytes;
}

static void deadline(struct lan_iperf *test)
{
    if (test->running && has_duration(test))
        lan_iperf_stop(test);
    else if (test->result.bytes != test->seen_bytes)
        be_patient(test);
    else
        lan_iperf_end(test, -ETIMEDOUT);
}

static void control_ready(struct lan_source *source, int ready)
{
    struct lan_iperf *test = (struct lan_iperf *)((char *)source - offsetof(struct lan_iperf, control));
    uint32_t number = test->number;
    int error = 0;
    if (ready == 0) {
        deadline(test);
        return;
    }
    if (test->connecting)
        error = lan_connector_result(stack_of(test), source->fd);
    test->connecting = false;
    if (!error)
        error = flush(test);
    while (!error && lan_iperf_active(test) && test->number == number) {
        long got = lan_recv(stack_of(test), source->fd, test->in + test->in_bytes, test->wanted - test->in_bytes, 0);
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            error = got < 0 ? (int)got : -ECONNRESET;
        } else {
            test->in_bytes += (uint32_t)got;
            if (test->in_bytes == test->wanted)
                take(test);
        }
    }
    if (error)
        lan_iperf_end(test, error);
}

void lan_iperf_begin(struct lan_iperf *test, struct lan_loop *loop, int fd)
{
    test->result = (struct lan_iperf_result){0};
    test->in_bytes = test->out_bytes = test->out_sent = 0;
    test->connecting = test->sends = test->running = false;
    test->number++;
    lan_loop_add(loop, &test->control, fd, LAN_POLLIN, control_ready);
    be_patient(test);
}

/* The data connections. */

/* Its cookie comes first, or goes first. Octets moved, 0 at the end, or a negative errno. */
static long greet(struct lan_iperf_stream *stream)
{
    struct lan_iperf *test = stream->test;
    uint32_t left = LAN_IPERF_COOKIE - stream->cookie_bytes;
    char *cookie = stream->cookie + stream->cookie_bytes;
    if (!test->acceptor && stream->cookie_bytes == 0) {
        int error = lan_connector_result(stack_of(test), stream->source.fd);
        if (error)
            return error;
    }
    long moved = test->acceptor ? lan_recv(stack_of(test), stream->source.fd, cookie, left, 0)
                                : lan_send(stack_of(test), stream->source.fd, cookie, left, 0);
    if (moved > 0)
        stream->cookie_bytes += (uint32_t)moved;
    return moved;
}

static long move(struct lan_iperf_stream *stream)
{
    struct lan_iperf *test = stream->test;
    uint8_t chunk[CHUNK_BYTES];
    size_t bytes = sizeof chunk;
    long moved;
    if (test->sends) {
        memset(chunk, 0, sizeof chunk);
        if (test->config.bytes && test->config.bytes - test->result.bytes < bytes)
            bytes = (size_t)(test->config.bytes - test->result.bytes);
        moved = lan_send(stack_of(test), stream->source.fd, chunk, bytes, 0);
    } else {
        moved = lan_recv(stack_of(test), stream->source.fd, chunk, bytes, 0);
    }
    if (moved > 0 && test->running) {
        stream->bytes += (uint64_t)moved;
        test->result.bytes += (uint64_t)moved;
    }
    return moved;
}

/* A stranger; its connection is no part of the test. */
static void turn_away(struct lan_iperf_stream *stream)
{
    static const uint8_t DENIED = IPERF_ACCESS_DENIED;
    lan_send(stack_of(stream->test), stream->source.fd, &DENIED, 1, 0);
    close_source(stream->test, &stream->source);
}

static void greeted(struct lan_iperf_stream *stream)
{
    struct lan_iperf *test = stream->test;
    if (memcmp(stream->cookie, test->cookie, LAN_IPERF_COOKIE) != 0) {
        turn_away(stream);
        return;
    }
    stream->ready = true;
    lan_source_events(&stream->source, 0);
    if (!test->acceptor || !lan_iperf_all_ready(test))
        return;
    lan_iperf_say_state(test, IPERF_TEST_START);
    lan_iperf_say_state(test, IPERF_TEST_RUNNING);
    lan_iperf_run(test);
}

static bool all_moved(const struct lan_iperf *test)
{
    return test->config.bytes && test->result.bytes >= test->config.bytes;
}

static void stream_ready(struct lan_source *source, int ready)
{
    struct lan_iperf_stream *stream = (struct lan_iperf_stream *)source;
    struct lan_iperf *test = stream->test;
    long moved = 1;
    (void)ready;
    for (int steps = 0; moved > 0 && steps < STEPS; steps++) {
        if (stream->ready && test->running && all_moved(test)) {
            lan_iperf_stop(test);
            return;
        }
        if (stream->ready && !test->running && test->sends)
            moved = 0; /* it waits for nothing but an error */
        else
            moved = stream->ready ? move(stream) : greet(stream);
        if (!stream->ready && stream->cookie_bytes == LAN_IPERF_COOKIE) {
            greeted(stream);
            return;
        }
    }
    if (moved > 0)
        lan_source_yield(source);
    else if (moved != -EAGAIN) /* a peer that is done may close before it says so on the other connection */
        close_source(test, source);
}

bool lan_iperf_add_stream(struct lan_iperf *test, int fd)
{
    for (uint32_t i = 0; i < test->config.streams; i++) {
        struct lan_iperf_stream *stream = &test->streams[i];
        if (stream->source.loop)
            continue;
        stream->test = test;
        stream->bytes = 0;
        stream->cookie_bytes = 0;
        stream->ready = false;
        memcpy(stream->cookie, test->cookie, LAN_IPERF_COOKIE);
        lan_loop_add(test->control.loop, &stream->source, fd, test->acceptor ? LAN_POLLIN : LAN_POLLOUT, stream_ready);
        return true;
    }
    return false;
}

bool lan_iperf_all_ready(const struct lan_iperf *test)
{
    for (uint32_t i = 0; i < test->config.streams; i++)
        if (!test->streams[i].source.loop || !test->streams[i].ready)
            return false;
    return true;
}

/* Of the streams that are still open. */
static void set_events(struct lan_iperf *test, int events)
{
    for (uint32_t i = 0; i < test->config.streams; i++)
        if (test->streams[i].source.loop)
            lan_source_events(&test->streams[i].source, events);
}

void lan_iperf_run(struct lan_iperf *test)
{
    uint64_t now_ns = lan_loop_now(test->control.loop);
    test->running = true;
    test->result.start_ns = test->result.end_ns = now_ns;
    set_events(test, test->sends ? LAN_POLLOUT : LAN_POLLIN);
    be_patient(test);
    if (has_duration(test))
        lan_source_deadline(&test->control, now_ns + test->config.duration_ns);
}

/* What comes from now on is read and not counted, so that closing is no reset. A client may be waiting for the rest of
 * a block in the midst of which its server stops: the end of the stream wakes it. */
void lan_iperf_stop(struct lan_iperf *test)
{
    if (!test->running)
        return;
    test->running = false;
    test->result.end_ns = lan_loop_now(test->control.loop);
    be_patient(test);
    for (uint32_t i = 0; test->sends && test->acceptor && i < test->config.streams; i++)
        close_source(test, &test->streams[i].source);
    if (test->sends)
        set_events(test, 0);
    if (!test->acceptor)
        lan_iperf_say_state(test, IPERF_TEST_END);
}

/* The results. */

static void add_member(struct lan_text *json, const char *name, uint64_t value)
{
    lan_text_add(json, name);
    lan_text_number(json, value);
}

/* iperf3 counts its streams 1, 3, 4, 5 ... and takes a sender without a count of retransmissions for what it is. */
void lan_iperf_say_results(struct lan_iperf *test)
{
    char room[LAN_IPERF_TEXT / 2];
    struct lan_text json = lan_text(room, sizeof room);
    uint64_t ms = (test->result.end_ns - test->result.start_ns) / 1000000;
    lan_text_add(&json, "{\"cpu_util_total\":0,\"cpu_util_user\":0,\"cpu_util_system\":0,\"sender_has_retransmits\":");
    lan_text_add(&json, test->sends ? "0" : "-1");
    for (uint32_t i = 0; i < test->config.streams; i++) {
        add_member(&json, i ? ",{\"id\":" : ",\"streams\":[{\"id\":", i ? i + 2 : 1);
        add_member(&json, ",\"bytes\":", test->streams[i].bytes);
        add_member(&json, ",\"retransmits\":-1,\"jitter\":0,\"errors\":0,\"packets\":0,\"start_time\":0,\"end_time\":",
                   ms / 1000);
        lan_text_add(&json, ".");
        lan_text_padded(&json, ms % 1000, 3, 10);
        lan_text_add(&json, "}");
    }
    lan_text_add(&json, "]}");
    lan_iperf_say_json(test, &json);
}

void lan_iperf_take_results(struct lan_iperf *test)
{
    test->result.peer_bytes = 0;
    for (const char *next = test->in; (next = lan_iperf_find(next, "bytes")) != NULL;)
        test->result.peer_bytes += lan_iperf_number(next);
}
