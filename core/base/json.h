/* JSON, strictly: cJSON with the doors closed that it leaves open (trailing garbage, case-insensitive
 * names, saturating integers, unbounded depth), plus a splitter for documents that must never be
 * whole in memory. Trees are cJSON's; free them with cJSON_Delete. */
#ifndef DEBRIEF_BASE_JSON_H
#define DEBRIEF_BASE_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 200

cJSON *json_parse(const char *text, size_t len, struct err *err); /* one value, nothing behind it */

/* The same for one of several values behind each other: *used is where the next one begins. */
cJSON *json_parse_next(const char *text, size_t len, size_t *used, struct err *err);

/* What cJSON takes without a word, and two programs read in two ways; for documents of our own.
 * json_without_nul: of the text, json_unique: no object of the tree holds a name twice. */
bool json_without_nul(const char *text, size_t len, struct err *err);
bool json_unique(const cJSON *root, struct err *err);

/* Walks a path of member names and [index] parts ("status.conditions[0].type"); a name that itself
 * holds dots is written in quotes ("metadata.labels.\"app.kubernetes.io/name\""). NULL when absent. */
const cJSON *json_at(const cJSON *node, const char *path);

const char *json_str(const cJSON *node, const char *path); /* NULL unless a string is there */
/* A number, or a string that holds one ("3"): Envoy prints 64-bit integers as strings. */
bool json_num(const cJSON *node, const char *path, double *out);
bool json_int(const cJSON *node, const char *path, int64_t *out);
bool json_bool(const cJSON *node, const char *path); /* false when absent */
/* Any scalar as text, written into OUT when it is not a string already; NULL when absent. */
const char *json_scalar(const cJSON *node, const char *path, char out[32]);

/* Appends a member's name as a step of a JSON pointer: "/a~1b". */
void json_pointer_add(struct buf *out, const char *name, size_t len);

/* Building, for reports and messages. Names are copied; text is made valid UTF-8 by the caller. */
void json_put_str(cJSON *object, const char *name, const char *value); /* nothing when NULL */
void json_put_num(cJSON *object, const char *name, double value);
void json_put_bool(cJSON *object, const char *name, bool value);
cJSON *json_put_object(cJSON *object, const char *name);
cJSON *json_put_array(cJSON *object, const char *name);
void json_write(struct buf *out, const cJSON *node, bool pretty); /* stable key order: as built */

/* ---- the splitter: one pass over a JSON object or array of any size, delivering elements ----
 *
 * A rule names arrays by the path of member names that leads to them, separated by dots; "*" stands
 * for one name or array level, "**" for any number: "**.configs.*.dynamic_listeners". The first rule
 * that fits takes the array. What a rule with '!' in front takes is cut out and thrown away. Each element of a matching array is parsed alone and delivered
 * with its JSON pointer; it is then cut out, so that an enclosing element that is delivered too
 * holds an empty array in its place. Inner elements are delivered before the element around them.
 * What no rule takes is delivered at the end as one skeleton document (pointer ""), under the same
 * size cap. Memory: the largest single element, times the nesting of rules. */
struct json_split;

struct json_piece {
    const cJSON *value;  /* borrowed, valid during the call only */
    const char *pointer; /* RFC 6901, "/configs/2/dynamic_listeners/0" */
    const char *parent;  /* pointer of the delivered element around it, "" when none */
    const char *array;   /* name of the array it came from, "dynamic_listeners" */
    /* last component of the nearest enclosing "@type" seen so far, or "" */
    const char *config_type;
    uint64_t offset, len; /* where its text stands in the stream */
    int rule;             /* index of the rule that took it; -1 for the skeleton */
};

typedef void json_piece_fn(void *user, const struct json_piece *piece);
typedef void json_oversize_fn(void *user, const char *pointer, uint64_t len);

/* RULES is NULL-terminated and borrowed. Elements above ELEMENT_MAX bytes go to OVERSIZE instead. */
struct json_split *json_split_new(const char *const *rules, size_t element_max,
                                  json_piece_fn *piece, json_oversize_fn *oversize, void *user);
bool json_split_feed(struct json_split *split, const char *bytes, size_t len, struct err *err);
bool json_split_end(struct json_split *split, struct err *err); /* false: the text ends too early */
bool json_split_whole(const struct json_split *split); /* one document was read to its end */
void json_split_free(struct json_split *split);

#endif
