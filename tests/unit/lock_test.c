/* SPDX-License-Identifier: MIT */
/* Tests of src/sync/lock.c: exclusion under contention with more threads than
 * cores, try, reset, and in debug builds the check of ranks. */
#include "unit.h"

#include "os/os.h"
#include "sync/atomic.h"
#include "sync/lock.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 20000 };

struct contest {
  struct lock lock;
  uint64_t sum;          /* [lock] */
  uint64_t tries;        /* [lock] */
  uint32_t inside;       /* [atomic] */
  bool overlapped;       /* [lock] */
};

static void enter_and_leave(struct contest *c, unsigned i)
{
  if (add_seq(&c->inside, 1) != 0) c->overlapped = true;
  c->sum++;
  /* Being descheduled with the lock held is what makes sleepers. */
  if (i % 512 == 0) os_yield();
  sub_seq(&c->inside, 1);
  lock_release(&c->lock);
}

static void *contend(void *arg)
{
  struct contest *c = arg;
  for (unsigned i = 0; i < ROUNDS; i++) {
    bool tried = i % 3 == 0 && lock_try(&c->lock);
    if (!tried) lock_acquire(&c->lock);
    c->tries += tried;
    enter_and_leave(c, i);
  }
  return NULL;
}

TEST(lock_excludes)
{
  static struct contest c;
  c = (struct contest){ .lock = LOCK_INIT(RANK_LEAF) };
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) REQUIRE(pthread_create(&threads[i], NULL, contend, &c) == 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  EXPECT_EQ(c.sum, (uint64_t)THREADS * ROUNDS);
  EXPECT(!c.overlapped);
  EXPECT(!lock_is_held(&c.lock));
}

static void *hold_a_while(void *arg)
{
  struct contest *c = arg;
  lock_acquire(&c->lock);
  store_seq(&c->inside, 1);
  usleep(5000);
  c->sum = 42;
  lock_release(&c->lock);
  return NULL;
}

TEST(lock_sleeps_until_released)
{
  static struct contest c;
  c = (struct contest){ .lock = LOCK_INIT(RANK_LEAF) };
  pthread_t holder;
  REQUIRE(pthread_create(&holder, NULL, hold_a_while, &c) == 0);
  while (load_seq(&c.inside) == 0) os_yield();
  lock_acquire(&c.lock);
  EXPECT_EQ(c.sum, 42);
  lock_release(&c.lock);
  pthread_join(holder, NULL);
}

TEST(lock_try_and_reset)
{
  struct lock l = LOCK_INIT(RANK_LEAF);
  EXPECT(!lock_is_held(&l));
  EXPECT(lock_try(&l));
  EXPECT(lock_is_held(&l));
  lock_reset(&l);
  EXPECT(!lock_is_held(&l));
  lock_acquire(&l);
  lock_release(&l);
}

#ifdef BAC_DEBUG
static void take_two(enum lock_rank first, enum lock_rank second)
{
  struct lock a = LOCK_INIT(first), b = LOCK_INIT(second);
  lock_acquire(&a);
  lock_acquire(&b);
  lock_release(&a);
  lock_release(&b);
}

TEST(lock_ranks)
{
  take_two(RANK_POOLS, RANK_ARENA);
  take_two(RANK_WORLD, RANK_LEAF);
  EXPECT_ABORTS(take_two(RANK_ARENA, RANK_POOLS), "lock order");
  EXPECT_ABORTS(take_two(RANK_LEAF, RANK_LEAF), "lock order");
}
#endif

UNIT_MAIN()
