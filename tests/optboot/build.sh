#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the OCaml distribution with the native compilers ocamlc.opt and ocamlopt.opt of a folder.
#
# usage: tests/optboot/build.sh COMPILERS DIR [all]
#
# In DIR: the standard library, for bytecode and as native code; with `all` also the compilers, their libraries, the toplevel
# and the other libraries. The sources are compiled by their own makefiles, which would run bytecode compilers: as-native
# stands where they expect the interpreter. The checksums of all that OCaml's and C's compilers left are in DIR.sums.
#
# The folders' names are in the results: to be compared, they must be made in one place by compilers in one place.
set -eu
here=$(realpath "$(dirname "$0")")
. "$here/../../build/toolchain.env"
COMPILERS=$(realpath -s "$1") dir=$2 what=${3:-stdlib}
export COMPILERS STOCK_OCAMLRUN

"$here/../boot/tree.sh" "$dir"
unset MAKEFLAGS MFLAGS MAKELEVEL CAMLLIB OCAMLLIB

build()
{
  make -s -j"${JOBS:-1}" -C "$dir/$1" OCAMLRUN="$here/as-native" NEW_OCAMLRUN="$here/as-native" $2 >>"$dir.log" 2>&1 || {
    tail -n 20 "$dir.log"
    exit 1
  }
}

# What the standard library's makefile waits for, and the compilers' replaces.
: >"$dir/ocamlopt"
: >"$dir.log"
build stdlib 'USE_BOOT_OCAMLC=true all allopt'
if [ "$what" = all ]; then
  (cd "$dir/stdlib" && cp stdlib.cma std_exit.cmo ./*.cmi runtime-launch-info ../boot/)
  rm "$dir/ocamlopt"
  build . 'ocamlc ocamlopt'
  build stdlib allopt
  lib=compilerlibs/ocaml
  build . "${lib}common.cmxa ${lib}bytecomp.cmxa ${lib}middleend.cmxa ${lib}optcomp.cmxa ${lib}toplevel.cmxa ${lib}toplevel.cma \
    driver/main.cmx driver/optmain.cmx otherlibs/dynlink/dynlink.cma"
  build otherlibs/unix 'unix.cmo unixLabels.cmo unix.cmx unixLabels.cmx'
  build otherlibs/str 'str.cmo str.cmx'
  build otherlibs/systhreads 'thread.cmo event.cmo thread.cmx event.cmx'
  build otherlibs/runtime_events 'runtime_events.cmo runtime_events.cmx'
fi
cd "$dir"
find . \( -name '*.cm*' -o -name '*.o' -o -name '*.a' -o -path ./ocamlc -o -path ./ocamlopt \) -type f -size +0 -exec sha256sum {} + |
  sort -k 2 >"$dir.sums"
