/* SPDX-License-Identifier: MIT */
/* Turns: where more domains want to run than there are cores, the others wait asleep.
 *
 * A stop waits for each RUNNING domain until its thread has had a core. With more of them than cores, that is a switch of
 * threads for each domain and stop, and a domain that gets its core back finds that the others have driven its nursery out of the caches.
 * So a leader lets only as many go on as there are cores. A domain without a turn is *held*: it waits in a line, BLOCKED like
 * any other, and stops claim it.
 *
 *   loses its turn   in a stop: when it has lasted TURN_NS and somebody waits, or when there are more than cores (turns_deal_stw). Its
 *                    thread goes on to its next safepoint, and waits there (turn_await).
 *   gets a turn      from a domain that has had its time, and is about to wait, or that blocks (turn_pass)
 *
 * Only speed depends on it. Who comes from a blocking section or is new runs at once, until a stop finds that too many do. Who
 * has waited PATIENCE_NS while nobody got a turn goes on without one: the others may be in a computation without stops, or may
 * spin until this domain does something.
 *
 * CORES. The system puts a thread that wakes where it last ran, and takes its time to move it. So a turn passes to a domain that ran
 * where the turn becomes free, and a leader that finds two turns on one core has one of them passed elsewhere.
 *
 * State: struct turns (stw.h), struct turn of each domain (domain.h).
 *
 * TURN-1  held is 1 exactly while the domain is in the line. Its thread is then in turn_await or on its way there, and not in
 *         a blocking section of its own: domain_enter_blocking leaves the line. Checked where a domain leaves the table.
 * TURN-2  who is in the line leaves it: the first is passed over for another at most LINE_SKIPS times for each core, and while no turn is
 *         given at all everybody loses patience. */
#include "domain/stw.h"

#include "os/os.h"
#include "sync/atomic.h"

/* Who gets a turn finds its nursery driven out of the caches. With turns of 10 ms 16 domains of trees on two cores took 1.2 of the processor time of
 * two, with 20 ms 1.1; with 5 ms a tenth to a fifth more than with 10. */
enum { TURN_NS = 20 * 1000 * 1000, PATIENCE_NS = 4 * TURN_NS };
enum { LINE_SKIPS = 2 };

static inline struct turns *turns(void) { return &bac_domains.stw->turns; }

/* ---- The line; under its lock ---- */

static void line_append(struct domain *d, enum turn_passing passing)
{
  struct turns *t = turns();
  d->turn.passing = passing;
  d->turn.next = NULL;
  *t->end = d;
  t->end = &d->turn.next;
  store_relaxed(&d->turn.held, 1);
  store_relaxed(&bac_domains.held, bac_domains.held + 1);
}

static void line_remove(struct domain **link)
{
  struct turns *t = turns();
  struct domain *d = *link;
  *link = d->turn.next;
  if (t->end == &d->turn.next) t->end = link;
  store_relaxed(&bac_domains.held, bac_domains.held - 1);
  store_release(&d->turn.held, 0);
}

static void line_leave(struct domain *d)
{
  struct domain **link = &turns()->first;
  while (*link != d) link = &(*link)->turn.next;
  line_remove(link);
}

/* The first that last ran on this core, or on another; else, or if the first of all has been skipped often, that one. */
static struct domain **line_choose(enum turn_passing passing)
{
  struct turns *t = turns();
  struct domain **link = &t->first;
  unsigned core = os_core();
  if (t->skips++ < LINE_SKIPS * bac_domains.stw->cores)
    while (*link != NULL && (load_relaxed(&(*link)->turn.core) == core) != (passing == PASS_HERE)) link = &(*link)->turn.next;
  if (*link == NULL) link = &t->first;
  if (link == &t->first) t->skips = 0;
  return link;
}

/* The calling thread is about to sleep, so that its core is free. Who gets the turn before it has come to passing on its own,
 * passes that on here. The domain may be gone when its word is woken, which needs nothing but the address. */
static void line_give(enum turn_passing passing)
{
  while (passing != PASS_NOT && turns()->first != NULL) {
    struct domain **link = line_choose(passing), *d = *link;
    passing = d->turn.passing;
    d->turn.began = 0;
    store_relaxed(&turns()->given, turns()->given + 1);
    line_remove(link);
    os_wake(&d->turn.held, 1);
  }
}

/* ---- A domain's own thread ---- */

void turn_note_core(struct domain *d) { store_relaxed(&d->turn.core, os_core()); }

/* A turn that it was to pass on has been passed on if it is not held any more. */
static void turn_pass_owed(struct domain *d)
{
  lock_acquire(&turns()->lock);
  turn_note_core(d);
  if (load_relaxed(&d->turn.held)) {
    enum turn_passing passing = d->turn.passing;
    d->turn.passing = PASS_NOT;
    line_give(passing);
  }
  lock_release(&turns()->lock);
}

void turn_await(struct domain *d)
{
  domain_block(d);
  turn_pass_owed(d);
  while (load_acquire(&d->turn.held)) {
    uint32_t given = load_relaxed(&turns()->given);
    os_wait(&d->turn.held, 1, PATIENCE_NS);
    lock_acquire(&turns()->lock);
    if (load_relaxed(&d->turn.held) && turns()->given == given) line_leave(d);
    lock_release(&turns()->lock);
  }
  stw_resume(d);
}

void turn_pass(struct domain *d)
{
  lock_acquire(&turns()->lock);
  enum turn_passing passing = load_relaxed(&d->turn.held) ? d->turn.passing : PASS_HERE;
  if (load_relaxed(&d->turn.held)) line_leave(d);
  line_give(passing);
  lock_release(&turns()->lock);
}

void turn_leave(struct domain *d)
{
  lock_acquire(&turns()->lock);
  CHECK(!load_relaxed(&d->turn.held));
  lock_release(&turns()->lock);
}

void domain_yield(struct domain *d)
{
  if (load_relaxed(&bac_domains.held) == 0) {
    os_yield();
    return;
  }
  lock_acquire(&turns()->lock);
  if (!load_relaxed(&d->turn.held)) line_append(d, PASS_HERE);
  lock_release(&turns()->lock);
  turn_await(d);
}

/* ---- The leader ---- */

/* Cores by their numbers, modulo something: a wrong answer costs a switch of threads. */
enum { CORE_WORDS = 16 };
struct deal {
  uint64_t now;
  unsigned dealt;             /* turns so far that somebody keeps or passes on */
  uint32_t waiting;           /* domains in the line that no turn is passed to yet */
  uint64_t used[CORE_WORDS];  /* the cores of those who keep theirs */
};

/* A turn begins with the first stop that sees it. */
static bool turn_is_over(struct domain *d, uint64_t now)
{
  if (d->turn.began == 0) d->turn.began = now;
  return now - d->turn.began >= TURN_NS;
}

static void deal_one(struct deal *deal, struct domain *d)
{
  unsigned core = load_relaxed(&d->turn.core);
  uint64_t *word = &deal->used[core / 64 % CORE_WORDS], bit = (uint64_t)1 << core % 64;
  bool crowds = *word & bit, over = turn_is_over(d, deal->now);
  if (deal->dealt == bac_domains.stw->cores) {
    line_append(d, PASS_NOT);
    return;
  }
  deal->dealt++;
  if ((crowds || over) && deal->waiting != 0) {
    deal->waiting--;
    line_append(d, crowds ? PASS_ELSEWHERE : PASS_HERE);
  } else {
    *word |= bit;
  }
}

void turns_deal_stw(struct domain *leader)
{
  if (bac_domains.count <= (int)bac_domains.stw->cores && load_relaxed(&bac_domains.held) == 0) return;
  struct deal deal = {.now = os_now_ns()};
  turn_note_core(leader);
  lock_acquire(&turns()->lock);
  deal.waiting = bac_domains.held;
  if (!load_relaxed(&leader->turn.held)) deal_one(&deal, leader);
  for_each_domain(d)
    if (d != leader && load_relaxed(&d->waiting) && !load_relaxed(&d->turn.held)) deal_one(&deal, d);
  lock_release(&turns()->lock);
}
