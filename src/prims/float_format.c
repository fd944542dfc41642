/* SPDX-License-Identifier: MIT */
/* Floats as text: printf formats, hexadecimal, and reading both.
 *
 * The program may have set a locale with a decimal comma; OCaml's text never
 * depends on it. State: the "C" locale, made at the first use and kept. */
#include "abi/caml.h"
#include "base/bits.h"
#include "sync/atomic.h"

#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
  locale_t c;     /* [atomic] 0 until the first use */
} numeric;

static locale_t numeric_locale(void)
{
  locale_t known = load_acquire(&numeric.c);
  if (known) return known;
  locale_t fresh = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
  if (!fresh) caml_raise_out_of_memory();
  if (cas_acq_rel(&numeric.c, &known, fresh)) return fresh;
  freelocale(fresh);
  return known;
}

/* ---- Printing by a printf format ---- */

/* Literal text (with %% in it), one conversion of a double, literal text. */
static bool format_is_safe(const char *f, size_t len)
{
  bool seen = false;
  for (size_t i = 0; i < len; i++) {
    if (f[i] == '\0') return false;
    if (f[i] != '%') continue;
    if (f[++i] == '%') continue;
    if (seen) return false;
    seen = true;
    i += strspn(f + i, "-+ #0123456789.");
    if (i >= len || !strchr("eEfFgGaA", f[i])) return false;
  }
  return true;
}

CAMLprim value caml_format_float(value format, value x)
{
  if (!format_is_safe(String_val(format), string_length(format)))
    caml_invalid_argument("format_float: bad format");
  char text[512];
  double d = Double_val(x);
  locale_t ours = numeric_locale(), saved = uselocale(ours);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  int len = snprintf(text, sizeof text, String_val(format), d);
  uselocale(saved);
  if (len < 0) caml_raise_out_of_memory();
  if ((size_t)len < sizeof text) return caml_alloc_initialized_string((mlsize_t)len, text);
  LOCAL_ROOTS(&format);
  value result = caml_alloc_string((mlsize_t)len);
  saved = uselocale(ours);
  snprintf((char *)Bytes_val(result), (size_t)len + 1, String_val(format), d);
#pragma GCC diagnostic pop
  uselocale(saved);
  return result;
}

/* ---- Printing in hexadecimal ---- */

enum { FRACTION_BITS = 52, FRACTION_DIGITS = FRACTION_BITS / 4, EXPONENT_BIAS = 1023 };
#define FRACTION_MASK (((uint64_t)1 << FRACTION_BITS) - 1)

/* A finite float: significand (its unit is bit 52), exponent of two. */
struct hex_float {
  uint64_t significand;
  int exponent;
};

static struct hex_float hex_split(uint64_t bits)
{
  struct hex_float h = {bits & FRACTION_MASK, (int)(bits >> FRACTION_BITS & 0x7ff)};
  if (h.exponent != 0) {
    h.significand |= FRACTION_MASK + 1;
    h.exponent -= EXPONENT_BIAS;
  } else if (h.significand != 0) {
    h.exponent = 1 - EXPONENT_BIAS;
  }
  return h;
}

/* To so many digits of the fraction; half goes to even. */
static uint64_t hex_round(uint64_t significand, intnat digits)
{
  if (digits >= FRACTION_DIGITS) return significand;
  unsigned drop = (unsigned)(FRACTION_BITS - 4 * digits);
  uint64_t kept = significand >> drop, lost = significand - (kept << drop), half = (uint64_t)1 << (drop - 1);
  if (lost > half || (lost == half && (kept & 1))) kept++;
  return kept << drop;
}

/* How many digits the fraction needs. */
static intnat hex_digits(uint64_t significand)
{
  uint64_t fraction = significand & FRACTION_MASK;
  return fraction == 0 ? 0 : FRACTION_DIGITS - __builtin_ctzl(fraction) / 4;
}

static value hex_text(const char *sign, struct hex_float h, intnat digits)
{
  static const char hex[] = "0123456789abcdef";
  char exponent[16];
  int exponent_len = snprintf(exponent, sizeof exponent, "p%+d", h.exponent);
  size_t head = strlen(sign) + 3 + (digits > 0), len;
  if (!add_fits(head + (size_t)exponent_len, (size_t)digits, &len)) caml_raise_out_of_memory();
  value result = caml_alloc_string(len);
  char *p = (char *)Bytes_val(result);
  p += sprintf(p, "%s0x%c", sign, hex[h.significand >> FRACTION_BITS]);
  if (digits > 0) *p++ = '.';
  for (intnat i = 0; i < digits; i++)
    *p++ = i < FRACTION_DIGITS ? hex[h.significand >> (FRACTION_BITS - 4 - 4 * i) & 15] : '0';
  memcpy(p, exponent, (size_t)exponent_len);
  return result;
}

/* The precision is the number of digits after the point, or negative: as many as needed.
 * The style says what stands for a plus sign: '+', ' ', or '-' for nothing. */
CAMLprim value caml_hexstring_of_float(value x, value precision, value style)
{
  double d = Double_val(x);
  uint64_t bits;
  memcpy(&bits, &d, sizeof bits);
  intnat digits = Long_val(precision), plus = Long_val(style);
  const char *sign = signbit(d) ? "-" : plus == '+' ? "+" : plus == ' ' ? " " : "";
  if (!isfinite(d)) return caml_alloc_sprintf("%s%s", sign, isnan(d) ? "nan" : "infinity");
  struct hex_float h = hex_split(bits & ~((uint64_t)1 << 63));
  if (digits < 0) digits = hex_digits(h.significand);
  else h.significand = hex_round(h.significand, digits);
  return hex_text(sign, h, digits);
}

/* ---- Reading ---- */

/* The digits read so far: value * 2^scale, the last bit of value being sticky
 * once it is full, so that the one rounding at the end is right. */
struct hex_reader {
  int64_t value;
  intnat scale;
  bool any, point;
};

static bool hex_take(struct hex_reader *r, char c)
{
  enum { FULL = 56 };   /* bits: four more fit, and the whole is exact as a signed number */
  if (c == '.') {
    bool second = r->point;
    r->point = true;
    return !second;
  }
  int lower = c | 0x20, digit;
  if (c >= '0' && c <= '9') digit = c - '0';
  else if (lower >= 'a' && lower <= 'f') digit = lower - 'a' + 10;
  else return false;
  r->any = true;
  if (r->value >> FULL == 0) {
    r->value = r->value << 4 | digit;
    if (r->point) r->scale -= 4;
  } else {
    r->value |= digit != 0;
    if (!r->point) r->scale += 4;
  }
  return true;
}

/* [s] is what follows 0x, NUL at [end]. */
static bool read_hex(const char *s, const char *end, double *out)
{
  struct hex_reader r = {0};
  intnat exponent = 0;
  for (; s < end && (*s | 0x20) != 'p'; s++)
    if (!hex_take(&r, *s)) return false;
  if (!r.any) return false;
  if (s < end) {
    char *stop;
    exponent = strtol(s + 1, &stop, 10);
    if (stop != end || stop == s + 1) return false;
  }
  if (__builtin_add_overflow(exponent, r.scale, &exponent)) exponent = exponent < 0 ? INTPTR_MAX : INTPTR_MIN;
  int bounded = exponent > INT_MAX ? INT_MAX : exponent < INT_MIN ? INT_MIN : (int)exponent;
  *out = ldexp((double)r.value, bounded);
  return true;
}

static bool read_float(const char *s, const char *end, double *out)
{
  const char *digits = s + (*s == '-' || *s == '+');
  if (digits[0] == '0' && (digits[1] | 0x20) == 'x') {
    if (!read_hex(digits + 2, end, out)) return false;
    if (*s == '-') *out = -*out;
    return true;
  }
  char *stop;
  *out = strtod_l(s, &stop, numeric_locale());
  return s < end && stop == end;
}

CAMLprim value caml_float_of_string(value text)
{
  char local[64];
  size_t len = string_length(text);
  char *copy = len < sizeof local ? local : caml_stat_alloc(len + 1), *end = copy;
  for (size_t i = 0; i < len; i++)
    if (Byte(text, i) != '_') *end++ = Byte(text, i);
  *end = '\0';
  double d;
  bool good = read_float(copy, end, &d);
  if (copy != local) caml_stat_free(copy);
  if (!good) caml_failwith("float_of_string");
  return caml_copy_double(d);
}
