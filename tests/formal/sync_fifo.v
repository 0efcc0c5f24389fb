// SPDX-License-Identifier: Apache-2.0
//
// sync_fifo: what is taken comes out once, in order and unchanged; `count` is true, all places can be used.

`default_nettype none

module sync_fifo_proof (
    input wire       clk,
    input wire       rst,
    input wire       s_valid,
    input wire [1:0] s_data,
    input wire       m_ready
);

    wire       s_ready, m_valid;
    wire [1:0] m_data;
    wire [2:0] count;

    sync_fifo #(
        .WIDTH     (2),
        .LOG2_DEPTH(2)
    ) dut (
        .clk    (clk),
        .rst    (rst),
        .s_valid(s_valid),
        .s_ready(s_ready),
        .s_data (s_data),
        .m_valid(m_valid),
        .m_ready(m_ready),
        .m_data (m_data),
        .count  (count)
    );

    reg started = 1'b0;
    always @(posedge clk) started <= 1'b1;
    always @* assume (started || rst);

    // Words are numbered modulo more than can be inside; the one with the number `chosen` is followed.
    (* anyconst *) wire [2:0] chosen;
    reg  [2:0] written, taken;
    reg  [1:0] watched;
    wire [2:0] inside = written - taken;

    always @(posedge clk) begin
        if (s_valid && s_ready) begin
            written <= written + 3'd1;
            if (written == chosen) watched <= s_data;
        end
        if (m_valid && m_ready) taken <= taken + 3'd1;
        if (rst) begin
            written <= 3'd0;
            taken   <= 3'd0;
        end
    end

    always @(posedge clk) if (started) begin
        count_is_true:      assert (count == inside);
        never_overfull:     assert (inside <= 3'd4);
        ready_unless_full:  assert (s_ready == (inside != 3'd4));
        valid_unless_empty: assert (m_valid == (inside != 3'd0));
        if (m_valid && taken == chosen) in_order: assert (m_data == watched);

        full_after_wrap: cover (inside == 3'd4 && taken == 3'd3 && chosen == 3'd5);
        both_at_once:    cover (s_valid && s_ready && m_valid && m_ready);
    end

endmodule

`default_nettype wire
