/* SPDX-License-Identifier: MIT */
/* Files of the format ELF: see bactrian_elf.h. No state. */
#include "bactrian_elf.h"

#include "base/bits.h"
#include "bytecode/search.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The file ---- */

static bool is_elf_header(const Elf64_Ehdr *h)
{
  return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
         h->e_ident[EI_DATA] == ELFDATA2LSB;
}

bool elf_open(struct elf *e, const char *path)
{
  struct stat st;
  *e = (struct elf){.bytes = ""};
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  bool ok = fstat(fd, &st) == 0;
  if (ok && !S_ISREG(st.st_mode)) {
    errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    ok = false;
  }
  if (ok && st.st_size > 0) {
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    ok = bytes != MAP_FAILED;
    if (ok) *e = (struct elf){.bytes = bytes, .size = (size_t)st.st_size};
  }
  int reason = errno;
  close(fd);
  errno = reason;
  if (e->size >= sizeof *e->header && is_elf_header((const Elf64_Ehdr *)e->bytes)) e->header = (const Elf64_Ehdr *)e->bytes;
  return ok;
}

void elf_close(struct elf *e)
{
  if (e->size > 0) munmap((void *)e->bytes, e->size);
  *e = (struct elf){.bytes = ""};
}

const char *elf_find_bytes(const struct elf *e, const void *bytes, size_t length)
{
  return e->size >= length ? memmem(e->bytes, e->size, bytes, length) : NULL;
}

/* ---- Sections ---- */

/* [length] bytes at [offset], aligned to [align]; NULL: the file has not got them. */
static const void *elf_at(const struct elf *e, size_t offset, size_t length, size_t align)
{
  if (offset > e->size || length > e->size - offset || offset % align != 0) return NULL;
  return e->bytes + offset;
}

/* The n-th section, or NULL. */
static const Elf64_Shdr *elf_section(const struct elf *e, size_t n)
{
  size_t offset;
  if (!e->header || n >= e->header->e_shnum || !add_fits(e->header->e_shoff, n * sizeof(Elf64_Shdr), &offset)) return NULL;
  return elf_at(e, offset, sizeof(Elf64_Shdr), _Alignof(Elf64_Shdr));
}

/* A section's bytes; NULL if it has none in the file. */
static const void *section_bytes(const struct elf *e, const Elf64_Shdr *s, size_t align)
{
  return s->sh_type == SHT_NOBITS ? NULL : elf_at(e, s->sh_offset, s->sh_size, align);
}

/* The string that starts at [offset] of a section of strings; NULL if it does not end there. */
static const char *section_string(const struct elf *e, const Elf64_Shdr *s, size_t offset)
{
  const char *strings = s ? section_bytes(e, s, 1) : NULL;
  if (!strings || offset >= s->sh_size || !memchr(strings + offset, 0, s->sh_size - offset)) return NULL;
  return strings + offset;
}

/* ---- Notes ---- */

static const char *note_in(const struct elf *e, const Elf64_Shdr *s, const char *owner, unsigned type, size_t *n)
{
  const char *notes = section_bytes(e, s, 4);
  size_t at = 0, left = notes ? s->sh_size : 0;
  while (left - at >= sizeof(Elf64_Nhdr) && at <= left) {
    const Elf64_Nhdr *note = (const Elf64_Nhdr *)(notes + at);
    at += sizeof *note;
    size_t name = align_up((size_t)note->n_namesz, 4), text = align_up((size_t)note->n_descsz, 4);
    if (name > left - at || text > left - at - name) return NULL;
    bool wanted = note->n_type == type && note->n_namesz == strlen(owner) + 1 && memcmp(notes + at, owner, note->n_namesz) == 0;
    const char *is = notes + at + name;
    if (wanted && memchr(is, 0, note->n_descsz) && (*n)-- == 0) return is;
    at += name + text;
  }
  return NULL;
}

const char *elf_note(const struct elf *e, const char *owner, unsigned type, size_t n)
{
  const Elf64_Shdr *s;
  for (size_t i = 0; (s = elf_section(e, i)) != NULL; i++) {
    const char *text = s->sh_type == SHT_NOTE ? note_in(e, s, owner, type, &n) : NULL;
    if (text) return text;
  }
  return NULL;
}

/* ---- Symbols ---- */

static bool section_defines(const struct elf *e, const Elf64_Shdr *s, const char *name)
{
  const Elf64_Sym *symbols = section_bytes(e, s, _Alignof(Elf64_Sym));
  const Elf64_Shdr *strings = elf_section(e, s->sh_link);
  for (size_t i = 0; symbols && i < s->sh_size / sizeof *symbols; i++) {
    const char *is = symbols[i].st_shndx == SHN_UNDEF ? NULL : section_string(e, strings, symbols[i].st_name);
    if (is && strcmp(is, name) == 0) return true;
  }
  return false;
}

bool elf_defines(const struct elf *e, const char *name)
{
  const Elf64_Shdr *s;
  for (size_t i = 0; (s = elf_section(e, i)) != NULL; i++)
    if ((s->sh_type == SHT_DYNSYM || s->sh_type == SHT_SYMTAB) && section_defines(e, s, name)) return true;
  return false;
}

/* ---- The dynamic linker ---- */

bool elf_interpreter(const struct elf *e)
{
  for (size_t i = 0; e->header && i < e->header->e_phnum; i++) {
    size_t offset;
    const Elf64_Phdr *p = add_fits(e->header->e_phoff, i * sizeof *p, &offset) ? elf_at(e, offset, sizeof *p, _Alignof(Elf64_Phdr)) : NULL;
    if (p && p->p_type == PT_INTERP) return true;
  }
  return false;
}

const char *elf_dynamic(const struct elf *e, Elf64_Sxword tag, size_t n)
{
  const Elf64_Shdr *s;
  for (size_t i = 0; (s = elf_section(e, i)) != NULL; i++) {
    const Elf64_Dyn *entries = s->sh_type == SHT_DYNAMIC ? section_bytes(e, s, _Alignof(Elf64_Dyn)) : NULL;
    for (size_t k = 0; entries && k < s->sh_size / sizeof *entries; k++)
      if (entries[k].d_tag == tag && n-- == 0) return section_string(e, elf_section(e, s->sh_link), entries[k].d_un.d_val);
  }
  return NULL;
}

/* Adds a list of folders; $ORIGIN at the start of one is the folder of the file that has the list. */
static void add_folders(struct search_path *to, const char *list, const char *path)
{
  const char *slash = strrchr(path, '/');
  struct search_path parts = {VEC_EMPTY};
  search_path_add_colons(&parts, list);
  for (size_t i = 0; i < parts.dirs.len; i++) {
    const char *dir = parts.dirs.at[i];
    size_t name = strncmp(dir, "$ORIGIN", 7) == 0 ? 7 : strncmp(dir, "${ORIGIN}", 9) == 0 ? 9 : 0;
    char *whole = NULL;
    if (asprintf(&whole, "%.*s%s", name ? slash ? (int)(slash - path) : 1 : 0, slash ? path : ".", dir + name) < 0)
      bac_fatal("out of memory");
    search_path_add(to, whole, strlen(whole));
    free(whole);
  }
  search_path_free(&parts);
}

/* A path that ends with the name, among those of the dynamic linker's cache, which are strings there. */
static char *cache_find(const char *name)
{
  struct elf cache;
  char *found = NULL, *wanted = NULL;
  if (asprintf(&wanted, "/%s", name) < 0) bac_fatal("out of memory");
  bool open = elf_open(&cache, "/etc/ld.so.cache");
  size_t length = strlen(wanted) + 1, from = 0;
  while (open && !found && from < cache.size) {
    const char *at = memmem(cache.bytes + from, cache.size - from, wanted, length), *start = at;
    if (!at) break;
    while (start > cache.bytes && start[-1]) start--;
    struct elf library;
    if (elf_open(&library, start) && library.header) found = strdup(start);
    elf_close(&library);
    from = (size_t)(at - cache.bytes) + length;
  }
  if (open) elf_close(&cache);
  free(wanted);
  return found;
}

/* The file of this name in the folders, NULL: there is none. */
static char *folders_find(const struct search_path *folders, const char *name)
{
  char *found = search_path_find(folders, name);
  if (strchr(found, '/') && access(found, F_OK) == 0) return found;
  free(found);
  return NULL;
}

char *elf_library(const struct elf *e, const char *path, const char *name)
{
  const char *runpath = elf_dynamic(e, DT_RUNPATH, 0);
  struct search_path before = {VEC_EMPTY}, after = {VEC_EMPTY};
  if (!runpath) add_folders(&before, elf_dynamic(e, DT_RPATH, 0), path);
  search_path_add_colons(&before, secure_getenv("LD_LIBRARY_PATH"));
  add_folders(&before, runpath, path);
  search_path_add_colons(&after, "/lib64:/usr/lib64:/lib:/usr/lib");
  char *found = folders_find(&before, name);
  if (!found && !strchr(name, '/')) found = cache_find(name);
  if (!found) found = folders_find(&after, name);
  search_path_free(&before);
  search_path_free(&after);
  return found;
}
