// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// axi_read: the read half of an AXI4 master, shared by two clients.
//
// A client puts a request for `len` + 1 words of 32 bits at word address `addr` and holds it until `req_ready`. Its words
// then come with `data_valid`, one cycle behind the bus and at its pace: the client must have a place for all of them.
// `data_error` tells that the bus answered a word with an error; the other words of the burst come all the same.
//
// One burst is outstanding at a time; client 0 goes first. A burst must not cross a 4 KiB boundary: clients keep theirs
// within 64 aligned bytes.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module axi_read (
    input  wire        clk,
    input  wire        rst,

    // Clients
    input  wire [1:0]  req_valid,
    output wire [1:0]  req_ready,
    input  wire [29:0] req_addr_0,
    input  wire [29:0] req_addr_1,
    input  wire [3:0]  req_len_0,
    input  wire [3:0]  req_len_1,
    output reg  [1:0]  data_valid,
    output reg  [31:0] data,
    output reg         data_last,
    output reg         data_error,

    output wire        idle,

    // AXI4
    output reg  [31:0] m_axi_araddr,
    output reg  [7:0]  m_axi_arlen,
    output reg         m_axi_arvalid,
    input  wire        m_axi_arready,
    input  wire [31:0] m_axi_rdata,
    input  wire        m_axi_rresp_error,
    input  wire        m_axi_rlast,
    input  wire        m_axi_rvalid
);

    reg busy;
    reg client;

    assign req_ready  = busy ? 2'b00 : {!req_valid[0], 1'b1};
    assign idle       = !busy && data_valid == 0 && req_valid == 0;

    always @(posedge clk) begin
        if (m_axi_arready) m_axi_arvalid <= 1'b0;

        if (!busy) begin
            if (req_valid != 0) begin
                busy          <= 1'b1;
                client        <= !req_valid[0];
                m_axi_arvalid <= 1'b1;
                m_axi_araddr  <= {req_valid[0] ? req_addr_0 : req_addr_1, 2'b00};
                m_axi_arlen   <= {4'd0, req_valid[0] ? req_len_0 : req_len_1};
            end
        end

        data_valid <= 2'b00;
        if (m_axi_rvalid) begin
            data_valid[client] <= 1'b1;
            data               <= m_axi_rdata;
            data_last          <= m_axi_rlast;
            data_error         <= m_axi_rresp_error;
            if (m_axi_rlast) busy <= 1'b0;
        end

        if (rst) begin
            busy          <= 1'b0;
            data_valid    <= 2'b00;
            m_axi_arvalid <= 1'b0;
        end
    end

endmodule

`resetall
