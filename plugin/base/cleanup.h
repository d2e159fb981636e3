/* Ownership of locals: a variable marked CLEANUP(f) is released when its scope ends; STEAL hands
 * it over instead. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdlib.h>

#define CLEANUP(function) __attribute__((cleanup(function)))
#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* The value of the pointer, which no longer owns it. */
#ifdef __cppcheck__ /* knows no statement expressions */
#    define STEAL(pointer) pointer
#else
#    define STEAL(pointer)                                                                         \
        __extension__({                                                                            \
            __typeof__(pointer) stolen_ = (pointer);                                               \
            (pointer) = NULL;                                                                      \
            stolen_;                                                                               \
        })
#endif

/* Defines NAME##_cleanup for CLEANUP() from a destructor that takes NULL. */
#define DEFINE_CLEANUP(type, name, destructor)                                                     \
    static inline void name##_cleanup(type *variable)                                              \
    {                                                                                              \
        destructor(*variable);                                                                     \
    }                                                                                              \
    struct name##_cleanup_needs_semicolon_

static inline void
free_cleanup(void *variable)
{
    free(*(void **)variable);
}

/* A heap block of any type: AUTO_FREE char *text = NULL; */
#define AUTO_FREE CLEANUP(free_cleanup)

#endif
