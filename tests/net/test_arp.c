/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

#include "stack_internal.h"

static const uint8_t OTHER_MAC[6] = {0x02, 0, 0, 0, 0, 0x99};
#define NEIGHBOUR(n) ADDRESS(192, 0, 2, n)

static const uint8_t *arp_of(const struct frame *frame)
{
    assert_int_equal(get16(frame->bytes + 12), TYPE_ARP);
    return frame->bytes + ETH;
}

/* Sends a datagram to `address` from a socket opened once per test. */
static long send_to(struct fixture *f, int fd, uint32_t address)
{
    struct lan_sockaddr_in to = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = address};

    return lan_sendto(f->stack, fd, "x", 1, LAN_MSG_DONTWAIT, &to);
}

static int udp_socket(struct fixture *f)
{
    return lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);
}

static void expect_request(struct fixture *f, uint32_t target, const uint8_t to[6])
{
    const struct frame *frame = expect_frame(f);
    const uint8_t *arp = arp_of(frame);

    assert_memory_equal(frame->bytes, to, 6);
    assert_int_equal(get16(arp + 6), 1);
    assert_memory_equal(arp + 8, HOST_MAC, 6);
    assert_int_equal(get32(arp + 14), HOST);
    assert_int_equal(get32(arp + 24), target);
}

static void expect_datagram(struct fixture *f, uint32_t to, const uint8_t mac[6])
{
    const struct frame *frame = expect_frame(f);

    assert_int_equal(get16(frame->bytes + 12), TYPE_IP);
    assert_int_equal(get32(frame->bytes + ETH + 16), to);
    assert_memory_equal(frame->bytes, mac, 6);
}

static void reply_from(struct fixture *f, const uint8_t mac[6], uint32_t address)
{
    struct frame reply;

    frame_arp(&reply, 2, mac, address, HOST);
    inject(f, &reply);
}

static void a_request_for_our_address_is_answered(void **state)
{
    struct fixture *f = *state;
    struct frame request;

    frame_arp(&request, 1, PEER_MAC, PEER, HOST);
    inject(f, &request);

    const struct frame *reply = expect_frame(f);
    const uint8_t *arp = arp_of(reply);

    assert_memory_equal(reply->bytes, PEER_MAC, 6);
    assert_int_equal(get16(arp + 6), 2);
    assert_memory_equal(arp + 8, HOST_MAC, 6);
    assert_int_equal(get32(arp + 14), HOST);
    assert_memory_equal(arp + 18, PEER_MAC, 6);
    assert_int_equal(get32(arp + 24), PEER);
}

static void a_request_for_another_address_is_not_answered(void **state)
{
    struct fixture *f = *state;
    struct frame request;

    frame_arp(&request, 1, PEER_MAC, PEER, NEIGHBOUR(3));
    inject(f, &request);
    expect_silence(f);
}

static void who_asks_for_us_is_known_from_then_on(void **state)
{
    struct fixture *f = *state;
    struct frame request;

    frame_arp(&request, 1, PEER_MAC, PEER, HOST);
    inject(f, &request);
    expect_frame(f);
    assert_int_equal(send_to(f, udp_socket(f), PEER), 1);
    expect_datagram(f, PEER, PEER_MAC);
    advance_ms(f, 60000);
    expect_request(f, PEER, PEER_MAC); /* it was used, so it is kept */
}

static void a_probe_is_answered_without_an_entry(void **state)
{
    struct fixture *f = *state;
    struct frame probe;

    frame_arp(&probe, 1, PEER_MAC, 0, HOST);
    inject(f, &probe);
    assert_int_equal(get16(arp_of(expect_frame(f)) + 6), 2);
    expect_silence(f);
}

static void a_packet_waits_for_its_neighbour(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(send_to(f, udp_socket(f), PEER), 1);
    expect_request(f, PEER, BROADCAST_MAC);
    expect_silence(f);
    learn_peer(f);
    expect_datagram(f, PEER, PEER_MAC);
    expect_silence(f);
}

static void packets_wait_in_order_and_ask_once(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);

    for (int i = 0; i < 5; i++)
        send_to(f, fd, PEER);
    expect_request(f, PEER, BROADCAST_MAC);
    expect_silence(f);
    learn_peer(f);

    uint16_t id = get16(expect_frame(f)->bytes + ETH + 4);

    for (int i = 1; i < 5; i++)
        assert_int_equal(get16(expect_frame(f)->bytes + ETH + 4), (uint16_t)(id + i));
}

static void few_packets_wait_per_neighbour(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);

    for (int i = 0; i < 200; i++)
        send_to(f, fd, PEER);
    assert_true(lan_pool_free_buffers(lan_stack_pool(f->stack)) >= f->free_buffers - 64);
    assert_true(counter(f, "ArpPendingDrops") >= 136);
    expect_frame(f);
    expect_silence(f);
    learn_peer(f);
    while (frames_waiting(f))
        expect_frame(f);
}

static void few_packets_wait_over_all_neighbours(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);

    for (uint32_t i = 0; i < 15 * 20; i++)
        send_to(f, fd, NEIGHBOUR(10 + i % 15));
    assert_true(lan_pool_free_buffers(lan_stack_pool(f->stack)) >= f->free_buffers - f->free_buffers / 16 - 1);
    while (frames_waiting(f))
        expect_frame(f);
}

static void an_unanswered_request_is_repeated_each_second_three_times(void **state)
{
    struct fixture *f = *state;

    send_to(f, udp_socket(f), PEER);
    for (int i = 0; i < 3; i++) {
        expect_request(f, PEER, BROADCAST_MAC);
        expect_silence(f);
        advance_ms(f, 1000);
    }
    advance_ms(f, 10000);
    expect_silence(f);
    assert_int_equal(counter(f, "ArpUnresolved"), 1);
}

static void an_unreachable_neighbour_is_reported_to_the_socket(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f), error = 0;
    uint32_t bytes = sizeof error;
    struct lan_sockaddr_in to = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = PEER};

    assert_int_equal(lan_connect(f->stack, fd, &to), 0);
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), 1);
    advance_ms(f, 3000);
    lan_getsockopt(f->stack, fd, LAN_SOL_SOCKET, LAN_SO_ERROR, &error, &bytes);
    assert_int_equal(error, EHOSTUNREACH);
    assert_int_equal(lan_send(f->stack, fd, "x", 1, 0), -EHOSTUNREACH);
    while (frames_waiting(f))
        expect_frame(f);
}

static void an_unreachable_neighbour_is_asked_again_later(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);

    send_to(f, fd, PEER);
    advance_ms(f, 4000);
    while (frames_waiting(f))
        expect_frame(f);
    assert_int_equal(send_to(f, fd, PEER), 1);
    expect_request(f, PEER, BROADCAST_MAC);
}

static void an_unsolicited_reply_makes_no_entry(void **state)
{
    struct fixture *f = *state;

    reply_from(f, PEER_MAC, PEER);
    send_to(f, udp_socket(f), PEER);
    expect_request(f, PEER, BROADCAST_MAC);
}

static void a_gratuitous_announcement_makes_no_entry(void **state)
{
    struct fixture *f = *state;
    struct frame announcement;

    frame_arp(&announcement, 1, PEER_MAC, PEER, PEER);
    inject(f, &announcement);
    send_to(f, udp_socket(f), PEER);
    expect_request(f, PEER, BROADCAST_MAC);
}

static void an_announcement_of_another_mac_is_checked_with_the_old_one(void **state)
{
    struct fixture *f = *state;
    struct frame announcement;
    int fd = udp_socket(f);

    send_to(f, fd, PEER);
    expect_frame(f);
    learn_peer(f);
    expect_frame(f);
    frame_arp(&announcement, 1, OTHER_MAC, PEER, PEER);
    inject(f, &announcement);
    expect_request(f, PEER, PEER_MAC);
    reply_from(f, PEER_MAC, PEER);
    send_to(f, fd, PEER);
    expect_datagram(f, PEER, PEER_MAC);
    assert_int_equal(counter(f, "ArpInConflicts"), 1);
}

static void a_neighbour_that_moved_is_found_at_its_new_mac(void **state)
{
    struct fixture *f = *state;
    struct frame announcement;
    int fd = udp_socket(f);

    send_to(f, fd, PEER);
    expect_frame(f);
    learn_peer(f);
    expect_frame(f);
    frame_arp(&announcement, 1, OTHER_MAC, PEER, PEER);
    inject(f, &announcement);
    for (int i = 0; i < 3; i++) {
        expect_request(f, PEER, PEER_MAC);
        advance_ms(f, 1000);
    }
    expect_request(f, PEER, BROADCAST_MAC);
    reply_from(f, OTHER_MAC, PEER);
    send_to(f, fd, PEER);
    expect_datagram(f, PEER, OTHER_MAC);
}

/* A socket that has found its way must not go on to send to a neighbour that fell silent. */
static void packets_of_a_warm_flow_wait_again_when_the_neighbour_is_silent(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in to = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = PEER};
    int fd = udp_socket(f);

    lan_connect(f->stack, fd, &to);
    lan_send(f->stack, fd, "x", 1, 0);
    expect_frame(f);
    learn_peer(f);
    expect_frame(f);
    lan_send(f->stack, fd, "x", 1, 0);
    expect_datagram(f, PEER, PEER_MAC);
    advance_ms(f, 63000);
    for (int i = 0; i < 3; i++)
        expect_request(f, PEER, PEER_MAC);
    expect_request(f, PEER, BROADCAST_MAC);
    lan_send(f->stack, fd, "x", 1, 0);
    expect_silence(f);
    reply_from(f, OTHER_MAC, PEER);
    expect_datagram(f, PEER, OTHER_MAC);
}

static void a_warm_flow_notices_that_its_entry_is_gone(void **state)
{
    struct fixture *f = *state;
    struct lan_sockaddr_in to = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = PEER};
    int fd = udp_socket(f);

    lan_connect(f->stack, fd, &to);
    lan_send(f->stack, fd, "x", 1, 0);
    expect_frame(f);
    learn_peer(f);
    expect_frame(f);
    lan_send(f->stack, fd, "x", 1, 0);
    expect_frame(f);
    advance_ms(f, 60000);
    expect_request(f, PEER, PEER_MAC);
    learn_peer(f);
    advance_ms(f, 60000); /* not used since: the entry goes */
    expect_silence(f);
    lan_send(f->stack, fd, "x", 1, 0);
    expect_request(f, PEER, BROADCAST_MAC);
}

static void an_entry_in_use_is_asked_by_unicast_after_a_minute(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);

    send_to(f, fd, PEER);
    expect_frame(f);
    learn_peer(f);
    expect_frame(f);
    advance_ms(f, 59999);
    expect_silence(f);
    advance_ms(f, 1);
    expect_request(f, PEER, PEER_MAC);
    send_to(f, fd, PEER);
    expect_datagram(f, PEER, PEER_MAC); /* still used while it is asked */
    learn_peer(f);
    advance_ms(f, 5000);
    expect_silence(f);
}

static void an_entry_out_of_use_goes_after_a_minute(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);
    struct frame request;

    frame_arp(&request, 1, PEER_MAC, PEER, HOST);
    inject(f, &request);
    expect_frame(f);
    advance_ms(f, 60000);
    expect_silence(f);
    send_to(f, fd, PEER);
    expect_request(f, PEER, BROADCAST_MAC);
}

static void a_silent_stack_has_no_deadline(void **state)
{
    struct fixture *f = *state;

    advance_ms(f, 200000);
    assert_true(f->alarm_ns == LAN_NEVER);
}

static void nobody_may_claim_our_address(void **state)
{
    struct fixture *f = *state;
    struct frame claim;

    frame_arp(&claim, 1, OTHER_MAC, HOST, HOST);
    inject(f, &claim);
    expect_request(f, HOST, BROADCAST_MAC); /* the defence, RFC 5227 2.4 */
    inject(f, &claim);
    expect_silence(f); /* but not a storm of it */
    advance_ms(f, 10000);
    inject(f, &claim);
    expect_request(f, HOST, BROADCAST_MAC);
    assert_int_equal(counter(f, "ArpInConflicts"), 3);
}

static void malformed_arp_is_dropped_and_counted(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint32_t offset;
        uint8_t value;
    } wrong[] = {{1, 6}, {2, 0x86}, {4, 5}, {5, 16}, {7, 3}, {7, 0}, {8, 0x03}, {14, 224}, {17, 255}};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct frame request;

        frame_arp(&request, 1, PEER_MAC, PEER, HOST);
        request.bytes[ETH + wrong[i].offset] = wrong[i].value;
        inject(f, &request);
        expect_silence(f);
        assert_int_equal(counter(f, "ArpInErrors"), i + 1);
    }
}

static void short_arp_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame request;

    for (uint32_t bytes = 0; bytes < 28; bytes++) {
        frame_arp(&request, 1, PEER_MAC, PEER, HOST);
        request.len = ETH + bytes;
        inject(f, &request);
        expect_silence(f);
    }
    assert_int_equal(counter(f, "ArpInErrors"), 28);
}

static void a_sender_of_another_network_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct frame request;

    frame_arp(&request, 1, PEER_MAC, ADDRESS(198, 51, 100, 1), HOST);
    inject(f, &request);
    expect_silence(f);
}

/* The table has 16 entries; requests from hundreds of addresses must not cost the entry that is in use. */
static void a_flood_of_requests_keeps_the_entry_in_use(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);

    send_to(f, fd, PEER);
    expect_frame(f);
    learn_peer(f);
    expect_frame(f);
    for (uint32_t i = 3; i < 250; i++) {
        struct frame request;

        frame_arp(&request, 1, OTHER_MAC, NEIGHBOUR(i), HOST);
        inject(f, &request);
        expect_frame(f);
    }
    send_to(f, fd, PEER);
    expect_datagram(f, PEER, PEER_MAC);
    expect_silence(f);
}

/* Somebody makes us look for hundreds of hosts that do not exist. */
static void a_flood_of_unresolved_neighbours_keeps_the_entry_in_use(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);

    send_to(f, fd, PEER);
    expect_frame(f);
    learn_peer(f);
    expect_frame(f);
    for (uint32_t i = 3; i < 250; i++) {
        send_to(f, fd, NEIGHBOUR(i));
        expect_request(f, NEIGHBOUR(i), BROADCAST_MAC);
    }
    send_to(f, fd, PEER);
    expect_datagram(f, PEER, PEER_MAC);
    expect_silence(f);
}

static void a_full_table_of_live_entries_still_serves_a_new_one(void **state)
{
    struct fixture *f = *state;
    int fd = udp_socket(f);

    for (uint32_t i = 10; i < 40; i++) {
        uint8_t mac[6] = {0x02, 0, 0, 0, 1, (uint8_t)i};

        send_to(f, fd, NEIGHBOUR(i));
        expect_request(f, NEIGHBOUR(i), BROADCAST_MAC);
        reply_from(f, mac, NEIGHBOUR(i));
        expect_datagram(f, NEIGHBOUR(i), mac);
    }
}

/* A look-up must not get slower with the number of neighbours. */
static void neighbours_of_one_network_fall_into_many_chains(void **state)
{
    struct fixture *f = *state;
    const struct lan_arp *arp = &f->stack->arp;
    int fd = udp_socket(f), chains = 0;

    for (uint32_t i = 10; i < 26; i++) {
        send_to(f, fd, NEIGHBOUR(i));
        expect_frame(f);
    }
    for (uint32_t i = 0; i <= arp->bucket_mask; i++)
        chains += arp->buckets[i] != NULL;
    assert_true(chains >= 6); /* 16 at random into 16: 10 on average */
}

static void a_new_address_is_announced(void **state)
{
    struct fixture *f = *state;

    lan_netif_set_address(&f->netif, NEIGHBOUR(77), NETMASK);

    const uint8_t *arp = arp_of(expect_frame(f));

    assert_int_equal(get32(arp + 14), NEIGHBOUR(77));
    assert_int_equal(get32(arp + 24), NEIGHBOUR(77));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_for_our_address_is_answered),
        TEST(a_request_for_another_address_is_not_answered),
        TEST(who_asks_for_us_is_known_from_then_on),
        TEST(a_probe_is_answered_without_an_entry),
        TEST(a_packet_waits_for_its_neighbour),
        TEST(packets_wait_in_order_and_ask_once),
        TEST(few_packets_wait_per_neighbour),
        TEST(few_packets_wait_over_all_neighbours),
        TEST(an_unanswered_request_is_repeated_each_second_three_times),
        TEST(an_unreachable_neighbour_is_reported_to_the_socket),
        TEST(an_unreachable_neighbour_is_asked_again_later),
        TEST(an_unsolicited_reply_makes_no_entry),
        TEST(a_gratuitous_announcement_makes_no_entry),
        TEST(an_announcement_of_another_mac_is_checked_with_the_old_one),
        TEST(a_neighbour_that_moved_is_found_at_its_new_mac),
        TEST(packets_of_a_warm_flow_wait_again_when_the_neighbour_is_silent),
        TEST(a_warm_flow_notices_that_its_entry_is_gone),
        TEST(an_entry_in_use_is_asked_by_unicast_after_a_minute),
        TEST(an_entry_out_of_use_goes_after_a_minute),
        TEST(a_silent_stack_has_no_deadline),
        TEST(nobody_may_claim_our_address),
        TEST(malformed_arp_is_dropped_and_counted),
        TEST(short_arp_is_dropped),
        TEST(a_sender_of_another_network_is_not_believed),
        TEST(a_flood_of_requests_keeps_the_entry_in_use),
        TEST(a_flood_of_unresolved_neighbours_keeps_the_entry_in_use),
        TEST(a_full_table_of_live_entries_still_serves_a_new_one),
        TEST(neighbours_of_one_network_fall_into_many_chains),
        TEST(a_new_address_is_announced),
    };

    return cmocka_run_group_tests_name("arp", tests, NULL, NULL);
}
