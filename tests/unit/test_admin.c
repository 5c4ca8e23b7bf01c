/* Asking an admin address: a small server plays Envoys, healthy, young, old, dying, and other
 * programs. Whatever it does, each page is a source with bytes or a reason. */
#include "collect/collect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "collect/admin.h"
#include "scratch.h"
#include "source/bundle.h"
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define INFO "{\"version\":\"abc/1.36.4/Clean/RELEASE/BoringSSL\",\"state\":\"LIVE\"}"

struct answer {
    const char *path;
    int status;
    const char *body;
    int promised; /* bytes that the header promises and the body lacks */
};

struct server {
    pid_t pid;
    int port;
    char *log; /* the requests that came, a line each */
};

/* ---- the server ---- */

static const struct answer *find_answer(const struct answer *answers, const char *path)
{
    while (answers->path && strcmp(answers->path, path) != 0)
        answers++;
    return answers; /* the last row, without a path, answers all else */
}

static bool answer_one(int fd, const struct answer *answers, FILE *log)
{
    char request[4096], path[512] = "";
    ssize_t got = read(fd, request, sizeof request - 1);
    if (got <= 0)
        return false;
    request[got] = '\0';
    if (sscanf(request, "GET %511s HTTP/1.1", path) != 1)
        _exit(3);
    fprintf(log, "%s%s\n", path, strstr(request, "User-Agent: debrief/") ? "" : " as another");
    fflush(log);
    const struct answer *answer = find_answer(answers, path);
    if (answer->status < 0) {
        pause(); /* no answer at all */
    }
    if (answer->status == 0)
        dprintf(fd, "%s", answer->body); /* no HTTP */
    else
        dprintf(fd, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s", answer->status,
                strlen(answer->body) + (size_t)answer->promised, answer->body);
    if (answer->promised)
        _exit(0); /* dies in the middle of it */
    return answer->status != 0;
}

static _Noreturn void serve(int listener, const struct answer *answers, const char *log_path)
{
    FILE *log = fopen(log_path, "w");
    alarm(60);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        while (fd >= 0 && answer_one(fd, answers, log))
            ;
        close(fd);
    }
}

static struct server start_on(int listener, const struct answer *answers)
{
    struct server server = {.log = scratch_path("requests")};
    free(scratch_write("requests", "", 0));
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (server.pid == 0)
        serve(listener, answers, server.log);
    close(listener);
    return server;
}

static struct server start(const struct answer *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    struct server server = start_on(listener, answers);
    server.port = ntohs(address.sin_port);
    return server;
}

/* Returns what was asked; the caller's to free. */
static char *stop(struct server *server)
{
    size_t len;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    char *log = scratch_read(server->log, &len);
    free(server->log);
    return log;
}

/* ---- the collector ---- */

static void collect(struct bundle *bundle, const char *argument,
                    const struct collect_options *options)
{
    static int number;
    struct targets targets;
    struct err err = ERR_INIT;
    char *copy = xstrdup(argument), *name = xasprintf("work-%d", number++);
    char *dir = scratch_path(name);
    mkdir(dir, 0700);
    targets_init(&targets);
    assert_true(targets_from_arguments(&targets, &copy, 1, &err));
    assert_true(collect_target(&targets.items[0], options, dir, &err));
    assert_true(bundle_open(bundle, dir, &err));
    targets_release(&targets);
    free(copy), free(name), free(dir);
}

static char *collect_from(struct bundle *bundle, const struct answer *answers,
                          const struct collect_options *options)
{
    static const struct collect_options defaults = {.timeout_ms = 20000};
    struct server server = start(answers);
    char *address = xasprintf("127.0.0.1:%d", server.port);
    collect(bundle, address, options ? options : &defaults);
    free(address);
    return stop(&server);
}

static const struct source *get(const struct bundle *bundle, const char *name)
{
    const struct source *source = sources_find(&bundle->sources, name);
    if (!source)
        fail_msg("no source '%s'", name);
    return source;
}

static void assert_text(const struct bundle *bundle, const char *name, const char *expected)
{
    size_t len;
    const struct source *source = get(bundle, name);
    assert_non_null(source->path);
    char *text = scratch_read(source->path, &len);
    assert_string_equal(text, expected);
    assert_int_equal(strlen(source->sha256), 64);
    free(text);
}

static void assert_problem(const struct bundle *bundle, const char *name, const char *needle)
{
    const struct source *source = get(bundle, name);
    assert_non_null(source->problems);
    if (!strstr(source->problems->text, needle))
        fail_msg("'%s' has the problem '%s'", name, source->problems->text);
    assert_false(source->complete);
}

/* ---- the tests ---- */

static void test_an_envoy(void **state)
{
    static const struct answer answers[] = {
        {"/server_info", 200, INFO, 0},
        {"/ready", 503, "PRE_INITIALIZING\n", 0},
        {"/certs", 403, "request to path /certs not allowed", 0},
        {"/init_dump", 404, "invalid path.", 0},
        {"/memory", 500, "oh", 0},
        {NULL, 200, "{}", 0}};
    struct bundle bundle;
    (void)state;
    /* A proxy in the environment must not be asked. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    char *asked = collect_from(&bundle, answers, NULL);
    unsetenv("http_proxy");
    assert_string_equal(asked, "/server_info\n/ready\n/stats\n/clusters?format=json\n"
                               "/listeners?format=json\n/certs\n/init_dump\n/memory\n"
                               "/config_dump\n");
    assert_text(&bundle, "admin/server_info.json", INFO);
    assert_text(&bundle, "admin/ready.txt", "PRE_INITIALIZING\n");
    assert_true(get(&bundle, "admin/ready.txt")->complete);
    assert_text(&bundle, "admin/config_dump.json", "{}");
    assert_problem(&bundle, "admin/certs.json", "does not allow the path (403");
    assert_problem(&bundle, "admin/memory.json", "answered with HTTP 500");
    assert_null(get(&bundle, "admin/memory.json")->path);
    assert_null(sources_find(&bundle.sources, "admin/init_dump.json"));
    bundle_release(&bundle);
    free(asked);
}

static bool wants_stats(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "admin/stats.txt") == 0;
}

static bool wants_runtime(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "admin/runtime.json") == 0;
}

static void test_only_what_is_wanted(void **state)
{
    static const struct answer answers[] = {{"/server_info", 200, INFO, 0}, {NULL, 200, "{}", 0}};
    static const struct collect_options stats = {.wanted = wants_stats},
                                        runtime = {.wanted = wants_runtime};
    struct bundle bundle;
    (void)state;
    char *asked = collect_from(&bundle, answers, &stats);
    assert_string_equal(asked, "/server_info\n/stats\n");
    bundle_release(&bundle);
    free(asked);
    asked = collect_from(&bundle, answers, &runtime);
    assert_string_equal(asked, "/server_info\n/runtime\n");
    bundle_release(&bundle);
    free(asked);
}

static void test_other_programs(void **state)
{
    static const struct answer html[] = {{NULL, 200, "<html></html>", 0}},
                               json[] = {{NULL, 200, "{\"name\":\"es\"}", 0}},
                               none[] = {{NULL, 404, "not here", 0}},
                               ssh[] = {{NULL, 0, "SSH-2.0-OpenSSH_9.2\r\n", 0}};
    static const struct {
        const struct answer *answers;
        const char *problem;
    } rows[] = {
        {html, "answers, but not as an Envoy admin address does (HTTP 200, an HTML or XML page)"},
        {json, "answers, but not as an Envoy admin address does (HTTP 200, JSON of another"},
        {none, "answers, but not as an Envoy admin address does (HTTP 404, text of another"},
        {ssh, "the answer is no HTTP/1.1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bundle bundle;
        char *asked = collect_from(&bundle, rows[i].answers, NULL);
        assert_string_equal(asked, "/server_info\n");
        assert_problem(&bundle, "admin/server_info.json", rows[i].problem);
        assert_problem(&bundle, "admin/config_dump.json", "not asked");
        assert_int_equal(bundle.sources.len, 9);
        for (size_t j = 0; j < bundle.sources.len; j++)
            assert_true(bundle.sources.items[j].missing);
        bundle_release(&bundle);
        free(asked);
    }
}

static void test_nobody_there(void **state)
{
    static const struct collect_options options;
    struct bundle bundle;
    (void)state;
    collect(&bundle, "127.0.0.1:1", &options);
    assert_problem(&bundle, "admin/server_info.json",
                   "cannot reach 'http://127.0.0.1:1': Connection refused");
    assert_problem(&bundle, "admin/stats.txt", "not asked: the address cannot be reached");
    bundle_release(&bundle);
}

static void test_no_answer_ends_in_time(void **state)
{
    static const struct answer answers[] = {{NULL, -1, "", 0}};
    static const struct collect_options options = {.timeout_ms = 400};
    struct bundle bundle;
    (void)state;
    int64_t start_time = clock_monotonic();
    char *asked = collect_from(&bundle, answers, &options);
    assert_true(clock_monotonic() - start_time < 5 * CLOCK_SECOND);
    assert_problem(&bundle, "admin/server_info.json",
                   "does not answer: the time limit was reached");
    bundle_release(&bundle);
    free(asked);
}

static void test_dies_in_the_middle(void **state)
{
    static const struct answer answers[] = {{"/server_info", 200, INFO, 0},
                                            {"/clusters?format=json", 200, "{\"cluster_st", 999},
                                            {NULL, 200, "{}", 0}};
    struct bundle bundle;
    (void)state;
    char *asked = collect_from(&bundle, answers, NULL);
    assert_text(&bundle, "admin/stats.txt", "{}");
    assert_text(&bundle, "admin/clusters.json", "{\"cluster_st");
    assert_problem(&bundle, "admin/clusters.json", "the answer ends early, after 12 bytes: ");
    assert_true(get(&bundle, "admin/listeners.json")->missing);
    assert_true(get(&bundle, "admin/config_dump.json")->missing);
    bundle_release(&bundle);
    free(asked);
}

static void test_a_dump_that_fails(void **state)
{
    static const struct answer answers[] = {
        {"/server_info", 200, INFO, 0},
        {"/config_dump", 200, "Failed to convert protobuf message to JSON string: x", 0},
        {"/config_dump?resource=dynamic_listeners&mask=name,error_state.details", 200, "{\"l\":1}",
         0},
        {"/config_dump?mask=bootstrap", 400, "no", 0},
        {"/config_dump?resource=dynamic_active_secrets", 404, "none", 0},
        {NULL, 200, "{}", 0}};
    struct bundle bundle;
    (void)state;
    char *asked = collect_from(&bundle, answers, NULL);
    assert_text(&bundle, "admin/config_dump.json",
                "Failed to convert protobuf message to JSON string: x");
    assert_text(&bundle, "admin/config_dump_listeners.json", "{\"l\":1}");
    assert_text(&bundle, "admin/config_dump_routes.json", "{}");
    assert_null(sources_find(&bundle.sources, "admin/config_dump_bootstrap.json"));
    assert_null(sources_find(&bundle.sources, "admin/config_dump_secrets.json"));
    bundle_release(&bundle);
    free(asked);
}

static void test_a_dump_that_would_harm(void **state)
{
    struct buf clusters;
    (void)state;
    buf_init(&clusters, 1 << 22);
    for (int i = 0; i <= ADMIN_CLUSTERS_MAX; i++)
        buf_addf(&clusters, "{\"name\":\"c%d\",\"observability_name\":\"c%d\"},\n", i, i);
    const struct answer answers[] = {{"/server_info", 200, INFO, 0},
                                     {"/clusters?format=json", 200, buf_str(&clusters), 0},
                                     {NULL, 200, "{}", 0}};
    struct bundle bundle;
    char *asked = collect_from(&bundle, answers, NULL);
    assert_null(strstr(asked, "/config_dump"));
    assert_problem(&bundle, "admin/config_dump.json", "not asked: with 5001 clusters");
    assert_false(get(&bundle, "admin/config_dump.json")->asked);
    bundle_release(&bundle);
    free(asked);
    buf_release(&clusters);
}

static void test_a_unix_socket(void **state)
{
    static const struct answer answers[] = {{"/server_info", 200, INFO, 0}, {NULL, 200, "{}", 0}};
    static const struct collect_options options;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct bundle bundle;
    char *path = scratch_path("envoy.sock"), *argument = xasprintf("unix:%s", path);
    (void)state;
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    struct server server = start_on(listener, answers);
    collect(&bundle, argument, &options);
    assert_text(&bundle, "admin/server_info.json", INFO);
    bundle_release(&bundle);
    collect(&bundle, path, &options); /* a socket is known by what it is, too */
    assert_text(&bundle, "admin/server_info.json", INFO);
    bundle_release(&bundle);
    free(stop(&server));
    free(path), free(argument);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_envoy),
        cmocka_unit_test(test_only_what_is_wanted),
        cmocka_unit_test(test_other_programs),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_no_answer_ends_in_time),
        cmocka_unit_test(test_dies_in_the_middle),
        cmocka_unit_test(test_a_dump_that_fails),
        cmocka_unit_test(test_a_dump_that_would_harm),
        cmocka_unit_test(test_a_unix_socket),
    };
    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
