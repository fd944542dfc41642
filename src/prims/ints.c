/* SPDX-License-Identifier: MIT */
/* Integers: reading and printing them in every width, and the primitives on
 * tagged integers that the compiler does not inline.
 *
 * Arithmetic on tagged integers is the back ends' own; the boxed integers are
 * in int_boxed.c. No state. */
#include "prims/ints.h"

/* ---- Reading ---- */

struct literal {
  const char *at, *end;
  unsigned base;
  bool negative, is_signed;
};

static struct literal literal_open(const char *text, size_t len)
{
  struct literal lit = {text, text + len, 10, false, true};
  if (len > 0 && (*text == '-' || *text == '+')) {
    lit.negative = *text == '-';
    lit.at++;
  }
  if (lit.end - lit.at < 2 || lit.at[0] != '0') return lit;
  switch (lit.at[1] | 0x20) {
  case 'x': lit.base = 16; break;
  case 'o': lit.base = 8; break;
  case 'b': lit.base = 2; break;
  case 'u': break;
  default: return lit;
  }
  lit.is_signed = false;
  lit.at += 2;
  return lit;
}

/* 99 for what is no digit in any base. */
static unsigned digit_of(char c)
{
  if (c >= '0' && c <= '9') return (unsigned)(c - '0');
  char lower = (char)(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 99;
}

static bool literal_magnitude(struct literal *lit, uintnat *out)
{
  if (lit->at == lit->end || *lit->at == '_') return false;
  uintnat sum = 0;
  for (; lit->at < lit->end; lit->at++) {
    if (*lit->at == '_') continue;
    unsigned digit = digit_of(*lit->at);
    if (digit >= lit->base || __builtin_mul_overflow(sum, (uintnat)lit->base, &sum) ||
        __builtin_add_overflow(sum, (uintnat)digit, &sum))
      return false;
  }
  *out = sum;
  return true;
}

static bool magnitude_fits(const struct literal *lit, uintnat magnitude, unsigned bits)
{
  uintnat half = (uintnat)1 << (bits - 1);
  if (lit->is_signed) return magnitude < half || (lit->negative && magnitude == half);
  return bits == 64 || magnitude >> bits == 0;
}

intnat ints_parse(value text, unsigned bits, const char *who)
{
  struct literal lit = literal_open(String_val(text), string_length(text));
  uintnat magnitude;
  if (!literal_magnitude(&lit, &magnitude) || !magnitude_fits(&lit, magnitude, bits)) caml_failwith(who);
  return (intnat)(lit.negative ? -magnitude : magnitude);
}

CAMLprim value caml_int_of_string(value text) { return Val_long(ints_parse(text, 63, "int_of_string")); }

/* ---- Printing ---- */

enum { FORMAT_MAX = 32 };

/* "%d", by far the commonest format. */
static value format_plain(intnat n)
{
  char text[24], *p = text + sizeof text;
  uintnat rest = n < 0 ? -(uintnat)n : (uintnat)n;
  do {
    *--p = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (n < 0) *--p = '-';
  return caml_alloc_initialized_string((mlsize_t)(text + sizeof text - p), p);
}

/* Writes the C format for a long; false where [format] is not literal text and then one
 * integer conversion: printf must not be let loose on anything else. */
static bool format_for_c(const char *format, size_t len, char *out)
{
  size_t at = (size_t)(strchrnul(format, '%') - format);
  if (len == 0 || at >= len - 1 || format[at] != '%') return false;
  size_t head = len - 1;
  if (head - at > 1 && strchr("lnL", format[head - 1])) head--;
  for (size_t i = at + 1; i < head; i++)
    if (format[i] == '\0' || !strchr("-+ #0123456789.", format[i])) return false;
  memcpy(out, format, head);
  out[head] = 'l';
  out[head + 1] = format[len - 1];
  out[head + 2] = '\0';
  return true;
}

value ints_format(value format, intnat as_signed, uintnat as_unsigned, unsigned modifier_len)
{
  const char *f = String_val(format);
  size_t len = string_length(format);
  char c_format[FORMAT_MAX + 2];
  if (len == 2 && f[0] == '%' && f[1] == 'd') return format_plain(as_signed);
  if (len + modifier_len + 1 >= FORMAT_MAX) caml_invalid_argument("format_int: format too long");
  if (!format_for_c(f, len, c_format)) caml_invalid_argument("format_int: bad format");
  switch (f[len - 1]) {
  case 'd': case 'i': return caml_alloc_sprintf(c_format, as_signed);
  case 'u': case 'x': case 'X': case 'o': return caml_alloc_sprintf(c_format, as_unsigned);
  default: caml_invalid_argument("format_int: bad format");
  }
}

CAMLprim value caml_format_int(value format, value n)
{
  return ints_format(format, Long_val(n), Unsigned_long_val(n), 1);
}

/* ---- The rest ---- */

CAMLprim value caml_int_compare(value a, value b) { return Val_long((a > b) - (a < b)); }

CAMLexport intnat caml_bswap16_direct(intnat n) { return __builtin_bswap16((uint16_t)n); }

CAMLprim value caml_bswap16(value n) { return Val_long(__builtin_bswap16((uint16_t)Long_val(n))); }
