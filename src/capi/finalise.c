/* SPDX-License-Identifier: MIT */
/* Finalisers and alarms of C programs.
 *
 * The collector knows a finaliser as a closure. Here that is a block of the shape that the compiler
 * gives to closures, so that marking passes over the code pointer: code, closure information, environment.
 *
 * Finalisers run one at a time. One may never return: it throws a C++ exception, for which this room is compiled
 * so that scopes end, or jumps, upon which the program puts the domain's frames back. Either way the frame
 * that capi_finalise puts among these is gone, and the next call sees that.
 *
 * An alarm is two blocks. The record, a closure too, has a finaliser and nobody refers to it: each cycle finds it
 * dead, and the call puts the finaliser back. The handle, which the program has, says for which domain
 * the alarm rings: a record that another domain has inherited falls silent.
 *
 * State: finaliser_frame of each domain, its own. */
#include "capi/capi.h"

enum { CLOSURE_CODE, CLOSURE_INFO, CLOSURE_ENV, CLOSURE_FIELDS };
enum { ALARM_HANDLE = CLOSURE_FIELDS, ALARM_FIELDS };
enum { DELETED = -1 };

static value closure_alloc(struct bac_domain *b, bac_finaliser f, size_t fields, value env)
{
  BAC_ROOTS(b, &env);
  value closure = capi_alloc(b, fields, Closure_tag);
  if (closure == 0) return 0;
  Field(closure, CLOSURE_CODE) = (value)f;
  Field(closure, CLOSURE_INFO) = Make_closinfo(1, CLOSURE_ENV);
  Field(closure, CLOSURE_ENV) = env;
  return closure;
}

static bool finalise_register(struct bac_domain *b, bool first, bac_finaliser f, value v, value env)
{
  if (!gc_is_young(v) && !gc_in_major_heap(v)) return false;
  BAC_ROOTS(b, &v);
  value closure = closure_alloc(b, f, CLOSURE_FIELDS, env);
  if (closure == 0) return false;
  return gc_finalise(capi_internal(b), first, closure, v);
}

int bac_finalise(struct bac_domain *b, bac_finaliser f, bac_value v, bac_value env)
{
  CAPI_ENTERED(b);
  return finalise_register(b, true, f, v, env);
}

int bac_finalise_last(struct bac_domain *b, bac_finaliser f, bac_value v, bac_value env)
{
  CAPI_ENTERED(b);
  return finalise_register(b, false, f, v, env);
}

void bac_finalise_release(struct bac_domain *b) { gc_finaliser_release(CAPI_ENTERED(b)); }

/* A finaliser that was left by an exception or longjmp is over: the frame that it ran in is no longer one of the domain's.
 * Another scope may stand in its place by now, but that has roots. */
static void finaliser_notice_end(struct bac_domain *b)
{
  if (b->finaliser_frame == NULL) return;
  for (const struct bac_frame *f = b->frames; f != NULL; f = f->next)
    if (f == b->finaliser_frame && f->count == 0) return;
  b->finaliser_frame = NULL;
  gc_finaliser_done(capi_internal(b));
}

void capi_finalise(struct bac_domain *b)
{
  struct domain *d = capi_internal(b);
  value closure, arg;
  finaliser_notice_end(b);
  struct bac_frame frame __attribute__((cleanup(bac_frame_pop_))) = {b->frames, b, 0};
  b->frames = &frame;
  while (gc_finaliser_take(d, &closure, &arg)) {
    bac_finaliser f = (bac_finaliser)Field(closure, CLOSURE_CODE);
    b->finaliser_frame = &frame;
    b->finalisers_ready = 1;    /* where it is left, the others wait for the next poll */
    f(b, arg, Field(closure, CLOSURE_ENV));
    b->finaliser_frame = NULL;
    gc_finaliser_done(d);
  }
  if (b->finaliser_frame == NULL) b->finalisers_ready = 0;
}

/* ---- Alarms ---- */

static void alarm_ring(struct bac_domain *b, bac_value record, bac_value env)
{
  (void)env;
  if (bac_field(bac_field(record, ALARM_HANDLE), 0) != Val_long(capi_internal(b)->id)) return;
  BAC_ROOTS(b, &record);
  if (!finalise_register(b, true, alarm_ring, record, BAC_NIL)) bac_fatal("out of memory: no room for an alarm");
  bac_finaliser f = (bac_finaliser)Field(record, CLOSURE_CODE);
  f(b, BAC_NIL, bac_field(record, CLOSURE_ENV));
}

bac_value bac_alarm_create(struct bac_domain *b, bac_finaliser f, bac_value env)
{
  struct domain *d = CAPI_ENTERED(b);
  value record = closure_alloc(b, f, ALARM_FIELDS, env), handle = BAC_NIL;
  if (record == 0) return BAC_NONE;
  BAC_ROOTS(b, &record, &handle);
  handle = capi_alloc(b, 1, 0);
  if (handle == 0) return BAC_NONE;
  bac_init_field(b, handle, 0, Val_long(d->id));
  bac_write(b, record, ALARM_HANDLE, handle);
  return finalise_register(b, true, alarm_ring, record, BAC_NIL) ? handle : BAC_NONE;
}

void bac_alarm_delete(struct bac_domain *b, bac_value alarm)
{
  CAPI_ENTERED(b);
  bac_write(b, alarm, 0, Val_long(DELETED));
}
