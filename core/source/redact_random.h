/* Whether a value looks made by a random generator, and its name tells that it is a secret. */
#ifndef DEBRIEF_SOURCE_REDACT_RANDOM_H
#define DEBRIEF_SOURCE_REDACT_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* TELLING: where in TEXT a word such as "key" or "token" stands, in the name of the value at
 * START..END. */
bool redact_random(const char *text, size_t telling, size_t start, size_t end);

/* Letters and digits as a random generator mixes them. */
bool redact_run_is_random(const char *run, size_t len);

/* The name around TELLING, in small letters, cut to CAP - 1. */
void redact_name_at(char *name, size_t cap, const char *text, size_t end, size_t telling);

#endif
