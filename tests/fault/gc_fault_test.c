/* SPDX-License-Identifier: MIT */
/* The system refuses: the first, the second, ... fallible call (os_fault_arm) fails during
 * start, allocation and the creation of domains, until a run makes so few calls that none
 * is refused; and a heap with a limit is full. Each run is a child process, which verifies its heap
 * after each refusal. Allowed are an answer that says so, and where the collector cannot go
 * on (its survivors have no place) the documented message and abort(). */
#include "unit/unit.h"

#include "mock/mock.h"
#include "os/os.h"
#include "sync/atomic.h"

enum outcome {
  RUN_REFUSED = 10,   /* something answered that it could not be done */
  RUN_SURVIVED,       /* a call was refused, and nobody noticed */
  RUN_UNTOUCHED,      /* no call was refused: the end of the series */
};

enum { RUNS_MOST = 300 };

static void finish(uint64_t nth, bool refused)
{
  uint64_t calls = os_fault_arm(0);
  _exit(calls < nth ? RUN_UNTOUCHED : refused ? RUN_REFUSED : RUN_SURVIVED);
}

/* Waits for the child; its exit code, or minus the signal that ended it. */
static int child_status(struct unit_child *c)
{
  size_t len = 0;
  ssize_t n;
  while (len < sizeof c->said - 1 && (n = read(c->from, c->said + len, sizeof c->said - 1 - len)) > 0) len += (size_t)n;
  c->said[len] = '\0';
  close(c->from);
  int status = 0;
  waitpid(c->pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* How many runs ended in each way. */
struct series { int refused, survived, fatal; };

static struct series run_series(void (*run)(uint64_t nth), bool may_be_fatal)
{
  struct series s = {0, 0, 0};
  for (uint64_t nth = 1;; nth++) {
    struct unit_child c = unit_child_start();
    if (c.pid == 0) run(nth);
    int status = child_status(&c);
    if (status == RUN_UNTOUCHED) return s;
    if (status == RUN_REFUSED) s.refused++;
    else if (status == RUN_SURVIVED) s.survived++;
    else if (may_be_fatal && status == -SIGABRT && strstr(c.said, "Fatal error: out of memory") != NULL) s.fatal++;
    else UNIT_FAIL("call %lu refused: status %d, it said: %s", nth, status, c.said);
    if (nth == RUNS_MOST) {
      UNIT_FAIL("still refused after %lu runs", nth);
      return s;
    }
  }
}

static struct gc_params small_params(void)
{
  struct gc_params p = gc_params_default;
  p.minor_words = 4096;
  p.verify = !UNDER_TSAN;   /* half of all that TSan would run here */
  return p;
}

static value *root(struct domain *d, int i) { return &mock_state(d)->root[i]; }

/* Sizes that make the heap grow several times, what is kept carrying its number. Answers whether a block was refused. */
static bool allocate(struct domain *d, int blocks)
{
  struct rng rng = {7};
  bool refused = false;
  long number[MOCK_ROOTS];
  for (int i = 0; i < MOCK_ROOTS; i++) number[i] = -1;
  for (int i = 0; i < blocks; i++) {
    int at = rng_below(&rng, MOCK_ROOTS);
    mlsize_t wosize = i % 20 == 19 ? 300000 + rng_below(&rng, 100000) : 1 + rng_below(&rng, i % 4 ? 300 : 8000);
    mock_poll(d);
    value v = gc_alloc(d, wosize, i % 3 ? 0 : String_tag);
    if (v == 0) {
      refused = true;
      gc_verify(d);
      continue;
    }
    Field(v, 0) = Val_long(i);
    *root(d, at) = v;
    number[at] = i;
    if (i % 50 == 49) gc_compact(d);
  }
  gc_verify(d);
  for (int i = 0; i < MOCK_ROOTS; i++) {
    if (number[i] >= 0 && Field(*root(d, i), 0) != Val_long(number[i])) bac_fatal("root %d has lost its number", i);
    *root(d, i) = Val_unit;
  }
  gc_full_major(d);
  gc_verify(d);
  return refused;
}

/* ---- Start ---- */

static void run_start(uint64_t nth)
{
  struct gc_params p = small_params();
  const char *why = NULL;
  os_fault_arm(nth);
  struct domain *d = gc_init(&p, &mock_client, &why);
  if (d == NULL) {
    if (why == NULL || *why == '\0') bac_fatal("gc_init gives no reason");
    finish(nth, true);
  }
  if (why != NULL) bac_fatal("gc_init gives a reason, and a domain");
  uint64_t calls = os_fault_arm(0);
  allocate(d, 50);
  _exit(calls < nth ? RUN_UNTOUCHED : RUN_SURVIVED);
}

TEST(start)
{
  struct series s = run_series(run_start, false);
  EXPECT(s.refused >= 2 && s.refused + s.survived >= 5);   /* smaller reservations are tried */
}

/* ---- Allocation ---- */

static void run_allocation(uint64_t nth)
{
  struct gc_params p = small_params();
  struct domain *d = mock_start(&p);
  os_fault_arm(nth);
  finish(nth, allocate(d, 200));
}

TEST(allocation)
{
  struct series s = run_series(run_allocation, true);
  EXPECT(s.refused + s.survived > 10);
}

/* Large blocks only: nothing is ever promoted, so nothing may be fatal. */
static void run_large(uint64_t nth)
{
  struct gc_params p = small_params();
  struct domain *d = mock_start(&p);
  bool refused = false;
  os_fault_arm(nth);
  for (int i = 0; i < 40; i++) {
    value v = gc_alloc(d, 300000 + 50000 * (i % 7), i % 10 == 0 ? 0 : String_tag);
    refused |= v == 0;
    if (v == 0 || i % 10 == 0) gc_verify(d);
    *root(d, i % 10) = v == 0 ? Val_unit : v;
  }
  finish(nth, refused);
}

TEST(large_blocks)
{
  struct series s = run_series(run_large, false);
  EXPECT(s.refused + s.survived >= 3);
}

/* ---- Domains ---- */

static void thread_allocates(struct domain *d, void *arg)
{
  (void)arg;
  for (int i = 0; i < 3000; i++) *root(d, i % 50) = mock_alloc(d, 1 + i % 20, 0);
}

static void run_domains(uint64_t nth)
{
  enum { ROUNDS = 3, THREADS = 3 };
  struct gc_params p = small_params();
  struct domain *d = mock_start(&p);
  bool refused = false;
  allocate(d, 60);
  os_fault_arm(nth);
  for (int r = 0; r < ROUNDS; r++) {
    struct mock_thread t[THREADS];
    bool runs[THREADS];
    for (int i = 0; i < THREADS; i++) runs[i] = mock_spawn(d, &t[i], thread_allocates, NULL);
    for (int i = 0; i < THREADS; i++) {
      if (runs[i]) mock_join(d, &t[i]);
      refused |= !runs[i];
    }
    gc_verify(d);
    if (bac_domains.count != 1) bac_fatal("%d domains are left", bac_domains.count);
  }
  finish(nth, refused);
}

TEST(domains)
{
  struct series s = run_series(run_domains, true);
  EXPECT(s.refused >= 2 * 9);   /* nursery and thread of each */
}

/* The table is full: one more domain is refused, and there is room again when one has ended. */
static void thread_waits(struct domain *d, void *arg)
{
  domain_enter_blocking(d);
  while (load_acquire((uint32_t *)arg) == 0) os_wait(arg, 0, 0);
  domain_leave_blocking(d);
}

static void run_full_table(void)
{
  enum { DOMAINS = 4 };
  struct gc_params p = small_params();
  p.max_domains = DOMAINS;
  struct domain *d = mock_start(&p);
  struct mock_thread t[DOMAINS];
  for (int r = 0; r < 3; r++) {
    uint32_t go = 0;
    for (int i = 0; i < DOMAINS; i++)
      if (mock_spawn(d, &t[i], thread_waits, &go) != (i < DOMAINS - 1)) bac_fatal("round %d: spawn %d", r, i);
    store_release(&go, 1);
    os_wake(&go, DOMAINS);
    for (int i = 0; i < DOMAINS - 1; i++) mock_join(d, &t[i]);
    gc_verify(d);
  }
  _exit(0);
}

TEST(full_table)
{
  struct unit_child c = unit_child_start();
  if (c.pid == 0) run_full_table();
  if (child_status(&c) != 0) UNIT_FAIL("it said: %s", c.said);
}

/* ---- A heap with a limit ---- */

static void run_limited(void)
{
  enum { LIMIT = 32 << 20, BLOCK = 1 << 20 };
  struct gc_params p = small_params();
  p.heap_limit = LIMIT;
  struct domain *d = mock_start(&p);
  for (int r = 0; r < 5; r++) {
    int n = 0;
    for (value v; n < MOCK_ROOTS && (v = gc_alloc(d, BLOCK / sizeof(value), String_tag)) != 0; n++) *root(d, n) = v;
    gc_verify(d);
    if (n < 25 || n > LIMIT / BLOCK) bac_fatal("round %d: room for %d blocks", r, n);
    /* The reserve of whoever was told; not for what could never be. */
    int more = 0;
    for (value v; more < MOCK_ROOTS - n && (v = gc_alloc(d, BLOCK / sizeof(value), String_tag)) != 0; more++)
      *root(d, n + more) = v;
    if (more > LIMIT / 16 / BLOCK || gc_alloc(d, LIMIT, 0) != 0) bac_fatal("room for %d above the limit", more);
    n += more;
    gc_verify(d);
    struct gc_stats s;
    gc_quick_stat(d, &s);
    if (s.top_heap_words > (LIMIT + LIMIT / 16) / sizeof(value)) bac_fatal("%lu words of heap", s.top_heap_words);
    if (gc_out_of_memory_take(d)) bac_fatal("told twice");
    for (int i = 0; i < n; i++) *root(d, i) = Val_unit;
    /* Garbage makes room without being asked. */
    if (gc_alloc(d, LIMIT / sizeof(value) / 2, 0) == 0) bac_fatal("round %d: garbage is in the way", r);
  }
  _exit(0);
}

TEST(heap_limit)
{
  struct unit_child c = unit_child_start();
  if (c.pid == 0) run_limited();
  if (child_status(&c) != 0) UNIT_FAIL("it said: %s", c.said);
}

/* What survives a minor collection is taken in above the limit, and the program is told once for each part of
 * it that the reserve would hold; nothing large is, until it is gone. */
static void run_limited_survivors(void)
{
  enum { LIMIT = 4 << 20, CELLS = LIMIT / 2 * 3 / (3 * (int)sizeof(value)) };
  struct gc_params p = small_params();
  p.heap_limit = LIMIT;
  struct domain *d = mock_start(&p);
  for (int r = 0; r < 2; r++) {
    int told = 0;
    for (long i = 0; i < CELLS; i++) {
      value v = mock_alloc(d, 2, 0);
      told += gc_out_of_memory_take(d);
      Field(v, 0) = Val_long(i);
      Field(v, 1) = *root(d, 0);
      *root(d, 0) = v;
    }
    if (told < 3 || told > LIMIT / 2 / (LIMIT / 16) + 1) bac_fatal("told %d times", told);
    if (gc_alloc(d, 10000, 0) != 0) bac_fatal("room for a large block above the limit");
    long i = CELLS;
    for (value v = *root(d, 0); Is_block(v); v = Field(v, 1))
      if (Field(v, 0) != Val_long(--i)) bac_fatal("cell %ld is wrong", i);
    if (i != 0) bac_fatal("%ld cells are missing", i);
    *root(d, 0) = Val_unit;
    if (gc_alloc(d, 10000, 0) == 0) bac_fatal("garbage is in the way");
    struct gc_stats s;
    gc_stat(d, &s);
    if (s.heap_words > LIMIT / sizeof(value)) bac_fatal("%lu words of heap", s.heap_words);
  }
  _exit(0);
}

TEST(survivors_above_the_limit)
{
  struct unit_child c = unit_child_start();
  if (c.pid == 0) run_limited_survivors();
  if (child_status(&c) != 0) UNIT_FAIL("it said: %s", c.said);
}

/* Who does not listen is ended at twice the limit. */
static void run_deaf(void)
{
  struct gc_params p = small_params();
  p.heap_limit = 4 << 20;
  struct domain *d = mock_start(&p);
  for (int i = 0; i < 1000 * 1000; i++) {
    value v = mock_alloc(d, 2, 0);
    Field(v, 1) = *root(d, 0);
    *root(d, 0) = v;
  }
}

/* One collection of a large nursery may bring more than that: the program is told first. */
static void run_large_nursery(void)
{
  struct gc_params p = small_params();
  p.heap_limit = 1 << 20;
  p.minor_words = 1 << 20;
  struct domain *d = mock_start(&p);
  for (int round = 0; round < 3; round++) {
    while (!gc_out_of_memory_take(d)) {
      value v = mock_alloc(d, 2, 0);
      Field(v, 1) = *root(d, 0);
      *root(d, 0) = v;
    }
    *root(d, 0) = Val_unit;
  }
  _exit(0);
}

TEST(told_before_it_is_ended)
{
  struct unit_child c = unit_child_start();
  if (c.pid == 0) run_large_nursery();
  if (child_status(&c) != 0) UNIT_FAIL("it said: %s", c.said);
}

TEST(twice_the_limit) { EXPECT_ABORTS(run_deaf(), "gone on after Out_of_memory"); }

UNIT_MAIN()
