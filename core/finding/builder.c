/* Stage: finding. Takes what checks say, C and Lua alike; builder_json.c writes it as JSON. Deliberately
 * the only way from evidence into a report: every text passes clean(), which redacts, makes UTF-8 of it
 * and cuts it. */
#include "finding/builder_parts.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "debrief/plugin.h"
#include "finding/manifest.h"
#include "finding/quote.h"
#include "finding/ways.h"
#include "source/redact.h"

#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

/* TEXT as it may leave for a report, in the arena. */
static const char *clean(struct builder *builder, const char *text, size_t cap)
{
    bool cut;
    size_t len = strnlen(text, 2 * SNIPPET_CAP);
    char *out = redact_leaving(text, len, cap + 1, builder->redact, &cut);
    const char *result = arena_printf(builder->arena, cut ? "%s\xe2\x80\xa6" : "%s", out);
    free(out);
    return result;
}

/* A text of the check's own, cut down to what is said of the mesh and platform at hand; NULL when it is all
 * about another one. */
static const char *fitted(struct builder *builder, const char *text)
{
    struct buf out;
    if (!text || !*text)
        return text;
    buf_init(&out, 4 * SNIPPET_CAP);
    bool fits = words_fit(&out, text, &builder->words);
    const char *result = fits ? arena_strdup(builder->arena, buf_str(&out)) : NULL;
    buf_release(&out);
    return result;
}

void builder_put(struct builder *builder, cJSON *object, const char *name, const char *text,
                 size_t cap)
{
    if (text && *text)
        json_put_str(object, name, clean(builder, text, cap));
}

/* A command or a hint: what depends on where the proxy runs is put in. */
static void put_command(struct builder *builder, cJSON *object, const char *name, const char *text)
{
    struct buf filled;
    if (!text)
        return;
    if (!builder->names) {
        builder->names = arena_alloc(builder->arena, sizeof *builder->names);
        names_find(builder->names, builder->evidence);
    }
    buf_init(&filled, 2 * MESSAGE_CAP);
    ways_fill(&filled, text, builder->evidence, builder->names);
    builder_put(builder, object, name, buf_str(&filled), MESSAGE_CAP);
    buf_release(&filled);
}

/* ---- life ---- */

struct builder *builder_new(const struct plan_check *check, const struct evidence *evidence,
                            const struct redact_policy *redact)
{
    struct builder *builder = xcalloc(1, sizeof *builder);
    builder->arena = arena_new();
    builder->check = check;
    builder->evidence = evidence;
    builder->redact = redact;
    builder->end = &builder->findings;
    builder->nowhere.builder = builder;
    builder->asks = cJSON_CreateArray();
    builder->walks = cJSON_CreateArray();
    builder->work = MANIFEST_WORK_MAX;
    words_find(&builder->words, evidence);
    return builder;
}

static void release_finding(struct builder_finding *finding)
{
    cJSON_Delete(finding->fix);
    cJSON_Delete(finding->references);
    cJSON_Delete(finding->candidates);
}

void builder_free(struct builder *builder)
{
    if (!builder)
        return;
    for (struct builder_finding *f = builder->findings; f; f = f->next)
        release_finding(f);
    release_finding(&builder->nowhere);
    cJSON_Delete(builder->asks);
    cJSON_Delete(builder->walks);
    free(builder->fault);
    free(builder->inapplicable);
    arena_free(builder->arena);
    free(builder);
}

const char *builder_fault(const struct builder *builder)
{
    return builder->fault;
}

void builder_set_fault(struct builder *builder, const char *format, ...)
{
    if (builder->fault)
        return; /* the first one is the cause of the others */
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(builder->arena, format, args);
    va_end(args);
    builder->fault = xstrdup(clean(builder, text, MESSAGE_CAP));
}

void builder_place_fault(struct builder *builder, const char *place)
{
    if (!builder->fault || builder->placed || !*place)
        return;
    char *text = xasprintf("%s%s", place, builder->fault);
    free(builder->fault);
    builder->fault = text;
    builder->placed = true;
}

/* ---- findings ---- */

static const struct check_finding *find_type(const struct builder *builder, const char *id)
{
    const struct check_meta *meta = builder->check->meta;
    for (size_t i = 0; i < meta->findings_len; i++)
        if (strcmp(meta->findings[i].id, id) == 0)
            return &meta->findings[i];
    return NULL;
}

static struct builder_finding *find_same(const struct builder *builder,
                                         const struct check_finding *type, const char *kind,
                                         const char *name)
{
    for (struct builder_finding *f = builder->findings; f; f = f->next)
        if (f->type == type && strcmp(f->kind, kind) == 0 && strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static struct builder_finding *add_finding(struct builder *builder,
                                           const struct check_finding *type, const char *kind,
                                           const char *name, const char *message)
{
    struct builder_finding *finding = arena_alloc(builder->arena, sizeof *finding);
    finding->builder = builder;
    finding->type = type;
    finding->kind = kind;
    finding->name = name;
    const char *said = fitted(builder, message && *message ? message : type->title);
    finding->message = clean(builder, said ? said : message, MESSAGE_CAP);
    finding->severity = type->worst;
    finding->confidence = DEBRIEF_CERTAIN;
    finding->when = DEBRIEF_UNKNOWN;
    *builder->end = finding;
    builder->end = &finding->next;
    builder->findings_len++;
    return finding;
}

struct builder_finding *builder_report(struct builder *builder, const char *id,
                                       const char *subject_kind, const char *subject_name,
                                       const char *message)
{
    const struct check_finding *type = find_type(builder, id ? id : "");
    if (!type)
        builder_set_fault(builder, "reported '%s', which it does not declare", id ? id : "");
    else if (!subject_kind || !*subject_kind)
        builder_set_fault(builder, "reported '%s' about no kind of subject", id);
    if (builder->fault)
        return &builder->nowhere;
    const char *kind = clean(builder, subject_kind, NAME_CAP);
    const char *name = clean(builder, subject_name && *subject_name ? subject_name : "unknown",
                             NAME_CAP);
    struct builder_finding *finding = find_same(builder, type, kind, name);
    if (finding)
        return finding;
    if (builder->findings_len == FINDINGS_CAP) {
        builder_set_fault(builder, "reported more than %d findings", FINDINGS_CAP);
        return &builder->nowhere;
    }
    return add_finding(builder, type, kind, name, message);
}

void builder_severity(struct builder_finding *finding, int severity)
{
    if (!finding->type)
        return;
    if (severity != DEBRIEF_INFO && severity != DEBRIEF_WARNING && severity != DEBRIEF_ERROR)
        builder_set_fault(finding->builder, "gave '%s' the severity %d, which there is not",
                          finding->type->id, severity);
    else
        finding->severity = severity < finding->type->worst ? severity : finding->type->worst;
}

void builder_confidence(struct builder_finding *finding, int confidence)
{
    if (confidence != DEBRIEF_POSSIBLE && confidence != DEBRIEF_LIKELY &&
        confidence != DEBRIEF_CERTAIN)
        builder_set_fault(finding->builder, "gave the confidence %d, which there is not",
                          confidence);
    else
        finding->confidence = confidence;
}

void builder_when(struct builder_finding *finding, int when)
{
    if (when != DEBRIEF_UNKNOWN && when != DEBRIEF_NOW && when != DEBRIEF_BEFORE)
        builder_set_fault(finding->builder, "gave the state %d, which there is not", when);
    else
        finding->when = when;
}

static void widen(struct builder_finding *finding, int64_t first, int64_t last)
{
    if (first > 0 && (!finding->first || first < finding->first))
        finding->first = first;
    if (last > finding->last)
        finding->last = last;
}

static bool is_cited(const struct builder_finding *finding, const struct record *record)
{
    for (size_t i = 0; i < finding->citations_len; i++)
        if (finding->citations[i] == record)
            return true;
    return false;
}

void builder_cite(struct builder_finding *finding, const struct record *record)
{
    if (!record || is_cited(finding, record))
        return;
    widen(finding, record->time, record->time);
    finding->cited += quote_count(record);
    /* When there are too many, the last one stands for the rest: it is the nearest to now. */
    if (finding->citations_len < CITATIONS_KEPT)
        finding->citations_len++;
    finding->citations[finding->citations_len - 1] = record;
}

void builder_span(struct builder_finding *finding, int64_t first, int64_t last, uint64_t count)
{
    widen(finding, first, last);
    if (count > finding->counted)
        finding->counted = count;
}

/* ---- lists of a finding ---- */

/* A new row of the array in *LIST, which is made when needed; NULL when the list is full. */
static cJSON *add_row(cJSON **list, cJSON *row)
{
    if (!*list)
        *list = cJSON_CreateArray();
    if (cJSON_GetArraySize(*list) >= LIST_CAP) {
        cJSON_Delete(row);
        return NULL;
    }
    cJSON_AddItemToArray(*list, row);
    return row;
}

/* Whether an equal row is there already: a finding that is reported twice says its steps twice. */
static bool has_row(const cJSON *list, const cJSON *row)
{
    const cJSON *other;
    cJSON_ArrayForEach (other, list)
        if (cJSON_Compare(other, row, true))
            return true;
    return false;
}

static void add_step(struct builder_finding *finding, cJSON *step)
{
    if (has_row(finding->fix, step))
        cJSON_Delete(step);
    else
        add_row(&finding->fix, step);
}

void builder_advise(struct builder_finding *finding, const char *text, const char *command)
{
    const char *said = fitted(finding->builder, text);
    if (text && !said)
        return;
    cJSON *step = cJSON_CreateObject();
    builder_put(finding->builder, step, "text", said, MESSAGE_CAP);
    put_command(finding->builder, step, "command", command);
    add_step(finding, step);
}

void builder_snippet(struct builder_finding *finding, const char *text, const char *path,
                     const char *content)
{
    const char *said = fitted(finding->builder, text);
    if (text && !said)
        return;
    cJSON *step = cJSON_CreateObject();
    builder_put(finding->builder, step, "text", said, MESSAGE_CAP);
    cJSON *snippet = json_put_object(step, "snippet");
    builder_put(finding->builder, snippet, "path", path, NAME_CAP);
    builder_put(finding->builder, snippet, "text", content, SNIPPET_CAP);
    add_step(finding, step);
}

static void add_text(struct builder *builder, cJSON **list, const char *text, size_t cap)
{
    if (!text || !*text)
        return;
    cJSON *item = cJSON_CreateString(clean(builder, text, cap));
    if (has_row(*list, item))
        cJSON_Delete(item);
    else
        add_row(list, item);
}

void builder_reference(struct builder_finding *finding, const char *url)
{
    add_text(finding->builder, &finding->references, url, MESSAGE_CAP);
}

static cJSON *find_candidate(struct builder_finding *finding, const char *id)
{
    cJSON *candidate;
    cJSON_ArrayForEach (candidate, finding->candidates)
        if (strcmp(json_str(candidate, "id"), id) == 0)
            return candidate;
    candidate = cJSON_CreateObject();
    json_put_str(candidate, "id", id);
    json_put_array(candidate, "for");
    json_put_array(candidate, "against");
    return add_row(&finding->candidates, candidate);
}

void builder_candidate(struct builder_finding *finding, const char *id, const char *speaks_for,
                       const char *speaks_against)
{
    if (!id || !*id) {
        builder_set_fault(finding->builder, "named a candidate without an id");
        return;
    }
    cJSON *row = find_candidate(finding, clean(finding->builder, id, NAME_CAP));
    cJSON *pro = row ? cJSON_GetObjectItemCaseSensitive(row, "for") : NULL;
    cJSON *contra = row ? cJSON_GetObjectItemCaseSensitive(row, "against") : NULL;
    if (row) {
        add_text(finding->builder, &pro, fitted(finding->builder, speaks_for), MESSAGE_CAP);
        add_text(finding->builder, &contra, fitted(finding->builder, speaks_against), MESSAGE_CAP);
    }
}

/* ---- what the check says beside findings ---- */

void builder_ask(struct builder *builder, const char *evidence, const char *why, const char *how)
{
    cJSON *ask = cJSON_CreateObject();
    builder_put(builder, ask, "evidence", evidence, NAME_CAP);
    const char *said = fitted(builder, why);
    builder_put(builder, ask, "why", said ? said : why, MESSAGE_CAP);
    put_command(builder, ask, "how", how);
    if (cJSON_GetArraySize(ask) != 3)
        builder_set_fault(builder, "asked without saying which evidence, why and how");
    if (has_row(builder->asks, ask))
        cJSON_Delete(ask);
    else
        add_row(&builder->asks, ask);
}

void builder_not_applicable(struct builder *builder, const char *reason)
{
    free(builder->inapplicable);
    builder->inapplicable = xstrdup(
        clean(builder, reason && *reason ? reason : "it does not apply here", MESSAGE_CAP));
}

const char *builder_inapplicable(const struct builder *builder)
{
    return builder->inapplicable;
}

size_t builder_asks_len(const struct builder *builder)
{
    return (size_t)cJSON_GetArraySize(builder->asks);
}

int builder_worst(const struct builder *builder)
{
    int worst = 0;
    for (const struct builder_finding *f = builder->findings; f; f = f->next)
        worst = f->severity > worst ? f->severity : worst;
    return builder->inapplicable ? 0 : worst;
}
