/* Reports what it did not declare. */
#include <debrief/plugin.h>

static void run(struct debrief_ctx *ctx)
{
    struct debrief_finding *finding = debrief_report(ctx, "abi-undeclared-id.surprise", "proxy",
                                                     "envoy", "surprise");
    debrief_severity(ctx, finding, DEBRIEF_ERROR);
    debrief_advise(ctx, finding, "declare it", NULL);
}

static const struct debrief_check checks[] = {
    {.id = "abi-undeclared-id", .title = "a surprise?", .run = run}};
DEBRIEF_PLUGIN("abi-undeclared-id", "0.1.0", checks)
