/* SPDX-License-Identifier: Apache-2.0 */
/* What SYNs agree on by their options: the MSS and window scaling; and options in general (RFC 9293 3.1, 3.2). */
#include "peer.h"

static void syn_and_syn_ack_carry_the_mss_of_the_interface_MUST_14_MUST_67(void **state)
{
    struct peer p = peer_of(*state);
    from_peer(&p, RST, 0, 0, 0);
    listen_on(p.f, HOST_PORT, 1);
    from_peer(&p, SYN, 0, 0, 0);
    struct sent sent = next_sent(&p);
    assert_memory_equal(sent.options, "\x02\x04\x05\xb4", 4);
}

static void the_syn_offers_sack_time_stamps_and_window_scaling(void **state)
{
    struct peer p = peer_of(*state);
    start_connect(&p);
    wait_ms(&p, 1000);
    struct sent sent = next_sent(&p);
    assert_memory_equal(sent.options, "\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x01\x08\x0a", 12);
    assert_memory_equal(sent.options + 20, "\x01\x03\x03\x06", 4); /* what the buffer may grow to, 2 MiB >> 6, fits */
}

static void host_sends_segments_of(struct peer *p, uint32_t mss)
{
    host_sends(p, 1, 4000);
    assert_int_equal(next_sent(p).bytes, mss);
}

static void open_with_options(struct peer *p, const void *options, uint32_t bytes)
{
    start_connect(p);
    from_peer_options(p, SYN | ACK, 0, 1, options, bytes);
    expect(p, ACK, 1, 1, 0);
}

static void without_an_mss_option_segments_have_536_bytes_MUST_15(void **state)
{
    struct peer p = peer_of(*state);
    open_with_options(&p, NULL, 0);
    host_sends_segments_of(&p, 536);
}

static void the_peers_mss_is_obeyed_MUST_16(void **state)
{
    struct peer p = peer_of(*state);
    open_with_options(&p, "\x02\x04\x03\xe8", 4);
    host_sends_segments_of(&p, 1000);
}

static void the_interface_bounds_the_peers_mss_MUST_16(void **state)
{
    struct peer p = peer_of(*state);
    open_with_options(&p, "\x02\x04\xff\xff", 4);
    host_sends_segments_of(&p, MSS);
}

static void an_absurdly_small_mss_is_raised_to_64(void **state)
{
    struct peer p = peer_of(*state);
    open_with_options(&p, "\x02\x04\x00\x01", 4);
    host_sends_segments_of(&p, 64);
}

/* RFC 791 3.2: 68 octets are what any network carries. */
static void the_smallest_mtu_is_enough(void **state)
{
    struct peer p = peer_of(*state);
    p.f->netif.mtu = 68;
    open_with_options(&p, "\x02\x04\x05\xb4", 4);
    host_sends_segments_of(&p, 28);
    skip_sent(&p);
}

static void unknown_options_and_padding_are_skipped_MUST_6_MUST_64(void **state)
{
    struct peer p = peer_of(*state);
    open_with_options(&p, "\xfd\x05\x01\x02\x03\x02\x04\x03\xe8\x00\x63\x63", 12);
    host_sends_segments_of(&p, 1000);
}

static void an_mss_outside_a_syn_means_nothing_MUST_65(void **state)
{
    struct peer p = peer_of(*state);
    open_with_options(&p, "\x02\x04\x03\xe8", 4);
    from_peer_options(&p, ACK, 1, 1, "\x02\x04\x01\x00", 4);
    host_sends_segments_of(&p, 1000);
}

static void options_of_illegal_length_drop_the_segment_MUST_7(void **state)
{
    static const char *const illegal[] = {"\x02\x00\x01\x01", "\x02\x01\x01\x01", "\x01\x02\x05\xb4",
                                          "\x01\x01\x01\x02", "\xfd\x00\x01\x01", "\xfd\xff\x01\x01"};
    struct peer p = peer_of(*state);
    listen_on(p.f, HOST_PORT, 1);
    for (size_t i = 0; i < sizeof illegal / sizeof *illegal; i++) {
        from_peer_options(&p, SYN, 0, 0, illegal[i], 4);
        expect_quiet(&p);
        assert_int_equal(counter(p.f, "TcpExtTCPBadOptions"), i + 1);
    }
    from_peer(&p, SYN, 0, 0, 0);
    assert_int_equal(next_sent(&p).flags, SYN | ACK);
}

static void windows_scale_when_both_ends_offer_it(void **state)
{
    struct peer p = peer_of(*state);
    int listener = open_socket(p.f), wanted = 1 << 20;
    struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET};
    put16((uint8_t *)&name.sin_port, HOST_PORT);
    lan_bind(p.f->stack, listener, &name);
    lan_setsockopt(p.f->stack, listener, LAN_SOL_SOCKET, LAN_SO_RCVBUF, &wanted, sizeof wanted);
    lan_listen(p.f->stack, listener, 1);
    from_peer_options(&p, SYN, 0, 0, "\x02\x04\x05\xb4\x01\x03\x03\x07", 8);
    struct sent sent = next_sent(&p);
    assert_int_equal(sent.option_bytes, 8);
    assert_int_equal(sent.options[7], 5); /* 2^20 >> 5 fits 16 bits */
    assert_int_equal(sent.window, 65535); /* a SYN's window is not scaled */
    p.host_iss = sent.seq;
    p.window = 2; /* 256 bytes */
    from_peer(&p, ACK, 1, 1, 0);
    p.fd = lan_accept(p.f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    host_sends(&p, 1, 1000);
    assert_int_equal(expect(&p, ACK, 1, 1, 256).window, 1 << 15);
}

static void windows_do_not_scale_when_the_peer_does_not_offer_it(void **state)
{
    struct peer p = peer_of(*state);
    listen_on(p.f, HOST_PORT, 1);
    from_peer_options(&p, SYN, 0, 0, "\x02\x04\x05\xb4", 4);
    assert_int_equal(next_sent(&p).option_bytes, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(syn_and_syn_ack_carry_the_mss_of_the_interface_MUST_14_MUST_67),
        TEST(the_syn_offers_sack_time_stamps_and_window_scaling),
        TEST(without_an_mss_option_segments_have_536_bytes_MUST_15),
        TEST(the_peers_mss_is_obeyed_MUST_16),
        TEST(the_interface_bounds_the_peers_mss_MUST_16),
        TEST(an_absurdly_small_mss_is_raised_to_64),
        TEST(the_smallest_mtu_is_enough),
        TEST(unknown_options_and_padding_are_skipped_MUST_6_MUST_64),
        TEST(an_mss_outside_a_syn_means_nothing_MUST_65),
        TEST(options_of_illegal_length_drop_the_segment_MUST_7),
        TEST(windows_scale_when_both_ends_offer_it),
        TEST(windows_do_not_scale_when_the_peer_does_not_offer_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
