// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// nic: a 10/100 Mb/s Ethernet card, full and half duplex, MII on one side, AXI on the other. docs/card.md describes it.
//
// Hold `rst` for four cycles or more. The MII side comes out of reset when its clocks have run for a few cycles; frames
// wait for that, the registers do not.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module nic #(
    parameter [47:0] MAC_ADDRESS = 48'h02_00_00_00_00_01, // reset value of MAC_LO and MAC_HI, first octet leftmost
    parameter TX_BUFFER_LOG2 = 12,                        // bytes of the transmit frame buffer, 2^n; 11 to 15
    parameter RX_BUFFER_LOG2 = 13,                        // bytes of the receive frame buffer, 2^n; 11 to 15
    parameter TX_CSUM = 1,                                // insert checksums
    parameter RX_CSUM = 1,                                // verify checksums
    parameter TSO = 1,                                    // segment TCP; with TX_CSUM only
    parameter HALF_DUPLEX = 1,                            // CSMA/CD
    parameter VLAN = 1,                                   // insert and strip tags
    parameter PAUSE = 1,                                  // obey and send pause frames
    parameter STATISTICS = 1,                             // count frames
    parameter LOOPBACK = 1,                               // in front of the MAC, and behind it
    parameter MDIO = 1                                    // management of the PHY
) (
    input  wire        clk, // 25 MHz or more
    input  wire        rst,

    // Registers: AXI4-Lite slave
    input  wire [11:0] s_axil_awaddr,
    input  wire        s_axil_awvalid,
    output wire        s_axil_awready,
    input  wire [31:0] s_axil_wdata,
    input  wire [3:0]  s_axil_wstrb,
    input  wire        s_axil_wvalid,
    output wire        s_axil_wready,
    output wire [1:0]  s_axil_bresp,
    output wire        s_axil_bvalid,
    input  wire        s_axil_bready,
    input  wire [11:0] s_axil_araddr,
    input  wire        s_axil_arvalid,
    output wire        s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [1:0]  s_axil_rresp,
    output wire        s_axil_rvalid,
    input  wire        s_axil_rready,

    // Memory: AXI4 master
    output wire        m_axi_awid,
    output wire [31:0] m_axi_awaddr,
    output wire [7:0]  m_axi_awlen,
    output wire [2:0]  m_axi_awsize,
    output wire [1:0]  m_axi_awburst,
    output wire        m_axi_awvalid,
    input  wire        m_axi_awready,
    output wire [31:0] m_axi_wdata,
    output wire [3:0]  m_axi_wstrb,
    output wire        m_axi_wlast,
    output wire        m_axi_wvalid,
    input  wire        m_axi_wready,
    input  wire        m_axi_bid,
    input  wire [1:0]  m_axi_bresp,
    input  wire        m_axi_bvalid,
    output wire        m_axi_bready,
    output wire        m_axi_arid,
    output wire [31:0] m_axi_araddr,
    output wire [7:0]  m_axi_arlen,
    output wire [2:0]  m_axi_arsize,
    output wire [1:0]  m_axi_arburst,
    output wire        m_axi_arvalid,
    input  wire        m_axi_arready,
    input  wire        m_axi_rid,
    input  wire [31:0] m_axi_rdata,
    input  wire [1:0]  m_axi_rresp,
    input  wire        m_axi_rlast,
    input  wire        m_axi_rvalid,
    output wire        m_axi_rready,

    output wire        irq,          // level
    output wire        idle,         // the clocks may stop
    input  wire [31:0] timestamp_ns, // synchronous to clk

    // MII
    input  wire        mii_tx_clk,
    output wire [3:0]  mii_txd,
    output wire        mii_tx_en,
    output wire        mii_tx_er,
    input  wire        mii_rx_clk,
    input  wire [3:0]  mii_rxd,
    input  wire        mii_rx_dv,
    input  wire        mii_rx_er,
    input  wire        mii_crs,      // asynchronous
    input  wire        mii_col,      // asynchronous

    // Management of the PHY
    output wire        mdc,
    output wire        mdio_o,
    output wire        mdio_t,       // 1: MDIO is released
    input  wire        mdio_i,       // asynchronous
    input  wire        phy_irq       // asynchronous, level
);

    localparam [3:0] TX_LOG2 = TX_BUFFER_LOG2[3:0], RX_LOG2 = RX_BUFFER_LOG2[3:0];
    localparam TSO_HERE = TSO != 0 && TX_CSUM != 0;
    localparam [31:0] FEATURES = {
        8'd0, RX_LOG2, TX_LOG2, 7'd0, LOOPBACK != 0, MDIO != 0, STATISTICS != 0, PAUSE != 0, VLAN != 0, HALF_DUPLEX != 0,
        TSO_HERE, RX_CSUM != 0, TX_CSUM != 0};

    wire unused = &{1'b0, m_axi_bid, m_axi_bresp[0], m_axi_rid, m_axi_rresp[0]};

    // A size that the card cannot have ends elaboration at a module that is not there.
    generate
        if (TX_BUFFER_LOG2 < 11 || TX_BUFFER_LOG2 > 15) begin : tx_buffer
            tx_buffer_log2_must_be_11_to_15 size ();
        end
        if (RX_BUFFER_LOG2 < 11 || RX_BUFFER_LOG2 > 15) begin : rx_buffer
            rx_buffer_log2_must_be_11_to_15 size ();
        end
    endgenerate

    // Registers

    wire         bus_idle;
    reg          card_idle;
    wire [47:0]  cfg_mac;
    wire         cfg_tx_enable, cfg_rx_enable, cfg_promiscuous, cfg_broadcast, cfg_keep_bad;
    wire         cfg_half_duplex, cfg_vlan_strip, cfg_pause_rx, cfg_pause_tx, cfg_loopback_mac, cfg_loopback_mii;
    wire [13:0]  cfg_max_frame;
    wire [63:0]  cfg_hash;
    wire [15:0]  cfg_pause_quanta;
    wire [7:0]   cfg_tx_moderation_count, cfg_rx_moderation_count;
    wire [9:0]   cfg_tx_moderation_time, cfg_rx_moderation_time;
    wire         irq_tx_done_ack, irq_rx_done_ack;
    wire         irq_tx_tell, irq_rx_tell;
    wire [3:0]   mdio_write;
    wire [7:0]   cfg_mdio_divide;
    wire [31:0]  mdio_value;
    wire         irq_phy;

    wire         rx_pause_valid, mac_tx_pause;
    wire [15:0]  rx_pause_quanta;
    wire [11:0]  stat_tx_flags;
    wire [13:0]  stat_rx_flags;
    wire         carrier_here, paused;

    wire         irq_tx_done, irq_rx_done, irq_tx_error, irq_rx_error, irq_rx_overflow;
    wire [3:0]   tx_ring_write, rx_ring_write;
    wire [2:0]   ring_address;
    wire [31:0]  tx_ring_value, rx_ring_value, ring_write_data;
    wire         stat_request, stat_ack;
    wire [5:0]   stat_address;
    wire [31:0]  stat_data;

    assign s_axil_bresp = 2'b00;
    assign s_axil_rresp = 2'b00;

    nic_regs #(
        .MAC_ADDRESS(MAC_ADDRESS),
        .FEATURES   (FEATURES)
    ) regs (
        .clk                    (clk),
        .rst                    (rst),
        .s_axil_awaddr          (s_axil_awaddr),
        .s_axil_awvalid         (s_axil_awvalid),
        .s_axil_awready         (s_axil_awready),
        .s_axil_wdata           (s_axil_wdata),
        .s_axil_wstrb           (s_axil_wstrb),
        .s_axil_wvalid          (s_axil_wvalid),
        .s_axil_wready          (s_axil_wready),
        .s_axil_bvalid          (s_axil_bvalid),
        .s_axil_bready          (s_axil_bready),
        .s_axil_araddr          (s_axil_araddr),
        .s_axil_arvalid         (s_axil_arvalid),
        .s_axil_arready         (s_axil_arready),
        .s_axil_rdata           (s_axil_rdata),
        .s_axil_rvalid          (s_axil_rvalid),
        .s_axil_rready          (s_axil_rready),
        .bus_idle               (bus_idle),
        .cfg_mac                (cfg_mac),
        .cfg_tx_enable          (cfg_tx_enable),
        .cfg_rx_enable          (cfg_rx_enable),
        .cfg_promiscuous        (cfg_promiscuous),
        .cfg_broadcast          (cfg_broadcast),
        .cfg_keep_bad           (cfg_keep_bad),
        .cfg_half_duplex        (cfg_half_duplex),
        .cfg_vlan_strip         (cfg_vlan_strip),
        .cfg_pause_rx           (cfg_pause_rx),
        .cfg_pause_tx           (cfg_pause_tx),
        .cfg_loopback_mac       (cfg_loopback_mac),
        .cfg_loopback_mii       (cfg_loopback_mii),
        .cfg_max_frame          (cfg_max_frame),
        .cfg_hash               (cfg_hash),
        .cfg_pause_quanta       (cfg_pause_quanta),
        .cfg_tx_moderation_count(cfg_tx_moderation_count),
        .cfg_tx_moderation_time (cfg_tx_moderation_time),
        .cfg_rx_moderation_count(cfg_rx_moderation_count),
        .cfg_rx_moderation_time (cfg_rx_moderation_time),
        .medium_carrier         (carrier_here),
        .medium_paused          (paused),
        .card_idle              (card_idle),
        .irq_tx_done            (irq_tx_tell),
        .irq_rx_done            (irq_rx_tell),
        .irq_tx_error           (irq_tx_error),
        .irq_rx_error           (irq_rx_error),
        .irq_rx_overflow        (irq_rx_overflow),
        .irq_phy                (irq_phy),
        .irq_tx_done_ack        (irq_tx_done_ack),
        .irq_rx_done_ack        (irq_rx_done_ack),
        .irq                    (irq),
        .ring_address           (ring_address),
        .tx_ring_value          (tx_ring_value),
        .rx_ring_value          (rx_ring_value),
        .tx_ring_write          (tx_ring_write),
        .rx_ring_write          (rx_ring_write),
        .ring_write_data        (ring_write_data),
        .mdio_write             (mdio_write),
        .cfg_mdio_divide        (cfg_mdio_divide),
        .mdio_value             (mdio_value),
        .stat_request           (stat_request),
        .stat_address           (stat_address),
        .stat_ack               (stat_ack),
        .stat_data              (stat_data)
    );

    // Interrupt moderation

    wire tx_moderation_idle, rx_moderation_idle;

    moderation tx_moderation (
        .clk       (clk),
        .rst       (rst),
        .cfg_count (cfg_tx_moderation_count),
        .cfg_time  (cfg_tx_moderation_time),
        .time_units(timestamp_ns[19:10]),
        .event_in  (irq_tx_done),
        .forget    (irq_tx_done_ack),
        .tell      (irq_tx_tell),
        .idle      (tx_moderation_idle)
    );

    moderation rx_moderation (
        .clk       (clk),
        .rst       (rst),
        .cfg_count (cfg_rx_moderation_count),
        .cfg_time  (cfg_rx_moderation_time),
        .time_units(timestamp_ns[19:10]),
        .event_in  (irq_rx_done),
        .forget    (irq_rx_done_ack),
        .tell      (irq_rx_tell),
        .idle      (rx_moderation_idle)
    );

    // Memory

    wire [1:0]  read_valid, read_ready, read_data_valid;
    wire [29:0] tx_read_addr, rx_read_addr;
    wire [3:0]  tx_read_len, rx_read_len;
    wire [31:0] read_data;
    wire        read_data_last, read_data_error, read_idle;

    assign m_axi_arid    = 1'b0;
    assign m_axi_arsize  = 3'd2;
    assign m_axi_arburst = 2'b01;
    assign m_axi_rready  = 1'b1;

    // The receive side first: what comes from the wire cannot wait for long, and its reads are few and short.
    axi_read axi_read (
        .clk              (clk),
        .rst              (rst),
        .req_valid        (read_valid),
        .req_ready        (read_ready),
        .req_addr_0       (rx_read_addr),
        .req_addr_1       (tx_read_addr),
        .req_len_0        (rx_read_len),
        .req_len_1        (tx_read_len),
        .data_valid       (read_data_valid),
        .data             (read_data),
        .data_last        (read_data_last),
        .data_error       (read_data_error),
        .idle             (read_idle),
        .m_axi_araddr     (m_axi_araddr),
        .m_axi_arlen      (m_axi_arlen),
        .m_axi_arvalid    (m_axi_arvalid),
        .m_axi_arready    (m_axi_arready),
        .m_axi_rdata      (m_axi_rdata),
        .m_axi_rresp_error(m_axi_rresp[1]),
        .m_axi_rlast      (m_axi_rlast),
        .m_axi_rvalid     (m_axi_rvalid)
    );

    wire [1:0]  write_valid, write_ready, w_valid, w_ready, write_done;
    wire [29:0] tx_write_addr, rx_write_addr;
    wire [3:0]  tx_write_len, rx_write_len;
    wire [31:0] tx_w_data, rx_w_data;
    wire [3:0]  tx_w_strb, rx_w_strb;
    wire        write_error, write_idle;

    assign m_axi_awid    = 1'b0;
    assign m_axi_awsize  = 3'd2;
    assign m_axi_awburst = 2'b01;
    assign m_axi_bready  = 1'b1;

    // The transmit side first: it writes two words a frame, and the receive side is seldom long without a request.
    axi_write axi_write (
        .clk              (clk),
        .rst              (rst),
        .req_valid        (write_valid),
        .req_ready        (write_ready),
        .req_addr_0       (tx_write_addr),
        .req_addr_1       (rx_write_addr),
        .req_len_0        (tx_write_len),
        .req_len_1        (rx_write_len),
        .w_valid          (w_valid),
        .w_ready          (w_ready),
        .w_data_0         (tx_w_data),
        .w_data_1         (rx_w_data),
        .w_strb_0         (tx_w_strb),
        .w_strb_1         (rx_w_strb),
        .done             (write_done),
        .error            (write_error),
        .idle             (write_idle),
        .m_axi_awaddr     (m_axi_awaddr),
        .m_axi_awlen      (m_axi_awlen),
        .m_axi_awvalid    (m_axi_awvalid),
        .m_axi_awready    (m_axi_awready),
        .m_axi_wdata      (m_axi_wdata),
        .m_axi_wstrb      (m_axi_wstrb),
        .m_axi_wlast      (m_axi_wlast),
        .m_axi_wvalid     (m_axi_wvalid),
        .m_axi_wready     (m_axi_wready),
        .m_axi_bresp_error(m_axi_bresp[1]),
        .m_axi_bvalid     (m_axi_bvalid)
    );

    // MAC, in its two clocks

    reg mii_rst;  // of the other domains, straight from a flip-flop
    always @(posedge clk) mii_rst <= rst;

    wire       tx_rst, rx_rst;
    wire       mac_tx_valid, mac_tx_ready, mac_tx_last, mac_tx_done, mac_tx_again, mac_tx_holding, mac_tx_idle;
    wire [8:0] mac_tx_flags;
    wire       mac_pause_valid;
    wire [7:0] mac_tx_data;
    wire       mac_rx_valid, mac_rx_last, mac_rx_idle;
    wire [7:0] mac_rx_data;
    wire [5:0] mac_rx_user;
    wire       mac_tx_en, mac_tx_er, mac_crs, mac_col, mac_rx_dv, mac_rx_er;
    wire [3:0] mac_rxd;
    wire       loop_active, loop_valid, loop_ready, loop_last, rx_between;
    wire [7:0] loop_data;

    // A change of HALF_DUPLEX or LOOPBACK_MII in CONTROL goes through both clocks of MII, and idle waits for its return.
    wire tx_half_duplex, rx_half_duplex, half_duplex_here, rx_loopback, loopback_here;

    sync_bit tx_half_duplex_sync (
        .clk(mii_tx_clk),
        .d  (cfg_half_duplex),
        .q  (tx_half_duplex)
    );

    sync_bit #(
        .WIDTH(3)
    ) medium_sync (
        .clk(clk),
        .d  ({rx_loopback, rx_half_duplex, mii_crs}),
        .q  ({loopback_here, half_duplex_here, carrier_here})
    );

    reset_sync tx_reset (
        .clk   (mii_tx_clk),
        .rst_in(mii_rst),
        .rst   (tx_rst)
    );

    reset_sync rx_reset (
        .clk   (mii_rx_clk),
        .rst_in(mii_rst),
        .rst   (rx_rst)
    );

    mac #(
        .HALF_DUPLEX(HALF_DUPLEX),
        .PAUSE      (PAUSE)
    ) mac (
        .mii_tx_clk    (mii_tx_clk),
        .tx_rst        (tx_rst),
        .half_duplex   (tx_half_duplex),
        .seed          (cfg_mac[47:24] ^ cfg_mac[23:0]),
        .pause_valid   (mac_pause_valid),
        .pause_quanta  (rx_pause_quanta),
        .s_axis_tdata  (mac_tx_data),
        .s_axis_tvalid (mac_tx_valid),
        .s_axis_tready (mac_tx_ready),
        .s_axis_tlast  (mac_tx_last),
        .s_axis_tuser  (1'b0),
        .s_axis_urgent (mac_tx_pause),
        .tx_done       (mac_tx_done),
        .tx_again      (mac_tx_again),
        .tx_flags      (mac_tx_flags),
        .tx_holding    (mac_tx_holding),
        .tx_idle       (mac_tx_idle),
        .mii_txd       (mii_txd),
        .mii_tx_en     (mac_tx_en),
        .mii_tx_er     (mac_tx_er),
        .mii_crs       (mac_crs),
        .mii_col       (mac_col),
        .mii_rx_clk    (mii_rx_clk),
        .rx_rst        (rx_rst),
        .rx_half_duplex(rx_half_duplex),
        .rx_loopback   (rx_loopback),
        .mii_rxd       (mac_rxd),
        .mii_rx_dv     (mac_rx_dv),
        .mii_rx_er     (mac_rx_er),
        .m_axis_tdata  (mac_rx_data),
        .m_axis_tvalid (mac_rx_valid),
        .m_axis_tlast  (mac_rx_last),
        .m_axis_tuser  (mac_rx_user),
        .rx_idle       (mac_rx_idle)
    );

    mii_loop #(
        .ENABLE(LOOPBACK)
    ) mii_loop (
        .loopback (cfg_loopback_mii),
        .tx_clk   (mii_tx_clk),
        .tx_rst   (tx_rst),
        .mac_txd  (mii_txd),
        .mac_tx_en(mac_tx_en),
        .mac_tx_er(mac_tx_er),
        .mac_crs  (mac_crs),
        .mac_col  (mac_col),
        .mii_tx_en(mii_tx_en),
        .mii_tx_er(mii_tx_er),
        .mii_crs  (mii_crs),
        .mii_col  (mii_col),
        .rx_clk   (mii_rx_clk),
        .rx_rst   (rx_rst),
        .mii_rxd  (mii_rxd),
        .mii_rx_dv(mii_rx_dv),
        .mii_rx_er(mii_rx_er),
        .mac_rxd  (mac_rxd),
        .mac_rx_dv(mac_rx_dv),
        .mac_rx_er(mac_rx_er),
        .settled  (rx_loopback)
    );

    // The two halves in clk

    wire        tx_idle, rx_idle;
    wire        buffer_high, buffer_low;
    wire        stat_tx_valid, stat_rx_valid;
    wire [13:0] stat_tx_octets, stat_rx_octets;

    nic_tx #(
        .BUFFER_LOG2(TX_BUFFER_LOG2),
        .TX_CSUM    (TX_CSUM),
        .TSO        (TSO_HERE),
        .VLAN       (VLAN),
        .PAUSE      (PAUSE),
        .LOOPBACK   (LOOPBACK)
    ) transmit (
        .clk            (clk),
        .rst            (rst),
        .mac_clk        (mii_tx_clk),
        .mac_rst        (tx_rst),
        .cfg_enable     (cfg_tx_enable),
        .cfg_pause      (cfg_pause_tx && !cfg_half_duplex),
        .cfg_pause_quanta(cfg_pause_quanta),
        .cfg_loopback   (cfg_loopback_mac),
        .cfg_mac        (cfg_mac),
        .timestamp_ns   (timestamp_ns),
        .ring_address   (ring_address),
        .ring_value     (tx_ring_value),
        .ring_write     (tx_ring_write),
        .ring_write_data(ring_write_data),
        .irq_done       (irq_tx_done),
        .irq_error      (irq_tx_error),
        .read_valid     (read_valid[1]),
        .read_ready     (read_ready[1]),
        .read_addr      (tx_read_addr),
        .read_len       (tx_read_len),
        .read_data_valid(read_data_valid[1]),
        .read_data      (read_data),
        .read_data_last (read_data_last),
        .read_data_error(read_data_error),
        .write_valid    (write_valid[0]),
        .write_ready    (write_ready[0]),
        .write_addr     (tx_write_addr),
        .write_len      (tx_write_len),
        .w_valid        (w_valid[0]),
        .w_ready        (w_ready[0]),
        .w_data         (tx_w_data),
        .w_strb         (tx_w_strb),
        .write_done     (write_done[0]),
        .write_error    (write_error),
        .m_axis_tvalid  (mac_tx_valid),
        .m_axis_tready  (mac_tx_ready),
        .m_axis_tdata   (mac_tx_data),
        .m_axis_tlast   (mac_tx_last),
        .m_axis_tuser   (mac_tx_pause),
        .mac_done       (mac_tx_done),
        .mac_again      (mac_tx_again),
        .mac_flags      (mac_tx_flags),
        .mac_paused     (mac_tx_holding && !tx_half_duplex),
        .mac_idle       (mac_tx_idle),
        .mac_pause_valid(mac_pause_valid),
        .pause_valid    (rx_pause_valid && cfg_pause_rx && !cfg_half_duplex),
        .paused         (paused),
        .rx_between     (rx_between),
        .loop_active    (loop_active),
        .loop_tvalid    (loop_valid),
        .loop_tready    (loop_ready),
        .loop_tdata     (loop_data),
        .loop_tlast     (loop_last),
        .buffer_high    (buffer_high),
        .buffer_low     (buffer_low),
        .stat_valid     (stat_tx_valid),
        .stat_octets    (stat_tx_octets),
        .stat_flags     (stat_tx_flags),
        .idle           (tx_idle)
    );

    nic_rx #(
        .BUFFER_LOG2(RX_BUFFER_LOG2),
        .RX_CSUM    (RX_CSUM),
        .VLAN       (VLAN),
        .PAUSE      (PAUSE),
        .LOOPBACK   (LOOPBACK)
    ) receive (
        .clk            (clk),
        .rst            (rst),
        .mac_clk        (mii_rx_clk),
        .mac_rst        (rx_rst),
        .cfg_enable     (cfg_rx_enable),
        .cfg_promiscuous(cfg_promiscuous),
        .cfg_broadcast  (cfg_broadcast),
        .cfg_keep_bad   (cfg_keep_bad),
        .cfg_half_duplex(cfg_half_duplex),
        .cfg_mac        (cfg_mac),
        .cfg_vlan_strip (cfg_vlan_strip),
        .cfg_hash       (cfg_hash),
        .cfg_max_frame  (cfg_max_frame),
        .timestamp_ns   (timestamp_ns),
        .ring_address   (ring_address),
        .ring_value     (rx_ring_value),
        .ring_write     (rx_ring_write),
        .ring_write_data(ring_write_data),
        .irq_done       (irq_rx_done),
        .irq_error      (irq_rx_error),
        .irq_overflow   (irq_rx_overflow),
        .read_valid     (read_valid[0]),
        .read_ready     (read_ready[0]),
        .read_addr      (rx_read_addr),
        .read_len       (rx_read_len),
        .read_data_valid(read_data_valid[0]),
        .read_data      (read_data),
        .read_data_last (read_data_last),
        .read_data_error(read_data_error),
        .write_valid    (write_valid[1]),
        .write_ready    (write_ready[1]),
        .write_addr     (rx_write_addr),
        .write_len      (rx_write_len),
        .w_valid        (w_valid[1]),
        .w_ready        (w_ready[1]),
        .w_data         (rx_w_data),
        .w_strb         (rx_w_strb),
        .write_done     (write_done[1]),
        .write_error    (write_error),
        .s_axis_tvalid  (mac_rx_valid),
        .s_axis_tdata   (mac_rx_data),
        .s_axis_tlast   (mac_rx_last),
        .s_axis_tuser   (mac_rx_user),
        .mac_idle       (mac_rx_idle),
        .loop_active    (loop_active),
        .loop_tvalid    (loop_valid),
        .loop_tready    (loop_ready),
        .loop_tdata     (loop_data),
        .loop_tlast     (loop_last),
        .between        (rx_between),
        .pause_valid    (rx_pause_valid),
        .pause_quanta   (rx_pause_quanta),
        .buffer_high    (buffer_high),
        .buffer_low     (buffer_low),
        .stat_valid     (stat_rx_valid),
        .stat_octets    (stat_rx_octets),
        .stat_flags     (stat_rx_flags),
        .idle           (rx_idle)
    );

    wire stat_idle;

    statistics #(
        .ENABLE(STATISTICS)
    ) statistics (
        .clk         (clk),
        .rst         (rst),
        .rx_valid    (stat_rx_valid),
        .rx_octets   (stat_rx_octets),
        .rx_flags    (stat_rx_flags),
        .tx_valid    (stat_tx_valid),
        .tx_octets   (stat_tx_octets),
        .tx_flags    (stat_tx_flags),
        .read_request(stat_request),
        .read_address(stat_address),
        .read_ack    (stat_ack),
        .read_data   (stat_data),
        .stat_idle   (stat_idle)
    );

    // Management of the PHY

    wire mdio_idle, phy_irq_here;
    reg  phy_irq_last;

    mdio #(
        .ENABLE(MDIO)
    ) mdio (
        .clk       (clk),
        .rst       (rst),
        .cfg_divide(cfg_mdio_divide),
        .write     (mdio_write),
        .write_data(ring_write_data),
        .value     (mdio_value),
        .idle      (mdio_idle),
        .mdc       (mdc),
        .mdio_o    (mdio_o),
        .mdio_t    (mdio_t),
        .mdio_i    (mdio_i)
    );

    sync_bit phy_irq_sync (
        .clk(clk),
        .d  (phy_irq),
        .q  (phy_irq_here)
    );

    always @(posedge clk) phy_irq_last <= phy_irq_here && !rst;

    assign irq_phy   = phy_irq_here && !phy_irq_last;

    // What is busy most often first: a simulation looks no further.
    always @* begin
        card_idle = 1'b0;
        if (tx_idle) if (rx_idle)
            card_idle = read_idle && write_idle && stat_idle && mdio_idle && tx_moderation_idle && rx_moderation_idle &&
                half_duplex_here == cfg_half_duplex && loopback_here == cfg_loopback_mii;
    end

    assign idle = card_idle && bus_idle;

endmodule

`resetall
