/* SPDX-License-Identifier: MIT */
/* Finalisers: OCaml functions that are called when a value dies.
 *
 * Gc.finalise (table "first") calls f with the value when it becomes
 * unreachable for the first time: the value is then kept for one more cycle at
 * least. Gc.finalise_last calls f () when the value is gone. A table entry holds
 * its closure strongly and its value weakly.
 *
 * When marking ends, entries whose value is unmarked move to the domain's
 * queue of ready finalisers; the client takes them from there one at a time
 * (gc_finaliser_take) and calls them at a safepoint. Entries of one cycle are
 * called in the reverse order of their registration, as gc.mli says.
 *
 * Each domain has its own tables; a domain that ends leaves them to another.
 * The tables belong to their domain's thread, or to the leader of a stopped world.
 * Semantics: stdlib/gc.mli. Design page: docs/design/finalisers.md. */
#include "gc/state.h"

void gc_finalise(struct domain *d, bool first, value closure, value v)
{
  struct gc_domain *g = gc_domain(d);
  *vec_push(first ? &g->first.entries : &g->last.entries) = (struct finaliser){closure, v};
}

static void finaliser_make_ready(struct gc_domain *g, struct finaliser f)
{
  *vec_push(&g->ready) = f;
  domain_request(&g->dom, DOMAIN_WANT_ACTIONS);
}

/* Moves the entries from index [from] on whose value is_dead to the queue, the youngest first. */
static void finalisers_move_dead(struct gc_domain *g, struct finalisers *f, size_t from, bool keep_arg,
                                 bool (*is_dead)(value *arg))
{
  size_t first_ready = g->ready.len, kept = from;
  for (size_t i = from; i < f->entries.len; i++) {
    struct finaliser *e = &f->entries.at[i];
    if (is_dead(&e->arg))
      finaliser_make_ready(g, (struct finaliser){e->closure, keep_arg ? e->arg : Val_unit});
    else
      f->entries.at[kept++] = *e;
  }
  f->entries.len = kept;
  for (size_t a = first_ready, b = g->ready.len; a + 1 < b; a++) {
    struct finaliser swap = g->ready.at[--b];
    g->ready.at[b] = g->ready.at[a];
    g->ready.at[a] = swap;
  }
}

static bool finaliser_dead_in_nursery(value *arg)
{
  if (!is_young_block(*arg)) return false;
  value copy = minor_forwarded(*arg);
  if (copy != 0) *arg = copy;
  return copy == 0;
}

void finalise_minor_stw(void)
{
  for_each_gc_domain(g) finalisers_move_dead(g, &g->last, g->last.young, false, finaliser_dead_in_nursery);
}

static bool finaliser_unmarked(value *arg) { return !mark_is_marked(*arg); }

void finalise_first_stw(struct gc_domain *leader)
{
  for_each_gc_domain(g) {
    size_t before = g->ready.len;
    finalisers_move_dead(g, &g->first, 0, true, finaliser_unmarked);
    for (size_t i = before; i < g->ready.len; i++) mark_value(&leader->marker, g->ready.at[i].arg);
    g->first.young = g->first.entries.len;
  }
  mark_drain_stw(leader);
}

void finalise_last_stw(void)
{
  for_each_gc_domain(g) {
    finalisers_move_dead(g, &g->last, 0, false, finaliser_unmarked);
    g->last.young = g->last.entries.len;
  }
}

static void finalisers_append(struct finalisers *to, struct finalisers *from)
{
  for (size_t i = 0; i < from->entries.len; i++) *vec_push(&to->entries) = from->entries.at[i];
  to->young = to->entries.len;
  vec_free(&from->entries);
  from->young = 0;
}

void finalise_adopt_stw(struct gc_domain *heir, struct gc_domain *gone)
{
  finalisers_append(&heir->first, &gone->first);
  finalisers_append(&heir->last, &gone->last);
  for (size_t i = gone->ready_at; i < gone->ready.len; i++) finaliser_make_ready(heir, gone->ready.at[i]);
  vec_free(&gone->ready);
  gone->ready_at = 0;
}

bool gc_finaliser_take(struct domain *d, value *closure, value *arg)
{
  struct gc_domain *g = gc_domain(d);
  if (g->finaliser_running || g->ready_at == g->ready.len) return false;
  struct finaliser f = g->ready.at[g->ready_at++];
  if (g->ready_at == g->ready.len) g->ready_at = g->ready.len = 0;
  g->finaliser_running = true;
  *closure = f.closure;
  *arg = f.arg;
  return true;
}

void gc_finaliser_done(struct domain *d) { gc_domain(d)->finaliser_running = false; }
void gc_finaliser_release(struct domain *d) { gc_domain(d)->finaliser_running = false; }
