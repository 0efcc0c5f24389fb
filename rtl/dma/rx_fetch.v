// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// rx_fetch: keeps the next receive descriptor at hand.
//
// `buffer_valid` shows a buffer until `buffer_take`. Its descriptor stays `ring_next` until then, so that one which is not
// taken can be let go: the ring's reset does so, and its disabling unless a frame is under way (`frame_busy`).

`resetall
`timescale 1ns / 1ps
`default_nettype none

module rx_fetch (
    input  wire        clk,
    input  wire        rst,

    // Ring
    input  wire        ring_run,
    input  wire        ring_available,
    input  wire [27:0] ring_next_addr,
    output reg         ring_fail,
    output reg  [1:0]  ring_fail_error,
    input  wire        ring_reset,

    // axi_read
    output wire        read_valid,
    input  wire        read_ready,
    output wire [29:0] read_addr,
    output wire [3:0]  read_len,
    input  wire        read_data_valid,
    input  wire [31:0] read_data,
    input  wire        read_data_last,
    input  wire        read_data_error,

    // Buffers
    output reg         buffer_valid,
    output reg  [31:0] buffer_addr,
    output reg  [15:0] buffer_len,
    input  wire        buffer_take,
    input  wire        frame_busy,

    output reg         busy,
    output wire        idle
);

    localparam [1:0] DESCRIPTOR_ERROR = 1, MALFORMED = 3;

    reg  bus_error;
    reg  first;      // word of the descriptor

    wire wanted = ring_run || (frame_busy && !ring_reset);

    assign read_valid      = !busy && !ring_fail && !buffer_valid && ring_available && wanted;
    assign read_addr       = {ring_next_addr, 2'd0};
    assign read_len        = 4'd3;

    assign idle            = !busy && !ring_fail && !read_valid && (!buffer_valid || wanted);

    always @(posedge clk) begin
        ring_fail <= 1'b0;

        if (read_valid && read_ready) begin
            busy      <= 1'b1;
            first     <= 1'b1;
            bus_error <= 1'b0;
        end
        if (read_data_valid) begin
            first <= 1'b0;
            if (first) buffer_addr <= read_data;
            if (read_data_error) bus_error <= 1'b1;
            if (read_data_last) begin
                busy       <= 1'b0;
                buffer_len <= read_data[15:0];
                if (bus_error || read_data_error || read_data[15:0] == 0) begin
                    ring_fail       <= 1'b1;
                    ring_fail_error <= bus_error || read_data_error ? DESCRIPTOR_ERROR : MALFORMED;
                end else begin
                    buffer_valid <= 1'b1;
                end
            end
        end
        if (buffer_valid && (buffer_take || !wanted)) buffer_valid <= 1'b0;

        if (rst) begin
            busy         <= 1'b0;
            buffer_valid <= 1'b0;
            ring_fail    <= 1'b0;
        end
    end

endmodule

`resetall
