/* SPDX-License-Identifier: MIT */
/* Pacing: how much allocation the next cycle allows, and how much work each
 * slice owes. The derivation is in docs/design/pacing.md; in short:
 *
 * Let L be the live words found by the last cycle and o the space_overhead. Between
 * two ends of marking the program may allocate A words (the budget). Of the
 * garbage, what dies before marking starts is swept after this cycle, what dies later floats
 * into the next. With marking in the last part m of the budget the heap peaks
 * at L + A (1 + m), which is to be L (1 + o/100): A = L o / (100 (1 + m)).
 *
 * Sweeping is owed over the first part of the budget, marking over the last; in
 * between the collector rests. All amounts are global: whoever runs a slice
 * works off what all domains owe. */
#include "gc/state.h"

/* Words marked for each word allocated, while marking is on; and the bounds that this sets to the part of the budget over
 * which marking is spread. Sweeping is spread over the first part. */
static const double MARK_RATE = 12, MARK_PART_LEAST = 0.06, MARK_PART_MOST = 0.5, SWEEP_PART = 0.4;

/* The heap may hold so much more than L (1 + o/100): half of the tenth that the aim leaves for what is not foreseen. */
static const double HEAP_PART = 1.05;

/* Free slots that allocation has passed by take room from garbage, but no more than this part of it. */
static const double WASTED_MOST = 0.4;

/* The least budget: a small heap does not cycle for nothing (FIELD M12). With these figures, and marking in a half of the budget, its peak is
 * still within L (1 + o/100) and a nursery of 256k words. */
enum { BUDGET_LEAST_WORDS = 104 * 1024, BUDGET_LEAST_MOST = 384 * 1024 };
static const double BUDGET_LEAST_PART = 1 / 1.6;

/* The most that one slice does, unless the program gets ahead of it: a pause of about a millisecond. */
enum { SLICE_MOST_WORDS = 200 * 1000, SLICE_LEAST_WORDS = 2000 };

/* Slices come within a nursery when that brings more than this part of a budget, and where the program is behind. */
enum { FINE_PART = 8, SLICES_IN_NURSERY = 16, SLICE_LEAST_ALLOCATION = 1024 };

/* A nursery with less in it says nothing about how much survives. */
enum { SURVIVAL_LEAST_WORDS = 4 * 1024 };

/* Bounds on marked words per live word: what a heap is made of may change from one cycle to the next. */
static const double MARK_PER_LIVE_LEAST = 0.05, MARK_PER_LIVE_MOST = 2;

static double bounded(double x, double least, double most) { return x < least ? least : x > most ? most : x; }

/* The program may not use more than what the limit leaves, whatever o says; but next to the limit or above
 * it the reserve is used up first, or every allocation would pay for a cycle. */
static double pacing_room(uint64_t live)
{
  double left = (double)limit_heap_blocks() * BLOCK_WORDS - (double)live, least = (double)bac_gc.limit.reserve * BLOCK_WORDS;
  return (left > least ? left : least) / (1 + MARK_PART_MOST);
}

static void pacing_set_budget(uint64_t live)
{
  struct pacing *p = &bac_gc.pacing;
  store_relaxed(&p->live, live);
  double garbage = (double)live * (HEAP_PART * (1 + (double)bac_gc.params.space_overhead / 100) - 1);
  garbage -= bounded((double)p->wasted, 0, WASTED_MOST * garbage);
  double marking = (double)live * p->mark_per_live / MARK_RATE;  /* what is allocated in the meantime: m A */
  double budget = bounded(garbage - marking, garbage / (1 + MARK_PART_MOST), garbage / (1 + MARK_PART_LEAST));
  double least = BUDGET_LEAST_WORDS + BUDGET_LEAST_PART * (double)live * (double)bac_gc.params.space_overhead / 100;
  if (least > BUDGET_LEAST_MOST) least = BUDGET_LEAST_MOST;
  if (budget < least) budget = least;
  budget = bounded(budget, 1, pacing_room(live) + 1);
  store_relaxed(&p->budget, (uint64_t)budget);
  store_relaxed(&p->mark_at, (uint64_t)(budget * (1 - bounded(marking / budget, MARK_PART_LEAST, MARK_PART_MOST))));
}

void pacing_init(void)
{
  bac_gc.pacing = (struct pacing){.mark_per_live = 1};
  pacing_set_budget(bac_gc.params.initial_heap_words);
}

/* A budget of the old overhead may be a thousand times too large. */
void pacing_overhead_changed_stw(void) { pacing_set_budget(bac_gc.pacing.live); }

void pacing_allocated(struct gc_domain *g)
{
  add_relaxed(&bac_gc.pacing.allocated, g->direct_words);
  add_relaxed(&bac_gc.pacing.direct, g->direct_words);
  g->direct_words = 0;
}

void pacing_promoted_stw(uint64_t words, uint64_t fullest)
{
  struct pacing *p = &bac_gc.pacing;
  add_relaxed(&p->allocated, words);
  if (fullest > SURVIVAL_LEAST_WORDS) p->promoted_part = (double)words / (double)fullest;
}

/* Large blocks come in lumps, and so do unmarshalled graphs. Of several domains' slices only one sees a lump: the figure falls slowly. */
static void pacing_note_lump(void)
{
  struct pacing *p = &bac_gc.pacing;
  uint64_t direct = load_relaxed(&p->direct), seen = load_relaxed(&p->lump_from), lump = load_relaxed(&p->lump);
  if (direct == seen) return;
  store_relaxed(&p->lump_from, direct);
  store_relaxed(&p->lump, max_size(direct - min_size(seen, direct), lump - lump / 8));
}

/* What will be promoted for so many words in a nursery, if things go on as they were up to the last collection. */
static double pacing_expected(double nursery_words) { return bac_gc.pacing.promoted_part * nursery_words; }

/* A full nursery brings so much that slices must come within it. */
static bool pacing_is_fine(const struct gc_domain *g)
{
  return pacing_expected((double)g->nursery_words) > (double)load_relaxed(&bac_gc.pacing.budget) / FINE_PART;
}

static size_t nursery_used(const struct gc_domain *g) { return (size_t)(g->dom.window->young_end - g->dom.window->young_ptr); }

/* How far the program is on its way. The next slice comes a lump later, so what is due half a lump from now is due; but what
 * a nursery brings is foreseen. */
static double pacing_now(const struct gc_domain *g)
{
  struct pacing *p = &bac_gc.pacing;
  double nursery = pacing_is_fine(g) ? (double)nursery_used(g) : (double)g->nursery_words / 2;
  return (double)load_relaxed(&p->allocated) + (double)load_relaxed(&p->lump) / 2 + pacing_expected(nursery);
}

size_t pacing_next_slice(const struct gc_domain *g)
{
  struct pacing *p = &bac_gc.pacing;
  size_t words = g->behind ? g->nursery_words / SLICES_IN_NURSERY : SIZE_MAX;
  if (pacing_is_fine(g)) {
    double missing = load_relaxed(&bac_gc.phase) == PHASE_IDLE ? (double)load_relaxed(&p->mark_at) - pacing_now(g)
                                                               : SLICE_MOST_WORDS / pacing_work_per_word();
    words = min_size(words, missing > 0 ? (size_t)(missing / pacing_expected(1)) : 0);
  }
  return max_size(words, SLICE_LEAST_ALLOCATION);
}

void pacing_custom(double share_of_cycle)
{
  if (share_of_cycle <= 0) return;
  if (share_of_cycle > 1) share_of_cycle = 1;
  add_relaxed(&bac_gc.pacing.allocated, (uint64_t)(share_of_cycle * (double)load_relaxed(&bac_gc.pacing.budget)));
}

uint64_t gc_marked_words(void) { return load_relaxed(&bac_gc.pacing.mark_total); }
uint64_t gc_cycles_marked(void) { return load_relaxed(&bac_gc.major_collections); }

/* The lump of before is no reason to start a cycle where nothing has been allocated since the last one: where nothing is promoted any
 * more it would never fall, and one cycle would follow the other. */
bool pacing_wants_cycle(const struct gc_domain *g)
{
  bool allocated = load_relaxed(&bac_gc.pacing.allocated) != 0 || pacing_is_fine(g);
  return allocated && pacing_now(g) >= (double)load_relaxed(&bac_gc.pacing.mark_at);
}

void pacing_mark_started_stw(void)
{
  struct pacing *p = &bac_gc.pacing;
  p->mark_done = 0;
  p->mark_from = p->allocated;
  /* Never nothing: a slice that owes no work would not find out that marking is done. */
  p->mark_work = max_size((uint64_t)((double)bac_gc.sample.live_words * p->mark_per_live), SLICE_LEAST_WORDS);
}

void pacing_cycle_finished_stw(void)
{
  struct pacing *p = &bac_gc.pacing;
  store_relaxed(&p->mark_total, p->mark_total + p->mark_done);
  p->finish_allocated = p->allocated;
  p->finish_born_marked = p->allocated - min_size(p->mark_from, p->allocated);
  p->allocated = 0;
  p->finish_live = bac_gc.sample.live_words;
  p->wasted = compact_wasted_words(&bac_heap.counts);
  p->heap_words = (uint64_t)bac_heap.used_blocks * BLOCK_WORDS;
}

/* What is left after the sweep is L and what died since marking started. The latter is guessed: what was
 * born in that time, times the part that died of all that was allocated in the cycle. */
void pacing_cycle_swept(void)
{
  struct pacing *p = &bac_gc.pacing;
  uint64_t dead = load_relaxed(&bac_heap.swept_words);
  uint64_t left = p->finish_live > dead ? p->finish_live - dead : 0;
  if (left > 0) p->mark_per_live = (double)p->mark_done / (double)left;
  p->mark_per_live = bounded(p->mark_per_live, MARK_PER_LIVE_LEAST, MARK_PER_LIVE_MOST);
  double death_rate = (double)dead / (double)max_size(1, p->finish_allocated);
  uint64_t floating = (uint64_t)((death_rate > 1 ? 1 : death_rate) * (double)p->finish_born_marked);
  pacing_set_budget(left - min_size(floating, left));
}

/* A domain that has allocated since the last minor collection does slices; one that waits, in a pool of workers say, does none. (With 60 such,
 * each counted as one of those that share, the heap of the domain that ran was 3.6 times as large as without them.) */
void pacing_count_sharers_stw(void)
{
  uint32_t sharers = 0;
  for_each_gc_domain(g) sharers += g->dom.window->young_ptr != g->dom.window->young_end || g->direct_words != 0;
  store_relaxed(&bac_gc.pacing.sharers, sharers);
}

/* Work that is due when [part] of the way is gone, less what was done. At the end of the way it is all that is left, and if
 * that is nothing, the estimate was wrong and a slice's worth is due. */
static size_t pacing_owed(double total, double part, uint64_t done)
{
  double due = total * (part < 1 ? part : 1) - (double)done;
  if (part >= 1 && due < SLICE_MOST_WORDS) due = SLICE_MOST_WORDS;
  if (due <= 0) return 0;
  return max_size((size_t)due / max_size(1, load_relaxed(&bac_gc.pacing.sharers)) + 1, SLICE_LEAST_WORDS);
}

static size_t pacing_owed_now(struct gc_domain *g)
{
  struct pacing *p = &bac_gc.pacing;
  pacing_allocated(g);
  pacing_note_lump();
  double allocated = pacing_now(g), budget = (double)load_relaxed(&p->budget);
  switch (load_relaxed(&bac_gc.phase)) {
  case PHASE_SWEEP:
    return pacing_owed((double)p->heap_words, allocated / (SWEEP_PART * budget), load_relaxed(&bac_heap.sweep_done));
  case PHASE_CLEAN:
  case PHASE_MARK: {
    double planned = budget - (double)load_relaxed(&p->mark_at);
    double room = bounded(budget - (double)p->mark_from, planned / 4, planned);
    uint64_t done = load_relaxed(&p->mark_done);
    /* Where marking has done what it was expected to, the estimate was wrong; past the budget all that there is bounds what is left. */
    uint64_t work = allocated < budget || done < p->mark_work ? p->mark_work : max_size(p->mark_work, 2 * bac_gc.sample.live_words);
    return pacing_owed((double)work, (allocated - (double)p->mark_from) / room, done);
  }
  default:
    return 0;
  }
}

static void pacing_tell(size_t owed, size_t work)
{
  const struct pacing *p = &bac_gc.pacing;
  gc_message(MESSAGE_SLICE_SIZE, "heap_words = %zu\n", (size_t)load_relaxed(&bac_heap.used_blocks) * BLOCK_WORDS);
  gc_message(MESSAGE_SLICE_SIZE, "allocated_words = %zu\n", (size_t)load_relaxed(&p->allocated));
  gc_message(MESSAGE_SLICE_SIZE, "alloc work-to-do = %zu\n", owed);
  gc_message(MESSAGE_SLICE_SIZE, "computed work = %zu words\n", work);
}

/* The most that one slice does now. What is owed beyond it is due a sixteenth of a nursery later, so that a program which is
 * ahead pays in short pauses; where that is much, in pauses twice as long, so that it is over soon. But when the program has used up another quarter of a
 * budget in the meantime, unmarshalling in a loop say, all of it is due. */
static size_t pacing_most(struct gc_domain *g, size_t owed)
{
  const struct pacing *p = &bac_gc.pacing;
  uint64_t now = load_relaxed(&p->allocated);
  if (!g->behind || now < g->behind_from) g->behind_from = now;
  if (now - g->behind_from > load_relaxed(&p->budget) / 4) return owed;
  return min_size(max_size(SLICE_MOST_WORDS, owed / 16), 2 * SLICE_MOST_WORDS);
}

/* A window does not put off what a domain owes that is behind. */
size_t pacing_slice_work(struct gc_domain *g)
{
  size_t owed = pacing_owed_now(g), most = pacing_most(g, owed);
  g->behind = owed > most;
  size_t size = owed > SLICE_MOST_WORDS ? 1 : bac_gc.params.window_size;
  size_t work = window_spread(&g->window, load_relaxed(&bac_gc.phase), size, min_size(owed, most));
  if (gc_wants_messages(MESSAGE_SLICE_SIZE)) pacing_tell(owed, work);
  return work;
}

double pacing_work_per_word(void)
{
  const struct pacing *p = &bac_gc.pacing;
  double budget = (double)load_relaxed(&p->budget), marking = budget - (double)load_relaxed(&p->mark_at);
  double rate = load_relaxed(&bac_gc.phase) == PHASE_SWEEP ? (double)p->heap_words / (SWEEP_PART * budget)
                : marking > 0                             ? (double)p->mark_work / marking
                                                          : 1;
  return rate > 0.01 ? rate : 0.01;
}

double pacing_words_to_cycle(const struct gc_domain *g) { return (double)load_relaxed(&bac_gc.pacing.mark_at) - pacing_now(g); }
