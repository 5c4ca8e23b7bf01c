/* Placeholders of templates ($NAME, ${NAME}, {{ name }}): what they stand for is not known. */
#ifndef DEBRIEF_READ_TEMPLATE_H
#define DEBRIEF_READ_TEMPLATE_H

#include "base/buf.h"
#include "read/read.h"
#include <cjson/cJSON.h>
#include <stdbool.h>

/* Copies JSON in which bare placeholders stand where values belong, as texts. False when there are
 * none. */
bool template_quote(struct buf *out, const char *text, size_t len);

/* Makes texts with placeholders in them unknown (cJSON_Raw), commands and arguments excepted: a shell
 * fills those in. In place; returns how many there were. */
size_t template_mask(cJSON *tree);

/* Names the placeholders of the source, each with its line, as a problem; those with a default
 * (${NAME:-default}) only unless DEFAULTS hold. */
void template_say(struct reading *reading, bool defaults);

#endif
