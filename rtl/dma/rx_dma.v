// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// rx_dma: the receive ring, and the way of received frames into its buffers.
//
// rx_fetch reads descriptors, rx_store writes frames and the descriptors back. Frames come as records (`rec_*`, taken with
// `rec_ready` at the end of the frame) and octets (`s_axis_*`). Buffers may have any alignment and length.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module rx_dma (
    input  wire         clk,
    input  wire         rst,

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
    input  wire         rec_valid,
    output wire         rec_ready,
    input  wire [13:0]  rec_length,
    input  wire [7:0]   rec_flags,
    input  wire [15:0]  rec_sum,
    input  wire [15:0]  rec_tci,
    input  wire [31:0]  rec_timestamp,
    input  wire         s_axis_tvalid,
    output wire         s_axis_tready,
    input  wire [7:0]   s_axis_tdata,

    output wire         idle
);

    wire        run, available, reset;
    wire        unused_ok;
    wire [14:0] next, head;
    wire        unused_full;
    wire [27:0] next_addr, head_addr;
    wire        complete, fetch_fail, store_fail;
    wire [1:0]  fetch_error, store_error;
    wire        fetch_busy, fetch_idle, store_busy, store_idle;

    wire        buffer_valid, buffer_take;
    wire [31:0] buffer_addr;
    wire [15:0] buffer_len;

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
        .full      (unused_full),
        .next_addr (next_addr),
        .take      (buffer_take),
        .head      (head),
        .done_index(head),
        .done_addr (head_addr),
        .complete  (complete),
        .fail      (fetch_fail || store_fail),
        .fail_error(store_fail ? store_error : fetch_error),
        .fail_index(store_fail ? head : next),
        .ok        (unused_ok),
        .busy      (fetch_busy || store_busy),
        .reset     (reset),
        .reset_done(reset && !fetch_busy && !store_busy)
    );

    rx_fetch rx_fetch (
        .clk            (clk),
        .rst            (rst),
        .ring_run       (run),
        .ring_available (available),
        .ring_next_addr (next_addr),
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
        .buffer_valid   (buffer_valid),
        .buffer_addr    (buffer_addr),
        .buffer_len     (buffer_len),
        .buffer_take    (buffer_take),
        .frame_busy     (store_busy),
        .busy           (fetch_busy),
        .idle           (fetch_idle)
    );

    rx_store rx_store (
        .clk            (clk),
        .rst            (rst),
        .ring_run       (run),
        .ring_reset     (reset),
        .ring_head_addr (head_addr),
        .ring_complete  (complete),
        .ring_fail      (store_fail),
        .ring_fail_error(store_error),
        .irq            (irq_done),
        .buffer_valid   (buffer_valid),
        .buffer_addr    (buffer_addr),
        .buffer_len     (buffer_len),
        .buffer_take    (buffer_take),
        .write_valid    (write_valid),
        .write_ready    (write_ready),
        .write_addr     (write_addr),
        .write_len      (write_len),
        .w_valid        (w_valid),
        .w_ready        (w_ready),
        .w_data         (w_data),
        .w_strb         (w_strb),
        .write_done     (write_done),
        .write_error    (write_error),
        .rec_valid      (rec_valid),
        .rec_ready      (rec_ready),
        .rec_length     (rec_length),
        .rec_flags      (rec_flags),
        .rec_sum        (rec_sum),
        .rec_tci        (rec_tci),
        .rec_timestamp  (rec_timestamp),
        .s_axis_tvalid  (s_axis_tvalid),
        .s_axis_tready  (s_axis_tready),
        .s_axis_tdata   (s_axis_tdata),
        .busy           (store_busy),
        .idle           (store_idle)
    );

    assign idle = fetch_idle && store_idle && !reset;

endmodule

`resetall
