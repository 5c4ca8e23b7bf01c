/* Another major version: positions and meanings differ. */
#include "odd_stamp.h"

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
}

static const struct debrief_check checks[] = {{.id = "abi-major", .title = "?", .run = run}};
ODD_PLUGIN("abi-major", DEBRIEF_MAGIC, DEBRIEF_ABI_MAJOR + 1, 0, HOST_SIZES, checks)
