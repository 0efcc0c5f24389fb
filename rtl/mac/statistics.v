// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// statistics: the 32-bit event counters, in distributed RAM; they wrap. Their order is that of STAT_* in nic.rdl.
//
// An event (`rx_valid`: a frame has ended, `rx_flags` as in rx_events.vh; `tx_valid`: a frame was sent) is counted one
// counter a cycle. It is lost only to a counter that has not been served yet for the event before: never while frames
// end 4 cycles apart or more.
//
// Read: hold `read_request` and `read_address` until `read_ack`, in whose cycle `read_data` is valid, with all events
// before it counted. After reset the counters are cleared, which takes 16 cycles; events and reads wait for that.
//
// ENABLE 0 leaves no logic: all counters read 0.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module statistics #(
    parameter ENABLE = 1
) (
    input  wire        clk,
    input  wire        rst,

    input  wire        rx_valid,
    input  wire [13:0] rx_octets,
    input  wire [13:0] rx_flags,
    input  wire        tx_valid,
    input  wire [13:0] tx_octets,

    input  wire        read_request,
    input  wire [3:0]  read_address,
    output wire        read_ack,
    output wire [31:0] read_data,

    output wire        stat_idle
);

    generate
        if (ENABLE) begin : counters

            `include "rx_events.vh"

            localparam [3:0] TX_OCTETS = 4'd1;
            localparam [3:0] RX_OCTETS = 4'd3;

            localparam [15:0] TX_MOVES = 16'b11;
            wire [15:0] rx_moves = {
                rx_flags[RX_DROPPED], rx_flags[RX_FILTERED], rx_flags[RX_JABBER], rx_flags[RX_OVERSIZE],
                rx_flags[RX_FRAGMENT], rx_flags[RX_UNDERSIZE], rx_flags[RX_SYMBOL_ERROR], rx_flags[RX_DRIBBLE],
                rx_flags[RX_ALIGNMENT_ERROR], rx_flags[RX_FCS_ERROR], rx_flags[RX_MULTICAST], rx_flags[RX_BROADCAST],
                rx_flags[RX_GOOD], rx_flags[RX_GOOD], 2'b00};

            wire unused = rx_flags[RX_PAUSE];

            reg [31:0] memory [0:15];

            reg [15:0] pending;  // counters to be moved, a bit each
            reg [13:0] rx_size, tx_size;
            reg        clearing;
            reg        serving;
            reg [3:0]  index;    // of the counter being cleared or moved

            wire [15:0] next    = pending & -pending;
            wire        writing = clearing || serving;
            wire [3:0]  address = writing ? index : read_address;
            reg  [13:0] step;

            assign read_data = memory[address];
            assign read_ack  = read_request && stat_idle;
            assign stat_idle = !writing && pending == 0;

            always @* begin
                case (index)
                    TX_OCTETS: step = tx_size;
                    RX_OCTETS: step = rx_size;
                    default:   step = 14'd1;
                endcase
            end

            always @(posedge clk) begin
                if (writing) memory[address] <= clearing ? 32'd0 : read_data + {18'd0, step};

                serving <= pending != 0 && !clearing;
                if (clearing) begin
                    index    <= index + 4'd1;
                    clearing <= index != 4'd15;
                end else if (pending != 0) begin
                    index <= {|next[15:8], |(next & 16'hF0F0), |(next & 16'hCCCC), |(next & 16'hAAAA)};
                end
                pending <= (clearing ? pending : pending ^ next) |
                    (rx_valid ? rx_moves : 16'd0) | (tx_valid ? TX_MOVES : 16'd0);

                if (rx_valid && rx_flags[RX_GOOD]) rx_size <= rx_octets;
                if (tx_valid) tx_size <= tx_octets;
                if (rst) begin
                    pending  <= 16'd0;
                    index    <= 4'd0;
                    clearing <= 1'b1;
                    serving  <= 1'b0;
                end
            end

        end else begin : no_counters
            wire unused = &{1'b0, clk, rst, rx_valid, rx_octets, rx_flags, tx_valid, tx_octets, read_address};
            assign read_data = 32'd0;
            assign read_ack  = read_request;
            assign stat_idle = 1'b1;
        end
    endgenerate

endmodule

`resetall
