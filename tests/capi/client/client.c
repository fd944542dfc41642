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
#else
static int frames_survive(struct bac_domain *d) { return d->frames != NULL; }
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
  struct bac_stats s;
  bac_stat(d, &s);
  printf("%d %d %d; %d live words\n", (int)bac_to_int(bac_field(list, 0)), (int)bac_to_int(bac_field(bac_field(list, 1), 0)),
         (int)bac_to_int(bac_field(bac_field(bac_field(list, 1), 1), 0)), (int)s.live_words);
  bac_stop(d);
  return 0;
}
