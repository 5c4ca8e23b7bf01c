/* Stage: read. What readers share: problems, records, and the three ways through a source: documents,
 * split elements, lines. Reads the source's stream once, from front to back; keeps no more of it than
 * one document, element or line. */
#include "base/alloc.h"
#include "base/json_bump.h"
#include "base/json_close.h"
#include "base/json_relax.h"
#include "base/str.h"
#include "base/yaml.h"
#include "read/read.h"
#include "read/template.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PORTION = 64 << 10,
    LINE_MAX_BYTES = 64 << 10,
    ELEMENT_MAX = 4 << 20,
    TREE_MAX = 256 << 20,
    PROBLEMS_MAX = 20, /* per source; what comes after says no more */
    PREFIX_MAX = 16,
};

static bool room_for_problem(const struct source *source)
{
    int len = 0;
    for (const struct source_problem *at = source->problems; at; at = at->next)
        len++;
    return len < PROBLEMS_MAX;
}

static void add_problem(struct reading *reading, const char *format, va_list args)
{
    char text[1024];
    if (!room_for_problem(reading->source))
        return;
    vsnprintf(text, sizeof text, format, args);
    char clean[1024];
    str_to_utf8(clean, sizeof clean, text, strlen(text));
    source_problem(reading->sources, reading->source, "%s", clean);
}

void reading_problem(struct reading *reading, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_problem(reading, format, args);
    va_end(args);
}

void reading_partial(struct reading *reading, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_problem(reading, format, args);
    va_end(args);
    reading->complete = false;
}

static void place_with_capitals(struct reading *reading, struct record *record, const char *pointer)
{
    char *place = xstrdup(pointer);
    for (char *at = place + reading->capitals_from; *at; at++)
        if (at[0] == '/' && at[1] >= 'a' && at[1] <= 'z')
            at[1] = (char)(at[1] - 'a' + 'A');
    evidence_place(reading->evidence, record, place);
    free(place);
}

struct record *reading_add(struct reading *reading, const char *name, const char *pointer)
{
    struct record *record = evidence_add(reading->evidence, name, reading->source);
    if (record && reading->capitals_from && strlen(pointer) >= reading->capitals_from)
        place_with_capitals(reading, record, pointer);
    else if (record)
        evidence_place(reading->evidence, record, pointer);
    return record;
}

/* Up to CAP bytes; false at the end, or where the source cannot be read further. */
static bool next_bytes(struct reading *reading, char *bytes, size_t cap, size_t *got)
{
    struct err err = ERR_INIT;
    if (stream_read(reading->stream, bytes, cap, got, &err))
        return *got > 0;
    *got = 0;
    reading_partial(reading, "%s", err.text);
    return false;
}

static bool pull(void *user, char *bytes, size_t cap, size_t *got)
{
    next_bytes(user, bytes, cap, got);
    return true;
}

/* Text that begins with a quote is what somebody cut out of JSON: its error should say so. */
static bool is_yaml(const struct reading *reading)
{
    const char *text = reading->peek->text;
    if (reading->peek->shape == PEEK_TEXT)
        return text[strspn(text, " \t\r\n")] != '"';
    return reading->peek->shape == PEEK_YAML;
}

/* ---- documents ---- */

struct documents {
    struct reading *reading;
    reading_document_fn *each;
    struct json_bump *bump;
    struct buf text; /* of the last complete YAML document, while another may follow */
    uint64_t line;
    int index;  /* of the document in `text`, -1: none */
    bool ended; /* all of it is there */
    bool several;
};

static void give_tree(struct documents *documents, const cJSON *tree, int index, uint64_t line)
{
    char prefix[PREFIX_MAX] = "";
    if (documents->several)
        snprintf(prefix, sizeof prefix, "/%d", index);
    documents->each(documents->reading, tree, prefix, line);
}

static void give_yaml(struct documents *documents)
{
    struct err err = ERR_INIT;
    size_t used;
    bool full = documents->text.overflow;
    const cJSON *tree = NULL;
    if (documents->index < 0)
        return;
    if (!full)
        tree = json_bump_parse(documents->bump, buf_str(&documents->text), documents->text.len,
                               &used, &full, &err);
    if (tree)
        give_tree(documents, tree, documents->index, documents->line);
    else if (full)
        reading_partial(documents->reading, "the document at line %" PRIu64 " is too large",
                        documents->line);
    else
        reading_partial(documents->reading, "%s", err.text);
    documents->index = -1;
}

static void yaml_document(void *user, int index, size_t line)
{
    struct documents *documents = user;
    documents->several = index > 0;
    give_yaml(documents);
    buf_clear(&documents->text);
    documents->line = line;
    documents->index = index;
    documents->ended = false;
}

static bool yaml_text(void *user, const char *json, size_t len)
{
    struct documents *documents = user;
    buf_add(&documents->text, json, len);
    return true;
}

static void yaml_end(void *user)
{
    struct documents *documents = user;
    documents->ended = true; /* it waits in `text` until it is known whether another one follows */
}

static const char *template_hint(const struct reading *reading)
{
    return memmem(reading->peek->text, reading->peek->len, "{{", 2)
               ? "; it looks like a template: render it first (helm template, kustomize build)"
               : "";
}

/* What was delivered of the document before it broke is used where half of one is better than none. */
static void yaml_broken(void *user, const char *why)
{
    struct documents *documents = user;
    struct reading *reading = documents->reading;
    reading_partial(reading, "%s%s", why, template_hint(reading));
    if (documents->ended || documents->index < 0)
        return;
    documents->ended = reading->lenient && json_close(&documents->text);
    if (!documents->ended)
        documents->index = -1;
}

static void yaml_documents(struct documents *documents)
{
    struct yaml_sink sink = {yaml_document, yaml_text, yaml_end, documents, yaml_broken};
    yaml_to_json(pull, documents->reading, &sink, NULL);
    if (documents->ended)
        give_yaml(documents);
}

static size_t behind_blanks(const char *text, size_t len, size_t at)
{
    while (at < len &&
           (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t'))
        at++;
    return at;
}

static uint64_t count_lines(const char *text, size_t len)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

static void refuse_rest(struct documents *documents, const struct err *err, size_t at)
{
    if (err->text[0])
        reading_partial(documents->reading, "%s", err->text);
    else
        reading_problem(documents->reading,
                        "text behind the end of the document (byte %zu) is ignored", at);
}

static void json_documents(struct documents *documents, const char *text, size_t len);

/* JSON with comments and commas too many; false when that is not what is wrong with it. */
static bool relaxed(struct documents *documents, const char *text, size_t len)
{
    struct reading *reading = documents->reading;
    if (reading->relaxed)
        return false;
    reading->relaxed = true; /* once */
    char *copy = xmalloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    size_t used, line = json_relax(copy, len);
    cJSON *tree = line ? json_parse_next(copy, len, &used, NULL) : NULL;
    if (tree) {
        reading_problem(reading,
                        "is no JSON as programs take it: comments, or commas behind a last element "
                        "(the first in line %zu); it was read without them",
                        line);
        json_documents(documents, copy, len);
    }
    cJSON_Delete(tree);
    free(copy);
    return tree != NULL;
}

/* What can be read of a template, or of what was cut; false when it is neither. */
static bool mended(struct documents *documents, const char *text, size_t len)
{
    struct buf copy;
    struct reading *reading = documents->reading;
    if (!reading->lenient)
        return false;
    reading->lenient = false; /* once */
    buf_init(&copy, 2 * len + 64);
    if (!template_quote(&copy, text, len)) {
        buf_clear(&copy);
        buf_add(&copy, text, len);
    }
    size_t used;
    struct err why = ERR_INIT;
    cJSON *tree = json_parse_next(buf_str(&copy), copy.len, &used, &why);
    bool good = tree || json_close(&copy);
    if (good && !tree)
        reading_partial(reading, "%s", why.text);
    cJSON_Delete(tree);
    if (good)
        json_documents(documents, buf_str(&copy), copy.len);
    buf_release(&copy);
    return good;
}

/* All values that stand behind each other in TEXT. */
static void json_documents(struct documents *documents, const char *text, size_t len)
{
    uint64_t line = 1;
    size_t at = behind_blanks(text, len, 0);
    for (int index = 0; at < len; index++) {
        struct err err = ERR_INIT;
        size_t used = 0;
        bool value = text[at] == '{' || text[at] == '[' || !index;
        cJSON *tree = value ? json_parse_next(text + at, len - at, &used, &err) : NULL;
        if (!tree && !index && relaxed(documents, text + at, len - at))
            return;
        if (!tree && !index && mended(documents, text + at, len - at))
            return;
        if (!tree)
            return refuse_rest(documents, &err, at);
        used = behind_blanks(text, len - at, used);
        documents->several |= at + used < len && strchr("{[", text[at + used]) != NULL;
        give_tree(documents, tree, index, line);
        cJSON_Delete(tree);
        line += count_lines(text + at, used);
        at += used;
    }
}

static void read_json_documents(struct documents *documents, size_t max)
{
    struct buf text;
    char *bytes = xmalloc(PORTION);
    size_t got;
    buf_init(&text, max);
    while (!text.overflow && next_bytes(documents->reading, bytes, PORTION, &got))
        buf_add(&text, bytes, got);
    if (text.overflow)
        reading_partial(documents->reading, "is larger than %zu MB and was not read", max >> 20);
    else
        json_documents(documents, buf_str(&text), text.len);
    free(bytes);
    buf_release(&text);
}

void reading_documents(struct reading *reading, size_t max, reading_document_fn *each)
{
    struct documents documents = {.reading = reading, .each = each, .index = -1};
    documents.bump = json_bump_new(TREE_MAX);
    buf_init(&documents.text, max);
    if (is_yaml(reading))
        yaml_documents(&documents);
    else
        read_json_documents(&documents, max);
    buf_release(&documents.text);
    json_bump_free(documents.bump);
}

/* ---- split elements ---- */

struct split {
    struct reading *reading;
    const char *const *rules;
    json_piece_fn *piece;
    void *user;
    struct json_split *json; /* NULL between YAML documents */
    int index;               /* of the YAML document */
    bool nothing;            /* the document is empty, or comments alone */
    struct err err;
};

static void give_piece(void *user, const struct json_piece *piece)
{
    struct split *split = user;
    if (!split->index)
        return split->piece(split->user, piece);
    struct json_piece moved = *piece;
    char *pointer = xasprintf("/%d%s", split->index, piece->pointer);
    char *parent = xasprintf("/%d%s", split->index, piece->parent);
    moved.pointer = pointer;
    moved.parent = *piece->parent ? parent : "";
    split->piece(split->user, &moved);
    free(pointer);
    free(parent);
}

static void give_oversize(void *user, const char *pointer, uint64_t len)
{
    struct split *split = user;
    reading_partial(split->reading, "'%s' holds %" PRIu64 " bytes and was not read (limit %d MB)",
                    *pointer ? pointer : "/", len, ELEMENT_MAX >> 20);
}

static void split_document(void *user, int index, size_t line)
{
    struct split *split = user;
    (void)line;
    split->index = index;
    split->nothing = false;
    split->json = json_split_new(split->rules, ELEMENT_MAX, give_piece, give_oversize, split);
}

static bool split_text(void *user, const char *json, size_t len)
{
    struct split *split = user;
    split->nothing |= len == 4 && memcmp(json, "null", 4) == 0; /* else '{' or '[' is the first */
    return split->nothing || json_split_feed(split->json, json, len, &split->err);
}

static void split_end(void *user)
{
    struct split *split = user;
    if (!split->err.text[0] && !split->nothing)
        json_split_end(split->json, &split->err);
    json_split_free(split->json);
    split->json = NULL;
}

static void split_broken(void *user, const char *why)
{
    struct split *split = user;
    reading_partial(split->reading, "%s%s", why, template_hint(split->reading));
    json_split_free(split->json);
    split->json = NULL;
}

static void split_yaml(struct split *split)
{
    struct yaml_sink sink = {split_document, split_text, split_end, split, split_broken};
    yaml_to_json(pull, split->reading, &sink, NULL);
    if (split->err.text[0])
        reading_partial(split->reading, "%s", split->err.text);
    json_split_free(split->json);
}

static void split_json(struct split *split)
{
    char *bytes = xmalloc(PORTION);
    size_t got;
    bool good = true;
    split_document(split, 0, 1);
    while (good && next_bytes(split->reading, bytes, PORTION, &got))
        good = json_split_feed(split->json, bytes, got, &split->err);
    if (good)
        good = json_split_end(split->json, &split->err);
    if (!good && json_split_whole(split->json))
        reading_problem(split->reading, "%s is ignored", split->err.text);
    else if (!good)
        reading_partial(split->reading, "%s", split->err.text);
    json_split_free(split->json);
    free(bytes);
}

void reading_split(struct reading *reading, const char *const *rules, json_piece_fn *piece,
                   void *user)
{
    struct split split = {.reading = reading, .rules = rules, .piece = piece, .user = user};
    if (is_yaml(reading))
        split_yaml(&split);
    else
        split_json(&split);
}

/* ---- lines ---- */

struct lines {
    struct reading *reading;
    reading_line_fn *each;
    struct buf rest; /* the beginning of a line whose end has not come yet */
    uint64_t number;
    bool cut; /* some line was longer than it may be */
};

static void give_line(struct lines *lines, const char *line, size_t len)
{
    while (len && line[len - 1] == '\r')
        len--;
    if (len > LINE_MAX_BYTES) {
        len = LINE_MAX_BYTES;
        lines->cut = true;
    }
    lines->each(lines->reading, line, len, ++lines->number);
}

static void take_lines(struct lines *lines, const char *at, size_t len)
{
    const char *end = at + len, *stop;
    while ((stop = memchr(at, '\n', (size_t)(end - at)))) {
        if (lines->rest.len) {
            buf_add(&lines->rest, at, (size_t)(stop - at));
            lines->cut |= lines->rest.overflow;
            give_line(lines, lines->rest.data, lines->rest.len);
            buf_clear(&lines->rest);
        } else {
            give_line(lines, at, (size_t)(stop - at));
        }
        at = stop + 1;
    }
    buf_add(&lines->rest, at, (size_t)(end - at));
}

void reading_lines(struct reading *reading, reading_line_fn *each)
{
    struct lines lines = {.reading = reading, .each = each};
    char *bytes = xmalloc(PORTION);
    size_t got;
    buf_init(&lines.rest, LINE_MAX_BYTES);
    while (next_bytes(reading, bytes, PORTION, &got))
        take_lines(&lines, bytes, got);
    if (lines.rest.len) {
        lines.cut |= lines.rest.overflow;
        give_line(&lines, lines.rest.data, lines.rest.len);
    }
    if (lines.cut)
        reading_problem(reading, "lines above %d kB were cut", LINE_MAX_BYTES >> 10);
    buf_release(&lines.rest);
    free(bytes);
}
