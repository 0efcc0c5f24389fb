/* SPDX-License-Identifier: Apache-2.0 */
/* Memory runs out at any place: each single allocation of a scripted transfer fails in turn, alone or with all of the
 * time that follows. Whatever it was for, the transfer ends, both ways, whole, and every buffer is back afterwards. */
#include "world.h"

#include <errno.h>
#include <string.h>

enum { PORT = 5001, BYTES = 30000, PIECE = 3000 };
#define PATIENCE_NS UINT64_C(100000000000)

struct lan_buf *__real_lan_buf_alloc(struct lan_pool *pool, uint32_t headroom);
struct lan_buf *__wrap_lan_buf_alloc(struct lan_pool *pool, uint32_t headroom);
struct lan_buf *__real_lan_buf_view(struct lan_buf *from, uint32_t offset, uint32_t len);
struct lan_buf *__wrap_lan_buf_view(struct lan_buf *from, uint32_t offset, uint32_t len);

/* Allocations so far; the one that fails (0: none), and for how long others do after it. */
static uint32_t allocations, failing;
static uint64_t outage_ns, outage_end_ns;
static const struct world *now_of; /* NULL: it is being made */

static bool fails(void)
{
    if (!now_of)
        return false;
    if (++allocations == failing)
        outage_end_ns = now_of->now_ns + outage_ns;
    return allocations == failing || now_of->now_ns < outage_end_ns;
}

struct lan_buf *__wrap_lan_buf_alloc(struct lan_pool *pool, uint32_t headroom)
{
    return fails() ? NULL : __real_lan_buf_alloc(pool, headroom);
}

struct lan_buf *__wrap_lan_buf_view(struct lan_buf *from, uint32_t offset, uint32_t len)
{
    return fails() ? NULL : __real_lan_buf_view(from, offset, len);
}

static uint8_t octet(uint32_t n)
{
    return (uint8_t)(n * 2654435761u >> 24);
}

struct end {
    struct lan_stack *stack;
    int fd; /* -1: not there yet, or closed */
    uint32_t sent, received;
    bool shut, done;
};

/* By turns: a copy, a chain, a copy that is urgent. Negative: not now. */
static long send_piece(struct end *end, uint32_t bytes)
{
    static uint8_t data[PIECE];
    uint32_t room = 2048, turn = end->sent / PIECE % 3;
    for (uint32_t i = 0; i < bytes; i++)
        data[i] = octet(end->sent + i);
    if (turn != 1)
        return lan_send(end->stack, end->fd, data, bytes, turn == 2 ? LAN_MSG_OOB : 0);
    struct lan_buf *chain = lan_buf_alloc(lan_stack_pool(end->stack), 0);
    if (!chain)
        return -EAGAIN;
    bytes = bytes < room ? bytes : room;
    memcpy(lan_buf_put(chain, bytes), data, bytes);
    long taken = lan_send_buf(end->stack, end->fd, chain, 0);
    if (taken < 0)
        lan_buf_free(chain);
    return taken;
}

static void send_some(struct end *end)
{
    while (end->sent < BYTES) {
        uint32_t left = BYTES - end->sent, piece = PIECE - end->sent % PIECE;
        long taken = send_piece(end, left < piece ? left : piece);
        if (taken == -EAGAIN)
            return;
        assert_true(taken > 0);
        end->sent += (uint32_t)taken;
    }
    if (!end->shut)
        assert_int_equal(lan_shutdown(end->stack, end->fd, LAN_SHUT_WR), 0);
    end->shut = true;
}

/* By turns a copy and a chain. */
static long receive_piece(struct end *end)
{
    uint8_t data[1000];
    struct lan_buf *chain = NULL;
    bool copy = end->received / 1000 % 2;
    long n = copy ? lan_recv(end->stack, end->fd, data, sizeof data, 0)
                  : lan_recv_buf(end->stack, end->fd, &chain, sizeof data);
    if (chain)
        lan_buf_copy(chain, 0, data, sizeof data);
    lan_buf_free(chain);
    for (long i = 0; i < n; i++)
        assert_int_equal(data[i], octet(end->received + (uint32_t)i));
    return n;
}

static void receive_some(struct end *end)
{
    long n;
    while ((n = receive_piece(end)) > 0)
        end->received += (uint32_t)n;
    if (n == 0 && end->shut) {
        assert_int_equal(end->received, BYTES);
        lan_close(end->stack, end->fd);
        end->fd = -1;
        end->done = true;
    } else if (n < 0) {
        assert_true(n == -EAGAIN || n == -ENOBUFS);
    }
}

/* Both ends always look again: with so little memory a notice may well be what gets lost. */
static void run(struct world *world, const char *congestion)
{
    struct end client = {.stack = world->hosts[0].stack}, server = {.stack = world->hosts[1].stack, .fd = -1};
    int listener = world_listen(world, PORT, 4), on = LAN_TCP_ECN_ON;
    lan_setsockopt(server.stack, listener, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, congestion,
                   (uint32_t)strlen(congestion));
    client.fd = world_connect(world, PORT);
    lan_setsockopt(client.stack, client.fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, congestion,
                   (uint32_t)strlen(congestion));
    lan_setsockopt(client.stack, client.fd, LAN_IPPROTO_TCP, LAN_TCP_ECN, &on, sizeof on);
    uint64_t limit_ns = world->now_ns + PATIENCE_NS;
    while (!client.done || !server.done) {
        if (!world_step(world, limit_ns))
            fail_msg("%s, without allocation %u: the transfer hangs", congestion, failing);
        if (server.fd < 0 && !server.done)
            server.fd = lan_accept(server.stack, listener, NULL, LAN_SOCK_NONBLOCK);
        struct end *ends[] = {&client, &server};
        for (int i = 0; i < 2; i++) {
            if (ends[i]->fd < 0 || !lan_ready(ends[i]->stack, ends[i]->fd, LAN_POLLIN | LAN_POLLOUT))
                continue;
            send_some(ends[i]);
            receive_some(ends[i]);
        }
    }
    lan_close(server.stack, listener);
}

static void sweep(const char *congestion, uint32_t features, uint64_t outage_lasts_ns)
{
    struct world_config config = WORLD_DEFAULT;
    uint32_t all = UINT32_MAX;
    config.stack.pool = (struct lan_pool_config){.buffers = 128, .buffer_bytes = 2048, .views = 256};
    config.stack.send_buffer_bytes = config.stack.receive_buffer_bytes = 8192;
    config.stack.tcp_ecn = LAN_TCP_ECN_ON;
    config.features = features;
    config.max_tso_bytes = 65536;
    config.wire.drop = 0.03;
    config.wire.reorder = 0.05;
    config.wire.reorder_ns = 500000;
    outage_ns = outage_lasts_ns;
    for (uint32_t n = 0; n <= all; n++) { /* the first time nothing fails */
        struct world *world = world_create(&config);
        now_of = world;
        allocations = 0;
        outage_end_ns = 0;
        failing = n;
        run(world, congestion);
        all = n ? all : allocations;
        world_destroy(world);
        now_of = NULL;
    }
    print_message("    %u allocations\n", all);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    sweep("cubic", LAN_NETIF_SG, 0);
}

static void memory_may_be_out_for_a_while(void **state)
{
    (void)state;
    sweep("newreno", 0, 30000000);
}

static void nor_does_bbr_hang(void **state)
{
    (void)state;
    sweep("bbr", LAN_NETIF_SG | LAN_NETIF_TSO, 3000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(memory_may_be_out_for_a_while),
        cmocka_unit_test(nor_does_bbr_hang),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
