/* Shorter rows, as an older version would have had them: what they lack is zero for the host. */
#include "odd_stamp.h"

struct old_finding {
    const char *id, *title;
    uint32_t worst, reserved;
};

struct old_event {
    const char *name, *pattern;
};

static void run(struct debrief_ctx *ctx)
{
    DEBRIEF_EACH (ctx, "event.second", record)
        debrief_cite(ctx,
                     debrief_report(ctx, "abi-short-rows.second", "proxy", "envoy",
                                    "an old plugin %s", debrief_text(ctx, record, "word")),
                     record);
}

static const struct old_finding findings[] = {
    {"abi-short-rows.first", "The first", DEBRIEF_INFO, 0},
    {"abi-short-rows.second", "The second", DEBRIEF_WARNING, 0},
    {NULL, NULL, 0, 0},
};
static const struct old_event events[] = {
    {"first", "there is no such line"}, {"second", "abi marker (?<word>[a-z]+)"}, {NULL, NULL}};
static const struct debrief_check checks[] = {
    {"abi-short-rows", "does an old plugin run?", NULL, NULL, NULL, (const void *)events,
     (const void *)findings, NULL, run},
};

ODD_PLUGIN("abi-short-rows", DEBRIEF_MAGIC, DEBRIEF_ABI_MAJOR, DEBRIEF_ABI_MINOR,
           sizeof(struct debrief_check), sizeof(struct old_finding), sizeof(struct old_event),
           sizeof(struct debrief_param), checks)
