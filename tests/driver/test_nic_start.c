/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, starting and stopping the card. */
#include "nic_fixture.h"

static _Alignas(64) uint8_t other_memory[16384];

static struct lan_nic *create(const struct lan_nic_config *config, int *error)
{
    return lan_nic_create(other_memory, &fixture.card.bus, fixture.pool, config, error);
}

static void expect_error(const struct lan_nic_config *config, int expected)
{
    int error = 0;
    assert_null(create(config, &error));
    assert_int_equal(error, expected);
}

static void nothing_at_the_address_is_no_device(void **state)
{
    (void)state;
    fixture.card.registers.ID = 0xffffffff;
    expect_error(&LAN_NIC_CONFIG_DEFAULT, -ENODEV);
}

static void another_major_version_is_refused(void **state)
{
    (void)state;
    fixture.card.registers.VERSION = 0x00020000;
    expect_error(&LAN_NIC_CONFIG_DEFAULT, -EPROTONOSUPPORT);
}

static void a_later_minor_version_is_accepted(void **state)
{
    (void)state;
    fixture.card.registers.VERSION = 0x00010007;
    fixture.card.memory = other_memory; /* only this card's own rings are looked at */
    fixture.card.memory_bytes = sizeof other_memory;
    struct lan_pool_config tiny = {.buffers = 1, .buffer_bytes = 256, .views = 0};
    struct lan_pool *pool = lan_pool_create(other_memory, &tiny);
    const struct lan_nic_config config = {.tx_ring_log2 = 2, .rx_ring_log2 = 2};
    int error;
    struct lan_nic *nic = lan_nic_create(other_memory + 4096, &fixture.card.bus, pool, &config, &error);
    assert_non_null(nic);
    lan_nic_destroy(nic);
    assert_int_equal(lan_pool_free_buffers(pool), 1);
}

static void a_group_address_in_the_rom_is_refused(void **state)
{
    (void)state;
    fixture.card.registers.MAC_LO |= 1;
    expect_error(&LAN_NIC_CONFIG_DEFAULT, -EADDRNOTAVAIL);
}

static void an_empty_rom_is_refused(void **state)
{
    (void)state;
    fixture.card.registers.MAC_LO = fixture.card.registers.MAC_HI = 0;
    expect_error(&LAN_NIC_CONFIG_DEFAULT, -EADDRNOTAVAIL);
}

static void a_card_deaf_to_reset_is_an_io_error(void **state)
{
    (void)state;
    fixture.card.deaf_to_reset = true;
    expect_error(&LAN_NIC_CONFIG_DEFAULT, -EIO);
    fixture.card.deaf_to_reset = false;
}

static void rings_out_of_range_are_refused(void **state)
{
    (void)state;
    expect_error(&(struct lan_nic_config){.tx_ring_log2 = 1, .rx_ring_log2 = 4}, -EINVAL);
    expect_error(&(struct lan_nic_config){.tx_ring_log2 = 4, .rx_ring_log2 = 13}, -EINVAL);
}

static void interface_takes_address_and_features_from_the_card(void **state)
{
    (void)state;
    static const uint8_t MAC[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
    assert_memory_equal(fixture.netif->mac, MAC, 6);
    assert_int_equal(fixture.netif->features, LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM | LAN_NETIF_RX_CSUM |
                                                  LAN_NETIF_SG | LAN_NETIF_TSO | LAN_NETIF_VLAN_TX | LAN_NETIF_VLAN_RX);
    assert_int_equal(fixture.netif->mtu, 1500);
    assert_true(fixture.netif->link_up);
}

static void a_started_card_has_all_but_one_buffer_posted(void **state)
{
    (void)state;
    assert_int_equal(fake_card_posted(&fixture.card, FAKE_RX), 7);
    assert_int_equal(fixture.card.registers.CONTROL, 0x4b); /* transmit, receive, broadcast, stripped tags */
    assert_int_equal(fixture.card.registers.MAX_FRAME, 1518);
    assert_int_equal(fixture.card.registers.IRQ_ENABLE, 0x3f);
}

static void a_destroyed_card_is_silent_and_its_link_down(void **state)
{
    (void)state;
    lan_nic_destroy(fixture.nic);
    fake_card_settle(&fixture.card);
    assert_int_equal(fixture.card.registers.IRQ_ENABLE, 0);
    assert_int_equal(fixture.card.registers.CONTROL & 3, 0);
    assert_int_equal(fixture.card.registers.RX_CONTROL, 0);
    assert_int_equal(transmit_one(60), -ENETDOWN);
}

static void statistics_are_walked_in_the_order_of_the_registers(void **state)
{
    (void)state;
    uint8_t *registers = (uint8_t *)&fixture.card.registers + NIC_REGISTER(STAT_TX_FRAMES);
    uint32_t count = (sizeof(nic_t) - NIC_REGISTER(STAT_TX_FRAMES)) / 4, index = 0, expected = 0;
    uint64_t value;
    for (uint32_t i = 0; i < count; i++)
        memcpy(registers + 4 * i, &(uint32_t){100 + i}, 4);
    assert_string_equal(lan_nic_statistic(fixture.nic, 0, &value), "aFramesTransmittedOK");
    for (; lan_nic_statistic(fixture.nic, index, &value); index++) {
        assert_true(value >= 100 + expected); /* reserved places are left out */
        expected = (uint32_t)value - 100 + 1;
    }
    assert_int_equal(expected, count);
}

static void counters_of_the_driver_are_walked_by_name(void **state)
{
    (void)state;
    uint32_t index = 0, found = 0;
    uint64_t value;
    lan_nic_interrupt(fixture.nic);
    for (const char *name; (name = lan_nic_counter(fixture.nic, index, &value)) != NULL; index++) {
        if (strcmp(name, "interrupts") == 0)
            found = (uint32_t)value;
    }
    assert_int_equal(found, 1);
    assert_int_equal(index, sizeof(struct lan_nic_counters) / sizeof(uint64_t));
}

static void a_card_without_statistics_tells_none(void **state)
{
    (void)state;
    uint64_t value;
    lan_nic_destroy(fixture.nic);
    fixture.card.registers.FEATURES &= ~(uint32_t)NIC__FEATURES__STATISTICS_bm;
    assert_int_equal(restart_driver(), 0);
    assert_null(lan_nic_statistic(fixture.nic, 0, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NIC_TEST(nothing_at_the_address_is_no_device),
        NIC_TEST(another_major_version_is_refused),
        NIC_TEST(a_later_minor_version_is_accepted),
        NIC_TEST(a_group_address_in_the_rom_is_refused),
        NIC_TEST(an_empty_rom_is_refused),
        NIC_TEST(a_card_deaf_to_reset_is_an_io_error),
        NIC_TEST(rings_out_of_range_are_refused),
        NIC_TEST(interface_takes_address_and_features_from_the_card),
        NIC_TEST(a_started_card_has_all_but_one_buffer_posted),
        NIC_TEST(a_destroyed_card_is_silent_and_its_link_down),
        NIC_TEST(statistics_are_walked_in_the_order_of_the_registers),
        NIC_TEST(counters_of_the_driver_are_walked_by_name),
        NIC_TEST(a_card_without_statistics_tells_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
