/* Base: the end that a cut JSON document lacks. Scans structure only; a value that is cut itself is
 * dropped, because half a text or number is another text or number. Reads and writes one buffer. */
#include "base/json_close.h"
#include "base/json.h"

struct scan {
    char open[JSON_DEPTH_MAX]; /* the closing brackets that are owed */
    int depth;
    size_t safe; /* the text may end here, with the brackets of now */
};

static size_t skip_string(const struct buf *text, size_t at)
{
    for (at++; at < text->len && text->data[at] != '"'; at++)
        at += text->data[at] == '\\';
    return at;
}

/* False when the brackets do not fit each other. */
static bool take(struct scan *scan, char c, size_t at)
{
    if (c == '{' || c == '[') {
        if (scan->depth == JSON_DEPTH_MAX)
            return false;
        scan->open[scan->depth++] = c == '{' ? '}' : ']';
        scan->safe = at + 1;
    } else if (c == '}' || c == ']') {
        if (!scan->depth || scan->open[scan->depth - 1] != c)
            return false;
        scan->depth--;
        scan->safe = at + 1;
    } else if (c == ',') {
        scan->safe = at;
    }
    return true;
}

bool json_close(struct buf *text)
{
    struct scan scan = {.depth = 0};
    for (size_t at = 0; at < text->len; at++) {
        char c = text->data[at];
        if (c == '"')
            at = skip_string(text, at);
        else if (!take(&scan, c, at))
            return false;
    }
    if (!scan.depth || !scan.safe)
        return false;
    text->len = scan.safe;
    text->data[text->len] = '\0';
    while (scan.depth)
        buf_addch(text, scan.open[--scan.depth]);
    return !text->overflow;
}
