// SPDX-License-Identifier: CERN-OHL-P-2.0
//
// rx_store: writes received frames into buffers, and the buffers back to their descriptors.
//
// A frame (`rec_*`, `rec_length` of 1 or more, taken at its end with `rec_ready`; its octets from `s_axis_*`) is spread over as many
// buffers as it needs. Bursts end at 64-byte borders. A buffer is written back, to the descriptor at `ring_head`, when
// it is full or the frame has ended; when the bus has acknowledged that, `ring_complete` moves the head.
// Frames are begun while `ring_run`. A frame that meets an error or a reset is thrown away.

`resetall
`timescale 1ns / 1ps
`default_nettype none

module rx_store (
    input  wire        clk,
    input  wire        rst,

    // Ring
    input  wire        ring_run,
    input  wire        ring_reset,
    input  wire [27:0] ring_head_addr,
    output wire        ring_complete,
    output reg         ring_fail,
    output reg  [1:0]  ring_fail_error,
    output wire        irq,

    // Buffers
    input  wire        buffer_valid,
    input  wire [31:0] buffer_addr,
    input  wire [15:0] buffer_len,
    output wire        buffer_take,

    // axi_write
    output wire        write_valid,
    input  wire        write_ready,
    output wire [29:0] write_addr,
    output wire [3:0]  write_len,
    output wire        w_valid,
    input  wire        w_ready,
    output reg  [31:0] w_data,
    output wire [3:0]  w_strb,
    input  wire        write_done,
    input  wire        write_error,

    // Frames
    input  wire        rec_valid,
    output wire        rec_ready,
    input  wire [13:0] rec_length,
    input  wire [7:0]  rec_flags,
    input  wire [15:0] rec_sum,
    input  wire [15:0] rec_tci,
    input  wire [31:0] rec_timestamp,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire [7:0]  s_axis_tdata,

    output wire        busy,           // a frame has been begun and not ended
    output wire        idle
);

    localparam [2:0] NEXT = 0, REQUEST = 1, DATA = 2, RESPONSE = 3, WRITE_BACK = 4, STATUS = 5, ACKNOWLEDGE = 6, DISCARD = 7;
    localparam [1:0] DESCRIPTOR_ERROR = 1, DATA_ERROR = 2;

    reg [2:0]  state;
    reg        begun;   // buffers of this frame have been written back
    reg [29:0] addr;    // of the next octet
    reg [1:0]  lane;
    reg [13:0] octets;  // that this buffer takes of the frame
    reg [13:0] span;    // of these still to come
    reg [13:0] left;    // octets of the frame for the buffers behind; in NEXT, all that are still to be stored
    reg        known;   // left holds the length of the frame that waits
    reg [1:0]  beat;    // of the write-back

    // The word being put together
    reg [31:0] word;
    reg [3:0]  word_strb;
    reg        word_full;

    wire        last_buffer = left == 0;
    reg  [13:0] beyond;                                           // the buffer, unless it fits
    reg  [1:0]  unused_beyond;
    reg         fits;
    reg  [13:0] portion;

    // Asked for in NEXT only, which spares a simulation the work.
    always @* begin
        {fits, unused_beyond, beyond, portion} = {31{1'bx}};
        if (state == NEXT) begin
            {fits, unused_beyond, beyond} = {3'd0, left} - {1'b0, buffer_len};
            portion = fits ? left : buffer_len[13:0];
        end
    end

    wire [3:0]  to_border   = ~addr[3:0];
    wire [11:0] words;        // of the span, from the start of its first word, less one
    wire [1:0]  unused_lane;
    assign {words, unused_lane} = span + {{12{lane == 0}}, lane - 2'd1};

    wire take         = s_axis_tvalid && s_axis_tready;
    wire acknowledged = state == ACKNOWLEDGE && write_done;
    wire discarded    = state == DISCARD && span == 0 && left == 0;

    assign buffer_take   = state == NEXT && buffer_valid && (begun || (known && ring_run)) && !ring_reset;
    assign s_axis_tready = (state == DATA && (!word_full || w_ready)) || (state == DISCARD && span != 0);
    assign rec_ready     = (acknowledged && last_buffer && !write_error) || discarded;

    assign write_valid   = (state == REQUEST || state == WRITE_BACK) && !ring_reset;
    assign write_addr    = state == REQUEST ? addr : {ring_head_addr, 2'd1};
    assign write_len     = state != REQUEST ? 4'd2 : words < {8'd0, to_border} ? words[3:0] : to_border;

    assign w_valid       = word_full || state == STATUS;
    assign w_strb        = state == STATUS ? 4'b1111 : word_strb;

    always @* begin
        w_data = word;
        if (state == STATUS) begin
            case (beat)
                2'd0:    w_data = {rec_tci, rec_sum};
                2'd1:    w_data = rec_timestamp;
                default: w_data = {1'b1, 5'd0, rec_flags, last_buffer, !begun, 2'd0, octets};
            endcase
        end
    end

    assign ring_complete = acknowledged && !write_error;
    assign irq           = ring_complete && last_buffer && !ring_reset;

    assign busy          = state != NEXT || begun;
    assign idle          = state == NEXT && !buffer_take && !(begun && ring_reset) && (begun || known == rec_valid);

    always @(posedge clk) begin
        ring_fail <= 1'b0;

        if (word_full && w_ready) begin
            word_full <= 1'b0;
            word_strb <= 4'b0000;
        end

        case (state)
            NEXT: begin
                beat      <= 0;
                word_strb <= 4'b0000;
                known     <= rec_valid;
                if (!begun) left <= rec_length;
                if (buffer_take) begin
                    {addr, lane} <= buffer_addr;
                    octets       <= portion;
                    span         <= portion;
                    left         <= fits ? 14'd0 : beyond;
                    known        <= 1'b0;
                    state        <= REQUEST;
                end else if (begun && ring_reset) begin
                    span  <= 0;
                    state <= DISCARD;
                end
            end
            REQUEST:
                if (ring_reset)       state <= DISCARD;
                else if (write_ready) state <= DATA;
            DATA: if (take) begin
                case (lane)
                    2'd0:    word[7:0]   <= s_axis_tdata;
                    2'd1:    word[15:8]  <= s_axis_tdata;
                    2'd2:    word[23:16] <= s_axis_tdata;
                    default: word[31:24] <= s_axis_tdata;
                endcase
                word_strb <= (word_full ? 4'b0000 : word_strb) | (4'b0001 << lane);
                word_full <= lane == 3 || span == 1;
                lane      <= lane + 2'd1;
                span      <= span - 14'd1;
                if (lane == 3) addr <= addr + 30'd1;
                if (span == 1 || (lane == 3 && to_border == 0)) state <= RESPONSE;
            end
            RESPONSE: if (write_done) begin
                if (write_error) begin
                    ring_fail       <= 1'b1;
                    ring_fail_error <= DATA_ERROR;
                    state           <= DISCARD;
                end else begin
                    state <= span == 0 ? WRITE_BACK : REQUEST;
                end
            end
            WRITE_BACK:
                if (ring_reset)       state <= DISCARD;
                else if (write_ready) state <= STATUS;
            STATUS: if (w_ready) begin
                beat <= beat + 2'd1;
                if (beat == 2) state <= ACKNOWLEDGE;
            end
            ACKNOWLEDGE: if (write_done) begin
                if (write_error) begin
                    ring_fail       <= 1'b1;
                    ring_fail_error <= DESCRIPTOR_ERROR;
                    state           <= DISCARD;
                end else begin
                    begun <= !last_buffer;
                    state <= NEXT;
                end
            end
            default: begin  // DISCARD
                begun <= 1'b0;
                if (take) span <= span - 14'd1;
                if (span == 0) begin
                    span <= left;
                    left <= 0;
                end
                if (discarded) state <= NEXT;
            end
        endcase

        if (rst) begin
            state     <= NEXT;
            begun     <= 1'b0;
            known     <= 1'b0;
            word_full <= 1'b0;
            ring_fail <= 1'b0;
        end
    end

endmodule

`resetall
