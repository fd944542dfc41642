/* SPDX-License-Identifier: MIT */
/* The C heap refuses: the first, the second, ... call of malloc, calloc or realloc by the collector fails, during
 * start, collections of every kind and the creation of domains. The program is linked so that those
 * calls come here (mk/tests.mk). Each run is a child process. Its end is an answer that says so, a run that
 * verifies its heap as if nothing had happened, or, where the collector cannot go on without its tables, one line
 * that begins with "Fatal error: out of memory", and abort(). */
#include "unit/unit.h"

#include "mock/mock.h"
#include "os/os.h"
#include "sync/atomic.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);

static struct { uint64_t calls, failing; } heap;   /* [atomic] as in os_fault_arm */

static bool heap_hits(void)
{
  return add_seq(&heap.calls, 1) + 1 == load_seq(&heap.failing);
}

void *__wrap_malloc(size_t size) { return heap_hits() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t n, size_t size) { return heap_hits() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t size) { return heap_hits() ? NULL : __real_realloc(p, size); }

static void heap_arm(uint64_t nth)
{
  store_seq(&heap.failing, 0);
  store_seq(&heap.calls, 0);
  store_seq(&heap.failing, nth);
}

enum outcome { RUN_REFUSED = 10, RUN_SURVIVED, RUN_UNTOUCHED };
enum { RUNS_MOST = 2000 };

struct series { int refused, survived, fatal; };

static void finish(uint64_t nth, bool refused)
{
  uint64_t calls = load_seq(&heap.calls);
  heap_arm(0);
  _exit(calls < nth ? RUN_UNTOUCHED : refused ? RUN_REFUSED : RUN_SURVIVED);
}

/* One line of one message. */
static bool is_clear(const char *said)
{
  static const char begin[] = "Fatal error: out of memory";
  const char *end = strchr(said, '\n');
  return strncmp(said, begin, sizeof begin - 1) == 0 && end != NULL && end[1] == '\0';
}

static void judge(struct series *s, uint64_t nth, const char *said, int status)
{
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  if (code == RUN_REFUSED) s->refused++;
  else if (code == RUN_SURVIVED) s->survived++;
  else if (code == -SIGABRT && is_clear(said)) s->fatal++;
  else UNIT_FAIL("call %lu refused: status %d, it said: %s", nth, code, said);
}

/* From call 1 on, by [step], until a run makes fewer calls. */
static struct series run_series(void (*run)(uint64_t nth), uint64_t step)
{
  struct series s = {0, 0, 0};
  for (uint64_t nth = 1; nth < RUNS_MOST * step; nth += step) {
    struct unit_child c = unit_child_start();
    if (c.pid == 0) run(nth);
    size_t len = 0;
    ssize_t n;
    while (len < sizeof c.said - 1 && (n = read(c.from, c.said + len, sizeof c.said - 1 - len)) > 0) len += (size_t)n;
    c.said[len] = '\0';
    close(c.from);
    int status = 0;
    waitpid(c.pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == RUN_UNTOUCHED) return s;
    judge(&s, nth, c.said, status);
  }
  UNIT_FAIL("still refused after %d runs", RUNS_MOST);
  return s;
}

static struct gc_params small_params(void)
{
  struct gc_params p = gc_params_default;
  p.minor_words = 4096;
  return p;
}

static value *root(struct domain *d, int i) { return &mock_state(d)->root[i]; }

/* Old arrays with young elements, lists, ephemerons, finalisers, custom blocks, continuations: every table grows. True: one
 * said that it cannot. */
static bool use_tables(struct domain *d)
{
  static int64_t finalised;
  bool refused = false;
  *root(d, 0) = mock_alloc(d, 3000, 0);
  for (int i = 0; i < 3000; i++) {
    value v = mock_alloc(d, 2, 0);
    Field(v, 1) = *root(d, 1);
    *root(d, 1) = v;
    gc_write_field(d, &Field(*root(d, 0), i), v);
    if (i % 50 == 0) *root(d, 10 + i % 100) = mock_alloc_custom(d, &finalised, 100, 100000);
    if (i % 100 == 0 && !gc_finalise(d, i % 200 == 0, Val_unit, *root(d, 1))) refused = true;
    if (i % 100 == 0) {
      value e = gc_ephe_create(d, 2);
      *root(d, 2 + i / 100 % 8) = e;
      gc_ephe_set(d, e, EPHE_FIRST_KEY, *root(d, 1));
    }
    if (i % 500 == 0) gc_root_add(root(d, 3 + i / 500));
    if (i % 1000 == 999) gc_compact(d);
  }
  gc_full_major(d);
  return refused;
}

static void run_tables(uint64_t nth)
{
  struct gc_params p = small_params();
  struct domain *d = mock_start(&p);
  heap_arm(nth);
  bool refused = use_tables(d);
  uint64_t calls = load_seq(&heap.calls);
  heap_arm(0);
  gc_verify(d);
  store_seq(&heap.calls, calls);
  finish(nth, refused);
}

TEST(tables)
{
  struct series s = run_series(run_tables, 1);
  EXPECT(s.fatal > 10);
  EXPECT(s.refused >= 4);   /* the tables of finalisers */
}

static void run_start(uint64_t nth)
{
  struct gc_params p = small_params();
  const char *why = NULL;
  heap_arm(nth);
  struct domain *d = gc_init(&p, &mock_client, &why);
  if (d == NULL && (why == NULL || *why == '\0')) bac_fatal("gc_init gives no reason");
  finish(nth, d == NULL);
}

TEST(start)
{
  struct series s = run_series(run_start, 1);
  EXPECT(s.refused >= 3);
}

static void run_verifier(uint64_t nth)
{
  struct gc_params p = small_params();
  struct domain *d = mock_start(&p);
  use_tables(d);
  heap_arm(nth);
  gc_verify(d);
  finish(nth, false);
}

TEST(verifier)
{
  struct series s = run_series(run_verifier, 1);
  EXPECT(s.fatal >= 2 && s.refused + s.survived == 0);
}

static void thread_allocates(struct domain *d, void *arg)
{
  (void)arg;
  for (int i = 0; i < 3000; i++) *root(d, i % 50) = mock_alloc(d, 1 + i % 20, 0);
}

/* A domain that cannot be had is refused; its parent goes on. */
static void run_domains(uint64_t nth)
{
  struct gc_params p = small_params();
  struct domain *d = mock_start(&p);
  bool refused = false;
  thread_allocates(d, NULL);
  heap_arm(nth);
  for (int r = 0; r < 3; r++) {
    struct mock_thread t;
    if (mock_spawn(d, &t, thread_allocates, NULL)) mock_join(d, &t);
    else refused = true;
  }
  uint64_t calls = load_seq(&heap.calls);
  heap_arm(0);
  gc_verify(d);
  if (bac_domains.count != 1) bac_fatal("%d domains are left", bac_domains.count);
  store_seq(&heap.calls, calls);
  finish(nth, refused);
}

TEST(domains)
{
  struct series s = run_series(run_domains, 1);
  EXPECT(s.refused >= 6);   /* the domain, its window, its table; and its thread */
}

UNIT_MAIN()
