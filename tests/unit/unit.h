/* SPDX-License-Identifier: MIT */
/* A small harness for unit tests: one program for each file, which ends with
 * UNIT_MAIN().
 *
 *     TEST(vec_grows)
 *     {
 *       EXPECT(cond);                  goes on after a failure
 *       EXPECT_EQ(got, wanted);        integers and pointers, both printed
 *       EXPECT_STR(got, wanted);
 *       REQUIRE(cond);                 leaves the function (of type void) on failure
 *       EXPECT_ABORTS(f(), "message"); f() must abort with this on stderr
 *       rng_below(&unit_rng, n);       seeded anew for each test
 *     }
 *     UNIT_MAIN()
 *
 * Run: prog [seed=N] [repeat=N] [name-part]. The seed may also come from
 * BAC_SEED. Prints one line for each failure, at the end the seed and
 * `N passed, N failed`; the exit code is 0 or 1. A test that takes longer than
 * UNIT_TIMEOUT seconds ends the program. Failures may be reported from any
 * thread. UNIT_SANITIZED is 1 under ASan and TSan, else 0. */
#ifndef BAC_TESTS_UNIT_H
#define BAC_TESTS_UNIT_H

#include "base/rng.h"
#include "base/sanitizers.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNIT_SANITIZED (UNDER_ASAN || UNDER_TSAN)

#ifndef UNIT_TIMEOUT
#define UNIT_TIMEOUT 120
#endif

struct unit_test {
  const char *name;
  void (*run)(void);
  struct unit_test *next;
};

static struct unit_test *unit_first, **unit_last = &unit_first;
static const char *unit_running = "";
static unsigned unit_failures;            /* [atomic] of the running test */
static struct rng unit_rng __attribute__((unused));

#define TEST(name)                                                          \
  static void test_##name(void);                                            \
  __attribute__((constructor)) static void test_##name##_register(void)     \
  {                                                                         \
    static struct unit_test entry = { #name, test_##name, NULL };           \
    *unit_last = &entry;                                                    \
    unit_last = &entry.next;                                                \
  }                                                                         \
  static void test_##name(void)

#define UNIT_FAIL(fmt, ...)                                                  \
  (__atomic_fetch_add(&unit_failures, 1, __ATOMIC_RELAXED),                  \
   (void)fprintf(stderr, "%s:%d: %s: " fmt "\n", __FILE__, __LINE__, unit_running, __VA_ARGS__))

#define EXPECT(cond) ((cond) ? (void)0 : UNIT_FAIL("%s", #cond))
#define REQUIRE(cond)                                                        \
  do {                                                                       \
    if (!(cond)) {                                                           \
      UNIT_FAIL("%s", #cond);                                                \
      return;                                                                \
    }                                                                        \
  } while (0)
#define EXPECT_EQ(got, wanted)                                               \
  do {                                                                       \
    intmax_t got_ = (intmax_t)(got), wanted_ = (intmax_t)(wanted);           \
    if (got_ != wanted_)                                                     \
      UNIT_FAIL("%s is %jd (0x%jx), not %jd (0x%jx)", #got, got_, (uintmax_t)got_, wanted_, (uintmax_t)wanted_); \
  } while (0)
#define EXPECT_STR(got, wanted)                                              \
  do {                                                                       \
    const char *got_ = (got), *wanted_ = (wanted);                           \
    if (strcmp(got_, wanted_) != 0) UNIT_FAIL("%s is \"%s\", not \"%s\"", #got, got_, wanted_); \
  } while (0)

/* Runs the expression in a child process, which must be ended by abort() and
 * must have printed the text. Only while the program has one thread. */
#define EXPECT_ABORTS(expr, text)                                            \
  do {                                                                       \
    struct unit_child child_ = unit_child_start();                           \
    if (child_.pid == 0) {                                                   \
      (void)(expr);                                                          \
      _exit(0);                                                              \
    }                                                                        \
    if (!unit_child_aborted(&child_)) UNIT_FAIL("%s did not abort; it said: %s", #expr, child_.said); \
    else if (strstr(child_.said, (text)) == NULL) UNIT_FAIL("%s said: %s", #expr, child_.said); \
  } while (0)

struct unit_child {
  pid_t pid;
  int from;
  char said[4096];
};

__attribute__((unused)) static struct unit_child unit_child_start(void)
{
  struct unit_child c = { 0 };
  int ends[2];
  fflush(NULL);
  if (pipe(ends) != 0 || (c.pid = fork()) < 0) {
    perror("unit: pipe, fork");
    exit(2);
  }
  if (c.pid == 0) {
    alarm(UNIT_TIMEOUT);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
  }
  close(ends[1]);
  c.from = ends[0];
  return c;
}

__attribute__((unused)) static bool unit_child_aborted(struct unit_child *c)
{
  size_t len = 0;
  ssize_t n;
  while (len < sizeof c->said - 1 && (n = read(c->from, c->said + len, sizeof c->said - 1 - len)) > 0) len += (size_t)n;
  c->said[len] = '\0';
  close(c->from);
  int status = 0;
  waitpid(c->pid, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void unit_timed_out(int signal_number)
{
  (void)signal_number;
  static const char text[] = "timeout in test ";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0 ||
      write(STDERR_FILENO, unit_running, strlen(unit_running)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
    _exit(2);
  abort();
}

static bool unit_run_one(const struct unit_test *t, uint64_t seed)
{
  unit_running = t->name;
  unit_failures = 0;
  unit_rng.state = seed;
  alarm(UNIT_TIMEOUT);
  t->run();
  alarm(0);
  return unit_failures == 0;
}

static int unit_main(int argc, char **argv)
{
  const char *seed_text = getenv("BAC_SEED"), *part = "";
  unsigned long repeat = 1, passed = 0, failed = 0;
  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], "seed=", 5) == 0) seed_text = argv[i] + 5;
    else if (strncmp(argv[i], "repeat=", 7) == 0) repeat = strtoul(argv[i] + 7, NULL, 0);
    else part = argv[i];
  }
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 0) : (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
  signal(SIGALRM, unit_timed_out);
  for (unsigned long round = 0; round < repeat; round++)
    for (const struct unit_test *t = unit_first; t != NULL; t = t->next)
      if (strstr(t->name, part) != NULL) {
        if (unit_run_one(t, seed + round)) passed++;
        else {
          failed++;
          fprintf(stderr, "FAILED %s (seed=%llu)\n", t->name, (unsigned long long)(seed + round));
        }
      }
  printf("seed=%llu: %lu passed, %lu failed\n", (unsigned long long)seed, passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

#define UNIT_MAIN() \
  int main(int argc, char **argv) { return unit_main(argc, argv); }

#endif
