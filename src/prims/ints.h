/* SPDX-License-Identifier: MIT */
/* Text to integers and back, for integers of any width up to 64 bits. */
#ifndef BAC_PRIMS_INTS_H
#define BAC_PRIMS_INTS_H

#include "abi/caml.h"

/* An integer literal as the language writes it, of [bits] bits: a sign, a prefix
 * 0x 0o 0b 0u, digits with underscores after the first. Without a prefix the number must
 * fit as signed, with one as unsigned (it then wraps). Otherwise raises Failure
 * [who]. [no gc] before it raises. */
intnat ints_parse(value text, unsigned bits, const char *who);

/* Formats by a printf format with one integer conversion at its end (d i u x X o, with an
 * optional l, n or L before the letter). [as_signed] is printed by d and i, [as_unsigned] by the others;
 * [modifier_len]: how much of the 31 characters that stock allows is taken by C's length modifier.
 * [may gc] [raises] */
value ints_format(value format, intnat as_signed, uintnat as_unsigned, unsigned modifier_len);

#endif
