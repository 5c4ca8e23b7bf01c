/* Reads what it did not say it needs. */
#include <debrief/plugin.h>

static void run(struct debrief_ctx *ctx)
{
    if (!debrief_next(ctx, "certs", NULL))
        debrief_ask(ctx, "admin/certs.json", "there are none", "curl");
}

static const struct debrief_check checks[] = {
    {.id = "abi-undeclared-need", .title = "may it?", .run = run}};
DEBRIEF_PLUGIN("abi-undeclared-need", "0.1.0", checks)
