/* Collect: which pods stand behind a workload or a service. Asks kubectl for its selector and for the
 * pods that it selects. Deliberately does not choose among them. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/kube.h"
#include "collect/live.h"

#include <stdlib.h>
#include <string.h>

enum { PODS_MAX = 50, SELECTOR_MAX = 4096 };

static void next_term(struct buf *out)
{
    if (out->len)
        buf_addch(out, ',');
}

static void add_expression(struct buf *out, const cJSON *expression)
{
    const char *key = json_str(expression, "key"), *how = json_str(expression, "operator");
    const cJSON *value;
    if (!key || !how)
        return;
    bool in = strcmp(how, "In") == 0, not_in = strcmp(how, "NotIn") == 0;
    next_term(out);
    if (!in && !not_in) {
        buf_addf(out, "%s%s", strcmp(how, "Exists") == 0 ? "" : "!", key);
        return;
    }
    buf_addf(out, "%s %s (", key, in ? "in" : "notin");
    const char *comma = "";
    cJSON_ArrayForEach (value, json_at(expression, "values")) {
        if (cJSON_IsString(value))
            buf_addf(out, "%s%s", comma, value->valuestring);
        comma = ",";
    }
    buf_addch(out, ')');
}

/* A workload's selector has parts, a service's is the labels themselves. */
static void add_selector(struct buf *out, const cJSON *selector)
{
    const cJSON *labels = json_at(selector, "matchLabels"), *item;
    const cJSON *expressions = json_at(selector, "matchExpressions");
    if (!labels && !expressions)
        labels = selector;
    cJSON_ArrayForEach (item, labels) {
        if (!cJSON_IsString(item))
            continue;
        next_term(out);
        buf_addf(out, "%s=%s", item->string, item->valuestring);
    }
    cJSON_ArrayForEach (item, expressions)
        add_expression(out, item);
}

static cJSON *get(const struct kube_name *name, const char *kind, const char *option,
                  const char *what, struct follow_said *why)
{
    const char *argv[10] = {"kubectl", "get", kind};
    size_t len = 3;
    if (option)
        argv[len++] = option;
    argv[len++] = what;
    if (name->namespace) {
        argv[len++] = "-n";
        argv[len++] = name->namespace;
    }
    argv[len++] = "-o";
    argv[len] = "json";
    return live_ask(argv, why);
}

static void add_pods(const cJSON *list, struct follow_words *pods)
{
    const cJSON *pod;
    cJSON_ArrayForEach (pod, json_at(list, "items")) {
        const char *namespace = json_str(pod, "metadata.namespace");
        const char *name = json_str(pod, "metadata.name");
        if (namespace && name && pods->len == PODS_MAX)
            pods->left_out++;
        else if (namespace && name)
            follow_words_add(pods, xasprintf("%s/%s", namespace, name));
    }
}

void kube_pods(const char *text, struct follow_words *pods, struct follow_said *why)
{
    struct kube_name name;
    struct buf selector;
    if (!kube_name_parse(&name, text, NULL))
        return;
    buf_init(&selector, SELECTOR_MAX);
    if (strcmp(name.kind, "pod") != 0) {
        cJSON *workload = get(&name, name.kind, NULL, name.name, why);
        add_selector(&selector, json_at(workload, "spec.selector"));
        cJSON *list = selector.len && !selector.overflow
                          ? get(&name, "pods", "-l", buf_str(&selector), why)
                          : NULL;
        add_pods(list, pods);
        cJSON_Delete(list);
        cJSON_Delete(workload);
    }
    buf_release(&selector);
    kube_name_release(&name);
}
