/* Stage: report. Writes the targets of a fleet as data for the HTML page's script: each distinct value once,
 * in a table, others name its number. Keeps within a size by leaving out what tells least. Reads the document
 * only; the script that reads it is html/fleet.js. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "report/document.h"
#include "report/html.h"
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX (16u << 20)
#define DEPTH_MAX 64

#define MB (1u << 20)

/* What is left out, from nothing to nearly all that can be looked up in the JSON report. More is left out
 * before the page gets slow to open; before targets are, it may get slower. */
static const struct level {
    const char *words;
    bool surroundings; /* sources, timelines, walks, unexplained lines */
    int proofs;        /* findings of one id that keep theirs */
    size_t max;        /* bytes */
} levels[] = {
    {NULL, true, INT32_MAX, 16 * MB},
    {"sources and timelines", false, INT32_MAX, 16 * MB},
    {"sources, timelines, and proofs beyond the first 1,000 targets of a finding", false, 1000,
     16 * MB},
    {"sources, timelines, and proofs beyond the first 100 targets of a finding", false, 100,
     18 * MB},
    {"sources, timelines, and proofs beyond the first 10 targets of a finding", false, 10, 22 * MB},
};

struct data {
    struct html *html;
    const struct level *level;
    struct intern table;  /* JSON texts; numbers in them are places in this table */
    struct intern shapes; /* names of members, as JSON lists */
    struct intern ids;    /* of findings */
    int *met;             /* how often each id was met */
    size_t size;          /* of the table's texts */
};

static const char *const surroundings[] = {"sources", "timeline", "walks", "unexplained",
                                           "unrecognised"};

static bool is_left_out(const struct data *data, const char *name, bool proofs)
{
    if (strcmp(name, "elapsed_ms") == 0 || strcmp(name, "rank") == 0)
        return true; /* differ everywhere and are not shown */
    if (strcmp(name, "evidence") == 0 && !proofs)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(surroundings) && !data->level->surroundings; i++)
        if (strcmp(name, surroundings[i]) == 0)
            return true;
    return false;
}

/* TEXT is markup-safe JSON; its place in the table. */
static uint32_t put(struct data *data, const struct buf *text)
{
    bool added;
    uint32_t at = intern_add(&data->table, buf_str(text), &added);
    data->size += added ? text->len + 1 : 0;
    return at;
}

/* A string as JSON, escaped by the page's own rule. */
static void add_string(struct data *data, struct buf *out, const char *text)
{
    struct buf *page = data->html->out;
    data->html->out = out;
    html_add_json_str(data->html, text);
    data->html->out = page;
}

static bool keeps_proofs(struct data *data, const cJSON *object)
{
    bool added;
    const char *id = json_str(object, "id");
    if (!id || !json_str(object, "fingerprint"))
        return true;
    uint32_t at = intern_add(&data->ids, id, &added);
    if (added) {
        data->met = xrealloc(data->met, (at + 1) * sizeof *data->met);
        data->met[at] = 0;
    }
    return data->met[at]++ < data->level->proofs;
}

static uint32_t put_value(struct data *data, const cJSON *value, int depth);

/* "[-1,4,5]": the shape's number as a negative one, then the members in its order. */
static void add_object(struct data *data, struct buf *out, const cJSON *object, int depth)
{
    struct buf shape;
    bool proofs = keeps_proofs(data, object);
    const cJSON *member;
    buf_init(&shape, VALUE_MAX);
    cJSON_ArrayForEach (member, object) {
        if (data->size > data->level->max)
            break;
        if (is_left_out(data, member->string, proofs))
            continue;
        buf_addf(out, ",%u", put_value(data, member, depth + 1));
        buf_addch(&shape, shape.len ? ',' : '[');
        add_string(data, &shape, member->string);
    }
    buf_adds(&shape, shape.len ? "]" : "[]");
    char *members = buf_take(out);
    buf_init(out, VALUE_MAX);
    buf_addf(out, "[-%u%s]", intern_add(&data->shapes, buf_str(&shape), NULL) + 1,
             members ? members : "");
    free(members);
    buf_release(&shape);
}

static void add_array(struct data *data, struct buf *out, const cJSON *array, int depth)
{
    const cJSON *each;
    cJSON_ArrayForEach (each, array) {
        if (data->size > data->level->max)
            break;
        buf_addf(out, "%c%u", out->len ? ',' : '[', put_value(data, each, depth + 1));
    }
    buf_adds(out, out->len ? "]" : "[]");
}

static uint32_t put_value(struct data *data, const cJSON *value, int depth)
{
    struct buf text;
    buf_init(&text, VALUE_MAX);
    if (depth > DEPTH_MAX || data->size > data->level->max)
        buf_adds(&text, "null");
    else if (cJSON_IsString(value))
        add_string(data, &text, value->valuestring);
    else if (cJSON_IsObject(value))
        add_object(data, &text, value, depth);
    else if (cJSON_IsArray(value))
        add_array(data, &text, value, depth);
    else
        json_write(&text, value, false);
    if (text.overflow) { /* half a value would spoil them all */
        buf_clear(&text);
        buf_adds(&text, "null");
    }
    uint32_t at = put(data, &text);
    buf_release(&text);
    return at;
}

static void release(struct data *data)
{
    intern_release(&data->table);
    intern_release(&data->shapes);
    intern_release(&data->ids);
    free(data->met);
}

static void add_list(struct buf *out, const struct intern *texts)
{
    for (size_t i = 0; i < texts->len; i++) {
        buf_addch(out, i ? ',' : '[');
        buf_adds(out, texts->items[i].text);
    }
    buf_adds(out, texts->len ? "]" : "[]");
}

const char *html_data(struct html *html)
{
    const char *words = NULL;
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        struct data data = {.html = html, .level = &levels[i]};
        uint32_t targets = put_value(&data, json_at(html->report, "targets"), 0);
        bool fits = data.size <= levels[i].max;
        if (fits || i + 1 == ARRAY_LEN(levels)) {
            words = fits ? levels[i].words
                         : "what lies beyond the size of this page, whole targets among it";
            buf_adds(html->out, "<script type=\"application/json\" id=\"data\">{\"shapes\":");
            add_list(html->out, &data.shapes);
            buf_adds(html->out, ",\"table\":");
            add_list(html->out, &data.table);
            buf_addf(html->out, ",\"targets\":%u}</script>\n", targets);
            release(&data);
            break;
        }
        release(&data);
    }
    return words;
}
