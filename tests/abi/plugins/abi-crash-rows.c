/* Its rows lead nowhere. */
#include <debrief/plugin.h>

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
}

static const struct debrief_check checks[] = {
    {.id = "abi-crash-rows", .title = "?", .needs = (const char *const *)16, .run = run}};
DEBRIEF_PLUGIN("abi-crash-rows", "0.1.0", checks)
