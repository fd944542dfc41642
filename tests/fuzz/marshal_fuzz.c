/* SPDX-License-Identifier: MIT */
/* The reader of marshalled values against broken messages: each must be read, or refused by
 * Failure, End_of_file or Out_of_memory. What is read must be sound, what a refused message leaves in the heap as well, and
 * neither may take more memory than the header's checked claims allow. Run it in the asan build.
 *
 * usage: marshal_fuzz [--seed N] [--count N] [--from I] [FILE...]
 *
 * The samples are messages of random graphs with all kinds of blocks, which first come back unchanged; files with messages may be
 * added. Then they are damaged (marshal/damage.c) and read, each by one of the ways in, every 16th by all of them,
 * which must agree. Every 1000th time the verifier looks at the whole heap, where the last values still live. Mutation I of seed
 * N depends on N and I alone: a crash names both, and `--from I --count 1` repeats it. The program is linked so that calls of malloc and free come here
 * (mk/tests.mk). */
#include "fuzz/marshal/fuzz.h"
#include "fuzz/watch.h"

#include "abi/codefrag.h"
#include "abi/runtime.h"
#include "base/bits.h"
#include "bytecode/guard.h"
#include "bytecode/startup.h"
#include "prims/io.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

value caml_output_value_to_bytes(value v, value flags);
value caml_input_value_from_bytes(value bytes, value start);
value caml_input_val_from_bytes(value bytes, intnat start);
value caml_input_value_from_block(const char *data, intnat size);
value caml_input_value_from_malloc(char *memory, intnat start);
value caml_input_val(struct channel *c);
value caml_marshal_data_size(value bytes, value start);
value caml_obj_reachable_words(value v);
value caml_zstd_initialize(value unit);

enum { SAMPLES = 400, VERIFY_EVERY = 1000, KEPT = 32, CANARY_WORDS = 200 };

static struct {
  uint64_t seed, at;
  unsigned long passed, failed, read;
} fuzz = {.seed = 20241122};

/* ---- Failures ---- */

static void report(const char *what)
{
  char line[160];
  int n = snprintf(line, sizeof line, "marshal_fuzz: %s: repeat with --seed %llu --from %llu --count 1\n", what,
                   (unsigned long long)fuzz.seed, (unsigned long long)fuzz.at);
  if (write(STDOUT_FILENO, line, (size_t)n) != n) _exit(3);
}

static void check(bool ok, const char *what)
{
  if (ok) {
    fuzz.passed++;
  } else {
    fuzz.failed++;
    report(what);
  }
}

static void on_signal(int signo)
{
  report(signo == WATCH_SIGNAL ? "too slow" : signo == SIGABRT ? "aborted" : "crashed");
  signal(signo, SIG_DFL);
  raise(signo);
}

/* ---- Memory ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);

/* Bytes on the C heap, since the measuring began. */
static struct { intnat now, peak; } outside;

static void *outside_add(void *p)
{
  outside.now += (intnat)malloc_usable_size(p);
  if (outside.now > outside.peak) outside.peak = outside.now;
  return p;
}

void *__wrap_malloc(size_t size) { return outside_add(__real_malloc(size)); }
void *__wrap_calloc(size_t n, size_t size) { return outside_add(__real_calloc(n, size)); }

void __wrap_free(void *p)
{
  outside.now -= (intnat)malloc_usable_size(p);
  __real_free(p);
}

/* The old memory may live beside the new. */
void *__wrap_realloc(void *p, size_t size)
{
  intnat old = (intnat)malloc_usable_size(p);
  void *q = __real_realloc(p, size);
  if (q == NULL) return NULL;
  outside_add(q);
  outside.now -= old;
  return q;
}

static uint64_t allocated_words(void)
{
  uint64_t minor, promoted, major;
  gc_counters(Caml_state->domain, &minor, &promoted, &major);
  return minor + major - promoted;
}

/* The most that a reading may take. docs/design/marshal.md, "Reading", has the reasons for the factors. */
struct allowance { uint64_t words; size_t outside; };

static struct allowance allowance(const struct message *m)
{
  enum { WORDS_SPARE = 400, BYTES_SPARE = 256 << 10, CHANNEL_PIECE = 16 << 20 };
  struct allowance a = {WORDS_SPARE, BYTES_SPARE};
  struct marshal_header h;
  if (marshal_header_parse(m->bytes, m->size, &h) != NULL) return a;
  a.outside += min_size(h.data_size, CHANNEL_PIECE) + 3 * m->size;
  if (h.compressed && h.data_size > m->size) return a;
  size_t plain = h.compressed ? h.plain_size : min_size(h.plain_size, m->size);
  a.words += min_size(h.words, 3 * plain);
  a.outside += 68 * plain;
  bool custom = h.compressed || memchr(m->bytes, CODE_CUSTOM_LEN, m->size) != NULL;
  if (custom) a.outside += min_size(h.words, SIZE_MAX / 64) * sizeof(value);
  return a;
}

/* ---- Ways in ---- */

enum way { FROM_MEMORY, FROM_BLOCK, FROM_MALLOC, FROM_BYTES, FROM_BYTES_IN_C, FROM_BUFFER, FROM_CHANNEL, WAYS };

static struct channel *channel;

/* The first [buffered] bytes are at the very end of the channel's buffer, the others in its file. */
static void channel_fill_with(const struct message *m, size_t buffered)
{
  size_t rest = m->size - buffered;
  bool fine = ftruncate(channel->fd, 0) == 0 && pwrite(channel->fd, m->bytes + buffered, rest, 0) == (ssize_t)rest &&
              lseek(channel->fd, 0, SEEK_SET) == 0;
  CHECK(fine);
  channel->max = channel->end;
  channel->curr = channel->end - buffered;
  memcpy(channel->curr, m->bytes, buffered);
}

/* A message that its header says is all there: the caller of this entry vouches for it. */
static bool is_whole(const struct message *m)
{
  struct marshal_header h;
  return m->size >= MARSHAL_MAX_HEADER && marshal_header_parse(m->bytes, m->size, &h) == NULL &&
         h.data_size <= m->size - h.header_size;
}

static char *copy_of(const struct message *m)
{
  char *copy = malloc(m->size);
  memcpy(copy, m->bytes, m->size);
  return copy;
}

struct input {
  const struct message *m;
  enum way way;
  value bytes;           /* FROM_BYTES...: an OCaml copy, the message from [start] on */
  intnat start;
};

static value read_input(void *arg)
{
  const struct input *in = arg;
  const struct message *m = in->m;
  switch (in->way) {
  case FROM_BLOCK: return caml_input_value_from_block((const char *)m->bytes, (intnat)m->size);
  case FROM_MALLOC: return caml_input_value_from_malloc(copy_of(m), 0);
  case FROM_BYTES: return caml_input_value_from_bytes(in->bytes, Val_long(in->start));
  case FROM_BYTES_IN_C: return caml_input_val_from_bytes(in->bytes, in->start);
  case FROM_BUFFER:
  case FROM_CHANNEL: return caml_input_val(channel);
  default: return marshal_read_memory((const char *)m->bytes, m->size);
  }
}

static void input_prepare(struct input *in)
{
  const struct message *m = in->m;
  if (in->way == FROM_MALLOC && !is_whole(m)) in->way = FROM_BLOCK;
  if (in->way == FROM_BUFFER) channel_fill_with(m, min_size(m->size, IO_BUFFER_SIZE));
  if (in->way == FROM_CHANNEL) channel_fill_with(m, below(1 + min_size(m->size, IO_BUFFER_SIZE)));
  if (in->way != FROM_BYTES && in->way != FROM_BYTES_IN_C) return;
  in->start = (intnat)below(20);
  in->bytes = caml_alloc_string(m->size + (size_t)in->start);
  memset((void *)in->bytes, 0x5a, (size_t)in->start);
  memcpy((char *)in->bytes + in->start, m->bytes, m->size);
}

/* ---- Verdicts ---- */

static bool is_documented(value exn)
{
  value failure = Field(caml_global_data, EXN_FAILURE);
  return exn == Field(caml_global_data, EXN_OUT_OF_MEMORY) || exn == Field(caml_global_data, EXN_END_OF_FILE) ||
         (Tag_val(exn) == 0 && Field(exn, 0) == failure);
}

/* Is this a block that a message may contain? Answers its first field that is a value. */
static mlsize_t check_block(value v)
{
  mlsize_t env = 0;
  CHECK(Tag_val(v) != Infix_tag && Tag_val(v) != Cont_tag && Tag_val(v) != Abstract_tag);
  if (Tag_val(v) == Closure_tag) {
    env = Start_env_closinfo(Closinfo_val(v));
    CHECK(env >= 2 && env <= Wosize_val(v));
    CHECK(codefrag_find_pc(Code_val(v)) != NULL);
  }
  return env;
}

/* Follows fields at random from v. */
static void walk(value v)
{
  for (int steps = 0; steps < 50 && Is_block(v); steps++) {
    if (Tag_val(v) == Infix_tag) {
      size_t offset = Infix_offset_hd(Hd_val(v));
      v -= (value)offset;
      CHECK(Tag_val(v) == Closure_tag && offset < Bosize_val(v));
    }
    mlsize_t first = check_block(v), size = Wosize_val(v);
    if (Tag_val(v) >= No_scan_tag || first == size) return;
    v = Field(v, first + below(size - first));
  }
}

/* [bits] is of enum marshal_flags. */
static value flag_list(unsigned bits)
{
  value list = Val_emptylist;
  LOCAL_ROOTS(&list);
  for (int i = 0; i < 4; i++)
    if (bits >> i & 1) list = caml_alloc_2(Tag_cons, Val_int(i), list);
  return list;
}

/* The last values that were read stay alive, for the verifier. */
static value kept[KEPT];

/* What was read can be walked, counted and written. */
static value use_value(void *arg)
{
  value v = *(value *)arg;
  LOCAL_ROOTS(&v);
  for (int i = 0; i < 10; i++) walk(v);
  kept[below(KEPT)] = v;
  value flags = flag_list(MARSHAL_CLOSURES | (one_in(64) ? MARSHAL_COMPRESSION : 0));
  caml_obj_reachable_words(v);
  caml_output_value_to_bytes(v, flags);
  return Val_unit;
}

static value guard_data_size(void *arg)
{
  const struct input *in = arg;
  return caml_marshal_data_size(in->bytes, Val_long(one_in(4) ? (intnat)rng_next(&fuzz_rng) >> below(64) : in->start));
}

/* Reads it one way: was it read? The block above it in the nursery is as it was, and memory within bounds. */
static bool try_way(const struct message *m, enum way way)
{
  struct input in = {m, way, Val_unit, 0};
  value canary = caml_alloc_small(CANARY_WORDS, 0), v;
  for (mlsize_t i = 0; i < CANARY_WORDS; i++) Field(canary, i) = Val_long(i);
  LOCAL_ROOTS(&canary, &in.bytes);
  input_prepare(&in);
  if (Is_block(in.bytes)) guard_call(guard_data_size, &in);
  struct allowance most = allowance(m);
  uint64_t words = allocated_words();
  outside.now = outside.peak = 0;
  v = guard_call(read_input, &in);
  words = allocated_words() - words;
  if (words > most.words) check(false, "too much of the heap");
  if ((size_t)outside.peak > most.outside) check(false, "too much of the C heap");
  for (mlsize_t i = 0; i < CANARY_WORDS; i++) CHECK(Field(canary, i) == Val_long(i));
  bool refused = Is_exception_result(v);
  check(!refused || is_documented(Extract_exception(v)), "another exception");
  if (!refused) guard_call(use_value, &v);
  return !refused;
}

static void try_message(const struct message *m)
{
  bool was_read = try_way(m, (enum way)below(WAYS));
  fuzz.read += was_read;
  if (!one_in(16)) return;
  for (enum way w = FROM_MEMORY; w < WAYS; w++) check(try_way(m, w) == was_read, "two ways in do not agree");
}

static void run_mutations(const samples *from, uint64_t first, uint64_t count)
{
  struct domain *d = Caml_state->domain;
  for (fuzz.at = first; fuzz.at < first + count; fuzz.at++) {
    fuzz_rng.state = fuzz.seed + fuzz.at * 0xd1342543de82ef95u;
    struct message m = damage(from);
    try_message(&m);
    free(m.bytes);
    if (fuzz.at % VERIFY_EVERY != 0) continue;
    if (fuzz.at % (8 * VERIFY_EVERY) == 0) gc_compact(d);
    gc_verify(d);
    watch_set(WATCH_SECONDS);
  }
  watch_set(0);
}

/* ---- Samples ---- */

struct writing { value v; unsigned flags; struct message *out; };

static value write_message(void *arg)
{
  struct writing *w = arg;
  char *bytes;
  intnat size;
  LOCAL_ROOTS(&w->v);
  value flags = flag_list(w->flags);
  caml_output_value_to_malloc(w->v, flags, &bytes, &size);
  *w->out = (struct message){(unsigned char *)bytes, (size_t)size};
  return Val_unit;
}

static bool comes_back(const struct sample *s)
{
  struct input in = {&s->whole, FROM_MEMORY, Val_unit, 0};
  value v = guard_call(read_input, &in);
  if (Is_exception_result(v)) return false;
  struct message again = {0};
  struct writing w = {v, s->flags, &again};
  value result = guard_call(write_message, &w);
  bool same = !Is_exception_result(result) && again.size == s->whole.size &&
              memcmp(again.bytes, s->whole.bytes, again.size) == 0;
  free(again.bytes);
  return same;
}

static void sample_add(samples *to, struct message m, unsigned flags)
{
  struct marshal_header h;
  CHECK(marshal_header_parse(m.bytes, m.size, &h) == NULL && h.data_size == m.size - h.header_size);
  struct sample s = {m, m.bytes + h.header_size, h.plain_size, flags};
  if (h.compressed) {
    s.data = malloc(h.plain_size);
    CHECK(caml_intern_decompress_input(s.data, h.plain_size, m.bytes + h.header_size, h.data_size) == h.plain_size);
  }
  *vec_push(to) = s;
}

static void make_samples(samples *to)
{
  static const unsigned kinds[] = {0, MARSHAL_NO_SHARING, MARSHAL_COMPRESSION};
  for (fuzz.at = 0; to->len < SAMPLES; fuzz.at++) {
    struct message m;
    unsigned flags = MARSHAL_CLOSURES | kinds[below(countof(kinds))];
    /* A cycle without sharing would be written for ever. */
    struct writing w = {graphs_make((flags & MARSHAL_NO_SHARING) != 0), flags, &m};
    if (Is_exception_result(guard_call(write_message, &w))) continue;
    sample_add(to, m, flags);
    check(comes_back(&to->at[to->len - 1]), "a message came back changed");
  }
}

static struct message read_file(const char *name)
{
  FILE *f = fopen(name, "rb");
  if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
    perror(name);
    exit(2);
  }
  struct message m = {NULL, (size_t)ftell(f)};
  m.bytes = malloc(m.size + 1);
  rewind(f);
  if (fread(m.bytes, 1, m.size, f) != m.size) exit(2);
  fclose(f);
  return m;
}

/* ---- */

static void start(void)
{
  struct gc_params params = gc_params_default;
  params.heap_limit = (size_t)2 << 30;
  startup_runtime(&params);
  caml_zstd_initialize(Val_unit);
  graphs_init();
  channel = caml_open_descriptor_in(memfd_create("message", 0));
  for (int i = 0; i < KEPT; i++) {
    kept[i] = Val_unit;
    gc_root_add(&kept[i]);
  }
  static const int signals[] = {WATCH_SIGNAL, SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  for (size_t i = 0; i < countof(signals); i++) signal(signals[i], on_signal);
}

int main(int argc, char **argv)
{
  uint64_t first = 1, count = 100000;
  samples all = VEC_EMPTY;
  start();
  for (int i = 1; i < argc; i++) {
    if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) fuzz.seed = strtoul(argv[++i], NULL, 0);
    else if (i + 1 < argc && strcmp(argv[i], "--count") == 0) count = strtoul(argv[++i], NULL, 0);
    else if (i + 1 < argc && strcmp(argv[i], "--from") == 0) first = strtoul(argv[++i], NULL, 0);
    else sample_add(&all, read_file(argv[i]), 0);
  }
  fuzz_rng.state = fuzz.seed;
  make_samples(&all);
  run_mutations(&all, first, count);
  printf("%lu mutations, %lu were read\n", (unsigned long)count, fuzz.read);
  printf("seed=%lu: %lu passed, %lu failed\n", (unsigned long)fuzz.seed, fuzz.passed, fuzz.failed);
  return fuzz.failed != 0;
}
