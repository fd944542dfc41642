#!/bin/sh
# SPDX-License-Identifier: MIT
# Bootstraps the bytecode compiler on a runtime.
#
# usage: tests/boot/compiler.sh RUNTIME DIR WHAT
#
# Stage 1: boot/ocamlc builds the standard library and the compiler. Stage 2: that compiler builds both again, in the same tree;
# where WHAT is `stdlib`, in place of `ocamlc`, the library alone. Checksums of the results of WHAT (.cmi .cmo .cma, ocamlc) are in
# DIR.stage1 and DIR.stage2. They must agree: else exit 1 and the names that differ.
set -eu
here=$(dirname "$0")
runtime=$(realpath -s "$1") dir=$2 what=$3

"$here/tree.sh" "$dir"
unset MAKEFLAGS MFLAGS MAKELEVEL CAMLLIB OCAMLLIB
BUILD_PATH_PREFIX_MAP="/ocaml=$(realpath "$dir")"
export BUILD_PATH_PREFIX_MAP

build()
{
  make -s -j"${JOBS:-1}" -C "$dir/$1" OCAMLRUN="$runtime" NEW_OCAMLRUN="$runtime" \
    $2 >"$dir.log" 2>&1 || {
    tail -n 20 "$dir.log"
    exit 1
  }
}
sums()
{
  if [ "$what" = stdlib ]; then
    (cd "$dir" && sha256sum stdlib/*.cm[ioa])
  else
    (cd "$dir" && find . -name '*.cm[ioa]' ! -path './boot/*' -exec sha256sum {} + && sha256sum ocamlc)
  fi | sort -k 2
}

build_stdlib()
{
  build stdlib 'USE_BOOT_OCAMLC=true all'
  (cd "$dir/stdlib" && cp stdlib.cma std_exit.cmo ./*.cmi runtime-launch-info ../boot/)
}

build_stdlib
build . ocamlc
sums >"$dir.stage1"
cp "$dir/ocamlc" "$dir/boot/ocamlc.next"
(cd "$dir" && find . -name '*.cm*' ! -path './boot/*' -exec rm -f {} + && rm -f ocamlc parsing/lexer.ml)
mv "$dir/boot/ocamlc.next" "$dir/boot/ocamlc"
build_stdlib
[ "$what" = stdlib ] || build . ocamlc
sums >"$dir.stage2"
if ! cmp -s "$dir.stage1" "$dir.stage2"; then
  echo "no fixpoint; the results that differ:"
  diff "$dir.stage1" "$dir.stage2" | sed -n 's/^> [0-9a-f]* */  /p'
  exit 1
fi
