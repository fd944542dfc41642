/* SPDX-License-Identifier: MIT */
/* Marshalling: where messages go and come from. OCaml byte sequences, channels,
 * C memory. The messages themselves are made in extern.c and read in intern.c.
 *
 * A channel operation may wait, and may run OCaml code that raises. C memory that
 * must outlive it belongs to a custom block (marshal_blocks_hold) meanwhile, so that an
 * exception leaks nothing; short messages go straight through the channel's buffer. */
#include "prims/marshal.h"

#include "abi/runtime.h"
#include "base/bits.h"
#include "prims/io.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- Blocks of C memory ---- */

void marshal_blocks_free(struct caml_output_block *first)
{
  while (first != NULL) {
    struct caml_output_block *next = first->next;
    caml_stat_free(first);
    first = next;
  }
}

static void held_finalise(value v) { marshal_blocks_free(Held_blocks(v)); }
static const struct custom_operations held_ops = {.identifier = "_marshal", .finalize = held_finalise};

value marshal_blocks_hold(struct caml_output_block *first)
{
  value v = caml_alloc_custom(&held_ops, sizeof first, 0, 1);
  Held_blocks(v) = first;
  return v;
}

static void held_free(value v)
{
  marshal_blocks_free(Held_blocks(v));
  Held_blocks(v) = NULL;
}

/* ---- Writing ---- */

static void message_copy(const struct marshal_message *m, char *to)
{
  memcpy(to, m->header, m->header_size);
  to += m->header_size;
  for (const struct caml_output_block *b = m->data; b != NULL; b = b->next) {
    memcpy(to, b->data, (size_t)(b->end - b->data));
    to += b->end - b->data;
  }
}

CAMLprim value caml_output_value_to_bytes(value v, value flags)
{
  struct marshal_message m;
  extern_message(v, flags, SIZE_MAX, &m);
  value bytes = caml_alloc_string(m.header_size + m.data_size);
  message_copy(&m, (char *)Bytes_val(bytes));
  marshal_blocks_free(extern_detach());
  return bytes;
}

CAMLprim value caml_output_value_to_string(value v, value flags) { return caml_output_value_to_bytes(v, flags); }

/* The message fits into the space that is left in the channel's buffer: nothing waits. */
static void give_message(struct channel *c, const struct marshal_message *m)
{
  channel_give(c, m->header, m->header_size);
  for (const struct caml_output_block *b = m->data; b != NULL; b = b->next)
    channel_give(c, b->data, (size_t)(b->end - b->data));
  marshal_blocks_free(extern_detach());
}

static void put_message(struct channel *c, struct marshal_message *m)
{
  value held = marshal_blocks_hold(NULL);
  LOCAL_ROOTS(&held);
  Held_blocks(held) = extern_detach();
  caml_really_putblock(c, (char *)m->header, (intnat)m->header_size);
  for (const struct caml_output_block *b = m->data; b != NULL; b = b->next)
    caml_really_putblock(c, (char *)b->data, b->end - b->data);
  held_free(held);
}

CAMLexport void caml_output_val(struct channel *c, value v, value flags)
{
  struct marshal_message m;
  if (!caml_channel_binary_mode(c)) caml_failwith("output_value: not a binary channel");
  extern_message(v, flags, SIZE_MAX, &m);
  if (m.header_size + m.data_size <= (size_t)(c->end - c->curr)) give_message(c, &m);
  else put_message(c, &m);
}

CAMLprim value caml_output_value(value channel, value v, value flags)
{
  LOCAL_ROOTS(&channel, &v, &flags);
  struct channel *c = Channel(channel);
  caml_channel_lock(c);
  caml_output_val(c, v, flags);
  caml_flush_if_unbuffered(c);
  caml_channel_unlock(c);
  return Val_unit;
}

CAMLexport intnat caml_output_value_to_block(value v, value flags, char *to, intnat size)
{
  struct marshal_message m;
  extern_message(v, flags, size < 0 ? 0 : (size_t)size, &m);
  message_copy(&m, to);
  marshal_blocks_free(extern_detach());
  return (intnat)(m.header_size + m.data_size);
}

CAMLprim value caml_output_value_to_buffer(value bytes, value start, value size, value v, value flags)
{
  return Val_long(caml_output_value_to_block(v, flags, &Byte(bytes, Long_val(start)), Long_val(size)));
}

CAMLexport void caml_output_value_to_malloc(value v, value flags, char **to, intnat *size)
{
  struct marshal_message m;
  extern_message(v, flags, SIZE_MAX, &m);
  *to = malloc(m.header_size + m.data_size);
  if (*to != NULL) message_copy(&m, *to);
  marshal_blocks_free(extern_detach());
  if (*to == NULL) caml_raise_out_of_memory();
  *size = (intnat)(m.header_size + m.data_size);
}

/* ---- Reading ---- */

static COLD _Noreturn void fail(const char *who, const char *what)
{
  char message[100];
  snprintf(message, sizeof message, "%s: %s", who, what);
  caml_failwith(message);
}

static void parse_or_fail(const char *who, const unsigned char *bytes, size_t size, struct marshal_header *h)
{
  const char *error = marshal_header_parse(bytes, size, h);
  if (error != NULL) fail(who, error);
}

/* Does the message fit into [size] bytes? */
static bool message_fits(const struct marshal_header *h, size_t size)
{
  return h->header_size <= size && h->data_size <= size - h->header_size;
}

CAMLexport value caml_input_val_from_bytes(value bytes, intnat start)
{
  static const char who[] = "input_val_from_string";
  LOCAL_ROOTS(&bytes);
  struct marshal_header h;
  size_t length = string_length(bytes);
  if (start < 0 || (size_t)start > length) fail(who, "bad length");
  parse_or_fail(who, &Byte_u(bytes, start), length - (size_t)start, &h);
  if (!message_fits(&h, length - (size_t)start)) fail(who, "bad length");
  struct intern_state *s = intern_begin(&h, who, NULL);
  return intern_data(s, &Byte_u(bytes, start) + h.header_size);
}

CAMLprim value caml_input_value_from_bytes(value bytes, value start)
{
  return actions_poll(caml_input_val_from_bytes(bytes, Long_val(start)));
}

/* [memory] is freed on return, also by an exception; it may be NULL. */
static value read_c_memory(const char *who, const struct marshal_header *h, const char *data, void *memory)
{
  struct intern_state *s = intern_begin(h, who, memory);
  return intern_data(s, data + h->header_size);
}

CAMLexport value caml_input_value_from_block(const char *data, intnat size)
{
  struct marshal_header h;
  parse_or_fail("input_value_from_block", (const unsigned char *)data, (size_t)size, &h);
  if (!message_fits(&h, (size_t)size)) fail("input_val_from_block", "bad length");
  return read_c_memory("input_val_from_block", &h, data, NULL);
}

CAMLexport value caml_input_value_from_malloc(char *memory, intnat start)
{
  struct marshal_header h;
  const char *error = marshal_header_parse((unsigned char *)memory + start, MARSHAL_MAX_HEADER, &h);
  if (error != NULL) {
    free(memory);
    fail("input_value_from_malloc", error);
  }
  return read_c_memory("input_val_from_block", &h, memory + start, memory);
}

value marshal_read_memory(const char *data, size_t size)
{
  static const char who[] = "input_value";
  struct marshal_header h;
  parse_or_fail(who, (const unsigned char *)data, size, &h);
  if (!message_fits(&h, size)) fail(who, "truncated object");
  return read_c_memory(who, &h, data, NULL);
}

/* Reads a header from the channel. */
static void get_header(struct channel *c, struct marshal_header *h)
{
  unsigned char bytes[MARSHAL_MAX_HEADER];
  intnat got = caml_really_getblock(c, (char *)bytes, MARSHAL_MIN_HEADER);
  if (got == 0) caml_raise_end_of_file();
  if (got < MARSHAL_MIN_HEADER) fail("input_value", "truncated object");
  size_t size = marshal_header_size(bytes);
  if (size == 0) size = MARSHAL_SMALL_HEADER;
  intnat rest = (intnat)size - MARSHAL_MIN_HEADER;
  if (caml_really_getblock(c, (char *)bytes + MARSHAL_MIN_HEADER, rest) < rest) fail("input_value", "truncated object");
  parse_or_fail("input_value", bytes, size, h);
}

/* A block with room for [room] bytes, of which the first [have] are those of *held, which has it then. */
static struct caml_output_block *widen_held(value *held, size_t have, size_t room)
{
  struct caml_output_block *b = Held_blocks(*held);
  if (b != NULL && (size_t)(b->end - b->data) >= room) return b;
  if (have == 0) held_free(*held);
  b = caml_stat_resize_noexc(Held_blocks(*held), sizeof *b + room);
  if (b == NULL) caml_raise_out_of_memory();
  b->next = NULL;
  b->end = b->data + room;
  return Held_blocks(*held) = b;
}

/* Reads [size] bytes from the channel into a block that [*held] holds. The memory
 * grows with what arrives: the size may be a lie. */
static void get_data(struct channel *c, size_t size, value *held)
{
  enum { FIRST_PIECE = 16 << 20 };
  Held_blocks(*held) = marshal_buffer_take();
  for (size_t have = 0, room = min_size(size, FIRST_PIECE);; room = min_size(size, 2 * room)) {
    struct caml_output_block *b = widen_held(held, have, room);
    intnat wanted = (intnat)(room - have);
    if (caml_really_getblock(c, b->data + have, wanted) < wanted) fail("input_value", "truncated object");
    have = room;
    if (have == size) return;
  }
}

static value input_long(struct channel *c, const struct marshal_header *h)
{
  value held = marshal_blocks_hold(NULL);
  LOCAL_ROOTS(&held);
  get_data(c, h->data_size, &held);
  struct intern_state *s = intern_begin(h, "input_value", NULL);
  value v = intern_data(s, Held_blocks(held)->data);
  marshal_buffer_keep(Held_blocks(held));
  Held_blocks(held) = NULL;
  return v;
}

CAMLexport value caml_input_val(struct channel *c)
{
  struct marshal_header h;
  if (!caml_channel_binary_mode(c)) caml_failwith("input_value: not a binary channel");
  get_header(c, &h);
  if (h.data_size > (size_t)(c->max - c->curr)) return input_long(c, &h);
  /* All of it is in the channel's buffer, which stays as it is while the lock is held. */
  const char *data = c->curr;
  c->curr += h.data_size;
  struct intern_state *s = intern_begin(&h, "input_value", NULL);
  return intern_data(s, data);
}

CAMLprim value caml_input_value(value channel)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = Channel(channel);
  caml_channel_lock(c);
  value v = caml_input_val(c);
  caml_channel_unlock(c);
  return actions_poll(v);
}

/* An old name that the bootstrap compiler lists. */
CAMLprim value caml_input_value_to_outside_heap(value channel) { return caml_input_value(channel); }
