/* SPDX-License-Identifier: Apache-2.0 */
/* A card that fails, or lies: everything is counted, nothing is lost but frames, and the ring works again. */
#include "nic_fixture.h"

static void expect_working(void)
{
    size_t before = fixture.received_count;
    assert_true(fake_card_receive(&fixture.card, counting(100), 100, 0));
    serve();
    assert_int_equal(fixture.received_count, before + 1);
    assert_int_equal(fixture.received[before]->len, 100);
    assert_int_equal(transmit_one(60), 0);
    assert_true(fake_card_send(&fixture.card, 0));
    serve();
}

static void a_completion_that_cannot_be_true_resets_the_ring(void **state)
{
    (void)state;
    static const uint32_t LIES[] = {
        DESC_DONE | RX_SOP | RX_EOP | 2047,            /* longer than the buffer */
        DESC_DONE | RX_SOP | RX_EOP | 65535,           /* much longer */
        DESC_DONE | RX_SOP | RX_EOP | 1519,            /* longer than any frame with its tag */
        DESC_DONE | RX_SOP | RX_EOP | 0,               /* nothing in it */
        DESC_DONE | RX_EOP | 60,                       /* an end without a start */
        DESC_DONE | 60,                                /* a middle without a start */
        DESC_DONE | RX_SOP | RX_EOP | RX_L4_OK | 60,   /* right but not checked */
        DESC_DONE | RX_SOP | RX_EOP | RX_FCS_ERR | 60, /* bad frames were not asked for */
        DESC_DONE | RX_SOP | RX_EOP | RX_ALIGN_ERR | 60,
    };
    for (uint32_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        fake_card_complete(&fixture.card, LIES[i]);
        serve();
        assert_int_equal(lan_nic_counters(fixture.nic)->rx_bad_completion, i + 1);
        assert_int_equal(lan_nic_counters(fixture.nic)->ring_resets, i + 1);
        expect_working();
    }
    assert_int_equal(fixture.netif->stats.in_errors, sizeof LIES / sizeof *LIES);
}

static void a_second_start_without_an_end_resets_the_ring(void **state)
{
    (void)state;
    fake_card_complete(&fixture.card, DESC_DONE | RX_SOP | 100);
    fake_card_complete(&fixture.card, DESC_DONE | RX_SOP | RX_EOP | 100);
    serve();
    assert_int_equal(lan_nic_counters(fixture.nic)->rx_bad_completion, 1);
    assert_int_equal(fixture.received_count, 0);
    expect_working();
}

static void a_frame_without_end_resets_the_ring(void **state)
{
    (void)state;
    fake_card_complete(&fixture.card, DESC_DONE | RX_SOP | 254);
    for (int i = 0; i < 5; i++) {
        fake_card_complete(&fixture.card, DESC_DONE | 254);
        serve();
    }
    assert_int_equal(lan_nic_counters(fixture.nic)->rx_bad_completion, 1);
    expect_working();
}

static void frames_in_front_of_a_lie_are_delivered(void **state)
{
    (void)state;
    assert_true(fake_card_receive(&fixture.card, counting(60), 60, 0));
    fake_card_complete(&fixture.card, DESC_DONE | RX_SOP | RX_EOP);
    serve();
    assert_int_equal(fixture.received_count, 1);
}

static struct lan_nic_descriptor *descriptors_at(uint32_t base)
{
    return (struct lan_nic_descriptor *)(fixture.card.memory + (base - FAKE_CARD_DMA_BASE));
}

static void done_in_a_descriptor_that_was_not_posted_means_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++)
        assert_true(fake_card_receive(&fixture.card, counting(60), 60, 0));
    descriptors_at(fixture.card.registers.RX_BASE)[7].status = DESC_DONE | RX_SOP | RX_EOP | 60;
    serve();
    assert_int_equal(fixture.received_count, 7);
}

static void a_completion_longer_than_its_small_buffer_resets_the_ring(void **state)
{
    (void)state;
    fake_card_complete(&fixture.card, DESC_DONE | RX_SOP | RX_EOP | 255);
    serve();
    assert_int_equal(lan_nic_counters(fixture.nic)->rx_bad_completion, 1);
    expect_working();
}

static void a_later_completion_does_not_overtake_an_earlier_one(void **state)
{
    (void)state;
    uint32_t before = lan_pool_free_buffers(fixture.pool);
    transmit_one(60);
    transmit_one(60);
    fake_card_settle(&fixture.card);
    descriptors_at(fixture.card.registers.TX_BASE)[1].status |= DESC_DONE;
    lan_nic_interrupt(fixture.nic);
    assert_int_equal(lan_pool_free_buffers(fixture.pool), before - 2);
}

static void errors_are_counted_by_kind(void **state)
{
    (void)state;
    const struct lan_nic_counters *counters = lan_nic_counters(fixture.nic);
    for (uint32_t code = 1; code < 16; code++) {
        assert_int_equal(transmit_one(60), 0);
        assert_true(fake_card_send(&fixture.card, code));
        serve();
        assert_int_equal(counters->tx_errors, code);
    }
    assert_int_equal(counters->tx_excessive_collisions, 1);
    assert_int_equal(counters->tx_late_collisions, 1);
    assert_int_equal(counters->tx_malformed, 1);
    assert_int_equal(counters->ring_resets, 0);

    fake_card_fail_with(&fixture.card, FAKE_TX, RING_MALFORMED);
    serve();
    fake_card_fail_with(&fixture.card, FAKE_TX, RING_DATA_BUS_ERROR);
    serve();
    fake_card_fail_with(&fixture.card, FAKE_RX, RING_DESCRIPTOR_BUS_ERROR);
    serve();
    assert_int_equal(counters->tx_malformed, 2);
    assert_int_equal(counters->bus_errors, 2);
    assert_int_equal(counters->ring_resets, 3);
    expect_working();
}

static void a_completion_after_the_ring_was_reset_means_nothing(void **state)
{
    (void)state;
    uint32_t before = lan_pool_free_buffers(fixture.pool);
    assert_int_equal(transmit_one(60), 0);
    assert_int_equal(transmit_one(60), 0);
    fake_card_fail(&fixture.card, FAKE_TX);
    serve();
    assert_int_equal(lan_pool_free_buffers(fixture.pool), before);
    for (int i = 0; i < 16; i++)
        descriptors_at(fixture.card.registers.TX_BASE)[i].status |= DESC_DONE;
    lan_nic_interrupt(fixture.nic);
    assert_int_equal(lan_pool_free_buffers(fixture.pool), before);
    expect_working();
}

static void a_frame_completed_twice_is_released_once(void **state)
{
    (void)state;
    struct lan_buf *frame = lan_buf_alloc(fixture.pool, 0);
    lan_buf_put(frame, 60);
    assert_int_equal(fixture.netif->ops->transmit(fixture.netif, lan_buf_ref(frame)), 0);
    assert_true(fake_card_send(&fixture.card, 0));
    serve();
    assert_int_equal(frame->refs, 1);
    descriptors_at(fixture.card.registers.TX_BASE)[0].status |= DESC_DONE;
    lan_nic_interrupt(fixture.nic);
    assert_int_equal(frame->refs, 1);
    lan_buf_free(frame);
}

static void done_in_the_middle_of_a_frame_completes_nothing(void **state)
{
    (void)state;
    uint32_t before = lan_pool_free_buffers(fixture.pool);
    assert_int_equal(transmit((uint32_t[]){20, 20, 20}, 3), 0);
    fake_card_settle(&fixture.card);
    descriptors_at(fixture.card.registers.TX_BASE)[0].status |= DESC_DONE;
    descriptors_at(fixture.card.registers.TX_BASE)[1].status |= DESC_DONE;
    lan_nic_interrupt(fixture.nic);
    assert_int_equal(lan_pool_free_buffers(fixture.pool), before - 3);
}

static void a_received_frame_is_read_in_the_order_of_the_ring(void **state)
{
    (void)state;
    fake_card_settle(&fixture.card);
    descriptors_at(fixture.card.registers.RX_BASE)[1].status = DESC_DONE | RX_SOP | RX_EOP | 60;
    lan_nic_interrupt(fixture.nic);
    assert_int_equal(fixture.received_count, 0);
    fake_card_complete(&fixture.card, DESC_DONE | RX_SOP | RX_EOP | 61);
    serve();
    assert_int_equal(fixture.received_count, 2);
    assert_int_equal(fixture.received[0]->len, 61);
    assert_int_equal(fixture.received[1]->len, 60);
}

static void a_stopped_transmit_ring_is_reset_and_its_frames_given_back(void **state)
{
    (void)state;
    uint32_t before = lan_pool_free_buffers(fixture.pool);
    while (transmit_one(60) == 0)
        ;
    assert_true(fake_card_send(&fixture.card, 0));
    fake_card_fail(&fixture.card, FAKE_TX);
    serve();
    assert_int_equal(lan_pool_free_buffers(fixture.pool), before);
    assert_int_equal(fixture.tx_ready_calls, 1);
    assert_int_equal(lan_nic_counters(fixture.nic)->tx_errors, 1);
    assert_int_equal(lan_nic_counters(fixture.nic)->ring_resets, 1);
    expect_working();
}

static void a_stopped_receive_ring_is_reset_and_filled_again(void **state)
{
    (void)state;
    fake_card_complete(&fixture.card, DESC_DONE | RX_SOP | 100); /* a frame that will never end */
    fake_card_fail(&fixture.card, FAKE_RX);
    serve();
    assert_int_equal(fake_card_posted(&fixture.card, FAKE_RX), 7);
    assert_int_equal(lan_nic_counters(fixture.nic)->rx_errors, 1);
    expect_working();
}

static void a_card_that_fails_for_ever_is_switched_off(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        fake_card_fail(&fixture.card, FAKE_RX);
        if (fake_card_irq(&fixture.card))
            lan_nic_interrupt(fixture.nic);
    }
    assert_false(fake_card_irq(&fixture.card));
    assert_false(fixture.netif->link_up);
    assert_int_equal(transmit_one(60), -ENETDOWN);
    assert_int_equal(lan_pool_free_buffers(fixture.pool), fixture.pool_config.buffers);
}

static void a_card_that_works_in_between_is_not_given_up(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        fake_card_fail(&fixture.card, FAKE_RX);
        serve();
        expect_working();
    }
    assert_true(fixture.netif->link_up);
}

static void a_ring_that_does_not_come_back_from_reset_takes_the_link_down(void **state)
{
    (void)state;
    transmit_one(60);
    fixture.card.deaf_to_reset = true;
    fake_card_fail(&fixture.card, FAKE_TX);
    serve();
    assert_false(fixture.netif->link_up);
    fixture.card.deaf_to_reset = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NIC_TEST(a_completion_that_cannot_be_true_resets_the_ring),
        NIC_TEST_SMALL(a_completion_longer_than_its_small_buffer_resets_the_ring),
        NIC_TEST(a_second_start_without_an_end_resets_the_ring),
        NIC_TEST_SMALL(a_frame_without_end_resets_the_ring),
        NIC_TEST(frames_in_front_of_a_lie_are_delivered),
        NIC_TEST(done_in_a_descriptor_that_was_not_posted_means_nothing),
        NIC_TEST(a_later_completion_does_not_overtake_an_earlier_one),
        NIC_TEST(errors_are_counted_by_kind),
        NIC_TEST(a_completion_after_the_ring_was_reset_means_nothing),
        NIC_TEST(a_frame_completed_twice_is_released_once),
        NIC_TEST(done_in_the_middle_of_a_frame_completes_nothing),
        NIC_TEST(a_received_frame_is_read_in_the_order_of_the_ring),
        NIC_TEST(a_stopped_transmit_ring_is_reset_and_its_frames_given_back),
        NIC_TEST(a_stopped_receive_ring_is_reset_and_filled_again),
        NIC_TEST(a_card_that_fails_for_ever_is_switched_off),
        NIC_TEST(a_card_that_works_in_between_is_not_given_up),
        NIC_TEST(a_ring_that_does_not_come_back_from_reset_takes_the_link_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
