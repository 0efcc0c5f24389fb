/* SPDX-License-Identifier: Apache-2.0 */
/* Every cell of the table of RFC 9293 3.10.7 (cells.h): the shortest way to the state, then the segment.
 *
 *   test_tcp_cells          a test for each cell and way to open, STATE_KIND_place_active or _passive
 *   test_tcp_cells --table  docs/rfc9293-3.10.7.md */
#include "model_run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 10, TESTS_MAX = 1024 };

struct tried {
    struct cell cell;
    bool passive;
};

static struct fixture *fixture;
static const char *const OPENS[] = {"active", "passive"};

/* The segment of a cell. */
static struct event segment_of(struct cell cell)
{
    static const uint8_t FLAGS[CELL_KINDS] = {
        [K_SYN] = M_SYN,
        [K_SYN_ACK] = M_SYN | M_ACK,
        [K_SYN_FIN] = M_SYN | M_FIN,
        [K_RST] = M_RST | M_ACK,
        [K_ACK] = M_ACK,
        [K_ACK_UNSENT] = M_ACK,
        [K_DATA] = M_ACK,
        [K_FIN] = M_FIN | M_ACK,
        [K_NO_ACK] = 0,
    };
    static const uint8_t PLACES[CELL_PLACES] = {
        [P_ANY] = SEQ_AT,      [P_NO_ACK] = SEQ_AT,   [P_OUR_SYN] = SEQ_AT,
        [P_NOT_OURS] = SEQ_AT, [P_LEFT] = SEQ_BEFORE, [P_ACROSS] = SEQ_BEFORE,
        [P_AT] = SEQ_AT,       [P_IN] = SEQ_BEYOND,   [P_RIGHT] = SEQ_RIGHT,
    };
    bool text = cell.kind == K_DATA || cell.kind == K_NO_ACK;
    struct event event = {.kind = SEGMENT,
                          .flags = FLAGS[cell.kind],
                          .seq_place = PLACES[cell.place],
                          .ack_place = cell.kind == K_ACK_UNSENT ? ACK_UNSENT : ACK_ALL,
                          .bytes = text ? BYTES : 0};

    if (cell.place == P_ACROSS)
        event.bytes = BYTES;
    if (cell.place == P_LEFT && text)
        event.bytes = BYTES / 2; /* ends where the window begins */
    if (cell.place == P_NO_ACK)
        event.flags &= (uint8_t)~M_ACK;
    if (cell.place == P_OUR_SYN || cell.place == P_NOT_OURS)
        event.flags |= M_ACK;
    if (cell.place == P_NOT_OURS)
        event.ack_place = cell.kind == K_ACK ? ACK_UNA : ACK_UNSENT;
    return event;
}

/* Plays a cell; *before is the model when the segment arrives. */
static void try(struct tried tried, struct run *run, struct model *before)
{
    struct event events[PATH_MAX_EVENTS + 1];
    int way = run_path(tried.cell.state, tried.passive, events);
    unsigned at;

    assert_true(way >= 0);
    memset(run, 0, sizeof *run);
    run->f = fixture;
    events[way] = segment_of(tried.cell);
    assert_true(run_play(run, events, (unsigned)way, tried.passive, &at));
    *before = run->model;
    if (!run_play(run, events, (unsigned)way + 1, tried.passive, &at))
        fail_msg("%s", run->problem);
    assert_int_equal(run->cell.state, tried.cell.state);
    assert_int_equal(run->cell.kind, tried.cell.kind);
    assert_int_equal(run->cell.place, tried.cell.place);
}

static void a_cell(void **state)
{
    static struct run run;
    struct model before;

    try(*(struct tried *)*state, &run, &before);
}

/* What the segment brought about, in a few words. */
static const char *outcome(const struct run *run, const struct model *before)
{
    static char text[96];
    const struct model *after = &run->model;
    const struct model_answer *answer = &run->answer;
    bool gone = after->state == M_CLOSED || after->state == M_LISTEN;
    bool deleted = gone && before->state > M_SYN_RECEIVED; /* to the model a listener is what is left then */
    const char *said = answer->reset      ? "RST"
                       : answer->syn      ? "SYN-ACK"
                       : answer->must_ack ? "ACK"
                       : answer->may_ack  ? "(ACK)"
                                          : "";
    const char *taken = "";

    if (before->state >= M_SYN_RECEIVED && !gone && !answer->syn)
        taken = after->rcv_nxt != before->rcv_nxt                                                ? "taken"
                : after->held_count > before->held_count || after->fin_noted > before->fin_noted ? "kept"
                                                                                                 : "";
    const char *next = after->state == before->state ? "" : deleted ? "CLOSED" : model_state_name(after->state);

    snprintf(text, sizeof text, "%s%s%s%s%s%s", taken, *taken && *said ? "; " : "", said,
             *next && (*taken || *said) ? "; " : "", *next ? "to " : "", next);
    return *text ? text : "–";
}

static void print_row(FILE *page, enum model_state state, bool passive, enum cell_kind kind)
{
    static struct run run;
    struct model before;

    fprintf(page, "| %s |", cell_kind_name(kind));
    for (unsigned place = 0; place < CELL_PLACES; place++) {
        struct tried tried = {{state, kind, place}, passive};

        if (!cell_exists((struct cell){state, K_SYN, place}) && !cell_exists((struct cell){state, K_DATA, place}))
            continue; /* no such column in this state */
        if (!cell_exists(tried.cell)) {
            fprintf(page, " |");
            continue;
        }
        try(tried, &run, &before);
        fprintf(page, " %s |", outcome(&run, &before));
    }
    fprintf(page, "\n");
}

/* The caller frees it. */
static char *table_of(enum model_state state, bool passive)
{
    char *text = NULL;
    size_t bytes;
    unsigned columns = 1;
    FILE *page = open_memstream(&text, &bytes);

    fprintf(page, "\n| |");
    for (unsigned place = 0; place < CELL_PLACES; place++)
        if (cell_exists((struct cell){state, K_DATA, place}) || cell_exists((struct cell){state, K_SYN, place})) {
            fprintf(page, " %s |", cell_place_name(place));
            columns++;
        }
    fprintf(page, "\n|");
    while (columns--)
        fprintf(page, " --- |");
    fprintf(page, "\n");
    for (unsigned kind = 0; kind < CELL_KINDS; kind++)
        print_row(page, state, passive, kind);
    fclose(page);
    return text;
}

static void print_state(enum model_state state)
{
    struct event way[PATH_MAX_EVENTS];
    char *tables[2] = {NULL, NULL};

    for (int passive = 0; passive < 2; passive++)
        if (run_path(state, passive, way) >= 0)
            tables[passive] = table_of(state, passive);
    if (!tables[0] || !tables[1] || strcmp(tables[0], tables[1]) == 0) {
        printf("\n## %s\n%s", model_state_name(state), tables[0] ? tables[0] : tables[1]);
    } else {
        for (int passive = 0; passive < 2; passive++)
            printf("\n## %s after a%s open\n%s", model_state_name(state), passive ? " passive" : "n active",
                   tables[passive]);
    }
    free(tables[0]);
    free(tables[1]);
}

static const char INTRODUCTION[] =
    "# RFC 9293, section 3.10.7: SEGMENT ARRIVES\n"
    "\n"
    "Eleven states by kind of segment by place, and what this stack does; where RFC 5961 is stricter, it counts. Each "
    "cell is a\n"
    "test of its own in `net.tcp.cells` (`tests/net/tcp/test_tcp_cells.c`), named by state, row, column and how the "
    "connection was\n"
    "opened: `ESTABLISHED_FIN_left_active`. It goes there by the shortest way and holds the stack to the model "
    "(`model.c`): state,\n"
    "SND.UNA, SND.NXT, RCV.NXT and all that is sent. `net.tcp.model` comes to every cell again by hundreds of "
    "thousands of random\n"
    "steps and fails when it misses one. This page is what `test_tcp_cells --table` prints; `net.tcp.cells_page` "
    "compares.\n"
    "\n"
    "Columns: where the segment stands against the receive window. `left`: all of it before RCV.NXT; `across`: begins "
    "before\n"
    "and ends behind RCV.NXT; `at`: begins at RCV.NXT; `in`: begins beyond it, in the window; `right`: begins beyond "
    "the window. In\n"
    "SYN-SENT, which has no window yet: what it acknowledges. Rows: SYN-FIN has SYN with FIN or RST; ACK-unsent "
    "acknowledges\n"
    "what was never sent, the others with ACK all that was; data and FIN have ACK; no-ACK is data without. A\n"
    "SYN-ACK that repeats the peer's SYN is no row: it completes a simultaneous open (3.5, figure 7), as its ACK alone "
    "would.\n"
    "\n"
    "Cells: `–`: no answer, and nothing changes; `ACK`: at once; `(ACK)`: one that may be delayed or, as a challenge, "
    "be limited in\n"
    "rate; `taken`: RCV.NXT advances; `kept`: until the gap before it is filled.\n";

static void print_page(void)
{
    fputs(INTRODUCTION, stdout);
    for (unsigned state = 0; state < CELL_STATES; state++)
        print_state(state);
}

static const char *name_of(struct tried tried)
{
    static char names[TESTS_MAX][64];
    static unsigned used;
    char *name = names[used++];

    snprintf(name, sizeof names[0], "%s_%s_%s_%s", model_state_name(tried.cell.state), cell_kind_name(tried.cell.kind),
             cell_place_name(tried.cell.place), OPENS[tried.passive]);
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '-')
            *p = '_';
    return name;
}

static unsigned all_tests(struct CMUnitTest tests[TESTS_MAX])
{
    static struct tried tried[TESTS_MAX];
    struct event way[PATH_MAX_EVENTS];
    unsigned n = 0;

    for (unsigned i = 0; i < CELL_STATES * CELL_KINDS * CELL_PLACES * 2; i++) {
        struct cell cell = {i / 2 / CELL_PLACES / CELL_KINDS, i / 2 / CELL_PLACES % CELL_KINDS, i / 2 % CELL_PLACES};

        tried[n] = (struct tried){cell, i % 2};
        if (!cell_exists(cell) || run_path(cell.state, i % 2, way) < 0)
            continue;
        tests[n] = (struct CMUnitTest){name_of(tried[n]), a_cell, NULL, NULL, &tried[n]};
        n++;
    }
    return n;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[TESTS_MAX];
    int failed = 0;

    fixture = fixture_create(&LAN_CONFIG_DEFAULT, 0);
    if (argc > 1 && strcmp(argv[1], "--table") == 0)
        print_page();
    else
        failed = _cmocka_run_group_tests("cells", tests, all_tests(tests), NULL, NULL);
    fixture_destroy(fixture);
    return failed != 0;
}
