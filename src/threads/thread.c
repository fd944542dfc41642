/* SPDX-License-Identifier: MIT */
/* The other primitives of the module Thread: who am I, waiting, yielding, signal masks. No state. */
#include "abi/backtrace.h"
#include "prims/sync.h"
#include "threads/threads.h"

#include <errno.h>
#include <stdio.h>

char *caml_format_exception(value exn);

/* Both are called without the usual transition from OCaml to C. */
CAMLprim value caml_thread_self(value unit) { return thread_self()->descr; }
CAMLprim value caml_thread_id(value thread) { return Field(thread, DESCR_ID); }

CAMLprim value caml_thread_yield(value unit)
{
  caml_process_pending_actions();
  thread_yield();
  return Val_unit;
}

CAMLprim value caml_thread_join(value thread)
{
  descr_await_end(thread, true);
  return Val_unit;
}

CAMLprim value caml_thread_uncaught_exception(value exn)
{
  char *text = caml_format_exception(exn);
  fprintf(stderr, "Thread %d killed on uncaught exception %s\n", Int_val(caml_thread_id(thread_self()->descr)), text);
  caml_stat_free(text);
  if (Caml_state->backtrace_active) caml_print_exception_backtrace();
  fflush(stderr);
  return Val_unit;
}

/* ---- Signals ---- */

static void signals_of_list(value list, sigset_t *set)
{
  sigemptyset(set);
  for (; list != Val_emptylist; list = Field(list, 1)) {
    int signo = caml_convert_signal_number(Int_val(Field(list, 0)));
    sigaddset(set, signo);
  }
}

/* The highest number first. */
static value list_of_signals(const sigset_t *set)
{
  value list = Val_emptylist;
  LOCAL_ROOTS(&list);
  for (int signo = 1; signo < NSIG; signo++)
    if (sigismember(set, signo) > 0) list = caml_alloc_2(Tag_cons, Val_int(caml_rev_convert_signal_number(signo)), list);
  return list;
}

/* What has come and was blocked till now is handled at once. */
CAMLprim value caml_thread_sigmask(value command, value list)
{
  static const int how[] = {SIG_SETMASK, SIG_BLOCK, SIG_UNBLOCK};   /* as in unix.mli */
  sigset_t set, before;
  signals_of_list(list, &set);
  caml_enter_blocking_section();
  int error = pthread_sigmask(how[Int_val(command)], &set, &before);
  caml_leave_blocking_section();
  sync_check_error(error, "Thread.sigmask");
  return caml_process_pending_actions_with_root(list_of_signals(&before));
}

CAMLprim value caml_wait_signal(value list)
{
  sigset_t set;
  int signo = 0;
  signals_of_list(list, &set);
  caml_enter_blocking_section();
  int error = sigwait(&set, &signo);
  caml_leave_blocking_section();
  sync_check_error(error, "Thread.wait_signal");
  return Val_int(caml_rev_convert_signal_number(signo));
}
