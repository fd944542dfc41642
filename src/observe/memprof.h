/* SPDX-License-Identifier: MIT */
/* The memory profiler, below OCaml: which allocations are sampled, and what has
 * become of the blocks. The callbacks are run by prims/memprof.c.
 *
 * A profile samples every allocated word with the same probability. The distance from one
 * sampled word to the next is then geometric, and has no memory: it may be drawn
 * anew at any moment. So a sample point in the nursery is simply drawn again when the
 * nursery was emptied, or sampling was suspended for a while.
 *
 * A block with at least one sampled word gets an ENTRY in the table of its
 * domain. An entry lives from the allocation until its last callback has returned:
 *
 *   BORN       the allocation callback has not been run; [owner] is the thread that must
 *   TRACKED    it has, and gave [user], the program's datum
 *   DELETED    nothing more is called; its place is taken out later
 *
 * and has beside it what the collector told: promoted, dead.
 *
 * A table belongs to its domain: its threads, which have the domain in turn, and the leader of a stopped
 * world. A profile is shared by domains.
 *
 *   MEMPROF-1  A sample point is drawn again only for reasons that do not depend on where it was.
 *   MEMPROF-2  No entry before [young_from] refers to anything young. memprof_check
 *   MEMPROF-3  An index stays valid while [running] is above 0. A pointer to an entry does not outlive anything
 *              that may collect: another domain may end meanwhile, and its entries come into this table.
 *   MEMPROF-4  No entry before [pending_from] waits for a callback of the thread that has the domain; and if one
 *              behind it does, DOMAIN_WANT_ACTIONS was requested since the thread was last not suspended. memprof_check
 *   MEMPROF-5  A profile lives as long as one of its holders: the program's Gc.Memprof.t, each entry that is not
 *              DELETED, each domain that samples it.
 *
 * Design page: docs/design/memprof.md. Tests: tests/gc/memprof_*.ml. */
#ifndef BAC_OBSERVE_MEMPROF_H
#define BAC_OBSERVE_MEMPROF_H

#include "base/rng.h"
#include "base/vec.h"
#include "gc/hooks.h"

enum memprof_status { MEMPROF_SAMPLING, MEMPROF_STOPPED, MEMPROF_DISCARDED };

struct memprof_profile {
  uint32_t status;           /* [atomic] enum memprof_status, only grows */
  uint32_t holders;          /* [atomic] */
  uint32_t samplers;         /* [atomic] domains; without any it is stopped */
  double rate;               /* [const] samples per word, 0 to 1 */
  double scale;              /* [const] 1 / log (1 - rate) */
  size_t frames;             /* [const] longest callstack */
  value tracker;             /* [atomic read] generational global root: the callbacks; Val_unit once discarded */
};

/* Gc.Memprof.allocation_source. */
enum memprof_source { MEMPROF_NORMAL, MEMPROF_MARSHAL, MEMPROF_CUSTOM };

enum memprof_state { ENTRY_BORN, ENTRY_TRACKED, ENTRY_DELETED };

/* What the state of a thread is to the profiler. */
struct memprof_thread {
  bool suspended;            /* a callback runs: nothing is sampled */
};

struct memprof_entry {
  value block;               /* weak; 0: dead, or not there yet */
  value user;                /* strong; Val_unit unless TRACKED */
  struct memprof_profile *profile;
  struct memprof_thread *owner;
  void **callstack;          /* mem_alloc'ed, until the allocation callback */
  size_t frames;
  size_t words, samples;
  uint8_t source, state;
  bool young;                /* was born in a nursery */
  bool promoted, dead;       /* since */
  bool promotion_told;       /* the callback for it was run */
  bool busy;                 /* a callback for it is running */
};

struct memprof_domain {
  struct memprof_profile *profile;   /* sampled here, or was when it was stopped; NULL */
  struct memprof_thread *thread;     /* the one that has the domain */
  struct memprof_thread main;
  struct rng rng;
  bool hushed;
  value *point;              /* sample point in the nursery, or NULL */
  uint64_t skip;             /* words until the next sample outside the nursery */
  VEC(struct memprof_entry) entries;
  size_t young_from;         /* no entry before it refers to anything young */
  size_t pending_from;       /* no entry before it waits for a callback */
  size_t deleted;
  unsigned running;          /* threads that are running callbacks */
  VEC(void *) scratch;       /* for a callstack */
};

/* Writes at most [max] return addresses of the calling domain's stack, innermost first, and answers how
 * many there were to write (if that is max, there may be more). [no gc] */
typedef size_t memprof_callstack(void **slots, size_t max);

/* Starts watching the collector. [stw] */
void memprof_watch(memprof_callstack *callstack);

/* The state of d, or NULL: it never sampled. memprof_domain makes it. */
struct memprof_domain *memprof_of(struct domain *d);
struct memprof_domain *memprof_domain(struct domain *d);

/* NULL: no memory. One holder. The tracker may be young. */
struct memprof_profile *memprof_profile_new(double rate, size_t frames, value tracker);
void memprof_hold(struct memprof_profile *p);
void memprof_release(struct memprof_profile *p);
static inline bool memprof_is_sampling(const struct memprof_profile *p)
{
  return p != NULL && load_acquire(&p->status) == MEMPROF_SAMPLING;
}

/* Begins and ends sampling of a profile in domain d. Own thread. */
void memprof_begin(struct domain *d, struct memprof_profile *p);
void memprof_end(struct domain *d);

/* Nothing is sampled in this domain while its thread is suspended. Own thread. */
void memprof_suspend(struct domain *d, bool suspended);
/* The domain goes to another of its threads. */
void memprof_switch(struct domain *d, struct memprof_thread *t);
/* The allocations of a thread that is no more are not tracked. */
void memprof_forget_thread(struct domain *d, struct memprof_thread *t);

/* Would the next [whsize] words of d's nursery be sampled? Then how often. Own thread. */
size_t memprof_next_samples(struct domain *d, size_t whsize);
/* Enters a block whose place is not known yet (block = 0) or is. Own thread. [no gc] */
void memprof_enter(struct domain *d, value block, bool young, size_t words, size_t samples, enum memprof_source source);
/* Is anything sampled in d now? */
bool memprof_is_on(struct domain *d);
/* What is allocated while hushed is not sampled by itself: memprof_sample is called for each block
 * that is made of it (unmarshalling). Own thread, while memprof_is_on. */
void memprof_hush(struct domain *d, bool hushed);
/* Samples the header and the fields of a block. Its header is set. Own thread. [no gc] */
void memprof_sample(struct domain *d, value block, enum memprof_source source);

/* The next entry that waits for a callback which the thread that has the domain may run; false: none. */
bool memprof_next_pending(struct memprof_domain *m, size_t *index);
/* A callback for the entry begins and ends; meanwhile other threads pass it over. */
void memprof_set_busy(struct memprof_domain *m, size_t index, bool busy);
void memprof_delete(struct memprof_domain *m, size_t index);
/* The entry's datum becomes [user], which may be young. */
void memprof_set_user(struct memprof_domain *m, size_t index, value user);
/* The block of an entry that had none was made, in the nursery. */
void memprof_set_block(struct memprof_domain *m, size_t index, value block);
/* It was never made: it counts as dead. */
void memprof_lose_block(struct memprof_domain *m, size_t index);
/* Takes out deleted entries, if nothing is running and it is worth it. */
void memprof_tidy(struct memprof_domain *m);
/* MEMPROF-2, MEMPROF-4 and the count of deleted entries. Own thread, or [stw]. */
bool memprof_check(const struct memprof_domain *m);

#endif
