/* Memory for secrets; where they come from is decided in secret_ref.c. */
#include "plugin/base/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

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
