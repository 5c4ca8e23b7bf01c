/* Parsing many small documents one after the other: the tree of each lies in memory that is handed out
 * from front to back and reused for the next, behind cJSON's allocation hooks. The memory is capped, so
 * a text of a few megabytes cannot become a tree of gigabytes. One bump serves one thread. */
#ifndef DEBRIEF_BASE_JSON_BUMP_H
#define DEBRIEF_BASE_JSON_BUMP_H

#include "base/err.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct json_bump;

struct json_bump *json_bump_new(size_t memory_max);
void json_bump_free(struct json_bump *bump);

/* As json_parse_next for a text that is known not to nest too deep; the tree is valid until the next call and must not be deleted. *full is set when
 * the memory did not suffice. */
const cJSON *json_bump_parse(struct json_bump *bump, const char *text, size_t len, size_t *used,
                             bool *full, struct err *err);

#endif
