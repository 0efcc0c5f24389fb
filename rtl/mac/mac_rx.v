// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// mac_rx: receives frames over MII (802.3 clauses 3 and 22).
//
// Gives a frame from the destination address to the end of data and padding, without FCS, whatever its length. A
// frame starts behind the first SFD after `mii_rx_dv` rises, with any number of preamble nibbles, odd or even, and
// as soon as one nibble after the end of the frame before. Without SFD nothing is given.
//
// Every frame with a nibble behind its SFD ends with exactly one `m_axis_tlast`, at which `m_axis_tuser` tells:
//   [3] runt     fewer than 5 octets arrived, or the frame was cut off: `m_axis_tdata` means nothing
//   [2] symbol   the PHY signalled `mii_rx_er` within the frame
//   [1] dribble  an odd nibble followed the last octet; it is left out
//   [0] fcs      the FCS is wrong
// With the second octet `m_axis_tuser` is the hash of the destination address: the first six bits, in the order of the
// wire, of the CRC-32 of its six octets, computed as the FCS is but for the complement at its end; the first is bit 5.
// There is no `m_axis_tready`: the wire does not wait.
//
// `deaf` (half duplex: the card is sending) cuts off the frame under way, if there is one, as a runt with a wrong FCS,
// and lets none begin until `mii_rx_dv` has been low.
//
// The first octet is given 12 cycles after the last SFD nibble, the last octet 2 cycles after the last nibble, or
// one after a dribble nibble. `idle` is high when no register changes any more until `mii_rx_dv` rises; it falls two
// cycles after that.
//
// All MII inputs end in flip-flops, but `mii_rx_dv` also reaches the stream outputs directly, to tell a cycle early
// that an octet will be whole: at least 10 ns before the clock edge (802.3 22.3.2).

`resetall
`timescale 1ns / 1ps
`default_nettype none

module mac_rx (
    input  wire       clk,
    input  wire       rst,
    input  wire       deaf,

    input  wire [3:0] mii_rxd,
    input  wire       mii_rx_dv,
    input  wire       mii_rx_er,

    output wire [7:0] m_axis_tdata,
    output wire       m_axis_tvalid,
    output wire       m_axis_tlast,
    output wire [5:0] m_axis_tuser,

    output reg        idle
);

    localparam [31:0] RESIDUE = 32'hDEBB20E3;  // of a frame together with its good FCS

    // An octet is held back until it is certain not to belong to the FCS: until a sixth begins, or the frame ends.
    localparam [2:0] HELD = 5;

    reg [3:0] rxd;
    reg       rx_dv;
    reg       rx_er;
    reg       blind;         // since reset or deaf there has been no gap yet
    reg       preamble;      // the nibble before was a 5
    reg       in_frame;      // behind the SFD, up to the last octet's m_axis_tvalid
    reg       high_nibble;   // rxd is the second nibble of an octet
    reg [2:0] octets;        // whole ones so far, up to HELD
    reg       symbol_error;

    reg  [39:0] line;        // the 10 nibbles before rxd, the oldest on top
    reg  [31:0] crc;
    wire [31:0] crc_next;

    wire sfd  = !in_frame && preamble && rx_dv && rxd == 4'hD;
    wire more = rx_dv && mii_rx_dv;  // if rxd is a first nibble: the second one follows

    crc32_nibble crc32_nibble (
        .crc     (crc),
        .nibble  (rxd),
        .crc_next(crc_next)
    );

    always @(posedge clk) begin
        rxd   <= mii_rxd;
        rx_dv <= mii_rx_dv;
        rx_er <= mii_rx_er;

        preamble <= !blind && rx_dv && rxd == 4'h5;
        idle     <= !rx_dv;

        if (in_frame) begin
            line        <= {line[35:0], rxd};
            crc         <= crc_next;
            high_nibble <= !high_nibble;
            if (high_nibble && octets != HELD) octets <= octets + 3'd1;
            if (rx_er) symbol_error <= 1'b1;
            if (!high_nibble && !more) in_frame <= 1'b0;
        end
        if (sfd) begin
            in_frame     <= 1'b1;
            crc          <= 32'hFFFFFFFF;
            high_nibble  <= 1'b0;
            octets       <= 0;
            symbol_error <= 1'b0;
        end

        if (!rx_dv) blind <= 1'b0;
        if (rst || deaf) begin
            blind    <= 1'b1;
            in_frame <= 1'b0;
        end
    end

    assign m_axis_tdata  = {line[35:32], line[39:36]};
    assign m_axis_tvalid = in_frame && (deaf || (!high_nibble && (more ? octets == HELD : rx_dv || octets != 0)));
    assign m_axis_tlast  = !more || deaf;
    wire [3:0] verdict = {octets != HELD || deaf, symbol_error || (rx_dv && rx_er), rx_dv, crc != RESIDUE || deaf};

    // An octet is given when the four behind it have gone through the CRC: with the second one it stands at the sixth.
    assign m_axis_tuser  = {crc[0], crc[1], m_axis_tlast ? verdict : {crc[2], crc[3], crc[4], crc[5]}};

endmodule

`resetall
