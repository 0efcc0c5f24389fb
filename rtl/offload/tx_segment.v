// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// tx_segment: cuts a large TCP frame (IPv4, behind a VLAN tag or not) into frames of `frame_mss` octets of payload.
//
// A frame without `frame_tso` passes untouched, in the same cycle. Of one with it the headers, `frame_hdr_len` octets with
// TCP's at `frame_csum_start`, are kept in a RAM and lead every segment, with the total length and the sum of the
// pseudo-header mended to the segment's length, identification and sequence number moved on, FIN and PSH in the
// last only and CWR in the first only (RFC 3168 6.1.2). The checksums themselves are tx_path's. The `frame_*`
// inputs stand from the first octet of the frame until the last one has been taken.
//
// The total length of the packet tells how much payload there is. `frame_end`, with `m_axis_tlast`: this was the last
// segment. A stream that ends before that or goes on behind it is malformed: the segment at hand is dropped
// (`m_axis_tuser`), the rest swallowed, and `malformed` pulses in place of `frame_end` when all segments in front
// have left (`path_empty`). A frame that ends with `s_axis_tuser` is dropped without a word.
//
// Mending takes 26 cycles a segment. `idle`: no register changes before one of the streams moves.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module tx_segment #(
    parameter TSO = 1
) (
    input  wire        clk,
    input  wire        rst,

    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire [7:0]  s_axis_tdata,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,
    input  wire        frame_tso,
    input  wire [7:0]  frame_csum_start,
    input  wire [7:0]  frame_hdr_len,
    input  wire [13:0] frame_mss,

    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire [7:0]  m_axis_tdata,
    output wire        m_axis_tlast,
    output wire        m_axis_tuser,
    output wire        frame_end,

    input  wire        path_empty,
    output wire        malformed,
    output wire        idle
);

    assign frame_end = s_axis_tlast;

    generate
        if (TSO) begin : segment

            localparam [2:0] TAKE = 0, MEND = 1, HEADERS = 2, PAYLOAD = 3, DRAIN = 4, REPORT = 5;

            reg [2:0]  state;
            reg [7:0]  index;   // into the headers
            reg        vlan;    // behind a tag
            reg        first;   // segment
            reg [16:0] left;    // octets of payload from this segment on; negative: the packet is shorter than its headers
            reg [13:0] room;    // octets left in this segment

            wire [7:0]  next_index   = index + 8'd1;
            wire [7:0]  ip_start     = {3'b000, vlan, !vlan, !vlan, 2'b10};  // 14 or 18
            wire [7:0]  ip_octets    = frame_hdr_len - ip_start;
            wire        take         = s_axis_tvalid && s_axis_tready;
            wire        store        = take && state == TAKE && frame_tso;
            wire        headers_end  = next_index == frame_hdr_len;
            wire        nothing_left = left[16] || left == 0;
            wire        final_octet  = left == 17'd1;
            wire        last         = left[15:0] <= {2'b00, frame_mss};  // segment

            // Mending: the fields one after the other, each from its last octet to its first, in eight steps.
            //
            // A length is mended by taking the old payload off and putting the new one on. Both lengths do this in ones'
            // complement, with the carry of one addition going around into the next one; the last one is of zeros.
            localparam [1:0] CHECKSUM = 0, LENGTH = 1, SEQUENCE = 2, IDENTIFICATION = 3;
            localparam [4:0] LAST_STEP = {IDENTIFICATION, 3'd1}; // and the next one points to the flags

            reg  [4:0]  step;
            reg         carry;
            wire [1:0]  field   = step[4:3];
            reg  [4:0]  offset;
            wire        in_ip   = field == LENGTH || (field == IDENTIFICATION && !step[1]);
            wire [7:0]  place   = (in_ip ? ip_start : frame_csum_start) + {3'd0, offset};

            always @* begin
                case (field)
                    CHECKSUM: offset = {4'b1000, !step[0]};
                    LENGTH:   offset = {4'b0001, !step[0]};
                    SEQUENCE: offset = {3'b001, ~step[1:0]};
                    default:  offset = step[1] ? 5'd13 : {4'b0010, !step[0]};
                endcase
            end

            reg  [7:0]  headers [0:255];
            wire [7:0]  address = state == MEND ? place : index;
            wire [7:0]  octet   = headers[address];

            reg  [15:0] payload;
            reg  [7:0]  half;
            reg         zero, off;
            reg  [8:0]  total;

            // Asked for in MEND only, which spares a simulation the work.
            always @* begin
                {payload, half, zero, off, total} = {35{1'bx}};
                if (state == MEND) begin
                    payload = (step[1] ? last : first) ? left[15:0] : {2'b00, frame_mss};
                    half    = step[0] ? payload[15:8] : payload[7:0];
                    zero    = field == IDENTIFICATION || step[2] || (field == SEQUENCE && step[1]);
                    off     = !field[1] && step[2:1] == 2'b00;
                    total   = {1'b0, octet} + {1'b0, zero ? 8'd0 : half ^ {8{off}}}
                            + {8'd0, step[2:0] == 0 ? field == IDENTIFICATION : carry};
                end
            end

            wire        mend    = state == MEND && (!field[1] || (!first && !step[2]));

            wire [7:0]  hidden  = index == place ? {!first, 3'd0, !last, 2'd0, !last} : 8'd0;  // CWR, PSH, FIN

            assign s_axis_tready = state == DRAIN || (state == TAKE && frame_tso)
                                || ((state == TAKE || state == PAYLOAD) && m_axis_tready);
            assign m_axis_tvalid = state == HEADERS
                                || (s_axis_tvalid && (state == PAYLOAD || (state == TAKE && !frame_tso)));
            assign m_axis_tdata  = state == HEADERS ? octet & ~hidden : s_axis_tdata;
            assign m_axis_tlast  = state != HEADERS
                                && (s_axis_tlast || (state == PAYLOAD && (final_octet || room == 14'd1)));
            assign m_axis_tuser  = s_axis_tuser || (state == PAYLOAD && s_axis_tlast != final_octet);
            assign malformed     = state == REPORT && path_empty;
            assign idle          = state != MEND && !malformed;

            always @(posedge clk) begin
                if (store || mend) headers[address] <= state == MEND ? total[7:0] : s_axis_tdata;
            end

            always @(posedge clk) begin
                case (state)
                    TAKE: if (store) begin
                        index <= s_axis_tlast || headers_end ? 8'd0 : next_index;
                        first <= 1'b1;
                        if (index == 8'd12) vlan <= s_axis_tdata == 8'h81;
                        if (index[7:1] == {5'b00010, vlan, 1'b0}) left <= {1'b0, left[7:0], s_axis_tdata};
                        if (headers_end) begin
                            left  <= left - {9'd0, ip_octets};
                            state <= MEND;
                        end
                    end
                    MEND: begin
                        room  <= frame_mss;
                        carry <= total[8];
                        step  <= step + 5'd1;
                        if (step == LAST_STEP) state <= HEADERS;
                        if (nothing_left) begin
                            step  <= 0;
                            state <= DRAIN;
                        end
                    end
                    HEADERS: if (m_axis_tready) begin
                        index <= next_index;
                        if (headers_end) begin
                            index <= 0;
                            step  <= 0;
                            state <= PAYLOAD;
                        end
                    end
                    PAYLOAD: if (take) begin
                        first <= 1'b0;
                        left  <= left - 17'd1;
                        room  <= room - 14'd1;
                        if (m_axis_tlast) state <= final_octet ? DRAIN : MEND;
                    end
                    REPORT: if (path_empty) state <= TAKE;
                    default: ; // DRAIN
                endcase

                if (take && s_axis_tlast && (state != TAKE || frame_tso)) begin
                    state <= s_axis_tuser || (state == PAYLOAD && final_octet) ? TAKE : REPORT;
                end

                if (rst) begin
                    state <= TAKE;
                    index <= 0;
                    step  <= 0;
                end
            end

        end else begin : pass
            wire unused = &{1'b0, clk, rst, frame_tso, frame_csum_start, frame_hdr_len, frame_mss, path_empty};
            assign s_axis_tready = m_axis_tready;
            assign m_axis_tvalid = s_axis_tvalid;
            assign m_axis_tdata  = s_axis_tdata;
            assign m_axis_tlast  = s_axis_tlast;
            assign m_axis_tuser  = s_axis_tuser;
            assign malformed     = 1'b0;
            assign idle          = 1'b1;
        end
    endgenerate

endmodule

`resetall
