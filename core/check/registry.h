/* The registry: all checks by id, C and Lua alike, found by looking into the plugin path. Metadata is
 * read by a scout, a child process that loads each plugin (or runs the top level of each script) and
 * tells what is in it, so that a plugin that crashes or hangs while it loads costs itself only. */
#ifndef DEBRIEF_CHECK_REGISTRY_H
#define DEBRIEF_CHECK_REGISTRY_H

#include "base/arena.h"
#include "base/err.h"
#include "evidence/need.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plugin { /* one file */
    const char *name, *version;
    const char *kind; /* "so" or "lua" */
    const char *path;
    const char *refused; /* why it is not used; NULL when it is */
    bool redundant;      /* refused because another file has one of its checks already */
};

struct check_event {
    const char *name;     /* as the check wrote it: "denied" */
    const char *evidence; /* "event.image-pull.denied": unique over all checks */
    const char *pattern;
    bool caseless;
};

struct check_finding {
    const char *id, *title;
    int worst;                   /* enum debrief_severity */
    const char *const *explains; /* NULL-terminated */
};

struct check_param {
    const char *name, *dflt, *help;
    int type; /* enum debrief_param_type */
};

struct check_meta {
    const char *id, *title, *section; /* section: what stands before '/' in id */
    const struct plugin *plugin;
    size_t index; /* of the check inside its plugin */
    const char *const *tags;
    const char *applies; /* NULL: always */
    struct need *needs;
    size_t needs_len;
    struct check_event *events;
    size_t events_len;
    struct check_finding *findings;
    size_t findings_len;
    struct check_param *params;
    size_t params_len;
};

struct registry {
    struct arena *arena;
    struct plugin *plugins;
    size_t plugins_len;
    struct check_meta *checks; /* sorted by id */
    size_t checks_len;
};

/* Looks into each of DIRS (sorted inside): every .so and .lua file of DIR/SECTION/, and those that lie
 * right in DIR. Unusable files become refused plugins, never errors; an id that two files claim goes
 * to the first. False when a directory that the user named cannot be read. */
bool registry_load(struct registry *registry, const char *const *dirs, size_t len, struct err *err);
void registry_release(struct registry *registry);

/* --plugin-path, then DEBRIEF_PLUGIN_PATH, then the program's own plugin directory (beside it, or where
 * it was installed): what the user names wins over what came along. Strings live in ARENA. */
const char *const *registry_dirs(struct arena *arena, char *const *extra, size_t extra_len,
                                 size_t *len);

const struct check_meta *registry_check(const struct registry *registry, const char *id);
/* Who declares this finding id; *finding is set too. NULL when nobody does. */
const struct check_meta *registry_finding(const struct registry *registry, const char *id,
                                          const struct check_finding **finding);

#endif
