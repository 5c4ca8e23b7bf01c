/* The findings of one target as a graph "explains": what correlation works on. Inner header of
 * finding/: graph.c builds it, correlate.c ranks it and writes the result back. */
#ifndef DEBRIEF_FINDING_GRAPH_H
#define DEBRIEF_FINDING_GRAPH_H

#include "base/arena.h"
#include "check/registry.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum graph_state { STATE_NOW, STATE_UNKNOWN, STATE_BEFORE }; /* in order of interest */

struct graph_node {
    cJSON *finding; /* borrowed */
    const char *id, *subject_kind, *subject_name;
    const char *const *declared; /* ids that this one may explain; NULL-terminated, never NULL */
    int severity;                /* enum debrief_severity */
    int weight; /* how much it looks like a root cause, from confidence and candidates */
    enum graph_state state;
    int64_t first, last; /* INT64_MAX and 0 when not known */
    bool outdated;       /* last seen long before something that lasts began: another incident */
    size_t index;        /* place in the target's array */
    size_t *explains, explains_len, explains_cap; /* indexes of nodes */
    size_t explained_by_len;
};

struct graph {
    struct arena *arena; /* owns the nodes and their lists */
    struct graph_node *nodes;
    size_t len;
};

/* Reads the `findings` of a target and links them; the graph has no cycles. */
void graph_init(struct graph *graph, const cJSON *findings, const struct registry *registry);
void graph_release(struct graph *graph);

/* Marks every node that can be reached from START (not START itself, which no cycle leads back to) with
 * its distance; DEPTHS has one entry per node and is 0 where not reached. Returns how many. */
size_t graph_reach(const struct graph *graph, size_t start, size_t *depths);

#endif
