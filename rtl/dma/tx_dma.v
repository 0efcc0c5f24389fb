// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// tx_dma: the transmit ring and everything between it and an octet stream of frames.
//
// tx_fetch reads descriptors and fragments into a small queue of words, tx_unpack makes octets of them, tx_complete writes
// the descriptors back when the MAC has sent their frame. `frame_done` pulses once for each frame that was
// given without drop (`m_axis_tuser`), in order; `frame_error` and `timestamp_ns` are sampled with it.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module tx_dma #(
    parameter [16:0] FRAME_LIMIT = 2048, // as for tx_fetch
    parameter TSO = 1,
    parameter VLAN = 1
) (
    input  wire         clk,
    input  wire         rst,
    input  wire         enable,             // frames may be begun

    // Registers (ring)
    input  wire [2:0]   ring_address,
    output wire [31:0]  ring_value,
    input  wire [3:0]   ring_write,
    input  wire [31:0]  ring_write_data,
    output wire         irq_done,           // pulses: causes of interrupts
    output wire         irq_error,

    // axi_read
    output wire         read_valid,
    input  wire         read_ready,
    output wire [29:0]  read_addr,
    output wire [3:0]   read_len,
    input  wire         read_data_valid,
    input  wire [31:0]  read_data,
    input  wire         read_data_last,
    input  wire         read_data_error,

    // axi_write
    output wire         write_valid,
    input  wire         write_ready,
    output wire [29:0]  write_addr,
    output wire [3:0]   write_len,
    output wire         w_valid,
    input  wire         w_ready,
    output wire [31:0]  w_data,
    output wire [3:0]   w_strb,
    input  wire         write_done,
    input  wire         write_error,

    // Frames
    output wire         frame_ip_csum,
    output wire         frame_l4_csum,
    output wire         frame_tso,
    output wire         frame_vlan,
    output wire [7:0]   frame_csum_start,
    output wire [7:0]   frame_csum_offset,
    output wire [7:0]   frame_hdr_len,
    output wire [13:0]  frame_mss,
    output wire [15:0]  frame_tci,
    output wire         m_axis_tvalid,
    input  wire         m_axis_tready,
    output wire [7:0]   m_axis_tdata,
    output wire         m_axis_tlast,
    output wire         m_axis_tuser,
    input  wire         frame_done,
    input  wire [1:0]   frame_error,
    input  wire [31:0]  timestamp_ns,

    output wire         idle
);

    wire        run, available, full, take, ok, reset;
    wire [14:0] next, unused_head, done_index;
    wire [27:0] next_addr, done_addr;
    wire        complete, fetch_fail, complete_fail;
    wire [1:0]  fetch_error;
    wire        fetch_busy, fetch_idle, writing, complete_busy, complete_idle;
    wire        reset_done = reset && !fetch_busy && !writing;

    ring ring (
        .clk       (clk),
        .rst       (rst),
        .address   (ring_address),
        .value     (ring_value),
        .write     (ring_write),
        .write_data(ring_write_data),
        .irq_error (irq_error),
        .run       (run),
        .available (available),
        .next      (next),
        .full      (full),
        .next_addr (next_addr),
        .take      (take),
        .head      (unused_head),
        .done_index(done_index),
        .done_addr (done_addr),
        .complete  (complete),
        .fail      (fetch_fail || complete_fail),
        .fail_error(complete_fail ? 2'd1 : fetch_error),
        .fail_index(complete_fail ? done_index : next),
        .ok        (ok),
        .busy      (fetch_busy || complete_busy),
        .reset     (reset),
        .reset_done(reset_done)
    );

    wire        push_valid, word_valid, word_ready;
    wire [38:0] push_word, word;
    wire [5:0]  words;
    wire        unused_ready;
    wire        frame_room, frame_push, frame_irq;

    tx_fetch #(
        .FRAME_LIMIT(FRAME_LIMIT),
        .TSO        (TSO),
        .VLAN       (VLAN)
    ) tx_fetch (
        .clk            (clk),
        .rst            (rst),
        .enable         (enable),
        .ring_run       (run),
        .ring_available (available),
        .ring_full      (full),
        .ring_next_addr (next_addr),
        .ring_take      (take),
        .ring_fail      (fetch_fail),
        .ring_fail_error(fetch_error),
        .ring_reset     (reset),
        .read_valid     (read_valid),
        .read_ready     (read_ready),
        .read_addr      (read_addr),
        .read_len       (read_len),
        .read_data_valid(read_data_valid),
        .read_data      (read_data),
        .read_data_last (read_data_last),
        .read_data_error(read_data_error),
        .word_room      (words[5:4] == 0),
        .word_valid     (push_valid),
        .word           (push_word),
        .frame_room     (frame_room),
        .frame_push     (frame_push),
        .frame_irq      (frame_irq),
        .busy           (fetch_busy),
        .idle           (fetch_idle)
    );

    // 32 places, of which 16 at most are taken when a burst is requested: tx_fetch never has to wait for s_ready.
    sync_fifo #(
        .WIDTH     (39),
        .LOG2_DEPTH(5)
    ) words_fifo (
        .clk    (clk),
        .rst    (rst),
        .s_valid(push_valid),
        .s_ready(unused_ready),
        .s_data (push_word),
        .m_valid(word_valid),
        .m_ready(word_ready),
        .m_data (word),
        .count  (words)
    );

    tx_unpack tx_unpack (
        .clk              (clk),
        .rst              (rst),
        .word_valid       (word_valid),
        .word_ready       (word_ready),
        .word             (word),
        .frame_ip_csum    (frame_ip_csum),
        .frame_l4_csum    (frame_l4_csum),
        .frame_tso        (frame_tso),
        .frame_vlan       (frame_vlan),
        .frame_csum_start (frame_csum_start),
        .frame_csum_offset(frame_csum_offset),
        .frame_hdr_len    (frame_hdr_len),
        .frame_mss        (frame_mss),
        .frame_tci        (frame_tci),
        .m_axis_tvalid    (m_axis_tvalid),
        .m_axis_tready    (m_axis_tready),
        .m_axis_tdata     (m_axis_tdata),
        .m_axis_tlast     (m_axis_tlast),
        .m_axis_tuser     (m_axis_tuser)
    );

    tx_complete tx_complete (
        .clk            (clk),
        .rst            (rst),
        .frame_room     (frame_room),
        .frame_push     (frame_push),
        .frame_index    (next),
        .frame_irq      (frame_irq),
        .frame_done     (frame_done),
        .frame_error    (frame_error),
        .timestamp_ns   (timestamp_ns),
        .ring_ok        (ok),
        .ring_reset     (reset),
        .ring_reset_done(reset_done),
        .ring_done_index(done_index),
        .ring_done_addr (done_addr),
        .ring_complete  (complete),
        .ring_fail      (complete_fail),
        .irq            (irq_done),
        .write_valid    (write_valid),
        .write_ready    (write_ready),
        .write_addr     (write_addr),
        .w_valid        (w_valid),
        .w_ready        (w_ready),
        .w_data         (w_data),
        .w_strb         (w_strb),
        .write_done     (write_done),
        .write_error    (write_error),
        .writing        (writing),
        .busy           (complete_busy),
        .idle           (complete_idle)
    );

    assign write_len = 4'd1;
    assign idle      = fetch_idle && !reset && !complete_busy && complete_idle && words == 0;

endmodule

`resetall
