/* SPDX-License-Identifier: MIT */
/* The program's side of ocamldebug: see debugger.h.
 *
 * State: struct below, of the one thread that runs the program. A fork has a copy of its own, with a connection of its own. */
#include "bytecode/debugger.h"

#include "base/vec.h"
#include "bytecode/bytecode.h"
#include "bytecode/fiber.h"
#include "bytecode/guard.h"
#include "bytecode/opcodes.h"
#include "prims/marshal.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* The debugger counts code from 1; stock has two pieces of its own before the program. Addresses that are of no code
 * that we show are said to be in the second of those. */
enum { NUMBER_NONE = 2, NUMBER_PROGRAM };

struct shown_code {
  int32_t number;
  code_t code;
  size_t words;
  opcode_t *original;          /* what the debugger overwrites */
};

struct frame {
  struct stack_info *fiber;    /* NULL: none */
  value *at;
};

static struct {
  char *address;               /* [const] as CAML_DEBUG_SOCKET says it */
  FILE *in, *out;
  VEC(struct shown_code) code;
  int32_t next_number;
  uint32_t events_left;        /* until the next stop */
  int32_t barrier_block, barrier_offset;   /* -1: none */
  value accu;                  /* at this stop; nothing moves while the debugger asks */
  struct frame initial, frame;
} debugger = {.next_number = NUMBER_PROGRAM, .barrier_block = -1, .barrier_offset = -1};

/* ---- Connection ---- */

static _Noreturn void lost(void) { _exit(0); }

static void put_int(int32_t n)
{
  uint32_t u = (uint32_t)n;
  const unsigned char bytes[] = {(unsigned char)(u >> 24), (unsigned char)(u >> 16), (unsigned char)(u >> 8), (unsigned char)u};
  fwrite(bytes, 1, sizeof bytes, debugger.out);
}

static void put_value(value v) { fwrite(&v, sizeof v, 1, debugger.out); }

static int get_char(void)
{
  int c = getc(debugger.in);
  if (c == EOF) lost();
  return c;
}

static int32_t get_int(void)
{
  uint32_t u = 0;
  for (int i = 0; i < 4; i++) u = u << 8 | (uint32_t)get_char();
  return (int32_t)u;
}

static value get_value(void)
{
  value v;
  if (fread(&v, sizeof v, 1, debugger.in) != 1) lost();
  return v;
}

static int connect_file(const char *name)
{
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  if (strlen(name) >= sizeof to.sun_path) return -1;
  memcpy(to.sun_path, name, strlen(name) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

static int connect_host(const char *host, const char *port)
{
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo *all;
  if (getaddrinfo(host, port, &hints, &all) != 0) return -1;
  int fd = -1;
  for (struct addrinfo *a = all; a && fd < 0; a = a->ai_next) {
    fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) == 0) continue;
    close(fd);
    fd = -1;
  }
  freeaddrinfo(all);
  return fd;
}

/* host:port, or the name of a file. */
static int connect_address(const char *address)
{
  const char *colon = strchr(address, ':');
  if (!colon) return connect_file(address);
  char *host = strndup(address, (size_t)(colon - address));
  int fd = host ? connect_host(host, colon + 1) : -1;
  free(host);
  return fd;
}

static void open_connection(void)
{
  int fd = connect_address(debugger.address), copy = fd < 0 ? -1 : dup(fd);
  debugger.in = fd < 0 ? NULL : fdopen(fd, "re");
  debugger.out = copy < 0 ? NULL : fdopen(copy, "we");
  if (!debugger.in || !debugger.out)
    caml_fatal_error("cannot connect to debugger at %s\nerror: %s", debugger.address, strerror(errno));
}

static void close_connection(void)
{
  fclose(debugger.in);
  fclose(debugger.out);
}

/* ---- Code ---- */

static struct shown_code *code_of_pc(const opcode_t *pc)
{
  for (size_t i = 0; i < debugger.code.len; i++) {
    struct shown_code *c = &debugger.code.at[i];
    if (pc >= c->code && pc < c->code + c->words) return c;
  }
  return NULL;
}

static void put_pc(const opcode_t *pc)
{
  const struct shown_code *c = code_of_pc(pc);
  put_int(c ? c->number : NUMBER_NONE);
  put_int(c ? (int32_t)((const char *)pc - (const char *)c->code) : 0);
}

/* A number and a position follow; NULL: there is no such code any more. */
static struct shown_code *get_place(size_t *word)
{
  int32_t number = get_int();
  uint32_t position = (uint32_t)get_int();
  *word = position / sizeof(opcode_t);
  for (size_t i = 0; i < debugger.code.len; i++) {
    struct shown_code *c = &debugger.code.at[i];
    if (c->number == number && *word < c->words) return c;
  }
  return NULL;
}

static void write_instruction(int opcode)
{
  size_t word;
  struct shown_code *c = get_place(&word);
  if (c) c->code[word] = interp_word(opcode);
}

static void reset_instruction(void)
{
  size_t word;
  struct shown_code *c = get_place(&word);
  if (c) c->code[word] = c->original[word];
}

static struct shown_code *show_code(code_t code, size_t words)
{
  struct shown_code c = {debugger.next_number++, code, words, malloc(words * sizeof *code)};
  if (!c.original) bac_fatal("out of memory");
  memcpy(c.original, code, words * sizeof *code);
  *vec_push(&debugger.code) = c;
  return &debugger.code.at[debugger.code.len - 1];
}

/* ---- Frames ---- */

static int32_t fiber_depth(const struct stack_info *fiber)
{
  int32_t depth = 0;
  while ((fiber = fiber->parent) != NULL) depth++;
  return depth;
}

static void put_frame_place(struct frame f)
{
  put_int(f.fiber ? fiber_depth(f.fiber) : -1);
  put_int(f.fiber ? (int32_t)(f.fiber->high - f.at) : -1);
}

static void put_frame(struct frame f)
{
  put_frame_place(f);
  if (f.fiber)
    put_pc((code_t)f.at[0]);
  else
    put_int(0), put_int(0);
}

/* The frame that called this one, whose function has [words] on the stack. A handler's fiber was begun by the frame on
 * which its parent stopped. */
static struct frame frame_above(struct frame f, size_t words)
{
  if (!f.fiber) return f;
  size_t left = (size_t)(f.fiber->high - f.at);
  bool last = words > left || left - words < 6;
  f.at += last ? 0 : 3 + words;
  if (!last && (code_t)f.at[0] != interp_fiber_return()) return f;
  f.fiber = f.fiber->parent;
  if (f.fiber) f.at = f.fiber->sp;
  return f;
}

/* Code that is loaded into a running program runs with a word on the stack that its events do not count. */
static bool is_return_address(code_t pc) { return code_of_pc(pc) || pc == interp_stop(); }

static void move_up(void)
{
  struct frame above = frame_above(debugger.frame, (uint32_t)get_int());
  if (above.fiber && !is_return_address((code_t)above.at[0])) above.fiber = NULL;
  put_frame_place(above);
  if (!above.fiber) return;
  put_pc((code_t)above.at[0]);
  debugger.frame = above;
}

static void set_frame(void)
{
  int32_t block = get_int(), offset = get_int();
  struct stack_info *fiber = debugger.initial.fiber;
  while (fiber && fiber_depth(fiber) != block) fiber = fiber->parent;
  if (fiber && offset >= 3 && offset <= fiber->high - fiber->sp) debugger.frame = (struct frame){fiber, fiber->high - offset};
}

/* ---- Values ---- */

static value local(uint32_t slot)
{
  struct frame f = debugger.frame;
  return f.fiber && slot + 3u < (size_t)(f.fiber->high - f.at) ? f.at[3 + slot] : Val_unit;
}

static value block_field(value v, uint32_t n) { return Is_block(v) && n < Wosize_val(v) ? Field(v, n) : Val_unit; }

static void put_field(value v, uint32_t n)
{
  bool is_double = Is_block(v) && Tag_val(v) == Double_array_tag;
  putc(is_double, debugger.out);
  put_value(block_field(v, n));
}

struct message { value v; char *bytes; intnat size; };

static value marshal(void *arg)
{
  struct message *m = arg;
  value closures[] = {(value)Make_header(2, Tag_cons, (header_t)3 << HEADER_COLOUR_SHIFT), Val_int(1), Val_emptylist};
  caml_output_value_to_malloc(m->v, Val_hp(&closures[0]), &m->bytes, &m->size);
  return Val_unit;
}

/* What cannot be marshalled is sent as the beginning of a message that cannot be read. */
static void put_marshalled(value v)
{
  static const char unreadable[5];
  struct message m = {.v = v};
  if (Is_exception_result(guard_call(marshal, &m)))
    fwrite(unreadable, 1, sizeof unreadable, debugger.out);
  else
    fwrite(m.bytes, 1, (size_t)m.size, debugger.out);
  free(m.bytes);
}

/* ---- Checkpoints ---- */

/* The copy waits on a connection of its own. */
static void checkpoint(void)
{
  fflush(debugger.out);
  pid_t child = fork();
  if (child == 0) {
    caml_atfork_hook();
    close_connection();
    open_connection();
    child = getpid();
  }
  put_int((int32_t)child);
  fflush(debugger.out);
}

/* The process that the debugger does not follow runs on without it. */
static void leave(void)
{
  caml_debugger_in_use = 0;
  close_connection();
  for (size_t i = 0; i < debugger.code.len; i++) {
    const struct shown_code *c = &debugger.code.at[i];
    for (size_t word = 0; word < c->words; word++)
      if (c->code[word] == interp_word(OP_EVENT) || c->code[word] == interp_word(OP_BREAK)) c->code[word] = c->original[word];
  }
}

/* ---- Commands ---- */

static void answer(int command)
{
  value v;
  switch (command) {
  case 'e': write_instruction(OP_EVENT); return;
  case 'B': write_instruction(OP_BREAK); return;
  case 'i': reset_instruction(); return;
  case 'c': checkpoint(); return;
  case 's': _exit(0);
  case 'w': wait(NULL); return;
  case 'K': caml_debugger_fork_mode = get_int(); return;
  case 'S': set_frame(); return;
  case 'b':
    debugger.barrier_block = get_int();
    debugger.barrier_offset = get_int();
    return;
  case '0':
    debugger.frame = debugger.initial;
    put_frame(debugger.frame);
    break;
  case 'f': put_frame(debugger.frame); break;
  case 'U': move_up(); break;
  case 'L': put_value(local((uint32_t)get_int())); break;
  case 'E': put_value(block_field(debugger.frame.fiber ? debugger.frame.at[1] : Val_unit, (uint32_t)get_int())); break;
  case 'G': put_value(block_field(caml_global_data, (uint32_t)get_int())); break;
  case 'A': put_value(debugger.accu); break;
  case 'H':
    v = get_value();
    put_int((int32_t)(uint32_t)Hd_val(v));
    break;
  case 'F':
    v = get_value();
    put_field(v, (uint32_t)get_int());
    break;
  case 'M': put_marshalled(get_value()); break;
  case 'C': put_pc(Code_val(get_value())); break;
  default: caml_fatal_error("the debugger sends an unknown command, %d", command);
  }
  fflush(debugger.out);
}

static void obey(void)
{
  int command;
  fflush(debugger.out);
  while ((command = get_char()) != 'g') answer(command);
  debugger.events_left = (uint32_t)get_int();
}

/* ---- Stops ---- */

/* A report is a letter, for some what it is about, the count of events and the place. */
static void report_and_obey(struct frame where)
{
  debugger.initial = debugger.frame = where;
  put_int((int32_t)debugger.events_left);
  put_frame(where);
  obey();
}

static const struct frame nowhere;

static opcode_t stop_at(char report, code_t pc)
{
  struct stack_info *fiber = Caml_state->current_stack;
  debugger.accu = fiber->sp[0];
  putc(report, debugger.out);
  report_and_obey((struct frame){fiber, fiber->sp + 1});
  return code_of_pc(pc)->original[pc - code_of_pc(pc)->code];
}

opcode_t debugger_event(code_t pc)
{
  if (--debugger.events_left == 0) return stop_at('e', pc);
  const struct shown_code *c = code_of_pc(pc);
  return c->original[pc - c->code];
}

opcode_t debugger_breakpoint(code_t pc) { return stop_at('b', pc); }

void debugger_raise(value exn)
{
  const struct stack_info *fiber = Caml_state->current_stack;
  int32_t depth = fiber_depth(fiber);
  if (fiber->trap == 0 && depth == 0) return;
  if (depth > debugger.barrier_block || (depth == debugger.barrier_block && fiber->trap > debugger.barrier_offset)) return;
  debugger.accu = exn;
  putc('s', debugger.out);
  report_and_obey(nowhere);
}

static void ends(char report, value accu)
{
  debugger.accu = accu;
  putc(report, debugger.out);
  report_and_obey(nowhere);
}

void debugger_uncaught(value exn) { ends('u', exn); }
static void exits(void) { ends('x', Val_unit); }

void debugger_add_code(code_t code, size_t words, value events)
{
  debugger.accu = Val_unit;
  putc('D', debugger.out);
  put_marshalled(events);
  report_and_obey(nowhere);
  int32_t number = show_code(code, words)->number;
  putc('L', debugger.out);
  put_int(number);
  report_and_obey(nowhere);
}

void debugger_remove_code(code_t code)
{
  struct shown_code *c = code_of_pc(code);
  int32_t number = c->number;
  free(c->original);
  *c = debugger.code.at[debugger.code.len - 1];
  debugger.code.len--;
  putc('U', debugger.out);
  put_int(number);
  report_and_obey(nowhere);
}

/* ---- Start ---- */

void debugger_connect(void)
{
  const char *address = secure_getenv("CAML_DEBUG_SOCKET");
  if (!address) return;
  debugger.address = strdup(address);
  if (!debugger.address) bac_fatal("out of memory");
  unsetenv("CAML_DEBUG_SOCKET");      /* it is not for the programs that this one starts */
  open_connection();
  caml_debugger_in_use = 1;
  debugger_exit_hook = exits;
  debugger_leave_hook = leave;
  put_int(-1);
  put_int((int32_t)getpid());
}

void debugger_add_program(code_t code, size_t words) { show_code(code, words); }

void debugger_start(void) { obey(); }
