/* What the JSON files share among themselves. */
#ifndef DEBRIEF_BASE_JSON_WHY_H
#define DEBRIEF_BASE_JSON_WHY_H

#include "base/err.h"
#include <cjson/cJSON.h>
#include <stddef.h>

/* Says in people's words what is wrong with the text at OFFSET. */
void json_why(struct err *err, const char *text, size_t len, size_t offset);

/* json_parse_next for a text whose depth is known to be below JSON_DEPTH_MAX. */
cJSON *json_parse_shallow(const char *text, size_t len, size_t *used, struct err *err);

/* The shortest decimal text that reads back as VALUE; whole numbers without exponent. */
void json_number_text(double value, char out[32]);

#endif
