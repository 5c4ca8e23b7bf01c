/* Needs evidence that does not exist. */
#include <debrief/plugin.h>

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
}

static const char *const needs[] = {"admin.nothing", NULL};
static const struct debrief_check checks[] = {
    {.id = "abi-bad-need", .title = "?", .needs = needs, .run = run}};
DEBRIEF_PLUGIN("abi-bad-need", "0.1.0", checks)
