// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// rx_path: turns the octets of the MAC into whole frames with what is to be known of them, and counts the rest.
//
// In: `s_axis_*` as mac_rx gives it, FCS stripped, with the hash of the address in `s_axis_tuser` at the second octet. With
// `s_axis_tlast` it is:
//   [3] runt    fewer than 5 octets arrived, `s_axis_tdata` is none
//   [2] symbol  RX_ER within the frame: as good as a wrong FCS (802.3 22.2.1.5)
//   [1] dribble
//   [0] fcs     the FCS is wrong
// `s_axis_tready` falls for one cycle behind an IP header and for four (runt: one) at the end of a frame.
//
// Out: for each frame in order a record (`rec_*`), and then its octets: the reader pops the record, then takes exactly
// `rec_length` octets from `m_axis_*`. `rec_flags` = {vlan, mcast, bcast, align_err, fcs_err, l4_ok, l4_checked, ip_ok}.
//
// A frame is delivered if it is sound (64 octets to `cfg_max_frame` with FCS, and a right one; a dribble nibble does no
// harm), for this station, and fits. `cfg_keep_bad` delivers those that are not sound too, but for runts and, with
// `cfg_half_duplex`, all that are shorter than 64 octets: what collisions leave. `cfg_enable`
// counts at the first octet of a frame, `cfg_hash` and `cfg_vlan_strip` in its header, the other settings at its end.
// While `cfg_enable` is low, frames are neither taken nor counted.
//
// A frame with a VLAN tag may be 4 octets longer (802.3 3.2.7); `rec_tci` is its control information, without a tag 0.
// With `cfg_vlan_strip` the tag is taken out of it, which the flag vlan tells.
//
// MAC control frames are never delivered (802.3 clause 31). `pause_valid` pulses at the end of a sound one that asks for
// a pause and is for this station or the address of MAC control; `pause_quanta` says how long, and stays until the next.
//
// `stat_valid` pulses at the end of each frame, with `stat_octets` (FCS included; saturates) and `stat_flags`
// (rtl/mac/rx_events.vh). A frame is counted in one of good, FCS error, alignment error, undersize, fragment, oversize,
// jabber, pause, filtered (any other control frame too) and dropped; beside it may stand broadcast, multicast, dribble
// and symbol error. `overflow` pulses with dropped: sound and for this station, but it did not fit.
//
// `high` and `low`: the buffer is more than half full, less than a quarter full (packet_buffer).
//
// `rx_idle`: no register changes before the input or the reader moves.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module rx_path #(
    parameter LOG2_BYTES   = 13,
    parameter RX_CSUM      = 1,
    parameter VLAN         = 1,
    parameter PAUSE        = 1,
    parameter LOG2_RECORDS = 5
) (
    input  wire        clk,
    input  wire        rst,

    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire [7:0]  s_axis_tdata,
    input  wire        s_axis_tlast,
    input  wire [5:0]  s_axis_tuser,

    input  wire        cfg_enable,
    input  wire        cfg_promiscuous,
    input  wire        cfg_broadcast,
    input  wire        cfg_keep_bad,
    input  wire        cfg_half_duplex,
    input  wire        cfg_vlan_strip,
    input  wire [47:0] cfg_mac,        // first octet on the wire in bits 7:0
    input  wire [63:0] cfg_hash,       // multicast addresses accepted, a bit for each hash
    input  wire [13:0] cfg_max_frame,  // octets, FCS included
    input  wire [31:0] timestamp_ns,

    output wire        rec_valid,
    input  wire        rec_ready,
    output wire [13:0] rec_length,     // octets, without FCS
    output wire [7:0]  rec_flags,
    output wire [15:0] rec_sum,
    output wire [15:0] rec_tci,
    output wire [31:0] rec_timestamp,  // when the frame had ended

    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire [7:0]  m_axis_tdata,

    output reg         pause_valid,
    output reg  [15:0] pause_quanta,   // of 512 bit times

    output wire        stat_valid,
    output wire [13:0] stat_octets,
    output wire [13:0] stat_flags,
    output wire        overflow,
    output wire        high,
    output wire        low,
    output wire        rx_idle
);

    `include "rx_events.vh"

    localparam [13:0] FCS_OCTETS = 14'd4;
    localparam [14:0] TAG_OCTETS = 15'd4;
    localparam [13:0] MIN_FRAME = 14'd64;
    localparam [13:0] LENGTH_LIMIT = 14'h3FFF;

    // The frame under way, and in `closing` the one that has just ended.
    reg         in_frame;
    reg         listening;
    reg         closing;
    reg  [13:0] length;   // FCS included
    reg         spilled;  // not all of it fitted
    reg         stripped; // its tag has been taken out
    reg         runt, bad, dribble, symbol;
    wire        busy;     // the checksums are not there yet
    wire        full;

    wire        take   = s_axis_tvalid && s_axis_tready;
    wire        listen = in_frame ? listening : cfg_enable;
    wire        ending = take && s_axis_tlast;
    wire        octet  = take && listen && !(s_axis_tlast && s_axis_tuser[3]);
    wire        finish = closing && !busy;

    assign s_axis_tready = !closing && !busy;

    always @(posedge clk) begin
        if (take) begin
            in_frame  <= 1'b1;
            listening <= listen;
        end
        if (octet) begin
            length <= length + 14'd1;
            if (full || length == LENGTH_LIMIT) spilled <= 1'b1;
            if (length == LENGTH_LIMIT) length <= LENGTH_LIMIT;
        end
        if (strip) stripped <= 1'b1;
        if (ending) begin
            closing <= 1'b1;
            runt    <= s_axis_tuser[3];
            symbol  <= s_axis_tuser[2];
            dribble <= s_axis_tuser[1];
            bad     <= s_axis_tuser[2] || s_axis_tuser[0];
        end
        if (finish || rst) begin
            in_frame <= 1'b0;
            closing  <= 1'b0;
            spilled  <= 1'b0;
            stripped <= 1'b0;
            length   <= FCS_OCTETS;
        end
    end

    wire        tag_end, has_tag, control, pause;
    wire [15:0] value;
    wire        strip = octet && tag_end && cfg_vlan_strip;

    rx_header #(
        .VLAN (VLAN),
        .PAUSE(PAUSE)
    ) header (
        .clk    (clk),
        .restart(finish || rst),
        .take   (octet),
        .data   (s_axis_tdata),
        .tag_end(tag_end),
        .has_tag(has_tag),
        .control(control),
        .pause  (pause),
        .value  (value)
    );

    wire accept, broadcast, multicast, control_address;

    rx_filter filter (
        .clk            (clk),
        .restart        (finish || rst),
        .take           (octet),
        .data           (s_axis_tdata),
        .hash           (s_axis_tuser),
        .cfg_promiscuous(cfg_promiscuous),
        .cfg_broadcast  (cfg_broadcast),
        .cfg_mac        (cfg_mac),
        .cfg_hash       (cfg_hash),
        .accept         (accept),
        .broadcast      (broadcast),
        .multicast      (multicast),
        .control        (control_address)
    );

    wire        ip_ok, l4_checked, l4_ok;
    wire [15:0] sum;

    generate
        if (RX_CSUM) begin : csum
            checksum_check check (
                .clk       (clk),
                .restart   (finish || rst),
                .take      (octet),
                .data      (s_axis_tdata),
                .last      (s_axis_tlast),
                .busy      (busy),
                .ip_ok     (ip_ok),
                .l4_checked(l4_checked),
                .l4_ok     (l4_ok),
                .sum       (sum)
            );
        end else begin : no_csum
            assign {busy, ip_ok, l4_checked, l4_ok, sum} = 20'd0;
        end
    endgenerate

    // The fate of a frame, by its whole length
    wire        records_full;
    reg  [14:0] max_frame;
    reg         undersize, oversize, in_range, sound, wanted, paused, fits, good, deliver;

    // Asked for at its end only, which spares a simulation the work of each octet.
    always @* begin
        max_frame = 15'd0;
        {undersize, oversize, in_range, sound, wanted, paused, fits, good, deliver} = 9'd0;
        if (closing) begin
            max_frame = {1'b0, cfg_max_frame} + (has_tag ? TAG_OCTETS : 15'd0);
            undersize = length < MIN_FRAME;
            oversize  = {1'b0, length} > max_frame || length == LENGTH_LIMIT;
            in_range  = !undersize && !oversize;
            sound     = in_range && !bad;
            wanted    = accept && !control;
            paused    = sound && pause && control_address;
            fits      = !spilled && !records_full;
            good      = sound && wanted && fits;
            deliver   = listening && wanted && fits &&
                (sound || (cfg_keep_bad && !runt && !(cfg_half_duplex && undersize)));
        end
    end

    always @(posedge clk) begin
        pause_valid <= stat_valid && paused && !rst;
        if (stat_valid && paused) pause_quanta <= value;
    end

    assign stat_valid  = finish && listening;
    assign stat_octets = length;
    assign stat_flags[RX_GOOD]            = good;
    assign stat_flags[RX_BROADCAST]       = good && broadcast;
    assign stat_flags[RX_MULTICAST]       = good && multicast;
    assign stat_flags[RX_FCS_ERROR]       = in_range && bad && !dribble;
    assign stat_flags[RX_ALIGNMENT_ERROR] = in_range && bad && dribble;
    assign stat_flags[RX_DRIBBLE]         = sound && dribble;
    assign stat_flags[RX_SYMBOL_ERROR]    = symbol;
    assign stat_flags[RX_UNDERSIZE]       = undersize && !bad;
    assign stat_flags[RX_FRAGMENT]        = undersize && bad;
    assign stat_flags[RX_OVERSIZE]        = oversize && !bad;
    assign stat_flags[RX_JABBER]          = oversize && bad;
    assign stat_flags[RX_FILTERED]        = sound && !wanted && !paused;
    assign stat_flags[RX_DROPPED]         = sound && wanted && !fits;
    assign stat_flags[RX_PAUSE]           = paused;

    assign overflow = stat_valid && stat_flags[RX_DROPPED];

    wire                  buffer_idle;
    wire [13:0]           octets = length - (stripped ? FCS_OCTETS + TAG_OCTETS[13:0] : FCS_OCTETS);
    wire [7:0]            flags  = {stripped, multicast, broadcast, bad && dribble, bad, l4_ok, l4_checked, ip_ok};
    wire [LOG2_BYTES-1:0] unused_write_address, unused_space, unused_read_address;

    localparam RECORD_BITS = VLAN != 0 ? 86 : 70;

    wire [69:0]            facts  = {timestamp_ns, sum, flags, octets};
    wire [RECORD_BITS-1:0] record, oldest;
    assign {rec_timestamp, rec_sum, rec_flags, rec_length} = oldest[69:0];

    generate
        if (VLAN) begin : tag
            assign record  = {value, facts};
            assign rec_tci = oldest[85:70];
        end else begin : no_tag
            assign record  = facts;
            assign rec_tci = 16'd0;
        end
    endgenerate

    packet_buffer #(
        .LOG2_BYTES  (LOG2_BYTES),
        .LOG2_RECORDS(LOG2_RECORDS),
        .RECORD_BITS (RECORD_BITS),
        .RETRACT     (3)
    ) buffer (
        .clk          (clk),
        .rst          (rst),
        .write        (octet && !full && !strip),
        .write_data   (s_axis_tdata),
        .retract      (strip && !spilled),  // of the tag three octets have been written
        .write_address(unused_write_address),
        .full         (full),
        .space        (unused_space),
        .high         (high),
        .low          (low),
        .patch        (1'b0),
        .patch_address({LOG2_BYTES{1'b0}}),
        .patch_data   (8'h00),
        .commit       (finish && deliver),
        .record       (record),
        .records_full (records_full),
        .rollback     (finish && !deliver),
        .record_valid (rec_valid),
        .record_ready (rec_ready),
        .record_data  (oldest),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tdata (m_axis_tdata),
        .read_address (unused_read_address),
        .oldest       ({LOG2_BYTES{1'b0}}),
        .rewind       (1'b0),
        .idle         (buffer_idle)
    );

    assign rx_idle = !s_axis_tvalid && !pause_valid && !closing && !busy && buffer_idle;

endmodule

`resetall
