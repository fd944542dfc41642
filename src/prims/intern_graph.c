/* SPDX-License-Identifier: MIT */
/* Marshalling, reading: the data becomes the graph. What is checked, and what holds meanwhile: intern.h. */
#include "observe/memprof.h"
#include "prims/intern.h"

#include "abi/codefrag.h"
#include "abi/runtime.h"

#include <stdio.h>
#include <stdlib.h>

value caml_fresh_oo_id(value unit);       /* src/prims/obj.c; [no gc] */

/* ---- The stack ---- */

static NOINLINE void stack_grow(struct intern_state *s)
{
  enum { STACK_LEAST = 128 };
  size_t cap = s->stack_cap == 0 ? STACK_LEAST : 2 * s->stack_cap;
  struct pending *larger = realloc(s->stack, cap * sizeof *larger);
  if (larger == NULL) intern_no_memory(s);
  s->stack = larger;
  s->stack_cap = cap;
}

static inline void stack_push(struct intern_state *s, value *at, uintnat left)
{
  if (unlikely(s->depth == s->stack_cap)) stack_grow(s);
  s->stack[s->depth++] = (struct pending){at, left};
}

/* The fields of v that are still to be read come next, then those of *now. */
static inline void descend(struct intern_state *s, struct pending *now, value *at, uintnat left)
{
  if (now->left > 0) stack_push(s, now->at, now->left);
  *now = (struct pending){at, left};
}

/* ---- Blocks ---- */

/* A block whose fields follow. */
static value new_scannable(struct intern_state *s, mlsize_t size, tag_t tag)
{
  value v = intern_block(s, size, tag, KIND_SCAN);
  for (mlsize_t i = 0; i < size; i++) Field(v, i) = Val_unit;
  number_object(s, v);
  return v;
}

static value take_string(struct intern_state *s, uint64_t len)
{
  const unsigned char *from = take(s, len);
  mlsize_t size = len / sizeof(value) + 1;
  value v = intern_block(s, size, String_tag, KIND_NOSCAN);
  Field(v, size - 1) = (value)((Bsize_wsize(size) - 1 - len) << 56);
  memcpy((char *)v, from, len);
  number_object(s, v);
  return v;
}

static value take_floats(struct intern_state *s, uint64_t count, tag_t tag, bool big_endian)
{
  if (count == 0) intern_ill_formed(s);
  if (count > bytes_left(s) / sizeof(double)) intern_truncated(s);
  const unsigned char *from = take(s, count * sizeof(double));
  value v = intern_block(s, count, tag, KIND_NOSCAN);
  if (!big_endian) memcpy(Op_val(v), from, count * sizeof(double));
  else
    for (size_t i = 0; i < count; i++) Field(v, i) = (value)load_be64(from + i * sizeof(double));
  number_object(s, v);
  return v;
}

/* The object that a reference stands for, where objects before [next] are numbered; NULL if there is none. */
static INLINED const value *shared_object(const struct intern_state *s, const value *next, uint64_t n)
{
  size_t count = (size_t)(next - s->objects), index = s->absolute ? n : count - n;
  return likely(index < count) ? &s->objects[index] : NULL;
}

static value take_shared(struct intern_state *s, uint64_t n)
{
  const value *object = shared_object(s, s->object, n);
  if (object == NULL) intern_ill_formed(s);
  return *object;
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

/* ---- Items ---- */

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
  case CODE_CUSTOM_FIXED: return intern_custom(s, code);
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

/* Any item, with every check. */
static NOINLINE value take_item(struct intern_state *s, struct pending *now)
{
  unsigned code = take8(s);
  if (code >= PREFIX_SMALL_BLOCK) return take_block(s, code >> 4 & 7, code & 15, now);
  if (code >= PREFIX_SMALL_INT) return Val_long(code & 0x3f);
  if (code >= PREFIX_SMALL_STRING) return take_string(s, code & 0x1f);
  return take_long_form(s, code, now);
}

/* ---- The walk ---- */

/* Where blocks come from: the walk is compiled for each. WATCHED: the profiler or an observer is to hear of every block. */
enum place { IN_NURSERY, IN_MAJOR, WATCHED };

/* What the walk has in registers; what is rare finds it in the state. */
struct cursor {
  const unsigned char *at;
  size_t room;
  header_t *chunk;
  value *object;
};

static INLINED struct cursor cursor_load(const struct intern_state *s)
{
  return (struct cursor){s->next, s->room, s->chunk, s->object};
}

static INLINED void cursor_store(struct intern_state *s, struct cursor c)
{
  s->next = c.at;
  s->room = c.room;
  s->chunk = c.chunk;
  s->object = c.object;
}

static NOINLINE struct cursor cursor_grant(struct intern_state *s, struct cursor c, mlsize_t size)
{
  cursor_store(s, c);
  intern_grant(s, size);
  return cursor_load(s);
}

static COLD _Noreturn void cursor_ill_formed(struct intern_state *s, struct cursor c)
{
  cursor_store(s, c);
  intern_ill_formed(s);
}

static NOINLINE value watched_block(struct intern_state *s, struct cursor *c, mlsize_t size, tag_t tag, unsigned kind)
{
  cursor_store(s, *c);
  value v = intern_block(s, size, tag, kind);
  *c = cursor_load(s);
  return v;
}

/* intern_block and number_object for a block of at most EXACT_WORDS_MAX - 1 fields. Nothing fails once there is a block whose fields are not set. */
static INLINED value walk_block(struct intern_state *s, struct cursor *c, mlsize_t size, tag_t tag, unsigned kind, enum place place)
{
  value v;
  if (unlikely(c->object == s->objects_end && c->object != NULL)) cursor_ill_formed(s, *c);
  if (place == WATCHED) {
    v = watched_block(s, c, size, tag, kind);
  } else {
    if (unlikely(size >= c->room)) *c = cursor_grant(s, *c, size);
    if (place == IN_NURSERY) {
      v = Val_hp(c->chunk);
      *c->chunk = Make_header(size, tag, 0);
      c->chunk += size + 1;
    } else {
      v = heap_alloc_exact(s->heap, kind, size, tag);
      if (unlikely(v == 0)) {
        cursor_store(s, *c);
        intern_no_memory(s);
      }
    }
    c->room -= size + 1;
  }
  if (likely(c->object != NULL)) *c->object++ = v;
  return v;
}

/* A string of less than 32 bytes, which are there. Whole words are copied, also beyond len, where they are in the data: of 8 bytes, a call of
 * memcpy is most of the time. */
static INLINED value walk_string(struct intern_state *s, struct cursor *c, size_t len, enum place place)
{
  mlsize_t size = len / sizeof(value) + 1;
  value v = walk_block(s, c, size, String_tag, KIND_NOSCAN, place), last;
  const unsigned char *from = c->at;
  unsigned used = len % sizeof(value);
  if (likely((size_t)(s->end - from) >= Bsize_wsize(size))) {
    for (mlsize_t i = 0; i < size - 1; i++) memcpy(&Field(v, i), from + Bsize_wsize(i), sizeof(value));
    memcpy(&last, from + Bsize_wsize(size - 1), sizeof last);
    last &= ((value)1 << used * 8) - 1;
  } else {
    memcpy((char *)v, from, len - used);
    last = 0;
    memcpy(&last, from + len - used, used);
  }
  Field(v, size - 1) = last | (value)((sizeof(value) - 1 - used) << 56);
  c->at += len;
  return v;
}

/* [bytes]: of the whole item. */
static INLINED value walk_shared(struct intern_state *s, struct cursor *c, size_t n, unsigned bytes)
{
  const value *object = shared_object(s, c->object, n);
  if (unlikely(object == NULL)) cursor_ill_formed(s, *c);
  c->at += bytes;
  return *object;
}

static INLINED value walk_double(struct intern_state *s, struct cursor *c, enum place place)
{
  value v = walk_block(s, c, 1, Double_tag, KIND_NOSCAN, place);
  memcpy(&Field(v, 0), c->at + 1, sizeof(double));
  c->at += 1 + sizeof(double);
  return v;
}

static INLINED value walk_fields(struct intern_state *s, struct cursor *c, struct pending *now, mlsize_t size, tag_t tag, enum place place)
{
  value v = walk_block(s, c, size, tag, KIND_SCAN, place);
  for (mlsize_t i = 0; i < size; i++) Field(v, i) = Val_unit;
  descend(s, now, Op_val(v), size);
  return v;
}

/* The codes of which nearly all of any message is made are taken here: those of one byte everywhere, so that the fields of a block may turn
 * out to be missing when they are read; short strings that are there; the others where there is room for the longest of them. The rest is left to take_item. */
static INLINED void walk(struct intern_state *s, value *root, enum place place)
{
  enum { CODE_ROOM = 9 };
  const unsigned char *const end = s->end;
  struct cursor c = cursor_load(s);
  struct pending now = {root, 1};
  for (;;) {
    value *slot = now.at++;
    now.left--;
    unsigned code = c.at != end ? *c.at : CODE_CUSTOM_OLD;
    if (code >= PREFIX_SMALL_BLOCK) {
      mlsize_t size = code >> 4 & 7;
      if (likely(size != 0)) {
        c.at++;
        *slot = walk_fields(s, &c, &now, size, code & 15, place);
        continue;
      }
      *slot = Atom(code & 15);
      c.at++;
    } else if (code >= PREFIX_SMALL_INT) {
      *slot = Val_long(code & 0x3f);
      c.at++;
    } else if (code >= PREFIX_SMALL_STRING && (size_t)(end - c.at) > (code & 0x1f)) {
      c.at++;
      *slot = walk_string(s, &c, code & 0x1f, place);
    } else {
      switch (end - c.at >= CODE_ROOM ? code : CODE_CUSTOM_OLD) {
      case CODE_INT8:
        *slot = Val_long((int8_t)c.at[1]);
        c.at += 2;
        break;
      case CODE_INT16:
        *slot = Val_long((int16_t)load_be16(c.at + 1));
        c.at += 3;
        break;
      case CODE_INT32:
        *slot = Val_long((int32_t)load_be32(c.at + 1));
        c.at += 5;
        break;
      case CODE_SHARED8: *slot = walk_shared(s, &c, c.at[1], 2); break;
      case CODE_SHARED16: *slot = walk_shared(s, &c, load_be16(c.at + 1), 3); break;
      case CODE_SHARED32: *slot = walk_shared(s, &c, load_be32(c.at + 1), 5); break;
      case CODE_DOUBLE_LITTLE: *slot = walk_double(s, &c, place); break;
      case CODE_BLOCK32: {
        header_t hd = load_be32(c.at + 1);
        if (Wosize_hd(hd) - 1 < EXACT_WORDS_MAX - 1 && Wosize_hd(hd) <= (size_t)(end - c.at) - 5 && Tag_hd(hd) < Forcing_tag) {
          c.at += 5;
          *slot = walk_fields(s, &c, &now, Wosize_hd(hd), Tag_hd(hd), place);
          continue;
        }
        goto careful;
      }
      default:
      careful:
        cursor_store(s, c);
        *slot = take_item(s, &now);
        c = cursor_load(s);
      }
    }
    while (now.left == 0) {
      if (s->depth == 0) {
        cursor_store(s, c);
        return;
      }
      now = s->stack[--s->depth];
      if (now.left == 0) refresh_identity(s, (value)now.at);
    }
  }
}

static NOINLINE void walk_nursery(struct intern_state *s, value *root) { walk(s, root, IN_NURSERY); }
static NOINLINE void walk_major(struct intern_state *s, value *root) { walk(s, root, IN_MAJOR); }
static NOINLINE void walk_watched(struct intern_state *s, value *root) { walk(s, root, WATCHED); }

void intern_graph(struct intern_state *s, value *root)
{
  if (s->profiled || (s->chunk == NULL && s->heap == NULL)) walk_watched(s, root);
  else if (s->chunk != NULL) walk_nursery(s, root);
  else walk_major(s, root);
}
