/* A stream of YAML cut where documents begin: a line "---" is a marker wherever it stands, so that what
 * is broken in one document need not cost the next one. */
#ifndef DEBRIEF_BASE_YAML_CUT_H
#define DEBRIEF_BASE_YAML_CUT_H

#include "base/yaml.h"

struct yaml_cut {
    yaml_pull_fn *pull;
    void *user;
    char *bytes; /* pulled and not yet given out */
    size_t at, len;
    bool ended;        /* there is no more to pull */
    size_t line;       /* of bytes[at], 1-based */
    size_t first_line; /* of the document at hand */
    bool inside;       /* the line at bytes[at] has begun before it */
    bool over;         /* the document at hand was given out to its end */
    bool content;      /* it has more than blanks, comments and directives */
};

void yaml_cut_init(struct yaml_cut *cut, yaml_pull_fn *pull, void *user);
void yaml_cut_release(struct yaml_cut *cut);

/* Goes to the next document, whether the one at hand was read to its end or not; false at the end of
 * the stream. */
bool yaml_cut_next(struct yaml_cut *cut);

/* Up to CAP bytes of the document at hand; *got 0 at its end. False on a read error. */
bool yaml_cut_read(struct yaml_cut *cut, char *bytes, size_t cap, size_t *got);

#endif
