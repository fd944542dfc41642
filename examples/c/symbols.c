/* SPDX-License-Identifier: MIT */
/* A table of symbols that forgets: a name is one block for all who use it, and gone when nobody does.
 *
 *   cc -O2 symbols.c $(pkg-config --cflags --libs bactrian) -o symbols */
#include <bactrian/gc.h>
#include <string.h>

enum { PLACES = 1 << 16, WINDOW = 16 };
enum { SYMBOL, REST, CELL_FIELDS };

static size_t hash(const char *name)
{
  size_t h = 5381;
  while (*name != '\0') h = h * 33 + (unsigned char)*name++;
  return h;
}

/* The one symbol of this name. The table is weak: it keeps no symbol. BAC_NONE: no memory, no place. */
static bac_value intern(struct bac_domain *d, bac_value table, const char *name)
{
  BAC_ROOTS(d, &table);
  size_t first = hash(name) % PLACES, empty = PLACES;
  for (size_t i = first; i < first + WINDOW; i++) {
    bac_value symbol = bac_ephe_get(d, table, i % PLACES);
    if (symbol == BAC_NONE) empty = i % PLACES;
    else if (strcmp((char *)bac_bytes(symbol), name) == 0) return symbol;
  }
  if (empty == PLACES) return BAC_NONE;
  bac_value symbol = bac_alloc_bytes(d, strlen(name) + 1);   /* may move the table */
  if (symbol == BAC_NONE) return BAC_NONE;
  strcpy((char *)bac_bytes(symbol), name);
  bac_ephe_set(d, table, empty, symbol);
  return symbol;
}

static int table_count(struct bac_domain *d, bac_value table)
{
  int n = 0;
  for (size_t i = 0; i < PLACES; i++) n += bac_ephe_check(d, table, i);
  return n;
}

int main(void)
{
  const char *why;
  struct bac_domain *d = bac_start(NULL, &why);
  if (d == NULL) return fprintf(stderr, "symbols: %s\n", why), 1;
  bac_value table = bac_ephe_create(d, PLACES), list = BAC_NIL, symbol = BAC_NIL;
  if (table == BAC_NONE) return fputs("symbols: no memory\n", stderr), 1;
  BAC_ROOTS(d, &table, &list, &symbol);
  for (int i = 0; i < 100000; i++) {
    char name[32];
    snprintf(name, sizeof name, "symbol-%d", i % 10000);
    symbol = intern(d, table, name);
    if (symbol == BAC_NONE || i % 1000 != 0) continue;       /* a list holds every thousandth */
    bac_value cell = bac_alloc(d, CELL_FIELDS, 0);
    bac_init_field(d, cell, SYMBOL, symbol);
    bac_init_field(d, cell, REST, list);
    list = cell;
  }
  symbol = BAC_NIL;
  bac_full_major(d);
  printf("the table knows %d symbols; the youngest cell holds %s\n", table_count(d, table),
         (char *)bac_bytes(bac_field(list, SYMBOL)));
  bac_print_stat(d, stdout);
  bac_stop(d);
  return 0;
}
