/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/* Generated from nic.rdl by registers.py: X(register, name) for each counter of the card, by its address. */
#ifndef NIC_STATISTICS_H
#define NIC_STATISTICS_H

#define NIC_STATISTICS(X) \
    X(STAT_TX_FRAMES, "aFramesTransmittedOK") \
    X(STAT_TX_OCTETS, "aOctetsTransmittedOK") \
    X(STAT_RX_FRAMES, "aFramesReceivedOK") \
    X(STAT_RX_OCTETS, "aOctetsReceivedOK") \
    X(STAT_RX_BROADCAST, "aBroadcastFramesReceivedOK") \
    X(STAT_RX_MULTICAST, "aMulticastFramesReceivedOK") \
    X(STAT_RX_FCS_ERRORS, "aFrameCheckSequenceErrors") \
    X(STAT_RX_ALIGNMENT_ERRORS, "aAlignmentErrors") \
    X(STAT_RX_DRIBBLE, "rx_dribble") \
    X(STAT_RX_SYMBOL_ERRORS, "aSymbolErrorDuringCarrier") \
    X(STAT_RX_UNDERSIZE, "etherStatsUndersizePkts") \
    X(STAT_RX_FRAGMENTS, "etherStatsFragments") \
    X(STAT_RX_OVERSIZE, "etherStatsOversizePkts") \
    X(STAT_RX_JABBERS, "etherStatsJabbers") \
    X(STAT_RX_FILTERED, "rx_filtered") \
    X(STAT_RX_DROPPED, "etherStatsDropEvents")

#endif
