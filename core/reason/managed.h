/* Managed policies of AWS whose content is public and fixed, so that their names say what they grant. */
#ifndef DEBRIEF_REASON_MANAGED_H
#define DEBRIEF_REASON_MANAGED_H

#include "reason/policy.h"

/* How the policy NAME of AWS lets ACTION through on any resource; MAYBE for what is not in the table. */
enum policy_fit managed_allows(const char *name, const char *action);

#endif
