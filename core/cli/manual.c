/* Commands: explain and lint. Reads a section's README.md and finds the headings that are finding ids. */
#include "cli/manual.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/slurp.h"
#include <stdlib.h>
#include <string.h>

#define MANUAL_MAX (4u << 20)

/* How many '#' open the line at TEXT; 0 when it is no heading. */
static size_t heading_level(const char *text)
{
    size_t level = strspn(text, "#");
    return level && level <= 6 && text[level] == ' ' ? level : 0;
}

static const char *next_line(const char *at)
{
    const char *end = strchr(at, '\n');
    return end ? end + 1 : at + strlen(at);
}

/* "section.slug", alone in the heading or in backquotes. */
static char *heading_id(const char *text, size_t level)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const char *start = text + level + strspn(text + level, " `");
    size_t section = strspn(start, letters);
    size_t slug = start[section] == '.' ? strspn(start + section + 1, letters) : 0;
    const char *end = start + section + 1 + slug;
    if (!section || !slug)
        return NULL;
    end += strspn(end, " `\r");
    return *end == '\n' || !*end ? xstrndup(start, section + 1 + slug) : NULL;
}

static void add_heading(struct manual *manual, char *id, const char *body, size_t level,
                        size_t line)
{
    const char *end = body;
    bool fenced = false;
    while (*end && (fenced || !heading_level(end) || heading_level(end) > level)) {
        fenced ^= strncmp(end, "```", 3) == 0;
        end = next_line(end);
    }
    manual->headings = xrealloc(manual->headings, (manual->len + 1) * sizeof *manual->headings);
    manual->headings[manual->len++] = (struct manual_heading){id, body, (size_t)(end - body), line};
}

static void find_headings(struct manual *manual)
{
    size_t line = 1;
    bool fenced = false;
    for (const char *at = manual->text; *at; at = next_line(at), line++) {
        fenced ^= strncmp(at, "```", 3) == 0;
        size_t level = fenced ? 0 : heading_level(at);
        char *id = level ? heading_id(at, level) : NULL;
        if (id)
            add_heading(manual, id, next_line(at), level, line);
    }
}

bool manual_load(struct manual *manual, const char *path, struct err *err)
{
    struct buf text;
    *manual = (struct manual){0};
    buf_init(&text, MANUAL_MAX);
    bool whole = slurp_path(&text, path, err);
    if (whole) {
        manual->text = xstrdup(buf_str(&text));
        find_headings(manual);
    }
    buf_release(&text);
    return whole;
}

void manual_release(struct manual *manual)
{
    for (size_t i = 0; i < manual->len; i++)
        free(manual->headings[i].id);
    free(manual->headings);
    free(manual->text);
    *manual = (struct manual){0};
}

const struct manual_heading *manual_find(const struct manual *manual, const char *id)
{
    for (size_t i = 0; i < manual->len; i++)
        if (strcmp(manual->headings[i].id, id) == 0)
            return &manual->headings[i];
    return NULL;
}
