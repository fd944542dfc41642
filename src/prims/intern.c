/* SPDX-License-Identifier: MIT */
/* Marshalling, reading: the data of a message becomes a value's graph.
 *
 * The bytes may come from anywhere, so nothing in them is believed. Before it is used,
 * - each read is checked against the end of the data;
 * - each block is checked against the words and objects that the header
 *   claims, and (but for custom blocks) against the bytes left, of which each
 *   field takes at least one; of the words claimed no more count than so many bytes can
 *   make: memory is bounded by what was really sent;
 * - each reference is checked against the objects built so far;
 * - tags that the collector gives a meaning to are accepted in the form of code
 *   that is theirs only, and the head of a closure is checked word by word.
 * What this cannot give is type safety: a well-formed message of another type
 * than the program expects is as harmful as the Marshal module says.
 *
 * A message of at most Max_young_wosize words is built in one piece of the
 * nursery; of a larger one each block goes to the major heap. Nothing moves
 * and no collector looks while the graph is built; all fields are set to
 * Val_unit before they are read, so what an error leaves behind is sound. There is no
 * recursion: the rest of each block that is under way waits on a stack.
 *
 * An error jumps back to intern_data, which tidies up and raises; so do the
 * caml_deserialize_* functions, that stubs call from a custom block's deserialize function.
 *
 * STATE. struct intern_state, one for each domain, made at first use; a large
 * stack and table go at the message's end.
 *
 * Design page: docs/design/marshal.md. Tests: tests/fuzz/marshal_fuzz.c. */
#include "observe/memprof.h"
#include "heap/heap.h"
#include "prims/marshal.h"

#include "abi/codefrag.h"
#include "base/bits.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  STACK_INLINE = 128,
  OBJECTS_INLINE = 256,
  SCRATCH_SLACK = 4096,
  SCRATCH_MOST = 64 << 20,
  NAME_SHOWN = 200,
  WORDS_PER_BYTE = 3,            /* an empty string is one byte: two words, and the field that refers to it */
};

value caml_fresh_oo_id(value unit);       /* src/prims/obj.c; [no gc] */

/* Fields that are still to be read; or, left == 0, an object whose first two
 * fields have been read and that gets a fresh identity. */
struct pending {
  value *at;
  uintnat left;
};

struct intern_state {
  const unsigned char *next, *end;
  header_t *chunk;               /* next free word of the nursery piece; NULL: major heap */
  header_t *chunk_start;
  size_t words_left;             /* that the header claims, at most WORDS_PER_BYTE, and no block has taken */
  size_t custom_words;           /* what it claims beyond that is for custom blocks, which may be larger than their data */
  struct allocator *heap;        /* the major heap's, for all but finalised blocks; NULL: by gc_alloc_major */
  size_t untold;                 /* words taken from it that the collector does not know of */
  value *objects;                /* objects_inline, or on the C heap; NULL: none may be referred to */
  size_t object_count, object_max;
  struct pending *stack;         /* stack_inline, or on the C heap */
  size_t depth, stack_cap;
  bool absolute;                 /* references count from the first object */
  struct domain *domain;
  bool profiled;                 /* each block is told to the memory profiler */
  struct marshal_header header;
  const char *who;
  void *memory;                  /* the caller's, freed at the end */
  unsigned char *plain;          /* decompressed data */
  unsigned char *scratch;        /* where a custom block is deserialised */
  size_t scratch_size;
  bool no_memory;                /* what the jump is for, or: */
  char message[NAME_SHOWN + 100];
  jmp_buf failed;
  struct pending stack_inline[STACK_INLINE];
  value objects_inline[OBJECTS_INLINE];
};

/* ---- Errors ---- */

static COLD _Noreturn void intern_fail(struct intern_state *s, const char *what)
{
  snprintf(s->message, sizeof s->message, "%s: %s", s->who, what);
  _longjmp(s->failed, 1);
}

static COLD _Noreturn void intern_fail_name(struct intern_state *s, const char *what, const char *name)
{
  snprintf(s->message, sizeof s->message, "%s: %s %.*s", s->who, what, NAME_SHOWN, name);
  _longjmp(s->failed, 1);
}

static COLD _Noreturn void intern_truncated(struct intern_state *s) { intern_fail(s, "truncated object"); }
static COLD _Noreturn void intern_ill_formed(struct intern_state *s) { intern_fail(s, "ill-formed message"); }

static COLD _Noreturn void intern_no_memory(struct intern_state *s)
{
  s->no_memory = true;
  _longjmp(s->failed, 1);
}

/* ---- The state ---- */

static void tell_allocated(struct intern_state *s)
{
  if (s->untold == 0) return;
  gc_bulk_allocated(s->domain, s->untold);
  s->untold = 0;
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

static void intern_tidy(struct intern_state *s)
{
  if (s->stack != s->stack_inline) free(s->stack);
  if (s->objects != NULL && s->objects != s->objects_inline) free(s->objects);
  if (s->memory != NULL || s->plain != NULL || s->scratch != NULL) free_memory(s);
  s->stack = s->stack_inline;
  s->stack_cap = STACK_INLINE;
  s->depth = 0;
  s->objects = NULL;
  s->next = s->end = NULL;
  s->chunk = s->chunk_start = NULL;
  s->no_memory = false;
  tell_allocated(s);
}

static struct intern_state *intern_state_make(void)
{
  struct intern_state *s = malloc(sizeof *s);
  if (s == NULL) caml_raise_out_of_memory();
  s->stack = s->stack_inline;
  s->objects = NULL;
  s->memory = NULL;
  s->plain = s->scratch = NULL;
  s->scratch_size = 0;
  s->untold = 0;
  intern_tidy(s);
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
  free(s);
}

static NOINLINE void stack_grow(struct intern_state *s)
{
  bool is_inline = s->stack == s->stack_inline;
  struct pending *larger = realloc(is_inline ? NULL : s->stack, 2 * s->stack_cap * sizeof *larger);
  if (larger == NULL) intern_no_memory(s);
  if (is_inline) memcpy(larger, s->stack_inline, sizeof s->stack_inline);
  s->stack = larger;
  s->stack_cap *= 2;
}

static inline void stack_push(struct intern_state *s, value *at, uintnat left)
{
  if (unlikely(s->depth == s->stack_cap)) stack_grow(s);
  s->stack[s->depth++] = (struct pending){at, left};
}

/* ---- Numbers ---- */

static inline size_t bytes_left(const struct intern_state *s) { return (size_t)(s->end - s->next); }

static inline const unsigned char *take(struct intern_state *s, size_t n)
{
  if (unlikely(bytes_left(s) < n)) intern_truncated(s);
  const unsigned char *p = s->next;
  s->next += n;
  return p;
}

static uint8_t take8(struct intern_state *s) { return *take(s, 1); }
static uint16_t take16(struct intern_state *s) { return load_be16(take(s, 2)); }
static uint32_t take32(struct intern_state *s) { return load_be32(take(s, 4)); }
static uint64_t take64(struct intern_state *s) { return load_be64(take(s, 8)); }

/* ---- Blocks ---- */

/* The collector hears of so many words at a time. */
enum { WORDS_TOLD = 8192 };

/* A block that is not simply cut off: in the major heap, and one of those that the collector keeps a record of, or allocations are watched. */
static NOINLINE value new_unusual_block(struct intern_state *s, mlsize_t size, tag_t tag)
{
  if (s->profiled) memprof_hush(s->domain, true);
  value v = gc_alloc_major(s->domain, size, tag);
  if (s->profiled) memprof_hush(s->domain, false);
  if (v == 0) intern_no_memory(s);
  return v;
}

static INLINED value new_major_block(struct intern_state *s, mlsize_t size, tag_t tag, unsigned kind)
{
  value v = heap_alloc(s->heap, kind, size, tag);
  if (unlikely(v == 0)) intern_no_memory(s);
  s->untold += size + 1;
  if (unlikely(s->untold > WORDS_TOLD)) tell_allocated(s);
  return v;
}

static INLINED value new_nursery_block(struct intern_state *s, mlsize_t size, tag_t tag)
{
  value v = Val_hp(s->chunk);
  *s->chunk = Make_header(size, tag, 0);
  s->chunk += size + 1;
  return v;
}

/* A block within the claims; its fields are not set. [kind]: where it would be in the major heap. A finaliser needs a block
 * that the collector knows of, which those in the nursery piece are not. */
static INLINED value new_block(struct intern_state *s, mlsize_t size, tag_t tag, unsigned kind)
{
  value v;
  if (unlikely(size >= s->words_left)) intern_ill_formed(s);
  s->words_left -= size + 1;
  if (kind != KIND_FINAL && s->chunk != NULL) v = new_nursery_block(s, size, tag);
  else if (kind != KIND_FINAL && likely(s->heap != NULL)) v = new_major_block(s, size, tag, kind);
  else v = new_unusual_block(s, size, tag);
  if (unlikely(s->profiled)) memprof_sample(s->domain, v, MEMPROF_MARSHAL);
  return v;
}

/* Gives v the next number. */
static inline void number_object(struct intern_state *s, value v)
{
  if (s->objects == NULL) return;
  if (unlikely(s->object_count == s->object_max)) intern_ill_formed(s);
  s->objects[s->object_count++] = v;
}

/* A block whose fields follow. */
static INLINED value new_scannable(struct intern_state *s, mlsize_t size, tag_t tag)
{
  value v = new_block(s, size, tag, KIND_SCAN);
  for (mlsize_t i = 0; i < size; i++) Field(v, i) = Val_unit;
  number_object(s, v);
  return v;
}

/* Copies whole words, also beyond len, where they are in the data: of 8 bytes, a call of memcpy is most of the time. */
static INLINED void copy_bytes(value v, mlsize_t size, const unsigned char *from, size_t len, const unsigned char *end)
{
  enum { WORDS_COPIED = 8 };
  if (likely(size <= WORDS_COPIED && (size_t)(end - from) >= Bsize_wsize(size)))
    for (mlsize_t i = 0; i < size; i++) memcpy(&Field(v, i), from + Bsize_wsize(i), sizeof(value));
  else
    memcpy((char *)v, from, len);
}

/* The string of the next len bytes, which are there. */
static INLINED value new_string(struct intern_state *s, const unsigned char *from, size_t len, const unsigned char *end)
{
  mlsize_t size = len / sizeof(value) + 1;
  value v = new_block(s, size, String_tag, KIND_NOSCAN);
  copy_bytes(v, size, from, len, end);
  unsigned used = len % sizeof(value) * 8;
  uintnat padding = sizeof(value) - 1 - len % sizeof(value);
  Field(v, size - 1) = (Field(v, size - 1) & (((value)1 << used) - 1)) | (value)(padding << 56);
  number_object(s, v);
  return v;
}

static value take_string(struct intern_state *s, uint64_t len)
{
  const unsigned char *from = take(s, len);
  return new_string(s, from, len, s->end);
}

static value take_floats(struct intern_state *s, uint64_t count, tag_t tag, bool big_endian)
{
  if (count == 0) intern_ill_formed(s);
  if (count > bytes_left(s) / sizeof(double)) intern_truncated(s);
  const unsigned char *from = take(s, count * sizeof(double));
  value v = new_block(s, count, tag, KIND_NOSCAN);
  if (!big_endian) memcpy(Op_val(v), from, count * sizeof(double));
  else
    for (size_t i = 0; i < count; i++) Field(v, i) = (value)load_be64(from + i * sizeof(double));
  number_object(s, v);
  return v;
}

static value take_shared(struct intern_state *s, uint64_t n)
{
  size_t index = s->absolute ? n : s->object_count - n;
  if (s->objects == NULL || index >= s->object_count) intern_ill_formed(s);
  return s->objects[index];
}

/* ---- Closures ---- */

static COLD _Noreturn void intern_unknown_code(struct intern_state *s, const unsigned char *digest)
{
  char text[64] = "unknown code module ";
  size_t at = strlen(text);
  for (int i = 0; i < CODEFRAG_DIGEST_SIZE; i++)
    at += (size_t)snprintf(text + at, sizeof text - at, "%02X", digest[i]);
  s->who = "input_value";
  intern_fail(s, text);
}

static value take_code_pointer(struct intern_state *s)
{
  if (take8(s) != CODE_CODEPOINTER) intern_ill_formed(s);
  size_t offset = take32(s);
  const unsigned char *digest = take(s, CODEFRAG_DIGEST_SIZE);
  struct codefrag *f = codefrag_find_digest(digest);
  if (f != NULL && offset < (size_t)(codefrag_end(f) - codefrag_start(f))) return (value)(codefrag_start(f) + offset);
  /* A debugger shows values of a program whose code it does not have. */
  const value *placeholder = caml_named_value("Debugger.function_placeholder");
  if (placeholder == NULL) intern_unknown_code(s, digest);
  return (value)Code_val(*placeholder);
}

static value take_int(struct intern_state *s)
{
  unsigned code = take8(s);
  if (code >= PREFIX_SMALL_INT && code < PREFIX_SMALL_BLOCK) return Val_long(code & 0x3f);
  switch (code) {
  case CODE_INT8: return Val_long((int8_t)take8(s));
  case CODE_INT16: return Val_long((int16_t)take16(s));
  case CODE_INT32: return Val_long((int32_t)take32(s));
  case CODE_INT64: return Val_long(take64(s));
  default: intern_ill_formed(s);
  }
}

/* The head of a closure, which the collector believes: where the environment
 * starts, for each function a code pointer, its information and perhaps a second code
 * pointer, with an infix header between two functions. Answers the environment's index. */
static mlsize_t take_closure_head(struct intern_state *s, value v, mlsize_t size)
{
  mlsize_t env = size;
  for (mlsize_t i = 0; i < env;) {
    if (i > 0) {
      header_t infix = (header_t)take_int(s);
      if (Tag_hd(infix) != Infix_tag || Wosize_hd(infix) != i + 1) intern_ill_formed(s);
      Field(v, i++) = (value)infix;
    }
    if (env - i < 2) intern_ill_formed(s);
    value code = take_code_pointer(s);
    value info = take_int(s);
    if (i == 0) env = Start_env_closinfo(info);
    intnat arity = Arity_closinfo(info);
    mlsize_t words = arity == 0 || arity == 1 ? 2 : 3;
    if (env > size || env < i + words) intern_ill_formed(s);
    Field(v, i) = code;
    Field(v, i + 1) = info;
    if (words == 3) Field(v, i + 2) = take_code_pointer(s);
    i += words;
  }
  return env;
}

/* ---- Custom blocks ---- */

/* What a custom block is until its data is there: no finaliser may see it. */
static const struct custom_operations unfinished_ops = {.identifier = "_unfinished"};

static COLD _Noreturn void bad_custom(struct intern_state *s, const struct custom_operations *ops)
{
  intern_fail_name(s, "error while deserializing custom block", ops->identifier);
}

static value new_custom(struct intern_state *s, const struct custom_operations *ops, mlsize_t data_words)
{
  size_t beyond = min_size(s->custom_words, data_words + 2);
  s->custom_words -= beyond;
  s->words_left += beyond;
  value v = new_block(s, 1 + data_words, Custom_tag, ops->finalize != NULL ? KIND_FINAL : KIND_NOSCAN);
  Custom_ops_val(v) = &unfinished_ops;
  memset(Data_custom_val(v), 0, Bsize_wsize(data_words));
  return v;
}

/* [bytes], and what a deserialize function that trusts the message may write beyond them. */
static void *scratch_room(struct intern_state *s, size_t bytes)
{
  size_t need = bytes + min_size(8 * bytes_left(s), SCRATCH_MOST) + SCRATCH_SLACK;
  if (s->scratch_size < need) {
    free(s->scratch);
    s->scratch = malloc(need);
    s->scratch_size = s->scratch == NULL ? 0 : need;
    if (s->scratch == NULL) intern_no_memory(s);
  }
  return s->scratch;
}

/* Operations that announce a fixed length: the function writes so much. */
static value take_custom_fixed(struct intern_state *s, const struct custom_operations *ops)
{
  size_t bytes = (size_t)ops->fixed_length->bsize_64;
  value v = new_custom(s, ops, div_up(bytes, sizeof(value)));
  if (ops->deserialize(Data_custom_val(v)) != bytes) bad_custom(s, ops);
  Custom_ops_val(v) = ops;
  return v;
}

/* Otherwise the message says it, and the function may write another number of
 * bytes than the message said: it writes aside. */
static value take_custom_sized(struct intern_state *s, const struct custom_operations *ops)
{
  take(s, 4);
  uint64_t bytes = take64(s);
  if (bytes / sizeof(value) >= s->words_left + s->custom_words) intern_ill_formed(s);
  void *scratch = scratch_room(s, bytes);
  size_t written = ops->deserialize(scratch);
  if (written > s->scratch_size) bac_fatal("input_value: %s wrote past its block", ops->identifier);
  /* A block of a wrong size is made all the same: its finaliser frees what the function allocated. */
  if (written != bytes) {
    s->chunk = NULL;
    s->words_left = SIZE_MAX;
    s->custom_words = 0;
  }
  value v = new_custom(s, ops, div_up(written, sizeof(value)));
  memcpy(Data_custom_val(v), scratch, written);
  Custom_ops_val(v) = ops;
  if (written != bytes) bad_custom(s, ops);
  return v;
}

static value take_custom(struct intern_state *s, unsigned code)
{
  const char *name = (const char *)s->next;
  const unsigned char *end = memchr(name, 0, bytes_left(s));
  if (end == NULL) intern_truncated(s);
  const struct custom_operations *ops = caml_find_custom_operations(name);
  if (ops == NULL) intern_fail_name(s, "unknown custom block identifier", name);
  if (ops->deserialize == NULL) bad_custom(s, ops);
  s->next = end + 1;
  if (code == CODE_CUSTOM_FIXED && ops->fixed_length == NULL)
    intern_fail_name(s, "expected a fixed-size custom block", name);
  value v = code == CODE_CUSTOM_FIXED ? take_custom_fixed(s, ops) : take_custom_sized(s, ops);
  number_object(s, v);
  return v;
}

/* ---- The walk ---- */

/* The fields of v that are still to be read come next, then those of *now. */
static inline void descend(struct intern_state *s, struct pending *now, value *at, uintnat left)
{
  if (now->left > 0) stack_push(s, now->at, now->left);
  *now = (struct pending){at, left};
}

/* A block without fields. With a tag that means something, others would look for fields. */
static value take_atom(struct intern_state *s, tag_t tag)
{
  if (tag >= Forcing_tag && tag != Double_array_tag) intern_ill_formed(s);
  return Atom(tag);
}

static value take_block(struct intern_state *s, mlsize_t size, tag_t tag, struct pending *now)
{
  if (size == 0) return take_atom(s, tag);
  if (size > bytes_left(s)) intern_truncated(s);
  switch (tag) {
  case Closure_tag:
  case Object_tag:
    if (size >= 2) break;
    intern_ill_formed(s);
  case Cont_tag:
  case Infix_tag:
  case Abstract_tag:
  case String_tag:
  case Double_tag:
  case Double_array_tag:
  case Custom_tag:
    intern_ill_formed(s);
  default:
    break;
  }
  value v = new_scannable(s, size, tag);
  mlsize_t first = tag == Closure_tag ? take_closure_head(s, v, size) : 0;
  descend(s, now, &Field(v, first), size - first);
  if (tag == Object_tag) {
    if (size > 2) stack_push(s, &Field(v, 2), size - 2);
    stack_push(s, Op_val(v), 0);
    now->left = 2;
  }
  return v;
}

/* The class and the identity of an object, or of an extension constructor, are
 * there. A negative identity is that of a predefined exception. */
static void refresh_identity(struct intern_state *s, value object)
{
  if (Is_block(Field(object, 1))) intern_ill_formed(s);
  if (Oid_val(object) >= 0) Field(object, 1) = caml_fresh_oo_id(Val_unit);
}

static value take_closure_within(struct intern_state *s, struct pending *now);

/* An item of one of the forms that a code below the prefixes begins. */
static value take_long_form(struct intern_state *s, unsigned code, struct pending *now)
{
  uint64_t hd;
  switch (code) {
  case CODE_INT8: return Val_long((int8_t)take8(s));
  case CODE_INT16: return Val_long((int16_t)take16(s));
  case CODE_INT32: return Val_long((int32_t)take32(s));
  case CODE_INT64: return Val_long(take64(s));
  case CODE_SHARED8: return take_shared(s, take8(s));
  case CODE_SHARED16: return take_shared(s, take16(s));
  case CODE_SHARED32: return take_shared(s, take32(s));
  case CODE_SHARED64: return take_shared(s, take64(s));
  case CODE_BLOCK32: hd = take32(s); return take_block(s, Wosize_hd(hd), Tag_hd(hd), now);
  case CODE_BLOCK64: hd = take64(s); return take_block(s, Wosize_hd(hd), Tag_hd(hd), now);
  case CODE_STRING8: return take_string(s, take8(s));
  case CODE_STRING32: return take_string(s, take32(s));
  case CODE_STRING64: return take_string(s, take64(s));
  case CODE_DOUBLE_LITTLE: return take_floats(s, 1, Double_tag, false);
  case CODE_DOUBLE_BIG: return take_floats(s, 1, Double_tag, true);
  case CODE_DOUBLE_ARRAY8_LITTLE: return take_floats(s, take8(s), Double_array_tag, false);
  case CODE_DOUBLE_ARRAY8_BIG: return take_floats(s, take8(s), Double_array_tag, true);
  case CODE_DOUBLE_ARRAY32_LITTLE: return take_floats(s, take32(s), Double_array_tag, false);
  case CODE_DOUBLE_ARRAY32_BIG: return take_floats(s, take32(s), Double_array_tag, true);
  case CODE_DOUBLE_ARRAY64_LITTLE: return take_floats(s, take64(s), Double_array_tag, false);
  case CODE_DOUBLE_ARRAY64_BIG: return take_floats(s, take64(s), Double_array_tag, true);
  case CODE_INFIXPOINTER: return take_closure_within(s, now);
  case CODE_CUSTOM_LEN:
  case CODE_CUSTOM_FIXED: return take_custom(s, code);
  case CODE_CUSTOM_OLD:
    intern_fail(s, "custom blocks serialized with OCaml 4.08.0 (or prior) are no longer supported");
  default: intern_ill_formed(s);
  }
}

/* A function that is not the first of its closure: an offset, then the closure. */
static value take_closure_within(struct intern_state *s, struct pending *now)
{
  size_t offset = take32(s);
  unsigned code = take8(s);
  if (code >= PREFIX_SMALL_STRING || code == CODE_INFIXPOINTER) intern_ill_formed(s);
  value v = take_long_form(s, code, now);
  if (Is_long(v) || Tag_val(v) != Closure_tag || offset % sizeof(value) != 0 || offset == 0 ||
      offset >= Bosize_val(v))
    intern_ill_formed(s);
  value function = v + (value)offset;
  header_t infix = Hd_val(function);
  if (Tag_hd(infix) != Infix_tag || Infix_offset_hd(infix) != offset) intern_ill_formed(s);
  return function;
}

/* The place in the data is a local variable; what is rare finds it in s->next. The codes of which nearly all of any message is made are taken
 * here, where there is room for the longest of them; the end of the data is left to take_long_form. */
static void intern_graph(struct intern_state *s, value *root)
{
  const unsigned char *p = s->next, *const end = s->end;
  struct pending now = {root, 1};
  for (;;) {
    value *slot = now.at++;
    now.left--;
    if (unlikely(p == end)) intern_truncated(s);
    unsigned code = *p++;
    if (code >= PREFIX_SMALL_BLOCK) {
      mlsize_t size = (code >> 4) & 7;
      if (size == 0) {
        *slot = Atom(code & 15);
      } else {
        value v = new_scannable(s, size, code & 15);
        *slot = v;
        descend(s, &now, Op_val(v), size);
        continue;
      }
    } else if (code >= PREFIX_SMALL_INT) {
      *slot = Val_long(code & 0x3f);
    } else if (code >= PREFIX_SMALL_STRING) {
      size_t len = code & 0x1f;
      if (unlikely((size_t)(end - p) < len)) intern_truncated(s);
      *slot = new_string(s, p, len, end);
      p += len;
    } else if (code <= CODE_INT32 && end - p >= 4) {
      static const uint8_t size_of[] = {1, 2, 4};
      *slot = code == CODE_INT8    ? Val_long((int8_t)*p)
              : code == CODE_INT16 ? Val_long((int16_t)load_be16(p))
                                   : Val_long((int32_t)load_be32(p));
      p += size_of[code];
    } else if (code == CODE_SHARED8 && end > p) {
      *slot = take_shared(s, *p++);
    } else if (code == CODE_SHARED16 && end - p >= 2) {
      *slot = take_shared(s, load_be16(p));
      p += 2;
    } else {
      s->next = p;
      *slot = take_long_form(s, code, &now);
      p = s->next;
    }
    while (now.left == 0) {
      if (s->depth == 0) return;
      now = s->stack[--s->depth];
      if (now.left == 0) refresh_identity(s, (value)now.at);
    }
  }
}

/* ---- Headers ---- */

size_t marshal_header_size(const unsigned char *bytes)
{
  switch (load_be32(bytes)) {
  case MARSHAL_MAGIC_SMALL: return MARSHAL_SMALL_HEADER;
  case MARSHAL_MAGIC_BIG: return MARSHAL_BIG_HEADER;
  case MARSHAL_MAGIC_COMPRESSED: {
    size_t size = bytes[4] & 0x3f;
    return size > MARSHAL_MIN_HEADER && size <= MARSHAL_MAX_HEADER ? size : 0;
  }
  default: return 0;
  }
}

/* False: past [end], or the number does not fit. */
static bool take_vlq(const unsigned char **p, const unsigned char *end, uint64_t *n)
{
  for (*n = 0; *p < end; *n <<= 7) {
    unsigned char byte = *(*p)++;
    *n |= byte & 0x7f;
    if (byte < 0x80) return true;
    if (*n >> 57 != 0) return false;
  }
  return false;
}

static const char *parse_compressed(const unsigned char *bytes, struct marshal_header *h)
{
  uint64_t words32;
  uint64_t *numbers[] = {&h->data_size, &h->plain_size, &h->objects, &words32, &h->words};
  const unsigned char *p = bytes + MARSHAL_MIN_HEADER, *end = bytes + h->header_size;
  for (size_t i = 0; i < countof(numbers); i++)
    if (!take_vlq(&p, end, numbers[i])) return "object too large to be read back on this platform";
  h->compressed = true;
  return NULL;
}

const char *marshal_header_parse(const unsigned char *bytes, size_t size, struct marshal_header *h)
{
  if (size < MARSHAL_MIN_HEADER) return "truncated object";
  h->header_size = marshal_header_size(bytes);
  if (h->header_size == 0) return "bad object";
  if (size < h->header_size) return "truncated object";
  h->compressed = false;
  if (load_be32(bytes) == MARSHAL_MAGIC_COMPRESSED) return parse_compressed(bytes, h);
  if (load_be32(bytes) == MARSHAL_MAGIC_SMALL) {
    h->data_size = load_be32(bytes + 4);
    h->objects = load_be32(bytes + 8);
    h->words = load_be32(bytes + 16);
  } else {
    h->data_size = load_be64(bytes + 8);
    h->objects = load_be64(bytes + 16);
    h->words = load_be64(bytes + 24);
  }
  h->plain_size = h->data_size;
  return NULL;
}

/* The size of the message but for 16 bytes: those are what the caller has. The
 * length stands within them, whatever the kind of header. */
CAMLprim value caml_marshal_data_size(value bytes, value start)
{
  enum { HAVE = 16 };
  size_t length = string_length(bytes);
  uintnat at = (uintnat)Long_val(start);
  if (at > length || length - at < HAVE) caml_failwith("Marshal.data_size: bad object");
  const unsigned char *p = &Byte_u(bytes, at);
  size_t header_size = marshal_header_size(p);
  uint64_t data_size;
  switch (header_size == 0 ? 0 : load_be32(p)) {
  case MARSHAL_MAGIC_SMALL:
    data_size = load_be32(p + 4);
    break;
  case MARSHAL_MAGIC_BIG:
    data_size = load_be64(p + 8);
    break;
  case MARSHAL_MAGIC_COMPRESSED: {
    const unsigned char *number = p + MARSHAL_MIN_HEADER;
    if (!take_vlq(&number, p + HAVE, &data_size))
      caml_failwith("Marshal.data_size: object too large to be read back on this platform");
    break;
  }
  default:
    caml_failwith("Marshal.data_size: bad object");
  }
  return Val_long(header_size - HAVE + data_size);
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
  s->object_count = 0;
  s->object_max = objects;
  if (objects == 0) return;
  if (objects > s->header.plain_size || objects > s->header.words / 2) intern_refuse(s, "ill-formed message");
  s->objects = objects <= OBJECTS_INLINE ? s->objects_inline : malloc(objects * sizeof(value));
  if (s->objects == NULL) intern_refuse(s, NULL);
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
  s->words_left = s->header.words;
  s->custom_words = 0;
  if (unlikely(s->profiled)) memprof_hush(s->domain, true);
  gc_nursery_alloc(s->domain, s->header.words);
  if (unlikely(s->profiled)) memprof_hush(s->domain, false);
  s->chunk = s->chunk_start = (header_t *)s->domain->window->young_ptr;
}

/* Or block by block. */
static void begin_in_major_heap(struct intern_state *s)
{
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
  if (s->chunk_start != NULL && s->words_left > 0)
    *s->chunk = Make_header(s->words_left - 1, Abstract_tag, 0);
  return root;
}

value intern_data(struct intern_state *s, const void *data)
{
  if (_setjmp(s->failed)) intern_raise(s);
  value root = intern_build(s, data);
  intern_tidy(s);
  return root;
}

/* ---- What the deserialize functions of custom blocks call ---- */

static struct intern_state *reading(void)
{
  struct intern_state *s = Caml_state->intern_state;
  if (s == NULL || s->next == NULL) bac_fatal("caml_deserialize_* outside a deserialize function");
  return s;
}

size_t marshal_bytes_left(void) { return bytes_left(reading()); }

static const unsigned char *take_array(intnat count, size_t size)
{
  struct intern_state *s = reading();
  if (count < 0 || (size_t)count > bytes_left(s) / size) intern_truncated(s);
  return take(s, (size_t)count * size);
}

CAMLexport void caml_deserialize_error(char *message)
{
  struct intern_state *s = reading();
  snprintf(s->message, sizeof s->message, "%s", message);
  _longjmp(s->failed, 1);
}

CAMLexport int caml_deserialize_uint_1(void) { return take8(reading()); }
CAMLexport int caml_deserialize_sint_1(void) { return (int8_t)take8(reading()); }
CAMLexport int caml_deserialize_uint_2(void) { return take16(reading()); }
CAMLexport int caml_deserialize_sint_2(void) { return (int16_t)take16(reading()); }
CAMLexport uint32_t caml_deserialize_uint_4(void) { return take32(reading()); }
CAMLexport int32_t caml_deserialize_sint_4(void) { return (int32_t)take32(reading()); }
CAMLexport uint64_t caml_deserialize_uint_8(void) { return take64(reading()); }
CAMLexport int64_t caml_deserialize_sint_8(void) { return (int64_t)take64(reading()); }

CAMLexport void caml_deserialize_block_1(void *to, intnat count)
{
  const unsigned char *from = take_array(count, 1);
  if (count > 0) memcpy(to, from, (size_t)count);
}

CAMLexport void caml_deserialize_block_2(void *to, intnat count)
{
  const unsigned char *from = take_array(count, 2);
  for (intnat i = 0; i < count; i++) {
    uint16_t n = load_be16(from + 2 * i);
    memcpy((char *)to + 2 * i, &n, sizeof n);
  }
}

CAMLexport void caml_deserialize_block_4(void *to, intnat count)
{
  const unsigned char *from = take_array(count, 4);
  for (intnat i = 0; i < count; i++) {
    uint32_t n = load_be32(from + 4 * i);
    memcpy((char *)to + 4 * i, &n, sizeof n);
  }
}

CAMLexport void caml_deserialize_block_8(void *to, intnat count)
{
  const unsigned char *from = take_array(count, 8);
  for (intnat i = 0; i < count; i++) {
    uint64_t n = load_be64(from + 8 * i);
    memcpy((char *)to + 8 * i, &n, sizeof n);
  }
}

/* Doubles are little-endian, but single floats big-endian. */
CAMLexport void caml_deserialize_block_float_8(void *to, intnat count)
{
  const unsigned char *from = take_array(count, 8);
  if (count > 0) memcpy(to, from, 8 * (size_t)count);
}

CAMLexport double caml_deserialize_float_8(void)
{
  double d;
  caml_deserialize_block_float_8(&d, 1);
  return d;
}

CAMLexport float caml_deserialize_float_4(void)
{
  float f;
  caml_deserialize_block_4(&f, 1);
  return f;
}
