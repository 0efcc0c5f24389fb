/* SPDX-License-Identifier: Apache-2.0 */
/* Explicit congestion notification: RFC 3168. */
#include "lanyard/tcp_info.h"
#include "sack_peer.h"
#include "world.h"

#include <errno.h>
#include <string.h>

enum { CODEPOINT = 3, NOT_ECT = 0, ECT_0 = 2, CE = 3 };
#define MSS_OPTION "\x02\x04\x05\xb4", 4

static void set_option(struct peer *p, int level, int option, int value)
{
    assert_int_equal(lan_setsockopt(p->f->stack, p->fd, level, option, &value, sizeof value), 0);
}

static int get_option(struct peer *p, int level, int option)
{
    int value;
    uint32_t bytes = sizeof value;
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, level, option, &value, &bytes), 0);
    return value;
}

/* The peer asks with `flags`; returns what the host's SYN-ACK has beside SYN and ACK. */
static uint8_t asked_with(struct peer *p, uint8_t flags)
{
    from_peer_options(p, SYN | flags, 0, 0, MSS_OPTION);
    p->host_iss = 0;
    struct sent sent = next_sent(p);
    p->host_iss = sent.seq;
    assert_int_equal(sent.tos, 0); /* 6.1.1: neither SYN nor SYN-ACK is ECT */
    return sent.flags & (uint8_t) ~(SYN | ACK);
}

static void accept_from(struct peer *p, int listener)
{
    from_peer(p, ACK, 1, 1, 0);
    p->fd = lan_accept(p->f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p->fd >= 0);
}

/* A connection on which the peer has asked for ECN. */
static int ecn_setup(void **state)
{
    static struct peer peer;
    fixture_setup(state);
    peer = peer_of(*state);
    int listener = listen_on(peer.f, peer.host_port, 8);
    assert_int_equal(asked_with(&peer, ECE | CWR), ECE);
    accept_from(&peer, listener);
    *state = &peer;
    return 0;
}

static void a_peer_that_asks_is_answered_and_gets_ect_SHLD_8(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 2 * MSS);
    assert_int_equal(expect(p, ACK, 1, 1, MSS).tos, ECT_0);
    assert_int_equal(expect(p, ACK, 1 + MSS, 1, MSS).tos, ECT_0);
}

static void a_peer_that_does_not_ask_gets_none(void **state)
{
    struct peer p = peer_of(*state);
    static const uint8_t not_asking[] = {0, ECE, CWR};
    for (int i = 0; i < 3; i++, p.port++, p.host_port++) {
        int listener = listen_on(p.f, p.host_port, 8);
        assert_int_equal(asked_with(&p, not_asking[i]), 0);
        accept_from(&p, listener);
        host_sends(&p, 1, 10);
        assert_int_equal(expect(&p, ACK, 1, 1, 10).tos, NOT_ECT);
        p.tos = CE; /* and CE means nothing */
        from_peer(&p, ACK, 1, 11, 2 * MSS);
        expect(&p, ACK, 11, 1 + 2 * MSS, 0);
        p.tos = 0;
    }
}

static void a_listener_may_refuse(void **state)
{
    struct peer p = peer_of(*state);
    p.fd = listen_on(p.f, p.host_port, 8);
    set_option(&p, LAN_IPPROTO_TCP, LAN_TCP_ECN, LAN_TCP_ECN_OFF);
    assert_int_equal(asked_with(&p, ECE | CWR), 0);
}

/* The host connects with `mode`, the peer answers with SYN, ACK and `answer`; returns the TOS of data then. */
static uint8_t connect_with(struct peer *p, int mode, uint8_t answer)
{
    p->fd = open_socket(p->f);
    set_option(p, LAN_IPPROTO_TCP, LAN_TCP_ECN, mode);
    start_connect(p);
    from_peer_options(p, SYN | ACK | answer, 0, 1, MSS_OPTION);
    expect(p, ACK, 1, 1, 0);
    host_sends(p, 1, 10);
    return expect(p, ACK, 1, 1, 10).tos;
}

static void the_host_asks_only_when_told_to(void **state)
{
    struct peer p = peer_of(*state);
    for (int mode = LAN_TCP_ECN_OFF; mode <= LAN_TCP_ECN_PASSIVE; mode++, p.port++) {
        struct lan_sockaddr_in name = {.sin_family = LAN_AF_INET, .sin_addr = PEER, .sin_port = net16(p.port)};
        int fd = open_socket(p.f);
        lan_setsockopt(p.f->stack, fd, LAN_IPPROTO_TCP, LAN_TCP_ECN, &mode, sizeof mode);
        assert_int_equal(lan_connect(p.f->stack, fd, &name), -EINPROGRESS);
        const struct frame *syn = expect_frame(p.f);
        assert_int_equal(syn->bytes[ETH + IP + 13], mode == LAN_TCP_ECN_ON ? SYN | ECE | CWR : SYN);
        assert_int_equal(syn->bytes[ETH + 1], NOT_ECT);
    }
}

static void only_an_answer_with_ece_alone_agrees_RFC_3168_6_1_1(void **state)
{
    struct peer p = peer_of(*state);
    assert_int_equal(connect_with(&p, LAN_TCP_ECN_ON, ECE), ECT_0);
    p.port++, p.fd = -1;
    assert_int_equal(connect_with(&p, LAN_TCP_ECN_ON, 0), NOT_ECT);
    p.port++, p.fd = -1;
    assert_int_equal(connect_with(&p, LAN_TCP_ECN_ON, ECE | CWR), NOT_ECT); /* flags that were only reflected */
    p.port++, p.fd = -1;
    assert_int_equal(connect_with(&p, LAN_TCP_ECN_PASSIVE, ECE), NOT_ECT); /* nobody has asked */
}

static uint32_t slow_start_threshold(const struct peer *p)
{
    struct lan_tcp_info info;
    uint32_t bytes = sizeof info;
    lan_getsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes);
    return info.snd_ssthresh;
}

/* The window that was reduced for is over with a plain ACK, and a time-out needs none to look at. */
static void a_time_out_after_the_window_that_was_marked_reduces_again(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, p.host_port, 8);
    from_peer_options(&p, SYN | ECE | CWR, 0, 0, "\x02\x04\x05\xb4\x04\x02\x01\x01", 8);
    p.host_iss = 0;
    p.host_iss = next_sent(&p).seq;
    accept_from(&p, listener);
    host_sends(&p, 1, 10 * MSS);
    skip_sent(&p);
    from_peer(&p, ACK | ECE, 1, 1 + MSS, 0);
    uint32_t marked = slow_start_threshold(&p);
    from_peer(&p, ACK, 1, 1 + 10 * MSS, 0);
    host_sends(&p, 1 + 10 * MSS, 4 * MSS);
    while (!counter(p.f, "TcpExtTCPTimeouts"))
        wait_ms(&p, 1);
    assert_true(slow_start_threshold(&p) < marked);
    skip_sent(&p);
}

static void a_reset_that_may_be_meant_for_ecn_is_asked_once_more_without_RFC_3168_6_1_1_1(void **state)
{
    struct peer p = peer_of(*state);
    p.fd = open_socket(p.f);
    set_option(&p, LAN_IPPROTO_TCP, LAN_TCP_ECN, LAN_TCP_ECN_ON);
    start_connect(&p);
    wait_ms(&p, 20);
    from_peer(&p, RST | ACK, 0, 1, 0);
    assert_int_equal(expect(&p, SYN, 0, 0, 0).flags, SYN);
    wait_ms(&p, 20);
    from_peer_options(&p, SYN | ACK, 0, 1, MSS_OPTION);
    expect(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, 10);
    assert_int_equal(expect(&p, ACK, 1, 1, 10).tos, NOT_ECT);
    struct lan_tcp_info info;
    uint32_t bytes = sizeof info;
    lan_getsockopt(p.f->stack, p.fd, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes);
    assert_in_range(info.rtt_us, 20000, 20999); /* of the second */
}

static void a_reset_of_a_syn_that_does_not_ask_refuses(void **state)
{
    struct peer p = peer_of(*state);
    for (int mode = LAN_TCP_ECN_OFF; mode <= LAN_TCP_ECN_ON; mode++, p.port++) {
        p.fd = open_socket(p.f);
        set_option(&p, LAN_IPPROTO_TCP, LAN_TCP_ECN, mode);
        start_connect(&p);
        if (mode == LAN_TCP_ECN_ON) {
            from_peer(&p, RST | ACK, 0, 1, 0);
            expect(&p, SYN, 0, 0, 0);
        }
        from_peer(&p, RST | ACK, 0, 1, 0);
        expect_quiet(&p);
        assert_int_equal(get_option(&p, LAN_SOL_SOCKET, LAN_SO_ERROR), ECONNREFUSED);
    }
}

static void a_syn_that_is_sent_again_does_not_ask_RFC_3168_6_1_1_1(void **state)
{
    struct peer p = peer_of(*state);
    p.fd = open_socket(p.f);
    set_option(&p, LAN_IPPROTO_TCP, LAN_TCP_ECN, LAN_TCP_ECN_ON);
    start_connect(&p);
    wait_ms(&p, 1000);
    assert_int_equal(next_sent(&p).flags, SYN);
    from_peer_options(&p, SYN | ACK | ECE, 0, 1, MSS_OPTION); /* the answer to the first */
    expect(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, 10);
    assert_int_equal(expect(&p, ACK, 1, 1, 10).tos, NOT_ECT); /* for one SYN said no ... */
    p.tos = CE;
    from_peer(&p, ACK, 1, 11, 100);
    expect(&p, ACK | ECE, 11, 101, 0); /* ... but the peer may have heard the other */
}

static void a_syn_ack_that_is_sent_again_still_agrees(void **state)
{
    struct peer p = peer_of(*state);
    listen_on(p.f, p.host_port, 8);
    assert_int_equal(asked_with(&p, ECE | CWR), ECE);
    wait_ms(&p, 1000);
    assert_int_equal(next_sent(&p).flags, SYN | ACK | ECE);
}

static void a_simultaneous_open_goes_without(void **state)
{
    struct peer p = peer_of(*state);
    p.fd = open_socket(p.f);
    set_option(&p, LAN_IPPROTO_TCP, LAN_TCP_ECN, LAN_TCP_ECN_ON);
    start_connect(&p);
    from_peer_options(&p, SYN | ECE | CWR, 0, 0, MSS_OPTION);
    assert_int_equal(next_sent(&p).flags, SYN | ACK);
    from_peer(&p, ACK, 1, 1, 0);
    host_sends(&p, 1, 10);
    assert_int_equal(expect(&p, ACK, 1, 1, 10).tos, NOT_ECT);
}

static void pure_acks_retransmissions_and_probes_are_not_ect_RFC_3168_6_1_4(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 2 * MSS);
    assert_int_equal(expect(p, ACK, 1, 1 + 2 * MSS, 0).tos, NOT_ECT);
    host_sends(p, 1, 10);
    assert_int_equal(expect(p, ACK, 1, 1 + 2 * MSS, 10).tos, ECT_0);
    wait_ms(p, 1000);
    assert_int_equal(expect(p, ACK, 1, 1 + 2 * MSS, 10).tos, NOT_ECT);
    skip_sent(p);
    p->window = 0;
    from_peer(p, ACK, 1 + 2 * MSS, 11, 0);
    host_sends(p, 11, 10);
    wait_ms(p, 3000);
    assert_int_equal(expect(p, ACK, 11, 1 + 2 * MSS, 1).tos, NOT_ECT); /* 6.1.6 */
    skip_sent(p);
}

static void ce_is_echoed_at_once_and_until_cwr_RFC_3168_6_1_3(void **state)
{
    struct peer *p = *state;
    p->tos = CE;
    from_peer(p, ACK, 1, 1, 100);
    expect(p, ACK | ECE, 1, 101, 0);
    p->tos = ECT_0;
    from_peer(p, ACK, 101, 1, 2 * MSS);
    expect(p, ACK | ECE, 1, 101 + 2 * MSS, 0);
    host_sends(p, 1, 10);
    expect(p, ACK | ECE, 1, 101 + 2 * MSS, 10); /* data tell it, too */
    from_peer(p, ACK | CWR, 101 + 2 * MSS, 11, 2 * MSS);
    expect(p, ACK, 11, 101 + 4 * MSS, 0);
    p->tos = CE; /* the sender has reduced, and meets congestion again */
    from_peer(p, ACK | CWR, 101 + 4 * MSS, 11, 100);
    expect(p, ACK | ECE, 11, 201 + 4 * MSS, 0);
    assert_int_equal(counter(p->f, "TcpExtTCPReceivedCE"), 2);
}

static void ce_on_what_is_out_of_the_window_means_nothing_RFC_3168_6_1_5(void **state)
{
    struct peer *p = *state;
    p->tos = CE;
    from_peer(p, ACK, 1 + (1 << 20), 1, 100);
    expect(p, ACK, 1, 1, 0);
    from_peer(p, ACK, 1, 1, 0); /* nor on a pure ACK */
    p->tos = ECT_0;
    from_peer(p, ACK, 1, 1, 2 * MSS);
    expect(p, ACK, 1, 1 + 2 * MSS, 0);
}

static void ece_reduces_once_a_window_and_cwr_says_so_RFC_3168_6_1_2(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 40 * MSS);
    assert_int_equal(skip_sent(p), 10);
    for (uint32_t i = 1; i <= 2; i++) /* 10 were under way, of which 8.5 are to be (RFC 8511) */
        from_peer(p, ACK | ECE, 1, 1 + i * MSS, 0);
    expect_quiet(p);
    from_peer(p, ACK | ECE, 1, 1 + 3 * MSS, 0);
    struct sent sent = expect(p, ACK | CWR, 1 + 10 * MSS, 1, MSS);
    assert_int_equal(sent.tos, ECT_0);
    from_peer(p, ACK | ECE, 1, 1 + 4 * MSS, 0);
    expect(p, ACK, 1 + 11 * MSS, 1, MSS); /* once */
    assert_int_equal(counter(p->f, "TcpExtTCPECNReductions"), 1);
    for (uint32_t i = 5; i <= 10; i++)
        from_peer(p, ACK, 1, 1 + i * MSS, 0);
    assert_int_equal(counter(p->f, "TcpExtTCPECNReductions"), 1);
    skip_sent(p);
    from_peer(p, ACK | ECE, 1, 1 + 11 * MSS, 0); /* of the next window */
    assert_int_equal(counter(p->f, "TcpExtTCPECNReductions"), 2);
    skip_sent(p);
}

/* CWR is in what follows the window, so the ACK of its last segment still tells of the same mark. */
static void ece_at_the_end_of_the_window_does_not_reduce_again_RFC_3168_6_1_2(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 40 * MSS);
    assert_int_equal(skip_sent(p), 10);
    for (uint32_t i = 1; i <= 10; i++)
        from_peer(p, ACK | ECE, 1, 1 + i * MSS, 0);
    assert_int_equal(counter(p->f, "TcpExtTCPECNReductions"), 1);
    skip_sent(p);
}

static void ece_with_an_ack_of_all_that_is_under_way_reduces_RFC_3168_6_1_2(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 10 * MSS);
    assert_int_equal(skip_sent(p), 10);
    from_peer(p, ACK | ECE, 1, 1 + 10 * MSS, 0);
    assert_int_equal(slow_start_threshold(p), 10 * MSS * 85 / 100);
    host_sends(p, 1 + 10 * MSS, MSS);
    expect(p, ACK | CWR, 1 + 10 * MSS, 1, MSS);
}

static uint32_t ssthresh_of(struct peer *p)
{
    struct lan_tcp_info info;
    uint32_t size = sizeof info;
    lan_getsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, &size);
    return info.snd_ssthresh;
}

/* The slow start threshold after a mark, ten segments being under way. */
static void expect_ssthresh_after_ece(struct peer *p, const char *congestion, uint32_t bytes)
{
    lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_CONGESTION, congestion, (uint32_t)strlen(congestion));
    host_sends(p, 1, 10 * MSS);
    from_peer(p, ACK | ECE, 1, 1 + MSS, 0);
    assert_int_equal(ssthresh_of(p), bytes);
    skip_sent(p);
}

static void a_mark_leaves_cubic_85_per_cent_RFC_8511(void **state)
{
    expect_ssthresh_after_ece(*state, "cubic", 10 * MSS * 85 / 100);
}

static void a_mark_leaves_newreno_8_tenths_RFC_8511(void **state)
{
    expect_ssthresh_after_ece(*state, "newreno", 10 * MSS * 8 / 10);
}

static void ece_means_nothing_where_it_was_not_agreed(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 40 * MSS);
    assert_int_equal(skip_sent(p), 10);
    from_peer(p, ACK | ECE, 1, 1 + MSS, 0);
    expect(p, ACK, 1 + 10 * MSS, 1, MSS);
    skip_sent(p);
}

static void a_loss_says_cwr_too_and_counts_once_with_ece_RFC_3168_6_1_2(void **state)
{
    struct peer *p = *state;
    host_sends(p, 1, 40 * MSS);
    assert_int_equal(skip_sent(p), 10);
    for (int i = 0; i < 3; i++)
        from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK, 1 + 10 * MSS, 1, MSS); /* limited transmit */
    expect(p, ACK, 1 + 11 * MSS, 1, MSS);
    struct sent again = expect(p, ACK, 1, 1, MSS);
    assert_int_equal(again.tos, NOT_ECT); /* 6.1.5, and CWR waits for new data */
    expect_quiet(p);
    from_peer(p, ACK | ECE, 1, 1, 0);
    assert_int_equal(counter(p->f, "TcpExtTCPECNReductions"), 0);
    while (!frames_waiting(p->f))
        from_peer(p, ACK, 1, 1, 0);
    expect(p, ACK | CWR, 1 + 12 * MSS, 1, MSS);
    skip_sent(p);
}

/* The D-SACK comes when there has been a mark, which would be forgotten with what was in vain: nothing would bound the
 * window after the next loss, which counts as one with the mark. */
static void a_recovery_in_vain_is_not_undone_after_a_mark(void **state)
{
    struct peer p = peer_of(*state);
    int listener = listen_on(p.f, p.host_port, 8);
    from_peer_options(&p, SYN | ECE | CWR, 0, 0, "\x02\x04\x05\xb4\x04\x02\x01\x01", 8);
    p.host_iss = next_sent(&p).seq;
    wait_ms(&p, RTT_MS);
    accept_from(&p, listener);
    host_sends(&p, 1, 10 * MSS);
    skip_sent(&p);
    wait_ms(&p, RTT_MS);
    sack_bytes(&p, 1, &(struct block){1 + MSS, 1 + 10 * MSS}, 1);
    wait_ms(&p, RTT_MS);
    from_peer(&p, ACK, 1, 1 + 10 * MSS, 0);
    assert_int_equal(counter(p.f, "TcpRetransSegs"), 1);
    host_sends(&p, 1 + 10 * MSS, 3 * MSS);
    from_peer(&p, ACK | ECE, 1, 1 + 11 * MSS, 0);
    assert_int_equal(counter(p.f, "TcpExtTCPECNReductions"), 1);
    uint32_t marked = ssthresh_of(&p);
    sack_bytes(&p, 1 + 11 * MSS, &(struct block){1, 1 + MSS}, 1);
    assert_int_equal(counter(p.f, "TcpExtTCPDSACKRecv"), 1);
    assert_int_equal(ssthresh_of(&p), marked);
    skip_sent(&p);
}

static void the_application_cannot_set_the_ecn_bits(void **state)
{
    struct peer *p = *state;
    set_option(p, LAN_IPPROTO_IP, LAN_IP_TOS, 0xb8 | CE);
    assert_int_equal(get_option(p, LAN_IPPROTO_IP, LAN_IP_TOS), 0xb8);
    host_sends(p, 1, 10);
    assert_int_equal(expect(p, ACK, 1, 1, 10).tos, 0xb8 | ECT_0);
    from_peer(p, ACK, 1, 11, 2 * MSS);
    assert_int_equal(expect(p, ACK, 11, 1 + 2 * MSS, 0).tos, 0xb8);
}

static void the_option_is_one_of_three(void **state)
{
    struct peer *p = *state;
    int bad = 3;
    assert_int_equal(lan_setsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_ECN, &bad, sizeof bad), -EINVAL);
    for (int mode = LAN_TCP_ECN_OFF; mode <= LAN_TCP_ECN_PASSIVE; mode++) {
        set_option(p, LAN_IPPROTO_TCP, LAN_TCP_ECN, mode);
        assert_int_equal(get_option(p, LAN_IPPROTO_TCP, LAN_TCP_ECN), mode);
    }
}

/* `bytes` of payload at seq 1 in two fragments with these codepoints. */
static void in_fragments(struct peer *p, uint32_t bytes, uint8_t first, uint8_t second)
{
    static struct frame whole, fragment;
    uint32_t rest = 20 + bytes - 800;
    peer_frame(p, &whole, ACK, 1, 1, NULL, 0, bytes);
    whole.bytes[ETH + 1] = first;
    frame_fragment(&fragment, &whole, 0, 800, true);
    inject(p->f, &fragment);
    whole.bytes[ETH + 1] = second;
    frame_fragment(&fragment, &whole, 800, rest, false);
    inject(p->f, &fragment);
}

static void ce_of_any_fragment_counts_RFC_3168_5_3(void **state)
{
    struct peer *p = *state;
    in_fragments(p, 2000, CE, ECT_0);
    expect(p, ACK | ECE, 1, 2001, 0);
}

static void ce_of_the_last_fragment_counts_RFC_3168_5_3(void **state)
{
    struct peer *p = *state;
    in_fragments(p, 2000, ECT_0, CE);
    expect(p, ACK | ECE, 1, 2001, 0);
}

static void fragments_without_ce_mark_nothing(void **state)
{
    struct peer *p = *state;
    in_fragments(p, 2 * MSS, ECT_0, ECT_0);
    expect(p, ACK, 1, 1 + 2 * MSS, 0);
}

static void ce_beside_a_fragment_that_is_not_ect_drops_both_RFC_3168_5_3(void **state)
{
    struct peer *p = *state;
    in_fragments(p, 2000, CE, NOT_ECT);
    expect_quiet(p);
    assert_int_equal(counter(p->f, "IpReasmECN"), 1);
}

/* Two hosts, and a router between them that marks. */
struct marker {
    uint32_t cwr, ect, data_not_ect, segments;
};

static void mark(struct world *world, int from, const uint8_t *frame, uint32_t len)
{
    struct marker *seen = world->sniffer;
    const uint8_t *ip = frame + ETH, *tcp = ip + IP;
    uint32_t bytes = len - ETH - IP - (tcp[12] >> 4 << 2);
    if (get16(frame + 12) != TYPE_IP || from != 0 || tcp[13] & SYN)
        return;
    seen->cwr += tcp[13] >> 7;
    /* The last hundred of 2,763 stay as they are: after a mark there are new data to say CWR. */
    if (bytes && (ip[1] & CODEPOINT) == ECT_0 && seen->segments++ % 100 == 50 && seen->segments < 2663) {
        uint8_t *marked = (uint8_t *)ip; /* the wire's own copy */
        marked[1] |= CE;
        put16(marked + 10, 0);
        put16(marked + 10, internet_checksum(marked, IP, 0));
    }
}

static uint64_t transfer(struct world *world, uint32_t bytes)
{
    static uint8_t data[65536];
    int listener = world_listen(world, 80, 4), fd = world_connect(world, 80), child = -1;
    uint64_t start_ns = world->now_ns;
    uint32_t sent = 0, received = 0;
    while (received < bytes && world_step(world, LAN_NEVER - 1)) {
        struct lan_stack *from = world->hosts[0].stack, *to = world->hosts[1].stack;
        long n =
            sent < bytes ? lan_send(from, fd, data, bytes - sent < sizeof data ? bytes - sent : sizeof data, 0) : 0;
        sent += n > 0 ? (uint32_t)n : 0;
        if (child < 0)
            child = lan_accept(to, listener, NULL, LAN_SOCK_NONBLOCK);
        n = child >= 0 ? lan_recv(to, child, data, sizeof data, 0) : 0;
        received += n > 0 ? (uint32_t)n : 0;
    }
    assert_int_equal(received, bytes);
    lan_close(world->hosts[0].stack, fd);
    lan_close(world->hosts[1].stack, child);
    lan_close(world->hosts[1].stack, listener);
    return world->now_ns - start_ns;
}

static void marks_slow_a_transfer_down_without_a_loss(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    struct marker seen = {0};
    config.wire.delay_ns = 5000000;
    config.stack.tcp_ecn = LAN_TCP_ECN_ON;
    struct world *world = world_create(&config);
    world->sniff = mark;
    world->sniffer = &seen;
    transfer(world, 4000000);
    assert_int_equal(world_counter(world, "TcpRetransSegs"), 0);
    assert_true(world_counter(world, "TcpExtTCPReceivedCE") >= 20);
    assert_true(seen.cwr >= 10);
    assert_int_equal(world_counter(world, "TcpExtTCPECNReductions"), seen.cwr);
    world_destroy(world);
}

static void segmentation_in_the_card_marks_one_segment_cwr(void **state)
{
    (void)state;
    struct world_config config = WORLD_DEFAULT;
    struct marker seen = {0};
    config.wire.delay_ns = 5000000;
    config.features = LAN_NETIF_SG | LAN_NETIF_TSO | LAN_NETIF_TX_IP_CSUM | LAN_NETIF_TX_L4_CSUM;
    config.stack.tcp_ecn = LAN_TCP_ECN_ON;
    struct world *world = world_create(&config);
    world->sniff = mark;
    world->sniffer = &seen;
    transfer(world, 4000000);
    assert_int_equal(world_counter(world, "TcpRetransSegs"), 0);
    assert_int_equal(world_counter(world, "TcpExtTCPECNReductions"), seen.cwr);
    assert_true(seen.cwr >= 10);
    world_destroy(world);
}

#define TEST_ECN(name) cmocka_unit_test_setup_teardown(name, ecn_setup, peer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ECN(a_peer_that_asks_is_answered_and_gets_ect_SHLD_8),
        TEST(a_peer_that_does_not_ask_gets_none),
        TEST(a_listener_may_refuse),
        TEST(the_host_asks_only_when_told_to),
        TEST(only_an_answer_with_ece_alone_agrees_RFC_3168_6_1_1),
        TEST(a_time_out_after_the_window_that_was_marked_reduces_again),
        TEST(a_reset_that_may_be_meant_for_ecn_is_asked_once_more_without_RFC_3168_6_1_1_1),
        TEST(a_reset_of_a_syn_that_does_not_ask_refuses),
        TEST(a_syn_that_is_sent_again_does_not_ask_RFC_3168_6_1_1_1),
        TEST(a_syn_ack_that_is_sent_again_still_agrees),
        TEST(a_simultaneous_open_goes_without),
        TEST_ECN(pure_acks_retransmissions_and_probes_are_not_ect_RFC_3168_6_1_4),
        TEST_ECN(ce_is_echoed_at_once_and_until_cwr_RFC_3168_6_1_3),
        TEST_ECN(ce_on_what_is_out_of_the_window_means_nothing_RFC_3168_6_1_5),
        TEST_ECN(ece_reduces_once_a_window_and_cwr_says_so_RFC_3168_6_1_2),
        TEST_ECN(ece_at_the_end_of_the_window_does_not_reduce_again_RFC_3168_6_1_2),
        TEST_ECN(ece_with_an_ack_of_all_that_is_under_way_reduces_RFC_3168_6_1_2),
        TEST_ECN(a_mark_leaves_cubic_85_per_cent_RFC_8511),
        TEST_ECN(a_mark_leaves_newreno_8_tenths_RFC_8511),
        TEST_CONNECTED(ece_means_nothing_where_it_was_not_agreed),
        TEST_ECN(a_loss_says_cwr_too_and_counts_once_with_ece_RFC_3168_6_1_2),
        TEST(a_recovery_in_vain_is_not_undone_after_a_mark),
        TEST_ECN(the_application_cannot_set_the_ecn_bits),
        TEST_CONNECTED(the_option_is_one_of_three),
        TEST_ECN(ce_of_any_fragment_counts_RFC_3168_5_3),
        TEST_ECN(ce_of_the_last_fragment_counts_RFC_3168_5_3),
        TEST_ECN(fragments_without_ce_mark_nothing),
        TEST_ECN(ce_beside_a_fragment_that_is_not_ect_drops_both_RFC_3168_5_3),
        cmocka_unit_test(marks_slow_a_transfer_down_without_a_loss),
        cmocka_unit_test(segmentation_in_the_card_marks_one_segment_cwr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
