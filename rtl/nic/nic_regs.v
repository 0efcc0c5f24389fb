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

    // Interrupt: causes are pulses, in the order of IRQ_CAUSE
    input  wire [4:0]   irq_set,
    output wire         irq,

    // Rings
    output wire [5:0]   tx_ring_write,
    output wire [5:0]   rx_ring_write,
    output wire [31:0]  ring_write_data,
    input  wire [191:0] tx_ring_registers,
    input  wire [191:0] rx_ring_registers,

    // Statistics
    output wire         stat_request,
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
    wire [11:0] address = {write ? s_axil_awaddr[11:2] : s_axil_araddr[11:2], 2'b00};
    wire        is_stat = (address & STAT_BLOCK) == `NIC_STAT_TX_FRAMES;
    wire        read    = reading && (!is_stat || stat_ack);
    wire        unused  = &{1'b0, s_axil_awaddr[1:0], s_axil_araddr[1:0]};

    assign s_axil_awready = write;
    assign s_axil_wready  = write;
    assign s_axil_arready = read;
    assign bus_idle       = !s_axil_awvalid && !s_axil_wvalid && !s_axil_bvalid && !s_axil_arvalid && !s_axil_rvalid;

    assign stat_request   = reading && is_stat;
    assign stat_address   = address[5:2];

    reg [31:0] value;  // of the register at the address

    always @* begin
        value = 32'd0;
        case (address)
            `NIC_ID:         value = `NIC_ID_RESET;
            `NIC_VERSION:    value = `NIC_VERSION_RESET;
            `NIC_FEATURES:   value = FEATURES;
            `NIC_MAC_LO:     value = cfg_mac[31:0];
            `NIC_MAC_HI:     value[`NIC_MAC_HI__OCTETS] = cfg_mac[47:32];
            `NIC_CONTROL:    value[4:0] = control;
            `NIC_STATUS:     value[`NIC_STATUS__IDLE] = card_idle;
            `NIC_MAX_FRAME:  value[`NIC_MAX_FRAME__BYTES] = cfg_max_frame;
            `NIC_IRQ_CAUSE:  value[4:0] = irq_cause;
            `NIC_IRQ_ENABLE: value[4:0] = irq_enable;
            `NIC_TX_BASE, `NIC_TX_SIZE, `NIC_TX_HEAD, `NIC_TX_TAIL, `NIC_TX_CONTROL, `NIC_TX_STATUS:
                value = tx_ring_registers[{address[4:2], 5'd0}+:32];
            `NIC_RX_BASE, `NIC_RX_SIZE, `NIC_RX_HEAD, `NIC_RX_TAIL, `NIC_RX_CONTROL, `NIC_RX_STATUS:
                value = rx_ring_registers[{address[4:2], 5'd0}+:32];
            default: if (is_stat) value = stat_data;
        endcase
    end

    // What a register holds after a write: octets that are not strobed keep their value.
    wire [31:0] strobed = {{8{s_axil_wstrb[3]}}, {8{s_axil_wstrb[2]}}, {8{s_axil_wstrb[1]}}, {8{s_axil_wstrb[0]}}};
    wire [31:0] merged  = (s_axil_wdata & strobed) | (value & ~strobed);

    assign tx_ring_write   = write && (address & RING_BLOCK) == `NIC_TX_BASE ? 6'd1 << address[4:2] : 6'd0;
    assign rx_ring_write   = write && (address & RING_BLOCK) == `NIC_RX_BASE ? 6'd1 << address[4:2] : 6'd0;
    assign ring_write_data = merged;

    always @(posedge clk) begin
        irq_cause <= irq_cause | irq_set;

        if (s_axil_bready) s_axil_bvalid <= 1'b0;
        if (write) begin
            s_axil_bvalid <= 1'b1;
            case (address)
                `NIC_MAC_LO:     cfg_mac[31:0]  <= merged;
                `NIC_MAC_HI:     cfg_mac[47:32] <= merged[`NIC_MAC_HI__OCTETS];
                `NIC_CONTROL:    control        <= merged[4:0];
                `NIC_MAX_FRAME:  cfg_max_frame  <= merged[`NIC_MAX_FRAME__BYTES];
                `NIC_IRQ_CAUSE:  irq_cause      <= (irq_cause & ~(s_axil_wdata[4:0] & strobed[4:0])) | irq_set;
                `NIC_IRQ_ENABLE: irq_enable     <= merged[4:0];
                default: ;
            endcase
        end

        if (s_axil_rready) s_axil_rvalid <= 1'b0;
        if (read) begin
            s_axil_rvalid <= 1'b1;
            s_axil_rdata  <= value;
        end

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
