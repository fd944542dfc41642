/* SPDX-License-Identifier: MIT */
/* The domain table, blocking sections, interrupts and fork. Stopping the world
 * is in stw.c; what each state means and who changes it is in domain.h.
 *
 * State: the table bac_domains, whose private half is the static struct
 * stw_state; the thread's own domain in thread-local storage.
 *
 * CONCURRENCY. Two pairs of a store followed by a load decide everything here;
 * all four accesses of a pair are sequentially consistent, so at least one side
 * sees the other:
 *
 *   blocking    own thread: state := BLOCKED, then reads stop_requested
 *               leader:     stop_requested := 1, then reads state
 *               Either the thread sees the stop and tells the leader, or the
 *               leader sees BLOCKED and claims the domain.
 *
 *   interrupt   own thread: young_limit := trigger, then reads what is pending
 *               requester:  sets what is pending, then young_limit := all ones
 *               If the thread's store hides the requester's, its read comes
 *               later still, sees what is pending and interrupts itself. */
#include "domain/domain.h"

#include "domain/stw.h"
#include "os/os.h"
#include "sync/atomic.h"

__thread struct domain *domain_self_ __attribute__((tls_model("initial-exec")));

static struct stw_private stw_state = { .turns = { .lock = LOCK_INIT(RANK_LEAF), .end = &stw_state.turns.first } };
struct domains bac_domains = { .world = LOCK_INIT(RANK_WORLD), .stw = &stw_state };

void domain_set_self(struct domain *d) { domain_self_ = d; }

/* ---- The table ---- */

bool domains_init(int limit, int helpers)
{
  CHECK(limit >= 1 && limit <= DOMAINS_MAX && bac_domains.live == NULL);
  bac_domains.live = os_alloc((size_t)(limit + helpers) * sizeof *bac_domains.live);
  if (bac_domains.live == NULL) return false;
  bac_domains.limit = limit;
  bac_domains.slots = limit + helpers;
  stw_state.cores = os_cores();
  return true;
}

void domains_fini(void)
{
  CHECK(bac_domains.count == 0);
  os_free(bac_domains.live, (size_t)bac_domains.slots * sizeof *bac_domains.live);
  bac_domains.live = NULL;
}

/* Of the slots [from, to), or -1. */
static int slot_find_free(int from, int to)
{
  for (int slot = from; slot < to; slot++)
    if (bac_domains.live[slot] == NULL) return slot;
  return -1;
}

bool domain_enter(struct domain *d, bool (*ready)(struct domain *, void *), void *arg)
{
  DCHECK(domain_self() == NULL || load_relaxed(&domain_self()->state) != DOMAIN_RUNNING);
  lock_acquire(&bac_domains.world);
  int slot = slot_find_free(0, bac_domains.limit);
  if (slot >= 0) {
    d->slot = slot;
    d->id = bac_domains.next_id;
    d->waiting = d->passed_over = 0;
    d->turn = (struct turn){0};
    store_seq(&d->state, DOMAIN_BLOCKED);
  }
  bool entered = slot >= 0 && ready(d, arg);
  if (entered) {
    bac_domains.live[slot] = d;
    bac_domains.next_id++;
    store_relaxed(&bac_domains.count, bac_domains.count + 1);
  }
  lock_release(&bac_domains.world);
  return entered;
}

bool domain_enter_helper(struct domain *d)
{
  DCHECK(domain_self() == NULL);
  lock_acquire(&bac_domains.world);
  int slot = slot_find_free(bac_domains.limit, bac_domains.slots);
  if (slot >= 0) {
    d->slot = slot;
    d->id = UINT64_MAX;
    store_seq(&d->state, DOMAIN_BLOCKED);
    bac_domains.live[slot] = d;
  }
  lock_release(&bac_domains.world);
  return slot >= 0;
}

void world_lock(struct domain *d)
{
  domain_enter_blocking(d);
  lock_acquire(&bac_domains.world);
  /* The last leader put the state back before it let go of the lock, and no
   * other can begin: this does not wait. */
  domain_leave_blocking(d);
}

void domain_leave(struct domain *d, void (*gone)(struct domain *, void *), void *arg)
{
  world_lock(d);
  CHECK(bac_domains.live[d->slot] == d);
  turn_leave(d);
  bac_domains.live[d->slot] = NULL;
  store_release(&bac_domains.count, bac_domains.count - 1);
  gone(d, arg);
  domain_set_self(NULL);
  lock_release(&bac_domains.world);
}

/* ---- Blocking sections ---- */

void domain_block(struct domain *d)
{
  DCHECK(load_relaxed(&d->state) == DOMAIN_RUNNING);
  store_seq(&d->state, DOMAIN_BLOCKED);
  if (unlikely(load_seq(&bac_domains.stop_requested))) stw_arrive();
}

void domain_enter_blocking(struct domain *d)
{
  domain_block(d);
  if (unlikely(load_relaxed(&bac_domains.held) != 0)) turn_pass(d);
}

void domain_leave_blocking(struct domain *d)
{
  uint32_t state = DOMAIN_BLOCKED;
  if (unlikely(!cas_seq(&d->state, &state, DOMAIN_RUNNING))) stw_resume(d);
  /* A thread that goes in and out of blocking sections without a safepoint
   * between must not keep the leader waiting. */
  if (unlikely(stw_awaits(d))) stw_rest(d);
}

/* ---- Interrupts ---- */

void domain_request(struct domain *target, uint32_t wants)
{
  __atomic_fetch_or(&target->interrupts, wants, __ATOMIC_SEQ_CST);
  store_seq(&target->window->young_limit, UINTPTR_MAX);
}

void domain_rearm(struct domain *d)
{
  struct window *w = d->window;
  store_seq(&w->young_limit, (uintnat)w->young_trigger);
  if (load_seq(&d->interrupts) != 0 || load_relaxed(&d->turn.held) || stw_awaits(d)) store_seq(&w->young_limit, UINTPTR_MAX);
}

uint32_t domain_take_interrupts(struct domain *d)
{
  uint32_t wants = exchange_seq(&d->interrupts, 0);
  domain_rearm(d);
  return wants;
}

void domain_set_trigger(struct domain *d, value *trigger)
{
  d->window->young_trigger = trigger;
  domain_rearm(d);
}

/* ---- Fork ---- */

void domains_before_fork(struct domain *d)
{
  while (!stw_begin(d)) {}
}

void domains_after_fork_parent(struct domain *d) { stw_end(d); }

void domains_after_fork_child(struct domain *d)
{
  for (int slot = 0; slot < bac_domains.slots; slot++)
    if (bac_domains.live[slot] != d) bac_domains.live[slot] = NULL;
  store_relaxed(&bac_domains.count, 1);
  /* The threads that slept here are not in this process. */
  stw_state.called.sleepers = stw_state.released.sleepers = 0;
  stw_state.turns = (struct turns){ .lock = LOCK_INIT(RANK_LEAF), .end = &stw_state.turns.first };
  bac_domains.held = d->turn.held = 0;
  stw_end(d);
}
