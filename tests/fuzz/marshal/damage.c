/* SPDX-License-Identifier: MIT */
/* Damaged messages. Two ways:
 * - a whole message is changed byte by byte, header included;
 * - the data of one is taken apart into items, items are changed, moved, dropped, copied from another message or made
 *   up, and a header of one of the three kinds is put before the result, whose claims are mostly true, so that the damage
 *   lies deep. The data of a compressed message is a zstd frame that is written here: raw and run-length blocks. */
#include "fuzz/marshal/fuzz.h"

#include "base/bits.h"
#include "prims/bigarray.h"

enum { DATA_MOST = 1 << 18, ITEMS_MOST = 2048, DEEPEST = 20000 };

struct rng fuzz_rng;

/* ---- Bytes ---- */

/* The data under way. What does not fit is dropped. */
static struct { unsigned char at[DATA_MOST]; size_t len; } data;

static void put_be(unsigned char *at, int bytes, uint64_t n)
{
  for (int i = bytes; i-- > 0; n >>= 8) at[i] = (unsigned char)n;
}

static uint64_t get_be(const unsigned char *at, int bytes)
{
  uint64_t n = 0;
  for (int i = 0; i < bytes; i++) n = n << 8 | at[i];
  return n;
}

/* [cut] bytes at [at] become [len] bytes of [from], which may be in the data itself. */
static void splice(size_t at, size_t cut, const unsigned char *from, size_t len)
{
  static unsigned char piece[DATA_MOST];
  cut = min_size(cut, data.len - at);
  len = min_size(len, DATA_MOST - (data.len - cut));
  memcpy(piece, from, len);
  memmove(data.at + at + len, data.at + at + cut, data.len - at - cut);
  memcpy(data.at + at, piece, len);
  data.len += len - cut;
}

/* Numbers that readers trip over. */
static uint64_t odd_number(void)
{
  uint64_t n = rng_next(&fuzz_rng);
  switch (below(6)) {
  case 0: return below(20);
  case 1: return -below(20);
  case 2: return ((uint64_t)1 << below(64)) - below(2);
  case 3: return ((uint64_t)1 << 61) + below(4);
  case 4: return n >> below(64);
  default: return n;
  }
}

/* ---- Items ---- */

/* code, then a number of [wide] bytes, then what that number counts: [len] bytes in all. */
struct item {
  size_t at, len;
  int wide;
};

static struct { struct item at[ITEMS_MOST]; size_t len; uint64_t words, objects; } items;

static int wide_of(unsigned code)
{
  switch (code) {
  case CODE_INT8: case CODE_SHARED8: case CODE_STRING8: case CODE_DOUBLE_ARRAY8_BIG: case CODE_DOUBLE_ARRAY8_LITTLE: return 1;
  case CODE_INT16: case CODE_SHARED16: return 2;
  case CODE_INT32: case CODE_SHARED32: case CODE_STRING32: case CODE_BLOCK32: case CODE_INFIXPOINTER: case CODE_CODEPOINTER:
  case CODE_DOUBLE_ARRAY32_BIG: case CODE_DOUBLE_ARRAY32_LITTLE: return 4;
  case CODE_INT64: case CODE_SHARED64: case CODE_STRING64: case CODE_BLOCK64:
  case CODE_DOUBLE_ARRAY64_BIG: case CODE_DOUBLE_ARRAY64_LITTLE: return 8;
  default: return 0;
  }
}

static void claim(uint64_t words)
{
  items.words += words + 1;
  items.objects++;
}

/* What a custom block's name and data take, as far as this knows it. */
static size_t custom_bytes(const unsigned char *p, size_t left, unsigned code)
{
  size_t name = strnlen((const char *)p, left);
  if (name == left) return left;
  if (code == CODE_CUSTOM_FIXED) {
    size_t bytes = strcmp((const char *)p, "_i") == 0 ? 4 : strcmp((const char *)p, "_n") == 0 ? 5 : 8;
    if (bytes == 5 && name + 1 < left && p[name + 1] == 2) bytes = 9;
    claim(2);
    return name + 1 + bytes;
  }
  size_t head = name + 1 + 12;
  if (head > left) return left;
  claim(1 + div_up(min_size(get_be(p + head - 8, 8), 1 << 20), 8));
  /* A bigarray's shape; its data is left to look like items. */
  return head + 8 + 2 * (head + 4 <= left ? min_size(get_be(p + head, 4), 16) : 0);
}

static size_t item_bytes(const unsigned char *p, size_t left, int *wide)
{
  unsigned code = *p;
  *wide = 0;
  if (code >= PREFIX_SMALL_BLOCK) {
    if (code >> 4 & 7) claim(code >> 4 & 7);
    return 1;
  }
  if (code >= PREFIX_SMALL_INT) return 1;
  if (code >= PREFIX_SMALL_STRING) {
    claim((code & 0x1f) / 8 + 1);
    return 1 + (code & 0x1f);
  }
  *wide = wide_of(code);
  if ((size_t)*wide >= left) *wide = 0;
  uint64_t n = get_be(p + 1, *wide);
  size_t head = 1 + (size_t)*wide;
  switch (code) {
  case CODE_BLOCK32: case CODE_BLOCK64:
    if (n >> 10 != 0) claim(n >> 10);
    return head;
  case CODE_STRING8: case CODE_STRING32: case CODE_STRING64:
    claim(n / 8 + 1);
    return head + min_size(n, left);
  case CODE_DOUBLE_BIG: case CODE_DOUBLE_LITTLE:
    claim(1);
    return head + 8;
  case CODE_DOUBLE_ARRAY8_BIG: case CODE_DOUBLE_ARRAY8_LITTLE: case CODE_DOUBLE_ARRAY32_BIG: case CODE_DOUBLE_ARRAY32_LITTLE:
  case CODE_DOUBLE_ARRAY64_BIG: case CODE_DOUBLE_ARRAY64_LITTLE:
    claim(n);
    return head + 8 * min_size(n, left);
  case CODE_CODEPOINTER: return head + 16;
  case CODE_CUSTOM_LEN: case CODE_CUSTOM_FIXED: return 1 + custom_bytes(p + 1, left - 1, code);
  default: return head;
  }
}

/* Takes the data apart, and counts what a reader would allocate. */
static void scan(void)
{
  items.len = 0;
  items.words = items.objects = 0;
  for (size_t at = 0; at < data.len;) {
    int wide;
    size_t len = min_size(item_bytes(data.at + at, data.len - at, &wide), data.len - at);
    if (items.len < ITEMS_MOST) items.at[items.len++] = (struct item){at, len, wide};
    at += len;
  }
}

static struct item some_item(void) { return items.at[below(items.len)]; }

/* ---- Items that are made up ---- */

static size_t make_closure(unsigned char *to)
{
  static const unsigned char digest[] = "a digest of code";
  size_t len = 0, functions = 1 + below(2), words = functions * 4 - 1 + below(3);
  to[len] = CODE_BLOCK32;
  put_be(to + 1, 4, Make_header(words, Closure_tag, 0));
  len += 5;
  for (size_t i = 0; i < functions; i++) {
    if (i > 0) {
      to[len] = CODE_INT64;
      put_be(to + len + 1, 8, (uint64_t)Long_val(Make_header(one_in(4) ? below(6) : 3, one_in(4) ? 0 : Infix_tag, 0)));
      len += 9;
    }
    to[len] = CODE_CODEPOINTER;
    put_be(to + len + 1, 4, one_in(3) ? odd_number() : 16);
    memcpy(to + len + 5, digest, 16);
    to[len + 5 + below(16)] ^= one_in(8);
    len += 21;
    to[len] = CODE_INT64;
    put_be(to + len + 1, 8, (uint64_t)Long_val(Make_closinfo(one_in(3) ? (intnat)below(5) - 2 : 0, one_in(3) ? below(words + 2) : words)));
    len += 9;
  }
  return len;
}

/* A bigarray whose shape and lengths may be absurd. */
static size_t make_bigarray(unsigned char *to)
{
  size_t dims = one_in(4) ? below(20) : below(4), len = sizeof "_bigarr02" + 1;
  to[0] = CODE_CUSTOM_LEN;
  memcpy(to + 1, "_bigarr02", sizeof "_bigarr02");
  uint64_t bytes = one_in(4) ? odd_number() : sizeof(struct caml_ba_array) + 8 * dims;
  put_be(to + len, 4, bytes / 2);
  put_be(to + len + 4, 8, bytes);
  put_be(to + len + 12, 4, one_in(8) ? odd_number() : dims);
  put_be(to + len + 16, 4, one_in(8) ? odd_number() : below(CAML_BA_KINDS + 1));
  len += 20;
  for (size_t i = 0; i < dims; i++) {
    bool is_long = one_in(3);
    put_be(to + len, 2, is_long ? 0xffff : below(8));
    if (is_long) put_be(to + len + 2, 8, odd_number());
    len += is_long ? 10 : 2;
  }
  return len;
}

static size_t make_custom(unsigned char *to)
{
  static const char *const names[] = {"_i", "_j", "_n", "_fuzz", "_bigarr02", "_chan", "_mutex", "", "_unfinished", "_marshal"};
  const char *name = names[below(countof(names))];
  bool fixed = one_in(2);
  size_t len = 1 + strlen(name) + 1;
  to[0] = fixed ? CODE_CUSTOM_FIXED : CODE_CUSTOM_LEN;
  memcpy(to + 1, name, len - 1);
  if (!fixed) {
    put_be(to + len, 4, 8);
    put_be(to + len + 4, 8, one_in(2) ? odd_number() : 4 * below(4));
    len += 12;
  }
  to[len++] = (unsigned char)below(4);
  put_be(to + len, 8, odd_number());
  return len + 8;
}

/* Blocks within blocks, each in the first field or the last one of the one above. */
static size_t make_nest(unsigned char *to)
{
  size_t depth = below(one_in(16) ? DEEPEST : 400);
  unsigned char codes[2] = {(unsigned char)(0x80 + (below(7) + 1) * 16 + below(16)), (unsigned char)(0x40 + below(64))};
  bool last = one_in(2);
  for (size_t i = 0; i < depth; i++) to[i] = codes[last ? i % 2 : 0];
  return depth;
}

/* An item as a reader might find it, of the kinds that ask for the most care. */
static size_t make_item(unsigned char *to)
{
  static const unsigned char references[] = {CODE_SHARED8, CODE_SHARED16, CODE_SHARED32, CODE_SHARED64};
  switch (below(12)) {
  case 0:
    to[0] = CODE_BLOCK32;
    put_be(to + 1, 4, Make_header(below(6), (tag_t)(Forcing_tag + below(12)), 0));
    return 5;
  case 1:
    to[0] = references[below(4)];
    put_be(to + 1, wide_of(to[0]), one_in(4) ? odd_number() : below(20));
    return 1 + (size_t)wide_of(to[0]);
  case 2:
    to[0] = CODE_INFIXPOINTER;
    put_be(to + 1, 4, one_in(4) ? odd_number() : 8 * below(8));
    if (one_in(2)) return 5 + make_closure(to + 5);
    to[5] = CODE_SHARED8;
    to[6] = (unsigned char)below(10);
    return 7;
  case 3:
    to[0] = (unsigned char)below(CODE_CUSTOM_FIXED + 1);
    put_be(to + 1, 8, odd_number());
    return 1 + (size_t)wide_of(to[0]);
  case 4: return make_closure(to);
  case 5: return make_bigarray(to);
  case 6: return make_custom(to);
  case 7: return make_nest(to);
  case 8:
    to[0] = CODE_BLOCK64;
    put_be(to + 1, 8, Make_header(odd_number(), (tag_t)below(256), 0));
    return 9;
  default:
    to[0] = (unsigned char)rng_next(&fuzz_rng);
    return 1;
  }
}

/* ---- Changes to data ---- */

static void change_number(struct item it)
{
  if (it.wide == 0) return;
  uint64_t n = get_be(data.at + it.at + 1, it.wide);
  static const int64_t steps[] = {-8, -1, 1, 8, 1 << 10, -(1 << 10)};
  put_be(data.at + it.at + 1, it.wide, one_in(3) ? odd_number() : n + (uint64_t)steps[below(countof(steps))]);
}

static void change_items(const samples *from)
{
  static unsigned char made[DEEPEST + 512];
  struct item a = some_item(), b = some_item();
  const struct sample *other = &from->at[below(from->len)];
  switch (below(9)) {
  case 0: data.at[a.at] = (unsigned char)(one_in(2) ? below(CODE_CUSTOM_FIXED + 2) : rng_next(&fuzz_rng)); break;
  case 1: change_number(a); break;
  case 2: splice(a.at, a.len, data.at, 0); break;
  case 3: splice(a.at, one_in(2) ? a.len : 0, data.at + b.at, b.len); break;
  case 4: splice(a.at, 0, data.at + b.at, below(data.len - b.at)); break;
  case 5: {
    size_t at = below(other->data_size);
    splice(a.at, one_in(2) ? a.len : 0, other->data + at, below(other->data_size - at));
    break;
  }
  case 6:
    if (a.at > b.at) splice(b.at, a.at - b.at, data.at, 0);
    break;
  default: splice(a.at, one_in(2) ? a.len : 0, made, make_item(made));
  }
}

static void change_bytes(unsigned char *at, size_t *len)
{
  size_t i = below(*len), left = *len - i;
  switch (below(7)) {
  case 0: at[i] ^= (unsigned char)(1u << below(8)); break;
  case 1: at[i] = (unsigned char)rng_next(&fuzz_rng); break;
  case 2: at[i] = (unsigned char)below(CODE_CUSTOM_FIXED + 2); break;
  case 3: if (left >= 4) put_be(at + i, 4, odd_number()); break;
  case 4: if (left >= 8) put_be(at + i, 8, odd_number()); break;
  case 5: memmove(at + i, at + below(i + 1), left); break;
  default: *len = max_size(i, 1);
  }
}

/* ---- Headers ---- */

/* What is true of the data, or is not. */
static void make_claims(uint64_t *words, uint64_t *objects)
{
  *words = items.words;
  *objects = items.objects;
  switch (below(8)) {
  case 0: *objects = 0; break;
  case 1: *words = 20 + below(238); break;
  case 2: *words = 4 * data.len; break;
  case 3: *words += below(20) - 10; break;
  case 4: *objects += below(6) - 3; break;
  case 5: *(one_in(2) ? words : objects) = odd_number(); break;
  default: break;
  }
}

static size_t put_vlq(unsigned char *to, uint64_t n)
{
  size_t len = 1;
  for (uint64_t rest = n >> 7; rest != 0; rest >>= 7) len++;
  for (size_t i = len; i-- > 0; n >>= 7) to[i] = (unsigned char)((n & 0x7f) | (i + 1 < len ? 0x80 : 0));
  return len;
}

static size_t put_frame_block(unsigned char *to, size_t size, unsigned type, bool last)
{
  uint32_t head = (uint32_t)size << 3 | type << 1 | last;
  memcpy(to, &head, 3);
  return 3;
}

/* The data as a zstd frame: magic number, window of 8 MiB, blocks as they are, and perhaps one that
 * stands for up to 128 kB, which *plain then counts. */
static size_t put_frame(unsigned char *to, size_t *plain)
{
  static const unsigned char head[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68};
  enum { BLOCK_MOST = 1 << 17 };
  size_t at = sizeof head;
  memcpy(to, head, sizeof head);
  size_t run = one_in(8) ? below(BLOCK_MOST) : 0;
  for (size_t done = 0; done < data.len || done == 0;) {
    size_t size = min_size(data.len - done, BLOCK_MOST);
    at += put_frame_block(to + at, size, 0, done + size == data.len && run == 0);
    memcpy(to + at, data.at + done, size);
    at += size;
    done += size;
    if (size == 0) break;
  }
  *plain = data.len + run;
  if (run == 0) return at;
  at += put_frame_block(to + at, run, 1, true);
  to[at] = one_in(2) ? 0x91 : 0xA0;   /* blocks of one field, or of two: nothing is deeper */
  return at + 1;
}

static size_t put_compressed(unsigned char *to, uint64_t words, uint64_t objects)
{
  static unsigned char frame[DATA_MOST + 64];
  size_t plain, stored = put_frame(frame, &plain), at = MARSHAL_MIN_HEADER;
  if (one_in(8)) change_bytes(frame, &stored);
  const uint64_t numbers[] = {one_in(32) ? odd_number() : stored, one_in(16) ? odd_number() : plain, objects + (plain - data.len),
                              words, words + 2 * (plain - data.len)};
  put_be(to, 4, MARSHAL_MAGIC_COMPRESSED);
  for (size_t i = 0; i < countof(numbers); i++) at += put_vlq(to + at, numbers[i]);
  to[4] = (unsigned char)at;
  memcpy(to + at, frame, stored);
  return at + stored;
}

static size_t put_small(unsigned char *to, uint64_t words, uint64_t objects)
{
  put_be(to, 4, MARSHAL_MAGIC_SMALL);
  put_be(to + 4, 4, data.len);
  put_be(to + 8, 4, objects);
  put_be(to + 12, 4, words);
  put_be(to + 16, 4, words);
  memcpy(to + MARSHAL_SMALL_HEADER, data.at, data.len);
  return MARSHAL_SMALL_HEADER + data.len;
}

static size_t put_big(unsigned char *to, uint64_t words, uint64_t objects)
{
  put_be(to, 4, MARSHAL_MAGIC_BIG);
  put_be(to + 4, 4, 0);
  put_be(to + 8, 8, data.len);
  put_be(to + 16, 8, objects);
  put_be(to + 24, 8, words);
  memcpy(to + MARSHAL_BIG_HEADER, data.at, data.len);
  return MARSHAL_BIG_HEADER + data.len;
}

/* ---- Messages ---- */

/* In memory of its very size, so that a read past the end is seen. */
static struct message message_copy(const unsigned char *bytes, size_t size)
{
  struct message m = {malloc(size), size};
  memcpy(m.bytes, bytes, size);
  return m;
}

static unsigned char whole[DATA_MOST + 256];

static struct message damage_whole(const struct sample *s)
{
  size_t size = min_size(s->whole.size, sizeof whole);
  memcpy(whole, s->whole.bytes, size);
  for (uint64_t n = below(4); n > 0; n--) {
    size_t head = min_size(size, MARSHAL_BIG_HEADER), left = size;
    change_bytes(whole, one_in(4) ? &head : &left);
    size = min_size(size, left);
  }
  return message_copy(whole, size);
}

static struct message damage_data(const struct sample *s, const samples *from)
{
  data.len = min_size(s->data_size, DATA_MOST);
  memcpy(data.at, s->data, data.len);
  for (uint64_t n = 1 + below(3); n > 0; n--) {
    scan();
    if (data.len > 0 && one_in(4)) change_bytes(data.at, &data.len);
    else if (items.len > 0) change_items(from);
  }
  scan();
  uint64_t words, objects;
  make_claims(&words, &objects);
  size_t size;
  if (one_in(s->flags & MARSHAL_COMPRESSION ? 2 : 32)) size = put_compressed(whole, words, objects);
  else if (one_in(4)) size = put_big(whole, words, objects);
  else size = put_small(whole, words, objects);
  if (one_in(16)) size = max_size(below(size), 1);
  else if (one_in(16))
    for (uint64_t more = below(8); more > 0; more--) whole[size++] = (unsigned char)rng_next(&fuzz_rng);
  return message_copy(whole, size);
}

struct message damage(const samples *from)
{
  const struct sample *s = &from->at[below(from->len)];
  return one_in(4) ? damage_whole(s) : damage_data(s, from);
}
