/* What a machine that loses its power leaves of files: what was flushed, and of what was written
 * since a part that nobody chose. Not for several threads. */
#ifndef TORTURE_LOSS_H
#define TORTURE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

void loss_opened(int fd, const char *path, int flags);
bool loss_follows(int fd);
void loss_written(int fd, const void *data, size_t length, off_t at);
void loss_truncated(int fd, off_t length);
void loss_flushed(int fd);
void loss_unlinked(const char *path);

/* Replaces the files. chance 0: all that was not flushed is gone; else each sector of each write is there or not. */
void loss_write(unsigned chance);

#endif
