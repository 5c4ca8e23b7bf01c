/* Stage: between check and correlation. Reads the configuration, writes severity, severity_was and waiver
 * of findings. Deliberately removes no finding: what is waived stays in the report, with its reason. */
#include "policy/ruling.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "debrief/plugin.h"
#include <stdlib.h>

static const char *severity_name(int severity)
{
    return severity == DEBRIEF_ERROR ? "error" : severity == DEBRIEF_WARNING ? "warning" : "info";
}

static int severity_of(const cJSON *finding)
{
    const char *text = json_str(finding, "severity");
    return str_equal(text, "error")     ? DEBRIEF_ERROR
           : str_equal(text, "warning") ? DEBRIEF_WARNING
                                        : DEBRIEF_INFO;
}

/* ---- severities ---- */

static const struct config_severity *severity_for(const struct config *config, const cJSON *finding)
{
    const char *id = json_str(finding, "id");
    for (size_t i = 0; id && i < config->severities_len; i++)
        if (str_glob(config->severities[i].finding, id))
            return &config->severities[i];
    return NULL;
}

static void set_severity(const struct config *config, cJSON *finding)
{
    const struct config_severity *rule = severity_for(config, finding);
    int was = severity_of(finding);
    if (!rule)
        return;
    ++*rule->met;
    if (rule->severity == was)
        return;
    if (rule->severity > DEBRIEF_INFO && !cJSON_GetArraySize(json_at(finding, "evidence")))
        return; /* what is wrong is proven */
    cJSON_ReplaceItemInObjectCaseSensitive(finding, "severity",
                                           cJSON_CreateString(severity_name(rule->severity)));
    json_put_str(finding, "severity_was", severity_name(was));
}

/* ---- waivers ---- */

static bool meets(const struct config_waiver *waiver, const char *target, const char *id)
{
    return target && id && str_glob(waiver->finding, id) && str_glob(waiver->target, target);
}

/* Of those that meet it one that holds, before one that has expired. */
static const struct config_waiver *waiver_for(const struct config *config, const char *target,
                                              const char *id)
{
    const struct config_waiver *active = NULL, *expired = NULL;
    for (size_t i = 0; i < config->waivers_len; i++) {
        const struct config_waiver *waiver = &config->waivers[i];
        if (!meets(waiver, target, id))
            continue;
        ++*waiver->met;
        const struct config_waiver **first = waiver->expired ? &expired : &active;
        *first = *first ? *first : waiver;
    }
    return active ? active : expired;
}

static cJSON *describe_waiver(const struct config_waiver *waiver)
{
    cJSON *row = cJSON_CreateObject();
    json_put_str(row, "finding", waiver->finding);
    json_put_str(row, "target", waiver->target);
    json_put_str(row, "reason", waiver->reason);
    json_put_str(row, "owner", waiver->owner);
    json_put_str(row, "expires", waiver->expires);
    json_put_str(row, "state", waiver->expired ? "expired" : "active");
    return row;
}

void ruling_apply(const struct config *config, cJSON *target)
{
    cJSON *finding;
    if (!config)
        return;
    cJSON_ArrayForEach (finding, cJSON_GetObjectItemCaseSensitive(target, "findings")) {
        set_severity(config, finding);
        const struct config_waiver *waiver = waiver_for(config, json_str(target, "name"),
                                                        json_str(finding, "id"));
        if (waiver)
            cJSON_AddItemToObject(finding, "waiver", describe_waiver(waiver));
    }
}

/* ---- what the report says of it ---- */

static void put_params(cJSON *policy, const struct config *config)
{
    cJSON *params = config->params_len ? json_put_object(policy, "params") : NULL;
    for (size_t i = 0; i < config->params_len; i++) {
        char *name = xasprintf("%s.%s", config->params[i].check, config->params[i].name);
        json_put_str(params, name, config->params[i].value);
        free(name);
    }
}

static void put_severities(cJSON *policy, const struct config *config)
{
    cJSON *rows = config->severities_len ? json_put_array(policy, "severity") : NULL;
    for (size_t i = 0; i < config->severities_len; i++) {
        const struct config_severity *rule = &config->severities[i];
        cJSON *row = cJSON_CreateObject();
        json_put_str(row, "finding", rule->finding);
        json_put_str(row, "severity", severity_name(rule->severity));
        json_put_num(row, "findings", (double)*rule->met);
        cJSON_AddItemToArray(rows, row);
    }
}

cJSON *ruling_policy(const struct config *config)
{
    if (!config)
        return NULL;
    cJSON *policy = cJSON_CreateObject(), *file = json_put_object(policy, "config");
    json_put_str(file, "path", config->path);
    json_put_str(file, "sha256", config->sha256);
    json_put_str(policy, "fail_on", config->fail_on);
    put_params(policy, config);
    put_severities(policy, config);
    cJSON *waivers = config->waivers_len ? json_put_array(policy, "waivers") : NULL;
    for (size_t i = 0; i < config->waivers_len; i++) {
        cJSON *row = describe_waiver(&config->waivers[i]);
        json_put_num(row, "findings", (double)*config->waivers[i].met);
        cJSON_AddItemToArray(waivers, row);
    }
    return policy;
}
