// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// tx_complete: writes sent frames back to their descriptors.
//
// Keeps a queue of the frames that are in the card. A frame enters it with `frame_push`, is stamped with the time when
// it has left the card (`frame_done`, in the order of pushing), and leaves it when time stamp, error and DONE have been written
// to its last descriptor and the bus has acknowledged that. Then `ring_complete` moves the head and `irq` tells, if the
// descriptor asked for it.
//
// A reset of the ring, or a bus error here, gives up the frames in the queue: they still leave it when they have been
// sent, but nothing is written for them any more.
//
// Only the octet that holds DONE and the error is written of the descriptor's last word, so nothing else of it need be
// remembered.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module tx_complete (
    input  wire        clk,
    input  wire        rst,

    // Frames
    output wire        frame_room,
    input  wire        frame_push,
    input  wire [14:0] frame_index,
    input  wire        frame_irq,
    input  wire        frame_done,
    input  wire [1:0]  frame_error,     // of the descriptor's word 3
    input  wire [31:0] timestamp_ns,

    // Ring
    input  wire        ring_ok,         // not stopped by an error
    input  wire        ring_reset,
    input  wire        ring_reset_done,
    output wire [14:0] ring_done_index,
    input  wire [27:0] ring_done_addr,
    output wire        ring_complete,
    output wire        ring_fail,
    output wire        irq,

    // axi_write
    output wire        write_valid,
    input  wire        write_ready,
    output wire [29:0] write_addr,
    output wire        w_valid,
    input  wire        w_ready,
    output wire [31:0] w_data,
    output wire [3:0]  w_strb,
    input  wire        write_done,
    input  wire        write_error,

    output wire        writing,         // a write-back is under way
    output wire        busy,            // frames are in the queue
    output wire        idle             // none of them can leave it now
);

    localparam [1:0] NEXT = 0, STAMP_WORD = 1, DONE_WORD = 2, RESPONSE = 3;

    reg [1:0]  state;
    reg [15:0] frames [0:7];
    reg [31:0] stamps [0:7];
    reg [1:0]  errors [0:7];
    reg [7:0]  alive;  // not given up
    reg [3:0]  pushed, done, written;

    wire [15:0] frame        = frames[written[2:0]];
    wire        ready        = done != written;
    wire        acknowledged = state == RESPONSE && write_done;

    assign frame_room      = pushed != {!written[3], written[2:0]};

    assign ring_done_index = frame[14:0];
    assign ring_complete   = acknowledged && !write_error;
    assign ring_fail       = acknowledged && write_error;
    assign irq             = ring_complete && frame[15] && !ring_reset;

    assign write_valid     = state == NEXT && ready && alive[written[2:0]] && !ring_reset;
    assign write_addr      = {ring_done_addr, 2'd2};
    assign w_valid         = state == STAMP_WORD || state == DONE_WORD;
    assign w_data          = state == STAMP_WORD ? stamps[written[2:0]] : {6'b100000, errors[written[2:0]], 24'd0};
    assign w_strb          = state == STAMP_WORD ? 4'b1111 : 4'b1000;

    assign writing         = state != NEXT;
    assign busy            = pushed != written;
    assign idle            = !writing && !ready;

    always @(posedge clk) begin
        if (frame_push) begin
            frames[pushed[2:0]] <= {frame_irq, frame_index};
            alive[pushed[2:0]]  <= ring_ok;
            pushed              <= pushed + 4'd1;
        end
        if (frame_done) begin
            stamps[done[2:0]] <= timestamp_ns;
            errors[done[2:0]] <= frame_error;
            done              <= done + 4'd1;
        end

        case (state)
            NEXT:
                if (write_valid && write_ready)            state   <= STAMP_WORD;
                else if (ready && !alive[written[2:0]])    written <= written + 4'd1;
            STAMP_WORD: if (w_ready)                       state   <= DONE_WORD;
            DONE_WORD:  if (w_ready)                       state   <= RESPONSE;
            default: if (write_done) begin
                state   <= NEXT;
                written <= written + 4'd1;
            end
        endcase

        if (ring_fail || ring_reset_done) alive <= 0;

        if (rst) begin
            state   <= NEXT;
            pushed  <= 0;
            done    <= 0;
            written <= 0;
        end
    end

endmodule

`resetall
