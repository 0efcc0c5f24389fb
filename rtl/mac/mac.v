// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// mac: 10/100 Mb/s Ethernet MAC between AXI4-Stream octets and MII nibbles, full duplex.
//
// The two halves share nothing: each stream is synchronous to the MII clock of its side and has the reset of that
// side. See mac_tx and mac_rx for what the streams carry.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module mac (
    // Transmit, synchronous to mii_tx_clk
    input  wire       mii_tx_clk,
    input  wire       tx_rst,
    input  wire [7:0] s_axis_tdata,
    input  wire       s_axis_tvalid,
    output wire       s_axis_tready,
    input  wire       s_axis_tlast,
    input  wire       s_axis_tuser,   // with tlast: the frame is bad
    output wire       tx_done,        // the last FCS nibble has left
    output wire       tx_idle,
    output wire [3:0] mii_txd,
    output wire       mii_tx_en,
    output wire       mii_tx_er,

    // Receive, synchronous to mii_rx_clk
    input  wire       mii_rx_clk,
    input  wire       rx_rst,
    input  wire [3:0] mii_rxd,
    input  wire       mii_rx_dv,
    input  wire       mii_rx_er,
    output wire [7:0] m_axis_tdata,
    output wire       m_axis_tvalid,
    output wire       m_axis_tlast,
    output wire [5:0] m_axis_tuser,   // with tlast: runt (no data), symbol error, dribble nibble, FCS error
    output wire       rx_idle
);

    mac_tx mac_tx (
        .clk          (mii_tx_clk),
        .rst          (tx_rst),
        .s_axis_tdata (s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast (s_axis_tlast),
        .s_axis_tuser (s_axis_tuser),
        .tx_done      (tx_done),
        .idle         (tx_idle),
        .mii_txd      (mii_txd),
        .mii_tx_en    (mii_tx_en),
        .mii_tx_er    (mii_tx_er)
    );

    mac_rx mac_rx (
        .clk          (mii_rx_clk),
        .rst          (rx_rst),
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
