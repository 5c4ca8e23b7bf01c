/* The host's side of the C plugin ABI (debrief/plugin.h). */
#ifndef DEBRIEF_CHECK_HOST_H
#define DEBRIEF_CHECK_HOST_H

#include "check/view.h"

/* Asks the view's check, which is a C plugin's; loads the file first when this process has not. What
 * goes wrong becomes the builder's fault; what crashes, crashes: for runners only. */
void host_run(struct view *view);

#endif
