/* Stage: correlation. Reads the findings and check records of one target; writes role, rank, explains,
 * explained_by, sunk severities, the order of findings and the target's verdict. Deliberately adds and
 * hides no finding. */
#include "finding/correlate.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "debrief/plugin.h"
#include "finding/graph.h"
#include "report/document.h"
#include <stdlib.h>
#include <string.h>

enum role { ROLE_CAUSE, ROLE_CONSEQUENCE, ROLE_NOTE }; /* in the order of reading */

static const char *const role_names[] = {"cause", "consequence", "note"};

struct entry { /* one finding on its way to a rank */
    const struct graph_node *node;
    enum role role;
    int worst;        /* the worst severity among itself and what it explains */
    size_t reach;     /* how many findings it explains, through others too */
    size_t root_rank; /* consequences: rank of the first of their roots; 0 otherwise */
    size_t depth;     /* consequences: how far from that root */
};

static int later(int64_t a, int64_t b)
{
    return a == b ? 0 : a < b ? -1 : 1;
}

static int compare_names(const struct graph_node *a, const struct graph_node *b)
{
    int order = strcmp(a->id, b->id);
    if (order == 0)
        order = strcmp(a->subject_kind, b->subject_kind);
    if (order == 0)
        order = strcmp(a->subject_name, b->subject_name);
    return order ? order : later((int64_t)a->index, (int64_t)b->index);
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    const int64_t keys[][2] = {
        {(int64_t)a->role, (int64_t)b->role},
        {(int64_t)a->root_rank, (int64_t)b->root_rank},
        {(int64_t)a->depth, (int64_t)b->depth},
        {-a->worst, -b->worst},
        {a->node->outdated, b->node->outdated},
        {-a->node->weight, -b->node->weight},
        {-(int64_t)a->reach, -(int64_t)b->reach},
        {(int64_t)a->node->state, (int64_t)b->node->state},
        {a->node->first, b->node->first},
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i][0] != keys[i][1])
            return later(keys[i][0], keys[i][1]);
    return compare_names(a->node, b->node);
}

static enum role role_of(const struct graph_node *node)
{
    if (node->explained_by_len)
        return ROLE_CONSEQUENCE;
    return node->severity == DEBRIEF_INFO ? ROLE_NOTE : ROLE_CAUSE;
}

/* A note by the word of the configuration alone: who lowers a cause says nothing of what it does. */
static bool was_cause(const struct graph_node *node)
{
    const char *was = json_str(node->finding, "severity_was");
    return role_of(node) == ROLE_NOTE && was && strcmp(was, "info") != 0;
}

/* What only notes explain is as harmless as they are: its severity sinks to info. */
static void sink(struct graph *graph, size_t *depths)
{
    bool *has_cause = xcalloc(graph->len + 1, sizeof *has_cause);
    for (size_t i = 0; i < graph->len; i++) {
        if (role_of(&graph->nodes[i]) != ROLE_CAUSE && !was_cause(&graph->nodes[i]))
            continue;
        graph_reach(graph, i, depths);
        for (size_t j = 0; j < graph->len; j++)
            has_cause[j] |= depths[j] > 0;
    }
    for (size_t i = 0; i < graph->len; i++) {
        struct graph_node *node = &graph->nodes[i];
        if (!node->explained_by_len || has_cause[i])
            continue;
        node->severity = DEBRIEF_INFO;
        cJSON *severity = cJSON_GetObjectItemCaseSensitive(node->finding, "severity");
        if (severity)
            cJSON_SetValuestring(severity, "info");
    }
    free(has_cause);
}

static void weigh(const struct graph *graph, struct entry *entry, size_t *depths)
{
    entry->worst = entry->node->severity;
    if (entry->role == ROLE_CONSEQUENCE)
        return;
    entry->reach = graph_reach(graph, entry->node->index, depths);
    for (size_t i = 0; i < graph->len; i++)
        if (depths[i] && graph->nodes[i].severity > entry->worst)
            entry->worst = graph->nodes[i].severity;
}

/* Roots are in order already; each consequence belongs to the first of them that reaches it. */
static void adopt(const struct graph *graph, struct entry *entries, size_t *depths)
{
    struct entry **by_index = xcalloc(graph->len + 1, sizeof *by_index);
    for (size_t i = 0; i < graph->len; i++)
        by_index[entries[i].node->index] = &entries[i];
    for (size_t i = 0; i < graph->len; i++) {
        if (entries[i].role == ROLE_CONSEQUENCE)
            continue;
        graph_reach(graph, entries[i].node->index, depths);
        for (size_t j = 0; j < graph->len; j++)
            if (depths[j] && !by_index[j]->root_rank) {
                by_index[j]->root_rank = i + 1;
                by_index[j]->depth = depths[j];
            }
    }
    free(by_index);
}

static struct entry *order_entries(const struct graph *graph, size_t *depths)
{
    struct entry *entries = xcalloc(graph->len + 1, sizeof *entries);
    for (size_t i = 0; i < graph->len; i++) {
        entries[i].node = &graph->nodes[i];
        entries[i].role = role_of(&graph->nodes[i]);
        weigh(graph, &entries[i], depths);
    }
    qsort(entries, graph->len, sizeof *entries, compare_entries);
    adopt(graph, entries, depths);
    qsort(entries, graph->len, sizeof *entries, compare_entries);
    return entries;
}

static void put(cJSON *object, const char *name, cJSON *value)
{
    if (cJSON_GetObjectItemCaseSensitive(object, name))
        cJSON_ReplaceItemInObjectCaseSensitive(object, name, value);
    else
        cJSON_AddItemToObject(object, name, value);
}

static void add_id(cJSON *ids, const char *id)
{
    cJSON *each;
    cJSON_ArrayForEach (each, ids) {
        if (strcmp(each->valuestring, id) == 0)
            return;
    }
    cJSON_AddItemToArray(ids, cJSON_CreateString(id));
}

static void write_entry(const struct entry *entry, size_t rank)
{
    cJSON *finding = entry->node->finding;
    put(finding, "role", cJSON_CreateString(role_names[entry->role]));
    put(finding, "rank", cJSON_CreateNumber((double)rank));
    put(finding, "explains", cJSON_CreateArray());
    put(finding, "explained_by", cJSON_CreateArray());
}

/* Ids are listed in rank order, each once. */
static void write_links(const struct graph *graph, const struct entry *entries)
{
    size_t *ranks = xcalloc(graph->len + 1, sizeof *ranks);
    bool *linked = xcalloc(graph->len + 1, sizeof *linked);
    for (size_t i = 0; i < graph->len; i++)
        ranks[entries[i].node->index] = i;
    for (size_t i = 0; i < graph->len; i++) {
        const struct graph_node *node = entries[i].node;
        cJSON *explains = cJSON_GetObjectItemCaseSensitive(node->finding, "explains");
        memset(linked, 0, graph->len * sizeof *linked);
        for (size_t j = 0; j < node->explains_len; j++)
            linked[ranks[node->explains[j]]] = true;
        for (size_t j = 0; j < graph->len; j++) {
            if (!linked[j])
                continue;
            add_id(explains, entries[j].node->id);
            add_id(cJSON_GetObjectItemCaseSensitive(entries[j].node->finding, "explained_by"),
                   node->id);
        }
    }
    free(linked);
    free(ranks);
}

static void write_order(cJSON *findings, const struct entry *entries, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        cJSON_DetachItemViaPointer(findings, entries[i].node->finding);
        cJSON_AddItemToArray(findings, entries[i].node->finding);
    }
}

/* Among those that count; 0 for none. */
static int worst_of(const cJSON *findings, const char *check)
{
    int worst = 0;
    const cJSON *finding;
    cJSON_ArrayForEach (finding, findings) {
        const char *severity = json_str(finding, "severity");
        if (document_waived(finding) || (check && !str_equal(check, json_str(finding, "check"))))
            continue;
        int rank = str_equal(severity, "error")     ? DEBRIEF_ERROR
                   : str_equal(severity, "warning") ? DEBRIEF_WARNING
                                                    : DEBRIEF_INFO;
        worst = rank > worst ? rank : worst;
    }
    return worst;
}

/* A check fails by a warning or an error that counts: when its findings sank or are waived it passes, when
 * the configuration makes more of them it fails. */
static void settle_checks(const cJSON *target, const cJSON *findings)
{
    const cJSON *check;
    cJSON_ArrayForEach (check, json_at(target, "checks")) {
        cJSON *outcome = cJSON_GetObjectItemCaseSensitive(check, "outcome");
        const char *id = json_str(check, "id");
        if (!id || !cJSON_IsString(outcome))
            continue;
        bool fails = worst_of(findings, id) >= DEBRIEF_WARNING;
        if (!fails && strcmp(outcome->valuestring, "fail") == 0)
            cJSON_SetValuestring(outcome, "pass");
        else if (fails && strcmp(outcome->valuestring, "pass") == 0)
            cJSON_SetValuestring(outcome, "fail");
    }
}

/* Something was judged when a check passed or failed, or when every check says that it does not apply. */
static bool was_judged(const cJSON *target)
{
    bool inapplicable = false, open = false;
    const cJSON *check;
    cJSON_ArrayForEach (check, json_at(target, "checks")) {
        const char *outcome = json_str(check, "outcome");
        if (str_equal(outcome, "pass") || str_equal(outcome, "fail"))
            return true;
        if (str_equal(outcome, "not_applicable"))
            inapplicable = true;
        else
            open = true;
    }
    return inapplicable && !open;
}

static int count_of(const cJSON *target, const char *outcome)
{
    int count = 0;
    const cJSON *check;
    cJSON_ArrayForEach (check, json_at(target, "checks"))
        count += str_equal(json_str(check, "outcome"), outcome);
    return count;
}

/* Whether so many of the sources hold lines that speak of trouble and that no check knows (half of them,
 * as with a paste) that "nothing wrong" would be a wrong answer. */
static bool is_unexplained(const cJSON *target)
{
    const cJSON *source, *line;
    int unexplained = 0, read = 0;
    cJSON_ArrayForEach (source, json_at(target, "sources")) {
        const char *name = json_str(source, "name"), *kind = json_str(source, "kind");
        read += kind && *kind;
        cJSON_ArrayForEach (line, json_at(target, "unexplained")) {
            if (!str_equal(json_str(line, "source"), name))
                continue;
            unexplained++;
            break;
        }
    }
    return unexplained && 2 * unexplained >= read;
}

/* A proxy's own line of level critical: it does not start, or ends. */
static bool is_critical(const cJSON *target)
{
    const cJSON *line;
    cJSON_ArrayForEach (line, json_at(target, "unexplained")) {
        if (str_equal(json_str(line, "level"), "critical"))
            return true;
    }
    return false;
}

static const char *verdict_of(const cJSON *target, const cJSON *findings)
{
    int worst = worst_of(findings, NULL);
    if (worst == DEBRIEF_ERROR)
        return "error";
    if (worst == DEBRIEF_WARNING)
        return "warning";
    bool silent = is_critical(target) || document_unreachable(target) ||
                  (is_unexplained(target) && count_of(target, "pass") < count_of(target, "skip"));
    return was_judged(target) && !silent ? "ok" : "unknown";
}

void correlate_target(cJSON *target, const struct registry *registry)
{
    cJSON *findings = cJSON_GetObjectItemCaseSensitive(target, "findings");
    struct graph graph;
    graph_init(&graph, findings, registry);
    size_t *depths = xcalloc(graph.len + 1, sizeof *depths);
    sink(&graph, depths);
    struct entry *entries = order_entries(&graph, depths);
    for (size_t i = 0; i < graph.len; i++)
        write_entry(&entries[i], i + 1);
    write_links(&graph, entries);
    write_order(findings, entries, graph.len);
    free(entries);
    free(depths);
    graph_release(&graph);
    settle_checks(target, findings);
    put(target, "verdict", cJSON_CreateString(verdict_of(target, findings)));
}
