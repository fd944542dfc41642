/* SPDX-License-Identifier: MIT */
/* Locks, each with a rank. A thread may take a lock only if its rank is above
 * the ranks of all locks that it holds; debug builds check this, so an order
 * that could deadlock fails at once and not once a month.
 *
 * The locks are short: no lock here is held across a safepoint, except
 * RANK_WORLD, whose protocol is in domain/domain.h. They spin briefly, then
 * sleep in the kernel. They are not recursive. Zero-initialised is not enough:
 * use LOCK_INIT(rank). */
#ifndef BAC_SYNC_LOCK_H
#define BAC_SYNC_LOCK_H

#include "base/check.h"

/* The lock order, outermost first. */
enum lock_rank {
  RANK_WORLD = 1,     /* the one leader of a stop-the-world section; domain table */
  RANK_GLOBAL_ROOTS,  /* tables of global roots */
  RANK_EPHEMERONS,    /* ephemerons that marking has found, and the keys that they wait for */
  RANK_MARK_POOL,     /* shared mark packets */
  RANK_POOLS,         /* lists of pools of one class */
  RANK_LARGE,         /* list of large objects */
  RANK_ARENA,         /* free blocks */
  RANK_ABI,           /* named values, custom operation tables, code fragments */
  RANK_CHANNELS,      /* list of open channels */
  RANK_LEAF,          /* takes nothing else */
};

struct lock {
  uint32_t state;     /* [atomic] 0 free, 1 held, 2 held with sleepers */
  uint8_t rank;       /* [const] enum lock_rank */
};

#define LOCK_INIT(r) { .state = 0, .rank = (r) }

void lock_acquire(struct lock *l);
bool lock_try(struct lock *l);
void lock_release(struct lock *l);
bool lock_is_held(const struct lock *l);

/* After fork, in the child: the lock is free whoever held it. */
void lock_reset(struct lock *l);

#endif
