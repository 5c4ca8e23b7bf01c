/* Stage: compare. Which findings a difference may explain or is a sign of, by the table of relations, and
 * hence which difference comes first. Only findings that one side has alone are looked at: what both have,
 * no difference explains. Reads both rows of the report, writes ties and ranks. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "compare/compare.h"
#include "compare/relations.h"
#include "finding/correlate.h"
#include "report/document.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIED_MAX = 8, SERVERS_MAX = 8, FINDINGS_MAX = 500, GLOB_MAX = 128 };

struct explained { /* a finding that one side has alone */
    const cJSON *finding;
    int side, weight;
};

struct relating {
    struct explained findings[FINDINGS_MAX];
    size_t len;
    const char *servers[SERVERS_MAX]; /* clusters that lead to management servers */
    size_t servers_len;
};

enum tie {
    TIE_NONE,
    TIE_SIGN,   /* it shows the trouble that the finding is about */
    TIE_REASON, /* it may be why */
};

struct ranked {
    cJSON *row;
    int score;
};

/* ---- names ---- */

static bool is_inside(char c)
{
    return isalnum((unsigned char)c) || c == '-';
}

/* TEXT holds WORD, not as a part of a longer name. */
static bool holds(const char *text, const char *word)
{
    size_t len = word ? strlen(word) : 0;
    for (const char *at = text; len && at && (at = strstr(at, word)); at++)
        if ((at == text || !is_inside(at[-1])) && !is_inside(at[len]))
            return true;
    return false;
}

static bool names(const cJSON *row, const char *word)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(row, "members")) {
        if (cJSON_IsString(each) && holds(each->valuestring, word))
            return true;
    }
    return holds(json_str(row, "name"), word);
}

static bool names_server(const struct relating *relating, const cJSON *row)
{
    for (size_t i = 0; i < relating->servers_len; i++)
        if (names(row, relating->servers[i]))
            return true;
    return false;
}

static bool fits_any(const char *globs, const char *text)
{
    char glob[GLOB_MAX];
    for (size_t len; *globs; globs += len + (globs[len] == '|')) {
        len = strcspn(globs, "|");
        snprintf(glob, sizeof glob, "%.*s", (int)len, globs);
        if (str_glob(glob, text))
            return true;
    }
    return false;
}

/* "cluster orders: tls", "listener ingress: only-in-a", "stat server.live: value". */
static char *title(const cJSON *row)
{
    const char *name = document_str(row, "name", "");
    return xasprintf("%s%s%s: %s", document_str(row, "what", ""), *name ? " " : "", name,
                     document_str(row, "column", document_str(row, "change", "")));
}

/* ---- what a difference and a finding have in common ---- */

static const cJSON *side_of(const cJSON *row, const struct explained *explained)
{
    return json_at(row, explained->side ? "b" : "a");
}

/* The same place, or one within the other: a resource, and a member of it. */
static bool overlap(const char *a, const char *b)
{
    size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    bool pointers = *a == '/' && *b == '/';
    return str_equal(a, b) ||
           (pointers && strncmp(a, b, len) == 0 && (a[len] == '/' || b[len] == '/'));
}

static bool shares_proof(const cJSON *row, const struct explained *explained)
{
    const cJSON *place = json_at(side_of(row, explained), "evidence"), *each;
    const char *source = json_str(place, "source"), *locator = json_str(place, "locator");
    cJSON_ArrayForEach (each, json_at(explained->finding, "evidence")) {
        const char *other = json_str(each, "locator");
        if (source && locator && *locator && other && str_equal(json_str(each, "source"), source) &&
            overlap(locator, other))
            return true;
    }
    return false;
}

/* "0.0.0.0:80" names the port 80; an image is itself. */
static bool names_value(const cJSON *row, const struct explained *explained)
{
    const char *subject = document_str(explained->finding, "subject.name", "");
    const char *value = json_str(side_of(row, explained), "value");
    return value && (holds(subject, value) || holds(value, subject));
}

/* "Listener" in "resource listener ingress": types are names of messages, kinds are not. */
static bool names_type(const cJSON *row, const cJSON *finding)
{
    const char *type = document_str(finding, "subject.name", "");
    const char *name = document_str(row, "name", "");
    size_t len = strcspn(name, " ");
    return len && strlen(type) >= len && strncasecmp(type, name, len) == 0;
}

static bool has_in_common(const struct relating *relating, enum related_by by, const cJSON *row,
                          const struct explained *explained)
{
    switch (by) {
    case RELATED_BY_NAME:
        return names(row, json_str(explained->finding, "subject.name"));
    case RELATED_BY_TYPE:
        return names_type(row, explained->finding);
    case RELATED_BY_VALUE:
        return names_value(row, explained);
    case RELATED_BY_SERVER:
        return names_server(relating, row);
    case RELATED_BY_PROOF:
        return shares_proof(row, explained);
    case RELATED_BY_KIND:
        return true;
    }
    return false;
}

/* ---- one difference, one finding ---- */

/* The relation that ties them; NULL: they have nothing to do with each other. */
static const struct relation *relation_of(const struct relating *relating, const cJSON *row,
                                          const char *title, const struct explained *explained)
{
    size_t len;
    const struct relation *relation = compare_relations(&len);
    const char *subject = document_str(explained->finding, "subject.kind", "");
    const char *kind = document_str(row, "kind", ""),
               *id = document_str(explained->finding, "id", "");
    for (const struct relation *end = relation + len; relation < end; relation++)
        if (strcmp(relation->kind, kind) == 0 && str_glob(relation->subject, subject) &&
            fits_any(relation->findings, id) && fits_any(relation->of, title) &&
            has_in_common(relating, relation->by, row, explained))
            return relation;
    return NULL;
}

static void add_tied(cJSON *row, const char *list_name, const struct explained *explained)
{
    const char *id = json_str(explained->finding, "id");
    const cJSON *each;
    cJSON *list = cJSON_GetObjectItemCaseSensitive(row, list_name);
    cJSON_ArrayForEach (each, list) {
        if (str_equal(json_str(each, "finding"), id))
            return;
    }
    if (!id || cJSON_GetArraySize(list) >= TIED_MAX)
        return;
    if (!list)
        list = json_put_array(row, list_name);
    cJSON *item = cJSON_CreateObject();
    json_put_str(item, "finding", id);
    json_put_str(item, "in", explained->side ? "b" : "a");
    cJSON_AddItemToArray(list, item);
}

/* ---- one difference, all findings ---- */

/* By what the checks declared and correlation found: CAUSE explains CONSEQUENCE. */
static bool explains(const struct explained *cause, const struct explained *consequence)
{
    const cJSON *each;
    const char *id = document_str(consequence->finding, "id", "");
    if (cause->side != consequence->side)
        return false;
    cJSON_ArrayForEach (each, json_at(cause->finding, "explains")) {
        if (str_equal(cJSON_GetStringValue(each), id))
            return correlate_related(json_at(cause->finding, "subject"),
                                     json_at(consequence->finding, "subject"));
    }
    return false;
}

/* What explains a cause explains its consequences. */
static void tie_consequences(const struct relating *relating, enum tie *ties)
{
    size_t queue[FINDINGS_MAX], done = 0, len = 0;
    for (size_t i = 0; i < relating->len; i++)
        if (ties[i] == TIE_REASON)
            queue[len++] = i;
    for (; done < len; done++)
        for (size_t i = 0; i < relating->len; i++)
            if (ties[i] != TIE_REASON &&
                explains(&relating->findings[queue[done]], &relating->findings[i])) {
                ties[i] = TIE_REASON;
                queue[len++] = i;
            }
}

static int score(const struct relating *relating, cJSON *row)
{
    enum tie ties[FINDINGS_MAX] = {TIE_NONE};
    char *text = title(row);
    double weight = 0;
    int most = 0;
    json_num(row, "weight", &weight);
    for (size_t i = 0; i < relating->len; i++) {
        const struct explained *explained = &relating->findings[i];
        const struct relation *relation = relation_of(relating, row, text, explained);
        if (!relation)
            continue;
        ties[i] = relation->sign ? TIE_SIGN : TIE_REASON;
        if (explained->weight * relation->strength / 100 > most)
            most = explained->weight * relation->strength / 100;
    }
    free(text);
    tie_consequences(relating, ties);
    for (size_t i = 0; i < relating->len; i++)
        if (ties[i] != TIE_NONE)
            add_tied(row, ties[i] == TIE_SIGN ? "sign_of" : "may_explain", &relating->findings[i]);
    return (int)weight + most;
}

/* ---- all of them ---- */

static int finding_weight(const cJSON *finding)
{
    static const int by_severity[] = {5, 60, 100};
    int weight = by_severity[document_severity(finding)];
    return str_equal(json_str(finding, "role"), "consequence") ? weight * 2 / 5 : weight;
}

static bool has(const cJSON *target, const char *fingerprint)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(target, "findings")) {
        if (fingerprint && str_equal(json_str(finding, "fingerprint"), fingerprint))
            return true;
    }
    return false;
}

static void take_findings(struct relating *relating, const struct comparison *all, int side)
{
    const cJSON *finding;
    cJSON_ArrayForEach (finding, json_at(all->sides[side].target, "findings")) {
        bool both = has(all->sides[!side].target, json_str(finding, "fingerprint"));
        if (!both && !document_waived(finding) && relating->len < FINDINGS_MAX)
            relating->findings[relating->len++] = (struct explained){finding, side,
                                                                     finding_weight(finding)};
    }
}

static void take_servers(struct relating *relating, const struct compare_side *side)
{
    const struct compare_table *table = compare_table_of(side, "bootstrap");
    size_t len, rule = 0, column = 0;
    const struct compare_rule *rules = compare_rules(&len);
    while (strcmp(rules[rule].evidence, "bootstrap") != 0)
        rule++;
    while (strcmp(rules[rule].columns[column].name, "target") != 0)
        column++;
    for (size_t i = 0; i < table->len && relating->servers_len < SERVERS_MAX; i++)
        if (table->facts[i].cells[column])
            relating->servers[relating->servers_len++] = table->facts[i].cells[column];
}

static int by_score(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->score != right->score)
        return left->score < right->score ? 1 : -1;
    int order = strcmp(document_str(left->row, "kind", ""), document_str(right->row, "kind", ""));
    if (!order)
        order = strcmp(document_str(left->row, "name", ""), document_str(right->row, "name", ""));
    return order ? order
                 : strcmp(document_str(left->row, "column", ""),
                          document_str(right->row, "column", ""));
}

static bool same_values(const cJSON *a, const cJSON *b)
{
    return str_equal(json_str(a, "a.value"), json_str(b, "a.value")) &&
           str_equal(json_str(a, "b.value"), json_str(b, "b.value"));
}

/* The bootstrap tells the same of the cluster that leads to the management server. */
static bool is_told_by_bootstrap(const struct relating *relating, const cJSON *rows,
                                 const cJSON *row)
{
    const char *kind = document_str(row, "kind", "");
    const cJSON *each;
    if ((strcmp(kind, "cluster") != 0 && strcmp(kind, "endpoint") != 0) ||
        !json_str(row, "a.value") || json_at(row, "members") || !names_server(relating, row))
        return false;
    cJSON_ArrayForEach (each, rows) {
        if (str_equal(json_str(each, "kind"), "bootstrap") && same_values(each, row))
            return true;
    }
    return false;
}

/* Each fact once. */
static void drop_told(const struct relating *relating, cJSON *rows)
{
    for (cJSON *row = rows->child, *next; row; row = next) {
        next = row->next;
        if (is_told_by_bootstrap(relating, rows, row))
            cJSON_Delete(cJSON_DetachItemViaPointer(rows, row));
    }
}

void compare_rank(struct comparison *all)
{
    struct relating *relating = xcalloc(1, sizeof *relating);
    take_findings(relating, all, 1);
    take_findings(relating, all, 0);
    take_servers(relating, &all->sides[0]);
    take_servers(relating, &all->sides[1]);
    drop_told(relating, all->differences);
    size_t len = (size_t)cJSON_GetArraySize(all->differences);
    struct ranked *ranked = xcalloc(len + 1, sizeof *ranked);
    for (size_t i = 0; i < len; i++) {
        ranked[i].row = cJSON_DetachItemFromArray(all->differences, 0);
        ranked[i].score = score(relating, ranked[i].row);
    }
    qsort(ranked, len, sizeof *ranked, by_score);
    for (size_t i = 0; i < len; i++) {
        json_put_num(ranked[i].row, "rank", (double)i + 1);
        cJSON_AddItemToArray(all->differences, ranked[i].row);
    }
    free(ranked);
    free(relating);
}
