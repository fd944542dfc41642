/* SPDX-License-Identifier: MIT */
/* Random programs of the public header against a naive model: domains allocate, link, forget, hold weakly,
 * attach finalisers and custom blocks, exchange blocks through shared fields; now and then each compares its
 * part with what it must be. A block's fields are links and, first, its number.
 *
 * Each object has a custom block beside it, reachable from it alone, and half have a finaliser. Of both the
 * model knows: never while the object can be reached, and all of them at the end.
 *
 * usage: api_test [seed=N] [domains=N] [steps=N] [s=WORDS] [V=N] [stress=N]; ends with `N passed, N failed`. */
#include "bactrian/gc.h"

#include "base/check.h"
#include "base/rng.h"
#include "base/vec.h"
#include "sync/atomic.h"

#include <string.h>

enum { ROOTS = 64, LINKS = 6, WEAK = 32, SHARED = 16 };
enum { NUMBER, CUSTOM, FIRST_LINK };

struct node { int32_t link[LINKS]; uint32_t custom_gone, finalised; bool has_finaliser, reached; };

struct player {
  struct rng rng;
  struct bac_domain *d;
  VEC(struct node *) nodes;
  bac_value root[ROOTS], weak;
  int32_t rooted[ROOTS], held[WEAK];
  long steps;
};

static struct { uint64_t seed; int domains; long steps; struct bac_params gc; } opt = {.seed = 1, .domains = 2, .steps = 20000};
static bac_value shared;    /* global root: a block that all domains exchange integers through */

#define WRONG(fmt, ...) bac_fatal("seed %lu: " fmt, opt.seed, ##__VA_ARGS__)

/* ---- What happens to objects ---- */

static void custom_gone(void *data) { add_relaxed(&(*(struct node **)data)->custom_gone, 1); }

static void finalised(struct bac_domain *d, bac_value v, bac_value env)
{
  (void)d, (void)v;
  add_relaxed(&((struct node *)bac_to_pointer(env))->finalised, 1);
}

static void step_alloc(struct player *p)
{
  struct node *n = calloc(1, sizeof *n);
  int at = rng_below(&p->rng, ROOTS);
  size_t size = FIRST_LINK + LINKS + (rng_below(&p->rng, 30) == 0 ? rng_below(&p->rng, 6000) : 0);
  for (int i = 0; i < LINKS; i++) n->link[i] = -1;
  bac_value v = bac_alloc(p->d, size, rng_below(&p->rng, BAC_TAGS)), custom;
  BAC_ROOTS(p->d, &v);
  custom = bac_alloc_custom(p->d, sizeof n, custom_gone, rng_below(&p->rng, 2000), 0);
  memcpy(bac_custom_data(custom), &n, sizeof n);
  bac_write(p->d, v, CUSTOM, custom);
  bac_write(p->d, v, NUMBER, bac_from_int((intptr_t)p->nodes.len));
  n->has_finaliser = rng_below(&p->rng, 2);
  bac_value env = bac_from_pointer(n);
  if (n->has_finaliser && !(rng_below(&p->rng, 2) ? bac_finalise : bac_finalise_last)(p->d, finalised, v, env))
    WRONG("no finaliser");
  p->root[at] = v;
  p->rooted[at] = (int32_t)p->nodes.len;
  *vec_push(&p->nodes) = n;
}

static void step_link(struct player *p)
{
  int from = rng_below(&p->rng, ROOTS), to = rng_below(&p->rng, ROOTS), i = rng_below(&p->rng, LINKS);
  if (p->rooted[from] < 0) return;
  bac_value v = p->root[from];
  if (rng_below(&p->rng, 4) == 0) bac_exchange(p->d, v, FIRST_LINK + i, p->root[to]);
  else bac_write(p->d, v, FIRST_LINK + i, p->root[to]);
  p->nodes.at[p->rooted[from]]->link[i] = p->rooted[to];
}

static void step_follow(struct player *p)
{
  int from = rng_below(&p->rng, ROOTS), to = rng_below(&p->rng, ROOTS), i = rng_below(&p->rng, LINKS);
  if (p->rooted[from] < 0) return;
  p->root[to] = bac_field(p->root[from], FIRST_LINK + i);
  p->rooted[to] = p->nodes.at[p->rooted[from]]->link[i];
}

static void step_drop(struct player *p)
{
  int at = rng_below(&p->rng, ROOTS);
  p->root[at] = BAC_NIL;
  p->rooted[at] = -1;
}

/* A weak reference is set from a root, or becomes a root again. */
static void step_weak(struct player *p)
{
  int at = rng_below(&p->rng, ROOTS), i = rng_below(&p->rng, WEAK);
  if (rng_below(&p->rng, 2)) {
    bac_ephe_set(p->d, p->weak, i, p->root[at]);
    p->held[i] = p->rooted[at];
    return;
  }
  bac_value v = bac_ephe_get(p->d, p->weak, i);
  if (v == BAC_NONE) return;
  p->root[at] = v;
  p->rooted[at] = p->held[i];
  if (bac_ephe_check(p->d, p->weak, i) != 1) WRONG("a weak reference that was read is empty");
}

/* The sum of the shared integers stays 0. */
static void step_share(struct player *p)
{
  int from = rng_below(&p->rng, SHARED), to = rng_below(&p->rng, SHARED);
  bac_value n;
  for (int delta = -1; delta <= 1; delta += 2) {
    int i = delta < 0 ? from : to;
    do n = bac_field(shared, i);
    while (!bac_compare_and_set(p->d, shared, i, n, bac_from_int(bac_to_int(n) + delta)));
  }
}

static void step_collect(struct player *p)
{
  switch (rng_below(&p->rng, 7)) {
  case 0: bac_minor(p->d); break;
  case 1: bac_major(p->d); break;
  case 2: bac_full_major(p->d); break;
  case 3: bac_compact(p->d); break;
  case 4: bac_verify(p->d); break;
  default:
    bac_enter_blocking(p->d);
    bac_leave_blocking(p->d);
  }
}

/* ---- Comparison ---- */

static void reach(struct player *p, bac_value v, int32_t number)
{
  if (number < 0) {
    if (v != BAC_NIL) WRONG("a link to nothing holds %p", (void *)v);
    return;
  }
  struct node *n = p->nodes.at[number];
  if (bac_field(v, NUMBER) != bac_from_int(number)) WRONG("object %d has another number", number);
  if (n->reached) return;
  n->reached = true;
  struct node *beside;
  memcpy(&beside, bac_custom_data(bac_field(v, CUSTOM)), sizeof beside);
  if (beside != n) WRONG("object %d has lost its custom block", number);
  if (load_relaxed(&n->custom_gone)) WRONG("the custom block of object %d is gone", number);
  for (int i = 0; i < LINKS; i++) reach(p, bac_field(v, FIRST_LINK + i), n->link[i]);
}

static void player_compare(struct player *p)
{
  for (size_t i = 0; i < p->nodes.len; i++) p->nodes.at[i]->reached = false;
  for (int i = 0; i < ROOTS; i++) reach(p, p->root[i], p->rooted[i]);
  for (size_t i = 0; i < p->nodes.len; i++) {
    struct node *n = p->nodes.at[i];
    if (load_relaxed(&n->custom_gone) > 1 || load_relaxed(&n->finalised) > n->has_finaliser)
      WRONG("object %zu ended twice", i);
  }
}

static bac_value player_run(struct bac_domain *d, bac_value arg)
{
  struct player *p = bac_to_pointer(arg);
  p->d = d;
  for (int i = 0; i < ROOTS; i++) p->root[i] = BAC_NIL, p->rooted[i] = -1;
  p->weak = bac_ephe_create(d, WEAK);
  BAC_ROOT_ARRAY(d, p->root, ROOTS);
  BAC_ROOTS(d, &p->weak);
  for (long n = 0; n < p->steps; n++) {
    uint64_t dice = rng_below(&p->rng, 1000);
    if (dice < 300) step_alloc(p);
    else if (dice < 600) step_link(p);
    else if (dice < 750) step_follow(p);
    else if (dice < 850) step_drop(p);
    else if (dice < 920) step_weak(p);
    else if (dice < 960) step_share(p);
    else if (dice < 997) bac_major_slice(d, 1 + rng_below(&p->rng, 1000));
    else step_collect(p);
    bac_poll(d);
    if (n % 2000 == 1999) player_compare(p);
  }
  player_compare(p);
  return BAC_NIL;
}

/* ---- The test ---- */

static void check_end(struct bac_domain *d, struct player *p)
{
  intptr_t sum = 0;
  for (int i = 0; i < SHARED; i++) sum += bac_to_int(bac_field(shared, i));
  if (sum != 0) WRONG("the shared integers sum up to %ld", (long)sum);
  bac_root_remove(&shared);
  for (int i = 0; i < 3; i++) bac_full_major(d);
  struct bac_stats s;
  bac_stat(d, &s);
  if (s.live_words != 0) WRONG("%lu live words where nothing is reachable", s.live_words);
  for (int i = 0; i < opt.domains; i++)
    for (size_t n = 0; n < p[i].nodes.len; n++) {
      struct node *node = p[i].nodes.at[n];
      if (node->custom_gone != 1 || node->finalised != node->has_finaliser)
        WRONG("object %zu of player %d: custom block gone %u times, finalised %u of %d", n, i, node->custom_gone,
              node->finalised, node->has_finaliser);
    }
}

static void options(int argc, char **argv)
{
  bac_params_default(&opt.gc);
  opt.gc.verify = 1;
  for (int i = 1; i < argc; i++) {
    char name[16];
    unsigned long n;
    if (sscanf(argv[i], "%15[A-Za-z]=%lu", name, &n) != 2) bac_fatal("what is %s?", argv[i]);
    if (!strcmp(name, "seed")) opt.seed = n;
    else if (!strcmp(name, "domains")) opt.domains = n;
    else if (!strcmp(name, "steps")) opt.steps = n;
    else if (!strcmp(name, "s")) opt.gc.control.minor_heap_size = n;
    else if (!strcmp(name, "V")) opt.gc.verify = n;
    else if (!strcmp(name, "stress")) opt.gc.stress = n;
    else bac_fatal("what is %s?", argv[i]);
  }
}

int main(int argc, char **argv)
{
  options(argc, argv);
  printf("seed %lu, %d domains, %ld steps\n", opt.seed, opt.domains, opt.steps);
  const char *why;
  struct bac_domain *d = bac_start(&opt.gc, &why);
  if (d == NULL) bac_fatal("%s", why);
  bac_root_add(&shared);
  shared = bac_alloc(d, SHARED, 0);
  struct player *p = calloc(opt.domains, sizeof *p);
  struct bac_thread **t = calloc(opt.domains, sizeof *t);
  for (int i = 0; i < opt.domains; i++) p[i] = (struct player){.rng = {opt.seed * 1000 + i}, .steps = opt.steps};
  for (int i = 1; i < opt.domains; i++)
    if ((t[i] = bac_spawn(d, player_run, bac_from_pointer(&p[i]))) == NULL) WRONG("no domain");
  player_run(d, bac_from_pointer(&p[0]));
  for (int i = 1; i < opt.domains; i++) bac_join(d, t[i]);
  check_end(d, p);
  puts("1 passed, 0 failed");
  return 0;
}
