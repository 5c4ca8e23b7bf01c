/* Half a JSON document made whole again, as far as it goes. */
#ifndef DEBRIEF_BASE_JSON_CLOSE_H
#define DEBRIEF_BASE_JSON_CLOSE_H

#include "base/buf.h"
#include <stdbool.h>

/* Cuts TEXT behind its last complete value and closes what is open there. False when nothing is open,
 * or nothing is left. */
bool json_close(struct buf *text);

#endif
