/* Collect: where tools put what they save of a pod. Reads paths; writes which pod a file is of, and
 * whether a proxy wrote it. Deliberately goes by the whole layout, never by one folder's name: "pods"
 * alone says nothing. */
#include "collect/fleet_pods.h"

#include "base/alloc.h"
#include "base/str.h"

#include <ctype.h>
#include <string.h>

enum { PARTS_MAX = 64, ID_LEN = 64 };

struct part {
    const char *text;
    size_t len;
};

struct parts { /* the folders of a path and its file */
    const char *name;
    struct part items[PARTS_MAX];
    size_t len;
};

/* ---- words ---- */

static bool part_is(const struct part *part, const char *text)
{
    return strlen(text) == part->len && memcmp(part->text, text, part->len) == 0;
}

static bool part_ends(const struct part *part, const char *ending)
{
    size_t len = strlen(ending);
    return part->len > len && memcmp(part->text + part->len - len, ending, len) == 0;
}

bool fleet_proxy_container(const char *name, size_t len)
{
    static const char *const names[] = {
        "istio-proxy",   "consul-dataplane", "kuma-sidecar", "kuma-dp",          "kuma-gateway",
        "gateway-proxy", "kgateway-proxy",   "ambassador",   "emissary-ingress", "aes"};
    static const char *const others[] = {"envoy-gateway", "envoy-init", "envoy-ratelimit"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strlen(others[i]) == len && memcmp(others[i], name, len) == 0)
            return false;
    return memmem(name, len, "envoy", 5) != NULL;
}

static bool is_hex(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isxdigit((unsigned char)text[i]) && text[i] != '-')
            return false;
    return len > 0;
}

/* "istio-proxy.log", "istio-proxy-previous.log" */
static bool log_of_proxy(const struct part *file)
{
    struct part stem = *file;
    static const char *const endings[] = {".log", "-previous", ".previous", "_previous"};
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (part_ends(&stem, endings[i]))
            stem.len -= strlen(endings[i]);
    return fleet_proxy_container(stem.text, stem.len);
}

static void split(struct parts *parts, const char *name)
{
    *parts = (struct parts){.name = name};
    while (*name && parts->len < PARTS_MAX) {
        size_t len = strcspn(name, "/");
        parts->items[parts->len++] = (struct part){name, len};
        name += len + (name[len] == '/');
    }
}

/* ---- layouts ---- */

struct layout {
    const struct parts *parts;
    struct arena *arena;
    struct fleet_pod *out;
};

static bool found(struct layout *layout, const struct part *space, const struct part *pod,
                  const struct part *last, bool proxy)
{
    struct fleet_pod *out = layout->out;
    const char *name = layout->parts->name;
    if (!space->len || !pod->len)
        return false;
    out->pod = arena_printf(layout->arena, "%.*s/%.*s", (int)space->len, space->text, (int)pod->len,
                            pod->text);
    out->path = arena_strndup(layout->arena, name, (size_t)(last->text + last->len - name));
    out->proxy = proxy;
    return true;
}

/* var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log */
static bool kubelet_pods(struct layout *layout)
{
    const struct parts *parts = layout->parts;
    if (parts->len < 3)
        return false;
    const struct part *folder = &parts->items[parts->len - 3], *container = folder + 1;
    const char *end = folder->text + folder->len;
    const char *first = memchr(folder->text, '_', folder->len);
    const char *second = first ? memchr(first + 1, '_', (size_t)(end - first - 1)) : NULL;
    if (!second || end - second - 1 < 32 || !is_hex(second + 1, (size_t)(end - second - 1)))
        return false;
    return found(layout, &(struct part){folder->text, (size_t)(first - folder->text)},
                 &(struct part){first + 1, (size_t)(second - first - 1)}, folder,
                 fleet_proxy_container(container->text, container->len));
}

/* var/log/containers/POD_NAMESPACE_CONTAINER-ID.log */
static bool kubelet_containers(struct layout *layout)
{
    const struct part *file = &layout->parts->items[layout->parts->len - 1];
    if (!part_ends(file, ".log") || file->len < ID_LEN + 8)
        return false;
    const char *id = file->text + file->len - 4 - ID_LEN;
    const char *first = memchr(file->text, '_', file->len);
    const char *second = first && first < id ? memchr(first + 1, '_', (size_t)(id - first - 1))
                                             : NULL;
    if (!second || id[-1] != '-' || id - 1 <= second || !is_hex(id, ID_LEN))
        return false;
    return found(layout, &(struct part){first + 1, (size_t)(second - first - 1)},
                 &(struct part){file->text, (size_t)(first - file->text)}, file,
                 fleet_proxy_container(second + 1, (size_t)(id - 1 - second - 1)));
}

/* namespaces/NAMESPACE/pods/POD/CONTAINER/CONTAINER/logs/current.log */
static bool must_gather(struct layout *layout)
{
    const struct parts *parts = layout->parts;
    for (size_t i = 2; i + 2 < parts->len; i++) {
        const struct part *at = &parts->items[i];
        if (part_is(at, "pods") && part_is(at - 2, "namespaces")) {
            bool log = i + 5 < parts->len && part_is(at + 4, "logs");
            return found(layout, at - 1, at + 1, at + 1,
                         log && fleet_proxy_container(at[2].text, at[2].len));
        }
    }
    return false;
}

/* cluster-resources/pods/logs/NAMESPACE/POD/CONTAINER.log, pod-logs/NAMESPACE/POD/CONTAINER.log */
static bool troubleshoot(struct layout *layout)
{
    const struct parts *parts = layout->parts;
    if (parts->len < 4)
        return false;
    const struct part *file = &parts->items[parts->len - 1];
    bool logs = part_is(file - 3, "logs") && parts->len > 4 && part_is(file - 4, "pods");
    if (!part_ends(file, ".log") || !(logs || part_is(file - 3, "pod-logs")))
        return false;
    return found(layout, file - 2, file - 1, file - 1, log_of_proxy(file));
}

/* config-dumps/NAMESPACE/POD.json */
static bool egctl(struct layout *layout)
{
    const struct parts *parts = layout->parts;
    const struct part *file = &parts->items[parts->len - 1];
    if (parts->len < 3 || !part_is(file - 2, "config-dumps") || !part_ends(file, ".json"))
        return false;
    return found(layout, file - 1, &(struct part){file->text, file->len - strlen(".json")}, file,
                 true);
}

/* proxies/NAMESPACE/POD/istio-proxy.log */
static bool istioctl(struct layout *layout)
{
    const struct parts *parts = layout->parts;
    const struct part *file = &parts->items[parts->len - 1];
    if (parts->len < 4 || !part_is(file - 3, "proxies"))
        return false;
    return found(layout, file - 2, file - 1, file - 1, log_of_proxy(file));
}

/* NAMESPACE/POD/logs.txt */
static bool cluster_info(struct layout *layout)
{
    const struct parts *parts = layout->parts;
    const struct part *file = &parts->items[parts->len - 1];
    return parts->len >= 3 && part_is(file, "logs.txt") &&
           found(layout, file - 2, file - 1, file - 1, false);
}

bool fleet_pod_of(struct arena *arena, const char *name, struct fleet_pod *out)
{
    static bool (*const layouts[])(struct layout *) = {
        kubelet_pods, kubelet_containers, must_gather, troubleshoot, egctl, istioctl, cluster_info};
    struct parts parts;
    struct layout layout = {&parts, arena, out};
    split(&parts, name);
    *out = (struct fleet_pod){.log = true};
    if (!parts.len)
        return false;
    const struct part *file = &parts.items[parts.len - 1];
    out->log = part_ends(file, ".log") || part_is(file, "logs.txt");
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++)
        if (layouts[i](&layout))
            return true;
    return false;
}
