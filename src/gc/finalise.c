/* SPDX-License-Identifier: MIT */
/* Finalisers: OCaml functions that are called when a value dies.
 *
 * Gc.finalise (table "first") calls f with the value when it becomes
 * unreachable for the first time: the value is then kept for one more cycle at
 * least. Gc.finalise_last calls f () when the value is gone. A table entry holds
 * its closure strongly and its value weakly.
 *
 * CLOSURES and what is ready are roots, of which there may be millions. They are not scanned in the stop that starts
 * a cycle but shaded in pieces while the program marks, before a stage ends (FIN-1). That keeps the snapshot: nothing
 * leaves a table in that stage but what was registered since and is shaded then; what is ready is shaded when it is taken.
 *
 * WHEN. In the major cycle a pass over table "first" comes after all that is reachable has been marked: entries whose
 * value is unmarked are due. When the passes of all domains are over, the values that are due are marked, with all they
 * reach, and then the entries are ready to be called. A pass over table "last" comes after marking, in the
 * CLEAN phase: what is unmarked then is gone, and no weak pointer shows it any more. Both passes go in pieces while
 * the program runs: each domain looks at its own tables, and the leader of a stop helps those that are blocked. Nothing
 * due is marked before every pass is over: so of several values that die together all are due. What the
 * program gets out of a weak pointer meanwhile is marked before the next piece, and not due if its turn is still to come.
 *
 * A minor collection decides about young values of "last"; those of "first" are roots then.
 *
 * Ready entries stand in batches, one for each pass, which are called in turn, each from its last entry to its
 * first: the reverse order of registration, as gc.mli says. The client takes them one at a
 * time (gc_finaliser_take) and calls them at a safepoint.
 *
 * Each domain has its own tables; a domain that ends leaves them to another.
 * The tables belong to their domain's thread, or to the leader of a stopped world.
 * Semantics: stdlib/gc.mli. Design page: docs/design/finalisers.md. */
#include "gc/state.h"

bool gc_finalise(struct domain *d, bool first, value closure, value v)
{
  struct gc_domain *g = gc_domain(d);
  struct finalisers *f = first ? &g->first : &g->last;
  if (!vec_try_reserve(&f->entries, f->entries.len + 1)) return false;
  gc_keep(d, closure);
  *vec_push(&f->entries) = (struct finaliser){closure, v};
  return true;
}

/* ---- What is ready ---- */

static void batch_add(struct finaliser_batch **b, value closure, value arg)
{
  if (*b == NULL) *b = mem_calloc(1, sizeof **b);
  if (*b == NULL) bac_fatal("out of memory: no room for a finaliser");
  *vec_push(&(*b)->entries) = (struct finaliser){closure, arg};
}

static void finalisers_make_ready(struct gc_domain *g, struct finaliser_batch *b)
{
  struct finaliser_batch **link = &g->ready;
  if (b == NULL) return;
  while (*link != NULL) link = &(*link)->next;
  *link = b;
  domain_request(&g->dom, DOMAIN_WANT_ACTIONS);
}

static void finalisers_due_ready(struct gc_domain *g)
{
  finalisers_make_ready(g, g->due);
  g->due = NULL;
  g->due_marked = 0;
}

/* ---- Roots ---- */

static void finalisers_visit(struct finaliser *at, size_t from, size_t end, bool args, struct root_visitor *v)
{
  for (size_t i = from; i < end; i++) {
    v->visit(v, &at[i].closure, 1);
    if (args) v->visit(v, &at[i].arg, 1);
  }
}

/* The argument of Gc.finalise outlives a minor collection: whether it is dead is for the cycle to say. */
void finalise_visit(struct gc_domain *g, struct root_visitor *v)
{
  bool young_only = v->young_only;
  size_t first = young_only ? g->first.young : 0, last = young_only ? g->last.young : 0;
  finalisers_visit(g->first.entries.at, first, g->first.entries.len, young_only, v);
  finalisers_visit(g->last.entries.at, last, g->last.entries.len, false, v);
  for (struct finaliser_batch *b = young_only ? NULL : g->ready; b != NULL; b = b->next)
    finalisers_visit(b->entries.at, 0, b->entries.len, true, v);
}

void finalise_begin_shading_stw(struct gc_domain *g)
{
  finalise_begin_pass_stw(&g->first);
  finalise_begin_pass_stw(&g->last);
  g->unshaded = g->ready;
  for (struct finaliser_batch *b = g->ready; b != NULL; b = b->next) b->shaded = 0;
}

/* Entries ahead of which the values or closures are fetched. */
enum { FINALISERS_AHEAD = 16 };

static inline void prefetch_mark(value v)
{
  if (heap_contains(v)) __builtin_prefetch(heap_kind(v) == KIND_SCAN ? (void *)Hp_val(v) : (void *)side_byte(Hp_val(v)));
}

static size_t finalisers_shade(struct finalisers *f, struct marker *m, size_t budget)
{
  size_t from = f->at, end = from + min_size(budget, f->to - from);
  for (; f->at < end; f->at++) {
    if (f->at + FINALISERS_AHEAD < f->to) prefetch_mark(f->entries.at[f->at + FINALISERS_AHEAD].closure);
    mark_value(m, f->entries.at[f->at].closure);
  }
  f->kept = f->at;
  return end - from;
}

static size_t batches_shade(struct gc_domain *g, struct marker *m, size_t budget)
{
  size_t done = 0;
  for (struct finaliser_batch *b; (b = g->unshaded) != NULL && done < budget; done++) {
    if (b->shaded >= b->entries.len) {
      g->unshaded = b->next;
      continue;
    }
    struct finaliser *f = &b->entries.at[b->shaded++];
    mark_value(m, f->closure);
    mark_value(m, f->arg);
  }
  return done;
}

static size_t finalise_shade(struct gc_domain *g, struct marker *m, size_t budget)
{
  size_t done = finalisers_shade(&g->first, m, budget);
  done += finalisers_shade(&g->last, m, budget - done);
  return done + batches_shade(g, m, budget - done);
}

/* ---- Minor collection ---- */

static bool finaliser_dead_in_nursery(value *arg)
{
  if (!is_young_block(*arg)) return false;
  value copy = minor_forwarded(*arg);
  if (copy != 0) *arg = copy;
  return copy == 0;
}

void finalise_minor_stw(void)
{
  for_each_gc_domain(g) {
    struct finalisers *f = &g->last;
    struct finaliser_batch *dead = NULL;
    size_t kept = f->young;
    for (size_t i = f->young; i < f->entries.len; i++) {
      struct finaliser *e = &f->entries.at[i];
      if (finaliser_dead_in_nursery(&e->arg))
        batch_add(&dead, e->closure, Val_unit);
      else
        f->entries.at[kept++] = *e;
    }
    f->entries.len = kept;
    finalisers_make_ready(g, dead);
  }
}

/* ---- Passes ---- */

void finalise_begin_pass_stw(struct finalisers *f)
{
  CHECK(f->at == f->to);
  f->kept = f->at = 0;
  f->to = f->young;
}

/* Closes the gap of stale entries. */
static void finalisers_close(struct finalisers *f)
{
  size_t gap = f->at - f->kept;
  if (gap == 0) return;
  memmove(&f->entries.at[f->kept], &f->entries.at[f->at], (f->entries.len - f->at) * sizeof *f->entries.at);
  f->entries.len -= gap;
  f->young -= gap;
  f->to -= gap;
  f->at = f->kept;
}


/* A piece of a pass: entries with unmarked values are due. Words of work. */
static size_t finalisers_look(struct gc_domain *g, struct finalisers *f, bool keep_arg, size_t budget)
{
  size_t from = f->at, end = from + min_size(budget, f->to - from);
  enum trace_phase phase = keep_arg ? TRACE_FINALISE_FIRST : TRACE_FINALISE_LAST;
  if (from == f->to) return 0;
  trace_begin(domain_self(), phase);
  for (; f->at < end; f->at++) {
    if (f->at + FINALISERS_AHEAD < f->to) prefetch_mark(f->entries.at[f->at + FINALISERS_AHEAD].arg);
    struct finaliser e = f->entries.at[f->at];
    if (mark_is_marked(e.arg))
      f->entries.at[f->kept++] = e;
    else
      batch_add(&g->due, e.closure, keep_arg ? e.arg : Val_unit);
  }
  if (f->at == f->to) finalisers_close(f);
  trace_end(domain_self(), phase);
  return end - from;
}

/* Marks values that are due; when all are, they may be called. */
static size_t finalisers_mark_due(struct gc_domain *g, struct marker *m, size_t budget)
{
  if (g->due == NULL) return 0;
  size_t from = g->due_marked, end = from + min_size(budget, g->due->entries.len - from);
  for (; g->due_marked < end; g->due_marked++) mark_value(m, g->due->entries.at[g->due_marked].arg);
  if (end == g->due->entries.len) finalisers_due_ready(g);
  return end - from + 1;
}

size_t finalise_mark_some(struct gc_domain *g, struct marker *m, size_t budget)
{
  switch (bac_gc.stage) {
  case STAGE_REACHABLE: return finalise_shade(g, m, budget);
  case STAGE_FINALISERS: return finalisers_look(g, &g->first, true, budget);
  default: return finalisers_mark_due(g, m, budget);
  }
}

bool finalise_has_work(const struct gc_domain *g)
{
  switch (bac_gc.stage) {
  case STAGE_REACHABLE: return g->first.at < g->first.to || g->last.at < g->last.to || g->unshaded != NULL;
  case STAGE_FINALISERS: return g->first.at < g->first.to;
  default: return g->due != NULL;
  }
}

size_t finalise_clean_some(struct gc_domain *g, size_t budget)
{
  size_t done = finalisers_look(g, &g->last, false, budget);
  if (g->last.at == g->last.to) finalisers_due_ready(g);
  return done;
}

/* ---- The end of a domain ---- */

/* What a pass has not looked at yet in [from] must be looked at in [to]; more than that is harmless. */
static void finalisers_append(struct finalisers *to, struct finalisers *from)
{
  bool pass = from->at < from->to;
  finalisers_close(from);
  finalisers_close(to);
  if (pass && to->at == to->to) to->at = to->kept = to->entries.len;
  for (size_t i = 0; i < from->entries.len; i++) *vec_push(&to->entries) = from->entries.at[i];
  to->young = to->entries.len;
  if (pass) to->to = to->entries.len;
  vec_free(&from->entries);
  from->young = from->kept = from->at = from->to = 0;
}

/* The nurseries are empty. */
void finalise_adopt_stw(struct gc_domain *heir, struct gc_domain *gone)
{
  finalisers_append(&heir->first, &gone->first);
  finalisers_append(&heir->last, &gone->last);
  if (gone->ready != NULL) finalisers_make_ready(heir, gone->ready);
  if (heir->unshaded == NULL) heir->unshaded = gone->unshaded;
  gone->ready = gone->unshaded = NULL;
  if (gone->due == NULL) return;
  for (size_t i = 0; i < gone->due->entries.len; i++)
    batch_add(&heir->due, gone->due->entries.at[i].closure, gone->due->entries.at[i].arg);
  vec_free(&gone->due->entries);
  mem_free(gone->due);
  gone->due = NULL;
  gone->due_marked = 0;
}

/* ---- Calling ---- */

bool gc_finaliser_take(struct domain *d, value *closure, value *arg)
{
  struct gc_domain *g = gc_domain(d);
  struct finaliser_batch *b = g->ready;
  if (g->finaliser_running || b == NULL) return false;
  struct finaliser f = vec_pop(&b->entries);
  gc_keep(d, f.closure);
  gc_keep(d, f.arg);
  if (b->entries.len == 0) {
    if (g->unshaded == b) g->unshaded = b->next;
    g->ready = b->next;
    vec_free(&b->entries);
    mem_free(b);
  }
  g->finaliser_running = true;
  *closure = f.closure;
  *arg = f.arg;
  return true;
}

void gc_finaliser_done(struct domain *d) { gc_domain(d)->finaliser_running = false; }
void gc_finaliser_release(struct domain *d) { gc_domain(d)->finaliser_running = false; }
