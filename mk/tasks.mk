# SPDX-License-Identifier: MIT
# What a user calls: set-up, demo, tests, benchmarks, installation, checks.

.PHONY: setup demo test soak conformance bench bench-native bench-boot bench-byte bench-marshal bench-pacing bench-field bench-c install check-layers check-provenance clean

# Debian packages, the OCaml 5.3.0 sources and toolchain. Once; then it is a look at a marker.
setup:
	@tools/setup.sh

# Set-up may install the compiler that the rest is built with: a second make sees it.
demo: setup
	@$(MAKE) --no-print-directory MODE=release all
	@tools/demo.sh

test: setup
	@tests/run $(TESTS)

# Eight domains that do everything at once, with V=1: nothing may fail or grow. SEED=n as an earlier run, BACKEND=byte.
MINUTES ?= 30
soak: setup
	@$(MAKE) --no-print-directory MODE=release all
	@mkdir -p build/soak
	@export $$(cat build/toolchain.env) BUILD=$(abspath build/release) WORK=$(abspath build/soak); \
	  tests/soak/run $(or $(BACKEND),native) $$(($(MINUTES) * 60)) $(SEED)

# OCaml's own test suite: DIRS="callback lib-*", BACKEND=byte or native. A run of everything takes a while.
conformance: setup
	@$(MAKE) --no-print-directory MODE=release all
	@$(MAKE) --no-print-directory MODE=debug all
	@tests/conformance/run $(DIRS)

# Five minutes; NAMES="trees maps" for some.
bench bench-native: setup
	@$(MAKE) --no-print-directory MODE=release all
	@bench/bench-native --rounds $(or $(ROUNDS),3) $(NAMES)

bench-boot: setup
	@$(MAKE) --no-print-directory MODE=release all
	@bench/bench-boot

# Three minutes; NAMES="floats hashing" for some.
bench-byte: setup
	@$(MAKE) --no-print-directory MODE=release all
	@bench/bench-byte --rounds $(or $(ROUNDS),7) $(NAMES)

# A quarter of an hour; GRID="--quick" for a look: bench/bench-pacing --help.
bench-pacing: setup
	@$(MAKE) --no-print-directory MODE=release all
	@bench/bench-pacing $(GRID)

# Three quarters of an hour, most of it D1; ROWS="M2 W1" for some: docs/field.md.
bench-field: setup
	@$(MAKE) --no-print-directory MODE=release all
	@bench/bench-field $(ROWS)

# Ten minutes; SHAPES="ints messages" for some.
bench-marshal: setup
	@$(MAKE) --no-print-directory MODE=release all
	@bench/bench-marshal $(SHAPES)

# bdwgc beside it: Debian's libgc-dev.
bench-c:
	@$(MAKE) --no-print-directory MODE=release lib
	@bench/bench-c

check-layers:
	@python3 tools/check-layers.py

# The tool stands beside the repository, where it is there at all; the stock sources are set-up's.
provenance := $(wildcard ../shared/tools/provenance.py)
check-provenance:
	$(if $(provenance),@python3 $(provenance) . $(OCAML_SRC)/runtime)

version := $(shell sed -n 's/.*define BACTRIAN_VERSION "\(.*\)"/\1/p' src/base/note.h)
fill_in := -e 's|@PREFIX@|$(abspath $(PREFIX))|' -e 's|@VERSION@|$(version)|'

# What OCaml programs are linked with stands in a folder of its own, where the compiler may look without seeing the rest of
# PREFIX/lib. A program finds the interpreter as lib/bactrian/bin/ocamlrun, since bin/ocamlrun may be another OCaml's;
# bin/ocamlrun_bactrian is for `ocamlc -runtime-variant _bactrian`, where PREFIX is OCaml's own.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/bactrian/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig \
	  $(DESTDIR)$(PREFIX)/include/bactrian
	install -m 755 $B/bin/bactrian $(DESTDIR)$(PREFIX)/bin/bactrian
	ln -sfn bactrian $(DESTDIR)$(PREFIX)/bin/ocamlrun_bactrian
	ln -sfn ../../../bin/bactrian $(DESTDIR)$(PREFIX)/lib/bactrian/bin/ocamlrun
	$(if $(debug_bins),install -m 755 $(debug_bins) $(DESTDIR)$(PREFIX)/lib/bactrian/bin/)
	install -m 644 $(filter-out %/libbactrian.a,$(libs)) $(debug_libs) $(DESTDIR)$(PREFIX)/lib/bactrian/
	install -m 644 $B/lib/libbactrian.a $(DESTDIR)$(PREFIX)/lib/
	install -m 644 include/bactrian/gc.h $(DESTDIR)$(PREFIX)/include/bactrian/
	sed $(fill_in) mk/bactrian.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/bactrian.pc
	sed $(fill_in) mk/META.in >$(DESTDIR)$(PREFIX)/lib/bactrian/META

clean:
	rm -rf build
