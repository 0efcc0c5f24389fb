// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// axi_write: the write half of an AXI4 master, shared by two clients.
//
// A client puts a request for `len` + 1 words of 32 bits at word address `addr`, holds it until `req_ready`, and then
// hands over its words (`w_valid`, `w_ready`), one in two cycles at most. `done` pulses when the bus has acknowledged the
// burst, together with `error` if it did so with an error. A client keeps the write bus while its words last, so it
// should have them at hand.
//
// One burst is outstanding at a time; client 0 goes first. A burst must not cross a 4 KiB boundary: clients keep theirs
// within 64 aligned bytes.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module axi_write (
    input  wire        clk,
    input  wire        rst,

    // Clients
    input  wire [1:0]  req_valid,
    output wire [1:0]  req_ready,
    input  wire [29:0] req_addr_0,
    input  wire [29:0] req_addr_1,
    input  wire [3:0]  req_len_0,
    input  wire [3:0]  req_len_1,
    input  wire [1:0]  w_valid,
    output wire [1:0]  w_ready,
    input  wire [31:0] w_data_0,
    input  wire [31:0] w_data_1,
    input  wire [3:0]  w_strb_0,
    input  wire [3:0]  w_strb_1,
    output reg  [1:0]  done,
    output reg         error,

    output wire        idle,

    // AXI4
    output reg  [31:0] m_axi_awaddr,
    output reg  [7:0]  m_axi_awlen,
    output reg         m_axi_awvalid,
    input  wire        m_axi_awready,
    output reg  [31:0] m_axi_wdata,
    output reg  [3:0]  m_axi_wstrb,
    output reg         m_axi_wlast,
    output reg         m_axi_wvalid,
    input  wire        m_axi_wready,
    input  wire        m_axi_bresp_error,
    input  wire        m_axi_bvalid
);

    reg       busy;
    reg       client;
    reg       sending;  // words are still to come
    reg [3:0] left;     // of them, less one

    wire word_ready = sending && !m_axi_wvalid;

    assign req_ready = busy ? 2'b00 : {!req_valid[0], 1'b1};
    assign w_ready   = {word_ready && client, word_ready && !client};
    assign idle      = !busy && done == 0 && req_valid == 0;

    always @(posedge clk) begin
        if (m_axi_awready) m_axi_awvalid <= 1'b0;
        if (m_axi_wready)  m_axi_wvalid  <= 1'b0;

        if (word_ready && (client ? w_valid[1] : w_valid[0])) begin
            m_axi_wvalid <= 1'b1;
            m_axi_wdata  <= client ? w_data_1 : w_data_0;
            m_axi_wstrb  <= client ? w_strb_1 : w_strb_0;
            m_axi_wlast  <= left == 0;
            left         <= left - 4'd1;
            if (left == 0) sending <= 1'b0;
        end

        if (!busy) begin
            if (req_valid != 0) begin
                busy          <= 1'b1;
                client        <= !req_valid[0];
                sending       <= 1'b1;
                left          <= req_valid[0] ? req_len_0 : req_len_1;
                m_axi_awvalid <= 1'b1;
                m_axi_awaddr  <= {req_valid[0] ? req_addr_0 : req_addr_1, 2'b00};
                m_axi_awlen   <= {4'd0, req_valid[0] ? req_len_0 : req_len_1};
            end
        end

        done <= 2'b00;
        if (m_axi_bvalid) begin
            done[client] <= 1'b1;
            error        <= m_axi_bresp_error;
            busy         <= 1'b0;
        end

        if (rst) begin
            busy          <= 1'b0;
            sending       <= 1'b0;
            done          <= 2'b00;
            m_axi_awvalid <= 1'b0;
            m_axi_wvalid  <= 1'b0;
        end
    end

endmodule

`resetall
