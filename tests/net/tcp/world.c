/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"
#include "../frames.h"
#include "../start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { OVERHEAD = 24, FRAME_MIN = 60 }; /* preamble, FCS and gap; the shortest frame */
enum { CE = 3 };                        /* of the TOS octet */

const struct world_config WORLD_DEFAULT = {
    .stack = {.pool = {.buffers = 1024, .buffer_bytes = 2048, .views = 4096},
              .sockets = 256,
              .udp_sockets = 1,
              .tcp_connections = 256,
              .tcp_tables = 2,
              .arp_entries = 8,
              .routes = 4,
              .send_buffer_bytes = 65536,
              .receive_buffer_bytes = 65536},
    .mtu = 1500,
    .features = LAN_NETIF_SG,
    .wire = {.rate_bps = 100000000, .delay_ns = 100000},
    .seed = 1,
};

static uint64_t draw64(struct world *world)
{
    uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t world_draw(struct world *world, uint32_t below)
{
    return (uint32_t)((draw64(world) >> 32) * below >> 32);
}

static bool happens(struct world *world, double share)
{
    return share > 0 && (double)(draw64(world) >> 11) < share * 9007199254740992.0;
}

static uint64_t now_ns(void *ctx)
{
    return ((struct host *)ctx)->world->now_ns;
}

static void fill_random(void *ctx, void *out, size_t bytes)
{
    uint8_t *to = out;
    while (bytes--)
        *to++ = (uint8_t)draw64(((struct host *)ctx)->world);
}

static void set_alarm(void *ctx, uint64_t deadline_ns)
{
    ((struct host *)ctx)->alarm_ns = deadline_ns;
}

static bool before(const struct flight *a, const struct flight *b)
{
    return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->order < b->order);
}

static void push_flight(struct world *world, struct flight *flight)
{
    if (world->flight_count == world->flight_room) {
        world->flight_room = world->flight_room ? 2 * world->flight_room : 64;
        world->flights = realloc(world->flights, world->flight_room * sizeof *world->flights);
    }
    uint32_t i = world->flight_count++;
    for (; i && before(flight, world->flights[(i - 1) / 2]); i = (i - 1) / 2)
        world->flights[i] = world->flights[(i - 1) / 2];
    world->flights[i] = flight;
}

static struct flight *pop_flight(struct world *world)
{
    struct flight *first = world->flights[0], *last = world->flights[--world->flight_count];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= world->flight_count)
            break;
        if (child + 1 < world->flight_count && before(world->flights[child + 1], world->flights[child]))
            child++;
        if (!before(world->flights[child], last))
            break;
        world->flights[i] = world->flights[child];
        i = child;
    }
    if (world->flight_count)
        world->flights[i] = last;
    return first;
}

/* As a router does whose queue grows. */
static void mark(struct world *world, uint8_t *ip)
{
    if (!(ip[1] & CE) || !happens(world, world->config.wire.mark))
        return;
    ip[1] |= CE;
    put16(ip + 10, 0);
    put16(ip + 10, internet_checksum(ip, (ip[0] & 15) * 4, 0));
}

static void launch(struct world *world, int to, const uint8_t *frame, uint32_t len, uint64_t due_ns)
{
    struct flight *flight = malloc(sizeof *flight + len);
    *flight = (struct flight){.due_ns = due_ns, .order = world->order++, .to = to, .len = len};
    memcpy(flight->bytes, frame, len);
    if (flight->bytes[12] == 8 && flight->bytes[13] == 0)
        mark(world, flight->bytes + ETH);
    /* ARP has no checksum: behind a real MAC, which checks the FCS, it would not arrive at all. */
    if (flight->bytes[12] == 8 && flight->bytes[13] == 0 && happens(world, world->config.wire.corrupt))
        flight->bytes[ETH + world_draw(world, len - ETH)] ^= (uint8_t)(1 << world_draw(world, 8));
    push_flight(world, flight);
}

static bool drops(struct host *host)
{
    const struct impairment *wire = &host->world->config.wire;
    uint32_t burst = wire->burst ? wire->burst : 1;
    if (!host->burst_left && happens(host->world, wire->drop / burst))
        host->burst_left = burst;
    return host->burst_left && host->burst_left--;
}

static void put_on_wire(struct host *host, const uint8_t *frame, uint32_t len)
{
    struct world *world = host->world;
    const struct impairment *wire = &world->config.wire;
    int to = host == &world->hosts[0];
    if (world->sniff)
        world->sniff(world, !to, frame, len);
    uint64_t start_ns = host->wire_free_ns > world->now_ns ? host->wire_free_ns : world->now_ns;
    uint64_t bits = ((len < FRAME_MIN ? FRAME_MIN : len) + OVERHEAD) * UINT64_C(8);
    if (wire->rate_bps) {
        uint64_t waiting = (start_ns - world->now_ns) * wire->rate_bps / UINT64_C(8000000000);
        if (wire->queue_bytes && waiting > wire->queue_bytes) {
            world->dropped++;
            return;
        }
        host->wire_free_ns = start_ns + bits * 1000000000 / wire->rate_bps;
        start_ns = host->wire_free_ns;
    }
    uint64_t due_ns = start_ns + wire->delay_ns;
    if (wire->forward && host != &world->hosts[0]) {
        if (wire->bunch_ns)
            due_ns = (due_ns + wire->bunch_ns - 1) / wire->bunch_ns * wire->bunch_ns;
        launch(world, to, frame, len, due_ns);
        return;
    }
    if (happens(world, wire->reorder)) {
        due_ns += wire->reorder_ns;
        world->held_back++;
    }
    if (wire->largest && len > ETH + wire->largest)
        return;
    if (drops(host))
        world->dropped++;
    else
        launch(world, to, frame, len, due_ns);
    if (happens(world, wire->duplicate))
        launch(world, to, frame, len, due_ns + world_draw(world, 200000));
}

static void fill_checksums(uint8_t *frame, uint32_t len, uint32_t csum_start, uint32_t csum_offset)
{
    uint8_t *ip = frame + ETH, *l4 = frame + csum_start;
    uint32_t l4_bytes = len - csum_start;
    put16(ip + 10, 0);
    put16(ip + 10, internet_checksum(ip, (uint32_t)(l4 - ip), 0));
    put16(l4 + csum_offset, 0);
    put16(l4 + csum_offset, internet_checksum(l4, l4_bytes, pseudo_sum(ip, l4_bytes)));
}

/* One segment of a large frame, as a card makes it: `payload` bytes from `offset` of its payload on. */
static void put_segment_on_wire(struct host *host, const uint8_t *large, uint32_t headers, uint32_t offset,
                                uint32_t payload, uint32_t number, bool last)
{
    static uint8_t frame[65536];
    memcpy(frame, large, headers);
    uint8_t *ip = frame + ETH, *tcp = ip + (ip[0] & 15) * 4;
    memcpy(frame + headers, large + headers + offset, payload);
    uint32_t seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
    put16(tcp + 4, (seq + offset) >> 16);
    put16(tcp + 6, seq + offset);
    tcp[13] &= (uint8_t) ~((last ? 0 : 0x09) | (offset ? 0x80 : 0)); /* FIN, PSH; CWR */
    put16(ip + 2, headers - ETH + payload);
    put16(ip + 4, ((uint32_t)ip[4] << 8 | ip[5]) + number);
    fill_checksums(frame, headers + payload, (uint32_t)(tcp - frame), 16);
    put_on_wire(host, frame, headers + payload);
}

static int transmit(struct lan_netif *netif, struct lan_buf *buf)
{
    static uint8_t frame[65536 + ETH];
    uint32_t len = lan_buf_total(buf), headers = buf->hdr_len;
    lan_buf_copy(buf, 0, frame, len);
    if (buf->flags & LAN_BUF_TSO) {
        uint32_t payload = len - headers;
        assert_true(netif->features & LAN_NETIF_TSO);
        for (uint32_t offset = 0, n, number = 0; offset < payload; offset += n, number++) {
            n = payload - offset < buf->gso_size ? payload - offset : buf->gso_size;
            put_segment_on_wire(netif->driver, frame, headers, offset, n, number, offset + n == payload);
        }
    } else {
        if (buf->flags & LAN_BUF_L4_CSUM)
            fill_checksums(frame, len, buf->csum_start, buf->csum_offset);
        put_on_wire(netif->driver, frame, len);
    }
    lan_buf_free(buf);
    return 0;
}

static const struct lan_netif_ops OPS = {.transmit = transmit};

static uint32_t address_of(int host)
{
    return ADDRESS(192, 0, 2, 1 + host);
}

static void start_host(struct world *world, int index)
{
    struct host *host = &world->hosts[index];
    size_t bytes = (lan_stack_size(&world->config.stack) + 63) / 64 * 64;
    *host = (struct host){.world = world, .alarm_ns = LAN_NEVER, .memory = aligned_alloc(64, bytes)};
    host->port = (struct lan_port){.ctx = host, .now_ns = now_ns, .random = fill_random, .set_alarm = set_alarm};
    if (world->config.random)
        host->port.random = world->config.random;
    host->netif = (struct lan_netif){.ops = &OPS,
                                     .driver = host,
                                     .name = "wire",
                                     .mac = {2, 0, 0, 0, 0, (uint8_t)(1 + index)},
                                     .mtu = world->config.mtu,
                                     .features = world->config.features,
                                     .max_fragments = 64,
                                     .max_tso_bytes = world->config.max_tso_bytes,
                                     .link_up = true};
    host->stack = lan_stack_create(host->memory, bytes, &host->port, &world->config.stack);
    assert_non_null(host->stack);
    assert_int_equal(lan_stack_add_netif(host->stack, &host->netif), 0);
    assert_int_equal(lan_netif_set_address(&host->netif, address_of(index), NETMASK), 0);
    host->free_buffers = lan_pool_free_buffers(lan_stack_pool(host->stack));
    host->free_views = lan_pool_free_views(lan_stack_pool(host->stack));
}

struct world *world_create(const struct world_config *config)
{
    struct world *world = calloc(1, sizeof *world);
    world->config = *config;
    world->random = start_seed(config->seed);
    world->now_ns = config->start_ns ? config->start_ns : start_ns();
    start_host(world, 0);
    start_host(world, 1);
    return world;
}

void world_destroy(struct world *world)
{
    for (uint64_t end = world->now_ns + UINT64_C(1000000000000); world_step(world, end);) {
    }
    for (int i = 0; i < 2; i++) {
        struct lan_pool *pool = lan_stack_pool(world->hosts[i].stack);
        assert_int_equal(lan_pool_free_buffers(pool), world->hosts[i].free_buffers);
        assert_int_equal(lan_pool_free_views(pool), world->hosts[i].free_views);
        free(world->hosts[i].memory);
    }
    free(world->flights);
    free(world);
}

static void arrive(struct world *world)
{
    struct flight *flight = pop_flight(world);
    struct host *host = &world->hosts[flight->to];
    struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(host->stack), 2);
    if (buf) { /* a card without buffers loses the frame */
        memcpy(lan_buf_put(buf, flight->len), flight->bytes, flight->len);
        lan_netif_input(&host->netif, buf);
    }
    free(flight);
}

bool world_step(struct world *world, uint64_t until_ns)
{
    struct host *host = world->hosts[1].alarm_ns < world->hosts[0].alarm_ns ? &world->hosts[1] : &world->hosts[0];
    uint64_t frame_ns = world->flight_count ? world->flights[0]->due_ns : LAN_NEVER;
    uint64_t next_ns = frame_ns < host->alarm_ns ? frame_ns : host->alarm_ns;
    if (next_ns > until_ns) {
        world->now_ns = until_ns;
        return false;
    }
    if (next_ns > world->now_ns)
        world->now_ns = next_ns;
    if (frame_ns == next_ns)
        arrive(world);
    else
        lan_stack_poll(host->stack);
    return true;
}

static struct lan_sockaddr_in name_of(int host, uint16_t port)
{
    return (struct lan_sockaddr_in){.sin_family = LAN_AF_INET, .sin_port = net16(port), .sin_addr = address_of(host)};
}

static int new_socket(struct lan_stack *stack)
{
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    return fd;
}

int world_listen(struct world *world, uint16_t port, int backlog)
{
    struct lan_stack *stack = world->hosts[1].stack;
    struct lan_sockaddr_in name = name_of(1, port);
    int fd = new_socket(stack);
    assert_int_equal(lan_bind(stack, fd, &name), 0);
    assert_int_equal(lan_listen(stack, fd, backlog), 0);
    return fd;
}

int world_connect(struct world *world, uint16_t port)
{
    struct lan_stack *stack = world->hosts[0].stack;
    struct lan_sockaddr_in name = name_of(1, port);
    int fd = new_socket(stack);
    assert_int_equal(lan_connect(stack, fd, &name), -EINPROGRESS);
    return fd;
}

uint64_t world_counter(const struct world *world, const char *name)
{
    return lan_stack_counter(world->hosts[0].stack, name) + lan_stack_counter(world->hosts[1].stack, name);
}
