/* SPDX-License-Identifier: MIT */
/* Compressed messages: the two hooks of the ABI.
 *
 * They are NULL until a program asks for compression, as the compiler
 * does: until then the flag Compression writes plain messages and a compressed one
 * cannot be read. zstd.c has functions for them; a program may bring others of its own.
 *
 * STATE. The two hooks, which the ABI demands; set once, by one thread. */
#include "prims/marshal.h"

CAMLexport bool (*caml_extern_compress_output)(struct caml_output_block **blocks);
CAMLexport size_t (*caml_intern_decompress_input)(unsigned char *to, uintnat size,
                                                  const unsigned char *from, uintnat from_size);
