/* SPDX-License-Identifier: MIT */
/* The stock headers' figures; see layout.h. */
#define CAML_INTERNALS
#include <caml/custom.h>
#include <caml/domain_state.h>
#include <caml/memory.h>
#include <caml/minor_gc.h>
#include <caml/mlvalues.h>

#include "layout.h"

const struct layout_item layout_stock[] = {
    LAYOUT_FIELDS(LAYOUT_FIELD) LAYOUT_FIGURES(LAYOUT_FIGURE){NULL, 0, 0}};

const struct layout_item layout_stock_state[] = {
#define DOMAIN_STATE(type, name) \
  {#name, offsetof(caml_domain_state, name), sizeof(((caml_domain_state *)0)->name)},
#include <caml/domain_state.tbl>
#undef DOMAIN_STATE
    {NULL, 0, 0}};
