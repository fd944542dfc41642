/* SPDX-License-Identifier: MIT */
/* Signals: Sys.signal, the record of those that have come, and running their
 * handlers as OCaml code. Blocking sections and the other pending actions are in actions.c.
 *
 * A signal that OCaml code handles is only recorded by the system's handler:
 * a bit, and a request to the domains to look at it at their next safepoint. A domain runs the handler
 * there, whichever thread the system had interrupted, except that a thread never
 * takes a signal that its own mask blocks.
 *
 * State: [atomic] caml_pending_signals, a bit for each signal, which the ABI
 * exports; the handlers' closures, an array that is a global root; the domains
 * that listen, in a table of our own, since a signal may come to any thread at any
 * moment and the table of domain.h asks for a lock. A bit is cleared by the one
 * thread that runs the handler, just before it does. */
#include "abi/runtime.h"
#include "os/os.h"
#include "sync/atomic.h"

#include <errno.h>
#include <signal.h>

enum { SIGNALS = NSIG - 1, SIGNAL_WORDS = (SIGNALS + 63) / 64 };

/* Bit (n - 1) % 64 of word (n - 1) / 64 is signal n. */
CAMLexport uintnat caml_pending_signals[SIGNAL_WORDS];

static struct {
  value closures;      /* [own any domain] block indexed by signal number, or Val_unit */
  bool is_root;        /* [atomic] */
  unsigned recording;  /* [atomic: seq] threads inside request_actions_everywhere */
} signals = {.closures = Val_unit};

/* Apart, since it is all zero at first: so it is no part of the file, and only what is used of it takes memory. */
static struct domain *listeners[DOMAINS_MAX];   /* [atomic: seq] by slot */

/* ---- Numbers ---- */

/* Sys.sigabrt is -1, and so on in the order of sys.mli. */
#define PORTABLE_SIGNALS(X)                                                             \
  X(ABRT) X(ALRM) X(FPE) X(HUP) X(ILL) X(INT) X(KILL) X(PIPE) X(QUIT) X(SEGV) X(TERM)   \
  X(USR1) X(USR2) X(CHLD) X(CONT) X(STOP) X(TSTP) X(TTIN) X(TTOU) X(VTALRM) X(PROF)     \
  X(BUS) X(POLL) X(SYS) X(TRAP) X(URG) X(XCPU) X(XFSZ)
#define SYSTEM_NUMBER(name) SIG##name,
static const int portable_signals[] = {PORTABLE_SIGNALS(SYSTEM_NUMBER)};

CAMLexport int caml_convert_signal_number(int n)
{
  return n < 0 && n >= -(int)countof(portable_signals) ? portable_signals[-n - 1] : n;
}

CAMLexport int caml_rev_convert_signal_number(int n)
{
  for (int i = 0; i < (int)countof(portable_signals); i++)
    if (portable_signals[i] == n) return -i - 1;
  return n;
}

/* ---- Recording, in the system's handler ---- */

void signals_listen(struct domain *d) { store_seq(&listeners[d->slot], d); }

/* A thread that counted itself before the domain left may have read its
 * address; one that comes later cannot. */
void signals_leave(struct domain *d)
{
  store_seq(&listeners[d->slot], NULL);
  while (load_seq(&signals.recording) != 0) os_yield();
}

/* Any domain may be the first to reach a safepoint: the interrupted one may sit in a
 * system call that the signal does not end, or the thread may have no domain. */
static void request_actions_everywhere(void)
{
  add_seq(&signals.recording, 1);
  for (int slot = 0; slot < bac_domains.limit; slot++) {
    struct domain *d = load_seq(&listeners[slot]);
    if (d) domain_request(d, DOMAIN_WANT_ACTIONS);
  }
  sub_seq(&signals.recording, 1);
}

CAMLexport void caml_record_signal(int signo)
{
  __atomic_fetch_or(&caml_pending_signals[(signo - 1) / 64], (uintnat)1 << ((signo - 1) % 64),
                    __ATOMIC_SEQ_CST);
  request_actions_everywhere();
}

static void signal_arrived(int signo);

void signals_reset(void)
{
  struct sigaction action;
  for (int signo = 1; signo < NSIG; signo++)
    if (sigaction(signo, NULL, &action) == 0 && action.sa_handler == signal_arrived) signal(signo, SIG_DFL);
}

static void signal_arrived(int signo)
{
  int saved = errno;
  caml_record_signal(signo);
  errno = saved;
}

/* ---- Running handlers ---- */

/* The lowest recorded signal that this thread does not block, or 0. */
static int first_deliverable(void)
{
  sigset_t blocked;
  bool has_mask = false;
  for (int w = 0; w < SIGNAL_WORDS; w++) {
    for (uintnat bits = load_seq(&caml_pending_signals[w]); bits; bits &= bits - 1) {
      int signo = w * 64 + __builtin_ctzl(bits) + 1;
      if (!has_mask) pthread_sigmask(SIG_BLOCK, NULL, &blocked);
      has_mask = true;
      if (!sigismember(&blocked, signo)) return signo;
    }
  }
  return 0;
}

bool signals_unblocked(void) { return first_deliverable() != 0; }
bool signals_deliverable(void) { return signals_unblocked() && !actions_must_wait(); }

CAMLexport int caml_check_pending_signals(void)
{
  for (int w = 0; w < SIGNAL_WORDS; w++)
    if (load_relaxed(&caml_pending_signals[w])) return 1;
  return 0;
}

static bool signal_claim(int signo)
{
  uintnat bit = (uintnat)1 << ((signo - 1) % 64);
  return __atomic_fetch_and(&caml_pending_signals[(signo - 1) / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

/* The signal is blocked while its handler runs, as the system would do. */
static value signal_handle_exn(int signo)
{
  if (Is_long(signals.closures)) return Val_unit;
  sigset_t this, before;
  sigemptyset(&this);
  sigaddset(&this, signo);
  pthread_sigmask(SIG_BLOCK, &this, &before);
  value closure = Field(signals.closures, signo);
  value result = caml_callback_exn(closure, Val_int(caml_rev_convert_signal_number(signo)));
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return result;
}

value signals_run_exn(void)
{
  int signo;
  while ((signo = first_deliverable()) != 0) {
    if (!signal_claim(signo)) continue;
    value result = signal_handle_exn(signo);
    if (Is_exception_result(result)) return result;
  }
  return Val_unit;
}

CAMLexport caml_result caml_execute_signal_res(int signo)
{
  return result_of_encoded(signal_handle_exn(signo));
}
CAMLexport caml_result caml_process_pending_signals_res(void)
{
  return result_of_encoded(signals_run_exn());
}

/* ---- Sys.signal ---- */

/* Makes the array of closures. Whoever makes it a root does so before the array can move: no
 * safepoint lies between. */
static void closures_create(void)
{
  value block = caml_alloc(NSIG, 0);
  if (!exchange_seq(&signals.is_root, true)) gc_root_add(&signals.closures);
  value none = Val_unit;
  cas_seq(&signals.closures, &none, block);
}

/* Sets what the system does with the signal. Returns what it did before, as a
 * constant of Sys.signal_behavior, or 2 for our handler; -1: errno says why not. */
enum { BEHAVIOUR_DEFAULT, BEHAVIOUR_IGNORE, BEHAVIOUR_HANDLE };
static int system_set_behaviour(int signo, int behaviour)
{
  struct sigaction now = {.sa_flags = behaviour == BEHAVIOUR_HANDLE ? SA_ONSTACK : 0}, before;
  now.sa_handler = behaviour == BEHAVIOUR_DEFAULT  ? SIG_DFL
                   : behaviour == BEHAVIOUR_IGNORE ? SIG_IGN
                                                   : signal_arrived;
  sigemptyset(&now.sa_mask);
  if (sigaction(signo, &now, &before) != 0) return -1;
  if (before.sa_handler == signal_arrived) return BEHAVIOUR_HANDLE;
  return before.sa_handler == SIG_IGN ? BEHAVIOUR_IGNORE : BEHAVIOUR_DEFAULT;
}

/* The closure is in place before the system may deliver the first signal. */
CAMLprim value caml_install_signal_handler(value number, value action)
{
  int signo = caml_convert_signal_number(Int_val(number));
  if (signo < 1 || signo > SIGNALS) caml_invalid_argument("Sys.signal: unavailable signal");
  value old = Val_unit, result = Val_unit;
  LOCAL_ROOTS(&action, &old, &result);

  if (Is_long(signals.closures)) closures_create();
  value *closure = &Field(signals.closures, signo);
  old = Is_block(action) ? gc_exchange_field(domain_self(), closure, Field(action, 0)) : *closure;

  int before = system_set_behaviour(signo, Is_block(action) ? BEHAVIOUR_HANDLE : Int_val(action));
  if (before < 0) caml_sys_error(Val_unit);
  result = before == BEHAVIOUR_HANDLE ? caml_alloc_1(0, old) : Val_int(before);

  value_or_raise(signals_run_exn());
  return result;
}
