/* SPDX-License-Identifier: MIT */
/* Source locations of native code, from what the compiler put behind the frame descriptors.
 *
 * A place may stand for several locations: a function that was inlined into another, that into a third. They
 * follow each other in memory, innermost first, each in 8 bytes (asmcomp/emitaux.ml, emit_debuginfo). As a number, the low half is
 * the first word:
 *
 *     bit 0       another location follows
 *     bit 1       a raise
 *     bits 2-25   distance to the definition's record, in bytes, with the low bits 0
 *     bit 63      0: 26-34 from the start of the first line to that of the last, 35-41 last character, 42-47 first character,
 *                    48-50 lines in between, 51-62 first line
 *                 1: 26-43 lines in between, 44-62 first line; the record has the rest
 *
 * The record: distance to the file's name (4 bytes); only with bit 63: first character, last character (2 bytes each), last
 * character from the start of the first line (4 bytes); the definition's name.
 *
 * A SLOT of a backtrace is a frame descriptor's address, or that of a location with bit 1 set. No state. */
#include "abi/backtrace.h"
#include "native/frames.h"
#include "native/native.h"

enum { SLOT_LOCATION = 2 };

bool debuginfo_available(void) { return true; }
int debuginfo_status(void) { return 0; }

static const uint32_t *slot_info(backtrace_slot slot)
{
  uintptr_t at = (uintptr_t)slot;
  if (at & SLOT_LOCATION) return (const uint32_t *)(at - SLOT_LOCATION);
  return frame_debuginfo((const struct frame_descr *)slot);
}

backtrace_slot debuginfo_slot(const uint32_t *info) { return (backtrace_slot)((uintptr_t)info + SLOT_LOCATION); }

backtrace_slot debuginfo_first(backtrace_slot slot) { return slot_info(slot) ? slot : NULL; }

backtrace_slot debuginfo_next(backtrace_slot slot)
{
  const uint32_t *info = slot_info(slot);
  if (info == NULL || !(info[0] & 1)) return NULL;
  return debuginfo_slot(info + 2);
}

static unsigned bits(uint64_t word, unsigned from, unsigned count) { return (unsigned)(word >> from & ((1u << count) - 1)); }

static const char *after_distance(const int32_t *distance) { return (const char *)distance + *distance; }

void debuginfo_locate(backtrace_slot slot, struct code_location *out)
{
  const uint32_t *info = slot_info(slot);
  *out = (struct code_location){.is_raise = info == NULL};
  if (info == NULL) return;
  uint64_t word = (uint64_t)info[1] << 32 | info[0];
  const char *record = (const char *)info + (info[0] & 0x3fffffc);
  out->known = true;
  out->is_inlined = bits(word, 0, 1);
  out->is_raise = bits(word, 1, 1);
  out->file = after_distance((const int32_t *)record);
  if (word >> 63 == 0) {
    out->definition = record + 4;
    out->start_line = (int)bits(word, 51, 12);
    out->end_line = out->start_line + (int)bits(word, 48, 3);
    out->start_char = (int)bits(word, 42, 6);
    out->end_char = (int)bits(word, 35, 7);
    out->end_offset = (int)bits(word, 26, 9) + out->end_char;
  } else {
    const uint16_t *characters = (const uint16_t *)(record + 4);
    out->definition = record + 12;
    out->start_line = (int)bits(word, 44, 19);
    out->end_line = out->start_line + (int)bits(word, 26, 18);
    out->start_char = characters[0];
    out->end_char = characters[1];
    out->end_offset = *(const int32_t *)(record + 8);
  }
}
