/* SPDX-License-Identifier: MIT */
/* Fibers: making, growing, freeing and scanning the stacks of bytecode. What a
 * stack looks like is in fiber.h; who switches between them, in interp.c.
 *
 * The words come from the C heap, apart from the struct, so that growing moves
 * the words only. Small fibers that are done with wait in a list of their domain for the next
 * effect handler: the head hangs from Caml_state->stack_cache [own], linked by
 * [parent], and [trap] counts the fibers from there on.
 *
 * No state; the size limit is a runtime parameter. */
#include "bytecode/fiber.h"

#include "abi/params.h"
#include "base/bits.h"
#include "bytecode/bytecode.h"
#include "gc/message.h"
#include "sync/atomic.h"

#include <stdlib.h>

enum { CACHE_MOST_FIBERS = 64, CACHE_MOST_WORDS = 1024 };

size_t fiber_max_words(void) { return load_relaxed(&runtime_params.stack_words); }

/* ---- The cache ---- */

static struct stack_info *cache_head(caml_domain_state *st) { return (struct stack_info *)st->stack_cache; }
static void cache_set_head(caml_domain_state *st, struct stack_info *f) { st->stack_cache = (struct stack_info **)f; }

static struct stack_info *cache_take(caml_domain_state *st)
{
  struct stack_info *f = st ? cache_head(st) : NULL;
  if (f) cache_set_head(st, f->parent);
  return f;
}

static bool cache_keep(caml_domain_state *st, struct stack_info *f)
{
  if (!st || f->high - f->base > CACHE_MOST_WORDS) return false;
  struct stack_info *head = cache_head(st);
  intnat count = head ? head->trap + 1 : 1;
  if (count > CACHE_MOST_FIBERS) return false;
  f->trap = count;
  f->parent = head;
  cache_set_head(st, f);
  return true;
}

void fiber_cache_clear(caml_domain_state *st)
{
  for (struct stack_info *f; (f = cache_take(st)) != NULL;) {
    free(f->base);
    free(f);
  }
}

/* ---- Making and freeing ---- */

static void fiber_set_words(struct stack_info *f, value *base, size_t words)
{
  f->base = base;
  f->high = base + words;
  f->limit = base + FIBER_RESERVE;
}

static struct stack_info *fiber_from_heap(size_t words)
{
  struct stack_info *f = malloc(sizeof *f);
  value *base = malloc(Bsize_wsize(words));
  if (!f || !base) {
    free(f);
    free(base);
    return NULL;
  }
  fiber_set_words(f, base, words);
  f->note = (struct gc_note){0};
  return f;
}

struct stack_info *fiber_new(size_t words)
{
  struct stack_info *f = words <= FIBER_WORDS ? cache_take(Caml_state_opt) : NULL;
  if (!f) f = fiber_from_heap(max_size(words, FIBER_WORDS));
  if (!f) return NULL;
  f->sp = f->high;
  f->trap = 0;
  f->parent = NULL;
  f->parent_extra = Val_int(0);
  for (int i = 0; i < HANDLERS; i++) f->handlers[i] = Val_unit;
  return f;
}

void fiber_free(struct stack_info *f)
{
  if (cache_keep(Caml_state_opt, f)) return;
  free(f->base);
  free(f);
}

void fiber_free_chain(struct stack_info *first)
{
  while (first) {
    struct stack_info *parent = first->parent;
    fiber_free(first);
    first = parent;
  }
}

/* ---- Growing ---- */

bool fiber_ensure(struct stack_info *f, size_t words)
{
  size_t used = fiber_used(f), have = (size_t)(f->high - f->base), need, max = fiber_max_words();
  if (!add_fits(words, used + FIBER_RESERVE, &need)) return false;
  if (need <= have) return true;
  if (need > max) return false;
  size_t size = min_size(max_size(need, have * 2), max);
  gc_message(MESSAGE_TABLES, "Growing stack to %zuk bytes\n", Bsize_wsize(size) / 1024);
  value *base = malloc(Bsize_wsize(size));
  if (!base) return false;
  memcpy(base + size - used, f->sp, Bsize_wsize(used));
  free(f->base);
  fiber_set_words(f, base, size);
  f->sp = f->high - used;
  return true;
}

/* The compiler's request for a function that pushes more than 32 words. */
CAMLprim value caml_ensure_stack_capacity(value words)
{
  if (!fiber_ensure(Caml_state->current_stack, (size_t)Long_val(words))) caml_raise_stack_overflow();
  return Val_unit;
}

/* The fiber that runs and those that wait for it below. */
size_t backend_stack_words(void)
{
  size_t words = 0;
  for (const struct stack_info *f = Caml_state->current_stack; f; f = f->parent) words += fiber_used(f);
  return words;
}

/* ---- Scanning and walking ---- */

void fiber_scan_chain(struct stack_info *first, struct root_visitor *v)
{
  for (struct stack_info *f = first; f; f = f->parent) {
    v->visit(v, f->sp, fiber_used(f));
    v->visit(v, f->handlers, HANDLERS);
  }
}

struct fiber_walk fiber_walk_start(const struct stack_info *f)
{
  return (struct fiber_walk){.fiber = f, .at = f->sp, .trap = f->trap};
}

code_t fiber_walk_next(struct fiber_walk *w)
{
  for (;;) {
    const struct stack_info *f = w->fiber;
    if (w->at >= f->high) {
      if (!f->parent) return NULL;
      *w = fiber_walk_start(f->parent);
    } else if (w->trap != 0 && f->high - w->trap == w->at) {
      w->trap = Long_val(w->at[1]);
      w->at += 4;
    } else {
      value word = *w->at++;
      if (Is_block(word) && debuginfo_has_event((code_t)word)) return (code_t)word;
    }
  }
}
