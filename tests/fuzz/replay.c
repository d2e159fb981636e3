/*
 * Replays a corpus through a fuzz target, without clang: every file of tests/fuzz/corpus/TARGET,
 * and of each the beginnings and some changed bytes, always the same ones, because parsers fail
 * where an input ends too early. A target that finds a fault aborts; the file is named before.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>

#define MAX_STEPS 400

static uint32_t random_state;

static uint32_t
next_random(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* Some inputs made of one. */
static void
run_variants(const uint8_t *data, size_t size)
{
    size_t step = size / MAX_STEPS + 1;
    uint8_t *changed = malloc(size + 1);

    if (!changed)
        abort();
    for (size_t length = 0; length < size; length += step)
        LLVMFuzzerTestOneInput(data, length);
    random_state = (uint32_t)size;
    for (int i = 0; size > 0 && i < MAX_STEPS / 2; i++) {
        memcpy(changed, data, size);
        for (int flips = 0; flips <= i % 3; flips++)
            changed[next_random((uint32_t)size)] ^= (uint8_t)(1u << next_random(8));
        LLVMFuzzerTestOneInput(changed, size);
    }
    free(changed);
}

static int
replay(const char *file)
{
    FILE *stream = fopen(file, "rb");
    uint8_t *data = malloc(1024 * 1024);
    size_t size;

    if (!stream || !data) {
        fprintf(stderr, "%s: cannot be read\n", file);
        free(data);
        return 1;
    }
    size = fread(data, 1, 1024 * 1024, stream);
    fclose(stream);
    printf("    %s\n", file);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    run_variants(data, size);
    free(data);
    return 0;
}

int
main(int argc, char **argv)
{
    const char *top = getenv("srcdir"), *name = strrchr(argv[0], '_');
    struct dirent **entries = NULL;
    int count, failed = 0, passed = 0;
    char path[PATH_MAX];

    for (int i = 1; i < argc; i++)
        failed += replay(argv[i]);
    if (argc > 1)
        return failed != 0;
    name = name ? name + 1 : argv[0];
    snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", top ? top : ".", name);
    count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s/%.200s", top ? top : ".", name,
                     entries[i]->d_name);
            if (replay(path))
                failed++;
            else
                passed++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("fuzz %s: %d passed, %d failed\n", name, passed, failed);
    return failed || !passed;
}
