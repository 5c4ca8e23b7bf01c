/* Commands that ask the proxy's admin page name it by a token, because only the evidence knows where it
 * listens; a command that is copied at night must not go to another process. */
#ifndef DEBRIEF_FINDING_ADMIN_URL_H
#define DEBRIEF_FINDING_ADMIN_URL_H

#include "base/buf.h"
#include "evidence/evidence.h"

#define ADMIN_URL_TOKEN "http://ADMIN"

/* Appends TEXT to OUT with each ADMIN_URL_TOKEN replaced by the address that the bootstrap names (a
 * wildcard address becomes loopback), else the mesh's usual one, else 127.0.0.1:9901. A Unix socket
 * becomes curl's option for it. */
void admin_url_fill(struct buf *out, const char *text, const struct evidence *evidence);

#endif
