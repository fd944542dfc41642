#!/bin/sh
# SPDX-License-Identifier: MIT
# Bootstraps the bytecode compiler on a runtime, to its fixpoint.
#
# usage: tests/boot/compiler.sh RUNTIME DIR [STAGES [LAST]]
#
# Stage 1: boot/ocamlc builds the standard library and the compiler. Stage n+1:
# the compiler of stage n builds both again, in the same tree. After each stage
# the checksums of all results (.cmi .cmo .cma, ocamlc) are in DIR.stage<n>.
# With STAGES=2 (default) the last two stages must agree: else exit 1 and the names
# that differ. STAGES=1 only builds. With LAST=stdlib the last stage is the library alone, and so is
# what must agree.
set -eu
here=$(dirname "$0")
runtime=$(realpath -s "$1") dir=$2 stages=${3:-2} last=${4:-ocamlc}

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
  if [ "$last" = stdlib ]; then
    (cd "$dir" && sha256sum stdlib/*.cm[ioa])
  else
    (cd "$dir" && find . -name '*.cm[ioa]' ! -path './boot/*' -exec sha256sum {} + && sha256sum ocamlc)
  fi | sort -k 2
}

stage=1
while :; do
  build stdlib 'USE_BOOT_OCAMLC=true all'
  (cd "$dir/stdlib" && cp stdlib.cma std_exit.cmo ./*.cmi runtime-launch-info ../boot/)
  [ "$stage" = "$stages" ] && [ "$last" = stdlib ] || build . ocamlc
  sums >"$dir.stage$stage"
  [ "$stage" -lt "$stages" ] || break
  cp "$dir/ocamlc" "$dir/boot/ocamlc.next"
  (cd "$dir" && find . -name '*.cm*' ! -path './boot/*' -exec rm -f {} + && rm -f ocamlc parsing/lexer.ml)
  mv "$dir/boot/ocamlc.next" "$dir/boot/ocamlc"
  stage=$((stage + 1))
done

[ "$stages" -gt 1 ] || exit 0
if ! cmp -s "$dir.stage$((stage - 1))" "$dir.stage$stage"; then
  echo "no fixpoint; the results that differ:"
  diff "$dir.stage$((stage - 1))" "$dir.stage$stage" | sed -n 's/^> [0-9a-f]* */  /p'
  exit 1
fi
