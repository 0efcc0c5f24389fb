// SPDX-License-Identifier: Apache-2.0
//
// rx_dma: the receive ring writes to posted buffers and to the write-back words of its own descriptors, nowhere else; each
// posted descriptor is completed once, and in order; the head never passes the tail; nothing is begun after a reset.
//
// Software is free but for two things: base and size of the ring rest once it has been enabled, and a size is at most 4.
// The buses serve one burst at a time at their own pace, with or without errors; descriptors hold anything. Frames have
// up to 8 octets.

`default_nettype none

module rx_dma_proof (
    input wire        clk,
    input wire        rst,
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
    input wire        rec_valid,
    input wire [13:0] rec_length,
    input wire        s_axis_tvalid,
    input wire [7:0]  s_axis_tdata
);

    localparam [2:0] BASE = 0, SIZE = 1, CONTROL = 4;  // registers
    localparam [2:0] WRITE_BACK = 4;                   // state of rx_store

    wire [31:0] ring_value, w_data;
    wire        irq_done, irq_error, read_valid, write_valid, w_valid, rec_ready, s_axis_tready, idle;
    wire [29:0] read_addr, write_addr;
    wire [3:0]  read_len, write_len, w_strb;
    wire        read_data_last;

    (* hierconn *) wire [14:0] \dut.head ;
    (* hierconn *) wire [14:0] \dut.next ;
    (* hierconn *) wire        \dut.complete ;
    (* hierconn *) wire        \dut.buffer_take ;
    (* hierconn *) wire [31:0] \dut.buffer_addr ;
    (* hierconn *) wire [15:0] \dut.buffer_len ;
    (* hierconn *) wire [27:0] \dut.ring.base ;
    (* hierconn *) wire [14:0] \dut.ring.mask ;
    (* hierconn *) wire [14:0] \dut.ring.tail ;
    (* hierconn *) wire        \dut.reset ;
    (* hierconn *) wire        \dut.ring.reset_done ;
    (* hierconn *) wire [2:0]  \dut.rx_store.state ;

    rx_dma dut (
        .clk            (clk),
        .rst            (rst),
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
        .rec_valid      (rec_valid),
        .rec_ready      (rec_ready),
        .rec_length     (rec_length),
        .s_axis_tvalid  (s_axis_tvalid),
        .s_axis_tready  (s_axis_tready),
        .s_axis_tdata   (s_axis_tdata),
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
    always @* begin
        assume (!(configured && ring_write != 4'd0 && (ring_address == BASE || ring_address == SIZE)));
        assume (!(ring_write[0] && ring_address == SIZE && ring_write_data[3:0] > 4'd2));
    end

    // The read bus: four words a descriptor
    reg       reading;
    reg [1:0] beat;
    always @(posedge clk) begin
        if (read_data_valid) beat <= beat + 2'd1;
        if (read_data_valid && beat == 2'd3) reading <= 1'b0;
        if (read_valid && read_ready) {reading, beat} <= {1'b1, 2'd0};
        if (rst) reading <= 1'b0;
    end
    assign read_data_last = beat == 2'd3;
    always @* begin
        assume (!(read_ready && reading));
        assume (!read_data_valid || reading);
    end

    // The write bus: the words of a burst, then its response
    reg        writing;
    reg [4:0]  to_come;
    reg [29:0] at;
    always @(posedge clk) begin
        if (w_valid && w_ready) begin
            to_come <= to_come - 5'd1;
            at      <= at + 30'd1;
        end
        if (write_done) writing <= 1'b0;
        if (write_valid && write_ready) begin
            writing <= 1'b1;
            to_come <= {1'b0, write_len} + 5'd1;
            at      <= write_addr;
        end
        if (rst) writing <= 1'b0;
    end
    always @* begin
        assume (!(write_ready && writing));
        assume (!w_ready || (writing && to_come != 5'd0));
        assume (!write_done || (writing && to_come == 5'd0));
    end

    // Frames
    reg        waiting;
    reg [13:0] length;
    always @(posedge clk) begin
        waiting <= rec_valid && !rec_ready && !rst;
        length  <= rec_length;
    end
    always @* begin
        assume (rec_length != 14'd0 && rec_length <= 14'd8);
        if (started && waiting) assume (rec_valid && rec_length == length);
    end

    // The buffer in hand, as its descriptor posted it: `used` says that it has been taken and not completed
    reg [31:0] addr, read_base;
    reg [15:0] len, offset;
    reg        used;
    reg [14:0] index;
    wire [2:0]  octets = {2'd0, w_strb[0]} + {2'd0, w_strb[1]} + {2'd0, w_strb[2]} + {2'd0, w_strb[3]};
    wire [1:0]  lane   = w_strb[0] ? 2'd0 : w_strb[1] ? 2'd1 : w_strb[2] ? 2'd2 : 2'd3;
    wire [27:0] own    = dut.ring.base + {13'd0, dut.head};
    wire        asks_back = dut.rx_store.state == WRITE_BACK;
    wire        back      = at[29:2] == own && at[1:0] != 2'd0 && write_back;
    reg         write_back;   // the burst is one

    always @(posedge clk) begin
        if (read_data_valid && beat == 2'd0) read_base <= read_data;
        if (dut.buffer_take) begin
            addr   <= read_base;
            offset <= 16'd0;
            len    <= dut.buffer_len;
            index  <= dut.next;
            used   <= 1'b1;
        end
        if (w_valid && w_ready && !write_back) offset <= offset + {13'd0, octets};
        if (write_valid && write_ready) write_back <= write_addr == {own, 2'd1} && write_len == 4'd2 && asks_back;
        if (dut.complete) used <= 1'b0;
        if (dut.ring.reset_done) used <= 1'b0;
        if (rst) used <= 1'b0;
    end
    reg was_reset_done;
    always @(posedge clk) was_reset_done <= dut.ring.reset_done && !rst;

    wire [31:0] octet_at = {at, lane};

    always @(posedge clk) if (started) begin
        if (write_valid) only_for_a_buffer: assert (used);
        if (write_valid) within_64_octets:  assert ({1'b0, write_addr[3:0]} + {1'b0, write_len} < 5'd16 || asks_back);
        if (w_valid && w_ready && !write_back) begin
            within_the_buffer: assert (used && {1'b0, offset} + {14'd0, octets} <= {1'b0, len} && octets != 3'd0);
            in_its_place:      assert (octet_at == addr + {16'd0, offset});
        end
        if (w_valid && w_ready && write_back) own_descriptor: assert (back && w_strb == 4'b1111);
        if (dut.complete) once_and_in_order: assert (used && index == dut.head);
        if (dut.buffer_take) one_in_hand:    assert (!used);
        if (read_valid) descriptor_posted:
            assert (read_addr == {dut.ring.base + {13'd0, dut.next}, 2'd0} && dut.next != (dut.ring.tail & dut.ring.mask));
        if (used) head_behind_next: assert (((dut.next - dut.head) & dut.ring.mask) == 15'd1 || dut.ring.mask == 15'd0);
        if (was_reset_done) nothing_after_reset: assert (!writing && !reading && !used && !write_valid && !irq_done);
        if (dut.reset) nothing_begun_in_reset: assert (!read_valid && !write_valid && !irq_done);
        never_too_many: assert (!(w_valid && writing) || to_come != 5'd0);

        completed:    cover (dut.complete && dut.head == 15'd1 && offset == 16'd3);
        given_up:     cover (dut.ring.reset_done && used);
        in_two_parts: cover (irq_done && len == 16'd2 && index == 15'd1);
    end

endmodule

`default_nettype wire
