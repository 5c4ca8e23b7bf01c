/* Stage: report. Renders one finding of the document as text: the cause first, its proof and repair
 * under it, its consequences folded into one line. Reads the document only. */
#include "report/text_finding.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/excerpt.h"
#include "report/text_policy.h"
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX (64u << 10)

enum {
    INDENT = 5,
    PROOFS_MAX = 3,
    EXCERPT_MAX = 400, /* bytes */
};

enum glyph text_finding_glyph(const char *severity)
{
    if (str_equal(severity, "error"))
        return GLYPH_ERROR;
    return str_equal(severity, "warning") ? GLYPH_WARNING : GLYPH_NOTE;
}

/* "2026-11-21T07:50:12.123Z" as "2026-11-21 07:50:12"; on the day of SAME_DAY the clock alone. */
static void add_time(struct buf *out, const char *time, const char *same_day)
{
    size_t len = strcspn(time, ".Z");
    bool has_day = len > 11 && time[10] == 'T';
    if (has_day && same_day && strncmp(time, same_day, 10) == 0) {
        buf_add(out, time + 11, len - 11);
    } else if (has_day) {
        buf_add(out, time, 10);
        buf_addch(out, ' ');
        buf_add(out, time + 11, len - 11);
    } else {
        buf_adds(out, time);
    }
}

static void add_span(struct buf *out, const cJSON *finding, const char *lead)
{
    const char *first = json_str(finding, "first"), *last = json_str(finding, "last");
    if (!first)
        return;
    size_t shown = strcspn(first, ".Z"); /* fractions of a second are not */
    bool once = !last || (strcspn(last, ".Z") == shown && strncmp(first, last, shown) == 0);
    buf_adds(out, lead);
    add_time(out, first, NULL);
    if (!once) {
        buf_adds(out, " to ");
        add_time(out, last, first);
    }
    buf_adds(out, " UTC");
}

void text_finding_when(struct buf *out, const cJSON *finding)
{
    const char *state = document_str(finding, "state", "unknown");
    double count = 0;
    if (strcmp(state, "now") == 0) {
        buf_adds(out, "now");
        add_span(out, finding, json_str(finding, "last") ? ", seen " : ", since ");
    } else if (strcmp(state, "before") == 0) {
        buf_adds(out, "earlier, over now");
        add_span(out, finding, ": ");
    } else {
        add_span(out, finding, "seen ");
    }
    if (json_num(finding, "count", &count) && count > 1)
        buf_addf(out, "%s%.0f times", out->len ? ", " : "", count);
}

static void write_when(const struct layout *layout, const cJSON *finding)
{
    struct buf when;
    buf_init(&when, FIELD_MAX);
    text_finding_when(&when, finding);
    if (when.len)
        layout_field(layout, INDENT, "when", buf_str(&when));
    buf_release(&when);
}

static void add_excerpt(const struct layout *layout, struct buf *out, const char *excerpt)
{
    const char *ellipsis = layout->style->unicode ? "\xE2\x80\xA6" : "...";
    const struct excerpt shown = excerpt_of(excerpt,
                                            layout->style->verbose ? SIZE_MAX : EXCERPT_MAX);
    char *head = xstrndup(excerpt, shown.head);
    char *rest = xstrndup(excerpt + shown.from, shown.to - shown.from);
    layout_clean(layout, out, head, false, 0);
    if (shown.head)
        buf_addf(out, " %s ", ellipsis);
    layout_clean(layout, out, rest, false, 0);
    if (excerpt[shown.to])
        buf_addf(out, " %s", ellipsis);
    free(head);
    free(rest);
}

static void write_proofs(const struct layout *layout, const cJSON *finding)
{
    const cJSON *proofs = json_at(finding, "evidence"), *proof;
    int shown = 0, all = cJSON_GetArraySize(proofs);
    bool verbose = layout->style->verbose;
    struct buf text;
    buf_init(&text, FIELD_MAX);
    cJSON_ArrayForEach (proof, proofs) {
        if (!verbose && shown == PROOFS_MAX)
            break;
        buf_clear(&text);
        document_place(&text, proof);
        buf_adds(&text, "  ");
        add_excerpt(layout, &text, document_str(proof, "excerpt", ""));
        layout_field(layout, INDENT, shown++ ? NULL : "proof", buf_str(&text));
    }
    if (shown < all) {
        buf_clear(&text);
        buf_addf(&text, "and %d more (--verbose)", all - shown);
        layout_field(layout, INDENT, NULL, buf_str(&text));
    }
    buf_release(&text);
}

static void write_fix(const struct layout *layout, const cJSON *finding)
{
    const cJSON *step;
    int number = 0, at = INDENT + LAYOUT_LABEL + 3;
    cJSON_ArrayForEach (step, json_at(finding, "fix")) {
        number++;
        layout_step(layout, INDENT, number == 1 ? "fix" : NULL, number,
                    document_str(step, "text", ""));
        const char *command = json_str(step, "command"), *path = json_str(step, "snippet.path");
        const char *snippet = json_str(step, "snippet.text");
        if (command)
            layout_verbatim(layout, at, "$ ", command);
        if (snippet) {
            if (path)
                layout_item(layout, at, "file", INK_DIM, at, path);
            layout_verbatim(layout, at + 2, "", snippet);
        }
    }
}

/* Ids that FINDING explains, directly or through others, into SEEN (an object used as a set). */
static void gather(const struct relations *relations, const cJSON *finding, cJSON *seen, int depth)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(finding, "explains")) {
        const char *id = each->valuestring;
        if (!id || cJSON_GetObjectItemCaseSensitive(seen, id))
            continue;
        json_put_bool(seen, id, true);
        const cJSON *next = relations_finding(relations, id);
        if (next && depth < 16)
            gather(relations, next, seen, depth + 1);
    }
}

static void write_follows(const struct layout *layout, const struct relations *relations,
                          const cJSON *finding, int indent)
{
    struct buf text;
    cJSON *seen = cJSON_CreateObject();
    const cJSON *each;
    buf_init(&text, FIELD_MAX);
    gather(relations, finding, seen, 0);
    cJSON_ArrayForEach (each, seen) {
        const char *title = json_str(relations_finding(relations, each->string), "title");
        buf_addf(&text, "%s%s", text.len ? "; " : "", title ? title : each->string);
        if (title)
            buf_addf(&text, " [%s]", each->string);
    }
    if (text.len)
        layout_field(layout, indent, "follows", buf_str(&text));
    buf_release(&text);
    cJSON_Delete(seen);
}

/* What speaks for and against a candidate: beneath its name, or where it is the finding itself, in a field
 * of their own. */
static void write_reasons(const struct layout *layout, const cJSON *candidate, bool rival)
{
    static const char *const sides[][2] = {{"for", "speaks for it:"},
                                           {"against", "speaks against it:"}};
    const cJSON *each;
    int shown = 0, at = INDENT + LAYOUT_LABEL + 2;
    for (size_t i = 0; i < ARRAY_LEN(sides); i++)
        cJSON_ArrayForEach (each, json_at(candidate, sides[i][0])) {
            if (!cJSON_IsString(each))
                continue;
            if (rival) {
                layout_item(layout, at, sides[i][1], INK_DIM, at + 2, each->valuestring);
                continue;
            }
            char *text = xasprintf("%s %s", sides[i][1], each->valuestring);
            layout_field(layout, INDENT, shown++ ? NULL : "why", text);
            free(text);
        }
}

static void write_candidates(const struct layout *layout, const cJSON *finding)
{
    const cJSON *candidate;
    bool rivals = document_rivals(finding);
    int shown = 0;
    cJSON_ArrayForEach (candidate, json_at(finding, "candidates")) {
        if (rivals)
            layout_field(layout, INDENT, shown++ ? NULL : "maybe",
                         document_str(candidate, "id", "?"));
        write_reasons(layout, candidate, rivals);
    }
}

static void write_references(const struct layout *layout, const cJSON *finding)
{
    const cJSON *each;
    int shown = 0;
    cJSON_ArrayForEach (each, json_at(finding, "references")) {
        if (cJSON_IsString(each))
            layout_field(layout, INDENT, shown++ ? NULL : "read", each->valuestring);
    }
}

static void write_title(const struct layout *layout, const cJSON *finding, const char *lead,
                        enum ink ink, int indent)
{
    struct buf text;
    const char *confidence = json_str(finding, "confidence");
    buf_init(&text, FIELD_MAX);
    buf_addf(&text, "%s [%s]", document_str(finding, "title", ""),
             document_str(finding, "id", "?"));
    if (confidence && strcmp(confidence, "certain") != 0)
        buf_addf(&text, " (%s)", confidence);
    text_policy_mark(&text, finding);
    layout_item(layout, 2, lead, ink, indent, buf_str(&text));
    buf_release(&text);
}

void text_finding_cause(const struct layout *layout, const struct relations *relations,
                        const cJSON *finding, int number)
{
    enum glyph glyph = text_finding_glyph(json_str(finding, "severity"));
    char *lead = xasprintf("%s %d.", layout_glyph(layout, glyph), number);
    write_title(layout, finding, lead, layout_ink(glyph), INDENT + 2);
    free(lead);
    layout_field(layout, INDENT, "what", document_str(finding, "message", ""));
    write_when(layout, finding);
    text_policy_ruling(layout, INDENT, finding);
    text_policy_causes(layout, INDENT, finding);
    write_proofs(layout, finding);
    write_candidates(layout, finding);
    write_fix(layout, finding);
    write_follows(layout, relations, finding, INDENT);
    write_references(layout, finding);
}

void text_finding_note(const struct layout *layout, const struct relations *relations,
                       const cJSON *finding)
{
    char *text = xasprintf("%s [%s]: %s", document_str(finding, "title", ""),
                           document_str(finding, "id", "?"), document_str(finding, "message", ""));
    layout_item(layout, 2, layout_glyph(layout, GLYPH_NOTE), INK_DIM, 4, text);
    free(text);
    text_policy_ruling(layout, INDENT - 1, finding);
    if (layout->style->verbose)
        write_proofs(layout, finding);
    write_follows(layout, relations, finding, INDENT - 1);
}
