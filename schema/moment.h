/* Dates and times as hosts write them, in the form Salesforce takes. Pure. */
#ifndef SCHEMA_MOMENT_H
#define SCHEMA_MOMENT_H

#include <stdbool.h>

#define MOMENT_SIZE 32

/*
 * Understood: 2026-05-01, with a time behind a T or a blank (hh:mm, seconds, a fraction), and Z or an
 * offset (RFC 3339, ISO 8601); 20260501 and 20260501093000Z as directories write them (RFC 4517).
 * Years 1700 to 4000, as Salesforce. False: anything else; days and months in other orders cannot be
 * told apart.
 */

/* "2026-05-01": the day as written, whatever its offset. */
bool moment_date(const char *text, char ret[MOMENT_SIZE]);

/* "2026-05-01T07:30:00.000+0000", as Salesforce gives it back; in UTC, also what names no zone. */
bool moment_datetime(const char *text, char ret[MOMENT_SIZE]);

#endif
