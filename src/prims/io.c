/* SPDX-License-Identifier: MIT */
/* Channels below OCaml: buffers, descriptors, locks and the list of open
 * channels. io.h says what a channel is and who may call what.
 *
 * The primitives of Stdlib's channels stand on this in channels.c; marshalling
 * and the Unix library use it directly. Nothing here looks at an OCaml block.
 *
 * State: the list of open channels with its lock (one struct), and for each
 * thread the chain of channels that it has locked, so that an exception can give
 * them up.
 *
 * How a transfer goes: pending actions first (with the channel given up), then
 * one read or write in a blocking section. A call interrupted by a signal
 * comes back as "nothing happened", and the caller looks at the channel anew: a
 * signal handler may have used it. */
#include "prims/io.h"

#include "sync/atomic.h"
#include "sync/lock.h"

#include <errno.h>
#include <unistd.h>

CAMLexport struct channel *caml_all_opened_channels;
static struct lock list_lock = LOCK_INIT(RANK_CHANNELS);
static __thread struct channel *locked_by_me;

void channels_list_lock(void) { lock_acquire(&list_lock); }
void channels_list_unlock(void) { lock_release(&list_lock); }

void channels_list_add(struct channel *c)
{
  c->prev = NULL;
  c->next = caml_all_opened_channels;
  if (c->next) c->next->prev = c;
  caml_all_opened_channels = c;
}

void channels_list_remove(struct channel *c)
{
  if (c->next) c->next->prev = c->prev;
  *(c->prev ? &c->prev->next : &caml_all_opened_channels) = c->next;
}

/* ---- Locks ---- */

/* Error checking: a stub that locks twice gets a message, not a hang. */
static void mutex_init(pthread_mutex_t *m)
{
  pthread_mutexattr_t kind;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  CHECK(pthread_mutex_init(m, &kind) == 0);
  pthread_mutexattr_destroy(&kind);
}

static NOINLINE void lock_contended(struct channel *c)
{
  caml_enter_blocking_section_no_pending();
  int error = pthread_mutex_lock(&c->mutex);
  caml_leave_blocking_section();
  if (error) bac_fatal("channel lock: %s", strerror(error));
}

CAMLexport void caml_channel_lock(struct channel *c)
{
  if (pthread_mutex_trylock(&c->mutex) != 0) lock_contended(c);
  c->outer = locked_by_me;
  locked_by_me = c;
}

CAMLexport void caml_channel_unlock(struct channel *c)
{
  struct channel **link = &locked_by_me;
  while (*link && *link != c) link = &(*link)->outer;
  if (*link) *link = c->outer;
  int error = pthread_mutex_unlock(&c->mutex);
  if (error) bac_fatal("channel unlock: %s", strerror(error));
}

struct channel *channels_locked(void) { return locked_by_me; }

void channels_unlock_until(struct channel *last)
{
  while (locked_by_me && locked_by_me != last) caml_channel_unlock(locked_by_me);
}

CAMLexport void caml_channel_cleanup_on_raise(void) { channels_unlock_until(NULL); }

void channels_after_fork_child(void)
{
  lock_reset(&list_lock);
  locked_by_me = NULL;
  for (struct channel *c = caml_all_opened_channels; c; c = c->next) mutex_init(&c->mutex);
}

/* ---- Life ---- */

CAMLexport struct channel *caml_open_descriptor_in(int fd)
{
  struct channel *c = caml_stat_alloc(sizeof *c);
  char *buff = caml_stat_alloc_noexc(IO_BUFFER_SIZE);
  if (buff == NULL) {
    caml_stat_free(c);
    caml_raise_out_of_memory();
  }
  *c = (struct channel){
      .fd = fd, .buff = buff, .curr = buff, .max = buff, .end = buff + IO_BUFFER_SIZE};
  mutex_init(&c->mutex);
  caml_enter_blocking_section_no_pending();
  c->offset = lseek(fd, 0, SEEK_CUR);
  caml_leave_blocking_section();
  return c;
}

CAMLexport struct channel *caml_open_descriptor_out(int fd)
{
  struct channel *c = caml_open_descriptor_in(fd);
  c->max = NULL;
  store_relaxed(&c->open_out, true);
  return c;
}

/* The whole buffer of every closed channel; never written. */
static char closed_buffer[1];

void channel_drop_buffer(struct channel *c)
{
  bool out = c->max == NULL;
  caml_stat_free(c->buff);
  c->buff = closed_buffer;
  c->end = closed_buffer + 1;
  c->curr = c->max = out ? c->end : c->buff;
  store_relaxed(&c->open_out, false);
  store_relaxed(&c->fd, -1);
}

void channel_free(struct channel *c)
{
  pthread_mutex_destroy(&c->mutex);
  caml_stat_free(c->name);
  if (c->buff != closed_buffer) caml_stat_free(c->buff);
  caml_stat_free(c);
}

CAMLexport void caml_close_channel(struct channel *c)
{
  close(c->fd);
  channel_free(c);
}

/* ---- The descriptor's side ---- */

static _Noreturn void raise_io_error(int error)
{
  errno = error;
  caml_sys_io_error(Val_unit);
}

/* Runs what is pending; true if the channel may have changed meanwhile. The
 * lock of a channel that only C code knows stays as it is: that code may not expect otherwise. */
static bool run_pending(struct channel *c)
{
  if (likely(!caml_check_pending_actions())) return false;
  bool ours = (c->flags & CHANNEL_FLAG_MANAGED_BY_GC) != 0;
  if (ours) caml_channel_unlock(c);
  caml_process_pending_actions();
  if (ours) caml_channel_lock(c);
  return true;
}

/* One read of at most [room] bytes. -1: interrupted. */
static ssize_t read_descriptor(struct channel *c, char *at, size_t room)
{
  int fd = c->fd;
  caml_enter_blocking_section_no_pending();
  ssize_t n = read(fd, at, room);
  int error = errno;
  caml_leave_blocking_section();
  if (n < 0) {
    if (error == EINTR) return -1;
    raise_io_error(error);
  }
  c->offset += n;
  return n;
}

/* One read into [at, end), which becomes what lies before max. -1: interrupted. */
static ssize_t read_once(struct channel *c, char *at)
{
  ssize_t n = read_descriptor(c, at, (size_t)(c->end - at));
  if (n >= 0) c->max = at + n;
  return n;
}

/* Bytes written or minus an errno value. A descriptor that does not block may
 * refuse a small write as a whole although it has room for one byte. */
static ssize_t write_descriptor(int fd, const char *from, size_t len)
{
  caml_enter_blocking_section_no_pending();
  ssize_t n = write(fd, from, len);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && len > 1) n = write(fd, from, 1);
  if (n < 0) n = -errno;
  caml_leave_blocking_section();
  return n;
}

static bool is_permanent_error(int error)
{
  return error == EBADF || error == EPIPE || error == ECONNRESET;
}

/* One write of all that waits. False: interrupted. */
static bool write_once(struct channel *c)
{
  size_t waiting = (size_t)(c->curr - c->buff);
  ssize_t n = write_descriptor(c->fd, c->buff, waiting);
  if (n == -EINTR) return false;
  if (n < 0) {
    /* What can never be written is dropped, so that closing can succeed. */
    if (is_permanent_error((int)-n) && c->fd != -1) c->curr = c->buff;
    raise_io_error((int)-n);
  }
  c->offset += n;
  c->curr -= n;
  memmove(c->buff, c->buff + n, waiting - (size_t)n);
  return true;
}

static file_offset seek_descriptor(int fd, file_offset to, int whence)
{
  caml_enter_blocking_section_no_pending();
  file_offset at = lseek(fd, to, whence);
  int error = errno;
  caml_leave_blocking_section();
  errno = error;
  return at;
}

static void seek_channel(struct channel *c, file_offset to)
{
  file_offset at = seek_descriptor(c->fd, to, SEEK_SET);
  if (at < 0 || at != to) caml_sys_error(Val_unit);
  c->offset = to;
}

CAMLexport file_offset caml_channel_size(struct channel *c)
{
  run_pending(c);
  int fd = c->fd;
  file_offset here = c->offset;
  if (here == -1) here = seek_descriptor(fd, 0, SEEK_CUR);
  file_offset size = here == -1 ? -1 : seek_descriptor(fd, 0, SEEK_END);
  if (size == -1 || seek_descriptor(fd, here, SEEK_SET) != here) caml_sys_error(Val_unit);
  return size;
}

CAMLexport int caml_channel_binary_mode(struct channel *c)
{
  return (load_relaxed(&c->flags) & CHANNEL_TEXT_MODE) == 0;
}

/* ---- Output ---- */

CAMLexport int caml_flush_partial(struct channel *c)
{
  do {
    run_pending(c);
    if (c->curr == c->buff) return true;
  } while (!write_once(c));
  return c->curr == c->buff;
}

CAMLexport void caml_flush(struct channel *c)
{
  while (!caml_flush_partial(c)) continue;
}

CAMLexport void caml_flush_if_unbuffered(struct channel *c)
{
  if (c->flags & CHANNEL_FLAG_UNBUFFERED) caml_flush(c);
}

size_t channel_give(struct channel *c, const void *from, size_t len)
{
  size_t room = (size_t)(c->end - c->curr);
  if (len > room) len = room;
  memcpy(c->curr, from, len);
  c->curr += len;
  return len;
}

CAMLexport int caml_putblock(struct channel *c, char *p, intnat len)
{
  size_t taken;
  if (len <= 0) return 0;
  while ((taken = channel_give(c, p, (size_t)len)) == 0) caml_flush_partial(c);
  if (c->curr == c->end) caml_flush_partial(c);
  return (int)taken;
}

CAMLexport void caml_really_putblock(struct channel *c, char *p, intnat len)
{
  while (len > 0) {
    int taken = caml_putblock(c, p, len);
    p += taken;
    len -= taken;
  }
}

CAMLexport void caml_putch(struct channel *c, int byte)
{
  while (c->curr >= c->end) caml_flush_partial(c);
  *c->curr++ = (char)byte;
}

CAMLexport void caml_putword(struct channel *c, uint32_t word)
{
  if (!caml_channel_binary_mode(c)) caml_failwith("output_binary_int: not a binary channel");
  for (int shift = 24; shift >= 0; shift -= 8) caml_putch(c, (int)(word >> shift));
}

CAMLexport void caml_seek_out(struct channel *c, file_offset to)
{
  caml_flush(c);
  seek_channel(c, to);
}

CAMLexport file_offset caml_pos_out(struct channel *c) { return c->offset + (c->curr - c->buff); }

/* ---- Input ---- */

static size_t unread(const struct channel *c) { return (size_t)(c->max - c->curr); }

bool channel_fill(struct channel *c)
{
  while (c->curr >= c->max) {
    if (run_pending(c) && c->curr < c->max) break;
    ssize_t n = read_once(c, c->buff);
    if (n >= 0) c->curr = c->buff;
    if (n == 0) return false;
  }
  return true;
}

size_t channel_take(struct channel *c, void *to, size_t len)
{
  if (len > unread(c)) len = unread(c);
  memcpy(to, c->curr, len);
  c->curr += len;
  return len;
}

CAMLexport unsigned char caml_refill(struct channel *c)
{
  if (!channel_fill(c)) caml_raise_end_of_file();
  return (unsigned char)*c->curr++;
}

CAMLexport unsigned char caml_getch(struct channel *c)
{
  return c->curr < c->max ? (unsigned char)*c->curr++ : caml_refill(c);
}

CAMLexport uint32_t caml_getword(struct channel *c)
{
  uint32_t word = 0;
  if (!caml_channel_binary_mode(c)) caml_failwith("input_binary_int: not a binary channel");
  for (int i = 0; i < 4; i++) word = word << 8 | caml_getch(c);
  return word;
}

CAMLexport int caml_getblock(struct channel *c, char *p, intnat len)
{
  if (len <= 0 || !channel_fill(c)) return 0;
  return (int)channel_take(c, p, (size_t)len);
}

/* One read to p itself; the buffer is empty. A piece is not so large that a signal would have to wait. -1: nothing read, or
 * there is something in the buffer now. */
static ssize_t read_past_buffer(struct channel *c, char *p, size_t len)
{
  enum { PIECE = 1 << 20 };
  if (run_pending(c) && c->curr < c->max) return -1;
  c->curr = c->max = c->buff;
  return read_descriptor(c, p, len < PIECE ? len : PIECE);
}

CAMLexport intnat caml_really_getblock(struct channel *c, char *p, intnat n)
{
  intnat got = 0;
  while (got < n) {
    if (c->curr >= c->max && n - got >= IO_BUFFER_SIZE) {
      ssize_t piece = read_past_buffer(c, p + got, (size_t)(n - got));
      if (piece == 0) break;
      if (piece > 0) got += piece;
    } else if (channel_fill(c)) {
      got += (intnat)channel_take(c, p + got, (size_t)(n - got));
    } else {
      break;
    }
  }
  return got;
}

/* Moves the unread bytes to the start of the buffer. Is there room behind them? */
static bool make_room(struct channel *c)
{
  size_t shift = (size_t)(c->curr - c->buff);
  if (shift > 0) {
    memmove(c->buff, c->curr, unread(c));
    c->curr -= shift;
    c->max -= shift;
  }
  return c->max < c->end;
}

CAMLexport intnat caml_input_scan_line(struct channel *c)
{
  size_t searched = 0;
  for (;;) {
    if (run_pending(c)) searched = 0;
    const char *newline = memchr(c->curr + searched, '\n', unread(c) - searched);
    if (newline) return newline + 1 - c->curr;
    searched = unread(c);
    if (!make_room(c)) return -(intnat)unread(c);
    if (read_once(c, c->max) == 0) return -(intnat)unread(c);
  }
}

CAMLexport void caml_seek_in(struct channel *c, file_offset to)
{
  file_offset first = c->offset - (c->max - c->buff);
  if (to >= first && to <= c->offset && caml_channel_binary_mode(c)) {
    c->curr = c->max - (c->offset - to);
    return;
  }
  seek_channel(c, to);
  c->curr = c->max = c->buff;
}

CAMLexport file_offset caml_pos_in(struct channel *c) { return c->offset - (c->max - c->curr); }
