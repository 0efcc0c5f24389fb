/* SPDX-License-Identifier: Apache-2.0 */
/* The PHY: found, read, told what to advertise, followed. */
#include "nic_fixture.h"

enum { PHY_ADDRESS = 7, BMCR = 0, ANAR = 4 };
enum { PARTNER_ALL = 0x01e1, PARTNER_100_FULL = 0x0101, PARTNER_100_HALF = 0x0081, PARTNER_10_FULL = 0x0041 };
enum { PAUSE = 1 << 10, ASM_DIR = 1 << 11 };

/* Polls until the driver rests or gives up; each time it must have asked to be called soon. */
static uint64_t poll_link(void)
{
    for (int calls = 0; calls < 3000; calls++) {
        uint64_t pause = lan_nic_poll_link(fixture.nic);
        if (pause > 1000000)
            return pause;
    }
    fail_msg("the driver never rests");
    return 0;
}

static int use_card(uint32_t features)
{
    lan_nic_destroy(fixture.nic);
    fixture.card.registers.FEATURES = features;
    return restart_driver();
}

static int set_up_phy(void **state)
{
    set_up(state);
    fake_phy_init(&fixture.card.phy, PHY_ADDRESS);
    fixture.card.drain_reads = 3;
    return use_card(FAKE_CARD_FEATURES | NIC__FEATURES__MDIO_bm);
}

#define PHY_TEST(f) cmocka_unit_test_setup_teardown(f, set_up_phy, tear_down)

static void expect_link(uint16_t mbps, bool full_duplex)
{
    const struct lan_nic_link *link = lan_nic_link(fixture.nic);
    fake_card_settle(&fixture.card);
    uint32_t control = fixture.card.registers.CONTROL;
    assert_true(link->up);
    assert_int_equal(link->mbps, mbps);
    assert_int_equal(link->full_duplex, full_duplex);
    assert_true(fixture.netif->link_up);
    assert_int_equal(control & 3, 3);
    assert_int_equal(!(control & NIC__CONTROL__HALF_DUPLEX_bm), full_duplex);
}

static void expect_no_link(void)
{
    assert_false(lan_nic_link(fixture.nic)->up);
    assert_false(fixture.netif->link_up);
    assert_int_equal(transmit_one(60), -ENETDOWN);
}

static void a_card_without_mdio_has_a_link(void **state)
{
    (void)state;
    assert_int_equal(use_card(FAKE_CARD_FEATURES), 0);
    assert_int_equal(lan_nic_poll_link(fixture.nic), LAN_NEVER);
    expect_link(100, true);
    assert_int_equal(lan_nic_set_link(fixture.nic, true, LAN_NIC_100_FULL), -ENODEV);
}

static void without_a_phy_the_link_stays_up(void **state)
{
    (void)state;
    fixture.card.phy.present = false;
    assert_int_equal(poll_link(), LAN_NEVER);
    expect_link(100, true);
    assert_true(lan_nic_link(fixture.nic)->phy < 0);
    assert_int_equal(lan_nic_set_link(fixture.nic, true, LAN_NIC_100_FULL), -ENODEV);
}

static void the_phy_is_found_at_any_address(void **state)
{
    (void)state;
    for (uint8_t address = 0; address < 32; address++) {
        fake_phy_init(&fixture.card.phy, address);
        assert_int_equal(use_card(fixture.card.registers.FEATURES), 0);
        assert_int_equal(poll_link(), 1000000000);
        assert_int_equal(lan_nic_link(fixture.nic)->phy, address);
    }
}

static void an_identifier_of_zeros_is_no_phy(void **state)
{
    (void)state;
    fixture.card.phy.registers[2] = 0;
    assert_int_equal(poll_link(), LAN_NEVER);
}

static void a_step_costs_one_register_access_or_two(void **state)
{
    (void)state;
    uint64_t pause = 0;
    while (pause < 1000000) {
        fixture.card.reads = fixture.card.writes = 0;
        pause = lan_nic_poll_link(fixture.nic);
        assert_true(fixture.card.reads + fixture.card.writes <= 2);
    }
}

static void the_best_common_mode_wins(void **state)
{
    (void)state;
    static const struct {
        uint16_t partner, mbps;
        bool full_duplex;
    } CASES[] = {
        {0x01e1, 100, true}, {0x00e1, 100, false}, {0x0061, 10, true},   {0x0021, 10, false},
        {0x0101, 100, true}, {0x0081, 100, false}, {0x00c1, 100, false}, {0x0141, 100, true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        fake_phy_unplug(&fixture.card.phy);
        poll_link();
        expect_no_link();
        fake_phy_plug(&fixture.card.phy, CASES[i].partner);
        poll_link();
        expect_link(CASES[i].mbps, CASES[i].full_duplex);
    }
}

static void nothing_in_common_is_no_link(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, 0x0001);
    poll_link();
    expect_no_link();
}

static void pause_is_resolved_by_annex_28b(void **state)
{
    (void)state;
    enum { P = LAN_NIC_PAUSE, A = LAN_NIC_ASYM_PAUSE };
    static const struct {
        uint32_t ours;
        uint16_t theirs;
        bool tx, rx;
    } CASES[] = {
        {0, PAUSE | ASM_DIR, false, false},
        {A, PAUSE, false, false},
        {A, ASM_DIR, false, false},
        {A, PAUSE | ASM_DIR, true, false},
        {P, 0, false, false},
        {P, ASM_DIR, false, false},
        {P, PAUSE, true, true},
        {P, PAUSE | ASM_DIR, true, true},
        {P | A, ASM_DIR, false, true},
        {P | A, 0, false, false},
        {P | A, PAUSE, true, true},
        {P | A, PAUSE | ASM_DIR, true, true},
    };
    poll_link();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        fake_phy_plug(&fixture.card.phy, PARTNER_ALL | CASES[i].theirs);
        assert_int_equal(lan_nic_set_link(fixture.nic, true, LAN_NIC_100_FULL | LAN_NIC_100_HALF | CASES[i].ours), 0);
        poll_link();
        expect_link(100, true);
        assert_int_equal(lan_nic_link(fixture.nic)->pause_tx, CASES[i].tx);
        assert_int_equal(lan_nic_link(fixture.nic)->pause_rx, CASES[i].rx);
        assert_int_equal(!!(fixture.card.registers.CONTROL & NIC__CONTROL__PAUSE_TX_bm), CASES[i].tx);
        assert_int_equal(!!(fixture.card.registers.CONTROL & NIC__CONTROL__PAUSE_RX_bm), CASES[i].rx);
    }
}

static void half_duplex_knows_no_pause(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_100_HALF | PAUSE | ASM_DIR);
    poll_link();
    expect_link(100, false);
    assert_false(lan_nic_link(fixture.nic)->pause_tx || lan_nic_link(fixture.nic)->pause_rx);
}

static void what_the_card_can_is_advertised(void **state)
{
    (void)state;
    poll_link();
    assert_int_equal(fixture.card.phy.registers[ANAR], 0x0de1);
    assert_int_equal(use_card(NIC__FEATURES__MDIO_bm), 0); /* neither half duplex nor pause */
    poll_link();
    assert_int_equal(fixture.card.phy.registers[ANAR], 0x0141);
    assert_int_equal(fixture.card.phy.negotiations, 2);
}

static void a_phy_that_advertises_the_right_thing_is_left_alone(void **state)
{
    (void)state;
    fixture.card.phy.registers[ANAR] = 0x0de1;
    fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
    poll_link();
    poll_link();
    assert_int_equal(fixture.card.phy.negotiations, 0);
    expect_link(100, true);
}

static void a_link_that_stands_costs_one_look_a_second(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
    poll_link();
    fixture.card.writes = 0;
    assert_int_equal(poll_link(), 1000000000);
    assert_int_equal(fixture.card.writes, 1);
}

static void nobody_needs_to_ask_a_phy_whose_interrupt_is_wired(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
    lan_nic_destroy(fixture.nic);
    fixture.phy_interrupt = true;
    assert_int_equal(restart_driver(), 0);
    assert_int_equal(poll_link(), LAN_NEVER);
    fake_phy_unplug(&fixture.card.phy);
    fixture.card.registers.IRQ_CAUSE |= NIC__IRQ_CAUSE__PHY_bm;
    assert_true(lan_nic_interrupt(fixture.nic));
    assert_int_equal(poll_link(), LAN_NEVER);
    expect_no_link();
    fixture.phy_interrupt = false;
}

static void a_link_that_was_lost_for_a_moment_is_looked_at_anew(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
    poll_link();
    fake_phy_unplug(&fixture.card.phy);
    fake_phy_plug(&fixture.card.phy, PARTNER_10_FULL);
    poll_link();
    expect_link(10, true);
}

static void a_link_that_comes_and_goes_is_counted(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_100_HALF | PAUSE);
    poll_link();
    assert_int_equal(lan_nic_counters(fixture.nic)->link_changes, 0); /* another mode is no change */
    for (uint32_t i = 1; i <= 6; i += 2) {
        fake_phy_unplug(&fixture.card.phy);
        poll_link();
        assert_int_equal(lan_nic_counters(fixture.nic)->link_changes, i);
        fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
        poll_link();
        assert_int_equal(lan_nic_counters(fixture.nic)->link_changes, i + 1);
    }
}

static void the_interrupt_of_the_phy_asks_for_a_poll_at_once(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
    poll_link();
    fake_phy_unplug(&fixture.card.phy);
    fixture.card.registers.IRQ_CAUSE |= NIC__IRQ_CAUSE__PHY_bm;
    assert_true(fake_card_irq(&fixture.card));
    assert_true(lan_nic_interrupt(fixture.nic));
    assert_false(fake_card_irq(&fixture.card));
    poll_link();
    expect_no_link();
    fixture.card.registers.IRQ_CAUSE |= NIC__IRQ_CAUSE__RX_DONE_bm;
    assert_false(lan_nic_interrupt(fixture.nic));
}

static void an_interrupt_during_a_look_leads_to_another(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
    poll_link();
    lan_nic_poll_link(fixture.nic);
    lan_nic_poll_link(fixture.nic);
    fixture.card.registers.IRQ_CAUSE |= NIC__IRQ_CAUSE__PHY_bm;
    assert_true(lan_nic_interrupt(fixture.nic));
    fake_phy_unplug(&fixture.card.phy);
    poll_link();
    expect_no_link();
}

static void poll_until_it_drains(void)
{
    while (lan_nic_poll_link(fixture.nic) <= 1000000) {
        fake_card_settle(&fixture.card);
        if (!(fixture.card.registers.CONTROL & 3))
            return;
    }
    fail_msg("the card is not stopped");
}

static void frames_posted_while_the_duplex_changes_are_sent_afterwards(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_100_HALF);
    poll_until_it_drains();
    assert_int_equal(transmit_one(60), 0);
    assert_false(fake_card_fetch(&fixture.card));
    poll_link();
    expect_link(100, false);
    assert_true(fake_card_send(&fixture.card, 0));
}

static void a_setting_changed_while_the_card_drains_does_not_enable_it(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_100_HALF);
    poll_until_it_drains();
    assert_int_equal(lan_nic_set_filter(fixture.nic, LAN_NIC_PROMISCUOUS), 0);
    fake_card_settle(&fixture.card);
    assert_int_equal(fixture.card.registers.CONTROL & 3, 0);
    poll_link();
    expect_link(100, false);
    assert_true(fixture.card.registers.CONTROL & NIC__CONTROL__PROMISCUOUS_bm);
}

static void a_card_left_in_half_duplex_is_taken_over(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_100_HALF);
    poll_link();
    expect_link(100, false);
    assert_int_equal(use_card(FAKE_CARD_FEATURES), 0);
    expect_link(100, true);
}

static void a_mode_can_be_forced_and_negotiation_taken_up_again(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
    poll_link();
    assert_int_equal(lan_nic_set_link(fixture.nic, false, LAN_NIC_10_HALF), 0);
    poll_link();
    expect_link(10, false);
    assert_int_equal(fixture.card.phy.registers[BMCR], 0);
    assert_int_equal(lan_nic_set_link(fixture.nic, false, LAN_NIC_100_FULL), 0);
    poll_link();
    expect_link(100, true);
    assert_int_equal(fixture.card.phy.registers[BMCR], 0x2100);

    uint32_t before = fixture.card.phy.negotiations;
    assert_int_equal(lan_nic_set_link(fixture.nic, true, LAN_NIC_10_FULL | LAN_NIC_10_HALF), 0);
    poll_link();
    expect_link(10, true);
    assert_int_equal(fixture.card.phy.negotiations, before + 1);
}

static void the_same_setting_once_more_negotiates_anew(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_ALL);
    poll_link();
    for (uint32_t i = 2; i < 4; i++) {
        assert_int_equal(lan_nic_set_link(fixture.nic, true, LAN_NIC_100_FULL), 0);
        poll_link();
        assert_int_equal(fixture.card.phy.negotiations, i);
    }
}

static void impossible_modes_are_refused(void **state)
{
    (void)state;
    assert_int_equal(use_card(NIC__FEATURES__MDIO_bm), 0); /* no half duplex */
    poll_link();
    assert_int_equal(lan_nic_set_link(fixture.nic, true, 0), -EINVAL);
    assert_int_equal(lan_nic_set_link(fixture.nic, true, LAN_NIC_PAUSE), -EINVAL);
    assert_int_equal(lan_nic_set_link(fixture.nic, false, LAN_NIC_100_FULL | LAN_NIC_10_FULL), -EINVAL);
    assert_int_equal(lan_nic_set_link(fixture.nic, true, LAN_NIC_100_FULL | 1u << 4), -EINVAL);
    assert_int_equal(lan_nic_set_link(fixture.nic, true, LAN_NIC_100_HALF), -EOPNOTSUPP);
}

static void loopback_needs_no_cable(void **state)
{
    (void)state;
    poll_link();
    expect_no_link();
    assert_int_equal(lan_nic_set_loopback(fixture.nic, LAN_NIC_LOOPBACK_MAC), 0);
    assert_true(fixture.netif->link_up);
    assert_int_equal(lan_nic_set_loopback(fixture.nic, LAN_NIC_LOOPBACK_OFF), 0);
    expect_no_link();
}

static void an_mdio_master_that_never_ends_is_given_up(void **state)
{
    (void)state;
    fake_phy_plug(&fixture.card.phy, PARTNER_100_FULL);
    poll_link();
    lan_nic_poll_link(fixture.nic);
    fake_card_settle(&fixture.card);
    fixture.card.mdio_stuck = true;
    assert_int_equal(poll_link(), LAN_NEVER);
    assert_int_equal(lan_nic_counters(fixture.nic)->mdio_timeouts, 1);
    expect_link(100, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NIC_TEST(a_card_without_mdio_has_a_link),
        PHY_TEST(without_a_phy_the_link_stays_up),
        PHY_TEST(the_phy_is_found_at_any_address),
        PHY_TEST(an_identifier_of_zeros_is_no_phy),
        PHY_TEST(a_step_costs_one_register_access_or_two),
        PHY_TEST(the_best_common_mode_wins),
        PHY_TEST(nothing_in_common_is_no_link),
        PHY_TEST(pause_is_resolved_by_annex_28b),
        PHY_TEST(half_duplex_knows_no_pause),
        PHY_TEST(what_the_card_can_is_advertised),
        PHY_TEST(a_phy_that_advertises_the_right_thing_is_left_alone),
        PHY_TEST(a_link_that_stands_costs_one_look_a_second),
        PHY_TEST(nobody_needs_to_ask_a_phy_whose_interrupt_is_wired),
        PHY_TEST(a_link_that_was_lost_for_a_moment_is_looked_at_anew),
        PHY_TEST(a_link_that_comes_and_goes_is_counted),
        PHY_TEST(the_interrupt_of_the_phy_asks_for_a_poll_at_once),
        PHY_TEST(an_interrupt_during_a_look_leads_to_another),
        PHY_TEST(frames_posted_while_the_duplex_changes_are_sent_afterwards),
        PHY_TEST(a_setting_changed_while_the_card_drains_does_not_enable_it),
        PHY_TEST(a_card_left_in_half_duplex_is_taken_over),
        PHY_TEST(a_mode_can_be_forced_and_negotiation_taken_up_again),
        PHY_TEST(the_same_setting_once_more_negotiates_anew),
        PHY_TEST(impossible_modes_are_refused),
        PHY_TEST(loopback_needs_no_cable),
        PHY_TEST(an_mdio_master_that_never_ends_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
