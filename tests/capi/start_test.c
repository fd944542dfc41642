/* SPDX-License-Identifier: MIT */
/* Collectors with parameters of their own, each in a child process: start, stop, limits, stress. */
#include "bactrian/gc.h"
#include "unit/unit.h"

#include <sys/resource.h>

#define CHILD_EXPECT(cond) ((cond) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond), _exit(1)))

/* Runs the function in a child process, which must end by _exit(0). */
static void in_child(void (*run)(void))
{
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    alarm(UNIT_TIMEOUT);
    run();
    _exit(0);
  }
  int status = 1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

static void start_by_default(void)
{
  CHILD_EXPECT(bac_self() == NULL);
  struct bac_params p;
  bac_params_default(&p);
  struct bac_domain *d = bac_start(NULL, NULL);
  CHILD_EXPECT(d != NULL && bac_self() == d);
  struct bac_control c;
  bac_get(d, &c);
  CHILD_EXPECT(memcmp(&c, &p.control, sizeof c) == 0);
  CHILD_EXPECT(c.minor_heap_size == 256 * 1024 && c.space_overhead == 120 && c.stack_limit == 128 << 20);
}

TEST(defaults) { in_child(start_by_default); }

static void start_without_room(void)
{
  struct rlimit limit = {1 << 20, 1 << 20};
  setrlimit(RLIMIT_AS, &limit);
  const char *why = NULL;
  CHILD_EXPECT(bac_start(NULL, &why) == NULL);
  CHILD_EXPECT(why != NULL && *why != '\0');
}

TEST(no_room)
{
  if (!UNIT_SANITIZED) in_child(start_without_room);
}

/* ---- Stop ---- */

static int finalised;
static void custom_gone(void *data) { finalised += *(int *)data; }
static void finaliser(struct bac_domain *d, bac_value v, bac_value env) { (void)d, (void)v, finalised += (int)bac_to_int(env); }

static struct bac_domain *start_with_things(void)
{
  struct bac_domain *d = bac_start(NULL, NULL);
  bac_value v = bac_alloc_custom(d, sizeof(int), custom_gone, 0, 0);
  *(int *)bac_custom_data(v) = 1;
  BAC_ROOTS(d, &v);
  bac_finalise_last(d, finaliser, v, bac_from_int(10));
  bac_minor(d);
  return d;
}

static long resident_pages(void)
{
  long size = 0, resident = 0;
  FILE *f = fopen("/proc/self/statm", "r");
  CHILD_EXPECT(f != NULL && fscanf(f, "%ld %ld", &size, &resident) == 2);
  fclose(f);
  return resident;
}

/* A local root at the time of the stop holds nothing back, a global one its block's memory neither; the scope may end later. */
static void stops(void)
{
  enum { HELD_BYTES = 64 << 20 };
  static bac_value held;
  struct bac_domain *d = start_with_things();
  bac_value v = bac_alloc_custom(d, sizeof(int), custom_gone, 0, 0);
  BAC_ROOTS(d, &v);
  *(int *)bac_custom_data(v) = 100;
  bac_root_add(&held);
  held = bac_alloc_bytes(d, HELD_BYTES);
  memset(bac_bytes(held), 1, HELD_BYTES);
  long before = resident_pages();
  bac_stop(d);
  CHILD_EXPECT(finalised == 111 && bac_self() == NULL);
  CHILD_EXPECT(before - resident_pages() > HELD_BYTES / 2 / sysconf(_SC_PAGESIZE));
}

TEST(stop) { in_child(stops); }

static bac_value sleeps(struct bac_domain *d, bac_value arg)
{
  bac_enter_blocking(d);
  for (;;) pause();
  return arg;
}

static void stops_too_early(void)
{
  struct bac_domain *d = bac_start(NULL, NULL);
  bac_spawn(d, sleeps, BAC_NIL);
  bac_stop(d);
}

static void starts_again(void)
{
  bac_stop(bac_start(NULL, NULL));
  bac_start(NULL, NULL);
}

TEST(misuse)
{
  EXPECT_ABORTS(stops_too_early(), "Fatal error: bac_stop: 1 other domains run");
  EXPECT_ABORTS(starts_again(), "Fatal error: bac_start: the collector has been started already");
}

/* ---- Limits ---- */

/* Large blocks are refused at the limit; when they are garbage there is room again. */
static void reaches_the_limit(void)
{
  enum { LIMIT = 32 << 20, BLOCK = 1 << 20, MOST = 100 };
  struct bac_params p;
  bac_params_default(&p);
  p.heap_limit_bytes = LIMIT;
  p.verify = 1;
  struct bac_domain *d = bac_start(&p, NULL);
  bac_value v[MOST];
  for (int i = 0; i < MOST; i++) v[i] = BAC_NIL;
  BAC_ROOT_ARRAY(d, v, MOST);
  for (int round = 0; round < 5; round++) {
    int n = 0;
    for (bac_value block; (block = bac_alloc_bytes(d, BLOCK)) != BAC_NONE && n < MOST; n++) v[n] = block;
    CHILD_EXPECT(n >= 25 && n <= LIMIT / BLOCK * 17 / 16);
    /* What is left is less than the reserve, a sixteenth. */
    CHILD_EXPECT(bac_alloc(d, BLOCK / 2, 0) == BAC_NONE && bac_ephe_create(d, BLOCK / 2) == BAC_NONE);
    CHILD_EXPECT(bac_alloc_custom(d, 4 * BLOCK, NULL, 0, 0) == BAC_NONE);
    bac_verify(d);
    for (int i = 0; i < n; i++) v[i] = BAC_NIL;
    CHILD_EXPECT(bac_alloc_bytes(d, LIMIT / 2) != BAC_NONE);
  }
}

TEST(heap_limit) { in_child(reaches_the_limit); }

/* ---- Stress: every allocation collects ---- */

static void stressed(void)
{
  struct bac_params p;
  bac_params_default(&p);
  p.stress = 1;
  p.verify = 2;
  struct bac_domain *d = bac_start(&p, NULL);
  bac_value list = BAC_NIL;
  BAC_ROOTS(d, &list);
  for (int i = 0; i < 100; i++) {
    bac_value cell = bac_alloc(d, 2, 0);
    bac_init_field(d, cell, 0, bac_from_int(i));
    bac_init_field(d, cell, 1, list);
    list = cell;
  }
  struct bac_stats s;
  bac_quick_stat(d, &s);
  CHILD_EXPECT(s.minor_collections >= 100);
  for (int i = 100; list != BAC_NIL; list = bac_field(list, 1)) CHILD_EXPECT(bac_field(list, 0) == bac_from_int(--i));
}

TEST(stress) { in_child(stressed); }

UNIT_MAIN()
