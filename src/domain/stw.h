/* SPDX-License-Identifier: MIT */
/* What domain.c and stw.c share: the private half of the domain table. Nothing
 * outside this folder includes it but the unit tests, which set [cores]. */
#ifndef BAC_DOMAIN_STW_H
#define BAC_DOMAIN_STW_H

#include "domain/domain.h"

/* A word that threads listen to. Protocol of a listener: take down [rings], look
 * whether what it waits for has happened, else sleep until [rings] is another;
 * whoever makes it happen rings afterwards. So no ring is ever missed. */
struct bell {
  uint32_t rings;      /* [atomic] futex */
  uint32_t sleepers;   /* [atomic] threads in the kernel or on their way */
};

/* The work that a leader shares out. One word says both whether the job is open
 * and who is in it, so that a helper enters an open job or none at all. */
struct stw_job {
  uint32_t places;     /* [atomic] futex; PLACE * free places (0: closed) + helpers inside */
  void (*work)(struct domain *participant, void *arg);   /* [const while places != 0] */
  void *arg;           /* likewise */
};

/* A released thread that has not got a core yet may be stopped again without
 * having run, so many times on end; then the leader has to wait for it. */
enum { PASSED_OVER_MAX = 64 };

/* See turn.c. */
struct turns {
  struct lock lock;               /* RANK_LEAF */
  struct domain *first, **end;    /* [lock] the domains that wait for one, the longest waiting first */
  uint32_t given;                 /* [lock, atomic read] turns so far; wraps */
  unsigned skips;                 /* [lock] turns that others got since the first came to be it, or got one */
};

struct stw_private {
  unsigned cores;          /* [const] os_cores() at start */
  struct domain *leader;   /* [atomic, lock:world] who leads, or NULL */
  bool crowded;            /* [atomic, set under stw] it was stopped with more domains RUNNING than there are cores */
  uint32_t stopped;        /* [atomic] 1 while every other domain is STOPPED */
  uint32_t sections;       /* [atomic] how many sections have begun; wraps */

  uint32_t arrivals;       /* [atomic] futex; domains that left RUNNING during a stop; wraps */
  uint32_t arrivals_goal;  /* [atomic] the arrival that has to wake the leader */

  struct bell released;    /* rings at each release; domains that may not help listen */
  struct bell called;      /* rings at each release and each job; parked domains listen */
  struct stw_job job;
  struct turns turns;
};

/* Rearms young_limit: young_trigger, or an interrupt if something is pending.
 * The domain's own thread, or the leader for a STOPPED domain. */
void domain_rearm(struct domain *d);

/* Takes the world lock for a RUNNING domain without waiting as RUNNING (DOM-1).
 * On return no stop is under way; any number of them may have passed. */
void world_lock(struct domain *d);

/* RUNNING -> BLOCKED. */
void domain_block(struct domain *d);

/* Is a stop under way that waits for d? */
bool stw_awaits(struct domain *d);
/* Tells the leader that a domain has left RUNNING. Its state is stored already. */
void stw_arrive(void);
/* RUNNING -> STOPPED -> ... -> RUNNING, without helping. Only if stw_awaits. */
void stw_rest(struct domain *d);
/* The second half of stw_rest: waits until d is RUNNING again, by its own thread or by the leader. */
void stw_resume(struct domain *d);

/* d's thread is about to sleep, or to lead. */
void turn_note_core(struct domain *d);
/* Waits as BLOCKED until d, which is held and RUNNING, has a turn or has waited long enough. */
void turn_await(struct domain *d);
/* d is in a blocking section: its turn, if it has one, goes to another. */
void turn_pass(struct domain *d);
/* d leaves the table: who gave it its last turn has let go of it. */
void turn_leave(struct domain *d);
/* Before the release: who of those that go on is to wait at his next safepoint. */
void turns_deal_stw(struct domain *leader);

/* The two halves of a section, for fork. begin: false if another domain led
 * meanwhile. */
bool stw_begin(struct domain *d);
void stw_end(struct domain *d);

#endif
