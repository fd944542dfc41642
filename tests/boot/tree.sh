#!/bin/sh
# SPDX-License-Identifier: MIT
# Lays out a tree in which boot/ocamlc can build the standard library and the
# bytecode compiler: the configured sources, nothing compiled.
#
# usage: tests/boot/tree.sh DIR        (DIR is replaced)
#
# Files that the bootstrap itself generates with OCaml programs (lexers, the
# opcode table) are left out too, so that they are made on the runtime under test.
set -eu
. "$(dirname "$0")/../../build/toolchain.env"
dir=$1

rm -rf "$dir"
mkdir -p "$dir/boot" "$dir/compilerlibs"
dir=$(realpath "$dir")
cd "$OCAML_SRC"
tar -cf - \
  --exclude='*.cm*' --exclude='*.o' --exclude='*.a' --exclude='*.so' --exclude='*.annot' \
  --exclude=parsing/lexer.ml --exclude=tools/make_opcodes.ml --exclude='bytecomp/opcodes.ml*' \
  --exclude=runtime/ocamlrun* --exclude=stdlib/*runtime-launch-info --exclude=*/expunge \
  .depend .depend.menhir VERSION config.status Makefile Makefile.* build-aux boot/ocamlc boot/ocamllex boot/menhir \
  stdlib utils parsing typing bytecomp file_formats lambda middle_end asmcomp driver \
  toplevel tools runtime lex yacc otherlibs |
  tar -xf - -C "$dir"
