/* Stage: read. Statistics in the Prometheus layout, given back the names that /stats prints: what Envoy
 * took out of a name as a label is put in again, and the dots of known groups are restored. Series whose
 * labels say more than that keep their Prometheus name. Histograms are left out. */
#include "base/buf.h"
#include "base/str.h"
#include "read/stats.h"
#include <string.h>

enum { LABELS_MAX = 24, LINE_BYTES_MAX = 8192, NAME_BYTES_MAX = 4096, LOOK_LINES = 40 };

struct series { /* all inside one copy of the line */
    char text[LINE_BYTES_MAX];
    const char *name, *value;
    struct {
        const char *name;
        char *value;
        bool used;
    } labels[LABELS_MAX];
    int labels_len;
};

static bool is_series(const char *line, size_t len)
{
    static const char prefix[] = "envoy_";
    size_t at = sizeof prefix - 1;
    if (len <= at || memcmp(line, prefix, at) != 0)
        return false;
    while (at < len &&
           (line[at] == '_' || (line[at] >= '0' && line[at] <= '9') ||
            (line[at] >= 'a' && line[at] <= 'z') || (line[at] >= 'A' && line[at] <= 'Z')))
        at++;
    if (at + 1 >= len || line[at] == '{')
        return at < len;
    return line[at] == ' ' && strchr("+-.0123456789NI", line[at + 1]); /* its value */
}

bool stats_is_prometheus(const struct peek *peek)
{
    const char *at = peek->text, *end = peek->text + peek->len;
    for (int i = 0; at < end && i < LOOK_LINES; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        if (is_series(at, len) || (len > 14 && memcmp(at, "# TYPE envoy_", 13) == 0))
            return true;
        at = stop ? stop + 1 : end;
    }
    return false;
}

/* ---- reading a line ---- */

/* A label's value from AT (behind its opening quote), unescaped in place; behind the closing quote. */
static char *take_label_value(char *at)
{
    char *out = at;
    for (; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
        *out++ = *at;
    }
    bool closed = *at == '"';
    *out = '\0';
    return closed ? at + 1 : NULL;
}

static char *take_labels(struct series *series, char *at)
{
    while (at && *at && *at != '}') {
        at += *at == ',';
        char *equal = strstr(at, "=\"");
        if (!equal || series->labels_len == LABELS_MAX)
            return NULL;
        *equal = '\0';
        series->labels[series->labels_len].name = at;
        series->labels[series->labels_len].used = false;
        series->labels[series->labels_len++].value = equal + 2;
        at = take_label_value(equal + 2);
    }
    return at && *at == '}' ? at + 1 : NULL;
}

static bool parse(const char *line, size_t len, struct series *out)
{
    if (!is_series(line, len) || len >= sizeof out->text)
        return false;
    memcpy(out->text, line, len);
    out->text[len] = '\0';
    out->labels_len = 0;
    char *at = out->text + strcspn(out->text, "{ ");
    out->name = out->text + strlen("envoy_");
    bool labels = *at == '{';
    *at++ = '\0';
    if (labels)
        at = take_labels(out, at);
    if (!at)
        return false;
    at += strspn(at, " ");
    out->value = at;
    at[strcspn(at, " \r")] = '\0'; /* a time may follow */
    return *out->value;
}

static const char *use_label(struct series *series, const char *name)
{
    for (int i = 0; i < series->labels_len; i++)
        if (strcmp(series->labels[i].name, name) == 0) {
            series->labels[i].used = true;
            return series->labels[i].value;
        }
    return NULL;
}

/* ---- the name that /stats prints ---- */

/* Groups inside a family: "circuit_breakers_default_cx_open" is "circuit_breakers.default.cx_open". */
static const char *const groups[][2] = {
    {"circuit_breakers_default_", "circuit_breakers.default."},
    {"circuit_breakers_high_", "circuit_breakers.high."},
    {"outlier_detection_", "outlier_detection."},
    {"health_check_", "health_check."},
    {"client_ssl_socket_factory_", "client_ssl_socket_factory."},
    {"server_ssl_socket_factory_", "server_ssl_socket_factory."},
    {"compilation_settings_", "compilation_settings."},
    {"control_plane_", "control_plane."},
    {"main_thread_", "main_thread."},
    {"default_total_match", "default.total_match"},
    {"external_upstream_", "external.upstream_"},
    {"internal_upstream_", "internal.upstream_"},
    {"canary_upstream_", "canary.upstream_"},
    {"http1_", "http1."},
    {"http2_", "http2."},
    {"http3_", "http3."},
    {"ssl_", "ssl."},
};

static void add_code(struct buf *out, struct series *series, const char *rest)
{
    const char *code = use_label(series, "envoy_response_code");
    const char *class = use_label(series, "envoy_response_code_class");
    if (class && str_ends(rest, "_xx")) {
        buf_add(out, rest, strlen(rest) - 2);
        buf_addf(out, "%sxx", class);
        return;
    }
    buf_adds(out, rest);
    if (code)
        buf_addf(out, "_%s", code);
}

/* "worker_0.downstream_cx_active": the number may be a label. */
static const char *add_worker(struct buf *out, struct series *series, const char *rest)
{
    static const char mark[] = "worker_";
    const char *worker = use_label(series, "envoy_worker_id");
    bool named = str_starts(rest, mark);
    const char *number = named ? rest + sizeof mark - 1 : rest;
    size_t digits = named ? strspn(number, "0123456789") : 0;
    if (worker) {
        buf_addf(out, "worker_%s.", worker);
        return named ? number : rest;
    }
    if (!digits || number[digits] != '_')
        return rest;
    buf_addf(out, "worker_%.*s.", (int)digits, number);
    return number + digits + 1;
}

static void add_rest(struct buf *out, struct series *series, const char *rest)
{
    rest = add_worker(out, series, rest);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (str_starts(rest, groups[i][0])) {
            buf_adds(out, groups[i][1]);
            rest += strlen(groups[i][0]);
            break;
        }
    add_code(out, series, rest);
}

/* What stands inside a family under a name of its own: a virtual cluster of a virtual host, or "http_..."
 * inside or outside of a listener, behind which the connection manager's prefix belongs. */
static const char *add_inner(struct buf *out, struct series *series, const char *rest)
{
    const char *cluster = use_label(series, "envoy_virtual_cluster");
    if (cluster && str_starts(rest, "vcluster_")) {
        buf_addf(out, "vcluster.%s.", cluster);
        return rest + strlen("vcluster_");
    }
    const char *prefix = use_label(series, "envoy_http_conn_manager_prefix");
    if (!prefix || !str_starts(rest, "http_"))
        return rest;
    buf_addf(out, "http.%s.", prefix);
    rest += strlen("http_");
    const char *route = use_label(series, "envoy_rds_route_config");
    if (route && str_starts(rest, "rds_")) {
        buf_addf(out, "rds.%s.", route);
        rest += strlen("rds_");
    }
    return rest;
}

/* "sds_my_secret_update_success", from when the secret was no label yet. */
static bool add_old_sds(struct buf *out, const char *rest)
{
    static const char *const leaves[] = {
        "_update_attempt",     "_update_success", "_update_rejected", "_update_failure",
        "_init_fetch_timeout", "_update_time",    "_version",         "_key_rotation_failed"};
    for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
        if (str_ends(rest, leaves[i]) && strlen(rest) > strlen(leaves[i])) {
            buf_adds(out, "sds.");
            buf_add(out, rest, strlen(rest) - strlen(leaves[i]));
            buf_addf(out, ".%s", leaves[i] + 1);
            return true;
        }
    return false;
}

static bool add_labelled(struct buf *out, struct series *series)
{
    static const char *const families[][3] = {{"cluster_", "envoy_cluster_name", "cluster"},
                                              {"listener_", "envoy_listener_address", "listener"},
                                              {"sds_", "envoy_xds_resource_name", "sds"},
                                              {"grpc_", "envoy_google_grpc_client_prefix", "grpc"},
                                              {"tcp_", "envoy_tcp_prefix", "tcp"},
                                              {"vhost_", "envoy_virtual_host", "vhost"}};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const char *const *family = families[i];
        const char *label = str_starts(series->name, family[0]) ? use_label(series, family[1])
                                                                : NULL;
        if (!label)
            continue;
        buf_addf(out, "%s.%s.", family[2], label);
        add_rest(out, series, add_inner(out, series, series->name + strlen(family[0])));
        return true;
    }
    return false;
}

static bool add_plain(struct buf *out, struct series *series)
{
    static const char *const families[][2] = {{"cluster_manager_cds_", "cluster_manager.cds."},
                                              {"cluster_manager_", "cluster_manager."},
                                              {"listener_manager_lds_", "listener_manager.lds."},
                                              {"listener_manager_", "listener_manager."},
                                              {"listener_admin_", "listener.admin."},
                                              {"server_", "server."},
                                              {"control_plane_", "control_plane."},
                                              {"runtime_", "runtime."},
                                              {"main_thread_", "main_thread."},
                                              {"workers_", "workers."},
                                              {"filesystem_", "filesystem."},
                                              {"tls_inspector_", "tls_inspector."}};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (!str_starts(series->name, families[i][0]))
            continue;
        buf_adds(out, families[i][1]);
        add_rest(out, series, add_inner(out, series, series->name + strlen(families[i][0])));
        return true;
    }
    return false;
}

/* Labels of the site (Consul puts its own on every series) say nothing about the name. */
static bool all_used(const struct series *series)
{
    for (int i = 0; i < series->labels_len; i++)
        if (!series->labels[i].used && str_starts(series->labels[i].name, "envoy_"))
            return false;
    return true;
}

static void add_name(struct buf *out, struct series *series)
{
    if (!add_labelled(out, series) && !add_plain(out, series)) {
        if (str_starts(series->name, "http_"))
            add_rest(out, series, add_inner(out, series, series->name));
        else if (!str_starts(series->name, "sds_") || !add_old_sds(out, series->name + 4))
            buf_addf(out, "envoy_%s", series->name);
    }
    if (all_used(series))
        return;
    buf_clear(out);
    buf_addf(out, "envoy_%s", series->name);
    for (int i = 0; i < series->labels_len; i++)
        buf_addf(out, "%s%s=\"%s\"", i ? "," : "{", series->labels[i].name,
                 series->labels[i].value);
    buf_addch(out, '}');
}

/* ---- the page ---- */

struct page {
    char histogram[NAME_BYTES_MAX]; /* name of the histogram whose series follow, "" none */
    struct series series;
};

static void take_type(struct page *page, const char *line, size_t len)
{
    static const char mark[] = "# TYPE ";
    size_t start = sizeof mark - 1;
    if (len <= start || memcmp(line, mark, start) != 0)
        return;
    const char *name = line + start, *end = memchr(name, ' ', len - start);
    *page->histogram = '\0';
    if (!end || (size_t)(end - name) >= sizeof page->histogram)
        return;
    bool numbers = (size_t)(line + len - end) > 9 && (memcmp(end + 1, "histogram", 9) == 0);
    if (!numbers)
        numbers = (size_t)(line + len - end) > 7 && memcmp(end + 1, "summary", 7) == 0;
    if (numbers) {
        memcpy(page->histogram, name, (size_t)(end - name));
        page->histogram[end - name] = '\0';
    }
}

static bool of_histogram(const struct page *page)
{
    return (*page->histogram && str_starts(page->series.text, page->histogram)) ||
           str_ends(page->series.name, "_bucket");
}

static void take_line(struct reading *reading, const char *line, size_t len, uint64_t number)
{
    struct page *page = reading->user;
    (void)number;
    if (len && *line == '#') {
        take_type(page, line, len);
        return;
    }
    if (!parse(line, len, &page->series) || of_histogram(page))
        return;
    struct buf name;
    buf_init(&name, NAME_BYTES_MAX);
    add_name(&name, &page->series);
    stats_add(reading, buf_str(&name), page->series.value);
    buf_release(&name);
}

void stats_read_prometheus(struct reading *reading)
{
    struct page page = {.histogram = ""};
    reading->user = &page;
    reading_lines(reading, take_line);
    reading->user = NULL;
}
