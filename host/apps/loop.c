/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/loop.h"

/* The deadlines form a pairing heap: intrusive, so that a source needs no second allocation, and its cost grows with
 * the logarithm of their number. `parent` of a first child is its parent, of any other child its elder sibling.
 */
static struct lan_source *meld(struct lan_source *a, struct lan_source *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline_ns < a->deadline_ns) {
        struct lan_source *earlier = b;
        b = a;
        a = earlier;
    }
    b->parent = a;
    b->sibling = a->child;
    if (b->sibling)
        b->sibling->parent = b;
    a->child = b;
    return a;
}

static struct lan_source *detach(struct lan_source *source)
{
    struct lan_source *sibling = source->sibling;
    source->sibling = source->parent = NULL;
    return sibling;
}

/* Two passes, as the heap's bound asks: melds the children in pairs from the left, the pairs from the right. */
static struct lan_source *meld_all(struct lan_source *children)
{
    struct lan_source *pairs = NULL, *root = NULL;
    while (children) {
        struct lan_source *first = children, *second = detach(first);
        children = second ? detach(second) : NULL;
        struct lan_source *pair = meld(first, second);
        pair->sibling = pairs;
        pairs = pair;
    }
    while (pairs) {
        struct lan_source *pair = pairs;
        pairs = detach(pair);
        root = meld(root, pair);
    }
    return root;
}

static void take_deadline(struct lan_source *source)
{
    struct lan_loop *loop = source->loop;
    if (source->deadline_ns == LAN_NEVER)
        return;
    struct lan_source *children = meld_all(source->child);
    if (source == loop->timers) {
        loop->timers = children;
    } else {
        if (source->parent->child == source)
            source->parent->child = source->sibling;
        else
            source->parent->sibling = source->sibling;
        if (source->sibling)
            source->sibling->parent = source->parent;
        loop->timers = meld(loop->timers, children);
    }
    source->child = source->sibling = source->parent = NULL;
    source->deadline_ns = LAN_NEVER;
}

void lan_source_deadline(struct lan_source *source, uint64_t deadline_ns)
{
    take_deadline(source);
    if (deadline_ns == LAN_NEVER)
        return;
    source->deadline_ns = deadline_ns;
    source->loop->timers = meld(source->loop->timers, source);
}

static void enqueue(struct lan_source *source)
{
    struct lan_loop *loop = source->loop;
    if (source->queued)
        return;
    source->queued = true;
    source->turn = loop->turn;
    source->ready_next = NULL;
    source->ready_prev = loop->ready_tail;
    if (loop->ready_tail)
        loop->ready_tail->ready_next = source;
    else
        loop->ready_head = source;
    loop->ready_tail = source;
}

static void dequeue(struct lan_source *source)
{
    struct lan_loop *loop = source->loop;
    if (!source->queued)
        return;
    source->queued = false;
    if (source->ready_prev)
        source->ready_prev->ready_next = source->ready_next;
    else
        loop->ready_head = source->ready_next;
    if (source->ready_next)
        source->ready_next->ready_prev = source->ready_prev;
    else
        loop->ready_tail = source->ready_prev;
}

/* From inside the stack: only takes a note. */
static void notify(void *arg)
{
    struct lan_source *source = arg;
    enqueue(source);
    lan_wake(source->loop->stack, &source->loop->wakeup);
}

void lan_loop_init(struct lan_loop *loop, struct lan_stack *stack, const struct lan_port *port)
{
    *loop = (struct lan_loop){.stack = stack, .port = port};
}

uint64_t lan_loop_now(const struct lan_loop *loop)
{
    return loop->port->now_ns(loop->port->ctx);
}

void lan_loop_add(struct lan_loop *loop, struct lan_source *source, int fd, int events, lan_source_handler *handler)
{
    *source =
        (struct lan_source){.loop = loop, .fd = fd, .events = events, .handler = handler, .deadline_ns = LAN_NEVER};
    if (fd < 0)
        return;
    lan_set_notify(loop->stack, fd, notify, source);
    enqueue(source); /* it may be ready already */
}

void lan_loop_remove(struct lan_source *source)
{
    struct lan_loop *loop = source->loop;
    if (!loop)
        return;
    if (source->fd >= 0)
        lan_set_notify(loop->stack, source->fd, NULL, NULL);
    take_deadline(source);
    dequeue(source);
    if (loop->running == source)
        loop->running = NULL;
    source->loop = NULL;
}

void lan_source_events(struct lan_source *source, int events)
{
    if (source->events == events)
        return;
    source->events = events;
    if (source->fd >= 0)
        enqueue(source);
}

void lan_source_yield(struct lan_source *source)
{
    source->unfinished = true;
    enqueue(source);
}

static int look(const struct lan_source *source)
{
    int ready = source->fd >= 0 ? lan_ready(source->loop->stack, source->fd, source->events) : 0;
    return source->unfinished ? ready | source->events : ready;
}

/* Level-triggered: a source that is still ready afterwards queues up again, behind the others. */
static void call(struct lan_source *source, int ready)
{
    struct lan_loop *loop = source->loop;
    loop->running = source;
    source->unfinished = false;
    source->handler(source, ready);
    if (loop->running && look(source))
        enqueue(source);
    loop->running = NULL;
}

static void run_timers(struct lan_loop *loop)
{
    uint64_t now = lan_loop_now(loop);
    while (!loop->stopped && loop->timers && loop->timers->deadline_ns <= now) {
        struct lan_source *source = loop->timers;
        take_deadline(source);
        call(source, 0);
    }
}

/* What queues up meanwhile waits for the next turn, so that nobody starves the timers. */
static void run_ready(struct lan_loop *loop)
{
    loop->turn++;
    while (!loop->stopped && loop->ready_head && loop->ready_head->turn != loop->turn) {
        struct lan_source *source = loop->ready_head;
        dequeue(source);
        int ready = look(source);
        if (ready)
            call(source, ready);
    }
}

uint64_t lan_loop_turn(struct lan_loop *loop)
{
    run_timers(loop);
    run_ready(loop);
    if (loop->ready_head)
        return 0;
    return loop->timers ? loop->timers->deadline_ns : LAN_NEVER;
}

void lan_loop_run(struct lan_loop *loop)
{
    while (!loop->stopped) {
        uint64_t deadline_ns = lan_loop_turn(loop);
        if (deadline_ns == 0 || loop->stopped)
            continue;
        loop->wakeup.woken = false;
        lan_wait(loop->stack, &loop->wakeup, deadline_ns);
    }
    loop->stopped = false;
}

void lan_loop_stop(struct lan_loop *loop)
{
    loop->stopped = true;
    lan_wake(loop->stack, &loop->wakeup);
}
