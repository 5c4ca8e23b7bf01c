/* One small YAML document as a tree whose nodes know their lines: for files that people write and that
 * must be told "FILE:LINE: what is wrong". Stricter than YAML: no aliases, no tags, one document, each
 * name of a mapping once, and caps on size, depth and number of nodes. */
#ifndef DEBRIEF_BASE_YAML_TREE_H
#define DEBRIEF_BASE_YAML_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

#define YAML_TREE_SIZE_MAX (1u << 20)

enum yaml_tree_kind { YAML_TREE_TEXT, YAML_TREE_MAPPING, YAML_TREE_LIST };

struct yaml_tree {
    enum yaml_tree_kind kind;
    size_t line;      /* 1-based; of the name where there is one */
    const char *name; /* inside a mapping, else NULL; clean (yaml_tree_parse) */
    const char *text; /* of a text, clean; "" otherwise */
    bool plain;       /* the text stands without quotes: true, 3 and null may be meant */
    const struct yaml_tree *first, *next; /* children of a mapping or list, in order */
};

/* All in ARENA. Names and texts are valid UTF-8 without control characters but tab and newline, fit to
 * be shown. NULL with an err "PATH:LINE: why"; an empty document is an empty mapping. */
const struct yaml_tree *yaml_tree_parse(struct arena *arena, const char *path, const char *text,
                                        size_t len, struct err *err);

#endif
