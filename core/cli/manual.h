/* The manual of a section: README.md beside its code, one heading per finding id. */
#ifndef DEBRIEF_CLI_MANUAL_H
#define DEBRIEF_CLI_MANUAL_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct manual_heading {
    char *id;         /* "section.slug" */
    const char *body; /* inside the text, behind the heading's line */
    size_t body_len;  /* up to the next heading of the same or a higher level */
    size_t line;      /* 1-based */
};

struct manual {
    char *text;
    struct manual_heading *headings; /* only those that are finding ids, in order */
    size_t len;
};

/* Reads PATH. False when it cannot be read. */
bool manual_load(struct manual *manual, const char *path, struct err *err);
void manual_release(struct manual *manual);
const struct manual_heading *manual_find(const struct manual *manual, const char *id);

#endif
