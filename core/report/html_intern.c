/* Stage: report. Numbers distinct texts for the HTML writer: an open hash table over copies of them. It
 * has no maximum of its own: what it holds comes from a document that has one. */
#include "report/html_intern.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

/* The slot of TEXT, or the free one where it belongs. */
static size_t slot_of(const struct html_intern *intern, const char *text)
{
    size_t slot = hash_of(text) & (intern->slots_len - 1);
    while (intern->slots[slot] && strcmp(intern->texts[intern->slots[slot] - 1], text) != 0)
        slot = (slot + 1) & (intern->slots_len - 1);
    return slot;
}

static void grow(struct html_intern *intern)
{
    intern->slots_len = intern->slots_len ? intern->slots_len * 2 : 256;
    free(intern->slots);
    intern->slots = xcalloc(intern->slots_len, sizeof *intern->slots);
    intern->cap = intern->slots_len / 2;
    intern->texts = xrealloc(intern->texts, intern->cap * sizeof *intern->texts);
    for (size_t i = 0; i < intern->len; i++)
        intern->slots[slot_of(intern, intern->texts[i])] = (uint32_t)i + 1;
}

uint32_t html_intern(struct html_intern *intern, const char *text, bool *added)
{
    if (intern->len == intern->cap)
        grow(intern);
    size_t slot = slot_of(intern, text);
    if (added)
        *added = !intern->slots[slot];
    if (!intern->slots[slot]) {
        intern->texts[intern->len++] = xstrdup(text);
        intern->slots[slot] = (uint32_t)intern->len;
    }
    return intern->slots[slot] - 1;
}

void html_intern_release(struct html_intern *intern)
{
    for (size_t i = 0; i < intern->len; i++)
        free(intern->texts[i]);
    free(intern->texts);
    free(intern->slots);
    *intern = (struct html_intern){0};
}
