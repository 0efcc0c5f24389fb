// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// mdio: reads and writes the registers of a PHY (802.3 22.2.4.5, the management frames of clause 22), as their master.
//
// `value` is the register MDIO of docs/registers.md, `write` strobes the octets of `write_data` into it. Writing the
// uppermost octet sends the frame, `value[31]` is high until it is over; then `value[15:0]` is what was read, or still what was
// written. What is written while a frame is under way is ignored.
//
// MDC has a period of 2 * (`cfg_divide` + 1) cycles of `clk` and stands still, low, between frames. 802.3 22.2.2.13 wants 400 ns
// or more. The PHY takes MDIO at the rising edge of MDC, so MDIO changes with the falling one. What the PHY gives changes up to
// 300 ns behind the rising edge; it is taken with the next one, two cycles old. The first bit of the preamble is left to
// the pull-up, because the PHY may still be releasing MDIO from the frame before.
//
// `idle`: no register changes before the next write, or a change of `mdio_i`. ENABLE 0 leaves no logic: `value` is 0.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module mdio #(
    parameter ENABLE = 1
) (
    input  wire        clk,
    input  wire        rst,

    // Registers
    input  wire [7:0]  cfg_divide,
    input  wire [3:0]  write,
    input  wire [31:0] write_data,
    output wire [31:0] value,

    output wire        idle,

    // PHY
    output wire        mdc,
    output wire        mdio_o,
    output wire        mdio_t,      // 1: the line is the PHY's, or the pull-up's
    input  wire        mdio_i       // asynchronous
);

    wire unused_data = &{1'b0, write_data[31], write_data[29:26]};

    generate
        if (ENABLE) begin : master

            // Places in the frame: preamble up to 31, then start, operation, addresses, turn-around from 46, data from 48
            localparam [5:0] TURN_AROUND = 6'd46, LAST = 6'd63;

            reg        busy;
            reg        clock;       // MDC
            reg        is_write;
            reg [4:0]  phy_address, register_address;
            reg [15:0] data;        // left through the top, and in again at the bottom
            reg [5:0]  place;       // of the bit under way
            reg [7:0]  waited;      // cycles since the last edge of MDC

            wire [15:0] header = {2'b01, !is_write, is_write, phy_address, register_address, 2'b10};
            wire        edge_due = waited == cfg_divide;
            wire        in_data  = place[5:4] == 2'b11;
            wire        line;       // what the PHY says

            sync_bit line_sync (
                .clk(clk),
                .d  (mdio_i),
                .q  (line)
            );

            assign value  = {busy, is_write, 4'd0, phy_address, register_address, data};
            assign idle   = !busy;
            assign mdc    = clock;

            reg out, released;
            assign {mdio_o, mdio_t} = {out, released};

            always @* begin
                {out, released} = 2'b11;
                if (place[5])           out      = in_data ? data[15] : header[~place[3:0]];
                if (busy && place != 0) released = !is_write && place >= TURN_AROUND;
            end

            always @(posedge clk) begin
                if (!busy) begin
                    if (write[0]) data[7:0]  <= write_data[7:0];
                    if (write[1]) data[15:8] <= write_data[15:8];
                    if (write[2]) {phy_address[2:0], register_address} <= write_data[23:16];
                    if (write[3]) begin
                        phy_address[4:3] <= write_data[25:24];
                        is_write         <= write_data[30];
                        busy             <= 1'b1;
                    end
                end

                waited <= !busy || edge_due ? 8'd0 : waited + 8'd1;
                if (busy && edge_due) begin
                    clock <= !clock;
                    if (clock) begin
                        place <= place + 6'd1;
                        if (place == LAST) busy <= 1'b0;
                    end
                    // What is sent moves with the falling edge, what is read is taken with the rising one.
                    if (in_data && clock == is_write) data <= {data[14:0], is_write ? data[15] : line};
                end

                if (rst) begin
                    busy             <= 1'b0;
                    clock            <= 1'b0;
                    is_write         <= 1'b0;
                    phy_address      <= 0;
                    register_address <= 0;
                    data             <= 0;
                    place            <= 0;
                end
            end

        end else begin : no_master
            wire unused = &{1'b0, clk, rst, cfg_divide, write, write_data[30], write_data[25:0], mdio_i};
            assign value  = 32'd0;
            assign idle   = 1'b1;
            assign mdc    = 1'b0;
            assign {mdio_o, mdio_t} = 2'b11;
        end
    endgenerate

endmodule

`resetall
