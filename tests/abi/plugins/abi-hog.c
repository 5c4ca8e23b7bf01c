/* Takes all the memory there is. */
#include <debrief/plugin.h>
#include <stdlib.h>
#include <string.h>

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
    for (;;) {
        char *more = malloc(1 << 20);
        if (more)
            memset(more, 1, 1 << 20);
    }
}

static const struct debrief_check checks[] = {
    {.id = "abi-hog", .title = "how much is there?", .run = run}};
DEBRIEF_PLUGIN("abi-hog", "0.1.0", checks)
