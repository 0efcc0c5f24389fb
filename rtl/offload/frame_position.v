// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// frame_position: tells where in a frame the octet at `data` stands.
//
// An octet passes when `take` is high. `restart` makes the next one the first of a frame. IPv4 is found by its
// ethertype, behind one 802.1Q tag too; a version other than 4 or an IHL below 5 is not IPv4.
//
// `ip_header`, `ip_payload`: the octet belongs to the IPv4 header, or comes behind it (to the end of the frame,
// padding included). `index` counts from 0 in each of the two, in the payload up to 32, where it stays.
// `header_end`: it is the last of the IPv4 header. `word`: the octet before and this one.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module frame_position (
    input  wire        clk,
    input  wire        restart,
    input  wire        take,
    input  wire [7:0]  data,

    output wire        ip_header,
    output wire        ip_payload,
    output wire        header_end,
    output reg  [5:0]  index,
    output wire [15:0] word
);

    localparam [15:0] ETHERTYPE_IPV4 = 16'h0800;
    localparam [15:0] ETHERTYPE_VLAN = 16'h8100;

    localparam [1:0] ETHERNET = 2'd0;
    localparam [1:0] IP_HEADER = 2'd1;
    localparam [1:0] IP_PAYLOAD = 2'd2;
    localparam [1:0] OTHER = 2'd3;

    reg [1:0] layer;
    reg       vlan;  // the tag has passed
    reg [3:0] last_word;  // of the header: IHL - 1
    reg [7:0] previous;

    wire not_ipv4 = index == 0 && (data[7:4] != 4'd4 || data[3:0] < 4'd5);

    assign ip_header  = layer == IP_HEADER && !not_ipv4;
    assign ip_payload = layer == IP_PAYLOAD;
    assign header_end = layer == IP_HEADER && index == {last_word, 2'b11};
    assign word       = {previous, data};

    always @(posedge clk) begin
        if (take) begin
            previous <= data;
            if (!(ip_payload && index[5])) index <= index + 6'd1;

            if (layer == ETHERNET && index == 6'd13) begin
                if (word == ETHERTYPE_VLAN && !vlan) begin
                    vlan <= 1'b1;
                    index  <= 6'd10;
                end else begin
                    layer <= word == ETHERTYPE_IPV4 ? IP_HEADER : OTHER;
                    index <= 6'd0;
                end
            end

            if (layer == IP_HEADER) begin
                if (index == 0) last_word <= data[3:0] - 4'd1;
                if (not_ipv4) layer <= OTHER;
                if (header_end) begin
                    layer <= IP_PAYLOAD;
                    index <= 6'd0;
                end
            end
        end

        if (restart) begin
            layer  <= ETHERNET;
            index  <= 6'd0;
            vlan <= 1'b0;
        end
    end

endmodule

`resetall
