/* What the findings of one target are to each other: who explains whom, who asks to be acted on by itself.
 * Worked out once for a target, in time that grows with what the document says and not with the pairs of
 * its findings: a proxy may have one for each of thousands of clusters. */
#ifndef DEBRIEF_REPORT_RELATIONS_H
#define DEBRIEF_REPORT_RELATIONS_H

#include "report/intern.h"
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define RELATIONS_NONE SIZE_MAX

struct relations_item {
    const cJSON *finding; /* borrowed from the document */
    uint32_t id, place;   /* numbers of its id, and of its id with its subject */
    bool stands;          /* document_stands() */
    bool explained;       /* by another finding of the target */
};

struct relations_edge { /* places in `items` */
    size_t from, to;
};

struct relations {
    struct relations_item *items; /* in the order of the document */
    size_t len;
    struct relations_edge *edges; /* from causes to what follows, in the order of both */
    size_t edges_len;
    size_t *starts; /* the edges from item I are those from starts[I] up to starts[I + 1] */
    struct intern ids, places;
    size_t *first, *count; /* by number of an id: its first item, how many there are */
    size_t *first_of_place;
};

void relations_init(struct relations *relations, const cJSON *target);
void relations_release(struct relations *relations);

/* The first finding with this id (NULL: none has it), or RELATIONS_NONE. */
size_t relations_find(const struct relations *relations, const char *id);

/* What the document tells of it; NULL. */
const cJSON *relations_finding(const struct relations *relations, const char *id);

/* How many findings ask to be acted on by themselves. */
size_t relations_standing(const struct relations *relations);

#endif
