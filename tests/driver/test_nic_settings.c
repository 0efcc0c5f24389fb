/* SPDX-License-Identifier: Apache-2.0 */
/* What can be set while the card runs: features, address, MTU, filters, loopback, interrupt moderation. */
#include "nic_fixture.h"

enum { CHECKSUMS = LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM };

static uint32_t control(void)
{
    fake_card_settle(&fixture.card);
    return fixture.card.registers.CONTROL;
}

static void use_card_with(uint32_t features)
{
    lan_nic_destroy(fixture.nic);
    fixture.card.registers.FEATURES = features;
    assert_int_equal(restart_driver(), 0);
}

static void all_that_the_card_has_is_on_at_first(void **state)
{
    (void)state;
    assert_int_equal(fixture.netif->features, lan_nic_features(fixture.nic));
    assert_int_equal(lan_nic_features(fixture.nic), LAN_NETIF_SG | CHECKSUMS | LAN_NETIF_RX_CSUM | LAN_NETIF_TSO |
                                                        LAN_NETIF_VLAN_TX | LAN_NETIF_VLAN_RX);
}

static void a_feature_that_the_card_lacks_is_refused(void **state)
{
    (void)state;
    use_card_with(NIC__FEATURES__TX_CSUM_bm);
    assert_int_equal(lan_nic_features(fixture.nic), LAN_NETIF_SG | CHECKSUMS);
    assert_int_equal(lan_nic_set_features(fixture.nic, LAN_NETIF_SG | LAN_NETIF_RX_CSUM), -EOPNOTSUPP);
    assert_int_equal(lan_nic_set_features(fixture.nic, LAN_NETIF_LOOPBACK), -EOPNOTSUPP);
    assert_int_equal(fixture.netif->features, LAN_NETIF_SG | CHECKSUMS);
    assert_int_equal(lan_nic_set_loopback(fixture.nic, LAN_NIC_LOOPBACK_MAC), -EOPNOTSUPP);
}

static void segmentation_needs_fragments_and_checksums(void **state)
{
    (void)state;
    uint32_t all = lan_nic_features(fixture.nic);
    assert_int_equal(lan_nic_set_features(fixture.nic, all & ~(uint32_t)LAN_NETIF_SG), -EINVAL);
    assert_int_equal(lan_nic_set_features(fixture.nic, all & ~(uint32_t)LAN_NETIF_TX_L4_CSUM), -EINVAL);
    assert_int_equal(lan_nic_set_features(fixture.nic, all & ~(uint32_t)LAN_NETIF_TSO), 0);
    assert_int_equal(fixture.netif->features, all & ~(uint32_t)LAN_NETIF_TSO);
}

static void a_packet_made_before_a_feature_went_off_is_sent_as_it_was_made(void **state)
{
    (void)state;
    struct lan_buf *frame = lan_buf_alloc(fixture.pool, 0);
    lan_buf_put(frame, 60);
    frame->flags = LAN_BUF_IP_CSUM;
    assert_int_equal(lan_nic_set_features(fixture.nic, 0), 0);
    assert_int_equal(fixture.netif->ops->transmit(fixture.netif, frame), 0);
    assert_true(fake_card_fetch(&fixture.card));
    assert_true(fixture.card.frame_first.status & TX_IP_CSUM);
}

static void stripping_follows_its_feature(void **state)
{
    (void)state;
    assert_true(control() & NIC__CONTROL__VLAN_STRIP_bm);
    assert_int_equal(lan_nic_set_features(fixture.nic, 0), 0);
    assert_false(control() & NIC__CONTROL__VLAN_STRIP_bm);
    assert_int_equal(control() & 3, 3);
}

static void verdicts_on_checksums_follow_their_feature(void **state)
{
    (void)state;
    assert_int_equal(lan_nic_set_features(fixture.nic, 0), 0);
    assert_true(fake_card_receive(&fixture.card, counting(60), 60, RX_IP_OK | RX_L4_CHECKED | RX_L4_OK));
    serve();
    assert_int_equal(fixture.received[0]->flags, LAN_BUF_TIMESTAMP);
}

static void the_address_can_be_changed(void **state)
{
    (void)state;
    static const uint8_t OLD[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55}, NEW[6] = {0x82, 0xf1, 0xe2, 0xd3, 0xc4, 0xb5};
    assert_int_equal(lan_nic_set_mac(fixture.nic, NEW), 0);
    assert_true(fake_card_accepts(&fixture.card, NEW));
    assert_false(fake_card_accepts(&fixture.card, OLD));
    assert_memory_equal(fixture.netif->mac, NEW, 6);
    assert_int_equal(fixture.link_calls, 1); /* so the stack announces it */
}

static void an_address_that_no_station_has_is_refused(void **state)
{
    (void)state;
    static const uint8_t GROUP[6] = {0x03, 0, 0, 0, 0, 1}, NONE[6];
    assert_int_equal(lan_nic_set_mac(fixture.nic, GROUP), -EADDRNOTAVAIL);
    assert_int_equal(lan_nic_set_mac(fixture.nic, NONE), -EADDRNOTAVAIL);
    assert_int_equal(fixture.netif->mac[0], 0x02);
}

static void the_mtu_goes_as_far_as_the_frame_buffers(void **state)
{
    (void)state;
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 67), -ERANGE);
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 68), 0);
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 9000), 0);
    assert_int_equal(fixture.netif->mtu, 9000);
    fake_card_settle(&fixture.card);
    assert_int_equal(fixture.card.registers.MAX_FRAME, 9018);
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 16382 - 22), 0);
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 16382 - 21), -ERANGE);

    use_card_with(11u << NIC__FEATURES__TX_BUFFER_LOG2_bp | 12u << NIC__FEATURES__RX_BUFFER_LOG2_bp);
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 2047 - 22), 0);
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 2047 - 21), -ERANGE);
}

static void jumbo_frames_go_both_ways(void **state)
{
    (void)state;
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 9000), 0);
    assert_int_equal(transmit((uint32_t[]){2000, 2000, 2000, 2000, 1014}, 5), 0);
    assert_true(fake_card_send(&fixture.card, 0));
    assert_int_equal(fixture.card.frame_bytes, 9014);
    assert_int_equal(transmit((uint32_t[]){2000, 2000, 2000, 2000, 1015}, 5), 0);
    assert_int_equal(lan_nic_counters(fixture.nic)->tx_refused, 1);
    assert_true(fake_card_receive(&fixture.card, counting(9014), 9014, 0));
    serve();
    assert_int_equal(fixture.received_count, 1);
    assert_int_equal(lan_buf_total(fixture.received[0]), 9014);
}

static void a_long_frame_that_came_before_the_mtu_shrank_is_no_lie(void **state)
{
    (void)state;
    assert_true(fake_card_receive(&fixture.card, counting(1514), 1514, 0));
    assert_int_equal(lan_nic_set_mtu(fixture.nic, 576), 0);
    serve();
    assert_int_equal(fixture.received_count, 1);
    assert_int_equal(lan_nic_counters(fixture.nic)->rx_bad_completion, 0);
}

static const uint8_t BROADCAST[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t STRANGER[6] = {0x02, 0, 0, 0, 0, 0x77};
static const uint8_t GROUP[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb};

static void filters_take_what_they_name_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        uint32_t accept;
        bool broadcast, group, stranger;
    } CASES[] = {
        {LAN_NIC_BROADCAST, true, false, false},
        {LAN_NIC_ALL_MULTICAST, false, true, false},
        {LAN_NIC_PROMISCUOUS, true, true, true},
        {0, false, false, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(lan_nic_set_filter(fixture.nic, CASES[i].accept), 0);
        assert_int_equal(fake_card_accepts(&fixture.card, BROADCAST), CASES[i].broadcast);
        assert_int_equal(fake_card_accepts(&fixture.card, GROUP), CASES[i].group);
        assert_int_equal(fake_card_accepts(&fixture.card, STRANGER), CASES[i].stranger);
        assert_true(fake_card_accepts(&fixture.card, fixture.netif->mac));
    }
    assert_int_equal(lan_nic_set_filter(fixture.nic, 8), -EINVAL);
}

static void every_group_that_is_joined_is_taken(void **state)
{
    (void)state;
    uint8_t group[6] = {0x01, 0x00, 0x5e, 0, 0, 0};
    for (int i = 0; i < 256; i++) {
        group[5] = (uint8_t)i;
        assert_false(fake_card_accepts(&fixture.card, group));
        assert_int_equal(lan_nic_join(fixture.nic, group), 0);
        assert_true(fake_card_accepts(&fixture.card, group));
        assert_int_equal(lan_nic_leave(fixture.nic, group), 0);
    }
    fake_card_settle(&fixture.card);
    assert_int_equal(fixture.card.registers.HASH_LO | fixture.card.registers.HASH_HI, 0);
}

static void the_group_of_all_systems_has_the_bit_of_the_card_s_page(void **state)
{
    (void)state;
    static const uint8_t ALL_SYSTEMS[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x01};
    assert_int_equal(lan_nic_join(fixture.nic, ALL_SYSTEMS), 0);
    fake_card_settle(&fixture.card);
    assert_int_equal(fixture.card.registers.HASH_LO, 1u << 31);
    assert_int_equal(fixture.card.registers.HASH_HI, 0);
}

static void a_group_is_left_when_the_last_member_has_left(void **state)
{
    (void)state;
    assert_int_equal(lan_nic_join(fixture.nic, GROUP), 0);
    assert_int_equal(lan_nic_join(fixture.nic, GROUP), 0);
    assert_int_equal(lan_nic_leave(fixture.nic, GROUP), 0);
    assert_true(fake_card_accepts(&fixture.card, GROUP));
    assert_int_equal(lan_nic_leave(fixture.nic, GROUP), 0);
    assert_false(fake_card_accepts(&fixture.card, GROUP));
    assert_int_equal(lan_nic_leave(fixture.nic, GROUP), -EINVAL);
    assert_int_equal(lan_nic_join(fixture.nic, STRANGER), -EINVAL);
}

static void groups_outlast_all_multicast(void **state)
{
    (void)state;
    static const uint8_t OTHER[6] = {0x33, 0x33, 0, 0, 0, 1};
    assert_int_equal(lan_nic_join(fixture.nic, GROUP), 0);
    assert_int_equal(lan_nic_set_filter(fixture.nic, LAN_NIC_ALL_MULTICAST), 0);
    assert_true(fake_card_accepts(&fixture.card, OTHER));
    assert_int_equal(lan_nic_set_filter(fixture.nic, 0), 0);
    assert_true(fake_card_accepts(&fixture.card, GROUP));
    assert_false(fake_card_accepts(&fixture.card, OTHER));
}

static void loopback_has_one_place_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(lan_nic_set_loopback(fixture.nic, LAN_NIC_LOOPBACK_MAC), 0);
    assert_int_equal(control() & 0x600, NIC__CONTROL__LOOPBACK_MAC_bm);
    assert_int_equal(lan_nic_set_loopback(fixture.nic, LAN_NIC_LOOPBACK_MII), 0);
    assert_int_equal(control() & 0x600, NIC__CONTROL__LOOPBACK_MII_bm);
    assert_int_equal(lan_nic_set_loopback(fixture.nic, LAN_NIC_LOOPBACK_OFF), 0);
    assert_int_equal(control() & 0x600, 0);
    assert_int_equal(lan_nic_set_loopback(fixture.nic, (enum lan_nic_loopback)3), -EINVAL);
}

static void moderation_out_of_range_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct lan_nic_coalesce coalesce;
        int result;
    } CASES[] = {
        {{1047, 255, 1047, 255}, 0}, {{1048, 0, 0, 0}, -ERANGE}, {{0, 0, 1048, 0}, -ERANGE}, {{1, 256, 0, 0}, -ERANGE},
        {{0, 0, 1, 256}, -ERANGE},   {{0, 2, 0, 0}, -EINVAL},    {{0, 0, 0, 2}, -EINVAL},    {{0, 1, 0, 1}, 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct lan_nic_coalesce before = *lan_nic_coalesce(fixture.nic);
        assert_int_equal(lan_nic_set_coalesce(fixture.nic, &CASES[i].coalesce), CASES[i].result);
        assert_memory_equal(lan_nic_coalesce(fixture.nic), CASES[i].result ? &before : &CASES[i].coalesce,
                            sizeof before);
    }
}

static void microseconds_are_rounded_up_to_the_units_of_the_card(void **state)
{
    (void)state;
    assert_int_equal(lan_nic_set_coalesce(fixture.nic, &(struct lan_nic_coalesce){1, 3, 1047, 7}), 0);
    fake_card_settle(&fixture.card);
    assert_int_equal(fixture.card.registers.TX_MODERATION, 1u << 16 | 3);
    assert_int_equal(fixture.card.registers.RX_MODERATION, 1023u << 16 | 7);
}

static void moderated_frames_share_an_interrupt(void **state)
{
    (void)state;
    assert_int_equal(lan_nic_set_coalesce(fixture.nic, &(struct lan_nic_coalesce){0, 0, 100, 4}), 0);
    for (int i = 0; i < 7; i++) {
        assert_true(fake_card_receive(&fixture.card, counting(60), 60, 0));
        serve();
    }
    assert_int_equal(fixture.received_count, 4);
    assert_int_equal(lan_nic_counters(fixture.nic)->interrupts, 1);
    fake_card_pass(&fixture.card, 99000);
    assert_false(fake_card_irq(&fixture.card));
    fake_card_pass(&fixture.card, 2000);
    serve();
    assert_int_equal(fixture.received_count, 7);
    assert_int_equal(lan_nic_counters(fixture.nic)->interrupts, 2);
}

static void receive_one_more(struct fixture *f)
{
    f->on_input = NULL;
    assert_true(fake_card_receive(&f->card, counting(70), 70, 0));
}

/* In the handler, behind its last look at the ring: the frame is not in this interrupt, so it must have its own. */
static void a_frame_that_comes_while_the_handler_runs_is_told_in_time(void **state)
{
    (void)state;
    assert_int_equal(lan_nic_set_coalesce(fixture.nic, &(struct lan_nic_coalesce){0, 0, 100, 2}), 0);
    fixture.on_input = receive_one_more;
    assert_true(fake_card_receive(&fixture.card, counting(60), 60, 0));
    fake_card_pass(&fixture.card, 103000);
    serve();
    fake_card_pass(&fixture.card, 103000);
    serve();
    assert_int_equal(fixture.received_count, 2);
}

static uint32_t below(uint32_t bound)
{
    static uint64_t seed = 1;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % bound;
}

static uint32_t received;

static void count_one_more(struct fixture *f)
{
    f->on_input = NULL;
    received += fake_card_receive(&f->card, counting(70), 70, 0);
}

/* The handler runs when the line is high and at no other time, so each frame that is missing at the end was lost. */
static void no_moderation_loses_a_wake_up(void **state)
{
    (void)state;
    for (int run = 0; run < 300; run++) {
        const struct lan_nic_coalesce coalesce = {1 + below(50), below(6), 1 + below(50), below(6)};
        uint32_t sent = 0;
        received = 0;
        assert_int_equal(lan_nic_set_coalesce(fixture.nic, &coalesce), 0);
        for (int step = 0; step < 50; step++) {
            if (below(2) && fake_card_receive(&fixture.card, counting(60), 60, 0))
                received++;
            if (below(2) && transmit_one(60) == 0)
                sent += fake_card_send(&fixture.card, 0);
            if (below(8) == 0)
                fixture.on_input = count_one_more;
            fake_card_pass(&fixture.card, below(20000));
            if (below(2) && fake_card_irq(&fixture.card))
                lan_nic_interrupt(fixture.nic);
            if (below(10) == 0)
                lan_nic_interrupt(fixture.nic); /* a line that is shared */
        }
        for (int i = 0; i < 3; i++) {
            fake_card_pass(&fixture.card, 52000);
            serve();
        }
        fixture.on_input = NULL;
        assert_int_equal(fixture.received_count, received);
        forget_received();
        assert_true(sent > 0);
        assert_int_equal(lan_pool_free_buffers(fixture.pool) + fake_card_posted(&fixture.card, FAKE_RX),
                         fixture.pool_config.buffers);
    }
}

static void settings_of_a_card_that_was_switched_off_do_not_start_it(void **state)
{
    (void)state;
    lan_nic_destroy(fixture.nic);
    assert_int_equal(lan_nic_set_filter(fixture.nic, LAN_NIC_PROMISCUOUS), 0);
    assert_int_equal(lan_nic_set_loopback(fixture.nic, LAN_NIC_LOOPBACK_MAC), 0);
    assert_int_equal(control() & 3, 0);
    assert_false(fixture.netif->link_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NIC_TEST(all_that_the_card_has_is_on_at_first),
        NIC_TEST(a_feature_that_the_card_lacks_is_refused),
        NIC_TEST(segmentation_needs_fragments_and_checksums),
        NIC_TEST(a_packet_made_before_a_feature_went_off_is_sent_as_it_was_made),
        NIC_TEST(stripping_follows_its_feature),
        NIC_TEST(verdicts_on_checksums_follow_their_feature),
        NIC_TEST(the_address_can_be_changed),
        NIC_TEST(an_address_that_no_station_has_is_refused),
        NIC_TEST(the_mtu_goes_as_far_as_the_frame_buffers),
        NIC_TEST(jumbo_frames_go_both_ways),
        NIC_TEST(a_long_frame_that_came_before_the_mtu_shrank_is_no_lie),
        NIC_TEST(filters_take_what_they_name_and_nothing_else),
        NIC_TEST(every_group_that_is_joined_is_taken),
        NIC_TEST(the_group_of_all_systems_has_the_bit_of_the_card_s_page),
        NIC_TEST(a_group_is_left_when_the_last_member_has_left),
        NIC_TEST(groups_outlast_all_multicast),
        NIC_TEST(loopback_has_one_place_at_a_time),
        NIC_TEST(moderation_out_of_range_is_refused),
        NIC_TEST(microseconds_are_rounded_up_to_the_units_of_the_card),
        NIC_TEST(moderated_frames_share_an_interrupt),
        NIC_TEST(a_frame_that_comes_while_the_handler_runs_is_told_in_time),
        NIC_TEST(no_moderation_loses_a_wake_up),
        NIC_TEST(settings_of_a_card_that_was_switched_off_do_not_start_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
