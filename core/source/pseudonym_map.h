/* The file that says who is who, for those who may know: the key, and the pairs of pseudonym and
 * original, one a line. Inner header of pseudonyms. */
#ifndef DEBRIEF_SOURCE_PSEUDONYM_MAP_H
#define DEBRIEF_SOURCE_PSEUDONYM_MAP_H

#include "source/pseudonym.h"

struct pseudonym {
    const char *original, *text; /* TEXT NULL: not asked for yet */
    bool named;                  /* known to name somebody */
    bool saved;                  /* the map has it */
};

struct pseudonym_map;
/* KEY is read from the file, or written to it when it is new. NULL with an error: it is not a map, or
 * not one's own alone. */
struct pseudonym_map *pseudonym_map_open(const char *path, unsigned char key[PSEUDONYM_KEY],
                                         struct err *err);
void pseudonym_map_free(struct pseudonym_map *map);
/* Adds the rows (NULL among them) that have a text and are not in the file. */
bool pseudonym_map_save(struct pseudonym_map *map, struct pseudonym **rows, size_t len,
                        struct err *err);

#endif
