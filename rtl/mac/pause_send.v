// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// pause_send: puts pause frames (802.3 annex 31B) between the frames on their way to the MAC.
//
// While `high`, the link partner is told to stop for `cfg_quanta` of 512 bit times (XOFF), and told again each time half of
// that has passed: 64 cycles of `clk`, which is no slower than MII, are half a quantum or less. With `low`, it is told that
// it may go on (XON), if it has been told to stop. While `enable` is low, nothing is sent, and what was told is forgotten.
//
// The frames of `s_axis_*` pass as they are; while `hold`, none is begun. `m_axis_tuser` marks the pause frames, which
// are not held (31B.1); padding and FCS are left to the MAC. `m_axis_tvalid` may fall again before the first octet of a
// frame has been taken.
//
// `idle`: no register changes before an input does.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module pause_send (
    input  wire        clk,
    input  wire        rst,

    input  wire        enable,
    input  wire        high,
    input  wire        low,
    input  wire [47:0] cfg_mac,      // first octet on the wire in bits 7:0
    input  wire [15:0] cfg_quanta,
    input  wire        hold,

    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire [7:0]  s_axis_tdata,
    input  wire        s_axis_tlast,

    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire [7:0]  m_axis_tdata,
    output wire        m_axis_tlast,
    output wire        m_axis_tuser,

    output wire        idle
);

    localparam [4:0] LAST = 5'd17;
    localparam [5:0] HALF_QUANTUM = 6'd0;  // 2^6 cycles

    reg        passing;  // a frame of s_axis has been begun
    reg        sending;  // a pause frame has been begun
    reg        stop;     // it is an XOFF
    reg        told;     // to stop
    reg [21:0] timer;    // cycles until it is told again
    reg [4:0]  index;    // of the octet

    wire again = timer == 0;
    reg  ask;
    always @* begin
        ask = 1'b0;
        if (enable) ask = high ? !told || again : low && told;
    end

    wire begin_pause = ask && !passing && !sending;
    wire pass  = passing || (!sending && !ask && !hold);
    wire moved = m_axis_tvalid && m_axis_tready;

    reg [7:0] octet;
    always @* begin
        octet = 8'h00;
        if (sending) case (index)
            5'd0:    octet = 8'h01;
            5'd1:    octet = 8'h80;
            5'd2:    octet = 8'hC2;
            5'd5:    octet = 8'h01;
            5'd6:    octet = cfg_mac[7:0];
            5'd7:    octet = cfg_mac[15:8];
            5'd8:    octet = cfg_mac[23:16];
            5'd9:    octet = cfg_mac[31:24];
            5'd10:   octet = cfg_mac[39:32];
            5'd11:   octet = cfg_mac[47:40];
            5'd12:   octet = 8'h88;
            5'd13:   octet = 8'h08;
            5'd15:   octet = 8'h01;
            5'd16:   octet = stop ? cfg_quanta[15:8] : 8'h00;
            5'd17:   octet = stop ? cfg_quanta[7:0] : 8'h00;
            default: octet = 8'h00;
        endcase
    end

    assign s_axis_tready = m_axis_tready && pass;
    assign m_axis_tvalid = sending || (s_axis_tvalid && pass);
    assign m_axis_tdata  = sending ? octet : s_axis_tdata;
    assign m_axis_tlast  = sending ? index == LAST : s_axis_tlast;
    assign m_axis_tuser  = sending;

    assign idle = !sending && !passing && !ask && !(told && !(enable && again));

    always @(posedge clk) begin
        if (moved) begin
            passing <= !sending && !m_axis_tlast;
            if (m_axis_tlast) sending <= 1'b0;
        end
        if (sending && moved) index <= index + 5'd1;
        if (told && !again) timer <= timer - 22'd1;
        if (begin_pause) begin
            sending <= 1'b1;
            stop    <= high;
            told    <= high;
            timer   <= {cfg_quanta, HALF_QUANTUM};
            index   <= 5'd0;
        end
        if (!enable) told <= 1'b0;
        if (rst) begin
            passing <= 1'b0;
            sending <= 1'b0;
            told    <= 1'b0;
        end
    end

endmodule

`resetall
