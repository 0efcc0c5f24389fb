/* SPDX-License-Identifier: Apache-2.0 */
/* lan_send_buf() and lan_recv_buf(): what goes over into TCP's queues and comes out of them without a copy. */
#include "world.h"

#include <errno.h>
#include <string.h>

enum { PORT = 5001, BYTES = 1 << 19, PIECE = 1500 };

static uint8_t octet(uint32_t offset)
{
    return (uint8_t)(offset * 2654435761u >> 24);
}

/* A chain of `bytes` bytes as they stand at `offset` of the stream, in pieces of at most PIECE. */
static struct lan_buf *chain_of(struct lan_pool *pool, uint32_t offset, uint32_t bytes)
{
    struct lan_buf *first = NULL, **end = &first;

    for (uint32_t n; bytes; bytes -= n, end = &(*end)->next) {
        n = bytes < PIECE ? bytes : PIECE;
        *end = lan_buf_alloc(pool, 0);
        assert_non_null(*end);
        uint8_t *to = lan_buf_put(*end, n);
        for (uint32_t i = 0; i < n; i++)
            to[i] = octet(offset++);
    }
    return first;
}

struct pair {
    struct world *world;
    struct lan_stack *from_stack, *to_stack;
    int listener, from, to;
};

static struct pair connected(const struct world_config *config)
{
    struct pair p = {.world = world_create(config)};
    p.from_stack = p.world->hosts[0].stack;
    p.to_stack = p.world->hosts[1].stack;
    p.listener = world_listen(p.world, PORT, 1);
    p.from = world_connect(p.world, PORT);
    while ((p.to = lan_accept(p.to_stack, p.listener, NULL, LAN_SOCK_NONBLOCK)) < 0)
        assert_true(world_step(p.world, p.world->now_ns + UINT64_C(60000000000)));
    return p;
}

static void closed(struct pair *p)
{
    lan_close(p->from_stack, p->from);
    lan_close(p->to_stack, p->to);
    lan_close(p->to_stack, p->listener);
    world_destroy(p->world);
}

/* Lets everything happen that is under way. */
static void settle(struct pair *p)
{
    uint64_t end = p->world->now_ns + UINT64_C(300000000);
    while (world_step(p->world, end)) {
    }
}

static void transfer(const struct world_config *config)
{
    struct pair p = connected(config);
    struct lan_pool *pool = lan_stack_pool(p.from_stack);
    uint32_t sent = 0, received = 0;
    for (long n = 1; n != 0;) {
        assert_true(world_step(p.world, p.world->now_ns + UINT64_C(600000000000)));
        while (sent < BYTES && lan_ready(p.from_stack, p.from, LAN_POLLOUT)) {
            uint32_t bytes = 1 + world_draw(p.world, 20000);
            bytes = bytes < BYTES - sent ? bytes : BYTES - sent;
            struct lan_buf *chain = chain_of(pool, sent, bytes);
            assert_int_equal(lan_send_buf(p.from_stack, p.from, chain, 0), bytes);
            sent += bytes;
            if (sent == BYTES)
                lan_shutdown(p.from_stack, p.from, LAN_SHUT_WR);
        }
        struct lan_buf *chain;
        uint32_t most = 1 + world_draw(p.world, 10000);
        n = 1;
        while ((n = lan_recv_buf(p.to_stack, p.to, &chain, most)) > 0) {
            assert_int_equal(lan_buf_total(chain), n);
            assert_in_range(n, 1, most);
            for (const struct lan_buf *buf = chain; buf; buf = buf->next)
                for (uint32_t i = 0; i < buf->len; i++)
                    assert_int_equal(buf->data[i], octet(received++));
            lan_buf_free(chain);
        }
    }
    assert_int_equal(received, BYTES);
    closed(&p);
}

static void a_stream_of_chains_arrives_whole(void **state)
{
    (void)state;
    transfer(&WORLD_DEFAULT);
}

static void a_stream_of_chains_survives_loss(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    config.wire.drop = 0.02;
    config.wire.reorder = 0.02;
    config.wire.reorder_ns = 2000000;
    transfer(&config);
}

/* More of them to a large segment than the card gathers. */
static void a_chain_of_small_buffers_is_sent_by_a_card_that_segments(void **state)
{
    (void)state;
    enum { PIECES = 80, PIECE_BYTES = 130 }; /* larger than what is copied together */
    struct world_config config = WORLD_DEFAULT;
    config.features = LAN_NETIF_SG | LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM | LAN_NETIF_TSO;
    struct pair p = connected(&config);
    struct lan_buf *chain = NULL, *whole = lan_buf_alloc(lan_stack_pool(p.from_stack), 0);
    uint32_t received = 0;
    memset(lan_buf_put(whole, PIECE_BYTES), 1, PIECE_BYTES);
    for (int i = 0; i < PIECES; i++) {
        struct lan_buf *piece = lan_buf_view(whole, 0, PIECE_BYTES);
        piece->next = chain;
        chain = piece;
    }
    lan_buf_free(whole);
    assert_int_equal(lan_send_buf(p.from_stack, p.from, chain, 0), PIECES * PIECE_BYTES);
    settle(&p);
    for (long n; (n = lan_recv_buf(p.to_stack, p.to, &chain, 1 << 20)) > 0; received += (uint32_t)n)
        lan_buf_free(chain);
    assert_int_equal(received, PIECES * PIECE_BYTES);
    closed(&p);
}

/* A segment would take more views than there are. */
static void octets_in_buffers_of_their_own_leave_though_views_are_few(void **state)
{
    (void)state;
    enum { PIECES = 300 };
    for (int views = 0; views < 2; views++) {
        struct world_config config = WORLD_DEFAULT;
        config.stack.pool.views = views ? PIECES + PIECES / 2 : PIECES / 2;
        struct pair p = connected(&config);
        struct lan_pool *pool = lan_stack_pool(p.from_stack);
        struct lan_buf *whole = chain_of(pool, 0, PIECES), *chain = NULL;
        for (uint32_t i = PIECES; i-- > 0;) {
            struct lan_buf *piece = views ? lan_buf_view(whole, i, 1) : chain_of(pool, i, 1);
            piece->next = chain;
            chain = piece;
        }
        lan_buf_free(whole);
        assert_int_equal(lan_send_buf(p.from_stack, p.from, chain, 0), PIECES);
        settle(&p);
        uint8_t out[PIECES];
        assert_int_equal(lan_recv(p.to_stack, p.to, out, sizeof out, 0), PIECES);
        for (uint32_t i = 0; i < PIECES; i++)
            assert_int_equal(out[i], octet(i));
        closed(&p);
    }
}

static void what_is_sent_is_the_buffer_itself(void **state)
{
    (void)state;
    struct pair p = connected(&WORLD_DEFAULT);
    struct lan_buf *chain = chain_of(lan_stack_pool(p.from_stack), 0, 100);
    uint8_t *data = chain->data, out[100];
    assert_int_equal(lan_send_buf(p.from_stack, p.from, chain, LAN_MSG_MORE), 100); /* waits in the queue */
    *data = 77;
    assert_int_equal(lan_send(p.from_stack, p.from, "", 0, 0), 0); /* no more to come: it goes */
    settle(&p);
    assert_int_equal(lan_recv(p.to_stack, p.to, out, sizeof out, 0), 100);
    assert_int_equal(out[0], 77);
    closed(&p);
}

static void copies_and_chains_mix_in_order(void **state)
{
    (void)state;
    struct pair p = connected(&WORLD_DEFAULT);
    struct lan_pool *pool = lan_stack_pool(p.from_stack);
    uint8_t some[50], out[300];
    for (uint32_t i = 0; i < sizeof some; i++)
        some[i] = octet(100 + i);
    assert_int_equal(lan_send_buf(p.from_stack, p.from, chain_of(pool, 0, 100), 0), 100);
    assert_int_equal(lan_send(p.from_stack, p.from, some, sizeof some, 0), 50);
    assert_int_equal(lan_send_buf(p.from_stack, p.from, chain_of(pool, 150, 150), 0), 150);
    settle(&p);
    struct lan_buf *front;
    assert_int_equal(lan_recv_buf(p.to_stack, p.to, &front, 30), 30);
    assert_int_equal(lan_recv(p.to_stack, p.to, out + 30, sizeof out, 0), 270);
    lan_buf_copy(front, 0, out, 30);
    lan_buf_free(front);
    for (uint32_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], octet(i));
    closed(&p);
}

static void refused_chains_stay_the_callers(void **state)
{
    (void)state;
    struct pair p = connected(&WORLD_DEFAULT);
    struct lan_pool *pool = lan_stack_pool(p.from_stack);
    struct lan_buf *empty = lan_buf_alloc(pool, 0), *held = lan_buf_ref(chain_of(pool, 0, 100));
    struct lan_buf *large = chain_of(pool, 0, p.world->config.stack.send_buffer_bytes + 1), *chain = NULL;
    assert_int_equal(lan_send_buf(p.from_stack, p.from, empty, 0), -EINVAL);
    assert_int_equal(lan_send_buf(p.from_stack, p.from, held, 0), -EINVAL);
    assert_int_equal(lan_send_buf(p.from_stack, p.from, large, 0), -EMSGSIZE);
    assert_int_equal(lan_send_buf(p.to_stack, p.listener, empty, 0), -ENOTCONN);
    assert_int_equal(lan_recv_buf(p.to_stack, p.to, &chain, 100), -EAGAIN);
    do
        chain = chain_of(pool, 0, 10000);
    while (lan_send_buf(p.from_stack, p.from, chain, 0) == 10000);
    assert_false(lan_ready(p.from_stack, p.from, LAN_POLLOUT));
    assert_int_equal(lan_send_buf(p.from_stack, p.from, chain, 0), -EAGAIN);
    lan_shutdown(p.from_stack, p.from, LAN_SHUT_WR);
    assert_int_equal(lan_send_buf(p.from_stack, p.from, chain, 0), -EPIPE);
    lan_buf_free(chain);
    lan_buf_free(large);
    lan_buf_free(held);
    lan_buf_free(held);
    lan_buf_free(empty);
    closed(&p);
}

static void datagrams_are_not_sent_so(void **state)
{
    (void)state;
    struct world *world = world_create(&WORLD_DEFAULT);
    struct lan_stack *stack = world->hosts[0].stack;
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);
    struct lan_buf *chain = NULL;
    assert_int_equal(lan_send_buf(stack, fd, chain, 0), -EOPNOTSUPP);
    assert_int_equal(lan_recv_buf(stack, fd, &chain, 1), -EOPNOTSUPP);
    assert_int_equal(lan_send_buf(stack, 99, chain, 0), -EBADF);
    lan_close(stack, fd);
    world_destroy(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_of_chains_arrives_whole),
        cmocka_unit_test(a_stream_of_chains_survives_loss),
        cmocka_unit_test(a_chain_of_small_buffers_is_sent_by_a_card_that_segments),
        cmocka_unit_test(octets_in_buffers_of_their_own_leave_though_views_are_few),
        cmocka_unit_test(what_is_sent_is_the_buffer_itself),
        cmocka_unit_test(copies_and_chains_mix_in_order),
        cmocka_unit_test(refused_chains_stay_the_callers),
        cmocka_unit_test(datagrams_are_not_sent_so),
    };
    return cmocka_run_group_tests_name("tcp zero copy", tests, NULL, NULL);
}
