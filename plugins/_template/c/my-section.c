/* my-section: is the proxy's log level fit for production?
 *
 * Reads the one `proxy` record; docs/evidence.md lists all evidence, debrief/plugin.h the calls.
 * Findings, manual (README.md) and cases belong together: `debrief lint` compares them. */
#include <debrief/plugin.h>
#include <string.h>

static void run(struct debrief_ctx *ctx)
{
    const struct debrief_record *proxy = debrief_next(ctx, "proxy", NULL);
    const char *level = debrief_text(ctx, proxy, "log_level");
    const char *node = debrief_text(ctx, proxy, "node_id");
    if (!level) {
        debrief_ask(ctx, "admin/server_info.json", "the log level is not in the evidence",
                    "@debrief@");
        return;
    }
    if (strcmp(level, debrief_param(ctx, "level")) != 0)
        return;
    struct debrief_finding *finding = debrief_report(
        ctx, "my-section.debug-log", "proxy", node ? node : "envoy",
        "the proxy logs at level %s: it is slow and fills disks", level);
    debrief_when(ctx, finding, DEBRIEF_NOW);
    debrief_cite(ctx, finding, proxy);
    debrief_advise(ctx, finding, "set the level back to info",
                   "curl -X POST 'http://127.0.0.1:9901/logging?level=info'");
    debrief_reference(ctx, finding,
                      "https://www.envoyproxy.io/docs/envoy/latest/operations/cli#cmdoption-l");
}

static const char *const tags[] = {"site", NULL};
static const char *const needs[] = {"proxy", NULL};
static const struct debrief_param params[] = {
    {"level", DEBRIEF_STRING, 0, "debug", "the log level that is not wanted"}, {0}};
static const struct debrief_finding_type findings[] = {
    {"my-section.debug-log", "debug log in production", DEBRIEF_WARNING, 0, NULL}, {0}};
static const struct debrief_check checks[] = {{
    .id = "my-section",
    .title = "is the log level fit for production?",
    .tags = tags,
    .applies = "any",
    .needs = needs,
    .findings = findings,
    .params = params,
    .run = run,
}};

DEBRIEF_PLUGIN("my-section", "0.1.0", checks)
