/* Stage: read. Tables inside a pasted text: what `aws ... --output table` draws becomes the tree that
 * `--output json` would have printed, so that the same reader reads it; `kubectl get events` is cut out as it
 * stands. Reads lines, writes a region. Deliberately leaves all values texts: a table does not say of which
 * type they were, and readers take numbers in either form. */
#include "base/alloc.h"
#include "base/json.h"
#include "read/paste.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS_MAX = 24, COLUMNS_MAX = 64, RULE_LEAST = 8 };

struct row {
    const char *cells[COLUMNS_MAX];
    size_t lens[COLUMNS_MAX];
    size_t len;
};

struct table {
    cJSON *root;
    cJSON *nodes[LEVELS_MAX]; /* the object of each level that is being filled; NULL: none is */
    size_t level, bars;       /* of the section; signs '|' in front of its rows */
    char name[128];
    size_t edges[COLUMNS_MAX], edges_len; /* where the last rule has its '+', in characters */
    struct row
        first;   /* the first row of a section: names of columns when a rule and a row follow */
    bool held;   /* it waits to be known for what it is */
    bool headed; /* it was names */
    bool ruled;  /* a rule came behind it */
    bool rows;   /* the section has some */
};

/* ---- lines ---- */

static bool is_only(const char *at, size_t len, const char *signs)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(signs, at[i]) || !at[i])
            return false;
    return len > 0;
}

static bool is_rule(const char *at, size_t len)
{
    return len >= RULE_LEAST && is_only(at, len, "|+-") && memchr(at, '-', len);
}

/* Places in the line are told in characters, since cells may hold any. */
static void take_rule(struct table *table, const char *at, size_t len)
{
    table->edges_len = 0;
    for (size_t i = 0; i < len; i++)
        if (at[i] == '+' && table->edges_len < COLUMNS_MAX)
            table->edges[table->edges_len++] = i;
}

static void add_cell(struct row *row, const char *at, const char *end)
{
    while (at < end && *at == ' ')
        at++;
    while (end > at && end[-1] == ' ')
        end--;
    if (row->len == COLUMNS_MAX)
        return;
    row->cells[row->len] = at;
    row->lens[row->len++] = (size_t)(end - at);
}

static void cut_row(const struct table *table, const char *at, size_t len, struct row *row)
{
    size_t place = 0, edge = 0;
    const char *end = at + len, *cell = NULL;
    row->len = 0;
    for (; at < end && edge < table->edges_len; at++) {
        if (((unsigned char)*at & 0xC0) == 0x80)
            continue; /* goes on with the character before */
        if (place++ != table->edges[edge])
            continue;
        if (cell)
            add_cell(row, cell, at);
        cell = at + 1;
        edge++;
    }
}

/* ---- the tree ---- */

/* Of one element a table does not show whether it stood in a list. */
static bool is_list(const char *name)
{
    static const char *const lists[] = {"environment", "command",     "entryPoint",
                                        "dependsOn",   "volumesFrom", "IpPermissionsEgress",
                                        "Statement",   "Action"};
    static const char *const objects[] = {"overrides", "backendDefaults", "dns",
                                          "tls",       "options",         "subjectAlternativeNames",
                                          "status",    "limits"};
    size_t len = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (strcmp(lists[i], name) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        if (strcmp(objects[i], name) == 0)
            return false;
    return len > 2 && name[len - 1] == 's' && name[len - 2] != 's';
}

static cJSON *new_element(cJSON *parent, const char *name)
{
    cJSON *there = cJSON_GetObjectItemCaseSensitive(parent, name), *element = cJSON_CreateObject();
    if (!there && is_list(name)) {
        there = cJSON_AddArrayToObject(parent, name);
    } else if (there && !cJSON_IsArray(there)) {
        there = cJSON_DetachItemFromObjectCaseSensitive(parent, name);
        cJSON *list = cJSON_AddArrayToObject(parent, name);
        cJSON_AddItemToArray(list, there);
        there = list;
    }
    if (there)
        cJSON_AddItemToArray(there, element);
    else
        cJSON_AddItemToObject(parent, name, element);
    return element;
}

static void set_value(cJSON *object, const char *name, size_t name_len, const char *at, size_t len)
{
    char *key = xstrndup(name, name_len), *value = xstrndup(at, len);
    bool yes = strcmp(value, "True") == 0, no = strcmp(value, "False") == 0;
    if (yes || no)
        json_put_bool(object, key, yes);
    else if (len && strcmp(value, "None") != 0)
        json_put_str(object, key, value);
    free(key);
    free(value);
}

static void add_scalar(struct table *table, const char *at, size_t len)
{
    cJSON *parent = table->level ? table->nodes[table->level - 1] : NULL;
    cJSON *list = parent ? cJSON_GetObjectItemCaseSensitive(parent, table->name) : NULL;
    if (!list)
        return;
    char *text = xstrndup(at, len);
    if (!cJSON_IsArray(list) || (!table->rows && cJSON_GetArraySize(list) == 1)) {
        cJSON *fresh = cJSON_CreateArray(); /* no object after all */
        cJSON_ReplaceItemInObjectCaseSensitive(parent, table->name, fresh);
        list = fresh;
    }
    cJSON_AddItemToArray(list, cJSON_CreateString(text));
    free(text);
    table->nodes[table->level] = NULL;
}

static bool is_name(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)at[i]) && !strchr("_-.:/", at[i]))
            return false;
    return len && isalpha((unsigned char)*at);
}

/* A row below names of columns, "name | value", or an element of a list of texts. */
static void add_row(struct table *table, const struct row *row)
{
    cJSON *node = table->nodes[table->level];
    if (table->headed) {
        if (table->rows && table->level)
            node = new_element(table->nodes[table->level - 1], table->name);
        for (size_t i = 0; node && i < row->len && i < table->first.len; i++)
            set_value(node, table->first.cells[i], table->first.lens[i], row->cells[i],
                      row->lens[i]);
        table->nodes[table->level] = node;
    } else if (row->len == 2 && node && is_name(row->cells[0], row->lens[0])) {
        set_value(node, row->cells[0], row->lens[0], row->cells[1], row->lens[1]);
    } else if (row->len == 1) {
        add_scalar(table, row->cells[0], row->lens[0]);
    }
    table->rows = true;
}

/* ---- the drawing ---- */

static void end_section(struct table *table)
{
    if (table->held)
        add_row(table, &table->first);
    table->held = table->headed = table->ruled = table->rows = false;
}

static void begin_section(struct table *table, size_t level, const char *at, size_t len)
{
    end_section(table);
    table->level = level < LEVELS_MAX ? level : LEVELS_MAX - 1;
    snprintf(table->name, sizeof table->name, "%.*s", (int)len, at);
    cJSON *parent = table->level ? table->nodes[table->level - 1] : table->root;
    table->nodes[table->level] = table->level && parent ? new_element(parent, table->name) : parent;
    for (size_t i = table->level + 1; i < LEVELS_MAX; i++)
        table->nodes[i] = NULL;
}

static void take_row(struct table *table, const struct row *row)
{
    if (table->held && table->ruled) {
        table->headed = true;
        table->held = false;
    } else if (table->held) {
        add_row(table, &table->first);
        table->held = false;
    } else if (!table->rows) {
        table->first = *row;
        table->held = true;
        return;
    }
    add_row(table, row);
}

/* A title stands in the middle, and no border goes through it. */
static bool is_title(const struct table *table, const char *at, size_t len, size_t bars)
{
    const char *inner = at + bars, *end = at + len;
    while (end > inner && end[-1] == '|')
        end--;
    size_t left = 0, right = 0, width = (size_t)(end - inner);
    if (bars != table->bars || memchr(inner, '|', width))
        return bars != table->bars;
    while (left < width && inner[left] == ' ')
        left++;
    while (right < width - left && end[-1 - (ptrdiff_t)right] == ' ')
        right++;
    bool middle = left <= right + 2 && right <= left + 2;
    bool first = !table->held && !table->rows;
    return table->edges_len != 2 || (middle && !first);
}

static void take_line(struct table *table, const char *at, size_t len)
{
    size_t bars = 0;
    if (is_rule(at, len)) {
        take_rule(table, at, len);
        table->ruled = table->held;
        return;
    }
    while (bars < len && at[bars] == '|')
        bars++;
    struct row row;
    if (!is_title(table, at, len, bars)) {
        cut_row(table, at, len, &row);
        take_row(table, &row);
        return;
    }
    table->edges_len = 2; /* one cell */
    table->edges[0] = bars - 1;
    while (len && at[len - 1] == '|')
        len--;
    row.len = 0;
    add_cell(&row, at + bars, at + len);
    table->bars = bars;
    begin_section(table, bars - 1, row.cells[0], row.lens[0]);
}

/* ---- regions ---- */

static bool is_drawn(const struct paste *paste, size_t line)
{
    size_t len;
    const char *at = paste_content(&paste->text.lines[line], &len);
    if (paste->text.lines[line].kind != PASTE_TEXT || len < RULE_LEAST)
        return false;
    return is_rule(at, len) || (*at == '|' && at[len - 1] == '|');
}

bool paste_find_table(struct paste *paste, size_t line, struct region *out)
{
    size_t len, end = line;
    const char *at = paste_content(&paste->text.lines[line], &len);
    if (!is_rule(at, len) || !is_only(at, len, "+-"))
        return false;
    while (end < paste->text.len && is_drawn(paste, end))
        end++;
    if (end < line + 4)
        return false;
    struct table *table = xcalloc(1, sizeof *table);
    struct buf text;
    table->root = cJSON_CreateObject();
    for (size_t i = line; i < end; i++) {
        at = paste_content(&paste->text.lines[i], &len);
        take_line(table, at, len);
    }
    end_section(table);
    buf_init(&text, 4 * paste->head_len + 64);
    json_write(&text, table->root, true);
    *out = (struct region){.first = line, .end = end, .len = text.len};
    out->text = buf_take(&text);
    cJSON_Delete(table->root);
    free(table);
    return true;
}

static bool has(const char *at, size_t len, const char *word)
{
    return memmem(at, len, word, strlen(word)) != NULL;
}

/* The table of `kubectl get events`: as far as rows go. */
bool paste_find_events(struct paste *paste, size_t line, struct region *out)
{
    size_t len, end = line + 1;
    const char *at = paste_content(&paste->text.lines[line], &len);
    struct buf text;
    if (len > 400 || !has(at, len, "LAST SEEN") || !has(at, len, "REASON"))
        return false;
    for (; end < paste->text.len && paste->text.lines[end].kind == PASTE_TEXT; end++) {
        at = paste_content(&paste->text.lines[end], &len);
        if (strchr("[{", *at) || paste_is_log(at, len))
            break;
    }
    buf_init(&text, paste->head_len + 64);
    for (size_t i = line; i < end; i++) {
        const struct paste_line *each = &paste->text.lines[i];
        buf_add(&text, each->text + each->lead, each->len - each->lead);
        buf_addch(&text, '\n');
    }
    *out = (struct region){.first = line, .end = end, .len = text.len, .plain = true};
    out->text = buf_take(&text);
    return true;
}
