// SPDX-License-Identifier: Apache-2.0
//
// A cover as an assertion that it is never reached: a search for counterexamples is then a search for covers.

module \$cover (
    input A,
    input EN
);

    \$assert never (
        .A (!A),
        .EN(EN)
    );

endmodule
