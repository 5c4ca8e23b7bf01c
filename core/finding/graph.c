/* Stage: correlation. Reads the findings of one target and what the checks declare with `explains`,
 * writes edges between them where subjects and times allow it. Deliberately judges nothing: ranks,
 * roles and verdicts are correlate.c's. */
#include "finding/graph.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "debrief/plugin.h"
#include "finding/correlate.h"
#include <stdlib.h>
#include <string.h>

/* Logs name a cause only after a while (Envoy waits 30 s before it reports a retried stream), while a
 * probe fails at once: a cause may be first seen this much after what it already did. */
#define SEEN_LATE (60 * CLOCK_SECOND)
#define SAME_TIME CLOCK_SECOND

/* What was last seen so long before is another incident, unless it is known to last. Identities that a
 * link renews live for three days at most (Consul): their end follows within days. */
#define REACHES (7 * 24 * 3600 * CLOCK_SECOND)

static int severity_of(const cJSON *finding)
{
    const char *text = json_str(finding, "severity");
    if (str_equal(text, "error"))
        return DEBRIEF_ERROR;
    return str_equal(text, "warning") ? DEBRIEF_WARNING : DEBRIEF_INFO;
}

static enum graph_state state_of(const cJSON *finding)
{
    const char *text = json_str(finding, "state");
    if (str_equal(text, "now"))
        return STATE_NOW;
    return str_equal(text, "before") ? STATE_BEFORE : STATE_UNKNOWN;
}

/* A symptom with candidates says itself that it is not the root: it weighs less than a likely cause,
 * more than a possible one. */
static int weight_of(const cJSON *finding)
{
    const char *text = json_str(finding, "confidence");
    int weight = str_equal(text, "possible") ? 2 : str_equal(text, "likely") ? 4 : 6;
    return cJSON_GetArraySize(json_at(finding, "candidates")) > 0 ? weight - 3 : weight;
}

static int64_t time_of(const cJSON *finding, const char *field, const char *otherwise)
{
    int64_t time = 0;
    const char *text = json_str(finding, field);
    if (!text)
        text = json_str(finding, otherwise);
    return text && clock_parse(text, strlen(text), &time) ? time : 0;
}

/* Several checks may report the same finding; what any of them says that it explains, it explains. */
static const char *const *declared_for(struct arena *arena, const struct registry *registry,
                                       const char *id)
{
    const char **all = NULL;
    size_t len = 0, cap = 0;
    for (size_t i = 0; i < registry->checks_len; i++) {
        const struct check_meta *meta = &registry->checks[i];
        for (size_t j = 0; j < meta->findings_len; j++) {
            const char *const *each = meta->findings[j].explains;
            if (!each || strcmp(meta->findings[j].id, id) != 0)
                continue;
            for (; *each; each++) {
                if (len == cap) {
                    cap = cap ? cap * 2 : 16;
                    all = xrealloc(all, cap * sizeof *all);
                }
                all[len++] = *each;
            }
        }
    }
    const char **kept = arena_alloc(arena, (len + 1) * sizeof *kept);
    if (len)
        memcpy(kept, all, len * sizeof *kept);
    kept[len] = NULL;
    free(all);
    return kept;
}

static void read_node(struct arena *arena, struct graph_node *node, cJSON *finding, size_t index,
                      const struct registry *registry)
{
    node->finding = finding;
    node->index = index;
    node->id = json_str(finding, "id");
    node->id = node->id ? node->id : "";
    node->subject_kind = json_str(finding, "subject.kind");
    node->subject_kind = node->subject_kind ? node->subject_kind : "";
    node->subject_name = json_str(finding, "subject.name");
    node->subject_name = node->subject_name ? node->subject_name : "";
    node->severity = severity_of(finding);
    node->weight = weight_of(finding);
    node->state = state_of(finding);
    node->first = time_of(finding, "first", "last");
    node->first = node->first ? node->first : INT64_MAX;
    node->last = time_of(finding, "last", "first");
    node->declared = declared_for(arena, registry, node->id);
}

static bool declares(const struct graph_node *cause, const char *id)
{
    for (const char *const *each = cause->declared; *each; each++)
        if (strcmp(*each, id) == 0)
            return true;
    return false;
}

/* Not later: it began first, or it was merely seen a little late while the consequence went on. */
static bool began_in_time(const struct graph_node *cause, const struct graph_node *consequence)
{
    if (cause->first == INT64_MAX || consequence->first == INT64_MAX)
        return true;
    if (cause->first <= consequence->first + SAME_TIME)
        return true;
    bool went_on = consequence->state == STATE_NOW || consequence->last >= cause->first;
    return went_on && cause->first <= consequence->first + SEEN_LATE;
}

static bool is_long_before(const struct graph_node *node, const struct graph_node *other)
{
    bool dated = node->last && other->first != INT64_MAX;
    return dated && node->state != STATE_NOW && node->last + REACHES < other->first;
}

static bool was_over(const struct graph_node *cause, const struct graph_node *consequence)
{
    bool dated = cause->last && consequence->first != INT64_MAX;
    if (is_long_before(cause, consequence))
        return true;
    if (cause->state != STATE_BEFORE)
        return false;
    if (consequence->state == STATE_NOW)
        return true;
    return dated && cause->last + SEEN_LATE < consequence->first;
}

static bool can_explain(const struct graph_node *cause, const struct graph_node *consequence)
{
    return cause != consequence && strcmp(cause->id, consequence->id) != 0 &&
           declares(cause, consequence->id) && began_in_time(cause, consequence) &&
           !was_over(cause, consequence) &&
           correlate_related(json_at(cause->finding, "subject"),
                             json_at(consequence->finding, "subject"));
}

/* Which of two that explain each other wins: the one that looks more like a root, then the earlier. */
static int compare_precedence(const void *left, const void *right)
{
    const struct graph_node *a = *(const struct graph_node *const *)left;
    const struct graph_node *b = *(const struct graph_node *const *)right;
    if (a->weight != b->weight)
        return b->weight - a->weight;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    int order = strcmp(a->id, b->id);
    if (order == 0)
        order = strcmp(a->subject_name, b->subject_name);
    return order ? order : (a->index < b->index ? -1 : 1);
}

static void add_edge(struct graph *graph, struct graph_node *from, size_t to)
{
    if (from->explains_len == from->explains_cap) {
        size_t cap = from->explains_cap ? from->explains_cap * 2 : 4;
        size_t *grown = arena_alloc(graph->arena, cap * sizeof *grown);
        if (from->explains_len)
            memcpy(grown, from->explains, from->explains_len * sizeof *grown);
        from->explains = grown;
        from->explains_cap = cap;
    }
    from->explains[from->explains_len++] = to;
    graph->nodes[to].explained_by_len++;
}

static void link_node(struct graph *graph, struct graph_node *cause, size_t *depths)
{
    for (size_t i = 0; i < graph->len; i++) {
        struct graph_node *consequence = &graph->nodes[i];
        if (!can_explain(cause, consequence))
            continue;
        if (consequence->explains_len) {
            graph_reach(graph, i, depths);
            if (depths[cause->index])
                continue; /* the other way round is already said: no cycles */
        }
        add_edge(graph, cause, i);
    }
}

static void link_all(struct graph *graph)
{
    struct graph_node **order = arena_alloc(graph->arena, (graph->len + 1) * sizeof(void *));
    size_t *depths = arena_alloc(graph->arena, (graph->len + 1) * sizeof *depths);
    for (size_t i = 0; i < graph->len; i++)
        order[i] = &graph->nodes[i];
    qsort(order, graph->len, sizeof *order, compare_precedence);
    for (size_t i = 0; i < graph->len; i++)
        if (order[i]->declared[0])
            link_node(graph, order[i], depths);
}

void graph_init(struct graph *graph, const cJSON *findings, const struct registry *registry)
{
    graph->arena = arena_new();
    graph->len = (size_t)cJSON_GetArraySize(findings);
    graph->nodes = arena_alloc(graph->arena, (graph->len + 1) * sizeof *graph->nodes);
    size_t index = 0;
    cJSON *finding;
    cJSON_ArrayForEach (finding, findings) {
        read_node(graph->arena, &graph->nodes[index], finding, index, registry);
        index++;
    }
    for (size_t i = 0; i < index; i++)
        for (size_t j = 0; j < index; j++)
            graph->nodes[i].outdated |= graph->nodes[j].state == STATE_NOW &&
                                        graph->nodes[j].severity == DEBRIEF_ERROR &&
                                        is_long_before(&graph->nodes[i], &graph->nodes[j]);
    link_all(graph);
}

void graph_release(struct graph *graph)
{
    arena_free(graph->arena);
    memset(graph, 0, sizeof *graph);
}

size_t graph_reach(const struct graph *graph, size_t start, size_t *depths)
{
    size_t *queue = xmalloc((graph->len + 1) * sizeof *queue);
    size_t head = 0, tail = 0;
    memset(depths, 0, graph->len * sizeof *depths);
    queue[tail++] = start;
    while (head < tail) {
        const struct graph_node *node = &graph->nodes[queue[head]];
        size_t depth = depths[queue[head]] + 1;
        head++;
        for (size_t i = 0; i < node->explains_len; i++)
            if (!depths[node->explains[i]]) {
                depths[node->explains[i]] = depth;
                queue[tail++] = node->explains[i];
            }
    }
    free(queue);
    return tail - 1;
}
