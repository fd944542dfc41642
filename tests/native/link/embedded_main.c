/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <caml/mlvalues.h>
#include <caml/callback.h>
#include <caml/alloc.h>
#include <caml/printexc.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* In a process in which any other system call than exit ends a thread by SIGKILL. */
static const char *callbacks_without_system_calls(void)
{
  int status;
  pid_t child = fork();
  if (child == 0) {
    const value *h = caml_named_value("h");
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    for (int i = 0; i < 1000; i++) caml_callback(*h, Val_int(i));
    syscall(SYS_exit, 0);
  }
  waitpid(child, &status, 0);
  return status == 0 ? "callbacks make no system calls" : "callbacks make system calls";
}

int main(int argc, char **argv)
{
  caml_startup(argv);
  printf("%ld\n", Long_val(caml_callback(*caml_named_value("f"), Val_int(1000))));
  value r = caml_callback_exn(*caml_named_value("g"), caml_copy_string("oops"));
  if (Is_exception_result(r)) { char *s = caml_format_exception(Extract_exception(r)); printf("%s\n", s); }
  printf("%s\n", callbacks_without_system_calls());
  fflush(stdout);
  caml_shutdown();
  return 0;
}
