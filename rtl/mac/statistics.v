// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// statistics: the 32-bit event counters, in a block RAM; they wrap. Their order is that of STAT_* in nic.rdl.
//
// An event is the end of a frame: `rx_valid` with `rx_flags` as in rx_events.vh, `tx_valid` with `tx_flags` as in
// tx_events.vh; `*_octets` is the length with FCS. Counting one takes 9 cycles.
//
// Read: hold `read_request` and `read_address` until `read_ack`, in whose cycle `read_data` is valid. Reading counter 0 takes
// a snapshot of all counters, 65 cycles long, in which each event is whole or not at all; the others are read from the
// last snapshot. A read that waits goes before the second event: it takes 84 cycles at most.
//
// Received events wait in a queue of 32, a sent one in a register. So nothing is lost
//   of what was sent, while it comes 84 cycles apart or more (a frame takes 168 where clk has the rate of MII);
//   of what was received, while no more than 32 events wait: with a snapshot every 168 cycles and frames sent all the time
//   they may come for ever every 18 cycles (a whole preamble and one nibble); with snapshots without a break every 168.
//
// After reset the counters are cleared, which takes 128 cycles; events and reads wait for that.
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
    input  wire [11:0] tx_flags,

    input  wire        read_request,
    input  wire [5:0]  read_address,
    output wire        read_ack,
    output wire [31:0] read_data,

    output wire        stat_idle
);

    generate
        if (ENABLE) begin : counters

            `include "rx_events.vh"
            `include "tx_events.vh"

            // Events in waiting

            // The fate of a received frame as the distance of its counter from RX_FRAMES: what is nothing else is good.
            wire       unused_good = rx_flags[RX_GOOD];
            wire [3:0] rx_fate = {
                rx_flags[RX_UNDERSIZE] || rx_flags[RX_FRAGMENT] || rx_flags[RX_OVERSIZE] || rx_flags[RX_JABBER] ||
                rx_flags[RX_FILTERED] || rx_flags[RX_DROPPED] || rx_flags[RX_PAUSE],
                rx_flags[RX_FCS_ERROR] || rx_flags[RX_ALIGNMENT_ERROR] || rx_flags[RX_FILTERED] || rx_flags[RX_DROPPED] ||
                rx_flags[RX_PAUSE],
                rx_flags[RX_OVERSIZE] || rx_flags[RX_JABBER] || rx_flags[RX_PAUSE],
                rx_flags[RX_ALIGNMENT_ERROR] || rx_flags[RX_FRAGMENT] || rx_flags[RX_JABBER] || rx_flags[RX_DROPPED]};

            wire        rx_waiting, unused_rx_room;
            wire [13:0] rx_length;
            wire [3:0]  fate;
            wire        rx_broadcast, rx_multicast, dribble, symbol_error;
            wire [5:0]  unused_count;
            reg         tx_waiting;
            reg  [13:0] tx_length;
            reg  [11:0] tx;

            reg         of_tx;   // the event that is served
            wire        served;  // it has been

            sync_fifo #(
                .WIDTH     (22),
                .LOG2_DEPTH(5)
            ) rx_queue (
                .clk    (clk),
                .rst    (rst),
                .s_valid(rx_valid),
                .s_ready(unused_rx_room),
                .s_data ({
                    rx_octets, rx_fate, rx_flags[RX_BROADCAST], rx_flags[RX_MULTICAST], rx_flags[RX_DRIBBLE],
                    rx_flags[RX_SYMBOL_ERROR]}),
                .m_valid(rx_waiting),
                .m_ready(served && !of_tx),
                .m_data ({rx_length, fate, rx_broadcast, rx_multicast, dribble, symbol_error}),
                .count  (unused_count)
            );

            always @(posedge clk) begin
                if (tx_valid) begin
                    tx_length <= tx_octets;
                    tx        <= tx_flags;
                end
                tx_waiting <= tx_valid || (tx_waiting && !(served && of_tx));
                if (rst) tx_waiting <= 1'b0;
            end

            // What happens: counters are cleared and copied (`walking`), or the event served moves one in each of eight steps.

            localparam [6:0] COPY = 7'd64;  // before it, counters are cleared

            reg       walking;
            reg [6:0] walk;
            reg       serving;
            reg [2:0] step;
            reg       after_event;
            reg       acknowledge;

            wire at_rest   = !walking && !serving;
            wire asked     = read_request && !acknowledge;
            reg  event_now, read_now;
            wire snapshot  = read_address == 0;

            always @* begin
                {event_now, read_now} = 2'b00;
                if (rx_waiting || tx_waiting) event_now = at_rest && !(asked && after_event);
                if (asked)                    read_now  = at_rest && !event_now;
            end

            assign served = serving && step == 3'd7;

            always @(posedge clk) begin
                if (walking) begin
                    walk    <= walk + 7'd1;
                    walking <= walk != 7'd127;
                end
                if (serving) begin
                    step    <= step + 3'd1;
                    serving <= !served;
                end
                if (at_rest) after_event <= event_now;
                if (event_now) begin
                    serving <= 1'b1;
                    of_tx   <= tx_waiting;
                end
                if (read_now && snapshot) begin
                    walking <= 1'b1;
                    walk    <= COPY;
                end
                acknowledge <= asked && (snapshot ? walking && walk == COPY : read_now);

                if (rst) begin
                    walking     <= 1'b1;
                    walk        <= 0;
                    serving     <= 1'b0;
                    step        <= 0;
                    after_event <= 1'b0;
                    acknowledge <= 1'b0;
                end
            end

            // The counter of each step, and by how much it moves. (Only while an event is served, which spares a simulation the rest.)

            wire        sent     = !tx[TX_LATE_COLLISION] && !tx[TX_EXCESSIVE_COLLISION];
            wire [4:0]  collided = tx[TX_COLLISIONS+4:TX_COLLISIONS];
            wire        many     = collided[4:1] != 0;
            wire [13:0] length   = of_tx ? tx_length : rx_length;

            // RFC 2819: from 64 octets on; the last class ends at 1518.
            wire       in_class   = length >= 14'd64 && length <= 14'd1518;
            reg  [2:0] size_class;
            always @* begin
                if (length[10])            size_class = 3'd5;
                else if (length[9])        size_class = 3'd4;
                else if (length[8])        size_class = 3'd3;
                else if (length[7])        size_class = 3'd2;
                else if (length[5:0] != 0) size_class = 3'd1;
                else                       size_class = 3'd0;
            end

            reg        moves;
            reg [5:0]  counter;
            reg        by_length;
            always @* begin
                by_length = step == 3'd1 || {of_tx, step} == 4'd6;
                {moves, counter} = 7'd0;
                if (serving) case ({of_tx, step})
                    4'd0:  {moves, counter} = {1'b1, 2'b01, fate};                      // good, or what was wrong
                    4'd1:  {moves, counter} = {fate == 0, 6'd17};                       // octets
                    4'd2:  {moves, counter} = {rx_broadcast || rx_multicast, 5'b01001, rx_multicast};
                    4'd3:  {moves, counter} = {dribble, 6'd22};
                    4'd4:  {moves, counter} = {symbol_error, 6'd23};
                    4'd5:  {moves, counter} = {in_class, 3'b100, size_class};
                    4'd6:  {moves, counter} = {1'b1, 6'd38};                            // all octets
                    4'd7:  {moves, counter} = {1'b1, 6'd39};                            // all frames
                    4'd8:  {moves, counter} = {1'b1, 2'b00, !sent, 2'b00, tx[TX_EXCESSIVE_COLLISION]};
                    4'd9:  {moves, counter} = {sent, 6'd1};                             // octets
                    4'd10: {moves, counter} = {
                        tx[TX_MULTICAST] || tx[TX_BROADCAST] || tx[TX_PAUSE], 3'b000, tx[TX_PAUSE], !tx[TX_PAUSE],
                        tx[TX_BROADCAST]};
                    4'd11: {moves, counter} = {tx[TX_DEFERRED] && collided == 0, 6'd5};
                    4'd12: {moves, counter} = {sent && collided != 0, 5'b00011, many};  // a single one, multiple
                    4'd13: {moves, counter} = {sent && in_class, 3'b101, size_class};
                    4'd14: {moves, counter} = {tx[TX_CARRIER_SENSE_ERROR], 6'd10};
                    default: {moves, counter} = {1'b1, 6'd11};                          // collisions
                endcase
            end

            // The memory: live counters below, their snapshot above. Read in one cycle, written back in the next.

            (* ram_style = "block" *)
            reg  [31:0] memory [0:127];
            reg  [31:0] count;
            reg         write;
            reg  [6:0]  write_place;
            reg  [13:0] addend;

            wire [6:0]  place = serving ? {1'b0, counter} : walking ? {1'b0, walk[5:0]} : {1'b1, read_address};

            always @(posedge clk) begin
                if (write) memory[write_place] <= count + {18'd0, addend};
                if (!at_rest || read_now) count <= memory[place];
                if (walking && walk < COPY) count <= 32'd0;
                write       <= walking || (serving && moves);
                write_place <= walking ? walk : {1'b0, counter};
                if (walking)                       addend <= 14'd0;
                else if (by_length)                addend <= length;
                else if ({of_tx, step} == 4'd15)   addend <= {9'd0, collided};
                else                               addend <= 14'd1;
                if (rst) write <= 1'b0;
            end

            assign read_data = count;
            assign read_ack  = acknowledge;
            assign stat_idle = at_rest && !write && !acknowledge && !rx_waiting && !tx_waiting;

        end else begin : no_counters
            wire unused = &{1'b0, clk, rst, rx_valid, rx_octets, rx_flags, tx_valid, tx_octets, tx_flags, read_address};
            assign read_data = 32'd0;
            assign read_ack  = read_request;
            assign stat_idle = 1'b1;
        end
    endgenerate

endmodule

`resetall
