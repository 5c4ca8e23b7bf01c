/* Rows longer than the host's, although the version is the host's own: the stamp lies. */
#include "odd_stamp.h"

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
}

static const struct debrief_check checks[] = {{.id = "abi-long-rows", .title = "?", .run = run}};
ODD_PLUGIN("abi-long-rows", DEBRIEF_MAGIC, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR,
           sizeof(struct debrief_check) + 8, sizeof(struct debrief_finding_type),
           sizeof(struct debrief_event), sizeof(struct debrief_param), checks)
