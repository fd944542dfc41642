# SPDX-License-Identifier: MIT
# Bactrian's build: GNU make, out of tree.
#
#   make                  build/release, and build/bin, build/lib pointing at it
#   make demo | test | bench-boot | install PREFIX=...
#   MODE=release|debug|asan|tsan   CC=gcc|clang   CI=1 (warnings are errors)
#
# Everything of one configuration stands in build/$(MODE), with the compiler's
# name appended when that is not gcc: obj/ gen/ lib/ bin/ tests/. Sources are
# found by wildcard: a new .c file under src/ or tests/ needs no line here.
# mk/tests.mk has the test programs, mk/tasks.mk what a user calls.

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

MODE ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
AR := ar
LD := ld
OBJCOPY ?= objcopy
PREFIX ?= /usr/local

compiler := $(notdir $(firstword $(CC)))
B := build/$(MODE)$(if $(filter-out gcc,$(compiler)),-$(compiler))

# ---- Flags -----------------------------------------------------------------

# A heap word is read as a value, a double, bytes: no type-based aliasing.
# OCaml's integers wrap. The UBSan build goes without -fwrapv, so that it still
# reports each overflow that the C code did not mean.
flags_release := -O2 -g -fwrapv
flags_debug := -Og -g -fwrapv -DBAC_DEBUG
flags_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
  -fno-sanitize-recover=undefined -DBAC_DEBUG
flags_tsan := -O1 -g -fwrapv -fno-omit-frame-pointer -fsanitize=thread -DBAC_DEBUG
# gcc warns that its TSan does not model fences; clang's does not warn.
ifeq ($(findstring clang,$(compiler)),)
flags_tsan += -Wno-tsan
endif
ifndef flags_$(MODE)
$(error MODE=$(MODE): it is one of release, debug, asan, tsan)
endif

# Marshalled data may be compressed; without the library such data is refused.
have_zstd := $(shell echo '\#include <zstd.h>' | $(CC) -E -x c - >/dev/null 2>&1 && echo 1)

# Where programs that load C stubs look for ld.conf, unless OCAMLLIB says: set-up notes
# the toolchain's library as OCAML_LIB. Without set-up it is that of the OCaml 5.3 on PATH.
-include build/toolchain.env
ifeq ($(OCAML_LIB),)
OCAML_LIB := $(if $(filter 5.3.%,$(shell ocamlc -version 2>/dev/null)),$(shell ocamlc -where))
endif
stdlib_dir := $(if $(OCAML_LIB),-DBAC_STDLIB_DIR='"$(OCAML_LIB)"')

# The same objects go into programs and into shared libraries. Where they end up in a program, the linker
# makes the accesses direct again.
pic := -fPIC -fno-semantic-interposition -ftls-model=initial-exec

ALL_CPPFLAGS := -Isrc -Iinclude -D_GNU_SOURCE= $(if $(have_zstd),-DBAC_HAVE_ZSTD) $(stdlib_dir) $(CPPFLAGS)
ALL_CFLAGS := -std=gnu11 -Wall -Wextra -Wno-unused-parameter $(if $(CI),-Werror) \
  $(flags_$(MODE)) $(pic) -fno-strict-aliasing -fvisibility=hidden -pthread $(CFLAGS)
ALL_LDFLAGS := $(filter -fsanitize=%,$(flags_$(MODE))) -pthread $(LDFLAGS)
LIBS := $(if $(have_zstd),-lzstd) -ldl -lm -lpthread

# ---- Sources ---------------------------------------------------------------

core_rooms := base os sync heap gc domain
shared_rooms := abi prims observe threads
byte_rooms := $(shared_rooms) bytecode
in_rooms = $(foreach room,$(1),$(wildcard src/$(room)/*.c src/$(room)/*/*.c))

core_src := $(call in_rooms,$(core_rooms))
capi_src := $(call in_rooms,capi)
byte_src := $(call in_rooms,$(byte_rooms))
main_src := $(wildcard tools/bactrian*.c)
object = $(patsubst %.c,$B/obj/%.o,$(1))

# The native back end is there for the architectures whose assembly file is. Sanitizers know nothing of its
# stacks.
asm_of_x86_64 := amd64
machine := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
native_asm := $(if $(filter release debug,$(MODE)),$(wildcard src/native/$(asm_of_$(machine)).S))
native_src := $(if $(native_asm),$(call in_rooms,$(shared_rooms) native))

core_obj := $(call object,$(core_src))
capi_obj := $(call object,$(capi_src))
byte_obj := $(call object,$(byte_src))
main_obj := $(call object,$(main_src)) $B/obj/gen/primitives.o

# ocamlopt's link command names no libzstd: native programs bring their own compression (libcomprmarsh).
native_obj := $(strip $(filter-out %/prims/zstd.o,$(call object,$(native_src))) $(native_asm:%.S=$B/obj/%.o))

native_libs := $(if $(native_obj),$(patsubst %,$B/lib/libasmrun_bactrian%,.a _pic.a _shared.so))

# What stock's threads.cma and threads.cmxa name. Empty: the primitives are in the runtime. They are there so that the linker does
# not go on to stock's.
thread_libs := $B/lib/libthreads.a $(if $(native_obj),$B/lib/libthreadsnat.a)

libs := $B/lib/libbactrian.a $B/lib/libcamlrun_bactrian.a $(native_libs) $(thread_libs)
bins := $B/bin/bactrian $B/bin/ocamlrun

# Beside the release build, with a d at the end of their names, what -runtime-variant _bactriand and -custom link and what runs
# bytecode with the collector's checks: the debug build's.
ifeq ($(MODE),release)
debug_libs := $(patsubst %,$B/lib/lib%_bactriand.a,camlrun $(if $(native_obj),asmrun))
debug_bins := $B/bin/ocamlrund
endif

.PHONY: all lib objects debug
all: $(libs) $(bins) $(debug_libs) $(debug_bins)
lib: $(libs)
objects: $(core_obj) $(capi_obj) $(byte_obj) $(native_obj)

# ---- Rules -----------------------------------------------------------------

say = @printf '  %-5s %s\n' $(1) $(2)

# Two notes, rewritten only when they change: objects follow the flags,
# archives and the primitive table the list of sources.
$(shell mkdir -p $B)
note = $(if $(filter-out x$(file <$(1))x,x$(2)x)$(filter-out x$(2)x,x$(file <$(1))x),$(file >$(1),$(2)))
$(call note,$B/flags,$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS))
$(call note,$B/sources,$(core_src) $(capi_src) $(byte_src) $(native_src) $(main_src))

$B/obj/%.o: %.c $B/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# Exceptions of C++ programs come through the finalisers that they throw them in.
$(capi_obj): ALL_CFLAGS += -fexceptions

$B/obj/%.o: %.S $B/flags
	$(call say,AS,$<)
	@mkdir -p $(@D)
	@$(CC) $(ALL_CPPFLAGS) -MMD -MP -c $< -o $@

# Written only when the list of primitives changes. The stamp is dated before
# the sources are read: one that is saved meanwhile is read again.
$B/gen/primitives.c: $B/gen/primitives.stamp ;
$B/gen/primitives.stamp: $(byte_src) tools/primitives $B/sources
	@mkdir -p $(@D); touch $@.new
	@tools/primitives $(byte_src) >$B/gen/primitives.new
	@cmp -s $B/gen/primitives.new $B/gen/primitives.c || cp $B/gen/primitives.new $B/gen/primitives.c
	@rm -f $B/gen/primitives.new; mv $@.new $@

$B/obj/gen/primitives.o: $B/gen/primitives.c $B/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@

define archive
$(call say,AR,$@)
@mkdir -p $(@D)
@rm -f $@
@$(AR) rcs $@ $(filter %.o,$^)
endef
# What C programs link with: one object, of which only the public names are left.
$B/obj/bactrian.o: $(core_obj) $(capi_obj) $B/sources
	$(call say,LD,$@)
	@$(LD) -r $(filter %.o,$^) -o $@
	@$(OBJCOPY) --localize-hidden $@
$B/lib/libbactrian.a: $B/obj/bactrian.o
	$(archive)
# The same with its insides open, for the tests.
$B/obj/libcore.a: $(core_obj) $(capi_obj) $B/sources
	$(archive)
$B/lib/libcamlrun_bactrian.a: $(core_obj) $(byte_obj) $B/sources
	$(archive)

$B/lib/libasmrun_bactrian.a $B/lib/libasmrun_bactrian_pic.a: $(core_obj) $(native_obj) $B/sources
	$(archive)

$(thread_libs): $B/sources
	$(archive)

# What the program itself defines (caml_program, caml_globals ...) is left open.
$B/lib/libasmrun_bactrian_shared.so: $(core_obj) $(native_obj) $B/sources
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -shared $(filter-out %/native/main.o,$(filter %.o,$^)) -o $@ -ldl -lm -lpthread

# Exported names stay visible to the C stubs that programs load.
$B/bin/bactrian: $(core_obj) $(byte_obj) $(main_obj) $B/sources
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -rdynamic $(filter-out %/bytecode/main.o,$(filter %.o,$^)) -o $@ $(LIBS)

$B/bin/ocamlrun: $B/bin/bactrian
	@ln -f $< $@

# Links stay true when the debug build is made anew.
debug:
	@$(MAKE) -s --no-print-directory MODE=debug all
$(debug_libs): $B/lib/%d.a: | debug
	@mkdir -p $(@D); ln -sfn ../../$(B:build/release%=debug%)/lib/$*.a $@
$(debug_bins): $B/bin/%d: | debug
	@mkdir -p $(@D); ln -sfn ../../$(B:build/release%=debug%)/bin/$* $@

# build/bin and build/lib are the release build by gcc.
ifeq ($B,build/release)
all: build/bin build/lib
build/bin build/lib: build/%: | $(libs) $(bins)
	@ln -sfn release/$* $@
endif

-include $(patsubst %.o,%.d,$(core_obj) $(capi_obj) $(byte_obj) $(native_obj) $(main_obj))
include mk/tests.mk mk/tasks.mk
