// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// tx_path: takes a frame whole into its buffer, writes checksums and tag into it, and gives it to the MAC until that is done with it.
//
// In: `s_axis_*`, and `frame_*` with the checksums wanted (checksum_insert) and the tag, which stand from the first octet
// until the last is taken. `frame_vlan`: a tag with `frame_tci` goes behind the addresses, unseen by the checksums.
// `frame_end` with `s_axis_tlast`: this is the last of the frames, or segments, that a descriptor asked for.
// `s_axis_tuser` with `s_axis_tlast` drops the frame. A frame longer than the buffer (2^LOG2_BYTES - 1 octets) is taken to its
// end and dropped.
//
// Out: `m_axis_*`, without gaps once a frame has begun, one octet a cycle if the reader is as fast; then nothing until
// `verdict`: the MAC is done with the frame. It is given once more if `verdict_again` is high, else its place in the
// buffer is free. A verdict in mid-frame ends the stream at its next octet. `verdict_*` rest until the next frame begins.
// `done` tells of each frame that is not given again: `done_octets`, and, with `done_end`, as `frame_end` was, `done_error`,
// which is the first error (`verdict_error`) since the last such end.
//
// A frame costs one cycle besides its octets, four more for a tag, three more behind an IPv4 header whose checksum is
// written, and two (odd span: three) for an L4 checksum. The next one's first octet is out three cycles after the verdict.
//
// `tx_path_idle`: nothing is on its way out, and no register changes before the input moves.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module tx_path #(
    parameter LOG2_BYTES  = 12,
    parameter TX_CSUM     = 1,
    parameter VLAN        = 1,
    parameter LOG2_FRAMES = 4
) (
    input  wire       clk,
    input  wire       rst,

    input  wire       s_axis_tvalid,
    output wire       s_axis_tready,
    input  wire [7:0] s_axis_tdata,
    input  wire       s_axis_tlast,
    input  wire       s_axis_tuser,
    input  wire       frame_ip_csum,
    input  wire       frame_l4_csum,
    input  wire [7:0] frame_csum_start,
    input  wire [7:0] frame_csum_offset,
    input  wire       frame_vlan,
    input  wire [15:0] frame_tci,
    input  wire       frame_end,

    output wire       m_axis_tvalid,
    input  wire       m_axis_tready,
    output wire [7:0] m_axis_tdata,
    output wire       m_axis_tlast,

    input  wire       verdict,
    input  wire       verdict_again,
    input  wire [1:0] verdict_error,
    output wire       waiting,        // the frame's stream has ended, and there is no verdict
    output wire       done,
    output wire       done_end,
    output wire [1:0] done_error,
    output wire [LOG2_BYTES-1:0] done_octets,

    output wire       tx_path_idle
);

    wire [LOG2_BYTES-1:0] write_address, read_address, unused_space, end_address;
    wire                  full, records_full, frame_valid, unused_high, unused_low, unused_idle;

    wire                  busy, patch;
    wire [LOG2_BYTES-1:0] patch_address;
    wire [7:0]            patch_data;

    reg  closing;  // the frame has ended
    reg  spoilt;   // it is to be dropped
    reg  ends;     // frame_end
    wire room   = spoilt || !(full || records_full);
    wire take   = s_axis_tvalid && s_axis_tready;
    wire finish = closing && !busy;

    wire       tagging;  // an octet of the tag is being written
    wire [7:0] tag;

    assign s_axis_tready = !closing && !busy && !patch && !tagging && room;

    always @(posedge clk) begin
        if (take && s_axis_tlast) begin
            closing <= 1'b1;
            spoilt  <= spoilt || s_axis_tuser;
            ends    <= frame_end;
        end
        if (s_axis_tvalid && !closing && full && !frame_valid) spoilt <= 1'b1;  // nothing will leave to make room
        if (finish || rst) begin
            closing <= 1'b0;
            spoilt  <= 1'b0;
        end
    end

    generate
        if (TX_CSUM) begin : csum
            checksum_insert #(
                .LOG2_BYTES(LOG2_BYTES)
            ) insert (
                .clk          (clk),
                .restart      (finish || rst),
                .take         (take),
                .data         (s_axis_tdata),
                .last         (s_axis_tlast),
                .ip_csum      (frame_ip_csum),
                .l4_csum      (frame_l4_csum),
                .csum_start   (frame_csum_start),
                .csum_offset  (frame_csum_offset),
                .write_address(write_address),
                .busy         (busy),
                .patch        (patch),
                .patch_address(patch_address),
                .patch_data   (patch_data)
            );
        end else begin : no_csum
            wire unused = &{1'b0, frame_ip_csum, frame_l4_csum, frame_csum_start, frame_csum_offset};
            assign {busy, patch, patch_data} = 10'd0;
            assign patch_address = write_address;
        end
    endgenerate

    generate
        if (VLAN) begin : vlan
            localparam [15:0] TPID = 16'h8100;

            reg [4:0] place;  // in the buffer, up to the end of the tag

            assign tagging = frame_vlan && place[4:2] == 3'b011 && !closing;
            assign tag     = place[1] ? (place[0] ? frame_tci[7:0] : frame_tci[15:8]) : (place[0] ? TPID[7:0] : TPID[15:8]);

            always @(posedge clk) begin
                if (!place[4] && (take || (tagging && room))) place <= place + 5'd1;
                if (finish || rst) place <= 0;
            end
        end else begin : no_vlan
            wire unused = &{1'b0, frame_vlan, frame_tci};
            assign tagging = 1'b0;
            assign tag     = 8'd0;
        end
    endgenerate

    // The frame that the MAC has
    reg                   offered;  // its stream has ended
    reg                   cut;      // its stream must end: the verdict is there already
    reg                   rewind;
    reg  [LOG2_BYTES-1:0] oldest;   // its first octet
    reg  [1:0]            error;    // of the ones in front of it, up to the last end
    wire                  octet_valid;
    wire                  settled = offered && !rewind && (verdict || cut);

    assign m_axis_tvalid = octet_valid && frame_valid && !offered;
    assign m_axis_tlast  = cut || read_address == end_address;

    assign waiting     = offered && !rewind;
    assign done        = settled && !verdict_again;
    assign done_error  = error != 0 ? error : verdict_error;
    assign done_octets = end_address - oldest;

    always @(posedge clk) begin
        rewind <= settled;
        if (verdict && !offered) cut <= 1'b1;
        if (m_axis_tvalid && m_axis_tready && m_axis_tlast) offered <= 1'b1;
        if (settled) cut     <= 1'b0;
        if (rewind)  offered <= 1'b0;
        if (done) begin
            oldest <= end_address;
            error  <= done_end ? 2'd0 : done_error;
        end
        if (rst) begin
            offered <= 1'b0;
            cut     <= 1'b0;
            rewind  <= 1'b0;
            oldest  <= 0;
            error   <= 2'd0;
        end
    end

    packet_buffer #(
        .LOG2_BYTES  (LOG2_BYTES),
        .LOG2_RECORDS(LOG2_FRAMES),
        .RECORD_BITS (LOG2_BYTES + 1),
        .REPLAY      (1)
    ) buffer (
        .clk          (clk),
        .rst          (rst),
        .write        ((take || (tagging && room)) && !spoilt),
        .write_data   (tagging ? tag : s_axis_tdata),
        .retract      (1'b0),
        .high         (unused_high),
        .low          (unused_low),
        .write_address(write_address),
        .full         (full),
        .space        (unused_space),
        .patch        (patch),
        .patch_address(patch_address),
        .patch_data   (patch_data),
        .commit       (finish && !spoilt),
        .record       ({ends, write_address}),
        .records_full (records_full),
        .rollback     (finish && spoilt),
        .record_valid (frame_valid),
        .record_ready (done),
        .record_data  ({done_end, end_address}),
        .m_axis_tvalid(octet_valid),
        .m_axis_tready(m_axis_tvalid && m_axis_tready),
        .m_axis_tdata (m_axis_tdata),
        .read_address (read_address),
        .oldest       (oldest),
        .rewind       (rewind),
        .idle         (unused_idle)
    );

    assign tx_path_idle = !s_axis_tvalid && !closing && !patch && !busy && !tagging && !frame_valid && !rewind;

endmodule

`resetall
