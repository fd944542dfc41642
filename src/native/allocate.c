/* SPDX-License-Identifier: MIT */
/* The slow path of allocation and of polls in OCaml code. No state. */
#include "native/frames.h"
#include "native/native.h"
#include "native/stack.h"

/* OCaml code has moved young_ptr down by what it wants, or polls: the descriptor of the address that it returns to
 * says how many words. The registers with its live values are at gc_regs. [may run OCaml] [raises] */
void native_allocate(void)
{
  caml_domain_state *st = Caml_state;
  uintptr_t pc = *(uintptr_t *)st->current_stack->sp;
  const struct frame_descr *d = frames_find(pc);
  CHECK(d != NULL && (d->size & FRAME_ALLOC));
  size_t words = frame_alloc_words(d);
  st->young_ptr += words;
  if (words == 0 || domain_has_interrupts(st->domain)) caml_process_pending_actions();
  if (words != 0) gc_nursery_alloc(st->domain, words);
}
