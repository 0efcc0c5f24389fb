/* SPDX-License-Identifier: Apache-2.0 */
/* A peer that knows every number of the connection and lies near the truth: acknowledgments, SACK blocks, stamps,
 * windows, marks, urgent pointers, data in pieces anywhere in the window. Whatever it says, what the host sends stays
 * within what the peer has offered, acknowledges only what was sent, never takes a window back, and carries the right
 * bytes, and the connection stays sound; and as soon as the peer is honest again, the streams go on, both ways, to
 * their ends.
 *
 *     test_tcp_liar            a few seeds
 *     test_tcp_liar N SEED     N of them from SEED on
 */
#include "peer.h"
#include "sound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 150, LIES = 400, HONEST_ROUNDS = 4000, SCALE = 2, CE = 3, TO_SEND = 60000 };

static uint32_t runs = RUNS;
static uint64_t first_seed = 1200, under_way, random_state;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) * below >> 31);
}

/* What the peer knows. Numbers are relative, as peer.h has them. */
struct liar {
    struct peer p;
    bool stamps, sack, scale;
    uint32_t host_una, host_nxt; /* acknowledged by a right number; sent by the host */
    uint32_t host_ack;           /* the host's latest acknowledgment */
    uint32_t sent_end;           /* the end of what the peer has sent */
    uint32_t offered_end;        /* the farthest window edge offered beside a right number */
    uint32_t promised_end;       /* the host's */
    uint32_t stamp, host_stamp;
    uint32_t app_sent, app_read;
    uint8_t host_scale;
    bool reset, fin;
};

static void put_host32(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

static uint32_t get_host32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void check_options(struct liar *l, const struct sent *sent)
{
    for (uint32_t i = 0; i < sent->option_bytes && sent->options[i];) {
        const uint8_t *option = sent->options + i;
        if (*option == 1) {
            i++;
            continue;
        }
        if (*option == 8)
            l->host_stamp = get_host32(option + 2);
        if (*option == 3)
            l->host_scale = option[2];
        for (uint32_t at = 2; *option == 5 && at < option[1]; at += 8) {
            int32_t start = (int32_t)(get_host32(option + at) - l->p.iss); /* may be from before the first */
            int32_t end = (int32_t)(get_host32(option + at + 4) - l->p.iss);
            assert_true(start < end && end <= (int32_t)l->sent_end);
        }
        i += option[1];
    }
}

/* Looks at whatever the host has sent. */
static void look(struct liar *l)
{
    while (has_sent(&l->p)) {
        struct sent sent = next_sent(&l->p);
        uint32_t end = sent.seq + sent.bytes + (sent.flags & FIN);
        check_options(l, &sent);
        if (sent.flags & RST) {
            l->reset = true;
            continue;
        }
        assert_true(end <= l->offered_end + 1); /* a probe */
        assert_true(sent.ack <= l->sent_end);
        uint32_t promised = sent.ack + ((uint32_t)sent.window << l->host_scale);
        assert_true(promised >= l->promised_end || sent.ack < l->host_ack);
        l->promised_end = promised > l->promised_end ? promised : l->promised_end;
        l->host_ack = sent.ack > l->host_ack ? sent.ack : l->host_ack;
        l->host_nxt = end > l->host_nxt ? end : l->host_nxt;
    }
}

/* The application writes and reads as it likes. */
static void use(struct liar *l, uint32_t most)
{
    static uint8_t data[8000];
    uint32_t bytes = l->app_sent < TO_SEND ? 1 + draw(most) : 0;
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = stream_byte(1 + l->app_sent + i);
    long n = bytes ? lan_send(l->p.f->stack, l->p.fd, data, bytes, draw(8) ? 0 : LAN_MSG_OOB) : 0;
    l->app_sent += n > 0 ? (uint32_t)n : 0;
    n = draw(3) ? lan_recv(l->p.f->stack, l->p.fd, data, 1 + draw(most), 0) : 0;
    for (long i = 0; i < n; i++)
        assert_int_equal(data[i], stream_byte(1 + l->app_read + (uint32_t)i));
    l->app_read += n > 0 ? (uint32_t)n : 0;
}

static uint32_t put_stamp(struct liar *l, uint8_t *out, bool lies)
{
    memcpy(out, "\x01\x01\x08\x0a", 4);
    l->stamp += draw(3);
    put_host32(out + 4, lies && draw(8) == 0 ? l->stamp - (draw(2) ? UINT32_C(0x80000000) : draw(1000)) : l->stamp);
    put_host32(out + 8, lies && draw(4) == 0 ? draw(2) * (l->host_stamp + draw(1000) - 500) : l->host_stamp);
    return 12;
}

/* Of what is under way, of what was acknowledged, of what was never sent; some of it backwards. */
static uint32_t put_sack(struct liar *l, uint8_t *out)
{
    uint32_t blocks = 1 + draw(l->stamps ? 3 : 4), flight = l->host_nxt - l->host_una;
    out[0] = out[1] = 1;
    out[2] = 5;
    out[3] = (uint8_t)(2 + 8 * blocks);
    for (uint32_t i = 0; i < blocks; i++) {
        uint32_t start = l->host_una + draw(flight + 1), end = start + draw(flight + 1);
        if (draw(8) == 0)
            start -= draw(5000);
        if (draw(8) == 0)
            end += draw(5000) - draw(5000);
        if (draw(30) == 0)
            end += UINT32_C(0x80000000) - draw(2);
        put_host32(out + 4 + 8 * i, l->p.host_iss + start);
        put_host32(out + 8 + 8 * i, l->p.host_iss + end);
    }
    return 4 + 8 * blocks;
}

static void send(struct liar *l, uint8_t flags, uint32_t seq, uint32_t ack, const uint8_t *options,
                 uint32_t option_bytes, uint32_t bytes)
{
    static struct frame frame;
    uint32_t end = seq + bytes + (flags & FIN), edge = ack + ((uint32_t)l->p.window << (l->scale ? SCALE : 0));
    bool right = ack <= l->host_nxt;
    if ((int32_t)seq <= (int32_t)l->promised_end && (int32_t)end > (int32_t)l->sent_end)
        l->sent_end = end;
    l->offered_end = right && edge > l->offered_end ? edge : l->offered_end;
    l->host_una = right && ack > l->host_una ? ack : l->host_una;
    peer_frame(&l->p, &frame, flags, seq, ack, options, option_bytes, bytes);
    if (flags & URG)
        put16(frame.bytes + ETH + IP + 18, (uint16_t)(draw(4) ? draw(3000) : draw(65536)));
    fix_l4(&frame);
    inject_in_pieces(l->p.f, &frame, draw(8) ? UINT32_MAX : 60 + draw(200));
}

static void lie(struct liar *l)
{
    uint8_t options[40];
    uint32_t n = l->stamps ? put_stamp(l, options, true) : 0, flight = l->host_nxt - l->host_una;
    uint32_t ack = l->host_una, seq = l->host_ack, bytes = draw(3) ? 0 : 1 + draw(draw(2) ? 1400 : 20);
    uint8_t flags = ACK | (draw(10) ? 0 : URG) | (draw(10) ? 0 : ECE) | (draw(10) ? 0 : CWR) | (draw(3000) ? 0 : FIN);
    if (draw(3))
        ack += draw(1 + draw(flight + 1));
    else if (draw(4) == 0)
        ack += draw(200000) - 100000;
    if (draw(3) == 0)
        seq += draw(4) ? draw(9000) : draw(200000) - 100000;
    if (l->fin && seq + bytes >= l->sent_end)
        bytes = seq < l->sent_end - 1 ? l->sent_end - 1 - seq : 0;
    l->fin = l->fin || flags & FIN;
    l->p.window = (uint16_t)(draw(4) ? draw(65536) : draw(3) * draw(500));
    l->p.tos = (uint8_t)(draw(6) ? 0 : CE);
    if (l->sack && draw(2))
        n += put_sack(l, options + n);
    if (!l->stamps || draw(50)) /* or none */
        send(l, flags, seq, ack, options, n, bytes);
    else
        send(l, flags, seq, ack, options, 0, bytes);
}

/* An honest peer from now on: takes what comes in order, and repeats what is not acknowledged. */
static void be_honest(struct liar *l)
{
    uint32_t host_end = 1 + l->app_sent, mine_end = l->sent_end > 20000 ? l->sent_end : 20000;
    l->p.window = 65535;
    l->p.tos = 0;
    l->stamp += UINT32_C(0x1000);
    for (int i = 0; i < HONEST_ROUNDS; i++) {
        uint8_t options[12];
        uint32_t left = mine_end - l->host_ack, room = l->promised_end - l->host_ack;
        uint32_t bytes = left < room ? left : room;
        uint32_t n = l->stamps ? put_stamp(l, options, false) : 0;
        send(l, ACK, l->host_ack, l->host_nxt, options, n, bytes < 1000 ? bytes : 1000);
        use(l, 7999);
        wait_ms(&l->p, 50);
        look(l);
        if (l->reset || l->fin)
            return;
        host_end = 1 + l->app_sent;
        if (l->app_sent >= TO_SEND && l->host_una == host_end && l->host_ack == mine_end && l->app_read == mine_end - 1)
            return;
    }
    fail_msg("the streams stand still: %u of %u acknowledged, %u of %u taken, %u read", l->host_una, host_end,
             l->host_ack, mine_end, l->app_read);
}

static void open_liar(struct liar *l, struct fixture *f)
{
    uint8_t options[40] = {2, 4, (uint8_t)draw(6), (uint8_t)draw(256)};
    uint32_t n = 4;
    l->p = peer_of(f);
    l->p.iss = draw(2) ? UINT32_MAX - draw(30000) : draw(1000000);
    l->p.window = (uint16_t)draw(65536);
    int listener = listen_on(f, HOST_PORT, 4), ecn = (int)draw(3);
    lan_setsockopt(f->stack, listener, LAN_IPPROTO_TCP, LAN_TCP_ECN, &ecn, sizeof ecn);
    static const char *const names[] = {"cubic", "newreno", "bbr"};
    const char *name = names[draw(3)];
    lan_setsockopt(f->stack, listener, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, name, (uint32_t)strlen(name));
    l->stamps = draw(2);
    l->sack = draw(3);
    l->scale = draw(2);
    l->stamp = draw(UINT32_MAX);
    if (l->stamps)
        n += put_stamp(l, options + n, false);
    if (l->sack)
        n += (uint32_t)(memcpy(options + n, "\x01\x01\x04\x02", 4) ? 4 : 0);
    if (l->scale)
        n += (uint32_t)(memcpy(options + n, "\x01\x03\x03", 3) ? 4 : 0), options[n - 1] = SCALE;
    from_peer_options(&l->p, SYN | (draw(2) ? ECE | CWR : 0), 0, 0, options, n);
    l->p.host_iss = 0;
    struct sent sent = next_sent(&l->p);
    l->p.host_iss = sent.seq;
    l->host_una = l->host_nxt = l->host_ack = l->sent_end = 1;
    l->offered_end = 1 + l->p.window;
    l->promised_end = 1 + sent.window;
    sent.seq = 0;
    check_options(l, &sent);
    n = l->stamps ? put_stamp(l, options, false) : 0;
    send(l, ACK, 1, 1, options, n, 0);
    l->p.fd = lan_accept(f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(l->p.fd >= 0);
    lan_close(f->stack, listener);
}

static void run(struct fixture *f, uint64_t seed)
{
    struct liar l = {0};
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15);
    open_liar(&l, f);
    for (int i = 0; i < LIES && !l.reset; i++) {
        lie(&l);
        if (draw(2))
            use(&l, 2000);
        if (draw(6) == 0)
            wait_ms(&l.p, draw(4) ? draw(50) : draw(3000));
        look(&l);
        assert_sound(f->stack);
    }
    if (!l.reset)
        be_honest(&l);
    lan_close(f->stack, l.p.fd);
    wait_ms(&l.p, 400000);
    skip_sent(&l.p);
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(f->stack)), f->free_buffers);
    assert_int_equal(lan_pool_free_views(lan_stack_pool(f->stack)), f->free_views);
}

static void lies_change_nothing_for_good(void **state)
{
    for (uint64_t seed = first_seed; seed < first_seed + runs; seed++) {
        under_way = seed;
        run(*state, seed);
    }
}

/* An assertion does not say by itself which seed it was. */
static void tell_seed(void)
{
    if (under_way)
        fprintf(stderr, "the last seed was %llu\n", (unsigned long long)under_way);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {TEST(lies_change_nothing_for_good)};
    atexit(tell_seed);
    if (argc == 3) {
        runs = (uint32_t)strtoul(argv[1], NULL, 0);
        first_seed = strtoull(argv[2], NULL, 0);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
