// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// What rx_path tells of the end of a frame, and statistics counts: the bits of stat_flags, in the order of STAT_RX_* in
// nic.rdl.

localparam RX_GOOD = 0;       // delivered without error; counts its octets too
localparam RX_BROADCAST = 1;  // with RX_GOOD only, as the next
localparam RX_MULTICAST = 2;
localparam RX_FCS_ERROR = 3;
localparam RX_ALIGNMENT_ERROR = 4;
localparam RX_DRIBBLE = 5;
localparam RX_SYMBOL_ERROR = 6;
localparam RX_UNDERSIZE = 7;
localparam RX_FRAGMENT = 8;
localparam RX_OVERSIZE = 9;
localparam RX_JABBER = 10;
localparam RX_FILTERED = 11;
localparam RX_DROPPED = 12;
localparam RX_PAUSE = 13;
