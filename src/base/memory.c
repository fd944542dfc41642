/* SPDX-License-Identifier: MIT */
/* See memory.h. Each block has a link before it, by which all are in one ring.
 *
 * State: the ring and its lock, a mutex of the C library: a lock of ours would need a rank below all others. It is held across a fork,
 * so that the child finds the ring whole. */
#include "base/memory.h"

#include "base/bits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct link { struct link *prev, *next; } __attribute__((aligned(16)));

static struct {
  pthread_mutex_t lock;
  pthread_once_t once;
  struct link head;             /* [lock] */
} ring = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_ONCE_INIT, {&ring.head, &ring.head}};

static void ring_lock(void) { pthread_mutex_lock(&ring.lock); }
static void ring_unlock(void) { pthread_mutex_unlock(&ring.lock); }
static void ring_survives_fork(void) { pthread_atfork(ring_lock, ring_unlock, ring_unlock); }

static struct link *link_of(void *p) { return (struct link *)p - 1; }

static void *ring_add(struct link *l)
{
  if (l == NULL) return NULL;
  pthread_once(&ring.once, ring_survives_fork);
  ring_lock();
  *l = (struct link){&ring.head, ring.head.next};
  l->next->prev = l->prev->next = l;
  ring_unlock();
  return l + 1;
}

static void ring_remove(struct link *l)
{
  ring_lock();
  l->prev->next = l->next;
  l->next->prev = l->prev;
  ring_unlock();
}

void *mem_alloc(size_t size)
{
  size_t bytes;
  return add_fits(size ? size : 1, sizeof(struct link), &bytes) ? ring_add(malloc(bytes)) : NULL;
}

void *mem_calloc(size_t n, size_t size)
{
  size_t bytes;
  void *p = mul_fits(n, size, &bytes) ? mem_alloc(bytes) : NULL;
  return p ? memset(p, 0, bytes) : NULL;
}

void *mem_resize(void *p, size_t size)
{
  size_t bytes;
  if (p == NULL) return mem_alloc(size);
  if (!add_fits(size ? size : 1, sizeof(struct link), &bytes)) return NULL;
  struct link *old = link_of(p);
  ring_remove(old);
  struct link *l = realloc(old, bytes);
  /* Without memory the block stays where it was. */
  void *grown = ring_add(l ? l : old);
  return l ? grown : NULL;
}

void mem_free(void *p)
{
  if (p == NULL) return;
  ring_remove(link_of(p));
  free(link_of(p));
}

char *mem_strdup(const char *s)
{
  size_t size = strlen(s) + 1;
  char *copy = mem_alloc(size);
  return copy ? memcpy(copy, s, size) : NULL;
}

void mem_free_all(void)
{
  while (ring.head.next != &ring.head) mem_free(ring.head.next + 1);
}
