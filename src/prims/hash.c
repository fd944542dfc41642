/* SPDX-License-Identifier: MIT */
/* Hashtbl.hash: MurmurHash3 (Appleby, public domain; the 32-bit variant) over
 * the meaningful parts of a value, breadth first.
 *
 * The values are part of the library's contract (hashtbl.mli: the same on every
 * machine and in every version that has seeds), so every step here is fixed: what counts as
 * meaningful, in what order parts are met, and where the walk ends. Also here: the
 * hash of polymorphic variants' names, and the pseudo-random generator of Random.
 * No state of its own. */
#include "prims/hash.h"

#include <math.h>

/* ---- Mixing ---- */

static inline uint32_t rotate32(uint32_t n, unsigned by) { return n << by | n >> (32 - by); }

static inline uint32_t mix(uint32_t h, uint32_t n)
{
  n = rotate32(n * 0xcc9e2d51u, 15) * 0x1b873593u;
  return rotate32(h ^ n, 13) * 5 + 0xe6546b64u;
}

/* 30 bits: an OCaml integer that is not negative on machines of 32 bits too. */
static value finish(uint32_t h)
{
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return Val_long((h ^ h >> 16) & 0x3fffffff);
}

CAMLexport uint32_t caml_hash_mix_uint32(uint32_t h, uint32_t n) { return mix(h, n); }

/* A number that fits 32 bits hashes as it would on a machine of 32 bits. */
CAMLexport uint32_t caml_hash_mix_intnat(uint32_t h, intnat n)
{
  return mix(h, (uint32_t)(n ^ n >> 32 ^ n >> 63));
}

CAMLexport uint32_t caml_hash_mix_int64(uint32_t h, int64_t n)
{
  return mix(mix(h, (uint32_t)n), (uint32_t)((uint64_t)n >> 32));
}

/* All nans are one, and so are the two zeros. */
CAMLexport uint32_t caml_hash_mix_double(uint32_t h, double d)
{
  int64_t bits = 0;
  if (isnan(d)) bits = 0x7ff0000000000001;
  else if (d != 0) memcpy(&bits, &d, sizeof bits);
  return caml_hash_mix_int64(h, bits);
}

CAMLexport uint32_t caml_hash_mix_float(uint32_t h, float f)
{
  uint32_t bits = 0;
  if (isnan(f)) bits = 0x7f800001;
  else if (f != 0) memcpy(&bits, &f, sizeof bits);
  return mix(h, bits);
}

/* Words of 4 bytes, little-endian, the last one filled up with zeros; then the
 * length. The runtime's machines are little-endian. */
CAMLexport uint32_t caml_hash_mix_string(uint32_t h, value s)
{
  size_t len = string_length(s), whole = len & ~(size_t)3;
  const char *bytes = String_val(s);
  uint32_t word;
  for (size_t i = 0; i < whole; i += sizeof word) {
    memcpy(&word, bytes + i, sizeof word);
    h = mix(h, word);
  }
  if (whole < len) {
    word = 0;
    memcpy(&word, bytes + whole, len - whole);
    h = mix(h, word);
  }
  return h ^ (uint32_t)len;
}

/* ---- The walk ---- */

enum { QUEUE_MAX = 256, FORWARDS_MAX = 1000 };

struct hashing {
  uint32_t h;
  intnat left;              /* meaningful parts still wanted */
  size_t head, tail, room;  /* of the queue: it is filled once and never wraps */
  value queue[QUEUE_MAX];
};

static void hash_part(struct hashing *s, uint32_t h)
{
  s->h = h;
  s->left--;
}

static void hash_queue_fields(struct hashing *s, value v, mlsize_t from)
{
  mlsize_t size = Wosize_val(v);
  for (mlsize_t i = from; i < size && s->tail < s->room; i++) s->queue[s->tail++] = Field(v, i);
}

/* Tag and size, which do not count as a part. */
static void hash_header(struct hashing *s, value v)
{
  s->h = mix(s->h, (uint32_t)(Hd_val(v) & ~HEADER_COLOUR_MASK));
}

static void hash_floats(struct hashing *s, value v)
{
  mlsize_t size = Wosize_val(v);
  for (mlsize_t i = 0; i < size && s->left > 0; i++)
    hash_part(s, caml_hash_mix_double(s->h, Double_flat_field(v, i)));
}

/* Code pointers and what lies between them are parts; the environment is queued. */
static void hash_closure(struct hashing *s, value v)
{
  mlsize_t environment = Start_env_closinfo(Closinfo_val(v));
  hash_header(s, v);
  for (mlsize_t i = 0; i < environment; i++) hash_part(s, caml_hash_mix_intnat(s->h, Field(v, i)));
  hash_queue_fields(s, v, environment);
}

static void hash_custom(struct hashing *s, value v)
{
  intnat (*hash)(value) = Custom_ops_val(v)->hash;
  if (hash) hash_part(s, mix(s->h, (uint32_t)hash(v)));
}

/* What a forwarding block leads to; 0 where there are too many in a row: they
 * may form a cycle. */
static value hash_follow(value v)
{
  for (int i = 0; i < FORWARDS_MAX; i++) {
    v = Forward_val(v);
    if (Is_long(v) || Tag_val(v) != Forward_tag) return v;
  }
  return 0;
}

static void hash_value(struct hashing *s, value v)
{
  if (Is_block(v) && Tag_val(v) == Forward_tag && (v = hash_follow(v)) == 0) return;
  if (Is_long(v)) {
    hash_part(s, caml_hash_mix_intnat(s->h, v));
    return;
  }
  switch (Tag_val(v)) {
  case String_tag: hash_part(s, caml_hash_mix_string(s->h, v)); break;
  case Double_tag: hash_part(s, caml_hash_mix_double(s->h, Double_val(v))); break;
  case Double_array_tag: hash_floats(s, v); break;
  case Object_tag: hash_part(s, caml_hash_mix_intnat(s->h, Oid_val(v))); break;
  case Custom_tag: hash_custom(s, v); break;
  case Abstract_tag: case Cont_tag: break;
  case Closure_tag: hash_closure(s, v); break;
  case Infix_tag: {
    mlsize_t offset = Infix_offset_hd(Hd_val(v));
    s->h = mix(s->h, (uint32_t)offset);
    hash_closure(s, v - (value)offset);
    break;
  }
  default:
    hash_header(s, v);
    hash_queue_fields(s, v, 0);
  }
}

/* At most [count] meaningful parts, among at most [limit] parts in all. */
CAMLprim value caml_hash(value count, value limit, value seed, value v)
{
  struct hashing s;
  uintnat room = (uintnat)Long_val(limit);
  s.h = (uint32_t)Long_val(seed);
  s.left = Long_val(count);
  s.room = room > QUEUE_MAX ? QUEUE_MAX : room;
  s.queue[0] = v;
  s.head = 0;
  s.tail = 1;
  while (s.head < s.tail && s.left > 0) hash_value(&s, s.queue[s.head++]);
  return finish(s.h);
}

CAMLprim value caml_string_hash(value seed, value s)
{
  return finish(caml_hash_mix_string((uint32_t)Long_val(seed), s));
}

/* As the compiler computes it (typing/btype.ml): modulo 2^31, with the sign of bit 30. */
CAMLexport value caml_hash_variant(const char *name)
{
  uint32_t h = 0;
  for (const unsigned char *p = (const unsigned char *)name; *p; p++) h = 223 * h + *p;
  return Val_long((int32_t)(h << 1) >> 1);
}

/* ---- Random ---- */

/* The generator L64X128 of Steele and Vigna, "LXM: better splittable pseudorandom number
 * generators", OOPSLA 2021, figure 1. Its state is a bigarray of four 64-bit words, the address of
 * which is the first word of the custom data. */
struct lxm {
  uint64_t increment;    /* odd */
  uint64_t linear;
  uint64_t xor[2];       /* not both 0 */
};

static inline uint64_t rotate64(uint64_t n, unsigned by) { return n << by | n >> (64 - by); }

static uint64_t lxm_scramble(uint64_t n)
{
  const uint64_t multiplier = 0xdaba0b6eb09322e3u;
  n = (n ^ n >> 32) * multiplier;
  n = (n ^ n >> 32) * multiplier;
  return n ^ n >> 32;
}

CAMLexport int64_t caml_lxm_next_unboxed(value state)
{
  struct lxm *g = *(struct lxm **)Data_custom_val(state);
  uint64_t low = g->xor[0], high = g->xor[1] ^ low;
  uint64_t result = lxm_scramble(g->linear + low);
  g->linear = g->linear * 0xd1342543de82ef95u + g->increment;
  g->xor[0] = rotate64(low, 24) ^ high ^ high << 16;
  g->xor[1] = rotate64(high, 37);
  return (int64_t)result;
}

CAMLprim value caml_lxm_next(value state) { return caml_copy_int64(caml_lxm_next_unboxed(state)); }
