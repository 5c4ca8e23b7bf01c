/* Stage: report. Renders the asks of a target by what to supply: one step often serves many checks, and
 * an ask may be met in several ways. Reads the document only. Deliberately suggests no tool of a
 * platform that nothing points to, as long as there is anything else to suggest. */
#include "report/text_asks.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/text_finding.h"
#include <stdlib.h>
#include <string.h>

#define HINTS_MAX   4
#define NEEDERS_MAX 4 /* sections that are named as those that want it */
#define FIELD_MAX   (64u << 10)
#define EITHER      "; or: "
#define OR          ", or "
#define LIVE        "debrief check "

enum platform_bit { ON_AWS = 1 << 0, ON_KUBERNETES = 1 << 1, ON_ANY = ON_AWS | ON_KUBERNETES };

struct hints {
    cJSON *items; /* {how, why: [text], for: {check id: true}, asks: {number: true}} */
    const cJSON *target;
    unsigned platforms; /* whose tools may be suggested */
    bool has_admin;     /* pages of the admin address were read */
    bool all;           /* also those that are of little use */
    int passed_over;    /* asks that are left out for that */
};

/* ---- where the target runs ---- */

static unsigned platform_of_source(const cJSON *source)
{
    const char *kind = document_str(source, "kind", ""), *name = document_str(source, "name", "");
    if (!*kind)
        return 0;
    if (str_starts(kind, "ecs.") || str_starts(kind, "target_") || str_starts(name, "aws/"))
        return ON_AWS;
    return str_starts(kind, "kubernetes") || str_starts(name, "k8s/") ? ON_KUBERNETES : 0;
}

static unsigned platforms_of(const cJSON *target)
{
    static const struct {
        const char *mesh;
        unsigned platform;
    } meshes[] = {{"appmesh", ON_AWS},        {"service-connect", ON_AWS},
                  {"istio", ON_KUBERNETES},   {"envoy-gateway", ON_KUBERNETES},
                  {"contour", ON_KUBERNETES}, {"gloo", ON_KUBERNETES}};
    unsigned found = 0;
    const cJSON *source;
    cJSON_ArrayForEach (source, json_at(target, "sources")) {
        found |= platform_of_source(source);
    }
    for (size_t i = 0; i < ARRAY_LEN(meshes); i++)
        if (str_equal(json_str(target, "envoy.mesh"), meshes[i].mesh))
            found |= meshes[i].platform;
    return found;
}

static bool has_admin_pages(const cJSON *target)
{
    const cJSON *source;
    cJSON_ArrayForEach (source, json_at(target, "sources")) {
        if (str_starts(document_str(source, "name", ""), "admin/") &&
            *document_str(source, "kind", ""))
            return true;
    }
    return false;
}

/* ---- grouping ---- */

static cJSON *hint_of(struct hints *hints, const char *how)
{
    cJSON *hint;
    cJSON_ArrayForEach (hint, hints->items) {
        const char *known = document_str(hint, "how", "");
        bool live = str_starts(known, LIVE "http") && str_starts(how, LIVE "http");
        if (strcmp(known, how) == 0 || (live && !strstr(known, " --") && !strstr(how, " --")))
            return hint;
    }
    hint = cJSON_CreateObject();
    json_put_str(hint, "how", how);
    json_put_array(hint, "why");
    json_put_object(hint, "for");
    json_put_object(hint, "asks");
    cJSON_AddItemToArray(hints->items, hint);
    return hint;
}

static void set_member(cJSON *set, const char *name)
{
    if (!cJSON_GetObjectItemCaseSensitive(set, name))
        json_put_bool(set, name, true);
}

/* The checks in "needed by a, b". */
static void add_checks(cJSON *set, const char *why)
{
    char *copy = xstrdup(why + strlen(REPORT_NEEDED_BY)), *rest = copy, *id;
    while ((id = strsep(&rest, ",")))
        set_member(set, id + strspn(id, " "));
    free(copy);
}

static void add_use(struct hints *hints, const char *how, const cJSON *ask, const char *number)
{
    const char *why = document_str(ask, "why", "");
    cJSON *hint = hint_of(hints, how);
    set_member(cJSON_GetObjectItemCaseSensitive(hint, "asks"), number);
    if (str_starts(why, REPORT_NEEDED_BY)) {
        add_checks(cJSON_GetObjectItemCaseSensitive(hint, "for"), why);
        return;
    }
    char *text = xasprintf("%s: %s", document_str(ask, "evidence", "?"), why);
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(hint, "why"), cJSON_CreateString(text));
    free(text);
}

static unsigned tool_of(const char *how)
{
    if (str_starts(how, "aws "))
        return ON_AWS;
    return str_starts(how, "kubectl ") ? ON_KUBERNETES : 0;
}

/* Of "kubectl ..., or aws ..." what the platform has; the rest as it is. NULL: nothing is left. */
static char *fitting(const struct hints *hints, char *way)
{
    char * or = strstr(way, OR), *second = or ? or +strlen(OR) : NULL;
    if (str_starts(way, LIVE) && second) {
        * or = '\0';
        return hints->has_admin ? second : way;
    }
    unsigned first_tool = tool_of(way), second_tool = second ? tool_of(second) : 0;
    if (!first_tool ||
        (first_tool | second_tool) == (hints->platforms & (first_tool | second_tool)))
        return way;
    if (second_tool)
        * or = '\0';
    if (first_tool & hints->platforms)
        return way;
    return second_tool & hints->platforms ? second : NULL;
}

/* How missing evidence is supplied, in one of the ways that the dictionary has for it. */
static void add_ways(struct hints *hints, const cJSON *ask, const char *number)
{
    char *copy = xstrdup(document_str(ask, "how", "")), *way = copy;
    while (way) {
        char *end = strstr(way, EITHER);
        if (end)
            *end = '\0';
        const char *how = fitting(hints, way);
        if (how && *how)
            add_use(hints, how, ask, number);
        way = end ? end + strlen(EITHER) : NULL;
    }
    free(copy);
}

/* ---- what nobody needs to be told ---- */

/* Whether a source of this name was read, whatever the layout of the page ("admin/stats.txt" or .json). */
static bool has_source(const cJSON *target, const char *name, size_t len)
{
    const cJSON *source;
    cJSON_ArrayForEach (source, json_at(target, "sources")) {
        const char *known = document_str(source, "name", "");
        if (strncmp(known, name, len) == 0 && known[len] == '.' &&
            *document_str(source, "kind", "") &&
            cJSON_GetArraySize(json_at(source, "problems")) == 0)
            return true;
    }
    return false;
}

/* Whether the evidence that is asked for is a list of admin pages, all of which are there. */
static bool is_given(const cJSON *target, const char *evidence)
{
    while (str_starts(evidence, "admin/")) {
        size_t len = strcspn(evidence, ".,"), all = strcspn(evidence, ",");
        if (evidence[len] != '.' || strcspn(evidence, " ") < all)
            return false; /* "admin/stats.txt twice" */
        if (!has_source(target, evidence, len))
            return false;
        if (!evidence[all])
            return true;
        evidence += all + strspn(evidence + all, ", ");
    }
    return false;
}

/* What a machine tells of itself is worth a walk to it only where something points there: a finding of the
 * section that wants it. */
static bool is_far_fetched(const cJSON *target, const cJSON *ask)
{
    const char *why = document_str(ask, "why", "");
    const cJSON *finding;
    if (!str_starts(document_str(ask, "evidence", ""), "host.") ||
        !str_starts(why, REPORT_NEEDED_BY))
        return false;
    const char *needer = why + strlen(REPORT_NEEDED_BY);
    size_t len = strcspn(needer, "/,");
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        const char *id = document_str(finding, "id", "");
        if (strncmp(id, needer, len) == 0 && id[len] == '.')
            return false;
    }
    return true;
}

static void gather(struct hints *hints)
{
    const cJSON *ask;
    int count = 0;
    cJSON_Delete(hints->items);
    hints->items = cJSON_CreateArray();
    cJSON_ArrayForEach (ask, json_at(hints->target, "asks")) {
        if (!hints->all && (is_given(hints->target, document_str(ask, "evidence", "")) ||
                            is_far_fetched(hints->target, ask))) {
            hints->passed_over++;
            continue;
        }
        char *number = xasprintf("%d", count++);
        if (str_starts(document_str(ask, "why", ""), REPORT_NEEDED_BY))
            add_ways(hints, ask, number);
        else
            add_use(hints, document_str(ask, "how", ""), ask,
                    number); /* the check knows its platform */
        free(number);
    }
}

/* ---- the most useful first ---- */

static int unserved(const cJSON *hint, const cJSON *served)
{
    int count = 0;
    const cJSON *ask;
    cJSON_ArrayForEach (ask, json_at(hint, "asks")) {
        count += !cJSON_GetObjectItemCaseSensitive(served, ask->string);
    }
    return count;
}

/* What a check asked for itself, else what serves most of the asks that are left. NULL: none is left. */
static cJSON *best_of(cJSON *hints, const cJSON *served)
{
    cJSON *hint, *best = NULL;
    int most = 0;
    cJSON_ArrayForEach (hint, hints) {
        if (cJSON_GetArraySize(json_at(hint, "why")) > 0)
            return hint;
        int count = unserved(hint, served);
        if (count > most) {
            most = count;
            best = hint;
        }
    }
    return best;
}

/* Puts the hints into the order of use; those that no ask needs any more are dropped, unless ALL. */
static void arrange(struct hints *hints, bool all)
{
    cJSON *arranged = cJSON_CreateArray(), *served = cJSON_CreateObject(), *best;
    while ((best = best_of(hints->items, served))) {
        const cJSON *ask;
        cJSON_ArrayForEach (ask, json_at(best, "asks")) {
            set_member(served, ask->string);
        }
        cJSON_AddItemToArray(arranged, cJSON_DetachItemViaPointer(hints->items, best));
    }
    while (all && (best = cJSON_DetachItemFromArray(hints->items, 0)))
        cJSON_AddItemToArray(arranged, best);
    cJSON_Delete(served);
    cJSON_Delete(hints->items);
    hints->items = arranged;
}

static cJSON *hints_of(const cJSON *target, bool verbose)
{
    struct hints hints = {.target = target, .has_admin = has_admin_pages(target), .all = verbose};
    hints.platforms = verbose ? ON_ANY : platforms_of(target);
    gather(&hints);
    if (!hints.platforms && !hints.passed_over && !cJSON_GetArraySize(hints.items)) {
        hints.platforms = ON_ANY;
        gather(&hints);
    }
    arrange(&hints, verbose);
    return hints.items;
}

/* ---- writing ---- */

/* Checks as they are, or by their sections: "lb-health", not "lb-health/listener". */
static cJSON *needers_of(const cJSON *hint, bool verbose)
{
    cJSON *needers = cJSON_CreateObject();
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(hint, "for")) {
        int len = verbose ? (int)strlen(each->string) : (int)strcspn(each->string, "/");
        char *name = xasprintf("%.*s", len, each->string);
        set_member(needers, name);
        free(name);
    }
    return needers;
}

static void add_needers(struct buf *text, const cJSON *needers, bool verbose)
{
    int shown = 0, all = cJSON_GetArraySize(needers);
    const cJSON *each;
    cJSON_ArrayForEach (each, needers) {
        if (!verbose && shown == NEEDERS_MAX && all > shown + 1)
            break;
        const char *lead = text->len ? "; " REPORT_NEEDED_BY : REPORT_NEEDED_BY;
        buf_addf(text, "%s%s", shown++ ? ", " : lead, each->string);
    }
    if (all > shown)
        buf_addf(text, " and %d more sections", all - shown);
}

static void write_hint(const struct layout *layout, const cJSON *hint)
{
    struct buf text;
    const cJSON *each;
    cJSON *needers = needers_of(hint, layout->style->verbose);
    buf_init(&text, FIELD_MAX);
    cJSON_ArrayForEach (each, json_at(hint, "why")) {
        buf_addf(&text, "%s%s", text.len ? "; " : "", each->valuestring);
    }
    add_needers(&text, needers, layout->style->verbose);
    cJSON_Delete(needers);
    layout_item(layout, 2, "?", INK_WARNING, 4, buf_str(&text));
    layout_verbatim(layout, 6, "", document_str(hint, "how", ""));
    buf_release(&text);
}

static void write_short(const struct layout *layout, const cJSON *hints)
{
    struct buf text;
    const cJSON *hint;
    int shown = 0;
    buf_init(&text, FIELD_MAX);
    cJSON_ArrayForEach (hint, hints) {
        if (shown == HINTS_MAX)
            break;
        buf_addf(&text, "%s%s", shown++ ? "; " : "", document_str(hint, "how", ""));
    }
    buf_adds(&text, " (--verbose tells why)");
    buf_addch(layout->out, '\n');
    layout_item(layout, 2, "more could be judged with:", INK_DIM, 4, buf_str(&text));
    buf_release(&text);
}

static void write_hints(const struct layout *layout, const cJSON *target, const cJSON *hints)
{
    const cJSON *hint;
    int shown = 0, all = cJSON_GetArraySize(hints);
    buf_addf(layout->out, "\n  to %s\n", document_first_cause(target) ? "be sure" : "know more");
    cJSON_ArrayForEach (hint, hints) {
        if (!layout->style->verbose && shown == HINTS_MAX)
            break;
        write_hint(layout, hint);
        shown++;
    }
    if (all > shown)
        buf_addf(layout->out, "    and %d more (--verbose)\n", all - shown);
}

/* Whether the first root cause is certain: then nobody needs to be told how to find out more. */
static bool is_settled(const cJSON *target)
{
    const cJSON *cause = document_first_cause(target);
    return cause && str_equal(json_str(cause, "confidence"), "certain") && !document_rivals(cause);
}

void text_asks(const struct layout *layout, const cJSON *target)
{
    bool verbose = layout->style->verbose;
    cJSON *hints = hints_of(target, verbose);
    if (!cJSON_GetArraySize(hints)) {
        cJSON_Delete(hints);
        return;
    }
    if (is_settled(target) && !verbose)
        write_short(layout, hints);
    else
        write_hints(layout, target, hints);
    cJSON_Delete(hints);
}
