/* SPDX-License-Identifier: MIT */
/* What src/abi offers to the rooms above it, beyond the public C interface of
 * abi/caml.h: the thread's state, predefined exceptions, results, the pending
 * actions, and the names that a back end has to supply. */
#ifndef BAC_ABI_RUNTIME_H
#define BAC_ABI_RUNTIME_H

#include "abi/caml.h"
#include "gc/message.h"

#include <stdarg.h>

/* Makes d (or no domain: NULL) the domain of the calling thread, for the
 * collector and for the ABI. */
void state_set_self(struct domain *d);
/* The same for a thread that has the domain in turn with others: the domain is known. Any thread. */
void state_take(struct domain *d);

/* ---- Parts of struct gc_client that the back ends share (state.c) ---- */
/* What any back end sets up in the state of a new domain. */
void state_init(struct domain *d);
/* Local roots, the last exception, local storage. */
void state_scan(caml_domain_state *st, struct root_visitor *v);
void state_scan_local_roots(struct caml__roots_block *frame, struct root_visitor *v);
/* [scan] sees what belongs to threads of the domain that do not have it. Before there is a second thread. */
void state_set_threads_scan(void (*scan)(struct domain *d, struct root_visitor *v));
bool state_custom_has_finaliser(value v);
void state_custom_finalise(value v);

/* ---- Predefined exceptions ---- */

/* In the order of the compiler's table (bytecomp/symtable.ml, typing/predef.ml). */
enum predefined_exn {
  EXN_OUT_OF_MEMORY,
  EXN_SYS_ERROR,
  EXN_FAILURE,
  EXN_INVALID_ARGUMENT,
  EXN_END_OF_FILE,
  EXN_DIVISION_BY_ZERO,
  EXN_NOT_FOUND,
  EXN_MATCH_FAILURE,
  EXN_STACK_OVERFLOW,
  EXN_SYS_BLOCKED_IO,
  EXN_ASSERT_FAILURE,
  EXN_UNDEFINED_RECURSIVE_MODULE,
  PREDEFINED_EXNS,
};
extern const char *const predefined_names[];   /* by enum predefined_exn */

/* The array of global values of a bytecode program; 0 until it is loaded. */
extern value caml_global_data;

/* Exception values, not raised. [may gc] */
value caml_exception_constant(value tag);
value caml_exception_with_arg(value tag, value arg);
value caml_exception_with_args(value tag, int nargs, value args[]);
value caml_exception_with_string(value tag, const char *msg);
value caml_exception_failure(const char *msg);
value caml_exception_failure_value(value msg);
value caml_exception_invalid_argument(const char *msg);
value caml_exception_invalid_argument_value(value msg);
value caml_exception_out_of_memory(void);
value caml_exception_stack_overflow(void);
value caml_exception_sys_error(value msg);
value caml_exception_end_of_file(void);
value caml_exception_zero_divide(void);
value caml_exception_not_found(void);
value caml_exception_array_bound_error(void);
value caml_exception_sys_blocked_io(void);

/* ---- Results: a value or an exception, as 5.3 passes them ---- */
struct caml_result_private { int is_exception; value data; };
typedef struct caml_result_private caml_result;
/* From and to the encoded form of the _exn functions. */
static inline caml_result result_of_encoded(value v)
{
  bool failed = Is_exception_result(v);
  return (caml_result){failed, failed ? Extract_exception(v) : v};
}
/* The value of the encoded form, or the exception raised. */
static inline value value_or_raise(value encoded)
{
  if (Is_exception_result(encoded)) caml_raise(Extract_exception(encoded));
  return encoded;
}

/* ---- Pending actions (signals.c, actions.c) ---- */

/* Runs what is pending for the back end: signal handlers, memory-profiler
 * callbacks, finalisers, the thread library's hook. The interpreter calls it after
 * gc_poll has answered true; the caml_process_pending_ functions poll and call it.
 * Val_unit, or an exception result: then what is left stays pending.
 * [may run OCaml] */
value actions_run_exn(void);
/* Polls the collector and runs the actions; returns v, which is kept. [may run OCaml] [raises] */
value caml_process_pending_actions_with_root(value v);
/* The same, where something is pending: at the end of primitives that stock runs them in. Native code that recurs without allocating
 * has no other safepoint. [may run OCaml] [raises] */
static inline value actions_poll(value v)
{
  return unlikely(domain_has_interrupts(domain_self())) ? caml_process_pending_actions_with_root(v) : v;
}
/* For struct gc_client: calls the hook of <caml/misc.h> for this moment. [no gc] */
void timing_hooks_call(struct domain *d, enum gc_moment moment);
/* The memory profiler's callbacks; the same convention. At most one. */
void actions_set_memprof(value (*run_exn)(void));

/* A thread could not be started, with this errno value, after so many attempts before: may another succeed? Then it has waited, in a blocking
 * section, for threads whose stacks may be in the way: they have ended, or told so and are about to. [may gc, others run] */
bool thread_room_awaited(int error, int attempts);

/* Signals (signals.c). Is there a recorded one that the calling thread does not block? And may its domain run handlers? Only the
 * first may be asked in a blocking section, where a thread has no domain. [no gc] */
bool signals_unblocked(void);
bool signals_deliverable(void);
/* A spawned domain runs no handler or finaliser before its local storage exists: they may use it. The first
 * domain has none until the module Domain is linked in. caml_domain_dls_set asks for the actions again. */
static inline bool actions_must_wait(void)
{
  return unlikely(Is_long(Caml_state->dls_root)) && Caml_state->domain->id != 0;
}
/* Runs the handlers of such signals. Val_unit or an exception result. [may run OCaml] */
value signals_run_exn(void);

/* From listen to leave the domain is asked to look for signals. After leave, which its own thread
 * calls before the domain ends, no handler refers to it. */
void signals_listen(struct domain *d);
void signals_leave(struct domain *d);
/* Signals that have a handler of ours get their default effect. */
void signals_reset(void);

void caml_record_signal(int signo);             /* async-signal-safe */
int caml_convert_signal_number(int n);          /* OCaml's (negative) to the system's */
int caml_rev_convert_signal_number(int n);
void caml_set_action_pending(caml_domain_state *state);
extern void (*caml_enter_blocking_section_hook)(void);
extern void (*caml_leave_blocking_section_hook)(void);

/* ---- Fatal errors, messages (misc.c) ---- */
_Noreturn void caml_fatal_error(const char *fmt, ...) PRINTF_LIKE(1, 2);   /* abort() */
_Noreturn void caml_fatal_error_arg(const char *fmt, const char *arg);     /* exit(2) */
_Noreturn void caml_fatal_error_arg2(const char *fmt1, const char *arg1, const char *fmt2, const char *arg2);
void caml_gc_message(int level, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *caml_strerror(int errnum, char *buf, size_t size);

/* ---- Further allocation (alloc.c, memory.c) ---- */
value caml_alloc_shr_check_gc(mlsize_t wosize, tag_t tag);
value caml_alloc_shr_noexc(mlsize_t wosize, tag_t tag);   /* 0: no memory */
char *caml_stat_strdup_noexc(const char *s);
/* From now on blocks of caml_stat_alloc end with the runtime. Before the first. */
void caml_stat_create_pool(void);
char *caml_stat_strconcat(int n, ...);
void caml_alloc_small_dispatch(caml_domain_state *state, intnat wosize, int flags, int count,
                               unsigned char *lengths);

/* Makes caml_custom_major_ratio (custom.c) what Gc.get says: at the start and whenever the parameters change. */
void custom_ratio_follow(void);

/* ---- What a back end supplies ---- */
/* Words in use on the calling domain's current stack, for Gc.quick_stat. */
size_t backend_stack_words(void);
/* The runtime has ended, in a process that goes on: handlers, libraries, memory outside the heap. */
void backend_stop(void);
/* The stacks of threads beyond a domain's first: a new one (NULL: no memory), a whole chain of them, freed and
 * scanned. [regs]: the thread's gc_regs. [no gc] */
struct stack_info *backend_stack_new(void);
void backend_stack_free(struct stack_info *first);
void backend_stack_scan(struct stack_info *first, value *regs, struct root_visitor *v);

/* ---- Domains (prims/domains.c) ---- */
extern uintnat caml_num_domains_running;
extern void (*caml_domain_initialize_hook)(void);
extern void (*caml_domain_stop_hook)(void);
extern void (*caml_domain_external_interrupt_hook)(void);
extern void (*caml_atfork_hook)(void);

/* ---- The debugger (misc.c; bytecode/debugger.c) ---- */
/* [const after the start] NULL where there is none: called when this process is not to be debugged any more, and before it exits. */
extern int caml_debugger_in_use, caml_debugger_fork_mode;
extern void (*debugger_leave_hook)(void), (*debugger_exit_hook)(void);

#endif
