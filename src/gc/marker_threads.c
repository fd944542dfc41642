/* SPDX-License-Identifier: MIT */
/* Marker threads (Xmarkers=N): they mark on cores that the program leaves idle.
 *
 * Each is a helper of the domain table (domain.h): RUNNING while it marks, with a safepoint after each step, so
 * that a stop of the world waits for a step at the most; BLOCKED while it sleeps, so that a stop need not wake it. It has a
 * marker like any domain, takes full packets from the shared pool and gives back what it does not finish in a step. Parked during
 * a stop it helps like any domain, so a minor collection while marking is on has help too.
 *
 * It only marks. It never leads a stop, since whoever leads runs foreign code (hooks, finalisers of custom blocks), and does not
 * sweep, for the same reason. So the end of marking is left to slices: they look for it, whatever they owe, while no thread
 * is busy (cycle.c).
 *
 * The threads start with the first cycle: programs that end before have none. After a fork the child starts its own
 * with its next cycle.
 *
 * State: bac_gc.marker_threads. [asleep] counts the threads that found nothing to do and hold nothing. Who publishes a packet
 * rings, and wakes one. A thread takes down the number of rings, then looks for packets, then sleeps until that number is another: no
 * ring is missed.
 * Design page: docs/design/marking.md. Tests: tests/model (markers=N), tests/gc/marker_threads.ml. */
#include "gc/state.h"

#include "os/os.h"

/* What is marked between two safepoints: some 20 us. */
enum { STEP_WORDS = 4 * 1024 };

static inline struct marker_threads *threads(void) { return &bac_gc.marker_threads; }

static bool marker_thread_has_work(void) { return gc_is_marking() && load_seq(&bac_gc.mark_packets) != 0; }

static void marker_thread_mark(struct gc_domain *g)
{
  domain_leave_blocking(&g->dom);
  trace_begin(&g->dom, TRACE_MAJOR_MARK);
  while (gc_is_marking() && mark_some(g, STEP_WORDS) != 0) {
    mark_flush(g);
    domain_safepoint(&g->dom);
  }
  trace_end(&g->dom, TRACE_MAJOR_MARK);
  domain_enter_blocking(&g->dom);
}

static void marker_thread_sleep(void)
{
  struct marker_threads *t = threads();
  add_seq(&t->asleep, 1);
  for (uint32_t heard; heard = load_seq(&t->rings), !marker_thread_has_work();) os_wait(&t->rings, heard, 0);
  sub_seq(&t->asleep, 1);
}

static void marker_thread(void *arg)
{
  struct gc_domain *g = arg;
  CHECK(domain_enter_helper(&g->dom));
  domain_set_self(&g->dom);
  for (;;) {
    if (marker_thread_has_work()) marker_thread_mark(g);
    else marker_thread_sleep();
  }
}

/* Where there is no memory or no thread to be had, the program marks alone. */
void marker_threads_start_stw(void)
{
  struct marker_threads *t = threads();
  if (bac_gc.params.markers == 0) return;
  for_each_gc_domain(g) mark_flush(g);
  while (t->started < (int)bac_gc.params.markers) {
    struct gc_domain *g = gc_domain_alloc(sizeof(struct window));
    if (g == NULL) return;
    if (os_thread_start(marker_thread, g) != 0) {
      gc_domain_free(g);
      return;
    }
    store_relaxed(&t->started, t->started + 1);
  }
}

void marker_threads_call(void)
{
  struct marker_threads *t = threads();
  if (load_relaxed(&t->started) == 0) return;
  add_seq(&t->rings, 1);
  if (load_seq(&t->asleep) != 0) os_wake(&t->rings, 1);
}

bool marker_threads_busy(void) { return load_seq(&threads()->asleep) != (uint32_t)load_relaxed(&threads()->started); }

void marker_threads_forked(void) { *threads() = (struct marker_threads){0}; }
