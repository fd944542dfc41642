/* SPDX-License-Identifier: MIT */
/* The master lock: which of its threads has the domain.
 *
 * Threads wait in the order in which they came. There are two ways to give the lock up:
 *
 *   release     at the start of a blocking section: the lock is free, and the first who waits is woken to try for it. Who is
 *               quick with a system call has it again before that one has come to a core; nothing is
 *               lost by that, and a program that makes many short calls does not wait for others each time.
 *   hand_over   yielding: the lock goes to the first who waits, and never is free. The caller goes to the end of the line.
 *
 * MASTER-1  A thread keeps its place in the line until it has the lock. Since each tick makes whoever runs hand over, the first in
 *           the line waits for one tick at most, and the safepoint after it.
 *
 * Any thread. It knows nothing of domains. */
#ifndef BAC_THREADS_MASTER_H
#define BAC_THREADS_MASTER_H

#include "sync/lock.h"

enum master_word { MASTER_WAIT, MASTER_TRY, MASTER_GRANTED };

/* A thread's place in the line. */
struct master_place {
  struct master_place *next;   /* [lock:guard] */
  uint32_t word;               /* [atomic] enum master_word; written under the guard */
};

struct master {
  struct lock guard;           /* RANK_LEAF */
  bool held;                   /* [lock:guard] */
  struct master_place *first;  /* [lock:guard; atomic read] */
  struct master_place **end;   /* [lock:guard] where the next one is linked */
};

/* Held by the caller. Also in the child of a fork, whatever the parent's threads were doing. */
void master_init(struct master *m);
void master_acquire(struct master *m, struct master_place *mine);
void master_release(struct master *m);
/* Does nothing where nobody waits. */
void master_hand_over(struct master *m, struct master_place *mine);
/* Now; it may change. */
bool master_has_waiters(const struct master *m);

#endif
