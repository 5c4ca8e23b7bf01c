/* Stage: read. What listeners, clusters and secrets of a configuration say of TLS: which certificate they
 * show, whom they trust, which names they accept (columns of xds.clusters and xds.filter_chains), and the
 * certificates that the configuration itself holds (xds.certificates). Private keys are not looked at. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "read/certificate.h"
#include "read/xds.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_MAX = 4 << 20, TEXT_MAX = 4096 };

/* ---- certificates that stand in the configuration ---- */

struct holder {
    struct xds *xds;
    const char *kind, *name, *role, *pointer;
};

static void add_certificate(void *user, const struct certificate *certificate, int index)
{
    const struct holder *holder = user;
    struct pending *pending = &holder->xds->certificates;
    struct pending_row *row = pending_add(pending, holder->pointer);
    char number[16];
    if (!row)
        return;
    const struct {
        const char *column, *value;
    } cells[] = {
        {"subject", certificate->subject},       {"issuer", certificate->issuer},
        {"names", certificate->names},           {"serial", certificate->serial},
        {"valid_from", certificate->valid_from}, {"expires", certificate->expires},
        {"key_id", certificate->key_id},         {"issuer_key_id", certificate->issuer_key_id}};
    snprintf(number, sizeof number, "%d", index);
    pending_set(pending, row, "kind", holder->kind);
    pending_set(pending, row, "name", holder->name);
    pending_set(pending, row, "role", holder->role);
    pending_set(pending, row, "position", number);
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        if (*cells[i].value)
            pending_set(pending, row, cells[i].column, cells[i].value);
}

/* The text of a DataSource that holds its bytes itself; the caller frees it. */
static char *inline_text(const cJSON *source)
{
    const char *text = proto_str(source, "inline_string"),
               *bytes = proto_str(source, "inline_bytes");
    size_t len = bytes ? strlen(bytes) : 0;
    if (text)
        return xstrdup(text);
    if (!len || len > PEM_MAX || len % 4)
        return NULL;
    char *out = xcalloc(1, len / 4 * 3 + 1);
    if (EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)bytes, (int)len) < 0) {
        free(out);
        return NULL;
    }
    return out;
}

static void take_source(struct holder *holder, const char *role, const cJSON *source,
                        const char *pointer)
{
    char *pem = inline_text(source);
    holder->role = role;
    holder->pointer = pointer;
    if (pem && strlen(pem) <= PEM_MAX)
        certificate_each(pem, strlen(pem), add_certificate, holder);
    free(pem);
}

static void take_trusted(struct holder *holder, const cJSON *context, const char *pointer)
{
    static const char *const paths[] = {
        "validation_context.trusted_ca",
        "combined_validation_context.default_validation_context.trusted_ca"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const cJSON *source = proto_at(context, paths[i]);
        char *inner = source ? xasprintf("%s/%s", pointer, paths[i]) : NULL;
        for (char *dot = inner; dot && (dot = strchr(dot, '.')) != NULL;)
            *dot = '/';
        if (source)
            take_source(holder, "ca", source, inner);
        free(inner);
    }
}

void xds_tls_secret(struct xds *xds, const cJSON *entry, const char *pointer)
{
    const cJSON *secret = proto_at(entry, "secret");
    struct holder holder = {.xds = xds, .kind = "secret", .name = proto_str(entry, "name")};
    if (!xds_wants(xds, "xds.certificates"))
        return;
    if (!holder.name)
        holder.name = proto_str(secret, "name");
    char *inner = xasprintf("%s/secret", pointer);
    char *chain = xasprintf("%s/tls_certificate/certificate_chain", inner);
    take_source(&holder, "leaf", proto_at(secret, "tls_certificate.certificate_chain"), chain);
    take_trusted(&holder, secret, inner);
    pending_flush(&xds->certificates, xds->reading, NULL);
    free(chain);
    free(inner);
}

static const cJSON *tls_context(const cJSON *node, const char **path)
{
    *path = "/transport_socket/typed_config/common_tls_context";
    const cJSON *context = proto_at(node, "transport_socket.typed_config.common_tls_context");
    if (context)
        return context;
    *path = "/tls_context/common_tls_context";
    return proto_at(node, "tls_context.common_tls_context");
}

void xds_tls_certificates(struct xds *xds, const cJSON *node, const char *kind, const char *name,
                          const char *pointer)
{
    const char *path;
    const cJSON *context = tls_context(node, &path), *certificate;
    struct holder holder = {.xds = xds, .kind = kind, .name = name};
    int index = 0;
    if (!context || !xds_wants(xds, "xds.certificates"))
        return;
    char *inner = xasprintf("%s%s", pointer, path);
    cJSON_ArrayForEach (certificate, proto_at(context, "tls_certificates")) {
        char *chain = xasprintf("%s/tls_certificates/%d/certificate_chain", inner, index++);
        take_source(&holder, "leaf", proto_at(certificate, "certificate_chain"), chain);
        free(chain);
    }
    take_trusted(&holder, context, inner);
    free(inner);
}

/* ---- what a context says ---- */

static void add_part(struct buf *out, const char *what, const char *name)
{
    buf_addf(out, "%s%s%s%s", out->len ? "," : "", what, name ? ":" : "", name ? name : "");
}

static void add_source(struct buf *out, const cJSON *source)
{
    const char *file = proto_str(source, "filename");
    if (file)
        add_part(out, "file", file);
    else if (source)
        add_part(out, "inline", NULL);
}

static void own_certificates(struct buf *out, const cJSON *context)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, proto_at(context, "tls_certificates"))
        add_source(out, proto_at(each, "certificate_chain"));
    cJSON_ArrayForEach (each, proto_at(context, "tls_certificate_sds_secret_configs"))
        add_part(out, "secret", proto_str(each, "name"));
}

static void trusted(struct buf *out, const cJSON *context)
{
    const cJSON *both = proto_at(context, "combined_validation_context");
    const char *name = proto_str(context, "validation_context_sds_secret_config.name");
    const char *joined = proto_str(both, "validation_context_sds_secret_config.name");
    add_source(out, proto_at(context, "validation_context.trusted_ca"));
    add_source(out, proto_at(both, "default_validation_context.trusted_ca"));
    if (name || joined)
        add_part(out, "secret", name ? name : joined);
}

static void add_matchers(struct buf *out, const cJSON *list, const char *matcher)
{
    static const char *const kinds[] = {"exact", "prefix", "suffix", "contains"};
    const cJSON *each;
    cJSON_ArrayForEach (each, list) {
        const cJSON *at = cJSON_IsString(each) ? NULL : proto_at(each, matcher);
        if (cJSON_IsString(each))
            add_part(out, each->valuestring, NULL);
        for (size_t i = 0; at && i < ARRAY_LEN(kinds); i++) {
            const char *text = proto_str(at, kinds[i]);
            if (text)
                buf_addf(out, "%s%s%s%s", out->len ? "," : "", i >= 2 ? "*" : "", text,
                         i % 2 ? "*" : "");
        }
        if (proto_str(at, "safe_regex.regex"))
            add_part(out, "regex", proto_str(at, "safe_regex.regex"));
    }
}

static void accepted(struct buf *out, const cJSON *context)
{
    static const char *const paths[] = {"validation_context",
                                        "combined_validation_context.default_validation_context"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const cJSON *validation = proto_at(context, paths[i]);
        add_matchers(out, proto_at(validation, "match_typed_subject_alt_names"), "matcher");
        add_matchers(out, proto_at(validation, "match_subject_alt_names"), "");
        add_matchers(out, proto_at(validation, "verify_subject_alt_name"), "");
    }
}

void xds_tls_describe(const cJSON *node, xds_tls_fn *set, void *user)
{
    static const struct {
        const char *column;
        void (*add)(struct buf *out, const cJSON *context);
    } parts[] = {{"certificate", own_certificates}, {"trust", trusted}, {"accepts", accepted}};
    const char *path;
    const cJSON *context = tls_context(node, &path);
    struct buf text;
    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; context && i < ARRAY_LEN(parts); i++) {
        buf_clear(&text);
        parts[i].add(&text, context);
        if (text.len)
            set(user, parts[i].column, buf_str(&text));
    }
    buf_release(&text);
}
