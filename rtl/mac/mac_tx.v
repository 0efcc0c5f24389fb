// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// mac_tx: sends frames over MII (802.3 clauses 3 and 22), full duplex.
//
// Takes a frame from the destination address to the end of the data, and adds preamble, SFD, padding with zeros to
// 60 octets, and the FCS. Frames follow one another with a gap of 96 bit times. The first preamble nibble is on the
// wire one cycle after `s_axis_tvalid`, if the gap is over.
//
// A frame is made invalid on purpose (every FCS bit inverted, `mii_tx_er` during the FCS) when `s_axis_tuser` is
// high at `s_axis_tlast`, and when the stream runs dry in mid-frame; the rest of such a stream is taken and dropped
// up to its `s_axis_tlast`.
//
// `tx_done` is high in the first cycle after the last FCS nibble. `idle` is high when no register changes any more
// until the next frame; it falls one cycle after `s_axis_tvalid` has risen.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module mac_tx (
    input  wire       clk,
    input  wire       rst,

    input  wire [7:0] s_axis_tdata,
    input  wire       s_axis_tvalid,
    output wire       s_axis_tready,
    input  wire       s_axis_tlast,
    input  wire       s_axis_tuser,

    output reg        tx_done,
    output reg        idle,

    output reg  [3:0] mii_txd,
    output reg        mii_tx_en,
    output reg        mii_tx_er
);

    localparam [2:0] GAP = 0, PREAMBLE = 1, DATA = 2, PAD = 3, FCS = 4;

    // Nibbles left after the present one. The first preamble nibble belongs to the cycle that leaves GAP.
    localparam [6:0] GAP_LEFT = 24, PREAMBLE_LEFT = 14, DATA_LEFT = 119, FCS_LEFT = 7;

    reg [2:0] state;
    reg [6:0] left;     // of this state; in DATA and PAD of the minimum length, then 1, 0, 1, 0: the place in the octet
    reg       bad;      // the frame must not look valid
    reg       swallow;  // the stream ran dry: drop the rest of its frame

    wire last        = left == 0;
    wire high_nibble = !left[0];
    wire dry         = state == DATA && !s_axis_tvalid;

    assign s_axis_tready = swallow || (state == DATA && high_nibble);

    reg  [31:0] crc;
    wire [31:0] crc_next;
    reg  [ 3:0] nibble;

    always @* begin
        if (state == FCS)             nibble = crc[3:0];
        else if (state == PAD || dry) nibble = 4'h0;
        else if (high_nibble)         nibble = s_axis_tdata[7:4];
        else                          nibble = s_axis_tdata[3:0];
    end

    crc32_nibble crc32_nibble (
        .crc     (crc),
        .nibble  (nibble),
        .crc_next(crc_next)
    );

    always @(posedge clk) begin
        left      <= last ? 7'd1 : left - 7'd1;
        crc       <= state == GAP || state == PREAMBLE ? 32'hFFFFFFFF : crc_next;
        mii_txd   <= nibble;
        mii_tx_en <= 1'b1;
        mii_tx_er <= 1'b0;

        case (state)
            PREAMBLE: begin
                mii_txd <= last ? 4'hD : 4'h5;
                if (last) begin
                    state <= DATA;
                    left  <= DATA_LEFT;
                end
            end
            DATA: begin
                if (dry) begin
                    state   <= PAD;
                    bad     <= 1'b1;
                    swallow <= 1'b1;
                end else if (high_nibble && s_axis_tlast) begin
                    state <= PAD;
                    bad   <= s_axis_tuser;
                    if (last) begin
                        state <= FCS;
                        left  <= FCS_LEFT;
                    end
                end
            end
            PAD:
                if (last) begin
                    state <= FCS;
                    left  <= FCS_LEFT;
                end
            FCS: begin
                mii_txd   <= bad ? nibble : ~nibble;
                mii_tx_er <= bad;
                if (last) begin
                    state <= GAP;
                    left  <= GAP_LEFT;
                end
            end
            default: begin
                mii_txd   <= 4'h0;
                mii_tx_en <= 1'b0;
                if (last) begin
                    left <= 0;
                    if (s_axis_tvalid && !swallow) begin
                        state     <= PREAMBLE;
                        left      <= PREAMBLE_LEFT;
                        mii_txd   <= 4'h5;
                        mii_tx_en <= 1'b1;
                    end
                end
            end
        endcase

        if (swallow && s_axis_tvalid && s_axis_tlast) swallow <= 1'b0;

        tx_done <= mii_tx_en && state == GAP;
        idle    <= state == GAP && last && !s_axis_tvalid;

        if (rst) begin
            state     <= GAP;
            left      <= 0;
            swallow   <= 1'b0;
            tx_done   <= 1'b0;
            mii_txd   <= 4'h0;
            mii_tx_en <= 1'b0;
            mii_tx_er <= 1'b0;
        end
    end

endmodule

`resetall
