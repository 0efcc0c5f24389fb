// SPDX-License-Identifier: Apache-2.0
//
// Several clocks in a model that moves in steps: a clock is high in just those steps at whose end it has a rising edge.

module \$dff (
    CLK,
    D,
    Q
);

    parameter WIDTH = 1;
    parameter CLK_POLARITY = 1'b1;

    input CLK;
    input [WIDTH-1:0] D;
    output [WIDTH-1:0] Q;

    wire _TECHMAP_FAIL_ = !CLK_POLARITY;

    \$ff #(
        .WIDTH(WIDTH)
    ) kept (
        .D(CLK ? D : Q),
        .Q(Q)
    );

endmodule
