/* log_events.c: what real lines say, in every shape they were printed in; and the table against the
 * dictionary: every event of the log reader has a row, every field a column. */
#include "scanned.h"

#include "base/regex.h"
#include "base/str.h"
#include "evidence/dictionary.h"

#define E(level, logger) "[2026-11-21 08:00:00.123][12][" level "][" logger "] [source/a/b.cc:1] "
#define W                E("warning", "config")

/* One line, the only event it makes ("" for none), and its fields as "name=value", NULL at the end. A
 * field of "-" must not be known. */
struct row {
    const char *line, *event, *fields[12];
};

static const struct row rows[] = {
    /* an xDS stream closed */
    {"[2018-08-01 17:37:09.690][1][warning][upstream] source/common/config/grpc_mux_impl.cc:205] "
     "gRPC "
     "config stream closed: 13,",
     "log.xds_closed",
     {"code=13", "rest=", "method=-", "peer=-", "since=-", "level=warning", "logger=upstream"}},
    {W "StreamAggregatedResources gRPC config stream closed: 16, Missing Authentication Token",
     "log.xds_closed",
     {"code=16", "rest=Missing Authentication Token", "method=StreamAggregatedResources"}},
    {W "StreamAggregatedResources gRPC config stream closed since 31s ago: 14, no healthy upstream",
     "log.xds_closed",
     {"code=14", "since=31", "rest=no healthy upstream", "peer=-"}},
    {W "StreamAggregatedResources gRPC config stream closed: 14, a (previously 8, b since 54s ago)",
     "log.xds_closed",
     {"code=14", "rest=a (previously 8, b since 54s ago)"}},
    {W "StreamAggregatedResources gRPC config stream to "
       "appmesh-envoy-management.us-west-2.amazonaws.com:443 closed: 13, ",
     "log.xds_closed",
     {"peer=appmesh-envoy-management.us-west-2.amazonaws.com:443", "code=13", "rest="}},
    {W
     "DeltaVirtualHosts gRPC config stream to xds_cluster closed since 105s ago: 8, grpc: received "
     "message larger than max (21173076 vs. 4194304)",
     "log.xds_closed",
     {"method=DeltaVirtualHosts", "peer=xds_cluster", "since=105", "code=8",
      "rest=grpc: received message larger than max (21173076 vs. 4194304)"}},
    {W "StreamAggregatedResources gRPC config stream to unix:///var/run/ecs/relay/envoy_xds.sock "
       "closed: "
       "7, Unauthorized to perform ecs:Poll",
     "log.xds_closed",
     {"peer=unix:///var/run/ecs/relay/envoy_xds.sock", "code=7"}},
    {W "StreamAggregatedResources gRPC config stream to m closed: 13, "
       "upstream_reset_after_response_started{connection_termination}",
     "log.xds_closed",
     {"code=13", "rest=upstream_reset_after_response_started{connection_termination}"}},
    {W "StreamSecrets gRPC config stream to sds-grpc closed: -1, x", "log.xds_closed", {"code=-1"}},
    {"[2024-01-01 00:00:00.000][1][info][upstream] [source/common/upstream/cds_api_helper.cc:32] "
     "cds: added/updated 3 cluster(s) (skipped 1 unmodified cluster(s)); removed 0 cluster(s)",
     "log.xds_answered",
     {"type=cds", "clusters=3", "listener=-"}},
    {"cds: add 12 cluster(s), remove 2 cluster(s)", "log.xds_answered", {"clusters=12"}},
    {"cds: response indicates 3 added/updated cluster(s), 0 removed cluster(s); applying changes",
     "log.xds_answered",
     {"type=cds", "clusters=-"}},
    {"lds: add/update listener 'ingress 1'",
     "log.xds_answered",
     {"type=lds", "listener=ingress 1"}},
    {"connected to delta upstream XDS server: istiod:15012", "log.xds_answered", {"type=-"}},
    {"gRPC config stream closed: 7", "log.xds_closed", {"code=7", "origin=text", "level=-"}},
    {"the gRPC config stream closed: 1", "log.xds_closed", {"code=1", "method=-"}},
    {"2024-08-23T22:48:11.573554Z\twarning\tenvoy config "
     "external/envoy/source/x/grpc_stream.h:155\t"
     "DeltaAggregatedResources gRPC config stream to xds-grpc closed: 2, EOF\tthread=19",
     "log.xds_closed",
     {"code=2", "rest=EOF", "peer=xds-grpc", "origin=envoy", "logger=config"}},
    {"> StreamAggregatedResources gRPC config stream to xds_cluster closed: Connection refused",
     "",
     {NULL}},
    {E("debug", "config") "Intentionally closing the gRPC stream to m", "", {NULL}},

    /* refused configuration; no answer and failures are something else */
    {W "gRPC config for type.googleapis.com/envoy.config.cluster.v3.Cluster rejected: Error "
       "adding/updating cluster(s) a: b",
     "log.config_rejected",
     {"type_url=type.googleapis.com/envoy.config.cluster.v3.Cluster",
      "rest=Error adding/updating cluster(s) a: b"}},
    {W "gRPC config for type.googleapis.com/envoy.api.v2.Cluster update rejected: x",
     "log.config_rejected",
     {"type_url=type.googleapis.com/envoy.api.v2.Cluster", "rest=x"}},
    {W "delta config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: x",
     "log.config_rejected",
     {"type_url=type.googleapis.com/envoy.config.listener.v3.Listener"}},
    {W "Config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: x",
     "log.config_rejected",
     {"type_url=type.googleapis.com/envoy.config.listener.v3.Listener"}},
    {W "REST config for /v3/discovery:clusters rejected: x",
     "log.config_rejected",
     {"type_url=/v3/discovery:clusters", "rest=x"}},
    {W "Filesystem config update rejected: x", "log.config_rejected", {"type_url=-", "rest=x"}},
    {W "Filesystem config update failure: x", "log.config_rejected", {"type_url=-", "rest=x"}},
    {W "Filesystem config update failure: in /etc/lds.yaml, x",
     "log.config_rejected",
     {"type_url=/etc/lds.yaml", "rest=x"}},
    {W "lds: listener 'a' config rejected: x", "", {NULL}},
    {W "gRPC update for type.googleapis.com/envoy.config.listener.v3.Listener failed", "", {NULL}},
    {W "REST config update failed: x", "", {NULL}},
    {W
     "gRPC config: initial fetch timed out for type.googleapis.com/envoy.config.cluster.v3.Cluster",
     "log.fetch_timeout",
     {"type_url=type.googleapis.com/envoy.config.cluster.v3.Cluster"}},
    {W "REST config: initial fetch timeout for /v2/discovery:clusters",
     "log.fetch_timeout",
     {"type_url=/v2/discovery:clusters"}},
    {W "delta config: initial fetch timed out for x", "log.fetch_timeout", {"type_url=x"}},

    /* sockets */
    {E("error", "config") "listener 'a' failed to bind or apply socket options: cannot bind "
                          "'0.0.0.0:80': Permission denied",
     "log.bind_failed",
     {"address=0.0.0.0:80", "strerror=Permission denied"}},
    {W "x: cannot bind '[::1]:10000': Cannot assign requested address\tthread=20",
     "log.bind_failed",
     {"address=[::1]:10000", "strerror=Cannot assign requested address"}},
    {"envoy cannot bind '0.0.0.0:80': Permission denied",
     "log.bind_failed",
     {"address=0.0.0.0:80"}},

    /* starting and stopping */
    {E("info", "main") "initializing epoch 0 (base id=0, hot restart version=11.104)",
     "log.start",
     {"step=initializing epoch"}},
    {E("info", "main") "starting main dispatch loop",
     "log.start",
     {"step=starting main dispatch loop"}},
    {E("info", "upstream") "cm init: initializing cds", "log.cm_init", {"phase=initializing cds"}},
    {E("info", "upstream") "cm init: all clusters initialized",
     "log.cm_init",
     {"phase=all clusters initialized"}},
    {E("info", "main") "all clusters initialized. initializing init manager", "", {NULL}},
    {E("info", "config") "all dependencies initialized. starting workers",
     "log.workers_started",
     {NULL}},
    {E("warning", "main") "caught ENVOY_SIGTERM", "log.stop", {"step=caught ENVOY_SIGTERM"}},
    {E("warning", "main") "caught SIGTERM", "log.stop", {"step=caught SIGTERM"}},
    {E("warning", "main") "caught ENVOY_SIGUSR1", "", {NULL}},
    {E("info", "main") "shutting down server instance",
     "log.stop",
     {"step=shutting down server instance"}},
    {E("info", "main") "exiting", "log.stop", {"step=exiting"}},
    {E("info", "main") "exiting\r", "log.stop", {"step=exiting"}},
    {"2022-03-11T16:01:43.221304Z\tinfo\tenvoy main\texiting\tthread=22",
     "log.stop",
     {"step=exiting"}},
    {E("info", "main") "worker exiting dispatch loop", "", {NULL}},
    {E("critical",
       "main") "error initializing configuration '/etc/e.yaml': Unable to parse JSON as proto",
     "log.fatal",
     {"reason=Unable to parse JSON as proto"}},
    {E("critical", "main") "error `no such field: 'x'` initializing config '  /etc/e.yaml'",
     "log.fatal",
     {"reason=no such field: 'x'"}},

    /* the variables that App Mesh's agent prints */
    {"time=\"2022-12-10T11:24:48Z\" level=info msg=\"App Mesh Environment Variables: "
     "[APPMESH_PREVIEW=1 APPMESH_RESOURCE_ARN=mesh/m/virtualNode/n]\"",
     "log.variables",
     {"about=App Mesh", "list=APPMESH_PREVIEW=1 APPMESH_RESOURCE_ARN=mesh/m/virtualNode/n"}},

    /* TLS and credentials */
    {E("debug", "connection") "[C1] TLS error: 268435581:SSL routines:OPENSSL_internal:"
                              "CERTIFICATE_VERIFY_FAILED",
     "log.tls_error",
     {"error=CERTIFICATE_VERIFY_FAILED"}},
    {E("debug", "connection") "remote address:172.18.0.2:9443,TLS_error:|268435703:SSL "
                              "routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end",
     "log.tls_error",
     {"error=WRONG_VERSION_NUMBER"}},
    {E("debug",
       "pool") "{TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:"
               "verify_cert_failed:_x:TLS_error_end}",
     "log.tls_error",
     {"error=CERTIFICATE_VERIFY_FAILED", "rest=:verify_cert_failed:_x:TLS_error_end}"}},
    {E("debug", "connection") "TLS error: Secret is not supplied by SDS",
     "log.tls_error",
     {"error=Secret is not supplied by SDS"}},
    {E("error", "aws") "Could not retrieve credentials listing from the instance metadata",
     "log.aws_credentials",
     {"provider=instance metadata"}},
    {E("error", "aws") "Could not retrieve credentials listing from the EC2MetadataService",
     "log.aws_credentials",
     {"provider=EC2MetadataService"}},
    {E("error", "aws") "Could not load AWS credentials document from the task role",
     "log.aws_credentials",
     {"provider=task role"}},
    {E("error", "aws") "Could not load AWS credentials document from STS",
     "log.aws_credentials",
     {"provider=STS"}},
    {E("error", "aws") "No AWS credentials were found in the EC2MetadataService",
     "log.aws_credentials",
     {"provider=EC2MetadataService"}},
    {E("warning",
       "aws") "Failed to get token from EC2MetadataService, falling back to less secure way",
     "log.aws_credentials",
     {"provider=EC2MetadataService"}},
    {E("debug", "aws") "No AWS credentials found, using anonymous credentials",
     "log.aws_credentials",
     {"provider=anonymous credentials"}},
    {E("error", "aws") "Could not fetch AWS metadata: Couldn't connect to server",
     "log.aws_credentials",
     {"provider=AWS metadata"}},

    /* Istio's agent */
    {"2025-04-16T18:06:19.488430Z\twarn\tEnvoy proxy is NOT ready: config received from XDS "
     "server, but "
     "was rejected: cds updates: 1 successful, 0 rejected; lds updates: 0 successful, 2 rejected",
     "log.not_ready",
     {"why=config received from XDS server, but was rejected", "cds_ok=1", "cds_bad=0", "lds_ok=0",
      "lds_bad=2", "origin=istio"}},
    {"2025-04-16T18:06:19.488430Z\tinfo\tEnvoy proxy is NOT ready: config not received from Pilot "
     "(is "
     "Pilot running?): cds updates: 0 successful, 0 rejected; lds updates: 0 successful, 0 "
     "rejected",
     "log.not_ready",
     {"why=config not received from Pilot (is Pilot running?)", "cds_ok=0"}},
    {"2025-04-16T18:06:19.488430Z\twarn\tEnvoy proxy is NOT ready: workers have not yet started",
     "log.not_ready",
     {"why=workers have not yet started", "cds_ok=-"}},

    /* access logs; a health check that failed makes two events, see below */
    {"[2026-11-21T10:05:26.922Z] \"GET /a HTTP/1.1\" 503 UH 0 19 0 - \"10.0.0.1\" \"curl/8.5.0\" "
     "\"i\" "
     "\"shop\" \"-\"",
     "access.error",
     {"method=GET", "path=/a", "protocol=HTTP/1.1", "code=503", "flags=UH", "user_agent=curl/8.5.0",
      "authority=shop", "upstream=-", "origin=access",
      "rest=0 19 0 - \"10.0.0.1\" \"curl/8.5.0\" \"i\" "
      "\"shop\" \"-\""}},
    {"[2026-11-21T10:05:26.922Z] \"GET /a HTTP/2\" 404 - 0 19 0 3 \"-\" \"curl\" \"i\" \"shop\" "
     "\"10.0.0.7:80\"",
     "access.error",
     {"code=404", "flags=-", "upstream=10.0.0.7:80"}},
    {"[2026-11-21T10:05:26.922Z] \"GET /a HTTP/2\" 503 UF,URX "
     "upstream_reset_before_response_started{x} - "
     "\"TLS_error:_x\" 0 91 3 - \"-\" \"curl\" \"i\" \"shop\" \"10.0.0.7:80\" "
     "outbound|80||a - 10.0.0.1:80 10.0.0.2:1 - default",
     "access.error",
     {"code=503", "flags=UF,URX", "user_agent=curl", "authority=shop", "upstream=10.0.0.7:80"}},
    {"[2026-11-21T10:05:26.922Z] \"- - -\" 0 UF 0 0 3 - \"-\" \"-\" \"-\" \"-\" \"10.0.0.7:80\"",
     "access.error",
     {"protocol=-", "code=0", "flags=UF", "upstream=10.0.0.7:80"}},
    {"[2026-11-21T10:05:26.922Z] \"GET /a HTTP/1.1\" 0 DC 0 0 3 - \"-\" \"curl\" \"i\" \"shop\" "
     "\"-\"",
     "access.error",
     {"code=0", "flags=DC"}},
    {"[2026-11-21T10:05:26.922Z] \"GET /a HTTP/1.1\" 200 - 0 3 42 0 \"-\" \"curl\" \"i\" \"shop\" "
     "\"-\"",
     "",
     {NULL}},
    {"[2026-11-21T10:05:26.922Z] \"GET / HTTP/1.1\" 200 - 0 3 42 0 \"-\" \"kube-probe/1.29\" \"i\" "
     "\"10.0.0.1:80\" \"127.0.0.1:8080\"",
     "access.health_check",
     {"code=200", "flags=-", "user_agent=kube-probe/1.29", "authority=10.0.0.1:80"}},
    {"10.0.0.1 - - [21/Nov/2026:10:05:26 +0000] \"GET / HTTP/1.1\" 404 162 \"-\" \"curl/8.5.0\"",
     "",
     {NULL}},
    {"{\"authority\":\"shop\",\"method\":\"GET\",\"path\":\"/a\",\"protocol\":\"HTTP/1.1\","
     "\"response_code\":404,\"response_flags\":\"NR\",\"start_time\":\"2026-11-21T10:05:26.922Z\","
     "\"upstream_host\":\"-\",\"user_agent\":\"curl\"}",
     "access.error",
     {"method=GET", "path=/a", "protocol=HTTP/1.1", "code=404", "flags=NR", "authority=shop",
      "user_agent=curl"}},
    {"{\"response_code\":200,\"response_flags\":\"-\",\"user_agent\":\"GoogleHC/1.0\"}",
     "access.health_check",
     {"code=200", "user_agent=GoogleHC/1.0"}},
};

static void check_field(const struct scanned *scanned, const char *event, const char *field)
{
    char name[32];
    const char *value = strchr(field, '=') + 1;
    snprintf(name, sizeof name, "%.*s", (int)(value - field - 1), field);
    const char *found = scanned_field(scanned, event, 0, name);
    bool none = strcmp(value, "-") == 0 && strcmp(found, "(none)") == 0;
    if (!none)
        assert_string_equal(found, value);
}

static void lines_make_their_events(void **state)
{
    size_t len;
    const struct scan_pattern *patterns = scan_builtin(&len);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scanned scanned;
        print_message("%s\n", rows[i].line);
        scanned_text(&scanned, rows[i].line);
        for (size_t k = 0; k < len; k++)
            assert_int_equal(scanned_count(&scanned, patterns[k].event),
                             strcmp(patterns[k].event, rows[i].event) == 0);
        for (const char *const *field = rows[i].fields; *field; field++)
            check_field(&scanned, rows[i].event, *field);
        if (*rows[i].event)
            assert_int_equal(scanned_record(&scanned, rows[i].event, 0)->line, 1);
        scanned_release(&scanned);
    }
}

static void a_failed_health_check_is_both(void **state)
{
    struct scanned scanned;
    (void)state;
    scanned_text(&scanned,
                 "\"GET /healthz HTTP/1.1\" 404 NR 0 0 0 - \"192.168.X.X\" "
                 "\"ELB-HealthChecker/2.0\" \"382a-0c564fa906d6\" \"192.168.X.X\" \"-\"\n");
    for (int i = 0; i < 2; i++) {
        const char *event = i ? "access.error" : "access.health_check";
        assert_int_equal(scanned_count(&scanned, event), 1);
        assert_string_equal(scanned_field(&scanned, event, 0, "code"), "404");
        assert_string_equal(scanned_field(&scanned, event, 0, "flags"), "NR");
        assert_string_equal(scanned_field(&scanned, event, 0, "authority"), "192.168.X.X");
        assert_string_equal(scanned_field(&scanned, event, 0, "user_agent"),
                            "ELB-HealthChecker/2.0");
    }
    scanned_release(&scanned);
}

/* Envoy 1.40: the closing quote, and at last the reason, stand on lines of their own. */
static void the_end_at_start_up_takes_several_lines(void **state)
{
    struct scanned scanned;
    (void)state;
    scanned_text(
        &scanned,
        E("critical", "main") "error `cannot bind '127.0.0.1:9901': Address already in "
                              "use` initializing config 'goo.gle/debugonly\n"
                              "  /etc/envoy.json'\n" E(
                                  "info",
                                  "main") "exiting\n"
                                          "cannot bind '127.0.0.1:9901': Address already in use\n");
    assert_string_equal(scanned_field(&scanned, "log.fatal", 0, "reason"),
                        "cannot bind '127.0.0.1:9901': Address already in use");
    assert_string_equal(scanned_field(&scanned, "log.fatal", 0, "rest"),
                        "'goo.gle/debugonly\n  /etc/envoy.json'");
    assert_string_equal(scanned_field(&scanned, "log.stop", 0, "message"),
                        "exiting\ncannot bind '127.0.0.1:9901': Address already in use");
    assert_int_equal(scanned_count(&scanned, "log.bind_failed"), 2);
    scanned_release(&scanned);
    scanned_text(&scanned, E("critical", "main") "error `a\nb` initializing config '  /etc/e'\n");
    assert_string_equal(scanned_field(&scanned, "log.fatal", 0, "reason"), "(none)");
    assert_string_equal(scanned_field(&scanned, "log.fatal", 0, "message"),
                        "error `a\nb` initializing config '  /etc/e'");
    scanned_release(&scanned);
}

static bool has_column(const struct dictionary_column *columns, const char *name)
{
    for (; columns->name; columns++)
        if (strcmp(columns->name, name) == 0)
            return true;
    return false;
}

static bool has_group(const char *pattern, const char *name)
{
    struct err err = ERR_INIT;
    struct regex *regex = pattern ? regex_new(pattern, REGEX_MULTILINE, &err) : NULL;
    bool found = false;
    for (int i = 1; regex && i <= regex_groups(regex); i++)
        found |= regex_group_name(regex, i) && strcmp(regex_group_name(regex, i), name) == 0;
    assert_string_equal(err.text, "");
    regex_free(regex);
    return found;
}

static void check_groups(const struct scan_pattern *pattern, const char *text)
{
    const struct dictionary_row *row = dictionary_find(pattern->event);
    struct err err = ERR_INIT;
    struct regex *regex = regex_new(text, REGEX_MULTILINE, &err);
    assert_non_null(regex);
    for (int i = 1; i <= regex_groups(regex); i++) {
        assert_non_null(regex_group_name(regex, i));
        if (!has_column(row->columns, regex_group_name(regex, i)))
            fail_msg("'%s' has no column '%s'", pattern->event, regex_group_name(regex, i));
    }
    regex_free(regex);
}

static void every_group_is_a_column(void **state)
{
    size_t len;
    const struct scan_pattern *patterns = scan_builtin(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        assert_non_null(dictionary_find(patterns[i].event));
        check_groups(&patterns[i], patterns[i].pattern);
        if (patterns[i].fields)
            check_groups(&patterns[i], patterns[i].fields);
    }
}

static bool is_group_of(const char *event, const char *name)
{
    size_t len;
    const struct scan_pattern *patterns = scan_builtin(&len);
    bool found = false;
    for (size_t i = 0; i < len; i++)
        if (strcmp(patterns[i].event, event) == 0)
            found |= has_group(patterns[i].pattern, name) || has_group(patterns[i].fields, name);
    return found;
}

static bool has_pattern(const char *event)
{
    size_t len;
    const struct scan_pattern *patterns = scan_builtin(&len);
    for (size_t i = 0; i < len; i++)
        if (strcmp(patterns[i].event, event) == 0)
            return true;
    return false;
}

static void every_column_is_a_group(void **state)
{
    size_t len;
    const struct dictionary_row *const *all = dictionary_rows(&len);
    (void)state;
    for (size_t i = 0; i < len; i++) {
        if (!str_starts(all[i]->name, "log.") && !str_starts(all[i]->name, "access."))
            continue;
        if (!has_pattern(all[i]->name))
            fail_msg("nothing makes '%s'", all[i]->name);
        for (const struct dictionary_column *column = all[i]->columns; column->name; column++)
            if (!has_column(dictionary_event_columns(), column->name) &&
                !is_group_of(all[i]->name, column->name))
                fail_msg("no pattern of '%s' fills '%s'", all[i]->name, column->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_make_their_events),
        cmocka_unit_test(a_failed_health_check_is_both),
        cmocka_unit_test(the_end_at_start_up_takes_several_lines),
        cmocka_unit_test(every_group_is_a_column),
        cmocka_unit_test(every_column_is_a_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
