/* Collect: where the admin page of a pod's proxy listens. Reads the pod: what a container's
 * variables and arguments say, else what the mesh is known for. Deliberately guesses last: the usual
 * ports, one after the other. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/kube.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct usual {
    const char *member, *glob;
    int port;
} usual[] = {
    {"name", "istio-proxy", 15000},         {"name", "consul-dataplane*", 19000},
    {"image", "*consul-dataplane*", 19000}, {"image", "*aws-appmesh-envoy*", 9901},
    {"image", "*istio/proxyv2*", 15000},
};

static void add(int ports[KUBE_PORTS_MAX], size_t *len, long port)
{
    for (size_t i = 0; i < *len; i++)
        if (ports[i] == port)
            return;
    if (*len < KUBE_PORTS_MAX && port > 0 && port < 65536)
        ports[(*len)++] = (int)port;
}

static long number_behind(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    if (!at)
        return 0;
    at += strlen(mark);
    at += strspn(at, "=: \"'\t\n");
    return isdigit((unsigned char)*at) ? strtol(at, NULL, 10) : 0;
}

/* An argument may be a whole bootstrap, in YAML or JSON. */
static long port_in_argument(const char *argument)
{
    const char *admin = strstr(argument, "admin:");
    admin = admin ? admin : strstr(argument, "\"admin\"");
    long port = admin ? number_behind(admin, "port_value") : 0;
    return port ? port : number_behind(argument, "admin-bind-port");
}

static void add_named(const cJSON *container, int ports[KUBE_PORTS_MAX], size_t *len)
{
    static const char *const lists[] = {"args", "command"};
    const cJSON *item;
    cJSON_ArrayForEach (item, json_at(container, "env")) {
        const char *value = json_str(item, "value");
        if (value && str_equal(json_str(item, "name"), "ENVOY_ADMIN_ACCESS_PORT"))
            add(ports, len, strtol(value, NULL, 10));
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        cJSON_ArrayForEach (item, json_at(container, lists[i]))
            if (cJSON_IsString(item))
                add(ports, len, port_in_argument(item->valuestring));
}

static void add_usual(const cJSON *container, int ports[KUBE_PORTS_MAX], size_t *len)
{
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        const char *value = json_str(container, usual[i].member);
        if (value && str_glob(usual[i].glob, value))
            add(ports, len, usual[i].port);
    }
}

typedef void add_fn(const cJSON *container, int ports[KUBE_PORTS_MAX], size_t *len);

static void add_all(const cJSON *pod, add_fn *add_one, int ports[KUBE_PORTS_MAX], size_t *len)
{
    const cJSON *container;
    cJSON_ArrayForEach (container, json_at(pod, "spec.containers"))
        add_one(container, ports, len);
    cJSON_ArrayForEach (container, json_at(pod, "spec.initContainers"))
        if (json_str(container, "restartPolicy")) /* a sidecar, whatever it is called */
            add_one(container, ports, len);
}

size_t kube_admin_ports(const cJSON *pod, int ports[KUBE_PORTS_MAX])
{
    size_t len = 0;
    add_all(pod, add_named, ports, &len);
    add_all(pod, add_usual, ports, &len);
    if (len == 0) {
        add(ports, &len, 9901);
        add(ports, &len, 15000);
        add(ports, &len, 19000);
    }
    return len;
}
