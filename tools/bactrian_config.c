/* SPDX-License-Identifier: MIT */
/* bactrian config: where this installation is, and the flags by which compilers use it.
 *
 * All paths follow from the place of the running binary, so that they are right in a build folder, after `make install`, and
 * for a tree that was moved. An installation has bin/bactrian beside lib/bactrian/ and include/; a build folder has
 * bin/bactrian beside lib/, and include/ at the top of the sources.
 *
 * State: the paths, set once. */
#include "abi/5.3/version.h"
#include "base/check.h"
#include "base/note.h"
#include "bytecode/search.h"
#include "bactrian.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
  char *prefix, *bindir, *libdir, *c_libdir, *includedir, *ocamlrun;   /* malloc'ed */
} place;

static PRINTF_LIKE(1, 2) char *text_of(const char *fmt, ...)
{
  char *text = NULL;
  va_list args;
  va_start(args, fmt);
  if (vasprintf(&text, fmt, args) < 0) bac_fatal("out of memory");
  va_end(args);
  return text;
}

/* path without its last n parts */
static char *parent_of(const char *path, int n)
{
  char *copy = text_of("%s", path);
  for (; n > 0; n--) {
    char *slash = strrchr(copy, '/');
    if (slash) *slash = 0;
  }
  return copy;
}

static bool is_there(const char *folder, const char *name)
{
  char *path = text_of("%s/%s", folder, name);
  bool there = access(path, R_OK) == 0;
  free(path);
  return there;
}

static void place_find(void)
{
  char *self = search_own_executable();
  if (!self) bac_fatal("/proc/self/exe cannot be read: where this program is, is not known");
  place.bindir = parent_of(self, 1);
  place.prefix = parent_of(self, 2);
  if (is_there(place.prefix, "lib/bactrian/libcamlrun_bactrian.a")) {
    place.libdir = text_of("%s/lib/bactrian", place.prefix);
    place.c_libdir = text_of("%s/lib", place.prefix);
    place.includedir = text_of("%s/include", place.prefix);
    place.ocamlrun = text_of("%s/bin/ocamlrun", place.libdir);
  } else {
    char *top = parent_of(place.prefix, 2);
    place.libdir = text_of("%s/lib", place.prefix);
    place.c_libdir = text_of("%s/lib", place.prefix);
    place.includedir = text_of("%s/include", top);
    place.ocamlrun = text_of("%s/ocamlrun", place.bindir);
    free(top);
  }
  free(self);
}

/* ---- The values ---- */

static char *value_version(void) { return text_of(BACTRIAN_VERSION); }
static char *value_ocaml_version(void) { return text_of(OCAML_VERSION_TEXT); }
static char *value_mode(void) { return text_of(NOTE_MODE); }
static char *value_prefix(void) { return text_of("%s", place.prefix); }
static char *value_bindir(void) { return text_of("%s", place.bindir); }
static char *value_libdir(void) { return text_of("%s", place.libdir); }
static char *value_includedir(void) { return text_of("%s", place.includedir); }
static char *value_ocamlrun(void) { return text_of("%s", place.ocamlrun); }
static char *value_native(void)
{
  return text_of(is_there(place.libdir, "libasmrun_bactrian.a") ? "true" : "false");
}
static char *value_native_flags(void) { return text_of("-I %s -runtime-variant _bactrian", place.libdir); }
static char *value_native_debug_flags(void) { return text_of("-I %s -runtime-variant _bactriand", place.libdir); }
static char *value_dune_flags(void) { return text_of("(-I \"%s\" -runtime-variant _bactrian)", place.libdir); }
static char *value_byte_flags(void) { return text_of("-use-runtime %s", place.ocamlrun); }
static char *value_ocamlparam(void) { return text_of("_,I=%s,runtime-variant=_bactrian", place.libdir); }
static char *value_c_flags(void) { return text_of("-I%s", place.includedir); }
static char *value_c_libs(void) { return text_of("-L%s -lbactrian -lm -lpthread", place.c_libdir); }

static const struct {
  const char *name;
  char *(*value)(void);
  const char *help;
} values[] = {
    {"version", value_version, "Bactrian's version"},
    {"ocaml-version", value_ocaml_version, "the version of OCaml that it runs"},
    {"mode", value_mode, "release or debug"},
    {"native", value_native, "is there a runtime for native code? true or false"},
    {"prefix", value_prefix, "the installation; in a build folder, this folder"},
    {"bindir", value_bindir, "where bactrian is"},
    {"libdir", value_libdir, "where the runtime libraries for OCaml programs are"},
    {"includedir", value_includedir, "where bactrian/gc.h is"},
    {"ocamlrun", value_ocamlrun, "the bytecode interpreter"},
    {"native-flags", value_native_flags, "for ocamlopt, and for ocamlc -custom or -output-complete-exe"},
    {"native-debug-flags", value_native_debug_flags, "the same, with the runtime's assertions on"},
    {"byte-flags", value_byte_flags, "for ocamlc: the program's #! line names the interpreter"},
    {"dune-flags", value_dune_flags, "native-flags as a list of dune, for link_flags"},
    {"ocamlparam", value_ocamlparam, "native-flags as the variable OCAMLPARAM"},
    {"c-flags", value_c_flags, "for a C compiler: the collector in C programs"},
    {"c-libs", value_c_libs, "for its linker"},
};

/* ---- The command ---- */

static void print_help(void)
{
  puts("Usage: bactrian config [<option>]...\n"
       "Paths and flags of this installation of Bactrian, one line for each option;\n"
       "without options all of them, as \"name: value\".\n");
  for (size_t i = 0; i < countof(values); i++) printf("  --%-18s %s\n", values[i].name, values[i].help);
  puts("  --help               display this text");
}

/* The index of an option's value, countof(values): unknown. */
static size_t option_find(const char *option)
{
  size_t i = 0;
  if (strncmp(option, "--", 2) != 0) return countof(values);
  while (i < countof(values) && strcmp(option + 2, values[i].name) != 0) i++;
  return i;
}

int config_command(char **argv)
{
  for (char **at = argv + 1; *at; at++) {
    if (strcmp(*at, "--help") == 0 || strcmp(*at, "-help") == 0 || strcmp(*at, "-h") == 0) {
      print_help();
      return 0;
    }
    if (option_find(*at) == countof(values)) {
      fprintf(stderr, "bactrian: config has no option %s\nTry bactrian config --help.\n", *at);
      return 127;
    }
  }
  place_find();
  for (char **at = argv + 1; *at; at++) puts(values[option_find(*at)].value());
  for (size_t i = 0; !argv[1] && i < countof(values); i++) printf("%s: %s\n", values[i].name, values[i].value());
  return 0;
}
