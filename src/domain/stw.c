/* SPDX-License-Identifier: MIT */
/* Stop the world: one domain leads, all others are STOPPED, and those of them
 * that are parked may be called to help.
 *
 * A section, as the leader sees it:
 *
 *   lock world -> stop_requested := 1 -> interrupt RUNNING domains, claim BLOCKED
 *   ones -> sleep until all have arrived -> stopped := 1 -> the leader's function,
 *   with any number of jobs -> stop_requested := 0 -> every state to BLOCKED -> ring
 *   -> unlock -> wake; the threads make themselves RUNNING
 *
 * WHO MAY TRUST stop_requested. A domain that is RUNNING and reads 1 is awaited by
 * the present leader: that leader cannot get past its wait before this domain has
 * left RUNNING, and a release clears stop_requested before it makes any domain
 * RUNNING or BLOCKED. So a thread that reads 1 may store STOPPED and be sure that
 * a release follows.
 *
 * PROGRESS. The leader waits only for RUNNING domains. Each reaches a safepoint
 * or a blocking section: none waits for anybody as RUNNING (DOM-1), and who was
 * interrupted stays so (domain_rearm). The leader sleeps until as many arrivals
 * were counted as domains were missing; each missing domain counts at least one
 * after that, since its state was RUNNING when the leader looked. An arrival too many
 * (a domain that blocked, came back and parked) makes it look again early,
 * never late. A STOPPED domain waits for the release, and the leader's function
 * waits only for helpers inside its job. A released thread gets on at the latest
 * when it has been passed over PASSED_OVER_MAX times.
 *
 * State: struct stw_private, see stw.h. The design page has the longer story. */
#include "domain/stw.h"

#include "base/bits.h"
#include "os/os.h"
#include "sync/atomic.h"

#include <limits.h>

/* Some tens of microseconds: what falling asleep and being woken would cost. */
enum { SPIN_ROUNDS = 1000 };

static inline struct stw_private *stw(void) { return bac_domains.stw; }

/* ---- Who wants to know ---- */

static section_told_fn part_begins(struct domain *d, enum section_part part)
{
  section_told_fn told = load_acquire(&bac_domains.section_told);
  if (unlikely(told != NULL)) told(d, part, true);
  return told;
}

/* [told] is what part_begins answered. */
static void part_ends(section_told_fn told, struct domain *d, enum section_part part)
{
  if (unlikely(told != NULL)) told(d, part, false);
}

/* ---- Bells ---- */

static uint32_t bell_listen(struct bell *b) { return load_seq(&b->rings); }

/* Spinning pays only where the awaited thread can run at the same time. */
static bool spin_until_rung(struct bell *b, uint32_t heard)
{
  if (load_relaxed(&stw()->crowded) || stw()->cores == 1) return false;
  for (int i = 0; i < SPIN_ROUNDS; i++) {
    if (load_acquire(&b->rings) != heard) return true;
    os_relax();
  }
  return false;
}

/* May return early. */
static void bell_await(struct bell *b, uint32_t heard)
{
  if (spin_until_rung(b, heard)) return;
  add_seq(&b->sleepers, 1);
  os_wait(&b->rings, heard, 0);
  sub_seq(&b->sleepers, 1);
}

static void bell_ring(struct bell *b) { add_seq(&b->rings, 1); }

/* After the ring. A thread that counts itself as a sleeper too late to be seen
 * here is not put to sleep: rings has changed under it. */
static void bell_wake(struct bell *b, int count)
{
  if (load_seq(&b->sleepers) != 0) os_wake(&b->rings, count);
}

/* ---- Jobs ---- */

enum { PLACE = 1 << 16, PLACES_MAX = DOMAINS_MAX, HELPERS_MASK = PLACE - 1 };

static bool job_enter(struct stw_job *job)
{
  uint32_t places = load_seq(&job->places);
  while (places >= PLACE)
    if (cas_seq(&job->places, &places, places - PLACE + 1)) return true;
  return false;
}

static void job_leave(struct stw_job *job)
{
  /* The last one out of a closed job; in an open one the leader does not wait yet. */
  if (sub_seq(&job->places, 1) == 1) os_wake(&job->places, 1);
}

static void job_help(struct domain *d)
{
  struct stw_job *job = &stw()->job;
  if (!job_enter(job)) return;
  job->work(d, job->arg);
  job_leave(job);
}

static void job_close(struct stw_job *job)
{
  uint32_t inside = __atomic_and_fetch(&job->places, HELPERS_MASK, __ATOMIC_SEQ_CST);
  for (int i = 0; inside != 0; i++) {
    if (i >= SPIN_ROUNDS || stw()->cores == 1) os_wait(&job->places, inside, 0);
    else os_relax();
    inside = load_seq(&job->places);
  }
}

bool stw_has_parked(void)
{
  struct domain *leader = load_relaxed(&stw()->leader);
  for_each_domain_and_helper(d)
    if (d != leader && load_relaxed(&d->waiting)) return true;
  return false;
}

void stw_parallel(int want, void (*work)(struct domain *participant, void *arg), void *arg)
{
  struct stw_private *s = stw();
  struct domain *self = load_relaxed(&s->leader);
  CHECK(world_is_stopped() && self == domain_self());
  int cores = (int)min_size(s->cores, PLACES_MAX);
  int helpers = (want == 0 || want > cores ? cores : want) - 1;
  if (helpers > 0 && stw_has_parked()) {
    s->job.work = work;
    s->job.arg = arg;
    store_seq(&s->job.places, (uint32_t)helpers * PLACE);
    bell_ring(&s->called);
    bell_wake(&s->called, helpers);
  }
  work(self, arg);
  job_close(&s->job);
}

/* ---- Stopped domains ---- */

bool stw_awaits(struct domain *d)
{
  return load_seq(&bac_domains.stop_requested) && load_relaxed(&stw()->leader) != d;
}

void stw_arrive(void)
{
  struct stw_private *s = stw();
  if (add_seq(&s->arrivals, 1) + 1 == load_seq(&s->arrivals_goal)) os_wake(&s->arrivals, 1);
}

/* The thread's side of a release: BLOCKED -> RUNNING, unless the leader has done
 * it or the next leader was faster. True: RUNNING. */
static bool resume_try(struct domain *d)
{
  uint32_t state = DOMAIN_BLOCKED;
  if (!cas_seq(&d->state, &state, DOMAIN_RUNNING) && state != DOMAIN_RUNNING) return false;
  store_relaxed(&d->waiting, 0);
  d->passed_over = 0;
  return true;
}

void stw_resume(struct domain *d)
{
  struct bell *released = &stw()->released;
  store_relaxed(&d->waiting, 1);
  for (;;) {
    uint32_t heard = bell_listen(released);
    if (resume_try(d)) return;
    bell_await(released, heard);
  }
}

static void stop_self(struct domain *d)
{
  store_seq(&d->state, DOMAIN_STOPPED);
  stw_arrive();
}

void stw_rest(struct domain *d)
{
  stop_self(d);
  stw_resume(d);
}

/* As stw_rest, and takes part in jobs: once in each, since it listens before it
 * looks for one. */
static NOINLINE void park(struct domain *d)
{
  struct bell *called = &stw()->called;
  section_told_fn told = part_begins(d, SECTION_PARKED);
  store_relaxed(&d->waiting, 1);
  turn_note_core(d);
  stop_self(d);
  for (;;) {
    uint32_t heard = bell_listen(called);
    if (resume_try(d)) break;
    job_help(d);
    while (bell_listen(called) == heard) bell_await(called, heard);
  }
  part_ends(told, d, SECTION_PARKED);
}

bool domain_safepoint(struct domain *d)
{
  DCHECK(load_relaxed(&d->state) == DOMAIN_RUNNING);
  bool parks = stw_awaits(d);
  if (parks) park(d);
  bool waits = load_relaxed(&d->turn.held) && load_relaxed(&stw()->leader) != d;
  if (waits) turn_await(d);
  return parks || waits;
}

/* ---- The leader ---- */

/* True if d is STOPPED now. Its state may change under us between the looks, but
 * only from BLOCKED to RUNNING and back, or to STOPPED for good. */
static bool stop_one(struct domain *d)
{
  uint32_t state = DOMAIN_BLOCKED;
  if (cas_seq(&d->state, &state, DOMAIN_STOPPED) || state == DOMAIN_STOPPED) return true;
  store_seq(&d->window->young_limit, UINTPTR_MAX);
  return false;
}

static uint32_t stop_each(struct domain *leader)
{
  uint32_t missing = 0;
  for_each_domain_and_helper(d)
    if (d != leader && !stop_one(d)) missing++;
  return missing;
}

static bool arrivals_reached(uint32_t goal)
{
  return (int32_t)(load_seq(&stw()->arrivals) - goal) >= 0;
}

static void await_arrivals(uint32_t seen, uint32_t missing)
{
  struct stw_private *s = stw();
  uint32_t goal = seen + missing;
  if (missing < s->cores)
    for (int i = 0; i < SPIN_ROUNDS; i++) {
      if (arrivals_reached(goal)) return;
      os_relax();
    }
  /* Stored before arrivals is read again; the arriving thread counts itself and
   * then reads the goal. So it wakes us or we see it. */
  store_seq(&s->arrivals_goal, goal);
  for (;;) {
    uint32_t now = load_seq(&s->arrivals);
    if ((int32_t)(now - goal) >= 0) return;
    os_wait(&s->arrivals, now, 0);
  }
}

static void stop_others(struct domain *leader)
{
  struct stw_private *s = stw();
  store_relaxed(&s->leader, leader);
  add_seq(&s->sections, 1);
  store_seq(&bac_domains.stop_requested, 1);
  for (;;) {
    uint32_t seen = load_seq(&s->arrivals);
    uint32_t missing = stop_each(leader);
    if (missing == 0) break;
    store_relaxed(&s->crowded, missing >= s->cores);
    await_arrivals(seen, missing);
  }
  store_seq(&s->stopped, 1);
}

/* The thread of a domain makes it RUNNING itself, when it has a core: until then
 * the next leader need not wait for it. But leaders in quick succession must not
 * keep it from running for ever. */
static void release_one(struct domain *d)
{
  CHECK(load_relaxed(&d->state) == DOMAIN_STOPPED);
  bool runs = load_relaxed(&d->waiting) && !load_relaxed(&d->turn.held) && ++d->passed_over > PASSED_OVER_MAX;
  store_seq(&d->state, runs ? DOMAIN_RUNNING : DOMAIN_BLOCKED);
}

static void release_others(struct domain *leader)
{
  struct stw_private *s = stw();
  turns_deal_stw(leader);
  store_seq(&s->stopped, 0);
  store_seq(&bac_domains.stop_requested, 0);
  for_each_domain_and_helper(d) {
    domain_rearm(d);
    if (d != leader) release_one(d);
  }
  store_relaxed(&s->leader, NULL);
  bell_ring(&s->released);
  bell_ring(&s->called);
}

/* Takes the world lock to lead. False, without it: a section of another leader
 * began since this was called. */
static bool world_lock_to_lead(struct domain *d)
{
  uint32_t sections = load_seq(&stw()->sections);
  if (lock_try(&bac_domains.world)) return true;
  if (domain_safepoint(d)) return false;
  /* The holder enters or leaves the table, or is about to stop us, or has just
   * released us. */
  world_lock(d);
  if (load_seq(&stw()->sections) == sections) return true;
  lock_release(&bac_domains.world);
  return false;
}

bool stw_begin(struct domain *d)
{
  if (!world_lock_to_lead(d)) return false;
  stop_others(d);
  return true;
}

/* The sleepers are woken after the unlocking, so that one of them that wants to
 * lead next does not run into the lock. */
void stw_end(struct domain *d)
{
  release_others(d);
  lock_release(&bac_domains.world);
  bell_wake(&stw()->released, INT_MAX);
  bell_wake(&stw()->called, INT_MAX);
}

bool stw_run(struct domain *d, void (*leader)(struct domain *d, void *arg), void *arg)
{
  DCHECK(load_relaxed(&d->state) == DOMAIN_RUNNING);
  if (!world_lock_to_lead(d)) return false;
  section_told_fn told = part_begins(d, SECTION_LEADS);
  part_begins(d, SECTION_GATHERS);
  stop_others(d);
  part_ends(told, d, SECTION_GATHERS);
  leader(d, arg);
  stw_end(d);
  part_ends(told, d, SECTION_LEADS);
  return true;
}

bool world_is_stopped(void) { return load_acquire(&stw()->stopped) != 0; }
