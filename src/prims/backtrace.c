/* SPDX-License-Identifier: MIT */
/* Backtraces as Printexc sees them: recording, raw backtraces, and turning
 * them into source locations. The back end fills the buffer and knows the
 * locations (abi/backtrace.h); call stacks are its own primitives
 * (bytecode/callstack.c, native/callstack.c).
 *
 * State: the buffer of the domain [own]. */
#include "abi/backtrace.h"
#include "abi/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Recording ---- */

CAMLexport void caml_record_backtraces(int active)
{
  caml_domain_state *st = Caml_state;
  if ((st->backtrace_active != 0) == (active != 0)) return;
  st->backtrace_active = active;
  st->backtrace_pos = 0;
  st->backtrace_last_exn = Val_unit;
}

CAMLprim value caml_record_backtrace(value active)
{
  caml_record_backtraces(Int_val(active));
  return Val_unit;
}

CAMLprim value caml_backtrace_status(value unit) { return Val_bool(Caml_state->backtrace_active); }

CAMLprim value caml_ml_debug_info_status(value unit) { return Val_int(debuginfo_status()); }

/* ---- Raw backtraces ---- */

value backtrace_value(const backtrace_slot *slots, size_t count)
{
  value raw = count > 0 ? gc_alloc(domain_self(), count, 0) : Atom(0);
  if (raw != 0)
    for (size_t i = 0; i < count; i++) Store_field(raw, i, Val_slot(slots[i]));
  return raw;
}

CAMLprim value caml_get_exception_raw_backtrace(value unit)
{
  caml_domain_state *st = Caml_state;
  if (!st->backtrace_active || !st->backtrace_buffer || st->backtrace_pos <= 0) return Atom(0);
  /* Allocation runs no OCaml code, so the buffer stays as it is. */
  value raw = backtrace_value(st->backtrace_buffer, (size_t)st->backtrace_pos);
  if (raw == 0) caml_raise_out_of_memory();
  return raw;
}

/* Makes raw the backtrace of exn, for a raise that goes on with it. [no gc] */
CAMLprim value caml_restore_raw_backtrace(value exn, value raw)
{
  caml_domain_state *st = Caml_state;
  mlsize_t count = Wosize_val(raw);
  if (count > BACKTRACE_BUFFER_SLOTS) count = BACKTRACE_BUFFER_SLOTS;
  st->backtrace_last_exn = exn;
  st->backtrace_pos = 0;
  if (count == 0) return Val_unit;
  if (!st->backtrace_buffer) st->backtrace_buffer = malloc(BACKTRACE_BUFFER_SLOTS * sizeof *st->backtrace_buffer);
  if (!st->backtrace_buffer) return Val_unit;
  for (mlsize_t i = 0; i < count; i++) st->backtrace_buffer[i] = Slot_val(Field(raw, i));
  st->backtrace_pos = (intnat)count;
  return Val_unit;
}

CAMLprim value caml_raw_backtrace_length(value raw) { return Val_long(Wosize_val(raw)); }

CAMLprim value caml_raw_backtrace_slot(value raw, value index)
{
  if (Unsigned_long_val(index) >= Wosize_val(raw))
    caml_invalid_argument("Printexc.get_raw_backtrace_slot: index out of bounds");
  return Field(raw, Long_val(index));
}

CAMLprim value caml_raw_backtrace_next_slot(value slot)
{
  backtrace_slot next = debuginfo_next(Slot_val(slot));
  return next ? caml_alloc_some(Val_slot(next)) : Val_none;
}

/* ---- Locations ---- */

/* Printexc.backtrace_slot: Known_location has tag 0, Unknown_location tag 1. */
static value location_value(const struct code_location *l)
{
  if (!l->known) return caml_alloc_1(1, Val_bool(l->is_raise));
  value file = Val_unit, definition = Val_unit;
  LOCAL_ROOTS(&file, &definition);
  file = caml_copy_string(l->file);
  definition = caml_copy_string(l->definition);
  const value fields[] = {
      Val_bool(l->is_raise),  file,
      Val_int(l->start_line), Val_int(l->start_char),
      Val_int(l->end_offset), Val_int(l->end_line),
      Val_int(l->end_char),   Val_bool(l->is_inlined),
      definition,
  };
  value v = caml_alloc_small(countof(fields), 0);
  memcpy(Op_val(v), fields, sizeof fields);
  Field(v, 1) = file;
  Field(v, 8) = definition;
  return v;
}

static value slot_location(backtrace_slot slot)
{
  struct code_location location;
  debuginfo_locate(slot, &location);
  return location_value(&location);
}

static void require_debuginfo(void)
{
  if (!debuginfo_available()) caml_failwith("No debug information available");
}

CAMLprim value caml_convert_raw_backtrace_slot(value slot)
{
  require_debuginfo();
  return slot_location(Slot_val(slot));
}

CAMLprim value caml_convert_raw_backtrace(value raw)
{
  require_debuginfo();
  value locations = Val_unit;
  LOCAL_ROOTS(&raw, &locations);
  mlsize_t count = 0, at = 0;
  for (mlsize_t i = 0; i < Wosize_val(raw); i++)
    for (backtrace_slot s = debuginfo_first(Slot_val(Field(raw, i))); s; s = debuginfo_next(s)) count++;
  locations = caml_alloc(count, 0);
  for (mlsize_t i = 0; i < Wosize_val(raw); i++)
    for (backtrace_slot s = debuginfo_first(Slot_val(Field(raw, i))); s; s = debuginfo_next(s)) {
      value location = slot_location(s);
      Store_field(locations, at++, location);
    }
  return locations;
}

/* What Printexc no longer calls, for programs that declare it themselves. */
CAMLprim value caml_get_exception_backtrace(value unit)
{
  if (!debuginfo_available()) return Val_none;
  value raw = caml_get_exception_raw_backtrace(Val_unit);
  return caml_alloc_some(caml_convert_raw_backtrace(raw));
}

/* ---- Printing, where Printexc is not linked ---- */

static const char *slot_title(const struct code_location *l, size_t index)
{
  if (l->is_raise) return index == 0 ? "Raised at" : "Re-raised at";
  return index == 0 ? "Raised by primitive operation at" : "Called from";
}

static void print_location(const struct code_location *l, size_t index)
{
  const char *title = slot_title(l, index), *inlined = l->is_inlined ? " (inlined)" : "";
  if (!l->known) {
    /* The compiler's own raises have no place in the source. */
    if (!l->is_raise) fprintf(stderr, "%s unknown location%s\n", title, inlined);
    return;
  }
  fprintf(stderr, "%s %s in file \"%s\"%s, line", title, l->definition, l->file, inlined);
  if (l->start_line == l->end_line)
    fprintf(stderr, " %d", l->start_line);
  else
    fprintf(stderr, "s %d-%d", l->start_line, l->end_line);
  fprintf(stderr, ", characters %d-%d\n", l->start_char, l->end_char);
}

/* As printexc.ml words them; the numbers are those of enum image_status. */
static const char *status_hint(int status)
{
  switch (status) {
  case -1: return "(Cannot print locations:\n bytecode executable program file not found)\n";
  case -2: return "(Cannot print locations:\n bytecode executable program file appears to be corrupt)\n";
  case -3: return "(Cannot print locations:\n bytecode executable program file has wrong magic number)\n";
  case -4:
    return "(Cannot print locations:\n bytecode executable program file cannot be opened;\n"
           " -- too many open files. Try running with OCAMLRUNPARAM=b=2)\n";
  default: return "";
  }
}

CAMLexport void caml_print_exception_backtrace(void)
{
  if (!debuginfo_available()) {
    fputs("(Cannot print stack backtrace: no debug information available)\n", stderr);
    return;
  }
  for (intnat i = 0; i < Caml_state->backtrace_pos; i++)
    for (backtrace_slot s = debuginfo_first(Caml_state->backtrace_buffer[i]); s; s = debuginfo_next(s)) {
      struct code_location location;
      debuginfo_locate(s, &location);
      print_location(&location, (size_t)i);
    }
  fputs(status_hint(debuginfo_status()), stderr);
}
