/* SPDX-License-Identifier: MIT */
/* The thread's pointer to its domain's state, which native code, stubs and the
 * inline parts of the public headers read. It is set wherever a thread takes or gives up
 * a domain (state_set_self), together with domain_set_self, and is [own] to its
 * thread. Beside it the bounds of the nurseries, which do not change once the
 * collector has started. */
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
  domain_set_self(d);
  caml_state = d ? (caml_domain_state *)d->window : NULL;
}

/* What the stock macros call where C code without a domain uses one. */
CAMLexport void caml_bad_caml_state(void)
{
  caml_fatal_error("no domain lock held");
}
