#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles the example for one runtime, with the bootstrap compiler on Bactrian.
#
# usage: examples/build.sh RUNTIME STDLIB WORK bactrian|stock
#
# RUNTIME is Bactrian's ocamlrun, STDLIB a folder with a compiled standard library; leaves
# WORK/compaction_stats-bactrian.byte or -stock.byte.
set -eu
here=$(dirname "$0")
. "$here/../build/toolchain.env"
runtime=$(realpath "$1") stdlib=$(realpath "$2") work=$3 variant=$4

mkdir -p "$work/$variant"
cp "$here/probe.mli" "$here/$variant/probe.ml" "$here/compaction_stats.ml" "$work/$variant/"
# The compiler asks the runtime that the program is for which primitives it has.
case $variant in
  bactrian) target=$runtime ;;
  stock) target=$STOCK_OCAMLRUN ;;
esac
cd "$work/$variant"
# The toolchain's folder has the launcher's description (runtime-launch-info), which linking reads.
"$runtime" "$OCAML_SRC/boot/ocamlc" -g -nostdlib -I "$stdlib" -I "$OCAML_LIB" -use-runtime "$target" \
  -o "../compaction_stats-$variant.byte" probe.mli probe.ml compaction_stats.ml
