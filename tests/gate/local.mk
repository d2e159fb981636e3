# What the connector costs, counted: `make gate` compares with tests/gate/baseline.json, `make
# gate-record` writes it anew. In `make check` too.
EXTRA_DIST += tests/gate/baseline.json
if BUILD_TESTS
check_PROGRAMS += tests/gate/gate
tests_gate_gate_SOURCES = $(sfprov_la_SOURCES) \
	tests/gate/gate.c tests/gate/gate.h tests/gate/wire.c
tests_gate_gate_CFLAGS = $(AM_CFLAGS)
tests_gate_gate_LDADD = libsfprov.la liborg.la $(JSONC_LIBS)
tests_gate_gate_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup
dist_check_SCRIPTS += tests/gate/gate.py
if !SANITIZERS
TESTS += tests/gate/gate.py
endif
endif

.PHONY: gate gate-record
gate: all
	$(MAKE) $(AM_MAKEFLAGS) tests/gate/gate
	top_builddir=$(abs_top_builddir) CC='$(CC)' python3 $(srcdir)/tests/gate/gate.py
gate-record: all
	$(MAKE) $(AM_MAKEFLAGS) tests/gate/gate
	top_builddir=$(abs_top_builddir) CC='$(CC)' python3 $(srcdir)/tests/gate/gate.py --record
