/* Stage: finding. Takes what checks say, C and Lua alike, and writes it as the JSON of the report's
 * findings and asks. Deliberately the only way from evidence into a report: every text passes
 * clean(), which redacts, makes UTF-8 of it and cuts it. Who explains whom is correlate.c's business. */
#include "finding/builder.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "debrief/plugin.h"
#include "finding/quote.h"
#include "finding/ways.h"
#include "finding/words.h"
#include "source/redact.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_CAP = 512,
    MESSAGE_CAP = 2048,
    SNIPPET_CAP = 16384,
    CITATIONS_KEPT = 8,
    LIST_CAP = 50, /* fix steps, references, candidates, asks, findings apart */
    FINDINGS_CAP = 500,
};

struct builder_finding {
    struct builder *builder;
    struct builder_finding *next;
    const struct check_finding *type;
    const char *kind, *name, *message;
    int severity, confidence, when;
    int64_t first, last;
    uint64_t cited, counted; /* events cited; what span() said */
    const struct record *citations[CITATIONS_KEPT];
    size_t citations_len;
    cJSON *fix, *references, *candidates; /* arrays; NULL while empty */
};

struct builder {
    struct arena *arena;
    const struct plan_check *check;
    const struct evidence *evidence;
    bool redact;
    char *fault, *inapplicable;
    bool placed; /* the fault says where it happened */
    struct builder_finding *findings, **end;
    size_t findings_len;
    struct builder_finding nowhere; /* where reports go after a fault */
    cJSON *asks;
    struct names *names; /* NULL until a command is written */
    struct words words;  /* the mesh and platform that texts are fitted to */
};

/* ---- texts ---- */

/* TEXT as it may leave for a report, in the arena. */
static const char *clean(struct builder *builder, const char *text, size_t cap)
{
    struct buf redacted;
    buf_init(&redacted, 4 * SNIPPET_CAP);
    size_t len = strnlen(text, 2 * SNIPPET_CAP);
    if (builder->redact)
        redact_text(&redacted, text, len, NULL);
    else
        buf_add(&redacted, text, len);
    char *out = xmalloc(cap + 1);
    size_t kept = str_to_utf8(out, cap + 1, buf_str(&redacted), redacted.len);
    const char *result = kept + 4 > cap && redacted.len > kept
                             ? arena_printf(builder->arena, "%s\xe2\x80\xa6", out)
                             : arena_strndup(builder->arena, out, kept);
    free(out);
    buf_release(&redacted);
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

static void put_clean(struct builder *builder, cJSON *object, const char *name, const char *text,
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
    put_clean(builder, object, name, buf_str(&filled), MESSAGE_CAP);
    buf_release(&filled);
}

/* ---- life ---- */

struct builder *builder_new(const struct plan_check *check, const struct evidence *evidence,
                            bool redact)
{
    struct builder *builder = xcalloc(1, sizeof *builder);
    builder->arena = arena_new();
    builder->check = check;
    builder->evidence = evidence;
    builder->redact = redact;
    builder->end = &builder->findings;
    builder->nowhere.builder = builder;
    builder->asks = cJSON_CreateArray();
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
    put_clean(finding->builder, step, "text", said, MESSAGE_CAP);
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
    put_clean(finding->builder, step, "text", said, MESSAGE_CAP);
    cJSON *snippet = json_put_object(step, "snippet");
    put_clean(finding->builder, snippet, "path", path, NAME_CAP);
    put_clean(finding->builder, snippet, "text", content, SNIPPET_CAP);
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
    put_clean(builder, ask, "evidence", evidence, NAME_CAP);
    const char *said = fitted(builder, why);
    put_clean(builder, ask, "why", said ? said : why, MESSAGE_CAP);
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

/* ---- JSON ---- */

static const char *severity_name(int severity)
{
    return severity == DEBRIEF_ERROR ? "error" : severity == DEBRIEF_WARNING ? "warning" : "info";
}

static const char *confidence_name(int confidence)
{
    return confidence == DEBRIEF_CERTAIN  ? "certain"
           : confidence == DEBRIEF_LIKELY ? "likely"
                                          : "possible";
}

static const char *when_name(int when)
{
    return when == DEBRIEF_NOW ? "now" : when == DEBRIEF_BEFORE ? "before" : "unknown";
}

/* Id and subject, without target, place, time or wording: stable across runs. */
static void put_fingerprint(cJSON *json, const struct builder_finding *finding)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char hex[2 * 16 + 1];
    struct buf text;
    buf_init(&text, 4096);
    buf_add(&text, finding->type->id, strlen(finding->type->id) + 1);
    buf_add(&text, finding->kind, strlen(finding->kind) + 1);
    buf_adds(&text, finding->name);
    SHA256((const unsigned char *)text.data, text.len, digest);
    buf_release(&text);
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    json_put_str(json, "fingerprint", hex);
}

static void put_time(cJSON *object, const char *name, int64_t time)
{
    char text[CLOCK_TEXT_MAX];
    if (time > 0)
        json_put_str(object, name, clock_text(time, text));
}

static void put_citation(cJSON *array, struct builder *builder, const struct record *record)
{
    char place[32];
    struct buf excerpt;
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(array, row);
    put_clean(builder, row, "source", record->source ? record->source->name : NULL, NAME_CAP);
    if (record->source && record->source->sha256[0])
        json_put_str(row, "sha256", record->source->sha256);
    put_clean(builder, row, "locator", record_locator(record, place), MESSAGE_CAP);
    buf_init(&excerpt, 4 * MESSAGE_CAP);
    quote_record(&excerpt, record);
    put_clean(builder, row, "excerpt", buf_str(&excerpt), MESSAGE_CAP);
    buf_release(&excerpt);
    put_time(row, "time", record->time);
}

static void put_list(cJSON *json, const char *name, const cJSON *list)
{
    if (list)
        cJSON_AddItemToObject(json, name, cJSON_Duplicate(list, true));
    else
        json_put_array(json, name);
}

static cJSON *finding_json(struct builder *builder, const struct builder_finding *finding)
{
    cJSON *json = cJSON_CreateObject();
    uint64_t count = finding->counted > finding->cited ? finding->counted : finding->cited;
    json_put_str(json, "id", finding->type->id);
    json_put_str(json, "severity", severity_name(finding->severity));
    json_put_str(json, "confidence", confidence_name(finding->confidence));
    cJSON *subject = json_put_object(json, "subject");
    json_put_str(subject, "kind", finding->kind);
    json_put_str(subject, "name", finding->name);
    json_put_str(json, "state", when_name(finding->when));
    put_time(json, "first", finding->first);
    put_time(json, "last", finding->last);
    if (count)
        json_put_num(json, "count", (double)count);
    json_put_str(json, "title", finding->type->title);
    json_put_str(json, "message", finding->message);
    json_put_str(json, "check", builder->check->meta->id);
    put_fingerprint(json, finding);
    put_list(json, "candidates", finding->candidates);
    cJSON *citations = json_put_array(json, "evidence");
    for (size_t i = 0; i < finding->citations_len; i++)
        put_citation(citations, builder, finding->citations[i]);
    put_list(json, "fix", finding->fix);
    put_list(json, "references", finding->references);
    return json;
}

cJSON *builder_findings(const struct builder *builder)
{
    cJSON *array = cJSON_CreateArray();
    for (const struct builder_finding *f = builder->findings; f; f = f->next)
        if (!builder->inapplicable)
            cJSON_AddItemToArray(array, finding_json(f->builder, f));
    return array;
}

cJSON *builder_asks(const struct builder *builder)
{
    return cJSON_Duplicate(builder->asks, true);
}
