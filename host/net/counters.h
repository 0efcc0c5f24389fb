/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_COUNTERS_H
#define LANYARD_COUNTERS_H

/* Every counter of a stack, once: X(name, field). Names are those of RFC 4293 (Ip), RFC 4293/2011 (Icmp), RFC 4113
 * (Udp), RFC 4022 (Tcp) and Linux's netstat -s (IpExt, TcpExt); ours follow the same pattern. Adding a row is all
 * that a new counter takes: LAN_COUNT(stack, field) counts.
 */

#include <stdint.h>

#define LAN_COUNTERS_LINK(X)                                                                                           \
    X(EthInShort, eth_in_short)                                                                                        \
    X(EthInOtherHost, eth_in_other_host)                                                                               \
    X(EthInUnknownProtos, eth_in_unknown_protos)                                                                       \
    X(ArpInRequests, arp_in_requests)                                                                                  \
    X(ArpInReplies, arp_in_replies)                                                                                    \
    X(ArpInErrors, arp_in_errors)                                                                                      \
    X(ArpInConflicts, arp_in_conflicts)                                                                                \
    X(ArpOutRequests, arp_out_requests)                                                                                \
    X(ArpOutReplies, arp_out_replies)                                                                                  \
    X(ArpTableFull, arp_table_full)                                                                                    \
    X(ArpPendingDrops, arp_pending_drops)                                                                              \
    X(ArpUnresolved, arp_unresolved)                                                                                   \
    X(LinkOutQueued, link_out_queued)                                                                                  \
    X(LinkOutQueueFull, link_out_queue_full)                                                                           \
    X(LinkOutNoLink, link_out_no_link)                                                                                 \
    X(LinkOutNoBuffers, link_out_no_buffers)                                                                           \
    X(LinkOutTooLarge, link_out_too_large)

#define LAN_COUNTERS_IP(X)                                                                                             \
    X(IpInReceives, ip_in_receives)                                                                                    \
    X(IpInHdrErrors, ip_in_hdr_errors)                                                                                 \
    X(IpExtInTruncatedPkts, ip_in_truncated_pkts)                                                                      \
    X(IpExtInCsumErrors, ip_in_csum_errors)                                                                            \
    X(IpInAddrErrors, ip_in_addr_errors)                                                                               \
    X(IpInSourceRouted, ip_in_source_routed)                                                                           \
    X(IpInUnknownProtos, ip_in_unknown_protos)                                                                         \
    X(IpInDiscards, ip_in_discards)                                                                                    \
    X(IpInDelivers, ip_in_delivers)                                                                                    \
    X(IpOutRequests, ip_out_requests)                                                                                  \
    X(IpOutDiscards, ip_out_discards)                                                                                  \
    X(IpOutNoRoutes, ip_out_no_routes)                                                                                 \
    X(IpReasmReqds, ip_reasm_reqds)                                                                                    \
    X(IpReasmOKs, ip_reasm_oks)                                                                                        \
    X(IpReasmFails, ip_reasm_fails)                                                                                    \
    X(IpReasmTimeout, ip_reasm_timeout)                                                                                \
    X(IpReasmECN, ip_reasm_ecn)                                                                                        \
    X(IpExtReasmOverlaps, ip_reasm_overlaps)                                                                           \
    X(IpReasmDuplicates, ip_reasm_duplicates)                                                                          \
    X(IpReasmEvicted, ip_reasm_evicted)                                                                                \
    X(IpFragOKs, ip_frag_oks)                                                                                          \
    X(IpFragFails, ip_frag_fails)                                                                                      \
    X(IpFragCreates, ip_frag_creates)

#define LAN_COUNTERS_ICMP(X)                                                                                           \
    X(IcmpInMsgs, icmp_in_msgs)                                                                                        \
    X(IcmpInErrors, icmp_in_errors)                                                                                    \
    X(IcmpInCsumErrors, icmp_in_csum_errors)                                                                           \
    X(IcmpInDestUnreachs, icmp_in_dest_unreachs)                                                                       \
    X(IcmpInTimeExcds, icmp_in_time_excds)                                                                             \
    X(IcmpInParmProbs, icmp_in_parm_probs)                                                                             \
    X(IcmpInRedirects, icmp_in_redirects)                                                                              \
    X(IcmpInEchos, icmp_in_echos)                                                                                      \
    X(IcmpInEchoReps, icmp_in_echo_reps)                                                                               \
    X(IcmpInIgnored, icmp_in_ignored)                                                                                  \
    X(IcmpOutMsgs, icmp_out_msgs)                                                                                      \
    X(IcmpOutDestUnreachs, icmp_out_dest_unreachs)                                                                     \
    X(IcmpOutTimeExcds, icmp_out_time_excds)                                                                           \
    X(IcmpOutEchoReps, icmp_out_echo_reps)                                                                             \
    X(IcmpOutRateLimited, icmp_out_rate_limited)

#define LAN_COUNTERS_UDP(X)                                                                                            \
    X(UdpInDatagrams, udp_in_datagrams)                                                                                \
    X(UdpNoPorts, udp_no_ports)                                                                                        \
    X(UdpInErrors, udp_in_errors)                                                                                      \
    X(UdpInCsumErrors, udp_in_csum_errors)                                                                             \
    X(UdpRcvbufErrors, udp_rcvbuf_errors)                                                                              \
    X(UdpMemErrors, udp_mem_errors)                                                                                    \
    X(UdpOutDatagrams, udp_out_datagrams)                                                                              \
    X(UdpSndbufErrors, udp_sndbuf_errors)

#define LAN_COUNTERS_TCP(X)                                                                                            \
    X(TcpRtoAlgorithm, tcp_rto_algorithm)                                                                              \
    X(TcpRtoMin, tcp_rto_min)                                                                                          \
    X(TcpRtoMax, tcp_rto_max)                                                                                          \
    X(TcpMaxConn, tcp_max_conn)                                                                                        \
    X(TcpActiveOpens, tcp_active_opens)                                                                                \
    X(TcpPassiveOpens, tcp_passive_opens)                                                                              \
    X(TcpAttemptFails, tcp_attempt_fails)                                                                              \
    X(TcpEstabResets, tcp_estab_resets)                                                                                \
    X(TcpCurrEstab, tcp_curr_estab)                                                                                    \
    X(TcpInSegs, tcp_in_segs)                                                                                          \
    X(TcpOutSegs, tcp_out_segs)                                                                                        \
    X(TcpRetransSegs, tcp_retrans_segs)                                                                                \
    X(TcpInErrs, tcp_in_errs)                                                                                          \
    X(TcpInCsumErrors, tcp_in_csum_errors)                                                                             \
    X(TcpOutRsts, tcp_out_rsts)                                                                                        \
    X(TcpExtTCPTimeouts, tcp_ext_timeouts)                                                                             \
    X(TcpExtTCPSynRetrans, tcp_ext_syn_retrans)                                                                        \
    X(TcpExtTCPFastRetrans, tcp_ext_fast_retrans)                                                                      \
    X(TcpExtTCPLossProbes, tcp_ext_loss_probes)                                                                        \
    X(TcpExtTCPLossProbeRecovery, tcp_ext_loss_probe_recovery)                                                         \
    X(TcpExtPAWSEstab, tcp_ext_paws)                                                                                   \
    X(TcpExtTCPNoTimestamp, tcp_ext_no_timestamp)                                                                      \
    X(TcpExtTCPReceivedCE, tcp_ext_received_ce)                                                                        \
    X(TcpExtTCPECNReductions, tcp_ext_ecn_reductions)                                                                  \
    X(TcpExtTCPPMTUBlackHoles, tcp_ext_black_holes)                                                                    \
    X(TcpExtTCPSpuriousRTOs, tcp_ext_spurious_rtos)                                                                    \
    X(TcpExtTCPFullUndo, tcp_ext_full_undo)                                                                            \
    X(TcpExtTCPLossUndo, tcp_ext_loss_undo)                                                                            \
    X(TcpExtTCPDSACKRecv, tcp_ext_dsack_recv)                                                                          \
    X(TcpExtTCPDSACKOldSent, tcp_ext_dsack_old_sent)                                                                   \
    X(TcpExtTCPDSACKOfoSent, tcp_ext_dsack_ofo_sent)                                                                   \
    X(TcpExtTCPSACKDiscard, tcp_ext_sack_discard)                                                                      \
    X(TcpExtTCPSACKReneging, tcp_ext_sack_reneging)                                                                    \
    X(TcpExtTCPWinProbe, tcp_ext_window_probes)                                                                        \
    X(TcpExtTCPKeepAlive, tcp_ext_keep_alive)                                                                          \
    X(TcpExtDelayedACKs, tcp_ext_delayed_acks)                                                                         \
    X(TcpExtTCPChallengeACK, tcp_ext_challenge_acks)                                                                   \
    X(TcpExtTCPACKSkippedChallenge, tcp_ext_challenge_skipped)                                                         \
    X(TcpExtTCPBadAck, tcp_ext_bad_ack)                                                                                \
    X(TcpExtTCPBadHeader, tcp_ext_bad_header)                                                                          \
    X(TcpExtTCPBadOptions, tcp_ext_bad_options)                                                                        \
    X(TcpExtTCPBadFlags, tcp_ext_bad_flags)                                                                            \
    X(TcpExtOutOfWindowIcmps, tcp_ext_icmp_out_of_window)                                                              \
    X(TcpExtTCPGroup, tcp_ext_group)                                                                                   \
    X(TcpExtTCPNoPorts, tcp_ext_no_ports)                                                                              \
    X(TcpExtTCPOutOfWindow, tcp_ext_out_of_window)                                                                     \
    X(TcpExtTCPDuplicates, tcp_ext_duplicates)                                                                         \
    X(TcpExtTCPBeyondWindow, tcp_ext_beyond_window)                                                                    \
    X(TcpExtTCPUrgent, tcp_ext_urgent)                                                                                 \
    X(TcpExtTCPRcvCoalesce, tcp_ext_rcv_coalesce)                                                                      \
    X(TcpExtTCPRcvQDrop, tcp_ext_rcvq_drop)                                                                            \
    X(TcpExtTCPOFOQueue, tcp_ext_ofo_queue)                                                                            \
    X(TcpExtTCPOFODrop, tcp_ext_ofo_drop)                                                                              \
    X(TcpExtOfoPruned, tcp_ext_ofo_pruned)                                                                             \
    X(TcpExtListenOverflows, tcp_ext_listen_overflows)                                                                 \
    X(TcpExtListenDrops, tcp_ext_listen_drops)                                                                         \
    X(TcpExtTCPReqQFullDoCookies, tcp_ext_do_cookies)                                                                  \
    X(TcpExtSyncookiesSent, tcp_ext_cookies_sent)                                                                      \
    X(TcpExtSyncookiesRecv, tcp_ext_cookies_recv)                                                                      \
    X(TcpExtSyncookiesFailed, tcp_ext_cookies_failed)                                                                  \
    X(TcpExtTCPNoTCB, tcp_ext_no_tcb)                                                                                  \
    X(TcpExtTCPNoBuffers, tcp_ext_no_buffers)                                                                          \
    X(TcpExtTW, tcp_ext_time_waits)                                                                                    \
    X(TcpExtTWRecycled, tcp_ext_time_wait_recycled)                                                                    \
    X(TcpExtTCPTimeWaitOverflow, tcp_ext_time_wait_overflow)                                                           \
    X(TcpExtTCPAbortOnData, tcp_ext_abort_on_data)                                                                     \
    X(TcpExtTCPAbortOnClose, tcp_ext_abort_on_close)                                                                   \
    X(TcpExtTCPAbortOnTimeout, tcp_ext_abort_on_timeout)

#define LAN_COUNTERS(X)                                                                                                \
    LAN_COUNTERS_LINK(X)                                                                                               \
    LAN_COUNTERS_IP(X)                                                                                                 \
    LAN_COUNTERS_ICMP(X)                                                                                               \
    LAN_COUNTERS_UDP(X)                                                                                                \
    LAN_COUNTERS_TCP(X)

/* As wide as the machine counts in one step: 32 bits are what the RFCs' Counter32 has, too. */
typedef uintptr_t lan_count;

#define LAN_COUNTER_FIELD(name, field) lan_count field;
struct lan_counters {
    LAN_COUNTERS(LAN_COUNTER_FIELD)
};
#undef LAN_COUNTER_FIELD

#define LAN_COUNT(stack, field) ((void)(stack)->counters.field++)

#endif
