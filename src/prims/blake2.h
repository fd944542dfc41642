/* SPDX-License-Identifier: MIT */
/* BLAKE2b (RFC 7693), for Digest. Names and layout are those that C stubs of OCaml know.
 * Lengths: hash 1 to 64 bytes, key 0 to 64. [no gc], no errors. */
#ifndef BAC_PRIMS_BLAKE2_H
#define BAC_PRIMS_BLAKE2_H

#include "abi/caml.h"

enum { BLAKE2_BLOCKSIZE = 128, BLAKE2_HASH_MAX = 64, BLAKE2_KEY_MAX = 64 };

struct BLAKE2_context {
  uint64_t h[8];
  uint64_t len[2];     /* bytes compressed so far, low word first */
  size_t numbytes;     /* in buffer; the last block stays here until the end */
  unsigned char buffer[BLAKE2_BLOCKSIZE];
};

void caml_BLAKE2Init(struct BLAKE2_context *context, size_t hashlen, size_t keylen, const unsigned char *key);
void caml_BLAKE2Update(struct BLAKE2_context *context, const unsigned char *data, size_t len);
void caml_BLAKE2Final(struct BLAKE2_context *context, size_t hashlen, unsigned char *hash);

#endif
