/* SPDX-License-Identifier: MIT */
/* Locks on one futex word.
 *
 * The word is FREE, HELD, or CONTENDED: held, and somebody may be asleep. A
 * thread that has to sleep first makes the word CONTENDED; who releases a
 * CONTENDED lock wakes one sleeper. A sleeper that wakes takes the lock as
 * CONTENDED, since it cannot know whether it was the last; at worst that costs
 * one wake-up that nobody needed. Source of the protocol: U. Drepper, "Futexes
 * are tricky", 2011, section 6.
 *
 * Order: the taking compare-and-swap or exchange is an acquire, the exchange
 * that frees is a release; sanitizers see them as such.
 *
 * Debug builds keep the set of ranks that each thread holds; ranks rise, so a
 * set of bits says as much as a list. */
#include "sync/lock.h"

#include "os/os.h"
#include "sync/atomic.h"

enum { FREE = 0, HELD = 1, CONTENDED = 2 };
enum { SPIN_ROUNDS = 100 };

#ifdef BAC_DEBUG
static __thread uint32_t held_ranks;

static void rank_enter(const struct lock *l)
{
  if (held_ranks >> l->rank != 0)
    bac_fatal("lock order: rank %u taken while ranks 0x%x are held", l->rank, held_ranks);
}
static void rank_add(const struct lock *l) { held_ranks |= 1u << l->rank; }
static void rank_remove(const struct lock *l) { held_ranks &= ~(1u << l->rank); }
#else
static void rank_enter(const struct lock *l) { (void)l; }
static void rank_add(const struct lock *l) { (void)l; }
static void rank_remove(const struct lock *l) { (void)l; }
#endif

static bool take_free(struct lock *l)
{
  uint32_t expected = FREE;
  return load_relaxed(&l->state) == FREE && cas_acq_rel(&l->state, &expected, HELD);
}

/* On one core the holder cannot release while we spin. */
static bool take_spinning(struct lock *l)
{
  if (os_cores() == 1) return false;
  for (int i = 0; i < SPIN_ROUNDS; i++) {
    if (take_free(l)) return true;
    os_relax();
  }
  return false;
}

static NOINLINE void take_slowly(struct lock *l)
{
  if (take_spinning(l)) return;
  while (exchange_seq(&l->state, CONTENDED) != FREE) os_wait(&l->state, CONTENDED, 0);
}

void lock_acquire(struct lock *l)
{
  rank_enter(l);
  if (unlikely(!take_free(l))) take_slowly(l);
  rank_add(l);
}

bool lock_try(struct lock *l)
{
  rank_enter(l);
  if (!take_free(l)) return false;
  rank_add(l);
  return true;
}

void lock_release(struct lock *l)
{
  rank_remove(l);
  uint32_t was = exchange_seq(&l->state, FREE);
  DCHECK(was != FREE);
  if (unlikely(was == CONTENDED)) os_wake(&l->state, 1);
}

bool lock_is_held(const struct lock *l) { return load_relaxed(&l->state) != FREE; }

void lock_reset(struct lock *l)
{
  rank_remove(l);
  store_seq(&l->state, FREE);
}
