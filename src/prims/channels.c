/* SPDX-License-Identifier: MIT */
/* The primitives of Stdlib's channels: the OCaml face of io.c.
 *
 * A channel is a custom block that points to a struct channel. Several blocks may
 * point to the same one (out_channels_list makes new ones); the refcount says how
 * many. When the last is dead the finaliser frees the struct, but does not close
 * the descriptor, and never flushes: that could block or raise. An output channel
 * that dies with unwritten bytes stays in the list, for at_exit to find and flush.
 *
 * Each primitive keeps its block as a root while it works: the collector may
 * run whenever the channel's lock is waited for or a byte is moved. */
#include "prims/io.h"

#include "abi/params.h"
#include "prims/bigarray.h"
#include "prims/md5.h"
#include "sync/atomic.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- The custom block ---- */

static void warn_unclosed(const struct channel *c, bool unflushed)
{
  if (c->fd == -1 || c->name == NULL || !caml_runtime_warnings_active()) return;
  fprintf(stderr, "[ocaml] channel opened on file '%s' dies without being closed\n", c->name);
  if (unflushed) fprintf(stderr, "[ocaml] (moreover, it has unflushed data)\n");
}

/* A block may have no channel: one of out_channels_list that was not needed, or where opening failed. */
static void channel_finalise(value v)
{
  struct channel *c = Channel(v);
  if (c == NULL || (c->flags & CHANNEL_FLAG_MANAGED_BY_GC) == 0) return;
  channels_list_lock();
  bool last = --c->refcount == 0;
  bool unflushed = last && c->max == NULL && c->curr != c->buff;
  if (last) warn_unclosed(c, unflushed);
  bool dead = last && !unflushed;
  if (dead) channels_list_remove(c);
  channels_list_unlock();
  if (dead) channel_free(c);
}

static int channel_compare(value a, value b)
{
  uintnat x = (uintnat)Channel(a), y = (uintnat)Channel(b);
  return (x > y) - (x < y);
}

static intnat channel_hash(value v) { return (intnat)Channel(v); }

static const struct custom_operations channel_ops = {
    .identifier = "_chan",
    .finalize = channel_finalise,
    .compare = channel_compare,
    .hash = channel_hash,
};

CAMLexport value caml_alloc_channel(struct channel *c)
{
  value v = caml_alloc_custom(&channel_ops, sizeof c, 0, 1);
  Channel(v) = c;
  return v;
}

/* ---- Open and close ---- */

/* The block comes first: where there is no memory for it, there is no channel yet that would be lost. */
static value open_channel(struct channel *(*open)(int fd), int fd, int flags)
{
  value block = caml_alloc_channel(NULL);
  LOCAL_ROOTS(&block);
  struct channel *c = open(fd);
  c->flags |= flags | CHANNEL_FLAG_MANAGED_BY_GC;
  c->refcount = 1;
  Channel(block) = c;
  channels_list_lock();
  channels_list_add(c);
  channels_list_unlock();
  return block;
}

CAMLprim value caml_ml_open_descriptor_in_with_flags(int fd, int flags)
{
  return open_channel(caml_open_descriptor_in, fd, flags);
}

CAMLprim value caml_ml_open_descriptor_out_with_flags(int fd, int flags)
{
  return open_channel(caml_open_descriptor_out, fd, flags);
}

CAMLprim value caml_ml_open_descriptor_in(value fd)
{
  return caml_ml_open_descriptor_in_with_flags(Int_val(fd), 0);
}

CAMLprim value caml_ml_open_descriptor_out(value fd)
{
  return caml_ml_open_descriptor_out_with_flags(Int_val(fd), 0);
}

static struct channel *lock_channel(value channel)
{
  struct channel *c = Channel(channel);
  caml_channel_lock(c);
  return c;
}

CAMLprim value caml_ml_close_channel(value channel)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  int fd = c->fd;
  if (fd != -1) {
    channel_drop_buffer(c);
    caml_enter_blocking_section_no_pending();
    int failed = close(fd);
    int error = errno;
    caml_leave_blocking_section();
    errno = error;
    if (failed) caml_sys_error(Val_unit);
  }
  caml_channel_unlock(c);
  return Val_unit;
}

CAMLprim value caml_ml_set_channel_name(value channel, value name)
{
  LOCAL_ROOTS(&channel);
  char *copy = string_length(name) > 0 ? caml_stat_strdup(String_val(name)) : NULL;
  struct channel *c = lock_channel(channel);
  char *old = c->name;
  c->name = copy;
  caml_channel_unlock(c);
  caml_stat_free(old);
  return Val_unit;
}

/* ---- The list of open output channels ---- */

static size_t count_out_channels(void)
{
  size_t n = 0;
  for (struct channel *c = caml_all_opened_channels; c; c = c->next) n += load_relaxed(&c->open_out);
  return n;
}

/* Gives the blocks of [list], newest channel first, their channels. Returns
 * how many were given out; SIZE_MAX, and none is, if [cells] are too few. [no gc] */
static size_t fill_channel_list(value list, size_t cells)
{
  size_t given = 0;
  channels_list_lock();
  bool enough = count_out_channels() <= cells;
  for (struct channel *c = caml_all_opened_channels; enough && c && given < cells; c = c->next) {
    if (!load_relaxed(&c->open_out)) continue;
    c->refcount++;
    Channel(Field(list, 0)) = c;
    list = Field(list, 1);
    given++;
  }
  channels_list_unlock();
  return enough ? given : SIZE_MAX;
}

/* The blocks are made first and their channels put in afterwards, in one go
 * under the lock, which may not be held while memory is asked for. */
CAMLprim value caml_ml_out_channels_list(value unit)
{
  value list = Val_emptylist, block = Val_unit;
  LOCAL_ROOTS(&list, &block);
  size_t cells = 0, given;
  while ((given = fill_channel_list(list, cells)) == SIZE_MAX) {
    block = caml_alloc_channel(NULL);
    list = caml_alloc_2(Tag_cons, block, list);
    cells++;
  }
  if (given == 0) return Val_emptylist;
  value last = list;
  for (size_t i = 1; i < given; i++) last = Field(last, 1);
  caml_modify(&Field(last, 1), Val_emptylist);
  return list;
}

/* ---- Facts about a channel ---- */

CAMLprim value caml_channel_descriptor(value channel)
{
  int fd = load_relaxed(&Channel(channel)->fd);
  if (fd == -1) {
    errno = EBADF;
    caml_sys_error(Val_unit);
  }
  return Val_int(fd);
}

CAMLprim value caml_sys_isatty(value channel)
{
  return Val_bool(isatty(load_relaxed(&Channel(channel)->fd)));
}

CAMLprim value caml_terminfo_rows(value channel)
{
  struct winsize size;
  if (ioctl(load_relaxed(&Channel(channel)->fd), TIOCGWINSZ, &size) != 0) return Val_int(-1);
  return Val_int(size.ws_row);
}

/* Text and binary are the same on Unix. */
CAMLprim value caml_ml_set_binary_mode(value channel, value mode) { return Val_unit; }

CAMLprim value caml_ml_is_binary_mode(value channel)
{
  return Val_bool(caml_channel_binary_mode(Channel(channel)));
}

CAMLprim value caml_ml_is_buffered(value channel)
{
  return Val_bool((load_relaxed(&Channel(channel)->flags) & CHANNEL_FLAG_UNBUFFERED) == 0);
}

CAMLprim value caml_ml_set_buffered(value channel, value mode)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  if (Bool_val(mode)) {
    store_relaxed(&c->flags, c->flags & ~CHANNEL_FLAG_UNBUFFERED);
  } else {
    store_relaxed(&c->flags, c->flags | CHANNEL_FLAG_UNBUFFERED);
    if (c->fd != -1) caml_flush(c);
  }
  caml_channel_unlock(c);
  return Val_unit;
}

/* ---- Sizes and positions ---- */

static file_offset locked_position(value channel, file_offset (*ask)(struct channel *))
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  file_offset answer = ask(c);
  caml_channel_unlock(c);
  return answer;
}

static value val_offset(file_offset n)
{
  if (n > Max_long) {
    errno = EOVERFLOW;
    caml_sys_error(Val_unit);
  }
  return Val_long(n);
}

static value locked_seek(value channel, file_offset to, void (*seek)(struct channel *, file_offset))
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  seek(c, to);
  caml_channel_unlock(c);
  return Val_unit;
}

CAMLprim value caml_ml_channel_size(value channel)
{
  return val_offset(locked_position(channel, caml_channel_size));
}

CAMLprim value caml_ml_channel_size_64(value channel)
{
  return caml_copy_int64(locked_position(channel, caml_channel_size));
}

CAMLprim value caml_ml_pos_in(value channel)
{
  return val_offset(locked_position(channel, caml_pos_in));
}

CAMLprim value caml_ml_pos_in_64(value channel)
{
  return caml_copy_int64(locked_position(channel, caml_pos_in));
}

CAMLprim value caml_ml_pos_out(value channel)
{
  return val_offset(locked_position(channel, caml_pos_out));
}

CAMLprim value caml_ml_pos_out_64(value channel)
{
  return caml_copy_int64(locked_position(channel, caml_pos_out));
}

CAMLprim value caml_ml_seek_in(value channel, value to)
{
  return locked_seek(channel, Long_val(to), caml_seek_in);
}

CAMLprim value caml_ml_seek_in_64(value channel, value to)
{
  return locked_seek(channel, Int64_val(to), caml_seek_in);
}

CAMLprim value caml_ml_seek_out(value channel, value to)
{
  return locked_seek(channel, Long_val(to), caml_seek_out);
}

CAMLprim value caml_ml_seek_out_64(value channel, value to)
{
  return locked_seek(channel, Int64_val(to), caml_seek_out);
}

/* ---- Output ---- */

/* A closed channel is left alone: programs flush at exit whatever they opened. */
CAMLprim value caml_ml_flush(value channel)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  if (c->fd != -1) caml_flush(c);
  caml_channel_unlock(c);
  return Val_unit;
}

CAMLprim value caml_ml_output_char(value channel, value byte)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  caml_putch(c, Int_val(byte));
  caml_flush_if_unbuffered(c);
  caml_channel_unlock(c);
  return Val_unit;
}

CAMLprim value caml_ml_output_int(value channel, value n)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  caml_putword(c, (uint32_t)Long_val(n));
  caml_flush_if_unbuffered(c);
  caml_channel_unlock(c);
  return Val_unit;
}

/* The bytes may move whenever the channel is flushed, so they go to the
 * channel's buffer in pieces that fit. */
CAMLprim value caml_ml_output_bytes(value channel, value bytes, value start, value length)
{
  LOCAL_ROOTS(&channel, &bytes);
  size_t at = (size_t)Long_val(start), left = (size_t)Long_val(length);
  struct channel *c = lock_channel(channel);
  while (left > 0) {
    size_t given = channel_give(c, &Byte(bytes, at), left);
    at += given;
    left -= given;
    if (c->curr == c->end) caml_flush_partial(c);
  }
  caml_flush_if_unbuffered(c);
  caml_channel_unlock(c);
  return Val_unit;
}

CAMLprim value caml_ml_output(value channel, value string, value start, value length)
{
  return caml_ml_output_bytes(channel, string, start, length);
}

CAMLprim value caml_ml_output_bigarray(value channel, value bigarray, value start, value length)
{
  LOCAL_ROOTS(&channel, &bigarray);
  struct channel *c = lock_channel(channel);
  char *data = Caml_ba_data_val(bigarray);
  caml_really_putblock(c, data + Long_val(start), Long_val(length));
  caml_flush_if_unbuffered(c);
  caml_channel_unlock(c);
  return Val_unit;
}

/* ---- Input ---- */

CAMLprim value caml_ml_input_char(value channel)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  unsigned char byte = caml_getch(c);
  caml_channel_unlock(c);
  return Val_int(byte);
}

CAMLprim value caml_ml_input_int(value channel)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  int32_t n = (int32_t)caml_getword(c);
  caml_channel_unlock(c);
  return Val_long(n);
}

CAMLprim value caml_ml_input(value channel, value bytes, value start, value length)
{
  LOCAL_ROOTS(&channel, &bytes);
  size_t wanted = (size_t)Long_val(length), got = 0;
  struct channel *c = lock_channel(channel);
  if (wanted > 0 && channel_fill(c)) got = channel_take(c, &Byte(bytes, Long_val(start)), wanted);
  caml_channel_unlock(c);
  return Val_long(got);
}

CAMLprim value caml_ml_input_bigarray(value channel, value bigarray, value start, value length)
{
  LOCAL_ROOTS(&channel, &bigarray);
  struct channel *c = lock_channel(channel);
  char *data = Caml_ba_data_val(bigarray);
  int got = caml_getblock(c, data + Long_val(start), Long_val(length));
  caml_channel_unlock(c);
  return Val_int(got);
}

CAMLprim value caml_ml_input_scan_line(value channel)
{
  LOCAL_ROOTS(&channel);
  struct channel *c = lock_channel(channel);
  intnat length = caml_input_scan_line(c);
  caml_channel_unlock(c);
  return Val_long(length);
}

/* ---- MD5 ---- */

/* Digests n bytes, all there are if n < 0. Returns how many are missing. */
static intnat digest_channel(struct channel *c, struct md5 *digest, intnat n)
{
  size_t left = n < 0 ? SIZE_MAX : (size_t)n;
  while (left > 0 && channel_fill(c)) {
    size_t piece = (size_t)(c->max - c->curr);
    if (piece > left) piece = left;
    md5_update(digest, c->curr, piece);
    c->curr += piece;
    left -= piece;
  }
  return n < 0 ? 0 : (intnat)left;
}

CAMLexport value caml_md5_channel(struct channel *c, intnat n)
{
  struct md5 digest;
  md5_init(&digest);
  caml_channel_lock(c);
  if (digest_channel(c, &digest, n) > 0) caml_raise_end_of_file();
  caml_channel_unlock(c);
  unsigned char sum[MD5_BYTES];
  md5_final(&digest, sum);
  return caml_alloc_initialized_string(sizeof sum, (char *)sum);
}

CAMLprim value caml_md5_chan(value channel, value n)
{
  LOCAL_ROOTS(&channel);
  return caml_md5_channel(Channel(channel), Long_val(n));
}
