/*
 * What rendering a username costs, beside what its bytes cost: the D1 case of docs/patterns.md, a
 * few million times, in rounds that alternate with a hand-written concatenation of the same bytes.
 * Prints the median of the rounds and the ratio; judges nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "patterns/pattern.h"
#include "tests/bench/size.h"

#define ROUNDS 7

static int renders; /* in a round */

static const struct pattern_user user = { .entity_name = "user@provisioning.com",
                                          .identity_provider = "salesforce" };

static double
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Keeps the compiler from seeing that every round makes the same string. */
static void
use(char *buffer)
{
    __asm__ volatile("" : : "r"(buffer) : "memory");
}

static double
render_round(const struct pattern *pattern)
{
    char buffer[PATTERN_MAX_BYTES];
    double start = now_ns();

    for (int i = 0; i < renders; i++) {
        if (pattern_render(pattern, &user, buffer, sizeof(buffer), NULL, NULL) != PROV_OK)
            abort();
        use(buffer);
    }
    return (now_ns() - start) / renders;
}

/* The ceiling: lengths known, no separator to look for, no '/', no limit. */
static double
raw_round(void)
{
    static const char *const pieces[] = {
        "PRIMARY", "-", "user@provisioning.com", "-", "carbon.super", "-", "salesforce"
    };
    size_t lengths[7];
    char buffer[PATTERN_MAX_BYTES];
    double start;

    for (size_t p = 0; p < 7; p++)
        lengths[p] = strlen(pieces[p]);
    start = now_ns();
    for (int i = 0; i < renders; i++) {
        size_t used = 0;
        for (size_t p = 0; p < 7; p++) {
            memcpy(buffer + used, pieces[p], lengths[p]);
            used += lengths[p];
        }
        for (size_t c = 0; c < used; c++) {
            unsigned char byte = (unsigned char)buffer[c];
            buffer[c] = (char)(byte | ((unsigned char)(byte - 'A') < 26 ? 0x20 : 0));
        }
        buffer[used] = '\0';
        use(buffer);
    }
    return (now_ns() - start) / renders;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int
main(void)
{
    const struct pattern_settings settings = { .pattern = "{UD, UN, TD, IDP}", .separator = "-" };
    CLEANUP(pattern_cleanup) struct pattern *pattern = NULL;
    struct prov_error err = PROV_ERROR_INIT;
    double rendered[ROUNDS], raw[ROUNDS];

    if (pattern_compile(&settings, &pattern, NULL, &err) != PROV_OK) {
        fprintf(stderr, "bench_patterns: %s\n", err.text);
        return 1;
    }
    renders = (int)bench_size(1000000, 100);
    for (int round = 0; round < ROUNDS; round++) {
        rendered[round] = render_round(pattern);
        raw[round] = raw_round();
    }
    qsort(rendered, ROUNDS, sizeof(rendered[0]), by_value);
    qsort(raw, ROUNDS, sizeof(raw[0]), by_value);
    printf("patterns.render_ns %.1f\n", rendered[ROUNDS / 2]);
    printf("patterns.render_raw_ns %.1f\n", raw[ROUNDS / 2]);
    printf("patterns.render_to_raw %.2f\n", rendered[ROUNDS / 2] / raw[ROUNDS / 2]);
    return 0;
}
