/* Accounts that AWS publishes images of the mesh from: the one table of them. They say whose image it is,
 * and name nobody. */
#ifndef DEBRIEF_SOURCE_PUBLISHED_H
#define DEBRIEF_SOURCE_PUBLISHED_H

#include <stdbool.h>

/* The account that App Mesh publishes from in REGION: "*" for all that have none of their own. */
const char *published_account(const char *region);
/* What ACCOUNT publishes for: a region, "*", or "" where it is images of other kinds or of former times;
 * NULL: it is nobody's that is known. */
const char *published_region(const char *account);

#endif
