/* Memory for secrets; where they come from is decided in secret_ref.c. */
#include "plugin/base/secret.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Before the caller's bytes; keeps their alignment. */
struct head {
    _Alignas(max_align_t) size_t mapped;
};

void *
secret_alloc(size_t size)
{
    struct head *head;
    size_t mapped;

    if (size > SIZE_MAX / 2)
        return NULL;
    mapped = sizeof(*head) + size;
    /* cppcheck-suppress invalidFunctionArg ; -1 is what an anonymous mapping asks for */
    head = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (head == MAP_FAILED)
        return NULL;
    /* neither is a condition of working: a kernel without the one, a limit on the other */
    (void)madvise(head, mapped, MADV_DONTDUMP);
    (void)mlock(head, mapped);
    head->mapped = mapped;
    return head + 1;
}

void
secret_free(void *secret)
{
    struct head *head;
    size_t mapped;

    if (!secret)
        return;
    head = (struct head *)secret - 1;
    mapped = head->mapped;
    explicit_bzero(head, mapped);
    munmap(head, mapped);
}

void
secret_hide(void *copy, size_t size)
{
    size_t before = (uintptr_t)copy % (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)madvise((char *)copy - before, before + size, MADV_DONTDUMP);
}

char *
secret_copy(const char *text)
{
    char *copy = text ? secret_alloc(strlen(text) + 1) : NULL;

    if (copy)
        memcpy(copy, text, strlen(text) + 1);
    return copy;
}

char *
secret_format(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    int length;

    va_start(arguments, format);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !(text = secret_alloc((size_t)length + 1)))
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

char *
secret_take(char *text)
{
    char *copy = secret_copy(text);

    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    return copy;
}
