/* Uses up its stack. */
#include <debrief/plugin.h>

static int deeper(volatile char *above)
{
    volatile char here[4096];
    here[0] = above[0];
    return above[0] ? 1 : deeper(here) + here[0];
}

static void run(struct debrief_ctx *ctx)
{
    volatile char start[1] = {0};
    debrief_ask(ctx, "nothing", "it ends", deeper(start) ? "so" : "so");
}

static const struct debrief_check checks[] = {
    {.id = "abi-recursion", .title = "how deep?", .run = run}};
DEBRIEF_PLUGIN("abi-recursion", "0.1.0", checks)
