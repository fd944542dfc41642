/* SPDX-License-Identifier: MIT */
/* Structural comparison: compare, =, <> and the orders.
 *
 * Two values are walked in step, depth first, fields from left to right. What is
 * still to be compared stands on an explicit stack, so that deep values cannot
 * overflow C's; at its limit Out_of_memory is raised. Physically equal parts are equal without a look
 * inside, except where a nan in them may count: compare is a total order, the other
 * six treat nan as unordered. Cyclic values may never end; so the walk polls.
 *
 * State: the walk, on the C stack; its frames are roots while it polls. */
#include "abi/caml.h"
#include "prims/strings.h"

enum {
  FRAMES_LOCAL = 8,
  FRAMES_MAX = 1 << 19,    /* as in stock; reached exactly, since it is FRAMES_LOCAL times a power of 4 */
  STEPS_BETWEEN_POLLS = 1024,
};

/* Two blocks of the same size of which the last [rest] fields (a tagged number)
 * are still to be compared. Every word is a value. */
struct frame {
  value left, right, rest;
};

struct walk {
  bool total;
  int patience;           /* steps until the next poll */
  size_t depth, capacity;
  struct frame *frames;   /* [local], or from the C heap */
  struct frame local[FRAMES_LOCAL];
};

/* Results of a step, besides -1, 0 and 1. */
enum {
  UNORDERED = 2,          /* a nan, and no total order */
  OPEN,                   /* go on with the fields */
  AGAIN,                  /* the values were replaced: look again */
};

static void walk_drop(struct walk *w)
{
  if (w->frames != w->local) caml_stat_free(w->frames);
}

_Noreturn static void walk_refuse(struct walk *w, const char *why)
{
  walk_drop(w);
  caml_invalid_argument(why);
}

static COLD void walk_grow(struct walk *w)
{
  size_t capacity = 4 * w->capacity;
  struct frame *grown = NULL;
  if (w->capacity < FRAMES_MAX) grown = caml_stat_alloc_noexc(capacity * sizeof *grown);
  if (grown) memcpy(grown, w->frames, w->depth * sizeof *grown);
  walk_drop(w);
  if (!grown) caml_raise_out_of_memory();
  w->frames = grown;
  w->capacity = capacity;
}

static void walk_push(struct walk *w, value a, value b, mlsize_t rest)
{
  if (unlikely(w->depth == w->capacity)) walk_grow(w);
  w->frames[w->depth++] = (struct frame){a, b, Val_long(rest)};
}

/* Which of the last *rest fields of a and b are the first that may differ: replaces a and b by
 * them and leaves in *rest how many come after. False: all are equal. */
static inline bool first_open_fields(const struct walk *w, value *a, value *b, mlsize_t *rest)
{
  const value *x = Op_val(*a) + Wosize_val(*a) - *rest, *y = Op_val(*b) + Wosize_val(*a) - *rest;
  for (; *rest > 0; x++, y++) {
    --*rest;
    if (*x == *y && (Is_long(*x) || w->total)) continue;
    *a = *x;
    *b = *y;
    return true;
  }
  return false;
}

/* Goes into two blocks of equal size. Before the last field nothing is left to
 * remember, so a list needs no stack. */
static inline bool walk_enter(struct walk *w, value *a, value *b)
{
  value left = *a, right = *b;
  mlsize_t rest = Wosize_val(left);
  if (!first_open_fields(w, a, b, &rest)) return false;
  if (rest > 0) walk_push(w, left, right, rest);
  return true;
}

/* The next two values to compare; false: all were equal. */
static inline bool walk_next(struct walk *w, value *a, value *b)
{
  while (w->depth > 0) {
    struct frame *f = &w->frames[w->depth - 1];
    mlsize_t rest = (mlsize_t)Long_val(f->rest);
    *a = f->left;
    *b = f->right;
    bool found = first_open_fields(w, a, b, &rest);
    if (found && rest > 0) f->rest = Val_long(rest);
    else w->depth--;
    if (found) return true;
  }
  return false;
}

/* Signals, finalisers and collections run here; the values may move. */
static COLD void walk_poll(struct walk *w, value *a, value *b)
{
  w->patience = STEPS_BETWEEN_POLLS;
  if (!caml_check_pending_actions()) return;
  LOCAL_ROOTS(a, b);
  LOCAL_ROOT_ARRAY(&w->frames[0].left, (intnat)(w->depth * (sizeof(struct frame) / sizeof(value))));
  value result = caml_process_pending_actions_exn();
  if (Is_exception_result(result)) {
    walk_drop(w);
    caml_raise(Extract_exception(result));
  }
}

static int order_floats(double x, double y, bool total)
{
  if (x < y) return -1;
  if (x > y) return 1;
  if (x == y) return 0;
  return total ? (x == x) - (y == y) : UNORDERED;
}

static int order_float_arrays(value a, value b, bool total)
{
  mlsize_t size = Wosize_val(a), size_b = Wosize_val(b);
  if (size != size_b) return size < size_b ? -1 : 1;
  for (mlsize_t i = 0; i < size; i++) {
    int order = order_floats(Double_flat_field(a, i), Double_flat_field(b, i), total);
    if (order != 0) return order;
  }
  return 0;
}

static int order_by(int (*compare)(value, value), value a, value b, bool total)
{
  Caml_state->compare_unordered = 0;
  int order = compare(a, b);
  if (Caml_state->compare_unordered && !total) return UNORDERED;
  return (order > 0) - (order < 0);
}

static int order_customs(struct walk *w, value a, value b)
{
  const struct custom_operations *of_a = Custom_ops_val(a), *of_b = Custom_ops_val(b);
  if (of_a->compare != of_b->compare) return strcmp(of_a->identifier, of_b->identifier) < 0 ? -1 : 1;
  if (!of_a->compare) walk_refuse(w, "compare: abstract value");
  return order_by(of_a->compare, a, b, w->total);
}

/* One of the two is an integer: it is below every block, unless the block
 * forwards to something else or its custom operations know better. */
static int step_mixed(struct walk *w, value *a, value *b)
{
  if (Is_long(*a) && Is_long(*b)) return (*a > *b) - (*a < *b);
  value *block = Is_long(*a) ? b : a;
  tag_t tag = Tag_val(*block);
  if (tag == Forward_tag) {
    *block = Forward_val(*block);
    return AGAIN;
  }
  if (tag == Custom_tag && Custom_ops_val(*block)->compare_ext)
    return order_by(Custom_ops_val(*block)->compare_ext, *a, *b, w->total);
  return block == b ? -1 : 1;
}

static tag_t kind_of(tag_t tag) { return tag == Infix_tag ? Closure_tag : tag; }

/* Two blocks with different tags: lazy values, or values of an existential type. */
static int step_other_tags(struct walk *w, value *a, value *b)
{
  value *forward = Tag_val(*a) == Forward_tag ? a : Tag_val(*b) == Forward_tag ? b : NULL;
  if (forward) {
    *forward = Forward_val(*forward);
    return AGAIN;
  }
  tag_t kind_a = kind_of(Tag_val(*a)), kind_b = kind_of(Tag_val(*b));
  if (kind_a == kind_b) walk_refuse(w, "compare: functional value");
  return kind_a < kind_b ? -1 : 1;
}

/* Two blocks of the same tag that are no tuples of values. */
static int step_special(struct walk *w, tag_t tag, value *a, value *b)
{
  switch (tag) {
  case String_tag: return strings_order(*a, *b);
  case Double_tag: return order_floats(Double_val(*a), Double_val(*b), w->total);
  case Double_array_tag: return order_float_arrays(*a, *b, w->total);
  case Custom_tag: return order_customs(w, *a, *b);
  case Object_tag: return (Oid_val(*a) > Oid_val(*b)) - (Oid_val(*a) < Oid_val(*b));
  case Abstract_tag: walk_refuse(w, "compare: abstract value");
  case Closure_tag: case Infix_tag: walk_refuse(w, "compare: functional value");
  case Cont_tag: walk_refuse(w, "compare: continuation value");
  case Forward_tag:
    *a = Forward_val(*a);
    *b = Forward_val(*b);
    return AGAIN;
  default:
    return OPEN;
  }
}

static inline int step(struct walk *w, value *a, value *b)
{
  if (*a == *b && w->total) return 0;
  if (Is_long(*a) || Is_long(*b)) return step_mixed(w, a, b);
  header_t head_a = Hd_val(*a), head_b = Hd_val(*b);
  tag_t tag = Tag_hd(head_a);
  if (tag != Tag_hd(head_b)) return step_other_tags(w, a, b);
  if (tag >= Forcing_tag) {
    int result = step_special(w, tag, a, b);
    if (result != OPEN) return result;
  }
  mlsize_t size_a = Wosize_hd(head_a), size_b = Wosize_hd(head_b);
  if (size_a != size_b) return size_a < size_b ? -1 : 1;
  return OPEN;
}

static int walk_run(struct walk *w, value a, value b)
{
  for (;;) {
    int result = step(w, &a, &b);
    if (unlikely(--w->patience == 0)) walk_poll(w, &a, &b);
    if (result == AGAIN) continue;
    if (result == OPEN && walk_enter(w, &a, &b)) continue;
    if (result != OPEN && result != 0) return result;
    if (!walk_next(w, &a, &b)) return 0;
  }
}

static int order(value a, value b, bool total)
{
  if (Is_long(a) && Is_long(b)) return (a > b) - (a < b);
  struct walk w;
  w.total = total;
  w.patience = STEPS_BETWEEN_POLLS;
  w.depth = 0;
  w.capacity = FRAMES_LOCAL;
  w.frames = w.local;
  int result = walk_run(&w, a, b);
  walk_drop(&w);
  return result;
}

CAMLprim value caml_compare(value a, value b) { return Val_int(order(a, b, true)); }
CAMLprim value caml_equal(value a, value b) { return Val_bool(order(a, b, false) == 0); }
CAMLprim value caml_notequal(value a, value b) { return Val_bool(order(a, b, false) != 0); }
CAMLprim value caml_lessthan(value a, value b) { return Val_bool(order(a, b, false) == -1); }
CAMLprim value caml_lessequal(value a, value b) { return Val_bool(order(a, b, false) <= 0); }
CAMLprim value caml_greaterthan(value a, value b) { return Val_bool(order(a, b, false) == 1); }

CAMLprim value caml_greaterequal(value a, value b)
{
  int result = order(a, b, false);
  return Val_bool(result == 0 || result == 1);
}
