/* SPDX-License-Identifier: MIT */
/* Floats: arithmetic, comparison and the mathematical functions.
 *
 * Each stands here twice where native code wants the unboxed form under a name
 * of ours (caml_cbrt and its like; stdlib/float.ml lists them); for the others native
 * code calls the C library itself. Text is in float_format.c, the conversions to boxed
 * integers in int_boxed.c. No state. */
#include "abi/caml.h"

#include <math.h>

static inline value box(double d) { return caml_copy_double(d); }

/* A float in front of something else: (float * float) and (float * int). */
static value pair_of(double first, value second)
{
  LOCAL_ROOTS(&second);
  value boxed = box(first);
  LOCAL_ROOTS(&boxed);
  return caml_alloc_2(0, boxed, second);
}

/* ---- Arithmetic ---- */
CAMLprim value caml_add_float(value x, value y) { return box(Double_val(x) + Double_val(y)); }
CAMLprim value caml_sub_float(value x, value y) { return box(Double_val(x) - Double_val(y)); }
CAMLprim value caml_mul_float(value x, value y) { return box(Double_val(x) * Double_val(y)); }
CAMLprim value caml_div_float(value x, value y) { return box(Double_val(x) / Double_val(y)); }
CAMLprim value caml_neg_float(value x) { return box(-Double_val(x)); }
CAMLprim value caml_abs_float(value x) { return box(fabs(Double_val(x))); }
CAMLprim value caml_fmod_float(value x, value y) { return box(fmod(Double_val(x), Double_val(y))); }
CAMLprim value caml_float_of_int(value n) { return box((double)Long_val(n)); }

/* What does not fit gives what the machine's instruction gives. */
__attribute__((no_sanitize("undefined")))
CAMLprim value caml_int_of_float(value x) { return Val_long((intnat)Double_val(x)); }

/* ---- Comparison ---- */

CAMLprim value caml_eq_float(value x, value y) { return Val_bool(Double_val(x) == Double_val(y)); }
CAMLprim value caml_neq_float(value x, value y) { return Val_bool(Double_val(x) != Double_val(y)); }
CAMLprim value caml_lt_float(value x, value y) { return Val_bool(Double_val(x) < Double_val(y)); }
CAMLprim value caml_le_float(value x, value y) { return Val_bool(Double_val(x) <= Double_val(y)); }
CAMLprim value caml_gt_float(value x, value y) { return Val_bool(Double_val(x) > Double_val(y)); }
CAMLprim value caml_ge_float(value x, value y) { return Val_bool(Double_val(x) >= Double_val(y)); }

/* A total order: nan equals itself and is below everything else. */
CAMLexport intnat caml_float_compare_unboxed(double x, double y)
{
  if (isnan(x)) return isnan(y) ? 0 : -1;
  return isnan(y) ? 1 : (x > y) - (x < y);
}

CAMLprim value caml_float_compare(value x, value y)
{
  return Val_long(caml_float_compare_unboxed(Double_val(x), Double_val(y)));
}

/* ---- Functions of the C library, called by native code directly ---- */

CAMLprim value caml_exp_float(value x) { return box(exp(Double_val(x))); }
CAMLprim value caml_log_float(value x) { return box(log(Double_val(x))); }
CAMLprim value caml_log10_float(value x) { return box(log10(Double_val(x))); }
CAMLprim value caml_sqrt_float(value x) { return box(sqrt(Double_val(x))); }
CAMLprim value caml_sin_float(value x) { return box(sin(Double_val(x))); }
CAMLprim value caml_cos_float(value x) { return box(cos(Double_val(x))); }
CAMLprim value caml_tan_float(value x) { return box(tan(Double_val(x))); }
CAMLprim value caml_asin_float(value x) { return box(asin(Double_val(x))); }
CAMLprim value caml_acos_float(value x) { return box(acos(Double_val(x))); }
CAMLprim value caml_atan_float(value x) { return box(atan(Double_val(x))); }
CAMLprim value caml_sinh_float(value x) { return box(sinh(Double_val(x))); }
CAMLprim value caml_cosh_float(value x) { return box(cosh(Double_val(x))); }
CAMLprim value caml_tanh_float(value x) { return box(tanh(Double_val(x))); }
CAMLprim value caml_floor_float(value x) { return box(floor(Double_val(x))); }
CAMLprim value caml_ceil_float(value x) { return box(ceil(Double_val(x))); }
CAMLprim value caml_power_float(value x, value y) { return box(pow(Double_val(x), Double_val(y))); }
CAMLprim value caml_atan2_float(value y, value x) { return box(atan2(Double_val(y), Double_val(x))); }

/* ---- Functions that native code calls by our name ---- */

CAMLexport double caml_cbrt(double x) { return cbrt(x); }
CAMLprim value caml_cbrt_float(value x) { return box(cbrt(Double_val(x))); }

CAMLexport double caml_exp2(double x) { return exp2(x); }
CAMLprim value caml_exp2_float(value x) { return box(exp2(Double_val(x))); }

CAMLexport double caml_log2(double x) { return log2(x); }
CAMLprim value caml_log2_float(value x) { return box(log2(Double_val(x))); }

CAMLexport double caml_expm1(double x) { return expm1(x); }
CAMLprim value caml_expm1_float(value x) { return box(expm1(Double_val(x))); }

CAMLexport double caml_log1p(double x) { return log1p(x); }
CAMLprim value caml_log1p_float(value x) { return box(log1p(Double_val(x))); }

CAMLexport double caml_asinh(double x) { return asinh(x); }
CAMLprim value caml_asinh_float(value x) { return box(asinh(Double_val(x))); }

CAMLexport double caml_acosh(double x) { return acosh(x); }
CAMLprim value caml_acosh_float(value x) { return box(acosh(Double_val(x))); }

CAMLexport double caml_atanh(double x) { return atanh(x); }
CAMLprim value caml_atanh_float(value x) { return box(atanh(Double_val(x))); }

CAMLexport double caml_erf(double x) { return erf(x); }
CAMLprim value caml_erf_float(value x) { return box(erf(Double_val(x))); }

CAMLexport double caml_erfc(double x) { return erfc(x); }
CAMLprim value caml_erfc_float(value x) { return box(erfc(Double_val(x))); }

CAMLexport double caml_trunc(double x) { return trunc(x); }
CAMLprim value caml_trunc_float(value x) { return box(trunc(Double_val(x))); }

CAMLexport double caml_round(double x) { return round(x); }
CAMLprim value caml_round_float(value x) { return box(round(Double_val(x))); }

CAMLexport double caml_hypot(double x, double y) { return hypot(x, y); }
CAMLprim value caml_hypot_float(value x, value y) { return box(hypot(Double_val(x), Double_val(y))); }

CAMLexport double caml_nextafter(double x, double y) { return nextafter(x, y); }
CAMLprim value caml_nextafter_float(value x, value y) { return box(nextafter(Double_val(x), Double_val(y))); }

CAMLexport double caml_copysign(double x, double y) { return copysign(x, y); }
CAMLprim value caml_copysign_float(value x, value y) { return box(copysign(Double_val(x), Double_val(y))); }

CAMLexport double caml_fma(double x, double y, double z) { return fma(x, y, z); }
CAMLprim value caml_fma_float(value x, value y, value z)
{
  return box(fma(Double_val(x), Double_val(y), Double_val(z)));
}

/* ---- Parts of a float ---- */

CAMLprim value caml_signbit(double x) { return Val_bool(signbit(x)); }
CAMLprim value caml_signbit_float(value x) { return caml_signbit(Double_val(x)); }

/* The constructors of Stdlib.fpclass, in their order. */
enum { FPCLASS_NORMAL, FPCLASS_SUBNORMAL, FPCLASS_ZERO, FPCLASS_INFINITE, FPCLASS_NAN };

CAMLexport value caml_classify_float_unboxed(double x)
{
  switch (fpclassify(x)) {
  case FP_NAN: return Val_int(FPCLASS_NAN);
  case FP_INFINITE: return Val_int(FPCLASS_INFINITE);
  case FP_ZERO: return Val_int(FPCLASS_ZERO);
  case FP_SUBNORMAL: return Val_int(FPCLASS_SUBNORMAL);
  default: return Val_int(FPCLASS_NORMAL);
  }
}

CAMLprim value caml_classify_float(value x) { return caml_classify_float_unboxed(Double_val(x)); }

CAMLexport double caml_ldexp_float_unboxed(double x, intnat exponent) { return ldexp(x, (int)exponent); }
CAMLprim value caml_ldexp_float(value x, value exponent) { return box(ldexp(Double_val(x), Int_val(exponent))); }

CAMLprim value caml_frexp_float(value x)
{
  int exponent = 0;
  double mantissa = frexp(Double_val(x), &exponent);
  return pair_of(mantissa, Val_int(exponent));
}

CAMLprim value caml_modf_float(value x)
{
  double whole, fraction = modf(Double_val(x), &whole);
  return pair_of(fraction, box(whole));
}
