/* SPDX-License-Identifier: MIT */
/* Reads the outside of bytecode executables: see image.h. Every length is
 * checked against the file's size before anything is read or allocated, so a
 * damaged file costs no more than its own size. Stateless. */
#include "bytecode/image.h"

#include "base/bits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRY_SIZE = 8 };

/* ---- Bytes ---- */

static bool image_bytes(const struct image *image, size_t offset, void *to, size_t length)
{
  if (offset > image->size || length > image->size - offset) return false;
  if (image->fd < 0) {
    memcpy(to, image->bytes + offset, length);
    return true;
  }
  for (char *at = to; length > 0;) {
    ssize_t n = pread(image->fd, at, length, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    offset += (size_t)n;
    length -= (size_t)n;
  }
  return true;
}

static uint32_t big_endian_32(const unsigned char *at)
{
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* ---- The table ---- */

static bool is_known_name(const char *name)
{
  static const char known[][5] = {"CODE", "DATA", "PRIM", "DLLS", "DLPT", "SYMB", "DBUG", "CRCS", "RNTM"};
  for (size_t i = 0; i < countof(known); i++)
    if (memcmp(known[i], name, 4) == 0) return true;
  return false;
}

static const char *printable_name(const char *name, char out[5])
{
  for (int i = 0; i < 4; i++) out[i] = name[i] > ' ' && name[i] < 127 ? name[i] : '?';
  out[4] = 0;
  return out;
}

/* The sections end where the table starts; their offsets follow from their lengths. */
static bool table_place(struct image *image, size_t end, char *why)
{
  char name[5];
  for (uint32_t i = image->count; i-- > 0;) {
    struct image_section *s = &image->sections[i];
    if (s->length > end) {
      snprintf(why, IMAGE_MESSAGE_SIZE, "section %s has length %u, but %zu bytes stand before its end",
               printable_name(s->name, name), s->length, end);
      return false;
    }
    end -= s->length;
    s->offset = end;
    for (uint32_t later = i + 1; later < image->count; later++)
      if (memcmp(image->sections[later].name, s->name, 4) == 0 && is_known_name(s->name)) {
        snprintf(why, IMAGE_MESSAGE_SIZE, "section %s occurs twice", printable_name(s->name, name));
        return false;
      }
  }
  return true;
}

static bool table_read(struct image *image, char *why)
{
  enum { SECTIONS_MAX = 1000 };
  size_t room = image->size - IMAGE_TRAILER_SIZE, table = (size_t)image->count * ENTRY_SIZE;
  if (table > room || image->count > SECTIONS_MAX) {
    snprintf(why, IMAGE_MESSAGE_SIZE, "its table is said to have %u sections", image->count);
    return false;
  }
  unsigned char *entries = malloc(table + 1);
  image->sections = calloc(image->count + 1, sizeof *image->sections);
  bool ok = entries && image->sections && image_bytes(image, room - table, entries, table);
  if (!ok) snprintf(why, IMAGE_MESSAGE_SIZE, "its table of sections cannot be read");
  for (uint32_t i = 0; ok && i < image->count; i++) {
    memcpy(image->sections[i].name, entries + i * ENTRY_SIZE, 4);
    image->sections[i].length = big_endian_32(entries + i * ENTRY_SIZE + 4);
  }
  free(entries);
  return ok && table_place(image, room - table, why);
}

static enum image_status image_start(struct image *image, char *why)
{
  unsigned char trailer[IMAGE_TRAILER_SIZE];
  char nowhere[IMAGE_MESSAGE_SIZE];
  if (!why) why = nowhere;
  why[0] = 0;
  if (image->size < sizeof trailer || !image_bytes(image, image->size - sizeof trailer, trailer, sizeof trailer))
    return IMAGE_NOT_BYTECODE;
  memcpy(image->magic, trailer + 4, IMAGE_MAGIC_SIZE);
  if (memcmp(image->magic, IMAGE_MAGIC, IMAGE_MAGIC_SIZE) != 0) return IMAGE_WRONG_MAGIC;
  image->count = big_endian_32(trailer);
  return table_read(image, why) ? IMAGE_OK : IMAGE_NOT_BYTECODE;
}

enum image_status image_of_memory(struct image *image, const char *bytes, size_t size, char *why)
{
  *image = (struct image){.fd = -1, .bytes = bytes, .size = size};
  enum image_status status = image_start(image, why);
  if (status != IMAGE_OK) image_close(image);
  return status;
}

enum image_status image_open(struct image *image, const char *path, bool scripts, char *why)
{
  *image = (struct image){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (why) why[0] = 0;
  if (image->fd < 0) return errno == EMFILE ? IMAGE_NO_FILES : IMAGE_NOT_FOUND;
  struct stat st;
  char start[2];
  enum image_status status = IMAGE_NOT_BYTECODE;
  if (fstat(image->fd, &st) == 0 && S_ISREG(st.st_mode)) {
    image->size = (size_t)st.st_size;
    if (scripts || (image_bytes(image, 0, start, 2) && memcmp(start, "#!", 2) != 0)) status = image_start(image, why);
  }
  if (status != IMAGE_OK) image_close(image);
  return status;
}

void image_close(struct image *image)
{
  if (image->fd >= 0) close(image->fd);
  free(image->sections);
  image->fd = -1;
  image->sections = NULL;
  image->count = 0;
}

/* ---- Sections ---- */

const struct image_section *image_section(const struct image *image, const char *name)
{
  for (uint32_t i = image->count; i-- > 0;)
    if (memcmp(image->sections[i].name, name, 4) == 0) return &image->sections[i];
  return NULL;
}

bool image_read_into(const struct image *image, const struct image_section *s, void *to)
{
  return image_bytes(image, s->offset, to, s->length);
}

char *image_read(const struct image *image, const struct image_section *s)
{
  char *bytes = malloc((size_t)s->length + 1);
  if (!bytes) return NULL;
  if (!image_read_into(image, s, bytes)) {
    free(bytes);
    return NULL;
  }
  bytes[s->length] = 0;
  return bytes;
}
