/* SPDX-License-Identifier: MIT */
/* The program's arguments, its start and its end. */
#ifndef BAC_PRIMS_SYS_H
#define BAC_PRIMS_SYS_H

#include "abi/caml.h"

/* What Sys.executable_name and Sys.argv answer; argv is NULL-terminated. Copies
 * both. Once, before OCaml code runs. [may gc] [raises Out_of_memory] */
void sys_set_arguments(const char *exe, char **argv);

/* caml_startup and its relatives begin: true if the runtime is to be started, false if
 * it runs already. Fatal after a shutdown. Each call wants its caml_shutdown. */
bool sys_startup_begin(void);
/* Ends what the matching start began; the last one runs OCaml's at_exit functions. */
void caml_shutdown(void);
/* Somebody needs the runtime's memory whatever happens: it stays after a shutdown. */
void sys_keep_memory(void);

/* Prints what OCAMLRUNPARAM=v=0x400 wants, shuts down if c=1, and exits. OCaml's
 * at_exit functions have been run by Stdlib.exit. */
_Noreturn void caml_do_exit(int status);

/* Processor time of this process, in seconds. */
double caml_sys_time_unboxed(value unit);
double caml_sys_time_include_children_unboxed(value include_children);

/* The sum of table[i] for each constant constructor i in the list (src/abi/alloc.c). [no gc] */
int caml_convert_flag_list(value list, const int *table);

#endif
