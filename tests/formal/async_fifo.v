// SPDX-License-Identifier: Apache-2.0
//
// async_fifo: what is taken on one side comes out on the other once, in order and unchanged, with any two clocks.
//
// A step of the model is an instant at which either clock, both or none may have a rising edge. sync_bit is replaced by
// a model in which bits that cross may arrive a cycle apart.

`default_nettype none

module async_fifo_proof (
    input wire       s_clk,
    input wire       s_rst,
    input wire       s_valid,
    input wire       s_data,

    input wire       m_clk,
    input wire       m_rst,
    input wire       m_ready
);

    wire       s_ready, s_empty, m_valid, m_data;

    async_fifo #(
        .WIDTH     (1),
        .LOG2_DEPTH(2)
    ) dut (
        .s_clk  (s_clk),
        .s_rst  (s_rst),
        .s_valid(s_valid),
        .s_ready(s_ready),
        .s_data (s_data),
        .s_empty(s_empty),
        .m_clk  (m_clk),
        .m_rst  (m_rst),
        .m_valid(m_valid),
        .m_ready(m_ready),
        .m_data (m_data)
    );

    // Both resets are on until each clock has had an edge and then each three more, to empty the synchronisers. Then they
    // fall, each in its own time, for good.
    reg [2:0] s_edges = 3'd0, m_edges = 3'd0;
    reg       s_running = 1'b0, m_running = 1'b0;
    wire      begun     = s_edges != 0 && m_edges != 0;
    wire      flushed   = s_edges == 3'd4 && m_edges == 3'd4;

    always @(posedge s_clk) begin
        if (s_edges == 3'd0 || (begun && s_edges != 3'd4)) s_edges <= s_edges + 3'd1;
        if (!s_rst) s_running <= 1'b1;
    end
    always @(posedge m_clk) begin
        if (m_edges == 3'd0 || (begun && m_edges != 3'd4)) m_edges <= m_edges + 3'd1;
        if (!m_rst) m_running <= 1'b1;
    end
    always @* begin
        assume (flushed || (s_rst && m_rst));
        assume (!s_running || !s_rst);
        assume (!m_running || !m_rst);
    end

    // Words are numbered modulo more than can be inside; the one with the number `chosen` is followed.
    (* anyconst *) wire [2:0] chosen;
    reg  [2:0] written, taken;
    reg        watched;
    wire [2:0] inside = written - taken;

    always @(posedge s_clk) begin
        if (s_valid && s_ready) begin
            written <= written + 3'd1;
            if (written == chosen) watched <= s_data;
        end
        if (s_rst) written <= 3'd0;
    end
    always @(posedge m_clk) begin
        if (m_valid && m_ready) taken <= taken + 3'd1;
        if (m_rst) taken <= 3'd0;
    end

    always @* if (flushed && !s_rst && !m_rst) begin
        never_overfull:  assert (inside <= 3'd4);
        valid_is_true:   assert (!m_valid || inside != 3'd0);
        empty_is_true:   assert (!s_empty || inside == 3'd0);
        if (m_valid && taken == chosen) in_order: assert (m_data == watched);

        full:         cover (inside == 3'd4 && !s_ready);
        emptied:      cover (taken == 3'd3 && s_empty);
    end

endmodule

`default_nettype wire
