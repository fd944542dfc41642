/* SPDX-License-Identifier: MIT */
/* What the collector asks the bytecode back end: where the roots are, what a
 * continuation holds, what custom blocks need; and the part of a domain's state
 * that the back end sets up.
 *
 * Owner of caml_global_data, a process root. */
#include "abi/params.h"
#include "bytecode/bytecode.h"
#include "bytecode/fiber.h"

#include "prims/marshal.h"
#include "sync/atomic.h"

#include <stdlib.h>

CAMLexport value caml_global_data;

static caml_domain_state *state_of(struct domain *d) { return (caml_domain_state *)d->window; }

static bool bytecode_domain_init(struct domain *d)
{
  interp_init();
  caml_domain_state *st = state_of(d);
  st->current_stack = fiber_new(FIBER_MAIN_WORDS);
  if (!st->current_stack) return false;
  st->domain = d;
  st->id = d->slot;
  st->unique_id = (int)d->id;
  st->backtrace_active = runtime_params.backtrace != 0;
  st->backtrace_last_exn = Val_unit;
  st->dls_root = Val_unit;
  st->trap_barrier_block = -1;
  return true;
}

static void bytecode_domain_fini(struct domain *d)
{
  caml_domain_state *st = state_of(d);
  fiber_free_chain(st->current_stack);
  st->current_stack = NULL;
  fiber_cache_clear(st);
  extern_state_free(st->extern_state);
  intern_state_free(st->intern_state);
  free(st->backtrace_buffer);
  st->backtrace_buffer = NULL;
}

static void scan_local_roots(struct caml__roots_block *frame, struct root_visitor *v)
{
  for (; frame; frame = frame->next)
    for (intnat i = 0; i < frame->ntables; i++)
      v->visit(v, frame->tables[i], (size_t)frame->nitems);
}

static void bytecode_scan_domain(struct domain *d, struct root_visitor *v)
{
  caml_domain_state *st = state_of(d);
  fiber_scan_chain(st->current_stack, v);
  scan_local_roots(st->local_roots, v);
  v->visit(v, &st->backtrace_last_exn, 1);
  v->visit(v, &st->dls_root, 1);
}

static void bytecode_scan_process(struct root_visitor *v) { v->visit(v, &caml_global_data, 1); }

/* ---- Continuations ---- */

static struct stack_info *continuation_first(value cont)
{
  return Ptr_val(load_acquire(&Field(cont, 0)));
}

static void bytecode_scan_continuation(value cont, struct root_visitor *v)
{
  fiber_scan_chain(continuation_first(cont), v);
}

static void bytecode_free_continuation(value cont) { fiber_free_chain(continuation_first(cont)); }

/* ---- Custom blocks ---- */

static bool bytecode_custom_has_finaliser(value v) { return Custom_ops_val(v)->finalize != NULL; }
static void bytecode_custom_finalise(value v) { Custom_ops_val(v)->finalize(v); }

const struct gc_client bytecode_client = {
    .state_size = sizeof(caml_domain_state),
    .domain_init = bytecode_domain_init,
    .domain_fini = bytecode_domain_fini,
    .scan_domain = bytecode_scan_domain,
    .scan_process = bytecode_scan_process,
    .scan_continuation = bytecode_scan_continuation,
    .free_continuation = bytecode_free_continuation,
    .custom_has_finaliser = bytecode_custom_has_finaliser,
    .custom_finalise = bytecode_custom_finalise,
    .moment = timing_hooks_call,
};
