/* Stage: read. Every value of a bootstrap under its path, for those who compare two of them. Reads the
 * Bootstrap message, writes bootstrap.settings. Leaves out what has tables of its own (static
 * resources) and what the program says of itself (its extensions and version). */
#include "base/buf.h"
#include "base/json.h"
#include "read/xds.h"
#include <string.h>

enum { SETTINGS_MAX = 1000, DEPTH_MAX = 12, PATH_MAX_LEN = 512, PLACE_MAX = 1024 };

struct flattening {
    struct reading *reading;
    struct buf name, place; /* of the value that is looked at */
    int depth, count;
};

static bool stands_elsewhere(const char *path, const char *member)
{
    static const char *const tops[] = {"static_resources", "staticResources"};
    static const char *const of_node[] = {"extensions",
                                          "user_agent_name",
                                          "userAgentName",
                                          "user_agent_build_version",
                                          "userAgentBuildVersion",
                                          "client_features",
                                          "clientFeatures"};
    for (size_t i = 0; !*path && i < sizeof tops / sizeof *tops; i++)
        if (strcmp(member, tops[i]) == 0)
            return true;
    for (size_t i = 0; strcmp(path, "node") == 0 && i < sizeof of_node / sizeof *of_node; i++)
        if (strcmp(member, of_node[i]) == 0)
            return true;
    return false;
}

static void add_setting(struct flattening *at, const cJSON *value)
{
    char number[32];
    struct evidence *evidence = at->reading->evidence;
    const char *text = json_scalar(value, "", number);
    if (!text || !evidence_wants(evidence, "bootstrap.settings", buf_str(&at->name)))
        return;
    struct record *record = reading_add(at->reading, "bootstrap.settings", buf_str(&at->place));
    if (!record)
        return;
    at->count++;
    evidence_set(evidence, record, "name", buf_str(&at->name));
    evidence_set(evidence, record, "value", text);
}

static void flatten(struct flattening *at, const cJSON *value);

static void enter(struct flattening *at, const cJSON *child, int index)
{
    size_t name = at->name.len, place = at->place.len;
    if (child->string) {
        buf_addf(&at->name, "%s%s", name ? "." : "", child->string);
        json_pointer_add(&at->place, child->string, strlen(child->string));
    } else {
        buf_addf(&at->name, "[%d]", index);
        buf_addf(&at->place, "/%d", index);
    }
    at->depth++;
    if (!at->name.overflow && !at->place.overflow)
        flatten(at, child);
    at->depth--;
    at->name.overflow = at->place.overflow = false;
    buf_cut(&at->name, name);
    buf_cut(&at->place, place);
}

static void flatten(struct flattening *at, const cJSON *value)
{
    const cJSON *child;
    int index = 0;
    if (!cJSON_IsObject(value) && !cJSON_IsArray(value)) {
        add_setting(at, value);
        return;
    }
    cJSON_ArrayForEach (child, value) {
        if (at->depth >= DEPTH_MAX || at->count >= SETTINGS_MAX)
            return;
        if (!child->string || !stands_elsewhere(buf_str(&at->name), child->string))
            enter(at, child, index);
        index++;
    }
}

void bootstrap_settings(struct reading *reading, const cJSON *bootstrap, const char *pointer)
{
    struct flattening at = {.reading = reading};
    if (!evidence_wants(reading->evidence, "bootstrap.settings", NULL))
        return;
    buf_init(&at.name, PATH_MAX_LEN);
    buf_init(&at.place, PLACE_MAX);
    buf_adds(&at.place, pointer);
    flatten(&at, bootstrap);
    buf_release(&at.name);
    buf_release(&at.place);
}
