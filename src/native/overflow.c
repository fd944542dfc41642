/* SPDX-License-Identifier: MIT */
/* When the C stack overflows. OCaml code cannot do it, since its functions check the fiber that they run on; but C code
 * can that recurses, or that calls OCaml code that calls C code ...
 *
 * The latter is seen when OCaml code is entered (overflow_is_near). The former runs into the guard page below the
 * stack: the handler of that signal has the interrupted thread raise Stack_overflow in place of going on. That is only right
 * where the collector is not at work, and where OCaml code has said from where it called C: a [@@noalloc] call says nothing, and what
 * Caml_state has is of an earlier call. Elsewhere, and for any other segmentation fault, the signal has its default effect.
 *
 * Handlers of all signals run on a stack of their own in each thread that runs OCaml code: a fiber may be too small for them.
 *
 * A thread that the runtime starts has that in its own stack (os_thread_start); for the main thread and for those of C programs it is made
 * here, and while there is no memory for it they may not call OCaml code.
 *
 * State: thread-local the bounds of the thread's stack; a thread-specific value, the memory of a signal stack that was made here, which
 * goes with the thread. */
#include "native/context.h"

#include "abi/codefrag.h"
#include "base/bits.h"
#include "os/os.h"
#include "sync/atomic.h"

#include <pthread.h>
#include <signal.h>

/* What C code that OCaml code calls may count on; the collector is among it. */
enum { C_STACK_RESERVE = 128 * 1024 };
/* How far from the end of the stack the fault of a large frame may be. */
enum { GUARD_ZONE = 256 * 1024 };

static __thread struct {
  bool watched;
  char *low;                    /* the lowest address of the stack; NULL: not known */
  size_t reserve;
} c_stack;

static pthread_once_t signal_stack_once = PTHREAD_ONCE_INIT;
static pthread_key_t signal_stack_key;

/* ---- In each thread ---- */

static void signal_stack_free(void *memory)
{
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  os_free(memory, OS_SIGNAL_STACK_BYTES);
}

static void signal_stack_key_create(void)
{
  if (pthread_key_create(&signal_stack_key, signal_stack_free) != 0)
    bac_fatal("cannot start: no thread-specific data");
}

/* A thread that this runtime started has one, and a host program's own is kept. False: no memory. */
static bool signal_stack_install(void)
{
  stack_t now;
  if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE)) return true;
  pthread_once(&signal_stack_once, signal_stack_key_create);
  void *memory = os_alloc(OS_SIGNAL_STACK_BYTES);
  if (!memory) return false;
  pthread_setspecific(signal_stack_key, memory);
  return sigaltstack(&(stack_t){.ss_sp = memory, .ss_size = OS_SIGNAL_STACK_BYTES}, NULL) == 0;
}

/* The thread is about to run OCaml code for the first time. */
static void watch_thread(void)
{
  char *low;
  size_t size;
  c_stack.watched = signal_stack_install();
  if (!os_thread_stack(&low, &size)) return;
  c_stack.low = low;
  c_stack.reserve = min_size(C_STACK_RESERVE, size / 4);
}

bool overflow_is_near(void)
{
  if (unlikely(!c_stack.watched)) watch_thread();
  if (unlikely(!c_stack.watched)) return true;    /* no stack for signal handlers */
  return (size_t)((char *)__builtin_frame_address(0) - c_stack.low) < c_stack.reserve;
}

/* ---- The handler ---- */

static bool is_at_end(const char *address)
{
  return c_stack.low && address >= c_stack.low - GUARD_ZONE && address < c_stack.low + GUARD_ZONE;
}

/* The first word of the C stack is the return address of the function that OCaml code called. After a call by the glue that leads into the
 * glue (or is an argument, where some are on the stack); after a [@@noalloc] call it is the program's code. */
static bool is_noalloc_call(const caml_domain_state *st)
{
  const char *back = ((const char *const *)st->c_stack)[-1];
  return codefrag_find_pc(back) != NULL && !(back >= caml_system__code_begin && back < caml_system__code_end);
}

static bool may_raise(const caml_domain_state *st)
{
  return st && st->c_stack && st->exn_handler && load_relaxed(&st->domain->state) == DOMAIN_RUNNING && !world_is_stopped()
         && !is_noalloc_call(st);
}

/* Runs on the part of the C stack that the fault was below: what was there is left. */
static void overflow_raise(caml_domain_state *st) { raise_here(st, caml_exception_stack_overflow()); }

static void fault_arrived(int signo, siginfo_t *info, void *context)
{
  ucontext_t *at = context;
  bool is_sent = info->si_code <= 0;    /* by a process */
  if (!is_sent && is_at_end(info->si_addr) && is_at_end((const char *)context_sp(at)) && may_raise(Caml_state_opt)) {
    context_call(at, overflow_raise, Caml_state, Caml_state->c_stack);
    return;
  }
  /* The instruction is tried again, and has its default effect; a signal that was sent comes once more when this handler has returned. */
  signal(signo, SIG_DFL);
  if (is_sent) raise(signo);
}

void overflow_handle_faults(void)
{
  struct sigaction action = {.sa_sigaction = fault_arrived, .sa_flags = SA_ONSTACK | SA_SIGINFO}, before;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGSEGV, NULL, &before) == 0 && before.sa_handler == SIG_DFL) sigaction(SIGSEGV, &action, NULL);
}

void overflow_ignore_faults(void)
{
  struct sigaction now;
  if (sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_sigaction == fault_arrived) signal(SIGSEGV, SIG_DFL);
  pthread_once(&signal_stack_once, signal_stack_key_create);
  void *memory = pthread_getspecific(signal_stack_key);
  pthread_key_delete(signal_stack_key);
  if (memory) signal_stack_free(memory);
}
