// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// nic_regs: the card's registers behind an AXI4-Lite slave. nic.rdl describes them; nic_regs.vh has their addresses.
//
// One access at a time, writes first. A write is answered, and has taken effect, in the cycle after address and data have met, a read
// in the cycle after its address; the counters keep a read waiting for as long as they are counting. Every access is answered with
// OKAY; where there is no register, 0 is read and nothing written.
//
// The rings keep their own registers (rtl/dma/ring.v); here they are only given their addresses. The same holds for
// the counters.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module nic_regs #(
    parameter [47:0] MAC_ADDRESS = 0,  // first octet leftmost
    parameter [31:0] FEATURES = 0
) (
    input  wire         clk,
    input  wire         rst,

    // AXI4-Lite
    input  wire [11:0]  s_axil_awaddr,
    input  wire         s_axil_awvalid,
    output wire         s_axil_awready,
    input  wire [31:0]  s_axil_wdata,
    input  wire [3:0]   s_axil_wstrb,
    input  wire         s_axil_wvalid,
    output wire         s_axil_wready,
    output reg          s_axil_bvalid,
    input  wire         s_axil_bready,
    input  wire [11:0]  s_axil_araddr,
    input  wire         s_axil_arvalid,
    output wire         s_axil_arready,
    output reg  [31:0]  s_axil_rdata,
    output reg          s_axil_rvalid,
    input  wire         s_axil_rready,
    output wire         bus_idle,          // no access is under way

    // Configuration
    output reg  [47:0]  cfg_mac,           // first octet in bits 7:0
    output wire         cfg_tx_enable,
    output wire         cfg_rx_enable,
    output wire         cfg_promiscuous,
    output wire         cfg_broadcast,
    output wire         cfg_keep_bad,
    output reg  [13:0]  cfg_max_frame,
    input  wire         card_idle,

    // Interrupt: causes are pulses
    input  wire         irq_tx_done,
    input  wire         irq_rx_done,
    input  wire         irq_tx_error,
    input  wire         irq_rx_error,
    input  wire         irq_rx_overflow,
    output wire         irq,

    // Rings
    output wire [2:0]   ring_address,
    input  wire [31:0]  tx_ring_value,
    input  wire [31:0]  rx_ring_value,
    output reg  [3:0]   tx_ring_write,     // octet strobes
    output reg  [3:0]   rx_ring_write,
    output wire [31:0]  ring_write_data,

    // Statistics
    output reg          stat_request,
    output wire [3:0]   stat_address,
    input  wire         stat_ack,
    input  wire [31:0]  stat_data
);

    `include "nic_regs.vh"

    localparam [31:0] CONTROL_RESET = `NIC_CONTROL_RESET, MAX_FRAME_RESET = `NIC_MAX_FRAME_RESET;
    localparam [11:0] RING_BLOCK = ~12'h01F, STAT_BLOCK = ~12'h03F;  // address bits that tell a block

    reg [4:0] control;
    reg [4:0] irq_cause, irq_enable;

    wire        write   = s_axil_awvalid && s_axil_wvalid && !s_axil_bvalid;
    wire        reading = s_axil_arvalid && !s_axil_rvalid && !write;
    wire        read    = reading && (!stat_request || stat_ack);
    wire [11:0] address = {write ? s_axil_awaddr[11:2] : s_axil_araddr[11:2], 2'b00};
    wire        unused  = &{1'b0, s_axil_awaddr[1:0], s_axil_araddr[1:0]};

    assign s_axil_awready  = write;
    assign s_axil_wready   = write;
    assign s_axil_arready  = read;
    assign bus_idle        = !(s_axil_awvalid || s_axil_wvalid || s_axil_bvalid || s_axil_arvalid || s_axil_rvalid);

    assign ring_address    = address[4:2];
    assign ring_write_data = s_axil_wdata;
    assign stat_address    = address[5:2];

    always @* begin
        tx_ring_write = 4'b0000;
        rx_ring_write = 4'b0000;
        stat_request  = 1'b0;
        if (write) begin
            if ((address & RING_BLOCK) == `NIC_TX_BASE) tx_ring_write = s_axil_wstrb;
            if ((address & RING_BLOCK) == `NIC_RX_BASE) rx_ring_write = s_axil_wstrb;
        end
        if (reading) stat_request = (address & STAT_BLOCK) == `NIC_STAT_TX_FRAMES;
    end

    always @(posedge clk) begin
        if (s_axil_rready) s_axil_rvalid <= 1'b0;
        if (read) begin
            s_axil_rvalid <= 1'b1;
            s_axil_rdata  <= 32'd0;
            case (address)
                `NIC_ID:         s_axil_rdata <= `NIC_ID_RESET;
                `NIC_VERSION:    s_axil_rdata <= `NIC_VERSION_RESET;
                `NIC_FEATURES:   s_axil_rdata <= FEATURES;
                `NIC_MAC_LO:     s_axil_rdata <= cfg_mac[31:0];
                `NIC_MAC_HI:     s_axil_rdata[`NIC_MAC_HI__OCTETS] <= cfg_mac[47:32];
                `NIC_CONTROL:    s_axil_rdata[4:0] <= control;
                `NIC_STATUS:     s_axil_rdata[`NIC_STATUS__IDLE] <= card_idle;
                `NIC_MAX_FRAME:  s_axil_rdata[`NIC_MAX_FRAME__BYTES] <= cfg_max_frame;
                `NIC_IRQ_CAUSE:  s_axil_rdata[4:0] <= irq_cause;
                `NIC_IRQ_ENABLE: s_axil_rdata[4:0] <= irq_enable;
                default: begin
                    if ((address & RING_BLOCK) == `NIC_TX_BASE) s_axil_rdata <= tx_ring_value;
                    if ((address & RING_BLOCK) == `NIC_RX_BASE) s_axil_rdata <= rx_ring_value;
                    if (stat_request) s_axil_rdata <= stat_data;
                end
            endcase
        end

        if (s_axil_bready) s_axil_bvalid <= 1'b0;
        if (write) begin
            s_axil_bvalid <= 1'b1;
            case (address)
                `NIC_MAC_LO: begin
                    if (s_axil_wstrb[0]) cfg_mac[7:0]   <= s_axil_wdata[7:0];
                    if (s_axil_wstrb[1]) cfg_mac[15:8]  <= s_axil_wdata[15:8];
                    if (s_axil_wstrb[2]) cfg_mac[23:16] <= s_axil_wdata[23:16];
                    if (s_axil_wstrb[3]) cfg_mac[31:24] <= s_axil_wdata[31:24];
                end
                `NIC_MAC_HI: begin
                    if (s_axil_wstrb[0]) cfg_mac[39:32] <= s_axil_wdata[7:0];
                    if (s_axil_wstrb[1]) cfg_mac[47:40] <= s_axil_wdata[15:8];
                end
                `NIC_MAX_FRAME: begin
                    if (s_axil_wstrb[0]) cfg_max_frame[7:0]  <= s_axil_wdata[7:0];
                    if (s_axil_wstrb[1]) cfg_max_frame[13:8] <= s_axil_wdata[13:8];
                end
                `NIC_CONTROL:    if (s_axil_wstrb[0]) control    <= s_axil_wdata[4:0];
                `NIC_IRQ_CAUSE:  if (s_axil_wstrb[0]) irq_cause  <= irq_cause & ~s_axil_wdata[4:0];
                `NIC_IRQ_ENABLE: if (s_axil_wstrb[0]) irq_enable <= s_axil_wdata[4:0];
                default: ;
            endcase
        end

        // What happens in the cycle of its acknowledgement counts again.
        if (irq_tx_done)     irq_cause[`NIC_IRQ_CAUSE__TX_DONE]     <= 1'b1;
        if (irq_rx_done)     irq_cause[`NIC_IRQ_CAUSE__RX_DONE]     <= 1'b1;
        if (irq_tx_error)    irq_cause[`NIC_IRQ_CAUSE__TX_ERROR]    <= 1'b1;
        if (irq_rx_error)    irq_cause[`NIC_IRQ_CAUSE__RX_ERROR]    <= 1'b1;
        if (irq_rx_overflow) irq_cause[`NIC_IRQ_CAUSE__RX_OVERFLOW] <= 1'b1;

        if (rst) begin
            s_axil_bvalid <= 1'b0;
            s_axil_rvalid <= 1'b0;
            cfg_mac       <= {
                MAC_ADDRESS[7:0], MAC_ADDRESS[15:8], MAC_ADDRESS[23:16],
                MAC_ADDRESS[31:24], MAC_ADDRESS[39:32], MAC_ADDRESS[47:40]};
            control       <= CONTROL_RESET[4:0];
            cfg_max_frame <= MAX_FRAME_RESET[`NIC_MAX_FRAME__BYTES];
            irq_cause     <= 0;
            irq_enable    <= 0;
        end
    end

    assign irq             = (irq_cause & irq_enable) != 0;

    assign cfg_tx_enable   = control[`NIC_CONTROL__TX_ENABLE];
    assign cfg_rx_enable   = control[`NIC_CONTROL__RX_ENABLE];
    assign cfg_promiscuous = control[`NIC_CONTROL__PROMISCUOUS];
    assign cfg_broadcast   = control[`NIC_CONTROL__BROADCAST];
    assign cfg_keep_bad    = control[`NIC_CONTROL__KEEP_BAD];

endmodule

`resetall
