/* SPDX-License-Identifier: MIT */
/* How the rooms above watch the collector: the memory profiler (observe/memprof.c) by an
 * observer, the event rings (observe/events.c) by a tracer.
 *
 * Each is one pointer to a struct of functions, NULL until somebody asks to watch. It is set once, with
 * the world stopped, and never taken back; so a reader needs one relaxed load. */
#ifndef BAC_GC_HOOKS_H
#define BAC_GC_HOOKS_H

#include "gc/gc.h"
#include "sync/atomic.h"

/* ---- The observer ---- */

/* Why weak references are to be looked at. */
enum weak_event {
  WEAK_AFTER_MINOR,    /* young blocks were copied or are dead; older ones are where they were */
  WEAK_AFTER_MARK,     /* unmarked blocks are dead; nothing moved, nothing is young */
  WEAK_AFTER_COMPACT,  /* blocks moved, none died */
};

struct gc_observer {
  /* d's nursery is empty, perhaps another one: sample points are to be set anew
   * (gc_sample_at). World stopped, or d's own thread or its creator. [no gc] */
  void (*nursery_emptied)(struct domain *d);
  /* A nursery block took in the sample point. It has no header yet; it begins at the word
   * young_ptr points to and has [whsize] words. [mutator] [no gc] */
  void (*nursery_sampled)(struct domain *d, size_t whsize);
  /* A block was born in the major heap (gc_alloc_major, gc_alloc, gc_alloc_custom, gc_ephe_create; not by
   * promotion). Its header is set. [mutator] [no gc] */
  void (*major_allocated)(struct domain *d, value block);
  /* A custom block was born that stands for [bytes] outside the heap. [mutator] [no gc] */
  void (*custom_allocated)(struct domain *d, value block, size_t bytes);

  /* The observer's strong references for domain d, which the collector may change. Whenever roots_scan_domain runs. [no gc] */
  void (*scan)(struct domain *d, struct root_visitor *v);
  /* Every block that the observer refers to weakly for domain d: [where] answers its address
   * now, or 0 if it is dead. With WEAK_AFTER_MINOR [where] is only good for young blocks. [stw] */
  void (*update_weak)(struct domain *d, enum weak_event event, value (*where)(value));

  /* A domain was created; its thread does not run yet. The parent's thread. [no gc] */
  void (*domain_created)(struct domain *parent, struct domain *child);
  /* A domain ends, its nursery is empty. [heir] may be NULL: no domain is left. [stw] */
  void (*domain_ending)(struct domain *d, struct domain *heir);
};

extern const struct gc_observer *bac_gc_observer;
static inline const struct gc_observer *gc_observer(void) { return load_relaxed(&bac_gc_observer); }
/* [stw] */
void gc_observe(const struct gc_observer *observer);

/* Puts d's sample point on the nursery word [at]: the allocation that takes it in comes
 * to nursery_sampled. NULL: none. Gone after nursery_emptied or nursery_sampled were called. d's own thread, or where
 * nursery_emptied is called. */
void gc_sample_at(struct domain *d, value *at);

/* ---- The tracer ---- */

/* Phases and counters have the numbers of the public <caml/runtime_events.h>
 * (ev_runtime_phase, ev_runtime_counter); here are those that the collector tells. */
enum trace_phase {
  TRACE_GC_SET = 0,
  TRACE_GC_STAT = 1,
  TRACE_GC_MINOR = 2,
  TRACE_GC_MAJOR = 3,
  TRACE_GC_FULL_MAJOR = 4,
  TRACE_GC_COMPACT = 5,
  TRACE_MAJOR = 6,
  TRACE_MAJOR_SWEEP = 7,
  TRACE_MAJOR_MARK_ROOTS = 8,
  TRACE_MAJOR_MARK = 10,
  TRACE_MINOR = 11,
  TRACE_MINOR_LOCAL_ROOTS = 12,
  TRACE_MINOR_MEMPROF_CLEAN = 14,
  TRACE_MINOR_CUSTOM = 15,           /* dead custom blocks are finalised */
  TRACE_GC_MAJOR_SLICE = 16,
  TRACE_FINALISE_FIRST = 17,         /* a piece of a pass over the table */
  TRACE_FINALISE_LAST = 18,
  TRACE_EPHE_MARK = 20,
  TRACE_EPHE_SWEEP = 21,
  TRACE_FINISH_MARKING = 22,
  TRACE_CYCLE_DOMAINS = 23,          /* a cycle starts */
  TRACE_PHASE_CHANGE = 24,           /* a look whether this stage or phase is over */
  TRACE_CYCLE_STW = 25,              /* a cycle starts, nurseries are empty */
  TRACE_MAJOR_SLICE = 27,
  TRACE_MAJOR_FINISH_CYCLE = 28,     /* somebody waits for the end of a cycle */
  TRACE_MINOR_CLEAR = 29,
  TRACE_MINOR_FINALISERS_ROOTS = 30,
  TRACE_MINOR_GLOBAL_ROOTS = 31,
  TRACE_STW_GATHER = 33,             /* the leader waits for the others */
  TRACE_STW_HANDLER = 34,
  TRACE_STW_LEADER = 35,
  TRACE_FINISH_SWEEPING = 36,
  TRACE_MAJOR_MEMPROF_CLEAN = 37,
  TRACE_MINOR_FINALISERS = 38,
  TRACE_MINOR_REMEMBERED_SET = 39,
  TRACE_COMPACT = 44,
  TRACE_COMPACT_EVACUATE = 45,
  TRACE_COMPACT_FORWARD = 46,
  TRACE_COMPACT_RELEASE = 47,
};

enum trace_counter {
  TRACE_SET_MINOR_HEAP_SIZE = 2,     /* words */
  TRACE_MINOR_PROMOTED = 4,          /* words */
  TRACE_MINOR_ALLOCATED = 5,         /* words */
  TRACE_POOL_WORDS = 11,
  TRACE_POOL_LIVE_WORDS = 12,
  TRACE_LARGE_WORDS = 13,
  TRACE_POOL_FRAGMENTS = 14,
  TRACE_POOL_LIVE_BLOCKS = 15,
  TRACE_LARGE_BLOCKS = 16,
};

/* Each is called by the thread that does what it tells, for its own domain. Phases nest: each ends before the one does that it
 * began in. [no gc] */
struct gc_tracer {
  void (*begin)(struct domain *d, unsigned phase);
  void (*end)(struct domain *d, unsigned phase);
  void (*counter)(struct domain *d, unsigned counter, uint64_t n);
};

extern const struct gc_tracer *bac_gc_tracer;
/* [stw] */
void gc_trace(const struct gc_tracer *tracer);
static inline const struct gc_tracer *gc_tracer(void) { return load_relaxed(&bac_gc_tracer); }

static inline void trace_begin(struct domain *d, enum trace_phase phase)
{
  const struct gc_tracer *t = load_relaxed(&bac_gc_tracer);
  if (unlikely(t != NULL)) t->begin(d, phase);
}
static inline void trace_end(struct domain *d, enum trace_phase phase)
{
  const struct gc_tracer *t = load_relaxed(&bac_gc_tracer);
  if (unlikely(t != NULL)) t->end(d, phase);
}
static inline void trace_counter(struct domain *d, enum trace_counter counter, uint64_t n)
{
  const struct gc_tracer *t = load_relaxed(&bac_gc_tracer);
  if (unlikely(t != NULL)) t->counter(d, counter, n);
}

#endif
