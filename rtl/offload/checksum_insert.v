// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// checksum_insert: works out the checksums of a frame while it enters the frame buffer, and patches them into it there.
//
// An octet passes when `take` is high, and goes to `write_address` of the buffer. `restart` ends a frame. The settings
// stand from the first octet until the last one has passed.
//
// `ip_csum`: the header checksum of an IPv4 packet (whatever stood in its field); does nothing to other frames.
// `l4_csum`: the ones' complement of the sum from octet `csum_start` to the end goes to the two octets from
// `csum_start` + `csum_offset`; 0 becomes 0xFFFF where `csum_offset` is 6 (UDP). If these two are not within the frame,
// nothing is patched.
// With both, the span must not begin before the end of the IPv4 header: one adder serves one after the other.
//
// Writing takes three cycles behind an IPv4 header and three (odd span: four) behind the frame: `busy`, then the last
// one with `patch` alone. No octet may pass in any of them.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module checksum_insert #(
    parameter LOG2_BYTES = 12
) (
    input  wire                  clk,
    input  wire                  restart,
    input  wire                  take,
    input  wire [7:0]            data,
    input  wire                  last,

    input  wire                  ip_csum,
    input  wire                  l4_csum,
    input  wire [7:0]            csum_start,
    input  wire [7:0]            csum_offset,

    input  wire [LOG2_BYTES-1:0] write_address,
    output wire                  busy,
    output wire                  patch,
    output reg  [LOG2_BYTES-1:0] patch_address,
    output wire [7:0]            patch_data
);

    localparam [7:0] UDP_OFFSET = 8'd6;
    localparam [LOG2_BYTES-1:0] ONE = 1;

    wire        in_ip_header, header_end;
    wire [5:0]  index;
    wire        unused_ip_payload;
    wire [15:0] unused_word;

    frame_position position (
        .clk       (clk),
        .restart   (restart),
        .take      (take),
        .data      (data),
        .ip_header (in_ip_header),
        .ip_payload(unused_ip_payload),
        .header_end(header_end),
        .index     (index),
        .word      (unused_word)
    );

    // The IPv4 header, without its checksum
    wire ip_header = in_ip_header && ip_csum;
    wire ip_summed = ip_header && index[5:1] != 5'd5;

    // The span: `distance` counts the octets from the start of the frame to the span, then those within it, less one.
    reg  [7:0] distance;
    reg        started;    // the octet at hand is within the span, not its first
    reg        complete;   // the checksum field has passed
    reg        udp;
    wire       starts = l4_csum && !started && distance == csum_start;
    wire       completes = started && !complete && distance == csum_offset;

    always @(posedge clk) begin
        if (take) begin
            distance <= starts ? 8'd0 : distance + 8'd1;
            if (starts) started <= 1'b1;
            if (completes) begin
                complete <= 1'b1;
                udp      <= csum_offset == UDP_OFFSET;
            end
        end
        if (restart) begin
            distance <= 8'd0;
            started  <= 1'b0;
            complete <= 1'b0;
            udp      <= 1'b0;
        end
    end

    // A zero octet makes an odd span even, one settles the high half of the sum, one the low half, which have then each
    // come to stand at the bottom.
    localparam [1:0] PASS = 2'b00;
    localparam [1:0] SETTLE = 2'b01;
    localparam [1:0] HIGH = 2'b11;
    localparam [1:0] LOW = 2'b10;

    reg  [1:0]  state;
    reg         odd;
    wire [15:0] sum;
    wire        unused_complete;

    assign busy       = state[0];
    assign patch      = state[1];
    assign patch_data = ~sum[7:0] | {8{udp && &sum}};

    wire add = busy || (take && (ip_summed || starts || started));

    ones_sum ones_sum (
        .clk     (clk),
        .clear   (restart || state == LOW),
        .seed    (16'h0000),
        .add     (add),
        .data    (busy ? 8'h00 : data),
        .sum     (sum),
        .complete(unused_complete)
    );

    always @(posedge clk) begin
        if (add) odd <= !odd;

        // Comes to rest at the first octet of the field.
        if (take && ((ip_header && index == 6'd10) || starts || (started && !complete && !completes))) begin
            patch_address <= write_address;
        end

        case (state)
            PASS:    if (take && ((ip_header && header_end) || (last && (complete || completes)))) state <= SETTLE;
            SETTLE:  if (!odd) state <= HIGH;
            HIGH:    state <= LOW;
            default: state <= PASS;
        endcase
        if (state == HIGH) patch_address <= patch_address + ONE;

        if (restart) state <= PASS;
        if (restart || state == LOW) odd <= 1'b0;
    end

endmodule

`resetall
