/* Never comes back from its constructor. */
#include <debrief/plugin.h>

__attribute__((constructor)) static void hang(void)
{
    for (volatile int i = 0;; i++)
        ;
}

static void run(struct debrief_ctx *ctx)
{
    (void)ctx;
}

static const struct debrief_check checks[] = {{.id = "abi-hang-load", .title = "?", .run = run}};
DEBRIEF_PLUGIN("abi-hang-load", "0.1.0", checks)
