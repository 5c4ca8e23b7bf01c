/* Source: names of hosts. Reads dotted names, tells hosts from files, statistics and packages, writes
 * them label by label. Deliberately maps each label alone: what ends in the same domain does so after,
 * and a wildcard fits what it fitted. */
#include "source/identity_scan.h"

#include "base/alloc.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { LABELS_MAX = 24, LABEL_MAX = 63 };

struct dotted { /* labels of a dotted name, in TEXT */
    const struct identity_scan *scan;
    size_t start[LABELS_MAX], end[LABELS_MAX];
    size_t len;
};

/* What a host's name ends with. */
static const char *const domains[] = {
    "com", "net",  "org",      "edu",  "gov",  "mil",  "io",     "int",      "uk",          "de",
    "fr",  "nl",   "eu",       "ch",   "es",   "cz",   "se",     "fi",       "dk",          "ie",
    "ca",  "au",   "nz",       "jp",   "cn",   "br",   "mx",     "ru",       "kr",          "sg",
    "hk",  "tw",   "za",       "tech", "biz",  "aws",  "local",  "internal", "lan",         "corp",
    "svc", "home", "intranet", "arpa", "test", "mesh", "consul", "example",  "localdomain", "cloud",
};
/* The same, where the place says that it is a host or there are three labels: words, endings of files. */
static const char *const unsure[] = {
    "app", "dev", "info", "me", "us", "it", "in",   "no", "at",      "be",     "is",
    "to",  "tv",  "co",   "ai", "pl", "pt", "link", "gg", "private", "global",
};
/* In the middle of a statistic's name. */
static const char *const strong[] = {"com",   "net",      "org",    "io",
                                     "local", "internal", "consul", "svc"};
/* Domains of everybody's: their hosts say what software or service it is. */
static const char *const public_domains[] = {
    "github.com",
    "githubusercontent.com",
    "googleapis.com",
    "google.com",
    "k8s.io",
    "kubernetes.io",
    "istio.io",
    "envoyproxy.io",
    "grpc.io",
    "docker.io",
    "docker.com",
    "quay.io",
    "gcr.io",
    "ecr.aws",
    "hashicorp.com",
    "consul.io",
    "microsoft.com",
    "amazon.com",
    "datadoghq.com",
    "w3.org",
    "ietf.org",
    "opentelemetry.io",
    "prometheus.io",
    "letsencrypt.org",
    "cncf.io",
    "lyft.com",
    "solo.io",
    "fluentbit.io",
    "ghcr.io",
    "linkerd.io",
    "kuma.io",
    "projectcontour.io",
    "golang.org",
    "googlesource.com",
    "spiffe.io",
    "lyft.net",
    "pkg.dev",
    "aws.dev",
    "konghq.com",
    "tetrate.io",
    "k8s.aws",
    "cert-manager.io",
    "argoproj.io",
    "helm.sh",
    "eksctl.io",
    "projectcalico.org",
    "coreos.com",
    "openshift.io",
    "fluxcd.io",
    "crossplane.io",
    "azure.com",
    "knative.dev",
    "tekton.dev",
    "nginx.org",
    "haproxy.org",
    "elastic.co",
    "grafana.com",
    "x-k8s.io",
    "karpenter.sh",
    "keda.sh",
    "openpolicyagent.org",
    "apache.org",
    "oracle.com",
    "redhat.com",
    "gke.io",
    "jaegertracing.io",
    "amazontrust.com",
    "debian.org",
    "ubuntu.com",
    "openssl.org",
    "cilium.io",
    "in-addr.arpa",
    "ip6.arpa",
};
/* What stands before a host in the name of a statistic. */
static const char *const families[] = {"cluster", "http", "tcp",     "listener",
                                       "vhost",   "dns",  "vcluster"};

static bool is_one_of(const struct dotted *name, size_t i, const char *const *words, size_t len)
{
    size_t chars = name->end[i] - name->start[i];
    for (size_t w = 0; w < len; w++)
        if (strlen(words[w]) == chars &&
            strncasecmp(name->scan->text + name->start[i], words[w], chars) == 0)
            return true;
    return false;
}

static bool is_label(char c)
{
    return identity_is_alnum(c) || c == '-' || c == '_';
}

static void split(struct dotted *name, const struct identity_scan *scan, size_t from)
{
    size_t at = from;
    *name = (struct dotted){.scan = scan};
    while (name->len < LABELS_MAX) {
        size_t start = at;
        while (at < scan->len && is_label(scan->text[at]) && at - start < LABEL_MAX)
            at++;
        if (at == start)
            return;
        name->start[name->len] = start;
        name->end[name->len++] = at;
        if (at + 1 >= scan->len || scan->text[at] != '.' || !is_label(scan->text[at + 1]))
            return;
        at++;
    }
}

/* "https://", "user@" before it or a port behind it. */
static bool is_placed(const struct dotted *name)
{
    const struct identity_scan *scan = name->scan;
    size_t from = name->start[0], to = name->end[name->len - 1];
    bool port = to + 1 < scan->len && scan->text[to] == ':' &&
                isdigit((unsigned char)scan->text[to + 1]);
    return port || (from && scan->text[from - 1] == '@') ||
           (from >= 3 && memcmp(scan->text + from - 3, "://", 3) == 0);
}

/* Cuts what is behind a host in the name of a statistic, and the family before it. */
static bool cut_statistic(struct dotted *name)
{
    size_t last = name->len;
    while (last-- > 1) {
        if (!is_one_of(name, last, strong, ARRAY_LEN(strong)))
            continue;
        size_t first = is_one_of(name, 0, families, ARRAY_LEN(families)) ? 1 : 0;
        if (last <= first)
            return false;
        memmove(name->start, name->start + first, (last + 1 - first) * sizeof *name->start);
        memmove(name->end, name->end + first, (last + 1 - first) * sizeof *name->end);
        name->len = last + 1 - first;
        return true;
    }
    return false;
}

/* A name of Envoy's, or the end of one: "envoy.transport_sockets.http_11_proxy.info". */
static bool is_own(const struct dotted *name)
{
    const struct identity_scan *scan = name->scan;
    size_t at = name->start[0];
    while (at && (is_label(scan->text[at - 1]) || scan->text[at - 1] == '.'))
        at--;
    return scan->len - at > 6 && memcmp(scan->text + at, "envoy.", 6) == 0;
}

static bool is_host(struct dotted *name)
{
    if (name->len < 2)
        return false;
    const struct identity_scan *scan = name->scan;
    size_t to = name->end[name->len - 1];
    if (to < scan->len && scan->text[to] == '(')
        return false; /* a function */
    if (is_one_of(name, name->len - 1, domains, ARRAY_LEN(domains)))
        return true;
    if (is_one_of(name, name->len - 1, unsure, ARRAY_LEN(unsure)) &&
        (is_placed(name) || (name->len > 2 && !is_own(name))))
        return true;
    return cut_statistic(name);
}

/* Whether the name ends with DOMAIN. */
static bool is_below(const struct dotted *name, const char *domain)
{
    size_t len = strlen(domain), from = name->start[0], to = name->end[name->len - 1];
    if (to - from < len || strncasecmp(name->scan->text + to - len, domain, len) != 0)
        return false;
    return to - from == len || name->scan->text[to - len - 1] == '.';
}

static bool is_region(const struct dotted *name, size_t i)
{
    int dashes = 0;
    for (size_t at = name->start[i]; at < name->end[i]; at++)
        dashes += name->scan->text[at] == '-';
    return dashes >= 2 && isdigit((unsigned char)name->scan->text[name->end[i] - 1]);
}

/* How many labels, from the left, may name somebody: the rest is the domain. */
static size_t labels_below(const struct dotted *name, bool *owned)
{
    *owned = false;
    for (size_t i = 0; i < ARRAY_LEN(public_domains); i++)
        if (is_below(name, public_domains[i]))
            return 0;
    bool china = is_below(name, "amazonaws.com.cn");
    if (china || is_below(name, "amazonaws.com")) {
        size_t labels = name->len - (china ? 3 : 2);
        /* SERVICE.REGION: everybody's endpoint. */
        return labels < 2 || (labels == 2 && is_region(name, 1)) ? 0 : labels;
    }
    if (is_below(name, "cluster.local") || is_below(name, "cluster.internal"))
        return name->len - 2;
    size_t last = name->len - 1;
    static const char *const ours[] = {"local", "internal", "svc", "consul", "mesh", "localdomain"};
    *owned = !is_one_of(name, last, ours, ARRAY_LEN(ours));
    return last;
}

/* A registered label of plain words only ("my-shop.com") names its owner as a whole. */
static void put_domain(struct identity_scan *scan, const struct dotted *name, size_t i)
{
    const char *text = scan->text;
    size_t start = name->start[i], end = name->end[i];
    for (size_t at = start, to; at < end; at = to + 1) {
        for (to = at; to < end && identity_is_alnum(text[to]);)
            to++;
        if (to > at && pseudonym_is(text + at, to - at))
            return; /* a part is a pseudonym already */
    }
    const char *pseudonym = pseudonyms_any(scan->names, text + start, end - start);
    if (pseudonym)
        identity_put(scan, start, end, pseudonym, IDENTITY_NAME);
}

/* The label that somebody has registered: "acme" of "api.acme.com", of "api.acme.co.uk". */
static size_t registered(const struct dotted *name)
{
    static const char *const seconds[] = {"co", "com", "org", "net", "gov", "ac", "edu", "or"};
    size_t last = name->len - 1;
    bool country = name->end[last] - name->start[last] == 2;
    if (country && last >= 2 && is_one_of(name, last - 1, seconds, ARRAY_LEN(seconds)))
        return last - 2;
    return last - 1;
}

size_t identity_host(struct identity_scan *scan, size_t from)
{
    struct dotted name;
    bool owned;
    split(&name, scan, from);
    if (!is_host(&name))
        return from;
    size_t labels = labels_below(&name, &owned), domain = owned ? registered(&name) : name.len;
    if (labels == 0 && name.len > 2)
        identity_known(scan, name.start[0], name.start[name.len - 2]);
    for (size_t i = 0; i < labels && i <= domain; i++) {
        size_t before = scan->at;
        identity_names(scan, name.start[i], name.end[i]);
        if (i == domain && scan->at == before && scan->out)
            put_domain(scan, &name, i);
    }
    return name.end[name.len - 1];
}
