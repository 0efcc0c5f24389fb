// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// checksum_check: verifies the IPv4, TCP and UDP checksums of a received frame as it passes.
//
// An octet passes when `take` is high, which must not be while `busy`: one cycle behind an IPv4 header, three cycles
// after the octet marked `last`. Then the results stand until `restart`, which must come before the next frame.
//
// `ip_ok`       IPv4, with a right header checksum, and all of the packet has arrived
// `l4_checked`  and it is TCP, or UDP with a checksum and a length that is that of the IP payload, and no fragment
// `l4_ok`       and its checksum is right
// `sum`         ones'-complement sum of the IP payload, padding left out; counts with `ip_ok`

`resetall
`timescale 1ns / 1ps
`default_nettype none

module checksum_check (
    input  wire        clk,
    input  wire        restart,
    input  wire        take,
    input  wire [7:0]  data,
    input  wire        last,
    output wire        busy,

    output wire        ip_ok,
    output wire        l4_checked,
    output wire        l4_ok,
    output wire [15:0] sum
);

    localparam [7:0] PROTOCOL_TCP = 8'd6;
    localparam [7:0] PROTOCOL_UDP = 8'd17;

    wire        ip_header, ip_payload, header_end;
    wire [5:0]  index;
    wire [15:0] word;

    frame_position position (
        .clk       (clk),
        .restart   (restart),
        .take      (take),
        .data      (data),
        .ip_header (ip_header),
        .ip_payload(ip_payload),
        .header_end(header_end),
        .index     (index),
        .word      (word)
    );

    // Octets of the packet that are still to come, the one at hand included, plus 5: with that it is the length of the
    // payload just when the UDP length, whole with the sixth octet of the payload, is compared to it.
    reg  [15:0] remaining;
    reg         in_packet;  // the octet at hand is within the packet's total length
    wire        counted = ip_payload || (ip_header && index > 6'd4);

    always @(posedge clk) begin
        if (take && ip_header && index == 6'd3) remaining <= word;
        if (take && counted) begin
            remaining <= remaining - 16'd1;
            if (remaining == 16'd6) in_packet <= 1'b0;
        end
        if (restart) in_packet <= 1'b1;
    end

    // The header's sum is judged in the cycle behind the header, then the same adder sums the payload. In the end come
    // zero octets: one to fill an odd word, two for the last carry.
    reg        judging;
    reg        header_ok;
    reg        odd;
    reg  [1:0] settling;
    wire       summed = ip_payload && in_packet;
    wire       header_complete;

    ones_sum plain_sum (
        .clk     (clk),
        .clear   (restart || judging),
        .seed    (16'h0000),
        .add     (take ? ip_header || summed : settling[1] || (settling[0] && odd)),
        .data    (take ? data : 8'h00),
        .sum     (sum),
        .complete(header_complete)
    );

    assign busy = judging || settling != 0;

    always @(posedge clk) begin
        judging <= take && header_end && in_packet;
        if (judging) header_ok <= header_complete;
        if (take && summed) odd <= !odd;

        if (settling != 0) settling <= settling + 2'd1;
        if (take && last) settling <= 2'd1;
        if (restart) begin
            judging   <= 1'b0;
            header_ok <= 1'b0;
            odd       <= 1'b0;
            settling  <= 2'd0;
        end
    end

    // The pseudo-header and the payload together. The length of the payload enters as the total length minus that of
    // the header, which is the seed. Of time to live and protocol only the second counts.
    wire        starting     = ip_header && index == 0;
    wire        time_to_live = ip_header && index == 6'd8;
    wire        length       = ip_header && index[5:1] == 5'd1;
    wire        protocol     = ip_header && index[5:1] == 5'd4;
    wire        addresses    = ip_header && index >= 6'd12 && index < 6'd20;
    wire        l4_complete;
    wire [15:0] unused_sum;

    ones_sum l4_sum (
        .clk     (clk),
        .clear   (take && starting),
        .seed    ({8'hFF, 2'b11, ~data[3:0], 2'b11}),
        .add     (take && (length || protocol || addresses || summed)),
        .data    (time_to_live ? 8'h00 : data),
        .sum     (unused_sum),
        .complete(l4_complete)
    );

    reg tcp, udp, fragment;
    reg length_matches;  // UDP's own length
    reg checkable;

    always @(posedge clk) begin
        if (take && ip_header) begin
            if (index == 6'd7) fragment <= word[13:0] != 0;
            if (index == 6'd9) begin
                tcp <= data == PROTOCOL_TCP;
                udp <= data == PROTOCOL_UDP;
            end
        end
        if (take && summed) begin
            if (index == 6'd5) length_matches <= word == remaining;
            if (index == 6'd7 && udp && length_matches && word != 0) checkable <= !fragment;
            if (index == 6'd19 && tcp) checkable <= !fragment;
        end
        if (restart) checkable <= 1'b0;
    end

    assign ip_ok      = header_ok && !in_packet;
    assign l4_checked = ip_ok && checkable;
    assign l4_ok      = l4_checked && l4_complete;

endmodule

`resetall
