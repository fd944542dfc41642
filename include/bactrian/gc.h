/* SPDX-License-Identifier: MIT */
/* Bactrian's garbage collector for programs in C and C++.
 *
 * A block is a piece of memory that the collector frees by itself once nothing
 * refers to it. The program allocates blocks, stores references to blocks in the fields of
 * other blocks, and tells the collector which of its variables hold references: the ROOTS. The
 * collector moves blocks, so a reference that stands in no root and in no block is worthless
 * after the next call that may collect. This is the one rule to learn:
 *
 *     bac_value list = BAC_NIL, cell;
 *     BAC_ROOTS(d, &list);                      // true until the end of this scope
 *     for (int i = 0; i < 10; i++) {
 *       cell = bac_alloc(d, 2, 0);              // may move what list refers to, and corrects list
 *       if (cell == BAC_NONE) ...               // no memory
 *       bac_init_field(d, cell, 0, bac_from_int(i));
 *       bac_init_field(d, cell, 1, list);
 *       list = cell;
 *     }
 *
 * DOMAINS. A thread that uses the heap is a domain; [d] is its own. bac_start makes the
 * first, bac_spawn others, which run in parallel. A domain must come by a safepoint
 * (any call marked [may collect]) now and then, or be in a blocking section: the others wait for it.
 *
 * CONTEXTS, named at each function:
 *   [d]            called by the thread that d belongs to, outside of blocking sections; another
 *                  thread's call aborts where it is noticed
 *   [may collect]  a safepoint: blocks may move, the call may wait for other domains
 *   [runs]         as [may collect]; also calls finalisers that are ready
 *   [any]          any thread, at any time after bac_start
 * A function without [may collect] or [runs] moves nothing and does not block.
 *
 * ERRORS. What cannot get memory says so by its result. There is no such way out where the survivors
 * of a collection or the collector's own tables find no room: the process then ends with
 * "Fatal error: out of memory: ..." and abort(). So does misuse that is noticed, with
 * "Fatal error: FUNCTION: what is wrong".
 *
 * UNITS are words of 8 bytes, unless the name says bytes. Sizes of blocks do not count the header word.
 *
 * Needs gcc or clang (attribute cleanup), a 64-bit machine. Link with what `pkg-config --libs
 * bactrian` prints. Guide: docs/c-api.md. */
#ifndef BACTRIAN_GC_H
#define BACTRIAN_GC_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BAC_API __attribute__((visibility("default")))

/* ---- Values ---- */

/* What a field or a root holds: an integer of 63 bits (low bit 1), a reference to a block, or an
 * even address outside the heap, which the collector ignores (bac_from_pointer). */
typedef intptr_t bac_value;

#define BAC_NIL ((bac_value)1)    /* the integer 0: what fields hold at first */
#define BAC_NONE ((bac_value)0)   /* no value: allocation answers it for "no memory", weak references for "empty" */

static inline bac_value bac_from_int(intptr_t n) { return (bac_value)((uintptr_t)n << 1 | 1); }
static inline intptr_t bac_to_int(bac_value v) { return v >> 1; }
static inline int bac_is_int(bac_value v) { return (v & 1) != 0; }
static inline bac_value bac_from_pointer(void *even) { return (bac_value)even; }
static inline void *bac_to_pointer(bac_value v) { return (void *)v; }

/* A block carries a tag, a small number that the program may use as it likes. Those from
 * BAC_TAGS on are the collector's. */
enum { BAC_TAGS = 244 };

static inline unsigned bac_tag(bac_value block) { return *((const unsigned char *)block - sizeof(uintptr_t)); }
/* Fields of the block; of a block of bytes: its words, rounded up. */
static inline size_t bac_size(bac_value block)
{
  return __atomic_load_n((const uintptr_t *)block - 1, __ATOMIC_RELAXED) >> 10;
}

/* ---- The domain, as the inline functions see it ---- */

struct bac_frame;
/* Read-only for programs, but for [frames]: whoever leaves scopes with BAC_ROOTS by longjmp notes
 * frames before setjmp and puts it back after. */
struct bac_domain {
  uintptr_t young_limit;         /* atomic: UINTPTR_MAX when something is pending */
  uintptr_t *young_ptr, *young_start, *young_end, *young_trigger;
  struct bac_frame *frames;      /* the local roots, innermost first */
  int finalisers_ready;
  struct bac_frame *finaliser_frame;   /* that of the call of a finaliser that is under way */
  void *internal;
};

/* ---- Start and stop ---- */

/* The parameters of OCaml's Gc.control, with its units and defaults; figures out of range are clamped. */
struct bac_control {
  size_t minor_heap_size;          /* words of one domain's nursery; 256k */
  size_t major_heap_increment;     /* by how much the heap grows at least: percent up to 1000, words above; 15 */
  size_t space_overhead;           /* percent of the live heap that may be garbage; 120 */
  size_t verbose;                  /* 0 */
  size_t max_overhead;             /* percent of the live heap that a compaction must give back; 0: at each cycle's end; from 1000000 on: never; 500 */
  size_t stack_limit;              /* kept only: local roots have no limit; 128M */
  size_t allocation_policy;        /* kept only; 0 */
  size_t window_size;              /* 1..50; 1 */
  size_t custom_major_ratio;       /* percent of the heap that off-heap memory may be garbage; 44 */
  size_t custom_minor_ratio;       /* the same of a nursery; 100 */
  size_t custom_minor_max_size;    /* bytes; custom blocks that stand for more are born in the major heap; 70000 */
};

struct bac_params {
  struct bac_control control;
  size_t max_domains;              /* at the same time; 128 */
  size_t heap_limit_bytes;         /* of the major heap; 0: what the container and the address space leave */
  size_t initial_heap_words;       /* a hint; 0 */
  unsigned verify;                 /* 1: the verifier runs after each cycle and compaction; 2: after each minor collection too */
  unsigned stress;                 /* collect at each Nth allocation that may; 0: off. Finds missing roots. */
  int huge_pages;                  /* ask the system for them */
};

/* The defaults. [any], also before bac_start */
BAC_API void bac_params_default(struct bac_params *out);

/* Starts the collector; the calling thread is its first domain. NULL parameters: the defaults. NULL: what
 * could not be had stands in *why (a constant text; why may be NULL). A second call in one process aborts. */
BAC_API struct bac_domain *bac_start(const struct bac_params *params, const char **why);

/* The last domain ends: drops its local roots, collects, calls the finalisers that this makes ready and
 * gives the heap's memory back. Custom blocks that global roots still hold are not finalised. Scopes with BAC_ROOTS may end later. Aborts
 * while other domains run. The collector cannot be started again. [d] [runs] */
BAC_API void bac_stop(struct bac_domain *d);

/* The calling thread's domain, or NULL. [any] */
BAC_API struct bac_domain *bac_self(void);

/* ---- Roots ---- */

/* A local frame; the addresses of its roots follow it in memory. */
struct bac_frame {
  struct bac_frame *next;
  struct bac_domain *domain;
  intptr_t count;        /* of addresses; negative: one address follows, of an array of -count values */
};

static inline void bac_frame_pop_(void *frame)
{
  struct bac_frame *f = (struct bac_frame *)frame;
  f->domain->frames = f->next;
}

#define BAC_PASTE2_(a, b) a##b
#define BAC_PASTE_(a, b) BAC_PASTE2_(a, b)
#define BAC_COUNT_(_1, _2, _3, _4, _5, _6, _7, _8, n, ...) n
#define BAC_FRAME_(d, name, count, slots, ...)                                                     \
  struct {                                                                                         \
    struct bac_frame head;                                                                         \
    bac_value *slot[slots];                                                                        \
  } name __attribute__((cleanup(bac_frame_pop_))) = {{(d)->frames, (d), (count)}, {__VA_ARGS__}};  \
  (d)->frames = &name.head

/* From here to the end of the scope these 1 to 8 variables of type bac_value are roots:
 * BAC_ROOTS(d, &a, &b); They must hold values already. Several uses in one function are fine, one on a line. [d] */
#define BAC_ROOTS(d, ...)                                                                    \
  BAC_FRAME_(d, BAC_PASTE_(bac_frame_, __LINE__), BAC_COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0), \
             BAC_COUNT_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0), __VA_ARGS__)
/* The same for an array of [count] values, all set. [d] */
#define BAC_ROOT_ARRAY(d, array, count) \
  BAC_FRAME_(d, BAC_PASTE_(bac_frame_, __LINE__), -(intptr_t)(count), 1, (array))

/* Global roots: variables that live longer than a scope. A plain one may be assigned like any
 * variable, and costs a look at each collection. A generational one changes only
 * through bac_root_modify, and costs nothing while it is unchanged. Adding one twice is adding it once; what
 * was not added may be removed. [any]; a thread that is no domain, or blocked, must not touch the values. */
BAC_API void bac_root_add(bac_value *slot);
BAC_API void bac_root_remove(bac_value *slot);
BAC_API void bac_root_add_generational(bac_value *slot);
BAC_API void bac_root_remove_generational(bac_value *slot);
BAC_API void bac_root_modify(bac_value *slot, bac_value v);

/* ---- Allocation [d] [may collect] ---- */

/* The parts of the inline functions that are not inline; not to be called. */
BAC_API bac_value bac_alloc_slow_(struct bac_domain *d, size_t fields, unsigned tag);
BAC_API bac_value bac_alloc_bytes_slow_(struct bac_domain *d, size_t bytes);
BAC_API void bac_init_field_slow_(struct bac_domain *d, bac_value *field, bac_value v);
BAC_API void bac_write_slow_(struct bac_domain *d, bac_value *field, bac_value v);
BAC_API void bac_poll_slow_(struct bac_domain *d);

enum { BAC_YOUNG_MOST_ = 256, BAC_BYTES_TAG_ = 251 };

/* Room for a block in the nursery, its header written; BAC_NONE: ask the slow part. */
static inline bac_value bac_cut_(struct bac_domain *d, size_t words, unsigned tag)
{
  uintptr_t *header = d->young_ptr - (words + 1);
  if (__builtin_expect((uintptr_t)header < __atomic_load_n(&d->young_limit, __ATOMIC_RELAXED), 0)) return BAC_NONE;
  d->young_ptr = header;
  *header = (uintptr_t)words << 10 | tag;
  return (bac_value)(header + 1);
}

/* A block of [fields] fields, all BAC_NIL, 1 if 0 are asked for. tag < BAC_TAGS (else it aborts). BAC_NONE: no memory,
 * which happens only to blocks of more than 256 fields. */
static inline bac_value bac_alloc(struct bac_domain *d, size_t fields, unsigned tag)
{
  if (__builtin_expect(fields - 1 >= BAC_YOUNG_MOST_ || tag >= BAC_TAGS, 0)) return bac_alloc_slow_(d, fields, tag);
  bac_value v = bac_cut_(d, fields, tag);
  if (__builtin_expect(v == BAC_NONE, 0)) return bac_alloc_slow_(d, fields, tag);
  for (size_t i = 0; i < fields; i++) ((bac_value *)v)[i] = BAC_NIL;
  return v;
}

/* A block of bytes, which the collector does not look into; not initialised; aligned to words. It moves
 * like any other. BAC_NONE: no memory, which happens only to more than 2 kB. */
static inline bac_value bac_alloc_bytes(struct bac_domain *d, size_t bytes)
{
  size_t words = bytes / sizeof(bac_value) + (bytes % sizeof(bac_value) != 0);
  if (__builtin_expect(words - 1 >= BAC_YOUNG_MOST_, 0)) return bac_alloc_bytes_slow_(d, bytes);
  bac_value v = bac_cut_(d, words, BAC_BYTES_TAG_);
  return __builtin_expect(v == BAC_NONE, 0) ? bac_alloc_bytes_slow_(d, bytes) : v;
}
static inline void *bac_bytes(bac_value block) { return (void *)block; }

/* A custom block: [bytes] of the program's data (bac_custom_data), which the collector does not look into, and what
 * is to be done when the block is dead. [finalise] may be NULL; it is called with the data, once, in the
 * middle of a collection by whichever thread runs it: it may use the C library and nothing of this header.
 * The data are not initialised; set them before anything that may collect.
 * [mem] of [max] is what the block holds outside the heap: that share of [max] being garbage is worth a cycle.
 * With max = 0 it is bytes, weighed by custom_major_ratio and custom_minor_ratio; mem = 0: nothing. BAC_NONE: no memory. */
BAC_API bac_value bac_alloc_custom(struct bac_domain *d, size_t bytes, void (*finalise)(void *data), size_t mem, size_t max);
static inline void *bac_custom_data(bac_value block) { return (bac_value *)block + 1; }

/* Memory outside the heap that blocks have come to hold since they were allocated. [d] */
BAC_API void bac_add_off_heap(struct bac_domain *d, size_t bytes);
/* The same as [mem] of [max] units, max > 0. [d] */
BAC_API void bac_adjust_speed(struct bac_domain *d, size_t mem, size_t max);

/* ---- Fields. i < bac_size(block); it is not checked. ---- */

/* A block that another domain has stored is seen with the contents that it had then. [d] */
static inline bac_value bac_field(bac_value block, size_t i)
{
#if defined(__SANITIZE_THREAD__) || defined(BAC_THREAD_SANITIZER)
  return __atomic_load_n((const bac_value *)block + i, __ATOMIC_ACQUIRE);
#else
  return __atomic_load_n((const bac_value *)block + i, __ATOMIC_RELAXED);
#endif
}

static inline int bac_in_nursery_(const struct bac_domain *d, const bac_value *field)
{
  return (uintptr_t)field - (uintptr_t)d->young_start < (uintptr_t)d->young_end - (uintptr_t)d->young_start;
}

/* The first store into a field of a block that no other domain knows yet. [d] */
static inline void bac_init_field(struct bac_domain *d, bac_value block, size_t i, bac_value v)
{
  bac_value *field = (bac_value *)block + i;
  if (__builtin_expect(bac_in_nursery_(d, field), 1))
    *field = v;
  else
    bac_init_field_slow_(d, field, v);
}

/* Any other store, with the collector's write barrier. A release store: who reads it sees what v refers to. [d] */
static inline void bac_write(struct bac_domain *d, bac_value block, size_t i, bac_value v)
{
  bac_value *field = (bac_value *)block + i;
  if (bac_in_nursery_(d, field))
    __atomic_store_n(field, v, __ATOMIC_RELEASE);
  else
    bac_write_slow_(d, field, v);
}

/* Atomic, sequentially consistent: the old value; whether it was [expected]. [d] */
BAC_API bac_value bac_exchange(struct bac_domain *d, bac_value block, size_t i, bac_value v);
BAC_API int bac_compare_and_set(struct bac_domain *d, bac_value block, size_t i, bac_value expected, bac_value desired);

/* ---- Safepoints and blocking sections ---- */

/* Does what is pending: joins a collection, does a piece of major work, calls finalisers. For loops that
 * do not allocate, and for all that want finalisers: allocation calls none. Cheap when nothing is
 * pending. [d] [runs] */
static inline void bac_poll(struct bac_domain *d)
{
  if (__builtin_expect(__atomic_load_n(&d->young_limit, __ATOMIC_RELAXED) == UINTPTR_MAX || d->finalisers_ready, 0))
    bac_poll_slow_(d);
}

/* Between the two the thread may wait for whatever it likes (other threads, a socket), and must not
 * touch the heap or call a function marked [d]; the other domains collect without it. [d] [may collect] */
BAC_API void bac_enter_blocking(struct bac_domain *d);
BAC_API void bac_leave_blocking(struct bac_domain *d);

/* ---- Domains ---- */

struct bac_thread;
/* A new thread that is a domain and calls run(its domain, arg); its local roots begin empty, and [arg] is one of
 * run's C locals. The thread has the caller's signal mask. NULL: no memory, no thread, or max_domains run. [d] [may collect] */
BAC_API struct bac_thread *bac_spawn(struct bac_domain *d, bac_value (*run)(struct bac_domain *d, bac_value arg), bac_value arg);
/* Waits, as in a blocking section, until the domain has ended; what run returned. Once for each thread. [d] [may collect] */
BAC_API bac_value bac_join(struct bac_domain *d, struct bac_thread *thread);
/* 0 for the first domain; never used again. [d] */
BAC_API uint64_t bac_domain_id(struct bac_domain *d);

/* fork: allowed to a domain outside of blocking sections. In the child it is the only domain. [d] [may collect] */

/* ---- The Gc module [d] ---- */

BAC_API void bac_minor(struct bac_domain *d);                  /* [runs] empties all nurseries */
BAC_API void bac_major_slice(struct bac_domain *d, size_t words);  /* [runs] about so much work; 0: what is due */
BAC_API void bac_major(struct bac_domain *d);                  /* [runs] ends the cycle under way */
BAC_API void bac_full_major(struct bac_domain *d);             /* [runs] frees all that was unreachable when called */
BAC_API void bac_compact(struct bac_domain *d);                /* [runs] and leaves no gaps, gives memory back */

/* OCaml's Gc.stat; each figure is defined in its documentation. heap = live + free + fragments, always. */
struct bac_stats {
  uint64_t minor_words, promoted_words, major_words;           /* allocated since the start, all domains */
  uint64_t minor_collections, major_collections, forced_major_collections, compactions;
  uint64_t heap_words, heap_chunks, live_words, live_blocks, free_words, free_blocks, largest_free, fragments;
  uint64_t top_heap_words;
  uint64_t stack_size;                                         /* the calling domain's local roots */
};
BAC_API void bac_stat(struct bac_domain *d, struct bac_stats *out);        /* [runs] a full major first */
BAC_API void bac_quick_stat(struct bac_domain *d, struct bac_stats *out);  /* no collection; figures of this instant */
/* Words that the calling domain allocated. Any pointer may be NULL. */
BAC_API void bac_counters(struct bac_domain *d, uint64_t *minor, uint64_t *promoted, uint64_t *major);
BAC_API uint64_t bac_minor_words(struct bac_domain *d);
BAC_API uint64_t bac_allocated_bytes(struct bac_domain *d);
BAC_API size_t bac_minor_free(struct bac_domain *d);           /* words left in the nursery */
BAC_API void bac_print_stat(struct bac_domain *d, FILE *to);   /* [runs] bac_stat, as Gc.print_stat prints it */

BAC_API void bac_get(struct bac_domain *d, struct bac_control *out);
/* For all domains, but the size of the nursery: that is d's own, a whole number of pages, and stays what it was where
 * there is no memory for another. 1: all is as was asked for. 0: a figure was out of range and was clamped, or there was no
 * memory; bac_get tells. [may collect] */
BAC_API int bac_set(struct bac_domain *d, const struct bac_control *in);

/* Walks the whole heap with the world stopped and compares it with what the collector believes; aborts with
 * one message on the first violation. [may collect] */
BAC_API void bac_verify(struct bac_domain *d);

/* ---- Finalisers [d] ---- */

/* Called by a function marked [runs], once, and may do all that the program may. It may also throw a C++
 * exception, which comes out of that function, or longjmp (see struct bac_domain): then it is over. */
typedef void (*bac_finaliser)(struct bac_domain *d, bac_value v, bac_value env);

/* f(d, v, env) is to be called when v is otherwise unreachable; it may make v reachable again. env is a root meanwhile: v
 * must not be reachable from it. Those that one cycle makes ready are called in the reverse order of registration. 0: v is no block in the
 * heap, or no memory. [may collect] */
BAC_API int bac_finalise(struct bac_domain *d, bac_finaliser f, bac_value v, bac_value env);
/* The same when v is gone for good; f gets BAC_NIL in its place. */
BAC_API int bac_finalise_last(struct bac_domain *d, bac_finaliser f, bac_value v, bac_value env);
/* Inside a finaliser: others may be called from now on. */
BAC_API void bac_finalise_release(struct bac_domain *d);

/* f(d, BAC_NIL, env) is called at the end of each major cycle until bac_alarm_delete or the end of the
 * domain. The alarm, a block that need not be kept; BAC_NONE: no memory. [may collect] */
BAC_API bac_value bac_alarm_create(struct bac_domain *d, bac_finaliser f, bac_value env);
BAC_API void bac_alarm_delete(struct bac_domain *d, bac_value alarm);

/* ---- Weak references and ephemerons [d] ----
 *
 * An ephemeron has keys and one datum. It refers to its keys weakly: when a key is otherwise unreachable the key and the
 * datum become empty. The datum is kept while the ephemeron and all its keys are. An array of weak
 * references is an ephemeron without datum. Index 0 .. keys - 1 is a key, BAC_DATUM the datum; another
 * index, or a block that is no ephemeron, aborts. */
#define BAC_DATUM SIZE_MAX
BAC_API bac_value bac_ephe_create(struct bac_domain *d, size_t keys);           /* all empty. [may collect]; BAC_NONE: no memory */
BAC_API bac_value bac_ephe_get(struct bac_domain *d, bac_value ephe, size_t i); /* BAC_NONE: empty */
BAC_API int bac_ephe_check(struct bac_domain *d, bac_value ephe, size_t i);     /* is it full? keeps nothing alive */
BAC_API void bac_ephe_set(struct bac_domain *d, bac_value ephe, size_t i, bac_value v);   /* v = BAC_NONE: empties it */
/* Keys, as memmove: overlap is allowed. */
BAC_API void bac_ephe_blit(struct bac_domain *d, bac_value from, size_t i, bac_value to, size_t j, size_t count);
BAC_API size_t bac_ephe_keys(bac_value ephe);

#ifdef __cplusplus
}
#endif
#endif
