/* Stage: check, in the supervisor. Puts what a job has booked together as the target's row of the
 * report. Deliberately independent of the order in which things happened: rows follow the plan. */
#include "check/job.h"
#include "check/job_redact.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "finding/asks.h"
#include "finding/correlate.h"
#include "policy/ruling.h"
#include "report/report.h"
#include "source/bundle.h"
#include "timeline/timeline.h"

#include <stdlib.h>
#include <string.h>

enum { WHY_MAX = 2048 };

static void move_all(cJSON *to, cJSON **from)
{
    cJSON *item;
    while ((item = cJSON_DetachItemFromArray(*from, 0)))
        cJSON_AddItemToArray(to, item);
    cJSON_Delete(*from);
    *from = NULL;
}

static bool same_member(const cJSON *a, const cJSON *b, const char *name)
{
    const char *left = json_str(a, name), *right = json_str(b, name);
    return left && right && strcmp(left, right) == 0;
}

static cJSON *find_ask(cJSON *asks, const cJSON *like)
{
    cJSON *ask;
    cJSON_ArrayForEach (ask, asks) {
        if (same_member(ask, like, "evidence") && same_member(ask, like, "how"))
            return ask;
    }
    return NULL;
}

/* Two checks that want the same thing for different reasons are one ask, the first one's. */
static void add_asks(cJSON *asks, cJSON *more, const char *check)
{
    cJSON *ask;
    while ((ask = cJSON_DetachItemFromArray(more, 0))) {
        if (find_ask(asks, ask))
            cJSON_Delete(ask);
        else {
            json_put_str(ask, ASKS_CHECK, check);
            cJSON_AddItemToArray(asks, ask);
        }
    }
}

struct wanting { /* who needs what is missing in this row */
    const struct job *job;
    const cJSON *row;
    struct buf names;
};

static void name_check(struct wanting *wanting, size_t i)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, wanting->job->checks[i].missing) {
        if (!same_member(row, wanting->row, "evidence") || !same_member(row, wanting->row, "how"))
            continue;
        buf_addf(&wanting->names, "%s%s", wanting->names.len ? ", " : "",
                 wanting->job->plan->checks[i].meta->id);
        return;
    }
}

static void add_missing(cJSON *asks, const struct job *job, const cJSON *row)
{
    if (find_ask(asks, row))
        return;
    struct wanting wanting = {.job = job, .row = row};
    buf_init(&wanting.names, WHY_MAX);
    for (size_t i = 0; i < job->plan->checks_len; i++)
        name_check(&wanting, i);
    char *why = xasprintf(REPORT_NEEDED_BY "%s", buf_str(&wanting.names));
    cJSON *ask = cJSON_CreateObject();
    json_put_str(ask, "evidence", json_str(row, "evidence"));
    json_put_str(ask, "why", why);
    json_put_str(ask, "how", json_str(row, "how"));
    cJSON_AddItemToArray(asks, ask);
    free(why);
    buf_release(&wanting.names);
}

/* Absent where no check followed a request. */
static void put_walks(cJSON *target, struct job *job)
{
    cJSON *walks = cJSON_CreateArray();
    for (size_t i = 0; i < job->plan->checks_len; i++)
        move_all(walks, &job->checks[i].walks);
    if (cJSON_GetArraySize(walks))
        cJSON_AddItemToObject(target, "walks", walks);
    else
        cJSON_Delete(walks);
}

static void put_asks(cJSON *target, const struct job *job)
{
    cJSON *asks = json_put_array(target, "asks");
    for (size_t i = 0; i < job->plan->checks_len; i++)
        add_asks(asks, job->checks[i].asks, job->plan->checks[i].meta->id);
    for (size_t i = 0; i < job->plan->checks_len; i++) {
        const cJSON *row;
        cJSON_ArrayForEach (row, job->checks[i].missing)
            add_missing(asks, job, row);
    }
}

/* What went wrong before the checks stands where trouble with evidence is looked for. */
static void put_trouble(cJSON *sources, const char *trouble)
{
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "name", BUNDLE_INDEX);
    json_put_str(row, "kind", "bundle");
    json_put_num(row, "bytes", 0);
    json_put_num(row, "records", 0);
    cJSON_AddItemToArray(json_put_array(row, "problems"), cJSON_CreateString(trouble));
    cJSON_AddItemToArray(sources, row);
}

static cJSON *take_about(struct job *job, const char *name, cJSON *otherwise)
{
    cJSON *found = cJSON_DetachItemFromObjectCaseSensitive(job->about, name);
    if (!found)
        return otherwise;
    cJSON_Delete(otherwise);
    return found;
}

cJSON *job_row(struct job *job)
{
    cJSON *target = cJSON_CreateObject();
    json_put_str(target, "name", job->target->name);
    json_put_str(target, "verdict", "unknown");
    cJSON *window = cJSON_DetachItemFromObjectCaseSensitive(job->about, "window");
    if (window)
        cJSON_AddItemToObject(target, "window", window);
    cJSON_AddItemToObject(target, "envoy", take_about(job, "envoy", cJSON_CreateObject()));
    cJSON *findings = json_put_array(target, "findings");
    cJSON *checks = json_put_array(target, "checks");
    put_asks(target, job);
    for (size_t i = 0; i < job->plan->checks_len; i++) {
        move_all(findings, &job->checks[i].findings);
        cJSON_AddItemToArray(checks, job->checks[i].record);
        job->checks[i].record = NULL;
    }
    put_walks(target, job);
    cJSON *sources = take_about(job, "sources", cJSON_CreateArray());
    if (job->trouble)
        put_trouble(sources, job->trouble);
    cJSON_AddItemToObject(target, "sources", sources);
    cJSON_AddItemToObject(target, "unrecognised",
                          take_about(job, "unrecognised", cJSON_CreateArray()));
    cJSON_AddItemToObject(target, "unexplained",
                          take_about(job, "unexplained", cJSON_CreateArray()));
    cJSON_AddItemToObject(target, "timeline", take_about(job, "timeline", cJSON_CreateArray()));
    cJSON *facts = cJSON_DetachItemFromObjectCaseSensitive(job->about, "facts");
    if (facts)
        cJSON_AddItemToObject(target, "facts", facts);
    ruling_apply(job->plan->config, target);
    correlate_target(target, job->plan->registry);
    asks_arrange(target);
    timeline_join(target);
    job_redact(target, job->about, job->redact);
    return target;
}
