/* SPDX-License-Identifier: Apache-2.0 */
/* Sending with little memory: what is taken of it, what is given back, and who waits for it. */
#include "peer.h"

#include <errno.h>

static uint32_t free_buffers(const struct peer *p)
{
    return lan_pool_free_buffers(lan_stack_pool(p->f->stack));
}

/* Buffers of the pool until `left` are free; a chain to be freed. */
static struct lan_buf *hoard_buffers(struct peer *p, uint32_t left)
{
    struct lan_buf *hoard = NULL;
    while (free_buffers(p) > left) {
        struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(p->f->stack), 0);
        buf->next = hoard;
        hoard = buf;
    }
    return hoard;
}

/* All views of the pool; a chain to be freed. */
static struct lan_buf *hoard_views(struct peer *p)
{
    struct lan_buf *of = lan_buf_alloc(lan_stack_pool(p->f->stack), 0), *hoard = NULL, *view;
    lan_buf_put(of, 1);
    while ((view = lan_buf_view(of, 0, 1)) != NULL) {
        view->next = hoard;
        hoard = view;
    }
    lan_buf_free(of);
    return hoard;
}

static void note(void *arg)
{
    ++*(int *)arg;
}

static void without_memory_send_says_again_and_the_application_is_told_when_it_is_back(void **state)
{
    struct peer *p = *state;
    static uint8_t data[65536];
    int told = 0;
    lan_set_notify(p->f->stack, p->fd, note, &told);
    struct lan_buf *hoard = hoard_buffers(p, 30);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, sizeof data, 0), -EAGAIN);
    wait_ms(p, 1000);
    assert_int_equal(told, 0);
    lan_buf_free(hoard);
    wait_ms(p, 100);
    assert_true(told > 0);
    lan_set_notify(p->f->stack, p->fd, NULL, NULL);
}

static void nor_does_it_take_a_few_bytes_for_a_connection_that_has_sent_before(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10);
    expect(p, ACK, 1, 1, 10);
    from_peer(p, ACK, 1, 11, 0);
    struct lan_buf *hoard = hoard_buffers(p, 60);
    assert_int_equal(lan_send(p->f->stack, p->fd, "x", 1, 0), -EAGAIN);
    lan_buf_free(hoard);
    wait_ms(p, 100);
    host_sends(p, 11, 10);
    expect(p, ACK, 11, 1, 10);
}

static void a_full_buffer_that_drains_while_memory_is_short_is_told_of_later(void **state)
{
    struct peer *p = *state;
    static uint8_t data[20000];
    int told = 0;
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = stream_byte(1 + i);
    int limit = 10000;
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_SNDBUF, &limit, sizeof limit);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, sizeof data, 0), 10000);
    skip_sent(p);
    struct lan_buf *hoard = hoard_buffers(p, 30);
    lan_set_notify(p->f->stack, p->fd, note, &told);
    from_peer(p, ACK, 1, 1 + 6 * MSS, 0);
    skip_sent(p);
    from_peer(p, ACK, 1, 10001, 0);
    wait_ms(p, 1000);
    assert_int_equal(told, 0);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), 0);
    lan_buf_free(hoard);
    wait_ms(p, 100);
    assert_int_equal(told, 1);
    assert_int_equal(lan_ready(p->f->stack, p->fd, LAN_POLLOUT), LAN_POLLOUT);
    lan_set_notify(p->f->stack, p->fd, NULL, NULL);
}

/* What a connection knows while it sends takes one buffer. */
static void a_quiet_connection_gives_back_what_sending_took(void **state)
{
    struct peer *p = *state;
    uint32_t before = free_buffers(p);
    host_sends(p, 1, 100);
    expect(p, ACK, 1, 1, 100);
    from_peer(p, ACK, 1, 101, 0);
    assert_int_equal(free_buffers(p), before - 1);
    wait_ms(p, 9000);
    host_sends(p, 101, 100); /* starts the wait anew */
    expect(p, ACK, 101, 1, 100);
    from_peer(p, ACK, 1, 201, 0);
    wait_ms(p, 9999);
    assert_int_equal(free_buffers(p), before - 1);
    wait_ms(p, 2);
    assert_int_equal(free_buffers(p), before);
    host_sends(p, 201, 100);
    expect(p, ACK, 201, 1, 100);
}

static void it_does_so_at_once_when_memory_is_not_plenty(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 100);
    expect(p, ACK, 1, 1, 100);
    struct lan_buf *hoard = hoard_buffers(p, 512 - 11); /* half of the pool is gone */
    from_peer(p, ACK, 1, 101, 0);
    uint32_t after = free_buffers(p);
    wait_ms(p, 10001);
    assert_int_equal(free_buffers(p), after); /* nothing was left to give back */
    lan_buf_free(hoard);
}

static void a_few_bytes_are_copied_behind_their_headers(void **state)
{
    struct peer *p = *state;
    struct lan_buf *hoard = hoard_views(p);
    host_sends(p, 1, 128);
    expect(p, ACK, 1, 1, 128);
    lan_buf_free(hoard);
    from_peer(p, ACK, 1, 129, 0);
}

/* Data need a view, an ACK does not: it goes, and must not take the wait for memory with it. */
static void an_ack_in_between_does_not_end_the_wait_for_memory(void **state)
{
    struct peer *p = *state;
    struct lan_buf *hoard = hoard_views(p);
    host_sends(p, 1, 200);
    expect_quiet(p);
    from_peer(p, ACK, 101, 1, 100); /* beyond a gap: acknowledged at once */
    expect(p, ACK, 1, 1, 0);
    lan_buf_free(hoard);
    wait_ms(p, 20);
    expect(p, ACK, 1, 1, 200);
}

static void what_the_override_timer_has_no_memory_to_send_is_sent_later_MUST_38(void **state)
{
    struct peer *p = *state;
    p->window = 200;
    from_peer(p, ACK, 1, 1, 0);
    host_sends(p, 1, 1000);
    expect_quiet(p);
    struct lan_buf *hoard = hoard_views(p);
    wait_ms(p, 10000);
    expect_quiet(p);
    lan_buf_free(hoard);
    wait_ms(p, 20000);
    assert_int_equal(next_sent(p).bytes, 200);
    skip_sent(p);
}

/* An ACK that leaves is no reason to forget that the application waits for memory. */
static void nor_does_one_end_that_of_the_application(void **state)
{
    struct peer *p = *state;
    static uint8_t data[100];
    int told = 0;
    struct lan_buf *hoard = hoard_buffers(p, 70);
    assert_int_equal(lan_send(p->f->stack, p->fd, data, sizeof data, 0), -EAGAIN);
    lan_set_notify(p->f->stack, p->fd, note, &told);
    from_peer(p, ACK, 1 - 100, 1, 100); /* an old duplicate */
    expect(p, ACK, 1, 1, 0);
    lan_buf_free(hoard);
    wait_ms(p, 100);
    assert_int_equal(told, 1);
    lan_set_notify(p->f->stack, p->fd, NULL, NULL);
}

/* Nor that of data which find no memory to be sent with. */
static void nor_does_one_that_answers_an_old_duplicate(void **state)
{
    struct peer *p = *state;
    struct lan_buf *hoard = hoard_views(p);
    host_sends(p, 1, 200);
    expect_quiet(p);
    from_peer(p, ACK, 1 - 100, 1, 100);
    expect(p, ACK, 1, 1, 0);
    lan_buf_free(hoard);
    wait_ms(p, 20);
    expect(p, ACK, 1, 1, 200);
}

/* A delayed ACK that was to leave with data goes by itself, as soon as it can, where these found no memory on their way
 * down: here for the frame that a driver wants in one piece. */
static void nor_does_data_that_fail_below_tcp_end_that_of_an_ack(void **state)
{
    struct peer *p = *state;
    p->f->netif.features = 0;
    host_sends(p, 1, 100);
    expect(p, ACK, 1, 1, 100);
    p->window = 200;
    from_peer(p, ACK, 1, 101, 0);
    host_sends(p, 101, 1000);
    wait_ms(p, 195);
    from_peer(p, ACK, 1, 101, 100);
    struct lan_buf *hoard = hoard_buffers(p, 1);
    wait_ms(p, 10); /* the override timer */
    expect_quiet(p);
    lan_buf_free(hoard);
    wait_ms(p, 100);
    expect(p, ACK, 101, 101, 0);
    wait_ms(p, 200);
    expect(p, ACK, 101, 101, 200);
    host_reads(p, 1, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CONNECTED(without_memory_send_says_again_and_the_application_is_told_when_it_is_back),
        TEST_CONNECTED(nor_does_it_take_a_few_bytes_for_a_connection_that_has_sent_before),
        TEST_CONNECTED(a_full_buffer_that_drains_while_memory_is_short_is_told_of_later),
        TEST_CONNECTED(a_quiet_connection_gives_back_what_sending_took),
        TEST_CONNECTED(it_does_so_at_once_when_memory_is_not_plenty),
        TEST_CONNECTED(a_few_bytes_are_copied_behind_their_headers),
        TEST_CONNECTED(an_ack_in_between_does_not_end_the_wait_for_memory),
        TEST_CONNECTED(what_the_override_timer_has_no_memory_to_send_is_sent_later_MUST_38),
        TEST_CONNECTED(nor_does_one_end_that_of_the_application),
        TEST_CONNECTED(nor_does_one_that_answers_an_old_duplicate),
        TEST_CONNECTED(nor_does_data_that_fail_below_tcp_end_that_of_an_ack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
