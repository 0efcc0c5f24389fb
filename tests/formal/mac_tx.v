// SPDX-License-Identifier: Apache-2.0
//
// mac_tx: framing (802.3 clause 3, 4.2.3.3) and half duplex (4.2.3.2), as they are seen on the wire.
//
// The gap may be one nibble short behind a frame at whose end the PHY drops CRS too soon (802.3 22.2.2.11 forbids it).
// Nothing is assumed of the stream but that no frame is urgent in half duplex, and nothing of pause frames, CRS and
// COL; `half_duplex` stays as it is. The FCS is checked with a CRC that takes a bit at a time. The assertions under "How it
// comes about" tie counters of this module to those of the design, so that they speak of any frame's length.

`default_nettype none

module mac_tx_proof (
    input wire        clk,
    input wire        rst,
    input wire        pause_valid,
    input wire [15:0] pause_quanta,
    input wire [7:0]  s_axis_tdata,
    input wire        s_axis_tvalid,
    input wire        s_axis_tlast,
    input wire        s_axis_tuser,
    input wire        s_axis_urgent,
    input wire        mii_crs,
    input wire        mii_col
);

    localparam [2:0] GAP = 0, PREAMBLE = 1, DATA = 2, PAD = 3, FCS = 4;
    localparam [31:0] RESIDUE = 32'hDEBB20E3;

    (* anyconst *) wire half_duplex;
    wire       s_axis_tready, tx_done, tx_again, holding, idle, mii_tx_en, mii_tx_er;
    wire [8:0] tx_flags;
    wire [3:0] mii_txd;

    (* hierconn *) wire [2:0]  \dut.state ;
    (* hierconn *) wire [6:0]  \dut.left ;
    (* hierconn *) wire [31:0] \dut.crc ;
    (* hierconn *) wire        \dut.bad ;
    (* hierconn *) wire        \dut.begins ;
    (* hierconn *) wire        \dut.cut ;
    (* hierconn *) wire        \dut.hit ;
    (* hierconn *) wire        \dut.jam ;
    (* hierconn *) wire        \dut.carrier ;
    (* hierconn *) wire [3:0]  \dut.half.csma.collisions ;
    (* hierconn *) wire [22:0] \dut.tx_hold.timer.cycles ;

    mac_tx dut (
        .clk          (clk),
        .rst          (rst),
        .half_duplex  (half_duplex),
        .seed         (24'd1),
        .pause_valid  (pause_valid),
        .pause_quanta (pause_quanta),
        .s_axis_tdata (s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid),
        .s_axis_tready(s_axis_tready),
        .s_axis_tlast (s_axis_tlast),
        .s_axis_tuser (s_axis_tuser),
        .s_axis_urgent(s_axis_urgent),
        .tx_done      (tx_done),
        .tx_again     (tx_again),
        .tx_flags     (tx_flags),
        .holding      (holding),
        .idle         (idle),
        .mii_txd      (mii_txd),
        .mii_tx_en    (mii_tx_en),
        .mii_tx_er    (mii_tx_er),
        .mii_crs      (mii_crs),
        .mii_col      (mii_col)
    );

    always @* assume (!(half_duplex && s_axis_urgent));

    // Reset for three cycles without carrier, then never
    reg [1:0] age = 2'd0;
    wire      started = age == 2'd3;
    always @(posedge clk) if (!started) age <= age + 2'd1;
    always @* assume (rst == !started && !(rst && mii_crs));

    // What is on the wire: nibbles before this one (past 254 the last bit alone is true), and of the gap so far
    reg       was_on, ever_on;
    reg [7:0] sent;
    reg [4:0] gap;

    always @(posedge clk) begin
        was_on <= mii_tx_en;
        if (mii_tx_en) begin
            ever_on <= 1'b1;
            sent    <= sent == 8'd255 ? 8'd254 : sent + 8'd1;
            gap     <= 5'd0;
        end else begin
            sent <= 8'd0;
            if (gap != 5'd31) gap <= gap + 5'd1;
        end
        if (rst) begin
            {was_on, ever_on} <= 2'b00;
            sent              <= 8'd0;
        end
    end

    // The FCS, a bit at a time (802.3 3.2.9)
    function [31:0] crc_bits(input [31:0] crc, input [3:0] nibble);
        integer i;
        begin
            crc_bits = crc;
            for (i = 0; i < 4; i = i + 1)
                crc_bits = {1'b0, crc_bits[31:1]} ^ (crc_bits[0] ^ nibble[i] ? 32'hEDB88320 : 32'd0);
        end
    endfunction

    reg  [31:0] crc;
    wire [31:0] crc_now = sent < 8'd16 ? 32'hFFFFFFFF : crc_bits(crc, mii_txd);
    always @(posedge clk) crc <= mii_tx_en ? crc_now : 32'hFFFFFFFF;

    // What is left of the remainder when its complement has been sent for 7 - `left` nibbles
    function [31:0] residue(input [6:0] left);
        integer i;
        begin
            residue = 32'd0;
            for (i = 7; i > 0; i = i - 1)
                if (left < i) residue = crc_bits(residue, 4'hF);
        end
    endfunction

    // The attempt: has it a reason to be invalid, where did it collide (counted like `sent`), and how often has its frame been tried
    reg       reason, collided;
    reg [7:0] at;
    reg [4:0] attempts;
    wire      taken = s_axis_tvalid && s_axis_tready;

    always @(posedge clk) begin
        if (dut.state == DATA && (!s_axis_tvalid || (taken && s_axis_tlast && s_axis_tuser))) reason <= 1'b1;
        if (dut.hit) begin
            reason   <= 1'b1;
            collided <= 1'b1;
            at       <= sent;
        end
        if (dut.begins) begin
            reason   <= 1'b0;
            collided <= 1'b0;
            attempts <= tx_again ? attempts + 5'd1 : 5'd1;
        end
        if (rst) begin
            collided <= 1'b0;
            attempts <= 5'd0;
        end
    end

    // Deference. While the medium is not quiet the gap begins anew, unless two thirds of it are over; when it is over and
    // nobody has used it, the medium must be quiet again. CRS is seen two cycles late or more, which the gap is spared.
    reg [4:0] quiet;
    always @(posedge clk) begin
        if (quiet != 5'd25) quiet <= quiet + 5'd1;
        if (dut.carrier && (quiet < 5'd17 || (quiet == 5'd25 && !dut.begins))) quiet <= 5'd2;
        if (dut.state != GAP) quiet <= 5'd0;
        if (rst) quiet <= 5'd25;
    end

    // Back-off: slots drawn after the collision of this attempt
    reg was_back_off;
    always @(posedge clk) was_back_off <= dut.state == FCS && dut.left == 7'd0 && tx_again && !rst;
    wire [22:0] slot_limit = attempts >= 5'd10 ? 23'd1024 : 23'd1 << attempts;

    wire ended = was_on && !mii_tx_en;

    always @(posedge clk) if (started) begin
        // Framing
        if (mii_tx_en && sent < 8'd15) preamble: assert (mii_txd == 4'h5);
        if (mii_tx_en && sent == 8'd15) sfd:     assert (mii_txd == 4'hD);
        if (mii_tx_en && !was_on && ever_on) gap_kept: assert (gap >= (half_duplex ? 5'd23 : 5'd24));
        if (ended && !collided) long_enough:   assert (sent >= 8'd144);
        if (ended && !collided) whole_octets:  assert (!sent[0]);
        if (ended) fcs:                        assert ((crc == RESIDUE) == !reason);
        if (ended) done_told:                  assert (tx_done);
        if (!mii_tx_en) silent:                assert (mii_txd == 4'h0 && !mii_tx_er);

        // Half duplex
        if (!half_duplex) pins_without_effect: assert (!collided && !tx_again);
        if (ended && collided)
            jam_of_32_bits: assert (sent == 8'd255 || sent == 8'd254 || sent == (at < 8'd14 ? 8'd24 : at + 8'd10));
        preamble_before_jam: assert (!(dut.jam && dut.state == FCS) || sent >= 8'd15);
        sixteen_attempts:    assert (attempts <= 5'd16);
        if (ended && collided && attempts == 5'd16) given_up: assert (!tx_again);
        if (ended && collided && attempts != 5'd16 && at < 8'd127) tried_again: assert (tx_again);
        if (ended && collided && at >= 8'd127) late_not_retried: assert (!tx_again);
        if (was_back_off) back_off_limit: assert (dut.tx_hold.timer.cycles[22:7] < slot_limit);
        if (dut.begins) held_back: assert (!holding || s_axis_urgent);
        if (dut.begins && half_duplex) deferred: assert (quiet >= 5'd23);

        // How it comes about
        states:      assert (dut.state <= FCS);
        on_the_wire: assert (mii_tx_en || dut.state == GAP);
        if (dut.state == PREAMBLE) in_preamble: assert (sent + dut.left == 8'd14 && !was_on == (sent == 8'd0));
        if (dut.state == DATA || dut.state == PAD)
            in_octets: assert (sent >= 8'd15 && dut.left == (sent <= 8'd134 ? 8'd134 - sent : sent[0]));
        if (dut.state == FCS) in_fcs: assert (dut.left <= 7'd7 && sent + dut.left >= 8'd22);
        if (dut.state == FCS && !dut.jam)
            whole_in_fcs: assert ({1'b0, sent} + dut.left >= 9'd142 && sent[0] == dut.left[0]);
        if (dut.state == GAP && mii_tx_en) end_of_frame: assert (was_on && dut.left == 7'd24 && sent >= 8'd23);
        if (dut.state == GAP) in_gap: assert (dut.left <= 7'd24);
        if (dut.state == GAP && !mii_tx_en && ever_on && gap < 5'd24) gap_counted: assert (gap + dut.left >= (half_duplex ? 5'd22 : 5'd23));
        if (dut.state == DATA || dut.state == PAD) crc_of_data: assert (dut.crc == crc_now);
        if (dut.state == FCS) crc_of_fcs:  assert (crc_now == (dut.crc ^ (dut.bad ? 32'd0 : residue(dut.left))));
        if (dut.state != GAP) reason_kept: assert (dut.state == FCS || dut.state == PAD ? reason == dut.bad : 1'b1);
        jam_is_collision: assert (dut.jam == collided);

        sent_whole:   cover (ended && !collided && !reason && sent == 8'd146);
        shortest_gap: cover (mii_tx_en && !was_on && ever_on && gap == 5'd24);
    end

endmodule

`default_nettype wire
