// SPDX-License-Identifier: Apache-2.0
//
// ones_sum: against the definition of RFC 1071, the 16-bit sum of the words with the carry added at the end.

`default_nettype none

module ones_sum_proof (
    input wire        clk,
    input wire        clear,
    input wire [15:0] seed,
    input wire        add,
    input wire [7:0]  data
);

    wire [15:0] sum;
    wire        complete;

    (* hierconn *) wire \dut.carry ;

    ones_sum dut (
        .clk     (clk),
        .clear   (clear),
        .seed    (seed),
        .add     (add),
        .data    (data),
        .sum     (sum),
        .complete(complete)
    );

    reg started = 1'b0;
    always @(posedge clk) started <= 1'b1;
    always @* assume (started || clear);

    function [15:0] ones_add(input [15:0] a, input [15:0] b);
        reg [16:0] total;
        begin
            total    = {1'b0, a} + {1'b0, b};
            ones_add = total[15:0] + {15'd0, total[16]};
        end
    endfunction

    reg        odd;
    reg [15:0] right;
    reg [1:0]  zeros;  // the latest octets that were 0, up to 2

    always @(posedge clk) begin
        if (add) begin
            odd   <= !odd;
            right <= ones_add(right, odd ? {8'd0, data} : {data, 8'd0});
            zeros <= data != 0 ? 2'd0 : zeros == 2'd2 ? 2'd2 : zeros + 2'd1;
        end
        if (clear) begin
            odd   <= 1'b0;
            right <= seed;
            zeros <= 2'd0;
        end
    end

    always @(posedge clk) if (started) begin
        never_all_ones_and_carry: assert (!(&sum && dut.carry));
        sums_by_definition:
            assert (right == (odd ? ones_add({sum[7:0], sum[15:8]}, {15'd0, dut.carry})
                                  : ones_add(sum, {7'd0, dut.carry, 8'd0})));
        two_zeros_settle: assert (zeros != 2'd2 || (!dut.carry && right == (odd ? {sum[7:0], sum[15:8]} : sum)));
        complete_is_true: assert (complete == (right == 16'hFFFF));

        completed:      cover (complete && !odd && dut.carry);
        carry_settled:  cover (zeros == 2'd2 && right == 16'h0001 && !odd);
    end

endmodule

`default_nettype wire
