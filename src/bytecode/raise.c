/* SPDX-License-Identifier: MIT */
/* Exceptions between C and bytecode, and the recording of backtraces.
 *
 * caml_raise leaves the C functions between the primitive that raises and the
 * interpreter loop that called it. The loop then looks for a handler; see
 * interp.c.
 *
 * State: the backtrace buffer and position in Caml_state [own]. */
#include "abi/backtrace.h"
#include "bytecode/activation.h"
#include "bytecode/bytecode.h"
#include "prims/io.h"

#include <stdlib.h>

_Noreturn void caml_fatal_uncaught_exception(value exn);

CAMLexport void caml_raise(value exn)
{
  struct exception_context *target = Caml_state->external_raise;
  channels_unlock_until(target ? target->channels : NULL);
  if (caml_check_pending_actions()) {
    value result = caml_process_pending_actions_with_root_exn(exn);
    exn = Is_exception_result(result) ? Extract_exception(result) : result;
  }
  if (!target) caml_fatal_uncaught_exception(exn);
  Caml_state->local_roots = target->local_roots;
  target->exn = exn;
  _longjmp(target->jump, 1);
}

/* ---- Backtraces ---- */

static bool backtrace_has_buffer(caml_domain_state *st)
{
  if (!st->backtrace_buffer) {
    st->backtrace_pos = 0;
    st->backtrace_buffer = malloc(BACKTRACE_BUFFER_SLOTS * sizeof *st->backtrace_buffer);
  }
  return st->backtrace_buffer != NULL;
}

void backtrace_stash(value exn, bool is_reraise)
{
  caml_domain_state *st = Caml_state;
  if (!is_reraise || exn != st->backtrace_last_exn) {
    st->backtrace_pos = 0;
    st->backtrace_last_exn = exn;
  }
  if (!backtrace_has_buffer(st)) return;
  struct stack_info *f = st->current_stack;
  const value *handler = f->high - f->trap;
  if (f->trap == 0) handler = f->high;
  for (const value *at = f->sp; at < handler && st->backtrace_pos < BACKTRACE_BUFFER_SLOTS; at++)
    if (Is_block(*at) && debuginfo_has_event((code_t)*at))
      st->backtrace_buffer[st->backtrace_pos++] = (void *)*at;
}
