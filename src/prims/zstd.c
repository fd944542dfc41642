/* SPDX-License-Identifier: MIT */
/* Compression with libzstd: caml_zstd_initialize installs it in the two hooks of compression.c. Built without
 * BAC_HAVE_ZSTD it answers false. The frames are those of the stock runtime, byte for byte: default
 * level, one frame of unknown length, no checksum.
 *
 * Not in the native archive: a native program that wants compression brings this function in a library of its own
 * (the compiler's libcomprmarsh). No state. */
#include "prims/marshal.h"
#include "sync/atomic.h"

#ifdef BAC_HAVE_ZSTD

#include <zstd.h>

enum { OUTPUT_SIZE = 65536 - sizeof(struct caml_output_block) - 16 };

/* A new last block of the list whose last link is *link; NULL: no memory. */
static struct caml_output_block *add_block(struct caml_output_block **link)
{
  struct caml_output_block *b = caml_stat_alloc_noexc(sizeof *b + OUTPUT_SIZE);
  if (b == NULL) return NULL;
  b->next = NULL;
  b->end = b->data;
  *link = b;
  return b;
}

/* Adds what the frame's next [size] bytes become; [last]: and ends the frame. */
static bool compress_bytes(ZSTD_CCtx *zstd, const char *from, size_t size, bool last,
                           struct caml_output_block **tail)
{
  ZSTD_inBuffer in = {from, size, 0};
  for (;;) {
    struct caml_output_block *b = *tail;
    size_t used = (size_t)(b->end - b->data);
    ZSTD_outBuffer out = {b->data, OUTPUT_SIZE, used};
    size_t rest = ZSTD_compressStream2(zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    b->end = b->data + out.pos;
    if (ZSTD_isError(rest)) return false;
    if (last ? rest == 0 : in.pos == in.size) return true;
    if (out.pos == OUTPUT_SIZE && (*tail = add_block(&b->next)) == NULL) return false;
  }
}

static bool compress_list(ZSTD_CCtx *zstd, const struct caml_output_block *from, struct caml_output_block *tail)
{
  for (; from != NULL; from = from->next)
    if (!compress_bytes(zstd, from->data, (size_t)(from->end - from->data), false, &tail)) return false;
  return compress_bytes(zstd, NULL, 0, true, &tail);
}

static bool zstd_compress(struct caml_output_block **blocks)
{
  struct caml_output_block *first = NULL;
  ZSTD_CCtx *zstd = ZSTD_createCCtx();
  bool done = zstd != NULL && add_block(&first) != NULL && compress_list(zstd, *blocks, first);
  ZSTD_freeCCtx(zstd);
  marshal_blocks_free(done ? *blocks : first);
  if (done) *blocks = first;
  return done;
}

static size_t zstd_decompress(unsigned char *to, uintnat size, const unsigned char *from, uintnat from_size)
{
  return ZSTD_decompress(to, size, from, from_size);
}

#endif

CAMLprim value caml_zstd_initialize(value unit)
{
#ifdef BAC_HAVE_ZSTD
  store_release(&caml_extern_compress_output, zstd_compress);
  store_release(&caml_intern_decompress_input, zstd_decompress);
  return Val_true;
#else
  return Val_false;
#endif
}
