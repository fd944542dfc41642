/* SPDX-License-Identifier: MIT */
/* Debugging information of bytecode: which source a code address comes from.
 *
 * A fragment of code (the program, a phrase, a dynamically loaded unit) has a
 * table of events, sorted by address. The program's is read from its
 * executable when it is first needed; the others come with their code.
 * The questions that the rest asks: abi/backtrace.h.
 *
 * CONCURRENCY. One lock of RANK_ABI guards the list of fragments; reading the executable
 * happens outside it, and the first reader's table stays. */
#ifndef BAC_BYTECODE_DEBUGINFO_H
#define BAC_BYTECODE_DEBUGINFO_H

#include "abi/backtrace.h"

/* The main program's code, whose events are in the section DBUG of [file] (kept,
 * not copied). NULL: it has none. */
void debuginfo_set_program(const opcode_t *code, size_t words, const char *file);
/* Reads it now (OCAMLRUNPARAM=b=2). [may gc] */
void debuginfo_read_program(void);

/* Later code; events is an array of lists of Instruct.debug_event. [no gc] */
void debuginfo_add(const opcode_t *code, size_t words, value events);
void debuginfo_remove(const opcode_t *code);

#endif
