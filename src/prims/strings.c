/* SPDX-License-Identifier: MIT */
/* Strings and bytes, which share one representation.
 *
 * An access by index checks its bounds; the primitives that copy and fill do
 * not, for the library does before it calls them. Multi-byte access is in the machine's
 * byte order. Each primitive on bytes with the same meaning as one on strings
 * calls that one. Concurrent changes to bytes may be seen in part. No state. */
#include "prims/strings.h"

/* ---- Length and creation ---- */

CAMLexport mlsize_t caml_string_length(value s) { return string_length(s); }
CAMLprim value caml_ml_string_length(value s) { return Val_long(string_length(s)); }
CAMLprim value caml_ml_bytes_length(value s) { return Val_long(string_length(s)); }

bool caml_string_is_c_safe_(value s) { return memchr(String_val(s), 0, string_length(s)) == NULL; }
CAMLexport int caml_string_is_c_safe(value s) { return caml_string_is_c_safe_(s); }

char *caml_strdup_of_value(value s)
{
  size_t size = string_length(s) + 1;
  char *copy = caml_stat_alloc(size);
  memcpy(copy, String_val(s), size);
  return copy;
}

static value create(value len, const char *who)
{
  if (Long_val(len) < 0 || (uintnat)Long_val(len) >= Bsize_wsize(Max_wosize)) caml_invalid_argument(who);
  return caml_alloc_string((mlsize_t)Long_val(len));
}

CAMLprim value caml_create_bytes(value len) { return create(len, "Bytes.create"); }
CAMLprim value caml_create_string(value len) { return create(len, "String.create"); }

CAMLprim value caml_string_of_bytes(value s) { return s; }
CAMLprim value caml_bytes_of_string(value s) { return s; }

/* ---- Access by index ---- */

/* The address of [width] bytes at an index, which must all be inside. */
static inline unsigned char *bytes_at(value s, value index, mlsize_t width)
{
  mlsize_t len = string_length(s), i = (mlsize_t)Long_val(index);
  if (len < width || i > len - width) caml_array_bound_error();
  return Bytes_val(s) + i;
}

CAMLprim value caml_string_get(value s, value index) { return Val_int(*bytes_at(s, index, 1)); }
CAMLprim value caml_bytes_get(value s, value index) { return Val_int(*bytes_at(s, index, 1)); }

CAMLprim value caml_bytes_set(value s, value index, value byte)
{
  *bytes_at(s, index, 1) = (unsigned char)Long_val(byte);
  return Val_unit;
}
CAMLprim value caml_string_set(value s, value index, value byte) { return caml_bytes_set(s, index, byte); }

CAMLprim value caml_string_get16(value s, value index)
{
  uint16_t n;
  memcpy(&n, bytes_at(s, index, sizeof n), sizeof n);
  return Val_long(n);
}

CAMLprim value caml_string_get32(value s, value index)
{
  int32_t n;
  memcpy(&n, bytes_at(s, index, sizeof n), sizeof n);
  return caml_copy_int32(n);
}

CAMLprim value caml_string_get64(value s, value index)
{
  int64_t n;
  memcpy(&n, bytes_at(s, index, sizeof n), sizeof n);
  return caml_copy_int64(n);
}

CAMLprim value caml_bytes_get16(value s, value index) { return caml_string_get16(s, index); }
CAMLprim value caml_bytes_get32(value s, value index) { return caml_string_get32(s, index); }
CAMLprim value caml_bytes_get64(value s, value index) { return caml_string_get64(s, index); }

CAMLprim value caml_bytes_set16(value s, value index, value n)
{
  uint16_t bits = (uint16_t)Long_val(n);
  memcpy(bytes_at(s, index, sizeof bits), &bits, sizeof bits);
  return Val_unit;
}

CAMLprim value caml_bytes_set32(value s, value index, value n)
{
  memcpy(bytes_at(s, index, sizeof(int32_t)), Data_custom_val(n), sizeof(int32_t));
  return Val_unit;
}

CAMLprim value caml_bytes_set64(value s, value index, value n)
{
  memcpy(bytes_at(s, index, sizeof(int64_t)), Data_custom_val(n), sizeof(int64_t));
  return Val_unit;
}

/* ---- Comparison ---- */

/* A call, and registers to be saved for it, only where it is worth it. */
static NOINLINE bool same_words(value a, value b, mlsize_t words) { return memcmp(String_val(a), String_val(b), Bsize_wsize(words)) == 0; }

/* The last word holds the length's remainder, so equal words are equal strings. Most strings are names of a word or
 * two, and those that differ do so in the first: a call of memcmp costs more than they do. */
static inline bool same_bytes(value a, value b)
{
  enum { FEW_WORDS = 4 };
  if (a == b) return true;
  if (Field(a, 0) != Field(b, 0)) return false;
  mlsize_t words = Wosize_val(a);
  if (words != Wosize_val(b)) return false;
  if (words > FEW_WORDS) return same_words(a, b, words);
  for (mlsize_t i = 1; i < words; i++)
    if (Field(a, i) != Field(b, i)) return false;
  return true;
}

/* The first byte in which the first words differ, of little-endian machines; 8: none. */
static inline mlsize_t first_difference(value a, value b)
{
  uintptr_t bits = (uintptr_t)Field(a, 0) ^ (uintptr_t)Field(b, 0);
  return bits ? (mlsize_t)__builtin_ctzl(bits) / 8 : sizeof(value);
}

int strings_order(value a, value b)
{
  if (a == b) return 0;
  mlsize_t la = string_length(a), lb = string_length(b), least = la < lb ? la : lb, at = first_difference(a, b);
  if (at < sizeof(value) && at < least) return Byte_u(a, at) < Byte_u(b, at) ? -1 : 1;
  int order = memcmp(String_val(a), String_val(b), least);
  if (order == 0) return (la > lb) - (la < lb);
  return order < 0 ? -1 : 1;
}

CAMLprim value caml_string_equal(value a, value b) { return Val_bool(same_bytes(a, b)); }
CAMLprim value caml_string_notequal(value a, value b) { return Val_bool(!same_bytes(a, b)); }
CAMLprim value caml_string_compare(value a, value b) { return Val_int(strings_order(a, b)); }
CAMLprim value caml_string_lessthan(value a, value b) { return Val_bool(strings_order(a, b) < 0); }
CAMLprim value caml_string_lessequal(value a, value b) { return Val_bool(strings_order(a, b) <= 0); }
CAMLprim value caml_string_greaterthan(value a, value b) { return Val_bool(strings_order(a, b) > 0); }
CAMLprim value caml_string_greaterequal(value a, value b) { return Val_bool(strings_order(a, b) >= 0); }

CAMLprim value caml_bytes_equal(value a, value b) { return Val_bool(same_bytes(a, b)); }
CAMLprim value caml_bytes_notequal(value a, value b) { return Val_bool(!same_bytes(a, b)); }
CAMLprim value caml_bytes_compare(value a, value b) { return Val_int(strings_order(a, b)); }
CAMLprim value caml_bytes_lessthan(value a, value b) { return Val_bool(strings_order(a, b) < 0); }
CAMLprim value caml_bytes_lessequal(value a, value b) { return Val_bool(strings_order(a, b) <= 0); }
CAMLprim value caml_bytes_greaterthan(value a, value b) { return Val_bool(strings_order(a, b) > 0); }
CAMLprim value caml_bytes_greaterequal(value a, value b) { return Val_bool(strings_order(a, b) >= 0); }

/* ---- Copying and filling, unchecked ---- */

CAMLprim value caml_blit_bytes(value src, value from, value dst, value to, value len)
{
  memmove(Bytes_val(dst) + Long_val(to), Bytes_val(src) + Long_val(from), (size_t)Long_val(len));
  return Val_unit;
}
CAMLprim value caml_blit_string(value src, value from, value dst, value to, value len)
{
  return caml_blit_bytes(src, from, dst, to, len);
}

CAMLprim value caml_fill_bytes(value s, value from, value len, value byte)
{
  memset(Bytes_val(s) + Long_val(from), Int_val(byte), (size_t)Long_val(len));
  return Val_unit;
}
CAMLprim value caml_fill_string(value s, value from, value len, value byte)
{
  return caml_fill_bytes(s, from, len, byte);
}
