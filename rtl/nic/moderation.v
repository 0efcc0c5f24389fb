// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// moderation: tells of events in one direction less often than they happen.
//
// With `cfg_time` 0 each `event_in` is told (`tell`) at once. Otherwise one `tell` stands for all events since the last: it
// comes with the `cfg_count`-th of them (0: never), or when `cfg_time` units of time have begun since the first, whichever
// is earlier. So no event is told later than `cfg_time` units after it. `forget` drops the events that have not been
// told; an event in its cycle is new, though it may be told early, with the count of those before it.
//
// A new `cfg_count` counts at once (one that has been passed leaves it to the time), a new `cfg_time` from the next first
// event on, but 0 tells at once what is pending. Where time jumps, events wait 1,024 units at most.
//
// `idle`: no event is pending, and no register changes before the next.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module moderation (
    input  wire       clk,
    input  wire       rst,

    input  wire [7:0] cfg_count,
    input  wire [9:0] cfg_time,
    input  wire [9:0] time_units,  // a clock

    input  wire       event_in,    // pulses
    input  wire       forget,
    output reg        tell,

    output wire       idle
);

    reg       pending;
    reg [7:0] count;     // of pending events
    reg [9:0] deadline;

    wire [7:0] count_next = count + 8'd1;

    // Nothing is computed while nothing is pending: that is nearly always, and spares the simulation the work.
    always @* begin
        tell = 1'b0;
        if (pending)  tell = !forget && (time_units == deadline || cfg_time == 0);
        if (event_in) tell = tell || cfg_time == 0 || count_next == cfg_count;
    end

    assign idle = !pending;

    always @(posedge clk) begin
        if (event_in) begin
            pending <= 1'b1;
            count   <= count_next;
            if (!pending || forget) deadline <= time_units + cfg_time;
        end
        if (forget) begin
            pending <= event_in;
            count   <= {7'd0, event_in};
        end
        if (rst || tell) begin
            pending <= 1'b0;
            count   <= 0;
        end
    end

endmodule

`resetall
