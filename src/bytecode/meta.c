/* SPDX-License-Identifier: MIT */
/* Code that a running program makes: the primitives of bytecomp/meta.ml, for
 * the toplevel and for Dynlink. Stateless. */
#include "bytecode/meta.h"

#include "abi/codefrag.h"
#include "bytecode/bytecode.h"
#include "bytecode/check.h"
#include "bytecode/debugger.h"
#include "bytecode/debuginfo.h"
#include "bytecode/dynlink.h"
#include "bytecode/fiber.h"
#include "bytecode/opcodes.h"
#include "prims/bigarray.h"
#include "prims/md5.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Fragments ---- */

static void code_digest_plain(const opcode_t *code, size_t words, unsigned char digest[CODEFRAG_DIGEST_SIZE])
{
  struct md5 md5;
  md5_init(&md5);
  md5_update(&md5, code, words * sizeof *code);
  md5_final(&md5, digest);
}

/* The digest of threaded code is that of the code in its file: the opcodes are
 * put back, and the caches of method calls emptied, in a copy. */
static void code_digest(const void *start, const void *end, unsigned char digest[CODEFRAG_DIGEST_SIZE])
{
  const opcode_t *code = start;
  size_t words = (size_t)((const opcode_t *)end - code);
  code_t copy = malloc(words * sizeof *copy);
  if (!copy) bac_fatal("out of memory for the digest of code");
  memcpy(copy, code, words * sizeof *copy);
  for (size_t at = 0, length; at < words; at += length) {
    copy[at] = interp_opcode_at(code + at);
    length = opcode_words(copy + at, words - at);
    CHECK(length > 0);
    if (opcode_info[copy[at]].shape == SHAPE_METHOD) copy[at + 2] = 0;
  }
  code_digest_plain(copy, words, digest);
  free(copy);
}

/* A debugger will write over instructions, so that each must have its own word; and the digest is taken before. */
bool code_install(code_t code, size_t words, const unsigned char *digest)
{
  unsigned char own[CODEFRAG_DIGEST_SIZE];
  if (caml_debugger_in_use && !digest) {
    code_digest_plain(code, words, own);
    digest = own;
  }
  if (!codefrag_register(code, code + words, digest, code_digest)) return false;
  interp_thread_code(code, words, !caml_debugger_in_use);
  return true;
}

void code_uninstall(code_t code)
{
  struct codefrag *f = codefrag_find_pc(code);
  CHECK(f != NULL && codefrag_start(f) == (const char *)code);
  codefrag_remove(f);
}

/* ---- Globals ---- */

CAMLprim value caml_get_global_data(value unit) { return caml_global_data; }

/* Room for [size] globals and some more; the table never shrinks. */
CAMLprim value caml_realloc_global(value size)
{
  enum { STEP = 256 };
  mlsize_t have = Wosize_val(caml_global_data), want = Unsigned_long_val(size);
  if (want < have) return Val_unit;
  want = (want / STEP + 1) * STEP;
  gc_message(MESSAGE_TABLES, "Growing global data to %lu entries\n", (unsigned long)want);
  value larger = caml_alloc_shr(want, 0);
  for (mlsize_t i = 0; i < want; i++)
    caml_initialize(&Field(larger, i), i < have ? Field(caml_global_data, i) : Val_long(0));
  caml_global_data = larger;
  return Val_unit;
}

/* ---- Code ---- */

enum { ADDED_WORDS = 2 };        /* RETURN 1: the code is a function's body */

struct bytecode {                /* what the abstract block of type Meta.bytecode holds */
  code_t code;
  size_t words;
};
static struct bytecode *Bytecode_val(value v) { return Data_abstract_val(v); }

/* A copy of the bytes, ended by RETURN 1, checked. */
static code_t code_copy(value bytes, size_t *words)
{
  struct caml_ba_array *array = Caml_ba_array_val(bytes);
  size_t size = caml_ba_byte_size(array);
  if (size % sizeof(opcode_t) != 0) caml_failwith("Meta.reify_bytecode: size is not a multiple of 4");
  *words = size / sizeof(opcode_t) + ADDED_WORDS;
  code_t code = caml_stat_alloc(*words * sizeof *code);
  memcpy(code, array->data, size);
  code[*words - 2] = OP_RETURN;
  code[*words - 1] = 1;

  char why[CODE_MESSAGE_SIZE];
  struct code_limits limits = {Wosize_val(caml_global_data), dynlink_primitives()};
  if (!code_check(code, *words, &limits, why)) {
    caml_stat_free(code);
    caml_failwith(why);
  }
  return code;
}

CAMLprim value caml_reify_bytecode(value bytes, value events, value digest)
{
  value closure = Val_unit, bytecode = Val_unit;
  LOCAL_ROOTS(&bytes, &events, &digest, &closure, &bytecode);
  closure = caml_alloc_small(2, Closure_tag);
  Code_val(closure) = interp_stop();
  Closinfo_val(closure) = Make_closinfo(0, 2);
  bytecode = caml_alloc_small(Wsize_bsize(sizeof(struct bytecode)), Abstract_tag);
  value pair = caml_alloc_2(0, bytecode, closure);

  /* Nothing is allocated from here on, so nothing is lost. */
  size_t words;
  code_t code = code_copy(bytes, &words);
  debuginfo_add(code, words, events);
  if (!code_install(code, words, Is_none(digest) ? NULL : (const unsigned char *)String_val(Field(digest, 0)))) {
    debuginfo_remove(code);
    caml_stat_free(code);
    caml_raise_out_of_memory();
  }
  Code_val(closure) = code;
  *Bytecode_val(bytecode) = (struct bytecode){code, words};
  if (caml_debugger_in_use) debugger_add_code(code, words, events);
  return pair;
}

CAMLprim value caml_static_release_bytecode(value bytecode)
{
  code_t code = Bytecode_val(bytecode)->code;
  if (caml_debugger_in_use) debugger_remove_code(code);
  debuginfo_remove(code);
  code_uninstall(code);
  caml_stat_free(code);
  return Val_unit;
}

/* ---- #trace ---- */

CAMLprim value caml_get_current_environment(value unit) { return Caml_state->current_stack->sp[0]; }

/* Called by an OCaml function of these three arguments, whose frame on the
 * stack is, from the top: what the C call saved (2 words), the second and third argument of the C
 * call, the three of the function. A frame slipped in under these makes the
 * function return into the traced code, with [arg] as its argument. */
CAMLprim value caml_invoke_traced_function(value codeptr, value env, value arg)
{
  enum { CALLER_WORDS = 7, FRAME_WORDS = 4 };
  struct stack_info *stack = Caml_state->current_stack;
  value *from = stack->sp, *to = from - FRAME_WORDS, *frame = to + CALLER_WORDS;
  memmove(to, from, CALLER_WORDS * sizeof *to);
  frame[0] = Nativeint_val(codeptr);
  frame[1] = env;
  frame[2] = Val_long(0);
  frame[3] = arg;
  stack->sp = to;
  return Val_unit;
}
