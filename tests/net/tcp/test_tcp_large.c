/* SPDX-License-Identifier: Apache-2.0 */
/* TCP hands large segments down; who cuts them, and whether, must not show on the wire. */
#include "world.h"

#include <errno.h>

enum { PORT = 5001, BYTES = 1 << 20 };
enum { CARD = LAN_NETIF_SG | LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM | LAN_NETIF_TSO };

/* What the sender put on the wire: every octet of every frame, and when. */
struct trace {
    uint64_t hash;
    uint32_t frames, longest;
};

static void mix(struct trace *trace, uint64_t value)
{
    trace->hash = (trace->hash ^ value) * UINT64_C(1099511628211); /* FNV-1a */
}

static void sniff(struct world *world, int from, const uint8_t *frame, uint32_t len)
{
    struct trace *trace = world->sniffer;
    if (from != 0)
        return;
    mix(trace, world->now_ns);
    mix(trace, len);
    for (uint32_t i = 0; i < len; i++)
        mix(trace, frame[i]);
    trace->frames++;
    trace->longest = len > trace->longest ? len : trace->longest;
}

/* Host 0 sends BYTES in odd portions, then FIN; host 1 reads. */
static struct trace transfer(const struct world_config *config)
{
    static uint8_t chunk[40000];
    struct trace trace = {0};
    struct world *world = world_create(config);
    int listener = world_listen(world, PORT, 1), from = world_connect(world, PORT), to = -1;
    uint32_t sent = 0, received = 0;
    world->sniff = sniff;
    world->sniffer = &trace;
    for (long n = 1; n != 0;) {
        assert_true(world_step(world, world->now_ns + UINT64_C(600000000000)));
        while (sent < BYTES && lan_ready(world->hosts[0].stack, from, LAN_POLLOUT)) {
            uint32_t portion = 1 + world_draw(world, sizeof chunk);
            for (uint32_t i = 0; i < portion; i++)
                chunk[i] = (uint8_t)((sent + i) * 2654435761u >> 24);
            n = lan_send(world->hosts[0].stack, from, chunk, portion < BYTES - sent ? portion : BYTES - sent, 0);
            if (n < 0)
                break;
            sent += (uint32_t)n;
            if (sent == BYTES)
                lan_shutdown(world->hosts[0].stack, from, LAN_SHUT_WR);
        }
        if (to < 0)
            to = lan_accept(world->hosts[1].stack, listener, NULL, LAN_SOCK_NONBLOCK);
        n = 1;
        while (to >= 0 && (n = lan_recv(world->hosts[1].stack, to, chunk, sizeof chunk, 0)) > 0) {
            for (long i = 0; i < n; i++, received++)
                assert_int_equal(chunk[i], (uint8_t)(received * 2654435761u >> 24));
        }
    }
    assert_int_equal(received, BYTES);
    lan_close(world->hosts[0].stack, from);
    lan_close(world->hosts[1].stack, to);
    lan_close(world->hosts[1].stack, listener);
    world_destroy(world);
    return trace;
}

static struct trace of_interface(struct world_config config, uint32_t features, uint32_t max_tso_bytes)
{
    config.features = features;
    config.max_tso_bytes = max_tso_bytes;
    struct trace trace = transfer(&config);
    assert_true(trace.longest <= 1514);
    return trace;
}

/* The same from an interface that segments, from software that segments for it, and from a TCP that never hands down
 * more than one segment. */
static void all_cut_alike(struct world_config config)
{
    struct trace single = of_interface(config, LAN_NETIF_SG, 1514);
    struct trace software = of_interface(config, LAN_NETIF_SG, 0);
    struct trace card = of_interface(config, CARD, 0);
    struct trace small_card = of_interface(config, CARD, 9000);
    assert_true(single.frames > BYTES / 1460);
    assert_int_equal(single.frames, software.frames);
    assert_true(single.hash == software.hash);
    assert_true(single.hash == card.hash);
    assert_true(single.hash == small_card.hash);
}

static void large_segments_do_not_show_on_a_clean_wire(void **state)
{
    (void)state;
    all_cut_alike(WORLD_DEFAULT);
}

static void large_segments_do_not_show_on_a_lossy_wire(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.drop = 0.01;
    config.wire.delay_ns = 2000000;
    for (config.seed = 1; config.seed <= 4; config.seed++)
        all_cut_alike(config);
}

static void large_segments_do_not_show_over_a_small_queue(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.queue_bytes = 20000;
    config.wire.delay_ns = 1000000;
    all_cut_alike(config);
}

static void large_segments_do_not_show_with_a_small_window(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.stack.receive_buffer_bytes = 5000;
    all_cut_alike(config);
}

static uint32_t largest_handed_down;

static int watch(struct lan_netif *netif, struct lan_buf *frame)
{
    (void)netif;
    uint32_t bytes = lan_buf_total(frame);
    largest_handed_down = bytes > largest_handed_down ? bytes : largest_handed_down;
    lan_buf_free(frame);
    return 0;
}

static void an_open_window_goes_down_as_one_segment(void **state)
{
    (void)state;
    static const struct lan_netif_ops ops = {.transmit = watch};
    static uint8_t data[65536];
    struct world_config config = WORLD_DEFAULT;
    config.features = CARD;
    struct world *world = world_create(&config);
    int listener = world_listen(world, PORT, 1), from = world_connect(world, PORT);
    while (world_step(world, world->now_ns + 10000000)) {
    }
    largest_handed_down = 0;
    world->hosts[0].netif.ops = &ops;
    assert_int_equal(lan_send(world->hosts[0].stack, from, data, sizeof data, 0), sizeof data);
    assert_int_equal(largest_handed_down, 14 + 20 + 32 + 10 * 1448); /* the initial window, RFC 6928 */
    lan_close(world->hosts[0].stack, from);
    lan_close(world->hosts[1].stack, listener);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_segments_do_not_show_on_a_clean_wire),
        cmocka_unit_test(large_segments_do_not_show_on_a_lossy_wire),
        cmocka_unit_test(large_segments_do_not_show_over_a_small_queue),
        cmocka_unit_test(large_segments_do_not_show_with_a_small_window),
        cmocka_unit_test(an_open_window_goes_down_as_one_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
