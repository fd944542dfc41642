/* SPDX-License-Identifier: MIT */
/* The collector's own state: one struct for the process, one for each domain.
 * Private to src/gc; clients see gc.h.
 *
 * THE CYCLE. The phase changes only in cycle.c, with the world stopped but for the last step:
 *
 *   IDLE -> MARK    cycle_start_stw     roots shaded, colours exchanged; nurseries empty
 *   MARK -> CLEAN   cycle_advance_stw   all that lives has the new colour, and for good
 *   CLEAN -> SWEEP  cycle_advance_stw   no ephemeron and no finaliser refers to what is dead
 *   SWEEP -> IDLE   cycle_end_sweep     no block is unswept; by a compare-and-swap of any domain
 *
 * INVARIANTS, checked by verify.c:
 *   REM-1   after a minor collection no major object refers to a nursery.
 *   REM-2   each field of a major object that holds a young block is in the remembered set
 *           of some domain (fields of ephemerons: in its ephemeron entries).
 *   MARK-1  while marking, an object reachable at cycle_start is marked, or reachable from a
 *           grey object, or from an unmarked one that is; new objects are marked.
 *   FIN-1   when STAGE_REACHABLE is over, the closures of all finalisers and what is ready are marked; before, those in
 *           [at, to) of a table, and in batches from [unshaded] on, need not be.
 *   MARK-2  from the end of marking on no marked object refers to an unmarked one; ephemerons and
 *           the weak halves of finalisers may until CLEAN is over.
 *   STAT-1  heap = live + free + fragments, and the sums of counters and the heap's tally equal a scan.
 */
#ifndef BAC_GC_STATE_H
#define BAC_GC_STATE_H

#include "base/rng.h"
#include "base/vec.h"
#include "domain/domain.h"
#include "gc/gc.h"
#include "gc/hooks.h"
#include "gc/message.h"
#include "heap/heap.h"
#include "heap/nursery.h"

enum gc_phase { PHASE_IDLE, PHASE_MARK, PHASE_CLEAN, PHASE_SWEEP };

/* What is decided while marking, one after the other. A stage ends, in a stop of the world, when no
 * domain has anything to do for it. */
enum mark_stage {
  STAGE_REACHABLE,      /* what roots and finalisers' closures reach, and data of ephemerons whose keys are marked */
  STAGE_FINALISERS,     /* unmarked values of Gc.finalise are due */
  STAGE_REVIVED,        /* these, and all they reach, are marked */
};

/* A piece of an object that is still to be scanned; end = NULL: the stack of the continuation [from]. */
struct mark_range { value *from, *end; };

/* Grey work travels between domains in packets. */
enum { MARK_PACKET_RANGES = 254 };
struct mark_packet {
  struct mark_packet *next;
  size_t len;
  struct mark_range range[MARK_PACKET_RANGES];
};

/* An ephemeron that waits until [key], the first of theirs that was not known to be alive, is. */
struct ephe_wait {
  value key, ephe;
  mlsize_t index;                 /* of the key */
  size_t next;                    /* in its bucket or the free list: index + 1, 0: none */
};
struct ephe_woken { struct ephe_wait *at; size_t len, cap; };   /* a VEC */

/* See ephe_keys.c. All zero: empty. */
struct ephe_keys {
  VEC(struct ephe_wait) waits;
  VEC(size_t) buckets;            /* index + 1 in waits, 0: empty */
  size_t free_wait;               /* list of waits that are over */
  size_t waiting;
};

/* Ephemerons that marking has found, in pieces that travel between domains. */
enum { EPHE_PACKET = 508 };
struct ephe_packet {
  struct ephe_packet *next;
  size_t len;
  size_t at;                      /* those before have been looked at */
  mlsize_t key;                   /* the next key of ephe[at] that is to be cleaned */
  value ephe[EPHE_PACKET];
};

/* See ephe_mark.c. */
struct ephe_state {
  bool by_key;                    /* [stw] objects that get marked are looked up among the awaited keys */
  struct lock list_lock;          /* RANK_EPHEMERONS: the next two */
  struct ephe_packet *found;      /* not all looked at */
  struct ephe_packet *looked;     /* all looked at; not cleaned yet */
  struct lock keys_lock;          /* RANK_EPHEMERONS: the next */
  struct ephe_keys keys;
  struct lock clean_lock;         /* RANK_LEAF: stores into ephemerons while they are cleaned */
  size_t table_words;             /* [stw] size of all this when marking last ended, which is when it is largest */
};

struct marker {
  struct mark_packet *packet;     /* [own] grey ranges; more in the shared pool */
  struct ephe_packet *ephes;      /* [own, stw] ephemerons found in this cycle; more in bac_gc.ephe */
  VEC(value) keys;                /* [own, stw] marked lately, and perhaps awaited by ephemerons */
  struct ephe_woken woken;        /* [own, stw] ephemerons whose key has been marked */
};

/* Entry for a field of an ephemeron that holds a young block. */
struct ephe_ref { value ephe; mlsize_t index; };

/* Work that slices of one domain have put off: see window.c. */
enum { WINDOW_MOST = 50 };
struct work_window {
  enum gc_phase phase;
  size_t size;                    /* slices; [due] is a ring of so many */
  size_t at;
  size_t due[WINDOW_MOST];        /* words, by slice */
};

struct finaliser { value closure, arg; };
/* A table. A pass over it, in pieces, shades the closures, or takes out the entries whose arg is unmarked: entries below
 * [kept] stay, those in [kept, at) are stale, those in [at, to) are still to be looked at. */
struct finalisers {
  VEC(struct finaliser) entries;  /* closure strong, arg weak */
  size_t young;                   /* entries from here on may have young args */
  size_t kept, at, to;            /* no pass is under way where at = to */
};

/* Finalisers that became ready together: called from the last to the first. No young values. */
struct finaliser_batch {
  struct finaliser_batch *next;
  VEC(struct finaliser) entries;
  size_t shaded;                  /* those below are shaded, unless shading has not come to this batch */
};

/* A young block whose death or promotion matters outside the heap: a custom block that has a
 * finaliser or stands for memory elsewhere, or a continuation. */
struct young_special {
  value v;
  double share;                   /* of a major cycle, that it counts when promoted */
};

struct remembered {
  VEC(value *) fields;            /* fields of major objects that hold young blocks */
  VEC(struct ephe_ref) ephes;
  VEC(struct young_special) special;   /* dom.young_list is its name */
};

/* Words and collections since the domain started; adopted from domains that ended. Each only grows. */
struct domain_counters {
  uint64_t minor_words;           /* up to the last minor collection; see gc_minor_words */
  uint64_t promoted_words;
  uint64_t major_words;           /* with promoted */
};

struct gc_domain {
  struct domain dom;              /* first: a struct domain * is this */
  struct allocator alloc;
  size_t nursery_words;           /* [own, stw] asked for */
  struct remembered rem;
  struct marker marker;
  struct finalisers first, last;  /* [own, stw] */
  struct finaliser_batch *due;    /* [own, stw] what this pass took out of a table, NULL: nothing */
  size_t due_marked;              /* [own, stw] its values below are marked (STAGE_REVIVED) */
  struct finaliser_batch *ready;  /* [own, stw] finalisers to call */
  struct finaliser_batch *unshaded;   /* [own, stw] of these, the first that is still to be shaded in this cycle, NULL: none */
  bool finaliser_running;
  bool out_of_memory;             /* [own] the limit was passed, and the client has not raised yet */
  bool leaving;                   /* [stw] it has handed over what it had, and is about to leave the table */
  struct domain_counters counters;
  struct domain_counters told;    /* [own, stw] the part of counters that bac_gc.told has */
  size_t coming;                  /* [own, stw] words that are about to be allocated in the major heap at once */
  uint64_t direct_words;          /* allocated in the major heap, not by promotion, and not told to pacing yet */
  uint32_t deferred;              /* interrupts taken where they could not be served */
  double custom_minor;            /* share of a nursery that off-heap memory stands for */
  value *sample_at;               /* [own, stw] the observer's sample point in the nursery, NULL: none (hooks.h) */
  value *slice_at;                /* [own, stw] where in the nursery the next slice is due, NULL: after the minor collection */
  bool behind;                    /* [own] the last slice did not do all that is due */
  int64_t lump;                   /* [own, stw] words allocated in the major heap, not by promotion, and what off-heap memory stands for, since the last slice, less what
                                     it foresaw */
  uint64_t stress_left;           /* allocations until the next forced collection */
  unsigned sweep_hint;
  struct work_window window;      /* [own] */
  VEC(uintnat) unscanned;         /* [stw] promoted objects that are still to be scanned: see minor.c */
  VEC(value) moved;               /* [stw] where they were in the nursery, while ephemerons are decided */
  bool promotes;                  /* [stw] it takes part in this minor collection */
  uint64_t *promoted;             /* [stw] words that it promoted in it, by the nursery they came from */
};

static inline struct gc_domain *gc_domain(struct domain *d) { return (struct gc_domain *)d; }

/* See compact_is_due. */
struct auto_compaction {
  uint64_t cycle;                 /* of the last one; 0: there was none */
  uint64_t wasted;                /* words that it gave back, or one before it that came soon before */
  uint64_t interval;              /* cycles before the next may come */
};

/* See pacing.c; words throughout. */
struct pacing {
  uint64_t allocated;             /* [atomic] into the major heap since marking last ended, off-heap memory counted in */
  uint64_t mark_done;             /* [atomic] words marked since marking started */
  uint64_t mark_total;            /* [stw, atomic read] and in the cycles that ended before */
  uint32_t sharers;               /* [stw, atomic read] domains that share what is owed */
  uint64_t live;                  /* [atomic] what the budget was set for */
  int64_t floating;               /* [atomic] what was left beside it, less what was about to be allocated */
  uint64_t budget;                /* [atomic] allocation from one end of marking to the next */
  double promoted_part;           /* [stw] promoted words for each word in the fullest nursery, in the last minor collection */
  uint64_t mark_at;               /* [atomic] marking starts when so much is allocated */
  uint64_t finish_live;           /* [stw] live and dead words when marking ended */
  uint64_t finish_allocated;      /* [stw] what [allocated] was then */
  uint64_t finish_coming;         /* [stw] what was about to be allocated then */
  uint64_t finish_born_marked;    /* [stw] the part of it since marking started */
  uint64_t mark_from;             /* [stw] what [allocated] was when marking started */
  uint64_t mark_work;             /* [stw] words that this cycle is expected to mark */
  uint64_t wasted;                /* [stw] words of free slots in more pools than what was left when marking ended needs, and of tables beside the heap */
  uint64_t heap_words;            /* [stw] size of what is to be swept */
  double mark_per_live;           /* [stw, pacing_cycle_swept] marked words per live word in the last cycle */
};

/* See marker_threads.c. */
struct marker_threads {
  int started;                    /* [stw] in this process */
  uint32_t rings;                 /* [atomic] futex: there is more to mark */
  uint32_t asleep;                /* [atomic] those that found nothing to do */
};

/* See limit.c; blocks. */
struct heap_limit {
  int64_t blocks, reserve;        /* [const] */
  bool counts_outside;            /* [const] memory outside the heap counts */
  int64_t outside;                /* [atomic] bytes of it */
  int64_t at, most;               /* [atomic] */
  uint32_t told;                  /* [atomic] how often, since the heap was last below */
};

struct gc_state {
  struct gc_params params;        /* [own of any domain by gc_params_set under stw; read anywhere] */
  struct gc_client client;        /* [const] */
  enum gc_phase phase;            /* [stw, atomic read; SWEEP -> IDLE: cycle_end_sweep's compare-and-swap] */

  struct lock mark_lock;          /* RANK_MARK_POOL */
  struct mark_packet *mark_full, *mark_empty;   /* [lock:mark] */
  int64_t mark_packets;           /* [atomic] in mark_full */
  enum mark_stage stage;          /* [stw] while marking */
  struct marker_threads marker_threads;
  size_t stop_words;              /* [const] words of work that a stop may do to get to the end of marking or cleaning */
  struct ephe_state ephe;

  struct pacing pacing;
  struct heap_limit limit;
  uint32_t wanted_blocks;         /* [stw] the run that this compaction is to make; 0: none */
  uint64_t advanced;              /* [atomic] words of slices that were asked for while IDLE: see cycle_advance */
  struct auto_compaction auto_compaction;   /* [stw] */
  uint64_t minor_collections, major_collections, forced_major, compactions;   /* [stw, atomic read] */
  uint64_t young_lists;           /* [atomic] names of lists given so far: see gc_note_continuation; none is 0 */
  struct heap_figures sample;     /* [stw] the heap at the end of the last minor collection or cycle: for pacing */
  struct domain_counters told;    /* [atomic] the sum over all domains there ever were, of what they have told */
};
extern struct gc_state bac_gc;

static inline bool gc_is_marking(void) { return load_relaxed(&bac_gc.phase) == PHASE_MARK; }
static inline bool gc_is_cleaning(void) { return load_relaxed(&bac_gc.phase) == PHASE_CLEAN; }

/* Marked, or not in the heap. */
static inline bool mark_is_marked(value v)
{
  if (!Is_block(v) || !heap_contains(v)) return true;
  uint8_t kind = heap_kind(v);
  if ((kind & 0xf) == KIND_SCAN || kind == KIND_LARGE_REST) {
    header_t hd = Hd_val(v);
    if (Tag_hd(hd) == Infix_tag) hd = Hd_val(v - Infix_offset_hd(hd));
    return Colour_hd(hd) == heap_colour();
  }
  return object_colour(v, kind) == heap_colour();
}

static inline void gc_tell_moment(struct gc_domain *g, enum gc_moment moment)
{
  if (bac_gc.client.moment) bac_gc.client.moment(&g->dom, moment);
}

/* With the marker threads, whose tables are empty. */
#define for_each_gc_domain(g) \
  for_each_domain_and_helper(g##_dom_) for (struct gc_domain *g = gc_domain(g##_dom_); g; g = NULL)

/* ---- roots.c ---- */
/* Global roots and the client's process-wide roots. [stw] */
void roots_scan_process(struct root_visitor *v);
/* All young generational roots have become old. [stw] */
void roots_after_minor(void);
/* Roots of one domain: the client's and the observer's. Those of its finalisers are finalise.c's. [stw] */
void roots_scan_domain(struct gc_domain *g, struct root_visitor *v);

/* ---- minor.c ---- */
/* Empties every nursery. Leader of a stopped world. */
void minor_collect_stw(struct gc_domain *leader);
struct minor_worker;
/* Where a young block went, or 0 if it was not copied: it is dead when the copying is over. [stw] */
value minor_forwarded(value v);
/* Of a forwarding block that was not copied: what strong references to it have been redirected to, if that
 * is an integer or an old block; else 0. [stw] */
value minor_redirected(value v);
/* Copies what *slot refers to, if it is young, and all that it reaches; what is copied is noted in
 * moved of the domain answered. [stw, leader] */
struct gc_domain *minor_promote_now(struct minor_worker *w, value *slot);
/* The young block that is copied first if v, which was not, survives after all. [stw] */
value minor_awaited(value v);

/* ---- mark.c ---- */
bool mark_value(struct marker *m, value v);      /* shades v; true if it was unmarked */
/* Marks until about budget words were scanned or nothing is left; the words done. */
size_t mark_some(struct gc_domain *g, size_t budget);
void mark_drain_stw(struct gc_domain *leader);   /* all that can be marked in this stage, by all domains. [stw] */
bool mark_has_work(struct gc_domain *g);         /* anything to do in this stage, here or in the shared pools */
void mark_trim_stw(void);                        /* gives back memory of empty packets */
void mark_flush(struct gc_domain *g);            /* local packets to the shared pools */
struct mark_visitor { struct root_visitor v; struct marker *m; };
void mark_visitor_init(struct mark_visitor *v, struct marker *m);

/* ---- marker_threads.c ---- */
void marker_threads_start_stw(void);             /* marking begins */
void marker_threads_call(void);                  /* a packet is there to be taken */
/* Does any of them mark, or is about to? What it holds comes to the shared pools, or is done, without anybody's help. */
bool marker_threads_busy(void);
void marker_threads_forked(void);                /* this process has none */

/* ---- alloc.c ---- */
/* Sets the window's trigger to what the sample point and stress want. [own, stw] */
void nursery_arm(struct gc_domain *g);
void nursery_plan_slice(struct gc_domain *g);
/* The list of young special blocks is another one now: who has noted a place in it notes a new one. [own, stw] */
void young_list_renew(struct gc_domain *g);
/* Is a remembered set, which has just got its entry [len], so long that a minor collection is due even if nothing was allocated? */
bool remembered_wants_minor(const struct gc_domain *g, size_t len);
/* A block of a kind that the tag may not tell; collects and compacts if it must to find room. 0: no memory. [may gc] */
value gc_alloc_major_or_collect(struct domain *d, mlsize_t wosize, tag_t tag, unsigned kind);

/* ---- control.c ---- */
void control_normalise(struct gc_params *p);                 /* brings each figure into its range */
/* The parameters are set for the first time: hands them on and tells them. Before there are domains. */
void control_started(void);
/* A nursery for a slot that has none, or another size for one that is empty. False: no memory; nothing is changed.
 * [stw, or before anybody sees the domain] */
bool control_set_nursery(struct gc_domain *g, size_t words);

/* ---- gc.c ---- */
/* A domain that is in no table yet, with a state of so many bytes; NULL: no memory. */
struct gc_domain *gc_domain_alloc(size_t state_size);
void gc_domain_free(struct gc_domain *g);
/* A minor collection, unless another domain leads one first, and a slice of at least [least] words. */
void gc_minor_and_slice(struct gc_domain *g, size_t least);
void gc_slice(struct gc_domain *g, size_t least);             /* major work that is due, or [least] words of it */
/* What is due when [words] have been allocated in the major heap, as is about to be done. [may gc] */
void gc_slice_before(struct gc_domain *g, size_t words);
/* Does what the collector wants of this domain; answers what only the client can do. */
uint32_t gc_serve(struct gc_domain *g);
/* A cycle that starts now, to its end; a compaction of what is there. [may gc] */
void gc_collect_all(struct domain *d);
void gc_compact_now(struct domain *d);
/* Both, and large objects move where that makes a run of so many free blocks. [may gc] */
void gc_compact_for(struct domain *d, uint32_t blocks);
/* The slice that Xstress adds, words. */
enum { STRESS_SLICE_WORDS = 100 * 1000 };

/* ---- ephe.c ---- */
void ephe_init(void);
void ephe_minor_stw(struct minor_worker *w);     /* after the strong part of a minor collection */
/* What a key counts as, a forced lazy value being replaced by what it stands for. */
value ephe_key_shortcut(value *key);

/* ---- ephe_keys.c ---- */
void keys_add(struct ephe_keys *t, value key, value ephe, mlsize_t index);
/* Moves those that wait for [key] to [woken], *most of them. True: no more wait. */
bool keys_take(struct ephe_keys *t, value key, size_t *most, struct ephe_woken *woken);
void keys_prefetch(const struct ephe_keys *t, value key);
void keys_free(struct ephe_keys *t);

/* ---- ephe_mark.c ---- */
void ephe_note(struct marker *m, value ephe);    /* is to be looked at when nothing grey is left */
size_t ephe_mark_some(struct marker *m, size_t budget);  /* looks at ephemerons; words done, 0: none is left */
bool ephe_has_work(const struct marker *m);
void ephe_flush(struct marker *m);
void ephe_hand_over_stw(struct marker *to, struct marker *from);
bool ephe_start_by_key_stw(void);                /* false: there is nothing to look at, or it has begun */
void ephe_begin_clean_stw(void);                 /* all markers have been handed over */
size_t ephe_clean_some(size_t budget);           /* words done, 0: all is clean or in another's hands */
void ephe_clean_keys(value ephe, mlsize_t from, mlsize_t to);  /* clean_lock is held */

/* ---- finalise.c ---- */
void finalise_minor_stw(void);                   /* dead young args of finalise_last */
void finalise_begin_pass_stw(struct finalisers *f);
/* What the stage has to do about the finalisers of g, marking with m. Own domain or [stw]; words done. */
size_t finalise_mark_some(struct gc_domain *g, struct marker *m, size_t budget);
bool finalise_has_work(const struct gc_domain *g);
size_t finalise_clean_some(struct gc_domain *g, size_t budget);  /* own domain or [stw] */
void finalise_adopt_stw(struct gc_domain *heir, struct gc_domain *gone);
/* Closures, and what is ready; for young_only: of entries that may be young, with the values of Gc.finalise. [stw] */
void finalise_visit(struct gc_domain *g, struct root_visitor *v);
/* Marking has begun: all of the above is to be shaded (FIN-1). Nothing is young. */
void finalise_begin_shading_stw(struct gc_domain *g);

/* ---- cycle.c ---- */
void cycle_slice(struct gc_domain *g, size_t work);       /* about [work] words of whatever the phase needs */
/* Does at once what allocating [words] would make due, through all phases up to the end of the cycle, and always something. */
void cycle_advance(struct gc_domain *g, double words);
void cycle_finish_stw(struct gc_domain *leader);          /* completes marking and cleaning; MARK, CLEAN -> SWEEP */
void cycle_start_stw(struct gc_domain *leader);           /* IDLE -> MARK */
void cycle_sweep_all_stw(struct gc_domain *leader);       /* SWEEP -> IDLE */
void cycle_complete(struct gc_domain *g, uint64_t cycles, bool compact);   /* drives until major_collections reaches [cycles] and all is swept; [compact]: then max_overhead counts */
void cycle_return_memory(void);                           /* all that was planned, which slices do in pieces */

/* ---- compact.c, slide.c ---- */
enum { KIND_EVACUATED = 0x40 };                  /* flag of a block whose objects have left it */
struct slid { VEC(uint32_t) blocks; };           /* first blocks of large objects that have moved */
void slide_move_stw(struct slid *slid);
void slide_free_stw(struct slid *slid);          /* when references have been redirected */
void compact_stw(struct gc_domain *leader);
void compact_after_cycle(struct gc_domain *g);               /* a cycle ended: compacts if max_overhead wants it */
/* Blocks that a compaction would empty, as words. */
uint64_t compact_wasted_words(const struct heap_counts *counts);
/* Does max_overhead ask for a compaction? Called once for each that it may ask for: remembers the answer. [stw] */
bool compact_is_due(struct auto_compaction *a, size_t max_overhead, uint64_t cycle, uint64_t wasted, uint64_t live);

/* ---- pacing.c ---- */
/* Direct allocation is told to the pacing in portions of this many words; what is larger, before it is there (gc_make_room). */
enum { DIRECT_WORDS_TOLD = 16 * 1024 };
void pacing_init(void);
void pacing_overhead_changed_stw(void);                      /* the parameter space_overhead */
void pacing_allocated(struct gc_domain *g);                  /* tells g's direct words */
void pacing_count_sharers_stw(void);                         /* before nurseries are emptied */
void pacing_promoted_stw(uint64_t words, uint64_t fullest);  /* by all domains; words of the fullest nursery */
/* So many words of g's nursery later the next slice is due; SIZE_MAX: not within the nursery. */
size_t pacing_next_slice(const struct gc_domain *g);
void pacing_mark_started_stw(void);
size_t pacing_slice_work(struct gc_domain *g);               /* words of work that the next slice owes */
/* Words of work that allocating a word makes due in the phase that is under way, IDLE excepted. */
double pacing_work_per_word(void);
double pacing_words_to_cycle(const struct gc_domain *g);     /* that may be allocated before marking must start */
bool pacing_wants_cycle(const struct gc_domain *g);          /* it is time to start marking */
void pacing_cycle_finished_stw(void);
void pacing_cycle_swept(void);                               /* by whoever ended the sweeping */
int64_t pacing_blocks_wanted(void);                          /* that the next cycle may take at most */
void pacing_custom(struct gc_domain *g, double share_of_cycle);   /* off-heap memory of g's, as a share of a cycle's allocation; [own] or [stw] */

/* ---- limit.c ---- */
int64_t limit_heap_blocks(void);                             /* what memory outside leaves of the limit to the heap */
size_t limit_heap_most(size_t bytes);                        /* of what Xlimit says: a heap that no program goes beyond; 0: unknown */
void limit_init(size_t bytes);                               /* Xlimit, 0: the default; after heap_init */
void limit_obey(struct gc_domain *g);                        /* after a slice: collects, compacts, tells the client */
void limit_watch(struct gc_domain *g);                       /* where nothing may be collected: asks for the above. [no gc] */
void limit_cycle_swept(void);                                /* by whoever ended the sweeping */

/* ---- window.c ---- */
/* Of the words that are owed now, those that this slice is to do, with [window] slices to spread them over. */
size_t window_spread(struct work_window *w, enum gc_phase phase, size_t window, size_t owed);

/* ---- stats.c ---- */
void stats_trace_stw(struct domain *leader);                 /* tells the tracer */
void stats_sample_stw(void);                                 /* all is told; refreshes bac_gc.sample */
void stats_adopt_stw(struct gc_domain *heir, struct gc_domain *gone);
void stats_sum_counts(struct heap_counts *out);              /* [stw] told or not */
/* The figures that follow from counts and the number of blocks; free blocks and what comes after are left 0. */
void stats_from_counts(const struct heap_counts *c, struct heap_figures *out);
uint64_t gc_minor_words(struct gc_domain *g);                /* exact, now */

/* ---- verify.c ---- */
void verify_heap_stw(const char *when);
void verify_scan_stw(struct heap_figures *out, struct heap_counts *counts);

#endif
