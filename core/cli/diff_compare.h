/* `diff --compare`: two targets instead of two saved reports. */
#ifndef DEBRIEF_CLI_DIFF_COMPARE_H
#define DEBRIEF_CLI_DIFF_COMPARE_H

#include "cli/options.h"

int diff_compare_command(const struct options *options); /* returns the exit status */

#endif
