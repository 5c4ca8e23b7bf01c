/* Stage: evidence. Reads the text of needs ("log.xds_closed | stats{grpc.*}") into terms, checked
 * against the dictionary, and answers what the selected checks want. Writes need and need_set only;
 * whether a record passes all filters of a term is the check runner's business. */
#include "evidence/need.h"
#include "base/alloc.h"
#include "base/str.h"
#include "evidence/dictionary.h"
#include <stdlib.h>
#include <string.h>

struct slice {
    const char *start;
    size_t len;
};

static struct slice trim(const char *start, const char *end)
{
    while (start < end && (*start == ' ' || *start == '\t' || *start == '\n'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n'))
        end--;
    return (struct slice){start, (size_t)(end - start)};
}

static bool free_name(const char *name)
{
    return (str_starts(name, "event.") && name[6]) || (str_starts(name, "file.") && name[5]);
}

static bool has_column(const struct dictionary_row *row, const char *column)
{
    for (const struct dictionary_column *c = row->columns; c->name; c++)
        if (strcmp(c->name, column) == 0)
            return true;
    return false;
}

static bool check_filter(const struct need_term *term, const char *column, struct err *err)
{
    const struct dictionary_row *row = dictionary_find(term->name);
    if (!column && (!row || !row->key))
        return err_set(err, "evidence '%s' has no key column: write column=glob in the braces",
                       term->name);
    if (column && row && !has_column(row, column))
        return err_set(err, "evidence '%s' has no column '%s'", term->name, column);
    return true;
}

static bool parse_filter(struct arena *arena, struct slice text, struct need_term *term,
                         struct err *err)
{
    if (!text.len)
        return err_set(err, "evidence '%s' has an empty filter", term->name);
    if (term->filters_len == NEED_FILTERS_MAX)
        return err_set(err, "evidence '%s' has more than %d filters", term->name, NEED_FILTERS_MAX);
    const char *equal = memchr(text.start, '=', text.len);
    const char *column = NULL;
    struct slice glob = text;
    if (equal) {
        struct slice left = trim(text.start, equal);
        column = arena_strndup(arena, left.start, left.len);
        glob = trim(equal + 1, text.start + text.len);
    }
    if (!check_filter(term, column, err))
        return false;
    term->filters[term->filters_len].column = column;
    term->filters[term->filters_len].glob = arena_strndup(arena, glob.start, glob.len);
    term->filters_len++;
    return true;
}

static bool parse_filters(struct arena *arena, const char *at, const char *end,
                          struct need_term *term, struct err *err)
{
    while (at <= end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma ? comma : end;
        if (!parse_filter(arena, trim(at, stop), term, err))
            return false;
        at = stop + 1;
    }
    return true;
}

static bool parse_term(struct arena *arena, struct slice text, struct need_term *term,
                       struct err *err)
{
    const char *end = text.start + text.len;
    const char *brace = memchr(text.start, '{', text.len);
    struct slice name = trim(text.start, brace ? brace : end);
    if (!name.len)
        return err_set(err, "an alternative is empty");
    term->name = arena_strndup(arena, name.start, name.len);
    if (!dictionary_find(term->name) && !free_name(term->name))
        return err_set(err, "there is no evidence '%s' (docs/evidence.md lists the names)",
                       term->name);
    if (!brace)
        return true;
    if (end[-1] != '}')
        return err_set(err, "the brace behind '%s' is not closed", term->name);
    return parse_filters(arena, brace + 1, end - 1, term, err);
}

/* The end of the alternative that begins at TEXT: a '|' inside braces belongs to a glob. */
static const char *term_end(const char *text)
{
    bool inside = false;
    for (; *text; text++) {
        if (*text == '|' && !inside)
            break;
        inside = *text == '{' || (inside && *text != '}');
    }
    return text;
}

static size_t count_terms(const char *text)
{
    size_t len = 1;
    for (text = term_end(text); *text; text = term_end(text + 1))
        len++;
    return len;
}

bool need_parse(struct arena *arena, const char *text, struct need *out, struct err *err)
{
    *out = (struct need){.text = arena_strdup(arena, text)};
    struct slice all = trim(text, text + strlen(text));
    const char *at = all.start;
    if (all.len && *at == '?') {
        out->optional = true;
        at++;
    }
    size_t len = count_terms(at);
    out->terms = arena_alloc(arena, len * sizeof *out->terms);
    while (out->terms_len < len) {
        const char *end = term_end(at);
        if (!parse_term(arena, trim(at, end), &out->terms[out->terms_len], err))
            return err_prefix(err, "need '%s'", text);
        out->terms_len++;
        at = end + 1;
    }
    return true;
}

void need_set_init(struct need_set *set)
{
    *set = (struct need_set){0};
}

void need_set_release(struct need_set *set)
{
    free(set->terms);
    free(set->marks);
    need_set_init(set);
}

void need_set_begin(struct need_set *set)
{
    set->checks++;
}

void need_set_add(struct need_set *set, const struct need *need)
{
    set->needs++;
    for (size_t i = 0; i < need->terms_len; i++) {
        if (set->len == set->cap) {
            set->cap = set->cap ? set->cap * 2 : 16;
            set->terms = xrealloc(set->terms, set->cap * sizeof *set->terms);
            set->marks = xrealloc(set->marks, set->cap * sizeof *set->marks);
        }
        set->marks[set->len] = (struct need_mark){set->checks, set->needs, need->optional};
        set->terms[set->len++] = need->terms[i];
    }
}

const char *need_term_key(const struct need_term *term)
{
    const struct dictionary_row *row = dictionary_find(term->name);
    if (!row || !row->key)
        return NULL;
    for (int i = 0; i < term->filters_len; i++)
        if (!term->filters[i].column || strcmp(term->filters[i].column, row->key) == 0)
            return term->filters[i].glob;
    return NULL;
}

bool need_set_wants(const struct need_set *set, const char *name, const char *key)
{
    for (size_t i = 0; i < set->len; i++) {
        if (strcmp(set->terms[i].name, name) != 0)
            continue;
        const char *glob = key ? need_term_key(&set->terms[i]) : NULL;
        if (!glob || str_glob(glob, key))
            return true;
    }
    return false;
}

/* SOURCES is a row's list: names with globs, and words for people that match no name. */
static bool supplies(const char *sources, const char *source_name)
{
    for (const char *at = sources; *at;) {
        const char *end = at + strcspn(at, ",");
        struct slice item = trim(at, end);
        char glob[128];
        if (item.len < sizeof glob) {
            memcpy(glob, item.start, item.len);
            glob[item.len] = '\0';
            if (str_glob(glob, source_name))
                return true;
        }
        at = *end ? end + 1 : end;
    }
    return false;
}

bool need_set_wants_source(const struct need_set *set, const char *source_name)
{
    if (str_starts(source_name, "sample-2/"))
        source_name += strlen("sample-2/");
    for (size_t i = 0; i < set->len; i++) {
        const char *name = set->terms[i].name;
        if (str_starts(name, "file.") && str_starts(source_name, "file/"))
            return true;
        const struct dictionary_row *row = dictionary_find(str_starts(name, "event.") ? "text"
                                                                                      : name);
        if (row && supplies(row->sources, source_name))
            return true;
    }
    return false;
}
