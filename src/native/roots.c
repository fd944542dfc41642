/* SPDX-License-Identifier: MIT */
/* What the collector asks the native back end: where the roots are, what a continuation holds; and the
 * part of a domain's state that the back end sets up. No state. */
#include "native/native.h"
#include "native/walk.h"
#include "prims/marshal.h"
#include "sync/atomic.h"

#include <stdlib.h>

static caml_domain_state *state_of(struct domain *d) { return (caml_domain_state *)d->window; }

static bool native_domain_init(struct domain *d)
{
  caml_domain_state *st = state_of(d);
  st->current_stack = stack_new_main();
  if (!st->current_stack) return false;
  state_init(d);
  return true;
}

static void native_domain_fini(struct domain *d)
{
  caml_domain_state *st = state_of(d);
  stack_free_chain(st->current_stack);
  st->current_stack = NULL;
  stack_cache_clear(st);
  extern_state_free(st->extern_state);
  intern_state_free(st->intern_state);
  free(st->backtrace_buffer);
  st->backtrace_buffer = NULL;
}

/* ---- Threads ---- */

struct stack_info *backend_stack_new(void) { return stack_new_main(); }
void backend_stack_free(struct stack_info *first) { stack_free_chain(first); }
void backend_stack_scan(struct stack_info *first, value *regs, struct root_visitor *v) { walk_scan_own(first, regs, v); }

/* ---- Scanning ---- */

static void native_scan_domain(struct domain *d, struct root_visitor *v)
{
  caml_domain_state *st = state_of(d);
  walk_scan_own(st->current_stack, st->gc_regs, v);
  state_scan(st, v);
}

static struct stack_info *continuation_first(value cont) { return Ptr_val(load_acquire(&Field(cont, 0))); }

static void native_scan_continuation(value cont, struct root_visitor *v)
{
  walk_scan_suspended(continuation_first(cont), v);
}

static void native_free_continuation(value cont) { stack_free_chain(continuation_first(cont)); }

const struct gc_client native_client = {
    .state_size = sizeof(caml_domain_state),
    .domain_init = native_domain_init,
    .domain_fini = native_domain_fini,
    .scan_domain = native_scan_domain,
    .scan_process = statics_scan,
    .scan_continuation = native_scan_continuation,
    .free_continuation = native_free_continuation,
    .custom_has_finaliser = state_custom_has_finaliser,
    .custom_finalise = state_custom_finalise,
    .moment = timing_hooks_call,
};
