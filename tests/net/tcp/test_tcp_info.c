/* SPDX-License-Identifier: Apache-2.0 */
/* What can be learned of a connection and of the stack: LAN_TCP_INFO, RFC 4022, netstat -s. */
#include "lanyard/tcp_info.h"
#include "peer.h"

#include <errno.h>
#include <string.h>

enum { RTT_MS = 20 };

static struct lan_tcp_info info_of(struct fixture *f, int fd)
{
    struct lan_tcp_info info;
    uint32_t bytes = sizeof info;
    memset(&info, 0xee, sizeof info);
    assert_int_equal(lan_getsockopt(f->stack, fd, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes), 0);
    assert_int_equal(bytes, sizeof info);
    return info;
}

/* A connection with all options, and a round trip of RTT_MS. */
static int setup(void **state)
{
    static struct peer peer;
    fixture_setup(state);
    peer = peer_of(*state);
    struct peer *p = &peer;
    int listener = listen_on(p->f, p->host_port, 8);
    from_peer_options(p, SYN | ECE | CWR, 0, 0, "\x02\x04\x03\xe8\x04\x02\x01\x01\x01\x03\x03\x05", 12);
    p->host_iss = 0;
    p->host_iss = next_sent(p).seq;
    wait_ms(p, RTT_MS);
    p->window = 1000;
    from_peer(p, ACK, 1, 1, 0);
    p->fd = lan_accept(p->f->stack, listener, NULL, LAN_SOCK_NONBLOCK);
    assert_true(p->fd >= 0);
    *state = p;
    return 0;
}

static void a_new_socket_knows_little(void **state)
{
    struct fixture *f = *state;
    struct lan_tcp_info info = info_of(f, open_socket(f));
    assert_int_equal(info.state, LAN_TCP_CLOSED);
    assert_int_equal(info.options, 0);
    assert_int_equal(info.rtt_us, 0);
    assert_int_equal(info.snd_buf, 65536);
    assert_string_equal(info.congestion, "cubic");
    assert_int_equal(info_of(f, listen_on(f, 80, 1)).state, LAN_TCP_LISTEN);
}

static void what_both_ends_agreed_to_is_told(void **state)
{
    struct peer *p = *state;
    struct lan_tcp_info info = info_of(p->f, p->fd);
    assert_int_equal(info.state, LAN_TCP_ESTABLISHED);
    assert_int_equal(info.options, LAN_TCPI_OPT_SACK | LAN_TCPI_OPT_WSCALE | LAN_TCPI_OPT_ECN);
    assert_int_equal(info.snd_wscale, 5);
    assert_int_equal(info.rcv_wscale, 6);
    assert_int_equal(info.snd_mss, 1000);
    assert_int_equal(info.advmss, MSS);
    assert_int_equal(info.pmtu, 1500);
    assert_int_equal(info.snd_wnd, 32000);
    assert_int_equal(info.rcv_wnd, 65535);
    assert_int_equal(info.rcv_buf, 65536);
}

/* TCP's clock ticks about once in a microsecond. */
static void expect_us(uint32_t told, uint32_t us)
{
    assert_in_range(told, us - 2, us + 2);
}

static void the_round_trip_and_the_time_out_are_told(void **state)
{
    struct peer *p = *state;
    struct lan_tcp_info info = info_of(p->f, p->fd);
    expect_us(info.rtt_us, RTT_MS * 1000);
    expect_us(info.rttvar_us, RTT_MS * 1000 / 2);
    expect_us(info.rto_us, RTT_MS * 1000 + 200000);
    assert_int_equal(info.min_rtt_us, 0); /* nothing has been sent */
    host_sends(p, 1, 1000);
    wait_ms(p, 10);
    from_peer(p, ACK, 1, 1001, 0);
    skip_sent(p);
    expect_us(info_of(p->f, p->fd).min_rtt_us, 10000);
}

static void put_seq(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

static void what_is_under_way_is_told(void **state)
{
    struct peer *p = *state;
    uint8_t option[12] = {1, 1, 5, 10};
    host_sends(p, 1, 20000);
    skip_sent(p);
    struct lan_tcp_info info = info_of(p->f, p->fd);
    assert_int_equal(info.snd_cwnd, 10000);
    assert_int_equal(info.snd_ssthresh, UINT32_MAX);
    assert_int_equal(info.unacked, 10000);
    assert_int_equal(info.notsent, 10000);
    assert_int_equal(info.ca_state, LAN_TCP_CA_OPEN);
    put_seq(option + 4, p->host_iss + 5001);
    put_seq(option + 8, p->host_iss + 9001);
    wait_ms(p, RTT_MS);
    from_peer_options(p, ACK, 1, 1, option, sizeof option);
    skip_sent(p);
    info = info_of(p->f, p->fd);
    assert_int_equal(info.ca_state, LAN_TCP_CA_RECOVERY);
    assert_int_equal(info.sacked, 4000);
    assert_int_equal(info.lost, 0); /* all of it has been sent again */
    assert_int_equal(info.total_retrans, 5);
    assert_int_equal(info.snd_ssthresh, 7000);
    wait_ms(p, 2000);
    skip_sent(p);
    info = info_of(p->f, p->fd);
    assert_int_equal(info.ca_state, LAN_TCP_CA_LOSS);
    assert_true(info.retransmits > 0);
    assert_true(info.lost >= 4000);
}

static void what_is_unread_is_told(void **state)
{
    struct peer *p = *state;
    from_peer(p, ACK, 1, 1, 1000);
    from_peer(p, ACK, 1001, 1, 500);
    struct lan_tcp_info info = info_of(p->f, p->fd);
    assert_int_equal(info.unread, 1500);
    assert_int_equal(info.rcv_mss, 1000);
    skip_sent(p);
}

static void pacing_is_told(void **state)
{
    struct peer *p = *state;
    int rate = 250000;
    assert_true(info_of(p->f, p->fd).pacing_rate == UINT64_MAX);
    lan_setsockopt(p->f->stack, p->fd, LAN_SOL_SOCKET, LAN_SO_MAX_PACING_RATE, &rate, sizeof rate);
    assert_int_equal(info_of(p->f, p->fd).pacing_rate, 250000);
}

static void a_caller_with_less_room_gets_the_beginning(void **state)
{
    struct peer *p = *state;
    uint8_t first[2] = {0xee, 0xee};
    uint32_t bytes = 1;
    assert_int_equal(lan_getsockopt(p->f->stack, p->fd, LAN_IPPROTO_TCP, LAN_TCP_INFO, first, &bytes), 0);
    assert_int_equal(bytes, 1);
    assert_int_equal(first[0], LAN_TCP_ESTABLISHED);
    assert_int_equal(first[1], 0xee);
}

static void it_is_of_tcp_only_and_cannot_be_set(void **state)
{
    struct fixture *f = *state;
    struct lan_tcp_info info = {0};
    uint32_t bytes = sizeof info;
    int udp = lan_socket(f->stack, LAN_AF_INET, LAN_SOCK_DGRAM, 0), tcp = open_socket(f);
    assert_int_equal(lan_getsockopt(f->stack, udp, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes), -ENOPROTOOPT);
    assert_int_equal(lan_setsockopt(f->stack, tcp, LAN_IPPROTO_TCP, LAN_TCP_INFO, &info, sizeof info), -ENOPROTOOPT);
}

static void states_have_the_names_of_netstat(void **state)
{
    (void)state;
    assert_string_equal(lan_tcp_state_name(LAN_TCP_CLOSED), "CLOSE");
    assert_string_equal(lan_tcp_state_name(LAN_TCP_SYN_RECEIVED), "SYN_RECV");
    assert_string_equal(lan_tcp_state_name(LAN_TCP_TIME_WAIT), "TIME_WAIT");
}

static void connections_that_are_established_are_counted_RFC_4022(void **state)
{
    struct peer *p = *state;
    assert_int_equal(counter(p->f, "TcpCurrEstab"), 1);
    struct peer q = *p;
    q.port++, q.host_port++;
    passive_open(&q);
    assert_int_equal(counter(p->f, "TcpCurrEstab"), 2);
    from_peer(&q, FIN | ACK, 1, 1, 0); /* CLOSE-WAIT counts */
    assert_int_equal(counter(p->f, "TcpCurrEstab"), 2);
    lan_close(p->f->stack, q.fd);
    assert_int_equal(counter(p->f, "TcpCurrEstab"), 1);
    lan_shutdown(p->f->stack, p->fd, LAN_SHUT_WR);
    assert_int_equal(counter(p->f, "TcpCurrEstab"), 0);
    skip_sent(p);
    struct peer r = *p;
    r.port += 2, r.host_port += 2;
    passive_open(&r);
    from_peer(&r, RST, 1, 0, 0);
    assert_int_equal(counter(p->f, "TcpCurrEstab"), 0);
    skip_sent(p);
}

/* Straight from where they stood to CLOSED, whoever ends them. */
static void connections_that_fail_or_are_reset_are_counted_RFC_4022(void **state)
{
    struct peer *p = *state;
    lan_shutdown(p->f->stack, p->fd, LAN_SHUT_WR);
    skip_sent(p);
    from_peer(p, RST, 1, 0, 0); /* in FIN-WAIT-1 */
    assert_int_equal(counter(p->f, "TcpEstabResets"), 0);
    struct peer q = *p;
    q.port++, q.host_port++;
    passive_open(&q);
    from_peer(&q, ACK, 1, 1, 10);
    lan_close(p->f->stack, q.fd); /* with bytes unread */
    assert_int_equal(counter(p->f, "TcpEstabResets"), 1);
    skip_sent(&q);
    assert_int_equal(counter(p->f, "TcpAttemptFails"), 0);
    struct peer r = peer_of(p->f);
    start_connect(&r);
    lan_close(p->f->stack, r.fd);
    assert_int_equal(counter(p->f, "TcpAttemptFails"), 1);
    struct peer t = *p;
    t.port += 2, t.host_port += 2;
    listen_on(t.f, t.host_port, 1);
    from_peer(&t, SYN, 0, 0, 0);
    skip_sent(&t);
    from_peer(&t, RST, 1, 0, 0); /* in SYN-RECEIVED */
    assert_int_equal(counter(p->f, "TcpAttemptFails"), 2);
    struct peer u = *p;
    u.port += 3, u.host_port += 3;
    passive_open(&u);
    from_peer(&u, FIN | ACK, 1, 1, 0);
    skip_sent(&u);
    from_peer(&u, RST, 2, 0, 0); /* in CLOSE-WAIT */
    assert_int_equal(counter(p->f, "TcpEstabResets"), 2);
}

/* RFC 4022, and what else Linux has in /proc/net/snmp; then its netstat -s, as far as we have it. */
static const char *const KNOWN[] = {
    "TcpRtoAlgorithm",
    "TcpRtoMin",
    "TcpRtoMax",
    "TcpMaxConn",
    "TcpActiveOpens",
    "TcpPassiveOpens",
    "TcpAttemptFails",
    "TcpEstabResets",
    "TcpCurrEstab",
    "TcpInSegs",
    "TcpOutSegs",
    "TcpRetransSegs",
    "TcpInErrs",
    "TcpOutRsts",
    "TcpInCsumErrors",
    "TcpExtSyncookiesSent",
    "TcpExtSyncookiesRecv",
    "TcpExtSyncookiesFailed",
    "TcpExtOfoPruned",
    "TcpExtOutOfWindowIcmps",
    "TcpExtTW",
    "TcpExtTWRecycled",
    "TcpExtPAWSEstab",
    "TcpExtDelayedACKs",
    "TcpExtListenOverflows",
    "TcpExtListenDrops",
    "TcpExtTCPSACKReneging",
    "TcpExtTCPFullUndo",
    "TcpExtTCPLossUndo",
    "TcpExtTCPFastRetrans",
    "TcpExtTCPTimeouts",
    "TcpExtTCPLossProbes",
    "TcpExtTCPLossProbeRecovery",
    "TcpExtTCPDSACKOldSent",
    "TcpExtTCPDSACKOfoSent",
    "TcpExtTCPDSACKRecv",
    "TcpExtTCPAbortOnData",
    "TcpExtTCPAbortOnClose",
    "TcpExtTCPAbortOnTimeout",
    "TcpExtTCPSACKDiscard",
    "TcpExtTCPSpuriousRTOs",
    "TcpExtTCPTimeWaitOverflow",
    "TcpExtTCPReqQFullDoCookies",
    "TcpExtTCPRcvCoalesce",
    "TcpExtTCPOFOQueue",
    "TcpExtTCPOFODrop",
    "TcpExtTCPChallengeACK",
    "TcpExtTCPSYNChallenge",
    "TcpExtTCPSynRetrans",
    "TcpExtTCPACKSkippedChallenge",
    "TcpExtTCPWinProbe",
    "TcpExtTCPKeepAlive",
    "TcpExtTCPRcvQDrop",
    "IpExtInCsumErrors",
    "IpExtInTruncatedPkts",
    "IpExtReasmOverlaps",
};

/* What neither counts, mostly causes for dropping a segment. */
static const char *const OURS[] = {
    "TcpExtTCPNoTimestamp",  "TcpExtTCPReceivedCE", "TcpExtTCPECNReductions", "TcpExtTCPPMTUBlackHoles",
    "TcpExtTCPBadAck",       "TcpExtTCPBadHeader",  "TcpExtTCPBadOptions",    "TcpExtTCPBadFlags",
    "TcpExtTCPGroup",        "TcpExtTCPNoPorts",    "TcpExtTCPOutOfWindow",   "TcpExtTCPDuplicates",
    "TcpExtTCPBeyondWindow", "TcpExtTCPUrgent",     "TcpExtTCPNoTCB",         "TcpExtTCPNoBuffers",
};

static bool stands_in(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

#define STANDS_IN(name, names) stands_in(name, names, sizeof names / sizeof *names)

static void counters_have_the_names_of_RFC_4022_and_of_linux(void **state)
{
    struct fixture *f = *state;
    struct lan_counter all[256];
    size_t count = lan_stack_counters(f->stack, all, 256), known = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(all[i].name, all[j].name);
        bool of_others = STANDS_IN(all[i].name, KNOWN);
        known += of_others;
        if ((strncmp(all[i].name, "Tcp", 3) == 0 || strncmp(all[i].name, "IpExt", 5) == 0) && !of_others &&
            !STANDS_IN(all[i].name, OURS)) {
            print_error("%s is neither RFC 4022's or Linux's nor named as ours\n", all[i].name);
            fail();
        }
    }
    for (size_t i = 0; i < 15; i++) /* all of RFC 4022's scalars, and Linux's TcpInCsumErrors */
        counter(f, KNOWN[i]);
    assert_true(known > 50);
}

#define TEST_INFO(name) cmocka_unit_test_setup_teardown(name, setup, peer_teardown)

/* Those that leave only: a large one as the segments that it is cut into, one that IP refuses not at all; and not what
 * only comes again. */
static void segments_sent_are_those_that_left_RFC_4022(void **state)
{
    struct peer *p = *state;
    uint64_t before = counter(p->f, "TcpOutSegs");
    host_sends(p, 1, 3000);
    assert_int_equal(counter(p->f, "TcpOutSegs"), before + 3);
    skip_sent(p);
    wait_ms(p, 2000);
    assert_true(skip_sent(p) && counter(p->f, "TcpRetransSegs"));
    assert_int_equal(counter(p->f, "TcpOutSegs"), before + 3);
    from_peer(p, ACK, 1, 3001, 0);
    skip_sent(p);
    lan_route_delete(p->f->stack, HOST & NETMASK, NETMASK);
    before = counter(p->f, "TcpOutSegs");
    host_sends(p, 3001, 3000);
    from_peer(p, ACK, 2, 3001, 0); /* is answered, out of order */
    expect_quiet(p);
    assert_int_equal(counter(p->f, "TcpOutSegs"), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_socket_knows_little),
        TEST_INFO(what_both_ends_agreed_to_is_told),
        TEST_INFO(the_round_trip_and_the_time_out_are_told),
        TEST_INFO(what_is_under_way_is_told),
        TEST_INFO(what_is_unread_is_told),
        TEST_INFO(pacing_is_told),
        TEST_INFO(a_caller_with_less_room_gets_the_beginning),
        TEST(it_is_of_tcp_only_and_cannot_be_set),
        cmocka_unit_test(states_have_the_names_of_netstat),
        TEST_INFO(connections_that_are_established_are_counted_RFC_4022),
        TEST_INFO(connections_that_fail_or_are_reset_are_counted_RFC_4022),
        TEST_INFO(segments_sent_are_those_that_left_RFC_4022),
        TEST(counters_have_the_names_of_RFC_4022_and_of_linux),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
