/* The parts of the dictionary, each in a file by the kind of evidence, and what several of them say. */
#ifndef DEBRIEF_EVIDENCE_DICTIONARY_PARTS_H
#define DEBRIEF_EVIDENCE_DICTIONARY_PARTS_H

#include "base/alloc.h"
#include "evidence/dictionary.h"

struct dictionary_part {
    const struct dictionary_row *rows; /* sorted by name */
    size_t len;
};

extern const struct dictionary_part dictionary_proxy;
extern const struct dictionary_part dictionary_xds;
extern const struct dictionary_part dictionary_log;
extern const struct dictionary_part dictionary_containers;
extern const struct dictionary_part dictionary_kubernetes;
extern const struct dictionary_part dictionary_aws;
extern const struct dictionary_part dictionary_host;

/* Tokens and words in capitals: finding/ways.h. */
#define ADMIN_HOW "@debrief@, or curl -s http://ADMIN/"

/* Objects that are kept whole, as the platform's own tool prints them: two columns tell them apart, every
 * other field is read by its path ("spec.template.metadata.labels", "IpPermissions[0].FromPort"). */
#define OBJECT_KEY "kind"

#endif
