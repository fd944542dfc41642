# SPDX-License-Identifier: MIT
# The test programs written in C, in $B/tests/.
#
# Each .c file of these folders is one program. Those of core_tests drive the
# collector alone and link with its objects and the mock mutator (tests/mock);
# those of capi_tests see the public header, and link with libbactrian.a alone;
# those of byte_tests link with the whole bytecode runtime.

core_tests := unit model fault abort
capi_tests := capi
byte_tests := prims bytecode fuzz

test_programs = $(foreach room,$(1),$(patsubst tests/%.c,$B/tests/%,$(wildcard tests/$(room)/*.c)))
core_programs := $(call test_programs,$(core_tests))
capi_programs := $(call test_programs,$(capi_tests))
byte_programs := $(call test_programs,$(byte_tests))
mock_obj := $(call object,$(wildcard tests/mock/*.c))

.PHONY: tests core-tests
core-tests: $(core_programs)
tests: core-tests $(capi_programs) $(byte_programs)

$B/obj/tests/%.o: ALL_CPPFLAGS += -Itests

define link_test
$(call say,LINK,$@)
@mkdir -p $(@D)
@$(CC) $(ALL_LDFLAGS) $^ -o $@ $(LIBS)
endef
$(core_programs): $B/tests/%: $B/obj/tests/%.o $(mock_obj) $B/obj/libcore.a
	$(link_test)
$(capi_programs): $B/tests/%: $B/obj/tests/%.o $B/lib/libbactrian.a
	$(link_test)
$(byte_programs): $B/tests/%: $B/obj/tests/%.o $B/obj/gen/primitives.o $B/lib/libcamlrun_bactrian.a
	$(link_test)

# The collector's calls of the C heap come to the test, which refuses some.
$B/tests/fault/gc_malloc_test: ALL_LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# The marshaller's fuzzer is several files, and counts what the runtime takes of the C heap.
$B/tests/fuzz/marshal_fuzz: $(call object,$(wildcard tests/fuzz/marshal/*.c))
$B/tests/fuzz/marshal_fuzz: ALL_LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free

-include $(patsubst $B/tests/%,$B/obj/tests/%.d,$(core_programs) $(capi_programs) $(byte_programs)) $(mock_obj:.o=.d) \
  $(patsubst %.c,$B/obj/%.d,$(wildcard tests/fuzz/marshal/*.c))
