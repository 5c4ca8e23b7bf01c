/* Stage: compare. Members separated by commas, in order and each once, so that texts of the same members
 * are the same. Reads a text, writes a text; where there are too many members, the others are left out. */
#include "base/alloc.h"
#include "base/str.h"
#include "compare/rules.h"
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MAX = 20000 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t split(char *text, const char **members, bool holder)
{
    char *rest = NULL;
    size_t len = 0;
    for (char *each = strtok_r(text, ",", &rest); each && len < MEMBERS_MAX;
         each = strtok_r(NULL, ",", &rest)) {
        each += strspn(each, " ");
        members[len++] = holder && str_starts(each, "inline:") ? "inline" : each;
    }
    return len;
}

void compare_set(struct buf *out, const char *text, bool holder)
{
    size_t most = 1;
    for (const char *at = text; (at = strchr(at, ',')) && most < MEMBERS_MAX; at++)
        most++;
    const char **members = xcalloc(most, sizeof *members);
    char *copy = xstrdup(text);
    size_t len = split(copy, members, holder);
    qsort(members, len, sizeof *members, by_text);
    for (size_t i = 0; i < len; i++)
        if (i == 0 || strcmp(members[i], members[i - 1]) != 0)
            buf_addf(out, "%s%s", out->len ? "," : "", members[i]);
    free(copy);
    free(members);
}
