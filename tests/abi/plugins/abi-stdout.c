/* Writes where the report goes. */
#include <debrief/plugin.h>
#include <stdio.h>

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
    puts("{\"this is\": \"no report\"}");
    fflush(stdout);
}

static const struct debrief_check checks[] = {
    {.id = "abi-stdout", .title = "who speaks?", .run = run}};
DEBRIEF_PLUGIN("abi-stdout", "0.1.0", checks)
