/* Calls a function that nobody has: it cannot be loaded. */
#include <debrief/plugin.h>

void abi_nobody_has_this(struct debrief_ctx *ctx);

static const struct debrief_check checks[] = {
    {.id = "abi-unresolved", .title = "?", .run = abi_nobody_has_this}};
DEBRIEF_PLUGIN("abi-unresolved", "0.1.0", checks)
