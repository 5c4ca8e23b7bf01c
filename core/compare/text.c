/* Stage: compare. The comparison for people: the verdict in the first line, then what is new in the
 * second target, what differs, what could not be compared. Reads the document only; all text that comes
 * from evidence is cleaned by the layout. */
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "compare/document.h"
#include "report/document.h"
#include "report/layout.h"
#include "report/text_finding.h"
#include <string.h>

enum { SHOWN = 10, MEMBERS_SHOWN = 5, VALUE_SHOWN = 300, LINE_MAX_LEN = 16384 };

/* "cluster orders: tls", or of many of a sort "cluster: tls, 61 times". */
static void add_subject(struct buf *out, const cJSON *row, bool first_alone)
{
    double count;
    const char *name = document_str(row, "name", ""), *column = json_str(row, "column");
    bool many = json_num(row, "count", &count) && !first_alone;
    buf_adds(out, document_str(row, "what", "?"));
    if (!many && *name)
        buf_addf(out, " %s", name);
    if (column)
        buf_addf(out, ": %s", column);
    if (many)
        buf_addf(out, ", %.0f times", count);
}

static void add_members(struct buf *out, const cJSON *row)
{
    const cJSON *each;
    double count;
    int shown = 0;
    if (!json_num(row, "count", &count))
        return;
    buf_adds(out, " (");
    cJSON_ArrayForEach (each, json_at(row, "members")) {
        if (shown < MEMBERS_SHOWN && cJSON_IsString(each))
            buf_addf(out, "%s%.100s", shown++ ? ", " : "",
                     each->valuestring[0] ? each->valuestring : "unnamed");
    }
    buf_addf(out, "%s)", count > shown ? ", ..." : "");
}

/* What one side has, in a few words. */
static void add_value(struct buf *out, const cJSON *row, const char *side)
{
    const cJSON *object = json_at(row, side);
    const char *value = json_str(object, "value"), *change = document_str(row, "change", "");
    if (value)
        buf_addf(out, "%.*s%s", VALUE_SHOWN, value, strlen(value) > VALUE_SHOWN ? "..." : "");
    else if (strcmp(change, "value") == 0)
        buf_adds(out, document_str(object, "meaning", "not set"));
    else
        buf_adds(out, str_ends(change, side) ? "is there" : "is not there");
}

static void add_sentence(struct buf *out, const cJSON *row)
{
    const char *change = document_str(row, "change", "");
    double count;
    add_subject(out, row, true);
    if (strcmp(change, "value") != 0) {
        buf_addf(out, " only in %s", strcmp(change, "only-in-a") == 0 ? "A" : "B");
    } else {
        buf_adds(out, " is ");
        add_value(out, row, "a");
        buf_adds(out, " in A, ");
        add_value(out, row, "b");
        buf_adds(out, " in B");
    }
    if (json_num(row, "count", &count))
        buf_addf(out, " (and %.0f more of this sort)", count - 1);
}

static bool is_unknown(const cJSON *document, const char *side)
{
    return str_equal(json_str(json_at(document, side), "verdict"), "unknown");
}

static void write_verdict(const struct layout *layout, const cJSON *document)
{
    const cJSON *rows = json_at(document, "differences");
    int count = cJSON_GetArraySize(rows);
    struct buf line;
    buf_init(&line, LINE_MAX_LEN);
    if (count) {
        buf_addf(&line, "B differs from A in %d thing%s that matter%s; first: ", count,
                 count == 1 ? "" : "s", count == 1 ? "s" : "");
        add_sentence(&line, cJSON_GetArrayItem(rows, 0));
    } else if (is_unknown(document, "a") || is_unknown(document, "b")) {
        buf_addf(&line, "%s could not be judged, so nothing can be said of what differs",
                 !is_unknown(document, "b")   ? "A"
                 : !is_unknown(document, "a") ? "B"
                                              : "A and B");
    } else {
        const cJSON *findings = json_at(document, "findings");
        int new = document_count(findings, "change", "new");
        buf_addf(&line, "nothing that matters differs between A and B%s",
                 cJSON_GetArraySize(json_at(document, "not_compared"))
                     ? " in what both of them tell"
                     : "");
        if (new)
            buf_addf(&line, "; B has %d finding%s that A does not have", new, new == 1 ? "" : "s");
    }
    layout_item(layout, 0, "", INK_PLAIN, 0, buf_str(&line));
    buf_release(&line);
}

static void write_target(const struct layout *layout, const cJSON *document, const char *side,
                         const char *label)
{
    const cJSON *target = json_at(document, side);
    const char *version = json_str(target, "envoy.version"),
               *state = json_str(target, "envoy.state");
    double errors = 0, warnings = 0;
    struct buf line;
    buf_init(&line, LINE_MAX_LEN);
    json_num(target, "errors", &errors);
    json_num(target, "warnings", &warnings);
    buf_adds(&line, document_str(target, "name", "?"));
    if (is_unknown(document, side))
        buf_addf(&line, ": %s", document_str(target, "why", "could not be judged"));
    else
        buf_addf(&line, ": %.0f error%s, %.0f warning%s", errors, errors == 1 ? "" : "s", warnings,
                 warnings == 1 ? "" : "s");
    buf_addf(&line, "%s%s%s%s", version ? "; Envoy " : "", version ? version : "",
             state ? ", " : "", state ? state : "");
    layout_field(layout, 2, label, buf_str(&line));
    buf_release(&line);
}

static void write_sickness(const struct layout *layout, const cJSON *document)
{
    double errors = 0;
    if (!json_num(document, "a.errors", &errors) || errors == 0)
        return;
    layout_field(layout, 2, "note",
                 "A is not well itself: what both lack or have wrong is no difference");
}

/* ---- findings ---- */

static void write_finding(const struct layout *layout, const cJSON *row)
{
    const cJSON *finding = json_at(row, "finding");
    struct buf line;
    enum glyph glyph = text_finding_glyph(json_str(finding, "severity"));
    buf_init(&line, LINE_MAX_LEN);
    buf_addf(&line, "%s [%s]: %s", document_str(finding, "title", ""),
             document_str(finding, "id", "?"), document_str(finding, "message", ""));
    layout_item(layout, 2, layout_glyph(layout, glyph), layout_ink(glyph), 4, buf_str(&line));
    buf_release(&line);
}

static void write_changes(const struct layout *layout, const cJSON *document)
{
    static const char *const shown[][2] = {
        {"new", "new in B"},       {"worse", "worse in B"},
        {"better", "better in B"}, {"gone", "only in A"},
        {"waived", "waived in B"}, {"unjudged", "only in A, and not judged in B"},
        {"unchanged", "in both"}};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const cJSON *rows = json_at(document, "findings"), *row;
        bool kept = strcmp(shown[i][0], "unchanged") == 0 && !layout->style->verbose;
        if (kept || !document_count(rows, "change", shown[i][0]))
            continue;
        buf_addch(layout->out, '\n');
        layout_paint(layout, INK_BOLD, shown[i][1]);
        buf_addch(layout->out, '\n');
        cJSON_ArrayForEach (row, rows) {
            if (str_equal(json_str(row, "change"), shown[i][0]))
                write_finding(layout, row);
        }
    }
}

/* ---- differences ---- */

static void write_side(const struct layout *layout, const cJSON *row, const char *side,
                       const char *label)
{
    const cJSON *proof = json_at(json_at(row, side), "evidence");
    struct buf line;
    buf_init(&line, LINE_MAX_LEN);
    add_value(&line, row, side);
    if (proof) {
        buf_adds(&line, "   [");
        document_place(&line, proof);
        buf_addch(&line, ']');
    }
    layout_field(layout, 5, label, buf_str(&line));
    buf_release(&line);
}

static void write_tied(const struct layout *layout, const cJSON *row, const char *list_name,
                       const char *label, const char *lead)
{
    const cJSON *each, *list = json_at(row, list_name);
    struct buf line;
    if (!cJSON_GetArraySize(list))
        return;
    buf_init(&line, LINE_MAX_LEN);
    buf_adds(&line, lead);
    cJSON_ArrayForEach (each, list) {
        buf_addf(&line, "%s%s (%s)", each == list->child ? "" : ", ",
                 document_str(each, "finding", "?"),
                 str_equal(json_str(each, "in"), "a") ? "A" : "B");
    }
    layout_field(layout, 5, label, buf_str(&line));
    buf_release(&line);
}

static void write_difference(const struct layout *layout, const cJSON *row, int number)
{
    const char *note = json_str(row, "note");
    double count;
    struct buf line, lead;
    buf_init(&line, LINE_MAX_LEN);
    buf_init(&lead, 32);
    buf_addf(&lead, "%d.", number);
    add_subject(&line, row, false);
    add_members(&line, row);
    if (note)
        buf_addf(&line, ", %s", note);
    if (json_num(row, "count", &count) && !json_bool(row, "alike"))
        buf_adds(&line, "; the values are those of the first one");
    layout_item(layout, 2, buf_str(&lead), INK_BOLD, 5, buf_str(&line));
    write_side(layout, row, "a", "A");
    write_side(layout, row, "b", "B");
    layout_field(layout, 5, "why", document_str(row, "why", ""));
    write_tied(layout, row, "may_explain", "may", "explain ");
    write_tied(layout, row, "sign_of", "sign", "of ");
    buf_release(&line);
    buf_release(&lead);
}

static void write_differences(const struct layout *layout, const cJSON *document)
{
    const cJSON *rows = json_at(document, "differences"), *row;
    int number = 0, count = cJSON_GetArraySize(rows);
    if (!count)
        return;
    buf_addch(layout->out, '\n');
    layout_paint(layout, INK_BOLD, "what differs");
    buf_addch(layout->out, '\n');
    cJSON_ArrayForEach (row, rows) {
        if (number >= SHOWN && !layout->style->verbose)
            break;
        write_difference(layout, row, ++number);
    }
    if (number < count)
        buf_addf(layout->out, "  and %d more: --verbose shows them\n", count - number);
}

/* ---- what could not be compared ---- */

static void write_gap(const struct layout *layout, const cJSON *row)
{
    const char *only = json_str(row, "only_in"), *partial = json_str(row, "partial_in");
    const cJSON *each, *names = json_at(row, "evidence");
    struct buf line;
    buf_init(&line, LINE_MAX_LEN);
    cJSON_ArrayForEach (each, names) {
        if (cJSON_IsString(each))
            buf_addf(&line, "%s%s", line.len ? ", " : "", each->valuestring);
    }
    if (only)
        buf_addf(&line, ": only in %s; to supply it for %s: %s", str_equal(only, "a") ? "A" : "B",
                 str_equal(only, "a") ? "B" : "A", document_str(row, "how", "not known"));
    else
        buf_addf(&line, ": not all of it was read in %s, so what is missing there was not judged",
                 str_equal(partial, "a") ? "A" : "B");
    layout_item(layout, 2, layout_glyph(layout, GLYPH_SKIP), INK_DIM, 4, buf_str(&line));
    buf_release(&line);
}

static void write_gaps(const struct layout *layout, const cJSON *document)
{
    const cJSON *rows = json_at(document, "not_compared"), *row;
    if (!cJSON_GetArraySize(rows))
        return;
    buf_addch(layout->out, '\n');
    layout_paint(layout, INK_BOLD, "not compared");
    buf_addch(layout->out, '\n');
    cJSON_ArrayForEach (row, rows) {
        write_gap(layout, row);
    }
}

void compare_text(struct buf *out, const cJSON *document, const struct report_style *style)
{
    const struct layout layout = {out, style};
    write_verdict(&layout, document);
    if (style->quiet)
        return;
    write_target(&layout, document, "a", "A");
    write_target(&layout, document, "b", "B");
    write_sickness(&layout, document);
    write_changes(&layout, document);
    write_differences(&layout, document);
    write_gaps(&layout, document);
}
