# SPDX-License-Identifier: MIT
"""How each library of tests/stubs/suite is built and tested: by hand, since their own makefiles ask for ocamlfind or dune.

A recipe's function gets the suite's Library, a folder with the unpacked source.
"""
import glob
import os
import shutil


LONG = bool(os.environ.get("BAC_LONG"))
# OCAMLRUNPARAM of Bactrian's runs.
SETTINGS = ["", "V=1,s=4096", "Xstress=97"]
# For tests that let go of what C still has, and fail on stock too if a collection comes right then.
RARELY = ["", "V=1,s=4096"]


class Recipe:
    """Debian's source packages, its own first; C headers that are included, each with the packages that bring it; the function."""

    def __init__(self, build, packages, headers):
        self.name, self.build, self.packages, self.headers = build.__name__, build, packages.split(), headers


GMP = {"gmp.h": ["libgmp-dev", "libgmp10"]}
ZLIB = {"zlib.h": ["zlib1g-dev", "zlib1g"]}


def sources(*units):
    """Interface and implementation of each."""
    return [u + ext for u in units for ext in (".mli", ".ml")]


# Custom blocks with finalisers, comparison, hashing and marshalling; a million small allocations off the heap.

def archive_zarith(library, folder="."):
    library.write(os.path.join(folder, "zarith_version.ml"), 'let version = "1.14"\n')
    library.archive("zarith", ["zarith_version.ml", *sources("z", "q", "big_int_Z"), "caml_z.c"], cwd=folder, cflags="-DHAS_GMP",
                    links=["-lgmp"])


def zarith(library):
    archive_zarith(library)
    library.program("zq", ["zq.ml"], cwd="tests", expected="zq.output64")
    library.program("pi", ["pi.ml"], ["500"], cwd="tests", expected="pi.output")
    library.program("tofloat", ["setround.c", "tofloat.ml"], cwd="tests")
    for name in ["ofstring", "chi2", *(["tst_extract"] if LONG else [])]:
        library.program(name, [name + ".ml"], cwd="tests")
    for bits in ("32", "64"):
        library.program("intern", ["intern.ml"], ["extern.data" + bits], cwd="tests", expected=f"intern.output{bits}64")


# Custom blocks with a C structure behind them; string buffers that C reads and writes. Its tests are shell scripts.

def camlzip(library):
    library.archive("zip", [*sources("zlib", "zip", "gzip"), "zlibstubs.c"], links=["-lz"])
    library.script("testzlib.run", ["testzlib"], cwd="test")
    library.script("minigzip.run", ["minigzip"], cwd="test")
    if shutil.which("zip") and shutil.which("unzip"):
        library.script("minizip.run", ["minizip"], cwd="test")


# Above zarith; strings as mutable state of C code, /dev/urandom, zlib streams.

def cryptokit(library):
    library.unpack("ocaml-zarith", "zarith")
    archive_zarith(library, "zarith")
    stubs = sorted(os.path.basename(f) for f in glob.glob(library.path("src/stubs-*.c")))
    library.archive("cryptokit", [*sources("cryptokitBignum", "cryptokit"), *stubs], cwd="src", links=["-lz"],
                    cflags="-DCAML_NAME_SPACE -DEXPORT=static -DBLAKE3_NO_SSE2 -DBLAKE3_NO_SSE41 -DBLAKE3_NO_AVX2 -DBLAKE3_NO_AVX512 "
                           "-DBLAKE3_USE_NEON=0 -DHAVE_GETENTROPY -DHAVE_ZLIB -maes -mpclmul")
    # caml_siphash_init reads its key after an allocation, without making it a root: wrong on stock too, if a collection comes then.
    library.program("test", ["test.ml"], cwd="test", settings=["", "V=1"])


# C calls OCaml back from within a parser, which holds closures as generational roots; finalisers.

def expat(library):
    # Not expat: libexpat.a would come before the system's.
    library.archive("mlexpat", [*sources("expat"), "expat_stubs.c"], links=["-lexpat"])
    library.program("unittest", [*library.standins("oUnit2", "oUnit"), "unittest.ml"])


# Bigarrays that C reads and writes, without allocation.

def bigstringaf(library):
    library.archive("bigstringaf", [*sources("bigstringaf"), "bigstringaf_stubs.c"], cwd="lib")
    library.program("test_bigstringaf", [*library.standins("alcotest"), "s.ml", "test_bigstringaf.ml"], cwd="lib_test")


def cstruct(library):
    library.archive("cstruct", [*sources("cstruct", "cstruct_cap"), "cstruct_stubs.c"], cwd="lib")
    library.write("lib_test/main.ml", "let () = Alcotest.run \"bounds\" [ \"bounds\", Bounds.suite ]\n")
    library.program("parse", [*library.standins("fmt", "alcotest"), "parse.ml"], cwd="lib_test")
    library.program("bounds", [*library.standins("alcotest"), *sources("bounds"), "main.ml"], cwd="lib_test")


# Custom blocks of a fixed size; callouts into OCaml from the matcher.

def pcre2(library):
    library.archive("pcre2", [*sources("pcre2"), "pcre2_stubs.c"], cwd="src", links=["-lpcre2-8"])
    for name in ("pcre2_tests", "old_pcre2_tests"):
        library.program(name, [*library.standins("oUnit2"), name + ".ml"], cwd="test")


# Bigarrays over mapped files that forked processes share, marshalled closures in them.

def parmap(library):
    library.write("src/parmap_compat.ml", "let map_file = Unix.map_file\n")
    library.write("src/setcore_stubs.h", "#define HAVE_DECL_SCHED_SETAFFINITY 1\n")
    library.archive("parmap", ["parmap_compat.ml", *sources("bytearray"), *sources("parmap_utils"), "setcore.ml", *sources("parmap"),
                               "bytearray_stubs.c", "setcore_stubs.c"], cwd="src")
    for name in ["testexceptions", "simplescalefold", *(["simplescale", "simplescalemapfold", "floatscale"] if LONG else [])]:
        library.program(name, ["utils.ml", name + ".ml"], cwd="tests", says="verdict")


# Foreign functions by libffi and by generated stubs: closures that C calls, also from threads of its own, what they keep
# alive, finalisers, roots, structures and arrays outside the heap behind custom blocks, boxed integers of all sizes.

CTYPES = ["arrays array", "bigarrays", "callback_lifetime", "closure-type-promotion", "cstdlib", "custom_ops", "finalisers",
          "foreign_values", "funptrs", "higher_order", "marshal", "passing-ocaml-values", "roots", "structs", "threads", "views"]
if LONG:
    CTYPES += ["complex", "foreign-errno errno", "lifetime", "oo_style", "pointers", "raw", "variadic"]


def archive_ctypes(library):
    library.write("src/ctypes/bigarray_compat.ml", "include Bigarray\n")
    library.write("src/ctypes/ctypes_primitives.ml", library.output([*library.standins("configurator"), "src/configure/gen_c_primitives.ml"]))
    library.archive("ctypes", library.sorted("src/ctypes"), cwd="src/ctypes")
    library.archive("ctypes_stubs", library.sorted("src/cstubs"), cwd="src/cstubs")
    foreign = "src/ctypes-foreign"
    for name in ("dl.ml", "dl_stubs.c"):
        shutil.copy(library.path(foreign, name + ".unix"), library.path(foreign, name))
    library.write(foreign + "/libffi_abi.ml", library.output([*library.standins("configurator"), foreign + "/config/gen_libffi_abi.ml"]))
    library.archive("ctypes_foreign", library.sorted(foreign), cwd=foreign, links=["-lffi"])


def test_ctypes(library, cwd, name, **judged):
    """A driver writes the C stubs, their bindings, and a C program that prints the bindings of structures."""
    for source in glob.glob(library.path(cwd, "stub*", "*.ml")):
        shutil.copy(source, library.path(cwd))
    if os.path.exists(library.path(cwd, "driver.ml")):
        library.output([s for s in library.sorted(cwd) if s != name + ".ml"], cwd,
                       "--ml-file", "generated_bindings.ml", "--c-file", "generated_stubs.c", "--c-struct-file", "structs.c")
    if os.path.exists(library.path(cwd, "structs.c")):
        library.write(cwd + "/generated_struct_bindings.ml", library.output(["structs.c"], cwd))
    rest = [s for s in library.sorted(cwd) if s not in ("driver.ml", "structs.c")]
    library.program(name, [*library.standins("oUnit2"), *rest, "../clib/test_functions.c"], cwd=cwd, **judged)


def ctypes(library):
    library.unpack("ocaml-integers", "integers")
    library.archive("integers", [*sources("unsigned", "signed"), "unsigned_stubs.c"], cwd="integers/src")
    for name in ("hexprinting", "uint32conversions", "uint64conversions"):
        library.program(name, [name + ".ml"], cwd="integers/test")
    archive_ctypes(library)
    library.archive("tests_common", ["tests_common.ml"], cwd="tests/tests-common")
    library.include("tests/clib")
    library.shared("clib.so", ["test_functions.c"], cwd="tests/clib")
    for what in CTYPES:
        folder, name = what.split()[0], what.split()[-1].replace("-", "_")
        test_ctypes(library, "tests/test-" + folder, "test_" + name, settings=RARELY)


ALL = [
    Recipe(zarith, "ocaml-zarith", GMP),
    Recipe(camlzip, "camlzip", ZLIB),
    Recipe(cryptokit, "cryptokit ocaml-zarith", GMP | ZLIB),
    Recipe(expat, "ocaml-expat", {"expat.h": ["libexpat1-dev", "libexpat1"]}),
    Recipe(bigstringaf, "ocaml-bigstringaf", {}),
    Recipe(cstruct, "ocaml-cstruct", {}),
    Recipe(pcre2, "pcre2-ocaml", {"pcre2.h": ["libpcre2-dev", "libpcre2-8-0"]}),
    Recipe(parmap, "parmap", {}),
    Recipe(ctypes, "ocaml-ctypes ocaml-integers", {"ffi.h": ["libffi-dev", "libffi8"]}),
]
