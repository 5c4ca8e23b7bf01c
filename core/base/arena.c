/* Base: the arena, a list of zeroed chunks that are handed out from front to back. Reads and writes
 * memory only. Deliberately has no way to give a single piece back. */
#include "base/arena.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_FIRST = 4096, CHUNK_LAST = 1 << 18 };

struct chunk {
    struct chunk *next;
    size_t used, cap;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct chunk *head; /* the chunk that pieces are cut from; older and oversized ones follow */
    size_t next_cap, used;
};

struct arena *arena_new(void)
{
    struct arena *arena = xcalloc(1, sizeof *arena);
    arena->next_cap = CHUNK_FIRST;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    struct chunk *chunk = arena->head;
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(arena);
}

static struct chunk *new_chunk(size_t cap)
{
    if (cap > SIZE_MAX - sizeof(struct chunk))
        BUG("arena piece of %zu bytes", cap);
    struct chunk *chunk = xcalloc(1, sizeof *chunk + cap);
    chunk->cap = cap;
    return chunk;
}

static void *take_slow(struct arena *arena, size_t size)
{
    if (arena->head && size > arena->next_cap / 4) {
        struct chunk *own = new_chunk(size);
        own->used = size;
        own->next = arena->head->next;
        arena->head->next = own;
        return own->bytes;
    }
    size_t cap = size > arena->next_cap ? size : arena->next_cap;
    struct chunk *chunk = new_chunk(cap);
    chunk->next = arena->head;
    chunk->used = size;
    arena->head = chunk;
    if (arena->next_cap < CHUNK_LAST)
        arena->next_cap *= 2;
    return chunk->bytes;
}

static void *take(struct arena *arena, size_t size, size_t align)
{
    arena->used += size;
    struct chunk *head = arena->head;
    if (!head)
        return take_slow(arena, size);
    size_t at = (head->used + align - 1) & ~(align - 1);
    if (at > head->cap || size > head->cap - at)
        return take_slow(arena, size);
    head->used = at + size;
    return head->bytes + at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return take(arena, size ? size : 1, alignof(max_align_t));
}

char *arena_strdup(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(take(arena, size, 1), text, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    len = strnlen(text, len);
    char *copy = take(arena, len + 1, 1);
    memcpy(copy, text, len);
    return copy; /* the chunk is zeroed, so the end is there already */
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0)
        BUG("bad format '%s'", format);
    char *text = take(arena, (size_t)len + 1, 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
