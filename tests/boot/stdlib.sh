#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles the whole standard library with the bootstrap compiler on a runtime.
#
# usage: tests/boot/stdlib.sh RUNTIME DIR [-n]
#
# RUNTIME is an ocamlrun; the result is in DIR/stdlib (*.cmi *.cmo stdlib.cma).
# The sources are compiled by their own makefile, with its own flags and order.
# With -n the tree is laid out and the commands are only printed, to be
# run in DIR/stdlib with AWK in the environment; a command may go on after a backslash.
# JOBS=n compiles n files at a time.
set -eu
here=$(dirname "$0")
runtime=$(realpath -s "$1") dir=$2

"$here/tree.sh" "$dir"
unset MAKEFLAGS MFLAGS MAKELEVEL CAMLLIB OCAMLLIB
# Absolute names in the output must not tell where DIR is.
BUILD_PATH_PREFIX_MAP="/ocaml=$(realpath "$dir")"
export BUILD_PATH_PREFIX_MAP
exec make ${3:-} -s -j"${JOBS:-1}" -C "$dir/stdlib" V=1 \
  OCAMLRUN="$runtime" USE_BOOT_OCAMLC=true stdlib.cma std_exit.cmo
