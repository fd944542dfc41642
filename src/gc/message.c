/* SPDX-License-Identifier: MIT */
/* Printing the messages of the parameter [verbose]: see message.h. No state but that parameter. */
#include "gc/message.h"

#include "gc/state.h"

#include <stdio.h>

bool gc_wants_messages(unsigned bits) { return (load_relaxed(&bac_gc.params.verbose) & bits) != 0; }

void gc_message_va(unsigned bits, const char *fmt, va_list args)
{
  if (!gc_wants_messages(bits)) return;
  vfprintf(stderr, fmt, args);
  fflush(stderr);
}

void gc_message(enum gc_message_bit bit, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  gc_message_va(bit, fmt, args);
  va_end(args);
}
