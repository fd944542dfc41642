/* SPDX-License-Identifier: MIT */
/* Marshalling, reading: headers. What they claim is looked at here, whether it can be true in intern.c. No state.
 * Design page: docs/design/marshal.md. Tests: tests/fuzz/marshal_fuzz.c, tests/ml/marshal_bytes.ml. */
#include "prims/marshal.h"

#include "abi/runtime.h"

size_t marshal_header_size(const unsigned char *bytes)
{
  switch (load_be32(bytes)) {
  case MARSHAL_MAGIC_SMALL: return MARSHAL_SMALL_HEADER;
  case MARSHAL_MAGIC_BIG: return MARSHAL_BIG_HEADER;
  case MARSHAL_MAGIC_COMPRESSED: {
    size_t size = bytes[4] & 0x3f;
    return size > MARSHAL_MIN_HEADER && size <= MARSHAL_MAX_HEADER ? size : 0;
  }
  default: return 0;
  }
}

/* False: past [end], or the number does not fit. */
static bool take_vlq(const unsigned char **p, const unsigned char *end, uint64_t *n)
{
  for (*n = 0; *p < end; *n <<= 7) {
    unsigned char byte = *(*p)++;
    *n |= byte & 0x7f;
    if (byte < 0x80) return true;
    if (*n >> 57 != 0) return false;
  }
  return false;
}

static const char *parse_compressed(const unsigned char *bytes, struct marshal_header *h)
{
  uint64_t words32;
  uint64_t *numbers[] = {&h->data_size, &h->plain_size, &h->objects, &words32, &h->words};
  const unsigned char *p = bytes + MARSHAL_MIN_HEADER, *end = bytes + h->header_size;
  for (size_t i = 0; i < countof(numbers); i++)
    if (!take_vlq(&p, end, numbers[i])) return "object too large to be read back on this platform";
  h->compressed = true;
  return NULL;
}

const char *marshal_header_parse(const unsigned char *bytes, size_t size, struct marshal_header *h)
{
  if (size < MARSHAL_MIN_HEADER) return "truncated object";
  h->header_size = marshal_header_size(bytes);
  if (h->header_size == 0) return "bad object";
  if (size < h->header_size) return "truncated object";
  h->compressed = false;
  if (load_be32(bytes) == MARSHAL_MAGIC_COMPRESSED) return parse_compressed(bytes, h);
  if (load_be32(bytes) == MARSHAL_MAGIC_SMALL) {
    h->data_size = load_be32(bytes + 4);
    h->objects = load_be32(bytes + 8);
    h->words = load_be32(bytes + 16);
  } else {
    h->data_size = load_be64(bytes + 8);
    h->objects = load_be64(bytes + 16);
    h->words = load_be64(bytes + 24);
  }
  h->plain_size = h->data_size;
  return NULL;
}

/* The size of the message but for 16 bytes: those are what the caller has. The
 * length stands within them, whatever the kind of header. */
CAMLprim value caml_marshal_data_size(value bytes, value start)
{
  enum { HAVE = 16 };
  size_t length = string_length(bytes);
  uintnat at = (uintnat)Long_val(start);
  if (at > length || length - at < HAVE) caml_failwith("Marshal.data_size: bad object");
  const unsigned char *p = &Byte_u(bytes, at);
  size_t header_size = marshal_header_size(p);
  uint64_t data_size;
  switch (header_size == 0 ? 0 : load_be32(p)) {
  case MARSHAL_MAGIC_SMALL:
    data_size = load_be32(p + 4);
    break;
  case MARSHAL_MAGIC_BIG:
    data_size = load_be64(p + 8);
    break;
  case MARSHAL_MAGIC_COMPRESSED: {
    const unsigned char *number = p + MARSHAL_MIN_HEADER;
    if (!take_vlq(&number, p + HAVE, &data_size))
      caml_failwith("Marshal.data_size: object too large to be read back on this platform");
    break;
  }
  default:
    caml_failwith("Marshal.data_size: bad object");
  }
  return Val_long(header_size - HAVE + data_size);
}
