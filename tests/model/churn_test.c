/* SPDX-License-Identifier: MIT */
/* Domains that come and go, and processes that fork, in every phase of the major cycle. Each domain works at random on
 * blocks, ephemerons of its own and ephemerons that all share, finalisers, custom blocks and continuations; it ends with all of
 * this left behind. The verifier runs all the time. In the end, when nothing is reachable, every finaliser has been called
 * once, every custom block and stack is gone, and no word is live.
 *
 * usage: churn_test [seed=N] [steps=N] [s=WORDS] [V=N] [stop=WORDS]
 * steps: domains that are started or joined. stop: see graph_test.c. Prints the seed; ends with `N passed, N failed`. */
#include "mock/mock.h"

#include "base/rng.h"
#include "base/sanitizers.h"
#include "gc/state.h"
#include "sync/atomic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DOMAINS = 6, ROOTS = 64, SHARED = 24 };

static struct {
  uint64_t seed;
  long steps;
  value shared[SHARED];                      /* global roots: ephemerons, after start */
  int64_t registered, called;                /* [atomic] finalisers */
  int64_t custom_made, custom_dead;          /* [atomic] */
  unsigned spawned[4], forked[4];            /* by phase */
} churn = {.seed = 1, .steps = 200};

struct job { struct rng rng; long steps; };

static void start_leader(struct domain *d, void *arg)
{
  (void)arg;
  if (bac_gc.phase == PHASE_IDLE) cycle_start_stw(gc_domain(d));
}

/* Closures are blocks that nobody else refers to. */
enum { CLOSURE_FIELD = 12345 };

static void register_finaliser(struct domain *d, bool first, value *v)
{
  value closure = mock_alloc(d, 1, 0);
  Field(closure, 0) = Val_long(CLOSURE_FIELD);
  add_relaxed(&churn.registered, 1);
  gc_finalise(d, first, closure, *v);
}

static void call_finalisers(struct domain *d)
{
  value closure, arg;
  mock_poll(d);
  while (gc_finaliser_take(d, &closure, &arg)) {
    if (Wosize_val(closure) != 1 || Field(closure, 0) != Val_long(CLOSURE_FIELD))
      bac_fatal("seed %lu: a finaliser's closure is not what it was", churn.seed);
    add_relaxed(&churn.called, 1);
    gc_finaliser_done(d);
  }
}

/* ---- One domain ---- */

static bool is_ephemeron(value v) { return gc_in_major_heap(v) && (heap_kind(v) & 0xf) == KIND_EPHE; }

static value any_ephemeron(struct rng *rng, value mine)
{
  return is_ephemeron(mine) && rng_below(rng, 3) ? mine : churn.shared[rng_below(rng, SHARED)];
}

static void step_ephemeron(struct domain *d, struct rng *rng, value *one, value *other)
{
  value ephe = any_ephemeron(rng, *one), v;
  mlsize_t field = EPHE_DATA + rng_below(rng, 3);
  switch (rng_below(rng, 6)) {
  case 0: gc_ephe_unset(d, ephe, field); break;
  case 1: gc_ephe_blit_key(d, ephe, EPHE_FIRST_KEY, any_ephemeron(rng, *other), EPHE_FIRST_KEY, 2); break;
  case 2:
    v = gc_ephe_get(d, ephe, field);
    if (v != bac_ephe_none) *other = v;
    break;
  default:
    if (Is_block(*other)) gc_ephe_set(d, ephe, field, *other);
  }
}

static void step_collect(struct domain *d, struct rng *rng)
{
  switch (rng_below(rng, 100)) {
  case 0: gc_compact_for(d, UINT32_MAX); break;
  case 1: gc_minor(d); break;
  case 2:
    domain_enter_blocking(d);
    domain_leave_blocking(d);
    break;
  default:
    if (rng_below(rng, 4) == 0) stw_run(d, start_leader, NULL);
    else cycle_slice(gc_domain(d), 1 + rng_below(rng, 50));
  }
}

static void step(struct domain *d, struct rng *rng)
{
  value *one = &mock_state(d)->root[rng_below(rng, ROOTS)], *other = &mock_state(d)->root[rng_below(rng, ROOTS)];
  switch (rng_below(rng, 16)) {
  case 0: case 1: case 2: *one = mock_alloc(d, 1 + rng_below(rng, 20), 0); break;
  case 3: if (rng_below(rng, 40) == 0) *one = mock_alloc(d, 20000, 0); break;
  case 4: if (Is_block(*one) && Tag_val(*one) == 0) gc_write_field(d, &Field(*one, 0), *other); break;
  case 5: *one = Val_unit; break;
  case 6: *one = gc_ephe_create(d, 2); break;
  case 7: case 8: case 9: step_ephemeron(d, rng, one, other); break;
  case 10:
    if (Is_block(*one)) register_finaliser(d, rng_below(rng, 2), one);
    break;
  case 11:
    *one = mock_alloc_custom(d, &churn.custom_dead, 10, 10000);
    add_relaxed(&churn.custom_made, 1);
    break;
  case 12: mock_alloc_continuation(d, 4); break;
  default: step_collect(d, rng);
  }
  call_finalisers(d);
}

static void work(struct domain *d, struct rng *rng, long steps)
{
  while (steps-- > 0) step(d, rng);
}

static void job_run(struct domain *d, void *arg)
{
  struct job *job = arg;
  work(d, &job->rng, job->steps);
}

/* ---- The process ---- */

/* Nothing is left: of what was, nothing is lost either. */
static void check_end(struct domain *d, const char *who)
{
  struct gc_stats scanned, counted;
  for (int i = 0; i < MOCK_ROOTS; i++) mock_state(d)->root[i] = Val_unit;
  for (int i = 0; i < SHARED; i++) churn.shared[i] = Val_unit;
  /* What is finalised may be data or key of the next. */
  for (int64_t before = -1; before != churn.called;) {
    before = churn.called;
    gc_full_major(d);
    call_finalisers(d);
  }
  gc_full_major(d);
  gc_verify(d);
  gc_scan_heap(d, &scanned, &counted);
  if (scanned.live_words != 0 || counted.live_words != 0 || churn.called != churn.registered ||
      churn.custom_dead != churn.custom_made || mock_stacks != 0)
    bac_fatal("seed %lu, %s: %lu live words counted, %lu found; finalisers %ld of %ld, custom blocks %ld of %ld, stacks %ld",
              churn.seed, who, counted.live_words, scanned.live_words, churn.called, churn.registered, churn.custom_dead,
              churn.custom_made, mock_stacks);
}

/* ASan of gcc 12 and clang 14 does not hold its allocator's locks over a fork: a child whose parent had another thread in
 * free(), one that was ending say, waits for ever in its own. */
enum { FORKS = !UNDER_ASAN };

static void fork_here(struct domain *d, struct rng *rng)
{
  domains_before_fork(d);
  churn.forked[bac_gc.phase]++;
  pid_t child = fork();
  if (child == 0) {
    gc_after_fork_child(d);
    work(d, rng, 200);
    check_end(d, "child of a fork");
    _exit(0);
  }
  domains_after_fork_parent(d);
  int status = 0;
  domain_enter_blocking(d);
  if (child < 0 || waitpid(child, &status, 0) != child) bac_fatal("seed %lu: no child", churn.seed);
  domain_leave_blocking(d);
  if (status != 0) bac_fatal("seed %lu: the child of a fork ended with status %#x", churn.seed, status);
}

static void play(struct domain *d, struct rng *rng)
{
  struct mock_thread thread[DOMAINS];
  struct job job[DOMAINS];
  bool runs[DOMAINS] = {false};
  for (long n = 0; n < churn.steps; n++) {
    int i = rng_below(rng, DOMAINS);
    if (runs[i]) {
      mock_join(d, &thread[i]);
      runs[i] = false;
    } else {
      job[i] = (struct job){{rng_next(rng)}, rng_below(rng, 600)};
      churn.spawned[load_relaxed(&bac_gc.phase)]++;
      if (!mock_spawn(d, &thread[i], job_run, &job[i])) bac_fatal("mock: no domain");
      runs[i] = true;
    }
    work(d, rng, rng_below(rng, 100));
    if (rng_below(rng, 10) == 0 && FORKS) fork_here(d, rng);
  }
  for (int i = 0; i < DOMAINS; i++)
    if (runs[i]) mock_join(d, &thread[i]);
}

int main(int argc, char **argv)
{
  struct gc_params params = gc_params_default;
  size_t stop = 20;
  params.minor_words = 1024;
  params.verify = 1;
  for (int i = 1; i < argc; i++) {
    char name[16];
    unsigned long n;
    if (sscanf(argv[i], "%15[A-Za-z]=%lu", name, &n) != 2) bac_fatal("what is %s?", argv[i]);
    if (!strcmp(name, "seed")) churn.seed = n;
    else if (!strcmp(name, "steps")) churn.steps = n;
    else if (!strcmp(name, "s")) params.minor_words = n;
    else if (!strcmp(name, "V")) params.verify = n;
    else if (!strcmp(name, "stop")) stop = n;
    else if (!strcmp(name, "markers")) params.markers = n;
    else bac_fatal("what is %s?", argv[i]);
  }
  struct domain *d = mock_start(&params);
  struct rng rng = {churn.seed};
  bac_gc.stop_words = stop;
  for (int i = 0; i < SHARED; i++) {
    churn.shared[i] = gc_ephe_create(d, 2);
    gc_root_add(&churn.shared[i]);
  }
  play(d, &rng);
  check_end(d, "at the end");
  printf("seed %lu, by phase: %u %u %u %u domains, %u %u %u %u forks; %ld finalisers\n", churn.seed, churn.spawned[0],
         churn.spawned[1], churn.spawned[2], churn.spawned[3], churn.forked[0], churn.forked[1], churn.forked[2],
         churn.forked[3], churn.called);
  printf("1 passed, 0 failed\n");
  return 0;
}
