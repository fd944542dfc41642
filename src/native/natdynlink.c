/* SPDX-License-Identifier: MIT */
/* Native plugins (.cmxs): the primitives of otherlibs/dynlink/native and of the native toplevel.
 *
 * A plugin is a shared library with an OCaml string caml_plugin_header and, for each unit U, symbols
 * camlU.frametable, camlU.gc_roots, camlU.code_begin ... as in a program. Registering a unit makes its tables known;
 * running it calls camlU.entry. A library is never closed again: its code and static data are in the runtime's tables.
 *
 * No state. */
#include "native/native.h"
#include "prims/library.h"
#include "prims/marshal.h"

#include <dlfcn.h>

/* caml<unit>.<part>, NULL: there is none. */
static void *unit_symbol(void *library, const char *unit, const char *part)
{
  char *name = caml_stat_strconcat(4, "caml", unit, ".", part);
  void *symbol = dlsym(library, name);
  caml_stat_free(name);
  return symbol;
}

static value unmarshal_string(const void *string)
{
  return marshal_read_memory(string, string_length((value)string));
}

CAMLprim value caml_natdynlink_getmap(value unit)
{
  extern char caml_globals_map[];
  return unmarshal_string(caml_globals_map);
}

CAMLprim value caml_natdynlink_globals_inited(value unit) { return Val_long(caml_globals_inited); }

CAMLprim value caml_natdynlink_open(value filename, value global)
{
  value header = Val_unit, handle = Val_unit;
  LOCAL_ROOTS(&header, &handle);
  void *library = library_open(filename, RTLD_NOW | (Bool_val(global) ? RTLD_GLOBAL : RTLD_LOCAL));
  if (!library) caml_failwith(dlerror());
  const void *string = dlsym(library, "caml_plugin_header");
  if (!string) {
    dlclose(library);
    caml_failwith("not an OCaml plugin");
  }
  header = unmarshal_string(string);
  handle = library_block(library);
  return caml_alloc_2(0, handle, header);
}

static void unit_register(void *library, const char *unit)
{
  const void *frames = unit_symbol(library, unit, "frametable");
  value *roots = unit_symbol(library, unit, "gc_roots");
  const char *start = unit_symbol(library, unit, "code_begin"), *end = unit_symbol(library, unit, "code_end");
  statics_add(frames, roots, start, end);
}

CAMLprim value caml_natdynlink_register(value handle, value units)
{
  void *library = library_address(handle);
  for (mlsize_t i = 0; i < Wosize_val(units); i++) unit_register(library, String_val(Field(units, i)));
  return Val_unit;
}

static value unit_run_exn(void *library, const char *unit)
{
  void *entry = unit_symbol(library, unit, "entry");
  if (!entry) return Val_unit;
  /* A closure without environment, outside the heap. */
  return caml_callback_exn((value)&entry, Val_unit);
}

CAMLprim value caml_natdynlink_run(value handle, value unit)
{
  return value_or_raise(unit_run_exn(library_address(handle), String_val(unit)));
}

/* Ok of what the unit's entry function returned, or Error of why the library cannot be opened. */
CAMLprim value caml_natdynlink_run_toplevel(value filename, value unit)
{
  enum { OK_TAG, ERROR_TAG };
  LOCAL_ROOTS(&unit);
  void *library = library_open(filename, RTLD_NOW | RTLD_GLOBAL);
  if (!library) {
    value why = caml_copy_string(dlerror());
    return caml_alloc_1(ERROR_TAG, why);
  }
  unit_register(library, String_val(unit));
  value result = value_or_raise(unit_run_exn(library, String_val(unit)));
  return caml_alloc_1(OK_TAG, result);
}

CAMLprim value caml_natdynlink_loadsym(value symbol)
{
  void *address = dlsym(RTLD_DEFAULT, String_val(symbol));
  if (!address) caml_failwith(String_val(symbol));
  return (value)address;
}
