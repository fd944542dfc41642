/* SPDX-License-Identifier: MIT */
/* Fibers: the stacks that native code runs on, and what lies on them.
 *
 * A domain starts with one fiber; an effect handler runs its computation on a new one, whose
 * parent is the fiber that installed the handler. C code runs on the thread's own stack. A fiber is one
 * piece of memory, used downwards:
 *
 *     struct stack_top                 what the parent does with the fiber's result
 *     struct stack_chunk               pushed where C code, or the handler, entered OCaml code
 *     frames of OCaml functions        each below its return address
 *     ... further chunks: C code that these functions called has called OCaml code again ...
 *                                  <-- sp, at a return address, while something else runs
 *     unused
 *     STACK_RED_WORDS                  functions that call nothing use these unasked
 *     struct stack_info            <-- state->current_stack, against which prologues compare
 *
 * STACK-1  A fiber that is not running has [sp] and [exn]; the running one has [sp] while C code runs (not in
 *          functions that the compiler was told do not allocate), its [exn] is in the state.
 * STACK-2  Only the running fiber grows, and C code may be above it on the C stack: growing moves it, and all
 *          addresses of the stack in the stack itself are those of handlers, linked from exn_handler. Others are in the
 *          links (c_stack) and in the state.
 * STACK-3  When OCaml code is entered from C, CHUNK and red zone are free (stack_ensure).
 * STACK-4  An effect does not cross C code: a fiber with [callbacks] hands no effect to its parent.
 * STACK-5  Where a domain's own fiber has a *return barrier*, no frame that is older holds a young value: the barrier stands in the place
 *          of the return address into these frames, so they have not run since the last minor collection. An exception may go past it; then it is
 *          on the fiber no more (walk.c).
 *
 * OWNER. A running fiber and its parents belong to their domain; a suspended
 * chain belongs to the continuation block that names it. */
#ifndef BAC_NATIVE_STACK_H
#define BAC_NATIVE_STACK_H

#include "abi/runtime.h"

/* The compiler's figures, utils/config.ml and runtime/caml/config.h of OCaml 5.3: what a prologue adds to its own
 * needs. The struct must fit into the first. */
enum { STACK_INFO_WORDS = 7, STACK_RED_WORDS = 32 };
/* Sizes of a handler's fiber, which is doubled as it grows, and of the smallest fiber of a domain. */
enum { STACK_WORDS = 80, STACK_MAIN_WORDS = 4096 };

enum { HANDLE_VALUE, HANDLE_EXN, HANDLE_EFFECT, HANDLERS };

struct stack_top {
  value handlers[HANDLERS];     /* closures; Val_unit in a domain's own fiber */
  struct stack_info *parent;    /* NULL: the domain's own, or the last of a suspended chain */
  size_t barrier_at;            /* bytes from the return barrier up to here; 0: there is none */
  uintptr_t barrier_return;     /* the return address whose place it has */
};

struct stack_info {
  char *sp;                     /* top: nothing is on it */
  void *exn;                    /* innermost handler, NULL: none */
  struct stack_top *top;
  uint32_t callbacks;           /* OCaml code that C code runs, on this fiber and above */
  uint32_t pages;               /* of 4 KiB, where the memory is a mapping of its own, up to its top; 0: it is malloc'ed */
  size_t words;                 /* of the whole */
  struct gc_note note;          /* outlives the fiber in the cache */
};

/* The first words of OCaml code's part of a fiber. */
struct stack_chunk {
  void *trap[2];                /* the handler that takes exceptions to C, or to the parent */
  struct c_stack_link *link;    /* of the C code that entered; NULL: the handler did */
  value *regs;                  /* gc_regs of what lies before */
};

/* At the bottom of the C stack while OCaml code runs; where that stopped to call C. */
struct c_stack_link {
  struct stack_info *stack;     /* NULL: it has called nothing yet */
  char *sp;
  struct c_stack_link *prev;
};

/* The largest size of one fiber in words (l= of OCAMLRUNPARAM, Gc.stack_limit). */
size_t stack_max_words(void);

/* A domain's or a thread's own fiber, which moves once as it grows, where address space is not limited; a handler's. NULL: no memory. [no gc] */
struct stack_info *stack_new_main(void);
struct stack_info *stack_new(void);
void stack_free(struct stack_info *s);
void stack_free_chain(struct stack_info *first);
/* Gives back the fibers that the domain keeps for reuse. */
void stack_cache_clear(caml_domain_state *st);

/* Makes room for [words] below the running fiber's sp, red zone and all beyond them. The calling thread's, in C code.
 * false: the limit is reached, or there is no memory. [no gc] */
bool stack_ensure(caml_domain_state *st, size_t words);
/* What OCaml code wants that C code is about to enter: a chunk, a return address. */
enum { STACK_ENTRY_WORDS = 8 };

static inline size_t stack_used_words(const struct stack_info *s)
{
  return (size_t)((char *)s->top - s->sp) / sizeof(value);
}

/* ---- What amd64.S calls ---- */
bool native_grow_stack(size_t words);
void native_fiber_done(struct stack_info *s);
uintptr_t native_barrier_reached(char *sp);

#endif
