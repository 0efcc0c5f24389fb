// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// ones_sum: ones'-complement sum of 16-bit words in network order (RFC 1071), an octet at a time.
//
// With each octet the two halves of the sum change places, so one 8-bit adder serves both, and the carry out of one
// half goes into the other with the next octet: that is the end-around carry. So
// - after an even number of octets `sum` is in order, after an odd number its halves are exchanged: add a zero octet;
// - a carry may be outstanding; after two more zero octets there is none, since both halves FF with a carry
//   outstanding cannot be reached;
// - `complete`, the sum is 0xFFFF, is right after every octet.
//
// `clear` wins over `add` and sets the sum to `seed`.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module ones_sum (
    input  wire        clk,
    input  wire        clear,
    input  wire [15:0] seed,
    input  wire        add,
    input  wire [7:0]  data,
    output reg  [15:0] sum,
    output wire        complete
);

    reg carry;

    wire [8:0] total = {1'b0, sum[15:8]} + {1'b0, data} + {8'd0, carry};

    assign complete = &sum[7:0] && &sum[15:9] && sum[8] != carry;

    always @(posedge clk) begin
        if (add) begin
            sum   <= {sum[7:0], total[7:0]};
            carry <= total[8];
        end
        if (clear) begin
            sum   <= seed;
            carry <= 1'b0;
        end
    end

endmodule

`resetall
