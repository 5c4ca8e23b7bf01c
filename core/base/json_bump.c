/* Base: cJSON trees in memory that is reused. Reads text, writes trees. The hooks are cJSON's and hence
 * global: they are set once and do nothing special unless this thread is inside json_bump_parse. */
#include "base/json_bump.h"
#include "base/alloc.h"
#include "base/json_why.h"
#include <pthread.h>
#include <stdlib.h>

enum { BLOCK = 256 << 10, ALIGN = 16 };

struct block {
    struct block *next;
    size_t used, cap;
    _Alignas(ALIGN) char bytes[];
};

struct json_bump {
    struct block *head; /* blocks that are larger than usual are not kept for the next tree */
    size_t total, max;
    bool full;
};

static _Thread_local struct json_bump *active;
static pthread_once_t hooks_once = PTHREAD_ONCE_INIT;

static struct block *add_block(struct json_bump *bump, size_t size)
{
    size_t cap = size > BLOCK ? size : BLOCK;
    if (cap > bump->max - bump->total) {
        bump->full = true;
        return NULL;
    }
    struct block *block = xmalloc(sizeof *block + cap);
    *block = (struct block){.next = bump->head, .cap = cap};
    bump->head = block;
    bump->total += cap;
    return block;
}

static void *bump_malloc(size_t size)
{
    if (!active)
        return xmalloc(size);
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct block *block = active->head;
    if (!block || size > block->cap - block->used)
        block = add_block(active, size);
    if (!block)
        return NULL;
    block->used += size;
    return block->bytes + block->used - size;
}

static void bump_release(void *memory)
{
    if (!active)
        free(memory);
}

static void set_hooks(void)
{
    cJSON_Hooks hooks = {bump_malloc, bump_release};
    cJSON_InitHooks(&hooks);
}

struct json_bump *json_bump_new(size_t memory_max)
{
    pthread_once(&hooks_once, set_hooks);
    struct json_bump *bump = xcalloc(1, sizeof *bump);
    bump->max = memory_max > BLOCK ? memory_max : BLOCK;
    return bump;
}

static void drop_blocks(struct json_bump *bump, struct block *keep)
{
    while (bump->head != keep) {
        struct block *next = bump->head->next;
        bump->total -= bump->head->cap;
        free(bump->head);
        bump->head = next;
    }
}

void json_bump_free(struct json_bump *bump)
{
    if (!bump)
        return;
    drop_blocks(bump, NULL);
    free(bump);
}

static void reset(struct json_bump *bump)
{
    struct block *last = bump->head;
    while (last && last->next)
        last = last->next;
    drop_blocks(bump, last && last->cap == BLOCK ? last : NULL);
    if (bump->head)
        bump->head->used = 0;
    bump->full = false;
}

const cJSON *json_bump_parse(struct json_bump *bump, const char *text, size_t len, size_t *used,
                             bool *full, struct err *err)
{
    reset(bump);
    active = bump;
    const cJSON *tree = json_parse_shallow(text, len, used, err);
    active = NULL;
    *full = bump->full;
    return tree;
}
