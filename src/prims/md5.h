/* SPDX-License-Identifier: MIT */
/* MD5 (RFC 1321), for Digest and for reading channels. [no gc], no errors. md5.c
 * exports the same under the names that C stubs of OCaml know (caml_MD5Init ...). */
#ifndef BAC_PRIMS_MD5_H
#define BAC_PRIMS_MD5_H

#include "abi/caml.h"

enum { MD5_BYTES = 16, MD5_BLOCK = 64 };

/* The layout is the ABI's struct MD5Context. */
struct md5 {
  uint32_t digest[4];
  uint32_t bits[2];                  /* length of the message in bits, low word first */
  unsigned char held[MD5_BLOCK];     /* what does not fill a block yet */
};

void md5_init(struct md5 *m);
void md5_update(struct md5 *m, const void *data, size_t len);
void md5_final(struct md5 *m, unsigned char digest[MD5_BYTES]);

#endif
