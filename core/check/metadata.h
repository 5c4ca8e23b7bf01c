/* What a plugin says about itself, as it travels from the scout to the registry, the same for C and
 * Lua:
 *   {"name","version","checks":[{"id","title","tags":[],"applies","needs":[],
 *     "events":[{"name","pattern","caseless"}],
 *     "findings":[{"id","title","worst":30,"explains":[]}],
 *     "params":[{"name","type":2,"default","help"}]}]}
 * Absent members are absent: no nulls. */
#ifndef DEBRIEF_CHECK_METADATA_H
#define DEBRIEF_CHECK_METADATA_H

#include "check/registry.h"
#include <cjson/cJSON.h>

#define METADATA_CHECKS_MAX 200 /* of one plugin */

/* Reads and validates JSON into rows that live in ARENA: ids, needs, patterns, parameters. False with
 * the first thing that is wrong; the plugin is then refused as a whole. */
bool metadata_read(struct arena *arena, const cJSON *json, const struct plugin *plugin,
                   struct check_meta **checks, size_t *len, struct err *err);

/* Lower-case letters, digits and '-', beginning with a letter; one '/' allowed in a check's id. */
bool metadata_is_check_id(const char *text);
bool metadata_is_finding_id(const char *text); /* "section.slug" */

#endif
