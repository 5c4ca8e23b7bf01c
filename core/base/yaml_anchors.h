/* Anchors of a YAML document: the JSON text of each anchored node, recorded while it is written. */
#ifndef DEBRIEF_BASE_YAML_ANCHORS_H
#define DEBRIEF_BASE_YAML_ANCHORS_H

#include "base/buf.h"
#include <stdbool.h>
#include <stddef.h>

enum { YAML_ANCHORS_MAX = 1000, YAML_ANCHOR_BYTES_MAX = 1 << 20 };

struct yaml_anchor {
    char *name;
    struct buf text; /* JSON of the node */
    bool open;       /* still being written */
};

struct yaml_anchors {
    struct yaml_anchor *items; /* in order; of two with one name the later one counts */
    size_t len, open;
};

void yaml_anchors_release(struct yaml_anchors *anchors); /* all forgotten: a document ended */
int yaml_anchors_begin(struct yaml_anchors *anchors, const char *name); /* -1: too many */
void yaml_anchors_end(struct yaml_anchors *anchors, int anchor);
void yaml_anchors_write(struct yaml_anchors *anchors, const char *text, size_t len);
struct yaml_anchor *yaml_anchors_find(struct yaml_anchors *anchors, const char *name);

#endif
