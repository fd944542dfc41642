/* SPDX-License-Identifier: MIT */
/* The collector, as its clients see it: the back ends, the primitives, the C
 * ABI, the mock mutator of the tests.
 *
 * It knows values, headers, domains and roots, and nothing of OCaml's library.
 * What only a client can know (where its stacks are, what a custom block's
 * finaliser is) it asks through one struct of functions, struct gc_client.
 *
 * CONTEXTS named below:
 *   [mutator]  the caller's domain is RUNNING and the caller is its thread
 *   [may gc]   a collection may run, and a compaction: addresses of blocks in C locals
 *              that are not roots are stale afterwards. No OCaml code runs.
 *   [no gc]    nothing moves */
#ifndef BAC_GC_GC_H
#define BAC_GC_GC_H

#include "domain/domain.h"
#include "heap/value.h"

/* ---- What a client hands over at start ---- */

/* The collector calls visit on ranges of words that hold values; it may
 * change them. Words that are no values are allowed where their low bit is 1 or they
 * point outside the heap (code pointers). */
struct root_visitor {
  void (*visit)(struct root_visitor *v, value *slots, size_t count);
  bool young_only;         /* a minor collection's: it need not see what got no young value since the last one */
};

/* Each begin has its end. A collection is told by the domain that leads it, with the world stopped; a slice, in which
 * collections may be, by the domain that does it. The steps of a forced major collection count as slices. */
enum gc_moment { GC_MINOR_BEGINS, GC_MINOR_ENDS, GC_SLICE_BEGINS, GC_SLICE_ENDS };

struct gc_client {
  size_t state_size;       /* bytes of the per-domain state that begins with struct window */

  /* A domain was entered or is about to go; its thread or its parent's. false: no memory. */
  bool (*domain_init)(struct domain *d);
  void (*domain_fini)(struct domain *d);

  /* Every root of a STOPPED (or one's own) domain that only the client knows: stacks, local
   * roots, pending exceptions. World stopped, or own domain. [no gc] */
  void (*scan_domain)(struct domain *d, struct root_visitor *v);
  /* Process-wide roots that are not registered as global roots. [stw] */
  void (*scan_process)(struct root_visitor *v);

  /* The suspended stack that a continuation block (Cont_tag) holds in field 0,
   * tagged by Val_ptr; may be NULL inside. */
  void (*scan_continuation)(value cont, struct root_visitor *v);
  void (*free_continuation)(value cont);

  /* Custom blocks: has it a finaliser; run it (the block is dead). [no gc] */
  bool (*custom_has_finaliser)(value v);
  void (*custom_finalise)(value v);

  /* The collector comes to one of these moments, on d's own thread. May be NULL. [no gc] */
  void (*moment)(struct domain *d, enum gc_moment moment);
};

/* ---- Parameters ---- */

enum { MARKERS_MAX = 64 };
struct gc_params {
  size_t minor_words;            /* nursery of the asking domain, words; at start: of each new domain */
  size_t space_overhead;         /* o, percent */
  size_t major_heap_increment;   /* i */
  size_t max_overhead;           /* O, percent */
  size_t allocation_policy;      /* a: remembered only */
  size_t window_size;            /* w, 1..50 */
  size_t custom_major_ratio;     /* M, percent */
  size_t custom_minor_ratio;     /* m, percent */
  size_t custom_minor_max_bytes; /* n */
  size_t max_domains;            /* d */
  size_t heap_limit;             /* Xlimit, bytes; 0: what the container and the address space leave */
  size_t initial_heap_words;     /* h */
  unsigned verbose;              /* v */
  unsigned verify;               /* V: 0, 1, 2 */
  unsigned stress;               /* Xstress: collect at each Nth allocation; 0: off */
  unsigned markers;              /* Xmarkers: threads that mark beside the program; at most MARKERS_MAX */
  bool huge_pages;               /* H */
};
extern const struct gc_params gc_params_default;

/* Starts the collector and enters the calling thread as domain 0, RUNNING.
 * NULL: what could not be had stands in *why. */
struct domain *gc_init(const struct gc_params *params, const struct gc_client *client, const char **why);

/* The parameters now, and a change of them ([mutator], [may gc]). Values out of range are brought into it:
 * the nursery has Max_young_wosize + 1 words or more and is whole pages, the window 1 to 50 slices, the overhead and
 * the ratios of custom blocks are 1 or more. A change stops the world; one of minor_words collects, and concerns d only. max_domains,
 * heap_limit, stress and markers stay what they were at start. False: no memory for the nursery, which stays as it was; all else is set. */
void gc_params_get(struct domain *d, struct gc_params *out);
bool gc_params_set(struct domain *d, const struct gc_params *in);

/* ---- Domains ---- */

/* A new domain, BLOCKED; its thread adopts it with domain_set_self and leaves
 * the blocking section. The caller is [mutator], [may gc]. NULL: no slot or no memory. */
struct domain *gc_domain_create(struct domain *parent);
/* The calling domain ends: its nursery is emptied, its finalisers, counters
 * and heap are adopted. [may gc]. */
void gc_domain_terminate(struct domain *d);
/* The collector ends in a process that goes on, for good: all custom blocks are finalised, the address space goes back. False, and nothing
 * has happened: other domains run, or marker threads. Afterwards nothing in this header may be called. */
bool gc_stop(struct domain *d);
/* In the child of a fork, between domains_before_fork and its end, in place of domains_after_fork_child: the
 * calling domain adopts what the others left. [no gc] for its own values, which stay where they are or are roots. */
void gc_after_fork_child(struct domain *d);

/* ---- Allocation [mutator] ---- */

/* Room for [whsize] words in the nursery: on return d->window->young_ptr has
 * been moved down by whsize and points to the new header word, uninitialised.
 * [may gc], also slices and stops; runs no OCaml code. whsize <= Max_young_wosize + 1. */
void gc_nursery_alloc(struct domain *d, size_t whsize);

/* What gc_nursery_alloc does before it takes the words: they can be taken then by moving young_ptr down. [may gc] likewise. */
void gc_nursery_reserve(struct domain *d, size_t whsize);

/* A block in the major heap, header set, fields NOT initialised: with a tag
 * below No_scan_tag the caller initialises all of them (gc_init_field) before anything
 * may collect. 0: no memory. Any wosize >= 1. May request a slice for the next safepoint, does
 * not collect. [no gc] */
value gc_alloc_major(struct domain *d, mlsize_t wosize, tag_t tag);

/* Many blocks at once, [no gc] from the first to the last: they are cut off the answer by heap_alloc (heap/heap.h), those of kinds SCAN and
 * NOSCAN. Their words are told by gc_bulk_allocated, every few thousand and at the end. NULL: allocations are being
 * watched, gc_alloc_major makes them. [no gc] */
struct allocator *gc_bulk(struct domain *d);
void gc_bulk_allocated(struct domain *d, size_t words);

/* Whether a block of wosize words may be had: collects and compacts first where the heap's limit is in
 * the way. For those who go on with gc_alloc_major. [may gc] */
bool gc_make_room(struct domain *d, mlsize_t wosize);

/* Memory outside the heap that blocks hold: [bytes] have come, or (negative) have been given back. Who tells the one tells the other, so
 * that the heap's limit can count it. And whether so much may be had: as gc_make_room. Any thread, [no gc]; [may gc] */
void gc_off_heap(intnat bytes);
bool gc_make_room_off_heap(struct domain *d, size_t bytes);

/* A block of any size: in the nursery where it fits. Scannable fields are
 * set to Val_unit. [may gc]. 0: no memory. */
value gc_alloc(struct domain *d, mlsize_t wosize, tag_t tag);

/* A custom block: wosize counts the operations word, which the caller sets
 * at once. [mem] of [max] units of some resource (caml_alloc_custom), or with
 * max = 0 [mem] bytes outside the heap (caml_alloc_custom_mem). [finaliser]: the
 * operations have one. 0: no memory. [may gc] */
value gc_alloc_custom(struct domain *d, mlsize_t wosize, bool finaliser, mlsize_t mem, mlsize_t max);
/* A continuation has been allocated in the nursery by the client itself: the domain's list of young continuations gets it, so
 * that its stack is freed if it dies young. A stack that is suspended again and again has one place in the list, which it
 * keeps a note of (at first all zero), while the list is the one of then: each minor collection begins a new one, and so
 * does growing. The continuation that was there is empty, since the stack is the new one's. [no gc] */
struct gc_note {
  uint64_t list;               /* struct domain's young_list when it was taken */
  value *place;
};
void gc_note_first(struct domain *d, value cont, struct gc_note *note);
static inline void gc_note_continuation(struct domain *d, value cont, struct gc_note *note)
{
  if (likely(note->list == d->young_list))
    *note->place = cont;
  else
    gc_note_first(d, cont, note);
}
/* Off-heap memory, of which nobody need tell when it goes: it brings the next cycle nearer. As [mem] of [max], or bytes. [no gc] */
void gc_adjust_speed(struct domain *d, mlsize_t mem, mlsize_t max);
void gc_dependent_memory(struct domain *d, intnat bytes);

/* ---- Fields [mutator], [no gc] ---- */

/* First value of a field of a block that has just been allocated. */
void gc_init_field(struct domain *d, value *field, value v);
/* The same for the first n fields of such a block or a part of it; [from] is no field of it. */
void gc_init_fields(struct domain *d, value *fields, const value *from, size_t n);
/* The write barrier: any later store of a value into a block's field. A store
 * is a release; the old value is shaded while marking. */
void gc_write_field(struct domain *d, value *field, value v);
/* n such stores, of what stands at [from]; fields of one block, which may overlap: as memmove. */
void gc_copy_fields(struct domain *d, value *fields, const value *from, size_t n);
/* Atomic forms, sequentially consistent. */
value gc_exchange_field(struct domain *d, value *field, value v);
bool gc_cas_field(struct domain *d, value *field, value expected, value desired);

/* v was found by a weak path (or is otherwise about to become reachable again):
 * it is kept in the current cycle. */
void gc_keep(struct domain *d, value v);
/* The stack of a continuation is about to be resumed or changed: it is scanned first if marking
 * has not done so. */
void gc_keep_continuation(struct domain *d, value cont);

/* Address tests. */
bool gc_is_young(value v);          /* a block in some nursery */
bool gc_in_major_heap(value v);     /* a block in the arena */

/* ---- Global roots. Any context; [no gc] ---- */
void gc_root_add(value *slot);
void gc_root_remove(value *slot);
void gc_root_add_generational(value *slot);
void gc_root_remove_generational(value *slot);
void gc_root_modify_generational(value *slot, value v);

/* ---- Safepoints ---- */

/* Does what is pending for the collector: parks, collects, slices. Called
 * when young_limit said so. [mutator] [may gc]. Returns true if the client has actions to
 * run (signals, finalisers ready): DOMAIN_WANT_ACTIONS and above were taken. */
bool gc_poll(struct domain *d);

/* The heap is above its limit, and collecting did not help: true once for each time; the client raises
 * Out_of_memory. A part of the actions that gc_poll speaks of. [mutator] [no gc] */
bool gc_out_of_memory_take(struct domain *d);

/* ---- The Gc module [mutator] [may gc] ---- */
void gc_minor(struct domain *d);
void gc_major_slice(struct domain *d, intnat words);    /* 0: as much as an automatic slice does (docs/design/cycle.md) */
void gc_major(struct domain *d);
void gc_full_major(struct domain *d);
void gc_compact(struct domain *d);

/* As Gc.stat, in words and counts; gc.mli defines each. */
struct gc_stats {
  uint64_t minor_words, promoted_words, major_words;
  uint64_t minor_collections, major_collections, forced_major_collections, compactions;
  uint64_t heap_words, heap_chunks, live_words, live_blocks, free_words, free_blocks,
      largest_free, fragments, top_heap_words;
  uint64_t stack_words;      /* filled in by the client */
};
void gc_stat(struct domain *d, struct gc_stats *out);        /* a full major first */
void gc_quick_stat(struct domain *d, struct gc_stats *out);  /* [no gc] */
/* Of the calling domain and those whose counters it adopted. [no gc] */
void gc_counters(struct domain *d, uint64_t *minor_words, uint64_t *promoted, uint64_t *major);
size_t gc_minor_free(struct domain *d);                      /* words */
/* Words that marking has scanned, up to the last end of a marking phase: what benchmarks weigh pacing with. [no gc] */
uint64_t gc_marked_words(void);
/* Cycles whose marking has ended: major_collections alone. [no gc] */
uint64_t gc_cycles_marked(void);

/* The same heap figures rebuilt by a walk over every block, with the world
 * stopped, sharing no counter with the above: the verifier's own. [may gc] */
void gc_scan_heap(struct domain *d, struct gc_stats *out, struct gc_stats *counters_at_same_instant);
/* The whole verifier. Aborts with one message on a violation. [may gc] */
void gc_verify(struct domain *d);

/* ---- Finalisers [mutator] ---- */
/* Gc.finalise (first = true) and Gc.finalise_last. v is a block in a heap. False: the C heap refuses. [no gc] */
bool gc_finalise(struct domain *d, bool first, value closure, value v);
/* Takes the next finaliser to call: the closure and its argument (Val_unit for
 * finalise_last). False: none is ready, or one is running and has not released.
 * The client calls closure(arg), then gc_finaliser_done. [no gc] */
bool gc_finaliser_take(struct domain *d, value *closure, value *arg);
void gc_finaliser_done(struct domain *d);
void gc_finaliser_release(struct domain *d);    /* Gc.finalise_release */

/* ---- Ephemerons [mutator] ---- */
/* The word that an empty key or data holds: the address of a static block of tag
 * Abstract_tag, outside the heap. */
extern value bac_ephe_none;
value gc_ephe_create(struct domain *d, mlsize_t keys);            /* [may gc]; 0: no memory */
/* index EPHE_DATA, or EPHE_FIRST_KEY + i. get answers bac_ephe_none when it is empty or dead, and keeps
 * (gc_keep) what it returns. */
value gc_ephe_get(struct domain *d, value ephe, mlsize_t index);
/* The same, but what it returns is not kept: good for a look at it. [no gc] */
value gc_ephe_peek(struct domain *d, value ephe, mlsize_t index);
bool gc_ephe_check(struct domain *d, value ephe, mlsize_t index);
void gc_ephe_set(struct domain *d, value ephe, mlsize_t index, value v);
void gc_ephe_unset(struct domain *d, value ephe, mlsize_t index);
/* As get and set of each; what is dead is copied as empty. Keys may overlap, as in memmove. */
void gc_ephe_blit_key(struct domain *d, value src, mlsize_t from, value dst, mlsize_t to, mlsize_t count);
void gc_ephe_blit_data(struct domain *d, value src, value dst);

#endif
