/* SPDX-License-Identifier: MIT */
/* The primitives of stdlib/effect.ml that make and change fibers, and what the assembly file's effect
 * operations leave to C. Continuation blocks: prims/continuation.c. No state. */
#include "native/native.h"
#include "native/stack.h"
#include "prims/continuation.h"

static void set_handlers(struct stack_info *s, value on_value, value on_exn, value on_effect)
{
  s->top->handlers[HANDLE_VALUE] = on_value;
  s->top->handlers[HANDLE_EXN] = on_exn;
  s->top->handlers[HANDLE_EFFECT] = on_effect;
}

CAMLprim value caml_alloc_stack(value on_value, value on_exn, value on_effect)
{
  struct stack_info *s = stack_new();
  if (!s) caml_raise_out_of_memory();
  set_handlers(s, on_value, on_exn, on_effect);
  return Val_ptr(s);
}

/* Shallow handlers: whoever resumes the continuation handles what comes next. */
CAMLprim value caml_continuation_use_and_update_handler_noexc(value cont, value on_value, value on_exn, value on_effect)
{
  struct stack_info *first = continuation_take(cont), *last = first;
  if (!first) return Val_ptr(NULL);
  while (last->top->parent) last = last->top->parent;
  set_handlers(last, on_value, on_exn, on_effect);
  return Val_ptr(first);
}

/* ---- For the assembly file ---- */

/* The running fiber is about to be suspended in this block, a young one that OCaml code allocated, for the first time since
 * the last minor collection or so: its note is of an old list. [no gc] */
void native_note_continuation(value cont)
{
  struct stack_info *s = Caml_state->current_stack;
  gc_note_first(Caml_state->domain, cont, &s->note);
}

/* The effect is kept, the continuation is replaced where it is no longer young. [may gc] */
void native_renew_continuation(value effect_and_cont[2])
{
  LOCAL_ROOT_ARRAY(effect_and_cont, 2);
  effect_and_cont[1] = continuation_renew(effect_and_cont[1]);
}

void native_raise_unhandled(value effect) { caml_raise(effect_unhandled(effect)); }
void native_raise_already_resumed(void) { caml_raise(continuation_already_resumed()); }
