/* SPDX-License-Identifier: MIT */
/* Starting bytecode programs: from a file (ocamlrun), or linked with the
 * runtime (ocamlc -output-obj, -output-complete-exe).
 *
 * The names caml_main, caml_startup, caml_startup_code are the ABI's. */
#ifndef BAC_BYTECODE_STARTUP_H
#define BAC_BYTECODE_STARTUP_H

#include "bytecode/dynlink.h"
#include "gc/gc.h"

/* The collector, and the calling thread as the first domain. No memory is fatal. */
void startup_runtime(const struct gc_params *params);

/* ocamlrun's command line: argv[0], options, --, the program's file, its
 * arguments. With [own_program], argv[0] or the running executable may itself be
 * the program (a runtime with bytecode at its end), and argv is its command
 * line. Returns when the program has ended without an exception; else exits as stock does. */
void startup_run(char **argv, bool own_program);

/* Loads and checks a file without running it; prints one line. The exit code:
 * 0 it is sound, 1 it is not. */
int startup_check(const char *file);

/* ---- For dynamic linking ---- */
const char *startup_program_file(void);
/* The sections of a program that is linked with the runtime; else no bytes. */
struct string_section startup_section_table(void);

#endif
