/* SPDX-License-Identifier: MIT */
/* Marshalling, writing: a value's graph becomes the data of a message.
 *
 * The graph is walked in pre-order, fields from left to right. Nothing moves
 * while it is walked, so a block is known by its address: a table (positions.h) maps
 * it to the block's number, which is how many blocks were begun before it. There is no recursion: the rest of each block that is
 * under way waits on a stack. The same table and stack count caml_obj_reachable_words.
 *
 * What becomes of a message is in marshal_io.c.
 *
 * STATE. struct extern_state, one for each domain, made at first use. It is
 * kept with a small table and a small stack inside; large ones go at the
 * message's end. An exception from a custom block's serialize function leaves it
 * dirty: the next use tidies up.
 *
 * CONCURRENCY. Other domains may change the fields meanwhile: each is read
 * once, relaxed. What they change is then in the message or not.
 *
 * Design page: docs/design/marshal.md. Tests: tests/fuzz/marshal_fuzz.c. */
#include "prims/marshal.h"

#include "abi/codefrag.h"
#include "base/bits.h"
#include "heap/heap.h"
#include "prims/positions.h"
#include "sync/atomic.h"

#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are copied as they are");

enum {
  BUFFER_START = 8192 - sizeof(struct caml_output_block) - 16,
  ITEM_MAX = 32,               /* room that each item finds in the buffer */
  STACK_INLINE = 128,
};

/* Fields of one block that are still to be written. */
struct pending {
  value *at;
  uintnat left;                /* > 0 */
};

struct pending_stack {
  struct pending *at;          /* inline_, or on the C heap */
  size_t depth, cap;
  struct pending inline_[STACK_INLINE];
};

struct extern_state {
  unsigned char *next, *limit; /* limit: the last place where an item has room */
  struct caml_output_block *block;
  size_t size_max;             /* of header and data */
  unsigned flags;              /* enum marshal_flags */
  uintnat words32, words64;    /* what a reader will allocate */
  struct pending_stack stack;
  struct positions seen;
};

/* ---- The stack ---- */

static void stack_reset(struct pending_stack *k)
{
  if (k->at != k->inline_) free(k->at);
  k->at = k->inline_;
  k->cap = STACK_INLINE;
  k->depth = 0;
}

static NOINLINE bool stack_grow(struct pending_stack *k)
{
  size_t bytes = 2 * k->cap * sizeof *k->at;
  bool is_inline = k->at == k->inline_;
  struct pending *larger = realloc(is_inline ? NULL : k->at, bytes);
  if (larger == NULL) return false;
  if (is_inline) memcpy(larger, k->inline_, sizeof k->inline_);
  k->at = larger;
  k->cap *= 2;
  return true;
}

static inline bool stack_push(struct pending_stack *k, value *at, uintnat left)
{
  if (unlikely(k->depth == k->cap) && !stack_grow(k)) return false;
  k->at[k->depth++] = (struct pending){at, left};
  return true;
}

static inline bool stack_pop(struct pending_stack *k, value **at, uintnat *left)
{
  if (k->depth == 0) return false;
  k->depth--;
  *at = k->at[k->depth].at;
  *left = k->at[k->depth].left;
  return true;
}

/* ---- The state ---- */

static void extern_tidy(struct extern_state *s)
{
  marshal_blocks_free(s->block);
  s->block = NULL;
  stack_reset(&s->stack);
  positions_end(&s->seen);
}

struct caml_output_block *extern_detach(void)
{
  struct extern_state *s = Caml_state->extern_state;
  struct caml_output_block *data = s->block;
  s->block = NULL;
  return data;
}

static struct extern_state *extern_begin(unsigned flags)
{
  struct extern_state *s = Caml_state->extern_state;
  if (s == NULL) {
    s = malloc(sizeof *s);
    if (s == NULL) caml_raise_out_of_memory();
    s->block = NULL;
    s->stack.at = s->stack.inline_;
    s->seen = (struct positions){0};
    Caml_state->extern_state = s;
  }
  extern_tidy(s);
  s->seen.blocks = 0;
  if (!(flags & MARSHAL_NO_SHARING) && !positions_begin(&s->seen)) caml_raise_out_of_memory();
  s->flags = flags;
  s->words32 = s->words64 = 0;
  return s;
}

static size_t extern_size(const struct extern_state *s)
{
  return (size_t)(s->next - (unsigned char *)s->block->data);
}

static COLD _Noreturn void extern_overflow(struct extern_state *s)
{
  extern_tidy(s);
  caml_failwith("Marshal.to_buffer: buffer overflow");
}

static COLD _Noreturn void extern_no_memory(struct extern_state *s)
{
  extern_tidy(s);
  caml_raise_out_of_memory();
}

/* An error at [next]; a bounded message that is too long by then has overflowed first. */
static COLD _Noreturn void extern_fail(struct extern_state *s, unsigned char *next,
                                       void (*raise)(const char *), const char *msg)
{
  s->next = next;
  if (extern_size(s) > s->size_max - MARSHAL_SMALL_HEADER) extern_overflow(s);
  extern_tidy(s);
  raise(msg);
  __builtin_unreachable();
}

#define extern_invalid(s, next, msg) extern_fail((s), (next), caml_invalid_argument, (msg))
#define extern_not_on_32(s, next, what) \
  extern_fail((s), (next), caml_failwith, "output_value: " what " cannot be read back on 32-bit platform")

/* ---- The buffer ---- */

static void buffer_resize(struct extern_state *s, size_t capacity)
{
  size_t used = s->block == NULL ? 0 : extern_size(s);
  struct caml_output_block *b = caml_stat_resize_noexc(s->block, sizeof *b + capacity);
  if (b == NULL) extern_no_memory(s);
  s->block = b;
  b->next = NULL;
  s->next = (unsigned char *)b->data + used;
  s->limit = (unsigned char *)b->data + capacity - ITEM_MAX;
}

/* Makes room for [more] bytes and an item behind them; answers where to go on. */
static NOINLINE unsigned char *buffer_grow(struct extern_state *s, unsigned char *next, size_t more)
{
  s->next = next;
  size_t used = extern_size(s);
  if (used > s->size_max - MARSHAL_SMALL_HEADER) extern_overflow(s);
  buffer_resize(s, 2 * used + more + BUFFER_START);
  return s->next;
}

static inline unsigned char *buffer_room(struct extern_state *s, unsigned char *next, size_t more)
{
  if (unlikely(next > s->limit || (size_t)(s->limit - next) < more)) return buffer_grow(s, next, more);
  return next;
}

static inline unsigned char *put_code8(unsigned char *next, unsigned code, unsigned n)
{
  next[0] = (unsigned char)code;
  next[1] = (unsigned char)n;
  return next + 2;
}

static inline unsigned char *put_code16(unsigned char *next, unsigned code, unsigned n)
{
  *next = (unsigned char)code;
  store_be16(next + 1, (uint16_t)n);
  return next + 3;
}

static inline unsigned char *put_code32(unsigned char *next, unsigned code, uintnat n)
{
  *next = (unsigned char)code;
  store_be32(next + 1, (uint32_t)n);
  return next + 5;
}

static inline unsigned char *put_code64(unsigned char *next, unsigned code, uintnat n)
{
  *next = (unsigned char)code;
  store_be64(next + 1, n);
  return next + 9;
}

/* A number in the 32-bit or the 64-bit form of a code. */
static inline unsigned char *put_code32_64(unsigned char *next, unsigned code32, unsigned code64, uintnat n)
{
  return n <= UINT32_MAX ? put_code32(next, code32, n) : put_code64(next, code64, n);
}

/* ---- The kinds of item. Each finds ITEM_MAX bytes of room. ---- */

static inline unsigned char *put_int(struct extern_state *s, unsigned char *next, intnat n)
{
  if (n >= 0 && n < 0x40) {
    *next = (unsigned char)(PREFIX_SMALL_INT + n);
    return next + 1;
  }
  if (n == (int8_t)n) return put_code8(next, CODE_INT8, (unsigned)n & 0xff);
  if (n == (int16_t)n) return put_code16(next, CODE_INT16, (unsigned)n & 0xffff);
  /* The integers of a 32-bit platform have 31 bits. */
  if (n >= -((intnat)1 << 30) && n < (intnat)1 << 30) return put_code32(next, CODE_INT32, (uintnat)n);
  if (s->flags & MARSHAL_COMPAT_32) extern_not_on_32(s, next, "integer");
  return put_code64(next, CODE_INT64, (uintnat)n);
}

static inline unsigned char *put_shared(unsigned char *next, uintnat n)
{
  if (n <= UINT8_MAX) return put_code8(next, CODE_SHARED8, (unsigned)n);
  if (n <= UINT16_MAX) return put_code16(next, CODE_SHARED16, (unsigned)n);
  return put_code32_64(next, CODE_SHARED32, CODE_SHARED64, n);
}

static inline unsigned char *put_head(struct extern_state *s, unsigned char *next, mlsize_t size, tag_t tag)
{
  if (tag < 16 && size < 8) {
    *next = (unsigned char)(PREFIX_SMALL_BLOCK + (size << 4) + tag);
    return next + 1;
  }
  if (size > 0x3FFFFF && (s->flags & MARSHAL_COMPAT_32)) extern_not_on_32(s, next, "array");
  /* The colour of static data, which readers ignore. */
  return put_code32_64(next, CODE_BLOCK32, CODE_BLOCK64, Make_header(size, tag, HEADER_COLOUR_MASK));
}

static unsigned char *put_bytes(struct extern_state *s, unsigned char *next, const void *from, size_t len)
{
  next = buffer_room(s, next, len);
  memcpy(next, from, len);
  return next + len;
}

static inline unsigned char *put_string(struct extern_state *s, unsigned char *next, value v)
{
  mlsize_t len = string_length(v);
  if (len < 0x20) {
    *next++ = (unsigned char)(PREFIX_SMALL_STRING + len);
  } else if (len <= UINT8_MAX) {
    next = put_code8(next, CODE_STRING8, (unsigned)len);
  } else {
    if (len > 0xFFFFFB && (s->flags & MARSHAL_COMPAT_32)) extern_not_on_32(s, next, "string");
    next = put_code32_64(next, CODE_STRING32, CODE_STRING64, len);
  }
  s->words32 += 1 + (len + 4) / 4;
  s->words64 += 1 + (len + 8) / 8;
  return put_bytes(s, next, String_val(v), len);
}

static unsigned char *put_float_array(struct extern_state *s, unsigned char *next, value v, mlsize_t count)
{
  if (count <= UINT8_MAX) {
    next = put_code8(next, CODE_DOUBLE_ARRAY8_LITTLE, (unsigned)count);
  } else {
    if (count > 0x1FFFFF && (s->flags & MARSHAL_COMPAT_32)) extern_not_on_32(s, next, "float array");
    next = put_code32_64(next, CODE_DOUBLE_ARRAY32_LITTLE, CODE_DOUBLE_ARRAY64_LITTLE, count);
  }
  s->words32 += 1 + 2 * count;
  s->words64 += 1 + count;
  return put_bytes(s, next, Op_val(v), count * sizeof(double));
}

/* The lengths that [serialize] answers stand before what it writes, but for
 * blocks of a known length. The buffer may move meanwhile. */
static unsigned char *put_custom(struct extern_state *s, unsigned char *next, value v)
{
  const struct custom_operations *ops = Custom_ops_val(v);
  const struct custom_fixed_length *fixed = ops->fixed_length;
  if (ops->serialize == NULL) extern_invalid(s, next, "output_value: abstract value (Custom)");
  *next++ = fixed == NULL ? CODE_CUSTOM_LEN : CODE_CUSTOM_FIXED;
  next = put_bytes(s, next, ops->identifier, strlen(ops->identifier) + 1);
  next = buffer_room(s, next, 0);
  size_t lengths_at = (size_t)(next - (unsigned char *)s->block->data);
  s->next = fixed == NULL ? next + 12 : next;
  uintnat bytes32 = 0, bytes64 = 0;
  ops->serialize(v, &bytes32, &bytes64);
  if (fixed == NULL) {
    unsigned char *lengths = (unsigned char *)s->block->data + lengths_at;
    store_be32(lengths, (uint32_t)bytes32);
    store_be64(lengths + 4, bytes64);
  } else if (bytes32 != (uintnat)fixed->bsize_32 || bytes64 != (uintnat)fixed->bsize_64) {
    bac_fatal("output_value: incorrect fixed sizes specified by %s", ops->identifier);
  }
  s->words32 += 2 + div_up(bytes32, 4);
  s->words64 += 2 + div_up(bytes64, 8);
  return s->next;
}

static unsigned char *put_code_pointer(struct extern_state *s, unsigned char *next, const char *pc)
{
  struct codefrag *f = codefrag_find_pc(pc);
  if (f == NULL) extern_invalid(s, next, "output_value: abstract value (outside heap)");
  if (!(s->flags & MARSHAL_CLOSURES)) extern_invalid(s, next, "output_value: functional value");
  const unsigned char *digest = codefrag_digest(f);
  if (digest == NULL) extern_invalid(s, next, "output_value: private function");
  next = put_code32(next, CODE_CODEPOINTER, (uintnat)(pc - codefrag_start(f)));
  return put_bytes(s, next, digest, CODEFRAG_DIGEST_SIZE);
}

/* The fields of a closure before its environment: for each function a code
 * pointer, its information, and a second code pointer if it takes other than
 * one argument; an infix header between two functions. */
static unsigned char *put_closure_code(struct extern_state *s, unsigned char *next, value v)
{
  mlsize_t env = Start_env_closinfo(Closinfo_val(v));
  for (mlsize_t i = 0; i < env;) {
    next = buffer_room(s, next, 0);
    if (i > 0) next = put_int(s, next, Long_val(Field(v, i++)));
    next = put_code_pointer(s, next, (const char *)Field(v, i++));
    next = buffer_room(s, next, 0);
    value info = Field(v, i++);
    next = put_int(s, next, Long_val(info));
    intnat arity = Arity_closinfo(info);
    if (arity != 0 && arity != 1) next = put_code_pointer(s, next, (const char *)Field(v, i++));
  }
  return next;
}

/* ---- The walk ---- */

/* A block that has not been met before, but for fields that are values:
 * *left is set to how many of these there are, at the block's end. */
static unsigned char *put_block(struct extern_state *s, unsigned char *next, value v, header_t hd, uintnat *left)
{
  mlsize_t size = Wosize_hd(hd);
  switch (Tag_hd(hd)) {
  case String_tag:
    return put_string(s, next, v);
  case Double_tag:
    *next++ = CODE_DOUBLE_LITTLE;
    memcpy(next, Op_val(v), sizeof(double));
    s->words32 += 1 + 2;
    s->words64 += 1 + 1;
    return next + sizeof(double);
  case Double_array_tag:
    return put_float_array(s, next, v, size);
  case Custom_tag:
    return put_custom(s, next, v);
  case Abstract_tag:
    extern_invalid(s, next, "output_value: abstract value (Abstract)");
  case Cont_tag:
    extern_invalid(s, next, "output_value: continuation value");
  default:
    break;
  }
  s->words32 += 1 + size;
  s->words64 += 1 + size;
  next = put_head(s, next, size, Tag_hd(hd));
  *left = size;
  if (Tag_hd(hd) == Closure_tag) {
    *left = size - Start_env_closinfo(Closinfo_val(v));
    next = put_closure_code(s, next, v);
  }
  return next;
}

/* A forced lazy value is written as what it holds, unless a reader could take that for
 * another lazy value or for an element of a flat float array. */
static value skip_forward(value v)
{
  value f = load_relaxed(&Forward_val(v));
  if (Is_long(f)) return f;
  switch (Tag_val(f)) {
  case Forward_tag:
  case Lazy_tag:
  case Forcing_tag:
  case Double_tag:
    return v;
  default:
    return f;
  }
}

static inline unsigned char *put_number(struct extern_state *s, unsigned char *next, uint32_t number)
{
  return put_shared(next, s->flags & MARSHAL_COMPRESSION ? number : s->seen.blocks - number);
}

/* The block v, or a reference to it if it is not new; *left as put_block sets it. */
static inline unsigned char *put_block_once(struct extern_state *s, unsigned char *next, value v, header_t hd,
                                            uintnat *left)
{
  uint32_t number;
  switch (positions_number(&s->seen, v, &number)) {
  case POSITION_NEW: return put_block(s, next, v, hd, left);
  case POSITION_OLD: return put_number(s, next, number);
  default: extern_no_memory(s);
  }
}

/* A block of the heap that has a number already is known by its address, without a look at its header, which is the dearest part of a graph whose
 * blocks are referred to from everywhere. No other value may be taken for it: blocks without fields are not in the heap, and no block begins in the 16
 * bytes around a function within a closure. NULL: it has none. */
static inline unsigned char *put_known(struct extern_state *s, unsigned char *next, value v)
{
  uint32_t *cell = positions_cell(&s->seen, v);
  if (unlikely(cell == NULL)) extern_no_memory(s);
  return *cell == 0 ? NULL : put_number(s, next, *cell - 1);
}

static void extern_graph(struct extern_state *s, value root)
{
  struct pending_stack *stack = &s->stack;
  unsigned char *next = s->next;
  const bool sharing = !(s->flags & MARSHAL_NO_SHARING);
  value *at = &root;
  uintnat left = 1;
  for (;;) {
    value v = load_relaxed(at);
    at++;
    left--;
    next = buffer_room(s, next, 0);
    header_t hd = 0;
    unsigned char *known = NULL;
    if (Is_block(v) && sharing && heap_contains(v) && (known = put_known(s, next, v)) != NULL) {
      next = known;
      if (left == 0 && !stack_pop(stack, &at, &left)) break;
      continue;
    }
    if (Is_block(v)) {
      hd = Hd_val(v);
      if (unlikely(Tag_hd(hd) == Forward_tag)) {
        v = skip_forward(v);
        if (Is_block(v)) hd = Hd_val(v);
      }
    }
    if (Is_long(v)) {
      next = put_int(s, next, Long_val(v));
    } else {
      if (unlikely(Tag_hd(hd) == Infix_tag)) {
        next = put_code32(next, CODE_INFIXPOINTER, Infix_offset_hd(hd));
        v -= (value)Infix_offset_hd(hd);
        hd = Hd_val(v);
      }
      uintnat inner = 0;
      if (Wosize_hd(hd) == 0) next = put_head(s, next, 0, Tag_hd(hd));
      else if (!sharing) next = put_block(s, next, v, hd, &inner);
      else next = put_block_once(s, next, v, hd, &inner);
      if (inner > 0) {
        if (left > 0 && !stack_push(stack, at, left)) extern_no_memory(s);
        at = &Field(v, Wosize_hd(hd) - inner);
        left = inner;
      }
    }
    if (left == 0 && !stack_pop(stack, &at, &left)) break;
  }
  s->next = next;
}

/* ---- The message ---- */

static unsigned flags_of_list(value list)
{
  unsigned flags = 0;
  for (; Is_block(list); list = Field(list, 1)) flags |= 1u << (Unsigned_long_val(Field(list, 0)) & 31);
  return flags;
}

/* Seven bits a byte, the high ones first; all bytes but the last have bit 7 set. */
static size_t put_vlq(unsigned char *to, uint64_t n)
{
  size_t len = 1;
  for (uint64_t rest = n >> 7; rest != 0; rest >>= 7) len++;
  for (size_t i = len; i-- > 0; n >>= 7) to[i] = (unsigned char)((n & 0x7f) | (i + 1 < len ? 0x80 : 0));
  return len;
}

static void header_compressed(const struct extern_state *s, size_t plain_size, struct marshal_message *m)
{
  const uint64_t numbers[] = {m->data_size, plain_size, s->seen.blocks, s->words32, s->words64};
  size_t at = MARSHAL_MIN_HEADER;
  store_be32(m->header, MARSHAL_MAGIC_COMPRESSED);
  for (size_t i = 0; i < countof(numbers); i++) at += put_vlq(m->header + at, numbers[i]);
  m->header[4] = (unsigned char)at;
  m->header_size = at;
}

static void header_small(const struct extern_state *s, struct marshal_message *m)
{
  store_be32(m->header, MARSHAL_MAGIC_SMALL);
  store_be32(m->header + 4, (uint32_t)m->data_size);
  store_be32(m->header + 8, (uint32_t)s->seen.blocks);
  store_be32(m->header + 12, (uint32_t)s->words32);
  store_be32(m->header + 16, (uint32_t)s->words64);
  m->header_size = MARSHAL_SMALL_HEADER;
}

static void header_big(const struct extern_state *s, struct marshal_message *m)
{
  store_be32(m->header, MARSHAL_MAGIC_BIG);
  store_be32(m->header + 4, 0);
  store_be64(m->header + 8, m->data_size);
  store_be64(m->header + 16, s->seen.blocks);
  store_be64(m->header + 24, s->words64);
  m->header_size = MARSHAL_BIG_HEADER;
}

static void extern_compress(struct extern_state *s, struct marshal_message *m)
{
  if (!caml_extern_compress_output(&s->block)) extern_no_memory(s);
  m->data_size = 0;
  for (struct caml_output_block *b = s->block; b != NULL; b = b->next) m->data_size += (size_t)(b->end - b->data);
}

void extern_message(value v, value flag_list, size_t limit, struct marshal_message *m)
{
  unsigned flags = flags_of_list(flag_list);
  bool compress = caml_extern_compress_output != NULL && limit == SIZE_MAX;
  if (!compress) flags &= ~(unsigned)MARSHAL_COMPRESSION;
  struct extern_state *s = extern_begin(flags);
  s->size_max = limit;
  if (limit < MARSHAL_SMALL_HEADER) extern_overflow(s);
  buffer_resize(s, BUFFER_START);
  extern_graph(s, v);

  s->block->end = (char *)s->next;
  size_t plain_size = m->data_size = extern_size(s);
  if (plain_size > limit - MARSHAL_SMALL_HEADER) extern_overflow(s);
  if (flags & MARSHAL_COMPRESSION) extern_compress(s, m);
  bool big = plain_size > UINT32_MAX || s->words32 > UINT32_MAX || s->words64 > UINT32_MAX;
  if (big && (flags & MARSHAL_COMPAT_32)) {
    extern_tidy(s);
    caml_failwith("output_value: object too big to be read back on 32-bit platform");
  }
  if (flags & MARSHAL_COMPRESSION) header_compressed(s, plain_size, m);
  else if (big) header_big(s, m);
  else header_small(s, m);
  if (m->data_size > limit - m->header_size) extern_overflow(s);
  m->data = s->block;
  stack_reset(&s->stack);
  positions_end(&s->seen);
}

/* ---- Words reachable from a value ---- */

/* Is it met for the first time? Blocks without fields lie closer than the table of positions can tell. */
static bool reached_first(struct extern_state *s, value v, bool atom_seen[256])
{
  if (Wosize_val(v) == 0) {
    bool first = !atom_seen[Tag_val(v)];
    atom_seen[Tag_val(v)] = true;
    return first;
  }
  uint32_t number;
  enum position_answer answer = positions_number(&s->seen, v, &number);
  if (answer == POSITION_NO_MEMORY) extern_no_memory(s);
  return answer == POSITION_NEW;
}

CAMLprim value caml_obj_reachable_words(value root)
{
  struct extern_state *s = extern_begin(0);
  bool atom_seen[256] = {false};
  uintnat words = 0, left = 1;
  value *at = &root;
  for (;;) {
    value v = load_relaxed(at);
    at++;
    left--;
    if (Is_block(v)) {
      if (Tag_val(v) == Infix_tag) v -= (value)Infix_offset_hd(Hd_val(v));
      if (reached_first(s, v, atom_seen)) {
        mlsize_t size = Wosize_val(v);
        words += 1 + size;
        mlsize_t first = Tag_val(v) == Closure_tag ? Start_env_closinfo(Closinfo_val(v)) : 0;
        if (Tag_val(v) < No_scan_tag && first < size) {
          if (left > 0 && !stack_push(&s->stack, at, left)) extern_no_memory(s);
          at = &Field(v, first);
          left = size - first;
        }
      }
    }
    if (left == 0 && !stack_pop(&s->stack, &at, &left)) break;
  }
  extern_tidy(s);
  return Val_long(words);
}

/* ---- What the serialize functions of custom blocks call. They leave an item's room behind. ---- */

static unsigned char *serialize_room(size_t count, size_t size)
{
  struct extern_state *s = Caml_state->extern_state;
  size_t bytes;
  if (s == NULL || s->block == NULL) bac_fatal("caml_serialize_* outside a serialize function");
  if (!mul_fits(count, size, &bytes)) extern_no_memory(s);
  unsigned char *at = buffer_room(s, s->next, bytes);
  s->next = at + bytes;
  return at;
}

CAMLexport void caml_serialize_int_1(int n) { *serialize_room(1, 1) = (unsigned char)n; }
CAMLexport void caml_serialize_int_2(int n) { store_be16(serialize_room(1, 2), (uint16_t)n); }
CAMLexport void caml_serialize_int_4(int32_t n) { store_be32(serialize_room(1, 4), (uint32_t)n); }
CAMLexport void caml_serialize_int_8(int64_t n) { store_be64(serialize_room(1, 8), (uint64_t)n); }

CAMLexport void caml_serialize_block_1(void *data, intnat len)
{
  unsigned char *to = serialize_room((size_t)len, 1);
  if (len > 0) memcpy(to, data, (size_t)len);
}

CAMLexport void caml_serialize_block_2(void *data, intnat len)
{
  unsigned char *to = serialize_room((size_t)len, 2);
  for (intnat i = 0; i < len; i++) {
    uint16_t n;
    memcpy(&n, (char *)data + 2 * i, sizeof n);
    store_be16(to + 2 * i, n);
  }
}

CAMLexport void caml_serialize_block_4(void *data, intnat len)
{
  unsigned char *to = serialize_room((size_t)len, 4);
  for (intnat i = 0; i < len; i++) {
    uint32_t n;
    memcpy(&n, (char *)data + 4 * i, sizeof n);
    store_be32(to + 4 * i, n);
  }
}

CAMLexport void caml_serialize_block_8(void *data, intnat len)
{
  unsigned char *to = serialize_room((size_t)len, 8);
  for (intnat i = 0; i < len; i++) {
    uint64_t n;
    memcpy(&n, (char *)data + 8 * i, sizeof n);
    store_be64(to + 8 * i, n);
  }
}

/* Doubles are little-endian, but single floats big-endian. */
CAMLexport void caml_serialize_block_float_8(void *data, intnat len)
{
  unsigned char *to = serialize_room((size_t)len, 8);
  if (len > 0) memcpy(to, data, 8 * (size_t)len);
}

CAMLexport void caml_serialize_float_8(double f) { caml_serialize_block_float_8(&f, 1); }
CAMLexport void caml_serialize_float_4(float f) { caml_serialize_block_4(&f, 1); }

void extern_state_free(struct extern_state *s)
{
  if (s == NULL) return;
  extern_tidy(s);
  positions_free(&s->seen);
  free(s);
}
