// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// mii_loop: loopback behind the MAC: while `loopback`, the nibbles that the MAC sends come back to it, and neither does the
// wire see them, nor the MAC the wire.
//
// A queue takes them from one MII clock to the other, which may differ by as much as 802.3 lets clocks differ (200 ppm from one
// to the other). It begins to give a frame a few nibbles late, and ends the frame when it is empty. In half duplex too: then there
// is carrier while the MAC sends, and never a collision.
//
// A change of `loopback` damages the frames under way and nothing else. `settled` follows `loopback`; when it has changed, the
// change has come through everywhere. No register changes between the MAC's gap after a frame and its next one.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module mii_loop #(
    parameter ENABLE = 1
) (
    input  wire       loopback,   // asynchronous, from a flip-flop

    input  wire       tx_clk,
    input  wire       tx_rst,
    input  wire [3:0] mac_txd,
    input  wire       mac_tx_en,
    input  wire       mac_tx_er,
    output wire       mac_crs,
    output wire       mac_col,
    output wire       mii_tx_en,
    output wire       mii_tx_er,
    input  wire       mii_crs,    // asynchronous, as the next
    input  wire       mii_col,

    input  wire       rx_clk,
    input  wire       rx_rst,
    input  wire [3:0] mii_rxd,
    input  wire       mii_rx_dv,
    input  wire       mii_rx_er,
    output wire [3:0] mac_rxd,
    output wire       mac_rx_dv,
    output wire       mac_rx_er,
    output wire       settled     // synchronous to rx_clk
);

    generate
        if (ENABLE != 0) begin : loop
            wire       tx_loop, unused_ready, unused_empty;
            wire       valid, er;
            wire [3:0] nibble;
            reg  [1:0] ripe;  // a nibble has been there for so long
            wire       play = valid && ripe == 2'd3;

            sync_bit tx_sync (
                .clk(tx_clk),
                .d  (loopback),
                .q  (tx_loop)
            );

            sync_bit rx_sync (
                .clk(rx_clk),
                .d  (tx_loop),
                .q  (settled)
            );

            async_fifo #(
                .WIDTH     (5),
                .LOG2_DEPTH(4)
            ) fifo (
                .s_clk  (tx_clk),
                .s_rst  (tx_rst),
                .s_valid(mac_tx_en && tx_loop),
                .s_ready(unused_ready),
                .s_data ({mac_tx_er, mac_txd}),
                .s_empty(unused_empty),
                .m_clk  (rx_clk),
                .m_rst  (rx_rst),
                .m_valid(valid),
                .m_ready(play),
                .m_data ({er, nibble})
            );

            always @(posedge rx_clk) begin
                if (!valid)     ripe <= 2'd0;
                else if (!play) ripe <= ripe + 2'd1;
                if (rx_rst) ripe <= 2'd0;
            end

            assign {mii_tx_en, mii_tx_er} = {mac_tx_en, mac_tx_er} & {2{!tx_loop}};
            assign {mac_crs, mac_col} = tx_loop ? {mac_tx_en, 1'b0} : {mii_crs, mii_col};
            assign {mac_rx_dv, mac_rx_er, mac_rxd} = settled ? {play, play && er, nibble} : {mii_rx_dv, mii_rx_er, mii_rxd};
        end else begin : wires
            wire unused = &{1'b0, loopback, tx_clk, tx_rst, mac_txd, rx_clk, rx_rst};
            assign {mii_tx_en, mii_tx_er, mac_crs, mac_col} = {mac_tx_en, mac_tx_er, mii_crs, mii_col};
            assign {mac_rx_dv, mac_rx_er, mac_rxd} = {mii_rx_dv, mii_rx_er, mii_rxd};
            assign settled = 1'b0;
        end
    endgenerate

endmodule

`resetall
