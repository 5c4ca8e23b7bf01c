/* Base: building cJSON trees and writing them as text, for reports and messages. Members keep the
 * order in which they were put; numbers are written with the fewest digits that read back the same. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/json_why.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_number_text(double value, char out[32])
{
    if (value == floor(value) && fabs(value) < 0x1p53) {
        snprintf(out, 32, "%.0f", value == 0 ? 0.0 : value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

static void put(cJSON *object, const char *name, cJSON *value)
{
    if (!value)
        BUG("no memory for member '%s'", name);
    if (cJSON_IsArray(object))
        cJSON_AddItemToArray(object, value);
    else
        cJSON_AddItemToObject(object, name, value);
}

void json_put_str(cJSON *object, const char *name, const char *value)
{
    if (value)
        put(object, name, cJSON_CreateString(value));
}

void json_put_num(cJSON *object, const char *name, double value)
{
    put(object, name, cJSON_CreateNumber(value));
}

void json_put_bool(cJSON *object, const char *name, bool value)
{
    put(object, name, cJSON_CreateBool(value));
}

cJSON *json_put_object(cJSON *object, const char *name)
{
    cJSON *value = cJSON_CreateObject();
    put(object, name, value);
    return value;
}

cJSON *json_put_array(cJSON *object, const char *name)
{
    cJSON *value = cJSON_CreateArray();
    put(object, name, value);
    return value;
}

static void write_escape(struct buf *out, char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = strchr(plain, c);
    if (c && at)
        buf_addf(out, "\\%c", letters[at - plain]);
    else
        buf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

static void write_string(struct buf *out, const char *text)
{
    buf_addch(out, '"');
    for (const char *run = text;; text++) {
        bool special = (unsigned char)*text < 0x20 || *text == '"' || *text == '\\' ||
                       *text == 0x7f;
        if (!special)
            continue;
        buf_add(out, run, (size_t)(text - run));
        if (!*text)
            break;
        write_escape(out, *text);
        run = text + 1;
    }
    buf_addch(out, '"');
}

static void write_break(struct buf *out, bool pretty, int depth)
{
    if (!pretty)
        return;
    buf_addch(out, '\n');
    for (int i = 0; i < depth; i++)
        buf_adds(out, "  ");
}

static void write_node(struct buf *out, const cJSON *node, bool pretty, int depth);

static void write_children(struct buf *out, const cJSON *node, bool pretty, int depth)
{
    bool object = cJSON_IsObject(node);
    buf_addch(out, object ? '{' : '[');
    const cJSON *child;
    cJSON_ArrayForEach (child, node) {
        if (child != node->child)
            buf_addch(out, ',');
        write_break(out, pretty, depth + 1);
        if (object) {
            write_string(out, child->string);
            buf_adds(out, pretty ? ": " : ":");
        }
        write_node(out, child, pretty, depth + 1);
    }
    if (node->child)
        write_break(out, pretty, depth);
    buf_addch(out, object ? '}' : ']');
}

static void write_node(struct buf *out, const cJSON *node, bool pretty, int depth)
{
    char number[32];
    if (cJSON_IsObject(node) || cJSON_IsArray(node)) {
        write_children(out, node, pretty, depth);
    } else if (cJSON_IsString(node)) {
        write_string(out, node->valuestring);
    } else if (cJSON_IsBool(node)) {
        buf_adds(out, cJSON_IsTrue(node) ? "true" : "false");
    } else if (cJSON_IsNumber(node) && isfinite(node->valuedouble)) {
        json_number_text(node->valuedouble, number);
        buf_adds(out, number);
    } else {
        buf_adds(out, "null");
    }
}

void json_write(struct buf *out, const cJSON *node, bool pretty)
{
    write_node(out, node, pretty, 0);
}
