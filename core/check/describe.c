/* Stage: check, in the scout. Reads the rows of a loaded C plugin and writes them as the JSON of
 * check/metadata.h. Deliberately follows the plugin's pointers without doubt: a bad one crashes the
 * scout, and that refuses the plugin. */
#include "check/describe.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 1000 };

static char *clean_text(const char *text)
{
    size_t len = strlen(text), cap = 3 * len + 1;
    char *clean = xmalloc(cap);
    str_to_utf8(clean, cap, text, len);
    return clean;
}

static void put_text(cJSON *object, const char *name, const char *text)
{
    char *clean = text ? clean_text(text) : NULL;
    json_put_str(object, name, clean);
    free(clean);
}

static void put_list(cJSON *object, const char *name, const char *const *list)
{
    cJSON *array = json_put_array(object, name);
    for (size_t i = 0; list && list[i] && i < LIST_MAX; i++) {
        char *clean = clean_text(list[i]);
        cJSON_AddItemToArray(array, cJSON_CreateString(clean));
        free(clean);
    }
}

static cJSON *add_row(cJSON *array)
{
    cJSON *row = cJSON_CreateObject();
    cJSON_AddItemToArray(array, row);
    return row;
}

static void put_events(cJSON *object, const struct loader *loader,
                       const struct debrief_check *check)
{
    struct debrief_event event;
    cJSON *array = json_put_array(object, "events");
    for (size_t i = 0; loader_event(loader, check, i, &event); i++) {
        cJSON *row = add_row(array);
        put_text(row, "name", event.name);
        put_text(row, "pattern", event.pattern);
        json_put_bool(row, "caseless", event.caseless != 0);
    }
}

static void put_findings(cJSON *object, const struct loader *loader,
                         const struct debrief_check *check)
{
    struct debrief_finding_type finding;
    cJSON *array = json_put_array(object, "findings");
    for (size_t i = 0; loader_finding(loader, check, i, &finding); i++) {
        cJSON *row = add_row(array);
        put_text(row, "id", finding.id);
        put_text(row, "title", finding.title);
        json_put_num(row, "worst", finding.worst);
        put_list(row, "explains", finding.explains);
    }
}

static void put_params(cJSON *object, const struct loader *loader,
                       const struct debrief_check *check)
{
    struct debrief_param param;
    cJSON *array = json_put_array(object, "params");
    for (size_t i = 0; loader_param(loader, check, i, &param); i++) {
        cJSON *row = add_row(array);
        put_text(row, "name", param.name);
        json_put_num(row, "type", param.type);
        put_text(row, "default", param.dflt);
        put_text(row, "help", param.help);
    }
}

static void put_check(cJSON *array, const struct loader *loader, const struct debrief_check *check)
{
    cJSON *row = add_row(array);
    put_text(row, "id", check->id);
    put_text(row, "title", check->title);
    put_list(row, "tags", check->tags);
    put_text(row, "applies", check->applies);
    put_list(row, "needs", check->needs);
    put_events(row, loader, check);
    put_findings(row, loader, check);
    put_params(row, loader, check);
}

cJSON *describe_plugin(const struct loader *loader, struct err *err)
{
    cJSON *plugin = cJSON_CreateObject();
    put_text(plugin, "name", loader_name(loader));
    put_text(plugin, "version", loader_version(loader));
    cJSON *checks = json_put_array(plugin, "checks");
    for (size_t i = 0; i < loader_checks(loader); i++) {
        struct debrief_check check;
        if (loader_check(loader, i, &check) && check.run) {
            put_check(checks, loader, &check);
            continue;
        }
        err_set(err, "check %zu ('%s') has no %s", i + 1, check.id ? check.id : "",
                check.id ? "run function" : "id");
        cJSON_Delete(plugin);
        return NULL;
    }
    return plugin;
}
