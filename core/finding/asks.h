/* The order of a target's asks: what decides the most comes first. */
#ifndef DEBRIEF_FINDING_ASKS_H
#define DEBRIEF_FINDING_ASKS_H

#include <cjson/cJSON.h>

#define ASKS_CHECK "check" /* member of an ask until it is arranged: whose own it is */

/* Sorts the asks of a TARGET whose findings are ranked. */
void asks_arrange(cJSON *target);

#endif
