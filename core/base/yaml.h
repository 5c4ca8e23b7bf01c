/* YAML as a way to write JSON: libyaml's events become JSON text, so that every reader has one shape
 * to read and large YAML dumps are split like JSON ones. Anchors are expanded and merge keys applied
 * under a cap on depth and on nodes (an alias bomb ends as an error, not as memory). Plain scalars are
 * typed by the YAML 1.2 core schema; everything else is a string. Numbers with leading zeros are strings
 * too (account ids), and CloudFormation's short tags become its long form ("!Ref x" is {"Ref": "x"},
 * "!Sub x" is {"Fn::Sub": "x"}). */
#ifndef DEBRIEF_BASE_YAML_H
#define DEBRIEF_BASE_YAML_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

/* Fills BYTES with up to CAP bytes; *got 0 at the end. Returns false on a read error. */
typedef bool yaml_pull_fn(void *user, char *bytes, size_t cap, size_t *got);

struct yaml_sink {
    void (*document)(void *user, int index, size_t line);   /* a document begins; line is 1-based */
    bool (*text)(void *user, const char *json, size_t len); /* false stops the conversion */
    void (*end)(void *user);                                /* the document ended */
    void *user;
    /* The document that began last, or should have begun, is not YAML: WHY names the line. What was
     * delivered of it stays delivered, and the next one follows. NULL: the conversion ends there. */
    void (*broken)(void *user, const char *why);
};

/* Converts all documents of the stream, each for itself, so that a broken one does not cost those behind
 * it. False when one of them was broken: ERR holds the reason of the first. */
bool yaml_to_json(yaml_pull_fn *pull, void *pull_user, const struct yaml_sink *sink,
                  struct err *err);

#endif
