/* Stage: report. Numbers distinct texts for the writers: an open hash table over copies of them. It
 * has no maximum of its own: what it holds comes from a document that has one. */
#include "report/intern.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 32

static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash ^ hash >> 32;
}

/* The slot of TEXT, or the free one where it belongs. */
static size_t slot_of(const struct intern *intern, const char *text, uint64_t hash)
{
    size_t slot = hash & (intern->slots_len - 1);
    for (; intern->slots[slot]; slot = (slot + 1) & (intern->slots_len - 1)) {
        const struct intern_item *item = &intern->items[intern->slots[slot] - 1];
        if (item->hash == hash && strcmp(item->text, text) == 0)
            break;
    }
    return slot;
}

static void grow(struct intern *intern)
{
    intern->slots_len = intern->slots_len ? intern->slots_len * 2 : SLOTS_MIN;
    free(intern->slots);
    intern->slots = xcalloc(intern->slots_len, sizeof *intern->slots);
    intern->cap = intern->slots_len / 2;
    intern->items = xrealloc(intern->items, intern->cap * sizeof *intern->items);
    for (size_t i = 0; i < intern->len; i++) {
        size_t slot = intern->items[i].hash & (intern->slots_len - 1);
        while (intern->slots[slot])
            slot = (slot + 1) & (intern->slots_len - 1);
        intern->slots[slot] = (uint32_t)i + 1;
    }
}

uint32_t intern_add(struct intern *intern, const char *text, bool *added)
{
    uint64_t hash = hash_of(text);
    if (intern->len == intern->cap)
        grow(intern);
    size_t slot = slot_of(intern, text, hash);
    if (added)
        *added = !intern->slots[slot];
    if (!intern->slots[slot]) {
        intern->items[intern->len++] = (struct intern_item){xstrdup(text), hash};
        intern->slots[slot] = (uint32_t)intern->len;
    }
    return intern->slots[slot] - 1;
}

uint32_t intern_find(const struct intern *intern, const char *text)
{
    size_t slot = intern->len ? slot_of(intern, text, hash_of(text)) : 0;
    return intern->len && intern->slots[slot] ? intern->slots[slot] - 1 : INTERN_NONE;
}

void intern_release(struct intern *intern)
{
    for (size_t i = 0; i < intern->len; i++)
        free(intern->items[i].text);
    free(intern->items);
    free(intern->slots);
    *intern = (struct intern){0};
}
