/* SPDX-License-Identifier: MIT */
/* C stubs compiled with the stock headers, for what reaches into the runtime: channels that C code
 * locks, timing hooks, the collector's ratios. runtime_test.ml calls them. */
#define CAML_INTERNALS
#include <caml/alloc.h>
#include <caml/callback.h>
#include <caml/custom.h>
#include <caml/domain_state.h>
#include <caml/fail.h>
#include <caml/gc_ctrl.h>
#include <caml/io.h>
#include <caml/memory.h>
#include <caml/misc.h>
#include <caml/mlvalues.h>
#include <caml/startup_aux.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- Channels ---- */

/* Both ends of a pipe, as descriptors. */
value r_pipe(value unit)
{
  int ends[2];
  if (pipe(ends) != 0) caml_failwith("pipe");
  value pair = caml_alloc_small(2, 0);
  Field(pair, 0) = Val_int(ends[0]);
  Field(pair, 1) = Val_int(ends[1]);
  return pair;
}

/* SIGALRM in so many milliseconds. */
value r_alarm(value ms)
{
  struct itimerval once = {{0, 0}, {0, 1000 * Long_val(ms)}};
  setitimer(ITIMER_REAL, &once, NULL);
  return Val_unit;
}

value r_is_locked(value channel)
{
  struct channel *c = Channel(channel);
  if (pthread_mutex_trylock((pthread_mutex_t *)&c->mutex) != 0) return Val_true;
  pthread_mutex_unlock((pthread_mutex_t *)&c->mutex);
  return Val_false;
}

value r_lock_and_fail(value channel)
{
  caml_channel_lock(Channel(channel));
  caml_failwith("locked");
}

value r_lock_and_exhaust(value channel)
{
  caml_channel_lock(Channel(channel));
  return caml_alloc_string((mlsize_t)1 << 60);
}

/* f's exception passes through. */
value r_lock_and_call(value channel, value f)
{
  CAMLparam2(channel, f);
  caml_channel_lock(Channel(channel));
  caml_callback(f, Val_unit);
  caml_channel_unlock(Channel(channel));
  CAMLreturn(Val_unit);
}

/* f's exception stops here. Is the channel still locked after it? */
value r_lock_and_catch(value channel, value f)
{
  CAMLparam2(channel, f);
  caml_channel_lock(Channel(channel));
  caml_callback_exn(f, Val_unit);
  value kept = r_is_locked(channel);
  if (Bool_val(kept)) caml_channel_unlock(Channel(channel));
  CAMLreturn(kept);
}

/* ---- Timing hooks ---- */

enum { MINOR, SLICE, FINALISE, KINDS };
static atomic_long begun[KINDS], ended[KINDS], terminated, misplaced;

/* Each is inside its domain, whose state it may read. */
static void begins(int kind)
{
  if (Caml_state_opt == NULL || Caml_state->id < 0) misplaced++;
  begun[kind]++;
}
static void ends(int kind)
{
  if (Caml_state_opt == NULL || Caml_state->id < 0 || ended[kind] >= begun[kind]) misplaced++;
  ended[kind]++;
}
static void minor_begins(void) { begins(MINOR); }
static void minor_ends(void) { ends(MINOR); }
static void slice_begins(void) { begins(SLICE); }
static void slice_ends(void) { ends(SLICE); }
static void finalise_begins(void) { begins(FINALISE); }
static void finalise_ends(void) { ends(FINALISE); }
static void domain_terminates(void)
{
  if (Caml_state_opt == NULL || Caml_state->id <= 0) misplaced++;
  terminated++;
}

value r_hooks(value on)
{
  int set = Bool_val(on);
  caml_minor_gc_begin_hook = set ? minor_begins : NULL;
  caml_minor_gc_end_hook = set ? minor_ends : NULL;
  caml_major_slice_begin_hook = set ? slice_begins : NULL;
  caml_major_slice_end_hook = set ? slice_ends : NULL;
  caml_finalise_begin_hook = set ? finalise_begins : NULL;
  caml_finalise_end_hook = set ? finalise_ends : NULL;
  caml_domain_terminated_hook = set ? domain_terminates : NULL;
  return Val_unit;
}

/* How often since the last time: minor begins and ends, slices, finalisers; domains; misplaced. */
value r_counts(value unit)
{
  long counts[2 * KINDS + 2];
  for (int kind = 0; kind < KINDS; kind++) {
    counts[2 * kind] = atomic_exchange(&begun[kind], 0);
    counts[2 * kind + 1] = atomic_exchange(&ended[kind], 0);
  }
  counts[2 * KINDS] = atomic_exchange(&terminated, 0);
  counts[2 * KINDS + 1] = atomic_exchange(&misplaced, 0);
  value result = caml_alloc_small(2 * KINDS + 2, 0);
  for (int i = 0; i < 2 * KINDS + 2; i++) Field(result, i) = Val_long(counts[i]);
  return result;
}

/* ---- Others ---- */

value r_ratio(value unit) { return Val_long(caml_custom_major_ratio); }

/* In the locale C no other character than those of ASCII has bytes. */
value r_sprintf_fails(value unit) { return caml_alloc_sprintf("%ls", L"\x20AC"); }

/* Does a major collection end while C code makes large blocks, [most] of them at the most, and nothing else? */
value r_large_collects(value most)
{
  uintnat before = caml_stat_major_collections;
  intnat left = Long_val(most);
  while (left > 0 && caml_stat_major_collections == before) {
    caml_alloc_string(100 * 1000);
    left--;
  }
  return Val_bool(left > 0);
}

/* The limit of domains, as C code sees it. */
value r_max_domains(value unit) { return Val_long(caml_params->max_domains); }

/* Pages of memory that the process has. */
value r_resident(value unit)
{
  long size = 0, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2) resident = -1;
  if (f) fclose(f);
  return Val_long(resident);
}
