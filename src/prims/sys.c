/* SPDX-License-Identifier: MIT */
/* The primitives of Sys: files, environment, arguments, processes, times,
 * constants; and the end of the program.
 *
 * System calls that may take time run in a blocking section, on a copy of the
 * path on the C stack. A failed call raises Sys_error "path: message", where the path has
 * a NUL inside as if there were no such file.
 *
 * State (one struct): the arguments, set once at start, of which Sys.argv can
 * be replaced; how many starts of the runtime have not been shut down. Not here:
 * channels (channels.c), signals (abi/signals.c), parameters (abi/params.c). */
#include "prims/runtime_events.h"
#include "prims/sys.h"

#include "abi/params.h"
#include "abi/runtime.h"
#include "base/memory.h"
#include "observe/events.h"
#include "os/os.h"
#include "prims/strings.h"
#include "sync/atomic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
  value argv;              /* a generational root; [atomic: acquire, it may be replaced] */
  const char *executable;  /* [const] after start */
  int starts;              /* [atomic] calls of sys_startup_begin less those of caml_shutdown */
  int ended;               /* [atomic] the last shutdown has happened */
  bool keeps_memory;       /* [own] of the thread that shuts down */
} sys = {.argv = Val_unit, .executable = ""};

/* ---- Paths ---- */

/* False, with errno set, where no system call would take so long a path. */
static bool copy_path(value path, char copy[PATH_MAX])
{
  if (!caml_string_is_c_safe(path)) {
    errno = ENOENT;
    caml_sys_error(path);
  }
  mlsize_t length = string_length(path);
  errno = ENAMETOOLONG;
  if (length >= PATH_MAX) return false;
  memcpy(copy, String_val(path), length + 1);
  return true;
}

/* Does op(path, mode) in a blocking section. -1: failed, see errno. */
static int call_on_path(value path, int (*op)(const char *, int), int mode)
{
  char copy[PATH_MAX];
  if (!copy_path(path, copy)) return -1;
  caml_enter_blocking_section();
  int result = op(copy, mode);
  caml_leave_blocking_section();
  return result;
}

static value change_path(value path, int (*op)(const char *, int), int mode)
{
  LOCAL_ROOTS(&path);
  if (call_on_path(path, op, mode) == -1) caml_sys_error(path);
  return Val_unit;
}

static int path_unlink(const char *path, int mode) { return unlink(path); }
static int path_rmdir(const char *path, int mode) { return rmdir(path); }
static int path_mkdir(const char *path, int mode) { return mkdir(path, (mode_t)mode); }
static int path_chdir(const char *path, int mode) { return chdir(path); }

/* The file type bits. */
static int path_type(const char *path, int mode)
{
  struct stat st;
  return stat(path, &st) == 0 ? (int)(st.st_mode & S_IFMT) : -1;
}

CAMLprim value caml_sys_remove(value path) { return change_path(path, path_unlink, 0); }
CAMLprim value caml_sys_rmdir(value path) { return change_path(path, path_rmdir, 0); }
CAMLprim value caml_sys_chdir(value path) { return change_path(path, path_chdir, 0); }
CAMLprim value caml_sys_mkdir(value path, value permissions)
{
  return change_path(path, path_mkdir, Int_val(permissions));
}

CAMLprim value caml_sys_file_exists(value path)
{
  return Val_bool(caml_string_is_c_safe(path) && call_on_path(path, path_type, 0) != -1);
}

static value has_type(value path, int type)
{
  LOCAL_ROOTS(&path);
  int found = call_on_path(path, path_type, 0);
  if (found == -1) caml_sys_error(path);
  return Val_bool(found == type);
}

CAMLprim value caml_sys_is_directory(value path) { return has_type(path, S_IFDIR); }
CAMLprim value caml_sys_is_regular_file(value path) { return has_type(path, S_IFREG); }

CAMLprim value caml_sys_rename(value from, value to)
{
  char old[PATH_MAX], new[PATH_MAX];
  bool fits = copy_path(from, old);
  if (!copy_path(to, new) || !fits) caml_sys_error(Val_unit);
  caml_enter_blocking_section();
  int failed = rename(old, new);
  caml_leave_blocking_section();
  if (failed) caml_sys_error(Val_unit);
  return Val_unit;
}

CAMLprim value caml_sys_getcwd(value unit)
{
  char path[PATH_MAX];
  if (getcwd(path, sizeof path) == NULL) caml_sys_error(Val_unit);
  return caml_copy_string(path);
}

/* ---- Directories ---- */

/* Names of files, each ended by a NUL, in one piece of C memory. */
struct names {
  char *text;
  size_t used, size, count;
};

static bool names_add(struct names *names, const char *name)
{
  enum { FIRST_SIZE = 4096 };
  size_t length = strlen(name) + 1;
  while (names->size - names->used < length) {
    size_t size = names->size ? 2 * names->size : FIRST_SIZE;
    char *text = caml_stat_resize_noexc(names->text, size);
    if (text == NULL) return false;
    names->text = text;
    names->size = size;
  }
  memcpy(names->text + names->used, name, length);
  names->used += length;
  names->count++;
  return true;
}

static bool is_dots(const char *name) { return strcmp(name, ".") == 0 || strcmp(name, "..") == 0; }

/* 0 or an errno value. */
static int names_read(struct names *names, const char *directory)
{
  DIR *d = opendir(directory);
  if (d == NULL) return errno;
  int error = 0;
  struct dirent *entry;
  while (!error && (entry = readdir(d)) != NULL)
    if (!is_dots(entry->d_name) && !names_add(names, entry->d_name)) error = ENOMEM;
  closedir(d);
  return error;
}

static value names_to_array(const struct names *names)
{
  value array = caml_alloc(names->count, 0), name = Val_unit;
  LOCAL_ROOTS(&array, &name);
  const char *at = names->text;
  for (size_t i = 0; i < names->count; i++) {
    name = caml_copy_string(at);
    Store_field(array, i, name);
    at += strlen(at) + 1;
  }
  return array;
}

CAMLprim value caml_sys_read_directory(value path)
{
  LOCAL_ROOTS(&path);
  char copy[PATH_MAX];
  struct names names = {0};
  if (!copy_path(path, copy)) caml_sys_error(path);
  caml_enter_blocking_section();
  int error = names_read(&names, copy);
  caml_leave_blocking_section();
  if (error) {
    caml_stat_free(names.text);
    errno = error;
    caml_sys_error(path);
  }
  value array = names_to_array(&names);
  caml_stat_free(names.text);
  return array;
}

/* ---- Descriptors ---- */

/* The constructors of Stdlib.open_flag; text and binary are the same on Unix. */
static const int open_flags[] = {
    O_RDONLY, O_WRONLY, O_WRONLY | O_APPEND, O_CREAT, O_TRUNC, O_EXCL, 0, 0, O_NONBLOCK,
};

CAMLprim value caml_sys_open(value path, value flags, value permissions)
{
  LOCAL_ROOTS(&path);
  char copy[PATH_MAX];
  int mode = caml_convert_flag_list(flags, open_flags) | O_CLOEXEC;
  if (!copy_path(path, copy)) caml_sys_error(path);
  caml_enter_blocking_section();
  int fd = open(copy, mode, Int_val(permissions));
  caml_leave_blocking_section();
  if (fd == -1) caml_sys_error(path);
  return Val_int(fd);
}

CAMLprim value caml_sys_close(value fd)
{
  caml_enter_blocking_section();
  close(Int_val(fd));
  caml_leave_blocking_section();
  return Val_unit;
}

/* ---- Environment and arguments ---- */

static value find_variable(value name, char *(*find)(const char *))
{
  const char *text = caml_string_is_c_safe(name) ? find(String_val(name)) : NULL;
  if (text == NULL) caml_raise_not_found();
  return caml_copy_string(text);
}

/* secure_getenv answers nothing to a program that runs with more rights than its user. */
CAMLprim value caml_sys_getenv(value name) { return find_variable(name, secure_getenv); }
CAMLprim value caml_sys_unsafe_getenv(value name) { return find_variable(name, getenv); }

void sys_set_arguments(const char *exe, char **argv)
{
  sys.executable = mem_strdup(exe);
  if (!sys.executable) caml_raise_out_of_memory();
  value all = caml_copy_string_array((const char *const *)argv);
  gc_root_add_generational(&sys.argv);
  gc_root_modify_generational(&sys.argv, all);
}

CAMLprim value caml_sys_argv(value unit) { return load_acquire(&sys.argv); }

CAMLprim value caml_sys_modify_argv(value argv)
{
  gc_root_modify_generational(&sys.argv, argv);
  return Val_unit;
}

CAMLprim value caml_sys_executable_name(value unit) { return caml_copy_string(sys.executable); }

CAMLprim value caml_sys_get_argv(value unit)
{
  value name = caml_copy_string(sys.executable);
  return caml_alloc_2(0, name, caml_sys_argv(Val_unit));
}

/* ---- Processes ---- */

/* The copy of the command is made when no handler can raise any more. */
CAMLprim value caml_sys_system_command(value command)
{
  LOCAL_ROOTS(&command);
  if (!caml_string_is_c_safe(command)) {
    errno = EINVAL;
    caml_sys_error(command);
  }
  caml_process_pending_actions();
  char *copy = caml_stat_strdup(String_val(command));
  caml_enter_blocking_section_no_pending();
  int status = system(copy);
  caml_leave_blocking_section();
  int error = errno;
  caml_stat_free(copy);
  errno = error;
  if (status == -1) caml_sys_error(command);
  return Val_int(WIFEXITED(status) ? WEXITSTATUS(status) : 255);
}

static void print_exit_statistics(void)
{
  struct gc_stats s;
  if (!gc_wants_messages(MESSAGE_EXIT_STATISTICS)) return;
  gc_quick_stat(Caml_state->domain, &s);
  const struct { const char *name; uint64_t n; } lines[] = {
      {"allocated_words", s.minor_words + s.major_words - s.promoted_words},
      {"minor_words", s.minor_words},
      {"promoted_words", s.promoted_words},
      {"major_words", s.major_words},
      {"minor_collections", s.minor_collections},
      {"major_collections", s.major_collections},
      {"forced_major_collections", s.forced_major_collections},
      {"heap_words", s.heap_words},
      {"top_heap_words", s.top_heap_words},
  };
  for (size_t i = 0; i < countof(lines); i++)
    gc_message(MESSAGE_EXIT_STATISTICS, "%s: %lu\n", lines[i].name, (unsigned long)lines[i].n);
}

CAMLexport void caml_do_exit(int status)
{
  print_exit_statistics();
  if (caml_debugger_in_use) debugger_exit_hook();
  caml_runtime_events_destroy();
  if (runtime_params.cleanup_on_exit) caml_shutdown();
  exit(status);
}

CAMLprim value caml_sys_exit(value status) { caml_do_exit(Int_val(status)); }

bool sys_startup_begin(void)
{
  if (load_seq(&sys.ended))
    caml_fatal_error("caml_startup was called after the runtime was shut down with caml_shutdown");
  return add_seq(&sys.starts, 1) == 0;
}

/* Exceptions of these functions are nobody's. */
static void call_named(const char *name)
{
  const value *f = caml_named_value(name);
  if (f) caml_callback_exn(*f, Val_unit);
}

void sys_keep_memory(void) { sys.keeps_memory = true; }

/* A library that contains the runtime may be unloaded, and loaded again: nothing of ours may stay behind. */
static void free_everything(void)
{
  struct domain *d = domain_self();
  caml_runtime_events_destroy();
  signals_leave(d);
  if (!gc_stop(d)) return;
  os_threads_end();
  events_free_names();
  state_take(NULL);
  backend_stop();
  mem_free_all();
}

CAMLexport void caml_shutdown(void)
{
  int starts = sub_seq(&sys.starts, 1);
  if (starts <= 0)
    caml_fatal_error("a call to caml_shutdown has no corresponding call to caml_startup");
  if (starts > 1) return;
  call_named("Pervasives.do_at_exit");
  call_named("Thread.at_shutdown");
  store_seq(&sys.ended, 1);
  signals_reset();
  if (!sys.keeps_memory) free_everything();
}

/* ---- Times and chance ---- */

static double seconds_used(int who)
{
  struct rusage used;
  getrusage(who, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

CAMLexport double caml_sys_time_include_children_unboxed(value include_children)
{
  double children = Bool_val(include_children) ? seconds_used(RUSAGE_CHILDREN) : 0;
  return seconds_used(RUSAGE_SELF) + children;
}

CAMLexport double caml_sys_time_unboxed(value unit) { return seconds_used(RUSAGE_SELF); }

CAMLprim value caml_sys_time(value unit) { return caml_copy_double(caml_sys_time_unboxed(unit)); }

CAMLprim value caml_sys_time_include_children(value include_children)
{
  return caml_copy_double(caml_sys_time_include_children_unboxed(include_children));
}

/* An array of integers for Random.self_init: bytes of the system's, or what is
 * least likely to be the same twice. */
CAMLprim value caml_sys_random_seed(value unit)
{
  enum { SEED_BYTES = 12 };
  intnat seed[SEED_BYTES];
  unsigned char bytes[SEED_BYTES];
  mlsize_t n = 0;
  if (getentropy(bytes, sizeof bytes) == 0) {
    for (; n < SEED_BYTES; n++) seed[n] = bytes[n];
  } else {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed[n++] = now.tv_nsec;
    seed[n++] = now.tv_sec;
    seed[n++] = getpid();
    seed[n++] = getppid();
  }
  value array = caml_alloc_small(n, 0);
  for (mlsize_t i = 0; i < n; i++) Field(array, i) = Val_long(seed[i]);
  return array;
}

/* ---- Constants ---- */

CAMLprim value caml_sys_const_big_endian(value unit) { return Val_false; }
CAMLprim value caml_sys_const_word_size(value unit) { return Val_int(8 * sizeof(value)); }
CAMLprim value caml_sys_const_int_size(value unit) { return Val_int(8 * sizeof(value) - 1); }
CAMLprim value caml_sys_const_max_wosize(value unit) { return Val_long(Max_wosize); }
CAMLprim value caml_sys_const_ostype_unix(value unit) { return Val_true; }
CAMLprim value caml_sys_const_ostype_win32(value unit) { return Val_false; }
CAMLprim value caml_sys_const_ostype_cygwin(value unit) { return Val_false; }
/* Sys.Bytecode. */
CAMLprim value caml_sys_const_backend_type(value unit) { return Val_int(1); }

CAMLprim value caml_sys_get_config(value unit)
{
  value os = caml_copy_string("Unix");
  return caml_alloc_3(0, os, Val_int(8 * sizeof(value)), Val_false);
}

/* Directories beside those that the OCaml side knows: none on Unix. */
CAMLprim value caml_xdg_defaults(value unit) { return Val_emptylist; }

#ifdef BAC_DEBUG
#define VARIANT "_bactriand"
#else
#define VARIANT "_bactrian"
#endif

/* The documentation's "name of the runtime variant": what -runtime-variant would be given. */
CAMLprim value caml_runtime_variant(value unit) { return caml_copy_string(VARIANT); }
