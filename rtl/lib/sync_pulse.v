// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// sync_pulse: carries one-cycle pulses from the domain of `s_clk` into the domain of `m_clk`.
//
// Each cycle of `s_pulse` makes one cycle of `m_pulse`, two or three edges of `m_clk` after the edge that took it.
// Pulses must be more than two periods of `m_clk` apart. `m_pulse` means nothing until `m_clk` has run for three
// cycles after the start of `s_rst`; the reset of its reader (reset_sync) covers that.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module sync_pulse (
    input  wire s_clk,
    input  wire s_rst,
    input  wire s_pulse,

    input  wire m_clk,
    output wire m_pulse
);

    reg  s_toggle;
    wire m_toggle;
    reg  m_toggle_last;

    always @(posedge s_clk) begin
        s_toggle <= s_toggle ^ s_pulse;
        if (s_rst) s_toggle <= 1'b0;
    end

    sync_bit toggle_sync (
        .clk(m_clk),
        .d  (s_toggle),
        .q  (m_toggle)
    );

    always @(posedge m_clk) m_toggle_last <= m_toggle;

    assign m_pulse = m_toggle ^ m_toggle_last;

endmodule

`resetall
