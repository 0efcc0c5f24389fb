/* SPDX-License-Identifier: Apache-2.0 */
/* The receive queue, and what arrived beyond a gap.
 *
 * Contiguous bytes that arrived out of order form an island: a chain of fragments. The islands of a connection stand,
 * sorted, in a table that lives in one buffer of the pool while there are any; very many in a larger one, if the stack
 * has one to lend. So their number has a bound, a segment costs a binary search and at most one move inside that
 * buffer, whatever the peer sends, and a connection without gaps pays eight bytes. Small payloads are copied together,
 * so that the memory held is in proportion to the bytes held.
 */

#include "tcp_internal.h"

struct island {
    uint32_t start, end;
    struct lan_buf *head, *tail;
};

/* Joins `more` to the end of a chain, by copying where it would fill less than half of a buffer and there is room. */
static void join(struct lan_stack *stack, struct lan_buf **head, struct lan_buf **tail, struct lan_buf *more)
{
    while (more && !more->len) { /* what carried headers only */
        struct lan_buf *empty = more;
        more = more->next;
        empty->next = NULL;
        lan_buf_free(empty);
    }
    if (!more)
        return;
    struct lan_buf *last = *tail;
    if (last && more->len < last->capacity / 2 && !more->next && last->refs == 1 && last->store &&
        more->len <= lan_buf_tailroom(last)) {
        memcpy(lan_buf_put(last, more->len), more->data, more->len);
        lan_buf_free(more);
        LAN_COUNT(stack, tcp_ext_rcv_coalesce);
        return;
    }
    if (last)
        last->next = more;
    else
        *head = more;
    while (more->next)
        more = more->next;
    *tail = more;
}

static void queue(struct lan_tcb *tcb, struct lan_buf *payload, uint32_t bytes)
{
    bool was_empty = !tcb->rcv_queued;
    if (was_empty) { /* nothing but an empty fragment can be left */
        lan_buf_free(tcb->rcv_head);
        tcb->rcv_head = tcb->rcv_tail = NULL;
    }
    if (LAN_FOR_SPEED && was_empty && payload->len == bytes)
        tcb->rcv_head = tcb->rcv_tail = payload;
    else
        join(tcb->stack, &tcb->rcv_head, &tcb->rcv_tail, payload);
    tcb->rcv_queued += bytes;
    tcb->rcv_nxt += bytes;
    if (was_empty)
        lan_socket_event(tcb->socket);
}

static struct island *islands_of(const struct lan_tcb *tcb)
{
    return (struct island *)tcb->rcv_islands->store;
}

static uint32_t island_count(const struct lan_tcb *tcb)
{
    return tcb->rcv_islands->len / sizeof(struct island);
}

/* A byte each of the islands for which something arrived last, the latest first; not an island's first byte, which may
 * be another one's end. One may be gone by now, two may have become one, and at first they are anything: they give an
 * order only. Three, as a block is to be told three times (RFC 2018 4). */
enum { LATEST = 3 };
static uint32_t *latest_of(const struct lan_tcb *tcb)
{
    return tcb->rcv_islands->scratch;
}

static void remove_islands(struct lan_tcb *tcb, uint32_t at, uint32_t n)
{
    struct island *islands = islands_of(tcb);
    tcb->rcv_islands->len -= n * sizeof *islands;
    memmove(&islands[at], &islands[at + n], (island_count(tcb) - at) * sizeof *islands);
    if (!tcb->rcv_islands->len) {
        lan_buf_free(tcb->rcv_islands);
        tcb->rcv_islands = NULL;
    }
}

void lan_tcp_islands_free(struct lan_tcb *tcb)
{
    if (!tcb->rcv_islands)
        return;
    for (uint32_t i = 0; i < island_count(tcb); i++)
        lan_buf_free(islands_of(tcb)[i].head);
    lan_buf_free(tcb->rcv_islands);
    tcb->rcv_islands = NULL;
}

/* The gap in front of the first islands has closed. */
LAN_RARE static void absorb(struct lan_tcb *tcb)
{
    struct island *island = islands_of(tcb);
    uint32_t n = 0;
    for (; n < island_count(tcb) && lan_seq_leq(island->start, tcb->rcv_nxt); n++, island++) {
        if (lan_seq_leq(island->end, tcb->rcv_nxt)) {
            lan_buf_free(island->head);
        } else {
            lan_buf_pull(island->head, tcb->rcv_nxt - island->start);
            queue(tcb, island->head, island->end - tcb->rcv_nxt);
        }
    }
    if (n)
        remove_islands(tcb, 0, n);
}

/* The first island that ends at or after `seq`. */
static uint32_t search(const struct lan_tcb *tcb, uint32_t seq)
{
    const struct island *islands = islands_of(tcb);
    uint32_t low = 0, high = island_count(tcb);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (lan_seq_lt(islands[middle].end, seq))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Moves the islands to one of the stack's tables, if half of these are left to who sends. */
static bool widen(struct lan_tcb *tcb)
{
    struct lan_pool *tables = lan_tcp_of(tcb)->tables;
    struct lan_buf *islands = tcb->rcv_islands;
    if (lan_pool_free_buffers(tables) <= tcb->stack->config.tcp_tables / 2)
        return false;
    struct lan_buf *table = lan_buf_alloc(tables, 0);
    memcpy(lan_buf_put(table, islands->len), islands->data, islands->len);
    memcpy(table->scratch, islands->scratch, sizeof islands->scratch);
    tcb->rcv_islands = table;
    lan_buf_free(islands);
    return true;
}

/* Each island takes a buffer at least. There may be as many as one buffer has room to list; or a table, as long as they
 * fill those buffers by half. */
static bool is_full(struct lan_tcb *tcb)
{
    const struct island *islands = islands_of(tcb);
    uint32_t count = island_count(tcb), buffer_bytes = tcb->stack->config.pool.buffer_bytes, bytes = 0;
    if (count < buffer_bytes / sizeof *islands)
        return false;
    for (uint32_t i = 0; i < count; i++)
        bytes += islands[i].end - islands[i].start;
    if (!LAN_TCP_TABLES || bytes < count * (buffer_bytes / 2))
        return true;
    if (tcb->rcv_islands->capacity == buffer_bytes)
        return !widen(tcb);
    return count == tcb->rcv_islands->capacity / sizeof *islands;
}

/* Room for a new island at `at`. A full table gives up the island farthest away: it is the last one needed. */
static bool make_room(struct lan_tcb *tcb, uint32_t at)
{
    bool full = is_full(tcb);
    struct island *islands = islands_of(tcb);
    uint32_t count = island_count(tcb);
    if (full) {
        LAN_COUNT(tcb->stack, tcp_ext_ofo_pruned);
        if (at == count)
            return false;
        lan_buf_free(islands[--count].head);
    }
    memmove(&islands[at + 1], &islands[at], (count - at) * sizeof *islands);
    tcb->rcv_islands->len = (count + 1) * sizeof *islands;
    return true;
}

/* Islands never overlap: of a payload that meets some, what the ones at its two ends hold is cut off, and those that
 * lie within it give way. Returns the one that holds it now, NULL if there was no room. */
static const struct island *insert(struct lan_tcb *tcb, struct lan_buf *payload, uint32_t seq, uint32_t bytes)
{
    uint32_t at = search(tcb, seq);
    struct island *here = &islands_of(tcb)[at];
    bool extends = at < island_count(tcb) && lan_seq_leq(here->start, seq);
    if (extends) {
        uint32_t known = here->end - seq < bytes ? here->end - seq : bytes;
        lan_tcp_note_duplicate(tcb, seq, seq + known); /* RFC 2883 4.2: of a part, too */
        if (known == bytes) {
            LAN_COUNT(tcb->stack, tcp_ext_duplicates);
            lan_buf_free(payload);
            return here;
        }
        lan_buf_pull(payload, known);
        seq += known;
        bytes -= known;
    } else {
        if (!make_room(tcb, at)) {
            lan_buf_free(payload);
            return NULL;
        }
        here = &islands_of(tcb)[at]; /* in another table, maybe */
        *here = (struct island){.start = seq, .end = seq};
    }
    const struct island *end = &islands_of(tcb)[island_count(tcb)];
    struct island *next = here + 1;
    for (; next < end && lan_seq_leq(next->end, seq + bytes); next++)
        lan_buf_free(next->head);
    bool meets = next < end && lan_seq_leq(next->start, seq + bytes);
    if (meets) {
        bytes = next->start - seq;
        lan_buf_trim(payload, bytes);
    }
    join(tcb->stack, &here->head, &here->tail, payload);
    here->end = seq + bytes;
    if (meets && here->tail) {
        here->tail->next = next->head;
        here->tail = next->tail;
        here->end = next->end;
        next++;
    }
    if (next > here + 1)
        remove_islands(tcb, at + 1, (uint32_t)(next - (here + 1)));
    return here;
}

static bool holds(const struct island *island, uint32_t byte)
{
    return byte - island->start - 1 < island->end - island->start;
}

/* Something has arrived for an island: `byte` of it goes to the front, in the place of one of late. */
static void put_first(uint32_t *latest, const struct island *island, uint32_t byte)
{
    for (uint32_t i = 0; i < LATEST; i++) {
        uint32_t before = latest[i];
        latest[i] = byte;
        if (holds(island, before))
            return;
        byte = before;
    }
}

/* The latest first, then whatever there is: RFC 2018 4 wants as many as possible. */
uint32_t lan_tcp_islands(const struct lan_tcb *tcb, struct lan_tcp_block blocks[LAN_TCP_SACK_BLOCKS])
{
    if (!tcb->rcv_islands)
        return 0;
    const struct island *islands = islands_of(tcb);
    uint32_t count = island_count(tcb), n = 0;
    for (uint32_t i = 0; n < LAN_TCP_SACK_BLOCKS && i < LATEST + count; i++) {
        uint32_t at = count + LATEST - 1 - i, known = 0;
        if (i < LATEST) {
            uint32_t byte = latest_of(tcb)[i];
            at = search(tcb, byte);
            if (at == count || !holds(&islands[at], byte))
                continue;
        }
        while (known < n && blocks[known].start != islands[at].start)
            known++;
        if (known == n)
            blocks[n++] = (struct lan_tcp_block){islands[at].start, islands[at].end};
    }
    return n;
}

/* A table in which something is about to stand. */
static bool open_islands(struct lan_tcb *tcb)
{
    if (!tcb->rcv_islands)
        tcb->rcv_islands = lan_buf_alloc(tcb->stack->pool, 0);
    return tcb->rcv_islands;
}

LAN_RARE static void receive_out_of_order(struct lan_tcb *tcb, struct lan_buf *payload, uint32_t seq, uint32_t bytes)
{
    LAN_COUNT(tcb->stack, tcp_ext_ofo_queue);
    tcb->flags |= TCB_ACK_NOW; /* RFC 5681 4.2 */
    if (lan_tcp_memory_low(tcb->stack) || !open_islands(tcb)) {
        LAN_COUNT(tcb->stack, tcp_ext_ofo_drop);
        lan_buf_free(payload);
        return;
    }
    const struct island *island = insert(tcb, payload, seq, bytes);
    if (island)
        put_first(latest_of(tcb), island, seq + 1);
}

LAN_FLAT void lan_tcp_receive(struct lan_tcb *tcb, struct lan_buf *payload, uint32_t seq, uint32_t bytes)
{
    if (seq != tcb->rcv_nxt) {
        receive_out_of_order(tcb, payload, seq, bytes);
        return;
    }
    const struct lan_tcp *tcp = lan_tcp_of(tcb);
    /* Who has nothing to read yet may have a segment more. */
    if (lan_pool_free_buffers(tcb->stack->pool) < (tcb->rcv_queued ? tcp->memory_critical : tcp->memory_reserve)) {
        LAN_COUNT(tcb->stack, tcp_ext_rcvq_drop); /* the card needs what is left; the peer will send it again */
        tcb->flags |= TCB_ACK_NOW;
        lan_buf_free(payload);
        return;
    }
    queue(tcb, payload, bytes);
    if (tcb->rcv_islands) {
        absorb(tcb);
        tcb->flags |= TCB_ACK_NOW; /* RFC 5681 4.2: at once when a gap closes, or while one is open */
    } else if (tcb->rcv_nxt - tcb->rcv_acked >= 2u * tcb->rcv_mss) {
        tcb->flags |= TCB_ACK_NOW; /* RFC 9293 SHLD-19 */
    } else if (tcb->quick_acks) {
        tcb->quick_acks--;
        tcb->flags |= TCB_ACK_NOW;
    } else {
        tcb->flags |= TCB_ACK_LATER;
    }
}

uint32_t lan_tcp_receive_copy(struct lan_tcb *tcb, uint8_t *out, uint32_t bytes, bool peek)
{
    if (bytes > tcb->rcv_queued)
        bytes = tcb->rcv_queued;
    if (peek)
        return lan_buf_copy(tcb->rcv_head, 0, out, bytes);
    uint32_t left = bytes;
    for (struct lan_buf *head = tcb->rcv_head; head && left; head = tcb->rcv_head) {
        uint32_t n = head->len < left ? head->len : left;
        memcpy(out, head->data, n);
        out += n;
        left -= n;
        if (n < head->len) {
            lan_buf_pull(head, n);
            break;
        }
        tcb->rcv_head = head->next;
        if (!tcb->rcv_head)
            tcb->rcv_tail = NULL;
        head->next = NULL;
        lan_buf_free(head);
    }
    tcb->rcv_queued -= bytes;
    return bytes;
}

/* Tells the peer if its window would at least double (RFC 9293 3.8.6.2.2). Otherwise the next ACK will do. */
LAN_RARE static void update_window(struct lan_tcb *tcb, uint32_t left)
{
    uint32_t gain = lan_tcp_window_edge(tcb) - tcb->rcv_adv;
    if (tcb->state < LAN_TCP_ESTABLISHED || tcb->flags & TCB_EOF || !gain || gain < left)
        return;
    lan_tcp_enter(tcb->stack);
    lan_tcp_send_ack(tcb);
}

void lan_tcp_after_read(struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_URGENT_IN)
        lan_tcp_urgent_read(tcb);
    lan_tcp_tune_receive(tcb);
    uint32_t left = tcb->rcv_adv - tcb->rcv_nxt;
    if (left <= tcb->opt.rcv_limit / 2)
        update_window(tcb, left);
}
