/* SPDX-License-Identifier: MIT */
/* Domains: the threads that run OCaml code in parallel, and how all of them
 * are brought to a stop.
 *
 * This room knows when a domain may be interrupted and how domains wait for
 * each other. It does not know what the collector does while the world is
 * stopped, nor what a domain's stacks hold.
 *
 * STATES. A domain is always in one of these; [state] is the only record of it.
 *
 *   RUNNING   its thread may touch the heap. It looks at its interrupt word
 *             (young_limit) at each safepoint.
 *   BLOCKED   its thread is in a blocking section, or has not yet gone on after
 *             a release: it may not touch the heap.
 *   STOPPED   it belongs to the leader of a stop-the-world section.
 *
 *   RUNNING -> BLOCKED   own thread   domain_enter_blocking
 *   BLOCKED -> RUNNING   own thread   domain_leave_blocking, or going on after a
 *                                     release (compare-and-swap)
 *   BLOCKED -> STOPPED   the leader   claims it (compare-and-swap); its thread is
 *                                     not woken, and waits if it wants to leave
 *   RUNNING -> STOPPED   own thread   at a safepoint (domain_safepoint), "parked"
 *   STOPPED -> BLOCKED   the leader   on release: the thread goes on when it has a core;
 *                                     until then the next leader may claim the domain
 *   STOPPED -> RUNNING   the leader   on release, if its thread has waited through too many
 *                                     sections on end
 *
 * STOP THE WORLD. The leader holds the world lock (RANK_WORLD) from before the
 * first interrupt until after the release; spawn, termination and the walk of
 * the domain table take the same lock. A domain that wants the lock while
 * another leads never waits as RUNNING: it parks or blocks, so the leader
 * always makes progress (DOM-1). Waiting is by futex after a short spin.
 *
 * INVARIANTS
 *   DOM-1  no thread waits for another while its domain is RUNNING. Excepted are waits for a thread that,
 *          wherever it is, gets there without a safepoint and without waiting for a RUNNING domain: a lock of
 *          sync/lock.h (but RANK_WORLD, see stw.h), a continuation's stack that is being marked
 *          (gc_keep_continuation), a signal that is being recorded (signals_leave); the leader, for whom
 *          nobody waits as RUNNING; and a collector's loop that comes to a safepoint in each
 *          round (cycle_complete).
 *   DOM-2  while world_is_stopped(), every other domain in the table is STOPPED.
 *   DOM-3  the domain table changes only under the world lock.
 *
 * Design page: docs/design/domains.md. Tests: tests/unit/domain_test.c. */
#ifndef BAC_DOMAIN_DOMAIN_H
#define BAC_DOMAIN_DOMAIN_H

#include "heap/value.h"
#include "sync/lock.h"

enum { DOMAINS_MAX = 4096, DOMAINS_DEFAULT = 128 };

/* The head of the mutator's state, at the place where the ABI wants it: it is
 * the prefix of the ABI's domain state (src/abi/5.3/domain_state.h checks
 * that). The nursery is allocated downwards from young_end. */
struct window {
  uintnat young_limit;   /* [atomic: relaxed store by any thread; UINTPTR_MAX interrupts] */
  value *young_ptr;      /* [own, stw] last allocated word */
  value *young_start;    /* [own, stw] */
  value *young_end;      /* [own, stw] */
  value *young_trigger;  /* [own] what young_limit is when nothing is pending */
};

enum domain_state { DOMAIN_RUNNING = 1, DOMAIN_BLOCKED, DOMAIN_STOPPED };

/* Whether it may run where there are more domains than cores: see turn.c. */
enum turn_passing { PASS_NOT, PASS_HERE, PASS_ELSEWHERE };
struct turn {
  uint32_t held;                /* [lock:turns, atomic read] futex; 1: its thread waits for a turn, or is about to */
  enum turn_passing passing;    /* [lock:turns] held: what becomes of the turn that it had */
  unsigned core;                /* [atomic] where its thread last parked, led or began to wait */
  uint64_t began;               /* [stw, lock:turns] ns; 0: with the next stop */
  struct domain *next;          /* [lock:turns] in the line */
};

struct domain {
  struct window *window;     /* [const] the mutator's state */
  uint32_t state;            /* [atomic] enum domain_state */
  uint32_t waiting;          /* [atomic] 1: its thread waits to be RUNNING again */
  uint32_t passed_over;      /* [stw, own] releases since its thread began to wait */
  int slot;                  /* [const] index in the table, 0 .. limit-1; reused */
  uint64_t id;               /* [const] never reused; the first domain is 0 */
  uint32_t interrupts;       /* [atomic] DOMAIN_* requests not yet taken, below */
  uint64_t young_list;       /* [own, stw] the collector's: see gc_note_continuation */
  struct turn turn;
};

/* Requests to a domain, taken by domain_take_interrupts. Bits. Rooms above may
 * use bits from DOMAIN_WANT_USER on. */
enum {
  DOMAIN_WANT_MINOR = 1,        /* its nursery is to be collected */
  DOMAIN_WANT_SLICE = 2,        /* a slice of major work */
  DOMAIN_WANT_ACTIONS = 4,      /* signals, finalisers ...: the back end's */
  DOMAIN_WANT_USER = 16,
};

/* What a thread does in a section: it leads, waits for the others to stop (within leading), is parked. */
enum section_part { SECTION_LEADS, SECTION_GATHERS, SECTION_PARKED };
/* Told by the thread of d, RUNNING, when such a part begins and when it ends. A beginning that was told has its end, and what
 * else the thread does in between is between them. */
typedef void (*section_told_fn)(struct domain *d, enum section_part part, bool begins);

/* The table. */
struct domains {
  struct lock world;               /* RANK_WORLD */
  struct domain **live;            /* [lock:world] by slot, NULL where free */
  int limit;                       /* [const] slots for domains; behind them are those of helpers */
  int slots;                       /* [const] in all */
  int count;                       /* [lock:world] live domains, helpers left out; others may read it atomically */
  uint64_t next_id;                /* [lock:world] */
  uint32_t stop_requested;         /* [atomic] 1 from the first interrupt to the release */
  uint32_t held;                   /* [lock:turns, atomic read] domains that wait for a turn */
  section_told_fn section_told;    /* [atomic, set under stw] NULL: nobody wants to know */
  /* ... the rest is private to domain.c; see there. */
  struct stw_private *stw;
};
extern struct domains bac_domains;

/* The domain of this thread, or NULL: a thread that has none, or one that has
 * given it up. Threads of one domain (systhreads) hand it over with
 * domain_set_self while BLOCKED. */
extern __thread struct domain *domain_self_ __attribute__((tls_model("initial-exec")));
static inline struct domain *domain_self(void) { return domain_self_; }
void domain_set_self(struct domain *d);

/* Is the calling, RUNNING domain the only one? Then it is until its next safepoint or blocking section: a second one is made by
 * its own thread. What a domain that has ended did is seen. */
static inline bool domain_is_alone(void) { return __atomic_load_n(&bac_domains.count, __ATOMIC_ACQUIRE) == 1; }

bool domains_init(int limit, int helpers);          /* false: no memory */
void domains_fini(void);                            /* none is left, and none is coming */

/* Enters [d] (window set, all else zero) in the table as BLOCKED and gives it
 * a slot and an id. The caller is another domain's thread in a blocking section, or the
 * first thread. [ready] runs under the world lock, before any stop can see d;
 * if it answers false nothing happened. Returns false: no slot, or !ready. */
bool domain_enter(struct domain *d, bool (*ready)(struct domain *, void *), void *arg);
/* Enters a *helper*: a thread that has no mutator and works for the collector. It is RUNNING while it works, comes to safepoints, and
 * takes part in jobs like any domain; nobody counts it, it has no id, and it never leads. A process has as many as
 * domains_init was told, at most; false: it has them. The calling thread, which is no domain. */
bool domain_enter_helper(struct domain *d);
static inline bool domain_is_helper(const struct domain *d) { return d->slot >= bac_domains.limit; }
/* Takes the calling, RUNNING domain out of the table; [gone] runs under the
 * world lock when no stop is under way, as the last thing that sees d. */
void domain_leave(struct domain *d, void (*gone)(struct domain *, void *), void *arg);

/* Blocking sections. Own thread. enter: RUNNING -> BLOCKED. leave waits while
 * claimed. Neither allocates nor takes a lock. errno is preserved. */
void domain_enter_blocking(struct domain *d);
void domain_leave_blocking(struct domain *d);

/* Lets others run, of whose threads one may be what the caller waits for. Own thread, RUNNING, a safepoint. */
void domain_yield(struct domain *d);

/* Interrupts [target] at its next safepoint. Any thread, also from a signal
 * handler for one's own domain: only atomic stores. */
void domain_request(struct domain *target, uint32_t wants);
/* Takes the pending requests of one's own domain and rearms young_limit (to
 * young_trigger) unless something is pending still. */
uint32_t domain_take_interrupts(struct domain *d);
static inline bool domain_has_interrupts(struct domain *d)
{
  return __atomic_load_n(&d->window->young_limit, __ATOMIC_RELAXED) == UINTPTR_MAX;
}
/* Sets young_trigger, and young_limit with it unless an interrupt is pending. */
void domain_set_trigger(struct domain *d, value *trigger);

/* Own thread, RUNNING: parks if a stop is under way, until it is over (and
 * helps: see stw_parallel). Any value held in a C local that is not a root is
 * stale afterwards. Returns true if it parked. */
bool domain_safepoint(struct domain *d);

/* Runs leader(arg) with every other domain STOPPED. The caller is RUNNING, and
 * must hold no lock. If another domain leads already, the caller parks until
 * that section is over and then this returns false without having run
 * [leader]: the caller looks again whether it still wants it. */
bool stw_run(struct domain *d, void (*leader)(struct domain *d, void *arg), void *arg);
bool world_is_stopped(void);

/* Inside the leader's function only: runs work(participant, arg) on this thread
 * and on parked threads that come in time, at most [want] in all (0: as many as
 * there are cores), and returns when all that came have returned. [participant] is the
 * helper's own domain. The work function must terminate when the work is done,
 * whoever does it: a participant that never comes holds nobody up. */
void stw_parallel(int want, void (*work)(struct domain *participant, void *arg), void *arg);
/* Inside the leader's function: is a thread parked that may come? */
bool stw_has_parked(void);

/* Every domain in the table; with the helpers. Under the world lock or with the world stopped. */
#define for_each_domain(d) for_each_domain_below_(bac_domains.limit, d)
#define for_each_domain_and_helper(d) for_each_domain_below_(bac_domains.slots, d)
#define for_each_domain_below_(slots_, d)                          \
  for (int slot_ = 0; slot_ < slots_; slot_++)                     \
    for (struct domain *d = bac_domains.live[slot_]; d; d = NULL)

/* fork: call before in the parent, after in the parent, after in the child. In
 * the child only the calling domain is left. */
void domains_before_fork(struct domain *d);
void domains_after_fork_parent(struct domain *d);
void domains_after_fork_child(struct domain *d);

#endif
