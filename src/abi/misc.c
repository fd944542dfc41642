/* SPDX-License-Identifier: MIT */
/* Fatal errors, collector messages, small tables: what <caml/misc.h>,
 * <caml/sys.h> and <caml/debugger.h> declare and no other room has.
 *
 * State: the hooks and flags that the ABI exports. */
#include "abi/runtime.h"
#include "sync/atomic.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Fatal errors ---- */

/* If set, called in place of printing. */
CAMLexport void (*caml_fatal_error_hook)(char *msg, va_list args);

CAMLexport void caml_fatal_error(const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  void (*hook)(char *, va_list) = load_seq(&caml_fatal_error_hook);
  if (hook) {
    hook((char *)fmt, args);
  } else {
    fputs("Fatal error: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
  }
  va_end(args);
  abort();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
CAMLexport void caml_fatal_error_arg(const char *fmt, const char *arg)
{
  fputs("Fatal error: ", stderr);
  fprintf(stderr, fmt, arg);
  exit(2);
}

CAMLexport void caml_fatal_error_arg2(const char *fmt1, const char *arg1, const char *fmt2,
                                      const char *arg2)
{
  fputs("Fatal error: ", stderr);
  fprintf(stderr, fmt1, arg1);
  fprintf(stderr, fmt2, arg2);
  exit(2);
}
#pragma GCC diagnostic pop

/* ---- Messages ---- */

CAMLexport void caml_gc_message(int level, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  gc_message_va((unsigned)level, fmt, args);
  va_end(args);
}

/* One line, of the calling domain. */
CAMLexport void caml_gc_log(const char *fmt, ...)
{
  if (!gc_wants_messages(MESSAGE_DEBUGGING)) return;
  va_list args;
  va_start(args, fmt);
  flockfile(stderr);
  fprintf(stderr, "[%02d] ", Caml_state ? Caml_state->id : -1);
  vfprintf(stderr, fmt, args);
  fputc('\n', stderr);
  funlockfile(stderr);
  va_end(args);
}

/* ---- The system's messages ---- */

CAMLexport char *caml_strerror(int errnum, char *buf, size_t size)
{
  return strerror_r(errnum, buf, size);
}

/* ---- Tables of pointers, as <caml/misc.h> has them ---- */

struct ext_table {
  int size, capacity;
  void **contents;
};

CAMLexport void caml_ext_table_init(struct ext_table *table, int capacity)
{
  table->size = 0;
  table->capacity = capacity > 0 ? capacity : 1;
  table->contents = caml_stat_alloc(sizeof(void *) * (size_t)table->capacity);
}

/* The new item's index; -1: no memory. */
CAMLexport int caml_ext_table_add_noexc(struct ext_table *table, void *item)
{
  if (table->size == table->capacity) {
    int larger = table->capacity > INT32_MAX / 2 ? INT32_MAX : table->capacity * 2;
    void **moved = larger == table->capacity
                       ? NULL
                       : caml_stat_resize_noexc(table->contents, sizeof(void *) * (size_t)larger);
    if (moved == NULL) return -1;
    table->contents = moved;
    table->capacity = larger;
  }
  table->contents[table->size] = item;
  return table->size++;
}

CAMLexport int caml_ext_table_add(struct ext_table *table, void *item)
{
  int index = caml_ext_table_add_noexc(table, item);
  if (index < 0) caml_raise_out_of_memory();
  return index;
}

/* Takes out the first such item, and frees it. */
CAMLexport void caml_ext_table_remove(struct ext_table *table, void *item)
{
  int at = 0;
  while (at < table->size && table->contents[at] != item) at++;
  if (at == table->size) return;
  caml_stat_free(item);
  table->size--;
  memmove(&table->contents[at], &table->contents[at + 1],
          sizeof(void *) * (size_t)(table->size - at));
}

CAMLexport void caml_ext_table_clear(struct ext_table *table, int free_items)
{
  if (free_items)
    for (int i = 0; i < table->size; i++) caml_stat_free(table->contents[i]);
  table->size = 0;
}

CAMLexport void caml_ext_table_free(struct ext_table *table, int free_items)
{
  caml_ext_table_clear(table, free_items);
  caml_stat_free(table->contents);
}

/* Adds the names in a directory, but for . and .., as strings to be freed. -1: errno says why not. */
CAMLexport int caml_read_directory(char *name, struct ext_table *table)
{
  DIR *dir = opendir(name);
  if (dir == NULL) return -1;
  struct dirent *entry;
  while ((entry = readdir(dir)) != NULL)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      caml_ext_table_add(table, caml_stat_strdup(entry->d_name));
  closedir(dir);
  return 0;
}

/* ---- Instrumentation that bytecode has not ---- */

CAMLprim value caml_reset_afl_instrumentation(value full) { return Val_unit; }
CAMLexport value caml_setup_afl(value unit) { return Val_unit; }

/* ---- The debugger. The Unix library asks when it forks. ---- */

CAMLexport int caml_debugger_in_use = 0;
CAMLexport int caml_debugger_fork_mode = 1;
void (*debugger_leave_hook)(void), (*debugger_exit_hook)(void);
CAMLexport void caml_debugger_cleanup_fork(void)
{
  if (debugger_leave_hook) debugger_leave_hook();
}
