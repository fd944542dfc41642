/* SPDX-License-Identifier: MIT */
/* The messages that the program asks for with OCAMLRUNPARAM=v or Gc.set: the
 * field [verbose] of the parameters is a sum of the bits below, whose meaning is that of
 * stdlib/gc.mli and, from 0x800 on, of the manual.
 *
 * Where OCaml 5.3 prints a message for a bit, or 4.14 did and 5.x has none, its wording is kept: there
 * are programs that read it. Messages go to stderr, each by one write. Any context, also with the world stopped. */
#ifndef BAC_GC_MESSAGE_H
#define BAC_GC_MESSAGE_H

#include "gc/gc.h"

#include <stdarg.h>

enum gc_message_bit {
  MESSAGE_CYCLE = 0x001,            /* start and end of a major cycle */
  MESSAGE_MINOR = 0x002,            /* minor collections and slices: < > ! $ */
  MESSAGE_HEAP = 0x004,             /* the heap grows or shrinks */
  MESSAGE_TABLES = 0x008,           /* stacks and tables of the memory manager are resized */
  MESSAGE_COMPACTION = 0x010,
  MESSAGE_PARAMETERS = 0x020,       /* parameters at start, and changes of them */
  MESSAGE_SLICE_SIZE = 0x040,       /* how much a slice has to do, and why */
  MESSAGE_FINALISERS = 0x080,
  MESSAGE_STARTUP = 0x100,          /* search for the executable and for shared libraries */
  MESSAGE_OVERHEAD = 0x200,         /* whether an automatic compaction is worth it */
  MESSAGE_EXIT_STATISTICS = 0x400,
  MESSAGE_DEBUGGING = 0x800,        /* caml_gc_log */
};

/* Are messages of one of these bits wanted? False before gc_init. */
bool gc_wants_messages(unsigned bits);

void gc_message(enum gc_message_bit bit, const char *fmt, ...) PRINTF_LIKE(2, 3);
void gc_message_va(unsigned bits, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

#endif
