/* Stage: check. Reads the JSON that the scout sends about a plugin, validates all of it and writes the
 * registry's rows. Deliberately the only place where metadata is judged, for C and Lua alike. */
#include "check/metadata.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/regex.h"
#include "base/str.h"
#include "check/applies.h"
#include "check/params.h"
#include "debrief/plugin.h"

#include <string.h>

enum { NAME_MAX_LEN = 64, TEXT_MAX = 4096 };

struct context { /* one check being read */
    struct arena *arena;
    struct check_meta *meta;
    struct err *err;
};

/* A word of ALPHABET beside lower-case letters; the first character is a letter. */
static size_t word_len(const char *text, const char *alphabet)
{
    size_t len = 0;
    if (*text < 'a' || *text > 'z')
        return 0;
    while ((text[len] >= 'a' && text[len] <= 'z') || (text[len] && strchr(alphabet, text[len])))
        len++;
    return len;
}

static bool two_words(const char *text, char between, bool second_needed)
{
    size_t len = word_len(text, "0123456789-");
    if (!len || strlen(text) > NAME_MAX_LEN)
        return false;
    if (!text[len])
        return !second_needed;
    const char *second = text + len + 1;
    len = text[len] == between ? word_len(second, "0123456789-") : 0;
    return len && !second[len];
}

bool metadata_is_check_id(const char *text)
{
    return two_words(text, '/', false);
}

bool metadata_is_finding_id(const char *text)
{
    return two_words(text, '.', true);
}

static bool is_name(const char *text)
{
    size_t len = word_len(text, "0123456789-_");
    return len && !text[len] && len <= NAME_MAX_LEN;
}

static const char *take(struct context *context, const cJSON *object, const char *name)
{
    const char *text = json_str(object, name);
    return text ? arena_strdup(context->arena, text) : NULL;
}

static bool take_sentence(struct context *context, const cJSON *object, const char *name,
                          const char **out)
{
    *out = take(context, object, name);
    if (!*out || !**out)
        return err_set(context->err, "it has no %s", name);
    if (strlen(*out) > TEXT_MAX)
        return err_set(context->err, "its %s is longer than %d bytes", name, TEXT_MAX);
    return true;
}

static const char *const *take_list(struct context *context, const cJSON *array)
{
    size_t len = 0, size = (size_t)cJSON_GetArraySize(array);
    const char **list = arena_alloc(context->arena, (size + 1) * sizeof *list);
    const cJSON *item;
    cJSON_ArrayForEach (item, array)
        if (cJSON_IsString(item))
            list[len++] = arena_strdup(context->arena, item->valuestring);
    return list;
}

static void *take_rows(struct context *context, const cJSON *array, size_t row_size, size_t *len)
{
    *len = (size_t)cJSON_GetArraySize(array);
    return arena_alloc(context->arena, (*len + 1) * row_size);
}

static bool read_event(struct context *context, const cJSON *json, struct check_event *out)
{
    out->name = take(context, json, "name");
    out->pattern = take(context, json, "pattern");
    out->caseless = json_bool(json, "caseless");
    if (!out->name || !is_name(out->name))
        return err_set(context->err, "'%s' is no event name (lower-case letters, digits, '-', '_')",
                       out->name ? out->name : "");
    if (!out->pattern || !*out->pattern)
        return err_set(context->err, "event '%s' has no pattern", out->name);
    struct regex *regex = regex_new(out->pattern, out->caseless ? REGEX_CASELESS : 0, context->err);
    if (!regex)
        return err_prefix(context->err, "event '%s'", out->name);
    regex_free(regex);
    char *id = arena_strdup(context->arena, context->meta->id);
    for (char *c = id; *c; c++)
        *c = *c == '/' ? '.' : *c;
    out->evidence = arena_printf(context->arena, "event.%s.%s", id, out->name);
    return true;
}

static bool read_events(struct context *context, const cJSON *array)
{
    struct check_meta *meta = context->meta;
    meta->events = take_rows(context, array, sizeof *meta->events, &meta->events_len);
    for (size_t i = 0; i < meta->events_len; i++) {
        if (!read_event(context, cJSON_GetArrayItem(array, (int)i), &meta->events[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(meta->events[i].name, meta->events[j].name) == 0)
                return err_set(context->err, "event '%s' is there twice", meta->events[i].name);
    }
    return true;
}

static bool check_explains(struct context *context, const struct check_finding *finding)
{
    for (const char *const *id = finding->explains; *id; id++)
        if (!metadata_is_finding_id(*id))
            return err_set(context->err, "finding '%s' explains '%s', which is no finding id",
                           finding->id, *id);
    return true;
}

static bool read_finding(struct context *context, const cJSON *json, struct check_finding *out)
{
    size_t section = strlen(context->meta->section);
    out->id = take(context, json, "id");
    if (!out->id || !metadata_is_finding_id(out->id))
        return err_set(context->err, "'%s' is no finding id like 'section.slug'",
                       out->id ? out->id : "");
    if (strncmp(out->id, context->meta->section, section) != 0 || out->id[section] != '.')
        return err_set(context->err, "finding '%s' does not begin with the section's name, '%s.'",
                       out->id, context->meta->section);
    if (!take_sentence(context, json, "title", &out->title))
        return err_prefix(context->err, "finding '%s'", out->id);
    double worst = 0;
    json_num(json, "worst", &worst);
    out->worst = (int)worst;
    if (worst != DEBRIEF_INFO && worst != DEBRIEF_WARNING && worst != DEBRIEF_ERROR)
        return err_set(context->err, "finding '%s' has no severity: error, warning or info",
                       out->id);
    out->explains = take_list(context, json_at(json, "explains"));
    return check_explains(context, out);
}

static bool read_findings(struct context *context, const cJSON *array)
{
    struct check_meta *meta = context->meta;
    meta->findings = take_rows(context, array, sizeof *meta->findings, &meta->findings_len);
    for (size_t i = 0; i < meta->findings_len; i++) {
        if (!read_finding(context, cJSON_GetArrayItem(array, (int)i), &meta->findings[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(meta->findings[i].id, meta->findings[j].id) == 0)
                return err_set(context->err, "finding '%s' is there twice", meta->findings[i].id);
    }
    return true;
}

static bool read_param(struct context *context, const cJSON *json, struct check_param *out)
{
    double type = 0;
    out->name = take(context, json, "name");
    if (!out->name || !is_name(out->name))
        return err_set(context->err, "'%s' is no parameter name", out->name ? out->name : "");
    json_num(json, "type", &type);
    out->type = (int)type;
    out->dflt = take(context, json, "default");
    if (!out->dflt)
        return err_set(context->err, "parameter '%s' has no default", out->name);
    if (!params_valid(out->type, out->dflt, context->err) ||
        !take_sentence(context, json, "help", &out->help))
        return err_prefix(context->err, "parameter '%s'", out->name);
    return true;
}

static bool read_params(struct context *context, const cJSON *array)
{
    struct check_meta *meta = context->meta;
    meta->params = take_rows(context, array, sizeof *meta->params, &meta->params_len);
    for (size_t i = 0; i < meta->params_len; i++) {
        if (!read_param(context, cJSON_GetArrayItem(array, (int)i), &meta->params[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (strcmp(meta->params[i].name, meta->params[j].name) == 0)
                return err_set(context->err, "parameter '%s' is there twice", meta->params[i].name);
    }
    return true;
}

/* "event.denied" as the check writes it becomes the name that is unique over all checks. */
static bool resolve_event(struct context *context, struct need_term *term)
{
    if (!str_starts(term->name, "event."))
        return true;
    for (size_t i = 0; i < context->meta->events_len; i++) {
        if (strcmp(context->meta->events[i].name, term->name + strlen("event.")) == 0) {
            term->name = context->meta->events[i].evidence;
            return true;
        }
    }
    return err_set(context->err, "it needs '%s', but has no such event", term->name);
}

static bool read_needs(struct context *context, const cJSON *array)
{
    struct check_meta *meta = context->meta;
    meta->needs = take_rows(context, array, sizeof *meta->needs, &meta->needs_len);
    for (size_t i = 0; i < meta->needs_len; i++) {
        const cJSON *item = cJSON_GetArrayItem(array, (int)i);
        if (!cJSON_IsString(item) ||
            !need_parse(context->arena, item->valuestring, &meta->needs[i], context->err))
            return false;
        for (size_t j = 0; j < meta->needs[i].terms_len; j++)
            if (!resolve_event(context, &meta->needs[i].terms[j]))
                return false;
    }
    return true;
}

static bool read_identity(struct context *context, const cJSON *json)
{
    struct check_meta *meta = context->meta;
    meta->id = take(context, json, "id");
    if (!meta->id || !metadata_is_check_id(meta->id)) {
        err_set(context->err,
                "'%s' is no check id like 'section' or 'section/name' (lower-case letters, digits, "
                "'-')",
                meta->id ? meta->id : "");
        meta->id = NULL;
        return false;
    }
    meta->section = arena_strndup(context->arena, meta->id, strcspn(meta->id, "/"));
    meta->tags = take_list(context, json_at(json, "tags"));
    meta->applies = take(context, json, "applies");
    return take_sentence(context, json, "title", &meta->title) &&
           applies_valid(meta->applies, context->err);
}

static bool read_check(struct context *context, const cJSON *json)
{
    return read_identity(context, json) && read_events(context, json_at(json, "events")) &&
           read_findings(context, json_at(json, "findings")) &&
           read_params(context, json_at(json, "params")) &&
           read_needs(context, json_at(json, "needs"));
}

bool metadata_read(struct arena *arena, const cJSON *json, const struct plugin *plugin,
                   struct check_meta **checks, size_t *len, struct err *err)
{
    const cJSON *array = json_at(json, "checks");
    *len = (size_t)cJSON_GetArraySize(array);
    if (*len == 0 || *len > METADATA_CHECKS_MAX)
        return err_set(err, *len ? "it has too many checks" : "it has no checks");
    struct check_meta *rows = *checks = arena_alloc(arena, *len * sizeof *rows);
    for (size_t i = 0; i < *len; i++) {
        struct context context = {arena, &rows[i], err};
        rows[i].plugin = plugin;
        rows[i].index = i;
        if (!read_check(&context, cJSON_GetArrayItem(array, (int)i)))
            return err_prefix(err, "check '%s'", rows[i].id ? rows[i].id : "?");
        for (size_t j = 0; j < i; j++)
            if (strcmp(rows[i].id, rows[j].id) == 0)
                return err_set(err, "check '%s' is there twice", rows[i].id);
    }
    return true;
}
