/* Formats one log line and hands it to the host. */
#include "plugin/base/log.h"

#include <stdarg.h>
#include <stdio.h>

void
log_line(const struct log *log, int level, const char *format, ...)
{
    char line[2048];
    va_list arguments;

    if (!log || !log->write)
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    error_tidy(line);
    log->write(log->context, level, line);
}
