/*
 * zlib, which libcurl unpacks answers with, calls its own functions by name, and the host comes first where names
 * are looked up: slapd has a crc32() of its own, with other arguments, and zlib would crash in it. There answers are
 * asked for as they are. To load zlib so that it looks in itself first (RTLD_DEEPBIND) is no way out: the host may have
 * loaded it before.
 */
#include "plugin/salesforce/unpack.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

/* The functions of another that a sanitizer shows as its own lead there. */
static bool
is_watched(const void *function)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    Dl_info from;

    return dladdr(function, &from) != 0 && from.dli_fname && strstr(from.dli_fname, "san.so");
#else
    (void)function;
    return false;
#endif
}

bool
unpack_is_sound(void)
{
    /* all that inflate() and what libcurl calls lead to */
    static const char *const names[] = { "adler32",       "crc32",           "inflate",
                                         "inflateEnd",    "inflateInit2_",   "inflateReset",
                                         "inflateReset2", "inflateResetKeep" };
    void *zlib = dlopen("libz.so.1", RTLD_LAZY | RTLD_NOLOAD);
    bool sound = true;

    if (!zlib) /* it is a part of libcurl, or libcurl has none and refuses */
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const void *first = dlsym(RTLD_DEFAULT, names[i]);
        sound = sound && (first == dlsym(zlib, names[i]) || is_watched(first));
    }
    dlclose(zlib);
    return sound;
}
