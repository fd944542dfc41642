/* SPDX-License-Identifier: MIT */
/* Mutates bytecode executables and loads them as `bactrian check` does, in this
 * process: each must load or be refused with a message. A crash, an abort, an
 * exit, a mutation that takes longer than the watch's minute, or more memory than
 * MEMORY_LIMIT is a failure, reported with what repeats it.
 *
 * usage: image_fuzz [--seed N] [--count N] [--only I] FILE...
 *
 * Mutation I of seed N depends on N and I alone; it is of file I modulo the number of
 * files. What loads is kept alive through verified collections; every 16th
 * mutation also has its debugging information read. */
#include "fuzz/watch.h"

#include "abi/runtime.h"
#include "base/rng.h"
#include "base/sanitizers.h"
#include "bytecode/debuginfo.h"
#include "bytecode/load.h"
#include "bytecode/startup.h"
#include "os/os.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAP_LIMIT = 256 << 20 };
static const size_t MEMORY_LIMIT = (size_t)1 << 30;

struct file {
  const char *name;
  char *bytes;
  size_t size;
  struct image image;      /* of the unchanged bytes: where the sections are */
};

static struct {
  uint64_t seed, at;
  bool finished;
  size_t outcomes[5];
} fuzz = {.seed = 1};

enum outcome { SOUND, NO_TABLE, OTHER_MAGIC, DAMAGED, UNLINKABLE };
static const char *const outcome_names[] = {"sound", "without table", "of another version", "damaged", "unlinkable"};

/* ---- Failures ---- */

static void report(const char *what)
{
  char line[160];
  int n = snprintf(line, sizeof line, "image_fuzz: %s: repeat with --seed %llu --only %llu\n", what,
                   (unsigned long long)fuzz.seed, (unsigned long long)fuzz.at);
  if (write(STDOUT_FILENO, line, (size_t)n) != n) _exit(3);
}

static void on_signal(int signo)
{
  report(signo == WATCH_SIGNAL ? "too slow" : signo == SIGABRT ? "aborted" : "crashed");
  signal(signo, SIG_DFL);
  raise(signo == WATCH_SIGNAL ? SIGKILL : signo);
}

static void on_exit_early(void)
{
  if (!fuzz.finished) report("called exit");
}

static _Noreturn void fail(const char *what)
{
  report(what);
  fuzz.finished = true;
  exit(1);
}

/* ---- Mutations ---- */

struct buffer {
  char *at;
  size_t size, room;
};

static uint32_t odd_number(struct rng *r)
{
  static const uint32_t odd[] = {0, 1, 2, 3, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  uint64_t k = rng_below(r, countof(odd) + 4);
  return k < countof(odd) ? odd[k] : (uint32_t)rng_next(r);
}

static void put_be32(char *at, uint32_t n)
{
  for (int i = 0; i < 4; i++) at[i] = (char)(n >> (24 - 8 * i));
}

static void flip_bit(struct buffer *b, size_t from, size_t length, struct rng *r)
{
  if (length == 0 || from >= b->size) return;
  if (length > b->size - from) length = b->size - from;
  b->at[from + rng_below(r, length)] ^= (char)(1 << rng_below(r, 8));
}

/* A word of the code becomes an opcode, a near distance, or an odd number. */
static void change_code_word(struct buffer *b, const struct image_section *code, struct rng *r)
{
  size_t words = code->length / 4;
  if (words == 0 || code->offset + code->length > b->size) return;
  char *at = b->at + code->offset + 4 * rng_below(r, words);
  uint32_t word;
  memcpy(&word, at, sizeof word);
  switch (rng_below(r, 4)) {
  case 0: word = (uint32_t)rng_below(r, 160); break;
  case 1: word += (uint32_t)rng_below(r, 9) - 4; break;
  case 2: word = odd_number(r); break;
  default: word = -word; break;
  }
  memcpy(at, &word, sizeof word);
}

/* A byte becomes one that means something to the reader of marshalled data, or to none. */
static void change_data_byte(struct buffer *b, const struct image_section *data, struct rng *r)
{
  if (data->length == 0 || data->offset + data->length > b->size) return;
  /* The header of 20 bytes is as likely as all the rest. */
  size_t length = rng_below(r, 2) ? data->length : 20 < data->length ? 20 : data->length;
  char *at = b->at + data->offset + rng_below(r, length);
  *at = rng_below(r, 2) ? (char)rng_below(r, 0x20) : (char)rng_next(r);
  if (rng_below(r, 8) == 0 && at + 4 <= b->at + b->size) put_be32(at, odd_number(r));
}

/* Takes bytes out of a section or puts some in, and corrects its length in the table, so
 * that the sections behind it are found still. */
static void resize_section(struct buffer *b, const struct image *image, size_t index, struct rng *r)
{
  const struct image_section *s = &image->sections[index];
  size_t table = image->size - IMAGE_TRAILER_SIZE - 8 * (size_t)image->count;
  if (b->size != image->size) return;
  size_t at = s->offset + rng_below(r, s->length + 1), left = s->offset + s->length - at;
  bool grow = rng_below(r, 2);
  size_t n = 1 + rng_below(r, rng_below(r, 4) ? 8 : 4000);
  if (grow ? n > b->room - b->size : n > left) return;
  put_be32(b->at + table + 8 * index + 4, grow ? (uint32_t)(s->length + n) : (uint32_t)(s->length - n));
  if (grow) {
    memmove(b->at + at + n, b->at + at, b->size - at);
    for (size_t i = 0; i < n; i++) b->at[at + i] = (char)rng_next(r);
    b->size += n;
  } else {
    memmove(b->at + at, b->at + at + n, b->size - at - n);
    b->size -= n;
  }
}

static void mutate_once(struct buffer *b, const struct image *image, struct rng *r)
{
  size_t table = image->size - IMAGE_TRAILER_SIZE - 8 * (size_t)image->count;
  size_t index = rng_below(r, image->count);
  const struct image_section *s = &image->sections[index], *code = image_section(image, "CODE"), *data = image_section(image, "DATA");
  switch (rng_below(r, 12)) {
  case 0: b->size = rng_below(r, b->size + 1); break;
  case 1: flip_bit(b, image->size - IMAGE_TRAILER_SIZE, IMAGE_TRAILER_SIZE, r); break;
  case 2: flip_bit(b, table, 8 * (size_t)image->count, r); break;
  case 3:
    if (table + 8 * index + 8 <= b->size) put_be32(b->at + table + 8 * index + 4, rng_below(r, 2) ? odd_number(r) : s->length + (uint32_t)rng_below(r, 17) - 8);
    break;
  case 4:
    if (image->size <= b->size) put_be32(b->at + image->size - IMAGE_TRAILER_SIZE, rng_below(r, 2) ? (uint32_t)rng_below(r, 20) : odd_number(r));
    break;
  case 5: flip_bit(b, 0, b->size, r); break;
  case 6: flip_bit(b, s->offset, s->length, r); break;
  case 7:
  case 8: change_code_word(b, code, r); break;
  case 9:
  case 10: change_data_byte(b, data, r); break;
  case 11: resize_section(b, image, index, r); break;
  }
}

/* ---- One mutation ---- */

static enum outcome load(const struct buffer *b)
{
  char why[LOAD_MESSAGE_SIZE] = "";
  struct image image;
  struct program program;
  enum outcome outcome = SOUND;
  switch (image_of_memory(&image, b->at, b->size, why)) {
  case IMAGE_OK: break;
  case IMAGE_WRONG_MAGIC: return OTHER_MAGIC;
  default: return NO_TABLE;
  }
  switch (program_load(&image, false, &program, why)) {
  case LOAD_OK:
    caml_global_data = program.globals;
    gc_minor(domain_self());
    program_drop(&program);
    break;
  case LOAD_DAMAGED: outcome = DAMAGED; break;
  case LOAD_UNLINKABLE: outcome = UNLINKABLE; break;
  }
  image_close(&image);
  if (outcome != SOUND && why[0] == 0) fail("refused without a message");
  return outcome;
}

static int debug_file = -1;

static void read_debuginfo(const struct buffer *b)
{
  static const opcode_t code[1];
  static char path[32];
  if (debug_file < 0) {
    debug_file = memfd_create("image_fuzz", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", debug_file);
    debuginfo_set_program(code, 1, path);
  }
  if (debug_file < 0 || ftruncate(debug_file, 0) != 0 || pwrite(debug_file, b->at, b->size, 0) != (ssize_t)b->size) fail("no memory file");
  debuginfo_read_program();
}

static void one(struct file *files, size_t count, uint64_t at, struct buffer *b)
{
  struct file *f = &files[at % count];
  struct rng r = {fuzz.seed * 0x9e3779b97f4a7c15u ^ at};
  fuzz.at = at;
  memcpy(b->at, f->bytes, f->size);
  b->size = f->size;
  size_t mutations = 1 + (rng_below(&r, 3) == 0 ? rng_below(&r, 8) : 0);
  for (size_t i = 0; i < mutations; i++) mutate_once(b, &f->image, &r);
  fuzz.outcomes[load(b)]++;
  if (at % 16 == 0) read_debuginfo(b);
  if (at % 512 == 511) {
    watch_set(WATCH_SECONDS);
    gc_full_major(domain_self());
    globals_install_predefined();
    if (os_peak_rss() > MEMORY_LIMIT) fail("too much memory");
  }
}

/* ---- The run ---- */

static void file_read(struct file *f, const char *name)
{
  int fd = open(name, O_RDONLY);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) != 0 || !(f->bytes = malloc((size_t)st.st_size + 1)) ||
      read(fd, f->bytes, (size_t)st.st_size) != st.st_size) {
    perror(name);
    exit(2);
  }
  close(fd);
  f->name = name;
  f->size = (size_t)st.st_size;
  if (image_of_memory(&f->image, f->bytes, f->size, NULL) != IMAGE_OK || f->image.count == 0 ||
      !image_section(&f->image, "CODE") || !image_section(&f->image, "DATA")) {
    fprintf(stderr, "%s: not a bytecode executable\n", name);
    exit(2);
  }
}

static void start(void)
{
  struct gc_params params = gc_params_default;
  params.heap_limit = HEAP_LIMIT;
  params.verify = 1;
  startup_runtime(&params);
#if !UNDER_ASAN && !UNDER_TSAN
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, WATCH_SIGNAL};
  for (size_t i = 0; i < countof(fatal); i++) signal(fatal[i], on_signal);
#else
  signal(SIGABRT, on_signal);
  signal(WATCH_SIGNAL, on_signal);
#endif
  atexit(on_exit_early);
}

int main(int argc, char **argv)
{
  uint64_t count = 5000, only = UINT64_MAX;
  struct file *files = calloc((size_t)argc + 1, sizeof *files);
  size_t n = 0, largest = 0;
  for (int i = 1; i < argc; i++) {
    bool has_value = i + 1 < argc;
    if (strcmp(argv[i], "--seed") == 0 && has_value) fuzz.seed = strtoull(argv[++i], NULL, 0);
    else if (strcmp(argv[i], "--count") == 0 && has_value) count = strtoull(argv[++i], NULL, 0);
    else if (strcmp(argv[i], "--only") == 0 && has_value) only = strtoull(argv[++i], NULL, 0);
    else file_read(&files[n++], argv[i]);
  }
  if (n == 0) {
    fputs("usage: image_fuzz [--seed N] [--count N] [--only I] FILE...\n", stderr);
    return 2;
  }
  for (size_t i = 0; i < n; i++) largest = files[i].size > largest ? files[i].size : largest;
  struct buffer b = {.room = largest + 65536};
  b.at = malloc(b.room);
  start();
  watch_set(WATCH_SECONDS);
  if (only != UINT64_MAX)
    one(files, n, only, &b);
  else
    for (uint64_t at = 0; at < count; at++) one(files, n, at, &b);
  fuzz.finished = true;
  printf("seed=%llu:", (unsigned long long)fuzz.seed);
  for (size_t i = 0; i < countof(outcome_names); i++) printf(" %zu %s,", fuzz.outcomes[i], outcome_names[i]);
  printf(" peak %zu MB\n", os_peak_rss() >> 20);
  return 0;
}
