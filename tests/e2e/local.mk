EXTRA_DIST += tests/e2e/harness.py hosts/python/minimal_host.py

e2e_tests = \
	tests/e2e/test_abi.py \
	tests/e2e/test_delivery.py \
	tests/e2e/test_cli.py \
	tests/e2e/test_failures.py \
	tests/e2e/test_lists.py \
	tests/e2e/test_main_job.py \
	tests/e2e/test_scope.py \
	tests/e2e/test_terminal.py \
	tests/e2e/test_wire.py
dist_check_SCRIPTS += $(e2e_tests)
if BUILD_TESTS
TESTS += $(e2e_tests)
endif
