/* Stage: read. What listeners, clusters and routes of a configuration share: the rows of xds.resources,
 * the rows that wait, and the cleaning of Envoy's texts. */
#include "read/xds.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include <stdlib.h>
#include <string.h>

enum { PLAIN_MAX = EVIDENCE_ROWS_MAX / 10 * 8 };

void xds_init(struct xds *xds, struct reading *reading)
{
    *xds = (struct xds){.reading = reading};
    pending_init(&xds->chains, "xds.filter_chains");
    pending_init(&xds->virtual_hosts, "xds.virtual_hosts");
    pending_init(&xds->routes, "xds.routes");
    pending_init(&xds->certificates, "xds.certificates");
}

void xds_release(struct xds *xds)
{
    pending_release(&xds->chains);
    pending_release(&xds->virtual_hosts);
    pending_release(&xds->routes);
    pending_release(&xds->certificates);
    for (size_t i = 0; i < xds->nameless_len; i++) {
        free(xds->nameless[i].name);
        free(xds->nameless[i].pointer);
        cJSON_Delete(xds->nameless[i].entry);
    }
    for (size_t i = 0; i < xds->rejected_len; i++)
        free(xds->rejected[i]);
    free(xds->nameless);
    free(xds->texts);
    free(xds->rejected);
}

bool xds_wants(const struct xds *xds, const char *table)
{
    return evidence_wants(xds->reading->evidence, table, NULL);
}

void xds_forget(struct xds *xds)
{
    pending_clear(&xds->chains);
    pending_clear(&xds->virtual_hosts);
    pending_clear(&xds->routes);
    pending_clear(&xds->certificates);
    xds->routes_named = xds->routes_seen = 0;
}

/* Tells of Envoy from 1.37 on, drawn anew in each process. */
static size_t debug_token(const char *at)
{
    static const char mark[] = "goo.gle/debug";
    if (strncmp(at, mark, sizeof mark - 1) != 0)
        return 0;
    size_t len = sizeof mark - 1;
    len += strspn(at + len, "abcdefghijklmnopqrstuvwxyz");
    len += strspn(at + len, " ");
    return len + (at[len] == '\n');
}

char *xds_clean_text(const char *text)
{
    char *clean = xstrdup(text), *out = clean;
    for (const char *at = text; *at;) {
        size_t token = debug_token(at);
        at += token;
        if (!token)
            *out++ = *at++;
    }
    while (out > clean && strchr(" \t\r\n", out[-1]))
        out--;
    *out = '\0';
    return clean;
}

/* Clusters come first in a dump and can be very many: they leave room for what is not in order. */
static bool crowds_out(struct xds *xds, const struct xds_resource *resource)
{
    bool plain = !resource->error &&
                 (str_equal(resource->state, "active") || str_equal(resource->state, "static"));
    if (!plain || evidence_count(xds->reading->evidence, "xds.resources") < PLAIN_MAX)
        return false;
    if (!xds->crowded)
        reading_partial(xds->reading,
                        "more than %d resources: from there on those in order were "
                        "left out",
                        PLAIN_MAX);
    xds->crowded = true;
    return true;
}

void xds_resource(struct xds *xds, const struct xds_resource *resource)
{
    struct evidence *evidence = xds->reading->evidence;
    if (!evidence_wants(evidence, "xds.resources", resource->type) || crowds_out(xds, resource))
        return;
    struct record *record = reading_add(xds->reading, "xds.resources", resource->pointer);
    if (!record)
        return;
    evidence_set(evidence, record, "type", resource->type);
    evidence_set(evidence, record, "name", resource->name);
    evidence_set(evidence, record, "state", resource->state);
    evidence_set(evidence, record, "version", resource->version);
    evidence_set(evidence, record, "updated", resource->updated);
    evidence_set(evidence, record, "error", resource->error);
    evidence_set(evidence, record, "rejected", resource->rejected);
}

static void add_secret(struct buf *out, const cJSON *config)
{
    const char *name = proto_str(config, "name");
    if (name)
        buf_addf(out, "%s%s", out->len ? "," : "", name);
}

void xds_secrets(struct buf *out, const cJSON *node)
{
    static const char *const contexts[] = {"transport_socket.typed_config.common_tls_context",
                                           "tls_context.common_tls_context"};
    for (size_t i = 0; i < ARRAY_LEN(contexts); i++) {
        const cJSON *context = proto_at(node, contexts[i]), *config;
        cJSON_ArrayForEach (config, proto_at(context, "tls_certificate_sds_secret_configs"))
            add_secret(out, config);
        add_secret(out, proto_at(context, "validation_context_sds_secret_config"));
        add_secret(out, proto_at(context, "combined_validation_context."
                                          "validation_context_sds_secret_config"));
    }
}
