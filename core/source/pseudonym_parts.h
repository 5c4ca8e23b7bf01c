/* Words that are made of others: "okapiService", "ZEBRACORPPROD", "zebrabackend". Inner header of
 * pseudonyms. */
#ifndef DEBRIEF_SOURCE_PSEUDONYM_PARTS_H
#define DEBRIEF_SOURCE_PSEUDONYM_PARTS_H

#include "source/pseudonym.h"

/* Where the part of WORD that begins at FROM ends, by the case of its letters: "okapi|Service|DB2". */
size_t pseudonym_part_end(const char *word, size_t len, size_t from);

/* Known names, by their first three letters: whether it is worth to look closer. */
struct pseudonym_starts {
    uint64_t bits[64];
};
void pseudonym_starts_add(struct pseudonym_starts *starts, const char *name);
/* Whether one may begin somewhere in WORD, which is in small letters. */
bool pseudonym_starts_in(const struct pseudonym_starts *starts, const char *word);

typedef bool pseudonym_known_fn(void *user, const char *word); /* in small letters */

/* The stretches of PART (small letters, one part, no known name as a whole) that names stand in. Where
 * all the rest is plain words and digits, these are the names alone; else, with WHOLE, when a name of six
 * letters or more stands in it, it is the whole of it; else nothing. Returns how many. */
size_t pseudonym_parts_glued(const char *part, const struct pseudonym_starts *starts,
                             pseudonym_known_fn *known, void *user, bool whole,
                             struct pseudonym_stretch *out);

#endif
