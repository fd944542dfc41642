/* SPDX-License-Identifier: MIT */
/* A program that loads and unloads a library with a runtime in it, again and again; afterwards nothing may be left.
 *
 * usage: host LIBRARY CYCLES pooled|plain plain|large|threads */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first cycles make the C library and the loader take memory that they keep. */
enum { SETTLED = 11, EXPECTED = 21 + 1000 + 100000 + 700 };

struct usage { long mappings, address_kb, heap_bytes, files, threads; };

static long count_entries(const char *folder)
{
  long n = 0;
  DIR *dir = opendir(folder);
  while (dir && readdir(dir)) n++;
  if (dir) closedir(dir);
  return n;
}

static struct usage usage_now(void)
{
  struct usage u = {0};
  char *line = NULL;
  size_t room = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (getline(&line, &room, maps) > 0) {
    unsigned long from, to;
    sscanf(line, "%lx-%lx", &from, &to);
    /* What malloc has there is counted by itself. */
    if (!strstr(line, "[heap]")) u.address_kb += (long)((to - from) / 1024);
    u.mappings++;
  }
  fclose(maps);
  free(line);
  u.heap_bytes = (long)(mallinfo2().uordblks + mallinfo2().hblkhd);
  u.files = count_entries("/proc/self/fd");
  u.threads = count_entries("/proc/self/task");
  return u;
}

static int failures;
static void expect(int holds, const char *what, long got, long wanted)
{
  if (!holds) {
    printf("not ok %s: %ld, expected %ld\n", what, got, wanted);
    failures++;
  }
}

static void cycle(const char *library, const char *how, int pooled)
{
  long left = -1;
  void *lib = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!lib) {
    printf("not ok dlopen: %s\n", dlerror());
    exit(1);
  }
  long (*run)(const char *, int, long *) = dlsym(lib, "embed_cycle");
  long result = run(how, pooled, &left);
  dlclose(lib);
  expect(result == EXPECTED, "result", result, EXPECTED);
  expect(left == 0, "custom blocks that were not finalised", left, 0);
  expect(dlopen(library, RTLD_NOW | RTLD_NOLOAD) == NULL, "loaded still", 1, 0);
}

int main(int argc, char **argv)
{
  int cycles = atoi(argv[2]), pooled = strcmp(argv[3], "pooled") == 0;
  struct usage before = {0}, after;
  struct sigaction action;
  /* Free blocks are to be free in the figures too: with glibc.malloc.tcache_count=0. */
  mallopt(M_MXFAST, 0);
  /* The C library has as many arenas as threads ever met in malloc, which is chance. */
  mallopt(M_ARENA_MAX, 1);
  for (int i = 0; i < cycles && failures == 0; i++) {
    cycle(argv[1], argv[4], pooled);
    if (i == SETTLED) before = usage_now();
  }
  after = usage_now();
  expect(after.mappings <= before.mappings, "mappings", after.mappings, before.mappings);
  expect(after.address_kb <= before.address_kb + 2 * cycles, "kB of address space", after.address_kb, before.address_kb);
  expect(after.heap_bytes <= before.heap_bytes + 16 * cycles, "bytes of the C heap", after.heap_bytes, before.heap_bytes);
  expect(after.files == before.files, "files", after.files, before.files);
  expect(after.threads == 1 + 2, "threads", after.threads - 2, 1);
  for (int s = SIGSEGV; s; s = s == SIGSEGV ? SIGUSR1 : 0) {
    sigaction(s, NULL, &action);
    expect(action.sa_handler == SIG_DFL, "handler of a signal", s, 0);
  }
  pthread_key_t key;
  pthread_key_create(&key, NULL);
  expect(key < 8, "thread-specific key", key, 0);
  stack_t stack;
  sigaltstack(NULL, &stack);
  expect(stack.ss_flags & SS_DISABLE, "signal stack", 1, 0);
  if (!failures) printf("ok %d cycles, %ld kB of address space, %ld bytes of the C heap\n", cycles, after.address_kb, after.heap_bytes);
  return failures != 0;
}
