/* SPDX-License-Identifier: MIT */
/* The parameters: the record Gc.control and what only the environment can set.
 *
 * Here their ranges are kept, a change is made known to whom it concerns, and told
 * (message.h). What each parameter does is done elsewhere: pacing.c (space_overhead,
 * window_size), alloc.c (custom_*), compact.c (max_overhead), heap/arena.c (major_heap_increment).
 * allocation_policy is kept for Gc.get and does nothing.
 *
 * All are the process's but the size of the nursery, which is each domain's own. They change with
 * the world stopped. */
#include "gc/message.h"
#include "gc/state.h"
#include "os/os.h"

const struct gc_params gc_params_default = {
    .minor_words = 256 * 1024,
    .space_overhead = 120,
    .major_heap_increment = 15,
    .max_overhead = 500,
    .window_size = 1,
    .custom_major_ratio = 44,
    .custom_minor_ratio = 100,
    .custom_minor_max_bytes = 70000,
    .max_domains = DOMAINS_DEFAULT,
};

/* ---- Ranges: what Gc.get can answer, at least ---- */

/* A major_heap_increment of more is a number of words. */
enum { INCREMENT_PERCENT_MOST = 1000 };

static size_t clamp(size_t n, size_t least, size_t most) { return n < least ? least : n > most ? most : n; }

static size_t nursery_whole_pages(size_t words, size_t most)
{
  return align_up(clamp(words, Max_young_wosize + 1, most) * sizeof(value), os_page_size()) / sizeof(value);
}

void control_normalise(struct gc_params *p)
{
  p->minor_words = nursery_whole_pages(p->minor_words, (size_t)1 << 28);
  p->space_overhead = clamp(p->space_overhead, 1, Max_long);
  p->max_overhead = clamp(p->max_overhead, 0, Max_long);
  p->major_heap_increment = clamp(p->major_heap_increment, 0, Max_long);
  p->allocation_policy = clamp(p->allocation_policy, 0, Max_long);
  p->window_size = clamp(p->window_size, 1, WINDOW_MOST);
  p->custom_major_ratio = clamp(p->custom_major_ratio, 1, Max_long);
  p->custom_minor_ratio = clamp(p->custom_minor_ratio, 1, Max_long);
  p->custom_minor_max_bytes = clamp(p->custom_minor_max_bytes, 0, Max_long);
  p->max_domains = clamp(p->max_domains, 1, DOMAINS_MAX);
  p->verify = clamp(p->verify, 0, 2);
  p->markers = clamp(p->markers, 0, MARKERS_MAX);
}

/* ---- Telling them ---- */

/* [verb] is "Initial" or "New". */
static void control_tell(const char *verb, const char *what, size_t n, const char *unit)
{
  gc_message(MESSAGE_PARAMETERS, "%s %s: %zu%s\n", verb, what, n, unit);
}

static void control_tell_increment(const char *verb, const char *what, size_t n)
{
  bool percent = n <= INCREMENT_PERCENT_MOST;
  control_tell(verb, what, percent ? n : n / 1024, percent ? "%" : "k words");
}

static void control_tell_initial(const struct gc_params *p)
{
  const char *verb = "Initial";
  control_tell(verb, "minor heap size", p->minor_words / 1024, "k words");
  control_tell(verb, "major heap size", p->initial_heap_words * sizeof(value) / 1024, "k bytes");
  control_tell(verb, "space overhead", p->space_overhead, "%");
  control_tell(verb, "max overhead", p->max_overhead, "%");
  control_tell_increment(verb, "heap increment", p->major_heap_increment);
  control_tell(verb, "allocation policy", p->allocation_policy, "");
  control_tell(verb, "smoothing window", p->window_size, "");
}

static void control_tell_changes(const struct gc_params *old, const struct gc_params *new)
{
  const struct { const char *what, *unit; size_t old, new; } figures[] = {
      {"space overhead", "%", old->space_overhead, new->space_overhead},
      {"max overhead", "%", old->max_overhead, new->max_overhead},
      {"allocation policy", "", old->allocation_policy, new->allocation_policy},
      {"smoothing window size", "", old->window_size, new->window_size},
      {"custom major ratio", "%", old->custom_major_ratio, new->custom_major_ratio},
      {"custom minor ratio", "%", old->custom_minor_ratio, new->custom_minor_ratio},
      {"custom minor size limit", "%", old->custom_minor_max_bytes, new->custom_minor_max_bytes},
  };
  if (old->major_heap_increment != new->major_heap_increment)
    control_tell_increment("New", "heap increment size", new->major_heap_increment);
  for (size_t i = 0; i < countof(figures); i++)
    if (figures[i].old != figures[i].new) control_tell("New", figures[i].what, figures[i].new, figures[i].unit);
  if (old->minor_words != new->minor_words)
    control_tell("New", "minor heap size", new->minor_words / 1024, "k words");
}

/* ---- Setting them ---- */

static void control_heap_grew(size_t bytes)
{
  gc_message(MESSAGE_HEAP, "Growing heap to %zuk bytes\n", bytes / 1024);
}

/* The heap knows blocks only. */
static void control_hand_on(const struct gc_params *p)
{
  size_t i = p->major_heap_increment;
  bool percent = i <= INCREMENT_PERCENT_MOST;
  heap_set_growth(percent ? i : 0, percent ? 0 : div_up(i, BLOCK_WORDS));
}

void control_started(void)
{
  bac_heap.grew = control_heap_grew;
  control_hand_on(&bac_gc.params);
  control_tell_initial(&bac_gc.params);
}

void gc_params_get(struct domain *d, struct gc_params *out)
{
  *out = bac_gc.params;
  out->minor_words = gc_domain(d)->nursery_words;
}

bool control_set_nursery(struct gc_domain *g, size_t words)
{
  struct window *w = g->dom.window;
  value *start, *end, *old = w->young_start;
  if (!nursery_commit(g->dom.slot, words, &start, &end)) return false;
  if (old != NULL && old < start) nursery_release(g->dom.slot, old, start);
  w->young_start = start;
  w->young_end = w->young_ptr = end;
  g->nursery_words = words;
  g->sample_at = g->slice_at = NULL;
  nursery_arm(g);
  if (gc_observer() != NULL) gc_observer()->nursery_emptied(&g->dom);
  return true;
}

struct params_change { struct gc_params params; bool done; };

static void control_set_leader(struct domain *d, void *arg)
{
  struct params_change *c = arg;
  struct gc_domain *g = gc_domain(d);
  struct gc_params *p = &c->params;
  size_t words = p->minor_words;
  p->minor_words = bac_gc.params.minor_words;
  if (p->max_overhead != bac_gc.params.max_overhead) bac_gc.auto_compaction = (struct auto_compaction){0};
  bool overhead = p->space_overhead != bac_gc.params.space_overhead;
  bac_gc.params = *p;
  control_hand_on(p);
  if (overhead) pacing_overhead_changed_stw();
  c->done = true;
  if (words == g->nursery_words) return;
  minor_collect_stw(g);
  c->done = control_set_nursery(g, words);
}

bool gc_params_set(struct domain *d, const struct gc_params *in)
{
  struct gc_params old;
  gc_params_get(d, &old);
  struct params_change c = {*in, false};
  c.params.max_domains = old.max_domains;
  c.params.heap_limit = old.heap_limit;
  c.params.stress = old.stress;
  c.params.markers = old.markers;
  control_normalise(&c.params);
  c.params.minor_words = nursery_whole_pages(c.params.minor_words, nursery_max_words());
  const struct gc_params new = c.params;
  while (!stw_run(d, control_set_leader, &c)) continue;
  control_tell_changes(&old, &new);
  return c.done;
}
