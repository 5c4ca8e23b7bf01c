/* Stage: read. Splits a pasted text into regions: JSON and YAML documents, tables, and what stands below a
 * command and is known to a reader of text. Reads the first megabytes of a source, asks the recognition of
 * the readers what each region is, and blanks what was taken. Deliberately bounded: what stands behind the
 * head is text, as it always was, so that a log of any size still streams. */
#include "read/paste.h"
#include "base/alloc.h"
#include "read/log_unwrap.h"
#include "read/peek.h"
#include "read/readers.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_MAX = 4 << 20,
    PORTION = 64 << 10,
    PORTION_LEAST = 8 << 10,
    LINES_MAX = 64 << 10,
    REGIONS_MAX = 200,
    FAILED_MAX = 400,         /* attempts */
    LOOKED_AT_MAX = 16 << 20, /* bytes that they may cost together */
    VALUES_LOOKED_AT = 16,
    RUN_MAX = 3,   /* objects on one line that nobody knew, before more of them are left alone */
    INNER_MAX = 4, /* failed attempts inside of a document that nobody knew */
    UNREAD_LINES = 5,
    GAP_MOST = 60,
    NAMES_MAX = 5,
};

/* ---- the head ---- */

static bool read_head(struct stream *stream, struct buf *head)
{
    struct err err = ERR_INIT;
    char *bytes = xmalloc(PORTION);
    size_t got = 1;
    while (got && HEAD_MAX - head->len >= PORTION_LEAST) {
        size_t room = HEAD_MAX - head->len;
        /* what cannot be read is said when the rest is */
        if (!stream_read(stream, bytes, room < PORTION ? room : PORTION, &got, &err))
            got = 0;
        buf_add(head, bytes, got);
    }
    free(bytes);
    return !got;
}

/* Up to the last line end within the limits. */
static size_t head_lines(const struct buf *head, bool whole)
{
    const char *at = buf_str(head), *from = at, *end = at + head->len;
    size_t lines = 0;
    while (lines < LINES_MAX && (at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        lines++;
    }
    if (at)
        return (size_t)(at - from);
    const char *last = whole ? NULL : memrchr(from, '\n', head->len);
    return last ? (size_t)(last + 1 - from) : head->len;
}

/* ---- what needs no splitting ---- */

static const struct reader *who_reads(const struct peek *peek)
{
    int score;
    const struct reader *reader = read_recognise(peek, &score);
    return score >= READ_SURE ? reader : NULL;
}

static const char *string_end(const char *at, const char *end)
{
    for (; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/* Behind the JSON value at AT; NULL when it does not end. */
static const char *value_end(const char *at, const char *end)
{
    int depth = 0;
    while (at < end) {
        char c = *at++;
        if (c == '"')
            at = string_end(at, end);
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth == 0)
            return at;
    }
    return NULL;
}

/* JSON values and nothing else, of which the first ones belong to one reader. */
static bool is_json_alone(const struct paste *paste)
{
    const char *at = paste->head, *end = at + paste->head_len;
    const struct reader *first = NULL;
    struct arena *arena = arena_new();
    bool alone = true;
    for (int i = 0; alone; i++) {
        while (at < end && strchr(" \t\r\n", *at) && *at)
            at++;
        if (at == end)
            break;
        const char *stop = *at == '{' || *at == '[' ? value_end(at, end) : NULL;
        if (!stop) {
            alone = !paste->whole && (*at == '{' || *at == '[');
            break;
        }
        if (i < VALUES_LOOKED_AT) {
            struct peek peek;
            size_t len = (size_t)(stop - at), most = len < PORTION ? len : PORTION;
            peek_init(&peek, arena, paste->name, at, most, len == most);
            const struct reader *reader = who_reads(&peek);
            alone = !i || reader == first;
            first = reader;
        }
        at = stop;
    }
    arena_free(arena);
    return alone;
}

bool paste_is_log(const char *at, size_t len)
{
    struct log_header header;
    return len && log_shape_header(at, len, &header) && header.kind != LOG_OTHER;
}

/* YAML that has a reader goes on to its end, unless what cannot be YAML says that something else begins. */
static bool is_yaml_alone(const struct paste *paste)
{
    for (size_t i = 0; i < paste->text.len; i++) {
        const struct paste_line *line = &paste->text.lines[i];
        if (!line->len || *line->text == ' ' || *line->text == '#' || *line->text == '-')
            continue;
        if (*line->text == '[' ? paste_is_log(line->text, line->len)
                               : line->len > 2 && memcmp(line->text, "```", 3) == 0)
            return false;
        const char *typed = paste_command(line->text, line->len);
        if (typed && typed > line->text)
            return false;
    }
    return true;
}

static bool is_alone(const struct paste *paste, const struct peek *peek)
{
    if (peek->shape == PEEK_JSON_OBJECT || peek->shape == PEEK_JSON_ARRAY)
        return is_json_alone(paste);
    const struct reader *reader = peek->shape == PEEK_YAML ? who_reads(peek) : NULL;
    return reader && reader != &read_host && reader != &read_log &&
           reader != &read_kubernetes_events && is_yaml_alone(paste);
}

/* ---- lines ---- */

const char *paste_content(const struct paste_line *line, size_t *len)
{
    const char *at = line->text + line->lead, *end = line->text + line->len;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    while (end > at && strchr(" \t\r", end[-1]) && end[-1])
        end--;
    *len = (size_t)(end - at);
    return at;
}

static bool is_one_of(const char *at, size_t len, const char *const *texts, size_t texts_len)
{
    for (size_t i = 0; i < texts_len; i++)
        if (strlen(texts[i]) == len && memcmp(texts[i], at, len) == 0)
            return true;
    return false;
}

bool paste_is_gap(const char *at, size_t len)
{
    static const char *const gaps[] = {"[...]", "(...)",  "<...>", "{...}",    "{...},", "[...],",
                                       "..",    "// ...", "# ...", "---8<---", "*snip*"};
    static const char *const words[] = {"snip", "omitted", "truncated", " more "};
    if (len >= 3 && len < GAP_MOST && memcmp(at, "...", 3) == 0)
        return true; /* "... 5 more" */
    if (!len || len >= GAP_MOST || !strchr(".[(</#-{*", *at))
        return false;
    for (size_t i = 0; strchr("<[(", *at) && i < ARRAY_LEN(words); i++)
        if (memmem(at, len, words[i], strlen(words[i])))
            return true;
    return is_one_of(at, len, gaps, ARRAY_LEN(gaps));
}

bool paste_is_pager(const char *at, size_t len)
{
    static const char *const shown[] = {"(END)", ":", "--More--", "~"};
    if (len > 6 && memcmp(at, "lines ", 6) == 0)
        return at[6] >= '0' && at[6] <= '9';
    return is_one_of(at, len, shown, ARRAY_LEN(shown));
}

/* ---- regions ---- */

static void accept(struct paste *paste, const struct region *region)
{
    if (paste->len == paste->cap) {
        paste->cap = paste->cap ? paste->cap * 2 : 8;
        paste->regions = xrealloc(paste->regions, paste->cap * sizeof *paste->regions);
    }
    struct region *kept = &paste->regions[paste->len++];
    *kept = *region;
    size_t most = kept->len < PORTION ? kept->len : PORTION;
    peek_init(&kept->peek, paste->arena, paste->name, kept->text, most, kept->len == most);
    for (size_t i = kept->first; i < kept->end; i++) {
        struct paste_line *line = &paste->text.lines[i];
        bool last = kept->merged && i + 1 == kept->end;
        const char *brace = last ? memrchr(line->text, '}', line->len) : NULL;
        const char *bracket = last ? memrchr(line->text, ']', line->len) : NULL;
        const char *rest = brace > bracket ? brace : bracket;
        if (rest)
            *line = (struct paste_line){.text = rest + 1,
                                        .len = (uint32_t)(line->text + line->len - rest - 1)};
        else
            line->kind = PASTE_TAKEN;
    }
}

/* "JSON with apiVersion, kind and 3 more": for people */
static void note_unread(struct paste *paste, const struct region *region, const struct peek *peek)
{
    struct buf names;
    bool json = peek->shape == PEEK_JSON_OBJECT || peek->shape == PEEK_JSON_ARRAY;
    if (!json || region->end - region->first < UNREAD_LINES ||
        paste->unread_len == PASTE_UNREAD_MAX)
        return;
    buf_init(&names, 1024);
    for (size_t i = 0; i < NAMES_MAX && peek->keys[i]; i++)
        buf_addf(&names, "%s%s", i ? ", " : " with ", peek->keys[i]);
    paste->unread[paste->unread_len++] = (struct paste_unread){
        region->first, region->end, arena_printf(paste->arena, "JSON%s", buf_str(&names))};
    buf_release(&names);
}

void paste_say_unread(const struct paste *paste, struct reading *reading)
{
    for (size_t i = 0; i < paste->unread_len; i++) {
        const struct paste_unread *unread = &paste->unread[i];
        bool known = false; /* something inside of it is */
        for (size_t r = 0; r < paste->len; r++)
            known |= paste->regions[r].first < unread->end && unread->first < paste->regions[r].end;
        if (!known)
            reading_problem(reading, "lines %zu to %zu hold %s, which no reader knows",
                            unread->first + 1, unread->end, unread->what);
    }
}

/* Whether a reader knows the region. Logs are no regions, unless CloudWatch has wrapped them in JSON. */
static bool is_known(struct paste *paste, struct region *region)
{
    struct arena *arena = arena_new();
    struct peek peek;
    size_t most = region->len < PORTION ? region->len : PORTION;
    peek_init(&peek, arena, paste->name, region->text, most, region->len == most);
    region->reader = peek.shape == PEEK_TEXT && !region->plain ? NULL : who_reads(&peek);
    if (!region->reader)
        note_unread(paste, region, &peek);
    arena_free(arena);
    if (!region->reader) {
        paste->failed++;
        paste->looked_at += region->len;
    }
    return region->reader && region->reader != &read_host;
}

static bool is_tired(const struct paste *paste)
{
    return paste->failed >= FAILED_MAX || paste->looked_at >= LOOKED_AT_MAX ||
           paste->len >= REGIONS_MAX;
}

/* Where what begins in LINE ends, if it is a document at all; LINE when it is none. */
static size_t take(struct paste *paste, size_t line, paste_find_fn *find, bool *found)
{
    struct region region;
    if (!find(paste, line, &region))
        return line;
    *found = is_known(paste, &region);
    if (*found)
        accept(paste, &region);
    else
        free(region.text);
    return region.end;
}

struct hunt {     /* for documents, line by line */
    int run;      /* of objects on one line that nobody knew */
    size_t outer; /* end of a document that nobody knew */
    int inner;    /* failed attempts inside of it */
};

/* Returns the next line to look at. */
static size_t hunt_at(struct paste *paste, struct hunt *hunt, size_t i)
{
    const struct paste_line *line = &paste->text.lines[i];
    size_t len, end = i;
    const char *at = paste_content(line, &len);
    bool object = len && (*at == '{' || *at == '['), found = false;
    bool single = object && len > 1 && (at[len - 1] == '}' || at[len - 1] == ']');
    if (line->kind != PASTE_TEXT)
        return i + 1;
    bool drawn = len > 8 && (memcmp(at, "--------", 8) == 0 || memcmp(at, "+-------", 8) == 0);
    if (drawn)
        end = take(paste, i, paste_find_table, &found);
    else if (len > 9 && (memcmp(at, "LAST SEEN", 9) == 0 || memcmp(at, "NAMESPACE ", 10) == 0))
        end = take(paste, i, paste_find_events, &found);
    else if (len > 6 && (memcmp(at, "TASKS\t", 6) == 0 || memcmp(at, "TARGETH", 7) == 0))
        end = take(paste, i, paste_find_aws_text, &found);
    else if (!object)
        end = take(paste, i, paste_find_yaml, &found);
    else if (!single || hunt->run < RUN_MAX)
        end = take(paste, i, paste_find_json, &found);
    hunt->run = single && !found ? hunt->run + 1 : 0;
    if (found)
        return paste->regions[paste->len - 1].merged ? end - 1 : end;
    if (i >= hunt->outer) {
        hunt->outer = object ? end : i;
        hunt->inner = 0;
    } else if (end > i && ++hunt->inner > INNER_MAX) {
        return hunt->outer;
    }
    return i + 1;
}

static void find_documents(struct paste *paste)
{
    struct hunt hunt = {0};
    for (size_t i = 0; i < paste->text.len && !is_tired(paste);)
        i = hunt_at(paste, &hunt, i);
}

/* ---- text that readers know as a whole ---- */

static bool reads_text(const struct reader *reader)
{
    static const struct reader *const readers[] = {
        &read_stats,       &read_clusters,          &read_listeners, &read_ready,
        &read_server_info, &read_kubernetes_events, &read_env,       &read_config_dump};
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        if (readers[i] == reader)
            return true;
    return false;
}

/* What stands between two commands, fences or regions. */
static void take_segment(struct paste *paste, size_t first, size_t end)
{
    struct region region = {.first = first, .end = end};
    struct buf text;
    while (region.first < end && paste->text.lines[region.first].kind == PASTE_BLANK)
        region.first++;
    while (region.end > region.first && paste->text.lines[region.end - 1].kind == PASTE_BLANK)
        region.end--;
    if (region.first == region.end || is_tired(paste))
        return;
    buf_init(&text, paste->head_len + 64);
    for (size_t i = region.first; i < region.end; i++) {
        const struct paste_line *line = &paste->text.lines[i];
        buf_add(&text, line->text + line->lead, line->len - line->lead);
        buf_addch(&text, '\n');
    }
    region.len = text.len;
    region.text = buf_take(&text);
    struct arena *arena = arena_new();
    struct peek peek;
    size_t most = region.len < PORTION ? region.len : PORTION;
    peek_init(&peek, arena, paste->name, region.text, most, region.len == most);
    region.reader = who_reads(&peek);
    arena_free(arena);
    if (region.reader && reads_text(region.reader)) {
        accept(paste, &region);
    } else {
        paste->failed++;
        free(region.text);
    }
}

static void find_segments(struct paste *paste)
{
    size_t first = 0;
    bool parted = false;
    for (size_t i = 0; i < paste->text.len; i++) {
        enum paste_kind kind = paste->text.lines[i].kind;
        if (kind == PASTE_TEXT || kind == PASTE_BLANK)
            continue;
        if (i > first)
            take_segment(paste, first, i);
        parted = true;
        first = i + 1;
    }
    if (parted)
        take_segment(paste, first, paste->text.len);
}

static int by_line(const void *a, const void *b)
{
    const struct region *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

/* ---- in and out ---- */

/* The head as it is now, into TEXT: empty lines where regions are. */
static void write_rest(const struct paste *paste, struct buf *text)
{
    for (size_t i = 0; i < paste->text.len; i++) {
        const struct paste_line *line = &paste->text.lines[i];
        if (line->kind != PASTE_TAKEN && line->kind != PASTE_FENCE)
            buf_add(text, line->text, line->len);
        bool last = i + 1 == paste->text.len && paste->head[paste->head_len - 1] != '\n';
        if (!last)
            buf_addch(text, '\n');
    }
}

static bool has_rest(const struct paste *paste)
{
    for (size_t i = 0; i < paste->text.len; i++)
        if (paste->text.lines[i].kind == PASTE_TEXT)
            return true;
    return !paste->whole;
}

static struct paste *paste_new(const struct peek *peek, const struct buf *head, bool whole)
{
    struct paste *paste = xcalloc(1, sizeof *paste);
    paste->arena = arena_new();
    paste->name = peek->name;
    paste->whole = whole;
    paste->head = buf_str(head);
    paste->head_len = head_lines(head, whole);
    paste->whole &= paste->head_len == head->len;
    paste_text_init(&paste->text, paste->arena, paste->head, paste->head_len);
    return paste;
}

static void split(struct paste *paste)
{
    paste_text_clean(&paste->text);
    find_documents(paste);
    find_segments(paste);
    if (paste->len)
        qsort(paste->regions, paste->len, sizeof *paste->regions, by_line);
}

struct paste *paste_open(struct reading *reading, const struct peek *peek)
{
    struct buf head, rest;
    if (peek->shape == PEEK_EMPTY || peek->shape == PEEK_BINARY)
        return NULL;
    buf_init(&head, HEAD_MAX);
    bool whole = read_head(reading->stream, &head);
    struct paste *paste = paste_new(peek, &head, whole);
    if (!is_alone(paste, peek))
        split(paste);
    paste->rest = has_rest(paste);
    size_t behind = head.len - paste->head_len;
    bool changed = paste->len || paste->text.changed;
    if (changed) {
        buf_init(&rest, 2 * head.len + 2);
        write_rest(paste, &rest);
        buf_add(&rest, buf_str(&head) + paste->head_len, behind);
        size_t len = rest.len;
        stream_unread(reading->stream, buf_take(&rest), len);
    }
    size_t len = head.len;
    if (changed)
        buf_release(&head);
    else
        stream_unread(reading->stream, buf_take(&head), len);
    paste_text_release(&paste->text);
    paste->head = NULL;
    return paste;
}

void paste_free(struct paste *paste)
{
    if (!paste)
        return;
    for (size_t i = 0; i < paste->len; i++)
        free(paste->regions[i].text);
    free(paste->regions);
    paste_text_release(&paste->text);
    arena_free(paste->arena);
    free(paste);
}

struct stream *paste_stream(const struct region *region)
{
    char *text = xmalloc(region->first + region->len + 1);
    memset(text, '\n', region->first);
    memcpy(text + region->first, region->text, region->len);
    return stream_open_text(text, region->first + region->len);
}
