// SPDX-License-Identifier: Apache-2.0
//
// tx_dma: the transmit ring reads posted descriptors and the fragments they name, nothing else, in order; it writes to the
// last two words of the last descriptor of a frame that was sent, once, in order, and to nothing else; HEAD follows; an error
// or a malformed frame stops the ring, and nothing of it is left after its reset.
//
// Software is free but for this: base and size of the ring rest once CONTROL has been written. The buses serve one
// burst at a time at their own pace, with or without errors; descriptors hold anything. A frame may be done as soon as
// it has been read whole. What becomes of the words read is left out: the queue of words is filled, and gives, as it likes.

`default_nettype none

module tx_dma_proof (
    input wire        clk,
    input wire        rst,
    input wire        enable,
    input wire [2:0]  ring_address,
    input wire [3:0]  ring_write,
    input wire [31:0] ring_write_data,
    input wire        read_ready,
    input wire        read_data_valid,
    input wire [31:0] read_data,
    input wire        read_data_error,
    input wire        write_ready,
    input wire        w_ready,
    input wire        write_done,
    input wire        write_error,
    input wire [5:0]  words_queued,
    input wire        frame_done,
    input wire [1:0]  frame_error,
    input wire [31:0] timestamp_ns
);

    localparam [2:0] BASE = 0, SIZE = 1, HEAD = 2, CONTROL = 4, STATUS = 5;  // registers
    localparam [1:0] BUS_ON_DESCRIPTOR = 1, BUS_ON_DATA = 2, MALFORMED = 3;  // errors
    localparam [18:0] FRAME_LIMIT = 70, TSO_LIMIT = 131071;

    wire [31:0] ring_value, w_data;
    wire        irq_done, irq_error, read_valid, write_valid, w_valid, idle;
    wire [29:0] read_addr, write_addr;
    wire [3:0]  read_len, write_len, w_strb;
    wire        read_data_last;

    (* hierconn *) wire [27:0] \dut.ring.base ;
    (* hierconn *) wire [14:0] \dut.ring.mask ;
    (* hierconn *) wire [14:0] \dut.ring.tail ;
    (* hierconn *) wire        \dut.ring.enable ;
    (* hierconn *) wire        \dut.reset ;
    (* hierconn *) wire        \dut.reset_done ;
    (* hierconn *) wire        \dut.complete_busy ;
    (* hierconn *) wire [5:0]  \dut.words_fifo.count ;
    assign \dut.words_fifo.count = words_queued;

    tx_dma #(
        .FRAME_LIMIT(FRAME_LIMIT[16:0])
    ) dut (
        .clk            (clk),
        .rst            (rst),
        .enable         (enable),
        .ring_address   (ring_address),
        .ring_value     (ring_value),
        .ring_write     (ring_write),
        .ring_write_data(ring_write_data),
        .irq_done       (irq_done),
        .irq_error      (irq_error),
        .read_valid     (read_valid),
        .read_ready     (read_ready),
        .read_addr      (read_addr),
        .read_len       (read_len),
        .read_data_valid(read_data_valid),
        .read_data      (read_data),
        .read_data_last (read_data_last),
        .read_data_error(read_data_error),
        .write_valid    (write_valid),
        .write_ready    (write_ready),
        .write_addr     (write_addr),
        .write_len      (write_len),
        .w_valid        (w_valid),
        .w_ready        (w_ready),
        .w_data         (w_data),
        .w_strb         (w_strb),
        .write_done     (write_done),
        .write_error    (write_error),
        .m_axis_tready  (1'b0),
        .frame_done     (frame_done),
        .frame_error    (frame_error),
        .timestamp_ns   (timestamp_ns),
        .idle           (idle)
    );

    reg started = 1'b0;
    always @(posedge clk) started <= 1'b1;
    always @* assume (rst == !started);

    // Software
    reg configured;
    always @(posedge clk) begin
        if (ring_write[0] && ring_address == CONTROL) configured <= 1'b1;
        if (rst) configured <= 1'b0;
    end
    always @* assume (!(configured && ring_write != 4'd0 && (ring_address == BASE || ring_address == SIZE)));

    // The read bus
    wire       asks = read_valid && read_ready;
    reg        reading;
    reg [3:0]  read_left;
    reg        faulty;       // a word of this burst came with an error
    wire       word_read = read_data_valid;
    wire       read_end  = read_data_valid && read_data_last;
    wire       fault     = faulty || read_data_error;
    always @(posedge clk) begin
        if (word_read) begin
            read_left <= read_left - 4'd1;
            faulty    <= fault;
        end
        if (read_end) reading <= 1'b0;
        if (asks) {reading, read_left, faulty} <= {1'b1, read_len, 1'b0};
        if (rst) reading <= 1'b0;
    end
    assign read_data_last = read_left == 4'd0;
    always @* begin
        assume (!(read_ready && reading));
        assume (!read_data_valid || reading);
    end

    // The write bus
    wire      offers = write_valid && write_ready;
    reg       writing;
    reg [1:0] write_left;
    always @(posedge clk) begin
        if (w_valid && w_ready) write_left <= write_left - 2'd1;
        if (write_done) writing <= 1'b0;
        if (offers) {writing, write_left} <= {1'b1, 2'd2};
        if (rst) writing <= 1'b0;
    end
    always @* begin
        assume (!(write_ready && writing));
        assume (!w_ready || (writing && write_left != 2'd0));
        assume (!write_done || (writing && write_left == 2'd0));
    end

`ifdef MUTATION  // the buses are as fast as they can be
    always @* assume (read_ready == !reading && read_data_valid == reading && words_queued == 6'd0 && enable
                      && write_ready == !writing && w_ready == (writing && write_left != 2'd0) && write_done == (writing && write_left == 2'd0));
`endif

    // Descriptors: number `fetch` is read next or in hand. `data_left`: words of the fragment in hand not yet asked for.
    reg  [14:0] fetch, first;     // first: descriptor of this frame
    reg         in_hand, of_data, in_frame;
    reg  [29:0] data_addr;
    reg  [15:0] data_left;
    reg         eop, irq;
    reg  [31:0] word0, word1;
    reg  [15:0] mss;
    reg         frame_tso;
    reg  [18:0] octets;           // of the frame, without the fragment in hand
    reg  [15:0] len;

    wire        descriptor_end = read_end && !of_data;
    wire        taken    = read_end && of_data && data_left == 16'd0 && !fault;
    wire        tso      = in_frame ? frame_tso : read_data[20];
    wire [18:0] total    = octets + {3'd0, read_data[15:0]};
    wire        refused  = read_data[20] && (mss == 16'd0 || {3'd0, mss} + {11'd0, word1[23:16]} > FRAME_LIMIT
                                             || {1'b0, word1[7:0]} + 9'd20 > {1'b0, word1[23:16]});
    wire        malformed = read_data[15:0] == 16'd0 || total > (tso ? TSO_LIMIT : FRAME_LIMIT)
                            || (tso && read_data[16] && total <= {11'd0, word1[23:16]}) || (!in_frame && refused);
    wire [17:0] span = {16'd0, word0[1:0]} + {2'd0, read_data[15:0]} + 18'd3;

    always @(posedge clk) begin
        if (asks) of_data <= in_hand;
        if (word_read && !of_data) begin
            case (read_left)
                4'd3: word0 <= read_data;
                4'd2: if (!in_frame) word1 <= read_data;
                4'd1: if (!in_frame) mss <= read_data[15:0];
                default: begin
                    in_hand   <= !fault && !malformed;
                    data_addr <= word0[31:2];
                    data_left <= span[17:2];
                    {irq, eop} <= read_data[17:16];
                    len       <= read_data[15:0];
                    frame_tso <= tso;
                end
            endcase
        end
        if (asks && in_hand) begin
            data_addr <= data_addr + {26'd0, read_len} + 30'd1;
            data_left <= data_left - {12'd0, read_len} - 16'd1;
        end
        if (taken) begin
            in_hand  <= 1'b0;
            in_frame <= !eop;
            fetch    <= fetch + 15'd1;
            octets   <= eop ? 19'd0 : octets + {3'd0, len};
            if (eop) first <= fetch + 15'd1;
        end
        if (rst || dut.reset_done) begin
            {fetch, first, octets} <= 49'd0;
            {in_hand, in_frame}    <= 2'b00;
        end
    end

    // Frames that have been read whole and not written back, in a queue by their number
    wire        pushed_now = taken && eop;
    wire        stops      = write_done && write_error;
    wire        completes  = write_done && !write_error;
    reg  [3:0]  pushed, done, written;
    reg  [3:0]  orphans;           // given up, and not yet done
    reg         stopped;
    reg  [14:0] last_of [0:7], first_of [0:7];
    reg         irq_of [0:7];
    reg  [31:0] stamp_of [0:7];
    reg  [1:0]  error_of [0:7];
    reg  [14:0] head;
    wire [3:0]  undone     = pushed - done;
    wire        gives_up   = stops || dut.reset_done;
    wire        living     = pushed_now && !stopped;
    always @* assume (!frame_done || orphans != 4'd0 || undone != 4'd0);

    always @(posedge clk) begin
        if (living) begin
            last_of[pushed[2:0]]  <= fetch;
            first_of[pushed[2:0]] <= first;
            irq_of[pushed[2:0]]   <= irq;
        end
        if (frame_done && orphans == 4'd0) begin
            stamp_of[done[2:0]] <= timestamp_ns;
            error_of[done[2:0]] <= frame_error;
        end
        pushed  <= pushed + {3'd0, living};
        done    <= gives_up ? pushed + {3'd0, living} : done + {3'd0, frame_done && orphans == 4'd0};
        written <= gives_up ? pushed + {3'd0, living} : written + {3'd0, completes};
        orphans <= gives_up ? orphans + undone + {3'd0, pushed_now} - {3'd0, frame_done}
                            : orphans + {3'd0, pushed_now && stopped} - {3'd0, frame_done && orphans != 4'd0};
        if (completes) head <= last_of[written[2:0]] + 15'd1;
        if (irq_error) stopped <= 1'b1;
        if (dut.reset_done) {head, stopped} <= 16'd0;
        if (rst) begin
            {pushed, done, written, orphans} <= 16'd0;
            {head, stopped}                  <= 16'd0;
        end
    end

    // Errors, by what the buses have said
    reg         read_fault, data_fault, was_malformed, write_fault;
    reg  [1:0]  stop_error;
    reg  [14:0] stop_index;
    wire        endless = in_frame && !in_hand && ((fetch ^ dut.ring.tail) & dut.ring.mask) == 15'd0
                          && ((fetch + 15'd1 ^ head) & dut.ring.mask) == 15'd0;
    reg  [1:0]  was_endless;
    always @(posedge clk) begin
        was_endless <= {was_endless[0], endless};
        if (descriptor_end && fault) read_fault <= 1'b1;
        if (descriptor_end && !fault && malformed) was_malformed <= 1'b1;
        if (read_end && of_data && fault) data_fault <= 1'b1;
        if (irq_error) begin
            stop_error <= stops || read_fault ? BUS_ON_DESCRIPTOR : data_fault ? BUS_ON_DATA : MALFORMED;
            stop_index <= (stops ? last_of[written[2:0]] : fetch) & (stops ? 15'h7FFF : dut.ring.mask);
        end
        if (dut.reset_done) {stop_error, stop_index} <= 17'd0;
        if (rst) {stop_error, stop_index} <= 17'd0;
        if (rst || dut.reset_done) {read_fault, was_malformed, data_fault} <= 3'd0;
    end

    reg was_reset_done, recovered;
    always @(posedge clk) begin
        was_reset_done <= dut.reset_done && !rst;
        if (dut.reset_done && stopped) recovered <= 1'b1;
        if (rst) recovered <= 1'b0;
    end

    always @(posedge clk) if (started) begin
        // Reads
        if (read_valid && !in_hand) begin
            descriptor_in_order: assert (read_addr == {dut.ring.base + {13'd0, fetch & dut.ring.mask}, 2'd0} && read_len == 4'd3);
            descriptor_posted:   assert (((fetch ^ dut.ring.tail) & dut.ring.mask) != 15'd0);
            begun_if_enabled:    assert (in_frame || (enable && dut.ring.enable));
            stopped_on_error:    assert (!stopped);
        end
        if (read_valid && in_hand) begin
            fragment_in_order: assert (read_addr == data_addr && {12'd0, read_len} < data_left);
            within_64_octets:  assert ({1'b0, read_addr[3:0]} + {1'b0, read_len} < 5'd16);
        end
        if (read_valid) one_read_outstanding: assert (!reading);
        if (read_fault || data_fault || was_malformed) no_read_behind_a_fault: assert (!read_valid);

        // Writes
        if (write_valid) begin
            sent_frame_only:     assert (done != written);
            own_descriptor:      assert (write_addr == {dut.ring.base + {13'd0, last_of[written[2:0]] & dut.ring.mask}, 2'd2} && write_len == 4'd1);
            one_write_outstanding: assert (!writing);
        end
        if (w_valid && write_left == 2'd2) stamped:     assert (w_data == stamp_of[written[2:0]] && w_strb == 4'b1111);
        if (w_valid && write_left == 2'd1) marked_done: assert (w_data[31:24] == {6'b100000, error_of[written[2:0]]} && w_strb == 4'b1000);
        if (w_valid) no_word_too_many: assert (writing && write_left != 2'd0);

        // Completion
        if (completes) once_and_in_order: assert (done != written && head == first_of[written[2:0]]);
        told:           assert (irq_done == (completes && irq_of[written[2:0]] && !dut.reset));
        if (ring_address == HEAD) head_is_true: assert (ring_value == {17'd0, head & dut.ring.mask});
        if (pushed != written) none_lost: assert (dut.complete_busy);
        queue_has_room: assert (pushed - written <= 4'd8);

        // Errors and reset
        if (stops && !dut.reset && !stopped) write_error_stops: assert (irq_error);
        if (irq_error) for_a_reason: assert (!stopped && !dut.reset && (stops || read_fault || data_fault || was_malformed || was_endless != 2'b00));
        if (ring_address == STATUS) error_is_true: assert (ring_value[9:8] == stop_error && ring_value[30:16] == stop_index);
        if (dut.reset) nothing_begun_in_reset: assert (!read_valid && !write_valid && !irq_done);
        if (was_reset_done) nothing_after_reset: assert (!reading && !writing && !write_valid);

        two_fragments:  cover (irq_done && last_of[written[2:0]] == 15'd1 && first_of[written[2:0]] == 15'd0);
        given_up:       cover (dut.reset_done && in_frame && orphans == 4'd0 && undone == 4'd1);
        stopped_in_frame: cover (irq_error && data_fault && pushed != written);
        ring_too_small: cover (irq_error && was_endless[1]);
        works_again:    cover (completes && recovered);
    end

endmodule

`default_nettype wire
