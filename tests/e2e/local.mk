EXTRA_DIST += tests/golden/check.json tests/e2e/harness.py tests/e2e/front.py tests/e2e/canary.py
# by scripts/test: they need the npm registry
EXTRA_DIST += tests/interop/run tests/interop/package.json tests/interop/package-lock.json \
	tests/interop/.npmrc tests/interop/jsforce.test.mjs tests/interop/flows.test.mjs

e2e_tests = \
	tests/e2e/test_abi.py \
	tests/e2e/test_adoption.py \
	tests/e2e/test_delivery.py \
	tests/e2e/test_canary.py \
	tests/e2e/test_check.py \
	tests/e2e/test_cli.py \
	tests/e2e/test_daemon.py \
	tests/e2e/test_documents.py \
	tests/e2e/test_facts.py \
	tests/e2e/test_failures.py \
	tests/e2e/test_guard.py \
	tests/e2e/test_hostile.py \
	tests/e2e/test_leavers.py \
	tests/e2e/test_lists.py \
	tests/e2e/test_login.py \
	tests/e2e/test_main_job.py \
	tests/e2e/test_mapping.py \
	tests/e2e/test_monitoring.py \
	tests/e2e/test_names.py \
	tests/e2e/test_outcomes.py \
	tests/e2e/test_pace.py \
	tests/e2e/test_parked.py \
	tests/e2e/test_password.py \
	tests/e2e/test_quarantine.py \
	tests/e2e/test_refusals.py \
	tests/e2e/test_repair.py \
	tests/e2e/test_rings.py \
	tests/e2e/test_scope.py \
	tests/e2e/test_seats.py \
	tests/e2e/test_store.py \
	tests/e2e/test_story.py \
	tests/e2e/test_suffix.py \
	tests/e2e/test_sync.py \
	tests/e2e/test_terminal.py \
	tests/e2e/test_tls.py \
	tests/e2e/test_told.py \
	tests/e2e/test_waits.py \
	tests/e2e/test_wire.py
dist_check_SCRIPTS += $(e2e_tests) tests/e2e/test_core.py
if BUILD_TESTS
TESTS += $(e2e_tests)
if !SANITIZERS
# AddressSanitizer keeps what was freed
TESTS += tests/e2e/test_core.py
endif
endif
