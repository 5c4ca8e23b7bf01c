/* How something is asked for here. Commands and hints that checks write name a way by a token between two
 * '@', because only the evidence knows the platform; the host puts the exact command in:
 *
 *   @debrief@                   debrief itself, at the proxy
 *   @log@  @log-before@         the proxy's log; that of the process before
 *   @definition@  @status@      what the pod or task is made of; how it fares
 *   @events@                    what the platform says of it
 *   @env@                       the variables of the proxy's container
 *   @inside COMMAND@            a command in the proxy's container
 *   @near COMMAND@              a command, with tools of its own, in the proxy's network
 *
 * "curl -s http://ADMIN/PATH" (quoted or not) becomes whatever reaches the admin page from where people sit,
 * and the words of names.h what things are called. */
#ifndef DEBRIEF_FINDING_WAYS_H
#define DEBRIEF_FINDING_WAYS_H

#include "base/buf.h"
#include "evidence/evidence.h"
#include "finding/names.h"

/* Appends TEXT to OUT, filled. */
void ways_fill(struct buf *out, const char *text, const struct evidence *evidence,
               const struct names *names);

/* Appends HOW, the dictionary's list of alternatives ("kubectl ..., or aws ...; or: ..."), without those
 * whose tool is another platform's; all of them while none is known. */
void ways_fit(struct buf *out, const char *how, const struct evidence *evidence,
              const struct names *names);

/* The same where nothing is known: for manuals. The caller frees it. */
char *ways_text(const char *how);

/* "mesh", "mode" or "platform": what is known; a platform that is not is the one that the mesh is at home
 * on. NULL: not known. */
const char *ways_fact(const struct evidence *evidence, const char *name, char buf[32]);

#endif
