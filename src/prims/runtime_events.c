/* SPDX-License-Identifier: MIT */
/* The runtime's side of the library Runtime_events: control of the event rings
 * (observe/events.c) and the program's own events. Reading rings is that library's.
 *
 * State: the list of the program's events, in the OCaml heap, which only grows and is
 * read and extended atomically; whether the file is to be kept [const]. */
#include "prims/runtime_events.h"

#include "abi/params.h"
#include "abi/runtime.h"
#include "observe/events.h"
#include "prims/strings.h"
#include "sync/atomic.h"

#include <stdlib.h>

static struct {
  bool keep_file;
  value known;     /* a block of one field: the list of User.t; a global root */
} user;

/* The fields of Runtime_events.User.t, and the constant constructors of Type.t. */
enum { USER_ID, USER_NAME, USER_TYPE, USER_TAG, USER_FIELDS };
enum { TYPE_UNIT, TYPE_INT, TYPE_SPAN };

/* ---- Control ---- */

CAMLexport void caml_runtime_events_start(void)
{
  if (events_start(domain_self())) return;
  char file[EVENTS_LOCATION_BYTES];
  events_location(file);
  caml_fatal_error("Couldn't open ring buffer loc: %s", file);
}

CAMLexport void caml_runtime_events_pause(void) { events_pause(domain_self()); }
CAMLexport void caml_runtime_events_resume(void) { events_resume(domain_self()); }
CAMLexport int caml_runtime_events_are_active(void) { return events_is_on(); }

/* A copy for caml_stat_free, or NULL. */
CAMLexport char *caml_runtime_events_current_location(void)
{
  char file[EVENTS_LOCATION_BYTES];
  return events_location(file) ? caml_stat_strdup_noexc(file) : NULL;
}

void caml_runtime_events_init(void)
{
  events_configure(secure_getenv("OCAML_RUNTIME_EVENTS_DIR"), (unsigned)runtime_params.event_log_words);
  user.keep_file = secure_getenv("OCAML_RUNTIME_EVENTS_PRESERVE") != NULL;
  user.known = caml_alloc_1(0, Val_emptylist);
  gc_root_add(&user.known);
  if (secure_getenv("OCAML_RUNTIME_EVENTS_START")) caml_runtime_events_start();
}

CAMLexport void caml_runtime_events_destroy(void) { events_stop(domain_self(), user.keep_file); }
CAMLexport void caml_runtime_events_post_fork(void) { events_after_fork(domain_self()); }

CAMLprim value caml_ml_runtime_events_start(value unit)
{
  caml_runtime_events_start();
  return Val_unit;
}

CAMLprim value caml_ml_runtime_events_pause(value unit)
{
  caml_runtime_events_pause();
  return Val_unit;
}

CAMLprim value caml_ml_runtime_events_resume(value unit)
{
  caml_runtime_events_resume();
  return Val_unit;
}

CAMLprim value caml_ml_runtime_events_are_active(value unit) { return Val_bool(events_is_on()); }

CAMLprim value caml_ml_runtime_events_path(value unit)
{
  char file[EVENTS_LOCATION_BYTES];
  if (!events_location(file)) return Val_none;
  return caml_alloc_some(caml_copy_string(file));
}

/* ---- What the runtime tells, for C code ---- */

CAMLexport void caml_ev_begin(unsigned phase) { events_begin(domain_self(), phase); }
CAMLexport void caml_ev_end(unsigned phase) { events_end(domain_self(), phase); }
CAMLexport void caml_ev_counter(unsigned counter, uint64_t n) { events_counter(domain_self(), counter, n); }
CAMLexport void caml_ev_lifecycle(unsigned what, int64_t data) { events_tell(domain_self(), what, data); }

/* ---- The program's events ---- */

static void known_add(value event)
{
  LOCAL_ROOTS(&event);
  value cell = caml_alloc_2(Tag_cons, event, Val_emptylist), old;
  do {
    old = load_acquire(&Field(user.known, 0));
    Field(cell, 1) = old;
  } while (!gc_cas_field(domain_self(), &Field(user.known, 0), old, cell));
}

CAMLprim value caml_runtime_events_user_register(value name, value tag, value type)
{
  if (string_length(name) >= EVENTS_NAME_BYTES)
    caml_invalid_argument("Runtime_events.User.register: maximum length for event name exceeded");
  if (!caml_string_is_c_safe_(name))
    caml_invalid_argument("Runtime_events.User.register: event name has null characters");
  int number = events_register(String_val(name));
  if (number < 0)
    caml_invalid_argument("Runtime_events.User.register: maximum number of custom events exceeded");
  LOCAL_ROOTS(&name, &tag, &type);
  value event = caml_alloc_small(USER_FIELDS, 0);
  LOCAL_ROOTS(&event);
  Field(event, USER_ID) = Val_int(number);
  Field(event, USER_NAME) = name;
  Field(event, USER_TYPE) = type;
  Field(event, USER_TAG) = tag;
  known_add(event);
  return event;
}

/* The event that has this name here, or one of a known type that has it from now on; Val_none for
 * an unknown event of a type with data of its own. */
CAMLexport value caml_runtime_events_user_resolve(char *name, int type)
{
  for (value l = Field(user.known, 0); Is_block(l); l = Field(l, 1)) {
    value event = Field(l, 0);
    if (strncmp(String_val(Field(event, USER_NAME)), name, EVENTS_NAME_BYTES) == 0) return event;
  }
  if (type > TYPE_SPAN) return Val_none;
  value known_name = caml_alloc_initialized_string(strnlen(name, EVENTS_NAME_BYTES), name);
  return caml_runtime_events_user_register(known_name, Val_none, Val_int(type));
}

/* The serializer writes into the buffer and answers how many bytes; the last byte of the message
 * says how many bytes of the last word are not of them, as in a string. */
static void write_custom(int number, value serializer, value buffer, value content)
{
  LOCAL_ROOTS(&buffer);
  intnat len = Long_val(caml_callback2(serializer, buffer, content));
  uint64_t data[EVENTS_DATA_WORDS_MAX];
  if (len < 0 || (uintnat)len > string_length(buffer) || (uintnat)len >= sizeof data)
    caml_invalid_argument("Runtime_events.User.write: event too long");
  size_t words = (size_t)len / sizeof *data + 1, last = words * sizeof *data - 1;
  memcpy(data, Bytes_val(buffer), words * sizeof *data);
  ((unsigned char *)data)[last] = (unsigned char)(last - (size_t)len);
  events_user(domain_self(), number, EVENT_USER_CUSTOM, data, words);
}

CAMLprim value caml_runtime_events_user_write(value buffer, value event, value content)
{
  if (!events_is_on()) return Val_unit;
  int number = Int_val(Field(event, USER_ID));
  value type = Field(event, USER_TYPE);
  uint64_t data = (uint64_t)Long_val(content);
  if (Is_block(type)) {
    write_custom(number, Field(Field(type, 0), 0), buffer, content);
    return Val_unit;
  }
  struct domain *d = domain_self();
  switch (Int_val(type)) {
  case TYPE_UNIT: events_user(d, number, EVENT_USER_UNIT, NULL, 0); break;
  case TYPE_INT: events_user(d, number, EVENT_USER_INT, &data, 1); break;
  case TYPE_SPAN: events_user(d, number, data == 0 ? EVENT_USER_SPAN_BEGIN : EVENT_USER_SPAN_END, NULL, 0); break;
  }
  return Val_unit;
}
