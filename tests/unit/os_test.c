/* SPDX-License-Identifier: MIT */
/* Tests of src/os: address space, limits, waiting, threads, fault injection. */
#include "unit.h"

#include "base/bits.h"
#include "os/os.h"
#include "sync/atomic.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MIB ((size_t)1 << 20)

static bool is_zero(const unsigned char *p, size_t size)
{
  for (size_t i = 0; i < size; i++)
    if (p[i] != 0) return false;
  return true;
}

TEST(reserve_is_aligned)
{
  for (size_t align = os_page_size(); align <= 64 * MIB; align *= 4) {
    char *p = os_reserve(4 * MIB, align);
    REQUIRE(p != NULL);
    EXPECT_EQ((uintptr_t)p % align, 0);
    os_unreserve(p, 4 * MIB);
  }
}

TEST(reserve_large_commits_nothing)
{
  size_t size = (size_t)(UNIT_SANITIZED ? 1 : 64) << 30;
  if (os_address_space_limit() != SIZE_MAX) return;
  size_t before = os_peak_rss();
  char *p = os_reserve(size, 2 * MIB);
  REQUIRE(p != NULL);
  EXPECT(os_peak_rss() - before < 16 * MIB);
  EXPECT(os_commit(p + size / 2, 2 * MIB));
  p[size / 2] = 1;
  p[size / 2 + 2 * MIB - 1] = 1;
  os_unreserve(p, size);
}

TEST(reserve_impossible)
{
  EXPECT(os_reserve((size_t)1 << 62, os_page_size()) == NULL);
  EXPECT(os_reserve(align_down(SIZE_MAX, os_page_size()), (size_t)1 << 40) == NULL);
  EXPECT(os_alloc((size_t)1 << 62) == NULL);
}

TEST(commit_decommit_reads_zero)
{
  size_t size = 4 * MIB;
  unsigned char *p = os_reserve(size, 2 * MIB);
  REQUIRE(p != NULL && os_commit(p, size));
  os_hint_huge(p, size);
  EXPECT(is_zero(p, size));
  memset(p, 0xaa, size);
  os_decommit(p + MIB, MIB);
  EXPECT(p[MIB - 1] == 0xaa && p[2 * MIB] == 0xaa);
  EXPECT(is_zero(p + MIB, MIB));
  p[MIB] = 5;
  EXPECT_EQ(p[MIB], 5);
  EXPECT(os_commit(p, size));
  EXPECT(p[MIB] == 5 && p[0] == 0xaa);
  os_unreserve(p, size);
}

/* Ranges that are no whole pages: neighbours on the same pages keep what they have. */
TEST(commit_decommit_parts_of_pages)
{
  size_t page = os_page_size(), size = 16 * page;
  unsigned char *p = os_reserve(size, page);
  REQUIRE(p != NULL && os_commit(p + 100, page) && os_commit(p + page + 200, size - page - 200));
  memset(p, 0xaa, size);
  /* In sixteenths of a page. */
  static const struct { size_t from, to; } part[] = {{0, 8}, {24, 48}, {1, 15}, {0, 40}, {64, 128}, {15, 17}};
  for (size_t i = 0; i < countof(part); i++) {
    size_t from = part[i].from * page / 16, to = part[i].to * page / 16;
    memset(p, 0xaa, size);
    os_decommit(p + from, to - from);
    EXPECT(is_zero(p + from, to - from));
    for (size_t at = 0; at < size; at++)
      if ((at < from || at >= to) && p[at] != 0xaa) UNIT_FAIL("%zu to %zu: byte %zu is gone", from, to, at);
  }
  os_unreserve(p, size);
}

static void touch_reserved(void)
{
  struct rlimit no_core = { 0, 0 };
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGSEGV, SIG_DFL);
  volatile char *p = os_reserve(MIB, MIB);
  *p = 1;
}

TEST(reserved_memory_is_not_accessible)
{
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) {
    touch_reserved();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

TEST(alloc_is_zeroed)
{
  unsigned char *p = os_alloc(100000);
  REQUIRE(p != NULL);
  EXPECT(is_zero(p, 100000));
  memset(p, 1, 100000);
  os_free(p, 100000);
}

TEST(limits_are_sane)
{
  EXPECT(is_pow2(os_page_size()) && os_page_size() >= 4096);
  EXPECT(os_cores() >= 1 && os_cores() <= 1u << 20);
  EXPECT(os_memory_limit() >= MIB);
  EXPECT(os_address_space_limit() >= MIB);
  EXPECT(os_peak_rss() >= 100000 && os_peak_rss() < (size_t)1 << 46);
}

/* ---- Control groups: a tree of them in a folder ---- */

static char groups_root[64];

static void groups_write(const char *file, const char *text)
{
  char path[256];
  snprintf(path, sizeof path, "%s%s", groups_root, file);
  FILE *f = fopen(path, "w");
  if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) UNIT_FAIL("%s cannot be written", path);
}

static size_t groups_limit(const char *membership)
{
  char path[256];
  groups_write("/membership", membership);
  snprintf(path, sizeof path, "%s/membership", groups_root);
  return os_memory_limit_of(path, groups_root);
}

static void groups_make(void)
{
  static const char *const folders[] = { "/a", "/a/b", "/memory", "/memory/a", "/memory/a/b" };
  char path[256];
  strcpy(groups_root, "/tmp/bactrian-os-test-XXXXXX");
  if (mkdtemp(groups_root) == NULL) UNIT_FAIL("%s cannot be made", groups_root);
  for (size_t i = 0; i < countof(folders); i++) {
    snprintf(path, sizeof path, "%s%s", groups_root, folders[i]);
    mkdir(path, 0700);
  }
}

static void groups_remove(void)
{
  static const char *const files[] = {
    "/a/b/memory.max", "/a/memory.max", "/memory.max", "/membership", "/a/b", "/a", "/memory/a/b/memory.limit_in_bytes",
    "/memory/a/memory.limit_in_bytes", "/memory/memory.limit_in_bytes", "/memory/a/b", "/memory/a", "/memory", "",
  };
  char path[256];
  for (size_t i = 0; i < countof(files); i++) {
    snprintf(path, sizeof path, "%s%s", groups_root, files[i]);
    remove(path);
  }
}

TEST(memory_limit_of_control_groups)
{
  groups_make();
  EXPECT(os_memory_limit_of("/nonexistent", groups_root) == SIZE_MAX);
  EXPECT(groups_limit("0::/a/b\n") == SIZE_MAX);            /* no controller */
  groups_write("/a/memory.max", "max\n");
  groups_write("/a/b/memory.max", "max\n");
  EXPECT(groups_limit("0::/a/b\n") == SIZE_MAX);
  groups_write("/a/memory.max", "500000\n");
  EXPECT_EQ(groups_limit("0::/a/b\n"), 500000);             /* each level binds */
  EXPECT_EQ(groups_limit("0::/a\n"), 500000);
  EXPECT(groups_limit("0::/\n") == SIZE_MAX);
  groups_write("/a/b/memory.max", "300000\n");
  EXPECT_EQ(groups_limit("0::/a/b\n"), 300000);
  EXPECT_EQ(groups_limit("0::/a\n"), 500000);
  groups_write("/a/b/memory.max", "700000\n");
  EXPECT_EQ(groups_limit("0::/a/b\n"), 500000);
  EXPECT_EQ(groups_limit("5:cpu:/x\n0::/a/b\n"), 500000);
  groups_write("/memory.max", "200000");
  EXPECT_EQ(groups_limit("0::/../x\n"), 200000);            /* out of sight: the root of what is seen */
  EXPECT_EQ(groups_limit(""), 200000);
  groups_write("/memory.max", "99999999999999999999999\n");
  EXPECT(groups_limit("0::/\n") == SIZE_MAX);
  groups_write("/memory.max", "");
  EXPECT(groups_limit("0::/\n") == SIZE_MAX);
  groups_remove();
}

/* Version 1: a line and a tree for each controller. */
TEST(memory_limit_of_control_groups_1)
{
  groups_make();
  EXPECT(groups_limit("5:memory:/a/b\n") == SIZE_MAX);
  groups_write("/memory/memory.limit_in_bytes", "9223372036854771712\n");
  groups_write("/memory/a/memory.limit_in_bytes", "500000\n");
  groups_write("/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(groups_limit("12:pids:/x\n5:memory:/a/b\n1:name=systemd:/a\n0::/y\n"), 500000);
  EXPECT_EQ(groups_limit("5:hugetlb,memory:/a\n"), 500000);
  EXPECT_EQ(groups_limit("5:memory,cpu:/a\n"), 500000);
  EXPECT(groups_limit("5:memory:/\n") == SIZE_MAX);
  EXPECT(groups_limit("5:memoryless:/a\n4:xmemory:/a\n3:mem:/a\n2:memory:a\n1:memory\n") == SIZE_MAX);
  groups_write("/memory/a/b/memory.limit_in_bytes", "300000\n");
  EXPECT_EQ(groups_limit("5:memory:/a/b\n"), 300000);
  /* A container sees its own group as the root. */
  groups_write("/memory/memory.limit_in_bytes", "400000\n");
  EXPECT_EQ(groups_limit("5:memory:/docker/0123\n"), 400000);
  /* Both versions. */
  groups_write("/a/memory.max", "100000\n");
  EXPECT_EQ(groups_limit("5:memory:/a/b\n0::/a\n"), 100000);
  groups_remove();
}

static bool limited_reserve_behaves(void)
{
  struct rlimit limit = { 300 * MIB, 300 * MIB };
  if (setrlimit(RLIMIT_AS, &limit) != 0) return false;
  if (os_address_space_limit() != 300 * MIB) return false;
  if (os_reserve(1024 * MIB, 2 * MIB) != NULL) return false;
  return os_reserve(100 * MIB, 2 * MIB) != NULL;
}

TEST(reserve_under_an_address_space_limit)
{
  if (UNIT_SANITIZED) return;   /* the sanitizer's own shadow does not fit */
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0) _exit(limited_reserve_behaves() ? 0 : 1);
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(clock_moves_on)
{
  uint64_t start = os_now_ns();
  usleep(2000);
  uint64_t passed = os_now_ns() - start;
  EXPECT(passed >= 2000000 && passed < (uint64_t)60 * 1000000000);
}

TEST(wait_returns)
{
  uint32_t word = 1;
  errno = EDOM;
  os_wait(&word, 0, 0);              /* not the expected value: at once */
  uint64_t start = os_now_ns();
  os_wait(&word, 1, 3000000);
  EXPECT(os_now_ns() - start < (uint64_t)30 * 1000000000);
  os_wake(&word, 1);
  EXPECT_EQ(errno, EDOM);
}

struct thread_probe {
  uint32_t done;      /* [atomic] futex */
  bool term_blocked, segv_blocked;
  stack_t handlers;
  char *low, *low_there;
  size_t size, size_there;
};

static void probe_thread(void *arg)
{
  struct thread_probe *probe = arg;
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  probe->term_blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGALRM) == 1;
  probe->segv_blocked = sigismember(&mask, SIGSEGV) == 1 || sigismember(&mask, SIGFPE) == 1;
  pthread_attr_t attributes;
  sigaltstack(NULL, &probe->handlers);
  os_thread_stack(&probe->low, &probe->size);
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, (void **)&probe->low_there, &probe->size_there);
  pthread_attr_destroy(&attributes);
  store_seq(&probe->done, 1);
  os_wake(&probe->done, 1);
}

/* The C library has thread-local variables above the stack's first frame; TSan's are many. */
enum { TLS_BYTES_MOST = 1 << 20 };

TEST(thread_start)
{
  static struct thread_probe probe;
  probe = (struct thread_probe){ 0 };
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  EXPECT_EQ(os_thread_start(probe_thread, &probe), 0);
  while (load_seq(&probe.done) == 0) os_wait(&probe.done, 0, 0);
  EXPECT(probe.term_blocked && !probe.segv_blocked);
  EXPECT(!(probe.handlers.ss_flags & SS_DISABLE) && probe.handlers.ss_size == OS_SIGNAL_STACK_BYTES);
  EXPECT_EQ(probe.low + probe.size, (char *)probe.handlers.ss_sp);
  EXPECT(probe.low <= probe.low_there && probe.low + TLS_BYTES_MOST > probe.low_there);
  EXPECT_EQ(probe.size_there, probe.size + OS_SIGNAL_STACK_BYTES);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

/* Its end is where the C library, which finds it out in another way, has it; the beginning of the main thread's is a matter of opinion. */
static void expect_stack_bounds(void)
{
  pthread_attr_t attributes;
  void *low_there;
  char *low;
  size_t size, size_there, page = os_page_size();
  EXPECT(os_thread_stack(&low, &size));
  EXPECT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
  EXPECT_EQ(pthread_attr_getstack(&attributes, &low_there, &size_there), 0);
  pthread_attr_destroy(&attributes);
  EXPECT(low + page > (char *)low_there && low < (char *)low_there + page);
  EXPECT((char *)&attributes > low && (char *)&attributes < low + size);
}

static void *stack_bounds_in_thread(void *arg)
{
  expect_stack_bounds();
  return arg;
}

TEST(thread_stack)
{
  pthread_t thread;
  expect_stack_bounds();
  EXPECT_EQ(pthread_create(&thread, NULL, stack_bounds_in_thread, NULL), 0);
  pthread_join(thread, NULL);
}

static void never_runs(void *arg) { *(bool *)arg = true; }

TEST(fault_injection_hits_the_nth_call)
{
  static bool ran;
  size_t page = os_page_size();
  os_fault_arm(0);
  char *p = os_reserve(MIB, page);
  EXPECT(os_commit(p, page));
  EXPECT_EQ(os_fault_arm(1), 2);
  EXPECT(os_reserve(MIB, page) == NULL);
  EXPECT(os_commit(p, page));
  os_fault_arm(2);
  EXPECT(os_commit(p, page));
  EXPECT(!os_commit(p + page, page));
  EXPECT(os_commit(p + page, page));
  os_fault_arm(1);
  EXPECT(os_alloc(page) == NULL);
  os_fault_arm(1);
  EXPECT_EQ(os_thread_start(never_runs, &ran), EAGAIN);
  EXPECT_EQ(os_fault_arm(0), 1);
  EXPECT(!ran);
  os_unreserve(p, MIB);
}

UNIT_MAIN()
