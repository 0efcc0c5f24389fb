/* SPDX-License-Identifier: Apache-2.0 */
/* Reception: buffers, chains, flags, refill, wake-ups. */
#include "nic_fixture.h"

static void expect_received(size_t index, uint32_t bytes)
{
    uint8_t copy[FAKE_CARD_FRAME_BYTES];
    assert_true(index < fixture.received_count);
    assert_int_equal(lan_buf_total(fixture.received[index]), bytes);
    assert_int_equal(lan_buf_copy(fixture.received[index], 0, copy, sizeof copy), bytes);
    assert_memory_equal(copy, counting(bytes), bytes);
}

static void receive(uint32_t bytes, uint32_t flags)
{
    assert_true(fake_card_receive(&fixture.card, counting(bytes), bytes, flags));
    serve();
}

static void a_frame_arrives_with_its_ip_header_on_a_word(void **state)
{
    (void)state;
    receive(60, 0);
    expect_received(0, 60);
    assert_int_equal((uintptr_t)(fixture.received[0]->data + 14) % 4, 0);
}

static void a_frame_longer_than_a_buffer_arrives_as_a_chain(void **state)
{
    (void)state;
    receive(1514, 0);
    expect_received(0, 1514);
    assert_int_equal(fixture.received[0]->len, 254);
    receive(254, 0);
    expect_received(1, 254);
    assert_null(fixture.received[1]->next);
}

static void flags_and_time_stamp_reach_the_packet(void **state)
{
    (void)state;
    receive(60, RX_IP_OK | RX_L4_CHECKED | RX_L4_OK | RX_BCAST);
    assert_int_equal(fixture.received[0]->flags,
                     LAN_BUF_IP_OK | LAN_BUF_L4_CHECKED | LAN_BUF_L4_OK | LAN_BUF_BROADCAST | LAN_BUF_TIMESTAMP);
    assert_int_equal(fixture.received[0]->timestamp_ns, 0xabcdef01);
    receive(60, RX_L4_CHECKED | RX_MCAST);
    assert_int_equal(fixture.received[1]->flags, LAN_BUF_L4_CHECKED | LAN_BUF_MULTICAST | LAN_BUF_TIMESTAMP);
}

static void flags_of_a_split_frame_stand_in_its_first_buffer(void **state)
{
    (void)state;
    receive(600, RX_IP_OK);
    assert_true(fixture.received[0]->flags & LAN_BUF_IP_OK);
}

static void frames_of_one_interrupt_keep_their_order(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 7; i++)
        assert_true(fake_card_receive(&fixture.card, counting(60 + i), 60 + i, 0));
    serve();
    assert_int_equal(fixture.received_count, 7);
    for (uint32_t i = 0; i < 7; i++)
        expect_received(i, 60 + i);
}

static void the_ring_wraps_many_times(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        receive(1 + i % 1514, 0);
        expect_received(0, 1 + i % 1514);
        forget_received();
    }
    assert_int_equal(lan_nic_counters(fixture.nic)->rx_no_buffer, 0);
}

static void buffers_are_posted_a_quarter_of_the_ring_at_a_time(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        receive(60, 0);
    assert_int_equal(fixture.card.doorbells[FAKE_RX], 4);
}

/* Takes every free buffer out of the pool and returns the list. */
static struct lan_buf *drain(void)
{
    struct lan_buf *all = NULL, *buf;
    while ((buf = lan_buf_alloc(fixture.pool, 0))) {
        buf->link = all;
        all = buf;
    }
    return all;
}

static void give_back(struct lan_buf *all)
{
    while (all) {
        struct lan_buf *next = all->link;
        lan_buf_free(all);
        all = next;
    }
}

static void frames_are_delivered_down_to_the_last_buffer_of_an_empty_pool(void **state)
{
    (void)state;
    struct lan_buf *all = drain();
    for (int i = 0; i < 7; i++)
        receive(60, 0);
    assert_int_equal(fixture.received_count, 7);
    assert_false(fake_card_receive(&fixture.card, counting(60), 60, 0));
    serve();
    assert_int_equal(lan_nic_counters(fixture.nic)->rx_overflows, 1);
    assert_true(lan_nic_counters(fixture.nic)->rx_no_buffer > 0);
    give_back(all);
}

static void a_dropped_frame_makes_an_empty_ring_recover(void **state)
{
    (void)state;
    struct lan_buf *all = drain();
    for (int i = 0; i < 7; i++)
        receive(60, 0);
    give_back(all);
    assert_false(fake_card_receive(&fixture.card, counting(60), 60, 0));
    serve();
    assert_int_equal(fake_card_posted(&fixture.card, FAKE_RX), 7);
    receive(60, 0);
    assert_int_equal(fixture.received_count, 8);
}

static void sending_makes_an_empty_ring_recover(void **state)
{
    (void)state;
    struct lan_buf *all = drain();
    for (int i = 0; i < 7; i++)
        receive(60, 0);
    give_back(all);
    assert_int_equal(transmit_one(60), 0);
    assert_int_equal(fake_card_posted(&fixture.card, FAKE_RX), 7);
}

/* One more frame, when the driver has looked at the ring already. */
static void receive_one_more(struct fixture *f)
{
    f->on_input = NULL;
    f->card.slow_bus = true;
    assert_true(fake_card_receive(&f->card, counting(70), 70, 0));
    f->card.slow_bus = false;
}

static void a_frame_behind_the_last_look_is_not_lost_to_a_late_acknowledgement(void **state)
{
    (void)state;
    fixture.on_input = receive_one_more;
    receive(60, 0);
    assert_int_equal(fixture.received_count, 2);
}

static void an_interrupt_without_a_cause_does_nothing(void **state)
{
    (void)state;
    lan_nic_interrupt(fixture.nic);
    assert_int_equal(fixture.received_count, 0);
    assert_int_equal(fake_card_posted(&fixture.card, FAKE_RX), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NIC_TEST(a_frame_arrives_with_its_ip_header_on_a_word),
        NIC_TEST_SMALL(a_frame_longer_than_a_buffer_arrives_as_a_chain),
        NIC_TEST(flags_and_time_stamp_reach_the_packet),
        NIC_TEST_SMALL(flags_of_a_split_frame_stand_in_its_first_buffer),
        NIC_TEST(frames_of_one_interrupt_keep_their_order),
        NIC_TEST(the_ring_wraps_many_times),
        NIC_TEST_SMALL(the_ring_wraps_many_times),
        NIC_TEST(buffers_are_posted_a_quarter_of_the_ring_at_a_time),
        NIC_TEST(frames_are_delivered_down_to_the_last_buffer_of_an_empty_pool),
        NIC_TEST(a_dropped_frame_makes_an_empty_ring_recover),
        NIC_TEST(sending_makes_an_empty_ring_recover),
        NIC_TEST(a_frame_behind_the_last_look_is_not_lost_to_a_late_acknowledgement),
        NIC_TEST(an_interrupt_without_a_cause_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
