/* Section lb-health, tried: what somebody met who asked in the load balancer's place, a probe or
 * an engineer with curl. Reads net.http and net.connect about the targets; adds answers that do
 * not count as healthy to the troubles, and tells where a connection was refused or all was well.
 * Who asks from elsewhere may go another way. */
#define _POSIX_C_SOURCE 200809L
#include "lb-health.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct place { /* of a URL or a target */
    char host[160], path[512];
    int port;
};

/* "10.0.3.7:8080" or "[::1]:8080" apart; the port stays when there is none. */
static void take_authority(struct place *place, const char *text, size_t len)
{
    const char *colon = memchr(text, ']', len);
    colon = memchr(colon ? colon : text, ':', len - (size_t)(colon ? colon - text : 0));
    size_t host = colon ? (size_t)(colon - text) : len;
    bool bracket = *text == '[' && host > 2;
    if (colon)
        place->port = atoi(colon + 1);
    snprintf(place->host, sizeof place->host, "%.*s", (int)(host - 2 * bracket), text + bracket);
}

static bool take_url(struct place *place, const char *url)
{
    const char *at = url ? strstr(url, "://") : NULL;
    if (!at)
        return false;
    *place = (struct place){.port = strncmp(url, "https:", 6) == 0 ? 443 : 80};
    at += 3;
    size_t len = strcspn(at, "/?#");
    take_authority(place, at, len);
    snprintf(place->path, sizeof place->path, "%s", at[len] == '/' ? at + len : "/");
    return *place->host;
}

/* "200", "200-299", "200,301-302" */
static bool is_counted(const char *matcher, int code)
{
    for (const char *at = matcher ? matcher : "200"; *at;) {
        char *end;
        long first = strtol(at, &end, 10), last = first;
        if (*end == '-')
            last = strtol(end + 1, &end, 10);
        if (code >= first && code <= last)
            return true;
        at = end + strcspn(end, ",");
        at += *at == ',';
    }
    return false;
}

/* The sick target that REQUEST went to, asked as the group has it asked. */
static const struct debrief_record *target_of(struct lb *lb, const struct place *request)
{
    const char *path = lb_group(lb, "check_path");
    if (!path || strcmp(path, request->path) != 0)
        return NULL;
    DEBRIEF_EACH (lb->ctx, "aws.target_health", record) {
        const char *state = debrief_text(lb->ctx, record, "state");
        const char *target = debrief_text(lb->ctx, record, "target");
        double port = debrief_num(lb->ctx, record, "port", 0);
        if (target && state && strcmp(target, request->host) == 0 &&
            strncmp(state, "unhealthy", 9) == 0 &&
            (int)debrief_num(lb->ctx, record, "check_port", port) == request->port)
            return record;
    }
    return NULL;
}

/* A target that the load balancer tells less of: it saw no code, or does not say which. */
static struct trouble *trouble_of(struct troubles *troubles, const char *target)
{
    for (int i = 0; i < troubles->len; i++)
        if (strcmp(troubles->items[i].target, target) == 0 &&
            troubles->items[i].symptom == ANSWERED && !troubles->items[i].code)
            return &troubles->items[i];
    return NULL;
}

void tried_gather(struct lb *lb, struct troubles *troubles)
{
    DEBRIEF_EACH (lb->ctx, "net.http", record) {
        struct place request;
        char target[160];
        int code = (int)debrief_num(lb->ctx, record, "status", 0);
        if (!code || !take_url(&request, debrief_text(lb->ctx, record, "url")) ||
            is_counted(lb_group(lb, "matcher"), code))
            continue;
        const struct debrief_record *sick = target_of(lb, &request);
        const char *port = sick ? debrief_text(lb->ctx, sick, "port") : NULL;
        snprintf(target, sizeof target, "%.140s%s%s", request.host, port ? ":" : "",
                 port ? port : "");
        struct trouble *t = sick ? trouble_of(troubles, target) : NULL;
        if (!t)
            continue;
        t->code = code;
        if (t->cites_len < TROUBLE_CITES)
            t->cites[t->cites_len++] = record;
    }
}

/* The place that the load balancer asks for T. */
static bool place_of(const struct trouble *t, struct place *place)
{
    *place = (struct place){.port = 0};
    if (!*t->target || t->by_instance)
        return false;
    take_authority(place, t->target, strlen(t->target));
    if (t->port)
        place->port = t->port;
    return *place->host && place->port;
}

const struct debrief_record *tried_refused(struct lb *lb, const struct trouble *t)
{
    const struct debrief_record *last = NULL;
    struct place place;
    if (!place_of(t, &place))
        return NULL;
    DEBRIEF_EACH (lb->ctx, "net.connect", record) {
        const char *address = debrief_text(lb->ctx, record, "address");
        bool here = lb_is(address ? address : debrief_text(lb->ctx, record, "host"), place.host);
        if (here && (int)debrief_num(lb->ctx, record, "port", 0) == place.port)
            last = record;
    }
    return last && lb_is(debrief_text(lb->ctx, last, "result"), "refused") ? last : NULL;
}

const struct debrief_record *tried_well(struct lb *lb, const struct trouble *t)
{
    struct place place, request;
    if (!place_of(t, &place))
        return NULL;
    DEBRIEF_EACH (lb->ctx, "net.http", record) {
        int code = (int)debrief_num(lb->ctx, record, "status", 0);
        const char *path = lb_group(lb, "check_path");
        if (code && path && take_url(&request, debrief_text(lb->ctx, record, "url")) &&
            lb_is(request.host, place.host) && request.port == place.port &&
            lb_is(request.path, path) && is_counted(lb_group(lb, "matcher"), code))
            return record;
    }
    return NULL;
}
