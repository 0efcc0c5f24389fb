// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// rx_header: reads what stands behind the addresses of a received frame: an 802.1Q tag, or a MAC control opcode.
//
// An octet passes when `take` is high. `restart` makes the next one the first of a frame.
//
// `tag_end`      the octet at hand is the last of the four of a tag
// `has_tag`      a tag has passed
// `control`      it is a MAC control frame (802.3 31.4.1)
// `pause`        and its opcode is PAUSE (802.3 31B.2); right from the 18th octet on
// `value`        of a tagged frame its tag control information, of a pause frame the quanta, of any other 0; right from
//                the 18th octet on
//
// VLAN or PAUSE at 0 leave out what tells tags or control frames.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module rx_header #(
    parameter VLAN  = 1,
    parameter PAUSE = 1
) (
    input  wire        clk,
    input  wire        restart,
    input  wire        take,
    input  wire [7:0]  data,

    output wire        tag_end,
    output wire        has_tag,
    output reg         control,
    output reg         pause,
    output reg  [15:0] value
);

    localparam [15:0] TYPE_VLAN = 16'h8100;
    localparam [15:0] TYPE_CONTROL = 16'h8808;
    localparam [15:0] OPCODE_PAUSE = 16'h0001;

    reg [4:0]   position;  // of the octet at hand; stays where there is no more to read
    reg         tag;
    wire        done = position == (tag ? 5'd16 : control ? 5'd18 : 5'd14);
    wire [15:0] word = {value[7:0], data};
    wire        is_tag     = VLAN != 0 && word == TYPE_VLAN;
    wire        is_control = PAUSE != 0 && word == TYPE_CONTROL;

    assign tag_end = tag && position == 5'd15;
    assign has_tag = tag && position[4];

    always @(posedge clk) begin
        if (take && !done) begin
            position <= position + 5'd1;
            value    <= word;
            if (position == 5'd13) begin
                tag     <= is_tag;
                control <= is_control;
                if (!is_tag && !is_control) value <= 16'd0;
            end
            if (position == 5'd15) pause <= control && word == OPCODE_PAUSE;
        end
        if (restart) begin
            position <= 5'd0;
            tag      <= 1'b0;
            control  <= 1'b0;
            pause    <= 1'b0;
        end
    end

endmodule

`resetall
