/* Stage: read. Placeholders in manifests that somebody is still to fill in. Reads text and trees, marks
 * what is not known, names each placeholder with its line. Deliberately fills in nothing: what stands in
 * the environment of this run is not what will stand there. */
#include "read/template.h"
#include "base/str.h"
#include <stdlib.h>
#include <string.h>

enum { SAID_MAX = 600, NAME_MAX_BYTES = 120 };

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* How long the placeholder at AT is; 0 when there is none. */
static size_t placeholder(const char *at, size_t len)
{
    static const char *const pairs[][2] = {{"${", "}"}, {"{{", "}}"}, {"<%", "%>"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t open = strlen(pairs[i][0]), shut = strlen(pairs[i][1]);
        const char *end = len > open && memcmp(at, pairs[i][0], open) == 0
                              ? memmem(at, len < 400 ? len : 400, pairs[i][1], shut)
                              : NULL;
        if (end && !memchr(at, '\n', (size_t)(end - at)))
            return (size_t)(end - at) + shut;
    }
    size_t word = 1;
    if (len < 2 || *at != '$' || (at[1] >= '0' && at[1] <= '9'))
        return 0;
    while (word < len && is_word(at[word]))
        word++;
    return word > 1 ? word : 0;
}

static void add_quoted(struct buf *out, const char *text, size_t len)
{
    buf_addch(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buf_addch(out, '\\');
        buf_addch(out, text[i]);
    }
    buf_addch(out, '"');
}

bool template_quote(struct buf *out, const char *text, size_t len)
{
    bool inside = false, found = false;
    for (size_t at = 0; at < len; at++) {
        size_t width = inside ? 0 : placeholder(text + at, len - at);
        if (width) {
            add_quoted(out, text + at, width);
            at += width - 1;
            found = true;
            continue;
        }
        if (inside && text[at] == '\\' && at + 1 < len)
            buf_addch(out, text[at++]);
        else if (text[at] == '"')
            inside = !inside;
        buf_addch(out, text[at]);
    }
    return found && !out->overflow;
}

static bool is_open(const char *text)
{
    size_t len = strlen(text);
    if (text[0] == '$' && placeholder(text, len) == len)
        return true;
    for (const char *at = text; *at; at++)
        if ((*at == '$' && at[1] == '{' && (at == text || at[-1] != '$')) ||
            (*at == '{' && at[1] == '{') || (*at == '<' && at[1] == '%'))
            if (placeholder(at, strlen(at)))
                return true;
    return false;
}

static bool is_for_a_shell(const char *name)
{
    static const char *const names[] = {"command", "args", "entryPoint", "entrypoint",
                                        "data",    "test", "annotations"};
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

size_t template_mask(cJSON *tree)
{
    size_t masked = 0;
    if (!tree || is_for_a_shell(tree->string))
        return 0;
    if (cJSON_IsString(tree) && is_open(tree->valuestring)) {
        tree->type = (tree->type & ~0xFF) | cJSON_Raw;
        return 1;
    }
    for (cJSON *child = tree->child; child; child = child->next)
        masked += template_mask(child);
    return masked;
}

void template_say(struct reading *reading, bool defaults)
{
    struct buf said;
    const char *text = reading->peek->text, *line_start = text;
    size_t line = 1, len = reading->peek->len;
    buf_init(&said, SAID_MAX);
    for (const char *at = text; at < text + len; at++) {
        if (*at == '\n') {
            line++;
            line_start = at + 1;
        }
        size_t width = placeholder(at, len - (size_t)(at - text));
        bool filled = defaults && width && memchr(at, '-', width);
        if (!width || filled || *line_start == '#')
            continue;
        buf_addf(&said, "%s%.*s (line %zu)", said.len ? ", " : "",
                 (int)(width < NAME_MAX_BYTES ? width : NAME_MAX_BYTES), at, line);
        at += width - 1;
    }
    if (said.len)
        reading_problem(reading, "holds placeholders, and nothing is judged by them: %s%s",
                        buf_str(&said), said.overflow ? " ..." : "");
    buf_release(&said);
}
