/* SPDX-License-Identifier: MIT */
/* The primitives of the module Gc: statistics, parameters, collections on
 * demand. Finalisers: finalise.c.
 *
 * The figures and what they mean are gc.h's and gc.mli's; here they become
 * OCaml records. After a collection the finalisers that it made ready are run, so
 * these primitives run OCaml code and may raise.
 *
 * No state. */
#include "abi/params.h"
#include "abi/runtime.h"
#include "base/bits.h"
#include "gc/hooks.h"
#include "os/os.h"
#include "prims/gcctrl.h"
#include "sync/atomic.h"

/* ---- Statistics ---- */

/* The record of 17 fields: gc.mli, type stat. */
static value stat_record(const struct gc_stats *s)
{
  value minor = Val_unit, promoted = Val_unit, major = Val_unit;
  LOCAL_ROOTS(&minor, &promoted, &major);
  minor = caml_copy_double((double)s->minor_words);
  promoted = caml_copy_double((double)s->promoted_words);
  major = caml_copy_double((double)s->major_words);
  const value fields[] = {
      minor, promoted, major,
      count_val(s->minor_collections), count_val(s->major_collections),
      count_val(s->heap_words), count_val(s->heap_chunks),
      count_val(s->live_words), count_val(s->live_blocks),
      count_val(s->free_words), count_val(s->free_blocks), count_val(s->largest_free),
      count_val(s->fragments), count_val(s->compactions), count_val(s->top_heap_words),
      count_val(s->stack_words), count_val(s->forced_major_collections),
  };
  value record = caml_alloc_small(countof(fields), 0);
  memcpy(Op_val(record), fields, sizeof fields);
  Field(record, 0) = minor;
  Field(record, 1) = promoted;
  Field(record, 2) = major;
  return record;
}

CAMLprim value caml_gc_quick_stat(value unit)
{
  struct gc_stats s;
  gc_quick_stat(domain_self(), &s);
  s.stack_words = backend_stack_words();
  return stat_record(&s);
}

CAMLprim value caml_gc_stat(value unit)
{
  struct gc_stats s;
  trace_begin(domain_self(), TRACE_GC_STAT);
  gc_stat(domain_self(), &s);
  trace_end(domain_self(), TRACE_GC_STAT);
  s.stack_words = backend_stack_words();
  value record = stat_record(&s);
  return caml_process_pending_actions_with_root(record);
}

CAMLprim value caml_gc_counters(value unit)
{
  uint64_t minor_words, promoted_words, major_words;
  gc_counters(domain_self(), &minor_words, &promoted_words, &major_words);
  value minor = Val_unit, promoted = Val_unit, major = Val_unit;
  LOCAL_ROOTS(&minor, &promoted, &major);
  minor = caml_copy_double((double)minor_words);
  promoted = caml_copy_double((double)promoted_words);
  major = caml_copy_double((double)major_words);
  return caml_alloc_3(0, minor, promoted, major);
}

CAMLexport double caml_gc_minor_words_unboxed(value unit)
{
  uint64_t minor, promoted, major;
  gc_counters(domain_self(), &minor, &promoted, &major);
  return (double)minor;
}
CAMLprim value caml_gc_minor_words(value unit)
{
  return caml_copy_double(caml_gc_minor_words_unboxed(unit));
}

CAMLprim value caml_get_minor_free(value unit) { return count_val(gc_minor_free(domain_self())); }

/* live words, live blocks, free words and fragments, as a walk over the heap
 * finds them, and then the same four of the counters at the same instant. */
CAMLprim value caml_bactrian_heap_scan(value unit)
{
  struct gc_stats pair[2];
  gc_scan_heap(domain_self(), &pair[0], &pair[1]);
  value figures = caml_alloc_small(8, 0);
  for (int i = 0; i < 2; i++) {
    Field(figures, 4 * i) = count_val(pair[i].live_words);
    Field(figures, 4 * i + 1) = count_val(pair[i].live_blocks);
    Field(figures, 4 * i + 2) = count_val(pair[i].free_words);
    Field(figures, 4 * i + 3) = count_val(pair[i].fragments);
  }
  return figures;
}

/* Nanoseconds of a monotonic clock, without an allocation: what a program measures pauses with. */
CAMLprim value caml_bactrian_clock(value unit) { return Val_long(os_now_ns()); }

CAMLprim value caml_bactrian_marked_words(value unit) { return Val_long(gc_marked_words()); }

/* ---- Parameters ---- */

/* In the order of gc.mli, type control. */
enum control_field {
  MINOR_HEAP_SIZE,
  MAJOR_HEAP_INCREMENT,
  SPACE_OVERHEAD,
  VERBOSE,
  MAX_OVERHEAD,
  STACK_LIMIT,
  ALLOCATION_POLICY,
  WINDOW_SIZE,
  CUSTOM_MAJOR_RATIO,
  CUSTOM_MINOR_RATIO,
  CUSTOM_MINOR_MAX_SIZE,
  CONTROL_FIELDS,
};

CAMLprim value caml_gc_get(value unit)
{
  struct gc_params p;
  gc_params_get(domain_self(), &p);
  const size_t figures[CONTROL_FIELDS] = {
      [MINOR_HEAP_SIZE] = p.minor_words,
      [MAJOR_HEAP_INCREMENT] = p.major_heap_increment,
      [SPACE_OVERHEAD] = p.space_overhead,
      [VERBOSE] = p.verbose,
      [MAX_OVERHEAD] = p.max_overhead,
      [STACK_LIMIT] = load_relaxed(&runtime_params.stack_words),
      [ALLOCATION_POLICY] = p.allocation_policy,
      [WINDOW_SIZE] = p.window_size,
      [CUSTOM_MAJOR_RATIO] = p.custom_major_ratio,
      [CUSTOM_MINOR_RATIO] = p.custom_minor_ratio,
      [CUSTOM_MINOR_MAX_SIZE] = p.custom_minor_max_bytes,
  };
  value control = caml_alloc_small(CONTROL_FIELDS, 0);
  for (int i = 0; i < CONTROL_FIELDS; i++) Field(control, i) = Val_long(figures[i]);
  return control;
}

/* A negative figure is out of range like 0, which the collector clamps. */
static size_t control_figure(value control, enum control_field field)
{
  intnat n = Long_val(Field(control, field));
  return n < 0 ? 0 : (size_t)n;
}

/* The stack that runs now must not be beyond it. */
static void set_stack_limit(size_t words)
{
  enum { ROOM_WORDS = 128 };
  words = max_size(words, backend_stack_words() + ROOM_WORDS);
  if (words == load_relaxed(&runtime_params.stack_words)) return;
  store_relaxed(&runtime_params.stack_words, words);
  gc_message(MESSAGE_TABLES, "Changing stack limit to %zuk bytes\n", words * sizeof(value) / 1024);
}

CAMLprim value caml_gc_set(value control)
{
  struct gc_params p;
  trace_begin(domain_self(), TRACE_GC_SET);
  gc_params_get(domain_self(), &p);
  size_t minor_words = p.minor_words;
  p.minor_words = control_figure(control, MINOR_HEAP_SIZE);
  p.major_heap_increment = control_figure(control, MAJOR_HEAP_INCREMENT);
  p.space_overhead = control_figure(control, SPACE_OVERHEAD);
  p.verbose = (unsigned)control_figure(control, VERBOSE);
  p.max_overhead = control_figure(control, MAX_OVERHEAD);
  p.allocation_policy = control_figure(control, ALLOCATION_POLICY);
  p.window_size = control_figure(control, WINDOW_SIZE);
  p.custom_major_ratio = control_figure(control, CUSTOM_MAJOR_RATIO);
  p.custom_minor_ratio = control_figure(control, CUSTOM_MINOR_RATIO);
  p.custom_minor_max_bytes = control_figure(control, CUSTOM_MINOR_MAX_SIZE);
  set_stack_limit(control_figure(control, STACK_LIMIT));
  bool done = gc_params_set(domain_self(), &p);
  custom_ratio_follow();
  gc_params_get(domain_self(), &p);
  if (p.minor_words != minor_words) trace_counter(domain_self(), TRACE_SET_MINOR_HEAP_SIZE, p.minor_words);
  trace_end(domain_self(), TRACE_GC_SET);
  if (!done) caml_raise_out_of_memory();
  return Val_unit;
}

/* ---- Collections ---- */

CAMLprim value caml_gc_minor(value unit)
{
  trace_begin(domain_self(), TRACE_GC_MINOR);
  gc_minor(domain_self());
  trace_end(domain_self(), TRACE_GC_MINOR);
  return caml_process_pending_actions_with_root(Val_unit);
}

CAMLprim value caml_gc_major(value unit)
{
  trace_begin(domain_self(), TRACE_GC_MAJOR);
  gc_major(domain_self());
  trace_end(domain_self(), TRACE_GC_MAJOR);
  return caml_process_pending_actions_with_root(Val_unit);
}

CAMLprim value caml_gc_full_major(value unit)
{
  trace_begin(domain_self(), TRACE_GC_FULL_MAJOR);
  gc_full_major(domain_self());
  trace_end(domain_self(), TRACE_GC_FULL_MAJOR);
  return caml_process_pending_actions_with_root(Val_unit);
}

CAMLprim value caml_gc_compaction(value unit)
{
  trace_begin(domain_self(), TRACE_GC_COMPACT);
  gc_compact(domain_self());
  trace_end(domain_self(), TRACE_GC_COMPACT);
  return caml_process_pending_actions_with_root(Val_unit);
}

/* The integer that is returned has no meaning. */
CAMLprim value caml_gc_major_slice(value words)
{
  intnat n = Long_val(words);
  trace_begin(domain_self(), TRACE_GC_MAJOR_SLICE);
  gc_major_slice(domain_self(), n < 0 ? 0 : n);
  trace_end(domain_self(), TRACE_GC_MAJOR_SLICE);
  return caml_process_pending_actions_with_root(Val_long(0));
}
