/* SPDX-License-Identifier: Apache-2.0 */
/* What the card is asked to do with a frame: segmentation, tags, time stamps. */
#include "nic_fixture.h"

enum { ETH = 14, IP = 20, TCP = 20, HEADERS = ETH + IP + TCP };

static struct lan_buf *filled(uint32_t bytes)
{
    struct lan_buf *buf = lan_buf_alloc(fixture.pool, 0);
    assert_non_null(buf);
    memset(lan_buf_put(buf, bytes), 0x5a, bytes);
    return buf;
}

/* IPv4 and TCP headers in front of `fragments` buffers of `bytes` payload each, to be cut by `mss`. */
static struct lan_buf *large_packet(uint32_t fragments, uint32_t bytes, uint16_t mss)
{
    struct lan_buf *packet = filled(HEADERS), **end = &packet->next;
    uint32_t ip_bytes = IP + TCP + fragments * bytes;
    for (uint32_t i = 0; i < fragments; i++) {
        *end = filled(bytes);
        end = &(*end)->next;
    }
    uint8_t *ip = packet->data + ETH;
    memcpy(ip - 2, (uint8_t[]){8, 0, 0x45, 0, (uint8_t)(ip_bytes >> 8), (uint8_t)ip_bytes}, 6);
    ip[9] = 6;
    ip[IP + 12] = TCP / 4 << 4;
    packet->flags = LAN_BUF_IP_CSUM | LAN_BUF_L4_CSUM | LAN_BUF_TSO;
    packet->csum_start = ETH + IP;
    packet->csum_offset = 16;
    packet->hdr_len = HEADERS;
    packet->gso_size = mss;
    return packet;
}

static void send(struct lan_buf *frame)
{
    assert_int_equal(fixture.netif->ops->transmit(fixture.netif, frame), 0);
}

static void expect_refused(struct lan_buf *frame)
{
    uint64_t before = lan_nic_counters(fixture.nic)->tx_refused;
    send(frame);
    assert_int_equal(lan_nic_counters(fixture.nic)->tx_refused, before + 1);
    assert_int_equal(fake_card_posted(&fixture.card, FAKE_TX), 0);
}

static void a_large_packet_goes_out_as_one_frame_with_its_segment_size(void **state)
{
    (void)state;
    send(large_packet(7, 2000, 1460));
    assert_true(fake_card_fetch(&fixture.card));
    assert_int_equal(fixture.card.frame_bytes, HEADERS + 14000);
    assert_int_equal(fixture.card.frame_fragments, 8);
    assert_int_equal(fixture.card.frame_first.checksum, 34 | 16 << 8 | 54 << 16);
    assert_int_equal(fixture.card.frame_first.stamp & 0xffff, 1460);
    assert_int_equal(fixture.card.frame_first.status, HEADERS | TX_TSO | TX_IP_CSUM | TX_L4_CSUM);
}

static void an_interface_with_a_usual_ring_takes_64_kib(void **state)
{
    (void)state;
    const uint32_t buffers = 1 + (65535 - IP - TCP) / 1448;
    assert_true(1u << LAN_NIC_CONFIG_DEFAULT.tx_ring_log2 >= 2 * (buffers + 1));
    assert_int_equal(fixture.netif->max_tso_bytes, ETH + 65535);
}

static void segment_sizes_from_1_to_the_mtu_are_taken(void **state)
{
    (void)state;
    static const uint16_t SIZES[] = {1, 2, 536, 1448, 1460};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        send(large_packet(2, 1500, SIZES[i]));
        assert_true(fake_card_send(&fixture.card, 0));
        serve();
    }
    assert_int_equal(lan_nic_counters(fixture.nic)->tx_refused, 0);
}

static void a_large_packet_that_the_card_would_call_malformed_is_refused(void **state)
{
    (void)state;
    enum {
        WITHOUT_MSS,
        HEADERS_ONLY,
        BEYOND_255,
        SPLIT_HEADERS,
        NO_IPV4,
        VERSION_6,
        NO_TCP,
        WRONG_TOTAL,
        SHORT_IP,
        SHORT_TCP,
        LONG_TCP,
        WRONG_START,
        WRONG_FIELD,
        SEGMENT_TOO_LONG,
        CASES
    };
    for (int i = 0; i < CASES; i++) {
        struct lan_buf *packet = large_packet(i == HEADERS_ONLY ? 0 : 2, 1500, i == WITHOUT_MSS ? 0 : 1460);
        uint8_t *ip = packet->data + ETH;
        ip[-2] = i == NO_IPV4 ? 0x86 : 8;
        ip[0] = i == VERSION_6 ? 0x65 : i == SHORT_IP ? 0x44 : 0x45;
        ip[3] = (uint8_t)(ip[3] + (i == WRONG_TOTAL));
        ip[9] = i == NO_TCP ? 17 : 6;
        ip[IP + 12] = i == SHORT_TCP ? 0x40 : i == LONG_TCP ? 0x60 : 0x50;
        packet->csum_start = i == WRONG_START ? 38 : 34;
        packet->csum_offset = i == WRONG_FIELD ? 6 : 16;
        packet->gso_size = i == SEGMENT_TOO_LONG ? 1461 : packet->gso_size;
        packet->hdr_len = i == BEYOND_255 ? 256 : i == SPLIT_HEADERS ? HEADERS + 4 : HEADERS;
        expect_refused(packet);
    }
}

static void headers_in_two_fragments_are_refused(void **state)
{
    (void)state;
    struct lan_buf *packet = large_packet(2, 1500, 1460), *tail = packet->next;
    struct lan_buf *middle = filled(4);
    packet->len -= 4;
    packet->next = middle;
    middle->next = tail;
    expect_refused(packet);
}

static void a_fragment_longer_than_a_descriptor_can_say_is_refused(void **state)
{
    (void)state;
    struct lan_buf *packet = large_packet(0, 0, 1460);
    memset(packet->data + ETH + 2, 0xff, 2);
    packet->len = ETH + 65535; /* as if of a pool of huge buffers */
    expect_refused(packet);
}

static void a_card_without_segmentation_refuses_large_packets(void **state)
{
    (void)state;
    lan_nic_destroy(fixture.nic);
    fixture.card.registers.FEATURES &= ~(uint32_t)NIC__FEATURES__TSO_bm;
    assert_int_equal(restart_driver(), 0);
    expect_refused(large_packet(1, 1000, 536));
}

static void headers_with_options_are_segmented(void **state)
{
    (void)state;
    struct lan_buf *packet = large_packet(1, 1999, 1000);
    uint8_t *ip = packet->data + ETH;
    packet->len = 0;
    lan_buf_put(packet, ETH + 60 + 60);
    uint32_t total = lan_buf_total(packet) - ETH;
    ip[0] = 0x4f;
    ip[2] = (uint8_t)(total >> 8);
    ip[3] = (uint8_t)total;
    ip[60 + 12] = 0xf0;
    packet->csum_start = ETH + 60;
    packet->hdr_len = ETH + 120;
    send(packet);
    assert_true(fake_card_send(&fixture.card, 0));
    assert_int_equal(fixture.card.frame_bytes, ETH + 120 + 1999);
}

static struct lan_buf *tagged(uint32_t bytes, uint16_t tci)
{
    struct lan_buf *frame = filled(bytes);
    frame->flags = LAN_BUF_VLAN;
    frame->vlan_tci = tci;
    return frame;
}

static void a_tag_is_put_in_by_the_card(void **state)
{
    (void)state;
    send(tagged(1514, 0xe123));
    assert_true(fake_card_fetch(&fixture.card));
    assert_int_equal(fixture.card.frame_bytes, 1514);
    assert_int_equal(fixture.card.frame_first.status & TX_VLAN, TX_VLAN);
    assert_int_equal(fixture.card.frame_first.stamp >> 16, 0xe123);
}

static void a_frame_may_be_longer_by_the_tag_that_stands_in_it(void **state)
{
    (void)state;
    struct lan_buf *frame = filled(1518);
    memcpy(frame->data + 12, (uint8_t[]){0x81, 0}, 2);
    send(frame);
    assert_true(fake_card_send(&fixture.card, 0));
    frame = filled(1519);
    memcpy(frame->data + 12, (uint8_t[]){0x81, 0}, 2);
    expect_refused(frame);
    expect_refused(filled(1515));
}

static void a_card_without_tags_refuses_them_and_may_not_report_any(void **state)
{
    (void)state;
    lan_nic_destroy(fixture.nic);
    fixture.card.registers.FEATURES &= ~(uint32_t)NIC__FEATURES__VLAN_bm;
    assert_int_equal(restart_driver(), 0);
    expect_refused(tagged(60, 1));
    assert_true(fake_card_receive(&fixture.card, counting(60), 60, RX_VLAN));
    serve();
    assert_int_equal(lan_nic_counters(fixture.nic)->rx_bad_completion, 1);
}

static void the_tag_of_a_received_frame_reaches_the_packet(void **state)
{
    (void)state;
    fixture.card.tci = 0x6064;
    assert_true(fake_card_receive(&fixture.card, counting(600), 600, RX_VLAN));
    assert_true(fake_card_receive(&fixture.card, counting(60), 60, 0));
    serve();
    assert_true(fixture.received[0]->flags & LAN_BUF_VLAN);
    assert_int_equal(fixture.received[0]->vlan_tci, 0x6064);
    assert_false(fixture.received[1]->flags & LAN_BUF_VLAN);
}

static void who_asks_and_keeps_a_reference_reads_when_the_frame_left(void **state)
{
    (void)state;
    struct lan_buf *frame = filled(60), *silent = filled(60);
    frame->flags = LAN_BUF_TX_TIMESTAMP;
    send(lan_buf_ref(frame));
    send(lan_buf_ref(silent));
    while (fake_card_send(&fixture.card, 0))
        ;
    serve();
    assert_true(frame->flags & LAN_BUF_TIMESTAMP);
    assert_int_equal(frame->timestamp_ns, 0x12345678);
    assert_false(silent->flags & LAN_BUF_TIMESTAMP);
    lan_buf_free(frame);
    lan_buf_free(silent);
}

static void a_frame_that_was_not_sent_has_no_time_stamp(void **state)
{
    (void)state;
    struct lan_buf *frame = filled(60);
    frame->flags = LAN_BUF_TX_TIMESTAMP;
    send(lan_buf_ref(frame));
    assert_true(fake_card_send(&fixture.card, TX_LATE_COLLISION));
    serve();
    assert_false(frame->flags & LAN_BUF_TIMESTAMP);
    lan_buf_free(frame);
}

static void send_stamped_from_the_handler(struct fixture *f)
{
    (void)f;
    struct lan_buf *frame = filled(60);
    frame->flags = LAN_BUF_TX_TIMESTAMP;
    send(frame);
    fixture.on_input = NULL;
    send(filled(60));
}

/* Without it the stamp would wait for the last frame of the batch. */
static void a_stamped_frame_asks_for_an_interrupt_of_its_own(void **state)
{
    (void)state;
    fixture.on_input = send_stamped_from_the_handler;
    assert_int_equal(transmit_one(60), 0); /* keeps the card busy */
    assert_true(fake_card_receive(&fixture.card, counting(60), 60, 0));
    serve();
    assert_true(fake_card_send(&fixture.card, 0));
    serve();
    assert_true(fake_card_send(&fixture.card, 0));
    assert_true(fake_card_irq(&fixture.card));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NIC_TEST(a_large_packet_goes_out_as_one_frame_with_its_segment_size),
        NIC_TEST(an_interface_with_a_usual_ring_takes_64_kib),
        NIC_TEST(segment_sizes_from_1_to_the_mtu_are_taken),
        NIC_TEST(a_large_packet_that_the_card_would_call_malformed_is_refused),
        NIC_TEST(headers_in_two_fragments_are_refused),
        NIC_TEST(a_fragment_longer_than_a_descriptor_can_say_is_refused),
        NIC_TEST(a_card_without_segmentation_refuses_large_packets),
        NIC_TEST(headers_with_options_are_segmented),
        NIC_TEST(a_tag_is_put_in_by_the_card),
        NIC_TEST(a_frame_may_be_longer_by_the_tag_that_stands_in_it),
        NIC_TEST(a_card_without_tags_refuses_them_and_may_not_report_any),
        NIC_TEST_SMALL(the_tag_of_a_received_frame_reaches_the_packet),
        NIC_TEST(who_asks_and_keeps_a_reference_reads_when_the_frame_left),
        NIC_TEST(a_frame_that_was_not_sent_has_no_time_stamp),
        NIC_TEST(a_stamped_frame_asks_for_an_interrupt_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
