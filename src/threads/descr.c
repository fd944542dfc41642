/* SPDX-License-Identifier: MIT */
/* The values of type Thread.t: a block of the thread's number, the closure that it is to run, and a custom block by which others
 * wait for its end. Numbers come first, so that is what comparing threads compares.
 *
 * State: the next number. */
#include "threads/threads.h"

#include "os/os.h"
#include "sync/atomic.h"

static uintnat next_id;   /* [atomic] */

/* The word that is waited on has a place of its own: the block may move. */
#define Ended_val(v) (*(uint32_t **)Data_custom_val(v))

static void ended_finalise(value v) { caml_stat_free(Ended_val(v)); }
static int ended_compare(value a, value b)
{
  uintnat x = (uintnat)Ended_val(a), y = (uintnat)Ended_val(b);
  return x < y ? -1 : x > y;
}

static const struct custom_operations ended_ops = {
    .identifier = "_threadstatus",
    .finalize = ended_finalise,
    .compare = ended_compare,
};

static value ended_new(void)
{
  value v = caml_alloc_custom(&ended_ops, sizeof(uint32_t *), 0, 1);
  Ended_val(v) = NULL;
  LOCAL_ROOTS(&v);
  uint32_t *word = caml_stat_alloc(sizeof *word);
  *word = 0;
  Ended_val(v) = word;
  return v;
}

value descr_new(value closure)
{
  LOCAL_ROOTS(&closure);
  value ended = ended_new();
  return caml_alloc_3(0, Val_long(add_relaxed(&next_id, 1)), closure, ended);
}

void descr_tell_end(value descr)
{
  uint32_t *word = Ended_val(Field(descr, DESCR_ENDED));
  store_seq(word, 1);
  os_wake(word, INT32_MAX);
}

/* The descriptor is a root meanwhile, so the word stays. A signal does not end the wait. */
void descr_await_end(value descr, bool actions)
{
  LOCAL_ROOTS(&descr);
  uint32_t *word = Ended_val(Field(descr, DESCR_ENDED));
  if (actions) caml_enter_blocking_section();
  else caml_enter_blocking_section_no_pending();
  while (load_seq(word) == 0) os_wait(word, 0, 0);
  caml_leave_blocking_section();
}
