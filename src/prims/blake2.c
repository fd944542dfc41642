/* SPDX-License-Identifier: MIT */
/* BLAKE2b as RFC 7693 defines it, and the primitives of Digest.BLAKE2*.
 *
 * A state of the library is a custom block that holds the context itself: it
 * needs no finaliser. Little-endian machines only. No state but the contexts, each of which
 * belongs to its caller. */
#include "prims/blake2.h"

/* The fractional parts of the square roots of the first eight primes (RFC 7693, 2.6). */
static const uint64_t start[8] = {
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* The order of the message words in each round (RFC 7693, 2.7); rounds 10 and 11 repeat 0 and 1. */
static const uint8_t schedule[10][16] = {
  {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
  {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
  {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
  {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
  {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
  {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
  {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
  {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
  {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
  {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t rotate_right(uint64_t n, unsigned by) { return n >> by | n << (64 - by); }

static inline void mix(uint64_t v[16], int a, int b, int c, int d, uint64_t x, uint64_t y)
{
  v[a] += v[b] + x;
  v[d] = rotate_right(v[d] ^ v[a], 32);
  v[c] += v[d];
  v[b] = rotate_right(v[b] ^ v[c], 24);
  v[a] += v[b] + y;
  v[d] = rotate_right(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = rotate_right(v[b] ^ v[c], 63);
}

/* Function F of the RFC: [count] bytes of the block are of the message. */
static void compress(struct BLAKE2_context *context, const unsigned char *block, size_t count, bool last)
{
  uint64_t v[16], m[16];
  memcpy(m, block, sizeof m);
  context->len[0] += count;
  if (context->len[0] < count) context->len[1]++;
  for (int i = 0; i < 8; i++) {
    v[i] = context->h[i];
    v[i + 8] = start[i];
  }
  v[12] ^= context->len[0];
  v[13] ^= context->len[1];
  if (last) v[14] = ~v[14];
  for (int round = 0; round < 12; round++) {
    const uint8_t *s = schedule[round % 10];
    mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
    mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
    mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
    mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
    mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
    mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
    mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
    mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
  for (int i = 0; i < 8; i++) context->h[i] ^= v[i] ^ v[i + 8];
}

CAMLexport void caml_BLAKE2Init(struct BLAKE2_context *context, size_t hashlen, size_t keylen,
                                const unsigned char *key)
{
  memset(context, 0, sizeof *context);
  memcpy(context->h, start, sizeof start);
  context->h[0] ^= 0x01010000 ^ (uint64_t)keylen << 8 ^ hashlen;
  if (keylen == 0) return;
  memcpy(context->buffer, key, keylen);
  context->numbytes = BLAKE2_BLOCKSIZE;
}

CAMLexport void caml_BLAKE2Update(struct BLAKE2_context *context, const unsigned char *data, size_t len)
{
  while (len > 0) {
    if (context->numbytes == BLAKE2_BLOCKSIZE) {
      compress(context, context->buffer, BLAKE2_BLOCKSIZE, false);
      context->numbytes = 0;
    }
    size_t room = BLAKE2_BLOCKSIZE - context->numbytes, take = len < room ? len : room;
    memcpy(context->buffer + context->numbytes, data, take);
    context->numbytes += take;
    data += take;
    len -= take;
  }
}

CAMLexport void caml_BLAKE2Final(struct BLAKE2_context *context, size_t hashlen, unsigned char *hash)
{
  memset(context->buffer + context->numbytes, 0, BLAKE2_BLOCKSIZE - context->numbytes);
  compress(context, context->buffer, context->numbytes, true);
  memcpy(hash, context->h, hashlen);
}

/* ---- Primitives ---- */

static const struct custom_operations blake2_ops = {.identifier = "_blake2"};

static struct BLAKE2_context *context_val(value state) { return Data_custom_val(state); }

static size_t hash_length(value hashlen)
{
  if (Long_val(hashlen) < 1 || Long_val(hashlen) > BLAKE2_HASH_MAX)
    caml_invalid_argument("Digest.BLAKE2: wrong hash size");
  return (size_t)Long_val(hashlen);
}

static void init_checked(struct BLAKE2_context *context, value hashlen, value key)
{
  size_t keylen = string_length(key), len = hash_length(hashlen);
  if (keylen > BLAKE2_KEY_MAX) caml_invalid_argument("Digest.BLAKE2: key too long");
  caml_BLAKE2Init(context, len, keylen, Bytes_val(key));
}

static value final_string(struct BLAKE2_context *context, value hashlen)
{
  char hash[BLAKE2_HASH_MAX];
  size_t len = hash_length(hashlen);
  caml_BLAKE2Final(context, len, (unsigned char *)hash);
  return caml_alloc_initialized_string(len, hash);
}

CAMLprim value caml_blake2_create(value hashlen, value key)
{
  struct BLAKE2_context context;
  init_checked(&context, hashlen, key);
  value state = caml_alloc_custom(&blake2_ops, sizeof context, 0, 1);
  memcpy(context_val(state), &context, sizeof context);
  return state;
}

/* The library has checked the ranges. */
CAMLprim value caml_blake2_update(value state, value data, value from, value len)
{
  caml_BLAKE2Update(context_val(state), Bytes_val(data) + Long_val(from), (size_t)Long_val(len));
  return Val_unit;
}

CAMLprim value caml_blake2_final(value state, value hashlen) { return final_string(context_val(state), hashlen); }

CAMLprim value caml_blake2_string(value hashlen, value key, value data, value from, value len)
{
  struct BLAKE2_context context;
  init_checked(&context, hashlen, key);
  caml_BLAKE2Update(&context, Bytes_val(data) + Long_val(from), (size_t)Long_val(len));
  return final_string(&context, hashlen);
}

CAMLprim value caml_blake2_bytes(value hashlen, value key, value data, value from, value len)
{
  return caml_blake2_string(hashlen, key, data, from, len);
}
