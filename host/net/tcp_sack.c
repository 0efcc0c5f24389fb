/* SPDX-License-Identifier: Apache-2.0 */
/* The scoreboard (RFC 6675 3): what was sent and is not acknowledged yet, as runs of octets that share a fate.
 *
 * The runs of a connection lie without gaps from SND.UNA to SND.NXT behind the rest of what a sender knows
 * (tcp_sender.c), which fills one buffer of the pool; those of one with very many holes in a larger one, if the stack
 * has one to lend. Neighbours that nothing tells apart are one run, and so are transmissions that are closer in time
 * than recovery could make use of. So memory has a bound, and an ACK costs a binary search a block and moves inside
 * that buffer, whatever a peer may acknowledge. When it is nearly full, SACK blocks that it would have to tell apart
 * are ignored, which is allowed at any time (RFC 2018 8): they count as under way.
 */

#include "tcp_internal.h"

#define OLD LAN_TCP_TICKS(240 * LAN_S) /* nobody measures a round trip by it */
enum { SPLIT_MAX = 2 /* runs more by marking a range */, RESERVE = 4 /* SACK leaves a quarter of the room */ };

static struct lan_tcp_run *run_at(const struct lan_tcb *tcb, uint32_t at)
{
    return tcb->sender->runs + tcb->sender->first_run + at;
}

static uint32_t start_of(const struct lan_tcb *tcb, uint32_t at)
{
    return at ? run_at(tcb, at - 1)->end : tcb->snd_una;
}

/* `bytes` of a run have changed, or ended, what they count as. */
static void count_bytes(struct lan_tcb *tcb, uint32_t flags, uint32_t bytes)
{
    struct lan_tcp_sender *sender = tcb->sender;
    sender->sacked += flags & RUN_SACKED ? bytes : 0;
    sender->lost += flags & RUN_LOST ? bytes : 0;
}

static void set_flags(struct lan_tcb *tcb, uint32_t at, uint32_t flags)
{
    struct lan_tcp_run *run = run_at(tcb, at);
    uint32_t bytes = run->end - start_of(tcb, at);
    count_bytes(tcb, run->flags, 0u - bytes);
    count_bytes(tcb, flags, bytes);
    run->flags = flags;
}

static void remove_runs(struct lan_tcb *tcb, uint32_t at, uint32_t n)
{
    struct lan_tcp_sender *sender = tcb->sender;
    struct lan_tcp_run *runs = run_at(tcb, 0);
    sender->run_count -= n;
    memmove(&runs[at], &runs[at + n], (sender->run_count - at) * sizeof *runs);
}

enum { RUNS_MIN = 16 };
_Static_assert(sizeof(struct lan_tcp_sender) + RUNS_MIN * sizeof(struct lan_tcp_run) <= LAN_TCP_BUFFER_BYTES_MIN,
               "the scoreboard needs room in the smallest buffer");

static bool has_room(const struct lan_tcb *tcb, uint32_t runs)
{
    return tcb->sender->run_count + runs <= tcb->sender->run_room;
}

/* Room for one more run at `at`; the table is not full. */
static inline void make_room(struct lan_tcb *tcb, uint32_t at)
{
    struct lan_tcp_sender *sender = tcb->sender;
    uint32_t count = sender->run_count++;
    if (sender->first_run + count == sender->run_room) {
        memmove(sender->runs, run_at(tcb, 0), count * sizeof(struct lan_tcp_run));
        sender->first_run = 0;
    }
    struct lan_tcp_run *runs = run_at(tcb, 0);
    if (at < count)
        memmove(&runs[at + 1], &runs[at], (count - at) * sizeof *runs);
}

/* The first run that ends beyond `seq`. */
static uint32_t search(const struct lan_tcb *tcb, uint32_t seq)
{
    const struct lan_tcp_run *runs = run_at(tcb, 0);
    uint32_t low = 0, high = tcb->sender->run_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (lan_seq_leq(runs[middle].end, seq))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The index of the run that starts at `seq`, after cutting one in two there if need be; there is room for that. */
static uint32_t split(struct lan_tcb *tcb, uint32_t seq)
{
    uint32_t at = search(tcb, seq);
    if (at == tcb->sender->run_count || start_of(tcb, at) == seq)
        return at;
    make_room(tcb, at);
    struct lan_tcp_run *run = run_at(tcb, at);
    *run = (struct lan_tcp_run){.end = seq, .flags = run[1].flags, .sent = run[1].sent};
    return at + 1;
}

/* One run is in order of time, so that its time is that of the octets sent first, which are its first. */
static bool alike(const struct lan_tcb *tcb, const struct lan_tcp_run *a, const struct lan_tcp_run *b)
{
    bool together = b->sent - a->sent <= LAN_TCP_SAME_TIME(tcb) / 2;
    return a->flags == b->flags && (a->flags & RUN_SACKED || together);
}

/* Makes one run of [from, to), with the flags and time of the first, and of the neighbours that are like it. */
static void join(struct lan_tcb *tcb, uint32_t from, uint32_t to)
{
    struct lan_tcp_sender *sender = tcb->sender;
    struct lan_tcp_run *runs = run_at(tcb, 0);
    if (from && alike(tcb, &runs[from - 1], &runs[from]))
        from--;
    if (to < sender->run_count && alike(tcb, &runs[from], &runs[to]))
        to++;
    runs[from].end = runs[to - 1].end;
    remove_runs(tcb, from + 1, to - from - 1);
}

/* Neighbours that differ in time only, and by no more than `apart`, become one, as of the later one's time. */
static void coarsen(struct lan_tcb *tcb, uint32_t apart)
{
    struct lan_tcp_sender *sender = tcb->sender;
    struct lan_tcp_run *runs = run_at(tcb, 0);
    uint32_t first = runs[0].sent, last = 0;
    for (uint32_t i = 1; i < sender->run_count; i++) {
        uint32_t sent = runs[i].sent;
        bool earlier = lan_seq_lt(sent, runs[last].sent), far = earlier || sent - first > apart;
        if ((runs[i].flags ^ runs[last].flags) & ~(uint32_t)RUN_BLURRED ||
            (!(runs[i].flags & RUN_SACKED) && far && apart != LAN_TCP_NEVER)) {
            runs[++last] = runs[i];
            first = sent;
            continue;
        }
        runs[last].end = runs[i].end;
        runs[last].flags |= runs[i].flags | (sent != first ? RUN_BLURRED : 0);
        if (!earlier)
            runs[last].sent = sent;
    }
    sender->run_count = last + 1;
}

static void move_to(struct lan_tcp_sender *sender, struct lan_tcp_run *runs, uint32_t room)
{
    memcpy(runs, sender->runs + sender->first_run, sender->run_count * sizeof *runs);
    sender->runs = runs;
    sender->first_run = 0;
    sender->run_room = room;
}

static void borrow_table(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    struct lan_buf *table = LAN_TCP_TABLES && !sender->table ? lan_buf_alloc(lan_tcp_of(tcb)->tables, 0) : NULL;
    if (!table)
        return;
    sender->table = table;
    move_to(sender, (struct lan_tcp_run *)table->store, table->capacity / (uint32_t)sizeof(struct lan_tcp_run));
}

LAN_RARE void lan_tcp_table_return(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    uint32_t room = lan_tcp_own_room(sender->buf);
    if (sender->run_count > room / 2 && !(sender->sacked | sender->lost))
        coarsen(tcb, tcb->srtt / 8);
    if (sender->run_count > room / 2)
        return;
    move_to(sender, sender->own_runs, room);
    lan_buf_free(sender->table);
    sender->table = NULL;
}

/* Room for `runs` more, at the least price in knowledge of when they were sent. */
static bool find_room(struct lan_tcb *tcb, uint32_t runs)
{
    const uint32_t apart[] = {tcb->srtt / 32, tcb->srtt / 8, LAN_TCP_NEVER};
    if (!has_room(tcb, runs))
        borrow_table(tcb);
    for (uint32_t i = 0; !has_room(tcb, runs) && i < sizeof apart / sizeof *apart; i++)
        coarsen(tcb, apart[i]);
    return has_room(tcb, runs);
}

/* Room for what a transmission needs. If there is none even so, everything is one run that was just sent. */
LAN_RARE static void make_coarse_room(struct lan_tcb *tcb)
{
    struct lan_tcp_sender *sender = tcb->sender;
    if (find_room(tcb, SPLIT_MAX))
        return;
    LAN_COUNT(tcb->stack, tcp_ext_sack_discard);
    sender->run_count = 1;
    *run_at(tcb, 0) = (struct lan_tcp_run){.end = tcb->snd_nxt, .sent = lan_tcp_now(tcb)};
    sender->sacked = sender->lost = 0;
}

static void sent_again(struct lan_tcb *tcb, uint32_t seq, uint32_t end)
{
    make_coarse_room(tcb);
    uint32_t from = split(tcb, seq), to = split(tcb, end);
    for (uint32_t i = from; i < to; i++) {
        set_flags(tcb, i, RUN_RETRANSMITTED);
        run_at(tcb, i)->sent = lan_tcp_now(tcb);
    }
    join(tcb, from, to);
}

/* Adds a run behind the others where that takes more than a store. */
LAN_RARE static void find_place(struct lan_tcb *tcb, uint32_t end)
{
    if (!has_room(tcb, 1))
        make_coarse_room(tcb);
    make_room(tcb, tcb->sender->run_count);
    *run_at(tcb, tcb->sender->run_count - 1) = (struct lan_tcp_run){.end = end, .sent = lan_tcp_now(tcb)};
}

/* [snd_nxt, end) has left. */
static inline void sent_fresh(struct lan_tcb *tcb, uint32_t end)
{
    struct lan_tcp_sender *sender = tcb->sender;
    struct lan_tcp_run fresh = {.end = end, .sent = lan_tcp_now(tcb)};
    struct lan_tcp_run *behind = run_at(tcb, sender->run_count);
    if (sender->run_count && alike(tcb, behind - 1, &fresh)) {
        behind[-1].end = end;
    } else if (sender->first_run + sender->run_count < sender->run_room) {
        *behind = fresh;
        sender->run_count++;
    } else {
        find_place(tcb, end);
    }
}

LAN_RARE static void sent_old(struct lan_tcb *tcb, uint32_t seq, uint32_t end)
{
    bool more = lan_seq_lt(tcb->snd_nxt, end);
    sent_again(tcb, seq, more ? tcb->snd_nxt : end);
    if (more)
        sent_fresh(tcb, end);
}

void lan_tcp_sent(struct lan_tcb *tcb, uint32_t seq, uint32_t end)
{
    if (seq == tcb->snd_nxt)
        sent_fresh(tcb, end);
    else
        sent_old(tcb, seq, end);
}

static void delivered(struct lan_tcb *tcb, const struct lan_tcp_run *run, uint32_t end, struct lan_tcp_ack *ack)
{
    lan_tcp_rack_update(tcb, run->sent, end, run->flags, ack);
}

bool lan_tcp_all_acked(struct lan_tcb *tcb, uint32_t una, struct lan_tcp_ack *ack)
{
    struct lan_tcp_sender *sender = tcb->sender;
    const struct lan_tcp_run *only = run_at(tcb, 0);
    if (sender->run_count != 1 || only->flags || una != tcb->snd_nxt)
        return false;
    ack->delivered = una - tcb->snd_una;
    ack->first_sent = ack->last_sent = only->sent;
    ack->fack = una;
    lan_tcp_rack_rtt(tcb, lan_tcp_now(tcb) - only->sent, ack);
    tcb->snd_una = una;
    sender->run_count = 0;
    return true;
}

void lan_tcp_scoreboard_acked(struct lan_tcb *tcb, uint32_t una, struct lan_tcp_ack *ack)
{
    struct lan_tcp_sender *sender = tcb->sender;
    while (tcb->snd_una != una) {
        struct lan_tcp_run *run = run_at(tcb, 0);
        bool whole = lan_seq_leq(run->end, una);
        uint32_t end = whole ? run->end : una, bytes = end - tcb->snd_una;
        count_bytes(tcb, run->flags, 0u - bytes);
        if (!(run->flags & RUN_SACKED)) {
            ack->delivered += bytes;
            if (run->flags & RUN_RETRANSMITTED && (!ack->again_sent || lan_seq_lt(ack->again_sent, run->sent)))
                ack->again_sent = run->sent;
            delivered(tcb, run, end, ack);
        }
        tcb->snd_una = end;
        sender->first_run += whole;
        sender->run_count -= whole;
    }
}

/* One block within what is under way. False: there is no room to tell it apart. */
static bool take_block(struct lan_tcb *tcb, uint32_t start, uint32_t end, struct lan_tcp_ack *ack)
{
    uint32_t known = search(tcb, start);
    if (run_at(tcb, known)->flags & RUN_SACKED && lan_seq_leq(end, run_at(tcb, known)->end))
        return true;
    uint32_t wanted = SPLIT_MAX + tcb->sender->run_room / RESERVE; /* to make a table coarse each time would be dear */
    if (tcb->sender->table ? !has_room(tcb, wanted) : !find_room(tcb, wanted)) {
        LAN_COUNT(tcb->stack, tcp_ext_sack_discard);
        return false;
    }
    uint32_t from = split(tcb, start), to = split(tcb, end);
    for (uint32_t i = from; i < to; i++) {
        struct lan_tcp_run *run = run_at(tcb, i);
        if (run->flags & RUN_SACKED)
            continue;
        ack->delivered += run->end - start_of(tcb, i);
        delivered(tcb, run, run->end, ack);
        set_flags(tcb, i, RUN_SACKED);
    }
    join(tcb, from, to);
    return true;
}

/* RFC 2883 4: the first block tells of a duplicate if it is acknowledged already, or part of the second. */
static bool is_dsack(const struct lan_tcb *tcb, const struct lan_tcp_segment *segment)
{
    const struct lan_tcp_block *block = segment->sack;
    return lan_seq_leq(block[0].end, tcb->snd_una) ||
           (segment->sacks > 1 && lan_seq_leq(block[1].start, block[0].start) &&
            lan_seq_leq(block[0].end, block[1].end));
}

void lan_tcp_scoreboard_sacked(struct lan_tcb *tcb, const struct lan_tcp_segment *segment, struct lan_tcp_ack *ack)
{
    ack->stamp_age = LAN_TCP_NEVER; /* what lies beyond a gap leaves no stamp with the peer (RFC 7323 4.3) */
    for (uint32_t i = 0; i < segment->sacks; i++) {
        const struct lan_tcp_block *block = &segment->sack[i];
        bool sound = lan_seq_lt(block->start, block->end);
        uint32_t from = block->start - tcb->snd_una, to = block->end - tcb->snd_una; /* 2^31 is before and behind */
        if (i == 0 && sound && is_dsack(tcb, segment)) {
            LAN_COUNT(tcb->stack, tcp_ext_dsack_recv);
            ack->dsack_bytes = block->end - block->start;
            ack->dsack_end = block->end;
        } else if (to - 1 < tcb->snd_nxt - tcb->snd_una && from - 1 < to - 1) { /* neither is 0 */
            if (!take_block(tcb, block->start, block->end, ack))
                break; /* looking for room is dear: once an ACK */
        } else if (!sound || lan_seq_lt(tcb->snd_una, block->end)) {
            LAN_COUNT(tcb->stack, tcp_ext_sack_discard);
        }
    }
}

bool lan_tcp_next_lost(const struct lan_tcb *tcb, struct lan_tcp_block *lost)
{
    if (!tcb->sender || !tcb->sender->lost)
        return false;
    const struct lan_tcp_run *runs = run_at(tcb, 0);
    uint32_t at = 0;
    while (!(runs[at].flags & RUN_LOST))
        at++;
    lost->start = start_of(tcb, at);
    while (at + 1 < tcb->sender->run_count && runs[at + 1].flags & RUN_LOST)
        at++;
    lost->end = runs[at].end;
    return true;
}

static void lose(struct lan_tcb *tcb, uint32_t at)
{
    const struct lan_tcp_run *run = run_at(tcb, at);
    set_flags(tcb, at, run->flags | RUN_LOST);
    if (tcb->opt.congestion->lost)
        lan_tcp_rate_lost(tcb, run->sent, run->end - start_of(tcb, at));
}

void lan_tcp_mark_lost(struct lan_tcb *tcb, uint32_t bytes)
{
    if (!tcb->sender)
        return;
    make_coarse_room(tcb);
    uint32_t flight = tcb->snd_nxt - tcb->snd_una, to = split(tcb, tcb->snd_una + (bytes < flight ? bytes : flight));
    for (uint32_t i = 0; i < to; i++) {
        if (!(run_at(tcb, i)->flags & (RUN_SACKED | RUN_LOST)))
            lose(tcb, i);
    }
}

static void take_back(struct lan_tcb *tcb, uint32_t flag)
{
    for (uint32_t i = 0; i < tcb->sender->run_count; i++)
        set_flags(tcb, i, run_at(tcb, i)->flags & ~flag);
}

void lan_tcp_reneged(struct lan_tcb *tcb)
{
    if (!(run_at(tcb, 0)->flags & RUN_SACKED))
        return;
    LAN_COUNT(tcb->stack, tcp_ext_sack_reneging);
    take_back(tcb, RUN_SACKED);
}

void lan_tcp_not_lost(struct lan_tcb *tcb)
{
    take_back(tcb, RUN_LOST);
}

uint32_t lan_tcp_lose_older(struct lan_tcb *tcb, uint32_t sent, uint32_t end, uint32_t age)
{
    uint32_t wait = LAN_TCP_NEVER, merged = LAN_TCP_SAME_TIME(tcb);
    for (uint32_t i = 0; i < tcb->sender->run_count; i++) {
        const struct lan_tcp_run *run = run_at(tcb, i);
        if (run->flags & (RUN_SACKED | RUN_LOST))
            continue;
        bool before = lan_seq_lt(run->sent, sent) || (run->sent == sent && lan_seq_lt(run->end, end));
        if (!before)
            continue;
        uint32_t waited = lan_tcp_now(tcb) - run->sent, most = age;
        if (run->sent != sent && sent - run->sent <= merged) /* its end may have been sent after that */
            most += merged;
        if (waited >= most)
            lose(tcb, i);
        else if (most - waited < wait)
            wait = most - waited;
    }
    return wait;
}

LAN_RARE void lan_tcp_scoreboard_blur(struct lan_tcb *tcb)
{
    uint32_t now = lan_tcp_now(tcb);
    for (uint32_t i = 0; i < tcb->sender->run_count; i++) {
        struct lan_tcp_run *run = run_at(tcb, i);
        if (now - run->sent <= OLD)
            continue;
        run->sent = now - OLD;
        run->sent += !run->sent;
        run->flags |= RUN_BLURRED;
    }
}
