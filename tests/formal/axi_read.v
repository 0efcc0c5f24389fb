// SPDX-License-Identifier: Apache-2.0
//
// axi_read: the AXI4 rules for a read master, and each client is given the words that it asked for, and no others.
//
// Clients may request anything within 64 aligned bytes at any time, and withdraw it. The memory takes and gives at its
// own pace, but as many words as were asked for, the last one marked.

`default_nettype none

module axi_read_proof (
    input wire        clk,
    input wire        rst,

    input wire [1:0]  req_valid,
    input wire [29:0] req_addr_0,
    input wire [29:0] req_addr_1,
    input wire [3:0]  req_len_0,
    input wire [3:0]  req_len_1,

    input wire        m_axi_arready,
    input wire [31:0] m_axi_rdata,
    input wire        m_axi_rresp_error,
    input wire        m_axi_rlast,
    input wire        m_axi_rvalid
);

    wire [1:0]  req_ready, data_valid;
    wire [31:0] data;
    wire        data_last, data_error, idle;
    wire [31:0] m_axi_araddr;
    wire [7:0]  m_axi_arlen;
    wire        m_axi_arvalid;

    axi_read dut (
        .clk              (clk),
        .rst              (rst),
        .req_valid        (req_valid),
        .req_ready        (req_ready),
        .req_addr_0       (req_addr_0),
        .req_addr_1       (req_addr_1),
        .req_len_0        (req_len_0),
        .req_len_1        (req_len_1),
        .data_valid       (data_valid),
        .data             (data),
        .data_last        (data_last),
        .data_error       (data_error),
        .idle             (idle),
        .m_axi_araddr     (m_axi_araddr),
        .m_axi_arlen      (m_axi_arlen),
        .m_axi_arvalid    (m_axi_arvalid),
        .m_axi_arready    (m_axi_arready),
        .m_axi_rdata      (m_axi_rdata),
        .m_axi_rresp_error(m_axi_rresp_error),
        .m_axi_rlast      (m_axi_rlast),
        .m_axi_rvalid     (m_axi_rvalid)
    );

    reg started = 1'b0;
    always @(posedge clk) started <= 1'b1;
    always @* begin
        assume (started || rst);
        assume ({1'b0, req_addr_0[3:0]} + {1'b0, req_len_0} < 5'd16);
        assume ({1'b0, req_addr_1[3:0]} + {1'b0, req_len_1} < 5'd16);
    end

    // The memory: a burst is `addressed` until its last word has been given.
    reg       addressed;
    reg [7:0] left;
    wire      address = m_axi_arvalid && m_axi_arready;

    always @(posedge clk) begin
        if (m_axi_rvalid) left <= left - 8'd1;
        if (m_axi_rvalid && m_axi_rlast) addressed <= 1'b0;
        if (address) begin
            addressed <= 1'b1;
            left      <= m_axi_arlen;
        end
        if (rst) addressed <= 1'b0;
    end
    always @* begin
        assume (!m_axi_rvalid || addressed);
        assume (m_axi_rlast == (left == 8'd0));
    end

    // What was granted, and to whom
    wire [1:0]  granted = req_valid & req_ready;
    reg         serving, client;
    reg  [3:0]  expected;
    reg  [29:0] addr;
    reg  [3:0]  len;

    always @(posedge clk) begin
        if (data_valid != 0) begin
            expected <= expected - 4'd1;
            if (data_last) serving <= 1'b0;
        end
        if (granted != 0) begin
            serving  <= 1'b1;
            client   <= granted[1];
            expected <= granted[1] ? req_len_1 : req_len_0;
            addr     <= granted[1] ? req_addr_1 : req_addr_0;
            len      <= granted[1] ? req_len_1 : req_len_0;
        end
        if (rst) serving <= 1'b0;
    end

    // The cycle before
    reg         was_reset, was_waiting, was_word, was_error;
    reg  [39:0] was_address;
    reg  [31:0] was_data;

    always @(posedge clk) begin
        was_reset   <= rst;
        was_waiting <= m_axi_arvalid && !m_axi_arready;
        was_address <= {m_axi_araddr, m_axi_arlen};
        was_word    <= m_axi_rvalid;
        was_error   <= m_axi_rresp_error;
        was_data    <= m_axi_rdata;
    end

    wire [10:0] end_in_page = {1'b0, m_axi_araddr[11:2]} + {3'd0, m_axi_arlen};

    always @(posedge clk) if (started) begin
        if (was_waiting && !was_reset) begin
            address_waits:  assert (m_axi_arvalid);
            address_stable: assert ({m_axi_araddr, m_axi_arlen} == was_address);
        end
        if (m_axi_arvalid) begin
            aligned:          assert (m_axi_araddr[1:0] == 2'd0);
            within_4_kib:     assert (end_in_page < 11'd1024);
            as_requested:     assert (m_axi_araddr[31:2] == addr && m_axi_arlen == {4'd0, len} && serving);
            one_outstanding:  assert (!addressed);
        end
        at_most_one_granted: assert (granted != 2'b11);
        none_in_between:     assert (granted == 0 || !addressed);
        only_who_asked:      assert (data_valid == 0 || (serving && data_valid == (client ? 2'b10 : 2'b01)));
        if (data_valid != 0) last_is_last: assert (data_last == (expected == 4'd0));
        every_word:          assert (was_reset || (data_valid != 0) == was_word);
        if (data_valid != 0) unchanged: assert (data == was_data && data_error == was_error);
        idle_is_true:        assert (!idle || !(serving || addressed || m_axi_arvalid));

        longest:    cover (data_valid[1] && data_last && len == 4'd15);
        contended:  cover (req_valid == 2'b11 && data_valid[0] && data_last && len == 4'd2);
    end

endmodule

`default_nettype wire
