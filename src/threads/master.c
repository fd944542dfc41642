/* SPDX-License-Identifier: MIT */
/* The master lock: see master.h. No state of its own. */
#include "threads/master.h"

#include "os/os.h"
#include "sync/atomic.h"

void master_init(struct master *m)
{
  m->guard = (struct lock)LOCK_INIT(RANK_LEAF);
  m->held = true;
  m->first = NULL;
  m->end = &m->first;
}

bool master_has_waiters(const struct master *m) { return load_relaxed(&m->first) != NULL; }

static void line_append(struct master *m, struct master_place *mine)
{
  mine->next = NULL;
  store_relaxed(&mine->word, MASTER_WAIT);
  store_relaxed(m->end, mine);
  m->end = &mine->next;
}

static void line_remove(struct master *m, struct master_place *mine)
{
  struct master_place **link = &m->first;
  while (*link != mine) link = &(*link)->next;
  store_relaxed(link, mine->next);
  if (m->end == &mine->next) m->end = link;
}

/* Under the guard. The place may be gone as soon as the guard is let go: its word is woken before. */
static void place_tell(struct master_place *place, enum master_word word)
{
  store_relaxed(&place->word, word);
  os_wake(&place->word, 1);
}

/* The guard is held, and is not on return. */
static void line_wait(struct master *m, struct master_place *mine)
{
  for (;;) {
    lock_release(&m->guard);
    os_wait(&mine->word, MASTER_WAIT, 0);
    lock_acquire(&m->guard);
    if (load_relaxed(&mine->word) == MASTER_GRANTED) break;
    if (!m->held) {
      m->held = true;
      line_remove(m, mine);
      break;
    }
    store_relaxed(&mine->word, MASTER_WAIT);
  }
  lock_release(&m->guard);
}

void master_acquire(struct master *m, struct master_place *mine)
{
  lock_acquire(&m->guard);
  if (!m->held) {
    m->held = true;
    lock_release(&m->guard);
    return;
  }
  line_append(m, mine);
  line_wait(m, mine);
}

void master_release(struct master *m)
{
  lock_acquire(&m->guard);
  m->held = false;
  if (m->first) place_tell(m->first, MASTER_TRY);
  lock_release(&m->guard);
}

void master_hand_over(struct master *m, struct master_place *mine)
{
  lock_acquire(&m->guard);
  struct master_place *next = m->first;
  if (!next) {
    lock_release(&m->guard);
    return;
  }
  line_remove(m, next);
  line_append(m, mine);
  place_tell(next, MASTER_GRANTED);
  line_wait(m, mine);
}
