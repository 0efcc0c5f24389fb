/* SPDX-License-Identifier: Apache-2.0 */
/* What struct lan_config changes of TCP, so that it looks like another stack. */
#include "peer.h"

#include <string.h>

static const uint8_t ALL[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};

/* A host of its own configuration. Every test that takes one ends with over(). */
static struct peer with(const struct lan_config *config)
{
    return peer_of(fixture_create(config, 0));
}

static void over(struct peer *p)
{
    fixture_destroy(p->f);
}

/* The kinds of the options of the SYN, NOP and padding included; the lengths are right, or the walk would not end with
 * them. */
static uint32_t kinds(const struct sent *syn, uint8_t out[40])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < syn->option_bytes; i += syn->options[i] <= 1 ? 1 : syn->options[i + 1])
        out[n++] = syn->options[i];
    return n;
}

static void expect_answer(uint32_t order, const uint8_t *asked, uint32_t bytes, const uint8_t *expected, uint32_t n)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    uint8_t seen[40];
    config.tcp_syn_options = order;

    struct peer p = with(&config);
    listen_on(p.f, p.host_port, 8);
    from_peer_options(&p, SYN, 0, 0, asked, bytes);

    struct sent syn = next_sent(&p);
    assert_int_equal(syn.flags, SYN | ACK);
    assert_int_equal(kinds(&syn, seen), n);
    assert_memory_equal(seen, expected, n);
    assert_int_equal(syn.option_bytes % 4, 0);
    over(&p);
}

static void expect_order(uint32_t order, const uint8_t *expected, uint32_t n)
{
    expect_answer(order, ALL, sizeof ALL, expected, n);
}

static void each_option_of_a_syn_is_padded_by_itself(void **state)
{
    (void)state;
    expect_order(LAN_TCP_SYN_OPTIONS_ALIGNED, (const uint8_t[]){2, 1, 1, 4, 1, 1, 8, 1, 3}, 9);
}

static void the_options_of_a_syn_can_stand_as_linux_has_them(void **state)
{
    (void)state;
    expect_order(LAN_TCP_SYN_OPTIONS_LINUX, (const uint8_t[]){2, 4, 8, 1, 3}, 5);
}

static void the_options_of_a_syn_can_stand_as_freebsd_has_them(void **state)
{
    (void)state;
    expect_order(LAN_TCP_SYN_OPTIONS_FREEBSD, (const uint8_t[]){2, 1, 3, 4, 8}, 5);
}

static void freebsd_pads_sack_behind_it_where_there_is_no_time_stamp(void **state)
{
    static const uint8_t ASKED[] = {2, 4, 5, 0xb4, 4, 2, 0, 0}, ANSWER[] = {2, 4, 0, 0};
    (void)state;
    expect_answer(LAN_TCP_SYN_OPTIONS_FREEBSD, ASKED, sizeof ASKED, ANSWER, sizeof ANSWER);
}

static void expect_refused(struct fixture *f, const struct lan_config *config)
{
    size_t bytes = lan_stack_size(&LAN_CONFIG_DEFAULT);
    void *memory = test_malloc(bytes + 64);
    assert_null(lan_stack_create((void *)(((uintptr_t)memory + 63) & ~(uintptr_t)63), bytes, &f->port, config));
    test_free(memory);
}

static void an_order_that_is_none_is_refused(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.tcp_syn_options = 3;
    expect_refused(*state, &config);
}

static void buffers_that_hold_no_scoreboard_are_refused(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.pool.buffer_bytes = 704;
    expect_refused(*state, &config);
}

static void fewer_buffers_than_a_sender_needs_are_refused(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    config.pool.buffers = 23;
    expect_refused(*state, &config);
}

/* Whatever the send queue takes of the pool, it leaves what sending takes. */
static void a_full_queue_is_sent_from_the_smallest_pool(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    static const uint8_t data[65536];
    (void)state;
    config.pool = (struct lan_pool_config){.buffers = 24, .buffer_bytes = 768, .views = 64};
    struct fixture *f = fixture_create(&config, LAN_NETIF_SG);
    meet_peer(f);
    struct peer p = peer_of(f);
    passive_open(&p);
    assert_in_range(lan_send(f->stack, p.fd, data, sizeof data, 0), 10000, 20000);
    assert_int_not_equal(skip_sent(&p), 0);
    fixture_destroy(f);
}

static void the_first_segments_can_be_acknowledged_at_once(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    (void)state;
    config.tcp_quick_acks = 3;

    struct peer p = with(&config);
    passive_open(&p);
    for (uint32_t i = 0; i < 3; i++) {
        from_peer(&p, ACK, 1 + i * MSS, 1, MSS);
        expect(&p, ACK, 1, 1 + (i + 1) * MSS, 0);
    }
    from_peer(&p, ACK, 1 + 3 * MSS, 1, MSS);
    expect_quiet(&p); /* from here on every second one */
    from_peer(&p, ACK, 1 + 4 * MSS, 1, MSS);
    expect(&p, ACK, 1, 1 + 5 * MSS, 0);
    lan_close(p.f->stack, p.fd);
    skip_sent(&p);
    over(&p);
}

static void the_retransmission_time_out_can_have_a_minimum_RFC_6298_2_4(void **state)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    (void)state;
    config.tcp_rto_min_ms = 1000;

    struct peer p = with(&config);
    passive_open(&p);
    host_sends(&p, 1, MSS);
    expect(&p, ACK, 1, 1, MSS);
    wait_ms(&p, 10);
    from_peer(&p, ACK, 1, 1 + MSS, 0); /* a round trip of 10 ms */
    host_sends(&p, 1 + MSS, MSS);
    expect(&p, ACK, 1 + MSS, 1, MSS);
    wait_ms(&p, 999);
    expect_quiet(&p);
    wait_ms(&p, 2);
    expect(&p, ACK, 1 + MSS, 1, MSS);
    lan_close(p.f->stack, p.fd);
    skip_sent(&p);
    over(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_option_of_a_syn_is_padded_by_itself),
        cmocka_unit_test(the_options_of_a_syn_can_stand_as_linux_has_them),
        cmocka_unit_test(the_options_of_a_syn_can_stand_as_freebsd_has_them),
        cmocka_unit_test(freebsd_pads_sack_behind_it_where_there_is_no_time_stamp),
        TEST(an_order_that_is_none_is_refused),
        TEST(buffers_that_hold_no_scoreboard_are_refused),
        TEST(fewer_buffers_than_a_sender_needs_are_refused),
        cmocka_unit_test(a_full_queue_is_sent_from_the_smallest_pool),
        cmocka_unit_test(the_first_segments_can_be_acknowledged_at_once),
        cmocka_unit_test(the_retransmission_time_out_can_have_a_minimum_RFC_6298_2_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
