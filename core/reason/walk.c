/* Stage: check, as a service to checks. Walks a request through the configuration, step after step, and
 * keeps the hops. Reads through the check's view. Deliberately sends nothing and resolves no name: what
 * the evidence does not hold ends the walk. */
#include "reason/walk.h"
#include "base/str.h"
#include "reason/walk_steps.h"
#include <stdlib.h>
#include <string.h>

const struct record *walk_next(const struct walker *walker, const char *name,
                               const struct record *after)
{
    return view_declares(walker->view, name) ? view_next(walker->view, name, after) : NULL;
}

bool walk_complete(const struct walker *walker, const char *name)
{
    return view_declares(walker->view, name) && view_state(walker->view, name) == EVIDENCE_COMPLETE;
}

const char *walk_text(const struct record *record, const char *column)
{
    char buf[32];
    return record ? record_text(record, column, buf) : NULL;
}

bool walk_is(const struct record *record, const char *column, const char *value)
{
    return str_equal(walk_text(record, column), value);
}

bool walk_holds(const char *list, const char *item)
{
    size_t len = strlen(item);
    for (const char *at = list; at && *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        if (part == len && strncmp(at, item, len) == 0)
            return true;
        at += part;
    }
    return false;
}

bool walk_inside(const struct record *record, const struct record *outer)
{
    const char *in = record->pointer, *out = outer->pointer;
    size_t len = out ? strlen(out) : 0;
    return record->source == outer->source && in && out && strncmp(in, out, len) == 0 &&
           (in[len] == '/' || in[len] == '\0');
}

char *walk_printf(const struct walker *walker, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(walker->view->scratch, format, args);
    va_end(args);
    return text;
}

void walk_hop(struct walker *walker, const char *kind, const char *name,
              const struct record *record, const char *why)
{
    struct walk *walk = walker->walk;
    if (walk->len == WALK_HOPS_MAX)
        return;
    walk->hops[walk->len++] = (struct walk_hop){kind, name ? name : "", why, record};
}

bool walk_breaks(struct walker *walker, enum walk_end end, int status, const char *flag)
{
    struct walk *walk = walker->walk;
    if (walk->broke < 0)
        walk->broke = walk->len - 1;
    walk->end = end;
    walk->status = status;
    walk->flag = flag;
    return false;
}

bool walk_answers(struct walker *walker, int status)
{
    walker->walk->end = WALK_ANSWERED;
    walker->walk->status = status;
    return false;
}

bool walk_gives_up(struct walker *walker, const char *why)
{
    walker->walk->end = WALK_UNKNOWN;
    walker->walk->unknown = why;
    return false;
}

void walk_depends(struct walker *walker, const char *on)
{
    const char *known = walker->walk->depends;
    if (known && strstr(known, on))
        return;
    walker->walk->depends = known ? walk_printf(walker, "%s, and on %s", known, on) : on;
}

const char *walk_end_word(enum walk_end end)
{
    static const char *const words[] = {"unknown", "forwarded", "answered", "refused", "reset"};
    return words[end];
}

/* As a client would write it. */
static const char *describe(const struct walker *walker)
{
    const struct walk_request *request = walker->request;
    const char *host = request->host ? request->host : request->address;
    const char *path = request->path ? request->path : "/";
    if (!host)
        host = request->listener ? request->listener : "proxy";
    bool told = strchr(host, ':') && host[strlen(host) - 1] != ']';
    bool usual = walker->port == (request->tls ? 443 : 80) && !request->tcp;
    const char *port = told || usual ? "" : walk_printf(walker, ":%d", walker->port);
    if (request->tcp)
        return walk_printf(walker, "connection to %s%s", host, port);
    return walk_printf(walker, "%s %s://%s%s%s", request->method ? request->method : "GET",
                       request->tls ? "https" : "http", host, port, path);
}

const struct walk *walk_request(struct view *view, const struct walk_request *request)
{
    struct walk *walk = arena_alloc(view->scratch, sizeof *walk);
    struct walker walker = {.view = view, .request = request, .walk = walk};
    *walk = (struct walk){
        .broke = -1, .before = view->walks, .number = view->walks ? view->walks->number + 1 : 1};
    view->walks = walk;
    walker.port = request->port ? request->port : request->tls ? 443 : 80;
    walk->request = describe(&walker);
    if (request->direction)
        walk->direction = arena_strdup(view->scratch, request->direction);
    if (walk_listener(&walker) && walk_chain(&walker) && walk_http(&walker) && walk_route(&walker))
        walk_clusters(&walker);
    return walk;
}

const struct walk *walk_find(const struct view *view, int number)
{
    const struct walk *walk = view->walks;
    while (walk && walk->number != number)
        walk = walk->before;
    return walk;
}
