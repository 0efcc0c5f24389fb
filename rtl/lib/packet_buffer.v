// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// packet_buffer: frames on their way, in a byte-wide block RAM with one write and one read port.
//
// Writer: `write` appends an octet at `write_address`, unless `full`; `patch` overwrites one octet of the frame under
// way instead (they share the port: never both at once). `retract` takes back the last RETRACT octets of the frame under
// way, which must have so many. `commit` makes all octets since the last commit a frame and files `record` with it; it
// must not come while `records_full`. `rollback` takes all these octets back. None of these three may coincide with
// `write` or with another; `patch` may come with `commit`.
//
// Reader: `m_axis_*` gives the octets of committed frames one after the other, up to one a cycle; `record_*` gives one
// record a frame, at the latest together with its first octet. Where a frame ends is the record's to tell: while
// `m_axis_tvalid`, `read_address` is one past the address of the octet shown.
//
// An octet's place is free as soon as it has been read; with REPLAY only when `oldest` has moved past it. `rewind` makes
// reading go on at `oldest`, the first octet of a frame: that of the frame read last, or one behind it.
//
// 2^LOG2_BYTES - 1 octets fit; `space` is how many more. `high`: half of the octets or of the records or more are in
// use; `low`: less than a quarter of both. `idle`: no register changes before the next command.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module packet_buffer #(
    parameter LOG2_BYTES   = 12,
    parameter LOG2_RECORDS = 4,  // 2 or more
    parameter RECORD_BITS  = 8,
    parameter RETRACT      = 3,
    parameter REPLAY       = 0
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire                   write,
    input  wire [7:0]             write_data,
    input  wire                   retract,
    output wire [LOG2_BYTES-1:0]  write_address,
    output wire                   full,
    output wire [LOG2_BYTES-1:0]  space,
    output wire                   high,
    output wire                   low,

    input  wire                   patch,
    input  wire [LOG2_BYTES-1:0]  patch_address,
    input  wire [7:0]             patch_data,

    input  wire                   commit,
    input  wire [RECORD_BITS-1:0] record,
    output wire                   records_full,
    input  wire                   rollback,

    output wire                   record_valid,
    input  wire                   record_ready,
    output wire [RECORD_BITS-1:0] record_data,

    output reg                    m_axis_tvalid,
    input  wire                   m_axis_tready,
    output reg  [7:0]             m_axis_tdata,
    output wire [LOG2_BYTES-1:0]  read_address,
    input  wire [LOG2_BYTES-1:0]  oldest,
    input  wire                   rewind,

    output wire                   idle
);

    localparam [LOG2_BYTES-1:0] ONE = 1, BACK = -RETRACT;
    localparam [LOG2_RECORDS:0] HALF = 1 << (LOG2_RECORDS - 1);

    reg [7:0] memory [0:(1<<LOG2_BYTES)-1];

    // Octets from head to committed may be read, those from committed to tail are the frame under way.
    reg [LOG2_BYTES-1:0] head, committed, tail;

    wire [LOG2_BYTES-1:0] kept;  // octets from here on keep their places
    wire                  again;

    generate
        if (REPLAY != 0) begin : replay
            assign kept  = oldest;
            assign again = rewind;
        end else begin : once
            wire unused = &{1'b0, oldest, rewind};
            assign kept  = head;
            assign again = 1'b0;
        end
    endgenerate

    assign write_address = tail;
    assign read_address  = head;
    assign space         = kept - tail - ONE;
    assign full          = space == 0;

    always @(posedge clk) begin
        if (write || patch) memory[patch ? patch_address : tail] <= patch ? patch_data : write_data;
    end

    wire readable = head != committed;
    wire fetch    = readable && (!m_axis_tvalid || m_axis_tready);

    assign idle = m_axis_tvalid || !readable;

    always @(posedge clk) begin
        if (fetch) m_axis_tdata <= memory[head];
    end

    always @(posedge clk) begin
        if (write || retract) tail <= tail + (retract ? BACK : ONE);
        if (rollback) tail      <= committed;
        if (commit)   committed <= tail;

        if (m_axis_tready) m_axis_tvalid <= 1'b0;
        if (fetch) begin
            m_axis_tvalid <= 1'b1;
            head          <= head + ONE;
        end
        if (again) begin
            m_axis_tvalid <= 1'b0;
            head          <= oldest;
        end

        if (rst) begin
            head          <= 0;
            committed     <= 0;
            tail          <= 0;
            m_axis_tvalid <= 1'b0;
        end
    end

    wire                  record_room;
    wire [LOG2_RECORDS:0] count;
    assign records_full = !record_room;
    assign high         = !space[LOG2_BYTES-1] || count >= HALF;
    assign low          = &space[LOG2_BYTES-1:LOG2_BYTES-2] && count < HALF >> 1;

    sync_fifo #(
        .WIDTH     (RECORD_BITS),
        .LOG2_DEPTH(LOG2_RECORDS)
    ) records (
        .clk    (clk),
        .rst    (rst),
        .s_valid(commit),
        .s_ready(record_room),
        .s_data (record),
        .m_valid(record_valid),
        .m_ready(record_ready),
        .m_data (record_data),
        .count  (count)
    );

endmodule

`resetall
