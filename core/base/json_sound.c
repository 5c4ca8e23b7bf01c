/* Base: JSON, what cJSON takes without a word. Reads text and trees, writes why they are not sound.
 * Deliberately apart from reading: evidence of any origin is read as it is, what debrief itself has
 * written must be whole. */
#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* "\u0000"; no backslash stands outside of strings. NULL: there is none. */
static const char *find_escape(const char *text, size_t len)
{
    const char *end = text + len;
    for (const char *at = text; (at = memchr(at, '\\', (size_t)(end - at))) && at + 1 < end;
         at += 2)
        if (end - at >= 6 && memcmp(at, "\\u0000", 6) == 0)
            return at;
    return NULL;
}

bool json_without_nul(const char *text, size_t len, struct err *err)
{
    const char *nul = len ? memchr(text, '\0', len) : NULL, *at = text;
    size_t line = 1;
    if (!nul && len)
        nul = find_escape(text, len);
    if (!nul)
        return true;
    while ((at = memchr(at, '\n', (size_t)(nul - at)))) {
        at++;
        line++;
    }
    return err_set(err, "a NUL byte at line %zu (byte %zu), which no text holds", line,
                   (size_t)(nul - text));
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A name that stands in OBJECT twice; NULL: there is none. */
static const char *twice(const cJSON *object)
{
    size_t len = 0;
    const cJSON *child;
    const char *found = NULL;
    cJSON_ArrayForEach (child, object) {
        len++;
    }
    const char **names = xcalloc(len + 1, sizeof *names);
    len = 0;
    cJSON_ArrayForEach (child, object) {
        names[len++] = child->string;
    }
    qsort(names, len, sizeof *names, compare_names);
    for (size_t i = 1; i < len && !found; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            found = names[i];
    free(names);
    return found;
}

static bool is_unique(const cJSON *node, struct buf *pointer, struct err *err)
{
    const char *name = cJSON_IsObject(node) ? twice(node) : NULL;
    size_t here = pointer->len, index = 0;
    const cJSON *child;
    if (name)
        return err_set(err, "'%s' stands twice in '%s'", name, here ? buf_str(pointer) : "/");
    cJSON_ArrayForEach (child, node) {
        if (child->string)
            json_pointer_add(pointer, child->string, strlen(child->string));
        else
            buf_addf(pointer, "/%zu", index++);
        if (!is_unique(child, pointer, err))
            return false;
        buf_cut(pointer, here);
    }
    return true;
}

bool json_unique(const cJSON *root, struct err *err)
{
    struct buf pointer;
    buf_init(&pointer, 1 << 16);
    bool unique = is_unique(root, &pointer, err);
    buf_release(&pointer);
    return unique;
}
