/* SPDX-License-Identifier: Apache-2.0 */
/* TCP hands large segments down; who cuts them, and whether, must not show on the wire. */
#include "world.h"

#include <errno.h>
#include <string.h>

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

static uint32_t address_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const uint8_t bytes[4] = {a, b, c, d};
    uint32_t address;
    memcpy(&address, bytes, 4);
    return address;
}

/* Host 1 answers an ARP request for `address` by `netif` of host 0. */
static void answer_arp(struct lan_netif *netif, uint32_t address)
{
    static const uint8_t kind[] = {8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
    struct host *host = netif->driver;
    struct lan_buf *reply = lan_buf_alloc(lan_stack_pool(host->stack), 2);
    uint8_t *p = lan_buf_put(reply, 42);
    const uint8_t *mac = host->world->hosts[1].netif.mac;
    memcpy(p, netif->mac, 6);
    memcpy(p + 6, mac, 6);
    memcpy(p + 12, kind, sizeof kind);
    memcpy(p + 22, mac, 6);
    memcpy(p + 28, &address, 4);
    memcpy(p + 32, netif->mac, 6);
    memcpy(p + 38, &netif->address, 4);
    lan_netif_input(netif, reply);
}

/* A connection to whose peer a new route will lead. */
struct rerouted {
    struct trace trace;
    struct world *world;
    struct lan_stack *stack;
    int from, to;
};

static void start_rerouted(struct rerouted *r)
{
    struct world_config config = WORLD_DEFAULT;
    config.features = CARD;
    *r = (struct rerouted){.world = world_create(&config)};
    r->stack = r->world->hosts[0].stack;
    int listener = world_listen(r->world, PORT, 1);
    r->from = world_connect(r->world, PORT);
    while ((r->to = lan_accept(r->world->hosts[1].stack, listener, NULL, LAN_SOCK_NONBLOCK)) == -EAGAIN)
        world_step(r->world, r->world->now_ns + 1000000);
    lan_close(r->world->hosts[1].stack, listener);
    r->world->sniff = sniff;
    r->world->sniffer = &r->trace;
}

static void send_rerouted(struct rerouted *r, struct lan_netif *netif, uint32_t gateway)
{
    static const uint8_t data[65536];
    uint32_t peer = r->world->hosts[1].netif.address;
    assert_int_equal(lan_route_add(r->stack, peer, UINT32_MAX, gateway, netif), 0);
    assert_int_equal(lan_send(r->stack, r->from, data, sizeof data, 0), sizeof data);
}

static void finish_rerouted(struct rerouted *r)
{
    static uint8_t chunk[65536];
    uint32_t received = 0;
    while (received < sizeof chunk && world_step(r->world, r->world->now_ns + UINT64_C(60000000000))) {
        for (long n; (n = lan_recv(r->world->hosts[1].stack, r->to, chunk, sizeof chunk, 0)) > 0;)
            received += (uint32_t)n;
    }
    assert_int_equal(received, sizeof chunk);
    assert_true(r->trace.longest <= 1514);
    lan_close(r->stack, r->from);
    lan_close(r->world->hosts[1].stack, r->to);
    world_destroy(r->world);
}

/* An interface without segmentation, over the same wire; its ARP is answered at once. */
static struct lan_netif other;
static uint32_t frames_by_other;

static int transmit_by_other(struct lan_netif *netif, struct lan_buf *frame)
{
    struct host *host = netif->driver;
    assert_int_equal(frame->flags & LAN_BUF_TSO, 0);
    if (frame->data[12] == 8 && frame->data[13] == 0) {
        frames_by_other++;
        return host->netif.ops->transmit(&host->netif, frame);
    }
    uint32_t target;
    memcpy(&target, frame->data + 38, 4);
    lan_buf_free(frame);
    answer_arp(netif, target);
    return 0;
}

static void large_segments_may_leave_by_an_interface_that_segments_nothing(void **state)
{
    (void)state;
    static const struct lan_netif_ops ops = {.transmit = transmit_by_other};
    struct rerouted r;
    start_rerouted(&r);
    other = (struct lan_netif){.ops = &ops,
                               .driver = &r.world->hosts[0],
                               .name = "other",
                               .mac = {2, 0, 0, 0, 0, 9},
                               .mtu = 1500,
                               .features = LAN_NETIF_SG,
                               .max_fragments = 64,
                               .link_up = true};
    frames_by_other = 0;
    assert_int_equal(lan_stack_add_netif(r.stack, &other), 0);
    assert_int_equal(lan_netif_set_address(&other, address_of(198, 51, 100, 1), address_of(255, 255, 255, 0)), 0);
    send_rerouted(&r, &other, address_of(198, 51, 100, 2));
    while (frames_by_other < 65536 / 1448)
        assert_true(world_step(r.world, r.world->now_ns + UINT64_C(1000000000)));
    assert_int_equal(world_counter(r.world, "TcpRetransSegs"), 0);
    finish_rerouted(&r);
}

/* A stack that does not cut drops it, and sends the data again. */
static void an_interface_may_segment_no_more_when_a_large_segment_leaves(void **state)
{
    (void)state;
    struct rerouted r;
    start_rerouted(&r);
    struct lan_netif *netif = &r.world->hosts[0].netif;
    send_rerouted(&r, netif, address_of(192, 0, 2, 77));
    netif->features &= ~(uint32_t)LAN_NETIF_TSO;
    answer_arp(netif, address_of(192, 0, 2, 77));
    while (world_step(r.world, r.world->now_ns + UINT64_C(10000000000)) && r.trace.frames < 65536 / 1448) {
    }
    assert_int_equal(world_counter(r.world, "LinkOutTooLarge"), world_counter(r.world, "TcpRetransSegs") != 0);
    finish_rerouted(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_segments_do_not_show_on_a_clean_wire),
        cmocka_unit_test(large_segments_do_not_show_on_a_lossy_wire),
        cmocka_unit_test(large_segments_do_not_show_over_a_small_queue),
        cmocka_unit_test(large_segments_do_not_show_with_a_small_window),
        cmocka_unit_test(an_open_window_goes_down_as_one_segment),
        cmocka_unit_test(large_segments_may_leave_by_an_interface_that_segments_nothing),
        cmocka_unit_test(an_interface_may_segment_no_more_when_a_large_segment_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
