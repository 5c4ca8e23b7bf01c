/* Stage: read. Looking into Envoy's messages, whichever spelling of field names the printer chose.
 * Reads trees only. */
#include "read/proto.h"
#include "base/json.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* "port_value" equals "port_value" and "portValue". */
static bool same_name(const char *name, const char *wanted, size_t len)
{
    const char *end = wanted + len;
    for (;; name++, wanted++) {
        while (*name == '_')
            name++;
        while (wanted < end && *wanted == '_')
            wanted++;
        if (wanted == end || !*name)
            return wanted == end && !*name;
        if (lower(*name) != lower(*wanted))
            return false;
    }
}

static const cJSON *member(const cJSON *node, const char *name, size_t len)
{
    const cJSON *child;
    if (!cJSON_IsObject(node))
        return NULL;
    cJSON_ArrayForEach (child, node) {
        if (same_name(child->string, name, len))
            return child;
    }
    return NULL;
}

const cJSON *proto_at(const cJSON *node, const char *path)
{
    while (node && *path) {
        size_t len = strcspn(path, ".[");
        if (len)
            node = member(node, path, len);
        path += len;
        if (*path == '[') {
            node = cJSON_IsArray(node) ? cJSON_GetArrayItem(node, atoi(path + 1)) : NULL;
            path += strcspn(path, "]") + 1;
        }
        path += *path == '.';
    }
    return node;
}

const char *proto_str(const cJSON *node, const char *path)
{
    return json_str(proto_at(node, path), "");
}

const char *proto_scalar(const cJSON *node, const char *path, char out[32])
{
    return json_scalar(proto_at(node, path), "", out);
}

bool proto_bool(const cJSON *node, const char *path, bool absent)
{
    const cJSON *at = proto_at(node, path);
    if (cJSON_IsObject(at))
        at = member(at, "value", 5);
    return at ? json_bool(at, "") : absent;
}

int proto_len(const cJSON *node, const char *path)
{
    const cJSON *at = proto_at(node, path);
    return cJSON_IsArray(at) ? cJSON_GetArraySize(at) : 0;
}

bool proto_seconds(const cJSON *node, const char *path, double *out)
{
    const cJSON *at = proto_at(node, path);
    if (cJSON_IsObject(at))
        at = member(at, "seconds", 7);
    if (!cJSON_IsString(at))
        return json_num(at, "", out);
    char text[32];
    size_t len = strlen(at->valuestring);
    if (len && at->valuestring[len - 1] == 's')
        len--;
    if (len >= sizeof text)
        return false;
    memcpy(text, at->valuestring, len);
    text[len] = '\0';
    return str_to_double(text, out);
}

const char *proto_address(const cJSON *node, const char *path, char out[PROTO_ADDRESS_MAX])
{
    const cJSON *at = proto_at(node, path);
    char number[32];
    const char *host = proto_str(at, "socket_address.address");
    const char *pipe = proto_str(at, "pipe.path");
    if (pipe) {
        snprintf(out, PROTO_ADDRESS_MAX, "unix:%s", pipe);
        return out;
    }
    if (!host)
        return proto_str(at, "envoy_internal_address.server_listener_name");
    const char *port = proto_scalar(at, "socket_address.port_value", number);
    if (!port)
        port = proto_str(at, "socket_address.named_port");
    snprintf(out, PROTO_ADDRESS_MAX, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
             port ? port : "0");
    return out;
}

const char *proto_type(const cJSON *node)
{
    const char *type = json_str(node, "@type");
    if (!type)
        return "";
    for (const char *at = type; *at; at++)
        if (*at == '/' || *at == '.')
            type = at + 1;
    return type;
}
