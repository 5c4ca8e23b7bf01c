/* Another magic: built for another processor, or not for debrief at all. */
#include "odd_stamp.h"

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
}

static const struct debrief_check checks[] = {{.id = "abi-magic", .title = "?", .run = run}};
ODD_PLUGIN("abi-magic", 0x12345678, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR, HOST_SIZES, checks)
