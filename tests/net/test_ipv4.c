/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 on its way in: what is dropped, and by which counter. A datagram to an open port shows what got through. */
#include "udp_fixture.h"

#include <string.h>

enum { PORT = 5000 };

static int receiver(struct fixture *f)
{
    return bound(f, 0, PORT);
}

static void good(struct frame *frame)
{
    frame_udp(frame, 1234, PORT, "hello", 5);
}

static bool arrived(struct fixture *f, int fd)
{
    char data[64];
    long bytes = lan_recv(f->stack, fd, data, sizeof data, 0);

    return bytes == 5 && memcmp(data, "hello", 5) == 0;
}

/* Injects a frame that must vanish without an answer and be counted as `name`. */
static void expect_drop(struct fixture *f, int fd, const struct frame *frame, const char *name)
{
    uint64_t before = counter(f, name);

    inject(f, frame);
    assert_false(arrived(f, fd));
    assert_int_equal(counter(f, name), before + 1);
    expect_silence(f);
}

static void a_good_datagram_arrives(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    good(&frame);
    inject(f, &frame);
    assert_true(arrived(f, fd));
}

static void a_datagram_in_small_buffers_arrives(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    for (uint32_t piece = 1; piece < 48; piece++) {
        good(&frame);
        inject_in_pieces(f, &frame, piece);
        assert_true(arrived(f, fd));
    }
}

static void padding_is_trimmed(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    good(&frame);
    memset(frame.bytes + frame.len, 0xee, 60 - frame.len);
    frame.len = 60;
    inject(f, &frame);
    assert_true(arrived(f, fd));
}

static void a_frame_shorter_than_its_header_says_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    good(&frame);
    for (frame.len--; frame.len >= ETH; frame.len--)
        expect_drop(f, fd, &frame, "IpExtInTruncatedPkts");
    for (; frame.len > 0; frame.len--)
        expect_drop(f, fd, &frame, "EthInShort");
}

static void an_empty_frame_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame = {.len = 0};

    expect_drop(f, receiver(f), &frame, "EthInShort");
}

static void another_version_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    for (int version = 0; version < 16; version++) {
        good(&frame);
        frame.bytes[ETH] = (uint8_t)(version << 4 | 5);
        fix_ip(&frame);
        if (version != 4)
            expect_drop(f, fd, &frame, "IpInHdrErrors");
    }
}

static void a_header_below_20_bytes_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    for (int words = 0; words < 5; words++) {
        good(&frame);
        frame.bytes[ETH] = (uint8_t)(0x40 | words);
        fix_ip(&frame);
        expect_drop(f, fd, &frame, "IpInHdrErrors");
    }
}

static void a_header_longer_than_the_packet_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    good(&frame);
    frame.bytes[ETH] = 0x4f;
    expect_drop(f, receiver(f), &frame, "IpInHdrErrors");
}

static void a_total_length_below_the_header_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    for (uint16_t total = 0; total < 20; total++) {
        good(&frame);
        put16(frame.bytes + ETH + 2, total);
        fix_ip(&frame);
        expect_drop(f, fd, &frame, "IpInHdrErrors");
    }
}

static void a_packet_of_headers_only_is_harmless(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    good(&frame);
    put16(frame.bytes + ETH + 2, 20);
    fix_ip(&frame);
    expect_drop(f, receiver(f), &frame, "UdpInErrors");
}

static void any_wrong_bit_in_the_header_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    for (uint32_t bit = 0; bit < 160; bit++) {
        uint64_t before = counter(f, "IpInDelivers");

        good(&frame);
        frame.bytes[ETH + bit / 8] ^= (uint8_t)(1 << bit % 8);
        inject(f, &frame);
        assert_int_equal(counter(f, "IpInDelivers"), before);
    }
    assert_false(arrived(f, fd));
    expect_silence(f);
}

static void a_checksum_that_the_card_verified_is_not_summed_again(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);
    struct lan_buf *buf = lan_buf_alloc(lan_stack_pool(f->stack), 2);

    good(&frame);
    frame.bytes[ETH + 10] ^= 1;
    memcpy(lan_buf_put(buf, frame.len), frame.bytes, frame.len);
    buf->flags = LAN_BUF_IP_OK;
    lan_netif_input(&f->netif, buf);
    assert_true(arrived(f, fd));
}

static void foreign_and_impossible_addresses_are_dropped(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t src, dst;
    } wrong[] = {
        {PEER, ADDRESS(192, 0, 2, 3)},       /* to another host */
        {PEER, ADDRESS(127, 0, 0, 1)},       /* loopback from the wire */
        {PEER, 0},                           /* to nobody */
        {PEER, ADDRESS(239, 1, 2, 3)},       /* a group we did not join */
        {HOST, HOST},                        /* from ourselves: land */
        {0, HOST},                           /* from nobody */
        {ADDRESS(127, 0, 0, 1), HOST},       /* from loopback */
        {ADDRESS(224, 0, 0, 5), HOST},       /* from a group */
        {ADDRESS(255, 255, 255, 255), HOST}, /* from everybody */
        {ADDRESS(192, 0, 2, 255), HOST},     /* from everybody here */
        {ADDRESS(240, 0, 0, 1), HOST},       /* from class E */
    };
    int fd = receiver(f);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct frame frame;

        good(&frame);
        put32(frame.bytes + ETH + 12, wrong[i].src);
        put32(frame.bytes + ETH + 16, wrong[i].dst);
        fix_ip(&frame);
        fix_l4(&frame);
        expect_drop(f, fd, &frame, "IpInAddrErrors");
    }
}

static void a_source_is_judged_anew_when_an_address_changes(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    good(&frame);
    inject(f, &frame);
    assert_true(arrived(f, fd));
    lan_netif_set_address(&f->netif, PEER, ADDRESS(255, 255, 255, 0));
    expect_frame(f); /* tells the neighbours */
    put32(frame.bytes + ETH + 16, PEER);
    fix_ip(&frame);
    fix_l4(&frame);
    expect_drop(f, fd, &frame, "IpInAddrErrors"); /* from ourselves */
}

static void without_an_address_nothing_is_for_us(void **state)
{
    struct fixture *f = *state;
    struct frame frame;
    int fd = receiver(f);

    lan_netif_set_address(&f->netif, 0, 0);
    good(&frame);
    put32(frame.bytes + ETH + 16, 0);
    fix_ip(&frame);
    fix_l4(&frame);
    expect_drop(f, fd, &frame, "IpInAddrErrors");
}

static void broadcasts_arrive(void **state)
{
    struct fixture *f = *state;
    static const uint32_t to[] = {ADDRESS(255, 255, 255, 255), ADDRESS(192, 0, 2, 255), ADDRESS(224, 0, 0, 1)};
    int fd = receiver(f);

    for (int i = 0; i < 3; i++) {
        struct frame frame;

        good(&frame);
        memcpy(frame.bytes, BROADCAST_MAC, 6);
        put32(frame.bytes + ETH + 16, to[i]);
        fix_ip(&frame);
        fix_l4(&frame);
        inject(f, &frame);
        assert_true(arrived(f, fd));
    }
}

/* RFC 1122 3.3.6 */
static void unicast_in_a_broadcast_frame_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    good(&frame);
    memcpy(frame.bytes, BROADCAST_MAC, 6);
    expect_drop(f, receiver(f), &frame, "IpInAddrErrors");
}

static void a_frame_for_another_mac_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    good(&frame);
    frame.bytes[5] ^= 1;
    expect_drop(f, receiver(f), &frame, "EthInOtherHost");
}

static void an_unknown_ethertype_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    good(&frame);
    put16(frame.bytes + 12, 0x86dd);
    expect_drop(f, receiver(f), &frame, "EthInUnknownProtos");
    assert_int_equal(f->netif.stats.in_unknown_protocols, 1);
}

static void options_are_skipped(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint8_t bytes[40];
        uint32_t count;
    } options[] = {
        {{1, 1, 1, 0}, 4},              /* NOPs and the end */
        {{7, 7, 4, 0, 0, 0, 0, 0}, 8},  /* record route, empty */
        {{7, 3, 200, 0}, 4},            /* record route, pointer past its end: nobody looks */
        {{148, 4, 0, 0}, 4},            /* router alert */
        {{68, 8, 5, 0, 0, 0, 0, 0}, 8}, /* time stamp */
        {{0, 9, 9, 9}, 4},              /* nothing counts after the end */
        {{1}, 40},                      /* as many as there can be */
    };
    int fd = receiver(f);

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct frame frame;

        good(&frame);
        frame_ip_options(&frame, options[i].bytes, options[i].count);
        inject(f, &frame);
        assert_true(arrived(f, fd));
    }
}

static void options_in_small_buffers_are_skipped(void **state)
{
    struct fixture *f = *state;
    uint8_t options[40] = {1};
    int fd = receiver(f);

    for (uint32_t piece = 1; piece < 88; piece++) {
        struct frame frame;

        good(&frame);
        frame_ip_options(&frame, options, 40);
        inject_in_pieces(f, &frame, piece);
        assert_true(arrived(f, fd));
    }
}

static void malformed_options_are_dropped(void **state)
{
    struct fixture *f = *state;
    static const uint8_t options[][4] = {{7, 0, 0, 0}, {7, 1, 0, 0}, {7, 5, 4, 0}, {7, 255, 4, 0}, {1, 1, 1, 7}};
    int fd = receiver(f);

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        struct frame frame;

        good(&frame);
        frame_ip_options(&frame, options[i], 4);
        expect_drop(f, fd, &frame, "IpInHdrErrors");
    }
}

static void source_routes_are_dropped(void **state)
{
    struct fixture *f = *state;
    static const uint8_t routes[][8] = {
        {131, 7, 4, 198, 51, 100, 1, 0}, {137, 3, 4, 0, 0, 0, 0, 0}, {1, 131, 3, 255, 0, 0, 0, 0}};
    int fd = receiver(f);

    for (int i = 0; i < 3; i++) {
        struct frame frame;

        good(&frame);
        frame_ip_options(&frame, routes[i], 8);
        expect_drop(f, fd, &frame, "IpInSourceRouted");
    }
}

static void ip_in_ip_is_refused(void **state)
{
    struct fixture *f = *state;
    struct frame inner, outer;
    int fd = receiver(f);

    good(&inner);
    frame_ip(&outer, PEER, HOST, 4, inner.bytes + ETH, inner.len - ETH);
    inject(f, &outer);
    assert_false(arrived(f, fd));
    assert_int_equal(counter(f, "IpInUnknownProtos"), 1);
    expect_frame(f); /* the ARP request for the protocol unreachable */
    learn_peer(f);
    assert_int_equal(expect_frame(f)->bytes[ETH + IP + 1], 2);
}

static void a_flood_of_garbage_costs_no_buffers(void **state)
{
    struct fixture *f = *state;
    struct frame frame;

    for (uint32_t i = 0; i < 5000; i++) {
        good(&frame);
        frame.bytes[ETH + i % 20] ^= (uint8_t)(i * 7 | 1);
        inject(f, &frame);
    }
    assert_int_equal(lan_pool_free_buffers(lan_stack_pool(f->stack)), f->free_buffers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_datagram_arrives),
        TEST(a_datagram_in_small_buffers_arrives),
        TEST(padding_is_trimmed),
        TEST(a_frame_shorter_than_its_header_says_is_dropped),
        TEST(an_empty_frame_is_dropped),
        TEST(another_version_is_dropped),
        TEST(a_header_below_20_bytes_is_dropped),
        TEST(a_header_longer_than_the_packet_is_dropped),
        TEST(a_total_length_below_the_header_is_dropped),
        TEST(a_packet_of_headers_only_is_harmless),
        TEST(any_wrong_bit_in_the_header_is_dropped),
        TEST(a_checksum_that_the_card_verified_is_not_summed_again),
        TEST(foreign_and_impossible_addresses_are_dropped),
        TEST(a_source_is_judged_anew_when_an_address_changes),
        TEST(without_an_address_nothing_is_for_us),
        TEST(broadcasts_arrive),
        TEST(unicast_in_a_broadcast_frame_is_dropped),
        TEST(a_frame_for_another_mac_is_dropped),
        TEST(an_unknown_ethertype_is_dropped),
        TEST(options_are_skipped),
        TEST(options_in_small_buffers_are_skipped),
        TEST(malformed_options_are_dropped),
        TEST(source_routes_are_dropped),
        TEST(ip_in_ip_is_refused),
        TEST(a_flood_of_garbage_costs_no_buffers),
    };

    return cmocka_run_group_tests_name("ipv4", tests, NULL, NULL);
}
