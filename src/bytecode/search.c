/* SPDX-License-Identifier: MIT */
/* Finding files along lists of directories: see search.h. */
#include "bytecode/search.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char *string_or_die(char *s)
{
  if (!s) bac_fatal("out of memory");
  return s;
}

void search_path_add(struct search_path *p, const char *dir, size_t length)
{
  *vec_push(&p->dirs) = string_or_die(strndup(dir, length));
}

void search_path_add_colons(struct search_path *p, const char *text)
{
  while (text) {
    size_t length = strcspn(text, ":");
    search_path_add(p, text, length);
    text = text[length] ? text + length + 1 : NULL;
  }
}

void search_path_free(struct search_path *p)
{
  for (size_t i = 0; i < p->dirs.len; i++) free(p->dirs.at[i]);
  vec_free(&p->dirs);
}

static bool is_regular_file(const char *path)
{
  struct stat st;
  return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *search_path_find(const struct search_path *p, const char *name)
{
  for (size_t i = 0; i < p->dirs.len && !strchr(name, '/'); i++) {
    const char *dir = p->dirs.at[i];
    char *candidate = NULL;
    if (asprintf(&candidate, "%s/%s", dir[0] ? dir : ".", name) < 0) candidate = NULL;
    if (is_regular_file(string_or_die(candidate))) return candidate;
    free(candidate);
  }
  return string_or_die(strdup(name));
}

char *search_executable(const char *name)
{
  struct search_path path = {VEC_EMPTY};
  search_path_add_colons(&path, getenv("PATH"));
  char *found = search_path_find(&path, name);
  search_path_free(&path);
  return found;
}

char *search_own_executable(void)
{
  char *name = realpath("/proc/self/exe", NULL);
  if (name && is_regular_file(name)) return name;
  free(name);
  return NULL;
}
