// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// mac_tx: sends frames over MII (802.3 clauses 3, 4 and 22).
//
// Takes a frame from the destination address to the end of the data, and adds preamble, SFD, padding with zeros to
// 60 octets, and the FCS. Frames follow one another with a gap of 96 bit times. The first preamble nibble is on the
// wire one cycle after `s_axis_tvalid`, if nothing holds it back.
//
// A frame is made invalid on purpose (every FCS bit inverted, `mii_tx_er` during the FCS) when `s_axis_tuser` is
// high at `s_axis_tlast`, and when the stream runs dry in mid-frame; the rest of such a stream is taken and dropped
// up to its `s_axis_tlast`.
//
// Half duplex (`half_duplex`; while it is low CRS and COL are without effect):
// - Deference (4.2.3.2.1). The gap begins anew while there is carrier, but for its last third (less the two or three
//   cycles by which CRS is late), which ignores it, so that every station has its turn. It ends 24 or 25 cycles after
//   CRS has fallen; a frame that waits then is sent, one that comes later defers to carrier again.
// - A collision (4.2.3.2.4) ends the frame, behind its SFD at the earliest, with a jam of 32 bits: the complement
//   of the FCS that the octets sent so far would need, so that no receiver can take them for a frame. The rest of the
//   stream is dropped.
// - Back-off (4.2.3.2.5): the stream must offer the frame again, and it is sent after 0 .. 2^min(n,10) - 1 slots from the
//   end of the jam (tx_hold). The 16th collision, or a late one, gives the frame up: the next one is expected.
//
// `tx_done` is high in the first cycle after the last nibble of an attempt. Then, and until the stream offers the next
// frame, `tx_again` asks for the same frame again, and `tx_flags` (tx_events.vh) tell of it.
//
// Pause (full duplex): `pause_valid` holds back all frames but the one under way for `pause_quanta` slots; 0 ends that.
// A frame with `s_axis_urgent` is not held back, as 31B.1 wants it of MAC control frames; there is none in half duplex.
//
// `idle` is high when no register changes any more until the next frame, carrier or pause; it falls one cycle after
// `s_axis_tvalid` has risen.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module mac_tx #(
    parameter HALF_DUPLEX = 1,
    parameter PAUSE = 1
) (
    input  wire        clk,
    input  wire        rst,

    input  wire        half_duplex,   // changes only while no frame is there
    input  wire [23:0] seed,          // of the back-off; rests while half_duplex rises
    input  wire        pause_valid,
    input  wire [15:0] pause_quanta,

    input  wire [7:0]  s_axis_tdata,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,
    input  wire        s_axis_urgent,

    output reg         tx_done,
    output wire        tx_again,
    output wire [8:0]  tx_flags,
    output wire        holding,       // back-off or pause
    output reg         idle,

    output reg  [3:0]  mii_txd,
    output reg         mii_tx_en,
    output reg         mii_tx_er,
    input  wire        mii_crs,       // asynchronous, as the next
    input  wire        mii_col
);

    localparam [2:0] GAP = 0, PREAMBLE = 1, DATA = 2, PAD = 3, FCS = 4;

    // Nibbles left after the present one. The first preamble nibble belongs to the cycle that leaves GAP.
    localparam [6:0] GAP_LEFT = 24, PREAMBLE_LEFT = 14, DATA_LEFT = 119, FCS_LEFT = 7;
    localparam [6:0] CARRIER_LEFT = GAP_LEFT - 2;  // CRS is seen two cycles late or more

    reg [2:0] state;
    reg [6:0] left;     // of this state; in DATA and PAD of the minimum length, then 1, 0, 1, 0: the place in the octet
    reg       bad;      // the frame must not look valid
    reg       swallow;  // drop the rest of the frame's stream

    wire last        = left == 0;
    wire high_nibble = !left[0];
    wire dry         = state == DATA && !s_axis_tvalid;
    wire between     = state == GAP;
    wire offered     = s_axis_tvalid && !swallow;

    wire carrier, defer, hit, jam;

    wire begins = between && last && offered && (!holding || s_axis_urgent) && !defer;

    // Where a frame that has met a collision ends
    wire cut         = state == PREAMBLE ? last && (hit || jam) : hit;
    wire stream_left = state == PREAMBLE || (state == DATA && !(high_nibble && s_axis_tlast));

    assign s_axis_tready = swallow || (state == DATA && high_nibble);

    generate
        if (HALF_DUPLEX != 0) begin : half
            csma csma (
                .clk        (clk),
                .rst        (rst),
                .half_duplex(half_duplex),
                .crs        (mii_crs),
                .col        (mii_col),
                .offered    (offered),
                .between    (between),
                .begins     (begins),
                .first_part (left[4:3] != 0),
                .gap_over   (last),
                .in_frame   (!between && state != PREAMBLE),
                .slot_over  (state != PREAMBLE && left[6:3] == 0),
                .carrier    (carrier),
                .defer      (defer),
                .hit        (hit),
                .jam        (jam),
                .again      (tx_again),
                .flags      (tx_flags)
            );
        end else begin : full
            wire unused = &{1'b0, mii_crs, mii_col};
            assign {carrier, defer, hit, jam, tx_again, tx_flags} = 14'd0;
        end
    endgenerate

    tx_hold #(
        .HALF_DUPLEX(HALF_DUPLEX),
        .PAUSE      (PAUSE)
    ) tx_hold (
        .clk         (clk),
        .rst         (rst),
        .between     (between),
        .half_duplex (half_duplex),
        .seed        (seed),
        .back_off    (state == FCS && last && tx_again),
        .collisions  (tx_flags[7:4]),
        .pause_valid (pause_valid),
        .pause_quanta(pause_quanta),
        .holding     (holding)
    );

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
                mii_tx_er <= bad && !jam;
                if (last) begin
                    state <= GAP;
                    left  <= GAP_LEFT;
                end
            end
            default: begin
                mii_txd   <= 4'h0;
                mii_tx_en <= 1'b0;
                if (last)  left <= 0;
                if (defer) left <= CARRIER_LEFT;
                if (begins) begin
                    state     <= PREAMBLE;
                    left      <= PREAMBLE_LEFT;
                    mii_txd   <= 4'h5;
                    mii_tx_en <= 1'b1;
                end
            end
        endcase

        if (cut) begin
            state <= FCS;
            left  <= FCS_LEFT;
            bad   <= 1'b1;
            if (stream_left) swallow <= 1'b1;
        end
        if (swallow && s_axis_tvalid && s_axis_tlast) swallow <= 1'b0;

        tx_done <= mii_tx_en && state == GAP;
        idle    <= state == GAP && last && !s_axis_tvalid && !holding && !carrier;

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
