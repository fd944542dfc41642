/* SPDX-License-Identifier: MIT */
/* The state of one domain as the ABI of OCaml 5.3 lays it out. Its head is the
 * collector's struct window. Everything else that the runtime knows of a
 * domain hangs from the field [domain] or from runtime-private structures.
 * tests/abi checks every offset against the stock headers. */
#ifndef BAC_ABI_5_3_DOMAIN_STATE_H
#define BAC_ABI_5_3_DOMAIN_STATE_H

#include "domain/domain.h"

#include <stddef.h>

enum { EXTRA_PARAMS = 64 };

typedef struct {
#define FIELD(type, name) __attribute__((aligned(8))) type name;
#include "abi/5.3/domain_state.tbl"
#undef FIELD
  __attribute__((aligned(8))) value extra_params[EXTRA_PARAMS];
} caml_domain_state;

_Static_assert(offsetof(caml_domain_state, young_limit) == offsetof(struct window, young_limit) &&
                   offsetof(caml_domain_state, young_ptr) == offsetof(struct window, young_ptr) &&
                   offsetof(caml_domain_state, young_start) == offsetof(struct window, young_start) &&
                   offsetof(caml_domain_state, young_end) == offsetof(struct window, young_end) &&
                   offsetof(caml_domain_state, young_trigger) == offsetof(struct window, young_trigger),
               "the collector's window is the head of the domain state");

/* The state of the thread's domain; NULL outside one. The name and the storage
 * class are the ABI's. */
extern __thread caml_domain_state *caml_state __attribute__((visibility("default"), tls_model("initial-exec")));
#define Caml_state (caml_state)
#define Caml_state_opt (caml_state)

#endif
