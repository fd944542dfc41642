/* SPDX-License-Identifier: MIT */
/* The end of a program by an exception that nobody handles.
 *
 * Printexc prints it where that module is linked and has registered its
 * function; else this file does, in the same form. Stateless. */
#include "abi/backtrace.h"
#include "abi/runtime.h"
#include "observe/memprof.h"

#include <stdio.h>
#include <stdlib.h>

/* Where set, abort() in place of exit(2): fuzzers look for it. */
CAMLexport int caml_abort_on_uncaught_exn = 0;

/* ---- Text ---- */

enum { TEXT_SIZE = 256 };

struct text {
  size_t length;
  char at[TEXT_SIZE];
};

/* What does not fit is dropped. */
static void text_add(struct text *t, const char *s)
{
  size_t room = TEXT_SIZE - 1 - t->length, n = strlen(s);
  if (n > room) n = room;
  memcpy(t->at + t->length, s, n);
  t->length += n;
  t->at[t->length] = 0;
}

static void text_add_argument(struct text *t, value v)
{
  if (Is_long(v)) {
    char number[24];
    snprintf(number, sizeof number, "%ld", (long)Long_val(v));
    text_add(t, number);
  } else if (Tag_val(v) == String_tag) {
    text_add(t, "\"");
    text_add(t, String_val(v));
    text_add(t, "\"");
  } else {
    text_add(t, "_");
  }
}

/* Match_failure and its like have one argument, a tuple that is shown as several. */
static bool has_tuple_argument(value exn)
{
  value constructor = Field(exn, 0);
  return Wosize_val(exn) == 2 && Is_block(Field(exn, 1)) && Tag_val(Field(exn, 1)) == 0 && caml_global_data != 0 &&
         (constructor == Field(caml_global_data, EXN_MATCH_FAILURE) ||
          constructor == Field(caml_global_data, EXN_ASSERT_FAILURE) ||
          constructor == Field(caml_global_data, EXN_UNDEFINED_RECURSIVE_MODULE));
}

/* caml_stat_alloc'ed; NULL: no memory. */
CAMLexport char *caml_format_exception(value exn)
{
  struct text t = {.length = 0};
  if (Tag_val(exn) != 0) {
    text_add(&t, String_val(Field(exn, 0)));
    return caml_stat_strdup_noexc(t.at);
  }
  text_add(&t, String_val(Field(Field(exn, 0), 0)));
  bool tuple = has_tuple_argument(exn);
  value arguments = tuple ? Field(exn, 1) : exn;
  mlsize_t first = tuple ? 0 : 1;
  for (mlsize_t i = first; i < Wosize_val(arguments); i++) {
    text_add(&t, i == first ? "(" : ", ");
    text_add_argument(&t, Field(arguments, i));
  }
  text_add(&t, first < Wosize_val(arguments) ? ")" : "()");
  return caml_stat_strdup_noexc(t.at);
}

/* ---- The end ---- */

/* OCaml's at_exit functions; what they raise is lost, and leaves the backtrace alone. */
static void run_at_exit(void)
{
  caml_domain_state *st = Caml_state;
  intnat active = st->backtrace_active, position = st->backtrace_pos;
  const value *at_exit = caml_named_value("Pervasives.do_at_exit");
  st->backtrace_active = 0;
  if (at_exit) caml_callback_exn(*at_exit, Val_unit);
  st->backtrace_active = active;
  st->backtrace_pos = position;
}

static void print_uncaught(value exn)
{
  char *text = caml_format_exception(exn);
  run_at_exit();
  fprintf(stderr, "Fatal error: exception %s\n", text ? text : "Out_of_memory");
  caml_stat_free(text);
  if (Caml_state->backtrace_active && !caml_debugger_in_use) caml_print_exception_backtrace();
}

/* A callback of the memory profiler that raised would raise again in what prints. */
_Noreturn CAMLexport void caml_fatal_uncaught_exception(value exn)
{
  if (memprof_of(domain_self()) != NULL) memprof_suspend(domain_self(), true);
  const value *handler = caml_named_value("Printexc.handle_uncaught_exception");
  if (handler)
    caml_callback2_exn(*handler, exn, Val_false);
  else
    print_uncaught(exn);
  if (caml_abort_on_uncaught_exn) abort();
  exit(2);
}
