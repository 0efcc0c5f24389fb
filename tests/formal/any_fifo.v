// SPDX-License-Identifier: Apache-2.0
//
// sync_fifo without anything in it: who includes it drives its outputs by `hierconn`, or leaves them free.

`default_nettype none

module sync_fifo #(
    parameter WIDTH      = 8,
    parameter LOG2_DEPTH = 4
) (
    input  wire                clk,
    input  wire                rst,
    input  wire                s_valid,
    output wire                s_ready,
    input  wire [WIDTH-1:0]    s_data,
    output wire                m_valid,
    input  wire                m_ready,
    output wire [WIDTH-1:0]    m_data,
    output wire [LOG2_DEPTH:0] count
);

    assign s_ready = 1'b1;

endmodule

`default_nettype wire
