/* SPDX-License-Identifier: MIT */
/* Channels: buffered input and output on file descriptors.
 *
 * A channel owns a descriptor and a buffer of IO_BUFFER_SIZE bytes. Bytes that
 * travel between the buffer and the descriptor do so in a blocking section, so
 * no address in the OCaml heap is ever handed to the system.
 *
 * The struct and the caml_* functions are those of the public <caml/io.h>; C
 * stubs (the Unix library) read and write the fields.
 *
 *   input:   buff <= curr <= max <= end; [curr, max) is read but not consumed;
 *            offset is the file position that max stands for
 *   output:  max == NULL; [buff, curr) is waiting to be written; offset is the
 *            file position that buff stands for
 *   closed:  fd == -1, and the buffer is one byte that makes any input find it
 *            empty and any output find it full, so that the next operation
 *            meets the missing descriptor. max != NULL for both directions.
 *
 * LOCKING. All that look at a channel's buffer hold its mutex. A thread that
 * must wait for it waits in a blocking section: the wait is a [may gc] point.
 * Signal handlers and finalisers run with the mutex given up (for channels that
 * belong to OCaml code), so whoever calls a [polls] function looks at the fields anew
 * afterwards. An exception that C code raises gives up what the thread has locked
 * since it entered the code that the exception ends: caml_raise unlocks down to what was locked
 * when the callback began that the exception cannot leave. So an exception that is raised and handled
 * within a callback leaves alone the channels of the C code that called back.
 *
 * The list of open channels, with [next], [prev], [refcount], is guarded by one lock
 * of RANK_CHANNELS in io.c. */
#ifndef BAC_PRIMS_IO_H
#define BAC_PRIMS_IO_H

#include "abi/caml.h"

#include <pthread.h>
#include <sys/types.h>

enum { IO_BUFFER_SIZE = 65536 };

typedef off_t file_offset;

struct channel {
  int fd;                        /* -1: closed */
  file_offset offset;            /* see above; -1 at first if the descriptor cannot seek */
  char *end;                     /* one past the buffer */
  char *curr;
  char *max;                     /* NULL: an open output channel */
  pthread_mutex_t mutex;         /* guards all but the list */
  struct channel *next, *prev;   /* [lock:list] open channels that OCaml code owns, newest first */
  uintnat refcount;              /* [lock:list] custom blocks that point here */
  int flags;                     /* enum channel_flags */
  char *buff;
  char *name;                    /* NULL, or a file name for the leak warning */
  /* Behind the ABI's fields: */
  struct channel *outer;         /* [own] what the same thread had locked before this */
  bool open_out;                 /* [atomic: relaxed] max == NULL, for those who do not hold the mutex */
};

enum channel_flags {
  CHANNEL_FLAG_FROM_SOCKET = 1,
  CHANNEL_FLAG_MANAGED_BY_GC = 4,  /* in the list; goes with its last custom block */
  CHANNEL_TEXT_MODE = 8,
  CHANNEL_FLAG_UNBUFFERED = 16,    /* output: flushed after each operation */
};

/* The channel of a custom block. */
#define Channel(v) (*((struct channel **)Data_custom_val(v)))

/* ---- Life ---- */

/* A channel that C code owns. [may gc] [raises Out_of_memory] */
struct channel *caml_open_descriptor_in(int fd);
struct channel *caml_open_descriptor_out(int fd);
/* Closes and frees it. Output must have been flushed. */
void caml_close_channel(struct channel *c);

/* A custom block for c, whose refcount already counts it. [may gc] */
value caml_alloc_channel(struct channel *c);
/* A channel that OCaml code owns. [flags] are enum channel_flags to add. [may gc] */
value caml_ml_open_descriptor_in(value fd);
value caml_ml_open_descriptor_out(value fd);
value caml_ml_open_descriptor_in_with_flags(int fd, int flags);
value caml_ml_open_descriptor_out_with_flags(int fd, int flags);

/* ---- Locks ---- */
void caml_channel_lock(struct channel *c);       /* [may gc] runs no OCaml code */
void caml_channel_unlock(struct channel *c);
/* The channel that the calling thread locked last, of those still locked; may be NULL. [no gc] */
struct channel *channels_locked(void);
/* Gives up what the calling thread locked after [last]; all, if that is NULL. [no gc] */
void channels_unlock_until(struct channel *last);
/* Gives up every channel that the calling thread has locked; for stubs. [no gc] */
void caml_channel_cleanup_on_raise(void);
/* In the child of a fork: locks that other threads held are free. [no gc] */
void channels_after_fork_child(void);

/* ---- The channel is locked by the caller. All but the position functions and
 * caml_channel_binary_mode are [polls]: [may gc] [may run OCaml] [raises]. [p] is never in the OCaml
 * heap. ---- */

file_offset caml_channel_size(struct channel *c);
void caml_seek_in(struct channel *c, file_offset to);
void caml_seek_out(struct channel *c, file_offset to);
file_offset caml_pos_in(struct channel *c);
file_offset caml_pos_out(struct channel *c);
int caml_channel_binary_mode(struct channel *c);

int caml_flush_partial(struct channel *c);       /* one write; is the buffer empty now? */
void caml_flush(struct channel *c);
void caml_flush_if_unbuffered(struct channel *c);
void caml_putch(struct channel *c, int byte);
void caml_putword(struct channel *c, uint32_t word);              /* big endian */
/* Takes over some bytes, at least one where len > 0; says how many. */
int caml_putblock(struct channel *c, char *p, intnat len);
void caml_really_putblock(struct channel *c, char *p, intnat len);

unsigned char caml_refill(struct channel *c);    /* the next byte, of an empty buffer; End_of_file */
unsigned char caml_getch(struct channel *c);     /* End_of_file */
uint32_t caml_getword(struct channel *c);        /* big endian; End_of_file */
int caml_getblock(struct channel *c, char *p, intnat len);        /* 0: end of file, or len = 0 */
intnat caml_really_getblock(struct channel *c, char *p, intnat n);/* fewer than n: end of file */
/* The length of the next line with its newline; or minus the bytes buffered
 * where the buffer is full or the file ends without one. Consumes nothing. */
intnat caml_input_scan_line(struct channel *c);

/* Ensures unread bytes in the buffer of an input channel; false at the end of file. */
bool channel_fill(struct channel *c);

/* As channel_fill and caml_getblock's copy for a buffer in the heap: copies at most [len] bytes
 * that are buffered already. [no gc] */
size_t channel_take(struct channel *c, void *to, size_t len);
/* Copies what fits into the output buffer. [no gc] */
size_t channel_give(struct channel *c, const void *from, size_t len);

/* ---- The list ---- */

/* Newest first. Exported for stubs; read it under the list's lock only. */
extern struct channel *caml_all_opened_channels;
void channels_list_lock(void);
void channels_list_unlock(void);
/* The lock is held. */
void channels_list_add(struct channel *c);
void channels_list_remove(struct channel *c);

/* The buffer of a channel whose descriptor is being closed: the closed state. Locked. */
void channel_drop_buffer(struct channel *c);
/* Frees what caml_close_channel frees, but leaves the descriptor alone. */
void channel_free(struct channel *c);

/* MD5 of the next n bytes (n < 0: all), as a string. Locks. [polls] [raises End_of_file] */
value caml_md5_channel(struct channel *c, intnat n);

#endif
