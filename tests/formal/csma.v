// SPDX-License-Identifier: Apache-2.0
//
// csma: deference, collisions and attempts (802.3 4.2.3.2), whatever the number of attempts and the length of frames. The rest of the
// transmitter is here a model of it: an attempt lasts as long as it likes, so a late collision is as near as an early one.
//
// The model does what the proof of mac_tx asserts of the real one: the gap of 24 cycles begins anew on `defer`, a frame that
// waits begins when it is over unless back-off (tx_hold) holds it, and a collision is followed by a jam of 8 cycles. CRS is
// seen two cycles late, which the gap is spared. Covers and mutations are
// searched for with a short gap and jam.

`default_nettype none

module csma_proof (
    input wire        clk,
    input wire        rst,
    input wire        crs,
    input wire        col,
    input wire        frame,       // there is a frame to send
    input wire        ends,        // the attempt, unless it has collided
    input wire        behind_sfd,
    input wire        behind_slot,
    input wire        holding
);

    localparam [1:0] GAP = 0, SENDING = 1, JAM = 2;
`ifdef PROVE
    localparam [4:0] GAP_LEFT = 24, CARRIER_LEFT = 22;
    localparam [2:0] JAM_LEFT = 7;
`else  // so that 16 attempts fit into the search
    localparam [4:0] GAP_LEFT = 2, CARRIER_LEFT = 2;
    localparam [2:0] JAM_LEFT = 0;
`endif

    (* anyconst *) wire half_duplex;

    wire       carrier, defer, hit, jam, again;
    wire [8:0] flags;

    (* hierconn *) wire [3:0]  \csma.collisions ;
    (* hierconn *) wire        \csma.late ;
    (* hierconn *) wire        \csma.rested ;
    (* hierconn *) wire        \csma.waiting ;
    (* hierconn *) wire        \csma.crs_here ;
    (* hierconn *) wire        \csma.col_here ;
    (* hierconn *) wire        \csma.deferred ;
    (* hierconn *) wire        \csma.carrier_error ;

    reg [1:0] state;
    reg [4:0] left;       // of the gap
    reg [2:0] jam_left;
    reg       in_frame, slot_over;

    wire between = state == GAP;
    wire offered = frame;
    wire begins  = between && left == 5'd0 && offered && !holding && !defer;

    csma csma (
        .clk        (clk),
        .rst        (rst),
        .half_duplex(half_duplex),
        .crs        (crs),
        .col        (col),
        .offered    (offered),
        .between    (between),
        .begins     (begins),
        .first_part (left[4:3] != 2'd0),
        .gap_over   (left == 5'd0),
        .in_frame   (in_frame),
        .slot_over  (slot_over),
        .carrier    (carrier),
        .defer      (defer),
        .hit        (hit),
        .jam        (jam),
        .again      (again),
        .flags      (flags)
    );

    reg started = 1'b0;
    always @(posedge clk) started <= 1'b1;
    always @* assume (rst == !started);

    always @(posedge clk) begin
        if (between) begin
            if (left != 5'd0) left <= left - 5'd1;
            if (defer) left <= CARRIER_LEFT;
            if (begins) {state, in_frame, slot_over} <= {SENDING, 2'b00};
        end else if (state == SENDING) begin
            if (behind_sfd) in_frame <= 1'b1;
            if (behind_sfd && behind_slot) slot_over <= 1'b1;
            if (hit) {state, jam_left} <= {JAM, JAM_LEFT};
            else if (ends && in_frame) {state, left} <= {GAP, GAP_LEFT};
        end else begin
            jam_left <= jam_left - 3'd1;
            if (jam_left == 3'd0) {state, left} <= {GAP, GAP_LEFT};
        end
        if (rst) {state, left} <= {GAP, 5'd0};
    end

    // What the standard says of the frame at hand
    reg [4:0] attempts, collided;   // of this frame
    reg       jammed, was_late;     // the attempt at hand, or the last one
    reg       fresh;                // the next attempt is the first of its frame
    wire      over   = (state == JAM && jam_left == 3'd0) || (state == SENDING && ends && in_frame && !hit);
    wire      failed = jammed && !was_late && collided != 5'd16;
    always @(posedge clk) begin
        if (begins) begin
            attempts <= fresh ? 5'd1 : attempts + 5'd1;
            if (fresh) collided <= 5'd0;
            {jammed, was_late, fresh} <= 3'b000;
        end
        if (hit) begin
            jammed   <= 1'b1;
            was_late <= slot_over;
            collided <= collided + 5'd1;
        end
        if (over) fresh <= !failed;
        if (rst) {fresh, jammed, attempts, collided} <= {1'b1, 11'd0};
    end

    // The medium, as it is seen behind the synchroniser (`medium[i]`: i cycles ago), and the time since a frame was sent
    reg  [22:0] past;
    wire [23:0] medium = {past, carrier};
    reg  [5:0]  since;
    always @(posedge clk) begin
        past <= medium[22:0];
        if (since != 6'd63) since <= since + 6'd1;
        if (!between) since <= 6'd0;
        if (rst) {past, since} <= {23'd0, 6'd63};
    end

    reg  was_rested;
    always @(posedge clk) was_rested <= between && left == 5'd0 && !begins && !defer;

    always @(posedge clk) if (started) begin
        // Deference (4.2.3.2.1)
        if (begins) gap_of_96_bits: assert ({1'b0, since} + {6'd0, half_duplex} >= {2'd0, GAP_LEFT});
        if (begins && half_duplex && was_rested) defers_to_carrier: assert (!carrier);
        if (begins && !was_rested && GAP_LEFT == 5'd24) quiet_in_the_first_part: assert (medium[22:8] == 15'd0);
        if (begins) within_back_off: assert (!holding);
        if (defer) only_in_the_first_part: assert (carrier && (left >= 5'd8 || was_rested));

        // Collision
        if (!half_duplex) pins_without_effect: assert (!carrier && !defer && !hit && !jam && !again);
        if (hit) in_an_attempt_only: assert (state == SENDING && !jam);
        if (half_duplex && \csma.col_here && state == SENDING) none_missed: assert (hit);
        jam_follows: assert (jam == jammed && (state != JAM || jam));

        // Attempts (4.2.3.2.5)
        at_most_16_attempts: assert (attempts <= 5'd16 && collided <= attempts);
        if (between) again_unless_late_or_16: assert (again == failed);
        if (between && jammed && was_late) late_told: assert (flags[2] && !again);
        if (between && !fresh) repeated: assert (again);
        if (between && jammed && collided == 5'd16) excessive_told: assert (flags[8] && !again && flags[3] == !was_late);
        if (over) collisions_told: assert (flags[7:4] == collided[3:0]);

        // How it comes about
        states: assert (state != 2'd3 && left <= 5'd24);
        if (state == SENDING) sending: assert (!jammed && attempts == collided + 5'd1 && attempts != 5'd0 && !fresh);
        if (state == JAM) jamming: assert (jammed && attempts == collided && !fresh);
        if (between) counted: assert (fresh || (attempts == collided && jammed && collided < 5'd16));
        if (!fresh) collisions_counted: assert (\csma.collisions == collided[3:0]);
        late_kept: assert (!jam || \csma.late == was_late);
        late_once: assert (!jammed || collided != 5'd0);
        if (between) gap_counted: assert ({2'd0, left} + {1'b0, since} + {6'd0, half_duplex} >= {2'd0, GAP_LEFT});
        if (between && fresh) done_with: assert (!again);
        if (between && fresh && \csma.waiting ) none_counted: assert (\csma.collisions == 4'd0);
        if (between && !was_rested && GAP_LEFT == 5'd24) quiet_so_far: assert (({past, 1'b0} & (24'h7FFF00 >> left)) == 24'd0);
        rested: assert (\csma.rested == was_rested);

        sixteen:       cover (between && flags[8] && attempts == 5'd16);
        late:          cover (between && flags[2] && collided == 5'd3);
        sent_at_last:  cover (over && !hit && state == SENDING && collided == 5'd15);
        deferred_to:   cover (begins && flags[0] && medium[3]);
    end

endmodule

`default_nettype wire
