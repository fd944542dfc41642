/* SPDX-License-Identifier: MIT */
/* A program in C and in C++ against the installed header: see ../suite. */
#include <bactrian/gc.h>

static bac_value cons(struct bac_domain *d, int n, bac_value rest)
{
  BAC_ROOTS(d, &rest);
  bac_value cell = bac_alloc(d, 2, 0);
  bac_init_field(d, cell, 0, bac_from_int(n));
  bac_init_field(d, cell, 1, rest);
  return cell;
}

/* An exception drops the roots of the scopes that it leaves. */
#ifdef __cplusplus
static bac_value leave(struct bac_domain *d)
{
  bac_value v = BAC_NIL;
  BAC_ROOTS(d, &v);
  throw d->frames;
}
static int frames_survive(struct bac_domain *d)
{
  struct bac_frame *before = d->frames;
  try { leave(d); } catch (struct bac_frame *inner) { return inner != before && d->frames == before; }
  return 0;
}
/* One that comes out of a finaliser ends it; the others are called, and its scopes are gone. */
static int calls;
static void throws(struct bac_domain *d, bac_value v, bac_value env)
{
  BAC_ROOTS(d, &v, &env);
  calls++;
  throw 1;
}
static int finalisers_throw(struct bac_domain *d)
{
  int thrown = 0;
  struct bac_frame *before = d->frames;
  for (int i = 0; i < 3; i++) bac_finalise_last(d, throws, bac_alloc(d, 1, 0), BAC_NIL);
  bac_value alarm = bac_alarm_create(d, throws, BAC_NIL);
  BAC_ROOTS(d, &alarm);
  for (int i = 0; i < 8; i++) try { i == 0 ? bac_full_major(d) : bac_poll(d); } catch (int) { thrown++; }
  bac_alarm_delete(d, alarm);
  alarm = BAC_NIL;
  bac_full_major(d);
  return thrown == 4 && calls == 4 && !d->finalisers_ready && d->frames->next == before;
}
#else
static int frames_survive(struct bac_domain *d) { return d->frames != NULL; }
static int finalisers_throw(struct bac_domain *d) { return !d->finalisers_ready; }
#endif

int main(void)
{
  const char *why;
  struct bac_domain *d = bac_start(NULL, &why);
  if (d == NULL) return puts(why), 1;
  bac_value list = BAC_NIL;
  BAC_ROOTS(d, &list);
  for (int n = 30; n > 0; n -= 10) list = cons(d, n, list);
  if (!frames_survive(d)) return puts("frames are wrong"), 1;
  if (!finalisers_throw(d)) return puts("finalisers are wrong"), 1;
  struct bac_stats s;
  bac_stat(d, &s);
  printf("%d %d %d; %d live words\n", (int)bac_to_int(bac_field(list, 0)), (int)bac_to_int(bac_field(bac_field(list, 1), 0)),
         (int)bac_to_int(bac_field(bac_field(bac_field(list, 1), 1), 0)), (int)s.live_words);
  bac_stop(d);
  return 0;
}
