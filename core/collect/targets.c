/* Collect: lists of targets, and evidence that is added to one. Reads a file of one target a
 * line, or YAML; writes targets. Deliberately refuses what it does not know: a misspelt key in a
 * list of two hundred proxies must not pass in silence. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/slurp.h"
#include "base/str.h"
#include "base/yaml.h"
#include "collect/target_parse.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_MAX = 16 << 20 };

/* ---- evidence ---- */

static bool evidence_exists(const char *path, struct err *err)
{
    return access(path, F_OK) == 0 ||
           err_set(err, "cannot use evidence '%s': %s", path, strerror(errno));
}

static bool evidence_alone(struct targets *targets, char *const *paths, size_t len, struct err *err)
{
    if (len == 1)
        return targets_from_arguments(targets, paths, 1, err);
    size_t files = SIZE_MAX;
    for (size_t i = 0; i < len; i++)
        target_add_file(targets, &files, paths[i]);
    target_name_files(targets, files);
    return true;
}

bool targets_add_evidence(struct targets *targets, char *const *paths, size_t len, struct err *err)
{
    for (size_t i = 0; i < len; i++)
        if (!evidence_exists(paths[i], err))
            return false;
    if (targets->len == 0)
        return evidence_alone(targets, paths, len, err);
    if (targets->len > 1)
        return err_set(err,
                       "--evidence belongs to one target, and there are %zu; name it per target "
                       "in a list (--targets)",
                       targets->len);
    for (size_t i = 0; i < len; i++)
        target_add_evidence(&targets->items[0], paths[i]);
    return true;
}

/* ---- one entry of a list ---- */

static bool add_entry(struct targets *targets, const char *argument, const char *name,
                      struct err *err)
{
    bool file;
    size_t files = SIZE_MAX, before = targets->len;
    if (!target_parse(targets, argument, &file, err))
        return false;
    if (file)
        target_add_file(targets, &files, argument);
    if (!name)
        return true;
    if (targets->len != before + 1)
        return err_set(err, "'%s' holds %zu bundles; one name does not fit them", argument,
                       targets->len - before);
    free(targets->items[before].name);
    targets->items[before].name = xstrdup(name);
    return true;
}

/* ---- lines ---- */

static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t len = strlen(text);
    while (len && strchr(" \t\r", text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

/* '#' starts a comment at the start of a line and behind a blank; elsewhere it is a name's. */
static void cut_comment(char *line)
{
    for (char *at = line; (at = strchr(at, '#')); at++) {
        if (at == line || at[-1] == ' ' || at[-1] == '\t') {
            *at = '\0';
            return;
        }
    }
}

static bool add_line(struct targets *targets, char *line, struct err *err)
{
    cut_comment(line);
    line = trim(line);
    if (*line == '\0')
        return true;
    char *blank = line + strcspn(line, " \t"), *name = NULL;
    if (*blank) {
        char *rest = trim(blank);
        if (!str_starts(rest, "name=") || rest[5] == '\0')
            return err_set(err, "'%s' is not expected behind a target; only name=NAME is", rest);
        *blank = '\0';
        name = rest + 5;
    }
    return add_entry(targets, line, name, err);
}

static bool add_lines(struct targets *targets, char *text, const char *path, struct err *err)
{
    size_t number = 1;
    for (char *line = text; line; number++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        if (!add_line(targets, line, err))
            return err_prefix(err, "'%s' line %zu", path, number);
        line = end ? end + 1 : NULL;
    }
    return true;
}

/* ---- YAML ---- */

struct yaml_text { /* a text being converted */
    const char *text;
    size_t at, len;
    struct buf json;
    int documents;
};

static bool pull(void *user, char *bytes, size_t cap, size_t *got)
{
    struct yaml_text *yaml = user;
    size_t left = yaml->len - yaml->at;
    *got = left < cap ? left : cap;
    memcpy(bytes, yaml->text + yaml->at, *got);
    yaml->at += *got;
    return true;
}

static void on_document(void *user, int index, size_t line)
{
    struct yaml_text *yaml = user;
    (void)line;
    yaml->documents = index + 1;
}

static bool on_text(void *user, const char *json, size_t len)
{
    struct yaml_text *yaml = user;
    if (yaml->documents == 1)
        buf_add(&yaml->json, json, len);
    return !yaml->json.overflow;
}

static void on_end(void *user)
{
    (void)user;
}

static cJSON *parse_yaml(const char *text, size_t len, struct err *err)
{
    struct yaml_text yaml = {.text = text, .len = len};
    const struct yaml_sink sink = {on_document, on_text, on_end, &yaml, NULL};
    cJSON *list = NULL;
    buf_init(&yaml.json, 4 * (size_t)LIST_MAX);
    if (yaml_to_json(pull, &yaml, &sink, err))
        list = json_parse(buf_str(&yaml.json), yaml.json.len, err);
    buf_release(&yaml.json);
    if (list && (!cJSON_IsArray(list) || yaml.documents != 1)) {
        err_set(err, "expected one list of targets");
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}

static bool known_keys(const cJSON *entry, struct err *err)
{
    static const char *const known[] = {"target", "name", "labels", "evidence"};
    const cJSON *member;
    cJSON_ArrayForEach (member, entry) {
        size_t i = 0;
        while (i < ARRAY_LEN(known) && strcmp(member->string, known[i]) != 0)
            i++;
        if (i == ARRAY_LEN(known))
            return err_set(err, "'%s' is not known; known are target, name, labels, evidence",
                           member->string);
    }
    return true;
}

static bool add_entry_evidence(struct targets *targets, const cJSON *entry, struct err *err)
{
    const cJSON *list = json_at(entry, "evidence"), *path;
    if (list && !cJSON_IsArray(list))
        return err_set(err, "'evidence' is no list of paths");
    cJSON_ArrayForEach (path, list) {
        if (!cJSON_IsString(path))
            return err_set(err, "'evidence' is no list of paths");
        if (!evidence_exists(path->valuestring, err))
            return false;
        target_add_evidence(&targets->items[targets->len - 1], path->valuestring);
    }
    return true;
}

static bool add_yaml_entry(struct targets *targets, const cJSON *entry, struct err *err)
{
    if (cJSON_IsString(entry))
        return add_entry(targets, entry->valuestring, NULL, err);
    if (!cJSON_IsObject(entry) || !json_str(entry, "target"))
        return err_set(err, "expected a target, or {target, name, labels, evidence}");
    return known_keys(entry, err) &&
           add_entry(targets, json_str(entry, "target"), json_str(entry, "name"), err) &&
           add_entry_evidence(targets, entry, err);
}

static bool add_yaml(struct targets *targets, const char *text, size_t len, const char *path,
                     struct err *err)
{
    cJSON *list = parse_yaml(text, len, err);
    if (!list)
        return err_prefix(err, "cannot read the list '%s'", path);
    const cJSON *entry;
    size_t number = 1;
    bool fine = true;
    cJSON_ArrayForEach (entry, list) {
        fine = fine && (add_yaml_entry(targets, entry, err) ||
                        err_prefix(err, "'%s' entry %zu", path, number));
        number++;
    }
    cJSON_Delete(list);
    return fine;
}

/* ---- the file ---- */

static bool read_list(const char *path, struct buf *out, struct err *err)
{
    if (!slurp_path(out, path, err))
        return false;
    return !out->len || !memchr(out->data, '\0', out->len) ||
           err_set(err, "'%s' is no list of targets", path);
}

/* By the first line that says something: a target never begins like this. */
static bool is_yaml(const char *text)
{
    while (*text) {
        text += strspn(text, " \t\r\n");
        if (*text != '#')
            break;
        text += strcspn(text, "\n");
    }
    return str_starts(text, "- ") || str_starts(text, "---") || *text == '[';
}

bool targets_from_list(struct targets *targets, const char *path, struct err *err)
{
    struct buf text;
    buf_init(&text, LIST_MAX);
    size_t before = targets->len;
    bool fine = read_list(path, &text, err);
    if (fine && text.len && is_yaml(text.data))
        fine = add_yaml(targets, text.data, text.len, path, err);
    else if (fine && text.len)
        fine = add_lines(targets, text.data, path, err);
    if (fine && targets->len == before)
        fine = err_set(err, "the list '%s' names no target", path);
    buf_release(&text);
    return fine;
}
