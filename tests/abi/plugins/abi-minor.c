/* A newer minor version: it may call what this host does not have. */
#include "odd_stamp.h"

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
}

static const struct debrief_check checks[] = {{.id = "abi-minor", .title = "?", .run = run}};
ODD_PLUGIN("abi-minor", DEBRIEF_MAGIC, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR + 1, HOST_SIZES, checks)
