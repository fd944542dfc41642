/* SPDX-License-Identifier: MIT */
/* Marshalling, reading: a reading as a whole, its memory, its errors. The overview of the reader is in intern.h. */
#include "observe/memprof.h"
#include "prims/intern.h"

#include "abi/runtime.h"
#include "base/bits.h"
#include "base/sanitizers.h"

#include <stdio.h>
#include <stdlib.h>

/* An empty string is one byte: two words, and the field that refers to it. */
enum { WORDS_PER_BYTE = 3 };

/* What is larger is not kept for the next message. With nothing kept, the C library gave all of it back to the system at the end of each message of
 * a megabyte, and a fifth of the time of reading was page faults. */
#if UNDER_ASAN
/* As large as the message allows, so that the sanitizer sees each step outside. */
enum { TABLE_LEAST = 1, TABLE_KEPT = 0, STACK_KEPT = 0, BUFFER_KEPT = 0 };
#else
enum { TABLE_LEAST = 256, TABLE_KEPT = 2 << 20, STACK_KEPT = 512 << 10, BUFFER_KEPT = 2 << 20 };
#endif

/* ---- Errors ---- */

void intern_fail(struct intern_state *s, const char *what)
{
  snprintf(s->message, sizeof s->message, "%s: %s", s->who, what);
  _longjmp(s->failed, 1);
}

void intern_fail_name(struct intern_state *s, const char *what, const char *name)
{
  snprintf(s->message, sizeof s->message, "%s: %s %.*s", s->who, what, INTERN_NAME_SHOWN, name);
  _longjmp(s->failed, 1);
}

void intern_truncated(struct intern_state *s) { intern_fail(s, "truncated object"); }
void intern_ill_formed(struct intern_state *s) { intern_fail(s, "ill-formed message"); }

void intern_no_memory(struct intern_state *s)
{
  s->no_memory = true;
  _longjmp(s->failed, 1);
}

/* ---- The state ---- */

static void tell_allocated(struct intern_state *s)
{
  size_t words = s->granted - s->room;
  s->granted = s->room;
  if (words != 0 && s->chunk_start == NULL) gc_bulk_allocated(s->domain, words);
}

static void free_memory(struct intern_state *s)
{
  free(s->memory);
  free(s->plain);
  free(s->scratch);
  s->memory = NULL;
  s->plain = s->scratch = NULL;
  s->scratch_size = 0;
}

static void free_tables(struct intern_state *s, size_t table_kept, size_t stack_kept)
{
  if (s->table_cap * sizeof *s->table > table_kept) {
    free(s->table);
    s->table = NULL;
    s->table_cap = 0;
  }
  if (s->stack_cap * sizeof *s->stack > stack_kept) {
    free(s->stack);
    s->stack = NULL;
    s->stack_cap = 0;
  }
}

static void intern_tidy(struct intern_state *s)
{
  tell_allocated(s);
  free_tables(s, TABLE_KEPT, STACK_KEPT);
  if (s->memory != NULL || s->plain != NULL || s->scratch != NULL) free_memory(s);
  s->depth = 0;
  s->next = s->end = NULL;
  s->chunk = s->chunk_start = NULL;
  memset(s->known_ops, 0, sizeof s->known_ops);
  s->no_memory = false;
}

static struct intern_state *intern_state_make(void)
{
  struct intern_state *s = calloc(1, sizeof *s);
  if (s == NULL) caml_raise_out_of_memory();
  Caml_state->intern_state = s;
  return s;
}

/* In order, whatever an exception of a stub left. */
static struct intern_state *intern_state(void)
{
  struct intern_state *s = Caml_state->intern_state;
  if (unlikely(s == NULL)) return intern_state_make();
  if (unlikely(s->next != NULL)) intern_tidy(s);
  return s;
}

void intern_state_free(struct intern_state *s)
{
  if (s == NULL) return;
  intern_tidy(s);
  free_tables(s, 0, 0);
  marshal_blocks_free(s->buffer);
  free(s);
}

struct caml_output_block *marshal_buffer_take(void)
{
  struct intern_state *s = Caml_state->intern_state;
  if (s == NULL) return NULL;
  struct caml_output_block *b = s->buffer;
  s->buffer = NULL;
  return b;
}

/* [s] is there: the buffer's message has been read. */
void marshal_buffer_keep(struct caml_output_block *b)
{
  struct intern_state *s = Caml_state->intern_state;
  if (s->buffer != NULL || b->end - b->data > BUFFER_KEPT) marshal_blocks_free(b);
  else s->buffer = b;
}

/* ---- Blocks ---- */

/* The collector hears of so many words at a time. */
enum { WORDS_TOLD = 8192 };

void intern_grant(struct intern_state *s, mlsize_t size)
{
  tell_allocated(s);
  s->words_left += s->room;
  s->room = s->granted = 0;
  if (size >= s->words_left) intern_ill_formed(s);
  s->room = s->granted = min_size(s->words_left, max_size(WORDS_TOLD, size + 1));
  s->words_left -= s->room;
}

value intern_unclaimed_block(struct intern_state *s, mlsize_t size, tag_t tag)
{
  if (s->profiled) memprof_hush(s->domain, true);
  value v = gc_alloc_major(s->domain, size, tag);
  if (s->profiled) memprof_hush(s->domain, false);
  if (v == 0) intern_no_memory(s);
  return v;
}

static value cut_nursery_block(struct intern_state *s, mlsize_t size, tag_t tag)
{
  value v = Val_hp(s->chunk);
  *s->chunk = Make_header(size, tag, 0);
  s->chunk += size + 1;
  return v;
}

value intern_block(struct intern_state *s, mlsize_t size, tag_t tag, unsigned kind)
{
  value v;
  if (unlikely(size >= s->room)) intern_grant(s, size);
  if (kind != KIND_FINAL && s->chunk != NULL) {
    v = cut_nursery_block(s, size, tag);
  } else if (kind != KIND_FINAL && s->heap != NULL) {
    v = heap_alloc(s->heap, kind, size, tag);
    if (v == 0) intern_no_memory(s);
  } else {
    v = intern_unclaimed_block(s, size, tag);
    s->granted -= size + 1;
  }
  s->room -= size + 1;
  if (unlikely(s->profiled)) memprof_sample(s->domain, v, MEMPROF_MARSHAL);
  return v;
}

/* ---- A reading ---- */

static COLD _Noreturn void intern_raise(struct intern_state *s)
{
  char message[sizeof s->message];
  bool no_memory = s->no_memory;
  memcpy(message, s->message, sizeof message);
  /* What is in the nursery piece is dropped whole. */
  if (s->chunk_start != NULL) *s->chunk_start = Make_header(s->header.words - 1, Abstract_tag, 0);
  intern_tidy(s);
  if (no_memory) caml_raise_out_of_memory();
  caml_failwith(message);
}

/* Before the data is looked at. NULL: no memory. */
static COLD _Noreturn void intern_refuse(struct intern_state *s, const char *what)
{
  s->no_memory = what == NULL;
  snprintf(s->message, sizeof s->message, "%s: %s", s->who, what == NULL ? "" : what);
  intern_raise(s);
}

static void reserve_objects(struct intern_state *s, size_t objects)
{
  s->object = s->objects = s->objects_end = NULL;
  if (objects == 0) return;
  if (objects > s->header.plain_size || objects > s->header.words / 2) intern_refuse(s, "ill-formed message");
  if (objects > s->table_cap) {
    free(s->table);
    s->table_cap = max_size(objects, TABLE_LEAST);
    s->table = malloc(s->table_cap * sizeof(value));
    if (s->table == NULL) {
      s->table_cap = 0;
      intern_refuse(s, NULL);
    }
  }
  s->object = s->objects = s->table;
  s->objects_end = s->objects + objects;
}

static void check_compression(struct intern_state *s)
{
  /* A zstd frame has at most 128 KiB in a block, and a block has at least 4 bytes. */
  enum { RATIO_MAX = 128 * 1024 };
  if (caml_intern_decompress_input == NULL) intern_refuse(s, "compressed object, cannot decompress");
  if (s->header.plain_size / RATIO_MAX > s->header.data_size) intern_refuse(s, "decompression error");
}

/* The message is built in one piece of the nursery. */
static void begin_in_nursery(struct intern_state *s)
{
  s->room = s->granted = s->header.words;
  s->words_left = s->custom_words = 0;
  if (unlikely(s->profiled)) memprof_hush(s->domain, true);
  gc_nursery_alloc(s->domain, s->header.words);
  if (unlikely(s->profiled)) memprof_hush(s->domain, false);
  s->chunk = s->chunk_start = (header_t *)s->domain->window->young_ptr;
}

/* Or block by block. */
static void begin_in_major_heap(struct intern_state *s)
{
  s->room = s->granted = 0;
  s->words_left = min_size(s->header.words, WORDS_PER_BYTE * s->header.plain_size);
  s->custom_words = s->header.words - s->words_left;
  if (!gc_make_room(s->domain, s->words_left)) intern_refuse(s, NULL);
}

struct intern_state *intern_begin(const struct marshal_header *h, const char *who, void *memory)
{
  struct intern_state *s = intern_state();
  s->memory = memory;
  s->header = *h;
  s->who = who;
  s->domain = Caml_state->domain;
  s->profiled = memprof_is_on(s->domain);
  s->absolute = h->compressed;
  if (h->compressed) check_compression(s);
  reserve_objects(s, h->objects);
  if (h->words >= 2 && h->words <= Max_young_wosize + 1) begin_in_nursery(s);
  else begin_in_major_heap(s);
  s->heap = gc_bulk(s->domain);
  return s;
}

static void decompress(struct intern_state *s, const unsigned char *data)
{
  size_t size = s->header.plain_size;
  s->plain = malloc(max_size(size, 1));
  if (s->plain == NULL) intern_no_memory(s);
  if (caml_intern_decompress_input(s->plain, size, data, s->header.data_size) != size)
    intern_fail(s, "decompression error");
  s->next = s->plain;
}

static NOINLINE value intern_build(struct intern_state *s, const unsigned char *data)
{
  value root = Val_unit;
  s->next = data;
  if (s->header.compressed) decompress(s, data);
  s->end = s->next + s->header.plain_size;
  intern_graph(s, &root);
  if (s->chunk_start != NULL && s->room > 0)
    *s->chunk = Make_header(s->room - 1, Abstract_tag, 0);
  return root;
}

value intern_data(struct intern_state *s, const void *data)
{
  if (_setjmp(s->failed)) intern_raise(s);
  value root = intern_build(s, data);
  intern_tidy(s);
  return root;
}
