/* SPDX-License-Identifier: Apache-2.0 */
/* The stack against the model of RFC 9293 3.10, by random sequences of segments and calls, legal and illegal.
 *
 *   test_tcp_model STEPS [SEED]   a sequence that goes wrong is shortened as long as it still does, and printed
 *   test_tcp_model shrink         tries that on failures that are none
 *
 * A run of COVERING steps or more must have come to every cell of the table of 3.10.7. */
#include "model_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEQUENCE_MAX = 24, COVERING = 1000000, SHRINKS = 200 };

static uint64_t generator;

static uint32_t draw(uint32_t below)
{
    generator ^= generator << 13;
    generator ^= generator >> 7;
    generator ^= generator << 17;
    return (uint32_t)((generator >> 16) % below);
}

static struct event random_event(void)
{
    static const uint8_t FLAGS[] = {M_ACK, M_ACK, M_ACK, M_ACK | M_FIN, M_SYN, M_SYN | M_ACK, M_RST, M_RST | M_ACK};
    struct event event = {.kind = draw(3) ? SEGMENT : draw(EVENT_KINDS), .far = draw(0xffffffff)};

    event.flags = draw(8) ? FLAGS[draw(sizeof FLAGS)] : (uint8_t)(draw(32) & (M_FIN | M_SYN | M_RST | M_ACK));
    event.seq_place = (uint8_t)draw(20); /* most of them where they belong */
    event.ack_place = (uint8_t)draw(14);
    event.bytes = (uint16_t)(draw(2) ? 0 : 1 + draw(30));
    return event;
}

static void report(const struct run *r, const struct event *events, unsigned count, bool passive)
{
    static const char *const NAMES[] = {"segment", "write", "shutdown", "close", "read", "accept", "wait", "expire"};

    printf("%s after a%s open and\n", r->problem, passive ? " passive" : "n active");
    for (const struct event *event = events; event < events + count; event++) {
        printf("  %s", NAMES[event->kind]);
        if (event->kind == SEGMENT)
            printf(" flags %02x, place of SEQ %u, of ACK %u, %u bytes (far %#x)", event->flags, event->seq_place,
                   event->ack_place, event->bytes, event->far);
        printf("\n");
    }
}

/* Whether the failure is still there without event `i`; then it is left out. */
static bool leave_out(struct run *r, struct event *events, unsigned *count, unsigned i, bool passive)
{
    struct event shorter[SEQUENCE_MAX];
    unsigned at;

    memcpy(shorter, events, i * sizeof *events);
    memcpy(shorter + i, events + i + 1, (*count - i - 1) * sizeof *events);
    if (run_play(r, shorter, *count - 1, passive, &at))
        return false;
    *count = at; /* where it fails now; what comes after is not needed either */
    memcpy(events, shorter, at * sizeof *events);
    return true;
}

/* The same with event `i` made as plain as may be: no payload, and SEQ and ACK where they belong. */
static void make_plain(struct run *r, struct event *events, unsigned count, unsigned i, bool passive)
{
    const struct event plain[] = {
        {events[i].kind, events[i].flags, SEQ_AT, ACK_ALL, 0, 0},
        {events[i].kind, events[i].flags, events[i].seq_place, events[i].ack_place, 0, events[i].far},
        {events[i].kind, events[i].flags, SEQ_AT, events[i].ack_place, events[i].bytes, events[i].far},
        {events[i].kind, events[i].flags, events[i].seq_place, ACK_ALL, events[i].bytes, events[i].far},
    };

    for (unsigned k = 0; k < sizeof plain / sizeof *plain; k++) {
        struct event before = events[i];
        unsigned at;

        events[i] = plain[k];
        if (!run_play(r, events, count, passive, &at))
            return;
        events[i] = before;
    }
}

/* Leaves out whatever is not needed for the failure; the rest of the run's problem is that of the short list. */
static unsigned shrink(struct run *r, struct event *events, unsigned count, bool passive)
{
    unsigned at;

    for (unsigned i = 0; i < count;)
        i = leave_out(r, events, &count, i, passive) ? 0 : i + 1;
    for (unsigned i = 0; i < count; i++)
        make_plain(r, events, count, i, passive);
    run_play(r, events, count, passive, &at);
    return count;
}

/* Every other sequence begins with the way to some state: few would come to the last ones by chance. */
static unsigned draw_sequence(struct event events[SEQUENCE_MAX], bool passive)
{
    unsigned count = 1 + draw(SEQUENCE_MAX), i = 0;
    int path = draw(2) ? run_path(draw(CELL_STATES), passive, events) : 0;

    if (path > 0)
        i = (unsigned)path;
    if (count < i)
        count = i;
    for (; i < count; i++)
        events[i] = random_event();
    return count;
}

/* CLOSING takes the handshake, the end of sending, and a FIN that does not acknowledge ours: three events, four where
 * both ends opened, and with the accept() five after a passive open. */
static bool check_shrinking(struct run *r)
{
    unsigned longest[2] = {0}, found = 0;

    r->forbids = true;
    r->forbidden = M_CLOSING;
    while (found < SHRINKS) {
        struct event events[SEQUENCE_MAX];
        bool passive = draw(2);
        unsigned count = draw_sequence(events, passive), at;

        if (run_play(r, events, count, passive, &at))
            continue;
        found++;
        count = shrink(r, events, at, passive);
        if (count > longest[passive])
            longest[passive] = count;
    }
    printf("%u failures shrank to at most %u events after an active open, %u after a passive one\n", found, longest[0],
           longest[1]);
    return longest[0] <= 4 && longest[1] <= 5;
}

static unsigned unvisited(const struct run *r)
{
    unsigned cells = 0, missing = 0;

    for (unsigned state = 0; state < CELL_STATES; state++)
        for (unsigned kind = 0; kind < CELL_KINDS; kind++)
            for (unsigned place = 0; place < CELL_PLACES; place++) {
                if (!cell_exists((struct cell){state, kind, place}))
                    continue;
                cells++;
                if (r->visits[state][kind][place])
                    continue;
                missing++;
                printf("never came to %s, %s, %s\n", model_state_name(state), cell_kind_name(kind),
                       cell_place_name(place));
            }
    printf("%u of %u cells visited\n", cells - missing, cells);
    return missing;
}

/* False: the stack and the model differ. */
static bool compare(struct run *r, uint64_t steps)
{
    for (uint64_t done = 0; done < steps;) {
        struct event events[SEQUENCE_MAX];
        bool passive = draw(2);
        unsigned count = draw_sequence(events, passive), at;

        if (!run_play(r, events, count, passive, &at)) {
            count = shrink(r, events, at, passive);
            report(r, events, count, passive);
            return false;
        }
        done += count;
    }
    return true;
}

int main(int argc, char **argv)
{
    bool shrinking = argc > 1 && strcmp(argv[1], "shrink") == 0;
    uint64_t steps = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    static struct run run;

    if (steps == 0 && !shrinking) {
        fprintf(stderr, "usage: %s STEPS [SEED], STEPS a positive number, or shrink\n", argv[0]);
        return 2;
    }
    generator = seed * 2 + 1;
    run.f = fixture_create(&LAN_CONFIG_DEFAULT, 0);

    bool good = shrinking ? check_shrinking(&run) : compare(&run, steps);

    fixture_destroy(run.f);
    if (!shrinking && good) {
        printf("%llu steps with seed %llu; ", (unsigned long long)steps, (unsigned long long)seed);
        good = unvisited(&run) == 0 || steps < COVERING;
    }
    return !good;
}
