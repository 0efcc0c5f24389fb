/* SPDX-License-Identifier: Apache-2.0 */
#include "nic_fixture.h"

struct fixture fixture;

static _Alignas(64) uint8_t memory[512 * 1024];

void lan_netif_input(struct lan_netif *netif, struct lan_buf *frames)
{
    assert_ptr_equal(netif, fixture.netif);
    for (; frames; frames = frames->link) {
        assert_true(fixture.received_count < RECEIVED_MAX);
        fixture.received[fixture.received_count++] = frames;
    }
    if (fixture.on_input)
        fixture.on_input(&fixture);
}

void lan_netif_tx_ready(struct lan_netif *netif)
{
    assert_ptr_equal(netif, fixture.netif);
    fixture.tx_ready_calls++;
    if (fixture.on_tx_ready)
        fixture.on_tx_ready(&fixture);
}

void lan_netif_set_link(struct lan_netif *netif, bool up)
{
    netif->link_up = up;
    fixture.link_calls++;
}

/* Behind the pool in the card's memory. */
int restart_driver(void)
{
    const struct lan_nic_config config = {.tx_ring_log2 = 4, .rx_ring_log2 = 3, .phy_interrupt = fixture.phy_interrupt};
    size_t pool_bytes = (lan_pool_size(&fixture.pool_config) + 63) / 64 * 64;
    int error;
    assert_true(pool_bytes + lan_nic_size(&config) <= sizeof memory);
    fixture.nic = lan_nic_create(memory + pool_bytes, &fixture.card.bus, fixture.pool, &config, &error);
    if (!fixture.nic)
        return error;
    fixture.netif = lan_nic_netif(fixture.nic);
    fake_card_settle(&fixture.card);
    fixture.card.reads = fixture.card.writes = 0;
    fixture.card.doorbells[FAKE_TX] = fixture.card.doorbells[FAKE_RX] = 0;
    return 0;
}

static int set_up_pool(uint32_t buffer_bytes)
{
    memset(&fixture, 0, sizeof fixture);
    fixture.pool_config = (struct lan_pool_config){.buffers = 64, .buffer_bytes = buffer_bytes, .views = 64};
    memset(memory, 0xee, sizeof memory);
    fake_card_init(&fixture.card, memory, sizeof memory);
    fixture.pool = lan_pool_create(memory, &fixture.pool_config);
    assert_int_equal(restart_driver(), 0);
    return 0;
}

int set_up(void **state)
{
    (void)state;
    return set_up_pool(2048);
}

int set_up_small_buffers(void **state)
{
    (void)state;
    return set_up_pool(256);
}

int tear_down(void **state)
{
    (void)state;
    forget_received();
    lan_nic_destroy(fixture.nic);
    assert_int_equal(lan_pool_free_buffers(fixture.pool), fixture.pool_config.buffers);
    assert_int_equal(lan_pool_free_views(fixture.pool), fixture.pool_config.views);
    return 0;
}

int transmit(const uint32_t *lengths, size_t count)
{
    struct lan_buf *frame = NULL, **end = &frame;
    uint8_t next = 0;
    for (size_t i = 0; i < count; i++) {
        struct lan_buf *fragment = lan_buf_alloc(fixture.pool, (uint32_t)i % 5); /* any alignment */
        assert_non_null(fragment);
        uint8_t *bytes = lan_buf_put(fragment, lengths[i]);
        for (uint32_t k = 0; k < lengths[i]; k++)
            bytes[k] = next++;
        *end = fragment;
        end = &fragment->next;
    }
    int result = fixture.netif->ops->transmit(fixture.netif, frame);
    if (result)
        lan_buf_free(frame);
    return result;
}

int transmit_one(uint32_t bytes)
{
    return transmit(&bytes, 1);
}

void serve(void)
{
    for (int calls = 0; fake_card_irq(&fixture.card); calls++) {
        assert_true(calls < 100);
        lan_nic_interrupt(fixture.nic);
    }
}

const uint8_t *counting(uint32_t bytes)
{
    static uint8_t frame[FAKE_CARD_FRAME_BYTES];
    assert_true(bytes <= sizeof frame);
    for (uint32_t i = 0; i < bytes; i++)
        frame[i] = (uint8_t)i;
    return frame;
}

void forget_received(void)
{
    while (fixture.received_count)
        lan_buf_free(fixture.received[--fixture.received_count]);
}
