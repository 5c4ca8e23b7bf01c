/* Stage: report. Works out what the findings of a target are to each other, by numbers of their ids instead
 * of a search for each pair. Reads the document only. Deliberately believes an explanation only when both
 * sides tell it: a report may have been edited. */
#include "report/relations.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include <stdlib.h>
#include <string.h>

#define KEY_MAX (16u << 20)

struct claims { /* "finding 7 names id 3", on one of the two sides */
    struct intern pairs;
    struct buf key;
};

/* ---- ids ---- */

static uint32_t number_of(struct relations *relations, const char *id, const char *subject,
                          struct buf *key, bool *added)
{
    uint32_t number = intern_add(&relations->ids, id, NULL);
    buf_clear(key);
    buf_addf(key, "%u %s", number, subject);
    intern_add(&relations->places, buf_str(key), added);
    return number;
}

static void add_item(struct relations *relations, const cJSON *finding, struct buf *key)
{
    bool added = false;
    size_t at = relations->len++;
    struct relations_item *item = &relations->items[at];
    const char *id = json_str(finding, "id");
    *item = (struct relations_item){finding, INTERN_NONE, INTERN_NONE, false, false};
    if (!id)
        return;
    item->id = number_of(relations, id, document_str(finding, "subject.name", ""), key, &added);
    item->place = intern_find(&relations->places, buf_str(key));
    if (!relations->count[item->id]++)
        relations->first[item->id] = at;
    if (added)
        relations->first_of_place[item->place] = at;
}

static void add_items(struct relations *relations, const cJSON *target)
{
    const cJSON *findings = json_at(target, "findings"), *finding;
    size_t max = (size_t)cJSON_GetArraySize(findings) + 1;
    struct buf key;
    buf_init(&key, KEY_MAX);
    relations->items = xcalloc(max, sizeof *relations->items);
    relations->first = xcalloc(max, sizeof *relations->first);
    relations->count = xcalloc(max, sizeof *relations->count);
    relations->first_of_place = xcalloc(max, sizeof *relations->first_of_place);
    cJSON_ArrayForEach (finding, findings) {
        add_item(relations, finding, &key);
    }
    buf_release(&key);
}

size_t relations_find(const struct relations *relations, const char *id)
{
    uint32_t number = id ? intern_find(&relations->ids, id) : INTERN_NONE;
    return number == INTERN_NONE ? RELATIONS_NONE : relations->first[number];
}

const cJSON *relations_finding(const struct relations *relations, const char *id)
{
    size_t at = relations_find(relations, id);
    return at == RELATIONS_NONE ? NULL : relations->items[at].finding;
}

static const cJSON *find(const void *relations, const char *id)
{
    return relations_finding(relations, id);
}

/* ---- who explains whom ---- */

/* Notes the claim; true when it is new. */
static bool claim(struct claims *claims, size_t item, uint32_t id)
{
    bool added = false;
    buf_clear(&claims->key);
    buf_addf(&claims->key, "%zu %u", item, id);
    intern_add(&claims->pairs, buf_str(&claims->key), &added);
    return added;
}

static bool is_claimed(struct claims *claims, size_t item, uint32_t id)
{
    buf_clear(&claims->key);
    buf_addf(&claims->key, "%zu %u", item, id);
    return intern_find(&claims->pairs, buf_str(&claims->key)) != INTERN_NONE;
}

static void claims_release(struct claims *claims)
{
    intern_release(&claims->pairs);
    buf_release(&claims->key);
}

struct linking {
    struct relations *relations;
    struct claims explains, explained;
    size_t cap;
};

static uint32_t known_id(const struct relations *relations, const cJSON *name)
{
    return cJSON_IsString(name) ? intern_find(&relations->ids, name->valuestring) : INTERN_NONE;
}

static void add_edge(struct linking *linking, size_t from, size_t to)
{
    struct relations *relations = linking->relations;
    if (from == to)
        return;
    if (relations->edges_len == linking->cap) {
        linking->cap = linking->cap ? linking->cap * 2 : 64;
        relations->edges = xrealloc(relations->edges, linking->cap * sizeof *relations->edges);
    }
    relations->edges[relations->edges_len++] = (struct relations_edge){from, to};
    relations->items[to].explained = true;
}

static void claim_explained(struct linking *linking, size_t from)
{
    struct relations *relations = linking->relations;
    const cJSON *name;
    cJSON_ArrayForEach (name, json_at(relations->items[from].finding, "explains")) {
        uint32_t id = known_id(relations, name);
        if (id != INTERN_NONE)
            claim(&linking->explains, from, id);
    }
}

/* The cause of TO with this id: the only one, or the one with its subject; RELATIONS_NONE: there is none, or
 * several have TO, which has no twin, in common. */
static size_t cause_of(struct linking *linking, size_t to, uint32_t id)
{
    struct relations *relations = linking->relations;
    const struct relations_item *item = &relations->items[to];
    if (relations->count[id] == 1)
        return relations->first[id];
    if (relations->count[item->id] == 1)
        return RELATIONS_NONE;
    buf_clear(&linking->explained.key);
    buf_addf(&linking->explained.key, "%u %s", id, document_str(item->finding, "subject.name", ""));
    uint32_t place = intern_find(&relations->places, buf_str(&linking->explained.key));
    return place == INTERN_NONE ? RELATIONS_NONE : relations->first_of_place[place];
}

static void link_causes(struct linking *linking, size_t to)
{
    struct relations *relations = linking->relations;
    const struct relations_item *item = &relations->items[to];
    const cJSON *name;
    cJSON_ArrayForEach (name, json_at(item->finding, "explained_by")) {
        uint32_t id = known_id(relations, name);
        if (id == INTERN_NONE || item->id == INTERN_NONE || !claim(&linking->explained, to, id))
            continue;
        size_t from = cause_of(linking, to, id);
        if (from != RELATIONS_NONE && is_claimed(&linking->explains, from, item->id))
            add_edge(linking, from, to);
    }
}

/* Of several causes with one id, those that have a finding without a twin in common. */
static void link_common(struct linking *linking, size_t from)
{
    struct relations *relations = linking->relations;
    const struct relations_item *item = &relations->items[from];
    const cJSON *name;
    if (item->id == INTERN_NONE || relations->count[item->id] == 1)
        return;
    cJSON_ArrayForEach (name, json_at(item->finding, "explains")) {
        uint32_t id = known_id(relations, name);
        if (id != INTERN_NONE && relations->count[id] == 1 &&
            is_claimed(&linking->explained, relations->first[id], item->id))
            add_edge(linking, from, relations->first[id]);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct relations_edge *left = a, *right = b;
    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    return left->to < right->to ? -1 : left->to > right->to;
}

/* In order, each once: a list in an edited report may name an id twice. */
static void arrange(struct relations *relations)
{
    size_t len = 0;
    if (relations->edges_len)
        qsort(relations->edges, relations->edges_len, sizeof *relations->edges, by_place);
    for (size_t i = 0; i < relations->edges_len; i++)
        if (!len || by_place(&relations->edges[len - 1], &relations->edges[i]) != 0)
            relations->edges[len++] = relations->edges[i];
    relations->edges_len = len;
    relations->starts = xcalloc(relations->len + 1, sizeof *relations->starts);
    for (size_t i = 0, edge = 0; i <= relations->len; i++) {
        while (edge < len && relations->edges[edge].from < i)
            edge++;
        relations->starts[i] = edge;
    }
}

size_t relations_standing(const struct relations *relations)
{
    size_t count = 0;
    for (size_t i = 0; i < relations->len; i++)
        count += relations->items[i].stands;
    return count;
}

void relations_init(struct relations *relations, const cJSON *target)
{
    struct linking linking = {.relations = relations};
    *relations = (struct relations){0};
    buf_init(&linking.explains.key, KEY_MAX);
    buf_init(&linking.explained.key, KEY_MAX);
    add_items(relations, target);
    for (size_t i = 0; i < relations->len; i++)
        relations->items[i].stands = document_stands_among(relations->items[i].finding, find,
                                                           relations);
    for (size_t i = 0; i < relations->len; i++)
        claim_explained(&linking, i);
    for (size_t i = 0; i < relations->len; i++)
        link_causes(&linking, i);
    for (size_t i = 0; i < relations->len; i++)
        link_common(&linking, i);
    arrange(relations);
    claims_release(&linking.explains);
    claims_release(&linking.explained);
}

void relations_release(struct relations *relations)
{
    intern_release(&relations->ids);
    intern_release(&relations->places);
    free(relations->items);
    free(relations->edges);
    free(relations->starts);
    free(relations->first);
    free(relations->count);
    free(relations->first_of_place);
    *relations = (struct relations){0};
}
