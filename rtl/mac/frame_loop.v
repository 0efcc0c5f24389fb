// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// frame_loop: loopback in front of the MAC: while `active`, the octets that would go to the MAC go to the receive side,
// padded with zeros to 60 octets as the MAC would do. It needs no clock of MII.
//
// `active` follows `cfg_loopback` between frames: when none has been begun here, none waits for its verdict or to be
// given again (`waiting`, from its last octet on), and none is under way on the receive side (`rx_between`).
//
// `loop_done` pulses when a frame has gone back whole.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module frame_loop #(
    parameter ENABLE = 1
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       cfg_loopback,
    input  wire       waiting,
    input  wire       rx_between,
    output wire       active,

    input  wire       s_axis_tvalid,
    output wire       s_axis_tready,
    input  wire [7:0] s_axis_tdata,
    input  wire       s_axis_tlast,

    output wire       mac_tvalid,    // to the MAC; data and last are those of s_axis
    input  wire       mac_tready,

    output wire       loop_tvalid,
    input  wire       loop_tready,
    output wire [7:0] loop_tdata,
    output wire       loop_tlast,
    output wire       loop_done
);

    generate
        if (ENABLE != 0) begin : loop
            localparam [5:0] MIN_LEFT = 59;

            reg       turned, begun, padding, done;
            reg [5:0] left;  // octets that the frame must have at least, after this one

            reg  turns;  // as soon as the receive side can; none begins
            wire here  = s_axis_tvalid && !turns;
            wire take  = s_axis_tvalid && s_axis_tready;
            wire back  = loop_tvalid && loop_tready;

            always @* begin
                turns = 1'b0;
                if (turned != cfg_loopback) turns = !begun && !waiting;
            end

            assign active        = turned;
            assign loop_done     = done;
            assign mac_tvalid    = here && !turned;
            assign loop_tvalid   = turned && (here || padding);
            assign loop_tdata    = padding ? 8'h00 : s_axis_tdata;
            assign loop_tlast    = (padding || s_axis_tlast) && left == 0;
            assign s_axis_tready = !turns && (turned ? loop_tready && !padding : mac_tready);

            always @(posedge clk) begin
                done <= back && loop_tlast;
                if (take) begin
                    begun <= !s_axis_tlast;
                    if (s_axis_tlast) padding <= turned && left != 0;
                end
                if (back) begin
                    if (left != 0) left <= left - 6'd1;
                    else if (loop_tlast) begin
                        left    <= MIN_LEFT;
                        padding <= 1'b0;
                    end
                end
                if (turns && rx_between) turned <= cfg_loopback;
                if (rst) begin
                    turned  <= 1'b0;
                    begun   <= 1'b0;
                    padding <= 1'b0;
                    done    <= 1'b0;
                    left    <= MIN_LEFT;
                end
            end
        end else begin : straight
            wire unused = &{1'b0, clk, rst, cfg_loopback, waiting, rx_between, loop_tready};
            assign {active, loop_done, loop_tvalid, loop_tlast, loop_tdata} = 12'd0;
            assign {mac_tvalid, s_axis_tready} = {s_axis_tvalid, mac_tready};
            wire unused_data = &{1'b0, s_axis_tdata, s_axis_tlast};
        end
    endgenerate

endmodule

`resetall
