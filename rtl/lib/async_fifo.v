// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// async_fifo: first-in, first-out queue from the domain of `s_clk` to the domain of `m_clk`, any ratio of clocks.
//
// 2^LOG2_DEPTH words in distributed RAM, all of them usable. First word falls through: `m_data` is the oldest word
// whenever `m_valid` is high. A word shows at `m_valid` two edges of `m_clk` after the edge of `s_clk` that took it
// (three when the edges coincide); its place is free again two or three edges of `s_clk` after it was read. For one
// word a cycle at equal clocks LOG2_DEPTH must be 3 or more.
//
// `s_empty`: every word has been read, and no register on either side changes until the next one is written.
//
// Resets: each side has its own, and both must be applied, overlapping in time (reset_sync sees to it). Until the
// second one falls the words that pass mean nothing, but nothing hangs; then the queue is empty. Words that were
// inside are lost.
//
// Crossing: the pointers cross in gray code; the memory is written at least one `m_clk` edge before the pointer that
// shows the word has crossed. Constrain the paths from `s_clk` to `m_clk` and back to less than one period of the
// faster clock.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module async_fifo #(
    parameter WIDTH      = 8,
    parameter LOG2_DEPTH = 4  // 1 or more
) (
    input  wire             s_clk,
    input  wire             s_rst,
    input  wire             s_valid,
    output wire             s_ready,
    input  wire [WIDTH-1:0] s_data,
    output wire             s_empty,

    input  wire             m_clk,
    input  wire             m_rst,
    output wire             m_valid,
    input  wire             m_ready,
    output wire [WIDTH-1:0] m_data
);

    // Pointers count modulo twice the depth. Between a full queue's gray pointers just the two top bits differ.
    localparam TOP = LOG2_DEPTH;
    localparam [TOP:0] ONE = 1;
    localparam [TOP:0] FULL = 3 << (TOP - 1);

    reg [WIDTH-1:0] memory [0:(1<<LOG2_DEPTH)-1];

    reg  [TOP:0] s_count, s_gray;
    wire [TOP:0] s_count_next = s_count + ONE;
    wire [TOP:0] s_gray_of_m;

    reg  [TOP:0] m_count, m_gray;
    wire [TOP:0] m_count_next = m_count + ONE;
    wire [TOP:0] m_gray_of_s;

    sync_bit #(
        .WIDTH(TOP + 1)
    ) sync_m_gray (
        .clk(s_clk),
        .d  (m_gray),
        .q  (s_gray_of_m)
    );

    sync_bit #(
        .WIDTH(TOP + 1)
    ) sync_s_gray (
        .clk(m_clk),
        .d  (s_gray),
        .q  (m_gray_of_s)
    );

    assign s_ready = s_gray != (s_gray_of_m ^ FULL);
    assign s_empty = s_gray == s_gray_of_m;

    always @(posedge s_clk) begin
        if (s_valid && s_ready) begin
            memory[s_count[TOP-1:0]] <= s_data;
            s_count <= s_count_next;
            s_gray  <= s_count_next ^ (s_count_next >> 1);
        end
        if (s_rst) begin
            s_count <= 0;
            s_gray  <= 0;
        end
    end

    assign m_valid = m_gray != m_gray_of_s;
    assign m_data  = memory[m_count[TOP-1:0]];

    always @(posedge m_clk) begin
        if (m_valid && m_ready) begin
            m_count <= m_count_next;
            m_gray  <= m_count_next ^ (m_count_next >> 1);
        end
        if (m_rst) begin
            m_count <= 0;
            m_gray  <= 0;
        end
    end

endmodule

`resetall
