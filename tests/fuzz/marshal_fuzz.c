/* SPDX-License-Identifier: MIT */
/* The marshaller against broken messages: each must be read, or refused by
 * Failure, End_of_file or Out_of_memory; what it leaves in the heap must be
 * sound. Run it in the asan build.
 *
 * usage: marshal_fuzz [--seed N] [--count N] [FILE...]
 *
 * The messages are made here, of random graphs with all kinds of blocks, and
 * first come back unchanged; files with messages may be added (from offset 0). A mutation flips
 * bits, sets bytes and lengths, cuts, joins pieces of messages, and often repairs
 * the header's claims so that the damage lies deeper. Every 1000th run the verifier looks at
 * the whole heap, where the last messages' values still live. */
#include "abi/codefrag.h"
#include "abi/runtime.h"
#include "base/bits.h"
#include "base/rng.h"
#include "bytecode/guard.h"
#include "bytecode/startup.h"
#include "prims/bigarray.h"
#include "prims/marshal.h"

#include <stdio.h>
#include <stdlib.h>

value caml_output_value_to_bytes(value v, value flags);
void caml_output_value_to_malloc(value v, value flags, char **to, intnat *size);
value caml_obj_reachable_words(value v);
value caml_zstd_initialize(value unit);
void caml_serialize_int_8(int64_t n);
int64_t caml_deserialize_sint_8(void);
_Noreturn void caml_deserialize_error(char *message);

enum { MESSAGES = 400, POOL = 64, VERIFY_EVERY = 1000, KEPT = 32, CANARY_WORDS = 200 };

struct message {
  unsigned char *bytes;
  size_t size;
  unsigned flags;
};

static struct rng rng;
static VEC(struct message) messages = VEC_EMPTY;
static unsigned long passed, failed;

static void check(bool ok, const char *what, unsigned long number)
{
  if (ok) {
    passed++;
  } else {
    failed++;
    fprintf(stderr, "FAILED %s (number %lu)\n", what, number);
  }
}

/* ---- A custom block that knows whether it is sound ---- */

enum { SOUND = 0x600d };

static void fuzz_finalise(value v)
{
  if (*(intnat *)Data_custom_val(v) != SOUND) bac_fatal("the finaliser of an unfinished block was called");
}

static void fuzz_serialise(value v, uintnat *bsize_32, uintnat *bsize_64)
{
  caml_serialize_int_8(*(int64_t *)Data_custom_val(v));
  *bsize_32 = *bsize_64 = 8;
}

static uintnat fuzz_deserialise(void *to)
{
  int64_t n = caml_deserialize_sint_8();
  if (n != SOUND) caml_deserialize_error("input_value: not sound");
  *(int64_t *)to = n;
  return 8;
}

static const struct custom_fixed_length fuzz_length = {8, 8};
static const struct custom_operations fuzz_ops = {
    .identifier = "_fuzz",
    .finalize = fuzz_finalise,
    .serialize = fuzz_serialise,
    .deserialize = fuzz_deserialise,
    .fixed_length = &fuzz_length,
};

/* ---- Values ---- */

static char code_area[256];

/* A closure of two functions with one variable, as the interpreter lays it out. */
static value make_closure(value variable)
{
  LOCAL_ROOTS(&variable);
  value v = caml_alloc_small(6, Closure_tag);
  Field(v, 0) = (value)&code_area[16];
  Field(v, 1) = Make_closinfo(0, 5);
  Field(v, 2) = (value)Make_header(3, Infix_tag, 0);
  Field(v, 3) = (value)&code_area[32];
  Field(v, 4) = Make_closinfo(0, 2);
  Field(v, 5) = variable;
  return rng_below(&rng, 2) ? v : v + (value)Bsize_wsize(3);
}

static value make_bigarray(void)
{
  static const int kinds[] = {CAML_BA_FLOAT64, CAML_BA_CAML_INT, CAML_BA_UINT8, CAML_BA_UINT16};
  intnat rows = (intnat)rng_below(&rng, 5), columns = (intnat)rng_below(&rng, 9);
  value v = caml_ba_alloc_dims(kinds[rng_below(&rng, countof(kinds))], 2, NULL, rows, columns);
  memset(Caml_ba_data_val(v), 7, caml_ba_byte_size(Caml_ba_array_val(v)));
  return v;
}

static value make_custom(void)
{
  value v = caml_alloc_custom(&fuzz_ops, 8, 0, 1);
  *(int64_t *)Data_custom_val(v) = SOUND;
  return v;
}

/* With a negative identity, which is not renewed. */
static value make_object(value state)
{
  LOCAL_ROOTS(&state);
  value v = caml_alloc_small(3, Object_tag);
  Field(v, 0) = Val_unit;
  Field(v, 1) = Val_int(-5);
  Field(v, 2) = state;
  return v;
}

static value make_int(void)
{
  intnat n = (intnat)rng_next(&rng) >> rng_below(&rng, 63);
  return Val_long(n);
}

/* A block of what the pool holds so far. */
static value make_block(value *pool, size_t have)
{
  mlsize_t size = rng_below(&rng, 16) == 0 ? rng_below(&rng, 300) : rng_below(&rng, 9);
  tag_t tag = (tag_t)rng_below(&rng, rng_below(&rng, 4) == 0 ? Forcing_tag : 16);
  value v = caml_alloc(size, tag);
  for (mlsize_t i = 0; i < size; i++)
    Store_field(v, i, have == 0 || rng_below(&rng, 3) == 0 ? make_int() : pool[rng_below(&rng, have)]);
  return v;
}

static value make_any(value *pool, size_t have)
{
  switch (rng_below(&rng, 20)) {
  case 0: return make_int();
  case 1: return caml_alloc_initialized_string(rng_below(&rng, 40), code_area);
  case 2: return caml_alloc_initialized_string(rng_below(&rng, 200), code_area);
  case 3: return caml_copy_double((double)rng_next(&rng));
  case 4: {
    value v = caml_alloc_float_array(1 + rng_below(&rng, 20));
    memset(Op_val(v), 1, Bosize_val(v));
    return v;
  }
  case 5: return caml_copy_int32((int32_t)rng_next(&rng));
  case 6: return caml_copy_int64((int64_t)rng_next(&rng));
  case 7: return caml_copy_nativeint((intnat)rng_next(&rng) >> rng_below(&rng, 40));
  case 8: return make_bigarray();
  case 9:
  case 10: return make_closure(have > 0 ? pool[have - 1] : Val_unit);
  case 11: return make_custom();
  case 12: return make_object(have > 0 ? pool[have - 1] : Val_unit);
  default: return make_block(pool, have);
  }
}

static value make_list(size_t length)
{
  value list = Val_emptylist;
  LOCAL_ROOTS(&list);
  while (length-- > 0) list = caml_alloc_2(Tag_cons, make_int(), list);
  return list;
}

static value make_graph(void)
{
  if (rng_below(&rng, 16) == 0) return make_list(1 + rng_below(&rng, 700));
  value pool[POOL];
  size_t count = 1 + rng_below(&rng, 1 + rng_below(&rng, POOL));
  for (size_t i = 0; i < count; i++) pool[i] = Val_unit;
  LOCAL_ROOT_ARRAY(pool, (intnat)count);
  for (size_t i = 0; i < count; i++) pool[i] = make_any(pool, i);
  for (size_t i = 0; i < count; i++)
    if (rng_below(&rng, 8) == 0 && Is_block(pool[i]) && Tag_val(pool[i]) < 16 && Wosize_val(pool[i]) > 0)
      Store_field(pool[i], 0, pool[rng_below(&rng, count)]);
  return pool[count - 1];
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

/* ---- Messages ---- */

struct writing { value v; unsigned flags; struct message *out; };

static value write_message(void *arg)
{
  struct writing *w = arg;
  char *bytes;
  intnat size;
  LOCAL_ROOTS(&w->v);
  value flags = flag_list(w->flags);
  caml_output_value_to_malloc(w->v, flags, &bytes, &size);
  *w->out = (struct message){(unsigned char *)bytes, (size_t)size, w->flags};
  return Val_unit;
}

static value read_message(void *arg)
{
  const struct message *m = arg;
  return marshal_read_memory((const char *)m->bytes, m->size);
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
    v = Field(v, first + rng_below(&rng, size - first));
  }
}

/* The last values that were read stay alive, for the verifier. */
static value kept[KEPT];

/* What is read may be walked: writes it again, and counts it. The block above it
 * in the nursery is as it was. */
static value use_message(void *arg)
{
  const struct message *m = arg;
  value canary = caml_alloc_small(CANARY_WORDS, 0), v = Val_unit;
  for (mlsize_t i = 0; i < CANARY_WORDS; i++) Field(canary, i) = Val_long(i);
  LOCAL_ROOTS(&v, &canary);
  v = read_message(arg);
  for (mlsize_t i = 0; i < CANARY_WORDS; i++) CHECK(Field(canary, i) == Val_long(i));
  for (int i = 0; i < 10; i++) walk(v);
  kept[m->size % KEPT] = v;
  value flags = flag_list(MARSHAL_CLOSURES | (m->size % 2 ? 0 : MARSHAL_COMPRESSION));
  caml_obj_reachable_words(v);
  caml_output_value_to_bytes(v, flags);
  return Val_unit;
}

static bool roundtrip(struct message *m)
{
  value v = guard_call(read_message, m);
  if (Is_exception_result(v)) return false;
  struct message again = {0};
  struct writing w = {v, m->flags, &again};
  value result = guard_call(write_message, &w);
  bool same = !Is_exception_result(result) && again.size == m->size && memcmp(again.bytes, m->bytes, m->size) == 0;
  free(again.bytes);
  return same;
}

static void make_messages(void)
{
  static const unsigned flags[] = {0, MARSHAL_NO_SHARING, MARSHAL_COMPRESSION};
  while (messages.len < MESSAGES) {
    struct message m;
    value v = make_graph();
    struct writing w = {v, MARSHAL_CLOSURES | flags[rng_below(&rng, 3)], &m};
    /* A cycle without sharing would be written for ever. */
    if (w.flags & MARSHAL_NO_SHARING) w.v = make_any(NULL, 0);
    if (Is_exception_result(guard_call(write_message, &w))) continue;
    *vec_push(&messages) = m;
    check(roundtrip(&m), "a message came back changed", messages.len);
  }
}

static void read_file(const char *name)
{
  FILE *f = fopen(name, "rb");
  if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
    perror(name);
    exit(2);
  }
  size_t size = (size_t)ftell(f);
  rewind(f);
  unsigned char *bytes = malloc(size + 1);
  if (fread(bytes, 1, size, f) != size) exit(2);
  fclose(f);
  *vec_push(&messages) = (struct message){bytes, size, 0};
}

/* ---- Mutations ---- */

static void set_be(unsigned char *at, int bytes, uint64_t n)
{
  for (int i = bytes; i-- > 0; n >>= 8) at[i] = (unsigned char)n;
}

static uint64_t odd_number(void)
{
  uint64_t n = rng_next(&rng);
  return rng_below(&rng, 2) ? n >> rng_below(&rng, 64) : -(n >> 56);
}

/* An item as a reader might find it, of the kinds that ask for the most care. */
static size_t make_item(unsigned char item[16])
{
  switch (rng_below(&rng, 6)) {
  case 0:
    item[0] = CODE_BLOCK32;
    set_be(item + 1, 4, Make_header(rng_below(&rng, 6), (tag_t)(Forcing_tag + rng_below(&rng, 12)), 0));
    return 5;
  case 1:
    item[0] = CODE_SHARED8;
    item[1] = (unsigned char)rng_below(&rng, 20);
    return 2;
  case 2:
    item[0] = CODE_INFIXPOINTER;
    set_be(item + 1, 4, 8 * rng_below(&rng, 8));
    item[5] = CODE_SHARED8;
    item[6] = (unsigned char)rng_below(&rng, 10);
    return 7;
  case 3:
    item[0] = rng_below(&rng, 2) ? CODE_DOUBLE_ARRAY64_LITTLE : CODE_STRING64;
    set_be(item + 1, 8, ((uint64_t)1 << 61) + rng_below(&rng, 4));
    return 9;
  case 4:
    item[0] = CODE_INT8;
    item[1] = (unsigned char)rng_next(&rng);
    return 2;
  default:
    item[0] = (unsigned char)(PREFIX_SMALL_BLOCK + rng_below(&rng, 128));
    return 1;
  }
}

static void copy_piece(struct message *to, size_t at, const struct message *from)
{
  size_t start = rng_below(&rng, from->size);
  memmove(to->bytes + at, from->bytes + start, min_size(to->size - at, from->size - start));
}

static void mutate_once(struct message *m)
{
  unsigned char item[16];
  size_t at = rng_below(&rng, m->size), left = m->size - at;
  switch (rng_below(&rng, 11)) {
  case 0: m->bytes[at] ^= (unsigned char)(1u << rng_below(&rng, 8)); break;
  case 1: m->bytes[at] = (unsigned char)rng_next(&rng); break;
  case 2: m->bytes[at] = (unsigned char)rng_below(&rng, CODE_CUSTOM_FIXED + 2); break;
  case 3: m->bytes[min_size(rng_below(&rng, MARSHAL_BIG_HEADER), m->size - 1)] = (unsigned char)rng_next(&rng); break;
  case 4: if (left >= 4) set_be(m->bytes + at, 4, odd_number()); break;
  case 5: if (left >= 8) set_be(m->bytes + at, 8, odd_number()); break;
  case 6: m->size = max_size(at, 1); break;
  case 7: copy_piece(m, at, &messages.at[rng_below(&rng, messages.len)]); break;
  case 8: copy_piece(m, at, m); break;
  default: {
    size_t size = make_item(item);
    if (size <= left) memcpy(m->bytes + at, item, size);
  }
  }
}

/* Makes the claims of a small header true of the size, and generous. */
static void repair_header(struct message *m)
{
  if (m->size < MARSHAL_SMALL_HEADER) return;
  set_be(m->bytes, 4, MARSHAL_MAGIC_SMALL);
  set_be(m->bytes + 4, 4, m->size - MARSHAL_SMALL_HEADER);
  set_be(m->bytes + 8, 4, rng_below(&rng, rng_below(&rng, 2) ? 10 : m->size));
  set_be(m->bytes + 16, 4, rng_below(&rng, 2) ? 20 + rng_below(&rng, 238) : 4 * m->size);
}

/* A copy of its own, so that a read past the end is seen. */
static struct message mutation(void)
{
  const struct message *from = &messages.at[rng_below(&rng, messages.len)];
  struct message m = {malloc(from->size), from->size, from->flags};
  memcpy(m.bytes, from->bytes, from->size);
  for (uint64_t n = 1 + rng_below(&rng, 4); n > 0; n--) mutate_once(&m);
  if (rng_below(&rng, 2)) repair_header(&m);
  m.bytes = realloc(m.bytes, m.size);
  return m;
}

static bool is_documented(value exn)
{
  value failure = Field(caml_global_data, EXN_FAILURE);
  return exn == Field(caml_global_data, EXN_OUT_OF_MEMORY) || exn == Field(caml_global_data, EXN_END_OF_FILE) ||
         (Tag_val(exn) == 0 && Field(exn, 0) == failure);
}

static void run_mutations(unsigned long runs)
{
  struct domain *d = Caml_state->domain;
  unsigned long fine = 0;
  for (unsigned long i = 1; i <= runs; i++) {
    struct message m = mutation();
    value result = guard_call(use_message, &m);
    bool refused = Is_exception_result(result);
    if (!refused) fine++;
    if (refused && !is_documented(Extract_exception(result))) check(false, "another exception", i);
    else passed++;
    free(m.bytes);
    if (i % VERIFY_EVERY == 0) {
      if (i % (8 * VERIFY_EVERY) == 0) gc_compact(d);
      gc_verify(d);
    }
  }
  printf("%lu mutations, %lu were read\n", runs, fine);
}

int main(int argc, char **argv)
{
  unsigned long count = 100000;
  struct gc_params params = gc_params_default;
  rng.state = 20241122;
  params.heap_limit = (size_t)2 << 30;
  startup_runtime(&params);
  caml_zstd_initialize(Val_unit);
  codefrag_register(code_area, code_area + sizeof code_area, (const unsigned char *)"a digest of code", NULL);
  caml_register_custom_operations(&fuzz_ops);
  for (int i = 0; i < KEPT; i++) {
    kept[i] = Val_unit;
    gc_root_add(&kept[i]);
  }
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) rng.state = strtoul(argv[++i], NULL, 0);
    else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) count = strtoul(argv[++i], NULL, 0);
    else read_file(argv[i]);
  }
  uint64_t seed = rng.state;
  make_messages();
  run_mutations(count);
  printf("seed=%lu: %lu passed, %lu failed\n", (unsigned long)seed, passed, failed);
  return failed != 0;
}
