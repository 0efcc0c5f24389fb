// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// reset_sync: makes the synchronous reset of a clock domain from the reset of another.
//
// `rst` rises with `rst_in`, whether `clk` runs or stands still, and falls at the STAGES-th edge of `clk` after
// `rst_in` has fallen: a domain whose clock stood still during the reset is reset when its clock starts. This is the
// only asynchronous set in the design, so `rst_in` must come straight from a flip-flop, and from one that resets
// nothing synchronously itself.
//
// STAGES of 4 gives the two-cycle synchronisers of the domain time to settle while everything behind them is in
// reset.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module reset_sync #(
    parameter STAGES = 4  // 2 or more
) (
    input  wire clk,
    input  wire rst_in,
    output wire rst
);

    reg [STAGES-1:0] pipe;

    always @(posedge clk or posedge rst_in) begin
        if (rst_in) pipe <= {STAGES{1'b1}};
        else        pipe <= {pipe[STAGES-2:0], 1'b0};
    end

    assign rst = pipe[STAGES-1];

endmodule

`resetall
