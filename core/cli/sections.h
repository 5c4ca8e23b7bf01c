/* Section folders on disk, for lint and test: code, README.md, cases/NAME/{evidence/, expect.json}. */
#ifndef DEBRIEF_CLI_SECTIONS_H
#define DEBRIEF_CLI_SECTIONS_H

#include "base/arena.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct section {
    const char *dir;    /* as the user named it, for messages and paths */
    const char *real;   /* absolute, links resolved */
    const char *name;   /* the folder's name */
    const char **cases; /* folders of its cases, sorted; only the named one when a case was named */
    size_t cases_len;
};

struct sections {
    struct arena *arena;
    struct section *items;
    size_t len, cap;
};

/* PATHS are section folders, folders of sections, a section's cases/ or single cases; none: here. False
 * with a usage error when one of them is not there or holds no section. */
bool sections_find(struct sections *sections, char *const *paths, size_t len, struct err *err);
void sections_release(struct sections *sections);

/* Makes the shared object of a section in C that brings a Makefile, when it is missing or older than its
 * code. True when nothing had to be done. */
bool sections_build(const struct section *section, struct err *err);

#endif
