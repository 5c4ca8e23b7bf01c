/* Stage: report. The rules of a SARIF log: one for each finding id of the document, with what the first
 * finding of that id tells of repair. Reads the document only: a saved report knows no catalogue. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/markdown_text.h"
#include "report/sarif.h"
#include <stdlib.h>
#include <string.h>

#define HELP_MAX (64u << 10)

static const char *id_of(const cJSON *finding)
{
    return document_str(finding, "id", "unknown");
}

static int compare(const void *a, const void *b)
{
    return strcmp(id_of(*(const cJSON *const *)a), id_of(*(const cJSON *const *)b));
}

static size_t count(const cJSON *targets)
{
    const cJSON *target;
    size_t len = 0;
    cJSON_ArrayForEach (target, targets) {
        len += (size_t)cJSON_GetArraySize(json_at(target, "findings"));
    }
    return len;
}

/* qsort may turn equals around: which of them speaks for the id must not depend on that. */
static void keep_first(struct sarif_rules *rules, const cJSON *targets)
{
    size_t len = 0;
    for (size_t i = 0; i < rules->len; i++)
        if (!len || compare(&rules->findings[len - 1], &rules->findings[i]) != 0)
            rules->findings[len++] = rules->findings[i];
    rules->len = len;
    bool *settled = xcalloc(len + 1, sizeof *settled);
    const cJSON *target, *finding;
    cJSON_ArrayForEach (target, targets) {
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            int index = sarif_rules_index(rules, id_of(finding));
            if (!settled[index])
                rules->findings[index] = finding;
            settled[index] = true;
        }
    }
    free(settled);
}

void sarif_rules_init(struct sarif_rules *rules, const cJSON *targets)
{
    const cJSON *target, *finding;
    *rules = (struct sarif_rules){0};
    rules->findings = xcalloc(count(targets) + 1, sizeof *rules->findings);
    cJSON_ArrayForEach (target, targets) {
        cJSON_ArrayForEach (finding, json_at(target, "findings")) {
            rules->findings[rules->len++] = finding;
        }
    }
    qsort(rules->findings, rules->len, sizeof *rules->findings, compare);
    keep_first(rules, targets);
}

void sarif_rules_release(struct sarif_rules *rules)
{
    free(rules->findings);
    *rules = (struct sarif_rules){0};
}

int sarif_rules_index(const struct sarif_rules *rules, const char *id)
{
    size_t low = 0, high = rules->len;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(id_of(rules->findings[middle]), id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (int)low;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "low-ports.file-capability" as "LowPortsFileCapability". */
static void put_name(cJSON *rule, const char *id)
{
    struct buf name;
    bool begins = true;
    buf_init(&name, 256);
    for (; *id; id++) {
        bool digit = *id >= '0' && *id <= '9';
        if (is_letter(*id) || (digit && name.len))
            buf_addch(&name, begins && *id >= 'a' && *id <= 'z' ? (char)(*id - 'a' + 'A') : *id);
        begins = !is_letter(*id);
    }
    if (name.len)
        sarif_put(rule, "name", buf_str(&name));
    buf_release(&name);
}

static void write_help(struct buf *text, struct buf *markdown, const cJSON *finding)
{
    const cJSON *each;
    int number = 0;
    cJSON_ArrayForEach (each, json_at(finding, "fix")) {
        const char *step = document_str(each, "text", ""), *command = json_str(each, "command");
        buf_addf(text, "%d. %s\n", ++number, step);
        buf_addf(markdown, "%d. ", number);
        markdown_add(markdown, MARKDOWN_LINE, step, 0);
        buf_adds(markdown, "\n");
        if (command) {
            buf_addf(text, "   %s\n", command);
            buf_adds(markdown, "\n");
            markdown_fence(markdown, 4, "sh", command, 0);
        }
    }
    cJSON_ArrayForEach (each, json_at(finding, "references")) {
        if (!cJSON_IsString(each))
            continue;
        buf_addf(text, "%s\n", each->valuestring);
        buf_adds(markdown, "\n");
        markdown_link(markdown, each->valuestring, 0);
        buf_adds(markdown, "\n");
    }
    buf_addf(text, "debrief explain %s\n", id_of(finding));
    buf_adds(markdown, "\n");
    struct buf command;
    buf_init(&command, HELP_MAX);
    buf_addf(&command, "debrief explain %s", id_of(finding));
    markdown_code(markdown, MARKDOWN_LINE, buf_str(&command), 0);
    buf_adds(markdown, "\n");
    buf_release(&command);
}

static void put_help(cJSON *rule, const cJSON *finding)
{
    struct buf text, markdown;
    buf_init(&text, HELP_MAX);
    buf_init(&markdown, HELP_MAX);
    write_help(&text, &markdown, finding);
    cJSON *help = json_put_object(rule, "help");
    sarif_put(help, "text", buf_str(&text));
    sarif_put(help, "markdown", buf_str(&markdown));
    buf_release(&text);
    buf_release(&markdown);
}

/* The first reference that is a web address without anything that an address cannot hold. */
static void put_help_uri(cJSON *rule, const cJSON *finding)
{
    static const char marks[] = "-._~:/?#@!$&'()*+,;=%";
    const cJSON *each;
    cJSON_ArrayForEach (each, json_at(finding, "references")) {
        const char *at = cJSON_IsString(each) ? each->valuestring : "";
        bool web = str_starts(at, "https://");
        for (at += web ? strlen("https://") : 0; web && *at; at++)
            web = is_letter(*at) || (*at >= '0' && *at <= '9') || strchr(marks, *at);
        if (web) {
            sarif_put(rule, "helpUri", each->valuestring);
            return;
        }
    }
}

static void put_properties(cJSON *rule, const cJSON *finding)
{
    static const char *const levels[] = {"recommendation", "warning", "error"};
    const char *id = id_of(finding);
    char *section = xstrndup(id, strcspn(id, "."));
    cJSON *properties = json_put_object(rule, "properties");
    cJSON *tags = json_put_array(properties, "tags");
    sarif_put(tags, "", section);
    json_put_str(properties, "problem.severity", levels[document_severity(finding)]);
    free(section);
}

cJSON *sarif_rules_list(const struct sarif_rules *rules)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < rules->len; i++) {
        const cJSON *finding = rules->findings[i];
        const char *was = json_str(finding, "severity_was");
        cJSON *rule = cJSON_CreateObject();
        cJSON_AddItemToArray(list, rule);
        sarif_put(rule, "id", id_of(finding));
        put_name(rule, id_of(finding));
        sarif_put_message(rule, "shortDescription", document_str(finding, "title", id_of(finding)));
        put_help(rule, finding);
        put_help_uri(rule, finding);
        json_put_str(json_put_object(rule, "defaultConfiguration"), "level",
                     sarif_level(was ? was : document_str(finding, "severity", "")));
        put_properties(rule, finding);
    }
    return list;
}
