// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// rx_filter: decides by its destination address whether a frame is for this station.
//
// An octet passes when `take` is high. `restart` makes the next one the first of a frame. The outputs are right from
// the sixth octet of a frame until `restart`; a frame that ends before has no address and is accepted in promiscuous
// mode only. With the second octet comes the `hash` of the address (mac_rx): the number of the bit of `cfg_hash` that
// accepts it if it is a multicast address.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module rx_filter (
    input  wire        clk,
    input  wire        restart,
    input  wire        take,
    input  wire [7:0]  data,
    input  wire [5:0]  hash,

    input  wire        cfg_promiscuous,
    input  wire        cfg_broadcast,
    input  wire [47:0] cfg_mac,  // first octet on the wire in bits 7:0
    input  wire [63:0] cfg_hash,

    output wire        accept,
    output wire        broadcast,
    output wire        multicast,
    output wire        control     // an address that MAC control frames may have: its own, or the station's
);

    // Octets of the address that MAC control has for itself (802.3 31B.1), the first in bits 7:0
    localparam [47:0] CONTROL_ADDRESS = 48'h01_00_00_C2_80_01;

    reg [2:0] position;
    reg       group;
    reg       all_ones;
    reg       own;
    reg       control_own;
    reg       in_hash;
    wire      whole = position == 3'd6;

    always @(posedge clk) begin
        if (take && !whole) begin
            position <= position + 3'd1;
            if (position == 0) group <= data[0];
            if (data != 8'hFF) all_ones <= 1'b0;
            if (data != cfg_mac[{position, 3'd0} +: 8]) own <= 1'b0;
            if (data != CONTROL_ADDRESS[{position, 3'd0} +: 8]) control_own <= 1'b0;
            if (position == 3'd1) in_hash <= cfg_hash[hash];
        end
        if (restart) begin
            position    <= 3'd0;
            all_ones    <= 1'b1;
            own         <= 1'b1;
            control_own <= 1'b1;
        end
    end

    assign broadcast = whole && all_ones;
    assign multicast = whole && group && !all_ones;
    assign accept    = cfg_promiscuous || (broadcast && cfg_broadcast) || (multicast && in_hash) || (whole && own);
    assign control   = whole && (own || control_own);

endmodule

`resetall
