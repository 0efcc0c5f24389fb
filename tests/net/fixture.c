/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"
#include "start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t fixture_seed = 1, fixture_start_ns;

static uint64_t now_ns(void *ctx)
{
    return ((struct fixture *)ctx)->now_ns;
}

static void random_bytes(void *ctx, void *out, size_t bytes)
{
    struct fixture *f = ctx;
    uint8_t *to = out;

    while (bytes--) { /* splitmix64 */
        uint64_t z = f->random += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        *to++ = (uint8_t)((z ^ z >> 27) * UINT64_C(0x94d049bb133111eb) >> 56);
    }
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    ((struct fixture *)ctx)->alarm_ns = deadline_ns;
}

static void block(void *ctx, struct lan_wakeup *w, uint64_t deadline_ns)
{
    struct fixture *f = ctx;
    void (*on_block)(struct fixture *) = f->on_block;

    f->on_block = NULL;
    if (on_block) {
        on_block(f);
        return;
    }
    (void)w;
    assert_int_not_equal(deadline_ns < f->alarm_ns ? deadline_ns : f->alarm_ns,
                         LAN_NEVER); /* else it blocks for ever */
    advance(f, (deadline_ns < f->alarm_ns ? deadline_ns : f->alarm_ns) - f->now_ns);
}

static void unblock(void *ctx, struct lan_wakeup *w)
{
    (void)ctx, (void)w;
}

static int transmit(struct lan_netif *netif, struct lan_buf *frame)
{
    struct fixture *f = netif->driver;

    if (f->transmit_result < 0)
        return f->transmit_result;
    if (f->transmit_room == 0)
        return -ENOBUFS;
    f->transmit_room--;
    assert_true(f->sent_head - f->sent_tail < FIXTURE_SENT_MAX);

    struct frame *copy = &f->sent[f->sent_head++ % FIXTURE_SENT_MAX];

    copy->len = lan_buf_copy(frame, 0, copy->bytes, sizeof copy->bytes);
    lan_buf_free(frame);
    return 0;
}

static const struct lan_netif_ops OPS = {.transmit = transmit};

/* Rings are large, and sanitizers make allocating them slow: one is kept for the next fixture. */
static struct frame *spare_ring;

static struct frame *take_ring(void)
{
    struct frame *ring = spare_ring ? spare_ring : malloc(FIXTURE_SENT_MAX * sizeof *ring);

    spare_ring = NULL;
    return ring;
}

static void give_ring_back(struct frame *ring)
{
    free(spare_ring);
    spare_ring = ring;
}

struct fixture *fixture_create(const struct lan_config *config, uint32_t features)
{
    struct fixture *f = calloc(1, sizeof *f);
    size_t bytes = lan_stack_size(config);

    f->sent = take_ring();
    f->config = *config;
    f->now_ns = fixture_start_ns ? fixture_start_ns : start_ns();
    f->alarm_ns = LAN_NEVER;
    f->transmit_room = UINT32_MAX;
    f->headroom = 2;
    f->random = start_seed(fixture_seed);
    hold(f, 0);
    f->port = (struct lan_port){f, now_ns, random_bytes, set_alarm, block, unblock};
    f->netif = (struct lan_netif){.ops = &OPS,
                                  .driver = f,
                                  .name = "test",
                                  .mtu = 1500,
                                  .features = features,
                                  .max_fragments = 16,
                                  .max_tso_bytes = 65536,
                                  .link_up = true};
    memcpy(f->netif.mac, HOST_MAC, 6);
    f->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    f->stack = lan_stack_create(f->memory, bytes, &f->port, config);
    assert_non_null(f->stack);
    assert_int_equal(lan_stack_add_netif(f->stack, &f->netif), 0);
    assert_int_equal(lan_netif_set_address(&f->netif, HOST, NETMASK), 0);
    expect_frame(f); /* the announcement */
    expect_silence(f);
    f->free_buffers = lan_pool_free_buffers(lan_stack_pool(f->stack));
    f->free_views = lan_pool_free_views(lan_stack_pool(f->stack));
    return f;
}

void fixture_destroy(struct fixture *f)
{
    free(f->memory);
    give_ring_back(f->sent);
    free(f);
}

int fixture_setup(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;

    config.pool = (struct lan_pool_config){.buffers = 1024, .buffer_bytes = 2048, .views = 512};
    config.sockets = 80;
    config.udp_sockets = 70;
    config.arp_entries = 16;
    config.tcp_connections = 16;
    *state = fixture_create(&config, LAN_NETIF_SG);
    return 0;
}

/* Closes what the test left open and lets what is still under way end; then no buffer may be missing. */
int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    f->transmit_result = 0;
    f->transmit_room = UINT32_MAX;
    for (int fd = 0; fd < (int)f->config.sockets; fd++)
        lan_close(f->stack, fd);
    lan_netif_tx_ready(&f->netif);
    advance_ms(f, 1000000);
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(f->stack)), f->free_buffers);
    assert_int_equal(lan_pool_free_views(lan_stack_pool(f->stack)), f->free_views);
    fixture_destroy(f);
    return 0;
}

void inject_in_pieces(struct fixture *f, const struct frame *frame, uint32_t piece)
{
    struct lan_buf *first = NULL, **end = &first;
    uint32_t done = 0;

    do {
        struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(f->stack), first ? 0 : f->headroom);
        uint32_t bytes = frame->len - done < piece ? frame->len - done : piece;

        assert_non_null(buf);
        bytes = bytes < lan_buf_tailroom(buf) ? bytes : lan_buf_tailroom(buf);
        memcpy(lan_buf_put(buf, bytes), frame->bytes + done, bytes);
        done += bytes;
        *end = buf;
        end = &buf->next;
    } while (done < frame->len);
    *f->held_end = first;
    f->held_end = &first->link;
    if (f->to_hold > 1) {
        f->to_hold--;
        return;
    }
    first = f->held;
    hold(f, 0);
    lan_netif_input(&f->netif, first);
}

void hold(struct fixture *f, uint32_t frames)
{
    f->held_end = &f->held;
    f->to_hold = frames;
}

void inject(struct fixture *f, const struct frame *frame)
{
    inject_in_pieces(f, frame, UINT32_MAX);
}

void advance(struct fixture *f, uint64_t ns)
{
    uint64_t end = f->now_ns + ns;

    while (f->alarm_ns <= end) {
        if (f->now_ns < f->alarm_ns)
            f->now_ns = f->alarm_ns;
        lan_stack_poll(f->stack);
    }
    f->now_ns = end;
}

void advance_ms(struct fixture *f, uint64_t ms)
{
    advance(f, ms * 1000000);
}

uint32_t frames_waiting(const struct fixture *f)
{
    return f->sent_head - f->sent_tail;
}

const struct frame *expect_frame(struct fixture *f)
{
    assert_int_not_equal(frames_waiting(f), 0);

    const struct frame *frame = &f->sent[f->sent_tail++ % FIXTURE_SENT_MAX];

    assert_true(frame_valid(frame));
    return frame;
}

void expect_silence(struct fixture *f)
{
    assert_int_equal(frames_waiting(f), 0);
}

void meet_peer(struct fixture *f)
{
    struct frame request;

    frame_arp(&request, 1, PEER_MAC, PEER, HOST);
    inject(f, &request);
    expect_frame(f);
}

void learn_peer(struct fixture *f)
{
    struct frame reply;

    frame_arp(&reply, 2, PEER_MAC, PEER, HOST);
    inject(f, &reply);
}

uint64_t counter(const struct fixture *f, const char *name)
{
    return lan_stack_counter(f->stack, name);
}
