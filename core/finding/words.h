/* Texts that name several meshes or platforms, cut down to the one at hand. A check writes
 *
 *   raise the limit (Istio: connectionPool of the DestinationRule; App Mesh: of the virtual node)
 *   EKS: give the pod the service account that is bound to the role
 *
 * and who runs Istio reads "raise the limit (connectionPool of the DestinationRule)", and nothing of EKS's.
 * Where nothing is known, everything stands as it was written. */
#ifndef DEBRIEF_FINDING_WORDS_H
#define DEBRIEF_FINDING_WORDS_H

#include "base/buf.h"
#include "evidence/evidence.h"

struct words { /* what is known; NULL: not known */
    char mesh[32], platform[32];
};

void words_find(struct words *words, const struct evidence *evidence);

/* Appends TEXT, fitted. False: all of it is about another place; nothing is appended. */
bool words_fit(struct buf *out, const char *text, const struct words *words);

#endif
