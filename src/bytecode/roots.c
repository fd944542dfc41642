/* SPDX-License-Identifier: MIT */
/* What the collector asks the bytecode back end: where the roots are, what a
 * continuation holds; and the part of a domain's state that the back end sets up.
 *
 * Owner of caml_global_data, a process root. */
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
  state_init(d);
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

/* ---- Threads ---- */

struct stack_info *backend_stack_new(void) { return fiber_new(FIBER_MAIN_WORDS); }
void backend_stack_free(struct stack_info *first) { fiber_free_chain(first); }
void backend_stack_scan(struct stack_info *first, value *regs, struct root_visitor *v) { fiber_scan_chain(first, v); }

/* ---- Scanning ---- */

static void bytecode_scan_domain(struct domain *d, struct root_visitor *v)
{
  caml_domain_state *st = state_of(d);
  fiber_scan_chain(st->current_stack, v);
  state_scan(st, v);
}

/* No barrier tells when the program sets a global: all are looked at each time. */
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

const struct gc_client bytecode_client = {
    .state_size = sizeof(caml_domain_state),
    .domain_init = bytecode_domain_init,
    .domain_fini = bytecode_domain_fini,
    .scan_domain = bytecode_scan_domain,
    .scan_process = bytecode_scan_process,
    .scan_continuation = bytecode_scan_continuation,
    .free_continuation = bytecode_free_continuation,
    .custom_has_finaliser = state_custom_has_finaliser,
    .custom_finalise = state_custom_finalise,
    .moment = timing_hooks_call,
};
