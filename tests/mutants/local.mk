# Faults put into the code, each with a test that must fail then; `make mutants`, for a night.
EXTRA_DIST += tests/mutants/list tests/mutants/mutants.py
.PHONY: mutants
mutants:
	srcdir='$(abs_top_srcdir)' CC='$(CC)' PYTHONDONTWRITEBYTECODE=1 python3 $(srcdir)/tests/mutants/mutants.py $(MUTANTS)
