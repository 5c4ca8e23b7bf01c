/* Stage: finding. Reads mesh and platform; leaves out of a text what is said of others. Knows the names that
 * people give meshes and platforms, and how a list of them is written: "(NAME: text; NAME: text)", or a
 * whole text "NAME: text; elsewhere text". Deliberately changes nothing else, and nothing at all where
 * a name cannot be decided. */
#include "finding/words.h"
#include "base/alloc.h"
#include "base/str.h"
#include "finding/ways.h"
#include <stdio.h>
#include <string.h>

enum { PARTS_MAX = 16 };

enum fit { FIT_NO, FIT_OPEN, FIT_YES };

/* A name that begins with another one stands before it. */
static const struct {
    const char *name, *mesh, *platform;
} labels[] = {{"App Mesh on ECS", "appmesh", "ecs"},
              {"App Mesh on EKS", "appmesh", "kubernetes"},
              {"App Mesh on Kubernetes", "appmesh", "kubernetes"},
              {"App Mesh", "appmesh", NULL},
              {"ECS Service Connect", "service-connect", NULL},
              {"Service Connect", "service-connect", NULL},
              {"Istio", "istio", NULL},
              {"Consul", "consul", NULL},
              {"Kuma", "kuma", NULL},
              {"Contour", "contour", NULL},
              {"Envoy Gateway", "envoy-gateway", NULL},
              {"Gloo", "gloo", NULL},
              {"Cilium", "cilium", NULL},
              {"ECS", NULL, "ecs"},
              {"EKS", NULL, "kubernetes"},
              {"Kubernetes", NULL, "kubernetes"},
              {"Docker", NULL, "docker"},
              {"EC2", NULL, "ec2"}};

void words_find(struct words *words, const struct evidence *evidence)
{
    char buf[32];
    const char *mesh = ways_fact(evidence, "mesh", buf);
    snprintf(words->mesh, sizeof words->mesh, "%s", mesh ? mesh : "");
    const char *platform = ways_fact(evidence, "platform", buf);
    snprintf(words->platform, sizeof words->platform, "%s", platform ? platform : "");
}

static enum fit compare(const char *wanted, const char *known)
{
    if (!wanted || !*known)
        return FIT_OPEN;
    return strcmp(wanted, known) == 0 ? FIT_YES : FIT_NO;
}

static enum fit fit_label(size_t label, const struct words *words)
{
    enum fit mesh = compare(labels[label].mesh, words->mesh);
    enum fit platform = compare(labels[label].platform, words->platform);
    if (mesh == FIT_NO || platform == FIT_NO)
        return FIT_NO;
    bool whole = (!labels[label].mesh || mesh == FIT_YES) &&
                 (!labels[label].platform || platform == FIT_YES);
    return whole ? FIT_YES : FIT_OPEN;
}

/* The best of the names in "Istio: ", "Consul and Envoy Gateway: ", "ECS, EKS: " at TEXT; *LEN is how long
 * that is, 0 when there is no such thing. */
static enum fit read_labels(const char *text, const struct words *words, size_t *len)
{
    enum fit best = FIT_NO;
    const char *at = text;
    *len = 0;
    for (;;) {
        size_t i = 0;
        while (i < ARRAY_LEN(labels) && !str_starts(at, labels[i].name))
            i++;
        if (i == ARRAY_LEN(labels))
            return FIT_OPEN;
        enum fit fit = fit_label(i, words);
        best = fit > best ? fit : best;
        at += strlen(labels[i].name);
        if (str_starts(at, ": ")) {
            *len = (size_t)(at + 2 - text);
            return best;
        }
        if (str_starts(at, ", "))
            at += 2;
        else if (str_starts(at, " and "))
            at += 5;
        else
            return FIT_OPEN;
    }
}

struct part {         /* of a list: "NAME: text" */
    const char *text; /* behind the names */
    const char *start;
    size_t label_len, len; /* of the names; of all */
    enum fit fit;
    bool plain; /* it has no name: said of every place */
};

/* To the next "; " outside of parentheses, or END. */
static const char *part_end(const char *at, const char *end)
{
    int depth = 0;
    for (; at < end; at++) {
        depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
        if (depth == 0 && *at == ';' && at + 1 < end && at[1] == ' ')
            return at;
    }
    return end;
}

/* What has no name belongs to what stands before it, and to every place at the beginning; "elsewhere" is
 * what none of the names fits. */
static size_t read_parts(const char *text, const char *end, const struct words *words,
                         struct part *parts)
{
    size_t len = 0;
    enum fit before = FIT_NO;
    for (const char *at = text; at < end && len < PARTS_MAX;) {
        const char *stop = part_end(at, end);
        size_t label;
        enum fit fit = read_labels(at, words, &label);
        bool rest = str_starts(at, "elsewhere ");
        if (rest) {
            fit = before == FIT_YES ? FIT_NO : before == FIT_NO ? FIT_YES : FIT_OPEN;
            label = before == FIT_NO ? strlen("elsewhere ") : 0;
        } else if (!label && len) {
            parts[len - 1].len = (size_t)(stop - parts[len - 1].start);
            at = stop < end ? stop + 2 : end;
            continue;
        }
        before = label && fit > before ? fit : before;
        parts[len++] = (struct part){at + label,          at,  label,
                                     (size_t)(stop - at), fit, !label && !rest};
        at = stop < end ? stop + 2 : end;
    }
    return len;
}

/* Appends those that fit best, without their names when these are the ones at hand, and what is said of every
 * place. Whether there was any. */
static bool add_parts(struct buf *out, const struct part *parts, size_t len, const char *lead)
{
    enum fit best = FIT_NO;
    bool any = false;
    for (size_t i = 0; i < len; i++)
        best = !parts[i].plain && parts[i].fit > best ? parts[i].fit : best;
    for (size_t i = 0; i < len; i++) {
        if (!parts[i].plain && (best == FIT_NO || parts[i].fit != best))
            continue;
        buf_adds(out, any ? "; " : lead);
        if (best == FIT_YES && !parts[i].plain)
            buf_add(out, parts[i].text, parts[i].len - parts[i].label_len);
        else
            buf_add(out, parts[i].start, parts[i].len);
        any = true;
    }
    return any;
}

static bool is_list(const struct part *parts, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (parts[i].label_len)
            return true;
    return false;
}

/* The parenthesis at TEXT, which closes before the text ends; NULL: it does not. */
static const char *closing(const char *text)
{
    int depth = 0;
    for (; *text; text++) {
        depth += *text == '(' ? 1 : *text == ')' ? -1 : 0;
        if (depth == 0)
            return text;
    }
    return NULL;
}

static void fit_parentheses(struct buf *out, const char *text, const struct words *words)
{
    while (*text) {
        struct part parts[PARTS_MAX];
        const char *close = *text == '(' ? closing(text) : NULL;
        size_t len = close ? read_parts(text + 1, close, words, parts) : 0;
        if (!is_list(parts, len)) {
            buf_addch(out, *text++);
            continue;
        }
        if (add_parts(out, parts, len, "("))
            buf_addch(out, ')');
        else if (out->len && buf_str(out)[out->len - 1] == ' ')
            buf_cut(out, out->len - 1);
        text = close + 1;
    }
}

bool words_fit(struct buf *out, const char *text, const struct words *words)
{
    struct part parts[PARTS_MAX];
    struct buf whole;
    size_t label;
    bool fits = true;
    if (!*words->mesh && !*words->platform) {
        buf_adds(out, text);
        return true;
    }
    read_labels(text, words, &label);
    buf_init(&whole, strlen(text) + 1);
    if (label)
        fits = add_parts(&whole, parts, read_parts(text, text + strlen(text), words, parts), "");
    else
        buf_adds(&whole, text);
    if (fits)
        fit_parentheses(out, buf_str(&whole), words);
    buf_release(&whole);
    return fits;
}
