/* A person's browser. */
#ifndef CLI_BROWSER_H
#define CLI_BROWSER_H

#include <stdbool.h>

/* Starts it with this address, and does not wait: $BROWSER, else xdg-open where there is a screen. False: there
 * is none, or it cannot be started. That one was started does not say that it shows anything. */
bool browser_open(const char *url);

#endif
