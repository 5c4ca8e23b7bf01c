/* Stage: read. What listeners, clusters and secrets of a configuration say of TLS: which certificate they
 * show, whom they trust, which names they accept (columns of xds.clusters and xds.filter_chains), and the
 * certificates that the configuration itself holds (xds.certificates). Private keys are not looked at. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "read/certificate.h"
#include "read/xds.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_MAX = 4 << 20, TEXT_MAX = 4096, DIGEST_MAX = XDS_DIGEST_MAX };

/* ---- certificates that stand in the configuration ---- */

struct holder {
    struct xds *xds;
    const char *kind, *name, *role, *pointer;
    char digest[DIGEST_MAX];
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
    pending_set(pending, row, "text", holder->digest);
    pending_set(pending, row, "position", number);
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        if (*cells[i].value)
            pending_set(pending, row, cells[i].column, cells[i].value);
}

static const char *inline_bytes(const cJSON *source, bool *encoded)
{
    const char *text = proto_str(source, "inline_string");
    *encoded = !text;
    return text ? text : proto_str(source, "inline_bytes");
}

/* What stands for the text of a DataSource that holds its bytes itself: many clusters hold the same. */
static bool digest_of(const cJSON *source, char out[DIGEST_MAX])
{
    bool encoded;
    const char *text = inline_bytes(source, &encoded);
    uint64_t hash = 14695981039346656037u;
    for (; text && *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    snprintf(out, DIGEST_MAX, "%016" PRIx64, hash);
    return text;
}

/* Its text decoded; the caller frees it. */
static char *decode(const cJSON *source)
{
    bool encoded;
    const char *text = inline_bytes(source, &encoded);
    size_t len = text ? strlen(text) : 0;
    if (!len || len > PEM_MAX || (encoded && len % 4))
        return NULL;
    if (!encoded)
        return xstrdup(text);
    char *out = xcalloc(1, len / 4 * 3 + 1);
    if (EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len) < 0) {
        free(out);
        return NULL;
    }
    return out;
}

/* Parsing a certificate takes a third of a millisecond: each text is parsed once (but secrets are known by
 * their names), and not too many. */
static bool is_new(const struct holder *holder)
{
    struct xds *xds = holder->xds;
    bool secret = strcmp(holder->kind, "secret") == 0;
    for (size_t i = 0; !secret && i < xds->texts_len; i++)
        if (strcmp(xds->texts[i], holder->digest) == 0)
            return false;
    if (xds->texts_len == XDS_TEXTS_MAX && !xds->texts_full)
        reading_partial(xds->reading, "more than %d certificates: the others were left out",
                        XDS_TEXTS_MAX);
    xds->texts_full = xds->texts_len == XDS_TEXTS_MAX;
    if (xds->texts_full)
        return false;
    if (!xds->texts)
        xds->texts = xcalloc(XDS_TEXTS_MAX, sizeof *xds->texts);
    snprintf(xds->texts[xds->texts_len++], DIGEST_MAX, "%s", holder->digest);
    return true;
}

static void take_source(struct holder *holder, const char *role, const cJSON *source,
                        const char *pointer)
{
    if (!digest_of(source, holder->digest) || !is_new(holder))
        return;
    char *pem = decode(source);
    holder->role = role;
    holder->pointer = pointer;
    if (pem)
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
    char digest[DIGEST_MAX];
    if (file)
        add_part(out, "file", file);
    else if (digest_of(source, digest))
        add_part(out, "inline", digest);
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
