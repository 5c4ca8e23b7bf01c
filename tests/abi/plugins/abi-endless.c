/* Never comes back, and leaves a child that does not either. */
#include <debrief/plugin.h>
#include <unistd.h>

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
    if (fork() == 0)
        for (;;)
            pause();
    for (volatile int i = 0;; i++)
        ;
}

static const struct debrief_check checks[] = {
    {.id = "abi-endless", .title = "does it end?", .run = run}};
DEBRIEF_PLUGIN("abi-endless", "0.1.0", checks)
