/* SPDX-License-Identifier: MIT */
/* MD5 as RFC 1321 defines it, in the words of that document: four rounds of 16
 * operations over each block of 64 bytes. For identification of files, not for secrets.
 * Little-endian machines only. No state but the caller's context. */
#include "prims/md5.h"

#include "base/bits.h"

/* floor(2^32 * abs(sin(i))), i from 1 (RFC 1321, 3.4). */
static const uint32_t sines[64] = {
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static inline uint32_t rotate(uint32_t n, unsigned by) { return n << by | n >> (32 - by); }

/* The four functions of the rounds; F and G with one operation less than the RFC writes. */
#define F(x, y, z) (z ^ (x & (y ^ z)))
#define G(x, y, z) (y ^ (z & (x ^ y)))
#define H(x, y, z) (x ^ y ^ z)
#define I(x, y, z) (y ^ (x | ~z))

#define OPERATION(f, a, b, c, d, k, shift, i) a = b + rotate(a + f(b, c, d) + words[(k) & 15] + sines[i], shift)

/* 16 operations; operation i takes word (first + i * stride) mod 16. */
#define ROUND(f, base, first, stride, s0, s1, s2, s3)                               \
  for (unsigned i = 0; i < 16; i += 4) {                                            \
    OPERATION(f, a, b, c, d, (first) + (stride) * i, s0, (base) + i);               \
    OPERATION(f, d, a, b, c, (first) + (stride) * (i + 1), s1, (base) + i + 1);     \
    OPERATION(f, c, d, a, b, (first) + (stride) * (i + 2), s2, (base) + i + 2);     \
    OPERATION(f, b, c, d, a, (first) + (stride) * (i + 3), s3, (base) + i + 3);     \
  }

static void transform(uint32_t digest[4], const uint32_t words[16])
{
  uint32_t a = digest[0], b = digest[1], c = digest[2], d = digest[3];
  ROUND(F, 0, 0, 1, 7, 12, 17, 22)
  ROUND(G, 16, 1, 5, 5, 9, 14, 20)
  ROUND(H, 32, 5, 3, 4, 11, 16, 23)
  ROUND(I, 48, 0, 7, 6, 10, 15, 21)
  digest[0] += a;
  digest[1] += b;
  digest[2] += c;
  digest[3] += d;
}

static void absorb(struct md5 *m, const unsigned char *block)
{
  uint32_t words[MD5_BLOCK / sizeof(uint32_t)];
  memcpy(words, block, MD5_BLOCK);
  transform(m->digest, words);
}

static uint64_t bit_length(const struct md5 *m) { return (uint64_t)m->bits[1] << 32 | m->bits[0]; }

void md5_init(struct md5 *m)
{
  *m = (struct md5){.digest = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

void md5_update(struct md5 *m, const void *data, size_t len)
{
  const unsigned char *p = data;
  uint64_t bits = bit_length(m), after = bits + ((uint64_t)len << 3);
  size_t held = bits >> 3 & (MD5_BLOCK - 1);
  m->bits[0] = (uint32_t)after;
  m->bits[1] = (uint32_t)(after >> 32);
  if (held > 0) {
    size_t fill = min_size(len, MD5_BLOCK - held);
    memcpy(m->held + held, p, fill);
    if (held + fill < MD5_BLOCK) return;
    absorb(m, m->held);
    p += fill;
    len -= fill;
  }
  for (; len >= MD5_BLOCK; p += MD5_BLOCK, len -= MD5_BLOCK) absorb(m, p);
  memcpy(m->held, p, len);
}

/* A one bit, zeros to 8 bytes short of a block, the length. */
void md5_final(struct md5 *m, unsigned char digest[MD5_BYTES])
{
  static const unsigned char padding[MD5_BLOCK] = {0x80};
  uint64_t bits = bit_length(m);
  size_t held = bits >> 3 & (MD5_BLOCK - 1);
  md5_update(m, padding, (held < MD5_BLOCK - 8 ? MD5_BLOCK : 2 * MD5_BLOCK) - 8 - held);
  md5_update(m, &bits, sizeof bits);
  memcpy(digest, m->digest, MD5_BYTES);
}

/* ---- The ABI's names ---- */

CAMLexport void caml_MD5Init(struct md5 *m) { md5_init(m); }
CAMLexport void caml_MD5Update(struct md5 *m, const unsigned char *data, uintnat len) { md5_update(m, data, len); }
CAMLexport void caml_MD5Final(unsigned char *digest, struct md5 *m) { md5_final(m, digest); }
CAMLexport void caml_MD5Transform(uint32_t *digest, const uint32_t *words) { transform(digest, words); }

CAMLexport void caml_md5_block(unsigned char digest[MD5_BYTES], const void *data, uintnat len)
{
  struct md5 m;
  md5_init(&m);
  md5_update(&m, data, len);
  md5_final(&m, digest);
}

/* ---- Primitives: the library has checked the range ---- */

CAMLprim value caml_md5_string(value s, value from, value len)
{
  char digest[MD5_BYTES];
  caml_md5_block((unsigned char *)digest, Bytes_val(s) + Long_val(from), (uintnat)Long_val(len));
  return caml_alloc_initialized_string(MD5_BYTES, digest);
}

CAMLprim value caml_md5_bytes(value s, value from, value len) { return caml_md5_string(s, from, len); }
