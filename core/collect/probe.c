/* Collect: active probes. Reads the plan that the evidence gives, runs each probe in a child at
 * the same time, in the network namespace of the Envoy that --host found, and adds what each says
 * as a source. Deliberately short of patience, and of places: each address once, at most
 * PROBES_MAX. */
#include "collect/probe.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "collect/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROBE_MS = 12000, STEP_MS = 4000, SPARE_MS = 700, TICK_MS = 20 };

char *probe_text(const struct probe *probe)
{
    char host[PROBE_HOST_MAX + 2];
    struct buf text;
    buf_init(&text, 4096);
    probe_host_text(probe->host, host);
    if (!probe_is_address(probe->host))
        buf_addf(&text, "DNS A, AAAA %s; ", probe->host);
    buf_addf(&text, "TCP connect %s:%d", host, probe->port);
    if (probe->tls)
        buf_addf(&text, "; TLS handshake%s%s%s", probe_is_address(probe->host) ? "" : " (SNI ",
                 probe_is_address(probe->host) ? "" : probe->host,
                 probe_is_address(probe->host) ? "" : ")");
    if (*probe->path)
        buf_addf(&text, "; GET %s, Host: %s:%d, User-Agent: %s", probe->path, host, probe->port,
                 probe->agent);
    return buf_take(&text);
}

/* ---- one probe, in its own process ---- */

struct run {
    const struct probe *probe;
    const char *root;
    int64_t until;
    cJSON *answer;
    struct probe_dns dns;
};

static int64_t step_end(const struct run *run)
{
    int64_t end = clock_monotonic() + STEP_MS * (CLOCK_SECOND / 1000);
    return end < run->until ? end : run->until;
}

static double since_ms(int64_t begin)
{
    return (double)((clock_monotonic() - begin) / (CLOCK_SECOND / 1000));
}

static void put_text(cJSON *object, const char *name, const char *value)
{
    char text[1024];
    if (!value || !*value)
        return;
    str_to_utf8(text, sizeof text, value, strlen(value));
    json_put_str(object, name, text);
}

static bool resolve(struct run *run)
{
    struct probe_dns *dns = &run->dns;
    if (probe_is_address(run->probe->host)) {
        *dns = (struct probe_dns){.len = 1};
        snprintf(dns->addresses[0], sizeof *dns->addresses, "%.63s", run->probe->host);
        return true;
    }
    int64_t begin = clock_monotonic();
    probe_resolve(dns, run->probe->host, run->root, step_end(run));
    cJSON *step = json_put_object(run->answer, "dns");
    json_put_str(step, "name", run->probe->host);
    put_text(step, "server", dns->server);
    json_put_str(step, "status", dns->status);
    cJSON *addresses = json_put_array(step, "addresses");
    for (size_t i = 0; i < dns->len; i++)
        cJSON_AddItemToArray(addresses, cJSON_CreateString(dns->addresses[i]));
    if (dns->ttl >= 0)
        json_put_num(step, "ttl", (double)dns->ttl);
    put_text(step, "error", dns->error);
    json_put_num(step, "ms", since_ms(begin));
    return dns->len;
}

static int connect_one(struct run *run, size_t *chosen)
{
    cJSON *steps = json_put_array(run->answer, "connect");
    int fd = -1;
    for (size_t i = 0; i < run->dns.len && fd < 0 && clock_monotonic() < run->until; i++) {
        const char *result;
        char error[PROBE_TEXT_MAX];
        int64_t begin = clock_monotonic();
        fd = probe_connect(run->dns.addresses[i], run->probe->port, step_end(run), &result, error);
        cJSON *step = cJSON_CreateObject();
        json_put_str(step, "address", run->dns.addresses[i]);
        json_put_str(step, "result", result);
        put_text(step, "error", error);
        json_put_num(step, "ms", since_ms(begin));
        cJSON_AddItemToArray(steps, step);
        *chosen = i;
    }
    return fd;
}

static void put_tls(struct run *run, const struct probe_tls *tls, const char *address, double ms)
{
    cJSON *step = json_put_object(run->answer, "tls");
    json_put_str(step, "address", address);
    json_put_str(step, "result", tls->ok ? "ok" : "failed");
    put_text(step, "error", tls->error);
    if (tls->pem.len) {
        json_put_num(step, "verify_code", (double)tls->verify);
        put_text(step, "verify_error",
                 tls->verify ? X509_verify_cert_error_string(tls->verify) : NULL);
    }
    put_text(step, "version", tls->version);
    put_text(step, "alpn", tls->alpn);
    json_put_bool(step, "client_certificate", tls->client_certificate);
    if (tls->pem.len)
        json_put_str(step, "chain", buf_str(&tls->pem));
    json_put_num(step, "ms", ms);
}

static void put_http(struct run *run, const struct probe_http *http, double ms)
{
    char host[PROBE_HOST_MAX + 2];
    const struct probe *probe = run->probe;
    probe_host_text(probe->host, host);
    cJSON *step = json_put_object(run->answer, "http");
    char *place = xasprintf("%s:%d", host, probe->port);
    char *url = xasprintf("http%s://%s%s", probe->tls ? "s" : "", place, probe->path);
    json_put_str(step, "url", url);
    json_put_str(step, "method", "GET");
    json_put_str(step, "host_header", place);
    json_put_str(step, "user_agent", probe->agent);
    json_put_str(step, "result", http->result);
    if (http->status)
        json_put_num(step, "status", http->status);
    put_text(step, "location", http->location);
    put_text(step, "server", http->server);
    put_text(step, "error", http->error);
    json_put_num(step, "ms", ms);
    free(url);
    free(place);
}

/* The step that failed, NULL when none did. */
static const char *walk(struct run *run)
{
    struct probe_tls tls = {0};
    struct probe_http http = {.result = "ok"};
    size_t chosen = 0;
    if (!resolve(run))
        return "dns";
    int fd = connect_one(run, &chosen);
    if (fd < 0)
        return "connect";
    int64_t begin = clock_monotonic();
    if (run->probe->tls) {
        probe_handshake(&tls, fd, run->probe, step_end(run));
        put_tls(run, &tls, run->dns.addresses[chosen], since_ms(begin));
    }
    bool fine = !run->probe->tls || tls.ok;
    begin = clock_monotonic();
    if (fine && *run->probe->path) {
        probe_get(&http, fd, tls.ssl, run->probe, step_end(run));
        put_http(run, &http, since_ms(begin));
    }
    if (run->probe->tls)
        probe_tls_release(&tls);
    close(fd);
    return !fine ? "tls" : str_equal(http.result, "ok") ? NULL : "http";
}

cJSON *probe_run(const struct probe *probe, const char *from, const char *root, int64_t until)
{
    struct run run = {.probe = probe, .root = root, .until = until, .answer = cJSON_CreateObject()};
    char *sent = probe_text(probe);
    json_put_str(run.answer, "schema", "debrief.probe/1");
    json_put_str(run.answer, "host", probe->host);
    json_put_num(run.answer, "port", probe->port);
    json_put_str(run.answer, "asked_by", probe->why);
    json_put_str(run.answer, "from", from);
    json_put_str(run.answer, "sent", sent);
    json_put_str(run.answer, "failed", walk(&run));
    free(sent);
    return run.answer;
}

/* ---- all of them ---- */

struct job {
    pid_t child;
    char *name, *path;
};

static _Noreturn void be_probe(const struct probe *probe, const struct host_place *place,
                               const char *path, int64_t until)
{
    char from[96] = "this machine", root[64];
    struct buf text;
    buf_init(&text, 1 << 20);
    signal(SIGPIPE, SIG_IGN);
    snprintf(root, sizeof root, "%s/root", place->dir);
    if (place->apart) {
        snprintf(from, sizeof from, "the network namespace of process %ld", (long)place->pid);
        if (!host_enter(place)) {
            fprintf(stderr, "cannot enter %s: %s\n", from, strerror(errno));
            _exit(1);
        }
    }
    cJSON *answer = probe_run(probe, from, root, until);
    json_write(&text, answer, true);
    buf_addch(&text, '\n');
    char *draft = xasprintf("%s.part", path);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool kept = fd >= 0 && collection_write(fd, text.data, text.len) && rename(draft, path) == 0;
    _exit(!kept);
}

static void start(struct job *job, struct collection *collection, const struct probe *probe,
                  const struct host_place *place, int64_t until)
{
    job->name = xasprintf("probe/%s_%d.json", probe->host, probe->port);
    for (char *at = job->name + 6; *at; at++)
        if (*at == ':' || *at == '/')
            *at = '_';
    job->path = collection_path(collection, job->name);
    fflush(stdout);
    fflush(stderr);
    job->child = fork();
    if (job->child == 0)
        be_probe(probe, place, job->path, until);
}

static void await(struct job *job, int64_t until)
{
    int status;
    while (job->child > 0 && waitpid(job->child, &status, WNOHANG) == 0) {
        struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
        if (clock_monotonic() >= until)
            kill(job->child, SIGKILL);
        nanosleep(&tick, NULL);
    }
}

static void keep(struct job *job, struct collection *collection, const struct probe *probe)
{
    char *sent = probe_text(probe);
    size_t len;
    char *text = host_slurp(job->path, &len);
    if (text) {
        struct source *source = collection_add(collection, job->name, sent);
        source->path = arena_strdup(collection->bundle.sources.arena, job->path);
        source->size = len;
        source->complete = true;
    } else {
        collection_missing(collection, job->name, sent, "the probe came to no end in its time");
    }
    free(text);
    free(sent);
    free(job->name);
    free(job->path);
}

static bool is_here(const struct target *target)
{
    return target->kind == TARGET_HOST || target->kind == TARGET_UNIX || target->host ||
           (target->kind == TARGET_ADMIN &&
            (strstr(target->address, "://127.") || strstr(target->address, "://localhost") ||
             strstr(target->address, "://[::1]")));
}

void probe_collect(struct collection *collection)
{
    const struct target *target = collection->target;
    struct probe_plan plan;
    struct host_place place;
    struct job jobs[PROBES_MAX];
    struct err err = ERR_INIT;
    bool host = target->host || target->kind == TARGET_HOST;
    if (!host || !host_place_of(&place, target, &err))
        host_place_init(&place, 0);
    probe_plan_make(&plan, target, &collection->bundle.sources, is_here(target));
    if (!plan.len)
        collection_missing(
            collection, "probe/none", "--probe",
            "the evidence names no place to probe: no bootstrap, App Mesh variables, "
            "targets of a load balancer or readiness probes are in it");
    int64_t spare = SPARE_MS * (CLOCK_SECOND / 1000); /* to write down what came of it */
    int64_t until = clock_monotonic() + PROBE_MS * (CLOCK_SECOND / 1000);
    if (until > collection->deadline - spare)
        until = collection->deadline - spare;
    for (size_t i = 0; i < plan.len; i++)
        start(&jobs[i], collection, &plan.items[i], &place, until);
    for (size_t i = 0; i < plan.len; i++)
        await(&jobs[i], until + spare);
    for (size_t i = 0; i < plan.len; i++)
        keep(&jobs[i], collection, &plan.items[i]);
    if (plan.left_out)
        collection_missing(collection, "probe/further", "--probe",
                           "at most %d places are probed; %zu were left out", PROBES_MAX,
                           plan.left_out);
}

/* ---- the dry run ---- */

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

/* What lies on this machine may be read to tell; what would have to be asked for may not. */
static bool dry_run_files(const struct target *target)
{
    char dir[] = "/tmp/debrief-XXXXXX";
    struct probe_plan plan;
    const struct collect_options options = {0};
    struct collection collection = {
        .target = target, .options = &options, .deadline = clock_monotonic() + 10 * CLOCK_SECOND};
    bool files = target->kind == TARGET_FILES || target->kind == TARGET_DIRECTORY ||
                 target->kind == TARGET_ARCHIVE;
    for (size_t i = 0; i < target->evidence_len; i++) /* standard input can be read but once */
        files = files && strcmp(target->evidence[i], "-") != 0;
    if (!files || !mkdtemp(dir))
        return false;
    bundle_init(&collection.bundle, dir, target->name);
    if (target->kind != TARGET_FILES)
        files_collect_target(&collection);
    for (size_t i = 0; i < target->evidence_len; i++)
        files_collect(&collection, target->evidence[i]);
    probe_plan_make(&plan, target, &collection.bundle.sources, is_here(target));
    for (size_t i = 0; i < plan.len; i++) {
        char *sent = probe_text(&plan.items[i]);
        printf("probe %s\n", sent);
        free(sent);
    }
    bundle_release(&collection.bundle);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return true;
}

void probe_dry_run(const struct target *target)
{
    static const char *const lines[] = {
        "then, of what the evidence names, at most 8 places, each once:",
        "probe <management server>: DNS A, AAAA; TCP connect; TLS handshake (SNI, ALPN h2) where "
        "TLS is used",
        "probe <admin address>: TCP connect; GET /ready",
        "probe <target of a load balancer>: TCP connect; TLS handshake for HTTPS; GET <health "
        "check path>, User-Agent: ELB-HealthChecker/2.0",
        "probe <pod>: TCP connect; GET <readiness path>"};
    if (dry_run_files(target))
        return;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        puts(lines[i]);
}
