#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Suites with other random numbers than they otherwise have: seeds.sh SEEDS SUITE... What fails by one of them was lucky
# before, or has found something.
seeds=$1
shift
failed=0
for suite in "$@"; do
    for seed in $(seq "$seeds"); do
        if ! said=$(LANYARD_SEED=$seed "$suite" 2>&1); then
            printf '%s\nLANYARD_SEED=%s %s\n' "$said" "$seed" "$suite"
            failed=1
        fi
    done
done
exit $failed
