// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// tx_fetch: reads transmit descriptors and the fragments they point to.
//
// Gives a stream of words that together make frames; tx_unpack says how to read them. Nothing is requested before
// there is a place for all of it: `word_room` tells that 17 words will be taken.
//
// `frame_push` tells that the frame which ends at descriptor `ring_next` has been read whole and will be sent; `frame_irq`
// comes with it. A frame is begun only when there is `frame_room` for this.
//
// A frame to be segmented may have up to 2^17 - 1 octets here: its headers tell its length, and tx_segment reads them.
//
// A frame that meets an error, or a reset, is ended with drop. The descriptor at fault is the one in hand, `ring_next`,
// or, where the ring is full of one frame without end, the place of the first that cannot be posted.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module tx_fetch #(
    parameter [16:0] FRAME_LIMIT = 2048, // octets, below 2^14; a longer frame or segment is malformed
    parameter TSO = 1,                   // 0: so is a frame that asks for segmentation,
    parameter VLAN = 1                   // or for a tag
) (
    input  wire        clk,
    input  wire        rst,

    // Ring
    input  wire        enable,         // frames may be begun, as far as the rest of the card is concerned
    input  wire        ring_run,
    input  wire        ring_available,
    input  wire        ring_full,
    input  wire [27:0] ring_next_addr,
    output wire        ring_take,
    output wire        ring_fail,
    output reg  [1:0]  ring_fail_error,
    input  wire        ring_reset,

    // axi_read
    output wire        read_valid,
    input  wire        read_ready,
    output wire [29:0] read_addr,
    output wire [3:0]  read_len,
    input  wire        read_data_valid,
    input  wire [31:0] read_data,
    input  wire        read_data_last,
    input  wire        read_data_error,

    // Words
    input  wire        word_room,
    output wire        word_valid,
    output wire [38:0] word,

    // Frames
    input  wire        frame_room,
    output wire        frame_push,
    output reg         frame_irq,

    output wire        busy,           // a frame has been begun and not ended
    output wire        idle
);

    localparam [2:0] NEXT = 0, DESCRIPTOR = 1, CHECK = 2, REQUEST = 3, DATA = 4, FAIL = 5, ABORT = 6;
    localparam [1:0] DESCRIPTOR_ERROR = 1, DATA_ERROR = 2, MALFORMED = 3;
    localparam [8:0] TCP_HEADER = 20;

    reg [2:0]  state;
    reg [1:0]  beat;          // of the descriptor
    reg        bus_error;     // within the burst
    reg        begun;         // data of the frame have been given
    reg        tso;           // it is to be segmented
    reg [7:0]  hdr_len;
    reg        refused;       // by its first descriptor alone
    reg [16:0] sum;           // octets of the frame, with those of this fragment from REQUEST on

    // The fragment: word address, octet lanes of its first and last word, and the number of words left, less one.
    // Until CHECK, words and last_lane hold its length as the descriptor has it.
    reg [29:0] addr;
    reg [1:0]  first_lane;
    reg [14:0] words;
    reg [1:0]  last_lane;
    reg        eop;

    wire [16:0] len   = {words, last_lane};
    reg  [17:0] total;
    reg         too_long, no_data, malformed;

    // Asked for in CHECK only, which spares a simulation the work.
    always @* begin
        total = {18{1'bx}};
        {too_long, no_data, malformed} = 3'bxxx;
        if (state == CHECK) begin
            total     = {1'b0, sum} + {1'b0, len};
            too_long  = tso ? total[17] : total > {1'b0, FRAME_LIMIT};
            no_data   = tso && eop && total <= {10'd0, hdr_len};
            malformed = len == 0 || too_long || no_data || refused;
        end
    end

    reg  endless;     // all descriptors that the ring can hold belong to this frame, and none has EOP
    reg  begin_next;

    // Asked for in NEXT only.
    always @* begin
        {endless, begin_next} = 2'bxx;
        if (state == NEXT) begin
            endless    = begun && !ring_available && !ring_reset && ring_full;
            begin_next = ring_available && word_room && (begun || (ring_run && enable && frame_room));
        end
    end

    wire [3:0] to_border = ~addr[3:0];

    // A frame's first descriptor goes along as header words 1 to 3. The last word of a burst ends the frame if there
    // is a reason to give it up.
    wire header   = state == DESCRIPTOR && !begun && beat != 0;
    wire spoilt   = read_data_last && (bus_error || read_data_error);
    wire drop     = state == ABORT || spoilt;
    wire last     = state == ABORT || spoilt || (words == 0 && eop);

    assign word_valid = state == ABORT || (read_data_valid && (header || state == DATA));
    assign word       = {header, last, drop, words == 0 ? last_lane : 2'd3, header ? beat : first_lane, read_data};

    assign read_valid = (state == NEXT && begin_next) || (state == REQUEST && word_room && !ring_reset);
    assign read_addr  = state == NEXT ? {ring_next_addr, 2'b00} : addr;
    assign read_len   = state == NEXT ? 4'd3 : words < {11'd0, to_border} ? words[3:0] : to_border;

    assign ring_take    = state == DATA && read_data_valid && words == 0 && !spoilt;
    assign ring_fail    = state == FAIL;
    assign frame_push   = ring_take && eop;

    assign busy = state != NEXT || begun;
    assign idle = state == NEXT && !begin_next && !endless && !(ring_reset && begun);

    always @(posedge clk) begin
        case (state)
            NEXT: begin
                beat      <= 0;
                bus_error <= 1'b0;
                if (!begun) sum <= 0;
                ring_fail_error <= MALFORMED;
                if (ring_reset && begun)           state <= ABORT;
                else if (endless)                  state <= FAIL;
                else if (read_valid && read_ready) state <= DESCRIPTOR;
            end
            DESCRIPTOR: if (read_data_valid) begin
                beat <= beat + 2'd1;
                if (read_data_error) bus_error <= 1'b1;
                if (beat == 0) {addr, first_lane} <= read_data;
                if (beat == 3) begin
                    {words, last_lane} <= {1'b0, read_data[15:0]};
                    eop       <= read_data[16];
                    frame_irq <= read_data[17];
                end
                if (!begun) begin
                    case (beat)
                        1: begin
                            hdr_len <= read_data[23:16];
                            refused <= {1'b0, read_data[7:0]} + TCP_HEADER > {1'b0, read_data[23:16]};
                        end
                        2: if (read_data[15:0] == 0 || {1'b0, read_data[15:0]} + {9'd0, hdr_len} > FRAME_LIMIT) begin
                            refused <= 1'b1;
                        end
                        3: begin
                            tso     <= TSO != 0 && read_data[20];
                            refused <= (read_data[20] && (TSO == 0 || refused)) || (read_data[21] && VLAN == 0);
                        end
                        default: ;
                    endcase
                end
                if (read_data_last) state <= CHECK;
            end
            CHECK: begin
                {words, last_lane} <= len + {{15{first_lane == 0}}, first_lane - 2'd1};
                sum                <= total[16:0];
                if (bus_error) ring_fail_error <= DESCRIPTOR_ERROR;
                state <= bus_error || malformed ? FAIL : REQUEST;
            end
            REQUEST: begin
                ring_fail_error <= DATA_ERROR;
                if (ring_reset)                    state <= begun ? ABORT : NEXT;
                else if (read_valid && read_ready) state <= DATA;
            end
            DATA: if (read_data_valid) begin
                addr       <= addr + 30'd1;
                words      <= words - 15'd1;
                first_lane <= 0;
                begun      <= !last;
                if (read_data_error) bus_error <= 1'b1;
                if (read_data_last) state <= spoilt ? FAIL : words == 0 ? NEXT : REQUEST;
            end
            FAIL: state <= begun ? ABORT : NEXT;
            default: begin  // ABORT
                begun <= 1'b0;
                state <= NEXT;
            end
        endcase

        if (rst) begin
            state <= NEXT;
            begun <= 1'b0;
        end
    end

endmodule

`resetall
