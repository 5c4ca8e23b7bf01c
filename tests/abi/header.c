/* Every call of the plugin header, as a section would write it; compiled as C11 and as C++17. */
#include <debrief/plugin.h>

static void run(struct debrief_ctx *ctx)
{
    DEBRIEF_EACH (ctx, "stats", record) {
        struct debrief_finding *finding = debrief_report(ctx, "header.seen", "proxy", "envoy", "%s",
                                                         debrief_text(ctx, record, "name"));
        debrief_severity(ctx, finding, DEBRIEF_INFO);
        debrief_confidence(ctx, finding, DEBRIEF_LIKELY);
        debrief_when(ctx, finding, DEBRIEF_NOW);
        debrief_cite(ctx, finding, record);
        debrief_span(ctx, finding, debrief_time(ctx, record), debrief_now(ctx),
                     debrief_count(ctx, "stats"));
        debrief_advise(ctx, finding, "text", NULL);
        debrief_snippet(ctx, finding, "text", "path", "content");
        debrief_reference(ctx, finding, "https://example.org");
        debrief_candidate(ctx, finding, "header.other", "for", "against");
    }
    if (debrief_state(ctx, "stats") != DEBRIEF_COMPLETE || debrief_param(ctx, "x") == NULL)
        debrief_ask(ctx, "stats", "why", "how");
    if (debrief_num(ctx, debrief_next(ctx, "stats", NULL), "value", 0) > 1)
        debrief_not_applicable(ctx, "reason");
    const char *why = NULL;
    const struct debrief_record *decides = NULL;
    if (debrief_iam(ctx, "role", "ecr:BatchGetImage", "*", &why, &decides) == DEBRIEF_NO ||
        debrief_path(ctx, "eni-1", "internet", 443, "tcp", &why, &decides) == DEBRIEF_NO)
        debrief_cite(ctx, debrief_report(ctx, "header.seen", "proxy", "envoy", "%s", why), decides);
}

static const char *const needs[] = {"stats", NULL};
static const struct debrief_finding_type findings[] = {
    {"header.seen", "Seen", DEBRIEF_INFO, 0, NULL}, {NULL, NULL, 0, 0, NULL}};
static const struct debrief_param params[] = {{"x", DEBRIEF_STRING, 0, "", "a knob"},
                                              {NULL, 0, 0, NULL, NULL}};
static const struct debrief_check checks[] = {
    {"header", "does it compile?", NULL, NULL, needs, NULL, findings, params, run}};
DEBRIEF_PLUGIN("header", "0.1.0", checks)
