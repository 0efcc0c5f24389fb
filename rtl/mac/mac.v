// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// mac: 10/100 Mb/s Ethernet MAC between AXI4-Stream octets and MII nibbles, full and half duplex.
//
// Each stream is synchronous to the MII clock of its side and has the reset of that side. See mac_tx and mac_rx for what
// the streams carry. The two halves share nothing, but that in half duplex nothing is received while something is sent,
// unless `rx_loopback` says that it is this that comes back (mii_loop).
//
// `rx_half_duplex` follows `half_duplex`; when it has changed, the change has come through everywhere.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module mac #(
    parameter HALF_DUPLEX = 1,
    parameter PAUSE = 1
) (
    // Transmit, synchronous to mii_tx_clk
    input  wire        mii_tx_clk,
    input  wire        tx_rst,
    input  wire        half_duplex,
    input  wire [23:0] seed,
    input  wire        pause_valid,
    input  wire [15:0] pause_quanta,
    input  wire [7:0]  s_axis_tdata,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,   // with tlast: the frame is bad
    input  wire        s_axis_urgent,  // the frame need not wait for the end of a pause
    output wire        tx_done,        // the last nibble of an attempt has left
    output wire        tx_again,
    output wire [8:0]  tx_flags,
    output wire        tx_holding,
    output wire        tx_idle,
    output wire [3:0]  mii_txd,
    output wire        mii_tx_en,
    output wire        mii_tx_er,
    input  wire        mii_crs,        // asynchronous, as the next
    input  wire        mii_col,

    // Receive, synchronous to mii_rx_clk
    input  wire        mii_rx_clk,
    input  wire        rx_rst,
    output wire        rx_half_duplex,
    input  wire        rx_loopback,
    input  wire [3:0]  mii_rxd,
    input  wire        mii_rx_dv,
    input  wire        mii_rx_er,
    output wire [7:0]  m_axis_tdata,
    output wire        m_axis_tvalid,
    output wire        m_axis_tlast,
    output wire [5:0]  m_axis_tuser,   // mac_rx
    output wire        rx_idle
);

    mac_tx #(
        .HALF_DUPLEX(HALF_DUPLEX),
        .PAUSE      (PAUSE)
    ) mac_tx (
        .clk          (mii_tx_clk),
        .rst          (tx_rst),
        .half_duplex  (half_duplex),
        .seed         (seed),
        .pause_valid  (pause_valid),
        .pause_quanta (pause_quanta),
        .s_axis_tdata (s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast (s_axis_tlast),
        .s_axis_tuser (s_axis_tuser),
        .s_axis_urgent(s_axis_urgent),
        .tx_done      (tx_done),
        .tx_again     (tx_again),
        .tx_flags     (tx_flags),
        .holding      (tx_holding),
        .idle         (tx_idle),
        .mii_txd      (mii_txd),
        .mii_tx_en    (mii_tx_en),
        .mii_tx_er    (mii_tx_er),
        .mii_crs      (mii_crs),
        .mii_col      (mii_col)
    );

    wire rx_sending;

    generate
        if (HALF_DUPLEX != 0) begin : half
            sync_bit #(
                .WIDTH(2)
            ) sending_sync (
                .clk(mii_rx_clk),
                .d  ({half_duplex, mii_tx_en}),
                .q  ({rx_half_duplex, rx_sending})
            );
        end else begin : full
            wire unused = &{1'b0, half_duplex};
            assign {rx_half_duplex, rx_sending} = 2'b00;
        end
    endgenerate

    mac_rx mac_rx (
        .clk          (mii_rx_clk),
        .rst          (rx_rst),
        .deaf         (rx_half_duplex && rx_sending && !rx_loopback),
        .mii_rxd      (mii_rxd),
        .mii_rx_dv    (mii_rx_dv),
        .mii_rx_er    (mii_rx_er),
        .m_axis_tdata (m_axis_tdata),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tlast (m_axis_tlast),
        .m_axis_tuser (m_axis_tuser),
        .idle         (rx_idle)
    );

endmodule

`resetall
