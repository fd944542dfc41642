/* SPDX-License-Identifier: MIT */
/* Our figures, and the comparison with the stock headers'; see layout.h. */
#include "abi/runtime.h"
#include "layout.h"

#include <stdio.h>

const struct layout_item layout_ours[] = {
    LAYOUT_FIELDS(LAYOUT_FIELD) LAYOUT_FIGURES(LAYOUT_FIGURE){NULL, 0, 0}};

const struct layout_item layout_ours_state[] = {
#define FIELD(type, name) \
  {#name, offsetof(caml_domain_state, name), sizeof(((caml_domain_state *)0)->name)},
#include "abi/5.3/domain_state.tbl"
#undef FIELD
    {"extra_params", offsetof(caml_domain_state, extra_params), sizeof(((caml_domain_state *)0)->extra_params)},
    {NULL, 0, 0}};

static int passed, failed;

static void compare_item(const struct layout_item *stock, const struct layout_item *ours)
{
  if (ours->name && stock->figure == ours->figure && stock->size == ours->size) {
    passed++;
    return;
  }
  failed++;
  printf("%s: stock %lu (size %lu), %s %lu (size %lu)\n", stock->name, stock->figure, stock->size,
         ours->name ? ours->name : "missing", ours->figure, ours->size);
}

/* A field that we do not use for what stock does has another name. */
static int is_same_use(const struct layout_item *stock, const struct layout_item *ours)
{
  return strncmp(ours->name, "spare_", 6) == 0 || strcmp(ours->name, "domain") == 0 ||
         strcmp(ours->name, stock->name) == 0;
}

int main(void)
{
  for (int i = 0; layout_stock[i].name; i++) compare_item(&layout_stock[i], &layout_ours[i]);
  int n = 0;
  for (; layout_stock_state[n].name && layout_ours_state[n].name; n++) {
    compare_item(&layout_stock_state[n], &layout_ours_state[n]);
    if (is_same_use(&layout_stock_state[n], &layout_ours_state[n])) continue;
    failed++;
    printf("domain state: %s stands where stock has %s\n", layout_ours_state[n].name,
           layout_stock_state[n].name);
  }
  if (layout_stock_state[n].name || layout_ours_state[n].name) {
    failed++;
    printf("domain state: not the same number of fields\n");
  }
  printf("layout: %d passed, %d failed\n", passed, failed);
  return failed != 0;
}
