/* The host's log. Only connector.c and the worker log; rooms return errors. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "plugin/base/error.h"

struct log {
    void *context;
    void (*write)(void *context, int32_t level, const char *line); /* NULL: no log */
};

/* One line, cut at 2 KiB between two characters; control bytes become spaces, so that no value can
 * forge a line. */
void log_line(const struct log *log, int level, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
