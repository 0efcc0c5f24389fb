// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// crc32_nibble: one step of the frame check sequence (802.3 3.2.9), four bits at a time, combinational.
//
// `crc` is the remainder in the order of the wire: bit 0 leaves first. Start from all ones; the FCS is the complement,
// least significant nibble first; after a frame together with its good FCS the remainder is 0xDEBB20E3.
// A nibble equal to crc[3:0] only shifts the remainder, which is how it is sent.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module crc32_nibble (
    input  wire [31:0] crc,
    input  wire [ 3:0] nibble,
    output wire [31:0] crc_next
);

    // What each bit leaves behind after the steps that it has still to go: the polynomial, shifted.
    wire [3:0] t = crc[3:0] ^ nibble;

    assign crc_next = {4'h0, crc[31:4]}
                    ^ ({32{t[0]}} & 32'h1DB71064)
                    ^ ({32{t[1]}} & 32'h3B6E20C8)
                    ^ ({32{t[2]}} & 32'h76DC4190)
                    ^ ({32{t[3]}} & 32'hEDB88320);

endmodule

`resetall
