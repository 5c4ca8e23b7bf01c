/* Base: JSON, strictly. Reads text into cJSON trees and answers paths into them. Closes what cJSON
 * leaves open: depth, trailing text, names compared without case. Writing stands in json_write.c,
 * documents of any size in json_split.c. */
#include "base/json.h"
#include "base/json_why.h"
#include "base/str.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Behind the string that begins at AT; END when it is not closed. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* The bracket that nests deeper than JSON_DEPTH_MAX, NULL when none does. */
static const char *too_deep(const char *text, size_t len)
{
    const char *end = text + len;
    int depth = 0;
    for (const char *at = text; at < end;) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (*at == '{' || *at == '[') {
            if (++depth > JSON_DEPTH_MAX)
                return at;
        } else if (*at == '}' || *at == ']') {
            depth--;
        }
        at++;
    }
    return NULL;
}

static size_t line_of(const char *text, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

static size_t skip_blanks(const char *text, size_t len, size_t at)
{
    while (at < len && strchr(" \t\r\n", text[at]) && text[at])
        at++;
    return at;
}

void json_why(struct err *err, const char *text, size_t len, size_t offset)
{
    static const char *const python[] = {"None", "True", "False", "'"};
    static const char *const numbers[] = {"NaN", "nan", "Infinity", "-Infinity", "inf"};
    if (offset && text[offset - 1] == '\'') /* cJSON may point behind the quote */
        offset--;
    const char *at = text + offset;
    size_t left = len - offset;
    for (size_t i = 0; i < sizeof python / sizeof *python; i++)
        if (left >= strlen(python[i]) && memcmp(at, python[i], strlen(python[i])) == 0) {
            err_set(err,
                    "this is Python's printing (single quotes, None, True), not JSON: print it "
                    "with json.dumps and try again");
            return;
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (left >= strlen(numbers[i]) && memcmp(at, numbers[i], strlen(numbers[i])) == 0) {
            err_set(err, "'%s' is no JSON number", numbers[i]);
            return;
        }
    char near[3 * 16 + 1];
    str_to_utf8(near, sizeof near, at, left < 16 ? left : 16);
    near[strcspn(near, "\n")] = '\0';
    if (!left)
        err_set(err, "the text ends too early");
    else
        err_set(err, "unexpected text near '%s'", near);
}

/* Whether the value that begins at AT, and could not be read, reaches to the end of the text. */
static bool ends_in(const char *text, size_t len, size_t at)
{
    const char *end = text + len, *stop = text + at;
    if (at == len || (text[0] != '{' && text[0] != '['))
        return at == len;
    if (*stop == '"')
        stop = skip_string(stop, end);
    while (stop < end && !strchr(",]}\"", *stop))
        stop++;
    return stop == end;
}

cJSON *json_parse_shallow(const char *text, size_t len, size_t *used, struct err *err)
{
    const char *end = text;
    cJSON *node = cJSON_ParseWithLengthOpts(text, len, &end, 0);
    size_t offset = end ? (size_t)(end - text) : 0;
    if (offset > len)
        offset = len;
    *used = skip_blanks(text, len, offset);
    if (!node) {
        offset = ends_in(text, len, *used) ? len : *used;
        json_why(err, text, len, offset);
        err_prefix(err, "not JSON at line %zu (byte %zu)", line_of(text, offset), offset);
    }
    return node;
}

cJSON *json_parse_next(const char *text, size_t len, size_t *used, struct err *err)
{
    const char *deep = too_deep(text, len);
    if (!deep)
        return json_parse_shallow(text, len, used, err);
    size_t offset = (size_t)(deep - text);
    err_set(err, "not read at line %zu (byte %zu): nested deeper than %d levels",
            line_of(text, offset), offset, JSON_DEPTH_MAX);
    return NULL;
}

cJSON *json_parse(const char *text, size_t len, struct err *err)
{
    size_t used;
    cJSON *node = json_parse_next(text, len, &used, err);
    if (!node || used == len)
        return node;
    err_set(err, "not JSON at line %zu (byte %zu): more text behind the end of the document",
            line_of(text, used), used);
    cJSON_Delete(node);
    return NULL;
}

/* ---- paths ---- */

static const cJSON *member(const cJSON *node, const char *name, size_t len)
{
    const cJSON *child;
    cJSON_ArrayForEach (child, node) {
        if (child->string && strncmp(child->string, name, len) == 0 && !child->string[len])
            return child;
    }
    return NULL;
}

/* Takes one "[3]" of PATH; NULL when it is malformed. */
static const char *take_index(const char *path, size_t *index)
{
    const char *at = path + 1;
    size_t value = 0;
    while (*at >= '0' && *at <= '9' && value < 100000000)
        value = value * 10 + (size_t)(*at++ - '0');
    *index = value;
    return *at == ']' && at > path + 1 ? at + 1 : NULL;
}

static const char *take_name(const char *path, const char **name, size_t *len)
{
    bool quoted = *path == '"';
    *name = path + quoted;
    *len = strcspn(*name, quoted ? "\"" : ".[");
    const char *end = *name + *len;
    if (quoted && *end != '"')
        return NULL;
    return end + quoted;
}

static const cJSON *step_index(const cJSON *node, size_t index)
{
    if (!cJSON_IsArray(node))
        return NULL;
    const cJSON *child = node->child;
    while (child && index--)
        child = child->next;
    return child;
}

const cJSON *json_at(const cJSON *node, const char *path)
{
    while (node && path && *path) {
        if (*path == '[') {
            size_t index;
            path = take_index(path, &index);
            node = path ? step_index(node, index) : NULL;
        } else {
            const char *name;
            size_t len;
            path = take_name(path, &name, &len);
            node = path && cJSON_IsObject(node) ? member(node, name, len) : NULL;
        }
        if (path && *path == '.')
            path++;
    }
    return path ? node : NULL;
}

const char *json_str(const cJSON *node, const char *path)
{
    const cJSON *at = json_at(node, path);
    return cJSON_IsString(at) ? at->valuestring : NULL;
}

bool json_num(const cJSON *node, const char *path, double *out)
{
    const cJSON *at = json_at(node, path);
    if (cJSON_IsString(at))
        return str_to_double(at->valuestring, out);
    if (!cJSON_IsNumber(at) || !isfinite(at->valuedouble))
        return false;
    *out = at->valuedouble;
    return true;
}

bool json_int(const cJSON *node, const char *path, int64_t *out)
{
    const cJSON *at = json_at(node, path);
    if (cJSON_IsString(at))
        return str_to_int64(at->valuestring, out);
    double value;
    if (!json_num(node, path, &value) || value != floor(value) || fabs(value) >= 0x1p63)
        return false;
    *out = (int64_t)value;
    return true;
}

bool json_bool(const cJSON *node, const char *path)
{
    const cJSON *at = json_at(node, path);
    return cJSON_IsTrue(at) || (cJSON_IsString(at) && strcmp(at->valuestring, "true") == 0);
}

const char *json_scalar(const cJSON *node, const char *path, char out[32])
{
    const cJSON *at = json_at(node, path);
    if (cJSON_IsString(at))
        return at->valuestring;
    if (cJSON_IsBool(at))
        return cJSON_IsTrue(at) ? "true" : "false";
    if (!cJSON_IsNumber(at))
        return NULL;
    json_number_text(at->valuedouble, out);
    return out;
}

void json_pointer_add(struct buf *out, const char *name, size_t len)
{
    buf_addch(out, '/');
    for (size_t i = 0; i < len;) {
        size_t run = i;
        while (run < len && name[run] != '~' && name[run] != '/')
            run++;
        buf_add(out, name + i, run - i);
        if (run < len)
            buf_adds(out, name[run++] == '~' ? "~0" : "~1");
        i = run;
    }
}
