/* Stage: compare. Which findings a difference may explain, by a table of what concerns what, and hence
 * which difference comes first. Only findings that one side has alone are looked at: what both have, no
 * difference explains. Reads both rows of the report, writes ranks. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "compare/compare.h"
#include "report/document.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { EXPLAINS_MAX = 8, SERVERS_MAX = 8, FINDINGS_MAX = 500 };

enum match {
    MATCH_ANY,
    MATCH_SAME,   /* the difference names the finding's subject */
    MATCH_SERVER, /* it names a cluster that leads to the management server */
};

struct relation {
    const char *subject; /* kind of the finding's subject */
    const char *kind;    /* of the difference */
    enum match match;
    const char *glob; /* on what it is called and its name, joined by a blank; NULL: any */
    int strength;     /* percent of what the finding weighs */
};

static const struct relation relations[] = {
    {"xds-server", "bootstrap", MATCH_ANY, "management server of *", 140},
    {"xds-server", "bootstrap", MATCH_ANY, NULL, 60},
    {"xds-server", "cluster", MATCH_SERVER, NULL, 128},
    {"xds-server", "endpoint", MATCH_SERVER, NULL, 125},
    {"xds-server", "stat", MATCH_ANY, "stat control_plane.*", 110},
    {"xds-server", "stat", MATCH_ANY, "stat grpc.*", 100},
    {"xds-server", "stat", MATCH_ANY, "stat dns.*", 100},
    {"xds-server", "stat", MATCH_SERVER, NULL, 120},
    {"xds-server", "xds", MATCH_ANY, NULL, 100},
    {"xds-server", "env", MATCH_ANY, NULL, 80},
    {"xds-server", "certificate", MATCH_ANY, NULL, 60},
    {"xds-server", "host", MATCH_ANY, NULL, 70},
    {"xds-server", "container", MATCH_ANY, NULL, 50},
    {"xds-server", "version", MATCH_ANY, NULL, 50},
    {"listener", "listener", MATCH_SAME, NULL, 120},
    {"listener", "xds", MATCH_SAME, NULL, 125},
    {"listener", "stat", MATCH_ANY, "stat listener_manager.*", 100},
    {"listener", "stat", MATCH_SAME, NULL, 90},
    {"listener", "certificate", MATCH_ANY, NULL, 60},
    {"listener", "version", MATCH_ANY, NULL, 60},
    {"address", "listener", MATCH_ANY, NULL, 115},
    {"address", "xds", MATCH_ANY, "resource listener *", 120},
    {"address", "stat", MATCH_ANY, "stat listener_manager.*", 100},
    {"address", "container", MATCH_ANY, NULL, 100},
    {"address", "host", MATCH_ANY, NULL, 100},
    {"address", "bootstrap", MATCH_ANY, NULL, 60},
    {"cluster", "cluster", MATCH_SAME, NULL, 120},
    {"cluster", "endpoint", MATCH_SAME, NULL, 118},
    {"cluster", "xds", MATCH_SAME, NULL, 116},
    {"cluster", "stat", MATCH_SAME, NULL, 105},
    {"cluster", "certificate", MATCH_ANY, NULL, 70},
    {"cluster", "route", MATCH_SAME, NULL, 60},
    {"route-config", "xds", MATCH_SAME, NULL, 125},
    {"route-config", "route", MATCH_SAME, NULL, 115},
    {"route-config", "stat", MATCH_SAME, NULL, 100},
    {"secret", "xds", MATCH_SAME, NULL, 125},
    {"secret", "certificate", MATCH_SAME, NULL, 110},
    {"secret", "stat", MATCH_SAME, NULL, 100},
    {"certificate", "certificate", MATCH_ANY, NULL, 110},
    {"certificate", "listener", MATCH_ANY, NULL, 50},
    {"certificate", "stat", MATCH_ANY, "*ssl*", 80},
    {"config", "stat", MATCH_ANY, "*.update_rejected", 110},
    {"config", "stat", MATCH_ANY, "*.init_fetch_timeout", 110},
    {"config", "xds", MATCH_ANY, NULL, 112},
    {"image", "image", MATCH_ANY, NULL, 120},
    {"image", "version", MATCH_ANY, NULL, 100},
    {"image", "container", MATCH_ANY, NULL, 60},
    {"container", "image", MATCH_SAME, NULL, 115},
    {"container", "container", MATCH_SAME, NULL, 110},
    {"container", "env", MATCH_SAME, NULL, 100},
    {"pod", "container", MATCH_ANY, NULL, 60},
    {"pod", "image", MATCH_ANY, NULL, 60},
    {"pod", "env", MATCH_ANY, NULL, 50},
    {"task", "container", MATCH_ANY, NULL, 60},
    {"task", "image", MATCH_ANY, NULL, 60},
    {"task", "env", MATCH_ANY, NULL, 50},
    {"workload", "container", MATCH_ANY, NULL, 60},
    {"env", "env", MATCH_SAME, NULL, 130},
    {"role", "container", MATCH_ANY, NULL, 80},
    {"role", "env", MATCH_ANY, NULL, 60},
    {"service-account", "container", MATCH_ANY, NULL, 80},
    {"target-group", "listener", MATCH_ANY, NULL, 60},
    {"target-group", "container", MATCH_ANY, NULL, 60},
    {"proxy", "listener", MATCH_ANY, NULL, 120},
    {"proxy", "xds", MATCH_ANY, NULL, 121},
    {"proxy", "route", MATCH_ANY, NULL, 110},
    {"proxy", "state", MATCH_ANY, NULL, 110},
    {"proxy", "stat", MATCH_ANY, NULL, 95},
    {"proxy", "bootstrap", MATCH_ANY, NULL, 60},
    {"proxy", "option", MATCH_ANY, NULL, 60},
    {"proxy", "version", MATCH_ANY, NULL, 60},
    {"proxy", "container", MATCH_ANY, NULL, 60},
    {"proxy", "env", MATCH_ANY, NULL, 60},
    {"proxy", "host", MATCH_ANY, NULL, 50},
};

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

static bool fits(const char *glob, const cJSON *row)
{
    char *text = xasprintf("%s %s", document_str(row, "what", ""), document_str(row, "name", ""));
    bool fit = !glob || str_glob(glob, text);
    free(text);
    return fit;
}

/* ---- one difference, one finding ---- */

static int strength(const struct relating *relating, const cJSON *row, const cJSON *finding)
{
    const char *subject = document_str(finding, "subject.kind", "");
    const char *kind = document_str(row, "kind", "");
    for (size_t i = 0; i < ARRAY_LEN(relations); i++) {
        const struct relation *relation = &relations[i];
        if (strcmp(relation->subject, subject) != 0 || strcmp(relation->kind, kind) != 0)
            continue;
        bool match = relation->match == MATCH_ANY ||
                     (relation->match == MATCH_SERVER && names_server(relating, row)) ||
                     (relation->match == MATCH_SAME &&
                      names(row, json_str(finding, "subject.name")));
        if (match && fits(relation->glob, row))
            return relation->strength;
    }
    return 0;
}

static void add_explained(cJSON *row, const struct explained *explained)
{
    const char *id = json_str(explained->finding, "id");
    const cJSON *each;
    cJSON *list = cJSON_GetObjectItemCaseSensitive(row, "may_explain");
    if (!list)
        list = json_put_array(row, "may_explain");
    cJSON_ArrayForEach (each, list) {
        if (str_equal(json_str(each, "finding"), id))
            return;
    }
    if (!id || cJSON_GetArraySize(list) >= EXPLAINS_MAX)
        return;
    cJSON *item = cJSON_CreateObject();
    json_put_str(item, "finding", id);
    json_put_str(item, "in", explained->side ? "b" : "a");
    cJSON_AddItemToArray(list, item);
}

static int score(const struct relating *relating, cJSON *row)
{
    double weight = 0;
    int most = 0;
    json_num(row, "weight", &weight);
    for (size_t i = 0; i < relating->len; i++) {
        const struct explained *explained = &relating->findings[i];
        int percent = strength(relating, row, explained->finding);
        if (!percent)
            continue;
        add_explained(row, explained);
        if (explained->weight * percent / 100 > most)
            most = explained->weight * percent / 100;
    }
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

void compare_rank(struct comparison *all)
{
    size_t len = (size_t)cJSON_GetArraySize(all->differences);
    struct ranked *ranked = xcalloc(len + 1, sizeof *ranked);
    struct relating *relating = xcalloc(1, sizeof *relating);
    take_findings(relating, all, 1);
    take_findings(relating, all, 0);
    take_servers(relating, &all->sides[0]);
    take_servers(relating, &all->sides[1]);
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
