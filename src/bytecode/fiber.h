/* SPDX-License-Identifier: MIT */
/* Fibers: the growable stacks that bytecode runs on.
 *
 * A domain starts with one fiber; an effect handler runs its computation on a
 * new one, whose parent is the fiber that installed the handler. A continuation
 * is a chain of fibers cut off from the rest: from the one that performed the
 * effect up to the one below the handler.
 *
 * The words are used downwards from [high]. They hold values, return addresses
 * (code pointers, which the collector passes over), and integers. Nothing in
 * them is an address of the stack itself: a trap frame is named by its
 * distance from [high], so growing a stack is one copy (FIBER-1). The struct
 * itself never moves.
 *
 * FRAMES, lowest address first:
 *   call    return address, environment, extra arguments (integer)
 *   trap    handler's address, trap distance of the next outer trap (integer),
 *           environment, extra arguments (integer)
 *   C call  environment, address of the next instruction; present while a primitive or the
 *           collector runs.
 *
 * FIBER-2  Below the stack pointer that a function sees at its entry there are
 *          at least FIBER_RESERVE words, less what the call itself pushed; the compiler
 *          asks for more (caml_ensure_stack_capacity) where it needs more than 32.
 * FIBER-3  [sp] is true whenever the fiber's domain is not inside the interpreter
 *          loop; in the loop the stack pointer is in a register.
 *
 * OWNER. A running fiber and its parents belong to their domain; a suspended
 * chain belongs to the continuation block that names it. */
#ifndef BAC_BYTECODE_FIBER_H
#define BAC_BYTECODE_FIBER_H

#include "abi/caml.h"

/* The compiler lets a function push 32 words unasked; the rest is for what the
 * interpreter itself pushes around a call out. */
enum { FIBER_RESERVE = 64, FIBER_WORDS = 128, FIBER_MAIN_WORDS = 4096 };

/* What a fiber's parent does when the fiber returns, raises, or performs. */
enum { HANDLE_VALUE, HANDLE_EXN, HANDLE_EFFECT, HANDLERS };

struct stack_info {
  value *sp;
  value *limit;               /* base + FIBER_RESERVE */
  intnat trap;                /* words from high down to the innermost trap frame; 0: none */
  value *high;                /* one past the last word */
  value *base;
  struct stack_info *parent;  /* NULL: the domain's own, or the last of a suspended chain */
  value parent_extra;         /* an integer: extra arguments that wait on the parent for what the handler returns */
  value handlers[HANDLERS];   /* closures; Val_unit in a domain's own fiber */
  struct gc_note note;        /* of its last continuation; outlives the fiber in the cache */
};

/* The largest size of one stack in words (l= of OCAMLRUNPARAM, Gc.stack_limit).
 * Any context. */
size_t fiber_max_words(void);

/* A fiber with at least FIBER_WORDS words. NULL: no memory. [no gc]. The cache of
 * the calling thread's domain is used if it has one. */
struct stack_info *fiber_new(size_t words);
void fiber_free(struct stack_info *f);
void fiber_free_chain(struct stack_info *first);
/* Gives back the fibers that the calling domain keeps for reuse. */
void fiber_cache_clear(caml_domain_state *st);

/* Makes room for [words] below f->sp, FIBER_RESERVE beyond them. False: the stack
 * would pass its limit, or no memory. f->sp must be true. [no gc] */
bool fiber_ensure(struct stack_info *f, size_t words);

static inline size_t fiber_used(const struct stack_info *f) { return (size_t)(f->high - f->sp); }

/* Visits every value of the fiber and of its parents. */
void fiber_scan_chain(struct stack_info *first, struct root_visitor *v);

/* ---- Walking return addresses, innermost first, for backtraces. ---- */
struct fiber_walk {
  const struct stack_info *fiber;
  const value *at;
  intnat trap;                /* the next trap frame ahead */
};
/* From the saved stack pointer of [f]. */
struct fiber_walk fiber_walk_start(const struct stack_info *f);
/* The next return address whose call has a debug event, over parents too, and over the frames of outer
 * activations; NULL at the end. Addresses of trap handlers are passed over, but for those of the frames below a
 * callback: like stock's, such a walk shows them as unknown locations. */
code_t fiber_walk_next(struct fiber_walk *w);

#endif
