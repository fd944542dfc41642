/* SPDX-License-Identifier: MIT */
/* Primitives and shared libraries: see dynlink.h; and the primitives by which
 * the linker inside a program (Dynlink, the toplevel) reaches them.
 *
 * State: struct below, and the table, which the interpreter reads without a lock: see bytecode.h. */
#include "bytecode/dynlink.h"

#include "bytecode/bytecode.h"
#include "bytecode/guard.h"
#include "bytecode/image.h"
#include "bytecode/startup.h"
#include "prims/library.h"
#include "prims/marshal.h"
#include "sync/lock.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef BAC_STDLIB_DIR
#define BAC_STDLIB_DIR "/usr/local/lib/ocaml"
#endif

bytecode_prim bytecode_prims[PRIMITIVES_MAX];   /* in .bss: what is not used costs nothing */

static struct {
  struct lock lock;              /* RANK_ABI: [count] after the start */
  size_t count;                  /* [lock] primitives in the table */
  VEC(char *) names;             /* [const after the start] of those that the program was linked with */
  VEC(void *) libraries;         /* [const after the start] dlopen handles */
  struct search_path path;       /* [const after the start] */
} linked = {.lock = LOCK_INIT(RANK_ABI)};

/* ---- Sections ---- */

bool section_read(const struct image *image, const char *name, struct string_section *out)
{
  const struct image_section *s = image_section(image, name);
  *out = (struct string_section){s ? image_read(image, s) : NULL, s ? s->length : 0};
  return !s || out->bytes != NULL;
}

static value read_message(void *section)
{
  struct string_section *s = section;
  return marshal_read_memory(s->bytes, s->length);
}

value section_value(struct string_section section) { return guard_call(read_message, &section); }

/* ---- Search path ---- */

/* The first string of the section, and the next: NULL at the end. */
static const char *section_first(struct string_section s) { return s.length > 0 && s.bytes[0] ? s.bytes : NULL; }
static const char *section_next(struct string_section s, const char *string)
{
  string += strlen(string) + 1;
  return string < s.bytes + s.length && string[0] ? string : NULL;
}

void dynlink_add_directory(const char *dir) { search_path_add(&linked.path, dir, strlen(dir)); }

CAMLexport const char *caml_get_stdlib_location(void)
{
  const char *dir = secure_getenv("OCAMLLIB");
  if (!dir) dir = secure_getenv("CAMLLIB");
  return dir ? dir : BAC_STDLIB_DIR;
}

const char *dynlink_default_library(void) { return BAC_STDLIB_DIR; }

void dynlink_add_ld_conf(void)
{
  char *name = NULL, *line = NULL;
  size_t room = 0;
  if (asprintf(&name, "%s/ld.conf", caml_get_stdlib_location()) < 0) return;
  FILE *f = fopen(name, "re");
  if (!f && errno != ENOENT && errno != ENOTDIR) caml_fatal_error("cannot read loader config file %s", name);
  ssize_t length;
  while (f && (length = getline(&line, &room, f)) > 0)
    search_path_add(&linked.path, line, (size_t)length - (line[length - 1] == '\n'));
  if (f) fclose(f);
  free(line);
  free(name);
}

void dynlink_complete_path(struct string_section dlpt)
{
  search_path_add_colons(&linked.path, secure_getenv("CAML_LD_LIBRARY_PATH"));
  for (const char *dir = section_first(dlpt); dir; dir = section_next(dlpt, dir))
    search_path_add(&linked.path, dir, strlen(dir));
  dynlink_add_ld_conf();
}

const struct search_path *dynlink_path(void) { return &linked.path; }

/* ---- The program's primitives ---- */

/* Where the library's file should be; malloc'ed. */
static char *library_file(const char *name)
{
  char *file = NULL;
  if (asprintf(&file, "%s.so", name) < 0) bac_fatal("out of memory");
  char *found = search_path_find(&linked.path, file);
  free(file);
  return found;
}

static bool library_failed(const char *name, const char *reason, char *why)
{
  snprintf(why, DYNLINK_MESSAGE_SIZE, "cannot load shared library %s\nReason: %s", name, reason);
  return false;
}

static bool linked_open(const char *name, char *why)
{
  char *file = library_file(name);
  gc_message(MESSAGE_STARTUP, "Loading shared library %s\n", file);
  void *handle = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
  free(file);
  if (!handle) return library_failed(name, dlerror(), why);
  *vec_push(&linked.libraries) = handle;
  return true;
}

/* Is its file there? Opening it would run code of its own. */
static bool library_exists(const char *name, char *why)
{
  char *file = library_file(name);
  bool there = access(file, R_OK) == 0;
  if (!there) library_failed(name, strerror(errno), why);
  free(file);
  return there;
}

struct builtin {
  const char *name;
  c_primitive function;
};

static int builtin_compare(const void *a, const void *b)
{
  return strcmp(((const struct builtin *)a)->name, ((const struct builtin *)b)->name);
}

/* Those built in, sorted by name; malloc'ed. */
static struct builtin *builtin_sorted(size_t *count)
{
  size_t n = 0;
  while (caml_names_of_builtin_cprim[n]) n++;
  struct builtin *all = malloc((n + 1) * sizeof *all);
  if (!all) bac_fatal("out of memory");
  for (size_t i = 0; i < n; i++) all[i] = (struct builtin){caml_names_of_builtin_cprim[i], caml_builtin_cprim[i]};
  qsort(all, n, sizeof *all, builtin_compare);
  *count = n;
  return all;
}

static c_primitive primitive_find(const char *name, const struct builtin *builtins, size_t count)
{
  struct builtin key = {name, NULL};
  const struct builtin *b = bsearch(&key, builtins, count, sizeof key, builtin_compare);
  if (b) return b->function;
  for (size_t i = 0; i < linked.libraries.len; i++) {
    void *symbol = dlsym(linked.libraries.at[i], name);
    if (symbol) return (c_primitive)symbol;
  }
  return NULL;
}

static bool primitive_add(const char *name, c_primitive function)
{
  if (linked.count == PRIMITIVES_MAX) return false;
  char *copy = strdup(name);
  if (!copy) bac_fatal("out of memory");
  *vec_push(&linked.names) = copy;
  bytecode_prims[linked.count++] = (bytecode_prim)function;
  return true;
}

/* Stands for a primitive that a library which is not opened may have. */
static intptr_t primitive_unseen(void) { bac_fatal("a primitive of a library that was not opened is called"); }

static bool primitives_resolve(struct string_section names, bool may_be_unseen, char *why)
{
  size_t count;
  struct builtin *builtins = builtin_sorted(&count);
  bool ok = true;
  for (const char *name = section_first(names); ok && name; name = section_next(names, name)) {
    c_primitive function = primitive_find(name, builtins, count);
    if (!function && may_be_unseen) function = primitive_unseen;
    ok = function && primitive_add(name, function);
    if (!function)
      snprintf(why, DYNLINK_MESSAGE_SIZE, "unknown C primitive `%s'", name);
    else if (!ok)
      snprintf(why, DYNLINK_MESSAGE_SIZE, "more than %d C primitives", PRIMITIVES_MAX);
  }
  free(builtins);
  return ok;
}

bool dynlink_program(struct string_section dlls, struct string_section names, bool to_run, char why[DYNLINK_MESSAGE_SIZE])
{
  bool any = false;
  for (const char *name = section_first(dlls); name; name = section_next(dlls, name)) {
    if (library_is_builtin(name)) continue;
    any = true;
    if (!(to_run ? linked_open(name, why) : library_exists(name, why))) return false;
  }
  return primitives_resolve(names, any && !to_run, why);
}

void dynlink_builtin(void)
{
  for (size_t i = 0; caml_names_of_builtin_cprim[i]; i++)
    primitive_add(caml_names_of_builtin_cprim[i], caml_builtin_cprim[i]);
}

void dynlink_clear(void)
{
  while (linked.libraries.len > 0) dlclose(vec_pop(&linked.libraries));
  while (linked.names.len > 0) free(vec_pop(&linked.names));
  vec_free(&linked.libraries);
  vec_free(&linked.names);
  search_path_free(&linked.path);
  memset(bytecode_prims, 0, linked.count * sizeof bytecode_prims[0]);
  linked.count = 0;
}

size_t dynlink_primitives(void)
{
  lock_acquire(&linked.lock);
  size_t count = linked.count;
  lock_release(&linked.lock);
  return count;
}

/* ---- For the linker inside the program ---- */

CAMLprim value caml_dynlink_add_primitive(value address)
{
  lock_acquire(&linked.lock);
  size_t index = linked.count;
  if (index < PRIMITIVES_MAX) {
    bytecode_prims[index] = (bytecode_prim)library_address(address);
    linked.count++;
  }
  lock_release(&linked.lock);
  if (index == PRIMITIVES_MAX) caml_failwith("Dynlink: too many C primitives");
  return Val_long(index);
}

CAMLprim value caml_dynlink_get_current_libs(value unit)
{
  value libraries = caml_alloc_tuple(linked.libraries.len);
  LOCAL_ROOTS(&libraries);
  for (size_t i = 0; i < linked.libraries.len; i++) {
    value handle = library_block(linked.libraries.at[i]);
    Store_field(libraries, i, handle);
  }
  return libraries;
}

static value string_list(char *const *strings, size_t count)
{
  value list = Val_emptylist, head = Val_unit;
  LOCAL_ROOTS(&list, &head);
  while (count-- > 0) {
    head = caml_copy_string(strings[count]);
    list = caml_alloc_2(Tag_cons, head, list);
  }
  return list;
}

static void sections_of_file(value *symb, value *crcs)
{
  struct image image;
  switch (image_open(&image, startup_program_file(), true, NULL)) {
  case IMAGE_OK: break;
  case IMAGE_NOT_FOUND:
  case IMAGE_NO_FILES: caml_failwith("Dynlink: Failed to re-open bytecode executable");
  default: caml_failwith("Dynlink: Failed to re-read bytecode trailer");
  }
  struct string_section table, sums;
  bool has_table = section_read(&image, "SYMB", &table) && table.bytes, has_sums = section_read(&image, "CRCS", &sums);
  image_close(&image);
  value result = Val_unit;
  if (has_table && has_sums) {
    result = *symb = section_value(table);
    if (!Is_exception_result(result) && sums.bytes) result = *crcs = section_value(sums);
  }
  free((char *)table.bytes);
  free((char *)sums.bytes);
  if (!has_table) caml_failwith("Dynlink: error reading SYMB");
  if (!has_sums) caml_failwith("Dynlink: error reading CRCS");
  value_or_raise(result);
}

/* A program linked with the runtime: an array of names and contents. */
static void sections_of_table(struct string_section table, value *symb, value *crcs)
{
  value pairs = marshal_read_memory(table.bytes, table.length);
  for (mlsize_t i = 0; i < Wosize_val(pairs); i++) {
    const char *name = String_val(Field(Field(pairs, i), 0));
    if (strcmp(name, "SYMB") == 0) *symb = Field(Field(pairs, i), 1);
    if (strcmp(name, "CRCS") == 0) *crcs = Field(Field(pairs, i), 1);
  }
}

/* The record bytecode_sections of bytecomp/symtable.ml. */
CAMLprim value caml_dynlink_get_bytecode_sections(value unit)
{
  value symb = Val_unit, crcs = Val_emptylist, names = Val_unit, dirs = Val_unit;
  LOCAL_ROOTS(&symb, &crcs, &names, &dirs);
  struct string_section table = startup_section_table();
  if (table.bytes)
    sections_of_table(table, &symb, &crcs);
  else
    sections_of_file(&symb, &crcs);
  names = string_list(linked.names.at, linked.names.len);
  dirs = string_list(linked.path.dirs.at, linked.path.dirs.len);
  return caml_alloc_4(0, symb, crcs, names, dirs);
}
