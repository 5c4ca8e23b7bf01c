/* JSON as people write it: with comments, and with commas behind the last element. */
#ifndef DEBRIEF_BASE_JSON_RELAX_H
#define DEBRIEF_BASE_JSON_RELAX_H

#include <stddef.h>

/* Puts blanks where TEXT has comments or commas that no value follows, so that every byte keeps its
 * place. Returns the line of the first one (1-based), 0 when there is none. */
size_t json_relax(char *text, size_t len);

#endif
