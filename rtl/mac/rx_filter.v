// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// rx_filter: decides by its destination address whether a frame is for this station.
//
// An octet passes when `take` is high. `restart` makes the next one the first of a frame. The outputs are right from
// the sixth octet of a frame until `restart`; a frame that ends before has no address and is accepted in promiscuous
// mode only.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module rx_filter (
    input  wire        clk,
    input  wire        restart,
    input  wire        take,
    input  wire [7:0]  data,

    input  wire        cfg_promiscuous,
    input  wire        cfg_broadcast,
    input  wire [47:0] cfg_mac,  // first octet on the wire in bits 7:0

    output wire        accept,
    output wire        broadcast,
    output wire        multicast
);

    reg [2:0] position;
    reg       group;
    reg       all_ones;
    reg       own;
    wire      whole = position == 3'd6;

    always @(posedge clk) begin
        if (take && !whole) begin
            position <= position + 3'd1;
            if (position == 0) group <= data[0];
            if (data != 8'hFF) all_ones <= 1'b0;
            if (data != cfg_mac[{position, 3'd0} +: 8]) own <= 1'b0;
        end
        if (restart) begin
            position <= 3'd0;
            all_ones <= 1'b1;
            own      <= 1'b1;
        end
    end

    assign broadcast = whole && all_ones;
    assign multicast = whole && group && !all_ones;
    assign accept    = cfg_promiscuous || (broadcast && cfg_broadcast) || (whole && own);

endmodule

`resetall
