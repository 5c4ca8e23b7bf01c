/* In which line of a YAML or JSON text the node stands that a JSON pointer names. */
#ifndef DEBRIEF_BASE_YAML_LINE_H
#define DEBRIEF_BASE_YAML_LINE_H

#include <stddef.h>

/* The 1-based line of the node at POINTER in TEXT; of several documents its first part is the index. A node
 * that an alias or a merge key brings in has the line of the nearest one around it. 0: the text cannot be
 * read so far, or there is no such document. */
size_t yaml_line(const char *text, size_t len, const char *pointer);

#endif
