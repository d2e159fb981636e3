/* The unit tests' frame over CUnit: one program a room, one static table of cases, checks that
 * print both values. A case that is not in the table is an unused function, which the compiler
 * refuses. Prints "NAME: N passed, N failed" last. */
#ifndef UNIT_H
#define UNIT_H

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin/base/error.h"

struct unit_case {
    const char *name; /* a sentence: rename_keeps_the_id */
    void (*run)(void);
};

#define UNIT_CASE(function)                                                                        \
    {                                                                                              \
#        function, function                                                                        \
    }

/*
 * A case that forks while other threads allocate. AddressSanitizer's allocator has no fork handler in
 * GCC 12: a child that inherits its lock locked waits for ever, whatever we do. There such a case is
 * left out; it runs in the plain build, under ThreadSanitizer and under valgrind.
 */
#ifdef __SANITIZE_ADDRESS__
#    define UNIT_CASE_FORKING_AMONG_THREADS(function)
#    define UNIT_FORKING __attribute__((unused))
#else
#    define UNIT_CASE_FORKING_AMONG_THREADS(function) UNIT_CASE(function),
#    define UNIT_FORKING
#endif

/* Runs all cases, or those whose name contains argv[1]. Returns main()'s result. */
int unit_run(const char *room, const struct unit_case *cases, size_t count, int argc, char **argv);

void unit_equal_string(const char *file, unsigned line, const char *expression, const char *got,
                       const char *want);
void unit_equal_int(const char *file, unsigned line, const char *expression, long long got,
                    long long want);
void unit_contains(const char *file, unsigned line, const char *expression, const char *got,
                   const char *part);
void unit_ok(const char *file, unsigned line, const char *expression, int result,
             const struct prov_error *err);
void unit_true(const char *file, unsigned line, const char *expression, int value);

#define T_TRUE(value)    unit_true(__FILE__, __LINE__, #value, (value) ? 1 : 0)
#define T_STR(got, want) unit_equal_string(__FILE__, __LINE__, #got, got, want)
#define T_INT(got, want)                                                                           \
    unit_equal_int(__FILE__, __LINE__, #got, (long long)(got), (long long)(want))
#define T_HAS(got, part)    unit_contains(__FILE__, __LINE__, #got, got, part)
#define T_OK(call, err_ptr) unit_ok(__FILE__, __LINE__, #call, call, err_ptr)

#endif
