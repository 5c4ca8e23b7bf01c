/* Parameters of checks: their values as users write them, checked against their type. */
#ifndef DEBRIEF_CHECK_PARAMS_H
#define DEBRIEF_CHECK_PARAMS_H

#include "base/err.h"
#include <stdbool.h>

const char *params_type_name(int type); /* "number"; NULL for no type of debrief_param_type */
int params_type(const char *name);      /* 0: no such type */

/* Whether VALUE is one of TYPE: a number, true or false, a duration; any text is a string. */
bool params_valid(int type, const char *value, struct err *err);

/* Values that params_valid accepted: a bool as 0 or 1, a duration in seconds. */
double params_number(int type, const char *value);

#endif
