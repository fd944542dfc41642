/* SPDX-License-Identifier: MIT */
/* Lazy values and object numbers.
 *
 * A lazy value is a block of one field whose tag is its state: Lazy (a closure
 * to call), Forcing (some thread is calling it), Forward (the result).
 * Transitions are compare-and-swaps of the header's tag byte alone, since the
 * marker may be storing the colour byte beside it; the release order makes the result
 * visible before the tag that announces it.
 *
 * Object numbers are unique in the process. Each domain takes them in runs from
 * one counter; the run's rest is [own] in the domain state. */
#include "abi/runtime.h"
#include "sync/atomic.h"

/* ---- Lazy ---- */

static bool lazy_change_tag(value v, unsigned char from, unsigned char to)
{
  return cas_acq_rel((unsigned char *)Hp_val(v), &from, to);
}

CAMLprim value caml_lazy_make_forward(value v) { return caml_alloc_1(Forward_tag, v); }

CAMLprim value caml_lazy_read_result(value v)
{
  return Is_block(v) && Tag_val(v) == Forward_tag ? Forward_val(v) : v;
}

/* 0: this caller is to force it; 1: it was not in the state Lazy. */
CAMLprim value caml_lazy_update_to_forcing(value v)
{
  return Val_int(Is_block(v) && lazy_change_tag(v, Lazy_tag, Forcing_tag) ? 0 : 1);
}

CAMLprim value caml_lazy_reset_to_lazy(value v)
{
  lazy_change_tag(v, Forcing_tag, Lazy_tag);
  return Val_unit;
}

CAMLprim value caml_lazy_update_to_forward(value v)
{
  lazy_change_tag(v, Forcing_tag, Forward_tag);
  return Val_unit;
}

/* ---- Object numbers ---- */

enum { OBJECT_NUMBERS_RUN = 1024 };

static struct {
  uintnat next_run;    /* [atomic: relaxed] */
} object_numbers;

static value fresh_object_number(void)
{
  caml_domain_state *state = Caml_state;
  if (state->oo_next_id_local % OBJECT_NUMBERS_RUN == 0)
    state->oo_next_id_local = add_relaxed(&object_numbers.next_run, (uintnat)OBJECT_NUMBERS_RUN);
  return Val_long(state->oo_next_id_local++);
}

CAMLprim value caml_fresh_oo_id(value unit) { return fresh_object_number(); }

CAMLprim value caml_set_oo_id(value object)
{
  store_relaxed(&Field(object, 1), fresh_object_number());
  return object;
}
