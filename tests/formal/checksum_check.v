// SPDX-License-Identifier: Apache-2.0
//
// checksum_check: the verdict on a frame against RFC 1071 (sum), RFC 791 (header, total length, fragments), RFC 768 and 9293
// (pseudo-header, no checksum), for any octets at any pace, with up to 16,383 in a frame.
//
// The octets are summed here in whole words, with the carry added at once. "How it comes about" ties what the design sums,
// an octet at a time, to that.

`default_nettype none

module checksum_check_proof (
    input wire       clk,
    input wire       restart,
    input wire       take,
    input wire [7:0] data,
    input wire       last
);

    localparam [1:0] ETHERNET = 2'd0, IP_HEADER = 2'd1, IP_PAYLOAD = 2'd2, OTHER = 2'd3;  // layers of frame_position

    wire        busy, ip_ok, l4_checked, l4_ok;
    wire [15:0] sum;

    (* hierconn *) wire [1:0]  \dut.position.layer ;
    (* hierconn *) wire [5:0]  \dut.position.index ;
    (* hierconn *) wire        \dut.position.vlan ;
    (* hierconn *) wire [3:0]  \dut.position.last_word ;
    (* hierconn *) wire [7:0]  \dut.position.previous ;
    (* hierconn *) wire        \dut.plain_sum.carry ;
    (* hierconn *) wire [15:0] \dut.l4_sum.sum ;
    (* hierconn *) wire        \dut.l4_sum.carry ;
    (* hierconn *) wire [15:0] \dut.remaining ;
    (* hierconn *) wire        \dut.in_packet ;
    (* hierconn *) wire        \dut.judging ;
    (* hierconn *) wire        \dut.header_ok ;
    (* hierconn *) wire        \dut.odd ;
    (* hierconn *) wire [1:0]  \dut.settling ;
    (* hierconn *) wire        \dut.tcp ;
    (* hierconn *) wire        \dut.udp ;
    (* hierconn *) wire        \dut.fragment ;
    (* hierconn *) wire        \dut.length_matches ;
    (* hierconn *) wire        \dut.checkable ;

    checksum_check dut (
        .clk       (clk),
        .restart   (restart),
        .take      (take),
        .data      (data),
        .last      (last),
        .busy      (busy),
        .ip_ok     (ip_ok),
        .l4_checked(l4_checked),
        .l4_ok     (l4_ok),
        .sum       (sum)
    );

    wire [13:0] number, place, header_octets;
    wire        tagged, in_header, in_payload, ipv4, other;
    wire [7:0]  before;
    wire [3:0]  ihl;

    ipv4_place position (
        .clk          (clk),
        .restart      (restart),
        .take         (take),
        .data         (data),
        .number       (number),
        .tagged       (tagged),
        .before       (before),
        .in_header    (in_header),
        .in_payload   (in_payload),
        .place        (place),
        .header_octets(header_octets),
        .ipv4         (ipv4),
        .other        (other),
        .ihl          (ihl)
    );

    reg started = 1'b0;
    reg ended;          // the last octet has passed
    always @(posedge clk) begin
        started <= 1'b1;
        if (take && last) ended <= 1'b1;
        if (restart) ended <= 1'b0;
    end
    always @* begin
        assume (started || restart);
        assume (!(take && (busy || restart || ended || number == 14'h3FFF)));
`ifdef COVER  // one frame, at full pace
        assume (restart == !started && take == !(busy || restart || ended));
`endif
    end

    function [15:0] ones_add(input [15:0] a, input [15:0] b);
        reg [16:0] total;
        begin
            total    = {1'b0, a} + {1'b0, b};
            ones_add = total[15:0] + {15'd0, total[16]};
        end
    endfunction

    // What the packet says, and its sums: of the header, of the payload, of payload and pseudo-header
    wire [15:0] word = {before, data};
    wire [15:0] octet = place[0] ? {8'd0, data} : {data, 8'd0};
    wire [15:0] at    = {2'd0, place};
    wire [15:0] octets = {2'd0, header_octets};  // of the header
    reg  [15:0] total, header_sum, payload_sum, l4_sum;
    reg  [7:0]  protocol;
    reg         fragment;
    reg  [15:0] udp_length, udp_checksum;
    reg         seen_header;
    wire [15:0] payload = total - octets;
    wire [15:0] in_l4   = at - octets;
    wire        within  = in_payload && at < total;
    reg  [15:0] arrived;        // octets of header and payload, padding included
    // The same with the length as the design has it: the complement of the header's, then the total
    reg  [15:0] running;
    reg         running_odd;
    wire        in_pseudo = in_header && (place == 14'd9 || (place >= 14'd12 && place < 14'd20));
    wire [15:0] summand   = place == 14'd8 ? 16'd0 : octet;

    always @(posedge clk) begin
        if (take && (in_header || in_payload)) arrived <= at + 16'd1;
        if (take && in_header) begin
            header_sum <= ones_add(place == 14'd0 ? 16'd0 : header_sum, octet);
            if (place == 14'd3) begin
                total  <= word;
                l4_sum <= word - octets;
            end
            if (place == 14'd7) fragment <= word[13:0] != 14'd0;  // more to come, or not the first
            if (place == 14'd9) protocol <= data;
            if (in_pseudo) l4_sum <= ones_add(l4_sum, octet);
            if (place != 14'd0 && place == header_octets - 14'd1) seen_header <= 1'b1;
            payload_sum <= 16'd0;
        end
        if (take && within) begin
            payload_sum <= ones_add(payload_sum, octet);
            l4_sum      <= ones_add(l4_sum, octet);
            if (in_l4 == 16'd5) udp_length <= word;
            if (in_l4 == 16'd7) udp_checksum <= word;
        end
        if (take && in_header && place == 14'd0)
            {running, running_odd} <= {~{10'd0, data[3:0], 2'd0}, 1'b0};
        else if (take && ((in_header && (place[13:1] == 13'd1 || place == 14'd8 || in_pseudo)) || within)) begin
            running     <= ones_add(running, summand);
            running_odd <= !running_odd;
        end
        if (restart) {arrived, seen_header} <= 17'd0;
    end

    wire right_ip = seen_header && header_sum == 16'hFFFF && total >= octets && arrived >= total;
    wire right_checked = right_ip && !fragment
                         && ((protocol == 8'd6 && payload >= 16'd20)
                             || (protocol == 8'd17 && payload >= 16'd8 && udp_length == payload && udp_checksum != 16'd0));
    wire right_l4 = right_checked && l4_sum == 16'hFFFF;

    // A sum in the course of its octets, as the design has it
    function [15:0] settled(input [15:0] halves, input carry, input odd);
        settled = odd ? ones_add({halves[7:0], halves[15:8]}, {15'd0, carry}) : ones_add(halves, {7'd0, carry, 8'd0});
    endfunction

    wire        in_ip   = arrived != 16'd0;
    wire [15:0] l4_seen = (arrived < total ? arrived : total) - octets;  // octets of the payload that have passed
    wire        parity  = dut.settling[1] ? dut.settling[0] : dut.odd && !(ended && !busy);
    reg         was_header_end;
    always @(posedge clk) was_header_end <= take && in_header && place != 14'd0 && place == header_octets - 14'd1;

    always @(posedge clk) if (started) begin
        // Verdict
        if (ended && !busy) begin
            ip_header_right:  assert (ip_ok == right_ip);
            l4_checked_right: assert (l4_checked == right_checked);
            l4_right:         assert (l4_ok == right_l4);
            if (ip_ok) payload_summed: assert (sum == payload_sum);
        end

        // How it comes about: where the octets stand
        if (ended) ended_behind_an_octet: assert (number != 14'd0);
        if (number < (tagged ? 14'd18 : 14'd14)) begin
            at_ethernet: assert (dut.position.layer == ETHERNET && {8'd0, dut.position.index} == number - (tagged ? 14'd4 : 14'd0));
            not_ip_yet:  assert (!ipv4 && !other && arrived == 16'd0 && !seen_header);
        end else begin
            at_ip: assert (dut.position.layer == (!ipv4 || other ? OTHER
                                                  : place == 14'd0 || place < header_octets ? IP_HEADER : IP_PAYLOAD));
            if (place == 14'd0) first_octet: assert (!other && arrived == 16'd0);
            if (dut.position.layer == IP_HEADER)  at_header:  assert ({8'd0, dut.position.index} == place);
            if (dut.position.layer == IP_PAYLOAD) at_payload: assert ({10'd0, dut.position.index} == (in_l4 > 16'd32 ? 16'd32 : in_l4));
            if (dut.position.layer != OTHER) arrived_by_place: assert (arrived == at);
            if (dut.position.layer == OTHER) other_has_none:   assert (arrived == 16'd0 && !seen_header);
        end
        tag_is_vlan: assert (dut.position.vlan == tagged && (!tagged || number >= 14'd14));
        if (number != 14'd0) previous: assert (dut.position.previous == before);
        if (in_ip) header_length: assert (ihl >= 4'd5 && dut.position.last_word == ihl - 4'd1 && ipv4 && !other);
        header_seen: assert (seen_header == (in_ip && arrived >= octets));

        // its length
        if (arrived >= 16'd4) packet_left: assert (dut.in_packet == (arrived < total || total < 16'd6));
        else packet_begins: assert (dut.in_packet);
        if (arrived == 16'd4 || arrived == 16'd5) whole_left: assert (dut.remaining == total);
        if (arrived > 16'd5) left: assert (dut.remaining == total - (arrived - 16'd5));

        // the sums
        judged: assert (dut.judging == (was_header_end && (total >= octets || total < 16'd6)));
        if (was_header_end) just_behind: assert (seen_header && in_ip && arrived == octets);
        if (busy && !dut.judging) settling_at_the_end: assert (ended);
        if (in_ip && (!seen_header || dut.judging) && !ended || dut.judging) header_summed:
            assert (header_sum == settled(sum, dut.plain_sum.carry, arrived[0]) && !(&sum && dut.plain_sum.carry));
        if (!in_ip) nothing_summed: assert (sum == 16'd0 && !dut.plain_sum.carry && !dut.judging && !dut.odd && !dut.checkable);
        if (dut.settling > 2'd1) judged_by_then: assert (!dut.judging);
        header_judged: assert (dut.header_ok == (seen_header && !dut.judging && (total >= octets || total < 16'd6) && header_sum == 16'hFFFF));
        if (in_ip && !seen_header) none_of_payload: assert (!dut.odd && !dut.checkable);
        if (seen_header && total >= octets) begin
            odd_by_place: assert (dut.odd == l4_seen[0]);
            if (!dut.judging) begin
                payload_by_octets: assert (payload_sum == settled(sum, dut.plain_sum.carry, parity) && !(&sum && dut.plain_sum.carry));
                if (dut.settling == 2'd3) first_zero: assert (!dut.plain_sum.carry || (sum[7:0] == 8'h00 && sum[15:8] != 8'hFF));
                if (ended && !busy) second_zero: assert (!dut.plain_sum.carry);
            end else none_yet: assert (payload_sum == 16'd0 && l4_seen == 16'd0);
        end
        if (in_ip && (arrived < 16'd4 || total >= octets)) l4_by_octets:
            assert (running == settled(dut.l4_sum.sum, dut.l4_sum.carry, running_odd) && !(&dut.l4_sum.sum && dut.l4_sum.carry));
        if (arrived == 16'd1 || arrived == 16'd2) starts_with_length: assert (running == ~octets && !running_odd);
        if (arrived == 16'd3) half_of_length: assert (running == ones_add(~octets, {before, 8'd0}) && running_odd);
        if (arrived >= 16'd4 && total > octets) same_sum: assert (running == l4_sum);
        if (arrived >= 16'd4 && !seen_header) running_parity: assert (running_odd == (arrived < 16'd20 && arrived != 16'd9 && arrived > 16'd12 ? arrived[0] : arrived == 16'd9));
        if (seen_header && total >= octets) running_in_payload: assert (running_odd == l4_seen[0]);

        // what else the packet says
        if (arrived >= 16'd8) fragment_told: assert (dut.fragment == fragment);
        if (arrived >= 16'd10) protocol_told: assert (dut.tcp == (protocol == 8'd6) && dut.udp == (protocol == 8'd17));
        if (seen_header && total >= octets) begin
            if (l4_seen >= 16'd6) length_told: assert (dut.length_matches == (udp_length == payload));
            checkable_told: assert (dut.checkable == (!fragment && ((protocol == 8'd6 && l4_seen >= 16'd20)
                || (protocol == 8'd17 && l4_seen >= 16'd8 && udp_length == payload && udp_checksum != 16'd0))));
        end

        udp_right:  cover (ended && !busy && l4_ok && protocol == 8'd17 && payload_sum != 16'd0);
        tcp_wrong:  cover (ended && !busy && l4_checked && !l4_ok && protocol == 8'd6);
        tag_padded: cover (ended && !busy && ip_ok && tagged && arrived > total && total > octets);
        options:    cover (ended && !busy && ip_ok && ihl == 4'd6 && fragment);
    end

endmodule

`default_nettype wire
