// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// ring: the registers of one descriptor ring, and its way from head to tail.
//
// Software's side: `registers` are the six words BASE, SIZE, HEAD, TAIL, CONTROL and STATUS of docs/registers.md, the first
// in bits 31:0; `write` has a bit for each, which takes `write_data`.
//
// The engine's side: while `available`, the descriptor `next` at address `next_addr` is posted and may be worked on; `take`
// moves on to the one behind it. `complete` moves the head past descriptor `done_index`, which lies at `done_addr`. `fail` stops
// the ring. `run` says that new frames may be begun; frames under way go on without it. On `reset` the engine comes
// to rest and then pulses `reset_done`.
//
// Indices are masked wherever they become an address, so that no wrong order of register writes reaches beyond the ring.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module ring (
    input  wire         clk,
    input  wire         rst,

    // Registers
    input  wire [5:0]   write,
    input  wire [31:0]  write_data,
    output wire [191:0] registers,
    output wire         irq_error,      // pulse: the ring has stopped on an error

    // Engine
    output wire         run,
    output wire         available,
    output reg  [14:0]  next,
    output wire [14:0]  after_next,
    output wire [27:0]  next_addr,
    input  wire         take,
    output reg  [14:0]  head,
    input  wire [14:0]  done_index,
    output wire [27:0]  done_addr,
    input  wire         complete,
    input  wire         fail,
    input  wire [1:0]   fail_error,
    input  wire [14:0]  fail_index,
    output wire         ok,             // not stopped by an error
    input  wire         busy,           // the engine has frames under way
    output reg          reset,
    input  wire         reset_done
);

    localparam BASE = 0, SIZE = 1, TAIL = 3, CONTROL = 4;

    reg  [27:0] base;
    reg  [3:0]  log2;
    reg  [14:0] tail;
    reg         enable;
    reg  [1:0]  error;
    reg  [14:0] error_index;

    wire [14:0] mask = ~(15'h7FFF << log2);
    wire        stop = fail && ok && !reset;  // the first error counts

    wire [31:0] status = {1'b0, error_index, 6'd0, error, 7'd0, ok && (enable || busy)};
    assign registers  = {status, 30'd0, reset, enable, 17'd0, tail, 17'd0, head, 28'd0, log2, base, 4'd0};
    assign irq_error  = stop;

    assign ok         = error == 0;
    assign run        = ok && enable && !reset;
    assign available  = ok && !reset && ((next ^ tail) & mask) != 0;
    assign after_next = (next + 15'd1) & mask;
    assign next_addr  = base + {13'd0, next & mask};
    assign done_addr  = base + {13'd0, done_index & mask};

    always @(posedge clk) begin
        if (take) next <= after_next;
        if (complete) head <= (done_index + 15'd1) & mask;
        if (stop) begin
            error       <= fail_error;
            error_index <= fail_index;
        end
        if (reset_done) begin
            head        <= 0;
            next        <= 0;
            tail        <= 0;
            error       <= 0;
            error_index <= 0;
            reset       <= 1'b0;
        end

        if (write[BASE]) base <= write_data[31:4];
        if (write[SIZE]) log2 <= write_data[3:0];
        if (write[TAIL]) tail <= write_data[14:0];
        if (write[CONTROL]) begin
            enable <= write_data[0];
            if (write_data[1]) reset <= 1'b1;
        end

        if (rst) begin
            base        <= 0;
            log2        <= 0;
            head        <= 0;
            next        <= 0;
            tail        <= 0;
            enable      <= 1'b0;
            reset       <= 1'b0;
            error       <= 0;
            error_index <= 0;
        end
    end

endmodule

`resetall
