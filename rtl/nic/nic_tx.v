// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// nic_tx: the transmit half of the card in `clk`: from descriptors in memory to the octets that the MAC takes in its own clock.
//
// `idle` tells that nothing is in flight in `clk` and the MAC has come to rest.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module nic_tx #(
    parameter BUFFER_LOG2 = 12,
    parameter TX_CSUM = 1,
    parameter TSO = 1,     // with TX_CSUM only
    parameter VLAN = 1,
    parameter PAUSE = 1,
    parameter LOOPBACK = 1
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        mac_clk,
    input  wire        mac_rst,

    input  wire        cfg_enable,
    input  wire        cfg_pause,       // send pause frames
    input  wire [15:0] cfg_pause_quanta,
    input  wire        cfg_loopback,    // in front of the MAC
    input  wire [47:0] cfg_mac,
    input  wire [31:0] timestamp_ns,

    // Ring registers
    input  wire [2:0]  ring_address,
    output wire [31:0] ring_value,
    input  wire [3:0]  ring_write,
    input  wire [31:0] ring_write_data,
    output wire        irq_done,        // pulses: causes of interrupts
    output wire        irq_error,

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
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire [7:0]  m_axis_tdata,
    output wire        m_axis_tlast,
    output wire        m_axis_tuser,    // it is a pause frame
    input  wire        mac_done,        // pulse: it is done with the frame
    input  wire        mac_again,       // rests from mac_done to the next frame, as the next: give the frame again
    input  wire [8:0]  mac_flags,       // tx_events.vh
    input  wire        mac_paused,      // a received pause frame holds back
    input  wire        mac_idle,
    output wire        mac_pause_valid, // pause_valid, there

    // Pause: each pulse starts it anew for the quanta that stand with it, and rest until the next pulse
    input  wire        pause_valid,
    output wire        paused,

    // Loopback in front of the MAC (frame_loop)
    input  wire        rx_between,
    output wire        loop_active,
    output wire        loop_tvalid,
    input  wire        loop_tready,
    output wire [7:0]  loop_tdata,
    output wire        loop_tlast,

    // Level of the receive buffer, for pause frames
    input  wire        buffer_high,
    input  wire        buffer_low,

    // Statistics
    output wire        stat_valid,      // pulse: the MAC is done with a frame
    output wire [13:0] stat_octets,     // padding and FCS included
    output wire [11:0] stat_flags,      // tx_events.vh

    output reg         idle
);

    // Whole frames only are sent, so the buffer, which holds an octet less than its size, sets the limit. The tag is extra.
    // With tag and FCS a frame has less than 2^14 octets.
    localparam [16:0] FRAME_LIMIT = (17'd1 << BUFFER_LOG2) - 17'd5, LENGTH_LIMIT = 17'h3FFF - 17'd8;
    localparam [1:0]  MALFORMED = 3;

    wire        frame_ip_csum, frame_l4_csum, frame_tso, frame_vlan;
    wire [7:0]  frame_csum_start, frame_csum_offset, frame_hdr_len;
    wire [13:0] frame_mss;
    wire [15:0] frame_tci;
    wire        frame_done, malformed;
    wire        octet_valid, octet_ready, octet_last, octet_drop;
    wire [7:0]  octet;
    wire        rst_here, verdict_pulse, loop_done;
    wire        verdict = (verdict_pulse && !rst_here) || loop_done;  // the reset of its toggle looks like a pulse
    wire        again = mac_again && !loop_active;
    wire [8:0]  fate = loop_active ? 9'd0 : mac_flags;
    wire        ready_to_send = !rst_here || loop_active;
    wire        dma_idle;

    tx_dma #(
        .FRAME_LIMIT(FRAME_LIMIT < LENGTH_LIMIT ? FRAME_LIMIT : LENGTH_LIMIT),
        .TSO        (TSO),
        .VLAN       (VLAN)
    ) tx_dma (
        .clk              (clk),
        .rst              (rst),
        .enable           (cfg_enable && ready_to_send),
        .ring_address     (ring_address),
        .ring_value       (ring_value),
        .ring_write       (ring_write),
        .ring_write_data  (ring_write_data),
        .irq_done         (irq_done),
        .irq_error        (irq_error),
        .read_valid       (read_valid),
        .read_ready       (read_ready),
        .read_addr        (read_addr),
        .read_len         (read_len),
        .read_data_valid  (read_data_valid),
        .read_data        (read_data),
        .read_data_last   (read_data_last),
        .read_data_error  (read_data_error),
        .write_valid      (write_valid),
        .write_ready      (write_ready),
        .write_addr       (write_addr),
        .write_len        (write_len),
        .w_valid          (w_valid),
        .w_ready          (w_ready),
        .w_data           (w_data),
        .w_strb           (w_strb),
        .write_done       (write_done),
        .write_error      (write_error),
        .frame_ip_csum    (frame_ip_csum),
        .frame_l4_csum    (frame_l4_csum),
        .frame_tso        (frame_tso),
        .frame_vlan       (frame_vlan),
        .frame_csum_start (frame_csum_start),
        .frame_csum_offset(frame_csum_offset),
        .frame_hdr_len    (frame_hdr_len),
        .frame_mss        (frame_mss),
        .frame_tci        (frame_tci),
        .m_axis_tvalid    (octet_valid),
        .m_axis_tready    (octet_ready),
        .m_axis_tdata     (octet),
        .m_axis_tlast     (octet_last),
        .m_axis_tuser     (octet_drop),
        .frame_done       (frame_done),
        .frame_error      (malformed ? MALFORMED : done_error),
        .timestamp_ns     (timestamp_ns),
        .idle             (dma_idle)
    );

    wire       cut_valid, cut_ready, cut_last, cut_drop, cut_end;
    wire [7:0] cut;
    wire       segment_idle, path_idle;

    tx_segment #(
        .TSO(TSO)
    ) tx_segment (
        .clk             (clk),
        .rst             (rst),
        .s_axis_tvalid   (octet_valid),
        .s_axis_tready   (octet_ready),
        .s_axis_tdata    (octet),
        .s_axis_tlast    (octet_last),
        .s_axis_tuser    (octet_drop),
        .frame_tso       (frame_tso),
        .frame_csum_start(frame_csum_start),
        .frame_hdr_len   (frame_hdr_len),
        .frame_mss       (frame_mss),
        .m_axis_tvalid   (cut_valid),
        .m_axis_tready   (cut_ready),
        .m_axis_tdata    (cut),
        .m_axis_tlast    (cut_last),
        .m_axis_tuser    (cut_drop),
        .frame_end       (cut_end),
        .path_empty      (path_idle),
        .malformed       (malformed),
        .idle            (segment_idle)
    );

    wire                   whole_valid, whole_ready, whole_last;
    wire [7:0]             whole;
    wire                   path_waiting, path_done, done_end;
    wire [1:0]             done_error;
    wire [BUFFER_LOG2-1:0] done_octets;

    tx_path #(
        .LOG2_BYTES(BUFFER_LOG2),
        .TX_CSUM   (TX_CSUM),
        .VLAN      (VLAN)
    ) tx_path (
        .clk              (clk),
        .rst              (rst),
        .s_axis_tvalid    (cut_valid),
        .s_axis_tready    (cut_ready),
        .s_axis_tdata     (cut),
        .s_axis_tlast     (cut_last),
        .s_axis_tuser     (cut_drop),
        .frame_ip_csum    (frame_ip_csum),
        .frame_l4_csum    (frame_l4_csum),
        .frame_csum_start (frame_csum_start),
        .frame_csum_offset(frame_csum_offset),
        .frame_vlan       (frame_vlan),
        .frame_tci        (frame_tci),
        .frame_end        (cut_end),
        .m_axis_tvalid    (whole_valid),
        .m_axis_tready    (whole_ready),
        .m_axis_tdata     (whole),
        .m_axis_tlast     (whole_last),
        .verdict          (verdict && !pause_done),
        .verdict_again    (again),
        .verdict_error    ({fate[2], fate[3]}),   // late, excessive
        .waiting          (path_waiting),
        .done             (path_done),
        .done_end         (done_end),
        .done_error       (done_error),
        .done_octets      (done_octets),
        .tx_path_idle     (path_idle)
    );

    // Pause frames take their turn between those of the ring.
    wire       out_valid, out_ready, out_last, out_pause;
    wire [7:0] out;
    wire       pause_busy, pause_idle;

    generate
        if (PAUSE != 0) begin : send_pause
            pause_send pause_send (
                .clk          (clk),
                .rst          (rst),
                .enable       (cfg_pause && cfg_enable && ready_to_send),
                .high         (buffer_high),
                .low          (buffer_low),
                .cfg_mac      (cfg_mac),
                .cfg_quanta   (cfg_pause_quanta),
                .hold         (paused || pause_busy),
                .s_axis_tvalid(whole_valid),
                .s_axis_tready(whole_ready),
                .s_axis_tdata (whole),
                .s_axis_tlast (whole_last),
                .m_axis_tvalid(out_valid),
                .m_axis_tready(out_ready),
                .m_axis_tdata (out),
                .m_axis_tlast (out_last),
                .m_axis_tuser (out_pause),
                .idle         (pause_idle)
            );
        end else begin : no_send_pause
            wire unused = &{1'b0, cfg_pause, cfg_pause_quanta, cfg_mac, buffer_high, buffer_low};
            assign {out_valid, out_last, out} = {whole_valid, whole_last, whole};
            assign {out_pause, whole_ready, pause_idle} = {1'b0, out_ready, 1'b1};
        end
    endgenerate

    // Of a pause frame and one of the ring that the MAC has both, that of the ring was first: behind a pause frame nothing
    // goes out until its verdict.
    wire fifo_valid, fifo_ready, loop_ready;
    reg  pausing;
    wire pause_done = pausing && verdict && !path_waiting;
    assign out_ready = loop_ready && !pausing;

    always @(posedge clk) begin
        if (pause_done) pausing <= 1'b0;
        if (out_valid && out_ready && out_last && out_pause) pausing <= 1'b1;
        if (rst) pausing <= 1'b0;
    end

    frame_loop #(
        .ENABLE(LOOPBACK)
    ) frame_loop (
        .clk          (clk),
        .rst          (rst),
        .cfg_loopback (cfg_loopback),
        .waiting      (path_waiting || pausing || mac_again),  // which rests between frames
        .rx_between   (rx_between),
        .active       (loop_active),
        .s_axis_tvalid(out_valid && !pausing),
        .s_axis_tready(loop_ready),
        .s_axis_tdata (out),
        .s_axis_tlast (out_last),
        .mac_tvalid   (fifo_valid),
        .mac_tready   (fifo_ready),
        .loop_tvalid  (loop_tvalid),
        .loop_tready  (loop_tready),
        .loop_tdata   (loop_tdata),
        .loop_tlast   (loop_tlast),
        .loop_done    (loop_done)
    );

    localparam [13:0] MIN_OCTETS = 14'd60, FCS_OCTETS = 14'd4;
    wire [15:0] all_octets = {{16 - BUFFER_LOG2{1'b0}}, done_octets};
    wire [13:0] octets = all_octets[13:0];  // no frame is longer (FRAME_LIMIT)
    wire        unused_octets = &{1'b0, all_octets[15:14]};

    reg [2:0] place;      // octets of the frame that have left the buffer, up to six
    reg       group;      // its destination, if it has six octets
    reg       broadcast;

    assign stat_octets = (pause_done || octets < MIN_OCTETS ? MIN_OCTETS : octets) + FCS_OCTETS;
    assign stat_flags  = pause_done ? {1'b1, 11'd0} : {1'b0, broadcast, group && !broadcast, fate};
    assign stat_valid  = path_done || pause_done;
    assign frame_done  = (path_done && done_end) || malformed;

    always @(posedge clk) begin
        if (whole_valid && whole_ready) begin
            if (place != 3'd6) begin
                place     <= place + 3'd1;
                broadcast <= whole == 8'hFF && (broadcast || place == 0);
            end
            if (place == 0) group <= whole[0];
            if (whole_last) place <= 0;
        end
        if (rst) place <= 0;
    end

    wire mac_idle_here, unused_fifo_empty;

    sync_bit #(
        .WIDTH(2)
    ) status_sync (
        .clk(clk),
        .d  ({mac_rst, mac_idle}),
        .q  ({rst_here, mac_idle_here})
    );

    // A pause is on its way until its echo comes back; by then the MAC is not idle any more, if it has to wait.

    generate
        if (PAUSE != 0) begin : pause
            reg  on_its_way;
            reg  held;  // in mac_clk
            wire echo;

            always @(posedge mac_clk) held <= mac_paused;

            assign pause_busy = on_its_way;

            sync_pulse pause_sync (
                .s_clk  (clk),
                .s_rst  (rst),
                .s_pulse(pause_valid),
                .m_clk  (mac_clk),
                .m_pulse(mac_pause_valid)
            );

            sync_pulse echo_sync (
                .s_clk  (mac_clk),
                .s_rst  (mac_rst),
                .s_pulse(mac_pause_valid),
                .m_clk  (clk),
                .m_pulse(echo)
            );

            sync_bit paused_sync (
                .clk(clk),
                .d  (held),
                .q  (paused)
            );

            always @(posedge clk) begin
                if (echo)        on_its_way <= 1'b0;
                if (pause_valid) on_its_way <= 1'b1;
                if (rst)         on_its_way <= 1'b0;
            end
        end else begin : no_pause
            wire unused = &{1'b0, pause_valid, mac_paused};
            assign {mac_pause_valid, paused, pause_busy} = 3'b000;
        end
    endgenerate

    // Small: what is left of a frame that met a collision must be through before the gap is over.
    async_fifo #(
        .WIDTH     (10),
        .LOG2_DEPTH(3)
    ) fifo (
        .s_clk  (clk),
        .s_rst  (rst),
        .s_valid(fifo_valid),
        .s_ready(fifo_ready),
        .s_data ({out_pause, out_last, out}),
        .s_empty(unused_fifo_empty),
        .m_clk  (mac_clk),
        .m_rst  (mac_rst),
        .m_valid(m_axis_tvalid),
        .m_ready(m_axis_tready),
        .m_data ({m_axis_tuser, m_axis_tlast, m_axis_tdata})
    );

    sync_pulse done_sync (
        .s_clk  (mac_clk),
        .s_rst  (mac_rst),
        .s_pulse(mac_done),
        .m_clk  (clk),
        .m_pulse(verdict_pulse)
    );

    // A frame keeps the path busy until the MAC has sent it; after that the MAC only counts the gap.
    always @* begin
        idle = 1'b0;
        if (mac_idle_here) idle = dma_idle && segment_idle && path_idle && !pause_busy && pause_idle && !pausing;
    end

endmodule

`resetall
