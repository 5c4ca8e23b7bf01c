/* All is well: one check that finds something, one that passes, one that lacks evidence, one that does
 * not apply, one that cannot tell. */
#include <debrief/plugin.h>

static void run_fires(struct debrief_ctx *ctx)
{
    DEBRIEF_EACH (ctx, "event.marker", record) {
        struct debrief_finding *finding = debrief_report(
            ctx, "abi-good.marked", "container", debrief_text(ctx, record, "word"),
            "the log holds the marker '%s' (%s)", debrief_text(ctx, record, "word"),
            debrief_param(ctx, "shade"));
        debrief_severity(ctx, finding, DEBRIEF_ERROR); /* capped at the declared warning */
        debrief_cite(ctx, finding, record);
        debrief_cite(ctx, finding, NULL);
        debrief_advise(ctx, finding, "remove the marker", "sed -i /marker/d FILE");
        debrief_snippet(ctx, finding, "or configure", "marker.yaml", "marker: false\n");
        debrief_reference(ctx, finding, "https://example.org/marker");
        debrief_candidate(ctx, finding, "abi-good.other", "it looks alike", NULL);
    }
}

static void run_healthy(struct debrief_ctx *ctx)
{
    if (debrief_num(ctx, debrief_next(ctx, "proxy", NULL), "version", -1) > 0)
        debrief_report(ctx, "abi-good.marked", "proxy", "envoy", "versions are no numbers");
}

static void run_asks(struct debrief_ctx *ctx)
{
    static const struct debrief_word words[] = {
        {"consul", "no"}, {"ecs", "no"}, {"istio kubernetes", "curl the admin page"}, {NULL, "no"}};
    static const struct debrief_word unknown[] = {{"consul", "no"},
                                                  {NULL, "the counters would tell"}};
    debrief_ask(ctx, "admin/stats.txt", debrief_pick(ctx, unknown), debrief_pick(ctx, words));
}

static void run_elsewhere(struct debrief_ctx *ctx)
{
    debrief_report(ctx, "abi-good.marked", "proxy", "envoy", "dropped with the next line");
    debrief_not_applicable(ctx, "this is no toaster");
}

static const char *const explained[] = {"abi-good.other", NULL};
static const struct debrief_finding_type findings[] = {
    {"abi-good.marked", "A marker in the log", DEBRIEF_WARNING, 0, explained},
    {NULL, NULL, 0, 0, NULL},
};
static const struct debrief_event events[] = {{"marker", "abi marker (?<word>[a-z]+)", 0, 0},
                                              {NULL, NULL, 0, 0}};
static const struct debrief_param params[] = {
    {"shade", DEBRIEF_STRING, 0, "dark", "the shade of the marker"}, {NULL, 0, 0, NULL, NULL}};
static const char *const needs_event[] = {"event.marker", NULL};
static const char *const needs_proxy[] = {"proxy", NULL};
static const char *const needs_certs[] = {"certs | xds.listeners{name=a*}", NULL};

static const struct debrief_check checks[] = {
    {"abi-good", "is there a marker?", NULL, NULL, needs_event, events, findings, params,
     run_fires},
    {"abi-good/healthy", "is all well?", NULL, NULL, needs_proxy, NULL, findings, NULL,
     run_healthy},
    {"abi-good/hungry", "are there certificates?", NULL, NULL, needs_certs, NULL, findings, NULL,
     run_healthy},
    {"abi-good/old", "is it old?", NULL, "envoy < 1.10", needs_proxy, NULL, findings, NULL,
     run_healthy},
    {"abi-good/unsure", "who knows?", NULL, NULL, needs_proxy, NULL, findings, NULL, run_asks},
    {"abi-good/elsewhere", "is it a toaster?", NULL, NULL, needs_proxy, NULL, findings, NULL,
     run_elsewhere},
};

DEBRIEF_PLUGIN("abi-good", "1.2.3", checks)
