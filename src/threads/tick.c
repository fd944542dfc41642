/* SPDX-License-Identifier: MIT */
/* The table of rings, and the tick: one thread for all domains that, every 50 ms, asks those in which a thread waits for
 * the master lock to hand it over. It touches no heap and has no domain.
 *
 * State: the table, by the domain's slot, and the tick's own words. [lock] RANK_LEAF; a ring is withdrawn under it, so the
 * tick never sees a domain that has ended. A domain reads its own entry without it, as does the collector
 * while the world is stopped. */
#include "threads/threads.h"

#include "os/os.h"
#include "sync/atomic.h"

enum { TICK_NS = 50 * 1000 * 1000 };

static struct {
  struct lock lock;
  struct ring *of_slot[DOMAINS_MAX];  /* [lock for writing] */
  uint32_t running;                   /* [lock for writing, atomic] there is a tick thread */
  uint32_t stop;                      /* [atomic] it is to end */
} rings = {.lock = LOCK_INIT(RANK_LEAF)};

struct ring *ring_of(int slot) { return rings.of_slot[slot]; }

static void ring_set(int slot, struct ring *r)
{
  lock_acquire(&rings.lock);
  rings.of_slot[slot] = r;
  lock_release(&rings.lock);
}

void ring_publish(struct ring *r) { ring_set(r->domain->slot, r); }
void ring_withdraw(struct ring *r) { ring_set(r->domain->slot, NULL); }

/* ---- The tick ---- */

/* Under the lock. Has any ring a second thread? */
static bool tick_all(void)
{
  bool any = false;
  for (int slot = 0; slot < bac_domains.limit; slot++) {
    struct ring *r = rings.of_slot[slot];
    if (!r || load_relaxed(&r->count) < 2) continue;
    any = true;
    if (!master_has_waiters(&r->master)) continue;
    store_relaxed(&r->ticked, 1);
    domain_request(r->domain, DOMAIN_WANT_ACTIONS);
  }
  return any;
}

static void tick_thread(void *unused)
{
  bool goes_on = true;
  while (goes_on) {
    os_wait(&rings.stop, 0, TICK_NS);
    lock_acquire(&rings.lock);
    goes_on = tick_all() && !load_relaxed(&rings.stop);
    if (!goes_on) {
      store_relaxed(&rings.stop, 0);
      store_seq(&rings.running, 0);
    }
    lock_release(&rings.lock);
  }
  os_wake(&rings.running, 1);
}

int tick_start(void)
{
  int error = 0;
  lock_acquire(&rings.lock);
  if (!load_relaxed(&rings.running)) {
    error = os_thread_start(tick_thread, NULL);
    store_relaxed(&rings.running, error == 0);
  }
  lock_release(&rings.lock);
  return error;
}

void tick_stop(void)
{
  lock_acquire(&rings.lock);
  store_seq(&rings.stop, load_relaxed(&rings.running));
  lock_release(&rings.lock);
  os_wake(&rings.stop, 1);
  while (load_seq(&rings.running)) os_wait(&rings.running, 1, 0);
}

void tick_after_fork_child(void)
{
  lock_reset(&rings.lock);
  rings.running = rings.stop = 0;
}
