/* SPDX-License-Identifier: MIT */
/* Backtraces: what a back end knows of code addresses, and what is common to
 * all back ends.
 *
 * A slot is an address that stands for a place in the code (in bytecode, that place; in native code, what the
 * compiler tells of it). It is an OCaml integer in a raw backtrace: the address with its low bit set. The
 * buffer of a domain is Caml_state->backtrace_buffer; the back end fills it when an exception is
 * raised while Caml_state->backtrace_active. */
#ifndef BAC_ABI_BACKTRACE_H
#define BAC_ABI_BACKTRACE_H

#include "abi/caml.h"

enum { BACKTRACE_BUFFER_SLOTS = 1024 };   /* what a domain records of one exception at most */

typedef void *backtrace_slot;

static inline value Val_slot(backtrace_slot slot) { return (value)slot | 1; }
static inline backtrace_slot Slot_val(value v) { return (backtrace_slot)(v & ~(value)1); }

/* Fields as in Printexc.backtrace_slot. The strings live for ever. */
struct code_location {
  bool known;                  /* else only is_raise is set */
  bool is_raise;               /* an instruction that raises, not a call */
  bool is_inlined;
  const char *file, *definition;
  int start_line, start_char;
  int end_line, end_char;
  int end_offset;              /* of the end, from the start of the start's line */
};

/* ---- From the back end ---- */

/* Is there any code with debugging information, or code that might have some? [no gc] */
bool debuginfo_available(void);
/* Why the program's own could not be read: enum image_status; 1 or 0: no trouble. [no gc] */
int debuginfo_status(void);
/* Reads the debugging information first if that was not done yet. [may gc] */
void debuginfo_locate(backtrace_slot slot, struct code_location *out);
/* The first location that a slot of a recorded backtrace stands for; NULL: none. [no gc] */
backtrace_slot debuginfo_first(backtrace_slot slot);
/* The slot for the function that the one of [slot] was inlined into; NULL: none. [no gc] */
backtrace_slot debuginfo_next(backtrace_slot slot);

/* ---- Common: src/prims/backtrace.c ---- */

/* Starts or stops the recording in this domain; forgets what was recorded. [no gc] */
void caml_record_backtraces(int active);
/* A raw backtrace of these slots; 0: no memory. [may gc] */
value backtrace_value(const backtrace_slot *slots, size_t count);
/* Prints the recorded backtrace on stderr as Printexc does. [may gc] */
void caml_print_exception_backtrace(void);

#endif
