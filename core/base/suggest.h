/* Near misses: of the names offered, those that are most like what was typed. */
#ifndef DEBRIEF_BASE_SUGGEST_H
#define DEBRIEF_BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_MAX 3

struct suggest {
    const char *typed;
    const char *names[SUGGEST_MAX]; /* borrowed; nearest first */
    size_t distances[SUGGEST_MAX];
    size_t len;
};

void suggest_init(struct suggest *suggest, const char *typed);
void suggest_offer(struct suggest *suggest, const char *name);
char *suggest_text(const struct suggest *suggest); /* "a, b"; "" for none; the caller's to free */

#endif
