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

/* Whatever is asked of the card, sense or nonsense. */
static void transmit_with_offloads(void)
{
    uint32_t fragments = 1 + below(3);
    if (lan_pool_free_buffers(fixture.pool) < fragments)
        return;
    struct lan_buf *frame = NULL;
    for (uint32_t i = 0; i < fragments; i++) {
        struct lan_buf *fragment = lan_buf_alloc(fixture.pool, 0);
        uint8_t *bytes = lan_buf_put(fragment, below(240));
        for (uint32_t k = 0; k < fragment->len; k++)
            bytes[k] = (uint8_t)below(256);
        fragment->next = frame;
        frame = fragment;
    }
    frame->flags = below(16) | (below(2) ? LAN_BUF_VLAN : 0);
    frame->csum_start = (uint16_t)below(300);
    frame->csum_offset = (uint16_t)below(300);
    frame->hdr_len = (uint16_t)below(300);
    frame->gso_size = (uint16_t)below(2000);
    if (fixture.netif->ops->transmit(fixture.netif, frame))
        lan_buf_free(frame);
}

static void change_a_setting(void)
{
    const struct lan_nic_coalesce coalesce = {below(3) * below(1100), below(10), below(3) * below(1100), below(10)};
    const uint8_t group[6] = {(uint8_t)below(256), 0, 0x5e, 0, 0, (uint8_t)below(256)};
    switch (below(7)) {
    case 0:
        lan_nic_set_features(fixture.nic, below(256));
        break;
    case 1:
        lan_nic_set_coalesce(fixture.nic, &coalesce);
        break;
    case 2:
        lan_nic_set_mtu(fixture.nic, 1500 + below(2) * below(7500));
        break;
    case 3:
        lan_nic_set_filter(fixture.nic, below(9));
        break;
    case 4:
        below(2) ? lan_nic_join(fixture.nic, group) : lan_nic_leave(fixture.nic, group);
        break;
    case 5:
        lan_nic_set_loopback(fixture.nic, (enum lan_nic_loopback)below(4));
        break;
    default:
        lan_nic_set_link(fixture.nic, below(2), below(128));
    }
}

/* Cables come and go; seldom, as nothing can be sent meanwhile. */
static void use_the_phy(void)
{
    if (below(20) == 0)
        fake_phy_unplug(&fixture.card.phy);
    if (below(5) == 0)
        fake_phy_plug(&fixture.card.phy, (uint16_t)(below(2) ? 0x01e1 : below(1 << 16)));
    lan_nic_poll_link(fixture.nic);
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
    switch (below(20)) {
    case 16:
        transmit_with_offloads();
        break;
    case 17:
        change_a_setting();
        break;
    case 18:
        fake_card_pass(&fixture.card, below(100000));
        break;
    case 19:
        use_the_phy();
        break;
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

/* The driver has written the card off: its interrupts are silent for good. */
static bool given_up_now(void)
{
    fake_card_settle(&fixture.card);
    return fixture.card.registers.IRQ_ENABLE == 0;
}

/* Run after run, each until it has had its steps or the driver has given the card up; between two of them every buffer
 * must be back. */
static void run_all(int (*set_up_one)(void **state))
{
    uint64_t bad_completions = 0, errors = 0, empty_pools = 0, full_rings = 0, given_up = 0, link_changes = 0;
    for (uint64_t run = 1; run <= RUNS; run++) {
        set_up_one(NULL);
        fake_phy_init(&fixture.card.phy, 1);
        fake_phy_plug(&fixture.card.phy, 0x01e1);
        lan_nic_destroy(fixture.nic);
        fixture.card.registers.FEATURES |= NIC__FEATURES__MDIO_bm;
        assert_int_equal(restart_driver(), 0);
        seed = run;
        fixture.on_tx_ready = refill_from_ready;
        for (int i = 0; i < STEPS && !given_up_now(); i++)
            act();
        while (hoard)
            give_back_something();
        const struct lan_nic_counters *counters = lan_nic_counters(fixture.nic);
        bad_completions += counters->rx_bad_completion;
        errors += counters->tx_errors;
        empty_pools += counters->rx_no_buffer;
        full_rings += counters->tx_ring_full;
        given_up += given_up_now();
        link_changes += counters->link_changes;
        tear_down(NULL);
    }
    assert_true(bad_completions && errors && empty_pools && full_rings && link_changes); /* every way was gone */
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
