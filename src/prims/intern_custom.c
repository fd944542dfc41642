/* SPDX-License-Identifier: MIT */
/* Marshalling, reading: custom blocks, and the functions that their deserialize functions call. What the reader checks: intern.h. */
#include "prims/intern.h"

#include "abi/runtime.h"
#include "base/bits.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCRATCH_SLACK = 4096, SCRATCH_MOST = 64 << 20 };

/* What a custom block is until its data is there: no finaliser may see it. */
static const struct custom_operations unfinished_ops = {.identifier = "_unfinished"};

static COLD _Noreturn void bad_custom(struct intern_state *s, const struct custom_operations *ops)
{
  intern_fail_name(s, "error while deserializing custom block", ops->identifier);
}

/* A finaliser needs a block that the collector knows of, which those in the nursery piece are not. */
static value new_custom(struct intern_state *s, const struct custom_operations *ops, mlsize_t data_words)
{
  size_t beyond = min_size(s->custom_words, data_words + 2);
  s->custom_words -= beyond;
  s->words_left += beyond;
  value v = intern_block(s, 1 + data_words, Custom_tag, ops->finalize != NULL ? KIND_FINAL : KIND_NOSCAN);
  Custom_ops_val(v) = &unfinished_ops;
  for (mlsize_t i = 1; i <= data_words; i++) Field(v, i) = 0;
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
  if (bytes / sizeof(value) >= s->room + s->words_left + s->custom_words) intern_ill_formed(s);
  void *scratch = scratch_room(s, bytes);
  size_t written = ops->deserialize(scratch);
  if (written > s->scratch_size) bac_fatal("input_value: %s wrote past its block", ops->identifier);
  /* A block of a wrong size is made all the same: its finaliser frees what the function allocated. */
  mlsize_t words = div_up(written, sizeof(value));
  value v = written == bytes ? new_custom(s, ops, words) : intern_unclaimed_block(s, 1 + words, Custom_tag);
  Custom_ops_val(v) = ops;
  memcpy(Data_custom_val(v), scratch, written);
  if (written != bytes) bad_custom(s, ops);
  return v;
}

/* The operations of a name that ends at [end]; those found before in this message, by the name's last letter. */
static const struct custom_operations *find_operations(struct intern_state *s, const char *name, const unsigned char *end)
{
  const struct custom_operations **known = &s->known_ops[end[-1] % INTERN_OPS_KNOWN];
  if (*known == NULL || strcmp((*known)->identifier, name) != 0) *known = caml_find_custom_operations(name);
  return *known;
}

value intern_custom(struct intern_state *s, unsigned code)
{
  const char *name = (const char *)s->next;
  const unsigned char *end = memchr(name, 0, bytes_left(s));
  if (end == NULL) intern_truncated(s);
  const struct custom_operations *ops = find_operations(s, name, end);
  if (ops == NULL) intern_fail_name(s, "unknown custom block identifier", name);
  if (ops->deserialize == NULL) bad_custom(s, ops);
  s->next = end + 1;
  if (code == CODE_CUSTOM_FIXED && ops->fixed_length == NULL)
    intern_fail_name(s, "expected a fixed-size custom block", name);
  value v = code == CODE_CUSTOM_FIXED ? take_custom_fixed(s, ops) : take_custom_sized(s, ops);
  number_object(s, v);
  return v;
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

/* Big-endian numbers; [to] need not be aligned. */
#define DESERIALIZE_BLOCK(bytes, bits) \
  CAMLexport void caml_deserialize_block_##bytes(void *to, intnat count) \
  { \
    const unsigned char *from = take_array(count, bytes); \
    for (intnat i = 0; i < count; i++) { \
      uint##bits##_t n = load_be##bits(from + bytes * i); \
      memcpy((char *)to + bytes * i, &n, sizeof n); \
    } \
  }
DESERIALIZE_BLOCK(2, 16)
DESERIALIZE_BLOCK(4, 32)
DESERIALIZE_BLOCK(8, 64)

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
