/* Manifests: files that somebody keeps and edits. A citation of one names the line, beside the place in
 * the document that was read. */
#ifndef DEBRIEF_FINDING_MANIFEST_H
#define DEBRIEF_FINDING_MANIFEST_H

#include "evidence/evidence.h"
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_WORK_MAX (4u << 20) /* bytes to look through for the citations of one check */

/* The 1-based line in which RECORD stands; 0 when it is of no manifest, has a line as its place, or the
 * source is too large for what is left of *WORK. */
uint64_t manifest_line(const struct record *record, size_t *work);

#endif
