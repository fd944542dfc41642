#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs each C test program of one folder: the suite files of those folders call it.
#
# usage: tests/programs.sh FOLDER
#
# A program prints `N passed, N failed`, or its exit code is its verdict. No leak check: the
# heap is kept until the process ends. A too large malloc answers NULL, as without ASan.
set -u
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
for source in "tests/$1"/*.c; do
  [ -e "$source" ] || continue
  name=$(basename "$source" .c)
  echo "== $name"
  out=$("$BUILD/tests/$1/$name" 2>&1)
  status=$?
  printf '%s\n' "$out"
  case $status:$out in
    0:*" passed, "* | *" passed, "*[1-9]*" failed"*) ;;
    0:*) echo "ok $name" ;;
    *) echo "not ok $name exit code $status" ;;
  esac
done
