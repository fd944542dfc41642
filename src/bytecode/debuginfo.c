/* SPDX-License-Identifier: MIT */
/* Tables of debug events: see debuginfo.h.
 *
 * Source of the layouts: bytecomp/instruct.mli (debug_event), Location.t,
 * Lexing.position, bytecomp/bytelink.ml (the section DBUG). Event lists are
 * OCaml values only while a table is made from them; values of an unexpected
 * shape are passed over. */
#include "bytecode/debuginfo.h"

#include "abi/codefrag.h"
#include "bytecode/bytecode.h"
#include "bytecode/guard.h"
#include "bytecode/image.h"
#include "bytecode/opcodes.h"
#include "prims/marshal.h"
#include "sync/lock.h"

#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

struct event {
  uint32_t word;                 /* of the fragment's code */
  int start_line, start_char, end_line, end_char, end_offset;
  const char *file, *definition; /* interned */
};

struct events {
  VEC(struct event) list;
};

enum { NOT_READ = 0, READ = 1 }; /* or a negative enum image_status */

struct fragment {
  const opcode_t *code, *end;    /* [const] */
  struct events events;          /* [lock] once published it does not change */
  int status;                    /* [lock] READ, or NOT_READ for the program */
  struct fragment *next;         /* [lock] */
};

static struct {
  struct lock lock;              /* RANK_ABI */
  struct fragment *fragments;    /* [lock] newest first; the last is the program */
  struct fragment *program;      /* [const after the start] */
  const char *file;              /* [const after the start] */
  struct interned **strings;     /* [lock] hash table, a power of two */
  size_t string_count, string_buckets;
} debug = {.lock = LOCK_INIT(RANK_ABI)};

/* ---- Strings that live for ever ---- */

struct interned {
  struct interned *next;
  uint32_t hash;
  char text[];
};

static uint32_t string_hash(const char *s)
{
  uint32_t h = 2166136261u;      /* FNV-1a */
  while (*s) h = (h ^ (unsigned char)*s++) * 16777619u;
  return h;
}

static void intern_grow(void)
{
  size_t buckets = debug.string_buckets ? debug.string_buckets * 2 : 256;
  struct interned **larger = mem_calloc(buckets, sizeof *larger);
  if (!larger) bac_fatal("out of memory for debugging information");
  for (size_t i = 0; i < debug.string_buckets; i++)
    for (struct interned *s = debug.strings[i], *next; s; s = next) {
      next = s->next;
      s->next = larger[s->hash & (buckets - 1)];
      larger[s->hash & (buckets - 1)] = s;
    }
  mem_free(debug.strings);
  debug.strings = larger;
  debug.string_buckets = buckets;
}

/* Under the lock. */
static const char *intern(const char *text)
{
  uint32_t hash = string_hash(text);
  if (debug.string_count >= debug.string_buckets) intern_grow();
  struct interned **bucket = &debug.strings[hash & (debug.string_buckets - 1)];
  for (struct interned *s = *bucket; s; s = s->next)
    if (s->hash == hash && strcmp(s->text, text) == 0) return s->text;
  struct interned *s = mem_alloc(sizeof *s + strlen(text) + 1);
  if (!s) bac_fatal("out of memory for debugging information");
  s->hash = hash;
  s->next = *bucket;
  strcpy(s->text, text);
  *bucket = s;
  debug.string_count++;
  return s->text;
}

/* ---- From event lists to a table ---- */

/* Fields of the OCaml records. */
enum { EVENT_POSITION = 0, EVENT_LOCATION = 2, EVENT_DEFINITION = 4 };
enum { LOCATION_START = 0, LOCATION_END = 1 };
enum { POSITION_FILE = 0, POSITION_LINE = 1, POSITION_LINE_START = 2, POSITION_OFFSET = 3 };

static bool is_record(value v, mlsize_t fields)
{
  return Is_block(v) && Tag_val(v) == 0 && Wosize_val(v) >= fields;
}
static bool is_string(value v) { return Is_block(v) && Tag_val(v) == String_tag; }

static bool is_position(value v)
{
  return is_record(v, 4) && is_string(Field(v, POSITION_FILE)) && Is_long(Field(v, POSITION_LINE)) &&
         Is_long(Field(v, POSITION_LINE_START)) && Is_long(Field(v, POSITION_OFFSET));
}

static int position_column(value position, value line_of)
{
  return (int)(Long_val(Field(position, POSITION_OFFSET)) - Long_val(Field(line_of, POSITION_LINE_START)));
}

static void event_add(struct events *events, value record, size_t origin)
{
  if (!is_record(record, 5) || !Is_long(Field(record, EVENT_POSITION))) return;
  value location = Field(record, EVENT_LOCATION), definition = Field(record, EVENT_DEFINITION);
  if (!is_record(location, 2)) return;
  value start = Field(location, LOCATION_START), end = Field(location, LOCATION_END);
  if (!is_position(start) || !is_position(end)) return;
  *vec_push(&events->list) = (struct event){
      .word = (uint32_t)(((size_t)Long_val(Field(record, EVENT_POSITION)) + origin) / sizeof(opcode_t)),
      .start_line = Int_val(Field(start, POSITION_LINE)),
      .start_char = position_column(start, start),
      .end_line = Int_val(Field(end, POSITION_LINE)),
      .end_char = position_column(end, end),
      .end_offset = position_column(end, start),
      .file = intern(String_val(Field(start, POSITION_FILE))),
      .definition = intern(is_string(definition) ? String_val(definition) : "<old bytecode>"),
  };
}

/* Under the lock, so that strings can be interned. At most [most] items: a list
 * out of a damaged file may have no end. [no gc] */
static void events_add_list(struct events *events, value list, size_t origin, size_t most)
{
  for (; most-- > 0 && is_record(list, 2); list = Field(list, 1)) event_add(events, Field(list, 0), origin);
}

static int compare_ints(int64_t a, int64_t b) { return (a > b) - (a < b); }

/* By address; several events of one address come in the order of the source. */
static int event_compare(const void *left, const void *right)
{
  const struct event *a = left, *b = right;
  int order = compare_ints(a->word, b->word);
  if (order == 0) order = compare_ints(a->start_line, b->start_line);
  if (order == 0) order = compare_ints(a->start_char, b->start_char);
  if (order == 0) order = compare_ints(a->end_offset, b->end_offset);
  return order;
}

static void events_sort(struct events *events)
{
  if (events->list.len > 0) qsort(events->list.at, events->list.len, sizeof(struct event), event_compare);
}

/* ---- Fragments ---- */

static struct fragment *fragment_add(const opcode_t *code, size_t words)
{
  struct fragment *f = mem_calloc(1, sizeof *f);
  if (!f) bac_fatal("out of memory for debugging information");
  f->code = code;
  f->end = code + words;
  lock_acquire(&debug.lock);
  f->next = debug.fragments;
  debug.fragments = f;
  lock_release(&debug.lock);
  return f;
}

/* Under the lock. */
static struct fragment *fragment_of(const opcode_t *pc)
{
  struct fragment *f = debug.fragments;
  while (f && !(f->code <= pc && pc < f->end)) f = f->next;
  return f;
}

void debuginfo_set_program(const opcode_t *code, size_t words, const char *file)
{
  debug.file = file;
  debug.program = fragment_add(code, words);
  if (!file) debug.program->status = READ;
}

void debuginfo_add(const opcode_t *code, size_t words, value events)
{
  struct fragment *f = fragment_add(code, words);
  lock_acquire(&debug.lock);
  if (Is_block(events) && Tag_val(events) == 0)
    for (mlsize_t i = 0; i < Wosize_val(events); i++) events_add_list(&f->events, Field(events, i), 0, SIZE_MAX);
  events_sort(&f->events);
  f->status = READ;
  lock_release(&debug.lock);
}

void debuginfo_remove(const opcode_t *code)
{
  lock_acquire(&debug.lock);
  struct fragment **link = &debug.fragments;
  while (*link && (*link)->code != code) link = &(*link)->next;
  struct fragment *f = *link;
  if (f) *link = f->next;
  lock_release(&debug.lock);
  if (!f) return;
  vec_free(&f->events.list);
  mem_free(f);
}

/* ---- The program's own ---- */

struct section_reader {
  const char *at, *end;
  struct events *events;
};

/* The next message, and how many bytes its data has when not compressed. [may gc] [raises] */
static value next_message(struct section_reader *r, size_t *size)
{
  struct marshal_header header;
  size_t room = (size_t)(r->end - r->at);
  const char *wrong = marshal_header_parse((const unsigned char *)r->at, room, &header);
  if (wrong) caml_failwith(wrong);
  value v = marshal_read_memory(r->at, room);
  r->at += header.header_size + header.data_size;
  *size = header.plain_size;
  return v;
}

static bool next_number(struct section_reader *r, uint32_t *n)
{
  if (r->end - r->at < 4) return false;
  *n = load_be32((const unsigned char *)r->at);
  r->at += 4;
  return true;
}

/* A count; for each unit its place in the code, its events, and a list of
 * directories that only a debugger wants. */
static value section_read(void *arg)
{
  struct section_reader *r = arg;
  uint32_t units, origin;
  if (!next_number(r, &units)) return Val_unit;
  while (units-- > 0 && next_number(r, &origin)) {
    size_t size;
    value list = next_message(r, &size);
    lock_acquire(&debug.lock);
    /* An item takes at least one byte. */
    events_add_list(r->events, list, origin, size);
    lock_release(&debug.lock);
    next_message(r, &size);
  }
  events_sort(r->events);
  return Val_unit;
}

static int program_events(struct events *events)
{
  struct image image;
  enum image_status status = image_open(&image, debug.file, true, NULL);
  if (status != IMAGE_OK) return status;
  const struct image_section *s = image_section(&image, "DBUG");
  char *bytes = s ? image_read(&image, s) : NULL;
  if (bytes) {
    struct section_reader reader = {bytes, bytes + s->length, events};
    if (Is_exception_result(guard_call(section_read, &reader))) status = IMAGE_NOT_BYTECODE;
    free(bytes);
  }
  image_close(&image);
  return status == IMAGE_OK ? READ : (int)status;
}

void debuginfo_read_program(void)
{
  struct events events = {VEC_EMPTY};
  int status = program_events(&events);
  lock_acquire(&debug.lock);
  if (debug.program->status == NOT_READ) {
    debug.program->events = events;
    debug.program->status = status;
    events = (struct events){VEC_EMPTY};
  }
  lock_release(&debug.lock);
  vec_free(&events.list);
}

/* ---- Questions ---- */

bool debuginfo_has_event(code_t pc) { return codefrag_find_pc(pc) != NULL; }

bool debuginfo_available(void) { return debug.program != NULL; }

int debuginfo_status(void)
{
  lock_acquire(&debug.lock);
  int status = debug.program ? debug.program->status : NOT_READ;
  lock_release(&debug.lock);
  return status;
}

/* The event of this address. The compiler may move an event behind the PUSH
 * that follows it, so one of the next word counts where there is none. */
static const struct event *event_find(const struct fragment *f, uint32_t word)
{
  size_t low = 0, high = f->events.list.len;
  const struct event *at = f->events.list.at;
  while (low < high) {           /* the first event behind this word */
    size_t middle = low + (high - low) / 2;
    if (at[middle].word <= word)
      low = middle + 1;
    else
      high = middle;
  }
  if (low > 0 && at[low - 1].word == word) return &at[low - 1];
  if (low < f->events.list.len && at[low].word == word + 1) return &at[low];
  return NULL;
}

/* Bytecode has no inlining. */
backtrace_slot debuginfo_first(backtrace_slot slot) { return slot; }
backtrace_slot debuginfo_next(backtrace_slot slot) { return NULL; }

void debuginfo_locate(backtrace_slot slot, struct code_location *out)
{
  const opcode_t *pc = slot;
  *out = (struct code_location){0};
  lock_acquire(&debug.lock);
  struct fragment *f = fragment_of(pc);
  bool unread = f && f == debug.program && f->status == NOT_READ;
  lock_release(&debug.lock);
  if (unread) debuginfo_read_program();

  lock_acquire(&debug.lock);
  f = fragment_of(pc);
  if (f) {
    int opcode = interp_opcode_at(pc);
    out->is_raise = opcode == OP_RAISE || opcode == OP_RERAISE;
    const struct event *e = event_find(f, (uint32_t)(pc - f->code));
    if (e) {
      out->known = true;
      out->file = e->file;
      out->definition = e->definition;
      out->start_line = e->start_line;
      out->start_char = e->start_char;
      out->end_line = e->end_line;
      out->end_char = e->end_char;
      out->end_offset = e->end_offset;
    }
  }
  lock_release(&debug.lock);
}
