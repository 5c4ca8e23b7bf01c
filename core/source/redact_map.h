/* Maps whose every value is a secret, whatever it is called: `data` and `stringData` of Kubernetes
 * Secrets. A file in which a Secret is named goes through this first, in front of the shapes that
 * redact_rules.h knows: what kind of object a map belongs to often stands behind it. */
#ifndef DEBRIEF_SOURCE_REDACT_MAP_H
#define DEBRIEF_SOURCE_REDACT_MAP_H

#include "source/redact.h"

/* Whether TEXT, or its end so far, names a Secret, and in which forms: several documents may be in one
 * file. Portions: give a little of the last one again. */
enum redact_map_form { REDACT_MAP_NONE, REDACT_MAP_JSON = 1, REDACT_MAP_YAML = 2 };
unsigned redact_map_form(const char *text, size_t len);
enum { REDACT_MAP_AGAIN = 64 };

struct redact_map;
struct redact_map *redact_map_new(unsigned form, redact_sink_fn *sink, void *user);
bool redact_map_feed(struct redact_map *map, const char *bytes, size_t len);
bool redact_map_end(struct redact_map *map, uint64_t *replaced);
void redact_map_free(struct redact_map *map);

#endif
