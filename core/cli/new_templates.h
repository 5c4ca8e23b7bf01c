/* The files of a new section, made at build time from plugins/_template (cmake/DebriefEmbedded.cmake). */
#ifndef DEBRIEF_CLI_NEW_TEMPLATES_H
#define DEBRIEF_CLI_NEW_TEMPLATES_H

#include <stddef.h>

struct new_template {
    const char *name; /* "lua/...", "c/..." or "both/..." and the path inside the section */
    const char *bytes;
    size_t len;
};

extern const struct new_template new_templates[]; /* ends at a NULL name */

#endif
