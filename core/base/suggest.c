/* Base: finds names near to a mistyped one by edit distance. */
#include "base/suggest.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 100

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LEN + 1], len = strlen(b);
    if (len > NAME_MAX_LEN)
        return len;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            size_t above = row[j + 1];
            row[j + 1] = least(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[len];
}

/* A part that was typed whole ("permission-denied") is nearer than its length says. */
static size_t nearness(const char *typed, const char *name)
{
    return strlen(typed) >= 4 && strstr(name, typed) ? 1 : distance(typed, name);
}

void suggest_init(struct suggest *suggest, const char *typed)
{
    *suggest = (struct suggest){.typed = typed};
}

void suggest_offer(struct suggest *suggest, const char *name)
{
    size_t near = nearness(suggest->typed, name);
    if (near > strlen(suggest->typed) / 3 + 1)
        return;
    for (size_t i = 0; i < suggest->len; i++)
        if (strcmp(suggest->names[i], name) == 0)
            return; /* a finding of several checks */
    size_t at = suggest->len < SUGGEST_MAX ? suggest->len++ : SUGGEST_MAX;
    while (at > 0 && suggest->distances[at - 1] > near) {
        if (at < SUGGEST_MAX) {
            suggest->names[at] = suggest->names[at - 1];
            suggest->distances[at] = suggest->distances[at - 1];
        }
        at--;
    }
    if (at < SUGGEST_MAX) {
        suggest->names[at] = name;
        suggest->distances[at] = near;
    }
}

char *suggest_text(const struct suggest *suggest)
{
    char *text = xstrdup("");
    for (size_t i = 0; i < suggest->len; i++) {
        char *longer = xasprintf("%s%s'%s'", text, i ? ", " : "", suggest->names[i]);
        free(text);
        text = longer;
    }
    return text;
}
