/* SPDX-License-Identifier: MIT */
/* Loading a program: see load.h. Nothing is trusted: lengths, code, and the
 * first globals, which C code uses as exceptions, are checked here; marshalled
 * data by its reader. Stateless but for caml_global_data. */
#include "bytecode/load.h"

#include "bytecode/bytecode.h"
#include "bytecode/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Globals ---- */

/* Source: bytecomp/symtable.ml, init. */
void globals_install_predefined(void)
{
  value globals = caml_alloc_tuple(PREDEFINED_EXNS);
  LOCAL_ROOTS(&globals);
  for (int i = 0; i < PREDEFINED_EXNS; i++) {
    value name = caml_copy_string(predefined_names[i]);
    value exn = caml_alloc_2(Object_tag, name, Val_long(-i - 1));
    Store_field(globals, i, exn);
  }
  caml_global_data = globals;
}

static bool is_exception_constructor(value v)
{
  return Is_block(v) && Tag_val(v) == Object_tag && Wosize_val(v) == 2 && Is_block(Field(v, 0)) &&
         Tag_val(Field(v, 0)) == String_tag && Is_long(Field(v, 1));
}

static bool globals_check(value globals)
{
  if (Is_long(globals) || Tag_val(globals) != 0 || Wosize_val(globals) < PREDEFINED_EXNS) return false;
  for (int i = 0; i < PREDEFINED_EXNS; i++)
    if (!is_exception_constructor(Field(globals, i))) return false;
  return true;
}

value globals_read(const char *data, size_t size, char why[LOAD_MESSAGE_SIZE])
{
  value globals = section_value((struct string_section){data, size});
  if (Is_exception_result(globals)) {
    value exn = Extract_exception(globals);
    if (exn == caml_exception_out_of_memory()) bac_fatal("out of memory: no room for the program's global data");
    bool has_text = Tag_val(exn) == 0 && Wosize_val(exn) == 2 && Is_block(Field(exn, 1)) && Tag_val(Field(exn, 1)) == String_tag;
    snprintf(why, LOAD_MESSAGE_SIZE, "global data: %s",
             has_text ? String_val(Field(exn, 1)) : Tag_val(exn) == Object_tag ? String_val(Field(exn, 0)) : "unreadable");
    return Val_unit;
  }
  if (globals_check(globals)) return globals;
  snprintf(why, LOAD_MESSAGE_SIZE, "global data: not a table of globals");
  return Val_unit;
}

/* ---- Sections ---- */

static enum load_status damaged_section(const char *name, char *why)
{
  snprintf(why, LOAD_MESSAGE_SIZE, "error reading section %s", name);
  return LOAD_DAMAGED;
}

static enum load_status code_read(const struct image *image, struct program *p, char *why)
{
  const struct image_section *s = image_section(image, "CODE");
  if (!s) {
    snprintf(why, LOAD_MESSAGE_SIZE, "section `CODE' is missing");
    return LOAD_UNLINKABLE;
  }
  if (s->length % sizeof(opcode_t) != 0) {
    snprintf(why, LOAD_MESSAGE_SIZE, "section CODE has length %u, not a multiple of 4", s->length);
    return LOAD_DAMAGED;
  }
  p->words = s->length / sizeof(opcode_t);
  p->code = (code_t)image_read(image, s);
  return p->code ? LOAD_OK : damaged_section("CODE", why);
}

static enum load_status primitives_load(const struct image *image, bool to_run, char *why)
{
  struct string_section dlpt = {0}, dlls = {0}, names = {0};
  bool read = section_read(image, "DLPT", &dlpt) && section_read(image, "DLLS", &dlls) && section_read(image, "PRIM", &names);
  enum load_status status = LOAD_OK;
  if (!read) {
    status = damaged_section("PRIM, DLLS or DLPT", why);
  } else if (!names.bytes) {
    snprintf(why, LOAD_MESSAGE_SIZE, "no PRIM section");
    status = LOAD_UNLINKABLE;
  } else {
    dynlink_complete_path(dlpt);
    if (!dynlink_program(dlls, names, to_run, why)) status = LOAD_UNLINKABLE;
  }
  free((char *)dlpt.bytes);
  free((char *)dlls.bytes);
  free((char *)names.bytes);
  return status;
}

static enum load_status data_load(const struct image *image, struct program *p, char *why)
{
  const struct image_section *s = image_section(image, "DATA");
  if (!s) {
    snprintf(why, LOAD_MESSAGE_SIZE, "section `DATA' is missing");
    return LOAD_UNLINKABLE;
  }
  char *data = image_read(image, s);
  if (!data) return damaged_section("DATA", why);
  p->globals = globals_read(data, s->length, why);
  free(data);
  return p->globals == Val_unit ? LOAD_DAMAGED : LOAD_OK;
}

/* ---- Programs ---- */

bool program_check(const struct program *p, char why[LOAD_MESSAGE_SIZE])
{
  struct code_limits limits = {Wosize_val(p->globals), dynlink_primitives()};
  return code_check(p->code, p->words, &limits, why);
}

enum load_status program_load(const struct image *image, bool to_run, struct program *out, char why[LOAD_MESSAGE_SIZE])
{
  *out = (struct program){.globals = Val_unit};
  enum load_status status = code_read(image, out, why);
  if (status == LOAD_OK) status = primitives_load(image, to_run, why);
  if (status == LOAD_OK) status = data_load(image, out, why);
  if (status == LOAD_OK && !program_check(out, why)) status = LOAD_DAMAGED;
  if (status != LOAD_OK) program_drop(out);
  return status;
}

void program_drop(struct program *p)
{
  free(p->code);
  dynlink_clear();
  *p = (struct program){.globals = Val_unit};
}
