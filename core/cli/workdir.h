/* A temporary directory for bundles that are being made; removed with all that is in it. */
#ifndef DEBRIEF_CLI_WORKDIR_H
#define DEBRIEF_CLI_WORKDIR_H

#include "base/err.h"

char *workdir_new(struct err *err); /* below TMPDIR or /tmp; NULL with err */
void workdir_free(char *dir);       /* removes it; NULL is fine */

#endif
