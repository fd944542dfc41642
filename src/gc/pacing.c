/* SPDX-License-Identifier: MIT */
/* Pacing: how much allocation the next cycle allows, and how much work each
 * slice owes. The derivation is in docs/design/pacing.md; in short:
 *
 * Let L be the live words and o the space_overhead. The heap may hold L (1 + o/100) words and a little more, and is
 * fullest when marking ends. What the cycle then sweeps is gone before the next end of marking; what died while it marked floats
 * into the next. So from one end of marking to the next the program may allocate (the budget) what L and that leave.
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

/* Free slots that allocation has passed by, and tables, take room from garbage, but no more than this part of it. */
static const double WASTED_MOST = 0.4;

/* The least budget: a small heap does not cycle for nothing (FIELD M12). With these figures, and marking in a half of the budget, its peak is
 * still within L (1 + o/100) and a nursery of 256k words. */
enum { BUDGET_LEAST_WORDS = 72 * 1024, BUDGET_LEAST_MOST = 384 * 1024 };
static const double BUDGET_LEAST_PART = 1 / 1.6;

/* The most that one slice does, unless the program gets ahead of it: a pause of about a millisecond. */
enum { SLICE_MOST_WORDS = 200 * 1000, SLICE_LEAST_WORDS = 2000 };

/* How soon the next slice comes where the program is behind; and it never comes sooner than that. */
enum { SLICES_IN_NURSERY = 16, SLICE_LEAST_ALLOCATION = 1024 };

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

/* [live] words are alive, and [floating] were left by the last cycle beside them. */
static void pacing_set_budget(uint64_t live, int64_t floating)
{
  struct pacing *p = &bac_gc.pacing;
  store_relaxed(&p->live, live);
  store_relaxed(&p->floating, floating);
  double garbage = (double)live * (HEAP_PART * (1 + (double)bac_gc.params.space_overhead / 100) - 1);
  garbage -= bounded((double)p->wasted, 0, WASTED_MOST * garbage);
  double budget = garbage - (double)floating, marking = (double)live * p->mark_per_live / MARK_RATE;
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
  pacing_set_budget(bac_gc.params.initial_heap_words, 0);
}

/* A budget of the old overhead may be a thousand times too large. */
void pacing_overhead_changed_stw(void) { pacing_set_budget(bac_gc.pacing.live, bac_gc.pacing.floating); }

void pacing_allocated(struct gc_domain *g)
{
  add_relaxed(&bac_gc.pacing.allocated, g->direct_words);
  g->lump += (int64_t)g->direct_words;
  g->direct_words = 0;
}

void pacing_promoted_stw(uint64_t words, uint64_t fullest)
{
  struct pacing *p = &bac_gc.pacing;
  add_relaxed(&p->allocated, words);
  if (fullest > SURVIVAL_LEAST_WORDS) p->promoted_part = (double)words / (double)fullest;
}

/* What will be promoted for so many words in a nursery, if things go on as they were up to the last collection. */
static double pacing_expected(double nursery_words) { return bac_gc.pacing.promoted_part * nursery_words; }

static size_t nursery_used(const struct gc_domain *g) { return (size_t)(g->dom.window->young_end - g->dom.window->young_ptr); }

/* How far the program is on its way, with what is about to be allocated at once and what is expected of the nursery. */
static double pacing_now(const struct gc_domain *g)
{
  return (double)load_relaxed(&bac_gc.pacing.allocated) + (double)g->coming + pacing_expected((double)nursery_used(g));
}

/* Where a cycle is to start, or a slice's worth of work will be due; sooner for a domain that is behind. */
size_t pacing_next_slice(const struct gc_domain *g)
{
  double missing = load_relaxed(&bac_gc.phase) == PHASE_IDLE ? pacing_words_to_cycle(g) : SLICE_MOST_WORDS / pacing_work_per_word();
  double most = (double)(g->behind ? g->nursery_words / SLICES_IN_NURSERY : g->nursery_words), expected = pacing_expected(most);
  if (missing <= 0) most = 0;
  else if (expected > missing) most *= missing / expected;
  return max_size((size_t)most, SLICE_LEAST_ALLOCATION);
}

/* Large blocks may take twice the room of their words. */
int64_t pacing_blocks_wanted(void) { return (int64_t)(2 * load_relaxed(&bac_gc.pacing.budget) / BLOCK_WORDS); }

/* What dies while marking is still there beside a budget's worth. For g it is a lump: a program that holds bigarrays and little else has no
 * nurseries to catch up in. (160 MB of them beside a small heap peaked at 476 MB, now 230; stock 241.) */
void pacing_custom(struct gc_domain *g, double share_of_cycle)
{
  if (share_of_cycle <= 0) return;
  if (share_of_cycle > 1) share_of_cycle = 1;
  double budget = (double)load_relaxed(&bac_gc.pacing.budget), marking = budget - (double)load_relaxed(&bac_gc.pacing.mark_at);
  uint64_t words = (uint64_t)(share_of_cycle * (budget + marking));
  add_relaxed(&bac_gc.pacing.allocated, words);
  g->lump += (int64_t)words;
}

uint64_t gc_marked_words(void) { return load_relaxed(&bac_gc.pacing.mark_total); }
uint64_t gc_cycles_marked(void) { return load_relaxed(&bac_gc.major_collections); }

/* What is about to be allocated is no reason to start a cycle where nothing has been since the last one: what would it find? */
bool pacing_wants_cycle(const struct gc_domain *g)
{
  double now = pacing_now(g);
  return now > (double)g->coming && now >= (double)load_relaxed(&bac_gc.pacing.mark_at);
}

void pacing_mark_started_stw(void)
{
  struct pacing *p = &bac_gc.pacing;
  p->mark_done = 0;
  p->mark_from = p->allocated;
  /* Never nothing: a slice that owes no work would not find out that marking is done. */
  p->mark_work = max_size((uint64_t)((double)bac_gc.sample.live_words * p->mark_per_live), SLICE_LEAST_WORDS);
}

/* The side table is used where there are no objects of kind SCAN: each pool's part of it, of a large object the beginning, which is a page. */
static uint64_t pacing_side_words(const struct heap_counts *counts)
{
  int64_t blocks = 0;
  for (unsigned k = KIND_SCAN + 1; k < KINDS; k++) {
    blocks += counts->large[k].objects;
    for (unsigned c = 0; c < CLASSES; c++) blocks += counts->cls[k][c].pools;
  }
  return (uint64_t)blocks * (BLOCK_WORDS >> SIDE_SHIFT);
}

void pacing_cycle_finished_stw(void)
{
  struct pacing *p = &bac_gc.pacing;
  store_relaxed(&p->mark_total, p->mark_total + p->mark_done);
  p->finish_allocated = p->allocated;
  p->finish_born_marked = p->allocated - min_size(p->mark_from, p->allocated);
  p->allocated = 0;
  p->finish_live = bac_gc.sample.live_words;
  p->finish_coming = 0;
  for_each_gc_domain(g) p->finish_coming += g->coming;
  p->wasted = compact_wasted_words(&bac_heap.counts) + pacing_side_words(&bac_heap.counts) + bac_gc.ephe.table_words;
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
  floating = min_size(floating, left);
  uint64_t live = left - floating + p->finish_coming;
  pacing_set_budget(live, (int64_t)(left - live));
}

/* A domain that has allocated since the last minor collection shares the work; one that waits, in a pool of workers say, does none. (With 60 such,
 * each counted as one of those that share, the heap of the domain that ran was 3.6 times as large as without them.) */
void pacing_count_sharers_stw(void)
{
  uint32_t sharers = 0;
  for_each_gc_domain(g) sharers += g->dom.window->young_ptr != g->dom.window->young_end || g->direct_words != 0;
  store_relaxed(&bac_gc.pacing.sharers, sharers);
}

/* What a domain's slice pays for its own lump, of large blocks, a graph or off-heap memory: at the rate of marking, or of what is due where that is more. */
static double pacing_own(const struct gc_domain *g)
{
  double rate = pacing_work_per_word(), lump = (double)g->coming + (g->lump > 0 ? (double)g->lump : 0);
  return (rate > MARK_RATE ? rate : MARK_RATE) * lump;
}

/* Work that is due when [part] of the way is gone, less what was done. At the end of the way it is all that is left, and if
 * that is nothing, the estimate was wrong and a slice's worth is due. The domains share it, but each pays for its own lumps: with
 * seven others that waited or had ended, one that replaced arrays of 1M words had 13 times what lived, now 2.9 as without them. */
static size_t pacing_owed(double total, double part, uint64_t done, double own)
{
  double due = total * (part < 1 ? part : 1) - (double)done;
  if (part >= 1 && due < SLICE_MOST_WORDS) due = SLICE_MOST_WORDS;
  if (due <= 0) return 0;
  size_t shared = (size_t)due / max_size(1, load_relaxed(&bac_gc.pacing.sharers)) + 1;
  return max_size(max_size((size_t)(due < own ? due : own), shared), SLICE_LEAST_WORDS);
}

static size_t pacing_owed_now(const struct gc_domain *g, double own)
{
  struct pacing *p = &bac_gc.pacing;
  double allocated = pacing_now(g), budget = (double)load_relaxed(&p->budget);
  switch (load_relaxed(&bac_gc.phase)) {
  case PHASE_SWEEP:
    return pacing_owed((double)p->heap_words, allocated / (SWEEP_PART * budget), load_relaxed(&bac_heap.sweep_done), own);
  case PHASE_CLEAN:
  case PHASE_MARK: {
    double planned = budget - (double)load_relaxed(&p->mark_at);
    double room = bounded(budget - (double)p->mark_from, planned / 4, planned);
    uint64_t done = load_relaxed(&p->mark_done);
    /* Where marking has done what it was expected to, the estimate was wrong; past the budget all that there is bounds what is left. */
    uint64_t work = allocated < budget || done < p->mark_work ? p->mark_work : max_size(p->mark_work, 2 * bac_gc.sample.live_words);
    return pacing_owed((double)work, (allocated - (double)p->mark_from) / room, done, own);
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
 * ahead pays in short pauses; where that is much, in pauses twice as long, so that it is over soon. But lumps are paid for at once:
 * where one comes after the other there may be no other slices. */
static size_t pacing_most(size_t owed, double own)
{
  return max_size(min_size(max_size(SLICE_MOST_WORDS, owed / 16), 2 * SLICE_MOST_WORDS), (size_t)own);
}

/* A window does not put off what a domain owes that is behind. */
size_t pacing_slice_work(struct gc_domain *g)
{
  pacing_allocated(g);
  double own = pacing_own(g);
  size_t owed = pacing_owed_now(g, own), most = pacing_most(owed, own);
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
