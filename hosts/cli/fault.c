/*
 * Errors of the CLI's own files. The program knows the connector by its ABI header alone, so it
 * cannot borrow the error functions of the plugin's rooms; the object is the ABI's, so that one
 * way of printing serves both. What is wrong, and where, is the caller's to say.
 */
#define FAULT_C
#include "hosts/cli/fault.h"

#include <stdarg.h>
#include <stdio.h>

int
fault_set(struct prov_error *err, int code, const char *format, ...)
{
    va_list arguments;

    if (!err)
        return code;
    err->code = code;
    va_start(arguments, format);
    vsnprintf(err->text, sizeof(err->text), format, arguments);
    va_end(arguments);
    return code;
}

int
fault_nomem(struct prov_error *err)
{
    return fault_set(err, PROV_E_NOMEM, "out of memory");
}
