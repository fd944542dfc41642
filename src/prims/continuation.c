/* SPDX-License-Identifier: MIT */
/* Continuation blocks, for both back ends.
 *
 * A continuation block holds in field 0 the fiber that performed the effect and
 * in field 1 the last fiber of the suspended chain, both dressed as integers. It is
 * used once: whoever exchanges field 0 for null owns the chain. (A locked exchange costs as much as the rest of
 * an effect; a domain that is alone does without.)
 *
 * EFFECT-1  A continuation block is never older than the newest reference on its stack: it is
 *           made when the stack is cut off, and made anew when the chain gets longer
 *           (continuation_renew), so a minor collection need not look at promoted ones.
 * EFFECT-2  A chain leaves its block only after gc_keep_continuation: marking has then seen what it
 *           held when the cycle began.
 *
 * No state. */
#include "prims/continuation.h"

#include "abi/runtime.h"
#include "sync/atomic.h"

#include <stdio.h>
#include <stdlib.h>

/* Marking does not see young blocks: most continuations are resumed while they are in the nursery of who suspended them. */
static inline bool is_in_own_nursery(const caml_domain_state *st, value v)
{
  return (uintptr_t)v - (uintptr_t)st->young_start < (uintptr_t)st->young_end - (uintptr_t)st->young_start;
}

/* Field 0, for which null is put there. */
static inline value take(value cont)
{
  const caml_domain_state *st = Caml_state;
  if (unlikely(!is_in_own_nursery(st, cont))) gc_keep_continuation(st->domain, cont);
  if (domain_is_alone()) {
    value chain = load_relaxed(&Field(cont, 0));
    store_relaxed(&Field(cont, 0), Val_ptr(NULL));
    return chain;
  }
  return exchange_seq(&Field(cont, 0), Val_ptr(NULL));
}

struct stack_info *continuation_take(value cont) { return Ptr_val(take(cont)); }

value continuation_renew(value cont)
{
  if (gc_is_young(cont)) return cont;
  LOCAL_ROOTS(&cont);
  value fresh = caml_alloc_small(2, Cont_tag);
  Field(fresh, 0) = Val_ptr(NULL);
  struct gc_note note = {0};
  gc_note_continuation(Caml_state->domain, fresh, &note);
  Field(fresh, 1) = Field(cont, 1);
  Field(fresh, 0) = take(cont);
  return fresh;
}

/* ---- Primitives ---- */

CAMLprim value caml_continuation_use_noexc(value cont) { return take(cont); }

CAMLprim value caml_continuation_use(value cont)
{
  value chain = caml_continuation_use_noexc(cont);
  if (!Ptr_val(chain)) caml_raise(continuation_already_resumed());
  return chain;
}

/* ---- Exceptions ---- */

/* The library registers them when it starts; a program without it has no effects
 * to go wrong. */
static value registered_exception(const char *name)
{
  const value *exn = caml_named_value(name);
  if (exn) return *exn;
  fprintf(stderr, "Fatal error: exception %s\n", name);
  exit(2);
}

value effect_unhandled(value effect)
{
  return caml_alloc_2(0, registered_exception("Effect.Unhandled"), effect);
}

value continuation_already_resumed(void)
{
  return registered_exception("Effect.Continuation_already_resumed");
}
