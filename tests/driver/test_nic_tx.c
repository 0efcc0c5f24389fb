/* SPDX-License-Identifier: Apache-2.0 */
/* Transmission: descriptors, reclaim, back-pressure, doorbells. */
#include "nic_fixture.h"

static void expect_sent(uint32_t bytes, uint32_t fragments)
{
    assert_true(fake_card_send(&fixture.card, 0));
    assert_int_equal(fixture.card.frame_bytes, bytes);
    assert_int_equal(fixture.card.frame_fragments, fragments);
    assert_memory_equal(fixture.card.frame, counting(bytes), bytes);
}

static void fragments_of_any_length_and_alignment_leave_as_one_frame(void **state)
{
    (void)state;
    static const uint32_t SHAPES[][8] = {
        {60}, {1514}, {1}, {14, 46}, {1, 1, 1}, {54, 1460}, {54, 3, 1, 700, 7}, {1, 2, 3, 4, 5, 6, 7, 8},
    };
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        uint32_t total = 0, count = 0;
        while (count < 8 && SHAPES[i][count])
            total += SHAPES[i][count++];
        assert_int_equal(transmit(SHAPES[i], count), 0);
        expect_sent(total, count);
        serve();
    }
}

static void an_empty_fragment_takes_no_descriptor(void **state)
{
    (void)state;
    assert_int_equal(transmit((uint32_t[]){0, 14, 0, 46, 0}, 5), 0);
    expect_sent(60, 2);
}

static void views_are_sent_without_a_copy_and_released_on_completion(void **state)
{
    (void)state;
    struct lan_buf *queue = lan_buf_alloc(fixture.pool, 0);
    memcpy(lan_buf_put(queue, 100), counting(100), 100);
    struct lan_buf *view = lan_buf_view(queue, 0, 100);
    uint32_t address = fixture.card.bus.dma_address(&fixture.card, queue->data);
    assert_int_equal(fixture.netif->ops->transmit(fixture.netif, view), 0);
    assert_int_equal(queue->refs, 2);
    expect_sent(100, 1);
    assert_int_equal(fixture.card.frame_first.address, address);
    serve();
    assert_int_equal(queue->refs, 1);
    lan_buf_free(queue);
}

static void offload_requests_stand_in_the_first_descriptor_only(void **state)
{
    (void)state;
    struct lan_buf *frame = lan_buf_alloc(fixture.pool, 0);
    frame->next = lan_buf_alloc(fixture.pool, 0);
    lan_buf_put(frame, 54);
    lan_buf_put(frame->next, 100);
    frame->flags = LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM;
    frame->csum_start = 34;
    frame->csum_offset = 16;
    assert_int_equal(fixture.netif->ops->transmit(fixture.netif, frame), 0);
    assert_true(fake_card_fetch(&fixture.card));
    assert_int_equal(fixture.card.frame_first.checksum, 34 | 16 << 8);
    assert_int_equal(fixture.card.frame_first.status, 54 | TX_IP_CSUM | TX_L4_CSUM);
}

static void a_frame_stays_owned_until_the_card_is_done(void **state)
{
    (void)state;
    uint32_t before = lan_pool_free_buffers(fixture.pool);
    assert_int_equal(transmit_one(60), 0);
    assert_true(fake_card_fetch(&fixture.card));
    lan_nic_interrupt(fixture.nic);
    assert_int_equal(lan_pool_free_buffers(fixture.pool), before - 1);
    assert_true(fake_card_send(&fixture.card, 0));
    serve();
    assert_int_equal(lan_pool_free_buffers(fixture.pool), before);
}

static void the_ring_wraps_many_times(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(transmit((uint32_t[]){14, 20, i % 26 + 1}, 3), 0);
        if (i % 3 == 2) {
            while (fake_card_send(&fixture.card, 0))
                assert_memory_equal(fixture.card.frame, counting(fixture.card.frame_bytes), fixture.card.frame_bytes);
            serve();
        }
    }
}

static void every_frame_alone_asks_for_an_interrupt(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(transmit_one(60), 0);
        assert_true(fake_card_send(&fixture.card, 0));
        assert_true(fake_card_irq(&fixture.card));
        serve();
    }
}

static void a_full_ring_refuses_and_says_when_there_is_room(void **state)
{
    (void)state;
    int sent = 0;
    while (transmit_one(60) == 0)
        sent++;
    assert_int_equal(sent, 15);
    assert_int_equal(transmit_one(60), -ENOBUFS);
    assert_int_equal(lan_nic_counters(fixture.nic)->tx_ring_full, 2);
    assert_int_equal(fixture.tx_ready_calls, 0);
    while (fake_card_send(&fixture.card, 0))
        serve();
    assert_int_equal(fixture.tx_ready_calls, 1);
    assert_int_equal(transmit_one(60), 0);
}

static void a_full_ring_is_reclaimed_by_the_next_frame(void **state)
{
    (void)state;
    while (transmit_one(60) == 0)
        ;
    assert_true(fake_card_send(&fixture.card, 0));
    assert_int_equal(transmit_one(60), 0); /* without an interrupt in between */
}

static void refill_in_a_row(struct fixture *f)
{
    (void)f;
    while (transmit_one(60) == 0)
        ;
}

static void frames_sent_from_the_handler_share_a_doorbell_and_interrupts(void **state)
{
    (void)state;
    while (transmit_one(60) == 0)
        ;
    fixture.on_tx_ready = refill_in_a_row;
    fixture.card.doorbells[FAKE_TX] = 0;
    for (int i = 0; i < 8; i++)
        assert_true(fake_card_send(&fixture.card, 0));
    serve();
    assert_int_equal(fake_card_posted(&fixture.card, FAKE_TX), 15);
    assert_int_equal(fixture.card.doorbells[FAKE_TX], 1);

    /* Of the eight new ones two ask for an interrupt, the last among them. */
    uint32_t interrupts = 0;
    fixture.on_tx_ready = NULL;
    for (int i = 0; i < 15; i++) {
        assert_true(fake_card_send(&fixture.card, 0));
        interrupts += i >= 7 && fake_card_irq(&fixture.card);
        serve();
    }
    assert_int_equal(interrupts, 2);
}

static void an_error_of_the_wire_is_counted_and_the_frame_released(void **state)
{
    (void)state;
    assert_int_equal(transmit_one(60), 0);
    assert_true(fake_card_send(&fixture.card, 1));
    serve();
    assert_int_equal(lan_nic_counters(fixture.nic)->tx_errors, 1);
    assert_int_equal(fixture.netif->stats.out_errors, 1);
}

static void a_frame_that_no_card_could_send_is_dropped_and_counted(void **state)
{
    (void)state;
    assert_int_equal(transmit((uint32_t[]){1000, 515}, 2), 0);                 /* too long */
    assert_int_equal(transmit((uint32_t[]){0}, 1), 0);                         /* empty */
    assert_int_equal(transmit((uint32_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1}, 9), 0); /* more than half a ring */
    assert_int_equal(lan_nic_counters(fixture.nic)->tx_refused, 3);
    assert_int_equal(fake_card_posted(&fixture.card, FAKE_TX), 0);
}

static void a_checksum_outside_the_frame_is_dropped_and_counted(void **state)
{
    (void)state;
    struct lan_buf *frame = lan_buf_alloc(fixture.pool, 0);
    lan_buf_put(frame, 51);
    frame->flags = LAN_BUF_L4_CSUM;
    frame->csum_start = 34;
    frame->csum_offset = 16;
    assert_int_equal(fixture.netif->ops->transmit(fixture.netif, frame), 0);
    assert_int_equal(lan_nic_counters(fixture.nic)->tx_refused, 1);
}

static void one_interrupt_costs_one_register_read(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(transmit_one(60), 0);
    while (fake_card_send(&fixture.card, 0))
        ;
    assert_true(fake_card_receive(&fixture.card, counting(60), 60, 0));
    fixture.card.reads = 0;
    serve();
    assert_int_equal(fixture.card.reads, 1);
    assert_int_equal(lan_nic_counters(fixture.nic)->interrupts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NIC_TEST(fragments_of_any_length_and_alignment_leave_as_one_frame),
        NIC_TEST(an_empty_fragment_takes_no_descriptor),
        NIC_TEST(views_are_sent_without_a_copy_and_released_on_completion),
        NIC_TEST(offload_requests_stand_in_the_first_descriptor_only),
        NIC_TEST(a_frame_stays_owned_until_the_card_is_done),
        NIC_TEST(the_ring_wraps_many_times),
        NIC_TEST(every_frame_alone_asks_for_an_interrupt),
        NIC_TEST(a_full_ring_refuses_and_says_when_there_is_room),
        NIC_TEST(a_full_ring_is_reclaimed_by_the_next_frame),
        NIC_TEST(frames_sent_from_the_handler_share_a_doorbell_and_interrupts),
        NIC_TEST(an_error_of_the_wire_is_counted_and_the_frame_released),
        NIC_TEST(a_frame_that_no_card_could_send_is_dropped_and_counted),
        NIC_TEST(a_checksum_outside_the_frame_is_dropped_and_counted),
        NIC_TEST(one_interrupt_costs_one_register_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
