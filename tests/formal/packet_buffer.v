// SPDX-License-Identifier: Apache-2.0
//
// packet_buffer: of what is written, the reader is given what is committed, in order, patched, and each octet once; what
// is retracted or rolled back leaves no trace. One record a frame, in order.
//
// The writer keeps the contract of the header: it does not write when full, commit when there is no place for a record,
// do two of write, retract, commit and rollback at once, or retract or patch what is not of the frame under way. The
// reader is free.

`default_nettype none

module packet_buffer_proof (
    input wire       clk,
    input wire       rst,
    input wire       write,
    input wire [1:0] write_data,
    input wire       retract,
    input wire       patch,
    input wire [1:0] patch_address,
    input wire [1:0] patch_data,
    input wire       commit,
    input wire [1:0] record,
    input wire       rollback,
    input wire       record_ready,
    input wire       m_axis_tready
);

    wire [1:0] write_address, space, read_address;
    wire       full, records_full, record_valid, m_axis_tvalid, idle;
    wire [1:0] record_data;
    wire [7:0] m_axis_tdata;

    packet_buffer #(
        .LOG2_BYTES  (2),
        .LOG2_RECORDS(1),
        .RECORD_BITS (2),
        .RETRACT     (2)
    ) dut (
        .clk          (clk),
        .rst          (rst),
        .write        (write),
        .write_data   ({6'd0, write_data}),
        .retract      (retract),
        .write_address(write_address),
        .full         (full),
        .space        (space),
        .patch        (patch),
        .patch_address(patch_address),
        .patch_data   ({6'd0, patch_data}),
        .commit       (commit),
        .record       (record),
        .records_full (records_full),
        .rollback     (rollback),
        .record_valid (record_valid),
        .record_ready (record_ready),
        .record_data  (record_data),
        .m_axis_tvalid(m_axis_tvalid),
        .m_axis_tready(m_axis_tready),
        .m_axis_tdata (m_axis_tdata),
        .read_address (read_address),
        .idle         (idle)
    );

    reg started = 1'b0;
    always @(posedge clk) started <= 1'b1;
    always @* assume (started || rst);

    // Octets are numbered modulo twice the buffer; the one with the number `chosen` is followed.
    (* anyconst *) wire [2:0] chosen;
    reg  [2:0] written, committed, taken;
    reg  [1:0] watched;
    wire [2:0] under_way = written - committed;
    wire [2:0] waiting   = committed - taken;
    wire [2:0] chosen_at = chosen - committed;

    wire [1:0] patch_offset = patch_address - committed[1:0];
    always @* begin
        assume (!(write && (full || patch)));
        assume (write + retract + commit + rollback <= 1);
        assume (!(retract && under_way < 3'd2));
        assume (!(commit && records_full));
        assume (!patch || {1'b0, patch_offset} < under_way);
    end

    always @(posedge clk) begin
        if (write) begin
            written <= written + 3'd1;
            if (written == chosen) watched <= write_data;
        end
        if (patch && chosen_at == {1'b0, patch_offset}) watched <= patch_data;
        if (retract) written <= written - 3'd2;
        if (commit) committed <= written;
        if (rollback) written <= committed;
        if (m_axis_tvalid && m_axis_tready) taken <= taken + 3'd1;
        if (rst) {written, committed, taken} <= 9'd0;
    end

    // The same for records
    (* anyconst *) wire [1:0] chosen_record;
    reg [1:0] filed, popped, watched_record;

    always @(posedge clk) begin
        if (commit) begin
            filed <= filed + 2'd1;
            if (filed == chosen_record) watched_record <= record;
        end
        if (record_valid && record_ready) popped <= popped + 2'd1;
        if (rst) {filed, popped} <= 4'd0;
    end

    reg was_waiting, was_rolled_back, was_retracted;
    always @(posedge clk) begin
        was_waiting     <= waiting != 3'd0 && !(m_axis_tvalid && m_axis_tready) && !rst;
        was_retracted   <= retract && !rst;
        was_rolled_back <= rollback && under_way != 3'd0 && !rst;
    end

    always @(posedge clk) if (started) begin
        if (m_axis_tvalid && taken == chosen) in_order: assert (m_axis_tdata == {6'd0, watched});
        only_committed:    assert (!m_axis_tvalid || waiting != 3'd0);
        given_at_once:     assert (!was_waiting || m_axis_tvalid);
        never_overfull:    assert (under_way + waiting <= 3'd4);
        all_places_used:   assert (!full || under_way + waiting >= 3'd3);
        address_of_write:  assert (write_address == written[1:0]);
        address_of_read:   assert (!m_axis_tvalid || read_address == taken[1:0] + 2'd1);
        space_is_true:     assert ({1'b0, space} + under_way + waiting == (m_axis_tvalid ? 3'd4 : 3'd3));
        records_kept:      assert (record_valid == (filed != popped) && records_full == (filed - popped == 2'd2));
        if (record_valid && popped == chosen_record) records_in_order: assert (record_data == watched_record);

        rolled_back_and_read: cover (was_rolled_back && m_axis_tvalid && taken == 3'd6);
        retracted_and_written: cover (was_retracted && write && waiting == 3'd1);
        full_of_one_frame:    cover (full && under_way == 3'd3 && taken == 3'd3);
        patched:              cover (commit && patch && under_way == 3'd3);
    end

endmodule

`default_nettype wire
