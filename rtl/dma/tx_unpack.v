// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// tx_unpack: makes the octet stream of frames out of the words of tx_fetch.
//
//   word[38]     header: word[31:0] is word `word[33:32]` of the first descriptor of the frame that follows
//   word[37]     end of the frame
//   word[36]     with the end: the frame is not to be sent
//   word[35:34]  last octet of word[31:0] that belongs to the frame; 0 is bits 7:0
//   word[33:32]  first such octet
//   word[31:0]   data
//
// One octet a cycle, whatever the alignment of the fragments; a header word takes a cycle. The `frame_*` outputs
// hold from the first octet of a frame until the last one has been taken.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module tx_unpack (
    input  wire        clk,
    input  wire        rst,

    input  wire        word_valid,
    output wire        word_ready,
    input  wire [38:0] word,

    output reg         frame_ip_csum,
    output reg         frame_l4_csum,
    output reg         frame_tso,
    output reg         frame_vlan,
    output reg  [7:0]  frame_csum_start,
    output reg  [7:0]  frame_csum_offset,
    output reg  [7:0]  frame_hdr_len,
    output reg  [13:0] frame_mss,
    output reg  [15:0] frame_tci,

    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output reg  [7:0]  m_axis_tdata,
    output wire        m_axis_tlast,
    output wire        m_axis_tuser   // with tlast: drop the frame
);

    wire       header = word[38];
    reg  [1:0] step;                          // octets of this word that have been taken
    wire [1:0] lane   = word[33:32] + step;
    wire       last   = lane == word[35:34];

    always @* begin
        case (lane)
            2'd0:    m_axis_tdata = word[7:0];
            2'd1:    m_axis_tdata = word[15:8];
            2'd2:    m_axis_tdata = word[23:16];
            default: m_axis_tdata = word[31:24];
        endcase
    end

    assign m_axis_tvalid = word_valid && !header;
    assign m_axis_tlast  = last && word[37];
    assign m_axis_tuser  = word[36];
    assign word_ready    = header || (last && m_axis_tready);

    always @(posedge clk) begin
        if (m_axis_tvalid && m_axis_tready) step <= last ? 2'd0 : step + 2'd1;

        if (word_valid && header) begin
            case (word[33:32])
                2'd1: {frame_hdr_len, frame_csum_offset, frame_csum_start} <= word[23:0];
                2'd2: {frame_tci, frame_mss} <= {word[31:16], word[13:0]};
                default: begin  // segments differ from one another, so all their checksums are made here
                    frame_ip_csum <= word[18] || word[20];
                    frame_l4_csum <= word[19] || word[20];
                    frame_tso     <= word[20];
                    frame_vlan    <= word[21];
                end
            endcase
        end

        if (rst) step <= 0;
    end

endmodule

`resetall
