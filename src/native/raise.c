/* SPDX-License-Identifier: MIT */
/* Exceptions between C and native code, the recording of backtraces, and the predefined exceptions.
 *
 * caml_raise leaves the C functions between the one that raises and the OCaml function that called C; the handler is
 * some OCaml function's, or the one that takes exceptions back to the C code that entered OCaml.
 *
 * State: the backtrace buffer and position in Caml_state [own]. */
#include "abi/backtrace.h"
#include "native/native.h"
#include "native/walk.h"
#include "prims/io.h"

#include <stdlib.h>

_Noreturn void caml_fatal_uncaught_exception(value exn);

/* Frames of local roots that lie in the C functions which are left. */
static void local_roots_leave(caml_domain_state *st)
{
  while (st->local_roots && (char *)st->local_roots < (char *)st->c_stack) st->local_roots = st->local_roots->next;
}

void raise_here(caml_domain_state *st, value exn)
{
  local_roots_leave(st);
  caml_raise_exception(st, exn);
}

CAMLexport void caml_raise(value exn)
{
  caml_channel_cleanup_on_raise();
  if (caml_check_pending_actions()) {
    value result = caml_process_pending_actions_with_root_exn(exn);
    exn = Is_exception_result(result) ? Extract_exception(result) : result;
  }
  caml_domain_state *st = Caml_state;
  if (!st->exn_handler) caml_fatal_uncaught_exception(exn);
  raise_here(st, exn);
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

/* The frames from the one that the return address just below sp leads to, to that of the handler. A reraise of the same
 * exception goes on where the last one stopped. [no gc] */
void native_record_backtrace(value exn, char *sp, const char *handler)
{
  caml_domain_state *st = Caml_state;
  if (exn != st->backtrace_last_exn) {
    st->backtrace_pos = 0;
    st->backtrace_last_exn = exn;
  }
  if (!backtrace_has_buffer(st)) return;
  struct frame_walk w = walk_from(st->current_stack, sp);
  do {
    const struct frame_descr *d = walk_frame(&w);
    if (!d || st->backtrace_pos >= BACKTRACE_BUFFER_SLOTS) return;
    st->backtrace_buffer[st->backtrace_pos++] = (backtrace_slot)d;
    walk_up(&w, d);
  } while (w.sp <= handler);
}

/* ---- Predefined exceptions ---- */

#define PREDEFINED(X)                                                                                        \
  X(Out_of_memory) X(Sys_error) X(Failure) X(Invalid_argument) X(End_of_file) X(Division_by_zero) X(Not_found) \
  X(Match_failure) X(Stack_overflow) X(Sys_blocked_io) X(Assert_failure) X(Undefined_recursive_module)

/* Blocks in the program's static data. */
#define DECLARE(name) extern value caml_exn_##name[];
PREDEFINED(DECLARE)

#define STATIC_HEADER(wosize, tag) ((value)((mlsize_t)(wosize) << HEADER_WOSIZE_SHIFT | 3 << HEADER_COLOUR_SHIFT | (tag)))

/* In the order of enum predefined_exn; a block of static data, like those that the compiler makes. */
#define ADDRESS(name) (value)caml_exn_##name,
static const value predefined[] = {STATIC_HEADER(EXN_UNDEFINED_RECURSIVE_MODULE + 1, 0), PREDEFINED(ADDRESS)};
_Static_assert(countof(predefined) == EXN_UNDEFINED_RECURSIVE_MODULE + 2, "one for each");
value caml_global_data = (value)&predefined[1];

/* Invalid_argument "index out of bounds", and its string. */
static const struct { value header; char text[24]; } bound_error_text = {
    STATIC_HEADER(3, String_tag), "index out of bounds\0\0\0\0\4"};
const value native_bound_error[] = {STATIC_HEADER(2, 0), (value)caml_exn_Invalid_argument, (value)bound_error_text.text};
