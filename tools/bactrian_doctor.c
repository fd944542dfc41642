/* SPDX-License-Identifier: MIT */
/* bactrian doctor: which runtime a program has, and whether it will find all that it needs.
 *
 * It reads the program's file and those that the file names, and runs none of them. Bactrian's runtimes carry a note
 * (base/note.h), which survives stripping. Others are known by the texts that each OCaml runtime has in it.
 *
 * A report is lines "name: text". What would keep the program from starting is a line "trouble: text". State: the count of these. */
#include "abi/params.h"
#include "base/note.h"
#include "bytecode/dynlink.h"
#include "bytecode/image.h"
#include "bactrian.h"
#include "bactrian_elf.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_SOUND, EXIT_TROUBLE, EXIT_NO_PROGRAM, EXIT_USAGE = 127 };

static unsigned troubles;   /* lines of the report that are */

static PRINTF_LIKE(2, 3) void say(const char *name, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  printf("%s: ", name);
  vprintf(fmt, args);
  putchar('\n');
  va_end(args);
}

#define TROUBLE(...) (troubles++, say("trouble", __VA_ARGS__))

/* ---- Runtimes ---- */

enum origin { NO_RUNTIME, OTHER, BACTRIAN };
enum backend { BYTECODE, NATIVE, C_ONLY };

struct runtime {
  enum origin origin;
  enum backend backend;
  char text[120];              /* for the report */
};

static bool has_text(const struct elf *e, const char *text) { return elf_find_bytes(e, text, strlen(text)) != NULL; }

/* The word after this text, which the file has. */
static bool word_after(const struct elf *e, const char *text, char *word, size_t room)
{
  const char *at = elf_find_bytes(e, text, strlen(text)), *end = e->bytes + e->size;
  size_t n = 0;
  if (!at) return false;
  for (at += strlen(text); at < end && n + 1 < room && isgraph((unsigned char)*at); at++) word[n++] = *at;
  word[n] = 0;
  return n > 0;
}

static struct runtime runtime_of_note(const char *note)
{
  struct runtime r = {.origin = BACTRIAN, .backend = BYTECODE};
  char version[24] = "?", ocaml[24] = "?", mode[12] = "?";
  sscanf(note, "%23s ocaml=%23s mode=%11s", version, ocaml, mode);
  if (strstr(note, "backend=native")) r.backend = NATIVE;
  if (strstr(note, "backend=c")) r.backend = C_ONLY;
  if (r.backend == C_ONLY)
    snprintf(r.text, sizeof r.text, "Bactrian %s, %s, the collector without OCaml", version, mode);
  else
    snprintf(r.text, sizeof r.text, "Bactrian %s for OCaml %s, %s", version, ocaml, mode);
  return r;
}

/* Texts of OCaml's own runtimes, of 4.x and of 5.x. */
static struct runtime runtime_of_texts(const struct elf *e)
{
  struct runtime r = {.backend = has_text(e, "no bytecode file specified") || has_text(e, "the file '%s' is not a bytecode")
                                     ? BYTECODE : NATIVE};
  char version[24];
  if (!has_text(e, "OCAMLRUNPARAM") || !has_text(e, "Fatal error: exception %s\n")) return r;
  r.origin = OTHER;
  if (r.backend == NATIVE || !word_after(e, "The OCaml runtime, version ", version, sizeof version))
    snprintf(version, sizeof version, "%s", has_text(e, "OCAML_RUNTIME_EVENTS_DIR") ? "5" : "4");
  snprintf(r.text, sizeof r.text, "stock, OCaml %s, %s", version,
           has_text(e, "OCaml runtime: debug mode") ? "debug" : "release");
  return r;
}

static struct runtime runtime_of(const struct elf *e)
{
  const char *note = elf_note(e, NOTE_OWNER, NOTE_TYPE, 0);
  return note ? runtime_of_note(note) : runtime_of_texts(e);
}

static const char *backend_text(enum backend b)
{
  return b == BYTECODE ? "bytecode" : b == NATIVE ? "native" : "none";
}

/* ---- Parameters ---- */

static void say_ignored(const char *item, size_t length) { say("ignored parameter", "%.*s", (int)length, item); }

/* What OCaml 5.3's own runtime takes; it passes over others in silence. */
static void say_unknown_to_stock(const char *text)
{
  for (size_t length; *text; text += length + (text[length] == ',')) {
    length = strcspn(text, ",");
    if (length > 0 && !strchr("bcdelMmnopRstvVW", *text)) say_ignored(text, length);
  }
}

static void say_parameters(enum origin origin)
{
  struct gc_params gc = gc_params_default;
  struct runtime_params runtime = runtime_params;
  const char *first = getenv("OCAMLRUNPARAM"), *second = getenv("CAMLRUNPARAM"), *text = first ? first : second;
  if (!text) {
    say("parameters", "none (OCAMLRUNPARAM is not set)");
    return;
  }
  say("parameters", "%s (%s)", text, first ? "OCAMLRUNPARAM" : "CAMLRUNPARAM");
  if (first && second) say("ignored parameters", "%s (CAMLRUNPARAM: OCAMLRUNPARAM comes first)", second);
  params_parse(text, &gc, &runtime, origin == OTHER ? NULL : say_ignored);
  if (origin == OTHER) say_unknown_to_stock(text);
  if (gc.max_domains < 1 || gc.max_domains > DOMAINS_MAX) TROUBLE("d=%zu: there may be 1 to %d domains", gc.max_domains, DOMAINS_MAX);
}

/* ---- Shared libraries of the system ---- */

/* Names each one, and whether it is there. */
static void say_system_libraries(const struct elf *e, const char *path)
{
  const char *name;
  for (size_t i = 0; (name = elf_dynamic(e, DT_NEEDED, i)) != NULL; i++) {
    char *file = elf_library(e, path, name);
    if (file)
      say("shared library", "%s", file);
    else
      TROUBLE("shared library %s is not found", name);
    free(file);
  }
}

/* The runtime that one of them is, or has in it. */
static struct runtime runtime_in_libraries(const struct elf *e, const char *path)
{
  struct runtime r = {.origin = NO_RUNTIME};
  const char *name;
  for (size_t i = 0; r.origin == NO_RUNTIME && (name = elf_dynamic(e, DT_NEEDED, i)) != NULL; i++) {
    struct elf library;
    char *file = elf_library(e, path, name);
    if (file && elf_open(&library, file)) {
      r = runtime_of(&library);
      elf_close(&library);
    } else if (!file && strncmp(name, "libasmrun", 9) == 0) {
      r = (struct runtime){OTHER, NATIVE, "in a shared library that is not found"};
    }
    free(file);
  }
  return r;
}

/* ---- Bytecode ---- */

static bool section_text(const struct image *image, const char *name, struct string_section *s)
{
  if (section_read(image, name, s)) return true;
  TROUBLE("section %s cannot be read", name);
  return false;
}

static bool is_builtin(const char *name)
{
  for (size_t i = 0; caml_names_of_builtin_cprim[i]; i++)
    if (strcmp(caml_names_of_builtin_cprim[i], name) == 0) return true;
  return false;
}

/* Strings of a section, which ends with a zero byte. */
#define FOR_EACH_STRING(string, s) \
  for (const char *string = (s).bytes; string && string < (s).bytes + (s).length && *string; string += strlen(string) + 1)

typedef VEC(struct elf) libraries;

static void open_libraries(struct string_section dlls, libraries *out)
{
  FOR_EACH_STRING(name, dlls) {
    char *file_name = NULL;
    if (asprintf(&file_name, "%s.so", name) < 0) bac_fatal("out of memory");
    char *file = search_path_find(dynlink_path(), file_name);
    struct elf *e = vec_push(out);
    bool there = access(file, F_OK) == 0;
    if (there && elf_open(e, file) && e->header)
      say("shared library", "%s", file);
    else
      TROUBLE("shared library %s %s", there ? file : file_name, there ? "is not a shared library" : "is not found");
    if (!there) out->len--;
    free(file_name);
    free(file);
  }
}

static bool in_libraries(const libraries *all, const char *name)
{
  for (size_t i = 0; i < all->len; i++)
    if (elf_defines(&all->at[i], name)) return true;
  return false;
}

static void say_primitives(struct string_section names, const libraries *all)
{
  enum { NAMED = 5 };
  size_t count = 0, missing = 0;
  FOR_EACH_STRING(name, names) {
    count++;
    if (is_builtin(name) || in_libraries(all, name)) continue;
    if (missing++ < NAMED) TROUBLE("primitive %s is in no library, and Bactrian has none of this name", name);
  }
  if (missing > NAMED) TROUBLE("so are %zu more primitives", missing - NAMED);
  if (missing == 0) say("primitives", "%zu, all in Bactrian%s", count, all->len > 0 ? " or in the libraries" : "");
}

/* Does the program bring its own table of primitives? Then those that Bactrian has are nothing to it. */
static void say_linking(const struct image *image, bool own_runtime)
{
  struct string_section dlls = {0}, dlpt = {0}, prim = {0};
  libraries all = VEC_EMPTY;
  if (section_text(image, "DLLS", &dlls) && section_text(image, "DLPT", &dlpt) && section_text(image, "PRIM", &prim)) {
    dynlink_complete_path(dlpt);
    open_libraries(dlls, &all);
    if (!own_runtime) say_primitives(prim, &all);
  }
  for (size_t i = 0; i < all.len; i++) elf_close(&all.at[i]);
  vec_free(&all);
  free((char *)dlls.bytes);
  free((char *)dlpt.bytes);
  free((char *)prim.bytes);
}

/* The words of a launcher's line that names a runtime; [quotes] of a shell are taken off. */
static char *launcher_word(const char *at, const char *end)
{
  char *word = calloc((size_t)(end - at) + 1, 1), *to = word;
  if (!word) bac_fatal("out of memory");
  bool quoted = false;
  for (; at < end && (quoted || (*at != ' ' && *at != '\t')); at++) {
    if (*at == '\'')
      quoted = !quoted;
    else if (*at == '\\' && !quoted && at + 1 < end)
      *to++ = *++at;
    else
      *to++ = *at;
  }
  return word;
}

static const char *line_end(const struct elf *e, const char *at)
{
  const char *newline = memchr(at, '\n', (size_t)(e->bytes + e->size - at));
  return newline ? newline : e->bytes + e->size;
}

static const char *after_blanks(const char *at, const char *end)
{
  while (at < end && (*at == ' ' || *at == '\t')) at++;
  return at;
}

/* The runtime that the file's first lines name, or its section RNTM; malloc'ed. NULL: none. #!/bin/sh is followed by a
 * line "exec RUNTIME ...", #!/usr/bin/env by the name. */
static char *launcher_runtime(const struct elf *e, const struct image *image)
{
  struct string_section rntm = {0};
  if (e->size < 2 || memcmp(e->bytes, "#!", 2) != 0) {
    if (section_read(image, "RNTM", &rntm) && rntm.bytes) return (char *)rntm.bytes;
    return NULL;
  }
  const char *end = line_end(e, e->bytes), *at = after_blanks(e->bytes + 2, end);
  char *word = launcher_word(at, end);
  size_t length = strlen(word);
  if (length >= 4 && strcmp(word + length - 4, "/env") == 0) {
    at = after_blanks(at + length, end);
  } else if (length >= 3 && strcmp(word + length - 3, "/sh") == 0 && end + 6 < e->bytes + e->size &&
             memcmp(end, "\nexec ", 6) == 0) {
    at = end + 6;
    end = line_end(e, at);
  }
  free(word);
  return launcher_word(at, end);
}

static enum origin say_launcher(const struct elf *e, const struct image *image)
{
  char *name = launcher_runtime(e, image);
  struct runtime r = {.origin = BACTRIAN};
  struct elf runtime;
  if (!name) {
    say("runtime", "none is named: ocamlrun or bactrian run starts it");
    return BACTRIAN;
  }
  char *file = search_executable(name);
  if (!elf_open(&runtime, file))
    TROUBLE("the runtime that it names, %s, cannot be opened: %s", name, strerror(errno));
  else if ((r = runtime_of(&runtime)).origin == NO_RUNTIME || r.backend != BYTECODE)
    TROUBLE("the runtime that it names, %s, is no OCaml bytecode runtime", name);
  else
    say("runtime", "%s (%s)", r.text, file);
  elf_close(&runtime);
  free(file);
  free(name);
  return r.origin;
}

static int report_bytecode(const struct elf *e, const char *path, const struct image *image)
{
  const struct image_section *code = image_section(image, "CODE");
  enum origin origin;
  say("kind", "bytecode executable%s", e->header ? " that carries its runtime (ocamlc -custom)" : "");
  say("back end", "bytecode");
  if (e->header && !image_section(image, "RNTM")) {
    struct runtime r = runtime_of(e);
    if (r.origin == NO_RUNTIME)
      TROUBLE("it starts with a program that is no OCaml runtime");
    else
      say("runtime", "%s", r.text);
    origin = r.origin;
    say_linking(image, true);
    say_system_libraries(e, path);
  } else {
    origin = say_launcher(e, image);
    say_linking(image, false);
  }
  say("code", "%u bytes, %s debugging information", code ? code->length : 0, image_section(image, "DBUG") ? "with" : "no");
  if (!code) TROUBLE("it has no section CODE");
  say_parameters(origin);
  return troubles ? EXIT_TROUBLE : EXIT_SOUND;
}

/* ---- Machine code ---- */

static size_t big_endian_32(const char *at)
{
  const unsigned char *b = (const unsigned char *)at;
  return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

/* ocamlc -output-complete-exe puts the program's marshalled data into the file; a bare interpreter has none. The magic
 * number alone is in the machine code of both: it is followed by how many bytes there are, and how many blocks. */
static bool has_marshalled_data(const struct elf *e)
{
  enum { HEADER = 20 };
  const char *at = e->bytes, *end = e->bytes + e->size;
  for (; (at = memmem(at, (size_t)(end - at), "\x84\x95\xA6", 3)) != NULL; at++) {
    if (end - at < HEADER || at[3] != '\xBE') continue;
    size_t bytes = big_endian_32(at + 4), blocks = big_endian_32(at + 8);
    if (bytes > 0 && bytes <= (size_t)(end - at) - HEADER && blocks <= bytes) return true;
  }
  return false;
}

static const char *machine_kind(const struct elf *e, struct runtime r)
{
  bool object = e->header->e_type == ET_REL, library = e->header->e_type == ET_DYN && !elf_interpreter(e);
  if (r.backend == C_ONLY) return "C program";
  if (r.backend == NATIVE) return object ? "object file of native code" : library ? "shared library of native code" : "native executable";
  if (has_marshalled_data(e)) return "executable with bytecode in it (ocamlc -output-complete-exe)";
  return object || library ? "bytecode interpreter as a library" : "bytecode interpreter";
}

static int report_machine_code(const struct elf *e, const char *path)
{
  struct runtime own = runtime_of(e), r = own.origin != NO_RUNTIME ? own : runtime_in_libraries(e, path);
  if (r.origin == NO_RUNTIME && elf_defines(e, "caml_plugin_header")) {
    say("kind", "plugin for native programs (.cmxs)");
    say("runtime", "that of the program which loads it");
    return EXIT_SOUND;
  }
  if (r.origin == NO_RUNTIME) return EXIT_NO_PROGRAM;
  say("kind", "%s", machine_kind(e, r));
  say("back end", "%s", backend_text(r.backend));
  say("runtime", "%s%s", r.text, own.origin == NO_RUNTIME ? " (in a shared library)" : "");
  say_system_libraries(e, path);
  if (r.backend != C_ONLY) say_parameters(r.origin);
  return troubles ? EXIT_TROUBLE : EXIT_SOUND;
}

/* ---- The command ---- */

static const char help[] =
    "Usage: bactrian doctor <program>\n"
    "Says which OCaml runtime a program has, stock or Bactrian, its version and\n"
    "back end, what it loads, and which parameters OCAMLRUNPARAM gives it now.\n"
    "Nothing is run. Lines \"trouble: ...\" tell what keeps it from starting.\n"
    "\n"
    "Exit code: 0 all is well, 1 there is trouble, 2 no OCaml program.\n";

static int no_program(const char *path, const char *why)
{
  fprintf(stderr, "bactrian: %s is no OCaml program: %s\n", path, why);
  return EXIT_NO_PROGRAM;
}

static const char *what_else(const struct elf *e)
{
  static char text[80];
  if (e->size == 0) return "it is empty";
  if (e->size >= 12 && memcmp(e->bytes, "Caml1999", 8) == 0) {
    snprintf(text, sizeof text, "it is a file of the compiler's, with magic number %.12s", e->bytes);
    return text;
  }
  if (e->size >= SELFMAG && memcmp(e->bytes, ELFMAG, SELFMAG) == 0)
    return e->header ? "there is no OCaml runtime in it" : "it is machine code for another kind of machine";
  return "it is neither bytecode nor machine code";
}

static int report(const char *path)
{
  struct elf e;
  struct image image;
  char why[IMAGE_MESSAGE_SIZE];
  if (!elf_open(&e, path)) return no_program(path, strerror(errno));
  enum image_status status = image_open(&image, path, true, why);
  int code = EXIT_NO_PROGRAM;
  bool bytecode = status == IMAGE_OK, other_version = status == IMAGE_WRONG_MAGIC && memcmp(image.magic, IMAGE_MAGIC, 9) == 0;
  if (bytecode) {
    code = report_bytecode(&e, path, &image);
    image_close(&image);
  } else if (other_version) {
    say("kind", "bytecode executable");
    TROUBLE("its magic number is %s, of another version of OCaml; this one's is %s", image.magic, IMAGE_MAGIC);
    code = EXIT_TROUBLE;
  } else if (e.header) {
    code = report_machine_code(&e, path);
  }
  if (code == EXIT_NO_PROGRAM) no_program(path, why[0] ? why : what_else(&e));
  elf_close(&e);
  return code;
}

int doctor_command(char **argv)
{
  const char *name = argv[1];
  if (name && (strcmp(name, "--help") == 0 || strcmp(name, "-help") == 0 || strcmp(name, "-h") == 0)) {
    fputs(help, stdout);
    return 0;
  }
  if (!name || argv[2]) {
    fprintf(stderr, "bactrian: doctor wants one file\nTry bactrian doctor --help.\n");
    return EXIT_USAGE;
  }
  char *path = strchr(name, '/') || access(name, F_OK) == 0 ? strdup(name) : search_executable(name);
  if (!path) bac_fatal("out of memory");
  int code = report(path);
  free(path);
  return code;
}
