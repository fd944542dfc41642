/* SPDX-License-Identifier: MIT */
/* Random graphs against a naive model: each domain allocates, links, drops and
 * reads at random, and keeps a plain copy of what its graph must be. Now and then the
 * two are compared from the roots on. The verifier runs all the time.
 *
 * usage: graph_test [seed=N] [domains=N] [steps=N] [s=WORDS] [V=N] [stress=N] [rounds=N]
 * Prints the seed; ends with `N passed, N failed`. */
#include "mock/mock.h"

#include "gc/state.h"

#include "base/rng.h"
#include "base/vec.h"
#include "sync/atomic.h"

#include <stdio.h>
#include <stdlib.h>

/* The model: what object number i should look like. A link is a number, or -1 for none. */
struct node { uint16_t links; tag_t tag; int32_t link[14]; };

enum shape { SHAPE_BLOCK, SHAPE_STRING, SHAPE_LARGE, SHAPE_CLOSURE, SHAPE_CONT, SHAPES };

struct player {
  struct rng rng;
  struct domain *d;
  VEC(struct node) nodes;
  int32_t root[MOCK_ROOTS];      /* object numbers, -1: none */
  VEC(value) seen;               /* compare: object by number */
  long steps;
};

static struct { uint64_t seed; int domains; long steps; int rounds; struct gc_params gc; } opt = {1, 1, 20000, 1, {0}};

/* Where links start in an object: field 0 is its number (blocks), or after code and closure information. */
static mlsize_t first_link(tag_t tag) { return tag == Closure_tag ? 3 : 1; }

static value *number_field(value v) { return &Field(v, Tag_val(v) == Closure_tag ? 2 : 0); }

static int32_t player_pick_root(struct player *p) { return rng_below(&p->rng, MOCK_ROOTS); }

static value *root_slot(struct player *p, int i) { return &mock_state(p->d)->root[i]; }

/* ---- Steps ---- */

static int32_t node_new(struct player *p, tag_t tag, int links)
{
  struct node n = {.links = links, .tag = tag};
  for (int i = 0; i < 14; i++) n.link[i] = -1;
  *vec_push(&p->nodes) = n;
  return p->nodes.len - 1;
}

static value shape_alloc(struct player *p, enum shape shape, int links, tag_t *tag)
{
  mlsize_t size = 1 + links;
  switch (shape) {
  case SHAPE_LARGE: size += 5000 + rng_below(&p->rng, 20000); *tag = 1; break;
  case SHAPE_CLOSURE: size += 2; *tag = Closure_tag; break;
  case SHAPE_BLOCK: size += rng_below(&p->rng, 8) == 0 ? rng_below(&p->rng, 1500) : 0; *tag = rng_below(&p->rng, 200); break;
  default: break;
  }
  value v = mock_alloc(p->d, size, *tag);
  if (*tag == Closure_tag) {
    Field(v, 0) = 0x1000;
    Field(v, 1) = Make_closinfo(1, 2);
  }
  return v;
}

static void step_alloc(struct player *p)
{
  enum shape shape = rng_below(&p->rng, 40) == 0 ? SHAPE_LARGE : rng_below(&p->rng, 5) == 0 ? SHAPE_CLOSURE : SHAPE_BLOCK;
  int links = rng_below(&p->rng, 15), at = player_pick_root(p);
  tag_t tag = 0;
  value v = shape_alloc(p, shape, links, &tag);
  int32_t number = node_new(p, tag, links);
  gc_init_field(p->d, number_field(v), Val_long(number));
  *root_slot(p, at) = v;
  p->root[at] = number;
}

/* Garbage of the other kinds, so that their pools are busy too. */
static void step_litter(struct player *p)
{
  static int64_t finalised;
  switch (rng_below(&p->rng, 3)) {
  case 0: mock_alloc(p->d, 1 + rng_below(&p->rng, 300), String_tag); break;
  case 1: mock_alloc_custom(p->d, &finalised, rng_below(&p->rng, 100), 10000); break;
  default: mock_alloc_continuation(p->d, rng_below(&p->rng, 20)); break;
  }
}

static void step_link(struct player *p)
{
  int from = player_pick_root(p), to = player_pick_root(p);
  if (p->root[from] < 0) return;
  struct node *n = &p->nodes.at[p->root[from]];
  if (n->links == 0) return;
  int i = rng_below(&p->rng, n->links);
  value v = *root_slot(p, from);
  gc_write_field(p->d, &Field(v, first_link(n->tag) + i), *root_slot(p, to));
  n->link[i] = p->root[to];
}

static void step_follow(struct player *p)
{
  int from = player_pick_root(p), to = player_pick_root(p);
  if (p->root[from] < 0) return;
  struct node *n = &p->nodes.at[p->root[from]];
  if (n->links == 0) return;
  int i = rng_below(&p->rng, n->links);
  *root_slot(p, to) = Field(*root_slot(p, from), first_link(n->tag) + i);
  p->root[to] = n->link[i];
}

static void step_drop(struct player *p)
{
  int at = player_pick_root(p);
  *root_slot(p, at) = Val_unit;
  p->root[at] = -1;
}

/* ---- Comparison ---- */

static void compare_visit(struct player *p, int32_t number, value v)
{
  if (number < 0) {
    if (v != Val_unit) bac_fatal("seed %lu: a link to nothing holds %p", opt.seed, (void *)v);
    return;
  }
  value known = p->seen.at[number];
  if (known != 0) {
    if (known != v) bac_fatal("seed %lu: object %d is at %p and at %p", opt.seed, number, (void *)known, (void *)v);
    return;
  }
  struct node *n = &p->nodes.at[number];
  if (!Is_block(v) || Tag_val(v) != n->tag || *number_field(v) != Val_long(number))
    bac_fatal("seed %lu: object %d at %p has header %#lx", opt.seed, number, (void *)v, Is_block(v) ? Hd_val(v) : 0);
  p->seen.at[number] = v;
}

static void player_compare(struct player *p)
{
  vec_reserve(&p->seen, p->nodes.len + 1);
  for (size_t i = 0; i < p->nodes.len; i++) p->seen.at[i] = 0;
  VEC(int32_t) todo = VEC_EMPTY;
  for (int i = 0; i < MOCK_ROOTS; i++) {
    bool fresh = p->root[i] >= 0 && p->seen.at[p->root[i]] == 0;
    compare_visit(p, p->root[i], *root_slot(p, i));
    if (fresh) *vec_push(&todo) = p->root[i];
  }
  while (todo.len != 0) {
    int32_t number = vec_pop(&todo);
    struct node *n = &p->nodes.at[number];
    for (int i = 0; i < n->links; i++) {
      bool fresh = n->link[i] >= 0 && p->seen.at[n->link[i]] == 0;
      compare_visit(p, n->link[i], Field(p->seen.at[number], first_link(n->tag) + i));
      if (fresh) *vec_push(&todo) = n->link[i];
    }
  }
  vec_free(&todo);
}

static void step_collect(struct player *p)
{
  switch (rng_below(&p->rng, 7)) {
  case 0: gc_minor(p->d); break;
  case 1:
  case 5: gc_major_slice(p->d, 100000); break;  /* starts a cycle, if none is under way */
  case 2: gc_major(p->d); break;
  case 3: gc_full_major(p->d); break;
  case 4: gc_compact_for(p->d, rng_below(&p->rng, 2) ? 1 : UINT32_MAX); break;   /* half of them slide large objects */
  default:
    domain_enter_blocking(p->d);
    domain_leave_blocking(p->d);
  }
}

static void player_run(struct domain *d, void *arg)
{
  struct player *p = arg;
  p->d = d;
  for (int i = 0; i < MOCK_ROOTS; i++) p->root[i] = -1;
  for (long n = 0; n < p->steps; n++) {
    uint64_t dice = rng_below(&p->rng, 1000);
    if (dice < 300) step_alloc(p);
    else if (dice < 400) step_litter(p);
    else if (dice < 700) step_link(p);
    else if (dice < 900) step_follow(p);
    else if (dice < 990) step_drop(p);
    else if (dice < 998) gc_major_slice(d, 1 + rng_below(&p->rng, 1000));
    else step_collect(p);
    mock_poll(d);
    if (n % 5000 == 4999) player_compare(p);
  }
  player_compare(p);
  for (int i = 0; i < MOCK_ROOTS; i++) *root_slot(p, i) = Val_unit;
  vec_free(&p->nodes);
  vec_free(&p->seen);
}

/* ---- The test ---- */

static void check_nothing_is_left(struct domain *d)
{
  struct gc_stats scanned, counted;
  gc_full_major(d);
  gc_full_major(d);
  gc_verify(d);
  gc_scan_heap(d, &scanned, &counted);
  if (scanned.live_words != 0 || counted.live_words != 0 || load_relaxed(&mock_stacks) != 0)
    bac_fatal("seed %lu: %lu live words counted, %lu found, %ld stacks, where nothing is reachable", opt.seed,
              counted.live_words, scanned.live_words, mock_stacks);
}

static void round_run(struct domain *d, uint64_t seed)
{
  struct player *p = calloc(opt.domains, sizeof *p);
  struct mock_thread *t = calloc(opt.domains, sizeof *t);
  for (int i = 0; i < opt.domains; i++) p[i] = (struct player){.rng = {seed * 1000 + i}, .steps = opt.steps};
  for (int i = 1; i < opt.domains; i++)
    if (!mock_spawn(d, &t[i], player_run, &p[i])) bac_fatal("mock: no domain");
  player_run(d, &p[0]);
  for (int i = 1; i < opt.domains; i++) mock_join(d, &t[i]);
  check_nothing_is_left(d);
  free(p);
  free(t);
}

int main(int argc, char **argv)
{
  opt.gc = gc_params_default;
  opt.gc.verify = 1;
  for (int i = 1; i < argc; i++) {
    char name[16];
    unsigned long n;
    if (sscanf(argv[i], "%15[A-Za-z]=%lu", name, &n) != 2) bac_fatal("what is %s?", argv[i]);
    if (!strcmp(name, "seed")) opt.seed = n;
    else if (!strcmp(name, "domains")) opt.domains = n;
    else if (!strcmp(name, "steps")) opt.steps = n;
    else if (!strcmp(name, "rounds")) opt.rounds = n;
    else if (!strcmp(name, "s")) opt.gc.minor_words = n;
    else if (!strcmp(name, "V")) opt.gc.verify = n;
    else if (!strcmp(name, "stress")) opt.gc.stress = n;
    else bac_fatal("what is %s?", argv[i]);
  }
  printf("seed %lu, %d domains, %ld steps, %d rounds\n", opt.seed, opt.domains, opt.steps, opt.rounds);
  struct domain *d = mock_start(&opt.gc);
  for (int r = 0; r < opt.rounds; r++) round_run(d, opt.seed + r);
  printf("%d passed, 0 failed\n", opt.rounds);
  return 0;
}
