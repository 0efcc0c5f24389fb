/* SPDX-License-Identifier: Apache-2.0 */
/* The driver and a card that does anything in any order, true or not, for a long time and by a seed. Built with the
 * sanitizers; taking the fixture down shows that no buffer got lost.
 */
#include "nic_fixture.h"

enum { RUNS = 100, STEPS = 2000 };

static uint64_t seed;

static uint32_t below(uint32_t bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % bound;
}

static void transmit_something(void)
{
    uint32_t lengths[10], count = 1 + below(10);
    if (lan_pool_free_buffers(fixture.pool) < count)
        return;
    for (uint32_t i = 0; i < count; i++)
        lengths[i] = below(4) ? below(60) : below(240);
    int result = transmit(lengths, count);
    assert_true(result == 0 || result == -ENOBUFS || result == -ENETDOWN);
}

static void lie(void)
{
    if (fake_card_posted(&fixture.card, FAKE_RX) == 0)
        return;
    uint32_t status = below(1 << 16) << 16 | below(1 << 16);
    if (below(2)) /* nearly true */
        status = (status & (RX_SOP | RX_EOP)) | below(300) | RX_SOP;
    fake_card_complete(&fixture.card, status | DESC_DONE);
}

/* Takes buffers out of the pool, as sockets do whose readers sleep, and gives them back later. */
static struct lan_buf *hoard;

static void hoard_something(void)
{
    for (uint32_t count = below(64); count > 0; count--) {
        struct lan_buf *buf = lan_buf_alloc(fixture.pool, 0);
        if (!buf)
            return;
        buf->link = hoard;
        hoard = buf;
    }
}

static void give_back_something(void)
{
    for (uint32_t count = below(64); hoard && count > 0; count--) {
        struct lan_buf *next = hoard->link;
        lan_buf_free(hoard);
        hoard = next;
    }
}

static void act(void)
{
    uint32_t bytes = 1 + below(1514);
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
        transmit_something();
        break;
    case 3:
    case 4:
    case 5:
        fake_card_send(&fixture.card, below(20) ? 0 : 1 + below(3));
        break;
    case 6:
    case 7:
    case 8:
        fake_card_receive(&fixture.card, counting(bytes), bytes, below(2) ? RX_L4_CHECKED | RX_L4_OK : 0);
        break;
    case 9:
        hoard_something();
        break;
    case 10:
        give_back_something();
        break;
    case 11:
        if (below(20) == 0)
            lie();
        break;
    case 12:
        if (below(50) == 0)
            fake_card_fail(&fixture.card, below(2) ? FAKE_TX : FAKE_RX);
        break;
    default:
        if (fake_card_irq(&fixture.card))
            lan_nic_interrupt(fixture.nic);
    }
    if (fixture.received_count > RECEIVED_MAX / 2)
        forget_received();
}

static void refill_from_ready(struct fixture *f)
{
    (void)f;
    transmit_something();
}

/* Run after run, each until it has had its steps or the driver has given the card up; between two of them every buffer
 * must be back. */
static void run_all(int (*set_up_one)(void **state))
{
    uint64_t bad_completions = 0, errors = 0, empty_pools = 0, full_rings = 0, given_up = 0;
    for (uint64_t run = 1; run <= RUNS; run++) {
        set_up_one(NULL);
        seed = run;
        fixture.on_tx_ready = refill_from_ready;
        for (int i = 0; i < STEPS && fixture.netif->link_up; i++)
            act();
        while (hoard)
            give_back_something();
        const struct lan_nic_counters *counters = lan_nic_counters(fixture.nic);
        bad_completions += counters->rx_bad_completion;
        errors += counters->tx_errors;
        empty_pools += counters->rx_no_buffer;
        full_rings += counters->tx_ring_full;
        given_up += !fixture.netif->link_up;
        tear_down(NULL);
    }
    assert_true(bad_completions && errors && empty_pools && full_rings); /* every way was gone */
    assert_true(given_up < RUNS / 2);
}

static void nothing_a_card_does_loses_a_buffer(void **state)
{
    (void)state;
    run_all(set_up);
}

static void nothing_a_card_does_loses_a_small_buffer(void **state)
{
    (void)state;
    run_all(set_up_small_buffers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_a_card_does_loses_a_buffer),
        cmocka_unit_test(nothing_a_card_does_loses_a_small_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
