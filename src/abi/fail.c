/* SPDX-License-Identifier: MIT */
/* Raising exceptions from C: the functions of <caml/fail.h>, each in two
 * forms, one that builds the exception value and one that raises it.
 * caml_raise itself is the back end's.
 *
 * An exception without argument is the block of its constructor; one with
 * arguments is a block of tag 0 whose first field is that block. The constructors
 * of the predefined exceptions are the first fields of caml_global_data. Before that is
 * loaded nobody could handle an exception: it ends the process with a message.
 *
 * No state. A builder may collect. */
#include "abi/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Constructors ---- */

const char *const predefined_names[] = {
    [EXN_OUT_OF_MEMORY] = "Out_of_memory",
    [EXN_SYS_ERROR] = "Sys_error",
    [EXN_FAILURE] = "Failure",
    [EXN_INVALID_ARGUMENT] = "Invalid_argument",
    [EXN_END_OF_FILE] = "End_of_file",
    [EXN_DIVISION_BY_ZERO] = "Division_by_zero",
    [EXN_NOT_FOUND] = "Not_found",
    [EXN_MATCH_FAILURE] = "Match_failure",
    [EXN_STACK_OVERFLOW] = "Stack_overflow",
    [EXN_SYS_BLOCKED_IO] = "Sys_blocked_io",
    [EXN_ASSERT_FAILURE] = "Assert_failure",
    [EXN_UNDEFINED_RECURSIVE_MODULE] = "Undefined_recursive_module",
};
_Static_assert(countof(predefined_names) == PREDEFINED_EXNS, "one name for each predefined exception");

static bool has_globals(void) { return caml_global_data != 0 && Is_block(caml_global_data); }

static value constructor(enum predefined_exn which)
{
  if (unlikely(!has_globals())) {
    fprintf(stderr, "Fatal error: exception %s during initialisation\n", predefined_names[which]);
    exit(2);
  }
  return Field(caml_global_data, which);
}

static value constructor_for_message(enum predefined_exn which, const char *msg)
{
  if (unlikely(!has_globals())) {
    fprintf(stderr, "Fatal error: exception %s(\"%s\")\n", predefined_names[which], msg);
    exit(2);
  }
  return Field(caml_global_data, which);
}

/* ---- Any exception ---- */

CAMLexport value caml_exception_constant(value tag) { return tag; }

CAMLexport value caml_exception_with_arg(value tag, value arg)
{
  return caml_alloc_2(0, tag, arg);
}

CAMLexport value caml_exception_with_args(value tag, int nargs, value args[])
{
  LOCAL_ROOTS(&tag);
  LOCAL_ROOT_ARRAY(args, nargs);
  value exn = caml_alloc((mlsize_t)nargs + 1, 0);
  caml_initialize(&Field(exn, 0), tag);
  for (int i = 0; i < nargs; i++) caml_initialize(&Field(exn, i + 1), args[i]);
  return exn;
}

CAMLexport value caml_exception_with_string(value tag, const char *msg)
{
  LOCAL_ROOTS(&tag);
  value text = caml_copy_string(msg);
  return caml_exception_with_arg(tag, text);
}

CAMLexport void caml_raise_constant(value tag) { caml_raise(tag); }
CAMLexport void caml_raise_with_arg(value tag, value arg)
{
  caml_raise(caml_exception_with_arg(tag, arg));
}
CAMLexport void caml_raise_with_args(value tag, int nargs, value args[])
{
  caml_raise(caml_exception_with_args(tag, nargs, args));
}
CAMLexport void caml_raise_with_string(value tag, const char *msg)
{
  caml_raise(caml_exception_with_string(tag, msg));
}

/* ---- Predefined, without argument ---- */

#define WITHOUT_ARGUMENT(name, which)                                           \
  CAMLexport value caml_exception_##name(void) { return constructor(which); }   \
  CAMLexport void caml_raise_##name(void) { caml_raise(constructor(which)); }
WITHOUT_ARGUMENT(out_of_memory, EXN_OUT_OF_MEMORY)
WITHOUT_ARGUMENT(stack_overflow, EXN_STACK_OVERFLOW)
WITHOUT_ARGUMENT(end_of_file, EXN_END_OF_FILE)
WITHOUT_ARGUMENT(zero_divide, EXN_DIVISION_BY_ZERO)
WITHOUT_ARGUMENT(not_found, EXN_NOT_FOUND)
WITHOUT_ARGUMENT(sys_blocked_io, EXN_SYS_BLOCKED_IO)

/* ---- Predefined, with a message ---- */

static value with_message(enum predefined_exn which, const char *msg)
{
  return caml_exception_with_string(constructor_for_message(which, msg), msg);
}
static value with_text(enum predefined_exn which, value text)
{
  return caml_exception_with_arg(constructor_for_message(which, String_val(text)), text);
}

CAMLexport value caml_exception_failure(const char *msg) { return with_message(EXN_FAILURE, msg); }
CAMLexport value caml_exception_failure_value(value msg) { return with_text(EXN_FAILURE, msg); }
CAMLexport value caml_exception_invalid_argument(const char *msg)
{
  return with_message(EXN_INVALID_ARGUMENT, msg);
}
CAMLexport value caml_exception_invalid_argument_value(value msg)
{
  return with_text(EXN_INVALID_ARGUMENT, msg);
}
CAMLexport value caml_exception_sys_error(value msg) { return with_text(EXN_SYS_ERROR, msg); }
CAMLexport value caml_exception_array_bound_error(void)
{
  return caml_exception_invalid_argument("index out of bounds");
}

CAMLexport void caml_failwith(const char *msg) { caml_raise(caml_exception_failure(msg)); }
CAMLexport void caml_failwith_value(value msg) { caml_raise(caml_exception_failure_value(msg)); }
CAMLexport void caml_invalid_argument(const char *msg)
{
  caml_raise(caml_exception_invalid_argument(msg));
}
CAMLexport void caml_invalid_argument_value(value msg)
{
  caml_raise(caml_exception_invalid_argument_value(msg));
}
CAMLexport void caml_raise_sys_error(value msg) { caml_raise(caml_exception_sys_error(msg)); }
CAMLexport void caml_array_bound_error(void) { caml_raise(caml_exception_array_bound_error()); }

/* ---- Errors of the system ---- */

CAMLexport void caml_sys_error(value arg)
{
  char buf[256];
  const char *reason = caml_strerror(errno, buf, sizeof buf);
  value text;
  if (Is_long(arg)) {
    text = caml_copy_string(reason);
  } else {
    LOCAL_ROOTS(&arg);
    mlsize_t named = string_length(arg), told = strlen(reason);
    text = caml_alloc_string(named + 2 + told);
    char *to = (char *)Bytes_val(text);
    memcpy(to, String_val(arg), named);
    to[named] = ':';
    to[named + 1] = ' ';
    memcpy(to + named + 2, reason, told);
  }
  caml_raise_sys_error(text);
}

CAMLexport void caml_sys_io_error(value arg)
{
  if (errno == EAGAIN || errno == EWOULDBLOCK) caml_raise_sys_blocked_io();
  caml_sys_error(arg);
}

/* ---- Results ---- */

CAMLexport caml_result caml_callback_res(value f, value a)
{
  return result_of_encoded(caml_callback_exn(f, a));
}
CAMLexport caml_result caml_callback2_res(value f, value a, value b)
{
  return result_of_encoded(caml_callback2_exn(f, a, b));
}
CAMLexport caml_result caml_callback3_res(value f, value a, value b, value c)
{
  return result_of_encoded(caml_callback3_exn(f, a, b, c));
}
CAMLexport caml_result caml_callbackN_res(value f, int n, value args[])
{
  return result_of_encoded(caml_callbackN_exn(f, n, args));
}
