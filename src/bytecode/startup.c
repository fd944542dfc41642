/* SPDX-License-Identifier: MIT */
/* Starting a program: parameters, the collector, loading, running, the end.
 * What the command line looks like: the manual, "The runtime system (ocamlrun)";
 * messages and exit codes are stock's.
 *
 * State: what Dynlink and backtraces later ask about the program's file. */
#include "bytecode/startup.h"

#include "abi/params.h"
#include "base/note.h"
#include "bytecode/bytecode.h"
#include "bytecode/debugger.h"
#include "bytecode/debuginfo.h"
#include "bytecode/load.h"
#include "bytecode/meta.h"
#include "gc/message.h"
#include "prims/runtime_events.h"
#include "prims/sys.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void caml_fatal_uncaught_exception(value exn);

RUNTIME_NOTE(OCAML_VERSION_TEXT, "bytecode");

/* Set by the C file that ocamlc -output-complete-exe writes: such programs have no file to read
 * debugging information from. */
CAMLexport enum caml_byte_program_mode { STANDARD, COMPLETE_EXE } caml_byte_program_mode = STANDARD;

static struct {
  const char *file;                /* [const after the start] malloc'ed */
  struct string_section sections;  /* [const after the start] of a linked program */
} program_origin;

const char *startup_program_file(void) { return program_origin.file; }
struct string_section startup_section_table(void) { return program_origin.sections; }

enum { EXIT_USAGE = 127 };

static _Noreturn PRINTF_LIKE(1, 2) void usage_error(const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  vfprintf(stderr, fmt, args);
  va_end(args);
  fputc('\n', stderr);
  exit(EXIT_USAGE);
}

/* ---- The runtime ---- */

void startup_runtime(const struct gc_params *params)
{
  const char *why = NULL;
  struct domain *d = gc_init(params, &bytecode_client, &why);
  if (!d) bac_fatal("cannot start: %s", why ? why : "no memory");
  state_set_self(d);
  custom_ratio_follow();
  globals_install_predefined();
  caml_runtime_events_init();
  debugger_connect();
}

/* An exception comes back marked. Takes [file] over. */
static value program_run(const struct program *p, char *file, char **argv)
{
  caml_global_data = p->globals;
  program_origin.file = file;
  debuginfo_set_program(p->code, p->words, caml_byte_program_mode == COMPLETE_EXE ? NULL : file);
  if (!code_install(p->code, p->words, NULL)) bac_fatal("out of memory");
  sys_set_arguments(file, argv);
  if (runtime_params.backtrace > 1) debuginfo_read_program();
  if (!caml_debugger_in_use) return interp_run(p->code, Atom(0));
  debugger_add_program(p->code, p->words);
  debugger_start();
  value result = interp_run(p->code, Atom(0));
  if (caml_debugger_in_use && Is_exception_result(result)) debugger_uncaught(Extract_exception(result));
  return result;
}

/* ---- ocamlrun's options ---- */

struct options {
  bool print_magic, print_config;
  bool backtrace, verbose;
  size_t trace;
};

static const char help[] =
    "Usage: ocamlrun [<options>] [--] <executable> [<command-line>]\n"
    "Options are:\n"
    "  -b  Set runtime parameter b (detailed exception backtraces)\n"
    "  -config  Print configuration values and exit\n"
    "  -events  Trace debug events in bytecode interpreter (ignored \n"
    "      if not ocamlrund)\n"
    "  -I <dir>  Add <dir> to the list of DLL search directories\n"
    "  -m  Print the magic number of <executable> and exit\n"
    "  -M  Print the magic number expected by this runtime and exit\n"
    "  -p  Print the names of the primitives known to this runtime\n"
    "  -t  Trace the execution of the bytecode interpreter (specify multiple\n"
    "      times to increase verbosity; ignored if not ocamlrund)\n"
    "  -v  Set runtime parameter v=61 (GC event information)\n"
    "  -version  Print version string and exit\n"
    "  -vnum  Print short version number and exit\n"
    "  -help  Display this list of options\n"
    "  --help  Display this list of options\n";

static _Noreturn void print_and_exit(const char *text)
{
  fputs(text, stdout);
  exit(0);
}

static _Noreturn void print_primitives(void)
{
  for (size_t i = 0; caml_names_of_builtin_cprim[i]; i++) puts(caml_names_of_builtin_cprim[i]);
  exit(0);
}

/* One option without argument; false: unknown. */
static bool option_read(const char *option, struct options *o)
{
  static const struct { const char *name, *text; } printed[] = {
      {"-M", EXEC_MAGIC "\n"},
      {"-version", "The OCaml runtime, version " OCAML_VERSION_TEXT "\n"},
      {"-vnum", OCAML_VERSION_TEXT "\n"},
      {"-help", help},
      {"--help", help},
  };
  for (size_t i = 0; i < countof(printed); i++)
    if (strcmp(option, printed[i].name) == 0) print_and_exit(printed[i].text);
  if (strcmp(option, "-p") == 0) print_primitives();
  if (strcmp(option, "-t") == 0)
    o->trace++;
  else if (strcmp(option, "-v") == 0)
    o->verbose = true;
  else if (strcmp(option, "-b") == 0)
    o->backtrace = true;
  else if (strcmp(option, "-m") == 0)
    o->print_magic = true;
  else if (strcmp(option, "-config") == 0)
    o->print_config = true;
  else
    return strcmp(option, "-events") == 0;   /* for a debugging runtime */
  return true;
}

/* The rest of the command line, from the program's file on. */
static char **options_read(char **argv, struct options *o)
{
  char **at = argv + 1;
  for (; at[0] && at[0][0] == '-'; at++) {
    if (strcmp(at[0], "--") == 0) return at + 1;
    if (strcmp(at[0], "-I") == 0) {
      if (!*++at) usage_error("option '-I' needs an argument.");
      dynlink_add_directory(*at);
    } else if (!option_read(at[0], o)) {
      usage_error("unknown option %s", at[0]);
    }
  }
  return at;
}

#if defined(__x86_64__)
#define HOST_NAME "x86_64-pc-linux-gnu"
#else
#define HOST_NAME "aarch64-unknown-linux-gnu"
#endif

/* Names and figures as stock prints them, with its two sizes in this order. */
static _Noreturn void print_config(void)
{
  printf("version: " OCAML_VERSION_TEXT "\n"
         "standard_library_default: %s\n"
         "standard_library: %s\n"
         "int_size: 64\n"
         "word_size: 63\n"
         "os_type: Unix\n"
         "host: " HOST_NAME "\n"
         "flat_float_array: true\n"
         "supports_afl: false\n"
         "windows_unicode: false\n"
         "supports_shared_libraries: true\n"
         "no_naked_pointers: true\n"
         "reserved header bits: 0\n"
         "exec_magic_number: " EXEC_MAGIC "\n"
         "shared_libs_path:\n",
         dynlink_default_library(), caml_get_stdlib_location());
  dynlink_add_ld_conf();
  for (size_t i = 0; i < dynlink_path()->dirs.len; i++) {
    const char *dir = dynlink_path()->dirs.at[i];
    printf("  %s\n", dir[0] ? dir : ".");
  }
  exit(0);
}

/* ---- The program's file ---- */

static void startup_message(const struct gc_params *gc, const char *fmt, const char *name)
{
  if (!(gc->verbose & MESSAGE_STARTUP)) return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  fprintf(stderr, fmt, name);
#pragma GCC diagnostic pop
}

/* Is the running executable its own program? On success *file is its name, malloc'ed. */
static bool open_own(char **argv, const struct gc_params *gc, struct image *image, char **file)
{
  char *candidates[2] = {argv[0] ? search_executable(argv[0]) : NULL, search_own_executable()};
  *file = NULL;
  for (int i = 0; i < 2; i++) {
    if (*file || !candidates[i]) continue;
    startup_message(gc, "Opening bytecode executable %s\n", candidates[i]);
    if (image_open(image, candidates[i], false, NULL) == IMAGE_OK)
      *file = candidates[i];
    else
      startup_message(gc, "Not a bytecode executable%s\n", "");
  }
  for (int i = 0; i < 2; i++)
    if (candidates[i] != *file) free(candidates[i]);
  return *file != NULL;
}

static void open_named(const char *name, const struct gc_params *gc, const struct options *o, struct image *image,
                       char **file)
{
  char why[IMAGE_MESSAGE_SIZE];
  *file = search_executable(name);
  startup_message(gc, "Opening bytecode executable %s\n", *file);
  enum image_status status = image_open(image, *file, true, why);
  if (status == IMAGE_NO_FILES || status == IMAGE_NOT_FOUND) startup_message(gc, "Cannot open file%s\n", "");
  if (status == IMAGE_NOT_BYTECODE) startup_message(gc, "Not a bytecode executable%s\n", "");
  if (o->print_magic && image->magic[0]) {
    puts(image->magic);
    exit(0);
  }
  switch (status) {
  case IMAGE_OK: return;
  case IMAGE_NO_FILES:
  case IMAGE_NOT_FOUND: usage_error("cannot find file '%s'", name);
  case IMAGE_NOT_BYTECODE:
    usage_error("the file '%s' is not a bytecode executable file%s%s", name, why[0] ? ": " : "", why);
  case IMAGE_WRONG_MAGIC:
    usage_error("the file '%s' has not the right magic number: expected %s, got %s", name, EXEC_MAGIC, image->magic);
  }
}

static void load_or_exit(struct image *image, const char *file, struct program *p)
{
  char why[LOAD_MESSAGE_SIZE];
  enum load_status status = program_load(image, true, p, why);
  image_close(image);
  if (status == LOAD_UNLINKABLE) caml_fatal_error("%s", why);
  if (status == LOAD_DAMAGED) usage_error("the file '%s' is damaged: %s", file, why);
}

/* ---- Entry points ---- */

void startup_run(char **argv, bool own_program)
{
  struct gc_params gc = gc_params_default;
  struct options options = {0};
  struct image image;
  struct program program;
  char *file;
  params_read_environment(&gc);
  if (!sys_startup_begin()) return;
  if (runtime_params.cleanup_on_exit) caml_stat_create_pool();
  if (!own_program || !open_own(argv, &gc, &image, &file)) {
    argv = options_read(argv, &options);
    if (options.print_config) print_config();
    if (!argv[0]) usage_error("no bytecode file specified");
    open_named(argv[0], &gc, &options, &image, &file);
  }
  if (options.verbose) gc.verbose = 61;
  if (options.backtrace) runtime_params.backtrace = 1;
  runtime_params.trace += options.trace;

  startup_runtime(&gc);
  load_or_exit(&image, file, &program);
  value result = program_run(&program, file, argv);
  if (Is_exception_result(result)) caml_fatal_uncaught_exception(Extract_exception(result));
}

CAMLexport void caml_main(char **argv) { startup_run(argv, true); }

/* Code, global data and sections are those of the C file that ocamlc wrote. */
CAMLexport value caml_startup_code_exn(code_t code, asize_t code_size, char *data, asize_t data_size,
                                       char *section_table, asize_t section_table_size, int pooling, char **argv)
{
  struct gc_params gc = gc_params_default;
  char why[LOAD_MESSAGE_SIZE];
  params_read_environment(&gc);
  if (!sys_startup_begin()) return Val_unit;
  if (pooling || runtime_params.cleanup_on_exit) caml_stat_create_pool();
  startup_runtime(&gc);
  dynlink_complete_path((struct string_section){NULL, 0});
  dynlink_builtin();
  struct program program = {code, code_size / sizeof *code, globals_read(data, data_size, why)};
  if (program.globals == Val_unit || !program_check(&program, why)) caml_fatal_error("the program is damaged: %s", why);
  program_origin.sections = (struct string_section){section_table, section_table_size};
  char *file = search_own_executable();
  return program_run(&program, file ? file : search_executable(argv[0]), argv);
}

CAMLexport void caml_startup_code(code_t code, asize_t code_size, char *data, asize_t data_size, char *section_table,
                                  asize_t section_table_size, int pooling, char **argv)
{
  value result = caml_startup_code_exn(code, code_size, data, data_size, section_table, section_table_size, pooling, argv);
  if (Is_exception_result(result)) caml_fatal_uncaught_exception(Extract_exception(result));
}

void backend_stop(void)
{
  dynlink_clear();
  free((char *)program_origin.file);
}

/* ---- Checking ---- */

/* Any bytes, as one line. */
static void make_printable(char *text)
{
  for (; *text; text++)
    if (*text < ' ' || *text > '~') *text = '?';
}

static const char *status_text(enum image_status status, const struct image *image, char *why)
{
  switch (status) {
  case IMAGE_OK: return "";
  case IMAGE_NOT_FOUND: return "cannot be opened";
  case IMAGE_NO_FILES: return "cannot be opened: too many open files";
  case IMAGE_NOT_BYTECODE: return why[0] ? why : "not a bytecode executable file";
  case IMAGE_WRONG_MAGIC:
    snprintf(why, LOAD_MESSAGE_SIZE, "not the right magic number: expected %s, got %s", EXEC_MAGIC, image->magic);
    make_printable(why);
    return why;
  }
  return "unknown";
}

int startup_check(const char *name)
{
  struct gc_params gc = gc_params_default;
  struct image image;
  struct program program;
  char why[LOAD_MESSAGE_SIZE];
  params_read_environment(&gc);
  startup_runtime(&gc);
  char *file = search_executable(name);
  enum image_status status = image_open(&image, file, true, why);
  bool sound = status == IMAGE_OK && program_load(&image, false, &program, why) == LOAD_OK;
  if (sound)
    printf("%s: sound: %zu words of code, %zu primitives, %zu globals\n", file, program.words, dynlink_primitives(),
           (size_t)Wosize_val(program.globals));
  else
    fprintf(stderr, "%s: %s\n", file, status == IMAGE_OK ? why : status_text(status, &image, why));
  if (status == IMAGE_OK) image_close(&image);
  if (sound) program_drop(&program);
  free(file);
  return sound ? 0 : 1;
}
