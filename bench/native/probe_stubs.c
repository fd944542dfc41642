/* SPDX-License-Identifier: MIT */
/* The clock of probe.ml. A look costs some 30 ns: the thread's processor time, which is a system call, is read only when
 * STEP has passed on the wall clock. So a pause is told with up to STEP of the program's own work. State: of one thread. */
#include <caml/alloc.h>
#include <caml/mlvalues.h>
#include <time.h>

enum { STEP = 50 * 1000 };   /* ns */

static long long last_wall, last_cpu, longest;

static long long now(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

value probe_look(value unit)
{
  long long wall = now(CLOCK_MONOTONIC);
  if (wall - last_wall < STEP) return Val_unit;
  long long cpu = now(CLOCK_THREAD_CPUTIME_ID);
  if (last_wall != 0 && cpu - last_cpu > longest) longest = cpu - last_cpu;
  last_wall = wall;
  last_cpu = cpu;
  return Val_unit;
}

value probe_longest_ms(value unit) { return caml_copy_double((double)longest / 1e6); }
