/* SPDX-License-Identifier: MIT */
/* Blocking sections, and the pending actions that a domain takes at its
 * safepoints: signal handlers, memory-profiler callbacks, finalisers, the
 * thread library's hook.
 *
 * Collector work is pending in the domain's interrupt word and is done by
 * gc_poll; what gc_poll leaves to us is run by actions_run_exn. It always looks at all
 * of it: each look is a load or two, and a request may have been taken by any poll
 * before. An action that raises leaves the rest pending. That there is something is said by the
 * interrupt word alone; whoever takes the request without running the actions makes it again.
 *
 * State: hook pointers, set by the thread library and the profiler at their
 * start, before a second thread or domain runs. Some are ABI names; programs may set the timing hooks at any time. */
#include "abi/runtime.h"
#include "os/os.h"
#include "sync/atomic.h"

#include <errno.h>

/* ---- Hooks ---- */

/* In a blocking section there is no Caml_state: C code asks Caml_state_opt whether it may touch values. */
static void enter_blocking(void)
{
  domain_enter_blocking(domain_self());
  caml_state = NULL;
}
static void leave_blocking(void)
{
  domain_leave_blocking(domain_self());
  caml_state = (caml_domain_state *)domain_self()->window;
}
static void no_interrupt(void) {}

CAMLexport void (*caml_enter_blocking_section_hook)(void) = enter_blocking;
CAMLexport void (*caml_leave_blocking_section_hook)(void) = leave_blocking;
/* Called at each run of the actions; the thread library yields in it when its tick has come. */
CAMLexport void (*caml_domain_external_interrupt_hook)(void) = no_interrupt;

/* Timing hooks of <caml/misc.h>; may be NULL. */
typedef void (*timing_hook)(void);
CAMLexport timing_hook caml_finalise_begin_hook, caml_finalise_end_hook;
CAMLexport timing_hook caml_minor_gc_begin_hook, caml_minor_gc_end_hook;
CAMLexport timing_hook caml_major_slice_begin_hook, caml_major_slice_end_hook;

/* Counters that <caml/minor_gc.h> and <caml/gc_ctrl.h> show to C code. */
CAMLexport uintnat caml_minor_collections_count;   /* [stw, atomic read] */
CAMLexport uintnat caml_major_cycles_completed;    /* [atomic] as of the last slice that ended */

static value (*memprof_run_exn)(void);
void actions_set_memprof(value (*run_exn)(void)) { memprof_run_exn = run_exn; }

static void timing_hook_call(timing_hook *hook)
{
  timing_hook f = load_relaxed(hook);
  if (f) f();
}

/* ---- Actions ---- */

CAMLexport void caml_set_action_pending(caml_domain_state *state)
{
  domain_request(state->domain, DOMAIN_WANT_ACTIONS);
}

static value finalisers_run_exn(void)
{
  struct domain *d = domain_self();
  value closure, arg;
  if (!gc_finaliser_take(d, &closure, &arg)) return Val_unit;
  gc_message(MESSAGE_FINALISERS, "Calling finalisation functions.\n");
  timing_hook_call(&caml_finalise_begin_hook);
  value result;
  do {
    result = caml_callback_exn(closure, arg);
    gc_finaliser_done(d);
  } while (!Is_exception_result(result) && gc_finaliser_take(d, &closure, &arg));
  timing_hook_call(&caml_finalise_end_hook);
  gc_message(MESSAGE_FINALISERS, "Done calling finalisation functions.\n");
  return Is_exception_result(result) ? result : Val_unit;
}

void timing_hooks_call(struct domain *d, enum gc_moment moment)
{
  static timing_hook *const hooks[] = {
      [GC_MINOR_BEGINS] = &caml_minor_gc_begin_hook,
      [GC_MINOR_ENDS] = &caml_minor_gc_end_hook,
      [GC_SLICE_BEGINS] = &caml_major_slice_begin_hook,
      [GC_SLICE_ENDS] = &caml_major_slice_end_hook,
  };
  if (moment == GC_MINOR_ENDS) store_relaxed(&caml_minor_collections_count, caml_minor_collections_count + 1);
  if (moment == GC_SLICE_ENDS) store_relaxed(&caml_major_cycles_completed, gc_cycles_marked());
  timing_hook_call(hooks[moment]);
}

value actions_run_exn(void)
{
  if (actions_must_wait()) return Val_unit;
  value result = Val_unit;
  if (gc_out_of_memory_take(domain_self())) result = Make_exception_result(caml_exception_out_of_memory());
  if (!Is_exception_result(result)) result = signals_run_exn();
  if (!Is_exception_result(result) && memprof_run_exn) result = memprof_run_exn();
  if (!Is_exception_result(result)) result = finalisers_run_exn();
  if (Is_exception_result(result)) {
    caml_set_action_pending(Caml_state);
    return result;
  }
  caml_domain_external_interrupt_hook();
  return Val_unit;
}

CAMLexport int caml_check_pending_actions(void)
{
  return domain_has_interrupts(domain_self());
}

/* ---- The public forms ---- */

CAMLexport value caml_process_pending_actions_exn(void)
{
  struct domain *d = domain_self();
  if (domain_has_interrupts(d)) gc_poll(d);
  return actions_run_exn();
}

CAMLexport value caml_process_pending_actions_with_root_exn(value v)
{
  LOCAL_ROOTS(&v);
  value result = caml_process_pending_actions_exn();
  return Is_exception_result(result) ? result : v;
}

CAMLexport void caml_process_pending_actions(void)
{
  value_or_raise(caml_process_pending_actions_exn());
}

/* The primitive %poll: returns its argument. */
CAMLprim value caml_process_pending_actions_with_root(value v)
{
  return value_or_raise(caml_process_pending_actions_with_root_exn(v));
}

CAMLexport caml_result caml_process_pending_actions_res(void)
{
  return result_of_encoded(caml_process_pending_actions_exn());
}
CAMLexport caml_result caml_process_pending_actions_with_root_res(value v)
{
  return result_of_encoded(caml_process_pending_actions_with_root_exn(v));
}
CAMLexport caml_result caml_do_pending_actions_res(void)
{
  return result_of_encoded(actions_run_exn());
}

/* Makes the next safepoint of this domain look at the pending actions. */
CAMLexport void caml_interrupt_self(void) { domain_request(domain_self(), DOMAIN_WANT_ACTIONS); }

/* ---- Blocking sections ---- */

CAMLexport void caml_enter_blocking_section_no_pending(void)
{
  caml_enter_blocking_section_hook();
}

/* A signal that came before the section began does not end the system call
 * that follows, so its handler is run first. */
CAMLexport void caml_enter_blocking_section(void)
{
  for (;;) {
    if (caml_check_pending_actions()) caml_process_pending_actions();
    bool must_wait = actions_must_wait();
    caml_enter_blocking_section_hook();
    if (must_wait || !signals_unblocked()) return;
    caml_leave_blocking_section_hook();
    domain_request(domain_self(), DOMAIN_WANT_ACTIONS);
  }
}

/* errno tells the caller how the system call went. */
CAMLexport void caml_leave_blocking_section(void)
{
  int saved = errno;
  caml_leave_blocking_section_hook();
  if (signals_deliverable()) domain_request(domain_self(), DOMAIN_WANT_ACTIONS);
  errno = saved;
}

bool thread_room_awaited(int error, int attempts)
{
  enum { ATTEMPTS_MOST = 20 };
  if (error != EAGAIN || attempts == ATTEMPTS_MOST) return false;
  caml_enter_blocking_section_no_pending();
  os_threads_settle();
  caml_leave_blocking_section();
  return true;
}
