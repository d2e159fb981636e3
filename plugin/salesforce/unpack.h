/* Whether packed answers can be asked for in this process. Private to plugin/salesforce/. */
#ifndef SALESFORCE_UNPACK_H
#define SALESFORCE_UNPACK_H

#include <stdbool.h>

/* False: a function that zlib calls of itself is the host's in truth. */
bool unpack_is_sound(void);

#endif
