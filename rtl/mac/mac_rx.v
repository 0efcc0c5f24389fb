// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// mac_rx: receives frames over MII (802.3 clauses 3 and 22).
//
// Gives a frame from the destination address to the end of the data and padding, without FCS, whatever its length. A frame starts behind
// the first SFD after `mii_rx_dv` rises, with any number of preamble nibbles, odd or even, and also one nibble after the end of
// the frame before. Without SFD nothing is given.
//
// Every frame with a nibble behind its SFD ends with exactly one `m_axis_tlast`, with `m_axis_tuser` telling
//   [3] runt    fewer than 5 octets arrived, so there is no data: `m_axis_tdata` means nothing
//   [2] symbol  the PHY signalled `mii_rx_er` within the frame
//   [1] dribble an odd nibble followed the last octet; it is left out
//   [0] fcs     the FCS is wrong
// There is no `m_axis_tready`: the wire does not wait.
//
// The first octet is given 13 cycles after the last SFD nibble, the last one 2 cycles after the last nibble. `idle` is high when no register
// changes any more until `mii_rx_dv` rises; it falls two cycles after that.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module mac_rx (
    input  wire       clk,
    input  wire       rst,

    input  wire [3:0] mii_rxd,
    input  wire       mii_rx_dv,
    input  wire       mii_rx_er,

    output wire [7:0] m_axis_tdata,
    output wire       m_axis_tvalid,
    output wire       m_axis_tlast,
    output wire [3:0] m_axis_tuser,

    output reg        idle
);

    localparam [31:0] RESIDUE = 32'hDEBB20E3;  // of a frame with a good FCS

    // An octet is given when it is known that it does not belong to the FCS: when 5 more are whole, or at the end.
    localparam [2:0] HELD = 5;

    reg [3:0] rxd;
    reg       rx_dv;
    reg       rx_er;

    always @(posedge clk) begin
        rxd   <= mii_rxd;
        rx_dv <= mii_rx_dv;
        rx_er <= mii_rx_er;
    end

    reg       blind;     // since reset the wire has not been quiet yet
    reg       preamble;  // the nibble before was a 5
    reg       in_frame;  // behind the SFD, up to and with the cycle in which rx_dv is low
    reg       odd;       // rxd is the second nibble of an octet
    reg [2:0] octets;    // that are whole, up to HELD
    reg       symbol_error;
    wire      sfd = preamble && rx_dv && rxd == 4'hD && !in_frame;

    reg  [43:0] line;  // the 11 nibbles before rxd, the newest at the bottom
    reg  [31:0] crc;
    wire [31:0] crc_next;
    wire        fcs_good = crc == RESIDUE;
    reg         fcs_was_good;  // one nibble ago

    crc32_nibble crc32_nibble (
        .crc     (crc),
        .nibble  (rxd),
        .crc_next(crc_next)
    );

    always @(posedge clk) begin
        preamble <= !blind && rx_dv && rxd == 4'h5;

        if (in_frame) begin
            in_frame     <= rx_dv;
            odd          <= !odd;
            line         <= {line[39:0], rxd};
            crc          <= crc_next;
            fcs_was_good <= fcs_good;
            if (odd && octets != HELD) octets <= octets + 3'd1;
            if (rx_dv && rx_er) symbol_error <= 1'b1;
        end
        if (sfd) begin
            in_frame     <= 1'b1;
            odd          <= 1'b0;
            octets       <= 0;
            crc          <= 32'hFFFFFFFF;
            symbol_error <= 1'b0;
        end

        idle <= !rx_dv && !in_frame;

        if (!rx_dv) blind <= 1'b0;
        if (rst) begin
            blind    <= 1'b1;
            in_frame <= 1'b0;
        end
    end

    // At the end of a frame that has no dribble nibble its last octet is one nibble nearer.
    assign m_axis_tdata  = odd ? {line[39:36], line[43:40]} : {line[35:32], line[39:36]};
    assign m_axis_tvalid = in_frame && (rx_dv ? odd && octets == HELD : odd || octets != 0);
    assign m_axis_tlast  = !rx_dv;
    assign m_axis_tuser  = {octets != HELD, symbol_error, odd, odd ? !fcs_was_good : !fcs_good};

endmodule

`resetall
