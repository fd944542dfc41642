#!/bin/sh
# SPDX-License-Identifier: MIT
# Set-up: what building, the demo and the tests need and is not there yet.
#
# usage: tools/setup.sh
#
# 1. Debian packages: installed as root or through sudo; without that right the one
#    command that is missing is printed, and set-up stops.
# 2. The OCaml 5.3.0 sources with their bootstrap compiler: the npm package of
#    that name and version, checked against the sum below, configured in $cache/src.
# 3. A stock OCaml 5.3 toolchain: the one on PATH, or one built in $cache/src and
#    installed in $cache/prefix.
# 4. build/toolchain.env: where these are, as NAME=value lines for the scripts.
#
# $cache is ${XDG_CACHE_HOME:-~/.cache}/bactrian/ocaml-5.3.0. Parts appear there by renaming once they
# are whole, so set-up that was interrupted starts that part again. When
# nothing is missing, set-up only looks, and does no work.
set -eu
cd "$(dirname "$0")/.."

version=5.3.0
integrity='D0uG44Q3r6LY4wSzhBZpHe+q1yMJ4QHgk5R1Osv7qLWBgWPQ2jE60vY6rXgJraL/H9fvsWOF3KZSIro/bS+Z8A=='
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bactrian/ocaml-$version
jobs=$(nproc)

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# ---- 1. Debian packages ----

sources_present() { [ -f "$cache/src/boot/ocamlc" ] && [ -f "$cache/src/stdlib/sys.ml" ]; }

# The sanitizers' libraries for clang are a package of their own; its name for the file varies.
clang_sanitizes()
{
  have clang || return 1
  [ -e "$(clang -print-file-name=libclang_rt.asan-$(uname -m).a)" ] ||
    [ -e "$(clang -print-file-name=libclang_rt.asan.a)" ]
}

missing_packages()
{
  have gcc || echo gcc libc6-dev
  have g++ || echo g++
  have pkg-config || echo pkg-config
  have make || echo make
  have python3 || echo python3
  [ -e /usr/include/zstd.h ] || echo libzstd-dev
  have clang || echo clang
  clang_sanitizes || echo libclang-rt-dev
  sources_present || have npm || echo npm
}

install_packages()
{
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif have sudo && sudo -n true 2>/dev/null || { have sudo && [ -t 0 ]; }; then
    as_root=sudo
  else
    die "missing; run this, then again what you ran: apt-get install -y --no-install-recommends $*"
  fi
  have apt-get || die "missing, and there is no apt-get here to install them: $*"
  mkdir -p "$cache"
  say "installing Debian packages: $*"
  $as_root apt-get update -q >"$log" 2>&1 || true
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "$@" </dev/null >>"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    die "apt-get could not install: $* (whole log: $log)"
  }
}

# ---- 2. The sources ----

fetch_sources()
{
  say "fetching ocaml@$version from the npm registry"
  (cd "$work" && npm pack "ocaml@$version" --loglevel=error --fetch-retries=1 </dev/null >"$log" 2>&1) || {
    why=$(sed -n 's/^npm [a-zA-Z]*!* .*reason: *//p' "$log" | head -n 1)
    die "cannot fetch ocaml@$version from the npm registry (${why:-no network?}), and $cache is empty"
  }
  sum=$(sha512sum "$work/ocaml-$version.tgz" | cut -d ' ' -f 1)
  wanted=$(printf %s "$integrity" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  [ "$sum" = "$wanted" ] || die "ocaml@$version from the npm registry has the wrong sha512 sum: $sum"
  tar -xzf "$work/ocaml-$version.tgz" -C "$work"
  mv "$work/package" "$work/src"
}

# ---- 3. The toolchain ----

# Long steps: a line every 20 seconds, the output in a log.
run_long()
{
  what=$1 failed=
  shift
  say "$what"
  (
    seconds=0
    while sleep 20 >/dev/null; do
      seconds=$((seconds + 20))
      say "  ... $seconds s, $(wc -l <"$log") lines of output"
    done
  ) &
  ticker=$!
  "$@" </dev/null >"$log" 2>&1 || failed=1
  kill "$ticker"
  [ -z "$failed" ] || {
    tail -n 15 "$log" >&2
    die "$what: failed (whole log: $log)"
  }
}

ocaml_on_path()
{
  have ocamlc && have ocamlrun || return 1
  case $(ocamlc -version 2>/dev/null) in 5.3.*) ;; *) return 1 ;; esac
}

# Code of such a compiler has frames, and calls functions, that the native back end does not know.
refuse_variants()
{
  ! ocaml_on_path || ! ocamlc -config | grep -Eq '^(with_frame_pointers|tsan): true' ||
    die "the OCaml on PATH was configured with frame pointers or for TSan, for which there is no native back end: take another"
}

in_sources() { (cd "$work/src" && unset MAKEFLAGS MFLAGS MAKELEVEL && "$@"); }

# The prefix is renamed into place first and the sources last: sources present
# means that all is there.
provide_toolchain()
{
  run_long "configuring OCaml $version" in_sources ./configure --prefix="$cache/prefix"
  if ocaml_on_path; then
    # What the compiler's makefile reads and a build of the runtime would have left.
    run_long "listing the primitives of OCaml $version" in_sources make runtime/primitives
  else
    run_long "building OCaml $version (3 to 12 minutes)" in_sources make -j"$jobs"
    run_long "installing OCaml $version" in_sources make install DESTDIR="$work/dest"
    rm -rf "$cache/prefix"
    mv "$work/dest$cache/prefix" "$cache/prefix"
  fi
  rm -rf "$cache/src"
  mv "$work/src" "$cache/src"
}

# ---- 4. What the scripts read ----

write_env()
{
  if ocaml_on_path; then
    bin=$(dirname "$(command -v ocamlc)")
  else
    bin=$cache/prefix/bin
  fi
  debug_runtime=
  [ ! -x "$bin/ocamlrund" ] || debug_runtime=$bin/ocamlrund
  new="OCAML_SRC=$cache/src
OCAML_BIN=$bin
OCAMLC=$bin/ocamlc
OCAML_LIB=$("$bin/ocamlc" -where)
STOCK_OCAMLRUN=$bin/ocamlrun
STOCK_OCAMLRUND=$debug_runtime"
  mkdir -p build
  [ "$new" = "$(cat build/toolchain.env 2>/dev/null)" ] || printf '%s\n' "$new" >build/toolchain.env
}

toolchain_present() { sources_present && { ocaml_on_path || [ -x "$cache/prefix/bin/ocamlc" ]; }; }

refuse_variants
packages=$(missing_packages)
if [ -z "$packages" ] && toolchain_present; then
  write_env
  exit 0
fi

log=$cache/setup.log
[ -z "$packages" ] || install_packages $packages

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if ! toolchain_present; then
  rm -rf "$cache"/work.*
  work=$cache/work.$$
  mkdir "$work"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  fetch_sources
  provide_toolchain
fi
write_env
say "OCaml: $("$bin/ocamlc" -version) in $bin; sources in $cache/src"
