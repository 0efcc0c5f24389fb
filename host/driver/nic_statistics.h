/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/* Generated from nic.rdl by registers.py: X(register, name) for each counter of the card, by its address. */
#ifndef NIC_STATISTICS_H
#define NIC_STATISTICS_H

#define NIC_STATISTICS(X) \
    X(STAT_TX_FRAMES, "aFramesTransmittedOK") \
    X(STAT_TX_OCTETS, "aOctetsTransmittedOK") \
    X(STAT_TX_MULTICAST, "aMulticastFramesXmittedOK") \
    X(STAT_TX_BROADCAST, "aBroadcastFramesXmittedOK") \
    X(STAT_TX_PAUSE, "aPAUSEMACCtrlFramesTransmitted") \
    X(STAT_TX_DEFERRED, "aFramesWithDeferredXmissions") \
    X(STAT_TX_SINGLE_COLLISION, "aSingleCollisionFrames") \
    X(STAT_TX_MULTIPLE_COLLISION, "aMultipleCollisionFrames") \
    X(STAT_TX_LATE_COLLISION, "aLateCollisions") \
    X(STAT_TX_EXCESSIVE_COLLISION, "aFramesAbortedDueToXSColls") \
    X(STAT_TX_CARRIER_SENSE_ERROR, "aCarrierSenseErrors") \
    X(STAT_TX_COLLISIONS, "etherStatsCollisions") \
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
    X(STAT_RX_DROPPED, "etherStatsDropEvents") \
    X(STAT_RX_PAUSE, "aPAUSEMACCtrlFramesReceived") \
    X(STAT_RX_64, "etherStatsPkts64Octets") \
    X(STAT_RX_65_TO_127, "etherStatsPkts65to127Octets") \
    X(STAT_RX_128_TO_255, "etherStatsPkts128to255Octets") \
    X(STAT_RX_256_TO_511, "etherStatsPkts256to511Octets") \
    X(STAT_RX_512_TO_1023, "etherStatsPkts512to1023Octets") \
    X(STAT_RX_1024_TO_1518, "etherStatsPkts1024to1518Octets") \
    X(STAT_RX_ALL_OCTETS, "etherStatsOctets") \
    X(STAT_RX_ALL_FRAMES, "etherStatsPkts") \
    X(STAT_TX_64, "tx_64") \
    X(STAT_TX_65_TO_127, "tx_65_to_127") \
    X(STAT_TX_128_TO_255, "tx_128_to_255") \
    X(STAT_TX_256_TO_511, "tx_256_to_511") \
    X(STAT_TX_512_TO_1023, "tx_512_to_1023") \
    X(STAT_TX_1024_TO_1518, "tx_1024_to_1518")

#endif
