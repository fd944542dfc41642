/* SPDX-License-Identifier: MIT */
/* Fibers: making, growing and freeing them. What lies on one is in stack.h; who switches between
 * them, in the assembly file; who walks them, in walk.c.
 *
 * A domain's or a thread's own fiber begins as a block of 32 KiB, which is as much as most of them ever use: threads cost no mappings. When
 * that is full it moves, once, to address space for the largest stack, which the system gives memory as it is touched. Its struct, up to
 * which it is used, begins close to the top there; growing puts it further down, and nothing else is copied.
 * Where address space is limited (ulimit -v), and for the fibers of handlers, which are many and small, growing takes twice the
 * memory and copies.
 *
 * Small fibers that are done with wait in lists of their domain, one for each size that growing makes: Caml_state->stack_cache
 * [own] has the heads, [exn] links them, and [callbacks] counts the fibers from there on.
 *
 * No state; the size limit is a runtime parameter. */
#include "native/stack.h"

#include "abi/params.h"
#include "base/bits.h"
#include "gc/message.h"
#include "os/os.h"
#include "sync/atomic.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { CACHE_MOST_FIBERS = 64, CACHE_SIZES = 4, PAGE_WORDS = 4096 / sizeof(value) };

size_t stack_max_words(void) { return load_relaxed(&runtime_params.stack_words); }

/* ---- Memory ---- */

static size_t mapped_words(const struct stack_info *s) { return (size_t)s->pages * PAGE_WORDS; }

static struct stack_info *stack_format(void *memory, size_t words, size_t pages)
{
  struct stack_info *s = memory;
  struct stack_top *top = (struct stack_top *)((value *)memory + words) - 1;
  *s = (struct stack_info){.sp = (char *)top, .top = top, .words = words, .pages = (uint32_t)pages};
  *top = (struct stack_top){.handlers = {Val_unit, Val_unit, Val_unit}};
  return s;
}

/* An even number of words, so that the top is aligned as the bottom is. */
static struct stack_info *stack_from_heap(size_t words)
{
  words = align_up(words, 2);
  void *memory = malloc(Bsize_wsize(words));
  return memory ? stack_format(memory, words, 0) : NULL;
}

/* Lazily filled; huge pages would fill it in large steps. NULL where address space is limited: threads and the C heap need it more. */
static struct stack_info *stack_from_mapping(size_t words, size_t first_words)
{
  if (os_address_space_limit() != SIZE_MAX) return NULL;
  words = align_up(words, PAGE_WORDS);
  if (words / PAGE_WORDS > UINT32_MAX) return NULL;
  size_t bytes = Bsize_wsize(words);
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  return stack_format((value *)memory + words - first_words, first_words, words / PAGE_WORDS);
}

/* ---- The cache ---- */

/* The list of fibers of so many words; CACHE_SIZES: such are not kept. */
static unsigned cache_index(size_t words)
{
  unsigned i = 0;
  while (i < CACHE_SIZES && (size_t)STACK_WORDS << i != words) i++;
  return i;
}

static struct stack_info *cache_take(caml_domain_state *st, unsigned i)
{
  if (!st || !st->stack_cache || i == CACHE_SIZES) return NULL;
  struct stack_info *s = st->stack_cache[i];
  if (s) st->stack_cache[i] = s->exn;
  return s;
}

static bool cache_keep(caml_domain_state *st, struct stack_info *s)
{
  unsigned i = cache_index(s->words);
  if (!st || s->pages != 0 || i == CACHE_SIZES) return false;
  if (!st->stack_cache && !(st->stack_cache = calloc(CACHE_SIZES, sizeof *st->stack_cache))) return false;
  struct stack_info *head = st->stack_cache[i];
  uint32_t count = head ? head->callbacks + 1 : 1;
  if (count > (uint32_t)CACHE_MOST_FIBERS >> i) return false;
  s->callbacks = count;
  s->exn = head;
  st->stack_cache[i] = s;
  return true;
}

void stack_cache_clear(caml_domain_state *st)
{
  for (unsigned i = 0; i < CACHE_SIZES; i++)
    for (struct stack_info *s; (s = cache_take(st, i)) != NULL;) free(s);
  free(st->stack_cache);
  st->stack_cache = NULL;
}

/* ---- Making and freeing ---- */

/* Of one of the sizes that growing makes. */
static struct stack_info *stack_small(size_t words)
{
  struct stack_info *s = cache_take(Caml_state_opt, cache_index(words));
  if (!s) return stack_from_heap(words);
  struct gc_note note = s->note;
  stack_format(s, words, 0)->note = note;
  return s;
}

struct stack_info *stack_new(void) { return stack_small(STACK_WORDS); }

struct stack_info *stack_new_main(void)
{
  return stack_from_heap(min_size(max_size(stack_max_words(), STACK_WORDS), STACK_MAIN_WORDS));
}

static void stack_give_back(struct stack_info *s)
{
  if (s->pages != 0)
    munmap((value *)(s->top + 1) - mapped_words(s), Bsize_wsize(mapped_words(s)));
  else
    free(s);
}

void stack_free(struct stack_info *s)
{
  if (!cache_keep(Caml_state_opt, s)) stack_give_back(s);
}

void stack_free_chain(struct stack_info *first)
{
  while (first) {
    struct stack_info *parent = first->top->parent;
    stack_free(first);
    first = parent;
  }
}

/* A fiber has returned to its parent. */
void native_fiber_done(struct stack_info *s) { stack_free(s); }

/* ---- Growing ---- */

/* The handlers' links were copied with their old values; each leads to the next. Returns the innermost's new address. */
static void *handlers_move(void *innermost, const struct stack_info *old, intnat by)
{
  const char *low = (const char *)old, *high = (const char *)old->top;
  void *moved = innermost;
  for (void **at = &moved; (const char *)*at >= low && (const char *)*at < high; at = *at) *at = (char *)*at + by;
  return moved;
}

static void links_move(struct c_stack_link *link, const struct stack_info *old, struct stack_info *fresh, intnat by)
{
  for (; link; link = link->prev)
    if (link->stack == old) {
      link->stack = fresh;
      link->sp += by;
    }
}

/* Into its own mapping: only the struct's address changes. */
static void stack_extend(caml_domain_state *st, struct stack_info *old, size_t words)
{
  struct stack_info *fresh = (struct stack_info *)((value *)(old->top + 1) - words);
  *fresh = *old;
  fresh->words = words;
  links_move(st->c_stack, old, fresh, 0);
  st->current_stack = fresh;
}

static void stack_move(caml_domain_state *st, struct stack_info *old, struct stack_info *fresh)
{
  intnat by = (char *)fresh->top - (char *)old->top;
  fresh->sp = old->sp + by;
  fresh->callbacks = old->callbacks;
  fresh->note = old->note;
  memcpy(fresh->sp, old->sp, (size_t)((char *)(old->top + 1) - old->sp));
  st->exn_handler = handlers_move(st->exn_handler, old, by);
  links_move(st->c_stack, old, fresh, by);
  st->current_stack = fresh;
  old->note = (struct gc_note){0};   /* it is fresh's */
  stack_free(old);
}

/* To move [old] to. */
static struct stack_info *stack_larger(const struct stack_info *old, size_t words)
{
  bool own = old->top->parent == NULL;
  struct stack_info *s = own ? stack_from_mapping(stack_max_words(), words) : NULL;
  return s ? s : stack_small(words);
}

bool stack_ensure(caml_domain_state *st, size_t words)
{
  struct stack_info *old = st->current_stack;
  size_t used = stack_used_words(old) + sizeof(struct stack_top) / sizeof(value), need, max = stack_max_words();
  if (!add_fits(words, used + STACK_INFO_WORDS + STACK_RED_WORDS, &need)) return false;
  if (need <= old->words) return true;
  if (need > max) return false;
  size_t want = old->words * 2;
  while (want < need) want *= 2;
  want = min_size(want, max);
  if (need <= mapped_words(old)) {
    stack_extend(st, old, want = min_size(want, mapped_words(old)));
  } else {
    struct stack_info *fresh = stack_larger(old, want);
    if (!fresh) return false;
    stack_move(st, old, fresh);
  }
  gc_message(MESSAGE_TABLES, "Growing stack to %zuk bytes\n", Bsize_wsize(want) / 1024);
  return true;
}

/* The prologue's figure has the red zone in it; the return address and the figure itself are on the stack. */
bool native_grow_stack(size_t words) { return stack_ensure(Caml_state, words + 2); }

size_t backend_stack_words(void)
{
  size_t words = 0;
  for (const struct stack_info *s = Caml_state->current_stack; s; s = s->top->parent) words += stack_used_words(s);
  return words;
}
