/* SPDX-License-Identifier: MIT */
/* The thread's pointer to its domain's state, which native code, stubs and the
 * inline parts of the public headers read. It is set wherever a thread takes or gives up
 * a domain (state_set_self), together with domain_set_self, and is [own] to its
 * thread. Beside it the bounds of the nurseries, which do not change once the
 * collector has started. */
#include "abi/params.h"
#include "abi/runtime.h"
#include "heap/nursery.h"
#include "sync/atomic.h"

CAMLexport __thread caml_domain_state *caml_state __attribute__((tls_model("initial-exec")));

/* For Is_young of <caml/address_class.h>. */
CAMLexport uintnat caml_minor_heaps_start, caml_minor_heaps_end;

void state_set_self(struct domain *d)
{
  store_relaxed(&caml_minor_heaps_start, bac_nurseries.base);
  store_relaxed(&caml_minor_heaps_end, bac_nurseries.base + bac_nurseries.bytes);
  if (d) signals_listen(d);
  state_take(d);
}

void state_take(struct domain *d)
{
  domain_set_self(d);
  caml_state = d ? (caml_domain_state *)d->window : NULL;
}

/* ---- For the collector ---- */

void state_init(struct domain *d)
{
  caml_domain_state *st = (caml_domain_state *)d->window;
  st->domain = d;
  st->id = d->slot;
  st->unique_id = (int)d->id;
  st->backtrace_active = runtime_params.backtrace != 0;
  st->backtrace_last_exn = Val_unit;
  st->dls_root = Val_unit;
  st->trap_barrier_block = -1;
}

void state_scan_local_roots(struct caml__roots_block *frame, struct root_visitor *v)
{
  for (; frame; frame = frame->next)
    for (intnat i = 0; i < frame->ntables; i++)
      v->visit(v, frame->tables[i], (size_t)frame->nitems);
}

static void (*threads_scan)(struct domain *d, struct root_visitor *v);   /* [const] once there are threads */
void state_set_threads_scan(void (*scan)(struct domain *d, struct root_visitor *v)) { threads_scan = scan; }

void state_scan(caml_domain_state *st, struct root_visitor *v)
{
  state_scan_local_roots(st->local_roots, v);
  v->visit(v, &st->backtrace_last_exn, 1);
  v->visit(v, &st->dls_root, 1);
  if (threads_scan) threads_scan(st->domain, v);
}

bool state_custom_has_finaliser(value v) { return Custom_ops_val(v)->finalize != NULL; }
void state_custom_finalise(value v) { Custom_ops_val(v)->finalize(v); }

/* What the stock macros call where C code without a domain uses one. */
CAMLexport void caml_bad_caml_state(void)
{
  caml_fatal_error("no domain lock held");
}
