/* SPDX-License-Identifier: MIT */
/* The mixing functions of Hashtbl.hash, also for the hash functions of custom
 * blocks: each mixes one datum into the hash h and returns the new one. [no gc] */
#ifndef BAC_PRIMS_HASH_H
#define BAC_PRIMS_HASH_H

#include "abi/caml.h"

uint32_t caml_hash_mix_uint32(uint32_t h, uint32_t n);
uint32_t caml_hash_mix_intnat(uint32_t h, intnat n);
uint32_t caml_hash_mix_int64(uint32_t h, int64_t n);
uint32_t caml_hash_mix_double(uint32_t h, double d);
uint32_t caml_hash_mix_float(uint32_t h, float f);
uint32_t caml_hash_mix_string(uint32_t h, value s);

#endif
