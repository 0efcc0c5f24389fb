// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// csma: what half duplex adds to mac_tx (802.3 clause 4): it senses the medium, and remembers what has become of a frame.
//
// `carrier` and `hit` follow the pins by two or three cycles. `hit` pulses at the first collision of an attempt, in the cycle
// of the nibble that the jam follows; `jam` then stands until the next attempt begins. `slot_over` tells in the same
// cycle that this nibble is not among the first 128 of the attempt, preamble included: the collision is late (4.2.9).
// While `half_duplex` is low the pins are without effect.
//
// `defer` tells that carrier makes the gap begin anew (4.2.3.2.1): in its first part, and when it is over. What waits at the
// very end of the gap need not defer.
//
// `again`, and `flags` in the order of tx_events.vh, stand from the end of an attempt until the next frame is offered.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module csma (
    input  wire       clk,
    input  wire       rst,
    input  wire       half_duplex,
    input  wire       crs,        // asynchronous, as the next
    input  wire       col,

    input  wire       offered,    // there is a frame to send
    input  wire       between,    // nothing is being sent
    input  wire       begins,     // the first nibble of an attempt
    input  wire       first_part, // of the gap
    input  wire       gap_over,
    input  wire       in_frame,   // behind the SFD
    input  wire       slot_over,

    output wire       carrier,
    output wire       defer,      // the gap begins anew
    output wire       hit,
    output reg        jam,
    output wire       again,      // the frame is to be sent once more
    output wire [8:0] flags
);

    reg       rested;      // the gap was over in the cycle before, and nothing had waited for that
    reg       late;
    reg [3:0] collisions;  // of this frame, modulo 16
    reg       waiting;     // the frame was there in the cycle before
    reg       deferred;
    reg       carrier_error;

    wire crs_here, col_here;

    sync_bit #(
        .WIDTH(2)
    ) pins_sync (
        .clk(clk),
        .d  ({crs, col}),
        .q  ({crs_here, col_here})
    );

    assign carrier = half_duplex && crs_here;
    assign defer   = carrier && between && (first_part || rested);
    assign hit     = half_duplex && col_here && !between && !jam;

    // The 16th attempt is the last (4.2.3.2.5).
    wire sixteen = jam && collisions == 0;

    assign again = jam && !late && !sixteen;

    assign flags = {sixteen, collisions, sixteen && !late, late, carrier_error, deferred};

    always @(posedge clk) begin
        rested  <= between && gap_over && !begins && !defer;
        waiting <= between && offered && !begins;
        if (between && offered && !again) begin
            if (!waiting) begin
                collisions    <= 0;
                deferred      <= 1'b0;
                carrier_error <= 1'b0;
            end
            if (carrier) deferred <= 1'b1;
        end

        if (begins) begin
            jam  <= 1'b0;
            late <= 1'b0;
        end
        if (in_frame && half_duplex && !carrier && !jam) carrier_error <= 1'b1;
        if (hit) begin
            jam        <= 1'b1;
            late       <= slot_over;
            collisions <= collisions + 4'd1;
        end

        if (rst) begin
            jam     <= 1'b0;
            late    <= 1'b0;
            waiting <= 1'b0;
        end
    end

endmodule

`resetall
