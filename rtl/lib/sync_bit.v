// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// sync_bit: brings slow bits into the domain of `clk`.
//
// Two flip-flops a bit, so `q` follows `d` after two edges of `clk`, or after three when `d` changes close to an edge.
// The bits are independent: two that change together may arrive a cycle apart, so a number may cross here only if one
// bit changes at a time (gray code). `d` must come straight from a flip-flop, and is seen for certain only if it rests
// for longer than a period of `clk`.
//
// No reset: `q` is right as soon as `d` has been so for two cycles.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module sync_bit #(
    parameter WIDTH = 1
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] d,
    output reg  [WIDTH-1:0] q
);

    (* ASYNC_REG = "TRUE" *) reg [WIDTH-1:0] meta;

    always @(posedge clk) begin
        meta <= d;
        q    <= meta;
    end

endmodule

`resetall
