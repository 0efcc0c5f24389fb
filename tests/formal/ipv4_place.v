// SPDX-License-Identifier: Apache-2.0
//
// Where in a frame the octet at `data` stands, told by its number alone: what proofs compare frame_position with.
//
// `number` counts from 0. Behind one 802.1Q tag or none, `in_header` and `in_payload` tell of IPv4, `place` counts from 0 in the
// header on, and `header_octets` is right from its second octet on.

`default_nettype none

module ipv4_place (
    input  wire        clk,
    input  wire        restart,
    input  wire        take,
    input  wire [7:0]  data,

    output reg  [13:0] number,
    output reg         tagged,
    output reg  [7:0]  before,         // the octet before
    output wire        in_header,
    output wire        in_payload,
    output wire [13:0] place,
    output wire [13:0] header_octets,
    output reg         ipv4,           // by the ethertype
    output reg         other,          // but not by its first octet
    output reg  [3:0]  ihl
);

    wire [13:0] start   = tagged ? 14'd18 : 14'd14;
    wire        first   = ipv4 && number == start;
    wire        is_4    = data[7:4] == 4'd4 && data[3:0] >= 4'd5;

    assign place         = number - start;
    assign header_octets = {8'd0, ihl, 2'd0};
    assign in_header     = ipv4 && !other && number >= start && (first ? is_4 : place < header_octets);
    assign in_payload    = ipv4 && !other && number > start && place >= header_octets;

    always @(posedge clk) begin
        if (take) begin
            number <= number + 14'd1;
            before <= data;
            if (number == 14'd13 && {before, data} == 16'h8100) tagged <= 1'b1;
            if (number == (tagged ? 14'd17 : 14'd13) && {before, data} == 16'h0800) ipv4 <= 1'b1;
            if (first) begin
                ihl   <= data[3:0];
                other <= !is_4;
            end
        end
        if (restart) {number, tagged, ipv4, other} <= 17'd0;
    end

endmodule

`default_nettype wire
