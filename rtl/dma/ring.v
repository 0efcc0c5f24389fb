// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// ring: the registers of one descriptor ring, and its way from head to tail.
//
// Software's side: `value` is register `address` of BASE, SIZE, HEAD, TAIL, CONTROL and STATUS (docs/registers.md), in this
// order; `write` strobes the octets of `write_data` into it.
//
// The engine's side: while `available`, the descriptor `next` at address `next_addr` is posted and may be worked on; `take`
// moves on to the one behind it. `complete` moves the head past descriptor `done_index`, which lies at `done_addr`. `fail` stops
// the ring. `run` says that new frames may be begun; frames under way go on without it. On `reset` the engine comes
// to rest and then pulses `reset_done`.
//
// Places are counted without regard to the size of the ring, and masked wherever they become an index or an address, so
// that no wrong order of register writes reaches beyond the ring. `full`: the ring has no place behind `next`.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module ring (
    input  wire         clk,
    input  wire         rst,

    // Registers
    input  wire [2:0]   address,
    output reg  [31:0]  value,
    input  wire [3:0]   write,
    input  wire [31:0]  write_data,
    output wire         irq_error,      // pulse: the ring has stopped on an error

    // Engine
    output wire         run,
    output wire         available,
    output wire [14:0]  next,
    output wire         full,
    output wire [27:0]  next_addr,
    input  wire         take,
    output wire [14:0]  head,
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

    localparam [2:0] BASE = 0, SIZE = 1, HEAD = 2, TAIL = 3, CONTROL = 4, STATUS = 5;

    reg  [27:0] base;
    reg  [3:0]  log2;
    reg  [14:0] mask;   // of an index
    reg  [14:0] next_place, head_place, tail;
    reg         enable;
    reg  [1:0]  error;
    reg  [14:0] error_index;

    always @* begin
        value = 32'd0;
        case (address)
            BASE:    value[31:4] = base;
            SIZE:    value[3:0]  = log2;
            HEAD:    value[14:0] = head;
            TAIL:    value[14:0] = tail;
            CONTROL: value[1:0]  = {reset, enable};
            STATUS:  value       = {1'b0, error_index, 6'd0, error, 7'd0, ok && (enable || busy)};
            default: value       = 32'd0;
        endcase
    end

    wire stop = fail && ok && !reset;  // the first error counts

    wire [14:0] after_next = next_place + 15'd1;

    assign irq_error  = stop;
    assign ok         = error == 0;
    assign run        = ok && enable && !reset;
    assign available  = ok && !reset && ((next_place ^ tail) & mask) != 0;
    assign full       = ((after_next ^ head_place) & mask) == 0;
    assign next       = next_place & mask;
    assign head       = head_place & mask;
    assign next_addr  = base + {13'd0, next};
    assign done_addr  = base + {13'd0, done_index & mask};

    always @(posedge clk) begin
        if (take) next_place <= after_next;
        if (complete) head_place <= done_index + 15'd1;
        if (stop) begin
            error       <= fail_error;
            error_index <= fail_index;
        end
        if (reset_done) begin
            head_place  <= 0;
            next_place  <= 0;
            tail        <= 0;
            error       <= 0;
            error_index <= 0;
            reset       <= 1'b0;
        end

        if (write != 0) begin
            case (address)
                BASE: begin
                    if (write[0]) base[3:0]   <= write_data[7:4];
                    if (write[1]) base[11:4]  <= write_data[15:8];
                    if (write[2]) base[19:12] <= write_data[23:16];
                    if (write[3]) base[27:20] <= write_data[31:24];
                end
                SIZE: if (write[0]) begin
                    log2 <= write_data[3:0];
                    mask <= ~(15'h7FFF << write_data[3:0]);
                end
                TAIL: begin
                    if (write[0]) tail[7:0]  <= write_data[7:0];
                    if (write[1]) tail[14:8] <= write_data[14:8];
                end
                CONTROL: if (write[0]) begin
                    enable <= write_data[0];
                    if (write_data[1]) reset <= 1'b1;
                end
                default: ;
            endcase
        end

        if (rst) begin
            base        <= 0;
            log2        <= 0;
            mask        <= 0;
            head_place  <= 0;
            next_place  <= 0;
            tail        <= 0;
            enable      <= 1'b0;
            reset       <= 1'b0;
            error       <= 0;
            error_index <= 0;
        end
    end

endmodule

`resetall
