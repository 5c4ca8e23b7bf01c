/* Environment variables that stand in other sources than files of their own. */
#ifndef DEBRIEF_READ_ENV_H
#define DEBRIEF_READ_ENV_H

#include "evidence/evidence.h"

/* Records of `env` for LIST ("A=1 B=two words C="), which the log record FROM holds: they stand where it
 * stands and belong to its container and workload. */
void env_take_list(struct evidence *evidence, const struct record *from, const char *list);

#endif
