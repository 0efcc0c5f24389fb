// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// nic_rx: the receive half of the card in `clk`: from the octets that the MAC gives in its own clock to buffers in memory.
//
// `idle` tells that nothing is in flight in `clk`, and that MAC and queue have come to rest on both sides.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module nic_rx #(
    parameter BUFFER_LOG2 = 13,
    parameter RX_CSUM = 1,
    parameter VLAN = 1,
    parameter PAUSE = 1,
    parameter LOOPBACK = 1
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        mac_clk,
    input  wire        mac_rst,

    input  wire        cfg_enable,
    input  wire        cfg_promiscuous,
    input  wire        cfg_broadcast,
    input  wire        cfg_keep_bad,
    input  wire        cfg_half_duplex,
    input  wire        cfg_vlan_strip,
    input  wire [47:0] cfg_mac,
    input  wire [63:0] cfg_hash,
    input  wire [13:0] cfg_max_frame,
    input  wire [31:0] timestamp_ns,

    // Ring registers
    input  wire [2:0]  ring_address,
    output wire [31:0] ring_value,
    input  wire [3:0]  ring_write,
    input  wire [31:0] ring_write_data,
    output wire        irq_done,        // pulses: causes of interrupts
    output wire        irq_error,
    output wire        irq_overflow,

    // axi_read
    output wire        read_valid,
    input  wire        read_ready,
    output wire [29:0] read_addr,
    output wire [3:0]  read_len,
    input  wire        read_data_valid,
    input  wire [31:0] read_data,
    input  wire        read_data_last,
    input  wire        read_data_error,

    // axi_write
    output wire        write_valid,
    input  wire        write_ready,
    output wire [29:0] write_addr,
    output wire [3:0]  write_len,
    output wire        w_valid,
    input  wire        w_ready,
    output wire [31:0] w_data,
    output wire [3:0]  w_strb,
    input  wire        write_done,
    input  wire        write_error,

    // MAC, synchronous to mac_clk
    input  wire        s_axis_tvalid,
    input  wire [7:0]  s_axis_tdata,
    input  wire        s_axis_tlast,
    input  wire [5:0]  s_axis_tuser,    // mac_rx
    input  wire        mac_idle,

    // Loopback in front of the MAC (frame_loop): its octets take the place of those of the MAC
    input  wire        loop_active,
    input  wire        loop_tvalid,
    output wire        loop_tready,
    input  wire [7:0]  loop_tdata,
    input  wire        loop_tlast,
    output wire        between,         // the MAC's queue is between two frames

    // Pause frames: a pulse for each received, with what it asks for until the next; and the level that asks for one
    output wire        pause_valid,
    output wire [15:0] pause_quanta,    // of 512 bit times
    output wire        buffer_high,
    output wire        buffer_low,

    // Statistics: pulses with the end of each frame (rx_path)
    output wire        stat_valid,
    output wire [13:0] stat_octets,
    output wire [13:0] stat_flags,

    output reg         idle
);

    wire       fifo_valid, fifo_last;
    wire [7:0] fifo_octet;
    wire [5:0] fifo_user;
    wire       fifo_empty, unused_fifo_ready;
    reg        quiet;  // in mac_clk
    wire       rst_here, quiet_here;
    wire       mac_valid = fifo_valid && !rst_here;
    wire       octet_valid, octet_ready, octet_last;
    wire [7:0] octet;
    wire [5:0] octet_user;

    // clk is never slower than MII, which brings an octet every second cycle: there is always room.
    async_fifo #(
        .WIDTH     (15),
        .LOG2_DEPTH(4)
    ) fifo (
        .s_clk  (mac_clk),
        .s_rst  (mac_rst),
        .s_valid(s_axis_tvalid),
        .s_ready(unused_fifo_ready),
        .s_data ({s_axis_tuser, s_axis_tlast, s_axis_tdata}),
        .s_empty(fifo_empty),
        .m_clk  (clk),
        .m_rst  (rst || rst_here),
        .m_valid(fifo_valid),
        .m_ready(octet_ready),
        .m_data ({fifo_user, fifo_last, fifo_octet})
    );

    // In loopback what comes from the MAC is dropped, and nobody has looked at an address to give its hash.
    generate
        if (LOOPBACK != 0) begin : loop
            reg in_frame;  // of the MAC

            always @(posedge clk) begin
                if (mac_valid && octet_ready) in_frame <= !fifo_last;
                if (rst || rst_here) in_frame <= 1'b0;
            end

            assign between     = !in_frame && !mac_valid;
            assign loop_tready = octet_ready;
            assign octet_valid = loop_active ? loop_tvalid : mac_valid;
            assign {octet_user, octet_last, octet} =
                loop_active ? {6'd0, loop_tlast, loop_tdata} : {fifo_user, fifo_last, fifo_octet};
        end else begin : no_loop
            wire unused = &{1'b0, loop_active, loop_tvalid, loop_tdata, loop_tlast};
            assign {between, loop_tready} = 2'b11;
            assign {octet_valid, octet_user, octet_last, octet} = {mac_valid, fifo_user, fifo_last, fifo_octet};
        end
    endgenerate

    always @(posedge mac_clk) quiet <= mac_idle && fifo_empty;

    sync_bit #(
        .WIDTH(2)
    ) status_sync (
        .clk(clk),
        .d  ({mac_rst, quiet}),
        .q  ({rst_here, quiet_here})
    );

    wire        rec_valid, rec_ready;
    wire [13:0] rec_length;
    wire [7:0]  rec_flags;
    wire [15:0] rec_sum, rec_tci;
    wire [31:0] rec_timestamp;
    wire        whole_valid, whole_ready;
    wire [7:0]  whole;
    wire        path_idle;

    rx_path #(
        .LOG2_BYTES(BUFFER_LOG2),
        .RX_CSUM   (RX_CSUM),
        .VLAN      (VLAN),
        .PAUSE     (PAUSE)
    ) rx_path (
        .clk            (clk),
        .rst            (rst),
        .s_axis_tvalid  (octet_valid),
        .s_axis_tready  (octet_ready),
        .s_axis_tdata   (octet),
        .s_axis_tlast   (octet_last),
        .s_axis_tuser   (octet_user),
        .cfg_enable     (cfg_enable),
        .cfg_promiscuous(cfg_promiscuous),
        .cfg_broadcast  (cfg_broadcast),
        .cfg_keep_bad   (cfg_keep_bad),
        .cfg_half_duplex(cfg_half_duplex),
        .cfg_vlan_strip (cfg_vlan_strip),
        .cfg_mac        (cfg_mac),
        .cfg_hash       (cfg_hash),
        .cfg_max_frame  (cfg_max_frame),
        .timestamp_ns   (timestamp_ns),
        .rec_valid      (rec_valid),
        .rec_ready      (rec_ready),
        .rec_length     (rec_length),
        .rec_flags      (rec_flags),
        .rec_sum        (rec_sum),
        .rec_tci        (rec_tci),
        .rec_timestamp  (rec_timestamp),
        .m_axis_tvalid  (whole_valid),
        .m_axis_tready  (whole_ready),
        .m_axis_tdata   (whole),
        .pause_valid    (pause_valid),
        .pause_quanta   (pause_quanta),
        .high           (buffer_high),
        .low            (buffer_low),
        .stat_valid     (stat_valid),
        .stat_octets    (stat_octets),
        .stat_flags     (stat_flags),
        .overflow       (irq_overflow),
        .rx_idle        (path_idle)
    );

    wire dma_idle;

    rx_dma rx_dma (
        .clk            (clk),
        .rst            (rst),
        .ring_address   (ring_address),
        .ring_value     (ring_value),
        .ring_write     (ring_write),
        .ring_write_data(ring_write_data),
        .irq_done       (irq_done),
        .irq_error      (irq_error),
        .read_valid     (read_valid),
        .read_ready     (read_ready),
        .read_addr      (read_addr),
        .read_len       (read_len),
        .read_data_valid(read_data_valid),
        .read_data      (read_data),
        .read_data_last (read_data_last),
        .read_data_error(read_data_error),
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
        .s_axis_tvalid  (whole_valid),
        .s_axis_tready  (whole_ready),
        .s_axis_tdata   (whole),
        .idle           (dma_idle)
    );

    always @* begin
        idle = 1'b0;
        if (quiet_here) idle = dma_idle && path_idle;
    end

endmodule

`resetall
