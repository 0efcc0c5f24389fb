// SPDX-License-Identifier: Apache-2.0
//
// sync_bit as its users must take it: of bits that have changed in the step before the edge of `clk`, each may be seen
// as it was or as it is, whatever the others do.

`default_nettype none

module sync_bit #(
    parameter WIDTH = 1
) (
    input  wire             clk,
    input  wire [WIDTH-1:0] d,
    output reg  [WIDTH-1:0] q
);

    (* anyseq *) wire [WIDTH-1:0] late;
    reg [WIDTH-1:0] before, meta;

    always @($global_clock) before <= d;

    always @(posedge clk) begin
        meta <= (late & before) | (~late & d);
        q    <= meta;
    end

endmodule

`default_nettype wire
