/* SPDX-License-Identifier: MIT */
/* The major cycle: which phase it is in, and what a slice does.
 *
 *   IDLE    nothing to do until the budget is used up so far that marking must start
 *   MARK    slices mark, in the stages of enum mark_stage; when a stage has nothing left to do
 *           the world stops briefly to go on to the next
 *   CLEAN   slices take what is dead out of ephemerons and the tables of finalise_last
 *   SWEEP   slices and allocation sweep; the last block swept ends the cycle
 *
 * Each change of phase goes through cycle_set_phase. A stop goes on through as many stages and phases as
 * it can with little work: with few ephemerons and finalisers one stop ends marking and
 * begins sweeping. Roots are shaded and marking is finished with the world stopped and all nurseries empty: so
 * nothing young can be overlooked, and no remembered field can lie in an object
 * that is about to be swept.
 *
 * How much work a slice does is for pacing.c. Design page: docs/design/cycle.md. */
#include "gc/state.h"

#include "os/os.h"

static void cycle_set_phase(enum gc_phase from, enum gc_phase to)
{
  CHECK(bac_gc.phase == from);
  CHECK(to == (from + 1) % 4);
  store_release(&bac_gc.phase, to);
}

/* ---- Start and end of marking ---- */

struct root_job { VEC(struct gc_domain *) domains; size_t next; };

static void cycle_mark_roots(struct domain *participant, void *arg)
{
  struct root_job *job = arg;
  struct mark_visitor v;
  mark_visitor_init(&v, &gc_domain(participant)->marker);
  trace_begin(participant, TRACE_MAJOR_MARK_ROOTS);
  for (size_t i; (i = add_relaxed(&job->next, 1)) <= job->domains.len;) {
    if (i == job->domains.len)
      roots_scan_process(&v.v);
    else
      roots_scan_domain(job->domains.at[i], &v.v);
  }
  trace_end(participant, TRACE_MAJOR_MARK_ROOTS);
}

void cycle_start_stw(struct gc_domain *leader)
{
  trace_begin(&leader->dom, TRACE_CYCLE_DOMAINS);
  minor_collect_stw(leader);
  trace_begin(&leader->dom, TRACE_CYCLE_STW);
  gc_message(MESSAGE_CYCLE, "Starting new major GC cycle\n");
  gc_message(MESSAGE_SLICE_SIZE, "Starting major GC cycle\n");
  cycle_set_phase(PHASE_IDLE, PHASE_MARK);
  store_relaxed(&bac_gc.advanced, 0);
  bac_heap.colour = heap_other_colour();
  bac_gc.stage = STAGE_REACHABLE;
  pacing_mark_started_stw();
  struct root_job job = {VEC_EMPTY, 0};
  for_each_gc_domain(g) {
    *vec_push(&job.domains) = g;
    finalise_begin_shading_stw(g);
  }
  stw_parallel(job.domains.len > 1 ? 0 : 1, cycle_mark_roots, &job);
  vec_free(&job.domains);
  marker_threads_start_stw();
  trace_end(&leader->dom, TRACE_CYCLE_STW);
  trace_end(&leader->dom, TRACE_CYCLE_DOMAINS);
}

static value marked_or_gone(value v) { return mark_is_marked(v) ? v : 0; }

/* All that lives is marked now, but for what a minor collection promotes, which is born so. */
static void cycle_end_marking_stw(struct gc_domain *leader)
{
  minor_collect_stw(leader);
  for_each_gc_domain(g) {
    CHECK(!mark_has_work(g));
    ephe_hand_over_stw(&leader->marker, &g->marker);
    finalise_begin_pass_stw(&g->last);
  }
  cycle_set_phase(PHASE_MARK, PHASE_CLEAN);
  ephe_begin_clean_stw();
  mark_trim_stw();
  if (gc_observer() == NULL) return;
  trace_begin(&leader->dom, TRACE_MAJOR_MEMPROF_CLEAN);
  for_each_domain(d) gc_observer()->update_weak(d, WEAK_AFTER_MARK, marked_or_gone);
  trace_end(&leader->dom, TRACE_MAJOR_MEMPROF_CLEAN);
}

static void cycle_start_sweep_stw(struct gc_domain *leader)
{
  for_each_gc_domain(g) allocator_retire(&g->alloc);
  stats_sample_stw();
  stats_trace_stw(&leader->dom);
  cycle_set_phase(PHASE_CLEAN, PHASE_SWEEP);
  heap_begin_sweep();
  /* Custom blocks first: memory outside the heap that they hold is of use to nobody until they are swept. */
  for_each_gc_domain(g) g->sweep_hint = KIND_FINAL * CLASSES;
  pacing_cycle_finished_stw();
  store_relaxed(&bac_gc.major_collections, bac_gc.major_collections + 1);
  if (bac_gc.params.verify >= 1) verify_heap_stw("at the end of marking");
}

/* Up to [room] words of what all domains have to do in this stage or phase; words done. */
static size_t cycle_work_stw(struct gc_domain *leader, size_t room)
{
  size_t done = bac_gc.phase == PHASE_MARK ? mark_some(leader, room) : ephe_clean_some(room);
  for_each_gc_domain(g) {
    size_t left = room - min_size(done, room);
    done += bac_gc.phase == PHASE_MARK ? finalise_mark_some(g, &leader->marker, left) : finalise_clean_some(g, left);
  }
  return done;
}

/* Goes on to the next stage or phase when nothing is left to do in this one. */
static void cycle_next_stw(struct gc_domain *leader)
{
  if (bac_gc.phase == PHASE_CLEAN) {
    cycle_start_sweep_stw(leader);
  } else if (ephe_start_by_key_stw()) {
    return;
  } else if (bac_gc.stage == STAGE_REVIVED) {
    cycle_end_marking_stw(leader);
  } else if (bac_gc.stage++ == STAGE_REACHABLE) {
    for_each_gc_domain(g) finalise_begin_pass_stw(&g->first);
  }
}

/* Does [room] words of what is left until sweeping starts, and not much more. */
static void cycle_advance_stw(struct gc_domain *leader, size_t room)
{
  while ((bac_gc.phase == PHASE_MARK || bac_gc.phase == PHASE_CLEAN) && room != 0) {
    if (bac_gc.phase == PHASE_MARK)
      for_each_gc_domain(g) {
        ephe_hand_over_stw(&leader->marker, &g->marker);
        mark_flush(g);
      }
    size_t done = cycle_work_stw(leader, room);
    if (done == 0) cycle_next_stw(leader);
    room -= min_size(done, room);
  }
}

void cycle_finish_stw(struct gc_domain *leader)
{
  if (bac_gc.phase != PHASE_MARK && bac_gc.phase != PHASE_CLEAN) return;
  trace_begin(&leader->dom, TRACE_FINISH_MARKING);
  if (bac_gc.phase == PHASE_MARK) mark_drain_stw(leader);
  cycle_advance_stw(leader, SIZE_MAX);
  trace_end(&leader->dom, TRACE_FINISH_MARKING);
}

/* ---- End of sweeping ---- */

/* A piece of what a cycle or a compaction left over goes back to the system; false: there is none. */
static bool cycle_return_some(void)
{
  if (!heap_return_some()) return false;
  size_t blocks = (size_t)(load_relaxed(&bac_heap.used_blocks) + load_relaxed(&bac_heap.dirty_blocks));
  gc_message(MESSAGE_HEAP, "Shrinking heap to %zuk words\n", blocks * BLOCK_WORDS / 1024);
  return true;
}

void cycle_return_memory(void)
{
  while (cycle_return_some()) continue;
}

/* Ends the sweeping phase if nothing is unswept; any domain, at any time. The compare-and-swap
 * lets exactly one see to it, who gets true. */
static bool cycle_end_sweep(void)
{
  if (load_relaxed(&bac_gc.phase) != PHASE_SWEEP || !heap_is_swept()) return false;
  enum gc_phase sweep = PHASE_SWEEP;
  if (!cas_seq(&bac_gc.phase, &sweep, PHASE_IDLE)) return false;
  pacing_cycle_swept();
  limit_cycle_swept();
  gc_message(MESSAGE_CYCLE, "Major GC cycle %zu ended\n", (size_t)load_relaxed(&bac_gc.major_collections));
  heap_plan_return(pacing_blocks_wanted());
  return true;
}

static size_t cycle_sweep(struct gc_domain *g, size_t work)
{
  size_t done = 0;
  trace_begin(&g->dom, TRACE_MAJOR_SWEEP);
  while (done < work) {
    size_t words = heap_sweep_some(&g->alloc, &g->sweep_hint);
    if (words == 0) break;
    done += words;
  }
  trace_end(&g->dom, TRACE_MAJOR_SWEEP);
  gc_message(MESSAGE_MINOR, "$");
  return done;
}

/* Finalisers of custom blocks and stacks are for threads that run the program. */
static void cycle_sweep_participant(struct domain *participant, void *arg)
{
  (void)arg;
  if (domain_is_helper(participant)) return;
  while (cycle_sweep(gc_domain(participant), SIZE_MAX / 2) != 0) continue;
}

void cycle_sweep_all_stw(struct gc_domain *leader)
{
  if (bac_gc.phase != PHASE_SWEEP) return;
  trace_begin(&leader->dom, TRACE_FINISH_SWEEPING);
  stw_parallel(0, cycle_sweep_participant, NULL);
  trace_end(&leader->dom, TRACE_FINISH_SWEEPING);
  cycle_end_sweep();
  CHECK(bac_gc.phase == PHASE_IDLE);
}

/* ---- Slices ---- */

static void cycle_start_leader(struct domain *d, void *arg)
{
  (void)arg;
  if (bac_gc.phase == PHASE_IDLE) cycle_start_stw(gc_domain(d));
}

/* Whoever ends the sweeping sets the next budget after the phase: a look without a stop may have seen the old one. */
static void cycle_start_if_due_leader(struct domain *d, void *arg)
{
  if (pacing_wants_cycle(gc_domain(d))) cycle_start_leader(d, arg);
}

/* Other domains may still have things to do: a look at them shows whether the rest is short
 * enough to be done here and now. */
static void cycle_finish_leader(struct domain *d, void *arg)
{
  (void)arg;
  trace_begin(d, TRACE_PHASE_CHANGE);
  cycle_advance_stw(gc_domain(d), bac_gc.stop_words);
  trace_end(d, TRACE_PHASE_CHANGE);
}

/* May another thread mark what this one has found? */
static bool cycle_is_shared(void) { return load_relaxed(&bac_domains.count) > 1 || bac_gc.params.markers != 0; }

static size_t cycle_mark(struct gc_domain *g, size_t work)
{
  trace_begin(&g->dom, TRACE_MAJOR_MARK);
  size_t done = mark_some(g, work);
  trace_end(&g->dom, TRACE_MAJOR_MARK);
  gc_message(MESSAGE_MINOR, "!");
  if (!mark_has_work(g)) {
    if (!marker_threads_busy()) stw_run(&g->dom, cycle_finish_leader, NULL);
  } else if (cycle_is_shared()) {
    mark_flush(g);
  }
  return done;
}

/* Cleaning holds up sweeping, so a slice does a fair piece whatever is owed. */
static void cycle_clean(struct gc_domain *g, size_t work)
{
  work = max_size(work, bac_gc.stop_words / 2);
  size_t done = ephe_clean_some(work);
  done += finalise_clean_some(g, work - min_size(done, work));
  add_relaxed(&bac_gc.pacing.mark_done, done);
  if (done < work) stw_run(&g->dom, cycle_finish_leader, NULL);
}

/* The marker threads are ahead of what is owed, and done: nobody but a slice sees to the end of marking. */
static bool cycle_marked_by_others(struct gc_domain *g)
{
  return bac_gc.params.markers != 0 && !marker_threads_busy() && !mark_has_work(g);
}

void cycle_slice(struct gc_domain *g, size_t work)
{
  trace_begin(&g->dom, TRACE_MAJOR_SLICE);
  gc_tell_moment(g, GC_SLICE_BEGINS);
  switch (load_acquire(&bac_gc.phase)) {
  case PHASE_IDLE:
    if (pacing_wants_cycle(g)) stw_run(&g->dom, cycle_start_if_due_leader, NULL);
    break;
  case PHASE_MARK:
    if (work != 0 || cycle_marked_by_others(g)) cycle_mark(g, work);
    break;
  case PHASE_CLEAN: cycle_clean(g, work); break;
  case PHASE_SWEEP:
    if (work != 0) cycle_sweep(g, work);
    if (cycle_end_sweep()) compact_after_cycle(g);
    break;
  }
  cycle_return_some();
  gc_tell_moment(g, GC_SLICE_ENDS);
  trace_end(&g->dom, TRACE_MAJOR_SLICE);
}

/* A step of a collection that somebody waits for; others get the processor and the world in between. */
enum { FORCED_STEP_WORDS = 1000 * 1000 };

/* One step of such work in the phase that is under way: at most [most] words. Answers whether the cycle ended. */
static bool cycle_step(struct gc_domain *g, enum gc_phase phase, size_t most)
{
  if (phase == PHASE_MARK || phase == PHASE_CLEAN) {
    if (phase == PHASE_CLEAN) cycle_clean(g, most);
    else if (cycle_mark(g, most) == 0 && marker_threads_busy()) os_yield();
    return false;
  }
  if (cycle_sweep(g, most) == 0 && !heap_is_swept()) os_yield();  /* another's last block */
  return cycle_end_sweep();
}

/* While nothing is due the words are only counted: they bring the next cycle nearer. */
static bool cycle_advance_idle(struct gc_domain *g, double *words)
{
  double missing = pacing_words_to_cycle(g) - (double)load_relaxed(&bac_gc.advanced);
  if (*words < missing) {
    add_relaxed(&bac_gc.advanced, (uint64_t)*words);
    return false;
  }
  if (missing > 0) *words -= missing;
  stw_run(&g->dom, cycle_start_leader, NULL);
  return true;
}

/* The work is measured by what was asked for: where others have taken the rest, a step does less. */
void cycle_advance(struct gc_domain *g, double words)
{
  enum { LEAST_WORDS = 200 };
  bool ended = false;
  trace_begin(&g->dom, TRACE_MAJOR_SLICE);
  gc_tell_moment(g, GC_SLICE_BEGINS);
  pacing_allocated(g);
  for (bool first = true; !ended && (first || words > 0); first = false) {
    enum gc_phase phase = load_acquire(&bac_gc.phase);
    if (phase == PHASE_IDLE) {
      if (!cycle_advance_idle(g, &words)) break;
    } else {
      double rate = pacing_work_per_word(), work = words * rate;
      size_t step = work >= FORCED_STEP_WORDS ? FORCED_STEP_WORDS : max_size((size_t)work, LEAST_WORDS);
      ended = cycle_step(g, phase, step);
      words -= (double)step / rate;
    }
    domain_safepoint(&g->dom);
  }
  if (ended) compact_after_cycle(g);
  gc_tell_moment(g, GC_SLICE_ENDS);
  trace_end(&g->dom, TRACE_MAJOR_SLICE);
}

void cycle_complete(struct gc_domain *g, uint64_t cycles, bool compact)
{
  trace_begin(&g->dom, TRACE_MAJOR_FINISH_CYCLE);
  for (;;) {
    enum gc_phase phase = load_acquire(&bac_gc.phase);
    if (load_relaxed(&bac_gc.major_collections) >= cycles && phase != PHASE_SWEEP) break;
    gc_tell_moment(g, GC_SLICE_BEGINS);
    if (phase == PHASE_IDLE)
      stw_run(&g->dom, cycle_start_leader, NULL);
    else if (cycle_step(g, phase, FORCED_STEP_WORDS) && compact)
      compact_after_cycle(g);
    gc_tell_moment(g, GC_SLICE_ENDS);
    domain_safepoint(&g->dom);
  }
  trace_end(&g->dom, TRACE_MAJOR_FINISH_CYCLE);
  cycle_return_memory();
}
