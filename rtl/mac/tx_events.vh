// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// What is told of a frame when the MAC is done with it (nic_tx), and statistics counts: the bits of stat_flags. A frame is sent
// unless it has TX_EXCESSIVE_COLLISION or TX_LATE_COLLISION.

localparam TX_DEFERRED = 0;             // the medium was busy when the frame came
localparam TX_CARRIER_SENSE_ERROR = 1;  // carrier was missing while it was sent
localparam TX_LATE_COLLISION = 2;
localparam TX_EXCESSIVE_COLLISION = 3;
localparam TX_COLLISIONS = 4;           // low bit of five: how many there were, 0 to 16, a late one included
localparam TX_MULTICAST = 9;            // at most one of the last three
localparam TX_BROADCAST = 10;
localparam TX_PAUSE = 11;
