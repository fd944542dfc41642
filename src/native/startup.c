/* SPDX-License-Identifier: MIT */
/* Starting a native program, or the OCaml part of a C program: parameters, the collector, the entry functions of all units,
 * the end. No state. */
#include "abi/5.3/version.h"
#include "abi/params.h"
#include "base/note.h"
#include "native/native.h"
#include "native/walk.h"
#include "prims/runtime_events.h"
#include "prims/sys.h"

#include <stdlib.h>

_Noreturn void caml_fatal_uncaught_exception(value exn);

RUNTIME_NOTE(OCAML_VERSION_TEXT, "native");

static void runtime_start(char **argv, bool pooling)
{
  struct gc_params params = gc_params_default;
  const char *why = NULL;
  params_read_environment(&params);
  if (pooling || runtime_params.cleanup_on_exit) caml_stat_create_pool();
  statics_init();
  walk_init(params.stress != 0);
  struct domain *d = gc_init(&params, &native_client, &why);
  if (!d) bac_fatal("cannot start: %s", why ? why : "no memory");
  state_set_self(d);
  custom_ratio_follow();
  overflow_handle_faults();
  caml_runtime_events_init();
  char *exe = realpath("/proc/self/exe", NULL);
  sys_set_arguments(exe ? exe : argv[0] ? argv[0] : "", argv);
  free(exe);
}

static value run_program(caml_domain_state *st, value closure, value *args) { return caml_start_program(st); }

/* An exception that leaves the program comes back marked. */
CAMLexport value caml_startup_common(char **argv, int pooling)
{
  if (!sys_startup_begin()) return Val_unit;
  runtime_start(argv, pooling);
  return native_enter(run_program, Val_unit, NULL);
}

CAMLexport value caml_startup_exn(char **argv) { return caml_startup_common(argv, 0); }
CAMLexport value caml_startup_pooled_exn(char **argv) { return caml_startup_common(argv, 1); }

static void start_or_die(char **argv, int pooling)
{
  value result = caml_startup_common(argv, pooling);
  if (Is_exception_result(result)) caml_fatal_uncaught_exception(Extract_exception(result));
}

CAMLexport void caml_startup(char **argv) { start_or_die(argv, 0); }
CAMLexport void caml_startup_pooled(char **argv) { start_or_die(argv, 1); }
CAMLexport void caml_main(char **argv) { caml_startup(argv); }

void backend_stop(void) { overflow_ignore_faults(); }

/* Programs of before OCaml 4 call it. */
CAMLexport void caml_init_callbacks(void) {}
