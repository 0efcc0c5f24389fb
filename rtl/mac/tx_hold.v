// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// tx_hold: holds the transmitter back, by a number of slots of 512 bit times (128 cycles): after a collision by a random
// one (802.3 4.2.3.2.5), by order of a pause frame by the one it names (802.3 annex 31B).
//
// `back_off` draws from 0 .. 2^n - 1 slots, where n is `collisions`, at most 10. `pause_valid` sets `pause_quanta` slots,
// whatever stood before, in full duplex only; 0 ends the hold. Time passes only while `between` is high: a frame under way is finished first.
//
// The random numbers are those of a shift register with feedback that moves on while frames are sent. It starts
// from `seed` when `half_duplex` rises; `seed` rests from some cycles before that on. Two cards whose seeds differ run
// through the same long cycle (2^25 - 1) at different places.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module tx_hold #(
    parameter HALF_DUPLEX = 1,
    parameter PAUSE = 1
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        between,      // no frame is being sent

    input  wire        half_duplex,
    input  wire [23:0] seed,
    input  wire        back_off,
    input  wire [3:0]  collisions,   // of the frame so far; with back_off

    input  wire        pause_valid,
    input  wire [15:0] pause_quanta,

    output wire        holding
);

    localparam [24:0] FEEDBACK = 25'h1B94067;  // primitive, and dense: numbers drawn a few steps apart have little in common

    wire [9:0] random_slots;

    generate
        if (HALF_DUPLEX != 0) begin : dice
            reg [24:0] state;
            reg        half_duplex_last;
            wire [9:0] mask = ~(10'h3FF << collisions);

            always @(posedge clk) begin
                half_duplex_last <= half_duplex;
                if (half_duplex && !half_duplex_last) state <= {1'b1, seed};
                else if (!between)                    state <= {1'b0, state[24:1]} ^ (state[0] ? FEEDBACK : 25'd0);
                if (rst) half_duplex_last <= 1'b0;
            end

            assign random_slots = state[9:0] & mask;
        end else begin : no_dice
            wire unused = &{1'b0, seed, collisions};
            assign random_slots = 10'd0;
        end

        if (HALF_DUPLEX != 0 || PAUSE != 0) begin : timer
            reg [22:0] cycles;

            assign holding = cycles != 0;

            always @(posedge clk) begin
                if (holding && between)          cycles <= cycles - 23'd1;
                if (back_off)                    cycles <= {6'd0, random_slots, 7'd0};
                if (pause_valid && !half_duplex) cycles <= {pause_quanta, 7'd0};
                if (rst)                         cycles <= 0;
            end
        end else begin : no_timer
            wire unused = &{1'b0, clk, rst, between, half_duplex, back_off, random_slots, pause_valid, pause_quanta};
            assign holding = 1'b0;
        end
    endgenerate

endmodule

`resetall
