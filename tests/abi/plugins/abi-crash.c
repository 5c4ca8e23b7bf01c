/* Crashes when it is asked. */
#include <debrief/plugin.h>

static void run(struct debrief_ctx *ctx)
{
    *(volatile int *)(uintptr_t)ctx->host->size = 1;
}

static const struct debrief_check checks[] = {
    {.id = "abi-crash", .title = "does it crash?", .run = run}};
DEBRIEF_PLUGIN("abi-crash", "0.1.0", checks)
