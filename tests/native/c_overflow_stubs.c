/* SPDX-License-Identifier: MIT */
/* The C side of c_overflow.ml. */
#include <caml/callback.h>
#include <caml/memory.h>
#include <caml/mlvalues.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long down(long n, value s)
{
  CAMLparam1(s);
  volatile char frame[1000];
  memset((char *)frame, (int)n, sizeof frame);
  long below = n == 0 ? 0 : down(n - 1, s);
  CAMLreturnT(long, below + 1 + frame[5] - (char)n);
}

value ovf_recurse(value n, value s) { return Val_long(down(Long_val(n), s) - 1); }
value ovf_apply(value f, value a) { return caml_callback(f, a); }
value ovf_roots(value unit)
{
  long count = 0;
  for (struct caml__roots_block *r = Caml_state->local_roots; r; r = r->next) count++;
  return Val_long(count);
}

static long down_without_roots(long n)
{
  volatile char frame[100];
  memset((char *)frame, (int)n, sizeof frame);
  long below = n == 0 ? 0 : down_without_roots(n - 1);
  return below + 1 + frame[5] - (char)n;
}

value ovf_in_noalloc(value n) { return Val_long(down_without_roots(Long_val(n))); }
value ovf_in_noalloc10(value n, value b, value c, value d, value e, value f, value g, value h, value i, value j) { return ovf_in_noalloc(n); }

/* The signal that ended a process which ran f, or 0. */
value ovf_in_child(value f)
{
  int status;
  pid_t child = fork();
  if (child == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    caml_callback(f, Val_unit);
    _exit(0);
  }
  waitpid(child, &status, 0);
  return Val_int(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

value ovf_kill_self(value unit)
{
  kill(getpid(), SIGSEGV);
  return Val_unit;
}
