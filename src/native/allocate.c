/* SPDX-License-Identifier: MIT */
/* The slow path of allocation and of polls in OCaml code. No state. */
#include "native/frames.h"
#include "native/native.h"
#include "native/stack.h"
#include "prims/memprof.h"

/* While the memory profiler samples, each of the blocks is a block to it. */
static COLD void allocate_profiled(struct domain *d, const struct frame_descr *frame)
{
  struct memprof_block blocks[MEMPROF_GROUP_MOST];
  unsigned count = frame_alloc_count(frame);
  for (unsigned i = 0; i < count; i++) {
    const uint32_t *info = frame_alloc_debuginfo(frame, i);
    blocks[count - 1 - i] = (struct memprof_block){frame_alloc_lengths(frame)[i] + 2u, info ? debuginfo_slot(info) : NULL};
  }
  value_or_raise(memprof_nursery_group_exn(d, blocks, count));
}

/* C code of stock's (CAML_INTERNALS) asks for collections by fields of the domain state, and sets young_limit itself. */
static COLD void take_requests(caml_domain_state *st)
{
  domain_request(st->domain, st->requested_minor_gc ? DOMAIN_WANT_MINOR : DOMAIN_WANT_SLICE);
  st->requested_minor_gc = st->requested_major_slice = 0;
}

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
  if (unlikely(st->requested_minor_gc | st->requested_major_slice)) take_requests(st);
  if (words == 0 || domain_has_interrupts(st->domain)) caml_process_pending_actions();
  if (words == 0) return;
  if (unlikely(memprof_is_on(st->domain)))
    allocate_profiled(st->domain, d);
  else
    gc_nursery_alloc(st->domain, words);
}
