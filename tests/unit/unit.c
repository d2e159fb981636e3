/* Runs a table of cases under CUnit and reports what was compared. */
#include "tests/unit/unit.h"

#include <CUnit/Basic.h>
#include <stdatomic.h>

static atomic_uint checks, checks_failed; /* cases compare in threads of theirs, too */
static unsigned checks_before;

static void
check(int passed, const char *file, unsigned line, const char *expression)
{
    checks++;
    CU_assertImplementation(passed ? CU_TRUE : CU_FALSE, line, expression, file, "", CU_FALSE);
    if (!passed)
        checks_failed++;
}

void
unit_true(const char *file, unsigned line, const char *expression, int value)
{
    if (!value)
        printf("    %s:%u: not true: %s\n", file, line, expression);
    check(value, file, line, expression);
}

void
unit_equal_string(const char *file, unsigned line, const char *expression, const char *got,
                  const char *want)
{
    int same = got && want ? strcmp(got, want) == 0 : got == want;

    if (!same)
        printf("    %s:%u: %s\n      got  %s\n      want %s\n", file, line, expression,
               got ? got : "(null)", want ? want : "(null)");
    check(same, file, line, expression);
}

void
unit_equal_int(const char *file, unsigned line, const char *expression, long long got,
               long long want)
{
    if (got != want)
        printf("    %s:%u: %s: got %lld, want %lld\n", file, line, expression, got, want);
    check(got == want, file, line, expression);
}

void
unit_contains(const char *file, unsigned line, const char *expression, const char *got,
              const char *part)
{
    int found = got && strstr(got, part);

    if (!found)
        printf("    %s:%u: %s\n      got  %s\n      want ...%s...\n", file, line, expression,
               got ? got : "(null)", part);
    check(found, file, line, expression);
}

void
unit_ok(const char *file, unsigned line, const char *expression, int result,
        const struct prov_error *err)
{
    if (result != PROV_OK)
        printf("    %s:%u: %s: %d %s\n", file, line, expression, result, err ? err->text : "");
    check(result == PROV_OK, file, line, expression);
}

static void
begin_case(void)
{
    checks_before = checks;
}

/* A loop over what is not there would pass for ever. */
static void
end_case(void)
{
    if (checks == checks_before)
        unit_true(__FILE__, __LINE__, "something was compared", 0);
}

int
unit_run(const char *room, const struct unit_case *cases, size_t count, int argc, char **argv)
{
    const char *wanted = argc > 1 ? argv[1] : "";
    unsigned passed, failed;
    CU_pSuite suite = NULL;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() == CUE_SUCCESS)
        suite = CU_add_suite_with_setup_and_teardown(room, NULL, NULL, begin_case, end_case);
    if (!suite) {
        printf("%s: cannot start CUnit: %s\n", room, CU_get_error_msg());
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        if (strstr(cases[i].name, wanted) && !CU_add_test(suite, cases[i].name, cases[i].run)) {
            printf("%s: cannot add '%s': %s\n", room, cases[i].name, CU_get_error_msg());
            return 1;
        }
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failed = CU_get_number_of_tests_failed();
    passed = CU_get_number_of_tests_run() - failed;
    CU_cleanup_registry();
    printf("%s: %u passed, %u failed\n", room, passed, failed);
    return failed || checks_failed || !passed;
}
