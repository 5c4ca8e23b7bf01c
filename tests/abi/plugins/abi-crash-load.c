/* Crashes before anybody has called anything: in its constructor. */
#include <debrief/plugin.h>
#include <stdlib.h>

__attribute__((constructor)) static void crash(void)
{
    abort();
}

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
}

static const struct debrief_check checks[] = {{.id = "abi-crash-load", .title = "?", .run = run}};
DEBRIEF_PLUGIN("abi-crash-load", "0.1.0", checks)
