/* Source: lines in several records. Reads the text around the end of a record, writes where its line goes
 * on. Deliberately looks at the next record alone: those of another stream may stand between. */
#include "source/redact_split.h"

#include <ctype.h>
#include <string.h>

enum { STAMP_MIN = 20, STAMP_MAX = 40, TAIL_MAX = 200 };

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *cursor, const char *what)
{
    size_t len = strlen(what);
    if ((size_t)(cursor->end - cursor->at) < len || memcmp(cursor->at, what, len) != 0)
        return false;
    cursor->at += len;
    return true;
}

/* What stands in front of a record of CRI: 'P' or 'F', and CURSOR behind it; 0: it is none. */
static char take_tag(struct cursor *cursor)
{
    const char *begin = cursor->at;
    if (begin == cursor->end || !isdigit((unsigned char)*begin))
        return 0;
    while (cursor->at < cursor->end && cursor->at - begin < STAMP_MAX &&
           (unsigned char)*cursor->at > ' ')
        cursor->at++;
    if (cursor->at - begin < STAMP_MIN || !(take(cursor, " stdout ") || take(cursor, " stderr ")))
        return 0;
    return take(cursor, "P ") ? 'P' : take(cursor, "F ") ? 'F' : 0;
}

static bool goes_on_in_cri(const char *text, size_t at, struct cursor *cursor)
{
    const char *line = memrchr(text, '\n', at);
    struct cursor this = {line ? line + 1 : text, text + at};
    take(cursor, "\r");
    return take(cursor, "\n") && take_tag(&this) == 'P' && take_tag(cursor);
}

static bool goes_on_in_docker(struct cursor *cursor)
{
    if (!take(cursor, "\",\"stream\":\"std"))
        return false;
    const char *end = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
    if (!end || end - cursor->at > TAIL_MAX)
        return false;
    cursor->at = end + 1;
    return take(cursor, "{\"log\":\"");
}

bool redact_split_goes_on(const char *text, size_t len, size_t at, size_t *next)
{
    struct cursor cri = {text + at, text + len}, docker = cri;
    if (goes_on_in_cri(text, at, &cri))
        *next = (size_t)(cri.at - text);
    else if (goes_on_in_docker(&docker))
        *next = (size_t)(docker.at - text);
    else
        return false;
    return true;
}
