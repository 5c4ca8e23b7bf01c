/* Stage: finding. Reads mesh, platform and the admin page's address; writes the exact command for each way
 * that a check names by a token. Deliberately knows commands and no checks. Where the platform is not
 * known it names the alternatives instead of choosing one. */
#include "finding/ways.h"
#include "base/alloc.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADMIN "http://ADMIN"
#define CURL  "curl -s "

enum { COMMAND_MAX = 1024, TEXT_MAX = 8192, ADDRESS_MAX = 256 };

/* The first row of a token whose platform is the one at hand, or NULL (any), is taken. */
static const struct {
    const char *token, *platform, *text;
} ways[] = {
    {"debrief", "kubernetes", "debrief check k8s:NAMESPACE/POD"},
    {"debrief", "ecs", "debrief check ecs:CLUSTERNAME/TASK"},
    {"log", "kubernetes", "kubectl logs POD -c CONTAINER --timestamps > envoy.log"},
    {"log", "ecs", "aws logs tail GROUP --since 3h > envoy.log"},
    {"log", "docker", "docker logs --timestamps NAME > envoy.log 2>&1"},
    {"log", "aws",
     "aws logs tail GROUP --since 3h > envoy.log (ECS), or kubectl logs POD -c CONTAINER "
     "--timestamps > envoy.log (EKS)"},
    {"log", NULL,
     "the Envoy log, with --evidence envoy.log: kubectl logs POD -c CONTAINER --timestamps, docker "
     "logs --timestamps NAME, or aws logs tail GROUP --since 3h"},
    {"log-before", "kubernetes", "kubectl logs POD -c CONTAINER --previous > before.log"},
    {"log-before", "ecs", "aws logs tail GROUP --since 6h > before.log"},
    {"log-before", "docker", "docker logs NAME > before.log 2>&1"},
    {"log-before", NULL,
     "kubectl logs POD -c CONTAINER --previous, docker logs NAME, or aws logs tail GROUP, into "
     "before.log"},
    {"definition", "kubernetes", "kubectl get pod POD -o json > pod.json"},
    {"definition", "ecs",
     "aws ecs describe-task-definition --task-definition FAMILY --output json > "
     "task-definition.json"},
    {"definition", "docker", "docker inspect NAME > inspect.json"},
    {"definition", "aws",
     "aws ecs describe-task-definition --task-definition FAMILY --output json > "
     "task-definition.json (ECS), or kubectl get pod POD -o json > pod.json (EKS)"},
    {"definition", NULL,
     "kubectl get pod POD -o json > pod.json, aws ecs describe-task-definition --task-definition "
     "FAMILY --output json > task-definition.json, or docker inspect NAME > inspect.json"},
    {"status", "kubernetes", "kubectl get pod POD -o json > pod.json"},
    {"status", "ecs",
     "aws ecs describe-tasks --cluster CLUSTERNAME --tasks TASK --output json > tasks.json"},
    {"status", "docker", "docker inspect NAME > inspect.json"},
    {"status", NULL,
     "kubectl get pod POD -o json > pod.json, aws ecs describe-tasks --cluster CLUSTERNAME --tasks "
     "TASK --output json > tasks.json, or docker inspect NAME > inspect.json"},
    {"events", "kubernetes", "kubectl describe pod POD > pod.txt"},
    {"events", "ecs",
     "aws ecs describe-services --cluster CLUSTERNAME --services SERVICE --output json > "
     "services.json"},
    {"events", NULL,
     "kubectl describe pod POD > pod.txt, or aws ecs describe-services --cluster CLUSTERNAME "
     "--services SERVICE --output json > services.json"},
    {"env", "kubernetes", "kubectl exec POD -c CONTAINER -- env > proxy.env"},
    {"env", "ecs",
     "aws ecs execute-command --cluster CLUSTERNAME --task TASK --container CONTAINER "
     "--interactive "
     "--command env > proxy.env"},
    {"env", "docker", "docker exec NAME env > proxy.env"},
    {"env", NULL, "env > proxy.env, inside the proxy's container"},
    {"inside", "kubernetes", "kubectl exec POD -c CONTAINER -- %s"},
    {"inside", "ecs",
     "aws ecs execute-command --cluster CLUSTERNAME --task TASK --container CONTAINER "
     "--interactive "
     "--command \"%s\""},
    {"inside", "docker", "docker exec NAME %s"},
    {"inside", NULL, "%s, inside the proxy's container"},
    {"near", "kubernetes", "kubectl debug POD -it --image=nicolaka/netshoot -- sh -c '%s'"},
    {"near", "ecs",
     "aws ecs execute-command --cluster CLUSTERNAME --task TASK --container CONTAINER "
     "--interactive "
     "--command \"sh -c '%s'\""},
    {"near", "docker", "docker run --rm --network container:NAME nicolaka/netshoot sh -c '%s'"},
    {"near", NULL, "from where the proxy runs, in its network namespace: %s"},
};

/* ---- where it runs ---- */

static const char *fact(const struct evidence *evidence, const char *column, char buf[32])
{
    const struct record *proxy = evidence ? evidence_next(evidence, "proxy", NULL) : NULL;
    return proxy ? record_text(proxy, column, buf) : NULL;
}

/* The platform whose tools fit; "aws" where it is one of Amazon's. */
static const char *platform_of(const struct evidence *evidence)
{
    static const char *const homes[][2] = {
        {"istio", "kubernetes"},         {"consul", "kubernetes"},   {"kuma", "kubernetes"},
        {"contour", "kubernetes"},       {"gloo", "kubernetes"},     {"cilium", "kubernetes"},
        {"envoy-gateway", "kubernetes"}, {"service-connect", "ecs"}, {"appmesh", "aws"}};
    static const char *const own[] = {"kubernetes", "ecs", "docker"};
    char buf[32];
    const char *platform = fact(evidence, "platform", buf);
    for (size_t i = 0; platform && i < ARRAY_LEN(own); i++)
        if (strcmp(platform, own[i]) == 0)
            return own[i];
    const char *mesh = fact(evidence, "mesh", buf);
    for (size_t i = 0; mesh && i < ARRAY_LEN(homes); i++)
        if (strcmp(mesh, homes[i][0]) == 0)
            return homes[i][1];
    return NULL;
}

const char *ways_fact(const struct evidence *evidence, const char *name, char buf[32])
{
    if (strcmp(name, "platform") == 0) {
        const char *platform = platform_of(evidence);
        return str_equal(platform, "aws") ? NULL : platform;
    }
    return strcmp(name, "mesh") == 0 || strcmp(name, "mode") == 0 ? fact(evidence, name, buf)
                                                                  : NULL;
}

/* ---- the address of the admin page ---- */

static const char *usual_address(const struct evidence *evidence)
{
    static const char *const usual[][2] = {
        {"istio", "127.0.0.1:15000"},         {"consul", "127.0.0.1:19000"},
        {"envoy-gateway", "127.0.0.1:19000"}, {"contour", "127.0.0.1:9001"},
        {"gloo", "127.0.0.1:19000"},
    };
    char buf[32];
    const char *mesh = fact(evidence, "mesh", buf);
    for (size_t i = 0; mesh && i < ARRAY_LEN(usual); i++)
        if (strcmp(mesh, usual[i][0]) == 0)
            return usual[i][1];
    return "127.0.0.1:9901";
}

/* Where the bootstrap lets it listen; NULL. */
static const char *configured_address(const struct evidence *evidence)
{
    char buf[32];
    const struct record *at = NULL;
    while (evidence && (at = evidence_next(evidence, "bootstrap", at))) {
        const char *address = record_text(at, "admin_address", buf);
        if (address)
            return address;
    }
    return NULL;
}

/* "http://127.0.0.1:9901" that the pages were got from, into OUT; false when nobody asked one. An index that
 * came with a bundle may say anything: only what an address is made of is taken. */
static bool asked_address(const struct evidence *evidence, char *out, size_t cap)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ".:[]-_";
    const struct sources *sources = evidence ? evidence_sources(evidence) : NULL;
    for (size_t i = 0; sources && i < sources->len; i++) {
        const struct source *source = &sources->items[i];
        const char *origin = source->origin ? source->origin : "", *at = strstr(origin, "://");
        bool http = str_starts(origin, "http://") || str_starts(origin, "https://");
        size_t len = http && at ? strspn(at + 3, letters) : 0;
        size_t all = len ? (size_t)(at + 3 - origin) + len : 0;
        if (!len || origin[all] != '/' || all >= cap || !str_starts(source->name, "admin/"))
            continue;
        snprintf(out, cap, "%.*s", (int)all, origin);
        return true;
    }
    return false;
}

static void add_address(struct buf *out, const char *address)
{
    static const char *const wildcards[] = {"0.0.0.0:", "[::]:"};
    if (strstr(address, "://")) { /* it was asked by that name */
        buf_adds(out, address);
        return;
    }
    if (str_starts(address, "unix:")) {
        buf_addf(out, "--unix-socket %s http://localhost", address + strlen("unix:"));
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(wildcards); i++)
        if (str_starts(address, wildcards[i])) {
            buf_addf(out, "http://127.0.0.1:%s", address + strlen(wildcards[i]));
            return;
        }
    buf_addf(out, "http://%s", address);
}

/* ---- tokens ---- */

static const char *way_of(const char *token, size_t len, const char *platform)
{
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        bool same = strlen(ways[i].token) == len && strncmp(ways[i].token, token, len) == 0;
        if (same && (!ways[i].platform || str_equal(ways[i].platform, platform)))
            return ways[i].text;
    }
    return NULL;
}

/* Of a proxy whose address nobody knows it is said what address that is, unless options follow. */
static void add_debrief(struct buf *out, const char *address, const char *rest)
{
    buf_adds(out, "debrief check ");
    if (!address)
        buf_adds(out, str_starts(rest, " -") ? "http://HOST:9901"
                                             : "http://HOST:9901 (the proxy's admin address)");
    else if (str_starts(address, "unix:"))
        buf_adds(out, address);
    else
        add_address(out, address);
}

/* "@log@", "@inside COMMAND@" at TEXT: how long it is, 0 when it is none; what stands there goes to OUT. */
static size_t add_token(struct buf *out, const char *text, const char *platform,
                        const char *address)
{
    const char *name = text + 1, *close = strchr(name, '@');
    size_t len = strcspn(name, " @");
    const char *way = close ? way_of(name, len, platform) : NULL;
    if (!way && close && str_starts(name, "debrief@")) {
        add_debrief(out, address, close + 1);
        return (size_t)(close - text) + 1;
    }
    if (!way)
        return 0;
    const char *argument = name[len] == ' ' ? name + len + 1 : close;
    const char *place = strstr(way, "%s");
    buf_add(out, way, place ? (size_t)(place - way) : strlen(way));
    if (place) {
        buf_add(out, argument, (size_t)(close - argument));
        buf_adds(out, place + 2);
    }
    return (size_t)(close - text) + 1;
}

/* ---- pages ---- */

/* Each ADMIN becomes the address; of a Unix socket, curl's option for it. */
static void fill_address(struct buf *out, const char *text, const char *address)
{
    for (const char *token; (token = strstr(text, ADMIN)); text = token + strlen(ADMIN)) {
        bool quoted = token > text && token[-1] == '\'' && str_starts(address, "unix:");
        buf_add(out, text, (size_t)(token - text) - quoted);
        add_address(out, address);
        if (quoted) /* the option stays outside of the quotes, the path goes back into them */
            buf_adds(out, "'");
    }
    buf_adds(out, text);
}

struct page { /* one "curl -s [-X POST] http://ADMIN/path" of a command */
    const char *method, *path;
    size_t path_len, len;
};

static bool page_at(const char *text, struct page *page)
{
    const char *at = text + strlen(CURL);
    if (!str_starts(text, CURL))
        return false;
    page->method = str_starts(at, "-X POST ") ? "POST" : "GET";
    at += *page->method == 'P' ? strlen("-X POST ") : 0;
    bool quoted = *at == '\'';
    at += quoted;
    if (!str_starts(at, ADMIN "/"))
        return false;
    page->path = at + strlen(ADMIN "/");
    page->path_len = strcspn(page->path, quoted ? "'" : " ,;)");
    page->len = (size_t)(page->path + page->path_len - text) + quoted;
    return !quoted || page->path[page->path_len] == '\'';
}

/* How the page is reached from outside of the pod or task; NULL: as it is, or nobody can tell. */
static const char *reach_of(const struct evidence *evidence, const char *address)
{
    char buf[32];
    const char *mesh = fact(evidence, "mesh", buf), *platform = platform_of(evidence);
    if (str_equal(mesh, "istio") && str_equal(platform, "kubernetes"))
        return "pilot-agent";
    if (str_starts(address, "unix:") || str_equal(mesh, "service-connect"))
        return NULL;
    if (str_equal(platform, "kubernetes"))
        return str_equal(mesh, "appmesh") ? "exec" : "forward";
    return str_equal(platform, "ecs") ? "ecs" : NULL;
}

static const char *port_of(const char *address)
{
    const char *colon = strrchr(address, ':');
    return colon ? colon + 1 : "9901";
}

static void add_page(struct buf *out, const struct page *page, const char *reach,
                     const char *address)
{
    char url[COMMAND_MAX];
    const char *post = *page->method == 'P' ? "-X POST " : "";
    snprintf(url, sizeof url, "http://127.0.0.1:%s/%.*s", port_of(address), (int)page->path_len,
             page->path);
    if (strcmp(reach, "pilot-agent") == 0)
        buf_addf(out, "kubectl exec POD -c CONTAINER -- pilot-agent request %s '%.*s'",
                 page->method, (int)page->path_len, page->path);
    else if (strcmp(reach, "exec") == 0)
        buf_addf(out, "kubectl exec POD -c CONTAINER -- curl -s %s'%s'", post, url);
    else if (strcmp(reach, "ecs") == 0)
        buf_addf(out,
                 "aws ecs execute-command --cluster CLUSTERNAME --task TASK --container CONTAINER "
                 "--interactive --command \"curl -s %s'%s'\"",
                 post, url);
    else
        buf_addf(out, "curl -s %s'%s'", post, url);
}

/* A port is forwarded once for all the pages of a command. */
static void fill_pages(struct buf *out, const char *text, const char *reach, const char *address)
{
    bool forwarded = strcmp(reach, "forward") != 0;
    while (*text) {
        struct page page;
        if (!page_at(text, &page)) {
            buf_addch(out, *text++);
            continue;
        }
        if (!forwarded)
            buf_addf(out, "kubectl port-forward POD %s & sleep 2; ", port_of(address));
        forwarded = true;
        add_page(out, &page, reach, address);
        text += page.len;
    }
}

/* ---- all of it ---- */

void ways_fill(struct buf *out, const char *text, const struct evidence *evidence,
               const struct names *names)
{
    struct buf tokens, pages, addressed;
    char asked[ADDRESS_MAX];
    const char *platform = platform_of(evidence), *known = configured_address(evidence);
    const char *reach = reach_of(evidence, known ? known : usual_address(evidence));
    if (!reach && asked_address(evidence, asked, sizeof asked))
        known = asked;
    const char *address = known ? known : usual_address(evidence);
    buf_init(&tokens, TEXT_MAX);
    buf_init(&pages, TEXT_MAX);
    buf_init(&addressed, TEXT_MAX);
    while (*text) {
        size_t len = *text == '@' ? add_token(&tokens, text, platform, known) : 0;
        if (!len)
            buf_addch(&tokens, *text);
        text += len ? len : 1;
    }
    if (reach)
        fill_pages(&pages, buf_str(&tokens), reach, address);
    fill_address(&addressed, buf_str(reach ? &pages : &tokens), address);
    names_fill(out, buf_str(&addressed), names);
    buf_release(&tokens);
    buf_release(&pages);
    buf_release(&addressed);
}

/* ---- the dictionary's alternatives ---- */

#define EITHER "; or: "
#define OR     ", or "

static bool fits(const char *way, const char *platform)
{
    static const char *const tools[][3] = {{"kubectl ", "kubernetes", "aws"},
                                           {"aws ecs ", "ecs", "aws"},
                                           {"aws logs ", "ecs", "aws"},
                                           {"docker ", "docker", "docker"}};
    for (size_t i = 0; platform && i < ARRAY_LEN(tools); i++)
        if (str_starts(way, tools[i][0]))
            return strcmp(platform, tools[i][1]) == 0 || strcmp(platform, tools[i][2]) == 0;
    return true;
}

/* Appends the alternatives of WAY that fit, which stand between commas; whether there was any. */
static bool add_fitting(struct buf *out, char *way, const char *platform, const char *lead)
{
    bool any = false;
    while (way) {
        char *next = strstr(way, OR);
        if (next)
            *next = '\0';
        if (fits(way, platform)) {
            buf_addf(out, "%s%s", any ? OR : lead, way);
            any = true;
        }
        way = next ? next + strlen(OR) : NULL;
    }
    return any;
}

static bool is_asked_of_platform(const char *how)
{
    static const char *const starts[] = {"kubectl ", "aws ", "@log@", "@definition@", "@status@"};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (str_starts(how, starts[i]))
            return true;
    return false;
}

/* Whether it is known of which pod or task debrief could ask everything by itself. */
static bool can_ask(const char *platform, const struct names *names)
{
    bool pod = str_equal(platform, "kubernetes") && names->text[NAME_POD][0];
    return pod || (str_equal(platform, "ecs") && names->text[NAME_TASK][0]);
}

void ways_fit(struct buf *out, const char *how, const struct evidence *evidence,
              const struct names *names)
{
    struct buf fitting;
    const char *platform = platform_of(evidence);
    char *copy = xstrdup(how), *way = copy;
    buf_init(&fitting, TEXT_MAX);
    if (is_asked_of_platform(how) && can_ask(platform, names))
        buf_adds(&fitting, "@debrief@");
    while (way) {
        char *end = strstr(way, EITHER);
        if (end)
            *end = '\0';
        add_fitting(&fitting, way, platform, fitting.len ? EITHER : "");
        way = end ? end + strlen(EITHER) : NULL;
    }
    ways_fill(out, fitting.len ? buf_str(&fitting) : how, evidence, names);
    buf_release(&fitting);
    free(copy);
}

char *ways_text(const char *how)
{
    struct buf text;
    struct names names;
    buf_init(&text, TEXT_MAX);
    names_find(&names, NULL);
    ways_fill(&text, how, NULL, &names);
    char *copy = xstrdup(buf_str(&text));
    buf_release(&text);
    return copy;
}
