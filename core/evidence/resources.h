/* The xDS truth table: what is known of every resource, whoever tells it. */
#ifndef DEBRIEF_EVIDENCE_RESOURCES_H
#define DEBRIEF_EVIDENCE_RESOURCES_H

#include "evidence/evidence.h"

/* Completes xds.resources, which readers filled from dumps, by what other evidence tells: who names a
 * resource, how often updates were accepted and rejected, what the log says was refused. Adds rows for
 * resources that no dump shows. Called once, after evidence_finish. */
void resources_find(struct evidence *evidence);

#endif
