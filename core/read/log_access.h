/* Access logs whose lines are JSON objects: the usual names of their members. */
#ifndef DEBRIEF_READ_LOG_ACCESS_H
#define DEBRIEF_READ_LOG_ACCESS_H

#include "evidence/evidence.h"

/* Sets the columns of an `access.*` record from the JSON object on LINE, if there is one; its time
 * too. Other records are left alone. */
void log_access_json(struct evidence *evidence, struct record *record, const char *line,
                     size_t len);

#endif
