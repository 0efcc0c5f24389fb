// SPDX-License-Identifier: Apache-2.0
//
// nic_regs: the AXI4-Lite rules for a slave. Each access is answered once, and in time; nothing is answered that was not
// asked; a write changes the octets that it strobes, and no others; no interrupt cause is lost.
//
// The master keeps its requests up until they are taken, and is free otherwise. So are all other inputs.

`default_nettype none

module nic_regs_proof (
    input wire        clk,
    input wire        rst,

    input wire [11:0] s_axil_awaddr,
    input wire        s_axil_awvalid,
    input wire [31:0] s_axil_wdata,
    input wire [3:0]  s_axil_wstrb,
    input wire        s_axil_wvalid,
    input wire        s_axil_bready,
    input wire [11:0] s_axil_araddr,
    input wire        s_axil_arvalid,
    input wire        s_axil_rready,

    input wire        irq_rx_error,
    input wire        stat_ack
);

    `include "nic_regs.vh"

    wire        s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_arready, s_axil_rvalid;
    wire [31:0] s_axil_rdata;
    wire [13:0] cfg_max_frame;
    wire [3:0]  tx_ring_write, rx_ring_write;
    wire        stat_request, bus_idle, irq;

    nic_regs dut (
        .clk            (clk),
        .rst            (rst),
        .s_axil_awaddr  (s_axil_awaddr),
        .s_axil_awvalid (s_axil_awvalid),
        .s_axil_awready (s_axil_awready),
        .s_axil_wdata   (s_axil_wdata),
        .s_axil_wstrb   (s_axil_wstrb),
        .s_axil_wvalid  (s_axil_wvalid),
        .s_axil_wready  (s_axil_wready),
        .s_axil_bvalid  (s_axil_bvalid),
        .s_axil_bready  (s_axil_bready),
        .s_axil_araddr  (s_axil_araddr),
        .s_axil_arvalid (s_axil_arvalid),
        .s_axil_arready (s_axil_arready),
        .s_axil_rdata   (s_axil_rdata),
        .s_axil_rvalid  (s_axil_rvalid),
        .s_axil_rready  (s_axil_rready),
        .bus_idle       (bus_idle),
        .cfg_max_frame  (cfg_max_frame),
        .irq_rx_error   (irq_rx_error),
        .irq            (irq),
        .tx_ring_write  (tx_ring_write),
        .rx_ring_write  (rx_ring_write),
        .stat_request   (stat_request),
        .stat_ack       (stat_ack)
    );

    reg started = 1'b0;
    always @(posedge clk) started <= 1'b1;
    always @* assume (started || rst);

    // The master
    reg         was_reset, aw_waiting, w_waiting, ar_waiting;
    reg  [11:0] was_awaddr, was_araddr;
    reg  [35:0] was_word;

    always @(posedge clk) begin
        was_reset  <= rst;
        aw_waiting <= s_axil_awvalid && !s_axil_awready && !rst;
        w_waiting  <= s_axil_wvalid && !s_axil_wready && !rst;
        ar_waiting <= s_axil_arvalid && !s_axil_arready && !rst;
        was_awaddr <= s_axil_awaddr;
        was_araddr <= s_axil_araddr;
        was_word   <= {s_axil_wdata, s_axil_wstrb};
    end
    always @* if (started) begin
        if (aw_waiting) assume (s_axil_awvalid && s_axil_awaddr == was_awaddr);
        if (w_waiting) assume (s_axil_wvalid && {s_axil_wdata, s_axil_wstrb} == was_word);
        if (ar_waiting) assume (s_axil_arvalid && s_axil_araddr == was_araddr);
    end

    // Answers owed: for an access taken and not yet answered
    wire       taken_aw = s_axil_awvalid && s_axil_awready;
    wire       taken_w  = s_axil_wvalid && s_axil_wready;
    wire       taken_ar = s_axil_arvalid && s_axil_arready;
    reg        b_owed, r_owed, b_waiting, r_waiting;
    reg [31:0] was_rdata;

    always @(posedge clk) begin
        if (s_axil_bvalid && s_axil_bready) b_owed <= 1'b0;
        if (s_axil_rvalid && s_axil_rready) r_owed <= 1'b0;
        if (taken_w) b_owed <= 1'b1;
        if (taken_ar) r_owed <= 1'b1;
        b_waiting <= s_axil_bvalid && !s_axil_bready && !rst;
        r_waiting <= s_axil_rvalid && !s_axil_rready && !rst;
        was_rdata <= s_axil_rdata;
        if (rst) {b_owed, r_owed} <= 2'b00;
    end

    // Cycles for which a read has waited since the answer before it, or the counters, held it up last; up to 3
    reg [1:0] delay;
    always @(posedge clk) begin
        if (!s_axil_rvalid && delay != 2'd3) delay <= delay + 2'd1;
        if (!s_axil_arvalid || s_axil_arready || (stat_request && !stat_ack) || rst) delay <= 2'd0;
    end

    // Two registers, as they must stand: MAX_FRAME, and one bit of IRQ_CAUSE, which both are read back
    wire        writing  = taken_aw && taken_w;
    wire [9:0]  register = s_axil_awaddr[11:2];
    reg  [13:0] max_frame;
    reg         cause, reads_max_frame, reads_cause;
    reg  [31:0] value;

    localparam [11:0] MAX_FRAME = `NIC_MAX_FRAME, IRQ_CAUSE = `NIC_IRQ_CAUSE, TX_BASE = `NIC_TX_BASE;
    localparam [31:0] MAX_FRAME_RESET = `NIC_MAX_FRAME_RESET;

    always @(posedge clk) begin
        if (writing && register == MAX_FRAME[11:2]) begin
            if (s_axil_wstrb[0]) max_frame[7:0] <= s_axil_wdata[7:0];
            if (s_axil_wstrb[1]) max_frame[13:8] <= s_axil_wdata[13:8];
        end
        if (writing && register == IRQ_CAUSE[11:2] && s_axil_wstrb[0] && s_axil_wdata[`NIC_IRQ_CAUSE__RX_ERROR]) cause <= 1'b0;
        if (irq_rx_error) cause <= 1'b1;
        if (taken_ar) begin
            reads_max_frame <= s_axil_araddr[11:2] == MAX_FRAME[11:2];
            reads_cause     <= s_axil_araddr[11:2] == IRQ_CAUSE[11:2];
            value           <= s_axil_araddr[11:2] == MAX_FRAME[11:2] ? {18'd0, max_frame} : {31'd0, cause};
        end
        if (rst) begin
            max_frame <= MAX_FRAME_RESET[13:0];
            cause     <= 1'b0;
        end
    end

    always @(posedge clk) if (started) begin
        taken_together:  assert (taken_aw == taken_w);
        each_answered:   assert (s_axil_bvalid == b_owed && s_axil_rvalid == r_owed);
        one_at_a_time:   assert (!(taken_w && b_owed) && !(taken_ar && r_owed));
        if (b_waiting) write_answer_waits: assert (s_axil_bvalid);
        if (r_waiting) read_answer_waits:  assert (s_axil_rvalid && s_axil_rdata == was_rdata);
        write_in_time:   assert (!(s_axil_awvalid && s_axil_wvalid && !s_axil_bvalid) || taken_w);
        read_in_time:    assert (delay <= 2'd1);
        busy_is_true:    assert (!bus_idle || !(b_owed || r_owed || taken_w || taken_ar));

        octets_strobed:  assert (cfg_max_frame == max_frame);
        if (s_axil_rvalid && reads_max_frame) read_back: assert (s_axil_rdata == value);
        if (s_axil_rvalid && reads_cause) cause_kept:    assert (s_axil_rdata[`NIC_IRQ_CAUSE__RX_ERROR] == value[0]);
        ring_only_if_addressed:
            assert (tx_ring_write == (writing && register[9:3] == TX_BASE[11:5] ? s_axil_wstrb : 4'd0));
        one_ring:        assert (tx_ring_write == 4'd0 || rx_ring_write == 4'd0);

        read_behind_write: cover (taken_ar && delay == 2'd1);
        answers_wait:      cover (b_waiting && r_waiting && s_axil_awvalid && s_axil_arvalid);
        cause_and_ack:     cover (irq_rx_error && writing && register == IRQ_CAUSE[11:2] && cause && irq);
        counters_wait:     cover (stat_request && !stat_ack && s_axil_awvalid);
    end

endmodule

`default_nettype wire
