/* Ends the process as if it were its own. */
#include <debrief/plugin.h>
#include <stdlib.h>

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
    exit(0);
}

static const struct debrief_check checks[] = {{.id = "abi-exit", .title = "who ends?", .run = run}};
DEBRIEF_PLUGIN("abi-exit", "0.1.0", checks)
