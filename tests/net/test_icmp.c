/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <errno.h>
#include <string.h>

static const uint8_t *icmp_of(const struct frame *frame)
{
    assert_int_equal(get16(frame->bytes + 12), TYPE_IP);
    assert_int_equal(frame->bytes[ETH + 9], PROTOCOL_ICMP);
    return frame->bytes + ETH + IP;
}

static void an_echo_request_is_answered_with_the_same_data(void **state)
{
    struct fixture *f = *state;
    static struct frame request;
    static uint8_t data[1472];

    meet_peer(f);
    for (uint32_t bytes = 0; bytes <= sizeof data; bytes += bytes < 64 ? 1 : 101) {
        for (uint32_t i = 0; i < bytes; i++)
            data[i] = (uint8_t)(i + bytes);
        frame_icmp(&request, 8, 0, data, bytes);
        inject(f, &request);

        const struct frame *reply = expect_frame(f);

        assert_int_equal(icmp_of(reply)[0], 0);
        assert_int_equal(get32(reply->bytes + ETH + 12), HOST);
        assert_int_equal(get32(reply->bytes + ETH + 16), PEER);
        assert_int_equal(reply->len, request.len);
        assert_memory_equal(icmp_of(reply) + 4, icmp_of(&request) + 4, 4 + bytes);
    }
    expect_silence(f);
}

static void an_echo_in_small_buffers_is_answered(void **state)
{
    struct fixture *f = *state;
    static struct frame request;

    meet_peer(f);
    frame_icmp(&request, 8, 0, "some data to echo", 17);
    for (uint32_t piece = 1; piece < request.len; piece++) {
        inject_in_pieces(f, &request, piece);

        const struct frame *reply = expect_frame(f);

        assert_memory_equal(icmp_of(reply) + 4, icmp_of(&request) + 4, 4 + 17);
    }
}

/* The checksum is mended, not summed again: all the carries must come out right. */
static void the_reply_is_valid_whatever_the_checksum_was(void **state)
{
    struct fixture *f = *state;
    static struct frame request;

    meet_peer(f);
    for (uint32_t i = 0; i < 65536; i += 7) {
        uint8_t data[2] = {(uint8_t)(i >> 8), (uint8_t)i};

        frame_icmp(&request, 8, 0, data, 2);
        inject(f, &request);
        expect_frame(f); /* checks it */
        advance_ms(f, 1);
    }
}

static void an_echo_larger_than_the_mtu_comes_back_in_fragments(void **state)
{
    struct fixture *f = *state;
    static struct frame request, fragment;
    static uint8_t data[65507], back[65536];
    uint32_t total = 0;

    meet_peer(f);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 13);
    frame_icmp(&request, 8, 0, data, sizeof data);
    for (uint32_t offset = 0; offset < ICMP + sizeof data; offset += 1480) {
        uint32_t left = ICMP + sizeof data - offset;

        frame_fragment(&fragment, &request, offset, left < 1480 ? left : 1480, left > 1480);
        inject(f, &fragment);
    }
    while (frames_waiting(f)) {
        const struct frame *reply = expect_frame(f);
        uint32_t offset = (get16(reply->bytes + ETH + 6) & 0x1fff) * 8u;

        assert_true(reply->len <= 1514);
        memcpy(back + offset, icmp_of(reply), reply->len - ETH - IP);
        total += reply->len - ETH - IP;
    }
    assert_int_equal(total, ICMP + sizeof data);
    assert_int_equal(internet_checksum(back, total, 0), 0);
    assert_memory_equal(back + ICMP, data, sizeof data);
}

static void a_broadcast_echo_is_not_answered(void **state)
{
    struct fixture *f = *state;
    static const uint32_t to[] = {ADDRESS(255, 255, 255, 255), ADDRESS(192, 0, 2, 255), ADDRESS(224, 0, 0, 1)};
    struct frame request;

    meet_peer(f);
    for (int i = 0; i < 3; i++) {
        frame_icmp(&request, 8, 0, "x", 1);
        memcpy(request.bytes, BROADCAST_MAC, 6);
        put32(request.bytes + ETH + 16, to[i]);
        fix_ip(&request);
        inject(f, &request);
    }
    expect_silence(f);
    assert_int_equal(counter(f, "IcmpInIgnored"), 3);
}

static void a_bad_icmp_checksum_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame request;

    frame_icmp(&request, 8, 0, "odd", 3);
    request.bytes[ETH + IP + ICMP + 2] ^= 0x10;
    inject(f, &request);
    expect_silence(f);
    assert_int_equal(counter(f, "IcmpInCsumErrors"), 1);
}

static void icmp_below_8_bytes_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct frame request;

    for (uint32_t bytes = 0; bytes < ICMP; bytes++) {
        frame_ip(&request, PEER, HOST, PROTOCOL_ICMP, "\x08\x00\xf7\xff\x00\x00\x00\x00", bytes);
        inject(f, &request);
    }
    expect_silence(f);
    assert_int_equal(counter(f, "IcmpInErrors"), ICMP);
}

static void unknown_types_are_ignored(void **state)
{
    struct fixture *f = *state;
    struct frame message;

    for (int type = 0; type < 256; type++)
        if (type != 8) {
            frame_icmp(&message, (uint8_t)type, 0, NULL, 0);
            inject(f, &message);
        }
    expect_silence(f);
}

static void echo_replies_are_rate_limited(void **state)
{
    struct fixture *f = *state;
    struct frame request;

    meet_peer(f);
    frame_icmp(&request, 8, 0, "x", 1);
    for (int i = 0; i < 3000; i++)
        inject(f, &request);
    assert_int_equal(frames_waiting(f), 1000);
    assert_int_equal(counter(f, "IcmpOutRateLimited"), 2000);
    while (frames_waiting(f))
        expect_frame(f);
    advance_ms(f, 1);
    for (int i = 0; i < 3000; i++)
        inject(f, &request);
    assert_int_equal(frames_waiting(f), 49); /* of 20.48 us each */
    while (frames_waiting(f))
        expect_frame(f);
}

static void a_closed_port_is_reported_with_the_quoted_header(void **state)
{
    struct fixture *f = *state;
    struct frame datagram;

    meet_peer(f);
    frame_udp(&datagram, 1234, 9, "0123456789", 10);
    inject(f, &datagram);

    const struct frame *error = expect_frame(f);
    const uint8_t *icmp = icmp_of(error);

    assert_int_equal(icmp[0], 3);
    assert_int_equal(icmp[1], 3);
    assert_int_equal(error->len, ETH + IP + ICMP + IP + 8);
    assert_memory_equal(icmp + ICMP, datagram.bytes + ETH, IP + 8);
}

static void options_are_quoted_with_the_header(void **state)
{
    struct fixture *f = *state;
    struct frame datagram;
    uint8_t options[40] = {1};

    meet_peer(f);
    frame_udp(&datagram, 1234, 9, "0123456789", 10);
    frame_ip_options(&datagram, options, 40);
    inject(f, &datagram);
    assert_memory_equal(icmp_of(expect_frame(f)) + ICMP, datagram.bytes + ETH, 60 + 8);
}

static void an_unknown_protocol_is_reported(void **state)
{
    struct fixture *f = *state;
    struct frame packet;

    meet_peer(f);
    frame_ip(&packet, PEER, HOST, 132, "sctp", 4);
    inject(f, &packet);

    const struct frame *error = expect_frame(f);

    assert_int_equal(icmp_of(error)[0], 3);
    assert_int_equal(icmp_of(error)[1], 2);
    assert_memory_equal(icmp_of(error) + ICMP + IP, "sctp", 4);
    assert_int_equal(error->len, ETH + IP + ICMP + IP + 4);
}

static void errors_are_never_sent_about_broadcasts(void **state)
{
    struct fixture *f = *state;
    struct frame datagram;

    meet_peer(f);
    frame_udp(&datagram, 1234, 9, "x", 1);
    memcpy(datagram.bytes, BROADCAST_MAC, 6);
    put32(datagram.bytes + ETH + 16, ADDRESS(192, 0, 2, 255));
    fix_ip(&datagram);
    fix_l4(&datagram);
    inject(f, &datagram);
    expect_silence(f);
    assert_int_equal(counter(f, "UdpNoPorts"), 1);
}

static void errors_are_never_sent_about_errors(void **state)
{
    struct fixture *f = *state;
    static struct frame error, quoted, fragment;

    /* A first fragment of an ICMP error that never completes: the time-out must stay silent. */
    meet_peer(f);
    frame_udp(&quoted, 9, 9, "x", 1);
    frame_icmp(&error, 3, 3, quoted.bytes + ETH, 28);
    frame_fragment(&fragment, &error, 0, 16, true);
    inject(f, &fragment);
    advance_ms(f, 31000);
    expect_silence(f);
    assert_int_equal(counter(f, "IpReasmTimeout"), 1);
}

static void errors_are_rate_limited(void **state)
{
    struct fixture *f = *state;
    struct frame datagram;

    meet_peer(f);
    frame_udp(&datagram, 1234, 9, "x", 1);
    for (int i = 0; i < 1000; i++)
        inject(f, &datagram);
    assert_int_equal(frames_waiting(f), 10);
    while (frames_waiting(f))
        expect_frame(f);
}

/* Whatever the limiter's clock makes of it. */
static void an_error_is_sent_after_a_silence_of_any_length(void **state)
{
    struct fixture *f = *state;
    struct frame datagram;

    frame_udp(&datagram, 1234, 9, "x", 1);
    for (uint64_t silence_ms = 4000; silence_ms < 4400; silence_ms += 10) {
        advance_ms(f, silence_ms);
        meet_peer(f);
        inject(f, &datagram);
        assert_int_equal(icmp_of(expect_frame(f))[0], 3);
    }
}

/* No global limit that a stranger could use up, or probe (CVE-2020-25705). */
static void errors_to_one_host_do_not_use_up_those_to_another(void **state)
{
    struct fixture *f = *state;
    struct frame datagram, request;
    int answered = 0;

    for (uint32_t host = 10; host < 20; host++) {
        frame_arp(&request, 1, PEER_MAC, ADDRESS(192, 0, 2, host), HOST);
        inject(f, &request);
        expect_frame(f);
    }
    for (uint32_t host = 10; host < 20; host++) {
        for (int i = 0; i < 100; i++) {
            frame_udp(&datagram, 1234, 9, "x", 1);
            put32(datagram.bytes + ETH + 12, ADDRESS(192, 0, 2, host));
            fix_ip(&datagram);
            fix_l4(&datagram);
            inject(f, &datagram);
        }
        answered += frames_waiting(f) > 0;
        while (frames_waiting(f))
            expect_frame(f);
    }
    assert_true(answered >= 8); /* a few share a bucket by chance */
}

static void an_error_for_a_datagram_we_did_not_send_is_ignored(void **state)
{
    struct fixture *f = *state;
    static struct frame error, quoted;

    frame_udp(&quoted, 9, 9, "x", 1); /* from the peer, not from us */
    frame_icmp(&error, 3, 3, quoted.bytes + ETH, 28);
    inject(f, &error);
    expect_silence(f);
    assert_int_equal(counter(f, "IcmpInIgnored"), 1);
}

static void short_and_odd_quotes_are_ignored(void **state)
{
    struct fixture *f = *state;
    static struct frame error, quoted;

    frame_udp(&quoted, 9, 9, "x", 1);
    put32(quoted.bytes + ETH + 12, HOST);
    put32(quoted.bytes + ETH + 16, PEER);
    for (uint32_t bytes = 0; bytes < IP + 8; bytes++) {
        frame_icmp(&error, 3, 3, quoted.bytes + ETH, bytes);
        inject(f, &error);
    }
    quoted.bytes[ETH] = 0x4f; /* header of 60 bytes, not there */
    frame_icmp(&error, 3, 3, quoted.bytes + ETH, IP + 8);
    inject(f, &error);
    quoted.bytes[ETH] = 0x44;
    frame_icmp(&error, 3, 3, quoted.bytes + ETH, IP + 8);
    inject(f, &error);
    assert_int_equal(counter(f, "IcmpInIgnored"), IP + 8 + 2);
    expect_silence(f);
}

static void a_redirect_changes_no_route(void **state)
{
    struct fixture *f = *state;
    static struct frame redirect, quoted;
    struct lan_sockaddr_in to = {.sin_family = LAN_AF_INET, .sin_port = net16(9), .sin_addr = ADDRESS(198, 51, 100, 1)};
    int fd = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0);

    lan_route_add(f->stack, 0, 0, PEER, &f->netif);
    lan_sendto(f->stack, fd, "x", 1, 0, &to);
    expect_frame(f);
    learn_peer(f);
    expect_frame(f);
    frame_udp(&quoted, 9, 9, "x", 1);
    put32(quoted.bytes + ETH + 12, HOST);
    put32(quoted.bytes + ETH + 16, to.sin_addr);
    frame_icmp(&redirect, 5, 1, quoted.bytes + ETH, 28);
    put32(redirect.bytes + ETH + IP + 4, ADDRESS(192, 0, 2, 66));
    fix_l4(&redirect);
    inject(f, &redirect);
    lan_sendto(f->stack, fd, "x", 1, 0, &to);
    assert_memory_equal(expect_frame(f)->bytes, PEER_MAC, 6);
    assert_int_equal(counter(f, "IcmpInRedirects"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_echo_request_is_answered_with_the_same_data),
        TEST(an_echo_in_small_buffers_is_answered),
        TEST(the_reply_is_valid_whatever_the_checksum_was),
        TEST(an_echo_larger_than_the_mtu_comes_back_in_fragments),
        TEST(a_broadcast_echo_is_not_answered),
        TEST(a_bad_icmp_checksum_is_dropped),
        TEST(icmp_below_8_bytes_is_dropped),
        TEST(unknown_types_are_ignored),
        TEST(echo_replies_are_rate_limited),
        TEST(a_closed_port_is_reported_with_the_quoted_header),
        TEST(options_are_quoted_with_the_header),
        TEST(an_unknown_protocol_is_reported),
        TEST(errors_are_never_sent_about_broadcasts),
        TEST(errors_are_never_sent_about_errors),
        TEST(errors_are_rate_limited),
        TEST(an_error_is_sent_after_a_silence_of_any_length),
        TEST(errors_to_one_host_do_not_use_up_those_to_another),
        TEST(an_error_for_a_datagram_we_did_not_send_is_ignored),
        TEST(short_and_odd_quotes_are_ignored),
        TEST(a_redirect_changes_no_route),
    };

    return cmocka_run_group_tests_name("icmp", tests, NULL, NULL);
}
