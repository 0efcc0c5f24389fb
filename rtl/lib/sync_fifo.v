// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// sync_fifo: first-in, first-out queue within one clock domain.
//
// 2^LOG2_DEPTH words in distributed RAM, all of them usable. First word falls through: `m_data` is the oldest word
// whenever `m_valid` is high, from the cycle after it was written. `count` is the number of words inside. `s_ready`
// does not depend on `m_ready`: a full queue takes the next word in the cycle after one was read.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module sync_fifo #(
    parameter WIDTH      = 8,
    parameter LOG2_DEPTH = 4  // 1 or more
) (
    input  wire                clk,
    input  wire                rst,

    input  wire                s_valid,
    output wire                s_ready,
    input  wire [WIDTH-1:0]    s_data,

    output wire                m_valid,
    input  wire                m_ready,
    output wire [WIDTH-1:0]    m_data,

    output reg  [LOG2_DEPTH:0] count
);

    localparam [LOG2_DEPTH-1:0] ONE = 1;

    reg [WIDTH-1:0]      memory [0:(1<<LOG2_DEPTH)-1];
    reg [LOG2_DEPTH-1:0] head, tail;

    wire write = s_valid && s_ready;
    wire read  = m_valid && m_ready;

    assign s_ready = !count[LOG2_DEPTH];
    assign m_valid = count != 0;
    assign m_data  = memory[head];

    always @(posedge clk) begin
        if (write) begin
            memory[tail] <= s_data;
            tail <= tail + ONE;
        end
        if (read) head <= head + ONE;
        if (write && !read) count <= count + {1'b0, ONE};
        if (read && !write) count <= count - {1'b0, ONE};
        if (rst) begin
            head  <= 0;
            tail  <= 0;
            count <= 0;
        end
    end

endmodule

`resetall
