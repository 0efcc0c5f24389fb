// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// nic_regs: the card's registers behind an AXI4-Lite slave. nic.rdl describes them; nic_regs.vh has their addresses.
//
// One access at a time, writes first. A write is answered, and has taken effect, in the cycle after address and data have met, a read
// in the cycle after its address; the counters keep a read waiting for as long as they are counting. Every access is answered with
// OKAY; where there is no register, 0 is read and nothing written.
//
// The rings (rtl/dma/ring.v), the MDIO master and the counters keep their own registers; here they are only given their
// addresses.

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
    output wire         cfg_half_duplex,
    output wire         cfg_vlan_strip,
    output wire         cfg_pause_rx,
    output wire         cfg_pause_tx,
    output wire         cfg_loopback_mac,
    output wire         cfg_loopback_mii,
    output reg  [13:0]  cfg_max_frame,
    output reg  [63:0]  cfg_hash,
    output reg  [15:0]  cfg_pause_quanta,
    output reg  [7:0]   cfg_tx_moderation_count,
    output reg  [9:0]   cfg_tx_moderation_time,   // units of 1,024 ns
    output reg  [7:0]   cfg_rx_moderation_count,
    output reg  [9:0]   cfg_rx_moderation_time,
    input  wire         medium_carrier,
    input  wire         medium_paused,
    input  wire         card_idle,

    // Interrupt: causes are pulses
    input  wire         irq_tx_done,
    input  wire         irq_rx_done,
    input  wire         irq_tx_error,
    input  wire         irq_rx_error,
    input  wire         irq_rx_overflow,
    input  wire         irq_phy,
    output wire         irq_tx_done_ack,   // pulses: software has acknowledged the cause
    output wire         irq_rx_done_ack,
    output wire         irq,

    // Rings
    output wire [2:0]   ring_address,
    input  wire [31:0]  tx_ring_value,
    input  wire [31:0]  rx_ring_value,
    output reg  [3:0]   tx_ring_write,     // octet strobes
    output reg  [3:0]   rx_ring_write,
    output wire [31:0]  ring_write_data,

    // MDIO
    output reg  [3:0]   mdio_write,        // octet strobes, of ring_write_data
    output reg  [7:0]   cfg_mdio_divide,
    input  wire [31:0]  mdio_value,

    // Statistics
    output reg          stat_request,
    output wire [5:0]   stat_address,
    input  wire         stat_ack,
    input  wire [31:0]  stat_data
);

    `include "nic_regs.vh"

    localparam [31:0] CONTROL_RESET = `NIC_CONTROL_RESET, MAX_FRAME_RESET = `NIC_MAX_FRAME_RESET;
    localparam [31:0] PAUSE_RESET = `NIC_PAUSE_RESET, MDIO_CLOCK_RESET = `NIC_MDIO_CLOCK_RESET;
    localparam [11:0] RING_BLOCK = ~12'h01F, STAT_BLOCK = ~12'h0FF;  // address bits that tell a block

    wire half_duplex_here = FEATURES[`NIC_FEATURES__HALF_DUPLEX];
    wire vlan_here        = FEATURES[`NIC_FEATURES__VLAN];
    wire pause_here       = FEATURES[`NIC_FEATURES__PAUSE];
    wire loopback_here    = FEATURES[`NIC_FEATURES__LOOPBACK];
    wire mdio_here        = FEATURES[`NIC_FEATURES__MDIO];

    // Bits of CONTROL that exist
    wire [10:0] controls = {
        {2{loopback_here}}, {2{pause_here}}, vlan_here, half_duplex_here, 5'b11111};

    reg [10:0] control;
    reg [5:0]  irq_cause, irq_enable;

    wire        write   = s_axil_awvalid && s_axil_wvalid && !s_axil_bvalid;
    wire        reading = s_axil_arvalid && !s_axil_rvalid && !write;
    wire        read    = reading && (!stat_request || stat_ack);
    reg  [1:0]  done_ack;  // receive, transmit
    wire [11:0] address = {write ? s_axil_awaddr[11:2] : s_axil_araddr[11:2], 2'b00};
    wire        unused  = &{1'b0, s_axil_awaddr[1:0], s_axil_araddr[1:0]};

    assign s_axil_awready  = write;
    assign s_axil_wready   = write;
    assign s_axil_arready  = read;
    assign bus_idle        = !(s_axil_awvalid || s_axil_wvalid || s_axil_bvalid || s_axil_arvalid || s_axil_rvalid);

    assign ring_address    = address[4:2];
    assign ring_write_data = s_axil_wdata;
    assign stat_address    = address[7:2];

    always @* begin
        tx_ring_write = 4'b0000;
        rx_ring_write = 4'b0000;
        stat_request  = 1'b0;
        mdio_write    = 4'b0000;
        done_ack      = 2'b00;
        if (write) begin
            if ((address & RING_BLOCK) == `NIC_TX_BASE) tx_ring_write = s_axil_wstrb;
            if ((address & RING_BLOCK) == `NIC_RX_BASE) rx_ring_write = s_axil_wstrb;
            if (address == `NIC_MDIO) mdio_write = s_axil_wstrb;
            if (address == `NIC_IRQ_CAUSE && s_axil_wstrb[0])
                done_ack = {s_axil_wdata[`NIC_IRQ_CAUSE__RX_DONE], s_axil_wdata[`NIC_IRQ_CAUSE__TX_DONE]};
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
                `NIC_CONTROL:    s_axil_rdata[10:0] <= control;
                `NIC_STATUS:     s_axil_rdata[`NIC_STATUS__IDLE] <= card_idle;
                `NIC_MAX_FRAME:  s_axil_rdata[`NIC_MAX_FRAME__BYTES] <= cfg_max_frame;
                `NIC_HASH_LO:    s_axil_rdata <= cfg_hash[31:0];
                `NIC_HASH_HI:    s_axil_rdata <= cfg_hash[63:32];
                `NIC_PAUSE:      s_axil_rdata[`NIC_PAUSE__QUANTA] <= cfg_pause_quanta;
                `NIC_IRQ_CAUSE:  s_axil_rdata[5:0] <= irq_cause;
                `NIC_IRQ_ENABLE: s_axil_rdata[5:0] <= irq_enable;
                `NIC_TX_MODERATION: begin
                    s_axil_rdata[`NIC_TX_MODERATION__COUNT] <= cfg_tx_moderation_count;
                    s_axil_rdata[`NIC_TX_MODERATION__TIME]  <= cfg_tx_moderation_time;
                end
                `NIC_RX_MODERATION: begin
                    s_axil_rdata[`NIC_RX_MODERATION__COUNT] <= cfg_rx_moderation_count;
                    s_axil_rdata[`NIC_RX_MODERATION__TIME]  <= cfg_rx_moderation_time;
                end
                `NIC_MDIO:       s_axil_rdata <= mdio_value;
                `NIC_MDIO_CLOCK: s_axil_rdata[`NIC_MDIO_CLOCK__DIVIDE] <= cfg_mdio_divide;
                `NIC_MEDIUM:     s_axil_rdata[1:0] <= {medium_paused, medium_carrier};
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
                `NIC_HASH_LO: begin
                    if (s_axil_wstrb[0]) cfg_hash[7:0]   <= s_axil_wdata[7:0];
                    if (s_axil_wstrb[1]) cfg_hash[15:8]  <= s_axil_wdata[15:8];
                    if (s_axil_wstrb[2]) cfg_hash[23:16] <= s_axil_wdata[23:16];
                    if (s_axil_wstrb[3]) cfg_hash[31:24] <= s_axil_wdata[31:24];
                end
                `NIC_HASH_HI: begin
                    if (s_axil_wstrb[0]) cfg_hash[39:32] <= s_axil_wdata[7:0];
                    if (s_axil_wstrb[1]) cfg_hash[47:40] <= s_axil_wdata[15:8];
                    if (s_axil_wstrb[2]) cfg_hash[55:48] <= s_axil_wdata[23:16];
                    if (s_axil_wstrb[3]) cfg_hash[63:56] <= s_axil_wdata[31:24];
                end
                `NIC_PAUSE: if (pause_here) begin
                    if (s_axil_wstrb[0]) cfg_pause_quanta[7:0]  <= s_axil_wdata[7:0];
                    if (s_axil_wstrb[1]) cfg_pause_quanta[15:8] <= s_axil_wdata[15:8];
                end
                `NIC_TX_MODERATION: begin
                    if (s_axil_wstrb[0]) cfg_tx_moderation_count     <= s_axil_wdata[7:0];
                    if (s_axil_wstrb[2]) cfg_tx_moderation_time[7:0] <= s_axil_wdata[23:16];
                    if (s_axil_wstrb[3]) cfg_tx_moderation_time[9:8] <= s_axil_wdata[25:24];
                end
                `NIC_RX_MODERATION: begin
                    if (s_axil_wstrb[0]) cfg_rx_moderation_count     <= s_axil_wdata[7:0];
                    if (s_axil_wstrb[2]) cfg_rx_moderation_time[7:0] <= s_axil_wdata[23:16];
                    if (s_axil_wstrb[3]) cfg_rx_moderation_time[9:8] <= s_axil_wdata[25:24];
                end
                `NIC_CONTROL: begin
                    if (s_axil_wstrb[0]) control[7:0]  <= s_axil_wdata[7:0] & controls[7:0];
                    if (s_axil_wstrb[1]) control[10:8] <= s_axil_wdata[10:8] & controls[10:8];
                end
                `NIC_IRQ_CAUSE:  if (s_axil_wstrb[0]) irq_cause       <= irq_cause & ~s_axil_wdata[5:0];
                `NIC_IRQ_ENABLE: if (s_axil_wstrb[0]) irq_enable      <= s_axil_wdata[5:0];
                `NIC_MDIO_CLOCK: if (mdio_here && s_axil_wstrb[0]) cfg_mdio_divide <= s_axil_wdata[7:0];
                default: ;
            endcase
        end

        // What happens in the cycle of its acknowledgement counts again.
        if (irq_tx_done)     irq_cause[`NIC_IRQ_CAUSE__TX_DONE]     <= 1'b1;
        if (irq_rx_done)     irq_cause[`NIC_IRQ_CAUSE__RX_DONE]     <= 1'b1;
        if (irq_tx_error)    irq_cause[`NIC_IRQ_CAUSE__TX_ERROR]    <= 1'b1;
        if (irq_rx_error)    irq_cause[`NIC_IRQ_CAUSE__RX_ERROR]    <= 1'b1;
        if (irq_rx_overflow) irq_cause[`NIC_IRQ_CAUSE__RX_OVERFLOW] <= 1'b1;
        if (irq_phy)         irq_cause[`NIC_IRQ_CAUSE__PHY]         <= 1'b1;

        if (rst) begin
            s_axil_bvalid           <= 1'b0;
            s_axil_rvalid           <= 1'b0;
            cfg_mac                 <= {
                MAC_ADDRESS[7:0], MAC_ADDRESS[15:8], MAC_ADDRESS[23:16],
                MAC_ADDRESS[31:24], MAC_ADDRESS[39:32], MAC_ADDRESS[47:40]};
            control                 <= CONTROL_RESET[10:0];
            cfg_max_frame           <= MAX_FRAME_RESET[`NIC_MAX_FRAME__BYTES];
            cfg_hash                <= 0;
            cfg_pause_quanta        <= PAUSE_RESET[`NIC_PAUSE__QUANTA];
            cfg_tx_moderation_count <= 0;
            cfg_tx_moderation_time  <= 0;
            cfg_rx_moderation_count <= 0;
            cfg_rx_moderation_time  <= 0;
            cfg_mdio_divide         <= MDIO_CLOCK_RESET[`NIC_MDIO_CLOCK__DIVIDE];
            irq_cause               <= 0;
            irq_enable              <= 0;
        end
    end

    assign irq              = (irq_cause & irq_enable) != 0;
    assign cfg_tx_enable    = control[`NIC_CONTROL__TX_ENABLE];
    assign cfg_rx_enable    = control[`NIC_CONTROL__RX_ENABLE];
    assign cfg_promiscuous  = control[`NIC_CONTROL__PROMISCUOUS];
    assign cfg_broadcast    = control[`NIC_CONTROL__BROADCAST];
    assign cfg_keep_bad     = control[`NIC_CONTROL__KEEP_BAD];
    assign cfg_half_duplex  = control[`NIC_CONTROL__HALF_DUPLEX];
    assign cfg_vlan_strip   = control[`NIC_CONTROL__VLAN_STRIP];
    assign cfg_pause_rx     = control[`NIC_CONTROL__PAUSE_RX];
    assign cfg_pause_tx     = control[`NIC_CONTROL__PAUSE_TX];
    assign cfg_loopback_mac = control[`NIC_CONTROL__LOOPBACK_MAC];
    assign cfg_loopback_mii = control[`NIC_CONTROL__LOOPBACK_MII];
    assign irq_tx_done_ack  = done_ack[0];
    assign irq_rx_done_ack  = done_ack[1];

endmodule

`resetall
