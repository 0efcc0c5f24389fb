// SPDX-License-Identifier: Apache-2.0
//
// axi_write: the AXI4 rules for a write master; each burst carries its client's words, in order and all of them, and its
// response goes to that client, once.
//
// Clients may request anything within 64 aligned bytes at any time, and withdraw it; they hand over words at their own
// pace. The memory takes addresses and words at its own pace and in any order of the two, and responds to a burst when
// it has both.

`default_nettype none

module axi_write_proof (
    input wire        clk,
    input wire        rst,

    input wire [1:0]  req_valid,
    input wire [29:0] req_addr_0,
    input wire [29:0] req_addr_1,
    input wire [3:0]  req_len_0,
    input wire [3:0]  req_len_1,
    input wire [1:0]  w_valid,
    input wire [31:0] w_data_0,
    input wire [31:0] w_data_1,
    input wire [3:0]  w_strb_0,
    input wire [3:0]  w_strb_1,

    input wire        m_axi_awready,
    input wire        m_axi_wready,
    input wire        m_axi_bresp_error,
    input wire        m_axi_bvalid
);

    wire [1:0]  req_ready, w_ready, done;
    wire        error, idle;
    wire [31:0] m_axi_awaddr, m_axi_wdata;
    wire [7:0]  m_axi_awlen;
    wire [3:0]  m_axi_wstrb;
    wire        m_axi_awvalid, m_axi_wlast, m_axi_wvalid;

    axi_write dut (
        .clk              (clk),
        .rst              (rst),
        .req_valid        (req_valid),
        .req_ready        (req_ready),
        .req_addr_0       (req_addr_0),
        .req_addr_1       (req_addr_1),
        .req_len_0        (req_len_0),
        .req_len_1        (req_len_1),
        .w_valid          (w_valid),
        .w_ready          (w_ready),
        .w_data_0         (w_data_0),
        .w_data_1         (w_data_1),
        .w_strb_0         (w_strb_0),
        .w_strb_1         (w_strb_1),
        .done             (done),
        .error            (error),
        .idle             (idle),
        .m_axi_awaddr     (m_axi_awaddr),
        .m_axi_awlen      (m_axi_awlen),
        .m_axi_awvalid    (m_axi_awvalid),
        .m_axi_awready    (m_axi_awready),
        .m_axi_wdata      (m_axi_wdata),
        .m_axi_wstrb      (m_axi_wstrb),
        .m_axi_wlast      (m_axi_wlast),
        .m_axi_wvalid     (m_axi_wvalid),
        .m_axi_wready     (m_axi_wready),
        .m_axi_bresp_error(m_axi_bresp_error),
        .m_axi_bvalid     (m_axi_bvalid)
    );

    reg started = 1'b0;
    always @(posedge clk) started <= 1'b1;
    always @* begin
        assume (started || rst);
        assume ({1'b0, req_addr_0[3:0]} + {1'b0, req_len_0} < 5'd16);
        assume ({1'b0, req_addr_1[3:0]} + {1'b0, req_len_1} < 5'd16);
    end

    // The memory: it has the address, and all words of the burst.
    reg  addressed, complete;
    wire address = m_axi_awvalid && m_axi_awready;
    wire beat    = m_axi_wvalid && m_axi_wready;

    always @(posedge clk) begin
        if (m_axi_bvalid) {addressed, complete} <= 2'b00;
        if (address) addressed <= 1'b1;
        if (beat && m_axi_wlast) complete <= 1'b1;
        if (rst) {addressed, complete} <= 2'b00;
    end
    always @* assume (!m_axi_bvalid || (addressed && complete));

    // What was granted, and to whom
    wire [1:0]  granted = req_valid & req_ready;
    wire [1:0]  given   = w_valid & w_ready;
    reg         serving, client;
    reg  [4:0]  to_give, to_send;
    reg  [29:0] addr;
    reg  [3:0]  len;

    always @(posedge clk) begin
        if (given != 0) to_give <= to_give - 5'd1;
        if (beat) to_send <= to_send - 5'd1;
        if (m_axi_bvalid) serving <= 1'b0;
        if (granted != 0) begin
            serving <= 1'b1;
            client  <= granted[1];
            addr    <= granted[1] ? req_addr_1 : req_addr_0;
            len     <= granted[1] ? req_len_1 : req_len_0;
            to_give <= {1'b0, granted[1] ? req_len_1 : req_len_0} + 5'd1;
            to_send <= {1'b0, granted[1] ? req_len_1 : req_len_0} + 5'd1;
        end
        if (rst) begin
            serving <= 1'b0;
            to_give <= 5'd0;
            to_send <= 5'd0;
        end
    end

    // The cycle before, and the word that was given last
    reg         was_reset, address_waiting, word_waiting, was_response, was_error, was_client;
    reg  [39:0] was_address;
    reg  [36:0] was_word;
    reg  [35:0] last_given;

    always @(posedge clk) begin
        was_reset       <= rst;
        address_waiting <= m_axi_awvalid && !m_axi_awready;
        was_address     <= {m_axi_awaddr, m_axi_awlen};
        word_waiting    <= m_axi_wvalid && !m_axi_wready;
        was_word        <= {m_axi_wdata, m_axi_wstrb, m_axi_wlast};
        was_response    <= m_axi_bvalid;
        was_error       <= m_axi_bresp_error;
        was_client      <= client;
        if (given[0]) last_given <= {w_data_0, w_strb_0};
        if (given[1]) last_given <= {w_data_1, w_strb_1};
    end

    wire [10:0] end_in_page = {1'b0, m_axi_awaddr[11:2]} + {3'd0, m_axi_awlen};

    always @(posedge clk) if (started) begin
        if (address_waiting && !was_reset) begin
            address_waits:  assert (m_axi_awvalid);
            address_stable: assert ({m_axi_awaddr, m_axi_awlen} == was_address);
        end
        if (word_waiting && !was_reset) begin
            word_waits:  assert (m_axi_wvalid);
            word_stable: assert ({m_axi_wdata, m_axi_wstrb, m_axi_wlast} == was_word);
        end
        if (m_axi_awvalid) begin
            aligned:         assert (m_axi_awaddr[1:0] == 2'd0);
            within_4_kib:    assert (end_in_page < 11'd1024);
            as_requested:    assert (m_axi_awaddr[31:2] == addr && m_axi_awlen == {4'd0, len} && serving);
            one_outstanding: assert (!addressed);
        end
        if (m_axi_wvalid) begin
            word_of_burst: assert (serving && !complete && to_send == to_give + 5'd1);
            last_is_last:  assert (m_axi_wlast == (to_send == 5'd1));
            words_in_order: assert ({m_axi_wdata, m_axi_wstrb} == last_given);
        end
        at_most_one_granted: assert (granted != 2'b11);
        none_in_between:     assert (granted == 0 || !serving);
        only_from_client:    assert (w_ready == 2'b00 || (serving && w_ready == (client ? 2'b10 : 2'b01)));
        no_word_too_many:    assert (w_ready == 2'b00 || to_give != 5'd0);
        if (!was_reset) told_once: assert (done == (was_response ? {was_client, !was_client} : 2'b00));
        if (done != 0) error_told: assert (error == was_error);
        idle_is_true:        assert (!idle || !(serving || addressed || complete || m_axi_awvalid || m_axi_wvalid));

        longest:       cover (m_axi_bvalid && client && len == 4'd15);
        words_first:   cover (complete && !addressed && len == 4'd2);
        failed:        cover (done[0] && error);
    end

endmodule

`default_nettype wire
