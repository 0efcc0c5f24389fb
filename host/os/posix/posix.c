/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/posix.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)

struct callback {
    void (*call)(void *arg);
    void *arg;
};

struct lan_posix {
    struct lan_port port;
    struct lan_stack *stack;
    uint64_t alarm_ns;
    struct pollfd *fds; /* and what to call for each */
    struct callback *watches;
    size_t watch_count;
    struct callback *work; /* to be done in the next turn */
    size_t work_count;
};

static uint64_t now_ns(void *ctx)
{
    struct timespec time;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}

static void random_bytes(void *ctx, void *out, size_t bytes)
{
    uint8_t *to = out;

    (void)ctx;
    while (bytes > 0) {
        ssize_t got = getrandom(to, bytes, 0);

        if (got < 0 && errno != EINTR)
            abort(); /* a kernel without entropy: nothing here would be safe */
        if (got > 0) {
            to += got;
            bytes -= (size_t)got;
        }
    }
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    struct lan_posix *posix = ctx;

    posix->alarm_ns = deadline_ns;
}

static void block(void *ctx, struct lan_wakeup *w, uint64_t deadline_ns)
{
    (void)w;
    lan_posix_turn(ctx, deadline_ns);
}

/* The sleeper is this very thread, further up its stack; it looks after each turn. */
static void unblock(void *ctx, struct lan_wakeup *w)
{
    (void)ctx, (void)w;
}

struct lan_posix *lan_posix_create(void)
{
    struct lan_posix *posix = calloc(1, sizeof *posix);

    if (!posix)
        return NULL;
    posix->port = (struct lan_port){posix, now_ns, random_bytes, set_alarm, block, unblock};
    posix->alarm_ns = LAN_NEVER;
    return posix;
}

void lan_posix_destroy(struct lan_posix *posix)
{
    free(posix->fds);
    free(posix->watches);
    free(posix->work);
    free(posix);
}

const struct lan_port *lan_posix_port(struct lan_posix *posix)
{
    return &posix->port;
}

void lan_posix_attach(struct lan_posix *posix, struct lan_stack *stack)
{
    posix->stack = stack;
}

static int append(struct callback **list, size_t *count, void (*call)(void *arg), void *arg)
{
    struct callback *longer = realloc(*list, (*count + 1) * sizeof *longer);

    if (!longer)
        return -ENOMEM;
    longer[(*count)++] = (struct callback){call, arg};
    *list = longer;
    return 0;
}

int lan_posix_watch(struct lan_posix *posix, int fd, void (*ready)(void *arg), void *arg)
{
    struct pollfd *fds = realloc(posix->fds, (posix->watch_count + 1) * sizeof *fds);

    if (!fds)
        return -ENOMEM;
    fds[posix->watch_count] = (struct pollfd){.fd = fd, .events = POLLIN};
    posix->fds = fds;
    return append(&posix->watches, &posix->watch_count, ready, arg);
}

int lan_posix_later(struct lan_posix *posix, void (*work)(void *arg), void *arg)
{
    return append(&posix->work, &posix->work_count, work, arg);
}

/* What the work asks for in turn is done in the next turn. */
static void do_work(struct lan_posix *posix)
{
    struct callback *work = posix->work;
    size_t count = posix->work_count;

    posix->work = NULL;
    posix->work_count = 0;
    for (size_t i = 0; i < count; i++)
        work[i].call(work[i].arg);
    free(work);
}

static void sleep_until(struct lan_posix *posix, uint64_t deadline_ns)
{
    uint64_t now = now_ns(NULL);
    uint64_t wait = posix->work_count || deadline_ns <= now ? 0 : deadline_ns - now;
    struct timespec timeout = {.tv_sec = (time_t)(wait / SECOND_NS), .tv_nsec = (long)(wait % SECOND_NS)};
    bool forever = deadline_ns == LAN_NEVER && wait > 0;

    if (ppoll(posix->fds, posix->watch_count, forever ? NULL : &timeout, NULL) <= 0)
        for (size_t i = 0; i < posix->watch_count; i++)
            posix->fds[i].revents = 0;
}

void lan_posix_turn(struct lan_posix *posix, uint64_t deadline_ns)
{
    sleep_until(posix, deadline_ns < posix->alarm_ns ? deadline_ns : posix->alarm_ns);
    for (size_t i = 0; i < posix->watch_count; i++)
        if (posix->fds[i].revents)
            posix->watches[i].call(posix->watches[i].arg);
    do_work(posix);
    if (posix->stack && now_ns(NULL) >= posix->alarm_ns)
        lan_stack_poll(posix->stack);
}
