/* Stage: read. A YAML document inside a pasted text: where it ends, and its text without the indent that it
 * has as a whole. Reads lines, writes a region. Deliberately judges by the outermost lines only: what is
 * indented belongs to what is above. */
#include "base/alloc.h"
#include "read/paste.h"
#include <ctype.h>
#include <string.h>

static bool is_key(const char *at, size_t len)
{
    size_t i = 0;
    bool quoted = len && (*at == '"' || *at == '\'');
    for (i = quoted; i < len; i++)
        if (!isalnum((unsigned char)at[i]) && !strchr("_.$/-<@", at[i]))
            break;
    i += quoted && i < len && at[i] == *at;
    return i > quoted && i < len && at[i] == ':' && (i + 1 == len || at[i + 1] == ' ');
}

static bool is_outer(const char *at, size_t len)
{
    if (*at == '#' || (len >= 3 && memcmp(at, "---", 3) == 0))
        return *at == '#' || len == 3 || at[3] == ' ';
    if (*at == '-' && len >= 2 && at[1] == ' ')
        return true;
    return is_key(at, len) || (len == 1 && strchr("]}", *at)) || paste_is_gap(at, len) ||
           paste_is_pager(at, len);
}

static size_t indent_of(const struct paste_line *line)
{
    const char *at = line->text + line->lead;
    size_t len = line->len - line->lead, indent = 0;
    while (indent < len && at[indent] == ' ')
        indent++;
    return indent;
}

/* Whether a document may begin here: what says so itself, or the first line of something. */
static bool begins(const struct paste *paste, size_t line)
{
    size_t len;
    const char *at = paste_content(&paste->text.lines[line], &len);
    if ((len > 11 && memcmp(at, "apiVersion:", 11) == 0) ||
        (len > 5 && memcmp(at, "kind:", 5) == 0) || (len == 3 && memcmp(at, "---", 3) == 0))
        return true;
    if (line && paste->text.lines[line - 1].kind == PASTE_TEXT)
        return false;
    return is_key(at, len) || (len > 2 && memcmp(at, "- ", 2) == 0 && is_key(at + 2, len - 2));
}

static bool belongs(const struct paste_line *line, size_t indent)
{
    size_t len;
    const char *at = paste_content(line, &len);
    if (line->kind == PASTE_BLANK)
        return true;
    if (line->kind == PASTE_FENCE || line->kind == PASTE_TAKEN)
        return false;
    size_t own = indent_of(line);
    if (own > indent)
        return true;
    return line->kind == PASTE_TEXT && own == indent && is_outer(at, len);
}

bool paste_find_yaml(struct paste *paste, size_t line, struct region *out)
{
    const struct paste_line *lines = paste->text.lines;
    size_t indent = indent_of(&lines[line]), end = line;
    struct buf text;
    if (!begins(paste, line))
        return false;
    *out = (struct region){.first = line};
    for (size_t i = line; i < paste->text.len && belongs(&lines[i], indent); i++)
        if (lines[i].kind != PASTE_BLANK)
            end = i + 1;
    if (end < line + 2)
        return false;
    buf_init(&text, paste->head_len + 64);
    for (size_t i = line; i < end; i++) {
        size_t len, drop = lines[i].lead + indent;
        const char *at = paste_content(&lines[i], &len);
        bool gap = len && paste_is_gap(at, len);
        out->gaps |= gap;
        if (!gap && !paste_is_pager(at, len) && drop < lines[i].len)
            buf_add(&text, lines[i].text + drop, lines[i].len - drop);
        buf_addch(&text, '\n');
    }
    out->end = end;
    out->len = text.len;
    out->text = buf_take(&text);
    return true;
}
