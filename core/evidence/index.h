/* The records of one table by what one field of them holds, so that "the containers of this pod" does not
 * go through those of all pods. Made of a complete table; inside of core/evidence only. */
#ifndef DEBRIEF_EVIDENCE_INDEX_H
#define DEBRIEF_EVIDENCE_INDEX_H

#include "evidence/table.h"

struct index;

struct index *index_new(const struct evidence_table *table, const char *field);
void index_free(struct index *index);

/* Whether it was made of this field, and of all records that TABLE has now. */
bool index_is_of(const struct index *index, const struct evidence_table *table, const char *field);

/* The record after AFTER (NULL: the first) whose field holds VALUE, or for NULL the next one of which it
 * is not known; in the table's order. */
const struct record *index_next(const struct index *index, const struct evidence_table *table,
                                const char *value, const struct record *after);

#endif
