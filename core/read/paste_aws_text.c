/* Stage: read. What `aws ... --output text` prints of tasks and of targets' health, as the tree that
 * `--output json` would have printed: a line is a section's name and the values of its fields in the order of their
 * names, which are not said. Reads lines, writes a region. Deliberately knows these two answers only: of others
 * nobody could tell which value is which. */
#include "base/alloc.h"
#include "base/json.h"
#include "read/paste.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 40 };

struct cell {
    const char *at;
    size_t len;
};

enum shape { ANY, WORD, NAMED, DIGITS, TIME, STATUS, HEALTH, TRUTH, CODE, PART };

struct field { /* in the order of their names, as the tool sorts them */
    const char *name;
    enum shape shape;
    const char *part; /* of PART: what the value holds */
};

static const struct field tasks[] = {
    {"availabilityZone", PART, "-"},
    {"clusterArn", PART, ":cluster/"},
    {"connectivity", PART, "CONNECTED"},
    {"connectivityAt", TIME, NULL},
    {"containerInstanceArn", PART, ":container-instance/"},
    {"cpu", DIGITS, NULL},
    {"createdAt", TIME, NULL},
    {"desiredStatus", STATUS, NULL},
    {"enableExecuteCommand", TRUTH, NULL},
    {"executionStoppedAt", TIME, NULL},
    {"group", PART, ":"},
    {"healthStatus", HEALTH, NULL},
    {"lastStatus", STATUS, NULL},
    {"launchType", STATUS, NULL},
    {"memory", DIGITS, NULL},
    {"platformFamily", NAMED, NULL},
    {"platformVersion", PART, "."},
    {"pullStartedAt", TIME, NULL},
    {"pullStoppedAt", TIME, NULL},
    {"startedAt", TIME, NULL},
    {"startedBy", NAMED, NULL},
    {"stopCode", CODE, NULL},
    {"stoppedAt", TIME, NULL},
    {"stoppedReason", ANY, NULL},
    {"stoppingAt", TIME, NULL},
    {"taskArn", PART, ":task/"},
    {"taskDefinitionArn", PART, ":task-definition/"},
    {"version", DIGITS, NULL},
    {NULL, ANY, NULL},
};

static const struct field containers[] = {
    {"containerArn", PART, ":container/"},
    {"cpu", DIGITS, NULL},
    {"exitCode", DIGITS, NULL},
    {"healthStatus", HEALTH, NULL},
    {"image", WORD, NULL},
    {"imageDigest", PART, "sha256:"},
    {"lastStatus", STATUS, NULL},
    {"memory", DIGITS, NULL},
    {"memoryReservation", DIGITS, NULL},
    {"name", WORD, NULL},
    {"reason", ANY, NULL},
    {"runtimeId", PART, "-"},
    {"taskArn", PART, ":task/"},
    {NULL, ANY, NULL},
};

static const struct field attachments[] = {
    {"id", WORD, NULL}, {"status", STATUS, NULL}, {"type", WORD, NULL}, {NULL, ANY, NULL}};
static const struct field details[] = {
    {"name", WORD, NULL}, {"value", ANY, NULL}, {NULL, ANY, NULL}};
static const struct field descriptions[] = {{"HealthCheckPort", WORD, NULL}, {NULL, ANY, NULL}};
static const struct field targets[] = {
    {"AvailabilityZone", WORD, NULL}, {"Id", PART, "."}, {"Port", DIGITS, NULL}, {NULL, ANY, NULL}};
static const struct field instances[] = {{"AvailabilityZone", WORD, NULL},
                                         {"Id", PART, "i-"},
                                         {"Port", DIGITS, NULL},
                                         {NULL, ANY, NULL}};
static const struct field healths[] = {
    {"Description", ANY, NULL}, {"Reason", PART, "."}, {"State", WORD, NULL}, {NULL, ANY, NULL}};

static const struct section {
    const char *title, *name;
    const struct field *fields, *others;
    int level; /* 0: an element of the answer */
    bool list;
} sections[] = {
    {"TASKS", "tasks", tasks, NULL, 0, true},
    {"CONTAINERS", "containers", containers, NULL, 1, true},
    {"ATTACHMENTS", "attachments", attachments, NULL, 1, true},
    {"DETAILS", "details", details, NULL, 2, true},
    {"TARGETHEALTHDESCRIPTIONS", "TargetHealthDescriptions", descriptions, NULL, 0, true},
    {"TARGET", "Target", targets, instances, 1, false},
    {"TARGETHEALTH", "TargetHealth", healths, NULL, 1, false},
};

/* ---- which value is which ---- */

static bool is_in(const struct cell *cell, const char *const *words, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strlen(words[i]) == cell->len && memcmp(words[i], cell->at, cell->len) == 0)
            return true;
    return false;
}

static bool is_made_of(const struct cell *cell, int (*kind)(int), const char *others)
{
    for (size_t i = 0; i < cell->len; i++)
        if (!kind((unsigned char)cell->at[i]) && !(cell->at[i] && strchr(others, cell->at[i])))
            return false;
    return true;
}

static bool fits(const struct cell *cell, const struct field *field)
{
    static const char *const healthy[] = {"HEALTHY", "UNHEALTHY", "UNKNOWN"};
    static const char *const truths[] = {"True", "False"};
    static const char *const codes[] = {"TaskFailedToStart", "EssentialContainerExited",
                                        "UserInitiated",     "ServiceSchedulerInitiated",
                                        "SpotInterruption",  "TerminationNotice"};
    if (!cell->len || (cell->len == 4 && memcmp(cell->at, "None", 4) == 0))
        return true; /* another element has it */
    switch (field->shape) {
    case WORD:
        return !memchr(cell->at, ' ', cell->len);
    case NAMED:
        return isalpha((unsigned char)*cell->at) && !memchr(cell->at, ' ', cell->len) &&
               !is_in(cell, codes, ARRAY_LEN(codes));
    case DIGITS:
        return is_made_of(cell, isdigit, "");
    case TIME:
        return cell->len >= 10 && is_made_of(cell, isdigit, "-:.T+Z") && cell->at[4] == '-';
    case STATUS:
        return is_made_of(cell, isupper, "_2");
    case HEALTH:
        return is_in(cell, healthy, ARRAY_LEN(healthy));
    case TRUTH:
        return is_in(cell, truths, ARRAY_LEN(truths));
    case CODE:
        return is_in(cell, codes, ARRAY_LEN(codes));
    case PART:
        return memmem(cell->at, cell->len, field->part, strlen(field->part)) != NULL;
    case ANY:
        break;
    }
    return true;
}

static void set_value(cJSON *object, const char *name, const struct cell *cell)
{
    char *text = xstrndup(cell->at, cell->len);
    bool truth = strcmp(text, "True") == 0;
    if (truth || strcmp(text, "False") == 0)
        json_put_bool(object, name, truth);
    else if (*text && strcmp(text, "None") != 0)
        json_put_str(object, name, text);
    free(text);
}

/* Gives each value the first field that leaves fields for those behind it. False: there is no way. */
static bool assign(cJSON *object, const struct field *fields, const struct cell *cells, size_t len)
{
    bool can[CELLS_MAX + 1][CELLS_MAX + 1] = {{false}};
    size_t most = 0, field = 0;
    while (fields[most].name)
        most++;
    for (size_t f = 0; f <= most; f++)
        can[len][f] = true;
    for (size_t c = len; c-- > 0;)
        for (size_t f = most; f-- > 0;)
            can[c][f] = can[c][f + 1] || (fits(&cells[c], &fields[f]) && can[c + 1][f + 1]);
    if (!can[0][0])
        return false;
    for (size_t c = 0; c < len; field++)
        if (fits(&cells[c], &fields[field]) && can[c + 1][field + 1])
            set_value(object, fields[field].name, &cells[c++]);
    return true;
}

/* ---- lines ---- */

static size_t cut(const char *at, size_t len, struct cell *cells)
{
    const char *end = at + len;
    size_t count = 0;
    while (count < CELLS_MAX) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        cells[count++] = (struct cell){at, (size_t)((tab ? tab : end) - at)};
        if (!tab)
            break;
        at = tab + 1;
    }
    return count;
}

/* A name in capitals, a tab, and values. */
static bool is_row(const struct paste_line *line)
{
    size_t len, title = 0;
    const char *at = paste_content(line, &len);
    while (title < len && isupper((unsigned char)at[title]))
        title++;
    return line->kind == PASTE_TEXT && title > 3 && title < len && at[title] == '\t';
}

static const struct section *section_of(const struct cell *cell)
{
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (strlen(sections[i].title) == cell->len &&
            memcmp(sections[i].title, cell->at, cell->len) == 0)
            return &sections[i];
    return NULL;
}

static cJSON *place_for(cJSON *parent, const struct section *section)
{
    cJSON *element = cJSON_CreateObject();
    cJSON *there = cJSON_GetObjectItemCaseSensitive(parent, section->name);
    if (section->list && !there)
        there = cJSON_AddArrayToObject(parent, section->name);
    if (section->list) {
        cJSON_AddItemToArray(there, element);
        return element;
    }
    cJSON_DeleteItemFromObjectCaseSensitive(parent, section->name);
    cJSON_AddItemToObject(parent, section->name, element);
    return element;
}

static bool take_row(cJSON *root, cJSON *levels[3], const struct paste_line *line)
{
    struct cell cells[CELLS_MAX];
    size_t len = (size_t)(line->len - line->lead);
    len = cut(line->text + line->lead, len, cells);
    const struct section *section = section_of(&cells[0]);
    cJSON *parent = section && section->level ? levels[section->level - 1] : root;
    if (!section)
        return true; /* attributes, overrides, tags */
    if (!parent)
        return false;
    cJSON *element = place_for(parent, section);
    levels[section->level] = element;
    for (int i = section->level + 1; i < 3; i++)
        levels[i] = NULL;
    return assign(element, section->fields, cells + 1, len - 1) ||
           (section->others && assign(element, section->others, cells + 1, len - 1));
}

bool paste_find_aws_text(struct paste *paste, size_t line, struct region *out)
{
    size_t end = line, len;
    const char *at = paste_content(&paste->text.lines[line], &len);
    cJSON *levels[3] = {NULL, NULL, NULL};
    bool good = true;
    struct buf text;
    if ((len < 6 || memcmp(at, "TASKS\t", 6) != 0) &&
        (len < 25 || memcmp(at, "TARGETHEALTHDESCRIPTIONS\t", 25) != 0))
        return false;
    cJSON *root = cJSON_CreateObject();
    for (; end < paste->text.len && is_row(&paste->text.lines[end]); end++)
        good = take_row(root, levels, &paste->text.lines[end]) && good;
    buf_init(&text, 8 * paste->head_len + 64);
    json_write(&text, root, true);
    cJSON_Delete(root);
    *out = (struct region){.first = line, .end = end, .len = text.len};
    out->text = buf_take(&text);
    if (!good)
        free(out->text);
    return good;
}
