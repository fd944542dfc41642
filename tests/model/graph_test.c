/* SPDX-License-Identifier: MIT */
/* Random graphs against a naive model: each domain allocates, links, drops and
 * reads at random, and keeps a plain copy of what its graph must be. Now and then the
 * two are compared from the roots on. The verifier runs all the time.
 *
 * Ephemerons and finalisers are part of it. At any time, what an ephemeron has lost must be
 * unreachable in the model, and a finaliser's value too. After a full major collection both
 * must be exact: nothing unreachable is left in a reachable ephemeron or in a finaliser's table.
 *
 * usage: graph_test [seed=N] [domains=N] [steps=N] [s=WORDS] [V=N] [stress=N] [rounds=N] [stop=WORDS]
 * stop: what a stop of the world may do to end marking or cleaning; the less, the more is done beside the program.
 * Prints the seed; ends with `N passed, N failed`. */
#include "mock/mock.h"

#include "base/rng.h"
#include "gc/state.h"
#include "base/vec.h"
#include "sync/atomic.h"

#include <stdio.h>
#include <stdlib.h>

/* The model: what object number i should look like. A link is a number, or -1 for none. An ephemeron
 * has the tag Abstract_tag, no links, its data in link[0] and its keys from link[1] on. */
enum { KEYS_MOST = 4 };
struct node {
  uint16_t links, keys;
  tag_t tag;
  int32_t link[14];
  uint32_t reached;              /* in the walk of this number */
  uint16_t first, last;          /* finalisers that are attached and were not called yet */
  bool revived;                  /* it was taken out of an ephemeron when nothing else held it */
};

enum shape { SHAPE_BLOCK, SHAPE_STRING, SHAPE_LARGE, SHAPE_CLOSURE, SHAPE_CONT, SHAPES };

struct player {
  struct rng rng;
  struct domain *d;
  VEC(struct node) nodes;
  int32_t root[MOCK_ROOTS];      /* object numbers, -1: none */
  VEC(value) seen;               /* compare: object by number */
  VEC(int32_t) todo, ephes;      /* reach: nodes to walk, ephemerons met */
  VEC(int32_t) called;           /* values of Gc.finalise that were handed out lately */
  uint32_t walk;
  long steps;
};

static struct { uint64_t seed; int domains; long steps; int rounds; size_t stop; struct gc_params gc; } opt = {1, 1, 20000, 1, 0, {0}};

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

/* ---- Reachability in the model ---- */

static void reach_node(struct player *p, int32_t number)
{
  if (number < 0 || p->nodes.at[number].reached == p->walk) return;
  p->nodes.at[number].reached = p->walk;
  *vec_push(&p->todo) = number;
}

static bool is_reached(struct player *p, int32_t number) { return number < 0 || p->nodes.at[number].reached == p->walk; }

static bool keys_reached(struct player *p, const struct node *n)
{
  for (int k = 1; k <= n->keys; k++)
    if (!is_reached(p, n->link[k])) return false;
  return true;
}

static void reach_all(struct player *p)
{
  for (bool progress = true; progress;) {
    while (p->todo.len != 0) {
      int32_t number = vec_pop(&p->todo);
      struct node *n = &p->nodes.at[number];
      if (n->tag == Abstract_tag) *vec_push(&p->ephes) = number;
      for (int i = 0; i < n->links; i++) reach_node(p, n->link[i]);
    }
    progress = false;
    for (size_t i = 0; i < p->ephes.len; i++) {
      struct node *e = &p->nodes.at[p->ephes.at[i]];
      if (is_reached(p, e->link[0]) || !keys_reached(p, e)) continue;
      reach_node(p, e->link[0]);
      progress = true;
    }
  }
}

static void reach_from_roots(struct player *p)
{
  p->walk++;
  vec_clear(&p->ephes);
  for (int i = 0; i < MOCK_ROOTS; i++) reach_node(p, p->root[i]);
  reach_all(p);
}

/* ---- Ephemerons ---- */

static void step_ephe_new(struct player *p)
{
  int at = player_pick_root(p), keys = rng_below(&p->rng, KEYS_MOST);
  value v = gc_ephe_create(p->d, keys);
  int32_t number = node_new(p, Abstract_tag, 0);
  p->nodes.at[number].keys = keys;
  *root_slot(p, at) = v;
  p->root[at] = number;
}

/* A root that holds an ephemeron, or -1. */
static int pick_ephe(struct player *p)
{
  int at = player_pick_root(p);
  for (int i = 0; i < MOCK_ROOTS; i++, at = (at + 1) % MOCK_ROOTS)
    if (p->root[at] >= 0 && p->nodes.at[p->root[at]].tag == Abstract_tag) return at;
  return -1;
}

/* The field is empty though the model has something there: rightly? */
static void ephe_lost(struct player *p, int32_t ephe, int i)
{
  struct node *n = &p->nodes.at[ephe];
  reach_from_roots(p);
  if (i == 0 ? keys_reached(p, n) : is_reached(p, n->link[i]))
    bac_fatal("seed %lu: ephemeron %d has lost field %d, which is reachable: object %d", opt.seed, ephe, i, n->link[i]);
  n->link[i] = n->link[0] = -1;
}

/* What the ephemeron in root [at] has lost goes from the model too: so it is known before another key is stored. */
static void ephe_sync(struct player *p, int at)
{
  struct node *n = &p->nodes.at[p->root[at]];
  for (int i = 0; i <= n->keys; i++)
    if (n->link[i] >= 0 && !gc_ephe_check(p->d, *root_slot(p, at), EPHE_DATA + i)) ephe_lost(p, p->root[at], i);
}

static void step_ephe_set(struct player *p)
{
  int at = pick_ephe(p), from = player_pick_root(p);
  if (at < 0) return;
  struct node *n = &p->nodes.at[p->root[at]];
  int i = rng_below(&p->rng, n->keys + 1);
  ephe_sync(p, at);
  if (p->root[from] < 0)
    gc_ephe_unset(p->d, *root_slot(p, at), EPHE_DATA + i);
  else
    gc_ephe_set(p->d, *root_slot(p, at), EPHE_DATA + i, *root_slot(p, from));
  n->link[i] = p->root[from];
}

/* Reads a field of an ephemeron into a root. */
static void step_ephe_get(struct player *p)
{
  int at = pick_ephe(p), to = player_pick_root(p);
  if (at < 0) return;
  int32_t ephe = p->root[at];
  struct node *n = &p->nodes.at[ephe];
  int i = rng_below(&p->rng, n->keys + 1);
  value v = gc_ephe_get(p->d, *root_slot(p, at), EPHE_DATA + i);
  if (v == bac_ephe_none) {
    if (n->link[i] >= 0) ephe_lost(p, ephe, i);
    return;
  }
  if (n->link[i] < 0) bac_fatal("seed %lu: ephemeron %d has something in the empty field %d", opt.seed, ephe, i);
  reach_from_roots(p);
  uint32_t before = p->walk++;
  *root_slot(p, to) = v;
  p->root[to] = n->link[i];
  reach_node(p, n->link[i]);
  while (p->todo.len != 0) {
    struct node *m = &p->nodes.at[vec_pop(&p->todo)];
    m->revived = true;
    for (int k = 0; k < m->links; k++)
      if (m->link[k] >= 0 && p->nodes.at[m->link[k]].reached != before) reach_node(p, m->link[k]);
  }
}

static void step_ephe_blit(struct player *p)
{
  int from = pick_ephe(p), to = pick_ephe(p);
  if (from < 0 || from == to || p->root[from] == p->root[to]) return;
  ephe_sync(p, from);
  ephe_sync(p, to);
  gc_ephe_blit_data(p->d, *root_slot(p, from), *root_slot(p, to));
  p->nodes.at[p->root[to]].link[0] = p->nodes.at[p->root[from]].link[0];
}

/* A chain: each key is the data of the one before; a block in a root holds the ephemerons in another order. */
static void step_chain(struct player *p)
{
  enum { LENGTH = 14 };
  int at[4];
  for (int i = 0, some = player_pick_root(p); i < 4; i++) at[i] = (some + 7 * i) % MOCK_ROOTS;
  value v = mock_alloc(p->d, 1 + LENGTH, 7);
  int32_t holder = node_new(p, 7, LENGTH);
  gc_init_field(p->d, number_field(v), Val_long(holder));
  *root_slot(p, at[0]) = v;
  p->root[at[0]] = holder;
  int shift = rng_below(&p->rng, LENGTH), step = rng_below(&p->rng, 2) ? 1 : LENGTH - 1;
  for (int n = 0; n <= LENGTH; n++) {
    value key = mock_alloc(p->d, 2, 9);
    int32_t number = node_new(p, 9, 1);
    gc_init_field(p->d, number_field(key), Val_long(number));
    *root_slot(p, at[1]) = key;
    p->root[at[1]] = number;
    if (n == 0) {
      *root_slot(p, at[3]) = key;
      p->root[at[3]] = number;
    } else {
      ephe_sync(p, at[2]);
      gc_ephe_set(p->d, *root_slot(p, at[2]), EPHE_DATA, key);
      p->nodes.at[p->root[at[2]]].link[0] = number;
    }
    if (n == LENGTH) break;
    value ephe = gc_ephe_create(p->d, 1);
    int32_t e = node_new(p, Abstract_tag, 0);
    p->nodes.at[e].keys = 1;
    *root_slot(p, at[2]) = ephe;
    p->root[at[2]] = e;
    gc_ephe_set(p->d, ephe, EPHE_FIRST_KEY, *root_slot(p, at[1]));
    p->nodes.at[e].link[1] = number;
    int place = (shift + n * step) % LENGTH;
    gc_write_field(p->d, &Field(*root_slot(p, at[0]), 1 + place), ephe);
    p->nodes.at[holder].link[place] = e;
  }
}

/* ---- Finalisers ---- */

static void step_finalise(struct player *p)
{
  int at = player_pick_root(p);
  if (p->root[at] < 0 || p->nodes.at[p->root[at]].tag == Abstract_tag) return;
  bool first = rng_below(&p->rng, 2);
  struct node *n = &p->nodes.at[p->root[at]];
  (*(first ? &n->first : &n->last))++;
  gc_finalise(p->d, first, Val_long(2 * (long)p->root[at] + first), *root_slot(p, at));
}

/* Takes what is ready. In the model it must be unreachable. */
static void take_finalisers(struct player *p)
{
  value closure, arg;
  bool walked = false;
  while (gc_finaliser_take(p->d, &closure, &arg)) {
    gc_finaliser_done(p->d);
    int32_t number = (int32_t)(Long_val(closure) / 2);
    bool first = Long_val(closure) & 1;
    struct node *n = &p->nodes.at[number];
    uint16_t *left = first ? &n->first : &n->last;
    if (first && *number_field(arg) != Val_long(number)) bac_fatal("seed %lu: the finaliser of object %d got another", opt.seed, number);
    if ((*left)-- == 0) bac_fatal("seed %lu: a finaliser of object %d is called once too often", opt.seed, number);
    if (!walked) reach_from_roots(p);
    walked = true;
    if (is_reached(p, number) && !(first && n->revived))
      bac_fatal("seed %lu: object %d is finalised (%s), but reachable", opt.seed, number, first ? "first" : "last");
    if (first) *vec_push(&p->called) = number;
  }
}

/* After a full major collection nothing that is dead is left anywhere. */
static void check_exact(struct player *p)
{
  take_finalisers(p);
  vec_clear(&p->called);
  gc_full_major(p->d);
  take_finalisers(p);
  reach_from_roots(p);
  for (size_t i = 0; i < p->called.len; i++) reach_node(p, p->called.at[i]);
  reach_all(p);
  for (size_t i = 0; i < p->nodes.len; i++) {
    struct node *n = &p->nodes.at[i];
    if ((n->first || n->last) && !is_reached(p, i))
      bac_fatal("seed %lu: object %zu is dead, but %d and %d finalisers were not called", opt.seed, i, n->first, n->last);
  }
  for (int at = 0; at < MOCK_ROOTS; at++) {
    if (p->root[at] < 0 || p->nodes.at[p->root[at]].tag != Abstract_tag) continue;
    struct node *n = &p->nodes.at[p->root[at]];
    for (int k = 0; k <= n->keys; k++) {
      bool lives = n->link[k] >= 0 && (k == 0 ? keys_reached(p, n) : is_reached(p, n->link[k]));
      if (gc_ephe_check(p->d, *root_slot(p, at), EPHE_DATA + k) != lives)
        bac_fatal("seed %lu: ephemeron %d, field %d: object %d should be %s", opt.seed, p->root[at], k, n->link[k], lives ? "there" : "gone");
    }
  }
}

static void step_weak(struct player *p)
{
  switch (rng_below(&p->rng, 12)) {
  case 0:
  case 1: step_ephe_new(p); break;
  case 2:
  case 3:
  case 4:
  case 5: step_ephe_set(p); break;
  case 6:
  case 7: step_ephe_get(p); break;
  case 8: step_ephe_blit(p); break;
  case 9: step_chain(p); break;
  case 10: step_finalise(p); break;
  default: take_finalisers(p);
  }
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
  if (!Is_block(v) || Tag_val(v) != n->tag || (n->tag != Abstract_tag && *number_field(v) != Val_long(number)))
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

static void start_leader(struct domain *d, void *arg)
{
  (void)arg;
  if (bac_gc.phase == PHASE_IDLE) cycle_start_stw(gc_domain(d));
}

static void step_collect(struct player *p)
{
  switch (rng_below(&p->rng, 12)) {
  case 0: gc_minor(p->d); break;
  case 1: gc_major(p->d); break;
  case 2:
  case 3: check_exact(p); break;
  case 4: gc_compact_for(p->d, rng_below(&p->rng, 2) ? 1 : UINT32_MAX); break;   /* half of them slide large objects */
  case 5:
    domain_enter_blocking(p->d);
    domain_leave_blocking(p->d);
    break;
  default:
    /* A slice through phases would not leave a cycle of so small a heap half done. */
    stw_run(p->d, start_leader, NULL);
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
    else if (dice < 950) step_drop(p);
    else if (dice < 990) step_weak(p);
    else if (dice < 998) gc_major_slice(d, 1 + rng_below(&p->rng, 100));
    else step_collect(p);
    mock_poll(d);
    if (n % 5000 == 4999) player_compare(p);
  }
  player_compare(p);
  check_exact(p);
  for (int i = 0; i < MOCK_ROOTS; i++) {
    *root_slot(p, i) = Val_unit;
    p->root[i] = -1;
  }
  /* Once for the functions of finalise, and once for those of finalise_last on what they were given. */
  check_exact(p);
  check_exact(p);
  for (size_t i = 0; i < p->nodes.len; i++)
    if (p->nodes.at[i].first || p->nodes.at[i].last) bac_fatal("seed %lu: a finaliser of object %zu was never called", opt.seed, i);
  vec_free(&p->todo);
  vec_free(&p->ephes);
  vec_free(&p->called);
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
    else if (!strcmp(name, "stop")) opt.stop = n;
    else if (!strcmp(name, "markers")) opt.gc.markers = n;
    else bac_fatal("what is %s?", argv[i]);
  }
  printf("seed %lu, %d domains, %ld steps, %d rounds\n", opt.seed, opt.domains, opt.steps, opt.rounds);
  struct domain *d = mock_start(&opt.gc);
  if (opt.stop != 0) bac_gc.stop_words = opt.stop;
  for (int r = 0; r < opt.rounds; r++) round_run(d, opt.seed + r);
  printf("%d passed, 0 failed\n", opt.rounds);
  return 0;
}
