/* SPDX-License-Identifier: MIT */
/* Sampling of allocations and the tables of sampled blocks: see memprof.h.
 *
 * State: one memprof_domain for each domain that ever sampled, found by its slot. [own] but for what runs
 * with the world stopped: it is part of the collector's observer. Profiles are counted.
 * A callback is asked for by DOMAIN_WANT_ACTIONS. */
#include "observe/memprof.h"

#include "base/memory.h"

#include <math.h>

static struct {
  memprof_callstack *callstack;                   /* [const] */
  struct memprof_domain *of_slot[DOMAINS_MAX];    /* [own, stw] */
} memprof;

static void ask_for_callbacks(struct domain *d) { domain_request(d, DOMAIN_WANT_ACTIONS); }

/* ---- Profiles ---- */

struct memprof_profile *memprof_profile_new(double rate, size_t frames, value tracker)
{
  struct memprof_profile *p = mem_calloc(1, sizeof *p);
  if (p == NULL) return NULL;
  p->holders = 1;
  p->rate = rate;
  p->scale = 1 / log1p(-rate);
  p->frames = frames;
  p->tracker = tracker;
  gc_root_add_generational(&p->tracker);
  return p;
}

void memprof_hold(struct memprof_profile *p) { add_seq(&p->holders, 1); }

void memprof_release(struct memprof_profile *p)
{
  if (sub_seq(&p->holders, 1) != 1) return;
  gc_root_remove_generational(&p->tracker);
  mem_free(p);
}

/* ---- Random distances ---- */

/* Farther than any program allocates. */
#define NEVER ((uint64_t)1 << 60)

/* Words to the next sampled one, that one counted. */
static uint64_t draw_distance(struct memprof_domain *m)
{
  const struct memprof_profile *p = m->profile;
  if (p->rate == 0) return NEVER;
  double uniform = (double)((rng_next(&m->rng) >> 11) + 1) * 0x1p-53;
  double distance = 1 + floor(log(uniform) * p->scale);
  return distance < (double)NEVER ? (uint64_t)distance : NEVER;
}

/* How many of the next [words] outside the nursery are sampled. */
static size_t draw_samples(struct memprof_domain *m, size_t words)
{
  size_t samples = 0;
  while (m->skip <= words) {
    samples++;
    words -= m->skip;
    m->skip = draw_distance(m);
  }
  m->skip -= words;
  return samples;
}

/* ---- Where the next sample is ---- */

static bool is_active(const struct memprof_domain *m)
{
  return m != NULL && !m->thread->suspended && memprof_is_sampling(m->profile);
}

/* The sample point goes [distance] words below [top]. */
static void place_point(struct domain *d, struct memprof_domain *m, value *top, uint64_t distance)
{
  m->point = distance <= (uint64_t)(top - d->window->young_start) ? top - distance : NULL;
  gc_sample_at(d, m->point);
}

static void rearm(struct domain *d)
{
  struct memprof_domain *m = memprof_of(d);
  if (m == NULL) return;
  if (is_active(m)) {
    place_point(d, m, d->window->young_ptr, draw_distance(m));
    m->skip = draw_distance(m);
  } else {
    m->point = NULL;
    gc_sample_at(d, NULL);
  }
}

/* The samples of the words from [low] up to the sample point; the point moves on below them. */
static size_t take_point(struct domain *d, struct memprof_domain *m, value *low)
{
  value *at = m->point;
  size_t samples = 1;
  uint64_t distance;
  while ((distance = draw_distance(m)) <= (uint64_t)(at - low)) {
    at -= distance;
    samples++;
  }
  place_point(d, m, at, distance);
  return samples;
}

size_t memprof_next_samples(struct domain *d, size_t whsize)
{
  struct memprof_domain *m = memprof_of(d);
  if (!is_active(m) || m->point == NULL) return 0;
  value *low = d->window->young_ptr - whsize;
  return m->point < low || low < d->window->young_start ? 0 : take_point(d, m, low);
}

/* ---- Domains and threads ---- */

struct memprof_domain *memprof_of(struct domain *d) { return memprof.of_slot[d->slot]; }
bool memprof_is_on(struct domain *d) { return is_active(memprof_of(d)); }
void memprof_hush(struct domain *d, bool hushed) { memprof_of(d)->hushed = hushed; }

struct memprof_domain *memprof_domain(struct domain *d)
{
  struct memprof_domain *m = memprof_of(d);
  if (m != NULL) return m;
  m = mem_calloc(1, sizeof *m);
  if (m == NULL) bac_fatal("out of memory: no room for the memory profiler's state");
  m->thread = &m->main;
  m->rng.state = d->id + 1;
  memprof.of_slot[d->slot] = m;
  return m;
}

void memprof_begin(struct domain *d, struct memprof_profile *p)
{
  struct memprof_domain *m = memprof_domain(d);
  memprof_hold(p);
  add_seq(&p->samplers, 1);
  m->profile = p;
  rearm(d);
}

void memprof_end(struct domain *d)
{
  struct memprof_domain *m = memprof_of(d);
  struct memprof_profile *p = m->profile;
  if (p == NULL) return;
  m->profile = NULL;
  rearm(d);
  uint32_t sampling = MEMPROF_SAMPLING;
  if (sub_seq(&p->samplers, 1) == 1) cas_seq(&p->status, &sampling, MEMPROF_STOPPED);
  memprof_release(p);
}

/* What came due meanwhile was passed over by the actions that ran in the callback: it is asked for again. */
void memprof_suspend(struct domain *d, bool suspended)
{
  struct memprof_domain *m = memprof_of(d);
  size_t index;
  m->thread->suspended = suspended;
  if (!suspended && memprof_next_pending(m, &index)) ask_for_callbacks(d);
  rearm(d);
}

void memprof_switch(struct domain *d, struct memprof_thread *t)
{
  struct memprof_domain *m = memprof_domain(d);
  m->thread = t;
  m->pending_from = 0;
  if (m->entries.len != 0) ask_for_callbacks(d);
  rearm(d);
}

void memprof_forget_thread(struct domain *d, struct memprof_thread *t)
{
  struct memprof_domain *m = memprof_of(d);
  if (m == NULL) return;
  for (size_t i = 0; i < m->entries.len; i++) {
    struct memprof_entry *e = &m->entries.at[i];
    if (e->state != ENTRY_BORN || e->owner != t) continue;
    e->busy = false;
    memprof_delete(m, i);
  }
}

/* ---- Entries ---- */

static void take_callstack(struct memprof_domain *m, struct memprof_entry *e)
{
  size_t most = e->profile->frames, count;
  if (most == 0) return;
  vec_reserve(&m->scratch, 256);
  for (;;) {
    count = memprof.callstack(m->scratch.at, most < m->scratch.cap ? most : m->scratch.cap);
    if (count < m->scratch.cap || count == most) break;
    vec_reserve(&m->scratch, m->scratch.cap * 2);
  }
  e->callstack = mem_alloc(count * sizeof *e->callstack);
  if (e->callstack == NULL) return;
  memcpy(e->callstack, m->scratch.at, count * sizeof *e->callstack);
  e->frames = count;
}

void memprof_enter(struct domain *d, value block, bool young, size_t words, size_t samples, enum memprof_source source)
{
  struct memprof_domain *m = memprof_of(d);
  struct memprof_entry e = {
    .block = block, .user = Val_unit, .profile = m->profile, .owner = m->thread, .words = words,
    .samples = samples, .source = (uint8_t)source, .state = ENTRY_BORN, .young = young,
  };
  memprof_hold(e.profile);
  take_callstack(m, &e);
  if (m->pending_from > m->entries.len) m->pending_from = m->entries.len;
  *vec_push(&m->entries) = e;
}

static void sample_words(struct domain *d, value block, size_t words, size_t sampled, enum memprof_source source)
{
  struct memprof_domain *m = memprof_of(d);
  if (!is_active(m)) return;
  size_t samples = draw_samples(m, sampled);
  if (samples == 0) return;
  memprof_enter(d, block, gc_is_young(block), words, samples, source);
  ask_for_callbacks(d);
}

void memprof_sample(struct domain *d, value block, enum memprof_source source)
{
  sample_words(d, block, Wosize_val(block), Wosize_val(block) + 1, source);
}

static bool entry_waits(const struct memprof_domain *m, const struct memprof_entry *e)
{
  if (e->busy || e->state == ENTRY_DELETED) return false;
  if (e->state == ENTRY_BORN) return e->owner == m->thread;
  return e->dead || (e->promoted && !e->promotion_told);
}

bool memprof_next_pending(struct memprof_domain *m, size_t *index)
{
  size_t i = m->pending_from;
  while (i < m->entries.len && !entry_waits(m, &m->entries.at[i])) i++;
  m->pending_from = *index = i;
  return i < m->entries.len;
}

void memprof_set_busy(struct memprof_domain *m, size_t index, bool busy)
{
  m->entries.at[index].busy = busy;
  if (m->pending_from > index) m->pending_from = index;
}

void memprof_delete(struct memprof_domain *m, size_t index)
{
  struct memprof_entry *e = &m->entries.at[index];
  if (e->state == ENTRY_DELETED) return;
  e->state = ENTRY_DELETED;
  e->block = 0;
  e->user = Val_unit;
  mem_free(e->callstack);
  e->callstack = NULL;
  memprof_release(e->profile);
  m->deleted++;
}

void memprof_set_user(struct memprof_domain *m, size_t index, value user)
{
  m->entries.at[index].user = user;
  if (m->young_from > index) m->young_from = index;
}

void memprof_lose_block(struct memprof_domain *m, size_t index)
{
  m->entries.at[index].dead = true;
  if (m->pending_from > index) m->pending_from = index;
}

void memprof_set_block(struct memprof_domain *m, size_t index, value block)
{
  m->entries.at[index].block = block;
  if (m->young_from > index) m->young_from = index;
}

void memprof_tidy(struct memprof_domain *m)
{
  if (m->running != 0 || m->deleted < 64 + m->entries.len / 2) return;
  size_t kept = 0, young_from = 0, pending_from = 0;
  for (size_t i = 0; i < m->entries.len; i++) {
    if (i == m->young_from) young_from = kept;
    if (i == m->pending_from) pending_from = kept;
    if (m->entries.at[i].state != ENTRY_DELETED) m->entries.at[kept++] = m->entries.at[i];
  }
  m->young_from = m->young_from >= m->entries.len ? kept : young_from;
  m->pending_from = m->pending_from >= m->entries.len ? kept : pending_from;
  m->entries.len = kept;
  m->deleted = 0;
}

bool memprof_check(const struct memprof_domain *m)
{
  size_t deleted = 0;
  for (size_t i = 0; i < m->entries.len; i++) {
    const struct memprof_entry *e = &m->entries.at[i];
    if (e->state == ENTRY_DELETED) deleted++;
    if (i < m->young_from && (gc_is_young(e->block) || gc_is_young(e->user))) return false;
    if (i < m->pending_from && entry_waits(m, e)) return false;
    if (e->dead && e->block != 0) return false;
  }
  return deleted == m->deleted;
}

/* ---- What the collector tells ---- */

static void on_nursery_sampled(struct domain *d, size_t whsize)
{
  struct memprof_domain *m = memprof_of(d);
  value *low = d->window->young_ptr;
  if (!is_active(m) || m->hushed || m->point == NULL || m->point < low) {
    rearm(d);
    return;
  }
  size_t samples = take_point(d, m, low);
  memprof_enter(d, Val_hp(low), true, whsize - 1, samples, MEMPROF_NORMAL);
  ask_for_callbacks(d);
}

static void on_major_allocated(struct domain *d, value block)
{
  if (memprof_is_on(d) && !memprof_of(d)->hushed) memprof_sample(d, block, MEMPROF_NORMAL);
}

static void on_custom_allocated(struct domain *d, value block, size_t bytes)
{
  size_t words = bytes / sizeof(value) + (bytes % sizeof(value) != 0);
  sample_words(d, block, words, words, MEMPROF_CUSTOM);
}

static void on_scan(struct domain *d, struct root_visitor *v)
{
  struct memprof_domain *m = memprof_of(d);
  if (m == NULL) return;
  for (size_t i = v->young_only ? m->young_from : 0; i < m->entries.len; i++) v->visit(v, &m->entries.at[i].user, 1);
}

/* The program's datum and the block's place are not kept for a profile of which nothing is told any more. */
static bool entry_is_discarded(const struct memprof_entry *e)
{
  return e->state != ENTRY_DELETED && load_acquire(&e->profile->status) == MEMPROF_DISCARDED;
}

/* True if that makes a callback due. */
static bool entry_update(struct memprof_entry *e, enum weak_event event, value (*where)(value))
{
  if (e->block == 0 || (event == WEAK_AFTER_MINOR && !gc_is_young(e->block))) return false;
  e->block = where(e->block);
  if (e->block == 0) e->dead = true;
  else if (event == WEAK_AFTER_MINOR) e->promoted = true;
  return e->dead || event == WEAK_AFTER_MINOR;
}

static void on_update_weak(struct domain *d, enum weak_event event, value (*where)(value))
{
  struct memprof_domain *m = memprof_of(d);
  if (m == NULL) return;
  bool waits = false;
  for (size_t i = event == WEAK_AFTER_MINOR ? m->young_from : 0; i < m->entries.len; i++) {
    if (entry_is_discarded(&m->entries.at[i])) memprof_delete(m, i);
    if (!entry_update(&m->entries.at[i], event, where)) continue;
    if (m->pending_from > i) m->pending_from = i;
    waits = true;
  }
  if (event == WEAK_AFTER_MINOR) m->young_from = m->entries.len;
  memprof_tidy(m);
  DCHECK(memprof_check(m));
  if (waits) ask_for_callbacks(d);
}

/* Children join the profile. */
static void on_domain_created(struct domain *parent, struct domain *child)
{
  struct memprof_domain *m = memprof_of(parent);
  if (m != NULL && memprof_is_sampling(m->profile)) memprof_begin(child, m->profile);
}

/* What the domain tracks goes on with the heir; what it had not told yet is forgotten. */
static void on_domain_ending(struct domain *d, struct domain *heir)
{
  struct memprof_domain *m = memprof_of(d);
  if (m == NULL) return;
  memprof_end(d);
  for (size_t i = 0; i < m->entries.len; i++) {
    struct memprof_entry *e = &m->entries.at[i];
    if (e->state == ENTRY_BORN || heir == NULL) memprof_delete(m, i);
    if (e->state == ENTRY_DELETED) continue;
    struct memprof_domain *to = memprof_domain(heir);
    if (to->pending_from > to->entries.len) to->pending_from = to->entries.len;
    *vec_push(&to->entries) = *e;
  }
  if (heir != NULL) ask_for_callbacks(heir);
  memprof.of_slot[d->slot] = NULL;
  vec_free(&m->entries);
  vec_free(&m->scratch);
  mem_free(m);
}

void memprof_watch(memprof_callstack *callstack)
{
  static const struct gc_observer observer = {
    .nursery_emptied = rearm,
    .nursery_sampled = on_nursery_sampled,
    .major_allocated = on_major_allocated,
    .custom_allocated = on_custom_allocated,
    .scan = on_scan,
    .update_weak = on_update_weak,
    .domain_created = on_domain_created,
    .domain_ending = on_domain_ending,
  };
  memprof.callstack = callstack;
  gc_observe(&observer);
}
