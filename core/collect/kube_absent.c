/* Collect: what to say when the pod or workload that was named is not there. Asks kubectl for what is
 * there instead, writes one sentence. Deliberately guesses nothing: it lists, the user chooses. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/kube.h"
#include "collect/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 6, TEXT_MAX = 1000 };

static const char listed_kinds[] = "pods,deployments,daemonsets,statefulsets";

struct look { /* the three questions, and how they are asked */
    const char *argv[12];
};

static struct look look_around(const struct kube_name *name)
{
    return (struct look){{"kubectl", "get", listed_kinds, "-o", "json",
                          name->namespace ? "-n" : NULL, name->namespace, NULL}};
}

static struct look look_elsewhere(const char *field)
{
    return (struct look){
        {"kubectl", "get", "pods", "-A", "--field-selector", field, "-o", "json", NULL}};
}

static struct look look_for_namespaces(void)
{
    return (struct look){{"kubectl", "get", "namespaces", "-o", "json", NULL}};
}

/* ---- names that are there ---- */

static const char *short_kind(const cJSON *item)
{
    static const char *const kinds[][2] = {
        {"Deployment", "deploy/"}, {"DaemonSet", "ds/"}, {"StatefulSet", "sts/"}};
    const char *kind = json_str(item, "kind");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_equal(kind, kinds[i][0]))
            return kinds[i][1];
    return "";
}

/* How many characters of the beginning two names share. */
static size_t likeness(const char *a, const char *b)
{
    size_t same = 0;
    while (a[same] && a[same] == b[same])
        same++;
    return same;
}

/* The LIST's names, those first that begin like NAME; as targets. Returns how many there are. */
static size_t add_targets(struct buf *out, const cJSON *list, const char *name)
{
    const cJSON *item;
    size_t shown = 0, all = 0;
    cJSON_ArrayForEach (item, json_at(list, "items"))
        all++;
    for (size_t least = strlen(name) + 1; shown < NAMES_MAX && least-- > 0;)
        cJSON_ArrayForEach (item, json_at(list, "items")) {
            const char *found = json_str(item, "metadata.name");
            const char *namespace = json_str(item, "metadata.namespace");
            if (!found || shown == NAMES_MAX || likeness(found, name) != least)
                continue;
            buf_addf(out, "%sk8s:%s%s%s%s", shown++ ? ", " : "", namespace ? namespace : "",
                     namespace ? "/" : "", short_kind(item), found);
        }
    if (all > shown)
        buf_addf(out, " and %zu more", all - shown);
    return all;
}

static size_t add_namespaces(struct buf *out, const cJSON *list)
{
    const cJSON *item;
    size_t all = 0;
    cJSON_ArrayForEach (item, json_at(list, "items")) {
        const char *found = json_str(item, "metadata.name");
        if (found && ++all <= NAMES_MAX * 2)
            buf_addf(out, "%s%s", all > 1 ? ", " : "", found);
    }
    return all;
}

/* ---- the sentence ---- */

/* Pods are asked for by their name alone: the list of a whole cluster can be long. */
static bool add_elsewhere(struct buf *out, const struct kube_name *name)
{
    char *field = xasprintf("metadata.name=%s", name->name);
    cJSON *list = strcmp(name->kind, "pod") == 0 ? live_ask(look_elsewhere(field).argv, NULL)
                                                 : NULL;
    bool found = json_at(list, "items[0]") != NULL;
    if (found) {
        buf_adds(out, "; in another namespace there is ");
        add_targets(out, list, name->name);
    }
    cJSON_Delete(list);
    free(field);
    return found;
}

static void add_around(struct buf *out, const struct kube_name *name)
{
    cJSON *list = live_ask(look_around(name).argv, NULL);
    size_t before = out->len;
    buf_adds(out, "; there are: ");
    if (add_targets(out, list, name->name) == 0) {
        cJSON *namespaces = live_ask(look_for_namespaces().argv, NULL);
        buf_cut(out, before);
        buf_adds(out, list ? "; nothing is there; namespaces: " : "; namespaces: ");
        if (add_namespaces(out, namespaces) == 0)
            buf_cut(out, before);
        cJSON_Delete(namespaces);
    }
    cJSON_Delete(list);
}

char *kube_absent(const void *about)
{
    const struct kube_name *name = about;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_addf(&text, "no %s '%s' ", name->kind, name->name);
    if (name->namespace)
        buf_addf(&text, "in namespace '%s'", name->namespace);
    else
        buf_adds(&text, "in the namespace of kubectl's context");
    if (!add_elsewhere(&text, name))
        add_around(&text, name);
    return buf_take(&text);
}

static void print_look(const struct look *look)
{
    fputs("when it is not there:", stdout);
    for (size_t i = 0; look->argv[i]; i++)
        printf(" %s", look->argv[i]);
    putchar('\n');
}

void kube_absent_dry_run(const struct kube_name *name)
{
    char *field = xasprintf("metadata.name=%s", name->name);
    struct look looks[] = {look_elsewhere(field), look_around(name), look_for_namespaces()};
    for (size_t i = strcmp(name->kind, "pod") == 0 ? 0 : 1; i < ARRAY_LEN(looks); i++)
        print_look(&looks[i]);
    free(field);
}
