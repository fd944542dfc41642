/* SPDX-License-Identifier: MIT */
/* Marshalling: OCaml values as bytes.
 *
 * A message is a header and data. The data is the value's graph in pre-order,
 * one code for each field; a block met again is a reference to its number.
 * Source of the format: the public <caml/intext.h>, the Marshal module and the
 * bytes that OCaml 5.3 writes; docs/design/marshal.md describes it whole.
 *
 *   extern.c        writing, caml_obj_reachable_words
 *   intern.h        reading, in three files
 *   marshal_header.c  headers
 *   marshal_io.c    where messages go and come from: strings, channels, C memory
 *   compression.c   the hooks for compression, zstd.c what bytecode programs put there
 *
 * CONCURRENCY. Each domain has one extern_state and one intern_state. Neither
 * is in use while a thread of the domain waits: a message is complete before
 * it is written to a channel, and has arrived before it is decoded. */
#ifndef BAC_PRIMS_MARSHAL_H
#define BAC_PRIMS_MARSHAL_H

#include "abi/caml.h"

enum {
  MARSHAL_MAGIC_SMALL = 0x8495A6BE,
  MARSHAL_MAGIC_BIG = 0x8495A6BF,
  MARSHAL_MAGIC_COMPRESSED = 0x8495A6BD,
  MARSHAL_SMALL_HEADER = 20,
  MARSHAL_BIG_HEADER = 32,
  MARSHAL_MAX_HEADER = 55,
  MARSHAL_MIN_HEADER = 5,        /* enough to know the header's size */
};

/* The codes of the data. The three prefixes carry a size, a number, a length. */
enum {
  PREFIX_SMALL_BLOCK = 0x80,     /* 1 sss tttt */
  PREFIX_SMALL_INT = 0x40,       /* 01 nnnnnn */
  PREFIX_SMALL_STRING = 0x20,    /* 001 lllll */
  CODE_INT8 = 0x00,
  CODE_INT16 = 0x01,
  CODE_INT32 = 0x02,
  CODE_INT64 = 0x03,
  CODE_SHARED8 = 0x04,
  CODE_SHARED16 = 0x05,
  CODE_SHARED32 = 0x06,
  CODE_DOUBLE_ARRAY32_LITTLE = 0x07,
  CODE_BLOCK32 = 0x08,
  CODE_STRING8 = 0x09,
  CODE_STRING32 = 0x0A,
  CODE_DOUBLE_BIG = 0x0B,
  CODE_DOUBLE_LITTLE = 0x0C,
  CODE_DOUBLE_ARRAY8_BIG = 0x0D,
  CODE_DOUBLE_ARRAY8_LITTLE = 0x0E,
  CODE_DOUBLE_ARRAY32_BIG = 0x0F,
  CODE_CODEPOINTER = 0x10,
  CODE_INFIXPOINTER = 0x11,
  CODE_CUSTOM_OLD = 0x12,        /* OCaml before 4.08 */
  CODE_BLOCK64 = 0x13,
  CODE_SHARED64 = 0x14,
  CODE_STRING64 = 0x15,
  CODE_DOUBLE_ARRAY64_BIG = 0x16,
  CODE_DOUBLE_ARRAY64_LITTLE = 0x17,
  CODE_CUSTOM_LEN = 0x18,
  CODE_CUSTOM_FIXED = 0x19,
};

/* Bytes on the C heap (caml_stat_alloc). The layout is that of the hook below. */
struct caml_output_block {
  struct caml_output_block *next;
  char *end;                     /* of the bytes in use */
  char data[];
};
void marshal_blocks_free(struct caml_output_block *first);
/* A value that frees *first and what follows when it dies: C memory that must
 * outlive a call that may raise. Field 1 is the pointer. [may gc] */
value marshal_blocks_hold(struct caml_output_block *first);
#define Held_blocks(v) (*(struct caml_output_block **)Data_custom_val(v))

/* The compression hooks of the ABI; NULL until caml_zstd_initialize was called.
 * The first replaces a list of blocks by another, false: no memory, and the
 * list is what the caller is to free. The second answers how many bytes it wrote, other
 * than [size] on an error. */
extern bool (*caml_extern_compress_output)(struct caml_output_block **blocks);
extern size_t (*caml_intern_decompress_input)(unsigned char *to, uintnat size,
                                              const unsigned char *from, uintnat from_size);

/* ---- Writing ---- */

/* What an OCaml flag list says, one bit for each constructor. */
enum marshal_flags {
  MARSHAL_NO_SHARING = 1,
  MARSHAL_CLOSURES = 2,
  MARSHAL_COMPAT_32 = 4,
  MARSHAL_COMPRESSION = 8,       /* utils/compression.ml */
};

struct marshal_message {
  unsigned char header[MARSHAL_MAX_HEADER];
  size_t header_size;
  struct caml_output_block *data;
  size_t data_size;
};
/* Writes the graph of v. [no gc] until it returns or [raises]. [limit]: raise
 * Failure where header and data would exceed it (and do not compress); SIZE_MAX: none. The data
 * belongs to the domain's state until the caller takes it by extern_detach, at the latest before
 * another thread of the domain may run. */
void extern_message(value v, value flags, size_t limit, struct marshal_message *out);
struct caml_output_block *extern_detach(void);

/* ---- Reading ---- */

/* A parsed header. */
struct marshal_header {
  size_t header_size;
  size_t data_size;              /* as stored */
  size_t plain_size;             /* after decompression */
  size_t objects;                /* blocks that references may name; 0: none may */
  size_t words;                  /* all blocks with their headers */
  bool compressed;
};
/* What header size the first MARSHAL_MIN_HEADER bytes announce. 0: they are no header. */
size_t marshal_header_size(const unsigned char *bytes);
/* NULL, or what is wrong with the first [size] bytes. */
const char *marshal_header_parse(const unsigned char *bytes, size_t size, struct marshal_header *h);

/* The first half of a reading: checks the header's claims and reserves memory.
 * [who] begins error messages. [memory] is malloc'ed, or NULL: it is freed at the end of the
 * reading, also by an exception. [may gc] [raises]. */
struct intern_state *intern_begin(const struct marshal_header *h, const char *who, void *memory);
/* The second half, with data of h->data_size bytes, which may be in the OCaml heap.
 * [no gc] until it returns or [raises]. */
value intern_data(struct intern_state *s, const void *data);

/* C memory for a message that comes from a channel. take: what the domain has kept, or NULL; it is the caller's then. keep: for the next one,
 * or freed. [end] is where the block ends, whatever is in it. [no gc] */
struct caml_output_block *marshal_buffer_take(void);
void marshal_buffer_keep(struct caml_output_block *b);

/* A message at the start of [data], which is C memory; [size] may exceed the message. [may gc]
 * [raises Failure or Out_of_memory]. */
value marshal_read_memory(const char *data, size_t size);
/* The message of v, malloc'ed. [raises] */
void caml_output_value_to_malloc(value v, value flags, char **to, intnat *size);

/* For a custom block's deserialize function that is to allocate memory outside the heap: how many
 * bytes of the message are left. */
size_t marshal_bytes_left(void);

/* A domain ends, and with it Caml_state->extern_state and intern_state, either of
 * which may be NULL. Any thread. [no gc] */
void extern_state_free(struct extern_state *s);
void intern_state_free(struct intern_state *s);

/* ---- Unaligned big-endian numbers ---- */

static inline uint16_t load_be16(const unsigned char *p)
{
  uint16_t n;
  memcpy(&n, p, sizeof n);
  return __builtin_bswap16(n);
}
static inline uint32_t load_be32(const unsigned char *p)
{
  uint32_t n;
  memcpy(&n, p, sizeof n);
  return __builtin_bswap32(n);
}
static inline uint64_t load_be64(const unsigned char *p)
{
  uint64_t n;
  memcpy(&n, p, sizeof n);
  return __builtin_bswap64(n);
}
static inline void store_be16(unsigned char *p, uint16_t n)
{
  n = __builtin_bswap16(n);
  memcpy(p, &n, sizeof n);
}
static inline void store_be32(unsigned char *p, uint32_t n)
{
  n = __builtin_bswap32(n);
  memcpy(p, &n, sizeof n);
}
static inline void store_be64(unsigned char *p, uint64_t n)
{
  n = __builtin_bswap64(n);
  memcpy(p, &n, sizeof n);
}

/* ---- What the operations of custom blocks call, as the manual tells ("Serialization and deserialization
 * functions for custom blocks"). Each moves on in the message that is being written or read; reading beyond
 * its end raises Failure. ---- */
void caml_serialize_int_1(int n);
void caml_serialize_int_2(int n);
void caml_serialize_int_4(int32_t n);
void caml_serialize_int_8(int64_t n);
void caml_serialize_block_1(void *data, intnat count);
void caml_serialize_block_2(void *data, intnat count);
void caml_serialize_block_4(void *data, intnat count);
void caml_serialize_block_8(void *data, intnat count);
int caml_deserialize_uint_1(void);
int caml_deserialize_uint_2(void);
uint32_t caml_deserialize_uint_4(void);
int32_t caml_deserialize_sint_4(void);
uint64_t caml_deserialize_uint_8(void);
int64_t caml_deserialize_sint_8(void);
void caml_deserialize_block_1(void *data, intnat count);
void caml_deserialize_block_2(void *data, intnat count);
void caml_deserialize_block_4(void *data, intnat count);
void caml_deserialize_block_8(void *data, intnat count);
_Noreturn void caml_deserialize_error(char *msg);

#endif
