#!/bin/sh
# SPDX-License-Identifier: MIT
# `make demo`, once set-up and build are done: the OCaml compiler boots on Bactrian, and
# the heap's counters stay true under compaction. Under 5 minutes on two cores.
set -eu
cd "$(dirname "$0")/.."
. build/toolchain.env
work=build/demo
bactrian=build/release/bin/ocamlrun
mkdir -p $work

echo "1. The bootstrap compiler of OCaml 5.3.0, unmodified, builds the standard library on Bactrian"
echo "   and, in turn, on the stock interpreter."
bench/bench-boot 1 $work

echo
echo "2. The same compiler, on Bactrian, compiles examples/compaction_stats.ml."
examples/build.sh $bactrian $work/bactrian/stdlib $work bactrian
examples/build.sh $bactrian $work/bactrian/stdlib $work stock

echo
echo "   It runs on Bactrian with the heap verifier on (OCAMLRUNPARAM=V=1):"
OCAMLRUNPARAM=V=1 $bactrian $work/compaction_stats-bactrian.byte 4 40 120 || echo "   (that should not have been)"

echo
echo "   The same program on stock OCaml 5.3, where a compaction does not subtract the garbage that it"
echo "   meets, so that free words fall below zero (2 domains, OCAMLRUNPARAM=s=32k; the first five are shown):"
OCAMLRUNPARAM=s=32k "$STOCK_OCAMLRUN" $work/compaction_stats-stock.byte -q 2 100 40 || true
